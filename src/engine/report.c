/* What happened is told to the store: of one instance in the order in which it happened. */
#include "engine/supervisor_impl.h"

#include "base/log.h"
#include "core/clock.h"

/* Kept until the store has learned it. */
struct report {
    struct write write;
    struct supervisor *s;
    struct report *next; /* the same instance's */
    struct arena *arena;
    struct loop_timer *retry;
    struct news news;
    const char *account; /* NULL: not known yet */
};

static struct report *oldest(const struct supervisor *s, const char *inst)
{
    return map_get(s->reports, inst);
}

bool report_waits(const struct supervisor *s, const char *inst)
{
    return oldest(s, inst) != NULL;
}

static void report_free(struct report *r)
{
    loop_timer_free(r->retry);
    arena_free(r->arena);
    free(r);
}

/* ---- the write ---- */

static enum err run(struct write *w, struct tx *tx)
{
    struct report *r = CONTAINER_OF(w, struct report, write);
    struct fail f = {0};
    struct op op = op_own(r->s->config.core, tx, r->arena, &f);

    tx_use_arena(tx, r->arena);
    op.account = r->account;
    op.now = op_now_of_inst(&op, r->news.inst, r->account);
    enum err e = r->news.kind->write(&op, &r->news);
    tx_use_arena(tx, NULL);
    return e;
}

static void submit(void *arg);

static void try_later(struct report *r)
{
    if (!r->retry)
        r->retry = loop_timer_new(r->s->config.loop, submit, r);
    loop_timer_set(r->retry, RETRY_MS, 0);
}

/* The instance's oldest report is told: the next one is now. */
static void take_off(struct report *r)
{
    if (r->next)
        map_put(r->s->reports, r->news.inst, r->next);
    else
        (void)map_remove(r->s->reports, r->news.inst);
    report_free(r);
}

static void told(struct supervisor *s, struct report *r)
{
    CLEANUP(free_p) char *inst = xstrdup(r->news.inst);

    if (r->news.kind->ends)
        work_end(s, inst);
    take_off(r);
    if ((r = oldest(s, inst)))
        submit(r);
    else
        jobs_take_up(s, inst, true);
    if (s->config.told)
        s->config.told(s->config.ctx);
}

static void done(struct write *w)
{
    struct report *r = CONTAINER_OF(w, struct report, write);

    if (r->s->stopping) {
        take_off(r); /* either written, or found again by the next survey */
    } else if (w->result) {
        log_write(LOG_ERROR, "an outcome could not be written; trying again", "instance",
                  r->news.inst, NULL);
        try_later(r);
    } else {
        told(r->s, r);
    }
}

static void submit(void *arg)
{
    struct report *r = arg;

    r->write = (struct write){.run = run, .done = done};
    if (store_submit(r->s->config.store, &r->write))
        try_later(r);
}

/* ---- the queue ---- */

static struct report *report_new(struct supervisor *s, const struct news *n)
{
    struct report *r = xcalloc(1, sizeof(*r));
    const struct work *w = work_of(s, n->inst);

    r->s = s;
    r->arena = arena_new();
    r->account = w ? arena_str(r->arena, w->account) : NULL;
    r->news = *n;
    r->news.inst = arena_str(r->arena, n->inst);
    r->news.why = arena_str(r->arena, n->why);
    return r;
}

void report_news(struct supervisor *s, const struct news *n)
{
    struct report *r = report_new(s, n), *last = oldest(s, n->inst);

    if (!last) {
        map_put(s->reports, n->inst, r);
        submit(r);
        return;
    }
    while (last->next)
        last = last->next;
    last->next = r; /* submitted when those before it are done */
}

/* ---- life ---- */

void report_init(struct supervisor *s)
{
    s->reports = map_new();
}

static void hold_back(void *ctx, const char *inst, void *value)
{
    struct report *r = value; /* only the oldest was ever submitted */

    (void)ctx;
    (void)inst;
    if (r->retry)
        loop_timer_stop(r->retry);
}

void report_stop(struct supervisor *s)
{
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

void report_done(struct supervisor *s)
{
    map_each(s->reports, free_reports, NULL);
    map_free(s->reports);
}
