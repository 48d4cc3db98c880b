/*
 * A failing operation ends with its error and leaves the state that is true. Creating and stopping
 * fail by not being done. Everything else leaves the machine off, which the driver sees to: a
 * machine that runs would not be what a failed start or reboot says, and nobody may have to guess
 * whether it does.
 */
#include "engine/faulty.h"

#include <stdio.h>

#include "base/map.h"
#include "core/clock.h"
#include "net/loop.h"

enum {
    LOOK_MS = 20,                 /* after a commit: held jobs are looked at together */
    LONGEST_WAIT_MS = 60 * 60000, /* then it is looked at again */
};

struct held {
    struct faulty *f;
    char *inst, *account;
    int64_t job;
    int64_t end;  /* by the account's clock; INT64_MAX: when its fault is gone */
    bool runs;    /* its machine, as far as is known */
    bool failing; /* not held any more: the driver brings it to where its error is true */
    struct loop_timer *timer; /* NULL: held until its fault is gone */
    char detail[sizeof(((struct strike *)0)->detail)];
};

struct faulty {
    struct faulty_config config;
    struct map *held; /* instance id -> struct held */
    struct loop_timer *look;
    bool looking; /* `look` is set */
};

/* ---- those that are held ---- */

static void held_free(struct held *h)
{
    loop_timer_free(h->timer);
    free(h->inst);
    free(h->account);
    free(h);
}

static void let_go(struct faulty *f, const char *inst)
{
    struct held *h = map_remove(f->held, inst);

    if (h)
        held_free(h);
}

/* It is forgotten, and held again where it still must be. */
static void look_at(struct held *h)
{
    struct faulty *f = h->f;
    CLEANUP(free_p) char *inst = xstrdup(h->inst);
    bool runs = h->runs;

    let_go(f, inst);
    f->config.again(f->config.ctx, inst, runs);
}

static void on_time(void *arg)
{
    look_at(arg);
}

struct names {
    char **v;
    size_t n;
};

static void add_name(void *ctx, const char *inst, void *value)
{
    struct names *names = ctx;
    const struct held *h = value;

    if (!h->failing)
        names->v[names->n++] = xstrdup(inst);
}

static void look_at_all(void *arg)
{
    struct faulty *f = arg;
    struct names names = {.v = xcalloc(map_count(f->held) + 1, sizeof(*names.v))};

    f->looking = false;
    map_each(f->held, add_name, &names);
    for (size_t i = 0; i < names.n; i++) {
        struct held *h = map_get(f->held, names.v[i]);

        if (h && !h->failing)
            look_at(h);
        free(names.v[i]);
    }
    free(names.v);
}

void faulty_kick(struct faulty *f)
{
    if (!map_count(f->held) || f->looking)
        return;
    f->looking = true;
    loop_timer_set(f->look, LOOK_MS, 0);
}

static struct held *remember(struct faulty *f, const struct job *j, bool runs)
{
    struct held *h = xcalloc(1, sizeof(*h));

    let_go(f, j->inst);
    *h = (struct held){.f = f,
                       .inst = xstrdup(j->inst),
                       .account = xstrdup(j->account),
                       .job = j->id,
                       .end = INT64_MAX,
                       .runs = runs};
    map_put(f->held, h->inst, h);
    return h;
}

/* ---- how long ---- */

/* It is looked at when the clock has got there, if the clock goes. */
static void arm(struct held *h)
{
    int64_t left = h->end - clock_now(h->f->config.core, h->account);

    if (!h->timer)
        return;
    if (left > LONGEST_WAIT_MS)
        left = LONGEST_WAIT_MS;
    if (left > 0 && clock_stands(h->f->config.core, h->account))
        loop_timer_stop(h->timer);
    else
        loop_timer_set(h->timer, left > 0 ? (uint64_t)left : 0, 0);
}

struct seeking {
    const struct faulty *f;
    const char *clock;
    struct held *found;
};

static void ends_sooner(void *ctx, const char *inst, void *value)
{
    struct seeking *s = ctx;
    struct held *h = value;

    (void)inst;
    if (!h->timer || !streq(clock_of(s->f->config.core, h->account), s->clock))
        return;
    if (!s->found || h->end < s->found->end || (h->end == s->found->end && h->job < s->found->job))
        s->found = h;
}

/* The one of this clock whose delay ends next. */
static struct held *next_held(const struct faulty *f, const char *clock)
{
    struct seeking s = {.f = f, .clock = clock};

