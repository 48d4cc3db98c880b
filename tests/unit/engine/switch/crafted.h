/* Frames for the switch's unit tests and fuzzers, with checksums that are right. */
#ifndef OSTLER_TESTS_SWITCH_CRAFTED_H
#define OSTLER_TESTS_SWITCH_CRAFTED_H

#include <stdint.h>
#include <string.h>

#include "engine/switch/frame.h"

struct crafted {
    uint8_t data[FRAME_MAX];
    size_t len;
};

static const uint8_t guest_mac[6] = {0x00, 0x16, 0x3e, 0, 0, 1};
static const uint8_t other_mac[6] = {0x00, 0x16, 0x3e, 0, 0, 2};
static const uint8_t every_mac[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t router_mac[6] = {0x52, 0x55, 172, 16, 0, 253};

#define IP(a, b, c, d)                                                                             \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static inline void be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void be32(uint8_t *p, uint32_t v)
{
    be16(p, v >> 16);
    be16(p + 2, v);
}

/* The sum that a receiver makes; 0 when the checksum inside is right. */
static inline uint16_t sum16(const uint8_t *p, size_t len, uint32_t s)
{
    for (size_t i = 0; i < len; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static inline uint16_t transport_sum(const struct crafted *c)
{
    const uint8_t *ip = c->data + 14;
    size_t len = c->len - 34;

    return sum16(ip + 20, len, (uint16_t)~sum16(ip + 12, 8, 0) + ip[9] + (uint32_t)len);
}

static inline void seal(struct crafted *c)
{
    static const size_t at[256] = {[6] = 16, [17] = 6};
    uint8_t *ip = c->data + 14;

    be16(ip + 2, (uint32_t)c->len - 14);
    be16(ip + 10, 0);
    be16(ip + 10, sum16(ip, 20, 0));
    if (!at[ip[9]])
        return;
    be16(ip + 20 + at[ip[9]], 0);
    be16(ip + 20 + at[ip[9]], transport_sum(c));
}

static inline struct crafted ether(const uint8_t *to, uint16_t type, size_t len)
{
    struct crafted c = {.len = 14 + len};

    memcpy(c.data, to, 6);
    memcpy(c.data + 6, guest_mac, 6);
    be16(c.data + 12, type);
    return c;
}

static inline struct crafted ipv4(const uint8_t *to, uint32_t src, uint32_t dst, uint8_t proto,
                                  size_t len)
{
    struct crafted c = ether(to, 0x0800, 20 + len);
    uint8_t *ip = c.data + 14;

    ip[0] = 0x45;
    ip[8] = 64;
    ip[9] = proto;
    be32(ip + 12, src);
    be32(ip + 16, dst);
    return c;
}

static inline struct crafted tcp(const uint8_t *to, uint32_t src, uint32_t dst, uint16_t port,
                                 uint8_t flags)
{
    struct crafted c = ipv4(to, src, dst, 6, 20);
    uint8_t *p = c.data + 34;

    be16(p, 40000);
    be16(p + 2, port);
    be32(p + 4, 0x12345678);
    p[12] = 0x50;
    p[13] = flags;
    be16(p + 14, 65535);
    seal(&c);
    return c;
}

static inline struct crafted udp(const uint8_t *to, uint32_t src, uint32_t dst, uint16_t sport,
                                 uint16_t dport, const void *data, size_t len)
{
    struct crafted c = ipv4(to, src, dst, 17, 8 + len);
    uint8_t *p = c.data + 34;

    be16(p, sport);
    be16(p + 2, dport);
    be16(p + 4, 8 + (uint32_t)len);
    if (len)
        memcpy(p + 8, data, len);
    seal(&c);
    return c;
}

static inline struct crafted arp(const uint8_t *to, uint16_t op, const uint8_t *mac, uint32_t src,
                                 uint32_t dst)
{
    struct crafted c = ether(to, 0x0806, 28);
    uint8_t *p = c.data + 14;

    be16(p, 1);
    be16(p + 2, 0x0800);
    p[4] = 6;
    p[5] = 4;
    be16(p + 6, op);
    memcpy(p + 8, mac, 6);
    be32(p + 14, src);
    be32(p + 24, dst);
    return c;
}

#endif
