/* Disks: broken, in arrears, full, or returning errors. */
#include "control/control.h"
#include "core/harm.h"
#include "core/inst.h"

struct disk_in {
    const char *account, *disk, *inst;
    bool full, overdue;
};

struct disk_out {
    const char *disk;
    enum disk_kind kind;
    const char *asked; /* the instance whose machine is to be told; NULL: none */
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

/* The disk that is meant, also as the answer's. */
static enum err begin(struct call *c, const struct disk_in *in, struct disk_out *out)
{
    struct disk d;
    enum err e = control_scope(c, in->account);

    if (e || (e = find_disk(c, in, &d)))
        return e;
    *out = (struct disk_out){.disk = d.id, .kind = d.kind};
    return ERR_NONE;
}

static enum err fail_disk(struct call *c, const void *in, void *out_)
{
    struct disk_out *out = out_;
    enum err e = begin(c, in, out);

    return e ? e : disk_fail(&c->op, out->disk, true);
}

/* Of a broken medium, of errors, of being full. */
static enum err heal_disk(struct call *c, const void *in, void *out_)
{
    struct disk_out *out = out_;
    enum err e = begin(c, in, out);

    if (e || (e = disk_set_trouble(&c->op, out->disk, DISK_SOUND, &out->asked)))
        return e;
    return disk_fail(&c->op, out->disk, false);
}

static enum err trouble_disk(struct call *c, const void *in_, void *out_)
{
    const struct disk_in *in = in_;
    struct disk_out *out = out_;
    enum err e = begin(c, in, out);

    return e ? e
             : disk_set_trouble(&c->op, out->disk, in->full ? DISK_FULL : DISK_ERRORS, &out->asked);
}

static bool settled(struct call *c, const void *in, void *out_, enum err *ret)
{
    const struct disk_out *out = out_;

    (void)in;
    return !out->asked || harm_settled(&c->op, out->asked, ret);
}

static enum err set_overdue(struct call *c, const void *in_, void *out_)
{
    const struct disk_in *in = in_;
    struct disk_out *out = out_;
    enum err e = begin(c, in, out);

    return e ? e : disk_overdue(&c->op, out->disk, in->overdue);
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
    F_STR(struct disk_in, disk, "diskId", .format = FMT_ID),                                       \
        F_STR(struct disk_in, inst, "instanceId", .format = FMT_ID,                                \
              .text = "Stands for its first local disk, else its first data disk, else its "       \
                      "system disk."),                                                             \
        F_STR(struct disk_in, account, "account", .format = FMT_ID)
#define DISK_ERRORS                                                                                \
    ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_DISK_NOT_FOUND, ERR_NEEDED, ERR_PARAM_CONFLICT

const struct action op_fail_disk = {
    .name = "FailDisk",
    .summary = "Breaks a disk's medium; its instance cannot be started.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct disk_in),
    .out_size = sizeof(struct disk_out),
    .in = FIELDS(DISK_FIELDS),
    .errors = ERRORS(DISK_ERRORS),
    .run = fail_disk,
    .encode = encode_disk,
};

const struct action op_heal_disk = {
    .name = "HealDisk",
    .summary = "Mends a disk that was broken, returned errors or was full.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct disk_in),
    .out_size = sizeof(struct disk_out),
    .in = FIELDS(DISK_FIELDS),
    .errors = ERRORS(DISK_ERRORS, ERR_INST_BUSY, ERR_INST_STATE),
    .run = heal_disk,
    .encode = encode_disk,
    .settled = settled,
};

const struct action op_set_disk_overdue = {
    .name = "SetDiskOverdue",
    .summary = "Says whether a disk's payment is overdue; then its instance cannot be started.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct disk_in),
    .out_size = sizeof(struct disk_out),
    .in = FIELDS(DISK_FIELDS, F_BOOL(struct disk_in, overdue, "overdue", .required = true)),
    .errors = ERRORS(DISK_ERRORS),
    .run = set_overdue,
    .encode = encode_disk,
};

const struct action op_trouble_disk = {
    .name = "TroubleDisk",
    .summary = "A disk returns errors to its guest, or finds no room for what it writes.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct disk_in),
    .out_size = sizeof(struct disk_out),
    .in = FIELDS(DISK_FIELDS, F_BOOL(struct disk_in, full, "full",
                                     .text = "It is full: the machine waits when it writes.")),
    .errors = ERRORS(DISK_ERRORS, ERR_INST_BUSY, ERR_INST_STATE),
    .run = trouble_disk,
    .encode = encode_disk,
    .settled = settled,
};
