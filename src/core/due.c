/* The things that come due, one by one. */
#include "core/due.h"

#include "base/timefmt.h"
#include "core/billing.h"
#include "core/jobs.h"

static const char *const kind_names[] = {
    [DUE_EXPIRE] = "expire",   [DUE_RELEASE] = "release", [DUE_EMPTY] = "empty",
    [DUE_RECLAIM] = "reclaim", [DUE_ARREARS] = "arrears", [DUE_RECLAIM_STOP] = "reclaim-stop",
};

static const char *key_of(struct op *op, const char *inst, enum due_kind kind)
{
    return arena_fmt(op->arena, "%s/%s", inst, kind_names[kind]);
}

bool due_get(struct op *op, const char *inst, enum due_kind kind, struct due *ret)
{
    return store_get(op->tx, &rec_due, key_of(op, inst, kind), ret);
}

void due_set(struct op *op, const struct inst *in, enum due_kind kind, int64_t at)
{
    struct clock_row own;
    struct due old, d = {.key = key_of(op, in->id, kind),
                         .account = in->account,
                         .clock = "",
                         .inst = in->id,
                         .kind = kind,
                         .at = at};

    if (store_get(op->tx, &rec_clock, in->account, &own)) /* also one made a moment ago */
        d.clock = in->account;
    if (store_get(op->tx, &rec_due, d.key, &old))
        store_update(op->tx, &rec_due, &d);
    else
        store_insert(op->tx, &rec_due, &d);
}

void due_clear(struct op *op, const char *inst, enum due_kind kind)
{
    store_delete(op->tx, &rec_due, key_of(op, inst, kind));
}

void due_clear_all(struct op *op, const char *inst)
{
    struct query q = {0};

    query_text(&q, "inst", CMP_EQ, inst);
    store_delete_all(op->tx, &rec_due, &q);
}

/* ---- the things ---- */

/* Whatever is being done to it ends as soon as it can; its protection is from people. */
static void take_away(struct op *op, struct inst *in, const char *why)
{
    struct job job = {.force = true};

    if (in->verb == VERB_RELEASE || in->verb == VERB_FORCE_RELEASE)
        return;
    event_append(op, in->id, why, NULL);
    job_begin(op, in, VERB_FORCE_RELEASE, INST_RELEASING, &job);
}

static void expire(struct op *op, struct inst *in)
{
    struct period again = inst_renewal(op, in->id);

    if (in->expires_at > op->now)
        return;
    if (!again.n) {
        subscription_end(op, in);
        return;
    }
    in->expires_at = period_end(in->expires_at, again);
    store_update(op->tx, &rec_inst, in);
    due_set(op, in, DUE_EXPIRE, in->expires_at);
    event_append(op, in->id, "renewed",
                 arena_fmt(op->arena, "%s, by itself", time_seconds(op->arena, in->expires_at)));
}

static void release(struct op *op, struct inst *in)
{
    take_away(op, in, "auto-released");
}

static void empty(struct op *op, struct inst *in)
{
    if (in->state == INST_RECYCLED)
        take_away(op, in, "bin-emptied");
}

static void end_arrears(struct op *op, struct inst *in)
{
    if (unpaid(in, op->now))
        take_away(op, in, "arrears-ended");
}

static void reclaim(struct op *op, struct inst *in)
{
    take_away(op, in, "taken-back");
}

/* One that is on its way up is stopped when it has got there: see must_stop. */
static void reclaim_stop(struct op *op, struct inst *in)
{
    event_append(op, in->id, "taken-back", NULL);
    if (in->state != INST_RUNNING && in->state != INST_STOPPED && in->state != INST_STOPPING)
        return;
    in->locks &= ~(int64_t)LOCK_RECYCLING;
    in->stop_mode = STOP_STOP_CHARGING;
    stop_running(op, in);
}

static void (*const things[])(struct op *op, struct inst *in) = {
    [DUE_EXPIRE] = expire,   [DUE_RELEASE] = release,     [DUE_EMPTY] = empty,
    [DUE_RECLAIM] = reclaim, [DUE_ARREARS] = end_arrears, [DUE_RECLAIM_STOP] = reclaim_stop,
};

/* ---- their order ---- */

static bool first(struct tx *tx, const char *clock, struct due *ret)
{
    struct query q = {.order = "at,key"};

    query_text(&q, "clock", CMP_EQ, clock);
    return store_first(tx, &rec_due, &q, ret);
}

int64_t due_next(struct tx *tx, const char *clock)
{
    struct due d;

    return first(tx, clock, &d) ? d.at : INT64_MAX;
}

static void happen(struct op *op, const struct due *d)
{
    struct op then = *op;
    struct inst in;

    then.account = d->account;
    then.now = d->at;
    store_delete(op->tx, &rec_due, d->key);
    if (d->kind < ARRAY_LEN(things) && store_get(op->tx, &rec_inst, d->inst, &in))
        things[d->kind](&then, &in);
}

size_t due_run(struct op *op, const char *clock, int64_t until, size_t most)
{
    struct due d;
    size_t n = 0;

    for (; n < most && first(op->tx, clock, &d) && d.at <= until; n++)
        happen(op, &d);
    return n;
}
