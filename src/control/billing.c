/* What only the cloud does to an instance's bill, and what its user could: renewing a subscription,
 * taking a spot instance back. */
#include "core/billing.h"

#include <jansson.h>

#include "base/timefmt.h"
#include "control/control.h"

/* ---- renewal ---- */

struct renew_in {
    const char *account, *inst, *unit;
    int64_t period;
};

static enum err renew(struct call *c, const void *in_, void *out)
{
    const struct renew_in *in = in_;
    struct period p = {.n = in->period, .weeks = streq(in->unit, "week")};
    enum err e = control_scope(c, in->account);

    return e ? e : inst_renew(&c->op, in->inst, p, out);
}

static void encode_renewed(struct call *c, const void *out_, struct enc *e)
{
    const struct inst *out = out_;

    enc_str(e, "instanceId", out->id);
    control_enc_time(c, e, "expiresAt", out->expires_at);
}

const struct action op_renew_instance = {
    .name = "RenewInstance",
    .summary = "Renews a prepaid instance's subscription.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct renew_in),
    .out_size = sizeof(struct inst),
    .in = FIELDS(
        F_STR(struct renew_in, inst, "instanceId", .required = true, .format = FMT_ID),
        F_INT(struct renew_in, period, "period", .def = 1, .min = 1, .max = 60),
        F_STR(struct renew_in, unit, "unit", .def_str = "month", .values = VALUES("month", "week")),
        F_STR(struct renew_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE, ERR_INST_RECYCLED,
                     ERR_INST_LOCKED, ERR_INST_STATE),
    .run = renew,
    .encode = encode_renewed,
};

/* ---- spot ---- */

struct reclaim_out {
    int64_t at;
    bool keep;
};

/* What its user said when it was made. */
static const char *said(const json_t *attrs, const char *name)
{
    const char *s = json_string_value(json_object_get(attrs, name));

    return s ? s : "";
}

static enum err reclaim(struct call *c, const void *in_, void *out_)
{
    const struct control_inst *in = in_;
    struct reclaim_out *out = out_;
    struct inst inst;
    enum err e = control_scope(c, in->account);

    if (e || (e = inst_get(&c->op, in->inst, &inst)))
        return e;
    json_t *attrs = json_loads(inst.attrs, 0, NULL);
    const char *strategy = said(attrs, "SpotStrategy");
    bool spot = *strategy && !streq(strategy, "NoSpot");
    out->keep = streq(said(attrs, "SpotInterruptionBehavior"), "Stop");
    json_decref(attrs);
    if (!spot)
        return fail(&c->fail, ERR_CHARGE_TYPE,
                    "instance '%s' is no spot instance; RunInstances with SpotStrategy "
                    "SpotAsPriceGo makes one",
                    in->inst);
    out->at = c->op.now + RECLAIM_NOTICE_MS;
    return inst_reclaim(&c->op, in->inst, out->keep);
}

static void encode_reclaimed(struct call *c, const void *out_, struct enc *e)
{
    const struct reclaim_out *out = out_;

    control_enc_time(c, e, "at", out->at);
    enc_str(e, "then", out->keep ? "stopped" : "released");
}

const struct action op_reclaim_instance = {
    .name = "ReclaimInstance",
    .summary =
        "Takes a spot instance back: it is locked now, and released or stopped in 5 minutes.",
    .perm = PERM_OPERATOR,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct control_inst),
    .out_size = sizeof(struct reclaim_out),
    .in = CONTROL_INST_FIELDS,
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE),
    .run = reclaim,
    .encode = encode_reclaimed,
};
