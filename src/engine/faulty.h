/*
 * Between the supervisor and the driver: what becomes of a job that a fault strikes (which one that
 * is, the core has decided and counted: core/engine_fault.h). Lives on the loop's thread; remembers
 * nothing that the store does not say: after a restart the same job is held again.
 */
#ifndef OSTLER_ENGINE_FAULTY_H
#define OSTLER_ENGINE_FAULTY_H

#include "core/core.h"
#include "core/engine.h"

struct loop;
struct faulty;

struct faulty_config {
    struct loop *loop;
    const struct core *core; /* for its clocks: a delay goes by the account's */
    const struct engine_driver *driver;
    /* As an engine's: the job has ended. */
    void (*done)(void *ctx, const char *inst, int64_t job, const struct outcome *o);
    /* The instance's job, if it still has one, is to be begun again. `runs`: its machine does, as
     * far as is known. */
    void (*again)(void *ctx, const char *inst, bool runs);
    void *ctx;
};

/* A fault as the store says it now. */
struct strike {
    bool struck;
    enum engine_fault_kind kind;
    int64_t delay_ms;
    char detail[512];
};

struct faulty *faulty_new(const struct faulty_config *config);
void faulty_free(struct faulty *f); /* NULL is fine */

/* What strikes the job. A fault that was removed strikes nothing any more, nor does any where there
 * are no controls: nobody could remove it. */
void strike_read(struct op *op, const struct job *j, struct strike *ret);

/* Holds the job back: true until the time has come, or its fault is gone. A job of the instance
 * that was held before is forgotten. */
bool faulty_holds(struct faulty *f, const struct job *j, const struct strike *s, bool runs);

/*
 * Does a job that is not held in the fault's way: true, and `done` follows. False: the driver is to
 * do it, with the machine as it is now.
 */
bool faulty_does(struct faulty *f, struct engine *e, struct machine *m, const struct job *j,
                 const struct strike *s, bool runs);

/* The error with which the job ends whatever its driver says, NULL none. Until faulty_ended. */
const char *faulty_error(const struct faulty *f, const char *inst, int64_t job);
void faulty_ended(struct faulty *f, const char *inst, int64_t job);

/* A machine stopped by itself. */
void faulty_stopped(struct faulty *f, const char *inst);

/* Is a job of the instance held back? */
bool faulty_has(const struct faulty *f, const char *inst);

/* As an engine's of the same names: delays end by their accounts' clocks. */
int64_t faulty_next(const struct faulty *f, const char *clock);
void faulty_run_until(struct faulty *f, const char *clock, int64_t until);
void faulty_clocks_changed(struct faulty *f);

/* Something was committed: faults may have been removed. */
void faulty_kick(struct faulty *f);

#endif
