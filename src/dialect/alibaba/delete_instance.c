/* DeleteInstance. */
#include "dialect/alibaba/actions.h"

#include "core/inst.h"

struct in {
    const char *id;
    bool force, power_cut, end_subscription, dry_run;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags = (in->force && in->power_cut ? POWER_FORCE : 0) |
                     (in->end_subscription ? POWER_END_SUBSCRIPTION : 0) |
                     (in->dry_run ? POWER_CHECK_ONLY : 0);
    (void)out;

    return inst_power(&c->op, in->id, in->force ? VERB_FORCE_RELEASE : VERB_RELEASE, flags, NULL,
                      NULL);
}

const struct action ali_delete_instance = {
    .name = "DeleteInstance",
    .versions = ECS_VERSIONS,
    .summary = "Release one instance.",
    .perm = PERM_DELETE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND, .text = "The instance."),
                 F_BOOL(struct in, force, "Force", .text = "Also a running one."),
                 F_BOOL(struct in, power_cut, "ForceStop", .def = 1,
                        .text = "With Force: cut the power instead of shutting down first."),
                 F_BOOL(struct in, end_subscription, "TerminateSubscription",
                        .text = "Also one whose subscription has expired."),
                 F_BOOL(struct in, dry_run, "DryRun",
                        .text = "Run every check, then answer DryRunOperation.")),
    .errors = ERRORS(ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_ALREADY, ERR_INST_BUSY,
                     ERR_INST_INITIALIZING, ERR_INST_RECYCLED, ERR_INST_PROTECTED,
                     ERR_INST_SUBSCRIBED, ERR_DRY_RUN),
    .run = run,
};
