/* Jobs to operations, outcomes to writes. */
#include "engine/supervisor.h"

#include "base/log.h"
#include "base/map.h"
#include "core/clock.h"
#include "core/inst.h"
#include "engine/faulty.h"
#include "engine/harms.h"
#include "net/loop.h"

enum { RETRY_MS = 500, JOBS_AT_ONCE = 256, SURVEYS_AT_ONCE = 128 };

/* First what has a job, then what should simply be running. */
enum survey_stage { SURVEY_JOBS, SURVEY_INSTS, SURVEY_OVER, SURVEY_ANEW, SURVEY_LEFTOVERS };

/* What is done to a machine without a job: see "the rows become others". */
enum own { OWN_NONE, OWN_HALT, OWN_DISKS, OWN_START, OWN_DROP };

struct supervisor {
    struct supervisor_config config;
    struct engine *engine;
    struct faulty *faulty; /* what tests asked to fail */
    struct harms *harms;   /* and to happen */
    struct map *working;   /* instance id -> struct work: an operation or its report is under way */
    struct map *surveying; /* instance id -> the engine's answer is awaited */
    struct map *reports;   /* instance id -> its oldest report that is not committed yet */
    struct loop_timer *again; /* for jobs that were left when too many came at once */
    int64_t last_job;         /* jobs up to this number have been seen */
    bool behind;              /* there are more */
    enum survey_stage stage;
    int64_t job_at, job_end; /* the survey's place among the jobs that it found */
    int64_t inst_below;      /* and among the instances, by serial; 0: before the first */
    struct loop_timer *more; /* the survey's next batch */
    bool stopping;           /* the engine is closed; nothing begins any more */

    bool held;       /* nothing begins, until supervisor_resume */
    bool halting;    /* ... and what was under way is over */
    bool all_halted; /* ... and every machine was told to stop */
    char *held_why;  /* ... and one cannot be stopped, for this reason */
    bool renews;     /* the survey starts what should be running */
    size_t n_own;    /* of `working`, without a job */
    char *drop_at;   /* the survey's place among the leftovers */
};

/* One thing that the store has to learn. Kept until it has, however long the disk is full. */
struct report {
    struct write write;
    struct supervisor *s;
    struct report *next; /* the same instance's */
    struct arena *arena;
    struct loop_timer *retry;
    const char *inst, *error, *stopped; /* `stopped`: it stopped by itself, for this reason */
    const char *account;                /* NULL: not known yet */
    int64_t job, ssh_port;
    bool more, halfway, waits; /* `waits`: because of `error`, NULL not any more */
    enum own own;              /* what was done without a job */
};

/* What is being done to an instance, for the log. */
struct work {
    int64_t job;
    enum verb verb;
    char *account;
    enum own own;
    char request_id[];
};

static void take_up(struct supervisor *s, const char *inst);
static void own_done(struct supervisor *s, const char *inst, const struct outcome *o);
static enum err own_report(struct op *op, const struct report *r);
static void renew(struct supervisor *s, const char *inst);
static bool lacks(struct supervisor *s, struct op *op, const struct inst *in);
static bool survey_anew(struct supervisor *s);
static bool drop_batch(struct supervisor *s);

static void work_begin(struct supervisor *s, const struct job *j)
{
    size_t n = strlen(j->request_id) + 1;
    struct work *w = xmalloc(sizeof(*w) + n);

    w->job = j->id;
    w->verb = j->verb;
    w->account = xstrdup(j->account);
    w->own = OWN_NONE;
    memcpy(w->request_id, j->request_id, n);
    map_put(s->working, j->inst, w);
}

static void work_free(struct work *w)
{
    if (w)
        free(w->account);
    free(w);
}

static void work_end(struct supervisor *s, const char *inst)
{
    work_free(map_remove(s->working, inst));
}

static void work_log(struct supervisor *s, const char *inst, const struct outcome *o)
{
    const struct work *w = map_get(s->working, inst);

    log_write(o->error ? LOG_WARN : LOG_INFO,
              o->error ? "an operation failed" : "an operation is done", "request",
              w ? w->request_id : NULL, "operation", w ? verb_name(w->verb) : NULL, "instance",
              inst, "why", o->error, NULL);
}

