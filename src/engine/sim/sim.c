/*
 * The sim engine: the states and their durations, and no process. An operation ends by its
 * account's clock: by a timer while that goes, and not before it is moved while it stands. What
 * would be running is a file, DIR/sim/ID, so that it outlives the daemon as a real machine does;
 * DIR/sim/log tells every start and stop, in order.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "core/clock.h"
#include "core/engine.h"
#include "net/loop.h"

/* An operation whose time has not come yet. */
struct sim_op {
    struct engine *e;
    struct sim_op *next;
    struct loop_timer *timer;
    int64_t begun;   /* a number that grows */
    int64_t end;     /* by its account's clock */
    int64_t then_ms; /* a reboot's second half; 0: this is all */
    const char *error;
    int64_t job;
    char *account;
    char inst[];
};

struct engine {
    struct loop *loop;
    struct engine_config config;
    struct engine_host host;
    struct sim_op *ops;
    int64_t begun;     /* operations so far */
    struct map *known; /* machines that this daemon started, or found running */
    int dir, log;
};

static int64_t clock_of_op(const struct sim_op *op)
{
    return clock_now(op->e->config.core, op->account);
}

/* It fires when the clock has got there, if the clock goes. */
static void arm(struct sim_op *op)
{
    int64_t left = op->end - clock_of_op(op);

    if (left > 0 && clock_stands(op->e->config.core, op->account))
        loop_timer_stop(op->timer);
    else
        loop_timer_set(op->timer, left > 0 ? (uint64_t)left : 0, 0);
}

static void op_free(struct sim_op *op)
{
    loop_timer_free(op->timer);
    free(op->account);
    free(op);
}

static void finish(void *arg)
{
    struct sim_op *op = arg;
    struct engine *e = op->e;
    struct outcome o = {.error = op->error};

    if (op->then_ms) {
        op->end = clock_of_op(op) + op->then_ms;
        op->then_ms = 0;
        arm(op);
        e->host.halfway(e->host.ctx, op->inst, op->job);
        return;
    }
    for (struct sim_op **at = &e->ops; *at; at = &(*at)->next)
        if (*at == op) {
            *at = op->next;
            break;
        }
    e->host.done(e->host.ctx, op->inst, op->job, &o);
    op_free(op);
}

static struct sim_op *later(struct engine *e, const struct machine *m, int64_t job, int64_t ms,
                            const char *error)
{
    size_t n = strlen(m->id) + 1;
    struct sim_op *op = xmalloc(sizeof(*op) + n);

    *op = (struct sim_op){.e = e,
                          .next = e->ops,
                          .begun = ++e->begun,
                          .error = error,
                          .job = job,
                          .account = xstrdup(m->account)};
    memcpy(op->inst, m->id, n);
    e->ops = op;
    op->timer = loop_timer_new(e->loop, finish, op);
    op->end = clock_of_op(op) + ms;
    arm(op);
    return op;
}

/* The one of this clock that ends next. */
static struct sim_op *next_op(struct engine *e, const char *clock)
{
    struct sim_op *found = NULL;

    for (struct sim_op *op = e->ops; op; op = op->next)
        if (streq(clock_of(e->config.core, op->account), clock) &&
            (!found || op->end < found->end || (op->end == found->end && op->begun < found->begun)))
            found = op;
    return found;
}

static int64_t sim_next(struct engine *e, const char *clock)
{
    const struct sim_op *op = next_op(e, clock);

    return op ? op->end : INT64_MAX;
}

static void sim_run_until(struct engine *e, const char *clock, int64_t until)
{
    struct sim_op *op;

    while ((op = next_op(e, clock)) && op->end <= until)
        finish(op);
}

static void sim_clocks_changed(struct engine *e)
{
    for (struct sim_op *op = e->ops; op; op = op->next)
        arm(op);
}

static bool runs(struct engine *e, const char *inst)
{
    return faccessat(e->dir, inst, F_OK, 0) == 0;
}

/* One write a line: a daemon that is killed leaves whole lines behind. */
static void note(struct engine *e, const char *what, const char *inst)
{
    CLEANUP(buf_done) struct buf line = {0};

    buf_fmt(&line, "%s %s\n", what, inst);
    (void)!write(e->log, line.data, line.len); /* tests read it; a full disk shows there */
}

/* False: it runs already. Nobody may ask for that without having found it so: the log tells when
 * one does. */
