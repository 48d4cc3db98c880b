/* One verb on many instances, and which refusals become a list and which an error. */
#include "dialect/zenlayer/batch.h"

struct strs zec_distinct(struct arena *a, const struct strs *ids)
{
    struct strs once = {ARENA_ARRAY(a, const char *, ids->n), 0};

    for (size_t i = 0; i < ids->n; i++) {
        size_t k = 0;

        while (k < once.n && !streq(once.v[k], ids->v[i]))
            k++;
        if (k == once.n)
            once.v[once.n++] = ids->v[i];
    }
    return once;
}

/* The server itself failed: nothing that was decided before counts. */
static bool is_ours(enum err e)
{
    return e == ERR_INTERNAL || e == ERR_UNAVAILABLE;
}

/*
 * The documents say in one language that an instance may be stopped while it is stopping, and in
 * the other that it may not. Taking it as done satisfies both; it is not refused.
 */
static bool is_on_its_way(enum err e, enum verb v, const struct inst *before)
{
    return e == ERR_INST_ALREADY && v == VERB_STOP && before->state == INST_STOPPING;
}

static enum err do_one(struct call *c, const char *id, enum verb v, unsigned flags)
{
    struct inst before = {.state = INST_STATE_COUNT};
    enum err err = inst_power(&c->op, id, v, flags, &before, NULL);

    return is_on_its_way(err, v, &before) ? ERR_NONE : err;
}

enum err zec_batch(struct call *c, const struct strs *ids, enum verb v, unsigned flags,
                   struct zec_batch *ret)
{
    struct strs once = zec_distinct(c->arena, ids);
    struct strs refused = {ARENA_ARRAY(c->arena, const char *, once.n), 0};
    struct fail *first = NULL; /* the first refusal that is not "already there" */

    for (size_t i = 0; i < once.n; i++) {
        enum err err = do_one(c, once.v[i], v, flags);

        if (is_ours(err))
            return err;
        if (err)
            refused.v[refused.n++] = once.v[i];
        if (err && err != ERR_INST_ALREADY && !first) {
            first = ARENA_NEW(c->arena, struct fail);
            *first = *c->op.fail;
        }
    }
    if (first && refused.n == once.n) {
        *c->op.fail = *first;
        return first->err;
    }
    ret->refused = refused;
    return ERR_NONE;
}

void zec_batch_encode(struct call *c, const void *out, struct enc *e)
{
    const struct zec_batch *b = out;

    (void)c;
    enc_strs(e, "instanceIds", NULL, b->refused.v, b->refused.n);
}
