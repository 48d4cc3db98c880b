/*
 * All of it again, by what the rows say now: leftovers go, files that are lacking are made, and
 * what is RUNNING is started without a word.
 */
#include "engine/supervisor_impl.h"

#include "base/log.h"

static void forget_place(struct supervisor *s)
{
    free(s->drop_at);
    s->drop_at = NULL;
}

void supervisor_resume(struct supervisor *s)
{
    hold_end(s);
    forget_place(s);
    survey_renew(s);
}

bool supervisor_renewed(const struct supervisor *s)
{
    return supervisor_ready(s) && !s->n_own;
}

void renew_done(struct supervisor *s)
{
    forget_place(s);
}

/* Nobody waits for these, so a guest gets no time. */
static void hurry(struct supervisor *s, const char *inst)
{
    s->config.driver->hurry(s->engine, inst);
}

static bool machine_lacks(struct supervisor *s, const struct machine *m)
{
    return m && s->config.driver->lacks && s->config.driver->lacks(s->engine, m);
}

bool renew_lacks(struct supervisor *s, struct op *op, const struct inst *in)
{
    if (!s->config.driver->lacks || in->birth != BIRTH_DONE)
        return false;
    struct machine *m = machine_of(op, in);
    bool missing = machine_lacks(s, m);

    machine_free(m);
    return missing;
}

/* ---- what the rows say of an instance ---- */

struct wanted {
    struct arena *arena;
    struct machine *machine; /* NULL: nothing of that kind */
    struct inst inst;
    struct job job;
    bool has_job, broken;
};

static void want(struct supervisor *s, const char *inst, struct wanted *ret)
{
    struct view v;

    *ret = (struct wanted){0};
    view_open(&v, s);
    ret->arena = v.arena;
    if (store_get(v.tx, &rec_inst, inst, &ret->inst)) {
        ret->has_job = job_get(&v.op, inst, &ret->job);
        ret->machine = machine_of(&v.op, &ret->inst);
    }
    ret->broken = !view_close(&v);
}

static void want_done(struct wanted *w)
{
    machine_free(w->machine);
    arena_free(w->arena);
}

static bool needs_disks(const struct wanted *w)
{
    static const bool does_without[VERB_COUNT] = {
        [VERB_CREATE] = true, [VERB_RELEASE] = true, [VERB_FORCE_RELEASE] = true};

    return !w->has_job || (w->job.verb < VERB_COUNT && !does_without[w->job.verb]);
}

/* ---- started without a word ---- */

static enum err write_renewed(struct op *op, const struct news *n)
{
    return inst_renewed(op, n->inst, n->ssh_port);
}

static void started(struct supervisor *s, const char *inst, const struct outcome *o)
{
    static const struct news_kind renewed = {.write = write_renewed};
    CLEANUP(want_done) struct wanted w = {0};

    if (o->error) {
        machine_stopped(s, inst, o->error);
        return;
    }
    want(s, inst, &w);
    if (w.machine && o->ssh_port && o->ssh_port != w.inst.ssh_port)
        report_news(s, &(struct news){.kind = &renewed, .inst = inst, .ssh_port = o->ssh_port});
    else
        jobs_take_up(s, inst, true);
}

static const struct own start = {.done = started};

/* Its job, or what its state says: RUNNING. */
static void go_on(struct supervisor *s, const struct wanted *w)
{
    if (w->has_job) {
        jobs_take_up(s, w->inst.id, false);
    } else if (w->inst.state == INST_RUNNING) {
        work_begin_own(s, w->inst.id, &start);
        s->config.driver->start(s->engine, w->machine, 0, false);
        hurry(s, w->inst.id);
    }
}

/* ---- with the files that it needs ---- */

static void disks_made(struct supervisor *s, const char *inst, const struct outcome *o)
{
    CLEANUP(want_done) struct wanted w = {0};

    if (o->error)
        log_write(LOG_WARN, "a machine's disks cannot be made anew", "instance", inst, "why",
                  o->error, NULL);
    want(s, inst, &w);
    if (w.machine && !w.broken)
        go_on(s, &w); /* without its disks the start says so */
}

static const struct own make_disks = {.done = disks_made};

void renew(struct supervisor *s, const char *inst)
{
    CLEANUP(want_done) struct wanted w = {0};

    want(s, inst, &w);
    if (w.broken || !w.machine) {
        jobs_look_again(s); /* there is a job at most */
    } else if (needs_disks(&w) && machine_lacks(s, w.machine)) {
        work_begin_own(s, inst, &make_disks);
        s->config.driver->create(s->engine, w.machine, 0);
        hurry(s, inst);
    } else {
        go_on(s, &w);
    }
}

/* ---- leftovers ---- */

static enum err write_dropped(struct op *op, const struct news *n)
{
    store_delete(op->tx, &rec_leftover, n->inst);
    return ERR_NONE;
}

static void dropped(struct supervisor *s, const char *inst, const struct outcome *o)
{
    static const struct news_kind gone = {.write = write_dropped};

    if (o->error)
        log_write(LOG_WARN, "what is left of a machine cannot be removed", "instance", inst, "why",
                  o->error, NULL);
    report_news(s, &(struct news){.kind = &gone, .inst = inst});
}

static const struct own drop = {.done = dropped, .also_held = true};

bool renew_drop_leftovers(struct supervisor *s, bool *ret_more)
{
    CLEANUP(view_done) struct view v = {0};
    struct query q = {.order = "inst", .limit = AT_ONCE / 2};
    size_t n;

    if (s->drop_at)
        query_text(&q, "inst", CMP_GT, s->drop_at);
    view_open(&v, s);
    struct leftover *left = store_find(v.tx, &rec_leftover, &q, &n);
    if (!view_close(&v))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct machine m = {.id = left[i].inst, .subnet = left[i].subnet};

        if (work_of(s, m.id))
            continue;
        work_begin_own(s, m.id, &drop);
        s->config.driver->release(s->engine, &m, 0);
        hurry(s, m.id);
    }
    if (n) {
        forget_place(s);
        s->drop_at = xstrdup(left[n - 1].inst);
    }
    *ret_more = n > 0;
    return true;
}
