/* ModifyInstanceAutoReleaseTime. */
#include "base/timefmt.h"
#include "core/billing.h"
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/renewal.h"

struct in {
    const char *id, *at;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    int64_t at;
    enum err e;

    (void)out;
    if (str_empty(in->id))
        return fail_param(&c->fail, ERR_NEEDED, "InstanceId", "no instance is named");
    if ((e = release_time_read(c, in->at, &at)) || (e = inst_set_release(&c->op, in->id, at)))
        return e;
    attr_note(c, in->id, "AutoReleaseTime", at ? time_minutes(c->arena, at) : NULL);
    return ERR_NONE;
}

const struct action ali_modify_instance_auto_release_time = {
    .name = "ModifyInstanceAutoReleaseTime",
    .versions = ECS_VERSIONS,
    .summary = "Say when a pay-as-you-go instance is released by itself.",
    .perm = PERM_DELETE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .format = FMT_ID, .bad = ERR_INST_NOT_FOUND),
                 F_STR(struct in, at, "AutoReleaseTime", .format = FMT_TIME,
                       .text = "Half an hour to three years ahead; without one it is not.")),
    .errors =
        ERRORS(ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE, ERR_NEEDED, ERR_PARAM_VALUE, ERR_PARAM_TIME),
    .rows = ERR_ROWS(
        {ERR_NEEDED, 400, "MissingParameter", "InstanceId should not be null."},
        {ERR_PARAM_VALUE, 400, "InvalidAutoReleaseTime.Malformed",
         "The specified paramter autoReleaseTime is not valid."}, /* as the cloud spells it */
        {ERR_PARAM_TIME, 400, "InvalidAutoReleaseTime.Malformed",
         "The specified paramter autoReleaseTime is not valid."},
        {ERR_CHARGE_TYPE, 403, "ChargeTypeViolation",
         "The operation is not permitted due to charge type of the instance."},
        {ERR_INST_NOT_FOUND, 404, "NoSuchResource", "The specified resource is not found."}),
    .run = run,
};
