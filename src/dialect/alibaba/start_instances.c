/* StartInstances. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/batch.h"

struct in {
    struct batch_in batch;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;

    return batch_run(c, &in->batch, VERB_START, 0, &ali_start_instance, out);
}

const struct action ali_start_instances = {
    .name = "StartInstances",
    .versions = ECS_VERSIONS,
    .summary = "Start stopped instances.",
    .perm = PERM_POWER,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct batch_out),
    .in = FIELDS(BATCH_FIELDS(struct in, batch), BATCH_OPTIMIZATION(struct in, batch)),
    .errors = ERRORS(START_ERRORS, BATCH_ERRORS),
    .rows = ERR_ROWS(BATCH_ROWS, BATCH_COMES_UP_ROWS),
    .run = run,
    .encode = batch_encode,
};
