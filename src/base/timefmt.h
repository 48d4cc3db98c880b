/* ISO 8601 times in UTC, as both clouds write them. */
#ifndef OSTLER_BASE_TIMEFMT_H
#define OSTLER_BASE_TIMEFMT_H

#include <stdint.h>

#include "base/arena.h"

/* "2026-01-02T03:04:05Z" and "2026-01-02T03:04Z" of milliseconds since 1970; of a year that has
 * not four digits, zeros. */
char *time_seconds(struct arena *a, int64_t ms);
char *time_minutes(struct arena *a, int64_t ms);

/* Reads either form. 0, or -EINVAL: not such a time, or no such day. */
int time_parse(const char *s, int64_t *ret_ms);

/* Reads "250ms", "3s", "2m", "4h", "31d" or "3" (seconds). 0, or -EINVAL. */
int duration_parse(const char *s, int64_t *ret_ms);

#endif
