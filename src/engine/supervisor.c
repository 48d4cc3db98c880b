/* Jobs to operations, outcomes to writes. */
#include "engine/supervisor.h"

#include "base/log.h"
#include "base/map.h"
#include "core/inst.h"
#include "net/loop.h"

enum { RETRY_MS = 500, JOBS_AT_ONCE = 256 };

struct supervisor {
    struct supervisor_config config;
    struct engine *engine;
    struct map *working;   /* instance id -> struct work: an operation or its report is under way */
    struct map *surveying; /* instance id -> itself */
    struct report *reports;   /* all that are not committed yet */
    struct loop_timer *again; /* for jobs that were left when too many came at once */
    int64_t last_job;         /* jobs up to this number have been seen */
    bool surveyed_all;        /* every survey was asked for */
    bool stopping;            /* the engine is closed; nothing begins any more */
};

/* One thing that the store has to learn. Kept until it has, however long the disk is full. */
struct report {
    struct write write;
    struct supervisor *s;
    struct report *next;
    struct arena *arena;
    struct loop_timer *retry;
    const char *inst, *error, *stopped; /* `stopped`: it stopped by itself, for this reason */
    int64_t job, ssh_port;
    bool more, halfway;
};

/* What is being done to an instance, for the log. */
struct work {
    enum verb verb;
    char request_id[];
};

static void take_up(struct supervisor *s, const char *inst);

static void work_begin(struct supervisor *s, const struct job *j)
{
    size_t n = strlen(j->request_id) + 1;
    struct work *w = xmalloc(sizeof(*w) + n);

    w->verb = j->verb;
    memcpy(w->request_id, j->request_id, n);
    map_put(s->working, j->inst, w);
}

static void work_end(struct supervisor *s, const char *inst)
{
    free(map_remove(s->working, inst));
}

static void work_log(struct supervisor *s, const char *inst, const struct outcome *o)
{
    const struct work *w = map_get(s->working, inst);

    log_write(o->error ? LOG_WARN : LOG_INFO,
              o->error ? "an operation failed" : "an operation is done", "request",
              w ? w->request_id : NULL, "operation", w ? verb_name(w->verb) : NULL, "instance",
              inst, "why", o->error, NULL);
}

static int64_t now(struct supervisor *s)
{
    return s->config.core->world->now_ms(s->config.core->world);
}

static struct op op_for(struct supervisor *s, struct tx *tx, struct arena *a, struct fail *f)
{
    return (struct op){.core = s->config.core, .tx = tx, .arena = a, .now = now(s), .fail = f};
}

/* ---- telling the store ---- */

static void submit(void *arg);

static enum err report_run(struct write *w, struct tx *tx)
{
    struct report *r = CONTAINER_OF(w, struct report, write);
    struct fail f = {0};
    struct op op = op_for(r->s, tx, r->arena, &f);

    tx_use_arena(tx, r->arena);
    enum err e = r->halfway   ? job_halfway(&op, r->inst, r->job)
                 : r->stopped ? inst_stopped(&op, r->inst, r->stopped)
                              : job_end(&op, r->inst, r->job, r->error, r->ssh_port, &r->more);
    tx_use_arena(tx, NULL);
    return e;
}

static void report_free(struct report *r)
{
    for (struct report **at = &r->s->reports; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            break;
        }
    loop_timer_free(r->retry);
    arena_free(r->arena);
    free(r);
}

/* What happened to one instance is told in the order in which it happened. */
static struct report *oldest_report(const struct supervisor *s, const char *inst)
{
    struct report *oldest = NULL;

    for (struct report *r = s->reports; r; r = r->next)
        if (streq(r->inst, inst))
            oldest = r; /* new ones are put first */
    return oldest;
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
        report_free(
            r); /* what it had to say is either written, or found again by the next survey */
        return;
    }
    if (w->result) {
        log_write(LOG_ERROR, "an outcome could not be written; trying again", "instance", r->inst,
                  NULL);
        try_later(r);
        return;
    }
    CLEANUP(free_p) char *inst = xstrdup(r->inst);
    if (!r->stopped && !r->halfway)
        work_end(s, inst);
    report_free(r);
    if ((r = oldest_report(s, inst)))
        submit(r);
    else
        take_up(s, inst);
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
    struct report *r = xcalloc(1, sizeof(*r));

    r->s = s;
    r->arena = arena_new();
    r->inst = arena_str(r->arena, inst);
    r->next = s->reports;
    s->reports = r;
    return r;
}

/* ---- what the engine says ---- */

static void on_done(void *ctx, const char *inst, int64_t job, const struct outcome *o)
{
    struct report *r = report_new(ctx, inst);

    r->job = job;
    r->error = arena_str(r->arena, o->error);
    r->ssh_port = o->ssh_port;
    work_log(ctx, inst, o);
    tell(r);
}

static void on_halfway(void *ctx, const char *inst, int64_t job)
{
    struct report *r = report_new(ctx, inst);

    r->job = job;
    r->halfway = true;
    tell(r);
}

