/* Putting an instance into the states that a user cannot reach alone: locked, expired, overdue, a
 * broken disk. */
#include "control/control.h"
#include "core/inst.h"

/* ---- locks, expiry, arrears ---- */

struct lock_in {
    const char *account, *inst, *reason;
};

static enum err set_lock(struct call *c, const struct lock_in *in, bool locked)
{
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    return inst_lock(&c->op, in->inst,
                     streq(in->reason, "financial") ? LOCK_FINANCIAL : LOCK_SECURITY, locked);
}

static enum err lock(struct call *c, const void *in, void *out)
{
    (void)out;
    return set_lock(c, in, true);
}

static enum err unlock(struct call *c, const void *in, void *out)
{
    (void)out;
    return set_lock(c, in, false);
}

#define LOCK_FIELDS                                                                                \
    FIELDS(F_STR(struct lock_in, inst, "instanceId", .required = true, .format = FMT_ID),          \
           F_STR(struct lock_in, reason, "reason", .def_str = "security",                          \
                 .values = VALUES("security", "financial")),                                       \
           F_STR(struct lock_in, account, "account", .format = FMT_ID))

const struct action op_lock_instance = {
    .name = "LockInstance",
    .summary = "Locks an instance for security or financial reasons.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct lock_in),
    .in = LOCK_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND),
    .run = lock,
};

const struct action op_unlock_instance = {
    .name = "UnlockInstance",
    .summary = "Takes one kind of lock from an instance.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct lock_in),
    .in = LOCK_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND),
    .run = unlock,
};

struct expire_in {
    const char *account, *inst;
};

static enum err expire(struct call *c, const void *in_, void *out)
{
    const struct expire_in *in = in_;
    enum err e = control_scope(c, in->account);

    (void)out;
    return e ? e : inst_expire(&c->op, in->inst);
}

const struct action op_expire_instance = {
    .name = "ExpireInstance",
    .summary = "Ends a prepaid instance's subscription now.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct expire_in),
    .in = FIELDS(F_STR(struct expire_in, inst, "instanceId", .required = true, .format = FMT_ID),
                 F_STR(struct expire_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE),
    .run = expire,
};

struct overdue_in {
    const char *account, *inst;
    bool overdue;
};

static enum err set_overdue(struct call *c, const void *in_, void *out)
{
    const struct overdue_in *in = in_;
    enum err e = control_scope(c, in->account);

    (void)out;
    return e ? e : inst_overdue(&c->op, in->inst, in->overdue);
}

const struct action op_set_overdue = {
    .name = "SetOverdue",
    .summary = "Says whether an instance's payment is overdue.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct overdue_in),
    .in = FIELDS(F_STR(struct overdue_in, inst, "instanceId", .required = true, .format = FMT_ID),
                 F_BOOL(struct overdue_in, overdue, "overdue", .required = true),
                 F_STR(struct overdue_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND),
    .run = set_overdue,
};

/* ---- disks ---- */

struct disk_in {
    const char *account, *disk, *inst;
};

struct disk_out {
    const char *disk;
    enum disk_kind kind;
};

/* The disk that an instance's user is likeliest to lose: a local one, else a data disk, else the
 * system disk. */
static bool weakest_disk(struct call *c, const char *inst, struct disk *ret)
{
    static const enum disk_kind order[] = {DISK_LOCAL, DISK_DATA, DISK_SYSTEM};

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct query q = {.order = "slot,id"};

        query_text(&q, "inst", CMP_EQ, inst);
        query_num(&q, "kind", CMP_EQ, order[i]);
        if (store_first(c->op.tx, &rec_disk, &q, ret))
            return true;
    }
    return false;
}

static enum err find_disk(struct call *c, const struct disk_in *in, struct disk *ret)
{
    struct inst owner;

    if (in->disk && in->inst)
        return fail_param(c->op.fail, ERR_PARAM_CONFLICT, "diskId",
                          "diskId and instanceId name two things; give one");
    if (in->disk) {
        if (store_get(c->op.tx, &rec_disk, in->disk, ret) &&
            (!c->op.account || streq(c->op.account, ret->account)))
            return ERR_NONE;
        return fail(c->op.fail, ERR_DISK_NOT_FOUND, "there is no disk '%s'", in->disk);
    }
    if (!in->inst)
        return fail_param(c->op.fail, ERR_NEEDED, "diskId", "diskId or instanceId is needed");
    enum err e = inst_get(&c->op, in->inst, &owner);
    if (e)
        return e;
    if (!weakest_disk(c, owner.id, ret))
        return fail(c->op.fail, ERR_DISK_NOT_FOUND, "instance '%s' has no disk", owner.id);
    return ERR_NONE;
}

static enum err set_failed(struct call *c, const struct disk_in *in, struct disk_out *out,
                           bool failed)
{
    struct disk d;
    enum err e = control_scope(c, in->account);

    if (e || (e = find_disk(c, in, &d)))
        return e;
    *out = (struct disk_out){.disk = d.id, .kind = d.kind};
    return disk_fail(&c->op, d.id, failed);
}

static enum err fail_disk(struct call *c, const void *in, void *out)
{
    return set_failed(c, in, out, true);
}

static enum err heal_disk(struct call *c, const void *in, void *out)
{
    return set_failed(c, in, out, false);
}

static void encode_disk(struct call *c, const void *out_, struct enc *e)
{
    static const char *const kinds[] = {
        [DISK_SYSTEM] = "system", [DISK_DATA] = "data", [DISK_LOCAL] = "local"};
    const struct disk_out *out = out_;

    (void)c;
    enc_str(e, "diskId", out->disk);
    enc_str(e, "kind", kinds[out->kind]);
}

#define DISK_FIELDS                                                                                \
    FIELDS(F_STR(struct disk_in, disk, "diskId", .format = FMT_ID),                                \
           F_STR(struct disk_in, inst, "instanceId", .format = FMT_ID,                             \
                 .text = "Stands for its first local disk, else its first data disk, else its "    \
                         "system disk."),                                                          \
           F_STR(struct disk_in, account, "account", .format = FMT_ID))
#define DISK_ERRORS                                                                                \
    ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_DISK_NOT_FOUND, ERR_NEEDED,              \
           ERR_PARAM_CONFLICT)

