/* Subscriptions, arrears, and what is taken back. */
#include "core/billing.h"

#include <time.h>

#include "base/timefmt.h"
#include "core/due.h"
#include "core/jobs.h"

enum { WEEK_MS = 7 * 86400 * 1000, HOUR_MS = 3600 * 1000 };

int64_t period_end(int64_t from, struct period p)
{
    time_t t = (time_t)(from / 1000);
    struct tm tm, later;

    if (p.weeks)
        return from + p.n * WEEK_MS;
    (void)gmtime_r(&t, &tm);
    later = tm;
    later.tm_mon += (int)p.n;
    time_t end = timegm(&later);
    if (later.tm_mday != tm.tm_mday) /* the day does not exist: it ran over into the next month */
        end -= (time_t)later.tm_mday * 86400;
    return (int64_t)end * 1000 + from % 1000;
}

static bool expired(const struct inst *in, int64_t now)
{
    return in->charge == CHARGE_PREPAID && in->expires_at <= now;
}

bool unpaid(const struct inst *in, int64_t now)
{
    return in->overdue || expired(in, now);
}

/* ---- subscriptions ---- */

static enum err prepaid(struct op *op, const char *id, struct inst *ret)
{
    enum err e = inst_get(op, id, ret);

    if (!e && ret->charge != CHARGE_PREPAID)
        return fail(op->fail, ERR_CHARGE_TYPE, "the instance is paid by use, not by subscription");
    return e;
}

static enum err check_renewable(struct op *op, const struct inst *in)
{
    if (in->state == INST_RECYCLED)
        return fail(op->fail, ERR_INST_RECYCLED, "The instance is in the recycle bin.");
    if (in->locks & LOCK_SECURITY)
        return fail(op->fail, ERR_INST_LOCKED, "The instance is locked for security reasons.");
    if (in->state == INST_PENDING || in->state == INST_RELEASING)
        return fail(op->fail, ERR_INST_STATE, "The instance is %s.", inst_state_name(in->state));
    return ERR_NONE;
}

enum err inst_renew(struct op *op, const char *id, struct period p, struct inst *ret)
{
    enum err e = prepaid(op, id, ret);

    if (e || (e = check_renewable(op, ret)))
        return e;
    ret->expires_at = period_end(ret->expires_at > op->now ? ret->expires_at : op->now, p);
    ret->overdue = false;
    store_update(op->tx, &rec_inst, ret);
    due_set(op, ret, DUE_EXPIRE, ret->expires_at);
    arrears_count(op, ret, op->now);
    event_append(op, id, "renewed", time_seconds(op->arena, ret->expires_at));
    return ERR_NONE;
}

struct period inst_renewal(struct op *op, const char *id)
{
    struct renewal r;

    if (!store_get(op->tx, &rec_renewal, id, &r))
        return (struct period){0};
    return (struct period){.n = r.period, .weeks = r.weeks};
}

static void put_renewal(struct op *op, const char *id, struct period p)
{
    struct renewal r = {.inst = id, .period = p.n, .weeks = p.weeks};

    if (!p.n)
        store_delete(op->tx, &rec_renewal, id);
    else if (inst_renewal(op, id).n)
        store_update(op->tx, &rec_renewal, &r);
    else
        store_insert(op->tx, &rec_renewal, &r);
}

enum err inst_set_renewal(struct op *op, const char *id, struct period p)
{
    struct inst in;
    enum err e = prepaid(op, id, &in);

    if (!e)
        put_renewal(op, id, p);
    return e;
}

void stop_running(struct op *op, struct inst *in)
{
    struct job job = {0};

    if (in->state == INST_RUNNING)
        job_begin(op, in, VERB_STOP, INST_STOPPING, &job);
    else
        store_update(op->tx, &rec_inst, in);
}

void subscription_end(struct op *op, struct inst *in)
{
    due_clear(op, in->id, DUE_EXPIRE);
    event_append(op, in->id, "expired", NULL);
    stop_running(op, in);
    arrears_count(op, in, op->now);
}

void arrears_count(struct op *op, const struct inst *in, int64_t since)
{
    int64_t patience = op->core->settings.arrears_ms;

    if (patience && unpaid(in, op->now))
        due_set(op, in, DUE_ARREARS, since + patience);
    else
        due_clear(op, in->id, DUE_ARREARS);
}

/* ---- what ends by itself ---- */

enum err inst_set_release(struct op *op, const char *id, int64_t at)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (e)
        return e;
    if (in.charge == CHARGE_PREPAID)
        return fail(op->fail, ERR_CHARGE_TYPE, "the instance's subscription has not ended");
    if (at)
        due_set(op, &in, DUE_RELEASE, at);
    else
        due_clear(op, id, DUE_RELEASE);
    return ERR_NONE;
}

enum err inst_reclaim(struct op *op, const char *id, bool keep)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (e)
        return e;
    in.locks |= LOCK_RECYCLING;
    store_update(op->tx, &rec_inst, &in);
    due_set(op, &in, keep ? DUE_RECLAIM_STOP : DUE_RECLAIM, op->now + RECLAIM_NOTICE_MS);
    event_append(op, id, "reclaimed", keep ? "stopped in 5 minutes" : "released in 5 minutes");
    return ERR_NONE;
}

static int64_t bin_end(const struct inst *in, const struct account *a)
{
    return in->recycled_at + a->recycle_hours * HOUR_MS;
}

void bin_changed(struct op *op, const struct account *a)
{
    struct query q = {0};
    struct inst in;
    size_t n;

    query_text(&q, "account", CMP_EQ, a->id);
    query_num(&q, "kind", CMP_EQ, DUE_EMPTY);
    struct due *rows = store_find(op->tx, &rec_due, &q, &n);
    for (size_t i = 0; i < n; i++)
        if (store_get(op->tx, &rec_inst, rows[i].inst, &in))
            due_set(op, &in, DUE_EMPTY, bin_end(&in, a));
}

/* ---- beginning and end ---- */

void billing_begin(struct op *op, const struct inst *in, const struct new_inst *n)
{
    if (in->charge == CHARGE_PREPAID)
        due_set(op, in, DUE_EXPIRE, in->expires_at);
    if (in->charge == CHARGE_PREPAID && n->renewal.n)
        put_renewal(op, in->id, n->renewal);
    if (n->release_at)
        due_set(op, in, DUE_RELEASE, n->release_at);
}

void billing_end(struct op *op, const struct inst *in)
{
    due_clear_all(op, in->id);
    if (in->charge == CHARGE_PREPAID)
        store_delete(op->tx, &rec_renewal, in->id);
}

void billing_binned(struct op *op, const struct inst *in)
{
    struct account a;

    if (store_get(op->tx, &rec_account, in->account, &a))
        due_set(op, in, DUE_EMPTY, bin_end(in, &a));
}

bool must_stop(struct op *op, struct inst *in)
{
    struct due notice;

    if (in->state != INST_RUNNING)
        return false;
    if (unpaid(in, op->now))
        return true;
    if (!(in->locks & LOCK_RECYCLING) || due_get(op, in->id, DUE_RECLAIM, &notice) ||
        due_get(op, in->id, DUE_RECLAIM_STOP, &notice))
        return false;
    in->locks &= ~(int64_t)LOCK_RECYCLING;
    in->stop_mode = STOP_STOP_CHARGING;
    return true;
}
