/*
 * Makes clocks go where they were told (core/clock.h), and things happen when they are due
 * (core/due.h). Lives on the loop's thread, beside the supervisor.
 *
 * An ordinary clock goes by itself; what it has passed is looked for once a second. One that was
 * told to go further steps: to the next moment at which something is due or an operation of the
 * engine ends, where it stands until all that follows has been written and begun; and so on, until
 * it is there. Each step is written with what happened in it, so a way that a kill cut short is
 * gone on with by the next daemon, from where it had got to. Machines whose operations take real
 * time are waited for, but not for ever.
 */
#ifndef OSTLER_ENGINE_CLOCKWORK_H
#define OSTLER_ENGINE_CLOCKWORK_H

#include "core/core.h"

struct clockwork;
struct loop;
struct supervisor;

struct clockwork_config {
    struct loop *loop;
    struct store *store;
    struct core *core; /* with clocks, which have been loaded */
    struct supervisor *supervisor;
};

struct clockwork *clockwork_new(const struct clockwork_config *config);
/* Nothing happens any more; what is under way may still be delivered. NULL is fine. */
void clockwork_stop(struct clockwork *c);
/* The store is closed. NULL is fine. */
void clockwork_free(struct clockwork *c);

/* Something was committed: looks for wishes. */
void clockwork_kick(struct clockwork *c);
/* The supervisor has told the store something: clocks that wait for it may go on. */
void clockwork_told(struct clockwork *c);

/*
 * For who replaces the store's contents: nothing more is begun after clockwork_hold, and when
 * clockwork_still nothing is under way. clockwork_reload shows what the rows say then, and lets go.
 */
void clockwork_hold(struct clockwork *c);
bool clockwork_still(const struct clockwork *c);
void clockwork_reload(struct clockwork *c);
/* An account's row was removed: it goes by everybody's clock. */
void clockwork_forget(struct clockwork *c, const char *account);

#endif
