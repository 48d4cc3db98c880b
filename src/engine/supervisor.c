/* Its life, its clocks, and what it hears from the engine. */
#include "engine/supervisor_impl.h"

#include "base/log.h"
#include "core/clock.h"

/* ---- the store as it is now ---- */

void view_open(struct view *v, struct supervisor *s)
{
    *v = (struct view){.arena = arena_new()};
    v->tx = store_read(s->config.store, v->arena);
    v->op = op_own(s->config.core, v->tx, v->arena, &v->fail);
}

bool view_close(struct view *v)
{
    bool broken = tx_failed(v->tx);

    store_read_end(v->tx);
    return !broken;
}

void view_done(struct view *v)
{
    arena_free(v->arena);
}

/* ---- what the engine says ---- */

static enum err write_end(struct op *op, const struct news *n)
{
    bool next; /* is found when it is looked for */

    return job_end(op, n->inst, n->job, n->why, n->ssh_port, &next);
}

static enum err write_halfway(struct op *op, const struct news *n)
{
    return job_halfway(op, n->inst, n->job);
}

static enum err write_waits(struct op *op, const struct news *n)
{
    return inst_waits(op, n->inst, n->why);
}

static enum err write_stopped(struct op *op, const struct news *n)
{
    return inst_stopped(op, n->inst, n->why);
}

static void on_done(void *ctx, const char *inst, int64_t job, const struct outcome *o)
{
    static const struct news_kind ended = {.write = write_end, .ends = true};
    struct supervisor *s = ctx;

    if (!job) {
        work_own_done(s, inst, o);
        return;
    }
    const struct outcome failed = {.error = faulty_error(s->faulty, inst, job)};

    if (failed.error)
        o = &failed;
    work_log(s, inst, o);
    report_news(
        s, &(struct news){
               .kind = &ended, .inst = inst, .job = job, .why = o->error, .ssh_port = o->ssh_port});
    faulty_ended(s->faulty, inst, job);
}

static void on_halfway(void *ctx, const char *inst, int64_t job)
{
    static const struct news_kind halfway = {.write = write_halfway};

    report_news(ctx, &(struct news){.kind = &halfway, .inst = inst, .job = job});
}

static void on_waits(void *ctx, const char *inst, const char *why)
{
    static const struct news_kind waits = {.write = write_waits};
    struct supervisor *s = ctx;

    if (s->hold.on)
        return; /* all of them stop; what should run is looked for again afterwards */
    log_write(why ? LOG_WARN : LOG_INFO, why ? "a machine waits" : "a machine goes on", "instance",
              inst, "why", why, NULL);
    report_news(s, &(struct news){.kind = &waits, .inst = inst, .why = why});
}

static void on_harmed(void *ctx, const char *inst, const char *error)
{
    harms_done(((struct supervisor *)ctx)->harms, inst, error);
}

void machine_stopped(struct supervisor *s, const char *inst, const char *reason)
{
    static const struct news_kind stopped = {.write = write_stopped};

    log_write(LOG_INFO, "a machine stopped", "instance", inst, "why", reason, NULL);
    harms_stopped(s->harms, inst);
    faulty_stopped(s->faulty, inst);
    report_news(s, &(struct news){.kind = &stopped, .inst = inst, .why = reason});
}

static void on_stopped(void *ctx, const char *inst, const char *reason)
{
    struct supervisor *s = ctx;

    if (!s->hold.on) /* then all of them stop; what should run is looked for again afterwards */
        machine_stopped(s, inst, reason);
}

/* A job that a fault held back. */
static void on_again(void *ctx, const char *inst, bool runs)
{
    jobs_take_up(ctx, inst, runs);
}

/* ---- by clocks ---- */

struct waiting {
    const struct supervisor *s;
    const char *clock;
    bool found;
};

static void of_clock(void *ctx, const char *inst, void *value)
{
    struct waiting *w = ctx;
    const struct work *work = value;

    (void)inst;
    w->found |= streq(clock_of(w->s->config.core, work->account), w->clock);
}

bool supervisor_settled(const struct supervisor *s, const char *clock)
{
    struct waiting w = {.s = s, .clock = clock};

    if (s->stopping || !supervisor_ready(s) || s->jobs.behind || map_count(s->reports))
        return false;
    if (!s->config.driver->next)
        map_each(s->working, of_clock, &w);
    return !w.found;
}

int64_t supervisor_next(const struct supervisor *s, const char *clock)
{
    int64_t held = faulty_next(s->faulty, clock);
    int64_t ends = s->config.driver->next ? s->config.driver->next(s->engine, clock) : INT64_MAX;

    return held < ends ? held : ends;
}

void supervisor_run_until(struct supervisor *s, const char *clock, int64_t until)
{
    if (s->config.driver->run_until)
        s->config.driver->run_until(s->engine, clock, until);
    faulty_run_until(s->faulty, clock, until);
}

void supervisor_clocks_changed(struct supervisor *s)
{
    if (s->config.driver->clocks_changed)
        s->config.driver->clocks_changed(s->engine);
    faulty_clocks_changed(s->faulty);
}

/* ---- life ---- */

static enum err open_engine(struct supervisor *s, struct fail *f)
{
    const struct engine_host host = {.done = on_done,
                                     .halfway = on_halfway,
                                     .stopped = on_stopped,
                                     .surveyed = survey_answered,
                                     .waits = on_waits,
                                     .harmed = on_harmed,
                                     .ctx = s};

    return s->config.driver->open(s->config.loop, &s->config.engine, &host, &s->engine, f);
}

static enum err begin(struct supervisor *s, struct fail *f)
{
    if (s->config.renews)
        supervisor_resume(s);
    else if (!survey_begin(s))
        return fail(f, ERR_INTERNAL, "the instances cannot be read; see the log");
    return ERR_NONE;
}

enum err supervisor_new(const struct supervisor_config *config, struct supervisor **ret,
                        struct fail *f)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));
    enum err e;

    s->config = *config;
    s->config.engine.core = config->core;
    work_init(s);
    report_init(s);
    jobs_init(s);
    survey_init(s);
    s->faulty = faulty_new(&(struct faulty_config){.loop = config->loop,
                                                   .core = config->core,
                                                   .driver = config->driver,
                                                   .done = on_done,
                                                   .again = on_again,
                                                   .ctx = s});
    s->harms = harms_new(&(struct harms_config){.loop = config->loop,
                                                .store = config->store,
                                                .core = config->core,
                                                .driver = config->driver});
    if ((e = open_engine(s, f)) || (e = begin(s, f))) {
        supervisor_free(s);
        return e;
    }
    *ret = s;
    return ERR_NONE;
}

void supervisor_stop(struct supervisor *s)
{
    if (!s || s->stopping)
        return;
    s->stopping = true;
    harms_stop(s->harms);
    if (s->engine)
        s->config.driver->close(s->engine);
    report_stop(s);
}

void supervisor_free(struct supervisor *s)
{
    if (!s)
        return;
    supervisor_stop(s);
    report_done(s);
    faulty_free(s->faulty);
    harms_free(s->harms);
    jobs_done(s);
    survey_done(s);
    work_done(s);
    hold_end(s);
    renew_done(s);
    free(s);
}

const char *supervisor_describe(const struct supervisor *s)
{
    return s->config.driver->describe(s->engine);
}