static bool power_on(struct engine *e, const char *inst)
{
    int fd = openat(e->dir, inst, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fresh = fd >= 0;

    if (fresh)
        (void)close(fd);
    if (fresh || !map_get(e->known, inst))
        note(e, fresh ? "start" : "again", inst);
    map_put(e->known, inst, e);
    return fresh;
}

/* The line comes first: a daemon killed between the two has told of a stop that the next one
 * repeats. */
static void power_off(struct engine *e, const char *inst)
{
    (void)map_remove(e->known, inst);
    if (!runs(e, inst))
        return;
    note(e, "stop", inst);
    (void)unlinkat(e->dir, inst, 0); /* it was there a moment ago, and is ours alone */
}

static void sim_create(struct engine *e, const struct machine *m, int64_t job)
{
    (void)later(e, m, job, e->config.sim_create_ms, NULL);
}

static void sim_start(struct engine *e, const struct machine *m, int64_t job, bool reset_local)
{
    if (m->broken) {
        (void)later(e, m, job, e->config.sim_start_ms,
                    "the machine was made so that it cannot run");
        return;
    }
    bool fresh = power_on(e, m->id);

    (void)reset_local; /* the core remembers that the disks are whole again */
    (void)later(e, m, job, fresh ? e->config.sim_start_ms : 0, NULL);
}

static void sim_stop(struct engine *e, const struct machine *m, int64_t job, bool force)
{
    power_off(e, m->id);
    (void)later(e, m, job, force ? 0 : e->config.sim_stop_ms, NULL);
}

static void sim_reboot(struct engine *e, const struct machine *m, int64_t job, bool force)
{
    int64_t half = e->config.sim_reboot_ms / 2;

    (void)force;
    (void)power_on(e, m->id); /* one that is off comes up */
    later(e, m, job, half, NULL)->then_ms = half + 1;
}

static void sim_release(struct engine *e, const struct machine *m, int64_t job)
{
    power_off(e, m->id);
    (void)later(e, m, job, e->config.sim_stop_ms, NULL);
}

static void sim_survey(struct engine *e, const struct machine *m)
{
    bool found = runs(e, m->id);

    if (found)
        map_put(e->known, m->id, e);
    e->host.surveyed(e->host.ctx, m->id, found ? SURVEY_RUNNING : SURVEY_ABSENT);
}

static void sim_hurry(struct engine *e, const char *inst)
{
    for (struct sim_op *op = e->ops; op; op = op->next)
        if (streq(op->inst, inst)) {
            op->end = clock_of_op(op);
            op->then_ms = 0;
            arm(op);
        }
}

static void stops(struct engine *e, const char *inst, const char *why)
{
    power_off(e, inst);
    e->host.stopped(e->host.ctx, inst, why);
}

/* A full disk makes its machine wait; one with errors is the end of it, here. */
static void disk_harm(struct engine *e, const struct harm *h)
{
    if (h->trouble == DISK_ERRORS) {
        stops(e, h->inst, "the guest gave up: its disk returns errors");
        return;
    }
    e->host.waits(e->host.ctx, h->inst,
                  h->trouble == DISK_FULL ? "a disk is full: the machine waits for room" : NULL);
    e->host.harmed(e->host.ctx, h->inst, NULL);
}

static void sim_harm(struct engine *e, const struct harm *h)
{
    if (!runs(e, h->inst))
        e->host.harmed(e->host.ctx, h->inst, "the machine does not run");
    else if (h->kind == HARM_DISK)
        disk_harm(e, h);
    else
        stops(e, h->inst,
              h->kind == HARM_PANIC ? "the guest's kernel panicked"
                                    : "the machine's process died (killed by signal 9)");
}

static void sim_close(struct engine *e)
{
    if (!e)
        return;
    while (e->ops) {
        struct sim_op *op = e->ops;

        e->ops = op->next;
        op_free(op);
    }
    map_free(e->known);
    if (e->dir >= 0)
        (void)close(e->dir);
    if (e->log >= 0)
        (void)close(e->log);
    free(e);
}

static enum err sim_open(struct loop *loop, const struct engine_config *config,
                         const struct engine_host *host, struct engine **ret, struct fail *f)
{
    CLEANUP(free_p) char *path = xasprintf("%s/sim", config->dir);
    struct engine *e = xcalloc(1, sizeof(*e));

    *e = (struct engine){
        .loop = loop, .config = *config, .host = *host, .known = map_new(), .log = -1};
    (void)mkdir(path, 0700); /* open says what is wrong with it */
    e->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (e->dir >= 0)
        e->log = openat(e->dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (e->log < 0) {
        enum err err = fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));

        sim_close(e);
        return err;
    }
    *ret = e;
    return ERR_NONE;
}

static const char *sim_describe(struct engine *e)
{
    (void)e;
    return "sim: states and durations, no machines";
}

const struct engine_driver engine_sim = {
    .name = "sim",
    .open = sim_open,
    .close = sim_close,
    .describe = sim_describe,
    .create = sim_create,
    .start = sim_start,
    .stop = sim_stop,
    .reboot = sim_reboot,
    .release = sim_release,
    .hurry = sim_hurry,
    .survey = sim_survey,
    .harm = sim_harm,
    .next = sim_next,
    .run_until = sim_run_until,
    .clocks_changed = sim_clocks_changed,
};
