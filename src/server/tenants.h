/*
 * The chores of single accounts: reset, removed. Their instances are released by ordinary jobs,
 * side by side with everybody else's work; when none is left the rest goes in one write.
 */
#ifndef OSTLER_SERVER_TENANTS_H
#define OSTLER_SERVER_TENANTS_H

#include "server/upkeep.h"

struct tenants;

/* `cleared` is called after an account's things are gone. */
struct tenants *tenants_new(const struct upkeep_config *config, void (*cleared)(void *ctx),
                            void *ctx);

/* Takes up a chore that is not done; one that it has already is fine. */
void tenants_begin(struct tenants *ts, const struct chore *c);

/* As upkeep_stop and upkeep_free. */
void tenants_stop(struct tenants *ts);
void tenants_free(struct tenants *ts);

#endif
