/* StopInstance. */
#include "dialect/alibaba/actions.h"

#include "core/inst.h"
#include "dialect/alibaba/power.h"
#include "dialect/alibaba/status.h"

struct in {
    const char *id, *mode;
    bool force, hibernate, dry_run;
};

/* Asking to give the capacity back where that cannot be is not an error: the instance just keeps
 * it. */
static bool gives_back(struct call *c, const struct in *in)
{
    struct inst inst;

    return in->mode && streq(in->mode, "StopCharging") &&
           inst_get(&c->op, in->id, &inst) == ERR_NONE &&
           can_stop_charging(&inst, c->op.core->catalog);
}

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags = (in->force ? POWER_FORCE : 0) | (in->dry_run ? POWER_CHECK_ONLY : 0);
    (void)out;

    if (in->hibernate)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "Hibernate",
                          "the instance is not configured for hibernation");
    if (gives_back(c, in))
        flags |= POWER_STOP_CHARGING;
    return inst_power(&c->op, in->id, VERB_STOP, flags, NULL, NULL);
}

const struct action ali_stop_instance = {
    .name = "StopInstance",
    .versions = ECS_VERSIONS,
    .summary = "Stop one running instance.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND, .text = "The instance."),
                 F_BOOL(struct in, force, "ForceStop",
                        .text = "Cut the power instead of asking the guest to shut down."),
                 F_STR(struct in, mode, "StoppedMode",
                       .values = VALUES("KeepCharging", "StopCharging"),
                       .text = "StopCharging gives vCPU and memory back while it is stopped."),
                 F_BOOL(struct in, hibernate, "Hibernate", .text = "Not supported."),
                 F_IGNORED("ConfirmStop"),
                 F_BOOL(struct in, dry_run, "DryRun",
                        .text = "Run every check, then answer DryRunOperation.")),
    .errors = ERRORS(POWER_ERRORS, ERR_PARAM_VALUE),
    .rows = POWER_ROWS,
    .run = run,
};
