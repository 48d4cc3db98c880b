/*
 * The chores of the whole: a snapshot saved or loaded, everything reset; one at a time. For a load
 * or a reset clients' writes are refused, the supervisor lets nothing run and clocks stay where
 * they are; the rows become others in one transaction; both go on by what they say.
 */
#ifndef OSTLER_SERVER_WHOLE_H
#define OSTLER_SERVER_WHOLE_H

#include "server/upkeep.h"

struct whole;

/* `ended` is called after the end of one was written. */
struct whole *whole_new(const struct upkeep_config *config, void (*ended)(void *ctx), void *ctx);

/* Takes up a chore that is not done, unless one is under way. */
void whole_begin(struct whole *all, const struct chore *c);
bool whole_busy(const struct whole *all);

/* As upkeep_stop and upkeep_free. */
void whole_stop(struct whole *all);
void whole_free(struct whole *all);

#endif
