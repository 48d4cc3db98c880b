/* StopInstances: power off running instances, by default without asking the guest. */
#include "dialect/zenlayer/batch.h"
#include "dialect/zenlayer/zec.h"

struct in {
    struct strs ids;
    bool force;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return zec_batch(c, &in->ids, VERB_STOP, in->force ? POWER_FORCE : 0, out);
}

const struct action zec_stop_instances = {
    .name = "StopInstances",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Stops running instances; answers before they are stopped.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct zec_batch),
    .in = FIELDS(ZEC_IDS_FIELD(struct in, ids),
                 /* The older Go client cannot send false, so absent must mean the default. */
                 F_BOOL(struct in, force, "forceShutdown", .def = true,
                        .text = "Cut the power (true, the default) or ask the guest (false).")),
    .errors = ERRORS(ZEC_BATCH_ERRORS, ERR_INST_RECYCLED),
    .run = run,
    .encode = zec_batch_encode,
};
