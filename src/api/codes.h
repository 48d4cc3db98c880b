/* Which codes an action can be given, by what its dialect declares and its cloud documents. */
#ifndef OSTLER_API_CODES_H
#define OSTLER_API_CODES_H

#include "api/dialect.h"

struct code {
    int status; /* HTTP */
    const char *code;
    const char *message; /* may have places for a sentence: see code_message */
};

struct codes {
    struct code *v;
    size_t n, room;
};

/*
 * In this order, each once: what the documents list for the action; what it declares to raise; what
 * its parameters are refused with; what the documents list for every action; what every request may
 * be refused with. `action` NULL: of all actions together. In the arena.
 */
struct codes codes_of(const struct dialect *d, const struct action *action, struct arena *arena);

/*
 * The row of this code, the first if there are several. `status` 0: any. `text` (may be NULL) is
 * the row's message, or a part of it; or else it is to fill the places of a message, and the first
 * row with a place is meant. NULL: there is none.
 */
const struct code *codes_pick(const struct codes *codes, const char *code, int status,
                              const char *text);

/*
 * The message as a client reads it: with `text` in its places, unless that is a part of it; without
 * `text` something plausible. In the arena.
 */
const char *code_message(const struct code *code, const struct action *action, const char *text,
                         struct arena *arena);

/* The same for people: "..." in the places. */
const char *code_shown(const struct code *code, struct arena *arena);

#endif
