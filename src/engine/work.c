/* What is under way, one operation an instance: a job's, or one of the supervisor's own. */
#include "engine/supervisor_impl.h"

#include "base/log.h"

const struct work *work_of(const struct supervisor *s, const char *inst)
{
    return map_get(s->working, inst);
}

bool work_busy(const struct supervisor *s, const char *inst)
{
    return work_of(s, inst) || report_waits(s, inst);
}

void work_begin(struct supervisor *s, const struct job *j)
{
    struct work *w = xcalloc(1, sizeof(*w));

    w->job = j->id;
    w->verb = j->verb;
    w->account = xstrdup(j->account);
    w->request_id = xstrdup(j->request_id);
    map_put(s->working, j->inst, w);
}

void work_begin_own(struct supervisor *s, const char *inst, const struct own *own)
{
    struct work *w = xcalloc(1, sizeof(*w));

    w->own = own;
    s->n_own++;
    map_put(s->working, inst, w);
}

static void work_free(struct work *w)
{
    free(w->account);
    free(w->request_id);
    free(w);
}

void work_end(struct supervisor *s, const char *inst)
{
    struct work *w = map_remove(s->working, inst);

    if (!w)
        return;
    if (w->own)
        s->n_own--;
    work_free(w);
}

void work_own_done(struct supervisor *s, const char *inst_, const struct outcome *o)
{
    CLEANUP(free_p) char *inst = xstrdup(inst_);
    const struct work *w = work_of(s, inst);
    const struct own *own = w ? w->own : NULL;

    if (!own)
        return;
    work_end(s, inst);
    if (!s->hold.on || own->also_held)
        own->done(s, inst, o);
    survey_go_on(s, s->n_own);
}

void work_log(struct supervisor *s, const char *inst, const struct outcome *o)
{
    const struct work *w = work_of(s, inst);

    log_write(o->error ? LOG_WARN : LOG_INFO,
              o->error ? "an operation failed" : "an operation is done", "request",
              w ? w->request_id : NULL, "operation", w ? verb_name(w->verb) : NULL, "instance",
              inst, "why", o->error, NULL);
}

/* ---- what is to end soon ---- */

void supervisor_hurry(struct supervisor *s, const char *inst)
{
    if (!s->stopping && work_of(s, inst))
        s->config.driver->hurry(s->engine, inst);
}

struct names {
    struct arena *arena;
    const char **v;
    size_t n;
};

static void add_name(void *ctx, const char *name, void *value)
{
    struct names *names = ctx;

    (void)value;
    names->v[names->n++] = arena_str(names->arena, name);
}

/* What ends takes itself off the map: so its names come first. */
void work_hurry_all(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct names names = {.arena = a, .v = ARENA_ARRAY(a, const char *, map_count(s->working) + 1)};

    map_each(s->working, add_name, &names);
    for (size_t i = 0; i < names.n; i++)
        s->config.driver->hurry(s->engine, names.v[i]);
}

/* ---- life ---- */

void work_init(struct supervisor *s)
{
    s->working = map_new();
}

static void free_work(void *ctx, const char *inst, void *value)
{
    (void)ctx;
    (void)inst;
    work_free(value);
}

void work_done(struct supervisor *s)
{
    map_each(s->working, free_work, NULL);
    map_free(s->working);
}
