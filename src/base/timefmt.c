/* Writing and reading of UTC times. */
#include "base/timefmt.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

static char *format(struct arena *a, int64_t ms, bool seconds)
{
    time_t t = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
    struct tm tm;
    char text[64];

    (void)gmtime_r(&t, &tm);
    size_t n = seconds ? strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm)
                       : strftime(text, sizeof(text), "%Y-%m-%dT%H:%MZ", &tm);
    return arena_strn(a, text, n);
}

char *time_seconds(struct arena *a, int64_t ms)
{
    return format(a, ms, true);
}

char *time_minutes(struct arena *a, int64_t ms)
{
    return format(a, ms, false);
}

/* Matches `shape`, in which 'd' stands for a digit, and reads its groups of digits. */
static bool read_shape(const char *s, const char *shape, int *groups)
{
    int n = -1;

    for (bool in = false; *shape; s++, shape++) {
        if (*shape != 'd') {
            in = false;
            if (*s != *shape)
                return false;
            continue;
        }
        if (*s < '0' || *s > '9')
            return false;
        if (!in)
            groups[++n] = 0;
        in = true;
        groups[n] = groups[n] * 10 + (*s - '0');
    }
    return !*s;
}

int time_parse(const char *s, int64_t *ret_ms)
{
    int g[6] = {0};

    if (!read_shape(s, "dddd-dd-ddTdd:dd:ddZ", g) && !read_shape(s, "dddd-dd-ddTdd:ddZ", g))
        return -EINVAL;
    struct tm tm = {.tm_year = g[0] - 1900,
                    .tm_mon = g[1] - 1,
                    .tm_mday = g[2],
                    .tm_hour = g[3],
                    .tm_min = g[4],
                    .tm_sec = g[5]};
    struct tm wanted = tm;
    time_t t = timegm(&tm);
    if (tm.tm_mon != wanted.tm_mon || tm.tm_mday != wanted.tm_mday ||
        tm.tm_hour != wanted.tm_hour || tm.tm_min != wanted.tm_min || tm.tm_sec != wanted.tm_sec)
        return -EINVAL; /* normalised: there is no such day or hour */
    *ret_ms = (int64_t)t * 1000;
    return 0;
}
