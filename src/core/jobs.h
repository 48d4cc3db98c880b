/* Inside the core: how a job and its state are written, and what belongs to an instance. */
#ifndef OSTLER_CORE_JOBS_H
#define OSTLER_CORE_JOBS_H

#include "core/core.h"

/*
 * Moves `in` to `state` and gives it the job, in one stroke; both are written. `job` holds the
 * flags; the rest is filled in. A job that the instance has already is replaced.
 */
void job_begin(struct op *op, struct inst *in, enum verb v, enum inst_state state, struct job *job);

/* The instance's disks by slot, the system disk first. */
struct disk *inst_disks(struct op *op, const char *inst, size_t *ret_n);

#endif
