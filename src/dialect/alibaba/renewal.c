/* Rules of periods and automatic ends, and the notes about them. */
#include "dialect/alibaba/renewal.h"

#include "base/timefmt.h"
#include "dialect/alibaba/attrs.h"

enum { MINUTE_MS = 60 * 1000 };
#define SOONEST_MS (30 * INT64_C(60000))
#define LATEST_MS  (3 * 365 * INT64_C(86400000))

static bool among(int64_t n, const int64_t *values, size_t n_values)
{
    for (size_t i = 0; i < n_values; i++)
        if (values[i] == n)
            return true;
    return false;
}

bool period_ok(int64_t n, const char *unit)
{
    static const int64_t months[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 24, 36, 48, 60};

    return streq(unit, "Week") ? n >= 1 && n <= 4 : among(n, months, ARRAY_LEN(months));
}

bool renewal_period_ok(int64_t n, const char *unit)
{
    static const int64_t months[] = {1, 2, 3, 6, 12, 24, 36, 48, 60};

    return streq(unit, "Week") ? n >= 1 && n <= 3 : among(n, months, ARRAY_LEN(months));
}

enum err release_time_read(struct call *c, const char *text, int64_t *ret)
{
    *ret = 0;
    if (str_empty(text))
        return ERR_NONE;
    int64_t at = field_time(text);

    at -= at % MINUTE_MS;
    if (at < c->op.now + SOONEST_MS - MINUTE_MS || at > c->op.now + LATEST_MS)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "AutoReleaseTime",
                          "it is not from half an hour to three years after %s",
                          time_seconds(c->arena, c->op.now));
    *ret = at;
    return ERR_NONE;
}

void attr_note(struct call *c, const char *inst, const char *name, const char *value)
{
    struct inst in;

    if (!store_get(c->op.tx, &rec_inst, inst, &in))
        return;
    json_t *attrs CLEANUP(json_unref_p) = attrs_load(in.attrs);
    if (!attrs)
        attrs = json_object();
    (void)json_object_del(attrs, name); /* it may not be there */
    attrs_set(attrs, name, value);
    char *text CLEANUP(free_p) = json_dumps(attrs, JSON_COMPACT | JSON_SORT_KEYS);
    in.attrs = arena_str(c->arena, text);
    store_update(c->op.tx, &rec_inst, &in);
}
