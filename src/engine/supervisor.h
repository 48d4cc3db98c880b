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

/* Is the survey over? */
bool supervisor_ready(const struct supervisor *s);
const char *supervisor_describe(const struct supervisor *s);

#endif
