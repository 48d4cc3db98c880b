/* The store's jobs become operations, each once. */
#include "engine/supervisor_impl.h"

enum { JOBS_AT_ONCE = 256 };

static void order(struct supervisor *s, const struct machine *m, const struct job *j, bool runs)
{
    const struct engine_driver *d = s->config.driver;
    struct engine *e = s->engine;

    switch (j->verb) {
    case VERB_CREATE:
        d->create(e, m, j->id);
        break;
    case VERB_START:
        d->start(e, m, j->id, j->reset_local);
        break;
    case VERB_STOP:
    case VERB_RECYCLE:
        d->stop(e, m, j->id, j->force || j->verb == VERB_RECYCLE);
        break;
    case VERB_REBOOT:
    case VERB_FORCE_REBOOT:
        if (runs)
            d->reboot(e, m, j->id, j->force);
        else
            d->start(e, m, j->id, j->reset_local); /* the reboot had got as far as off */
        break;
    case VERB_RELEASE:
    case VERB_FORCE_RELEASE:
        d->release(e, m, j->id);
        break;
    case VERB_NONE:
    case VERB_COUNT:
        break;
    }
}

/* False: the store could not be read. */
static bool begin(struct supervisor *s, const char *inst, bool runs)
{
    CLEANUP(view_done) struct view v = {0};
    struct machine *m = NULL;
    struct strike strike;
    struct job job;

    if (s->stopping || s->hold.on || work_busy(s, inst))
        return true;
    view_open(&v, s);
    if (job_get(&v.op, inst, &job)) {
        m = machine_of(&v.op, &(struct inst){.id = inst});
        strike_read(&v.op, &job, &strike);
    }
    bool read = view_close(&v);
    if (m && read && !faulty_holds(s->faulty, &job, &strike, runs)) {
        work_begin(s, &job);
        if (!faulty_does(s->faulty, s->engine, m, &job, &strike, runs))
            order(s, m, &job, runs);
    }
    machine_free(m);
    return read;
}

void jobs_take_up(struct supervisor *s, const char *inst, bool runs)
{
    if (!begin(s, inst, runs))
        jobs_look_again(s);
}

void jobs_look_again(struct supervisor *s)
{
    s->jobs.last = 0;
    s->jobs.behind = true;
    loop_timer_set(s->jobs.again, RETRY_MS, 0);
}

/* What is under way holds up one that may not be held up. */
static void cut_short(struct supervisor *s, const struct job *j)
{
    const struct work *w = work_of(s, j->inst);

    if (w && w->job != j->id && j->force)
        s->config.driver->hurry(s->engine, j->inst);
}

void supervisor_kick(struct supervisor *s)
{
    CLEANUP(view_done) struct view v = {0};
    struct query q = {.order = "id", .limit = JOBS_AT_ONCE};
    size_t n;

    if (s->stopping || s->hold.on || !supervisor_ready(s))
        return; /* the end of the survey looks for itself */
    faulty_kick(s->faulty);
    harms_kick(s->harms, s->engine);
    query_num(&q, "id", CMP_GT, s->jobs.last);
    view_open(&v, s);
    struct job *jobs = store_find(v.tx, &rec_job, &q, &n);
    bool read = view_close(&v);
    for (size_t i = 0; i < n && read; i++) {
        cut_short(s, &jobs[i]);
        read = begin(s, jobs[i].inst, true);
        s->jobs.last = jobs[i].id;
    }
    if (!read) {
        jobs_look_again(s);
        return;
    }
    s->jobs.behind = n == JOBS_AT_ONCE;
    if (s->jobs.behind)
        loop_timer_set(s->jobs.again, 0, 0);
}

bool jobs_newest(struct supervisor *s, int64_t *ret)
{
    CLEANUP(view_done) struct view v = {0};
    struct query newest = {.order = "-id"};
    struct job job;

    view_open(&v, s);
    bool any = store_first(v.tx, &rec_job, &newest, &job);
    if (!view_close(&v))
        return false;
    *ret = s->jobs.last = any ? job.id : 0;
    return true;
}

/* ---- life ---- */

static void kick_again(void *arg)
{
    supervisor_kick(arg);
}

void jobs_init(struct supervisor *s)
{
    s->jobs.again = loop_timer_new(s->config.loop, kick_again, s);
}

void jobs_done(struct supervisor *s)
{
    loop_timer_free(s->jobs.again);
}