const struct action op_fail_disk = {
    .name = "FailDisk",
    .summary = "Breaks a disk's medium; its instance cannot be started.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct disk_in),
    .out_size = sizeof(struct disk_out),
    .in = DISK_FIELDS,
    .errors = DISK_ERRORS,
    .run = fail_disk,
    .encode = encode_disk,
};

const struct action op_heal_disk = {
    .name = "HealDisk",
    .summary = "Mends a disk that was broken.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct disk_in),
    .out_size = sizeof(struct disk_out),
    .in = DISK_FIELDS,
    .errors = DISK_ERRORS,
    .run = heal_disk,
    .encode = encode_disk,
};

/* ---- keys of encrypted disks ---- */

struct kms_in {
    const char *account, *key;
};

struct kms_out {
    const char **ids;
    size_t n;
};

/* One key, or all of an account, or all there are. */
static enum err set_granted(struct call *c, const struct kms_in *in, struct kms_out *out,
                            bool granted)
{
    struct query q = {.order = "created_at,id"};
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (in->key)
        query_text(&q, "id", CMP_EQ, in->key);
    if (c->op.account)
        query_text(&q, "account", CMP_EQ, c->op.account);
    struct kms_key *keys = store_find(c->op.tx, &rec_kms_key, &q, &out->n);
    if (in->key && !out->n)
        return fail(c->op.fail, ERR_KMS_NOT_FOUND, "there is no key '%s'", in->key);
    out->ids = ARENA_ARRAY(c->arena, const char *, out->n + 1);
    for (size_t i = 0; i < out->n; i++) {
        out->ids[i] = keys[i].id;
        if ((e = kms_grant(&c->op, keys[i].id, granted)))
            return e;
    }
    return ERR_NONE;
}

static enum err grant_kms(struct call *c, const void *in, void *out)
{
    return set_granted(c, in, out, true);
}

static enum err revoke_kms(struct call *c, const void *in, void *out)
{
    return set_granted(c, in, out, false);
}

static void encode_keys(struct call *c, const void *out_, struct enc *e)
{
    const struct kms_out *out = out_;

    (void)c;
    enc_strs(e, "keyIds", "keyId", out->ids, out->n);
}

#define KMS_FIELDS                                                                                 \
    FIELDS(F_STR(struct kms_in, key, "keyId", .format = FMT_ID,                                    \
                 .text = "Without one, every key of the account, or of all accounts."),            \
           F_STR(struct kms_in, account, "account", .format = FMT_ID))

const struct action op_grant_kms = {
    .name = "GrantKms",
    .summary = "Lets the service use the keys of encrypted disks.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct kms_in),
    .out_size = sizeof(struct kms_out),
    .in = KMS_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_KMS_NOT_FOUND),
    .run = grant_kms,
    .encode = encode_keys,
};

const struct action op_revoke_kms = {
    .name = "RevokeKms",
    .summary =
        "Forbids the service the keys of encrypted disks; their instances cannot be started.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct kms_in),
    .out_size = sizeof(struct kms_out),
    .in = KMS_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_KMS_NOT_FOUND),
    .run = revoke_kms,
    .encode = encode_keys,
};
