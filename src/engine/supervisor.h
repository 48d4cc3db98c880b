/*
 * Drives the engine by the jobs in the store, and the store by what the engine reports. Lives on
 * the loop's thread.
 *
 * Begins with a survey: each instance that should be running, or has a job, is looked for; what was
 * half done when the last daemon ended is finished then, and nothing is started before its machine
 * is known to be absent.
 */
#ifndef OSTLER_ENGINE_SUPERVISOR_H
#define OSTLER_ENGINE_SUPERVISOR_H

#include "core/core.h"
#include "core/engine.h"

struct supervisor;

struct supervisor_config {
    struct loop *loop;
    struct store *store;
    struct core *core;
    const struct engine_driver *driver;
    struct engine_config engine;
    void (*told)(void *ctx); /* the store has learnt something from here; NULL: nobody asks */
    void *ctx;
};

enum err supervisor_new(const struct supervisor_config *config, struct supervisor **ret,
                        struct fail *f);

/* Closes the engine: machines keep running, nothing more is begun. Then the store may be closed,
 * then this freed. */
void supervisor_stop(struct supervisor *s);
/* The store is closed, or was never given anything. NULL is fine, as above. */
void supervisor_free(struct supervisor *s);

/* Something was committed: looks for new jobs. */
void supervisor_kick(struct supervisor *s);

/*
 * For who moves clocks. Has all that the store wants of this clock's accounts been begun, and all
 * that happened been told? Where operations take the time that they take, they are over, too.
 */
bool supervisor_settled(const struct supervisor *s, const char *clock);
/* When the next operation ends by this clock; INT64_MAX: none does. */
int64_t supervisor_next(const struct supervisor *s, const char *clock);
/* Ends those that end up to `until`, in their order. */
void supervisor_run_until(struct supervisor *s, const char *clock, int64_t until);
/* Clocks were stopped, moved or set going. */
void supervisor_clocks_changed(struct supervisor *s);

/* Is the survey over? */
bool supervisor_ready(const struct supervisor *s);
const char *supervisor_describe(const struct supervisor *s);

#endif
