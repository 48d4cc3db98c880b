/* The Instance object of DescribeInstances, and the parts of it that DescribeInstanceAttribute
 * shows too. */
#ifndef OSTLER_DIALECT_ALIBABA_INSTANCE_H
#define OSTLER_DIALECT_ALIBABA_INSTANCE_H

#include <jansson.h>

#include "api/dialect.h"

/* An instance with what is known of it elsewhere; in the arena. */
struct instance {
    struct inst row;
    const char *os_name, *os_type; /* of its image, "" and "linux" when that is gone */
    const char *keypair;           /* its name, "" none */
};

/* Reads what belongs to `n` (at most 100) rows. */
struct instance *instances_load(struct op *op, const struct inst *rows, size_t n);

/* The fields of one instance, inside an object that is open. */
void instance_encode(struct call *c, const struct instance *in, struct enc *e);

/* ---- parts ---- */

const char *instance_created(struct call *c, const struct inst *in);
const char *instance_expires(struct call *c, const struct inst *in);
void instance_encode_network(const struct inst *in,
                             struct enc *e); /* VpcAttributes and the address lists */
void instance_encode_bandwidth(const json_t *attrs, struct enc *e);
void instance_encode_secgroups(struct call *c, const struct inst *in, struct enc *e);
void instance_encode_locks(struct call *c, const struct inst *in, bool messages, struct enc *e);

#endif
