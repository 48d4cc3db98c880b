/* Parsing and rewriting of single frames; filter.c judges them. */
#include "engine/switch/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define ETHER_IPV4 0x0800
#define ETHER_ARP  0x0806
#define ETHER_IPV6 0x86dd

#define ARP_LEN  28
#define IPV4_LEN 20
#define IPV6_LEN 40
#define TCP_LEN  20
#define UDP_LEN  8
#define ICMP_LEN 8

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, (uint16_t)(v >> 16));
    put16(p + 2, (uint16_t)v);
}

int frame_ip_parse(const char *text, uint32_t *ret)
{
    struct in_addr in;

    if (inet_pton(AF_INET, text, &in) != 1)
        return -EINVAL;
    *ret = ntohl(in.s_addr);
    return 0;
}

void frame_ip_text(uint32_t ip, char ret[16])
{
    (void)snprintf(ret, 16, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

int frame_mac_parse(const char *text, uint8_t ret[6])
{
    uint8_t mac[6];

    if (strlen(text) != 17)
        return -EINVAL;
    for (int i = 0; i < 6; i++) {
        int high = hex_digit(text[i * 3]), low = hex_digit(text[i * 3 + 1]);

        if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':'))
            return -EINVAL;
        mac[i] = (uint8_t)(high << 4 | low);
    }
    if ((mac[0] & 1) || frame_is_router_mac(mac) || memcmp(mac, "\0\0\0\0\0", 6) == 0)
        return -EINVAL;
    memcpy(ret, mac, 6);
    return 0;
}

static int cidr_parse(const char *text, long long *ret_prefix, struct frame_cidr *ret)
{
    const char *slash = strchr(text, '/');
    char address[16];
    struct frame_cidr c;
    long long prefix;

    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    if (parse_i64(slash + 1, &prefix) < 0 || prefix < 0 || prefix > 32)
        return -EINVAL;
    if (frame_ip_parse(address, &c.addr) < 0)
        return -EINVAL;
    c.mask = prefix ? ~0u << (32 - prefix) : 0;
    if (c.addr & ~c.mask)
        return -EINVAL;
    *ret_prefix = prefix;
    *ret = c;
    return 0;
}

int frame_cidr_parse(const char *text, struct frame_cidr *ret)
{
    long long prefix;

    return cidr_parse(text, &prefix, ret);
}

int frame_net_parse(const char *cidr, struct frame_net *ret)
{
    struct frame_cidr c;
    long long prefix;

    if (cidr_parse(cidr, &prefix, &c) < 0 || prefix < 8 || prefix > 29)
        return -EINVAL;
    *ret = (struct frame_net){.addr = c.addr, .mask = c.mask, .broadcast = c.addr | ~c.mask};
    ret->gateway = ret->broadcast - 2;
    ret->nameserver = ret->broadcast - 1;
    return 0;
}

bool frame_ip_usable(const struct frame_net *net, uint32_t ip)
{
    return frame_in_subnet(net, ip) && ip != net->addr && ip < net->gateway;
}

/* --- parsing --- */

static bool parse_arp(const uint8_t *p, size_t len, struct frame *f)
{
    static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};

    if (len < ARP_LEN || memcmp(p, ethernet_ipv4, sizeof(ethernet_ipv4)) != 0)
        return false;
    f->kind = FRAME_ARP;
    f->arp_op = get16(p + 6);
    f->arp_mac = p + 8;
    f->arp_src = get32(p + 14);
    f->arp_dst = get32(p + 24);
    return f->arp_op == 1 || f->arp_op == 2;
}

static bool parse_tcp(const uint8_t *p, size_t len, struct frame *f)
{
    size_t header = len < TCP_LEN ? 0 : (size_t)(p[12] >> 4) * 4;

    if (header < TCP_LEN || header > len)
        return false;
    f->has_ports = true;
    f->sport = get16(p);
    f->dport = get16(p + 2);
    f->tcp_flags = p[13];
    return true;
}

static bool parse_udp(const uint8_t *p, size_t len, struct frame *f)
{
    size_t said = len < UDP_LEN ? 0 : get16(p + 4);

    /* The first of several fragments says the whole datagram's length. */
    if (said < UDP_LEN || (said > len && !f->fragment))
        return false;
    f->has_ports = true;
    f->sport = get16(p);
    f->dport = get16(p + 2);
    f->payload = p + UDP_LEN;
    f->payload_len = (said < len ? said : len) - UDP_LEN;
    return true;
}

static bool parse_icmp(const uint8_t *p, size_t len, struct frame *f)
{
    if (len < ICMP_LEN)
        return false;
    f->icmp_type = p[0];
    return true;
}

static bool parse_transport(const uint8_t *p, size_t len, struct frame *f)
{
    switch (f->proto) {
    case IPPROTO_TCP:
        return parse_tcp(p, len, f);
    case IPPROTO_UDP:
        return parse_udp(p, len, f);
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return parse_icmp(p, len, f);
    default:
        return true;
    }
}

static bool parse_ipv4(const uint8_t *p, size_t len, struct frame *f)
{
    size_t header, total;
    uint16_t fragment;

    if (len < IPV4_LEN || p[0] >> 4 != 4)
        return false;
    header = (size_t)(p[0] & 15) * 4;
    total = get16(p + 2);
    if (header < IPV4_LEN || header > total || total > len)
        return false;
    fragment = get16(p + 6);
    f->kind = FRAME_IPV4;
    f->options = header > IPV4_LEN;
    f->fragment = (fragment & 0x3fff) != 0;
    f->proto = p[9];
    f->src = get32(p + 12);
    f->dst = get32(p + 16);
    if (fragment & 0x1fff)
        return true; /* a later fragment carries no transport header */
    return parse_transport(p + header, total - header, f);
}

