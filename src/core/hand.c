/* The operator's hand: the states that the documents name and a user cannot reach alone. */
#include "core/billing.h"
#include "core/jobs.h"

static const char *lock_name(enum lock_reason why)
{
    switch (why) {
    case LOCK_SECURITY:
        return "security";
    case LOCK_FINANCIAL:
        return "financial";
    case LOCK_RECYCLING:
        return "recycling";
    case LOCK_HOST_FINANCIAL:
        return "dedicatedhostfinancial";
    case LOCK_REFUNDED:
        return "refunded";
    }
    return "?";
}

enum err inst_lock(struct op *op, const char *id, enum lock_reason why, bool locked)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (e)
        return e;
    in.locks = locked ? in.locks | why : in.locks & ~(int64_t)why;
    store_update(op->tx, &rec_inst, &in);
    event_append(op, id, locked ? "locked" : "unlocked", lock_name(why));
    return ERR_NONE;
}

static enum err get_prepaid(struct op *op, const char *id, const char *advice, struct inst *ret)
{
    enum err e = inst_get(op, id, ret);

    if (!e && ret->charge != CHARGE_PREPAID)
        return fail(op->fail, ERR_CHARGE_TYPE,
                    "the instance is paid by use and has no subscription%s", advice);
    return e;
}

enum err inst_expire(struct op *op, const char *id)
{
    struct inst in;
    enum err e = get_prepaid(op, id, "; use `overdue`", &in);

    if (e)
        return e;
    in.expires_at = op->now;
    subscription_end(op, &in);
    return ERR_NONE;
}

enum err inst_overdue(struct op *op, const char *id, bool overdue)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (e)
        return e;
    in.overdue = overdue;
    event_append(op, id, overdue ? "overdue" : "paid", NULL);
    if (overdue)
        stop_running(op, &in);
    else
        store_update(op->tx, &rec_inst, &in);
    if (overdue || !unpaid(&in, op->now))
        arrears_count(op, &in, op->now);
    return ERR_NONE;
}

/* The subscription was paid back: it is locked, and what runs is switched off. */
enum err inst_refund(struct op *op, const char *id)
{
    struct inst in;
    enum err e = get_prepaid(op, id, " to refund", &in);

    if (e)
        return e;
    in.locks |= LOCK_REFUNDED;
    event_append(op, id, "refunded", NULL);
    stop_running(op, &in);
    return ERR_NONE;
}

/* As a release into it does; here neither protection nor subscription is asked about. */
enum err inst_recycle(struct op *op, const char *id)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);
    struct job job = {.force = true};

    if (e)
        return e;
    if (in.state == INST_RECYCLED)
        return fail(op->fail, ERR_INST_RECYCLED, "the instance is in the recycle bin already");
    if ((e = verb_rule(VERB_FORCE_RELEASE, in.state)->refuse))
        return fail(op->fail, e, "the instance is %s; it can be recycled when it runs or is off",
                    inst_state_name(in.state));
    job_begin(op, &in, VERB_RECYCLE, INST_RELEASING, &job);
    return ERR_NONE;
}

static enum err get_disk(struct op *op, const char *id, struct disk *ret)
{
    if (!store_get(op->tx, &rec_disk, id, ret) ||
        (op->account && !streq(ret->account, op->account)))
        return fail(op->fail, ERR_DISK_NOT_FOUND, "there is no disk '%s'", id);
    return ERR_NONE;
}

enum err disk_overdue(struct op *op, const char *id, bool overdue)
{
    struct disk d;
    enum err e = get_disk(op, id, &d);

    if (e)
        return e;
    d.overdue = overdue;
    store_update(op->tx, &rec_disk, &d);
    event_append(op, id, overdue ? "disk-overdue" : "disk-paid", NULL);
    return ERR_NONE;
}

enum err disk_fail(struct op *op, const char *id, bool failed)
{
    struct disk d;
    enum err e = get_disk(op, id, &d);

    if (e)
        return e;
    d.failed = failed;
    store_update(op->tx, &rec_disk, &d);
    event_append(op, id, failed ? "disk-failed" : "disk-healed", NULL);
    return ERR_NONE;
}
