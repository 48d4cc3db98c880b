/*
 * What happens to instances by time. Each thing has its moment by its account's clock and happens
 * once, in the order of the moments, at its own: what it writes bears the time at which it was due,
 * whenever somebody got round to it.
 */
#ifndef OSTLER_CORE_DUE_H
#define OSTLER_CORE_DUE_H

#include "core/inst.h"

/* Sets or moves the instance's thing of this kind. */
void due_set(struct op *op, const struct inst *in, enum due_kind kind, int64_t at);
void due_clear(struct op *op, const char *inst, enum due_kind kind);
void due_clear_all(struct op *op, const char *inst);
bool due_get(struct op *op, const char *inst, enum due_kind kind, struct due *ret);

/* When the clock's next thing is due; INT64_MAX: nothing is. */
int64_t due_next(struct tx *tx, const char *clock);

/* Lets happen what the clock has to come up to `until`, `most` things at most. Returns how many. In
 * a write, for everybody's account. */
size_t due_run(struct op *op, const char *clock, int64_t until, size_t most);

#endif
