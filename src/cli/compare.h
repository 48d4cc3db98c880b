/*
 * Whether two answers say the same, but for what is another each time: ids, addresses and host
 * names are learned as pairs, times and request ids count by their form. docs/transcript.md tells
 * the rules.
 */
#ifndef OSTLER_CLI_COMPARE_H
#define OSTLER_CLI_COMPARE_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"

/* ---- what the recording calls otherwise than the replay ---- */

struct names;

struct names *names_new(void);
void names_free(struct names *n); /* NULL is fine */

/* From now on `recorded` stands for `replayed`. False: one of the two already stands for something
 * else. */
bool names_learn(struct names *n, const char *recorded, const char *replayed);
/* What it stands for; NULL: nothing. */
const char *names_get(const struct names *n, const char *recorded);
/* The text with every recorded name replaced; in the arena. */
const char *names_apply(const struct names *n, struct arena *a, const char *text);

/* ---- comparing ---- */

struct difference {
    const char *path; /* "body.Instances.Instance[0].Cpu" */
    const char *recorded, *replayed;
};

enum { COMPARE_MAX = 200 };

/* Zeroed but for the first two. Texts are in the arena. */
struct comparison {
    struct arena *arena;
    struct names *names; /* asked only; what was found is in `pairs` until compare_keep */
    struct difference v[COMPARE_MAX];
    size_t n; /* of those kept; further ones are only counted */
    size_t total;
    bool under_way; /* the replayed answer shows something that has not got where the recorded one
                       is */
    struct names *pairs;
    unsigned quiet; /* inside of something that had moved on: differences do not count */
};

void compare_begin(struct comparison *c, struct arena *a, struct names *names);
void compare_done(struct comparison *c);
/* Remembers the pairs that were found. */
void compare_keep(struct comparison *c);

void compare_numbers(struct comparison *c, const char *path, long long recorded,
                     long long replayed);
void compare_json(struct comparison *c, const char *path, const json_t *recorded,
                  const json_t *replayed);
/* Of text that is no JSON: the first place where they part is told. */
void compare_text(struct comparison *c, const char *path, const char *recorded,
                  const char *replayed);

#endif
