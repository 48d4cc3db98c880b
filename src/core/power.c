/*
 * Start, stop, reboot, release: the checks in their documented order, then state and job together.
 *
 * The order for a start: known and mine; not in the recycle bin; no lock; not expired, not overdue;
 * the state; the disks; their keys; its host, the account's balance and quotas, room on the host.
 */
#include "core/inst.h"

#include "core/capacity.h"
#include "core/clock.h"
#include "core/jobs.h"
#include "core/kms.h"

enum err inst_get(struct op *op, const char *id, struct inst *ret)
{
    if (str_empty(id) || !store_get(op->tx, &rec_inst, id, ret) ||
        (op->account && !streq(ret->account, op->account)))
        return fail(op->fail, ERR_INST_NOT_FOUND, "there is no instance '%s'", id ? id : "");
    if (!op->account && clocks_moved(op->core))
        op->now = clock_now(op->core, ret->account);
    return ERR_NONE;
}

static bool is_release(enum verb v)
{
    return v == VERB_RELEASE || v == VERB_FORCE_RELEASE;
}

/* A job that has not begun the machine's first life yet is said otherwise than a wrong state. */
static enum err check_state(struct op *op, const struct inst *in, enum verb v)
{
    enum err e = verb_rule(v, in->state)->refuse;

    if (!e)
        return ERR_NONE;
    if (e == ERR_INST_BUSY && is_release(v) && in->birth == BIRTH_PENDING)
        e = ERR_INST_INITIALIZING;
    switch (e) {
    case ERR_INST_BUSY:
        return fail(op->fail, e, "The instance is performing another operation (%s).",
                    verb_name(in->verb));
    case ERR_INST_RECYCLED:
        return fail(op->fail, e, "The instance is in the recycle bin.");
    default:
        return fail(op->fail, e, "The instance is %s.", inst_state_name(in->state));
    }
}

static bool lock_refuses(struct op *op, enum verb v)
{
    return !is_release(v) && (v != VERB_STOP || op->core->settings.lock_refuses_stop);
}

static enum err check_locks(struct op *op, const struct inst *in, enum verb v)
{
    if ((in->locks & LOCK_SECURITY) && lock_refuses(op, v))
        return fail(op->fail, ERR_INST_LOCKED, "The instance is locked for security reasons.");
    return ERR_NONE;
}

static enum err check_payment(struct op *op, const struct inst *in, enum verb v)
{
    bool owes = in->overdue || (in->locks & LOCKS_UNPAID);

    if (is_release(v))
        return ERR_NONE;
    if (in->charge == CHARGE_PREPAID && (owes || in->expires_at <= op->now))
        return fail(op->fail, ERR_INST_EXPIRED, "The instance's subscription has expired.");
    if (owes)
        return fail(op->fail, ERR_INST_OVERDUE, "A payment for the instance is overdue.");
    return ERR_NONE;
}

static enum err check_release(struct op *op, const struct inst *in, unsigned flags)
{
    if (in->deletion_protection)
        return fail(op->fail, ERR_INST_PROTECTED, "The instance is protected from deletion.");
    if (in->charge != CHARGE_PREPAID)
        return ERR_NONE;
    if (in->expires_at > op->now || !(flags & POWER_END_SUBSCRIPTION))
        return fail(op->fail, ERR_INST_SUBSCRIBED, "The instance's subscription has not ended.");
    return ERR_NONE;
}

static enum err check_disk(struct op *op, const struct disk *d, unsigned flags)
{
    bool mends = d->kind == DISK_LOCAL && (flags & POWER_RESET_LOCAL);
    struct bytes key;

    if (d->status != DISK_IN_USE || (d->failed && !mends))
        return fail(op->fail, ERR_DISK_UNUSABLE, "The disk '%s' cannot be used.", d->id);
    if (d->overdue)
        return fail(op->fail, ERR_DISK_OVERDUE, "A payment for the disk '%s' is overdue.", d->id);
    return d->encrypted ? kms_open_data_key(op, d, &key) : ERR_NONE;
}

static enum err check_disks(struct op *op, const struct inst *in, unsigned flags)
{
    size_t n;
    struct disk *disks = inst_disks(op, in->id, &n);

    if (!n || disks[0].kind != DISK_SYSTEM)
        return in->birth == BIRTH_FAILED
                   ? fail(op->fail, ERR_DISK_UNUSABLE, "The instance's disks were never made.")
                   : fail(op->fail, ERR_NO_SYSTEM_DISK, "The instance has no system disk.");
    for (size_t i = 0; i < n; i++) {
        enum err e = check_disk(op, &disks[i], flags);

        if (e)
            return e;
    }
    return ERR_NONE;
}

/* A reboot needs its disks as a start does. */
static bool comes_up(enum verb v)
{
    return v == VERB_START || v == VERB_REBOOT || v == VERB_FORCE_REBOOT;
}

static enum err check_all(struct op *op, const struct inst *in, enum verb v, unsigned flags)
{
    enum err e;

    if (in->state == INST_RECYCLED && (e = check_state(op, in, v)))
        return e;
    if ((e = check_locks(op, in, v)) || (e = check_payment(op, in, v)))
        return e;
    if (is_release(v) && (e = check_release(op, in, flags)))
        return e;
    if ((e = check_state(op, in, v)))
        return e;
    if (comes_up(v) && (e = check_disks(op, in, flags)))
        return e;
    return v == VERB_START ? may_start(op, in) : ERR_NONE;
}

/* The first release goes into the recycle bin, where the caller's API and the account have one. */
static enum verb release_verb(struct op *op, const struct inst *in, enum verb v, unsigned flags)
{
    struct account a;

    if (!is_release(v) || !(flags & POWER_TO_BIN) || in->state == INST_RECYCLED ||
        !store_get(op->tx, &rec_account, in->account, &a) || !a.recycle_bin)
        return v;
    return VERB_RECYCLE;
}

static void keep_data_disks(struct op *op, const char *inst)
{
    size_t n;
    struct disk *disks = inst_disks(op, inst, &n);

    for (size_t i = 0; i < n; i++)
        if (disks[i].kind == DISK_DATA && disks[i].delete_with_inst) {
            disks[i].delete_with_inst = false;
            store_update(op->tx, &rec_disk, &disks[i]);
        }
}

enum err inst_power(struct op *op, const char *id, enum verb v, unsigned flags,
                    struct inst *ret_before, struct inst *ret_after)
{
    struct inst in = {0};
    enum err e = inst_get(op, id, &in);

    if (!e && ret_before)
        *ret_before = in;
    if (!e && ret_after)
        *ret_after = in;
    if (e || (e = check_all(op, &in, v, flags)))
        return e;
    if (flags & POWER_CHECK_ONLY)
        return fail(op->fail, ERR_DRY_RUN, "Every check passed; nothing was changed.");

    if (flags & POWER_KEEP_DEPENDENTS)
        keep_data_disks(op, id);
    if (v == VERB_STOP)
        in.stop_mode = flags & POWER_STOP_CHARGING ? STOP_STOP_CHARGING : STOP_KEEP_CHARGING;
    struct job job = {.force = flags & POWER_FORCE || v == VERB_FORCE_REBOOT,
                      .reset_local = flags & POWER_RESET_LOCAL};
    job_begin(op, &in, release_verb(op, &in, v, flags), verb_rule(v, in.state)->becomes, &job);
    if (ret_after)
        *ret_after = in;
    return ERR_NONE;
}
