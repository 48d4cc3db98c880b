/* What errors on demand ask of this dialect. */
#include "dialect/zenlayer/zec.h"

enum { MAX_NAMED = 1000 };

struct strs zec_instances(const struct call *c)
{
    const json_t *ids = json_object_get(c->params, "instanceIds");
    size_t n = json_array_size(ids) < MAX_NAMED ? json_array_size(ids) : MAX_NAMED;
    struct strs named = {.v = ARENA_ARRAY(c->arena, const char *, n + 1)};

    for (size_t i = 0; i < n; i++) {
        const json_t *id = json_array_get(ids, i);

        if (json_is_string(id))
            named.v[named.n++] = arena_str(c->arena, json_string_value(id));
    }
    return named;
}

/* HTTP's own, in seconds; no client of this cloud looks for another one. */
void zec_say_retry(struct call *c, int64_t ms, struct answer *a)
{
    a->headers[a->n_headers++] =
        (struct header){"retry-after", arena_fmt(c->arena, "%lld", (long long)(ms + 999) / 1000)};
}
