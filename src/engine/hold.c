/* Nothing begins, what is under way ends, every machine is stopped: the rows can become others. */
#include "engine/supervisor_impl.h"

void supervisor_hold(struct supervisor *s)
{
    hold_end(s);
    s->hold.on = true;
}

void hold_end(struct supervisor *s)
{
    free(s->hold.why);
    memset(&s->hold, 0, sizeof(s->hold));
}

static void halted(struct supervisor *s, const char *inst, const struct outcome *o)
{
    if (o->error && !s->hold.why)
        s->hold.why = xasprintf("the machine of %s cannot be stopped: %s", inst, o->error);
}

/* The next machines that may run. */
static void gather(struct supervisor *s, struct batch *batch)
{
    CLEANUP(view_done) struct view v = {0};
    struct query q = {.limit = AT_ONCE, .below = s->hold.below};
    size_t n;

    query_set(&q, "state",
              INST_STATES_ALL & ~(1U << INST_STOPPED | 1U << INST_RECYCLED | 1U << INST_PENDING));
    view_open(&v, s);
    struct inst *insts = store_find(v.tx, &rec_inst, &q, &n);
    for (size_t i = 0; i < n; i++)
        if ((batch->machines[batch->n] = machine_of(&v.op, &insts[i])))
            batch->n++;
    if (!view_close(&v))
        return; /* asked again soon */
    if (n)
        s->hold.below = insts[n - 1].num;
    s->hold.all = n < AT_ONCE;
}

static void halt_one(struct supervisor *s, const struct machine *m)
{
    static const struct own halt = {.done = halted, .also_held = true};

    if (work_of(s, m->id))
        return; /* the store could not be read to the end last time */
    work_begin_own(s, m->id, &halt);
    s->config.driver->stop(s->engine, m, 0, true);
}

static void halt_more(struct supervisor *s)
{
    struct batch batch = {.n = 0};

    gather(s, &batch);
    for (size_t i = 0; i < batch.n; i++) {
        halt_one(s, batch.machines[i]);
        machine_free(batch.machines[i]);
    }
}

static bool idle(const struct supervisor *s)
{
    return !map_count(s->working) && !map_count(s->survey.asked) && !map_count(s->reports);
}

enum supervisor_holds supervisor_holds(struct supervisor *s, const char **ret_why)
{
    *ret_why = s->hold.why;
    if (!s->hold.halting) {
        work_hurry_all(s);
        if (!idle(s))
            return HOLDS_NOT_YET;
        s->hold.halting = true;
    }
    if (!s->hold.all && !s->hold.why && s->n_own < AT_ONCE / 2)
        halt_more(s);
    *ret_why = s->hold.why;
    return s->n_own      ? HOLDS_NOT_YET
           : s->hold.why ? HOLDS_NOT_EVER
           : s->hold.all ? HOLDS
                         : HOLDS_NOT_YET;
}
