/* One verb on many instances: what the actions whose names end in "Instances" share. */
#ifndef OSTLER_DIALECT_ALIBABA_BATCH_H
#define OSTLER_DIALECT_ALIBABA_BATCH_H

#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/power.h"

enum { BATCH_MAX = 100 };

struct batch_in {
    const char *region, *optimization; /* NULL: AllTogether */
    struct strs ids;
    bool dry_run;
};

#define BATCH_FIELDS(s, m)                                                                         \
    F_STR(s, m.region, "RegionId", .required = true, .text = "Where all of them are."),            \
        F_STRS(s, m.ids, "InstanceId", .required = true, .max = BATCH_MAX, .format = FMT_ID,       \
               .text = "The instances. One that is named twice is acted on once."),                \
        F_BOOL(s, m.dry_run, "DryRun", .text = "Run every check, then answer DRYRUN.SUCCESS.")

#define BATCH_OPTIMIZATION(s, m)                                                                   \
    F_STR(s, m.optimization, "BatchOptimization", .values = VALUES("AllTogether", "SuccessFirst"), \
          .def_str = "AllTogether",                                                                \
          .text = "SuccessFirst judges each alone; AllTogether does all or nothing.")

/* Besides those of the verb. A list that is too long is the only thing of a batch that can be. */
#define BATCH_ERRORS ERR_REGION_NOT_FOUND, ERR_PARAM_TOO_LONG
#define BATCH_ROWS                                                                                 \
    {ERR_DRY_RUN, 400, "DRYRUN.SUCCESS",                                                           \
     "This request is a dryrun request with successful result."},                                  \
    {                                                                                              \
        ERR_PARAM_TOO_LONG, TOO_MANY_IDS                                                           \
    }

/* The pages of what brings machines up say these otherwise than those of one instance. */
#define BATCH_COMES_UP_ROWS                                                                        \
    {ERR_INST_NOT_READY, 403, "InstanceNotReady", "The specified instance is not ready for use."}, \
        {ERR_NO_SYSTEM_DISK, 403, "InvalidInstance.NotFoundSystemDisk",                            \
         "The specified instance does not have system disk."},                                     \
        {ERR_KMS_UNAUTHORIZED, 400, "InvalidParameter.KMSKeyId.KMSUnauthorized",                   \
         "ECS service account have no right to access your KMS."},                                 \
        {ERR_KMS_DISABLED, 400, "InvalidParameter.KMSKeyId.CMKNotEnabled",                         \
         "The CMK needs to be enabled."},                                                          \
    {                                                                                              \
        ERR_KMS_UNTAGGED, 400, "InvalidParameter.KMSKeyId.CMKNotEnabled",                          \
            "The CMK needs to be added ECS tag"                                                    \
    }

/* What became of one id that was asked for. */
struct batch_entry {
    const char *id;
    const char *before, *after; /* statuses; "" for an instance that is not known */
    const char *code, *message;
};

struct batch_out {
    struct batch_entry *v; /* in the order asked */
    size_t n;
};

/*
 * Does the verb to each of them. AllTogether: the first refusal is returned, and the transaction
 * with whatever was done before it comes to nothing. SuccessFirst: refusals become entries, with
 * the code and message of `one`, the action on a single instance (NULL where SuccessFirst cannot
 * be asked for).
 */
enum err batch_run(struct call *c, const struct batch_in *in, enum verb v, unsigned flags,
                   const struct action *one, struct batch_out *ret);

/* InstanceResponses; `out` is a struct batch_out. */
void batch_encode(struct call *c, const void *out, struct enc *e);

#endif
