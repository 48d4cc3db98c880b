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

/* Lengths of time in words: "250ms", "90s", "5m", "3h", "31d", "2w", "1y" (365 days), several one
 * after the other ("1d12h"), or a bare number of seconds. 0, or -EINVAL: not such a length, or
 * longer than ten thousand years. */
int duration_parse(const char *s, int64_t *ret_ms);
/* "31d", "1d12h", "0s": the shortest such words, for people; in the arena. */
char *duration_text(struct arena *a, int64_t ms);

#endif
