/* Writing and reading of UTC times. */
#include "base/timefmt.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "base/util.h"

static char *put(char *to, int v, int digits, char after)
{
    for (int i = digits; i-- > 0; v /= 10)
        to[i] = (char)('0' + v % 10);
    to[digits] = after;
    return to + digits + 1;
}

static char *format(struct arena *a, int64_t ms, bool seconds)
{
    time_t t = (time_t)(ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
    char *text = arena_alloc(a, sizeof("YYYY-MM-DDThh:mm:ssZ")), *to = text;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
        return arena_str(a, seconds ? "0000-00-00T00:00:00Z" : "0000-00-00T00:00Z");
    to = put(to, tm.tm_year + 1900, 4, '-');
    to = put(to, tm.tm_mon + 1, 2, '-');
    to = put(to, tm.tm_mday, 2, 'T');
    to = put(to, tm.tm_hour, 2, ':');
    to = put(to, tm.tm_min, 2, seconds ? ':' : 'Z');
    if (seconds)
        (void)put(to, tm.tm_sec, 2, 'Z'); /* the end is there already */
    return text;
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

int duration_parse(const char *s, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000}};
    size_t n = strspn(s, "0123456789");
    char digits[20];
    long long v;

    if (!n || n >= sizeof(digits))
        return -EINVAL;
    memcpy(digits, s, n);
    digits[n] = 0;
    if (parse_i64(digits, &v) < 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (streq(s + n, units[i].unit) && v <= INT64_MAX / units[i].ms / 2) {
            *ret_ms = v * units[i].ms;
            return 0;
        }
    return -EINVAL;
}
