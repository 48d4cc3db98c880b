/* StartInstances: power on stopped instances. */
#include "dialect/zenlayer/batch.h"
#include "dialect/zenlayer/zec.h"

struct in {
    struct strs ids;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return zec_batch(c, &in->ids, VERB_START, 0, out);
}

const struct action zec_start_instances = {
    .name = "StartInstances",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Starts stopped instances; answers before they run.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct zec_batch),
    .in = FIELDS(ZEC_IDS_FIELD(struct in, ids)),
    .errors = ERRORS(ZEC_BATCH_ERRORS, ERR_INST_RECYCLED, ERR_HOST_REPAIRING, ERR_NO_BALANCE,
                     ERR_NO_STOCK, ERR_QUOTA, ERR_QUOTA_TYPE, ERR_QUOTA_CPU),
    .run = run,
    .encode = zec_batch_encode,
};
