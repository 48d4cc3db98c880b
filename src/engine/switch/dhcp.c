/* The DHCP answer (RFC 2131) for the one client of a port. */
#include "engine/switch/dhcp.h"

#include <string.h>

#include "base/util.h"

enum { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM };

enum {
    OPT_PAD = 0,
    OPT_MASK = 1,
    OPT_ROUTER = 3,
    OPT_DNS = 6,
    OPT_NAME = 12,
    OPT_MTU = 26,
    OPT_REQUESTED = 50,
    OPT_LEASE = 51,
    OPT_TYPE = 53,
    OPT_SERVER = 54,
    OPT_END = 255,
};

#define HEADERS   (FRAME_ETH_LEN + 20 + 8)
#define BOOTP_LEN 236 /* fixed part, before the magic cookie */
#define BOOTP_MIN 300 /* old clients and relays want at least this */

static const uint8_t cookie[4] = {99, 130, 83, 99};

struct request {
    const uint8_t *bootp;
    uint8_t type;
    bool broadcast;
    uint32_t client, requested, server; /* 0: not said */
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static void read_option(struct request *r, uint8_t code, const uint8_t *value, size_t len)
{
    if (code == OPT_TYPE && len == 1)
        r->type = value[0];
    else if (code == OPT_REQUESTED && len == 4)
        r->requested = get32(value);
    else if (code == OPT_SERVER && len == 4)
        r->server = get32(value);
}

static void read_options(struct request *r, const uint8_t *p, const uint8_t *end)
{
    while (p < end && *p != OPT_END) {
        if (*p == OPT_PAD) {
            p++;
            continue;
        }
        if (end - p < 2 || end - p - 2 < p[1])
            return;
        read_option(r, p[0], p + 2, p[1]);
        p += 2 + p[1];
    }
}

static bool read_request(const struct frame *f, const struct frame_nic *nic, struct request *ret)
{
    static const uint8_t from_ethernet[3] = {1, 1,
                                             6}; /* a request, Ethernet, addresses of six bytes */
    const uint8_t *p = f->payload;
    struct request r = {.bootp = p};

    if (f->payload_len < BOOTP_LEN + sizeof(cookie) || memcmp(p, from_ethernet, 3) != 0 ||
        memcmp(p + BOOTP_LEN, cookie, sizeof(cookie)) != 0 || memcmp(p + 28, nic->mac, 6) != 0)
        return false;
    r.client = get32(p + 12);
    r.broadcast = (p[10] & 0x80) != 0;
    read_options(&r, p + BOOTP_LEN + sizeof(cookie), p + f->payload_len);
    *ret = r;
    return true;
}

/* What to answer with; 0 for silence. */
static uint8_t answer_type(const struct frame_net *net, const struct frame_nic *nic,
                           const struct request *r)
{
    uint32_t wants = r->requested ? r->requested : r->client;

    if (r->server && r->server != net->gateway)
        return 0;
    switch (r->type) {
    case DISCOVER:
        return OFFER;
    case REQUEST:
        return wants == nic->ip ? ACK : NAK;
    case INFORM:
        return ACK;
    default:
        return 0;
    }
}

static uint8_t *option(uint8_t *p, uint8_t code, const void *value, size_t len)
{
    *p++ = code;
    *p++ = (uint8_t)len;
    memcpy(p, value, len);
    return p + len;
}

static uint8_t *option32(uint8_t *p, uint8_t code, uint32_t value)
{
    uint8_t bytes[4];

    put32(bytes, value);
    return option(p, code, bytes, 4);
}

static uint8_t *write_settings(uint8_t *p, const struct frame_net *net, const char *name,
                               bool lease)
{
    uint8_t mtu[2];
    size_t name_len = name ? strnlen(name, DHCP_NAME_MAX) : 0;

    put16(mtu, FRAME_MTU);
    if (lease)
        p = option32(p, OPT_LEASE, DHCP_LEASE_S);
    p = option32(p, OPT_MASK, net->mask);
    p = option32(p, OPT_ROUTER, net->gateway);
    if (!net->isolated)
        p = option32(p, OPT_DNS, net->nameserver);
    p = option(p, OPT_MTU, mtu, sizeof(mtu));
    if (name_len)
        p = option(p, OPT_NAME, name, name_len);
    return p;
}

static size_t write_bootp(uint8_t *p, const struct frame_net *net, const struct frame_nic *nic,
                          const char *name, const struct request *r, uint8_t type)
{
    uint8_t *start = p;

    memset(p, 0, BOOTP_MIN);
    memcpy(p, r->bootp, 12); /* transaction id and flags go back as they came */
    p[0] = 2;
    p[3] = 0;
    if (type != NAK)
        memcpy(p + 12, r->bootp + 12, 4);
    if (type != NAK && r->type != INFORM)
        put32(p + 16, nic->ip);
    memcpy(p + 28, nic->mac, 6);
    memcpy(p + BOOTP_LEN, cookie, sizeof(cookie));
    p += BOOTP_LEN + sizeof(cookie);
    p = option(p, OPT_TYPE, &type, 1);
    p = option32(p, OPT_SERVER, net->gateway);
    if (type != NAK)
        p = write_settings(p, net, name, r->type != INFORM);
    *p++ = OPT_END;
    return (size_t)(p - start) < BOOTP_MIN ? BOOTP_MIN : (size_t)(p - start);
}

static uint16_t checksum(const uint8_t *p, size_t len, uint32_t start)
{
    uint32_t s = start;

    for (size_t i = 0; i + 1 < len; i += 2)
        s += (uint32_t)p[i] << 8 | p[i + 1];
    if (len & 1)
        s += (uint32_t)p[len - 1] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static uint32_t half_sum(uint32_t ip)
{
    return (ip >> 16) + (ip & 0xffff);
}

static void write_headers(uint8_t *p, const uint8_t *mac, uint32_t from, uint32_t to, size_t len)
{
    static const uint8_t ipv4[] = {0x45, 0x10};
    uint8_t *ip = p + FRAME_ETH_LEN, *udp = ip + 20;
    uint16_t sum;

    memset(p, 0, HEADERS);
    memcpy(p, mac, 6);
    frame_router_mac(from, p + 6);
    put16(p + 12, 0x0800);
    memcpy(ip, ipv4, sizeof(ipv4));
    put16(ip + 2, 20 + 8 + len);
    ip[8] = 64;
    ip[9] = 17;
    put32(ip + 12, from);
    put32(ip + 16, to);
    put16(ip + 10, checksum(ip, 20, 0));
    put16(udp, 67);
    put16(udp + 2, 68);
    put16(udp + 4, 8 + len);
    sum = checksum(udp, 8 + len, half_sum(from) + half_sum(to) + 17 + 8 + (uint32_t)len);
    put16(udp + 6, sum ? sum : 0xffff);
}

size_t dhcp_answer(const struct frame_net *net, const struct frame_nic *nic, const char *name,
                   const struct frame *f, uint8_t *ret, size_t cap)
{
    static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
    struct request r;
    uint8_t type;
    size_t len;
    bool all;

    if (cap < FRAME_MAX || !read_request(f, nic, &r))
        return 0;
    type = answer_type(net, nic, &r);
    if (!type)
        return 0;
    len = write_bootp(ret + HEADERS, net, nic, name, &r, type);
    all = r.broadcast || type == NAK;
    write_headers(ret, all ? everyone : nic->mac, net->gateway, all ? 0xffffffff : nic->ip, len);
    return HEADERS + len;
}
