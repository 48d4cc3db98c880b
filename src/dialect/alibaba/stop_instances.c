/* StopInstances. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/batch.h"

struct in {
    struct batch_in batch;
    struct stop_in how;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return batch_run(c, &in->batch, VERB_STOP, stop_flags(&in->how), &ali_stop_instance, out);
}

const struct action ali_stop_instances = {
    .name = "StopInstances",
    .versions = ECS_VERSIONS,
    .summary = "Stop running instances.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct batch_out),
    .in = FIELDS(BATCH_FIELDS(struct in, batch), BATCH_OPTIMIZATION(struct in, batch),
                 STOP_FIELDS(struct in, how)),
    .errors = ERRORS(POWER_ERRORS, BATCH_ERRORS),
    .rows = ERR_ROWS(BATCH_ROWS, POWER_ROWS),
    .run = run,
    .encode = batch_encode,
};
