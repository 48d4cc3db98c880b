/* RebootInstance. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/power.h"

struct in {
    const char *id;
    bool force, dry_run;
};

/* Forced or not, only a running instance is rebooted here; `force` is how, not when. */
static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags = (in->force ? POWER_FORCE : 0) | (in->dry_run ? POWER_CHECK_ONLY : 0);
    (void)out;

    return inst_power(&c->op, in->id, VERB_REBOOT, flags, NULL, NULL);
}

const struct action ali_reboot_instance = {
    .name = "RebootInstance",
    .versions = ECS_VERSIONS,
    .summary = "Reboot one running instance.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .in = FIELDS(F_STR(struct in, id, "InstanceId", .required = true, .format = FMT_ID,
                       .bad = ERR_INST_NOT_FOUND, .text = "The instance."),
                 F_BOOL(struct in, force, "ForceStop",
                        .text = "Reset the machine instead of asking the guest."),
                 F_BOOL(struct in, dry_run, "DryRun",
                        .text = "Run every check, then answer DryRunOperation.")),
    .errors = ERRORS(REBOOT_ERRORS),
    .rows = ERR_ROWS(POWER_ROWS, ONE_SENTENCE_ROWS,
                     {ERR_KMS_NOT_FOUND, 404, "InvalidParameter.KMSKeyId.NotFound",
                      "The specified KMSKeyId does not exist."}),
    .run = run,
};
