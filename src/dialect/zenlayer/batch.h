/* One verb on many instances: what the four power actions share. */
#ifndef OSTLER_DIALECT_ZENLAYER_BATCH_H
#define OSTLER_DIALECT_ZENLAYER_BATCH_H

#include "api/dialect.h"
#include "core/inst.h"

enum { ZEC_MAX_IDS = 100 };

/* The required list of ids, as every batch action has it. */
#define ZEC_IDS_FIELD(s, m)                                                                        \
    F_STRS(s, m, "instanceIds", .required = true, .min = 1, .max = ZEC_MAX_IDS, .format = FMT_ID,  \
           .text = "Ids of instances, at most 100. The same id twice counts once.")

/* What zec_batch may raise. */
#define ZEC_BATCH_ERRORS                                                                           \
    ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_BUSY, ERR_INST_NOT_READY, ERR_INST_INITIALIZING,  \
        ERR_INST_RECYCLED, ERR_INST_LOCKED, ERR_INST_EXPIRED, ERR_INST_OVERDUE,                    \
        ERR_INST_PROTECTED, ERR_INST_SUBSCRIBED, ERR_DISK_UNUSABLE, ERR_DISK_OVERDUE,              \
        ERR_NO_SYSTEM_DISK, ERR_KMS_UNAUTHORIZED, ERR_KMS_NOT_FOUND, ERR_KMS_DISABLED,             \
        ERR_KMS_UNTAGGED, ERR_HOST_REPAIRING, ERR_NO_BALANCE, ERR_NO_STOCK, ERR_QUOTA,             \
        ERR_QUOTA_TYPE, ERR_QUOTA_CPU

/* The answer of every batch action. */
struct zec_batch {
    struct strs refused;
};

/*
 * Does the verb to each of the ids. Those that are refused are listed when others are accepted, or
 * when each of them already is where it was asked to go; otherwise nothing was done, and the first
 * real refusal is the error.
 */
enum err zec_batch(struct call *c, const struct strs *ids, enum verb v, unsigned flags,
                   struct zec_batch *ret);

/* The ids in their order, each once. */
struct strs zec_distinct(struct arena *a, const struct strs *ids);

void zec_batch_encode(struct call *c, const void *out, struct enc *e);

#endif