static struct op op_for(struct supervisor *s, struct tx *tx, struct arena *a, struct fail *f)
{
    return (struct op){.core = s->config.core,
                       .tx = tx,
                       .arena = a,
                       .now = clock_now(s->config.core, NULL),
                       .fail = f};
}

/* What happens to an instance happens by its account's clock. */
static void go_by_clock_of(struct op *op, const char *inst, const char *account)
{
    struct inst in;

    if (!clocks_moved(op->core))
        return;
    if (!account && store_get(op->tx, &rec_inst, inst, &in))
        account = in.account;
    op->now = clock_now(op->core, account);
}

/* ---- telling the store ---- */

static void submit(void *arg);

static enum err report_run(struct write *w, struct tx *tx)
{
    struct report *r = CONTAINER_OF(w, struct report, write);
    struct fail f = {0};
    struct op op = op_for(r->s, tx, r->arena, &f);

    tx_use_arena(tx, r->arena);
    op.account = r->account;
    go_by_clock_of(&op, r->inst, r->account);
    enum err e = r->own       ? own_report(&op, r)
                 : r->halfway ? job_halfway(&op, r->inst, r->job)
                 : r->waits   ? inst_waits(&op, r->inst, r->error)
                 : r->stopped ? inst_stopped(&op, r->inst, r->stopped)
                              : job_end(&op, r->inst, r->job, r->error, r->ssh_port, &r->more);
    tx_use_arena(tx, NULL);
    return e;
}

static void report_free(struct report *r)
{
    loop_timer_free(r->retry);
    arena_free(r->arena);
    free(r);
}

/* What happened to one instance is told in the order in which it happened. */
static struct report *oldest_report(const struct supervisor *s, const char *inst)
{
    return map_get(s->reports, inst);
}

/* The instance's oldest report is told: the next one is now. */
static void report_told(struct report *r)
{
    if (r->next)
        map_put(r->s->reports, r->inst, r->next);
    else
        (void)map_remove(r->s->reports, r->inst);
    report_free(r);
}

static void try_later(struct report *r)
{
    if (!r->retry)
        r->retry = loop_timer_new(r->s->config.loop, submit, r);
    loop_timer_set(r->retry, RETRY_MS, 0);
}

static void report_done(struct write *w)
{
    struct report *r = CONTAINER_OF(w, struct report, write);
    struct supervisor *s = r->s;

    if (s->stopping) {
        report_told(r); /* either written, or found again by the next survey */
        return;
    }
    if (w->result) {
        log_write(LOG_ERROR, "an outcome could not be written; trying again", "instance", r->inst,
                  NULL);
        try_later(r);
        return;
    }
    CLEANUP(free_p) char *inst = xstrdup(r->inst);
    if (!r->stopped && !r->halfway && !r->waits)
        work_end(s, inst);
    report_told(r);
    if ((r = oldest_report(s, inst)))
        submit(r);
    else
        take_up(s, inst);
    if (s->config.told)
        s->config.told(s->config.ctx);
}

static void submit(void *arg)
{
    struct report *r = arg;

    r->write = (struct write){.run = report_run, .done = report_done};
    if (store_submit(r->s->config.store, &r->write))
        try_later(r);
}

/* One that has another before it is submitted when that is done. */
static void tell(struct report *r)
{
    if (oldest_report(r->s, r->inst) == r)
        submit(r);
}

static struct report *report_new(struct supervisor *s, const char *inst)
{
    struct report *r = xcalloc(1, sizeof(*r)), *last = oldest_report(s, inst);
    const struct work *w = map_get(s->working, inst);

    r->s = s;
    r->arena = arena_new();
    r->account = w ? arena_str(r->arena, w->account) : NULL;
    r->inst = arena_str(r->arena, inst);
    if (!last) {
        map_put(s->reports, inst, r);
        return r;
    }
    while (last->next)
        last = last->next;
    last->next = r;
    return r;
}

