/* RebootInstances. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/batch.h"

struct in {
    struct batch_in batch;
    bool force;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return batch_run(c, &in->batch, VERB_REBOOT, in->force ? POWER_FORCE : 0, &ali_reboot_instance,
                     out);
}

const struct action ali_reboot_instances = {
    .name = "RebootInstances",
    .versions = ECS_VERSIONS,
    .summary = "Reboot running instances.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct batch_out),
    .in = FIELDS(BATCH_FIELDS(struct in, batch), BATCH_OPTIMIZATION(struct in, batch),
                 /* The action on one instance calls it ForceStop. */
                 F_BOOL(struct in, force, "ForceReboot",
                        .text = "Reset the machines instead of asking the guests.")),
    .errors = ERRORS(REBOOT_ERRORS, BATCH_ERRORS),
    .rows = ERR_ROWS(BATCH_ROWS, BATCH_COMES_UP_ROWS, POWER_IN_ARREARS_ROWS),
    .run = run,
    .encode = batch_encode,
};
