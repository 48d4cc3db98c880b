/* Periods and automatic ends, as several actions say them. */
#ifndef OSTLER_DIALECT_ALIBABA_RENEWAL_H
#define OSTLER_DIALECT_ALIBABA_RENEWAL_H

#include "api/dialect.h"
#include "core/inst.h"

/* Is a subscription sold, or renewed by hand, for so long? `unit`: "Month" or "Week". */
bool period_ok(int64_t n, const char *unit);
/* Does one renew itself by so much? */
bool renewal_period_ok(int64_t n, const char *unit);

/*
 * Reads AutoReleaseTime; NULL: 0. Seconds are dropped. ERR_PARAM_VALUE: not from half an hour to
 * three years ahead.
 */
enum err release_time_read(struct call *c, const char *text, int64_t *ret);

/* Notes for showing, among the instance's attributes; NULL: not any more. In a write. */
void attr_note(struct call *c, const char *inst, const char *name, const char *value);

#endif
