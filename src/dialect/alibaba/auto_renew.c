/* ModifyInstanceAutoRenewAttribute and DescribeInstanceAutoRenewAttribute. */
#include "core/billing.h"
#include "core/lists.h"
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/attrs.h"
#include "dialect/alibaba/page.h"
#include "dialect/alibaba/region.h"
#include "dialect/alibaba/renewal.h"

enum { MAX_IDS = 100 };

/* "i-1,i-2"; none of them twice. */
static enum err read_ids(struct call *c, const char *text, const char ***ret, size_t *ret_n)
{
    *ret = list_split(c->arena, text, ret_n);
    if (*ret_n > MAX_IDS)
        return fail(&c->fail, ERR_TOO_MANY_IDS, "there are more than %d ids", MAX_IDS);
    return ERR_NONE;
}

#define STATUSES VALUES("AutoRenewal", "Normal", "NotRenewal")
#define CHARGE_ROW                                                                                 \
    {                                                                                              \
        ERR_CHARGE_TYPE, 403, "ChargeTypeViolation",                                               \
            "The operation is not permitted due to charge type of the instance."                   \
    }

/* ---- changing it ---- */

struct modify_in {
    const char *region, *ids, *unit, *status;
    bool auto_renew;
    int64_t duration;
};

static enum err modify_one(struct call *c, const struct modify_in *in, const char *id)
{
    const char *status = in->status ? in->status : in->auto_renew ? "AutoRenewal" : "Normal";
    bool renews = streq(status, "AutoRenewal");
    struct period p = {.n = renews ? in->duration : 0, .weeks = streq(in->unit, "Week")};
    enum err e = inst_set_renewal(&c->op, id, p);

    if (!e)
        attr_note(c, id, "RenewalStatus", streq(status, "NotRenewal") ? status : NULL);
    return e;
}

static enum err modify(struct call *c, const void *in_, void *out)
{
    const struct modify_in *in = in_;
    const char **ids;
    size_t n;
    enum err e = region_check(c, in->region);

    (void)out;
    if (e || (e = read_ids(c, in->ids, &ids, &n)))
        return e;
    if (!renewal_period_ok(in->duration, in->unit))
        return fail_param(&c->fail, ERR_PARAM_VALUE, "Duration", "there is no such period");
    for (size_t i = 0; i < n; i++)
        if ((e = modify_one(c, in, ids[i])))
            return e;
    return ERR_NONE;
}

const struct action ali_modify_instance_auto_renew_attribute = {
    .name = "ModifyInstanceAutoRenewAttribute",
    .versions = ECS_VERSIONS,
    .summary = "Say whether subscription instances renew themselves.",
    .perm = PERM_CREATE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct modify_in),
    .in = FIELDS(F_STR(struct modify_in, region, "RegionId", .required = true),
                 F_STR(struct modify_in, ids, "InstanceId", .required = true,
                       .text = "Up to 100, separated by commas."),
                 F_BOOL(struct modify_in, auto_renew, "AutoRenew"),
                 F_INT(struct modify_in, duration, "Duration", .def = 1,
                       .text = "1, 2, 3, 6, 12, 24, 36, 48 or 60 months; 1 to 3 weeks."),
                 F_STR(struct modify_in, unit, "PeriodUnit", .def_str = "Month",
                       .values = VALUES("Month", "Week")),
                 F_STR(struct modify_in, status, "RenewalStatus", .values = STATUSES,
                       .text = "Stands over AutoRenew.")),
    .errors = ERRORS(ERR_REGION_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE, ERR_TOO_MANY_IDS),
    .rows = ERR_ROWS(CHARGE_ROW),
    .run = modify,
};

/* ---- showing it ---- */

struct describe_in {
    const char *region, *ids, *status;
    struct page_in page;
};

struct shown {
    const char *id, *status;
    struct period period;
};

struct describe_out {
    struct shown *v;
    size_t n;
    int64_t total;
    struct page_in page;
};

static struct shown show(struct call *c, const struct inst *in)
{
    json_t *attrs CLEANUP(json_unref_p) = attrs_load(in->attrs);
    struct shown s = {.id = in->id, .period = inst_renewal(&c->op, in->id)};

    s.status = s.period.n                                                   ? "AutoRenewal"
               : streq(attrs_str(attrs, "RenewalStatus", ""), "NotRenewal") ? "NotRenewal"
                                                                            : "Normal";
    return s;
}

static enum err describe(struct call *c, const void *in_, void *out_)
{
    const struct describe_in *in = in_;
    struct describe_out *out = out_;
    struct query q = {0};
    const char **ids;
    size_t n_ids, n;
    enum err e = region_check(c, in->region);

    if (e || (e = read_ids(c, in->ids ? in->ids : "", &ids, &n_ids)))
        return e;
    query_text(&q, "account", CMP_EQ, c->op.account);
    query_text(&q, "region", CMP_EQ, in->region);
    query_num(&q, "charge", CMP_EQ, CHARGE_PREPAID);
    if (n_ids)
        query_in(&q, "id", ids, n_ids);
    const struct inst *rows = store_find(c->op.tx, &rec_inst, &q, &n);
    size_t from = (size_t)((in->page.number - 1) * in->page.size),
           to = from + (size_t)in->page.size;
    out->page = in->page;
    out->v = ARENA_ARRAY(c->arena, struct shown, (size_t)in->page.size + 1);
    for (size_t i = 0; i < n; i++) {
        struct shown s = show(c, &rows[i]);
        size_t at = (size_t)out->total;

        if (in->status && !streq(s.status, in->status))
            continue;
        if (at >= from && at < to)
            out->v[out->n++] = s;
        out->total++;
    }
    return ERR_NONE;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct describe_out *out = out_;

    (void)c;
    enc_list(e, "InstanceRenewAttributes", "InstanceRenewAttribute");
    for (size_t i = 0; i < out->n; i++) {
        const struct shown *s = &out->v[i];

        enc_obj(e, NULL);
        enc_str(e, "InstanceId", s->id);
        enc_bool(e, "AutoRenewEnabled", s->period.n > 0);
        enc_int(e, "Duration", s->period.n);
        enc_str(e, "PeriodUnit", s->period.weeks ? "Week" : "Month");
        enc_str(e, "RenewalStatus", s->status);
        enc_bool(e, "EnableExpectedRenewDay", false);
        enc_end(e);
    }
    enc_end(e);
    enc_int(e, "TotalCount", out->total);
    enc_int(e, "PageNumber", out->page.number);
    enc_int(e, "PageSize", out->page.size);
}

const struct action ali_describe_instance_auto_renew_attribute = {
    .name = "DescribeInstanceAutoRenewAttribute",
    .versions = ECS_VERSIONS,
    .summary = "Tell whether subscription instances renew themselves.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct describe_in),
    .out_size = sizeof(struct describe_out),
    .in = FIELDS(
        F_STR(struct describe_in, region, "RegionId", .required = true),
        F_STR(struct describe_in, ids, "InstanceId", .text = "Up to 100, separated by commas."),
        F_STR(struct describe_in, status, "RenewalStatus", .values = STATUSES),
        PAGE_FIELDS(struct describe_in, 100)),
    .errors = ERRORS(ERR_REGION_NOT_FOUND, ERR_TOO_MANY_IDS),
    .run = describe,
    .encode = encode,
};