/* ---- what the engine says ---- */

static void on_done(void *ctx, const char *inst, int64_t job, const struct outcome *o)
{
    struct supervisor *s = ctx;

    if (!job) {
        own_done(s, inst, o);
        return;
    }
    struct report *r = report_new(s, inst);
    const struct outcome failed = {.error = faulty_error(s->faulty, inst, job)};

    if (failed.error)
        o = &failed;
    r->job = job;
    r->error = arena_str(r->arena, o->error);
    r->ssh_port = o->ssh_port;
    work_log(s, inst, o);
    faulty_ended(s->faulty, inst, job);
    tell(r);
}

static void on_halfway(void *ctx, const char *inst, int64_t job)
{
    struct report *r = report_new(ctx, inst);

    r->job = job;
    r->halfway = true;
    tell(r);
}

static void on_waits(void *ctx, const char *inst, const char *why)
{
    if (((struct supervisor *)ctx)->held)
        return; /* all of them stop; what should run is looked for again afterwards */
    struct report *r = report_new(ctx, inst);

    log_write(why ? LOG_WARN : LOG_INFO, why ? "a machine waits" : "a machine goes on", "instance",
              inst, "why", why, NULL);
    r->waits = true;
    r->error = arena_str(r->arena, why);
    tell(r);
}

static void on_harmed(void *ctx, const char *inst, const char *error)
{
    harms_done(((struct supervisor *)ctx)->harms, inst, error);
}

static void on_stopped(void *ctx, const char *inst, const char *reason)
{
    struct supervisor *s = ctx;

    if (s->held)
        return; /* all of them stop; what should run is looked for again afterwards */
    struct report *r = report_new(s, inst);

    log_write(LOG_INFO, "a machine stopped", "instance", inst, "why", reason, NULL);
    harms_stopped(s->harms, inst);
    faulty_stopped(s->faulty, inst);
    r->stopped = arena_str(r->arena, reason);
    tell(r);
}

/* ---- what the engine is told ---- */

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

/* The store could not be read: every job is looked at again, soon. */
static void look_again(struct supervisor *s)
{
    s->last_job = 0;
    s->behind = true;
    loop_timer_set(s->again, RETRY_MS, 0);
}

/* Begins the instance's job, if it has one and nothing is under way or still to be told. False: the
 * store could not be read. */
static bool begin(struct supervisor *s, const char *inst, bool runs)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f = {0};
    struct tx *tx = store_read(s->config.store, a);
    struct op op = op_for(s, tx, a, &f);
    struct machine *m = NULL;
    struct strike strike;
    struct job job;

    if (!s->stopping && !s->held && !map_get(s->working, inst) && !oldest_report(s, inst) &&
        job_get(&op, inst, &job)) {
        m = machine_of(&op, &(struct inst){.id = inst});
        strike_read(&op, &job, &strike);
    }
    bool broken = tx_failed(tx);
    store_read_end(tx);
    if (m && !broken && !faulty_holds(s->faulty, &job, &strike, runs)) {
        work_begin(s, &job);
        if (!faulty_does(s->faulty, s->engine, m, &job, &strike, runs))
            order(s, m, &job, runs);
    }
    machine_free(m);
    return !broken;
}

static void take_up(struct supervisor *s, const char *inst)
{
    if (!begin(s, inst, true))
        look_again(s);
}

/* A job that a fault held back. */
static void begin_again(void *ctx, const char *inst, bool runs)
{
    struct supervisor *s = ctx;

    if (!begin(s, inst, runs))
        look_again(s);
}

/* What is under way holds up one that may not be held up. */
static void cut_short(struct supervisor *s, const struct job *j)
{
    const struct work *w = map_get(s->working, j->inst);

    if (w && w->job != j->id && j->force)
        s->config.driver->hurry(s->engine, j->inst);
}

