/* The operator's hand: the states that the documents name and a user cannot reach alone. */
#include "core/billing.h"

enum err inst_lock(struct op *op, const char *id, enum lock_reason why, bool locked)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (e)
        return e;
    in.locks = locked ? in.locks | why : in.locks & ~(int64_t)why;
    store_update(op->tx, &rec_inst, &in);
    event_append(op, id, locked ? "locked" : "unlocked",
                 why == LOCK_SECURITY ? "security" : "financial");
    return ERR_NONE;
}

enum err inst_expire(struct op *op, const char *id)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (e)
        return e;
    if (in.charge != CHARGE_PREPAID)
        return fail(op->fail, ERR_CHARGE_TYPE,
                    "the instance is paid by use and has no subscription; use `overdue`");
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

enum err disk_fail(struct op *op, const char *id, bool failed)
{
    struct disk d;

    if (!store_get(op->tx, &rec_disk, id, &d) || (op->account && !streq(d.account, op->account)))
        return fail(op->fail, ERR_DISK_NOT_FOUND, "there is no disk '%s'", id);
    d.failed = failed;
    store_update(op->tx, &rec_disk, &d);
    event_append(op, id, failed ? "disk-failed" : "disk-healed", NULL);
    return ERR_NONE;
}
