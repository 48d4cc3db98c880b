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
    /* The page of this action says these otherwise than that of StartInstance. */
    .rows = ERR_ROWS(BATCH_ROWS,
                     {ERR_INST_NOT_READY, 403, "InstanceNotReady",
                      "The specified instance is not ready for use."},
                     {ERR_NO_SYSTEM_DISK, 403, "InvalidInstance.NotFoundSystemDisk",
                      "The specified instance does not have system disk."},
                     {ERR_KMS_UNAUTHORIZED, 400, "InvalidParameter.KMSKeyId.KMSUnauthorized",
                      "ECS service account have no right to access your KMS."},
                     {ERR_KMS_DISABLED, 400, "InvalidParameter.KMSKeyId.CMKNotEnabled",
                      "The CMK needs to be enabled."},
                     {ERR_KMS_UNTAGGED, 400, "InvalidParameter.KMSKeyId.CMKNotEnabled",
                      "The CMK needs to be added ECS tag"}),
    .run = run,
    .encode = batch_encode,
};