void supervisor_kick(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query q = {.order = "id", .limit = JOBS_AT_ONCE};
    size_t n;

    if (s->stopping || s->held || !supervisor_ready(s))
        return; /* the end of the survey looks for itself */
    faulty_kick(s->faulty);
    harms_kick(s->harms, s->engine);
    query_num(&q, "id", CMP_GT, s->last_job);
    struct tx *tx = store_read(s->config.store, a);
    struct job *jobs = store_find(tx, &rec_job, &q, &n);
    bool broken = tx_failed(tx);
    store_read_end(tx);
    for (size_t i = 0; i < n && !broken; i++) {
        cut_short(s, &jobs[i]);
        broken = !begin(s, jobs[i].inst, true);
        s->last_job = jobs[i].id;
    }
    if (broken) {
        look_again(s);
        return;
    }
    s->behind = n == JOBS_AT_ONCE;
    if (s->behind)
        loop_timer_set(s->again, 0, 0);
}

static void kick_again(void *arg)
{
    supervisor_kick(arg);
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

    if (s->stopping || !supervisor_ready(s) || s->behind || map_count(s->reports))
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

/* ---- the survey ---- */

/* What an instance without a job should be doing is to run. */
static void lost(struct supervisor *s, const char *inst, enum survey what)
{
    if (what == SURVEY_ABSENT)
        on_stopped(s, inst, "its machine was gone when the daemon came back");
    if (what == SURVEY_POWERED_OFF)
        on_stopped(s, inst, "the guest powered off while the daemon was away");
}

static void survey_more(void *arg);

static void on_surveyed(void *ctx, const char *inst_, enum survey what)
{
    struct supervisor *s = ctx;
    CLEANUP(free_p) char *inst = xstrdup(inst_);

    if (!map_remove(s->surveying, inst) || s->held)
        return;
    bool renewed = s->renews && what != SURVEY_RUNNING && what != SURVEY_UNKNOWN;
    if (renewed)
        renew(s, inst);
    else if (!begin(s, inst, what == SURVEY_RUNNING || what == SURVEY_UNKNOWN))
        look_again(s);
    if (!renewed && !map_get(s->working, inst) && !faulty_has(s->faulty, inst))
        lost(s, inst, what);
    if (s->stage != SURVEY_OVER && map_count(s->surveying) < SURVEYS_AT_ONCE / 2)
        loop_timer_set(s->more, 0, 0);
    if (supervisor_ready(s))
        supervisor_kick(s);
}

/* Machines to be asked about. They are gathered first: a survey may answer at once, and its answer
 * opens a snapshot of its own. */
struct batch {
    struct machine *machines[SURVEYS_AT_ONCE];
    size_t n;
};

static void gather(struct supervisor *s, struct op *op, const char *inst, struct batch *batch)
{
    struct machine *m = NULL;

    /* One that is being worked on is known to the engine already. */
    if (!map_get(s->surveying, inst) && !map_get(s->working, inst) && !oldest_report(s, inst))
        m = machine_of(op, &(struct inst){.id = inst});
    if (!m)
        return;
    map_put(s->surveying, inst, s);
    batch->machines[batch->n++] = m;
}

static void gather_jobs(struct supervisor *s, struct op *op, struct batch *batch)
{
    struct query q = {.order = "id", .limit = SURVEYS_AT_ONCE};
    size_t n;

    query_num(&q, "id", CMP_GT, s->job_at);
    struct job *jobs = store_find(op->tx, &rec_job, &q, &n);
    for (size_t i = 0; i < n && jobs[i].id <= s->job_end; i++) {
        gather(s, op, jobs[i].inst, batch);
        s->job_at = jobs[i].id;
    }
    if (n < SURVEYS_AT_ONCE || jobs[n - 1].id > s->job_end)
        s->stage = SURVEY_INSTS;
}

static void gather_insts(struct supervisor *s, struct op *op, struct batch *batch)
{
    struct query q = {.limit = SURVEYS_AT_ONCE, .below = s->inst_below};
    size_t n;

    query_set(&q, "state", 1U << INST_RUNNING | (s->renews ? 1U << INST_STOPPED : 0));
    struct inst *insts = store_find(op->tx, &rec_inst, &q, &n);
    for (size_t i = 0; i < n; i++)
        if (insts[i].state == INST_RUNNING || lacks(s, op, &insts[i]))
            gather(s, op, insts[i].id, batch);
    if (n)
        s->inst_below = insts[n - 1].num;
    if (n < SURVEYS_AT_ONCE)
        s->stage = SURVEY_OVER;
}

/* The survey's next machines, a bounded number of them at once. False: the store could not be read.
 */
static bool survey_batch(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f = {0};
    struct batch batch = {.n = 0};
    struct tx *tx = store_read(s->config.store, a);
    struct op op = op_for(s, tx, a, &f);
    enum survey_stage stage = s->stage;

    if (stage == SURVEY_JOBS)
        gather_jobs(s, &op, &batch);
    else
        gather_insts(s, &op, &batch);
    bool broken = tx_failed(tx);
    store_read_end(tx);
    if (broken)
        s->stage = stage;
    for (size_t i = 0; i < batch.n; i++) {
        s->config.driver->survey(s->engine, batch.machines[i]);
        machine_free(batch.machines[i]);
    }
    return !broken;
}

static void survey_more(void *arg)
{
    struct supervisor *s = arg;

    if (s->stopping || s->held || s->stage == SURVEY_OVER ||
        map_count(s->surveying) + s->n_own >= SURVEYS_AT_ONCE)
        return; /* the answers go on with it */
    bool ok = s->stage == SURVEY_ANEW        ? survey_anew(s)
              : s->stage == SURVEY_LEFTOVERS ? drop_batch(s)
                                             : survey_batch(s);
    if (s->stage != SURVEY_OVER)
        loop_timer_set(s->more, ok ? 0 : RETRY_MS, 0);
    else if (supervisor_ready(s))
        supervisor_kick(s);
}

/* The first batch is asked about here, so that a store that cannot be read is noticed. */
static bool survey_begin(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query newest = {.order = "-id", .limit = 1};
    size_t n;
    struct tx *tx = store_read(s->config.store, a);
    struct job *job = store_find(tx, &rec_job, &newest, &n);

    s->job_end = s->last_job = n ? job->id : 0;
    bool broken = tx_failed(tx);
    store_read_end(tx);
    if (broken || !survey_batch(s))
        return false;
    loop_timer_set(s->more, 0, 0);
    return true;
}

/* ---- the rows become others ---- */

static void own_begin(struct supervisor *s, const char *inst, enum own own)
{
    struct work *w = xcalloc(1, sizeof(*w) + 1);

    w->own = own;
    s->n_own++;
    map_put(s->working, inst, w);
}

/* Its end may come before this returns. */
static void own_hurry(struct supervisor *s, const char *inst)
{
    s->config.driver->hurry(s->engine, inst);
}

static struct report *own_report_new(struct supervisor *s, const char *inst, enum own own)
{
    struct report *r = report_new(s, inst);

    r->own = own;
    return r;
}

static enum err own_report(struct op *op, const struct report *r)
{
    if (r->own == OWN_START)
        return inst_renewed(op, r->inst, r->ssh_port);
    store_delete(op->tx, &rec_leftover, r->inst);
    return ERR_NONE;
}

static void halted(struct supervisor *s, const char *inst, const struct outcome *o)
{
    if (!o->error || s->held_why)
        return;
    s->held_why = xasprintf("the machine of %s cannot be stopped: %s", inst, o->error);
}

/* What a load says of an instance, and its machine; NULL: nothing of that kind. */
struct wanted {
    struct arena *arena;
    struct machine *machine;
    struct inst inst;
    struct job job;
    bool has_job, broken;
};

static void want(struct supervisor *s, const char *inst, struct wanted *ret)
{
    struct fail f = {0};

    *ret = (struct wanted){.arena = arena_new()};
    struct tx *tx = store_read(s->config.store, ret->arena);
    struct op op = op_for(s, tx, ret->arena, &f);
    if (store_get(tx, &rec_inst, inst, &ret->inst)) {
        ret->has_job = job_get(&op, inst, &ret->job);
        ret->machine = machine_of(&op, &ret->inst);
    }
    ret->broken = tx_failed(tx);
    store_read_end(tx);
}

static void want_done(struct wanted *w)
{
    machine_free(w->machine);
    arena_free(w->arena);
}

static bool machine_lacks(struct supervisor *s, const struct machine *m)
{
    return m && s->config.driver->lacks && s->config.driver->lacks(s->engine, m);
}

/* Of one that was whole once. */
static bool lacks(struct supervisor *s, struct op *op, const struct inst *in)
{
    if (!s->config.driver->lacks || in->birth != BIRTH_DONE)
        return false;
    struct machine *m = machine_of(op, in);
    bool missing = machine_lacks(s, m);

    machine_free(m);
    return missing;
}

static bool needs_disks(const struct wanted *w)
{
    static const bool does_without[VERB_COUNT] = {
        [VERB_CREATE] = true, [VERB_RELEASE] = true, [VERB_FORCE_RELEASE] = true};

    return !w->has_job || (w->job.verb < VERB_COUNT && !does_without[w->job.verb]);
}

/* Its job, or what its state says: RUNNING. */
static void go_on(struct supervisor *s, const struct wanted *w)
{
    if (w->has_job) {
        if (!begin(s, w->inst.id, false))
            look_again(s);
    } else if (w->inst.state == INST_RUNNING) {
        own_begin(s, w->inst.id, OWN_START);
        s->config.driver->start(s->engine, w->machine, 0, false);
        own_hurry(s, w->inst.id);
    }
}

/* Its machine is absent. */
static void renew(struct supervisor *s, const char *inst)
{
    struct wanted w;

    want(s, inst, &w);
    if (w.broken || !w.machine) {
        look_again(s); /* there is a job at most */
    } else if (needs_disks(&w) && machine_lacks(s, w.machine)) {
        own_begin(s, inst, OWN_DISKS);
        s->config.driver->create(s->engine, w.machine, 0);
        own_hurry(s, inst);
    } else {
        go_on(s, &w);
    }
    want_done(&w);
}

static void disks_made(struct supervisor *s, const char *inst, const struct outcome *o)
{
    struct wanted w;

    if (o->error)
        log_write(LOG_WARN, "a machine's disks cannot be made anew", "instance", inst, "why",
                  o->error, NULL);
    want(s, inst, &w);
    if (w.machine && !w.broken)
        go_on(s, &w); /* without its disks the start says so */
    want_done(&w);
}

static void started_again(struct supervisor *s, const char *inst, const struct outcome *o)
{
    struct wanted w;

    if (o->error) {
        on_stopped(s, inst, o->error);
        return;
    }
    want(s, inst, &w);
    if (w.machine && o->ssh_port && o->ssh_port != w.inst.ssh_port) {
        struct report *r = own_report_new(s, inst, OWN_START);

        r->ssh_port = o->ssh_port;
        tell(r);
    } else {
        take_up(s, inst);
    }
    want_done(&w);
}

static void dropped(struct supervisor *s, const char *inst, const struct outcome *o)
{
    if (o->error)
        log_write(LOG_WARN, "what is left of a machine cannot be removed", "instance", inst, "why",
                  o->error, NULL);
    tell(own_report_new(s, inst, OWN_DROP));
}

static void own_done(struct supervisor *s, const char *inst_, const struct outcome *o)
{
    static void (*const next[])(struct supervisor *, const char *,
                                const struct outcome *) = {[OWN_HALT] = halted,
                                                           [OWN_DISKS] = disks_made,
                                                           [OWN_START] = started_again,
                                                           [OWN_DROP] = dropped};
    CLEANUP(free_p) char *inst = xstrdup(inst_);
    const struct work *w = map_get(s->working, inst);
    enum own own = w ? w->own : OWN_NONE;

    if (!own)
        return;
    work_end(s, inst);
    s->n_own--;
    if (own == OWN_HALT || own == OWN_DROP || !s->held)
        next[own](s, inst, o);
    if (s->stage != SURVEY_OVER && s->n_own < SURVEYS_AT_ONCE / 2)
        loop_timer_set(s->more, 0, 0);
}

/* ---- first nothing runs ---- */

void supervisor_hold(struct supervisor *s)
{
    s->held = true;
    s->halting = s->all_halted = false;
    s->inst_below = 0;
    free(s->held_why);
    s->held_why = NULL;
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
static void hurry_all(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct names names = {.arena = a, .v = ARENA_ARRAY(a, const char *, map_count(s->working) + 1)};

    map_each(s->working, add_name, &names);
    for (size_t i = 0; i < names.n; i++)
        s->config.driver->hurry(s->engine, names.v[i]);
}

/* The next machines that may run are stopped. */
static void halt_more(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f = {0};
    struct batch batch = {.n = 0};
    struct query q = {.limit = SURVEYS_AT_ONCE, .below = s->inst_below};
    struct tx *tx = store_read(s->config.store, a);
    struct op op = op_for(s, tx, a, &f);
    size_t n;

    query_set(&q, "state",
              INST_STATES_ALL & ~(1U << INST_STOPPED | 1U << INST_RECYCLED | 1U << INST_PENDING));
    struct inst *insts = store_find(tx, &rec_inst, &q, &n);
    for (size_t i = 0; i < n; i++)
        if ((batch.machines[batch.n] = machine_of(&op, &insts[i])))
            batch.n++;
    if (n && !tx_failed(tx))
        s->inst_below = insts[n - 1].num;
    s->all_halted = n < SURVEYS_AT_ONCE && !tx_failed(tx);
    store_read_end(tx);
    for (size_t i = 0; i < batch.n; i++) {
        own_begin(s, batch.machines[i]->id, OWN_HALT);
        s->config.driver->stop(s->engine, batch.machines[i], 0, true);
        machine_free(batch.machines[i]);
    }
}

enum supervisor_holds supervisor_holds(struct supervisor *s, const char **ret_why)
{
    *ret_why = s->held_why;
    if (!s->halting) {
        hurry_all(s);
        if (map_count(s->working) || map_count(s->surveying) || map_count(s->reports))
            return HOLDS_NOT_YET;
        s->halting = true;
    }
    if (!s->all_halted && !s->held_why && s->n_own < SURVEYS_AT_ONCE / 2)
        halt_more(s);
    if (s->n_own)
        return HOLDS_NOT_YET;
    *ret_why = s->held_why;
    return s->held_why ? HOLDS_NOT_EVER : s->all_halted ? HOLDS : HOLDS_NOT_YET;
}

/* ---- then all of it again, by what the rows say now ---- */

void supervisor_resume(struct supervisor *s, bool renews)
{
    s->held = false;
    s->renews = renews;
    s->stage = SURVEY_ANEW;
    loop_timer_set(s->more, 0, 0);
}

static bool survey_anew(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query newest = {.order = "-id", .limit = 1};
    size_t n;
    struct tx *tx = store_read(s->config.store, a);
    struct job *job = store_find(tx, &rec_job, &newest, &n);

    s->job_end = s->last_job = n ? job->id : 0;
    s->job_at = s->inst_below = 0;
    free(s->drop_at);
    s->drop_at = NULL;
    bool broken = tx_failed(tx);
    store_read_end(tx);
    if (!broken)
        s->stage = SURVEY_LEFTOVERS;
    return !broken;
}

/* Before anything else begins: a new instance may have the name of one that is gone. */
static bool drop_batch(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query q = {.order = "inst", .limit = SURVEYS_AT_ONCE / 2};
    size_t n;

    if (s->drop_at)
        query_text(&q, "inst", CMP_GT, s->drop_at);
    struct tx *tx = store_read(s->config.store, a);
    struct leftover *left = store_find(tx, &rec_leftover, &q, &n);
    bool broken = tx_failed(tx);
    store_read_end(tx);
    for (size_t i = 0; i < n && !broken; i++) {
        const struct machine m = {.id = left[i].inst, .subnet = left[i].subnet};

        if (!map_get(s->working, m.id)) {
            own_begin(s, m.id, OWN_DROP);
            s->config.driver->release(s->engine, &m, 0);
            own_hurry(s, m.id);
        }
    }
    if (n && !broken) {
        free(s->drop_at);
        s->drop_at = xstrdup(left[n - 1].inst);
    }
    if (!n && !broken)
        s->stage = SURVEY_JOBS;
    return !broken;
}

void supervisor_hurry(struct supervisor *s, const char *inst)
{
    if (!s->stopping && map_get(s->working, inst))
        s->config.driver->hurry(s->engine, inst);
}

bool supervisor_renewed(const struct supervisor *s)
{
    return supervisor_ready(s) && !s->n_own;
}

/* ---- life ---- */

enum err supervisor_new(const struct supervisor_config *config, struct supervisor **ret,
                        struct fail *f)
{
    struct supervisor *s = xcalloc(1, sizeof(*s));
    struct engine_host host = {.done = on_done,
                               .halfway = on_halfway,
                               .stopped = on_stopped,
                               .surveyed = on_surveyed,
                               .waits = on_waits,
                               .harmed = on_harmed,
                               .ctx = s};

    s->config = *config;
    s->config.engine.core = config->core;
    s->working = map_new();
    s->surveying = map_new();
    s->reports = map_new();
    s->again = loop_timer_new(config->loop, kick_again, s);
    s->more = loop_timer_new(config->loop, survey_more, s);
    s->faulty = faulty_new(&(struct faulty_config){.loop = config->loop,
                                                   .core = config->core,
                                                   .driver = config->driver,
                                                   .done = on_done,
                                                   .again = begin_again,
                                                   .ctx = s});
    s->harms = harms_new(&(struct harms_config){.loop = config->loop,
                                                .store = config->store,
                                                .core = config->core,
                                                .driver = config->driver});
    enum err e = config->driver->open(config->loop, &s->config.engine, &host, &s->engine, f);
    if (e) {
        supervisor_free(s);
        return e;
    }
    if (config->renews) {
        supervisor_resume(s, true);
    } else if (!survey_begin(s)) {
        supervisor_free(s);
        return fail(f, ERR_INTERNAL, "the instances cannot be read; see the log");
    }
    *ret = s;
    return ERR_NONE;
}

static void hold_back(void *ctx, const char *inst, void *value)
{
    struct report *r = value; /* only the oldest was ever submitted */

    (void)ctx;
    (void)inst;
    if (r->retry)
        loop_timer_stop(r->retry);
}

void supervisor_stop(struct supervisor *s)
{
    if (!s || s->stopping)
        return;
    s->stopping = true;
    harms_stop(s->harms);
    if (s->engine)
        s->config.driver->close(s->engine);
    map_each(s->reports, hold_back, NULL);
}

static void free_reports(void *ctx, const char *inst, void *value)
{
    (void)ctx;
    (void)inst;
    for (struct report *r = value, *next; r; r = next) {
        next = r->next;
        report_free(r);
    }
}

static void free_work(void *ctx, const char *key, void *value)
{
    (void)ctx;
    (void)key;
    work_free(value);
}

void supervisor_free(struct supervisor *s)
{
    if (!s)
        return;
    supervisor_stop(s);
    map_each(s->reports, free_reports, NULL);
    map_free(s->reports);
    faulty_free(s->faulty);
    harms_free(s->harms);
    loop_timer_free(s->again);
    loop_timer_free(s->more);
    map_each(s->working, free_work, NULL);
    map_free(s->working);
    map_free(s->surveying);
    free(s->held_why);
    free(s->drop_at);
    free(s);
}

bool supervisor_ready(const struct supervisor *s)
{
    return s->stage == SURVEY_OVER && !map_count(s->surveying);
}

const char *supervisor_describe(const struct supervisor *s)
{
    return s->config.driver->describe(s->engine);
}
