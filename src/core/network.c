/* Default networks and their addresses. */
#include "core/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "core/ids.h"

/* The first four addresses of a subnet and its last five belong to the network itself: gateway,
 * resolver, metadata. */
enum { FIRST_HOST = 4, LAST_HOSTS = 5, ZONE_BITS = 20 };

int ipv4_parse(const char *s, uint32_t *ret)
{
    struct in_addr a;

    if (inet_pton(AF_INET, s, &a) != 1)
        return -EINVAL;
    *ret = ntohl(a.s_addr);
    return 0;
}

int cidr_parse(const char *cidr, uint32_t *ret_net, unsigned *ret_bits)
{
    const char *slash = strchr(cidr, '/');
    char ip[INET_ADDRSTRLEN];
    long long bits;

    if (!slash || (size_t)(slash - cidr) >= sizeof(ip) || parse_i64(slash + 1, &bits) < 0 ||
        bits < 1 || bits > 30)
        return -EINVAL;
    memcpy(ip, cidr, (size_t)(slash - cidr));
    ip[slash - cidr] = 0;
    if (ipv4_parse(ip, ret_net) < 0)
        return -EINVAL;
    *ret_bits = (unsigned)bits;
    return 0;
}

static const char *ipv4_text(struct arena *a, uint32_t ip)
{
    return arena_fmt(a, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static bool default_row(struct op *op, const struct record *rec, const char *column,
                        const char *value, void *ret)
{
    struct query q = {0};

    query_text(&q, "account", CMP_EQ, op->account);
    query_text(&q, column, CMP_EQ, value);
    query_num(&q, "is_default", CMP_EQ, 1);
    return store_first(op->tx, rec, &q, ret);
}

bool secgroup_default(struct op *op, const char *vpc, struct secgroup *ret)
{
    return default_row(op, &rec_secgroup, "vpc", vpc, ret);
}

static void vpc_default(struct op *op, const struct region *r, struct vpc *ret)
{
    if (default_row(op, &rec_vpc, "region", r->id, ret))
        return;
    *ret = (struct vpc){.id = id_base36(op, "vpc-", r->code),
                        .account = op->account,
                        .region = r->id,
                        .name = "default",
                        .cidr = "172.16.0.0/12",
                        .is_default = true,
                        .created_at = op->now};
    store_insert(op->tx, &rec_vpc, ret);
    struct secgroup sg = {.id = id_base36(op, "sg-", r->code),
                          .account = op->account,
                          .vpc = ret->id,
                          .name = "default",
                          .is_default = true,
                          .created_at = op->now};
    store_insert(op->tx, &rec_secgroup, &sg);
}

enum err network_default(struct op *op, const struct zone *zone, struct subnet *ret)
{
    struct vpc vpc;
    struct query q = {0};

    if (default_row(op, &rec_subnet, "zone", zone->id, ret))
        return ERR_NONE;
    vpc_default(op, zone->region, &vpc);
    query_text(&q, "vpc", CMP_EQ, vpc.id);
    uint32_t index = (uint32_t)store_count(op->tx, &rec_subnet, &q);
    if (index >= 1U << (ZONE_BITS - 12))
        return fail(op->fail, ERR_QUOTA, "the default network has no room for another subnet");
    uint32_t net = (172U << 24 | 16U << 16) + (index << (32 - ZONE_BITS));
    *ret =
        (struct subnet){.id = id_base36(op, "vsw-", zone->region->code),
                        .account = op->account,
                        .vpc = vpc.id,
                        .region = zone->region->id,
                        .zone = zone->id,
                        .name = "default",
                        .cidr = arena_fmt(op->arena, "%s/%d", ipv4_text(op->arena, net), ZONE_BITS),
                        .is_default = true,
                        .created_at = op->now};
    store_insert(op->tx, &rec_subnet, ret);
    event_append(op, ret->id, "subnet-created", ret->cidr);
    return ERR_NONE;
}

enum err subnet_get(struct op *op, const char *id, struct subnet *ret)
{
    if (!store_get(op->tx, &rec_subnet, id, ret) || !streq(ret->account, op->account))
        return fail(op->fail, ERR_SUBNET_NOT_FOUND, "there is no subnet '%s'", id);
    return ERR_NONE;
}

static const char *address_key(struct op *op, const struct subnet *s, uint32_t ip)
{
    return arena_fmt(op->arena, "%s/%s", s->id, ipv4_text(op->arena, ip));
}

static bool try_take(struct op *op, const struct subnet *s, const char *inst, uint32_t ip)
{
    struct address a = {.key = address_key(op, s, ip), .inst = inst}, taken;

    if (store_get(op->tx, &rec_address, a.key, &taken))
        return false;
    store_insert(op->tx, &rec_address, &a);
    return true;
}

enum err network_take(struct op *op, const struct subnet *s, const char *inst, const char *wish,
                      bool or_any, const char **ret_ip)
{
    uint32_t net, ip;
    unsigned bits;

    if (cidr_parse(s->cidr, &net, &bits) < 0)
        return fail(op->fail, ERR_INTERNAL, "the subnet '%s' has no network", s->id);
    uint32_t size = 1U << (32 - bits), hosts = size > 9 ? size - FIRST_HOST - LAST_HOSTS : 0;
    if (wish) {
        if (ipv4_parse(wish, &ip) < 0)
            return fail(op->fail, ERR_IP_FORMAT, "'%s' is not an IPv4 address", wish);
        if (ip - net < FIRST_HOST || ip - net >= FIRST_HOST + hosts)
            return fail(op->fail, ERR_IP_RANGE, "%s is not an address for machines in %s", wish,
                        s->cidr);
        *ret_ip = ipv4_text(op->arena, ip);
        if (try_take(op, s, inst, ip))
            return ERR_NONE;
        if (!or_any)
            return fail(op->fail, ERR_IP_TAKEN, "%s is taken", wish);
    }
    for (uint32_t tries = 0; tries < hosts && !tx_failed(op->tx); tries++) {
        int64_t next = store_next(op->tx, arena_fmt(op->arena, "ip/%s", s->id)) - 1;

        ip = net + FIRST_HOST + (uint32_t)(next % hosts);
        *ret_ip = ipv4_text(op->arena, ip);
        if (try_take(op, s, inst, ip))
            return ERR_NONE;
    }
    return fail(op->fail, ERR_IP_EXHAUSTED, "the subnet '%s' has no free address", s->id);
}

void network_give_back(struct op *op, const struct inst *in)
{
    store_delete(op->tx, &rec_address, arena_fmt(op->arena, "%s/%s", in->subnet, in->ip));
}
