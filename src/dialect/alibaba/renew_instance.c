/* RenewInstance. */
#include "core/billing.h"
#include "core/ids.h"
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/renewal.h"
#include "dialect/alibaba/token.h"

struct in {
    const char *id, *unit, *token;
    int64_t period, day;
    bool has_period, has_day;
};

struct out {
    const char *order;
};

static enum err check(struct call *c, const struct in *in)
{
    if (in->has_day)
        return errors_unsupported(c, "ExpectedRenewDay");
    if (!in->has_period)
        return fail_param(&c->fail, ERR_NEEDED, "Period", "a renewal needs a period");
    if (!period_ok(in->period, in->unit))
        return fail_param(&c->fail, ERR_PERIOD, "Period", "there is no such period");
    return ERR_NONE;
}

/* The same token renews once: its outcome is the order. */
static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    struct token token = {.text = in->token};
    struct created made = {0};
    struct inst inst;
    bool found;
    enum err e;

    if ((e = token_find(c, &token, &found, &made)))
        return e;
    if (found) {
        out->order = made.n ? made.ids[0] : "";
        return ERR_NONE;
    }
    if ((e = check(c, in)) ||
        (e = inst_renew(&c->op, in->id, (struct period){in->period, streq(in->unit, "Week")},
                        &inst)))
        return e;
    out->order = id_decimal(&c->op);
    token_save(c, &token, &(struct created){.ids = &out->order, .n = 1});
    return ERR_NONE;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    (void)c;
    enc_str(e, "OrderId", out->order);
}

const struct action ali_renew_instance = {
    .name = "RenewInstance",
    .versions = ECS_VERSIONS,
    .summary = "Renew a subscription instance.",
    .perm = PERM_CREATE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
              .bad = ERR_INST_NOT_FOUND),
        F_INT(struct in, period, "Period", .has = HAS(struct in, has_period), .bad = ERR_PERIOD,
              .text = "1 to 9, 12, 24, 36, 48, 60 months; 1 to 4 weeks."),
        F_STR(struct in, unit, "PeriodUnit", .def_str = "Month", .values = VALUES("Month", "Week")),
        F_INT(struct in, day, "ExpectedRenewDay", .has = HAS(struct in, has_day)),
        F_STR(struct in, token, "ClientToken")),
    .errors = ERRORS(ERR_INST_NOT_FOUND, ERR_PERIOD, ERR_CHARGE_TYPE, ERR_INST_STATE,
                     ERR_INST_RECYCLED, ERR_INST_LOCKED, ERR_TOKEN_FORMAT, ERR_TOKEN_MISMATCH),
    .rows = ERR_ROWS({ERR_CHARGE_TYPE, 403, "ChargeTypeViolation",
                      "The operation is not permitted due to charge type of the instance."},
                     {ERR_INST_RECYCLED, 403, "IncorrectInstanceStatus",
                      "The current status of the resource does not support this operation."},
                     {ERR_TOKEN_MISMATCH, 400, "IdempotenceParamNotMatch",
                      "Request uses a client token in a previous request but is not identical to "
                      "that request."}),
    .run = run,
    .encode = encode,
};