    map_each(f->held, ends_sooner, &s);
    return s.found;
}

int64_t faulty_next(const struct faulty *f, const char *clock)
{
    const struct held *h = next_held(f, clock);

    return h ? h->end : INT64_MAX;
}

void faulty_run_until(struct faulty *f, const char *clock, int64_t until)
{
    struct held *h;

    /* Each once: one that must be held again was looked at too early. */
    for (size_t n = map_count(f->held); n && (h = next_held(f, clock)) && h->end <= until; n--)
        look_at(h);
}

static void arm_each(void *ctx, const char *inst, void *value)
{
    (void)ctx;
    (void)inst;
    arm(value);
}

void faulty_clocks_changed(struct faulty *f)
{
    map_each(f->held, arm_each, NULL);
}

void strike_read(struct op *op, const struct job *j, struct strike *ret)
{
    struct engine_fault f;

    *ret = (struct strike){.struck = false};
    if (str_empty(j->fault) || !op->core->settings.controls ||
        !store_get(op->tx, &rec_engine_fault, j->fault, &f))
        return;
    *ret = (struct strike){.struck = true, .kind = f.kind, .delay_ms = f.delay_ms};
    (void)snprintf(ret->detail, sizeof(ret->detail), "%s", f.detail); /* a cut one still tells */
}

bool faulty_holds(struct faulty *f, const struct job *j, const struct strike *s, bool runs)
{
    const struct held *before = map_get(f->held, j->inst);

    if (before && before->job == j->id)
        return !before->failing;
    let_go(f, j->inst);
    if (!s->struck)
        return false;
    int64_t end = j->created_at + s->delay_ms;
    if (s->kind != ENGINE_HANG && end <= clock_now(f->config.core, j->account))
        return false;
    struct held *h = remember(f, j, runs);
    if (s->kind == ENGINE_HANG)
        return true;
    h->end = end;
    h->timer = loop_timer_new(f->config.loop, on_time, h);
    arm(h);
    return true;
}

void faulty_stopped(struct faulty *f, const char *inst)
{
    struct held *h = map_get(f->held, inst);

    if (h)
        h->runs = false;
}

bool faulty_has(const struct faulty *f, const char *inst)
{
    return map_get(f->held, inst) != NULL;
}

/* ---- failing ---- */

static const char *error_of(const struct strike *s)
{
    return *s->detail ? s->detail : "it failed, as was asked for";
}

/* Stopping a machine that is off already has not failed: it is where it was to go. */
static bool fails_undone(const struct job *j, bool runs)
{
    return j->verb == VERB_CREATE || (j->verb == VERB_STOP && runs);
}

bool faulty_does(struct faulty *f, struct engine *e, struct machine *m, const struct job *j,
                 const struct strike *s, bool runs)
{
    if (!s->struck || s->kind != ENGINE_FAIL || (j->verb == VERB_STOP && !runs)) {
        m->broken = s->struck && s->kind == ENGINE_BREAK;
        return false;
    }
    if (fails_undone(j, runs)) {
        f->config.done(f->config.ctx, j->inst, j->id, &(struct outcome){.error = error_of(s)});
        return true;
    }
    struct held *h = remember(f, j, runs);
    h->failing = true;
    (void)snprintf(h->detail, sizeof(h->detail), "%s", error_of(s)); /* as long as its own */
    f->config.driver->stop(e, m, j->id, true);
    return true;
}

const char *faulty_error(const struct faulty *f, const char *inst, int64_t job)
{
    const struct held *h = map_get(f->held, inst);

    return h && h->job == job && h->failing ? h->detail : NULL;
}

void faulty_ended(struct faulty *f, const char *inst, int64_t job)
{
    if (faulty_error(f, inst, job))
        let_go(f, inst);
}

/* ---- life ---- */

struct faulty *faulty_new(const struct faulty_config *config)
{
    struct faulty *f = xcalloc(1, sizeof(*f));

    f->config = *config;
    f->held = map_new();
    f->look = loop_timer_new(config->loop, look_at_all, f);
    return f;
}

static void free_held(void *ctx, const char *inst, void *value)
{
    (void)ctx;
    (void)inst;
    held_free(value);
}

void faulty_free(struct faulty *f)
{
    if (!f)
        return;
    map_each(f->held, free_held, NULL);
    map_free(f->held);
    loop_timer_free(f->look);
    free(f);
}
