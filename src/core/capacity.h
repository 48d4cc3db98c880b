/*
 * Is there room: for an instance's memory on the host, and by what a test said of stock, quotas, an
 * account's balance and hosts that are being repaired. Zones and types are the catalogue's.
 */
#ifndef OSTLER_CORE_CAPACITY_H
#define OSTLER_CORE_CAPACITY_H

#include "core/core.h"

/* What is asked for: `n` instances more. */
struct claim {
    const char *account, *zone, *type;
    int64_t cpu, mib, n; /* of each; how many */
    const char *except;  /* an instance that does not count as one that is there; NULL: none */
};

/* ERR_NO_STOCK when they do not fit beside what is not off. */
enum err room_for(struct op *op, const struct claim *c);

/* An instance that is off. ERR_HOST_REPAIRING, ERR_NO_BALANCE, ERR_QUOTA, ERR_QUOTA_TYPE,
 * ERR_QUOTA_CPU, ERR_NO_STOCK, in this order. */
enum err may_start(struct op *op, const struct inst *in);

/* Instances more. ERR_NO_BALANCE, ERR_QUOTA, ERR_QUOTA_TYPE, ERR_QUOTA_CPU. */
enum err may_create(struct op *op, const struct claim *c);

/* Sets how many instances, or processors, there may be, or, `count` negative, takes the limit away.
 * `account`, `zone`, `type`: "" any. */
enum err capacity_set(struct op *op, enum capacity_kind kind, const char *account, const char *zone,
                      const char *type, int64_t count);

/* Hosts of a zone ("" all) are being repaired, or not any more. ERR_ZONE_NOT_FOUND. */
enum err hosts_repair(struct op *op, const char *zone, bool on);

/* What a test said of the account's balance. */
void capacity_forget(struct op *op, const char *account);

/* The account's balance is used up, or not any more. */
void balance_set(struct op *op, const char *account, bool used_up);

/* The zones ("": all) whose hosts are being repaired; the accounts without a balance. */
const char **hosts_repaired(struct op *op, size_t *ret_n);
const char **balances_used_up(struct op *op, size_t *ret_n);

#endif
