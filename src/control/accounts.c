/* Accounts and their access keys. */
#include "control/listing.h"
#include "control/snapshots.h"
#include "core/billing.h"

static void encode_account(struct call *c, const void *row, struct enc *e)
{
    const struct account *a = row;

    enc_str(e, "account", a->id);
    enc_str(e, "name", a->name);
    enc_bool(e, "recycleBin", a->recycle_bin);
    enc_int(e, "recycleHours", a->recycle_hours);
    control_enc_time(c, e, "createdAt", a->created_at);
}

/* ---- making ---- */

struct create_in {
    const char *name;
    bool key;
};

struct create_out {
    struct account account;
    const char *key, *secret; /* NULL: not asked for */
};

static enum err create(struct call *c, const void *in_, void *out_)
{
    const struct create_in *in = in_;
    struct create_out *out = out_;
    enum err e = account_create(&c->op, NULL, in->name, &out->account);

    if (e || !in->key)
        return e;
    c->op.account = out->account.id;
    return access_key_create(&c->op, out->account.id, &out->key, &out->secret);
}

static void encode_created(struct call *c, const void *out_, struct enc *e)
{
    const struct create_out *out = out_;

    encode_account(c, &out->account, e);
    if (!out->key)
        return;
    enc_str(e, "accessKeyId", out->key);
    enc_str(e, "accessKeySecret", out->secret);
}

