/* StartInstance. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/power.h"

struct in {
    const char *id;
    bool reset_local, dry_run;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags =
        (in->reset_local ? POWER_RESET_LOCAL : 0) | (in->dry_run ? POWER_CHECK_ONLY : 0);
    (void)out;

    return inst_power(&c->op, in->id, VERB_START, flags, NULL, NULL);
}

const struct action ali_start_instance = {
    .name = "StartInstance",
    .versions = ECS_VERSIONS,
    .summary = "Start one stopped instance.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND, .text = "The instance."),
                 F_BOOL(struct in, reset_local, "InitLocalDisk",
                        .text = "Make failed local disks anew; their data is lost."),
                 F_BOOL(struct in, dry_run, "DryRun",
                        .text = "Run every check, then answer DryRunOperation.")),
    .errors = ERRORS(START_ERRORS),
    .run = run,
};
