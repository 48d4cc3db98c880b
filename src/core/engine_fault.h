/*
 * Failures of the engine that a test asked for. One strikes an operation when that begins, in the
 * same transaction: it is counted and told exactly once, and what was struck stays so, also over a
 * restart. The engine's side is src/engine/faulty.h.
 */
#ifndef OSTLER_CORE_ENGINE_FAULT_H
#define OSTLER_CORE_ENGINE_FAULT_H

#include "core/core.h"

/* The fault that strikes this operation on the instance: its id, "" none. The oldest one that is
 * about it and not used up is counted. */
const char *engine_fault_strike(struct op *op, const struct inst *in, enum verb v);

/* Fills `id`, `num` and `created_at` and keeps it. Restricted to op->account where that is set.
 * ERR_ZONE_NOT_FOUND, ERR_INST_NOT_FOUND. */
enum err engine_fault_add(struct op *op, struct engine_fault *f);

/* Lets go of what it holds: an operation that waits goes on. ERR_PARAM_VALUE: there is none. */
enum err engine_fault_remove(struct op *op, const char *id);

#endif
