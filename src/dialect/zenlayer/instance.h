/* The record of an instance that DescribeInstances shows. */
#ifndef OSTLER_DIALECT_ZENLAYER_INSTANCE_H
#define OSTLER_DIALECT_ZENLAYER_INSTANCE_H

#include "api/dialect.h"
#include "dialect/zenlayer/attrs.h"
#include "dialect/zenlayer/rules.h"

struct zec_instance {
    const struct inst *in;
    const char *status;
    const char *image_name;           /* "" when the image is gone */
    const char *time_zone, *secgroup; /* secgroup: the first, "" none */
    struct zec_attrs attrs;
    const struct disk *const *disks; /* by slot */
    size_t n_disks;
    const struct zec_tag *tags;
    size_t n_tags;
    const char *nic_id, *group_id, *created, *expires; /* expires NULL: never */
};

/*
 * Gathers what the records of these rows need; at most QUERY_MAX_IN of them. All of it lives in the
 * call's arena, so that it can be said when the snapshot is gone.
 */
struct zec_instance *zec_instances_read(struct call *c, const struct inst *rows, size_t n);

/* The record as the next item of a list. */
void zec_instance_encode(struct enc *e, const struct zec_instance *i);

/* Every account has one resource group, the default one; its id is made from the account's. */
const char *zec_group_id(struct arena *a, const char *account);

/* A decimal id of 19 digits for something that has no row of its own, always the same for the same
 * words. */
const char *zec_derived_id(struct arena *a, const char *kind, const char *of);

#endif
