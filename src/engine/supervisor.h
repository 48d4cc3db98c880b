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
    bool renews; /* supervisor_resume did not get to its end in the last life */
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

/*
 * The rows are to become others. From supervisor_hold on nothing begins; what is under way is
 * hurried; then every machine is stopped, by force. supervisor_holds is asked again and again until
 * it is not HOLDS_NOT_YET; *ret_why is the reason of HOLDS_NOT_EVER, and the supervisor's. In any
 * case supervisor_resume goes on, with whatever the rows say then: what is RUNNING and has no
 * machine is started again without a word, missing disks are made anew, and leftovers removed.
 */
enum supervisor_holds { HOLDS, HOLDS_NOT_YET, HOLDS_NOT_EVER };
void supervisor_hold(struct supervisor *s);
enum supervisor_holds supervisor_holds(struct supervisor *s, const char **ret_why);
void supervisor_resume(struct supervisor *s);
/* Is all of that done? */
bool supervisor_renewed(const struct supervisor *s);

/* What is under way for the instance is to end as soon as it can. */
void supervisor_hurry(struct supervisor *s, const char *inst);

/* Is the survey over? */
bool supervisor_ready(const struct supervisor *s);
const char *supervisor_describe(const struct supervisor *s);

#endif
