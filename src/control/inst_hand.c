/* Putting an instance into the states that a user cannot reach alone: locked, expired, overdue,
 * refunded, recycled, with a key that may not be used. */
#include "control/control.h"
#include "core/inst.h"

/* ---- locks, expiry, arrears ---- */

struct lock_in {
    const char *account, *inst, *reason;
};

/* As the clouds spell them, but in small letters. */
#define LOCK_REASONS "security", "financial", "recycling", "dedicatedhostfinancial", "refunded"

static enum lock_reason reason_of(const char *name)
{
    static const char *const names[] = {LOCK_REASONS}; /* by bit */

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (streq(names[i], name))
            return (enum lock_reason)(1U << i);
    return LOCK_SECURITY;
}

static enum err set_lock(struct call *c, const struct lock_in *in, bool locked)
{
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    return inst_lock(&c->op, in->inst, reason_of(in->reason), locked);
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
                 .values = VALUES(LOCK_REASONS)),                                                  \
           F_STR(struct lock_in, account, "account", .format = FMT_ID))

const struct action op_lock_instance = {
    .name = "LockInstance",
    .summary = "Locks an instance for one of the clouds' reasons.",
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

static enum err expire(struct call *c, const void *in, void *out)
{
    (void)out;
    return control_on_inst(c, in, inst_expire);
}

const struct action op_expire_instance = {
    .name = "ExpireInstance",
    .summary = "Ends a prepaid instance's subscription now.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct control_inst),
    .in = CONTROL_INST_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE),
    .run = expire,
};

static enum err refund(struct call *c, const void *in, void *out)
{
    (void)out;
    return control_on_inst(c, in, inst_refund);
}

const struct action op_refund_instance = {
    .name = "RefundInstance",
    .summary = "Pays a prepaid instance's subscription back: it is locked and stopped.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct control_inst),
    .in = CONTROL_INST_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE),
    .run = refund,
};

static enum err recycle(struct call *c, const void *in, void *out)
{
    (void)out;
    return control_on_inst(c, in, inst_recycle);
}

const struct action op_recycle_instance = {
    .name = "RecycleInstance",
    .summary = "Puts an instance into the recycle bin.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct control_inst),
    .in = CONTROL_INST_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_INST_RECYCLED, ERR_INST_STATE,
                     ERR_INST_BUSY, ERR_INST_INITIALIZING),
    .run = recycle,
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

/* ---- keys of encrypted disks ---- */

struct kms_in {
    const char *account, *key;
};

struct kms_out {
    const char **ids;
    size_t n;
};

/* One key, or all of an account, or all there are. */
static enum err set_kms(struct call *c, const struct kms_in *in, struct kms_out *out,
                        enum kms_mark mark, bool on)
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
        if ((e = kms_set(&c->op, keys[i].id, mark, on)))
            return e;
    }
    return ERR_NONE;
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

#define KMS_ACTION(id, wire, mark, on, what)                                                       \
    static enum err id##_run(struct call *c, const void *in, void *out)                            \
    {                                                                                              \
        return set_kms(c, in, out, mark, on);                                                      \
    }                                                                                              \
    const struct action op_##id = {                                                                \
        .name = wire,                                                                              \
        .summary = what,                                                                           \
        .perm = PERM_OPERATOR,                                                                     \
        .access = ACCESS_WRITE,                                                                    \
        .in_size = sizeof(struct kms_in),                                                          \
        .out_size = sizeof(struct kms_out),                                                        \
        .in = KMS_FIELDS,                                                                          \
        .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_KMS_NOT_FOUND),                                \
        .run = id##_run,                                                                           \
        .encode = encode_keys,                                                                     \
    }

KMS_ACTION(grant_kms, "GrantKms", KMS_GRANTED, true,
           "Lets the service use the keys of encrypted disks.");
KMS_ACTION(revoke_kms, "RevokeKms", KMS_GRANTED, false,
           "Forbids the service the keys of encrypted disks; their instances cannot be started.");
KMS_ACTION(enable_kms, "EnableKms", KMS_ENABLED, true, "Enables keys of encrypted disks.");
KMS_ACTION(disable_kms, "DisableKms", KMS_ENABLED, false,
           "Disables keys of encrypted disks; their instances cannot be started.");
KMS_ACTION(tag_kms, "TagKms", KMS_TAGGED, true,
           "Gives keys the tag that lets the service use them.");
KMS_ACTION(untag_kms, "UntagKms", KMS_TAGGED, false,
           "Takes the service's tag from keys; their instances cannot be started.");
KMS_ACTION(restore_kms, "RestoreKms", KMS_PRESENT, true, "Brings removed keys back.");
KMS_ACTION(remove_kms, "RemoveKms", KMS_PRESENT, false,
           "Makes keys as unknown as if they did not exist, until they are restored.");
