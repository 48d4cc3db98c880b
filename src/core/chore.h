/*
 * What the server does besides answering: to the whole (key ""), or to one account (its id). An
 * action asks for it in its write, the main thread carries it out (server/upkeep.c), and who asked
 * waits until its row says that it is done. One that was under way when the server died is begun
 * again by the next one.
 */
#ifndef OSTLER_CORE_CHORE_H
#define OSTLER_CORE_CHORE_H

#include "core/core.h"

#define CHORE_WHOLE  "" /* keys that are no account's */
#define CHORE_RENEWS "renew"

/*
 * Asks for it; `wanted` tells key, kind and name. One of the whole goes beside no other one, one of
 * an account beside those of other accounts. ERR_UNAVAILABLE: not now. Write transactions only.
 */
enum err chore_begin(struct op *op, const struct chore *wanted, int64_t *ret_id);

/* Is it over? If so *ret is how it ended, and the reason is said. */
bool chore_over(struct op *op, const char *key, int64_t id, enum err *ret);

/* The next step of one that is under way, or its end. Write transactions only. */
void chore_go_on(struct op *op, const char *key, enum chore_state state, enum err failure,
                 const char *why);

/* ERR_UNAVAILABLE when one of the whole is under way. */
enum err chore_none(struct op *op);

#endif
