/* The rules of ECS for names, descriptions, host names, passwords and tags. */
#ifndef OSTLER_DIALECT_ALIBABA_NAMES_H
#define OSTLER_DIALECT_ALIBABA_NAMES_H

#include "api/action.h"

/* 2..128 characters, a letter of any script first, then also digits and ":_.-"; not http:// or
 * https://. */
bool name_ok(const char *s);

/*
 * A name that may hold one sequence, "prefix[begin,bits]suffix". `more`: digits (0..3) that are
 * added to one without a sequence.
 */
bool name_pattern_ok(const char *s, size_t more);

/* 2..256 characters, not http:// or https://. */
bool description_ok(const char *s);

/* Linux: 2..64, dot-separated parts of letters, digits and inner hyphens. May hold a sequence. */
bool hostname_pattern_ok(const char *s, size_t more);

/* 8..30 characters, three of: upper, lower, digit, special. */
bool password_ok(const char *s);

/* One tag of a request. */
struct tag {
    const char *key, *value;
};
extern const struct field tag_fields[];

enum { TAGS_MAX = 20 };

/* Checks `tags` and makes a JSON object of them, in the arena. ERR_TAG_*. */
enum err tags_json(struct op *op, const struct objs *tags, const char **ret);

/* Of tags to look for: ERR_PARAM_VALUE of "Tag.n.Key" for one without a key. */
enum err tags_have_keys(struct op *op, const struct objs *tags);

/* A pattern with '*' as a pattern for the store's CMP_LIKE. */
const char *wildcard_like(struct arena *a, const char *pattern);
/* Does the text match a pattern with '*'? */
bool wildcard_match(const char *pattern, const char *text);

#endif
