/* How much there is: stock, quotas, balance, hosts that work. */
#include "core/capacity.h"

#include "control/listing.h"

/* ---- limits ---- */

struct set_in {
    const char *kind, *account, *zone, *type;
    int64_t count;
    bool has_count;
};

static const char *const kinds[] = {
    [CAPACITY_STOCK] = "stock", [CAPACITY_QUOTA] = "quota", [CAPACITY_CPU] = "cpu", NULL};

static enum capacity_kind kind_of(const char *word)
{
    for (size_t i = 0; kinds[i]; i++)
        if (streq(kinds[i], word))
            return (enum capacity_kind)i;
    return CAPACITY_STOCK;
}

static enum err set(struct call *c, const void *in_, void *out)
{
    const struct set_in *in = in_;
    enum err e = control_scope(c, in->account);

    (void)out;
    return e ? e
             : capacity_set(&c->op, kind_of(in->kind), c->op.account ? c->op.account : "",
                            in->zone ? in->zone : "", in->type ? in->type : "",
                            in->has_count ? in->count : -1);
}

const struct action op_set_capacity = {
    .name = "SetCapacity",
    .summary = "Says how many instances there is room for, or how many a quota allows.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct set_in),
    .in = FIELDS(
        F_STR(struct set_in, kind, "kind", .def_str = "stock", .values = kinds,
              .text = "stock counts what is not off, quota all there are, cpu their processors."),
        F_STR(struct set_in, zone, "zone", .format = FMT_ID),
        F_STR(struct set_in, type, "instanceType", .format = FMT_ID),
        F_INT(struct set_in, count, "count", .has = HAS(struct set_in, has_count), .min = 0,
              .max = 1000000000, .text = "Without one there is no such limit."),
        F_STR(struct set_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_ZONE_NOT_FOUND, ERR_TYPE_NOT_FOUND),
    .run = set,
};

static void encode_limit(struct call *c, const void *row, struct enc *e)
{
    const struct capacity *r = row;

    (void)c;
    enc_str(e, "kind", kinds[r->kind]);
    enc_str(e, "zone", r->zone);
    enc_str(e, "instanceType", r->type);
    enc_str(e, "account", r->account);
    enc_int(e, "count", r->count);
}

struct list_out {
    struct listed limits;
    const char **repaired, **used_up;
    size_t n_repaired, n_used_up;
};

static enum err list(struct call *c, const void *in, void *out_)
{
    struct list_out *out = out_;
    enum err e = listing_run(c, in, &out->limits);

    if (e)
        return e;
    out->repaired = hosts_repaired(&c->op, &out->n_repaired);
    out->used_up = balances_used_up(&c->op, &out->n_used_up);
    return ERR_NONE;
}

static void encode_list(struct call *c, const void *out_, struct enc *e)
{
    const struct list_out *out = out_;

    listing_encode(c, &out->limits, e);
    enc_strs(e, "zonesUnderRepair", "zone", out->repaired, out->n_repaired);
    enc_strs(e, "accountsWithoutBalance", "account", out->used_up, out->n_used_up);
}

const struct action op_list_capacity = {
    .name = "ListCapacity",
    .summary = "Lists limits, zones whose hosts are being repaired (\"\": all), and accounts "
               "without a balance.",
    .perm = PERM_CONTROL,
    .access = ACCESS_READ,
    .in_size = sizeof(struct listing_in),
    .out_size = sizeof(struct list_out),
    .in = LISTING_FIELDS(),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = list,
    .encode = encode_list,
    .data = &(const struct listing){.rec = &rec_capacity,
                                    .order = "key",
                                    .list = "limits",
                                    .item = "limit",
                                    .encode = encode_limit},
};

/* ---- hosts ---- */

struct hosts_in {
    const char *zone;
    bool on;
};

static enum err repair(struct call *c, const void *in_, void *out)
{
    const struct hosts_in *in = in_;

    (void)out;
    return hosts_repair(&c->op, in->zone ? in->zone : "", in->on);
}

const struct action op_set_host_repair = {
    .name = "SetHostRepair",
    .summary = "Says whether the hosts of a zone, or all, are being repaired: then nothing starts.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct hosts_in),
    .in = FIELDS(F_BOOL(struct hosts_in, on, "repair", .required = true),
                 F_STR(struct hosts_in, zone, "zone", .format = FMT_ID)),
    .errors = ERRORS(ERR_ZONE_NOT_FOUND),
    .run = repair,
};

/* ---- balance ---- */

struct balance_in {
    const char *account, *balance;
};

struct balance_out {
    struct account account;
};

static enum err balance(struct call *c, const void *in_, void *out_)
{
    const struct balance_in *in = in_;
    struct balance_out *out = out_;
    enum err e = control_owner(c, in->account, &out->account);

    if (!e)
        balance_set(&c->op, out->account.id, streq(in->balance, "none"));
    return e;
}

static void encode_balance(struct call *c, const void *out_, struct enc *e)
{
    const struct balance_out *out = out_;

    (void)c;
    enc_str(e, "account", out->account.id);
}

const struct action op_set_balance = {
    .name = "SetBalance",
    .summary = "Says whether an account has a balance; without one nothing is created or started.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct balance_in),
    .out_size = sizeof(struct balance_out),
    .in = FIELDS(F_STR(struct balance_in, balance, "balance", .required = true,
                       .values = VALUES("ok", "none")),
                 F_STR(struct balance_in, account, "account", .format = FMT_ID,
                       .text = "Without one, the oldest account.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = balance,
    .encode = encode_balance,
};
