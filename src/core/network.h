/* The networks that instances are created in: a default one a region, with one subnet a zone, made
 * when first needed. */
#ifndef OSTLER_CORE_NETWORK_H
#define OSTLER_CORE_NETWORK_H

#include "core/core.h"

/* The account's default subnet of a zone; made, with its network and security group, when there is
 * none. */
enum err network_default(struct op *op, const struct zone *zone, struct subnet *ret);

/* The caller's subnet: ERR_SUBNET_NOT_FOUND. */
enum err subnet_get(struct op *op, const char *id, struct subnet *ret);

/* The network's default security group. */
bool secgroup_default(struct op *op, const char *vpc, struct secgroup *ret);

/*
 * Takes an address of the subnet for an instance: `wish`, or any when NULL; `or_any`: another when
 * the wish is taken. ERR_IP_FORMAT, ERR_IP_RANGE, ERR_IP_TAKEN, ERR_IP_EXHAUSTED.
 */
enum err network_take(struct op *op, const struct subnet *s, const char *inst, const char *wish,
                      bool or_any, const char **ret_ip);
void network_give_back(struct op *op, const struct inst *in);

/* Reads "172.16.0.0/20". 0 or -EINVAL; host byte order. */
int cidr_parse(const char *cidr, uint32_t *ret_net, unsigned *ret_bits);
int ipv4_parse(const char *s, uint32_t *ret);

#endif
