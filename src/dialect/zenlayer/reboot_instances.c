/* RebootInstances: restart running instances; by force also those that are starting or restarting.
 */
#include "dialect/zenlayer/batch.h"
#include "dialect/zenlayer/zec.h"

struct in {
    struct strs ids;
    bool force;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return zec_batch(c, &in->ids, in->force ? VERB_FORCE_REBOOT : VERB_REBOOT,
                     in->force ? POWER_FORCE : 0, out);
}

const struct action zec_reboot_instances = {
    .name = "RebootInstances",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Restarts running instances; answers before they run again.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct zec_batch),
    .in = FIELDS(ZEC_IDS_FIELD(struct in, ids),
                 F_BOOL(struct in, force, "forceReboot",
                        .text = "Cut the power; allowed also while starting or restarting.")),
    .errors = ERRORS(ZEC_BATCH_ERRORS, ERR_INST_RECYCLED),
    .run = run,
    .encode = zec_batch_encode,
};
