/*
 * What runs? Each instance that should be running, or has a job, is looked for, some at a time.
 * Nothing begins before the answer is there.
 */
#include "engine/supervisor_impl.h"

static bool few(size_t n)
{
    return n < AT_ONCE / 2;
}

void survey_go_on(struct supervisor *s, size_t n)
{
    if (s->survey.stage != SURVEY_OVER && few(n))
        loop_timer_set(s->survey.more, 0, 0);
}

/* ---- the answers ---- */

/* What an instance without a job should be doing is to run. */
static void lost(struct supervisor *s, const char *inst, enum survey what)
{
    if (what == SURVEY_ABSENT)
        machine_stopped(s, inst, "its machine was gone when the daemon came back");
    if (what == SURVEY_POWERED_OFF)
        machine_stopped(s, inst, "the guest powered off while the daemon was away");
}

static void go_by(struct supervisor *s, const char *inst, enum survey what)
{
    bool runs = what == SURVEY_RUNNING || what == SURVEY_UNKNOWN;

    if (s->survey.renews && !runs) {
        renew(s, inst);
        return;
    }
    jobs_take_up(s, inst, runs);
    if (!work_of(s, inst) && !faulty_has(s->faulty, inst))
        lost(s, inst, what);
}

void survey_answered(void *ctx, const char *inst_, enum survey what)
{
    struct supervisor *s = ctx;
    CLEANUP(free_p) char *inst = xstrdup(inst_);

    if (!map_remove(s->survey.asked, inst) || s->hold.on)
        return;
    go_by(s, inst, what);
    survey_go_on(s, map_count(s->survey.asked));
    if (supervisor_ready(s))
        supervisor_kick(s);
}

/* ---- the questions ---- */

static void gather(struct supervisor *s, struct op *op, const char *inst, struct batch *batch)
{
    struct machine *m = NULL;

    /* One that is being worked on is known to the engine already. */
    if (!map_get(s->survey.asked, inst) && !work_busy(s, inst))
        m = machine_of(op, &(struct inst){.id = inst});
    if (!m)
        return;
    map_put(s->survey.asked, inst, s);
    batch->machines[batch->n++] = m;
}

/* Those below return the stage that comes next when the store could be read. */
static enum survey_stage gather_jobs(struct supervisor *s, struct op *op, struct batch *batch)
{
    struct query q = {.order = "id", .limit = AT_ONCE};
    size_t n;

    query_num(&q, "id", CMP_GT, s->survey.job_at);
    struct job *jobs = store_find(op->tx, &rec_job, &q, &n);
    for (size_t i = 0; i < n && jobs[i].id <= s->survey.job_end; i++) {
        gather(s, op, jobs[i].inst, batch);
        s->survey.job_at = jobs[i].id;
    }
    return n < AT_ONCE || jobs[n - 1].id > s->survey.job_end ? SURVEY_INSTS : SURVEY_JOBS;
}

static enum survey_stage gather_insts(struct supervisor *s, struct op *op, struct batch *batch)
{
    struct query q = {.limit = AT_ONCE, .below = s->survey.inst_below};
    size_t n;

    query_set(&q, "state", 1U << INST_RUNNING | (s->survey.renews ? 1U << INST_STOPPED : 0));
    struct inst *insts = store_find(op->tx, &rec_inst, &q, &n);
    for (size_t i = 0; i < n; i++)
        if (insts[i].state == INST_RUNNING || renew_lacks(s, op, &insts[i]))
            gather(s, op, insts[i].id, batch);
    if (n)
        s->survey.inst_below = insts[n - 1].num;
    return n < AT_ONCE ? SURVEY_OVER : SURVEY_INSTS;
}

static bool ask(struct supervisor *s,
                enum survey_stage (*gather_some)(struct supervisor *, struct op *, struct batch *))
{
    CLEANUP(view_done) struct view v = {0};
    struct batch batch = {.n = 0};

    view_open(&v, s);
    enum survey_stage next = gather_some(s, &v.op, &batch);
    bool read = view_close(&v);
    if (read)
        s->survey.stage = next;
    for (size_t i = 0; i < batch.n; i++) {
        s->config.driver->survey(s->engine, batch.machines[i]);
        machine_free(batch.machines[i]);
    }
    return read;
}

/* ---- step by step; false: the store could not be read ---- */

static bool note_newest(struct supervisor *s)
{
    if (!jobs_newest(s, &s->survey.job_end))
        return false;
    s->survey.job_at = s->survey.inst_below = 0;
    s->survey.stage = s->survey.renews ? SURVEY_LEFTOVERS : SURVEY_JOBS;
    return true;
}

/* Before anything else begins: a new instance may have the name of one that is gone. */
static bool drop_leftovers(struct supervisor *s)
{
    bool more;

    if (!renew_drop_leftovers(s, &more))
        return false;
    if (!more)
        s->survey.stage = SURVEY_JOBS;
    return true;
}

static bool ask_jobs(struct supervisor *s)
{
    return ask(s, gather_jobs);
}

static bool ask_insts(struct supervisor *s)
{
    return ask(s, gather_insts);
}

static void go_on(void *arg)
{
    static bool (*const steps[])(struct supervisor *) = {[SURVEY_NEWEST] = note_newest,
                                                         [SURVEY_LEFTOVERS] = drop_leftovers,
                                                         [SURVEY_JOBS] = ask_jobs,
                                                         [SURVEY_INSTS] = ask_insts};
    struct supervisor *s = arg;

    if (s->stopping || s->hold.on || s->survey.stage == SURVEY_OVER ||
        map_count(s->survey.asked) + s->n_own >= AT_ONCE)
        return; /* the answers go on with it */
    bool read = steps[s->survey.stage](s);
    if (s->survey.stage != SURVEY_OVER)
        loop_timer_set(s->survey.more, read ? 0 : RETRY_MS, 0);
    else if (supervisor_ready(s))
        supervisor_kick(s);
}

bool survey_begin(struct supervisor *s)
{
    if (!note_newest(s) || !ask_jobs(s))
        return false;
    loop_timer_set(s->survey.more, 0, 0);
    return true;
}

void survey_renew(struct supervisor *s)
{
    s->survey.renews = true;
    s->survey.stage = SURVEY_NEWEST;
    loop_timer_set(s->survey.more, 0, 0);
}

bool supervisor_ready(const struct supervisor *s)
{
    return s->survey.stage == SURVEY_OVER && !map_count(s->survey.asked);
}

/* ---- life ---- */

void survey_init(struct supervisor *s)
{
    s->survey.asked = map_new();
    s->survey.more = loop_timer_new(s->config.loop, go_on, s);
}

void survey_done(struct supervisor *s)
{
    loop_timer_free(s->survey.more);
    map_free(s->survey.asked);
}
