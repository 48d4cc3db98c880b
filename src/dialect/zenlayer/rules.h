/* This cloud's rules for what a client may write: names, passwords, tags, initialisation scripts.
 */
#ifndef OSTLER_DIALECT_ZENLAYER_RULES_H
#define OSTLER_DIALECT_ZENLAYER_RULES_H

#include "api/dialect.h"

/* 2 to 63 of A-Z a-z 0-9 - . with a letter or digit at both ends, after its patterns were filled
 * in. */
bool zec_good_name(const char *s);

/*
 * A name for `count` instances as the core understands it: every [begin,bits] in full, without the
 * '_' that stands before it in this cloud. NULL: a pattern or one of the names that come out is not
 * well formed.
 */
const char *zec_name_pattern(struct arena *a, const char *s, int64_t count);

/* 8 to 16 characters: lower and upper case letters, digits and specials, at least one of each and
 * nothing else. */
bool zec_good_password(const char *s);

struct zec_tag {
    const char *key, *value;
};

/* The fields of one tag, in a filter and in an object alike. Ended by name NULL. */
extern const struct field zec_tag_fields[];

enum { ZEC_MAX_TAGS = 20 };

/* Keys and values of 1 to 64 characters, no key twice: as a JSON object in the arena. */
enum err zec_tags_json(struct call *c, const struct objs *tags, const char **ret);

/* Reads the object that zec_tags_json wrote, or the other dialect. */
struct zec_tag *zec_tags_read(struct arena *a, const char *json, size_t *ret_n);

/*
 * The script as the guest gets it: given plain, or in base64. `*ret_binary`: what the base64 holds
 * is not text, and *ret is still the base64.
 */
const char *zec_user_data(struct arena *a, const char *given, bool *ret_binary);

#endif
