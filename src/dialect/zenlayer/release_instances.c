/*
 * ReleaseInstances: destroy instances, or move them into the recycle bin first where the account
 * has one; a second release destroys.
 *
 * One unknown id fails the whole request before anything is released. The command-line client turns
 * `--depend-resource false` into the opposite flag and an instance id "false": nobody must lose
 * disks by that.
 */
#include "dialect/zenlayer/batch.h"
#include "dialect/zenlayer/zec.h"

struct in {
    struct strs ids;
    bool dependents;
};

static enum err run(struct call *c, const void *in_, void *out)
{
    const struct in *in = in_;
    unsigned flags = POWER_FORCE | POWER_END_SUBSCRIPTION | POWER_TO_BIN;

    for (size_t i = 0; i < in->ids.n; i++) {
        struct inst known;
        enum err err = inst_get(&c->op, in->ids.v[i], &known);

        if (err)
            return err;
    }
    if (!in->dependents)
        flags |= POWER_KEEP_DEPENDENTS;
    return zec_batch(c, &in->ids, VERB_FORCE_RELEASE, flags, out);
}

const struct action zec_release_instances = {
    .name = "ReleaseInstances",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Destroys instances, or moves them into the recycle bin.",
    .perm = PERM_DELETE,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct zec_batch),
    .in = FIELDS(ZEC_IDS_FIELD(struct in, ids),
                 F_BOOL(struct in, dependents, "dependResource", .def = true,
                        .text = "Also release detachable disks (true, the default).")),
    .errors = ERRORS(ZEC_BATCH_ERRORS),
    .run = run,
    .encode = zec_batch_encode,
};