static void on_stopped(void *ctx, const char *inst, const char *reason)
{
    struct report *r = report_new(ctx, inst);

    log_write(LOG_INFO, "a machine stopped", "instance", inst, "why", reason, NULL);
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
    struct job job;

    if (!s->stopping && !map_get(s->working, inst) && !oldest_report(s, inst) &&
        job_get(&op, inst, &job))
        m = machine_of(&op, &(struct inst){.id = inst});
    bool broken = tx_failed(tx);
    store_read_end(tx);
    if (m && !broken) {
        work_begin(s, &job);
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

void supervisor_kick(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct query q = {.order = "id", .limit = JOBS_AT_ONCE};
    size_t n;

    if (s->stopping || !supervisor_ready(s))
        return; /* the end of the survey looks for itself */
    query_num(&q, "id", CMP_GT, s->last_job);
    struct tx *tx = store_read(s->config.store, a);
    struct job *jobs = store_find(tx, &rec_job, &q, &n);
    bool broken = tx_failed(tx);
    store_read_end(tx);
    for (size_t i = 0; i < n && !broken; i++) {
        broken = !begin(s, jobs[i].inst, true);
        s->last_job = jobs[i].id;
    }
    if (broken) {
        look_again(s);
        return;
    }
    if (n == JOBS_AT_ONCE)
        loop_timer_set(s->again, 0, 0);
}

static void kick_again(void *arg)
{
    supervisor_kick(arg);
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

static void on_surveyed(void *ctx, const char *inst_, enum survey what)
{
    struct supervisor *s = ctx;
    CLEANUP(free_p) char *inst = xstrdup(inst_);

    if (!map_remove(s->surveying, inst))
        return;
    if (!begin(s, inst, what == SURVEY_RUNNING || what == SURVEY_UNKNOWN))
        look_again(s);
    if (!map_get(s->working, inst))
        lost(s, inst, what);
    if (supervisor_ready(s))
        supervisor_kick(s);
}

static void survey_one(struct supervisor *s, struct op *op, const char *inst)
{
    struct machine *m =
        map_get(s->surveying, inst) ? NULL : machine_of(op, &(struct inst){.id = inst});

    if (!m)
        return;
    map_put(s->surveying, inst, m);
}

struct asked {
    struct machine **machines;
    size_t n;
};

static void collect(void *ctx, const char *key, void *value)
{
    struct asked *asked = ctx;

    (void)key;
    asked->machines[asked->n++] = value;
}

/* The machines are gathered first: a survey may answer at once, and its answer opens a snapshot of
 * its own. */
static bool survey_all(struct supervisor *s)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct fail f = {0};
    struct query running = {0}, all = {.order = "id"};
    size_t n_insts, n_jobs;

    query_num(&running, "state", CMP_EQ, INST_RUNNING);
    struct tx *tx = store_read(s->config.store, a);
    struct op op = op_for(s, tx, a, &f);
    struct inst *insts = store_find(tx, &rec_inst, &running, &n_insts);
    struct job *jobs = store_find(tx, &rec_job, &all, &n_jobs);
    for (size_t i = 0; i < n_insts; i++)
        survey_one(s, &op, insts[i].id);
    for (size_t i = 0; i < n_jobs; i++) {
        survey_one(s, &op, jobs[i].inst);
        s->last_job = jobs[i].id;
    }
    bool broken = tx_failed(tx);
    store_read_end(tx);

    struct asked asked = {ARENA_ARRAY(a, struct machine *, map_count(s->surveying) + 1), 0};
    map_each(s->surveying, collect, &asked);
    for (size_t i = 0; i < asked.n; i++) {
        if (!broken)
            s->config.driver->survey(s->engine, asked.machines[i]);
        machine_free(asked.machines[i]);
    }
    s->surveyed_all = true;
    return !broken;
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
                               .ctx = s};

    s->config = *config;
    s->working = map_new();
    s->surveying = map_new();
    s->again = loop_timer_new(config->loop, kick_again, s);
    enum err e = config->driver->open(config->loop, &config->engine, &host, &s->engine, f);
    if (e) {
        supervisor_free(s);
        return e;
    }
    if (!survey_all(s)) {
        supervisor_free(s);
        return fail(f, ERR_INTERNAL, "the instances cannot be read; see the log");
    }
    supervisor_kick(s);
    *ret = s;
    return ERR_NONE;
}

void supervisor_stop(struct supervisor *s)
{
    if (!s || s->stopping)
        return;
    s->stopping = true;
    if (s->engine)
        s->config.driver->close(s->engine);
    for (struct report *r = s->reports; r; r = r->next)
        if (r->retry)
            loop_timer_stop(r->retry);
}

static void free_work(void *ctx, const char *key, void *value)
{
    (void)ctx;
    (void)key;
    free(value);
}

void supervisor_free(struct supervisor *s)
{
    if (!s)
        return;
    supervisor_stop(s);
    while (s->reports)
        report_free(s->reports);
    loop_timer_free(s->again);
    map_each(s->working, free_work, NULL);
    map_free(s->working);
    map_free(s->surveying);
    free(s);
}

bool supervisor_ready(const struct supervisor *s)
{
    return s->surveyed_all && !map_count(s->surveying);
}

const char *supervisor_describe(const struct supervisor *s)
{
    return s->config.driver->describe(s->engine);
}