static bool parse_ipv6(const uint8_t *p, size_t len, struct frame *f)
{
    size_t total;

    if (len < IPV6_LEN || p[0] >> 4 != 6)
        return false;
    total = get16(p + 4);
    if (total > len - IPV6_LEN)
        return false;
    f->kind = FRAME_IPV6;
    f->proto = p[6];
    f->src6 = p + 8;
    f->dst6 = p + 24;
    p += IPV6_LEN;
    if (f->proto == IPPROTO_HOPOPTS) { /* multicast listener reports have a router alert in front */
        size_t options = total < 8 ? 0 : ((size_t)p[1] + 1) * 8;

        if (!options || options > total)
            return false;
        f->proto = p[0];
        p += options;
        total -= options;
    }
    return parse_transport(p, total, f);
}

bool frame_parse(const uint8_t *data, size_t len, struct frame *ret, enum frame_verdict *ret_drop)
{
    static const struct {
        uint16_t type;
        bool (*parse)(const uint8_t *p, size_t len, struct frame *f);
    } kinds[] = {{ETHER_IPV4, parse_ipv4}, {ETHER_ARP, parse_arp}, {ETHER_IPV6, parse_ipv6}};
    struct frame f = {.data = data, .len = len};

    *ret_drop = FRAME_DROP_BROKEN;
    if (len < FRAME_ETH_LEN || len > FRAME_MAX)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].type != get16(data + 12))
            continue;
        if (!kinds[i].parse(data + FRAME_ETH_LEN, len - FRAME_ETH_LEN, &f))
            return false;
        *ret = f;
        return true;
    }
    *ret_drop = FRAME_DROP_TYPE;
    return false;
}

/* --- writing --- */

void frame_router_mac(uint32_t ip, uint8_t ret[6])
{
    ret[0] = 0x52; /* the prefix that libslirp takes for itself */
    ret[1] = 0x55;
    put32(ret + 2, ip);
}

bool frame_is_router_mac(const uint8_t *mac)
{
    return mac[0] == 0x52 && mac[1] == 0x55;
}

static size_t arp_write(uint8_t *p, const uint8_t *to, uint16_t op, const uint8_t *mac, uint32_t ip,
                        const uint8_t *to_mac, uint32_t to_ip)
{
    static const uint8_t ethernet_ipv4[] = {8, 6, 0, 1, 8, 0, 6, 4};

    memset(p, 0, 60); /* the shortest frame that Ethernet knows, without its checksum */
    memcpy(p, to, 6);
    memcpy(p + 6, mac, 6);
    memcpy(p + 12, ethernet_ipv4, sizeof(ethernet_ipv4));
    put16(p + 20, op);
    memcpy(p + 22, mac, 6);
    put32(p + 28, ip);
    memcpy(p + 32, to_mac, 6);
    put32(p + 38, to_ip);
    return 60;
}

size_t frame_arp_answer(const struct frame *request, uint8_t *ret, size_t cap)
{
    uint8_t mac[6];

    if (cap < 60)
        return 0;
    frame_router_mac(request->arp_dst, mac);
    return arp_write(ret, request->arp_mac, 2, mac, request->arp_dst, request->arp_mac,
                     request->arp_src);
}

size_t frame_arp_announce(const struct frame_nic *nic, uint8_t *ret, size_t cap)
{
    static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
    static const uint8_t nobody[6];

    if (cap < 60)
        return 0;
    return arp_write(ret, everyone, 1, nic->mac, nic->ip, nobody, nic->ip);
}

/* RFC 1624, equation 3: the checksum at `sum` covered `from` and shall cover `to`. */
static void checksum_adjust(uint8_t *sum, uint32_t from, uint32_t to)
{
    uint32_t s = (uint16_t)~get16(sum);

    s += (uint16_t) ~(from >> 16);
    s += (uint16_t)~from;
    s += to >> 16;
    s += (uint16_t)to;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    put16(sum, (uint16_t)~s);
}

/* The header is plain IPv4 without options and carries TCP; `at` is the offset of the address to
 * change. */
static void replace_address(uint8_t *data, size_t at, uint32_t to)
{
    uint32_t from = get32(data + at);

    put32(data + at, to);
    checksum_adjust(data + FRAME_ETH_LEN + 10, from, to);
    checksum_adjust(data + FRAME_ETH_LEN + IPV4_LEN + 16, from, to);
}

static bool is_plain_tcp(const uint8_t *data, size_t len)
{
    return len >= FRAME_ETH_LEN + IPV4_LEN + TCP_LEN && get16(data + 12) == ETHER_IPV4 &&
           data[FRAME_ETH_LEN] == 0x45 && data[FRAME_ETH_LEN + 9] == IPPROTO_TCP;
}

void frame_meta_in(const struct frame_net *net, uint8_t *data, size_t len)
{
    const size_t at = FRAME_ETH_LEN + 16;
    uint32_t to;

    if (!is_plain_tcp(data, len))
        return;
    to = get32(data + at);
    if (frame_is_metadata(to))
        replace_address(data, at, to == FRAME_METADATA_VPC ? net->addr : net->broadcast);
}

void frame_meta_out(const struct frame_net *net, uint8_t *data, size_t len)
{
    const size_t at = FRAME_ETH_LEN + 12;
    uint32_t from;

    if (!is_plain_tcp(data, len))
        return;
    from = get32(data + at);
    if (from == net->addr || from == net->broadcast)
        replace_address(data, at, from == net->addr ? FRAME_METADATA_VPC : FRAME_METADATA_LINK);
}