const struct action op_create_account = {
    .name = "CreateAccount",
    .summary = "Makes an account, and an access key for it when asked to.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct create_in),
    .out_size = sizeof(struct create_out),
    .in = FIELDS(F_STR(struct create_in, name, "name", .required = true, .format = FMT_NAME),
                 F_BOOL(struct create_in, key, "accessKey",
                        .text = "Also makes an access key; its secret is told here, once.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = create,
    .encode = encode_created,
};

/* ---- taking away ---- */

struct delete_in {
    const char *account;
    bool force;
};

static enum err check_unused(struct call *c, const struct delete_in *in)
{
    struct query mine = {0};

    if (store_count(c->op.tx, &rec_account, &(struct query){0}) < 2)
        return fail(c->op.fail, ERR_ACCOUNT_IN_USE,
                    "'%s' is the only account; `ostler reset --account %s` takes its things away",
                    in->account, in->account);
    query_text(&mine, "account", CMP_EQ, in->account);
    int64_t n = store_count(c->op.tx, &rec_inst, &mine);
    if (n && !in->force)
        return fail(c->op.fail, ERR_ACCOUNT_IN_USE,
                    "the account '%s' has %lld instances; `ostler account rm %s --force` releases "
                    "them, too",
                    in->account, (long long)n, in->account);
    return ERR_NONE;
}

static enum err delete_account(struct call *c, const void *in_, void *out)
{
    const struct delete_in *in = in_;
    enum err e = control_scope(c, in->account);

    if (e || (e = check_unused(c, in)))
        return e;
    return control_chore(c, &(struct chore){.key = in->account, .kind = CHORE_REMOVE}, out);
}

const struct action op_delete_account = {
    .name = "DeleteAccount",
    .summary = "Takes an account away with all that it has.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct delete_in),
    .out_size = sizeof(struct chore_out),
    .in = FIELDS(F_STR(struct delete_in, account, "account", .required = true, .format = FMT_ID),
                 F_BOOL(struct delete_in, force, "force",
                        .text = "Also one with instances, which are released.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_ACCOUNT_IN_USE),
    .run = delete_account,
    .settled = control_chore_settled,
};

/* ---- listing ---- */

const struct action op_list_accounts = {
    .name = "ListAccounts",
    .summary = "Lists accounts, oldest first.",
    .perm = PERM_OPERATOR,
    .in = FIELDS(F_IGNORED("account")),
    LISTING(.rec = &rec_account, .order = "created_at,id", .limit = 1000, .list = "accounts",
            .item = "account", .encode = encode_account),
};

/* ---- settings ---- */

struct set_in {
    const char *account, *name;
    bool recycle_bin, has_recycle_bin, has_recycle_hours;
    int64_t recycle_hours;
};

static enum err set(struct call *c, const void *in_, void *out_)
{
    const struct set_in *in = in_;
    struct account *a = out_;
    enum err e = control_owner(c, in->account, a);

    if (e)
        return e;
    if (in->name)
        a->name = in->name;
    if (in->has_recycle_bin)
        a->recycle_bin = in->recycle_bin;
    if (in->has_recycle_hours)
        a->recycle_hours = in->recycle_hours;
    store_update(c->op.tx, &rec_account, a);
    if (in->has_recycle_hours)
        bin_changed(&c->op, a);
    event_append(&c->op, a->id, "account-set",
                 arena_fmt(c->arena, "recycle bin %s, %lld hours", a->recycle_bin ? "on" : "off",
                           (long long)a->recycle_hours));
    return ERR_NONE;
}

const struct action op_set_account = {
    .name = "SetAccount",
    .summary = "Changes an account's name or its recycle bin.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct set_in),
    .out_size = sizeof(struct account),
    .in = FIELDS(F_STR(struct set_in, account, "account", .format = FMT_ID,
                       .text = "Without one, the oldest account."),
                 F_STR(struct set_in, name, "name", .format = FMT_NAME),
                 F_BOOL(struct set_in, recycle_bin, "recycleBin",
                        .has = HAS(struct set_in, has_recycle_bin)),
                 F_INT(struct set_in, recycle_hours, "recycleHours",
                       .has = HAS(struct set_in, has_recycle_hours), .min = 1, .max = 8760)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = set,
    .encode = encode_account,
};

/* ---- access keys ---- */

struct owner_in {
    const char *account;
};

#define OWNER_FIELDS                                                                               \
    FIELDS(F_STR(struct owner_in, account, "account", .format = FMT_ID,                            \
                 .text = "Without one, the oldest account."))

struct key_out {
    const char *id, *secret, *account;
};

static enum err create_key(struct call *c, const void *in_, void *out_)
{
    const struct owner_in *in = in_;
    struct key_out *out = out_;
    struct account a;
    enum err e = control_owner(c, in->account, &a);

    if (e)
        return e;
    out->account = a.id;
    return access_key_create(&c->op, a.id, &out->id, &out->secret);
}

static void encode_new_key(struct call *c, const void *out_, struct enc *e)
{
    const struct key_out *out = out_;

    (void)c;
    enc_str(e, "accessKeyId", out->id);
    enc_str(e, "accessKeySecret", out->secret);
    enc_str(e, "account", out->account);
}

const struct action op_create_access_key = {
    .name = "CreateAccessKey",
    .summary = "Makes an access key and tells its secret.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct owner_in),
    .out_size = sizeof(struct key_out),
    .in = OWNER_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = create_key,
    .encode = encode_new_key,
};

static void encode_key(struct call *c, const void *row, struct enc *e)
{
    const struct access_key *key = row;

    enc_str(e, "accessKeyId", key->id);
    enc_str(e, "account", key->account);
    enc_bool(e, "active", key->active);
    control_enc_time(c, e, "createdAt", key->created_at);
}

const struct action op_list_access_keys = {
    .name = "ListAccessKeys",
    .summary = "Lists access keys, without their secrets.",
    .perm = PERM_OPERATOR,
    .in = LISTING_FIELDS(),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    LISTING(.rec = &rec_access_key, .order = "created_at,id", .limit = 1000, .list = "accessKeys",
            .item = "accessKey", .encode = encode_key),
};

struct key_in {
    const char *account, *id;
    bool active;
};

static enum err find_key(struct call *c, const struct key_in *in, struct access_key *ret)
{
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (!store_get(c->op.tx, &rec_access_key, in->id, ret) ||
        (c->op.account && !streq(c->op.account, ret->account)))
        return fail(c->op.fail, ERR_ACCESS_KEY_NOT_FOUND, "there is no access key '%s'", in->id);
    return ERR_NONE;
}

static enum err set_key(struct call *c, const void *in_, void *out)
{
    const struct key_in *in = in_;
    struct access_key key;
    enum err e = find_key(c, in, &key);

    (void)out;
    if (e)
        return e;
    key.active = in->active;
    store_update(c->op.tx, &rec_access_key, &key);
    event_append(&c->op, key.id, in->active ? "access-key-enabled" : "access-key-disabled", NULL);
    return ERR_NONE;
}

const struct action op_set_access_key_status = {
    .name = "SetAccessKeyStatus",
    .summary = "Enables or disables an access key.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct key_in),
    .in = FIELDS(F_STR(struct key_in, id, "accessKeyId", .required = true, .format = FMT_ID),
                 F_BOOL(struct key_in, active, "active", .required = true),
                 F_STR(struct key_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_ACCESS_KEY_NOT_FOUND),
    .run = set_key,
};

static enum err delete_key(struct call *c, const void *in, void *out)
{
    struct access_key key;
    enum err e = find_key(c, in, &key);

    (void)out;
    if (e)
        return e;
    store_delete(c->op.tx, &rec_access_key, key.id);
    event_append(&c->op, key.id, "access-key-deleted", NULL);
    return ERR_NONE;
}

const struct action op_delete_access_key = {
    .name = "DeleteAccessKey",
    .summary = "Deletes an access key.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct key_in),
    .in = FIELDS(F_STR(struct key_in, id, "accessKeyId", .required = true, .format = FMT_ID),
                 F_STR(struct key_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_ACCESS_KEY_NOT_FOUND),
    .run = delete_key,
};
