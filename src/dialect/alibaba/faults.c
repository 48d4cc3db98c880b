/* What errors on demand ask of this dialect. */
#include "dialect/alibaba/faults.h"

enum { MAX_NAMED = 1000 };

static void add(struct strs *to, const struct call *c, const json_t *id)
{
    if (!json_is_string(id) || to->n == MAX_NAMED)
        return;
    if (!to->v)
        to->v = ARENA_ARRAY(c->arena, const char *, MAX_NAMED);
    to->v[to->n++] = arena_str(c->arena, json_string_value(id));
}

/* InstanceId=i-1, or InstanceId.1=i-1, and so on. */
static void add_numbered(struct strs *to, const struct call *c)
{
    json_t *ids = json_object_get(c->params, "InstanceId"), *id;
    const char *number;

    add(to, c, ids);
    json_object_foreach (ids, number, id)
        add(to, c, id);
}

/* InstanceIds=["i-1"]. A text that is no list names none; the action will say so. */
static void add_listed(struct strs *to, const struct call *c)
{
    const char *text = json_string_value(json_object_get(c->params, "InstanceIds"));
    json_t *ids = text ? json_loads(text, 0, NULL) : NULL, *id;
    size_t i;

    json_array_foreach (ids, i, id)
        add(to, c, id);
    json_decref(ids);
}

struct strs faults_instances(const struct call *c)
{
    struct strs named = {0};

    add_numbered(&named, c);
    add_listed(&named, c);
    return named;
}

void faults_say_retry(struct call *c, int64_t ms, struct answer *a)
{
    a->headers[a->n_headers++] =
        (struct header){"x-acs-retry-after", arena_fmt(c->arena, "%lld", (long long)ms)};
}
