/* The core's states in ECS's words. */
#ifndef OSTLER_DIALECT_ALIBABA_STATUS_H
#define OSTLER_DIALECT_ALIBABA_STATUS_H

#include "api/dialect.h"

const char *status_word(enum inst_state s);

/* Is it one of ECS's words? */
bool status_known(const char *word);

/* Adds conditions to a query of instances: those that are shown with this (known) word. */
void status_query(struct query *q, const char *word);

/* How many of those conditions there can be. */
enum { STATUS_MAX_CONDS = INST_STATE_COUNT - 1 };

/* Can the instance give its capacity back while it is stopped? Not subscribed ones, not those with
 * local disks. */
bool can_stop_charging(const struct inst *in, const struct catalog *c);

/* StoppedMode: "KeepCharging", "StopCharging" or "Not-applicable". */
const char *stopped_mode(const struct inst *in, const struct catalog *c);

/* In the recycle bin, or about to be taken back? */
bool is_recycling(const struct inst *in);

/* Is its payment overdue or its subscription over? */
bool financially_locked(const struct inst *in, int64_t now);

#endif
