/* Which frames of a guest go where. All that is allowed stands in one table; security groups belong
 * in front of it. */
#include <netinet/in.h>
#include <string.h>

#include "base/util.h"
#include "engine/switch/frame.h"

#define TCP_SYN 0x02
#define TCP_ACK 0x10

#define DHCP_SERVER  67
#define DHCP_CLIENT  68
#define DHCP6_SERVER 547

/* Where a packet that the guest sent is headed, as far as rules care. */
enum zone {
    ZONE_METADATA,   /* one of the two metadata addresses */
    ZONE_GATEWAY,    /* the subnet's router address: the stack itself */
    ZONE_NAMESERVER, /* the subnet's name server address: the stack relays to the host's resolver */
    ZONE_SUBNET,     /* anything else inside the subnet */
    ZONE_FORBIDDEN,  /* this host, link-local, loopback, multicast, what --deny names */
    ZONE_OUTSIDE,    /* the rest of the world */
    ZONE_ANY,
};

enum way { WAY_ROUTER, WAY_PEERS };

enum rule_when { WHEN_ALWAYS, WHEN_NOT_OPENING, WHEN_ECHO };

struct rule {
    enum way way;
    enum zone zone;
    uint8_t proto; /* 0: any */
    uint16_t port; /* destination; 0: any */
    enum rule_when when;
    bool even_isolated;
    enum frame_verdict verdict;
};

/*
 * What an IPv4 packet may do, once it is known to be from whom it says. The first row that fits
 * decides; none: drop. A connection that somebody opened through a forward comes from the gateway's
 * address, so answers to it must pass and connections to it must not (the stack would make them
 * connections to the host's loopback).
 */
static const struct rule rules[] = {
    {WAY_ROUTER, ZONE_METADATA, IPPROTO_TCP, FRAME_METADATA_PORT, WHEN_ALWAYS, true, FRAME_TO_META},
    {WAY_ROUTER, ZONE_GATEWAY, IPPROTO_TCP, 0, WHEN_NOT_OPENING, true, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_GATEWAY, IPPROTO_ICMP, 0, WHEN_ECHO, true, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_NAMESERVER, IPPROTO_UDP, 53, WHEN_ALWAYS, false, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_NAMESERVER, IPPROTO_TCP, 53, WHEN_ALWAYS, false, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_NAMESERVER, IPPROTO_ICMP, 0, WHEN_ECHO, false, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_OUTSIDE, IPPROTO_TCP, 0, WHEN_ALWAYS, false, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_OUTSIDE, IPPROTO_UDP, 0, WHEN_ALWAYS, false, FRAME_TO_STACK},
    {WAY_ROUTER, ZONE_OUTSIDE, IPPROTO_ICMP, 0, WHEN_ECHO, false, FRAME_TO_STACK},
    {WAY_PEERS, ZONE_ANY, 0, 0, WHEN_ALWAYS, true, FRAME_TO_PEERS},
};

/* Never through the stack: what is this host's, nobody's or everybody's, or a cloud platform's own
 * service. */
static const struct frame_cidr never[] = {
    {0x00000000, 0xff000000}, /* 0.0.0.0/8: Linux takes it for this host */
    {0x7f000000, 0xff000000}, /* 127.0.0.0/8 */
    {0xa9fe0000, 0xffff0000}, /* 169.254.0.0/16: a cloud host's own metadata and neighbours */
    {0xa83f8110,
     0xffffffff}, /* 168.63.129.16: Azure's platform address hands out the host's secrets */
    {0xc00000c0, 0xffffffff}, /* 192.0.0.192: an older metadata address of Oracle's cloud */
    {0xe0000000, 0xe0000000}, /* 224.0.0.0/3: multicast, reserved, broadcast */
};

static bool in_list(const struct frame_cidr *list, size_t n, uint32_t ip)
{
    for (size_t i = 0; i < n; i++)
        if ((ip & list[i].mask) == list[i].addr)
            return true;
    return false;
}

static bool is_host(const struct frame_net *net, uint32_t ip)
{
    size_t low = 0, high = net->n_host;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (net->host[middle] < ip)
            low = middle + 1;
        else
            high = middle;
    }
    return low < net->n_host && net->host[low] == ip;
}

/* The subnet wins over everything: what is inside it never reaches the host's network, whatever
 * that looks like. */
static enum zone zone_of(const struct frame_net *net, uint32_t ip)
{
    if (frame_is_metadata(ip))
        return ZONE_METADATA;
    if (ip == net->gateway)
        return ZONE_GATEWAY;
    if (ip == net->nameserver)
        return ZONE_NAMESERVER;
    if (frame_in_subnet(net, ip))
        return ZONE_SUBNET;
    if (in_list(never, ARRAY_LEN(never), ip) || in_list(net->deny, net->n_deny, ip) ||
        is_host(net, ip))
        return ZONE_FORBIDDEN;
    return ZONE_OUTSIDE;
}

static bool rule_when(enum rule_when when, const struct frame *f)
{
    switch (when) {
    case WHEN_NOT_OPENING:
        return (f->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN;
    case WHEN_ECHO:
        return f->icmp_type == 8;
    case WHEN_ALWAYS:
    default:
        return true;
    }
}

static bool rule_fits(const struct rule *r, const struct frame_net *net, enum way way,
                      enum zone zone, const struct frame *f)
{
    return r->way == way && (r->zone == ZONE_ANY || r->zone == zone) &&
           (!r->proto || r->proto == f->proto) &&
           (!r->port || (f->has_ports && r->port == f->dport)) &&
           (r->even_isolated || !net->isolated) && rule_when(r->when, f);
}

static enum frame_verdict filter_arp(const struct frame_net *net, const struct frame_nic *nic,
                                     const struct frame *f)
{
    if (memcmp(f->arp_mac, nic->mac, 6) != 0 || (f->arp_src && f->arp_src != nic->ip))
        return FRAME_DROP_SPOOFED;
    if (f->arp_dst != net->gateway && f->arp_dst != net->nameserver &&
        !frame_is_metadata(f->arp_dst))
        return FRAME_TO_PEERS;
    return f->arp_op == 1 ? FRAME_TO_ARP : FRAME_DROP_POLICY;
}

/* Only the switch gives addresses away, so it sees every request and no guest hears another's
 * answer. */
static bool is_dhcp(const struct frame *f)
{
    return f->proto == IPPROTO_UDP && f->has_ports &&
           (f->dport == DHCP_SERVER || f->dport == DHCP_CLIENT);
}

static enum frame_verdict filter_dhcp(const struct frame_net *net, const struct frame_nic *nic,
                                      const struct frame *f)
{
    bool to_server = f->dst == 0xffffffff || f->dst == net->gateway;

    if (f->src && f->src != nic->ip)
        return FRAME_DROP_SPOOFED;
    if (f->dport != DHCP_SERVER || f->sport != DHCP_CLIENT || !to_server || f->fragment ||
        f->options)
        return FRAME_DROP_POLICY;
    return FRAME_TO_DHCP;
}

static enum frame_verdict filter_ipv4(const struct frame_net *net, const struct frame_nic *nic,
                                      const struct frame *f)
{
    enum way way = frame_is_router_mac(f->data) ? WAY_ROUTER : WAY_PEERS;
    enum zone zone;

    if (is_dhcp(f))
        return filter_dhcp(net, nic, f);
    if (f->src != nic->ip)
        return FRAME_DROP_SPOOFED;
    /* The stack reassembles and strips options for nobody: rules need ports, and that code has a
     * history. */
    if (way == WAY_ROUTER && (f->fragment || f->options))
        return FRAME_DROP_POLICY;
    zone = zone_of(net, f->dst);
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rule_fits(&rules[i], net, way, zone, f))
            return rules[i].verdict;
    return FRAME_DROP_POLICY;
}

static bool link_local6(const uint8_t *a)
{
    return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

/* IPv6 lives between guests only, link-local; no guest may play router or address server for the
 * others. */
static enum frame_verdict filter_ipv6(const struct frame *f)
{
    static const uint8_t none[16];
    bool multicast = f->dst6[0] == 0xff && (f->dst6[1] & 0x0f) <= 2;
    bool known = f->proto == IPPROTO_TCP || f->proto == IPPROTO_UDP || f->proto == IPPROTO_ICMPV6;

    if (!link_local6(f->src6) && memcmp(f->src6, none, sizeof(none)) != 0)
        return FRAME_DROP_SPOOFED;
    if ((!link_local6(f->dst6) && !multicast) || !known)
        return FRAME_DROP_POLICY;
    if (f->proto == IPPROTO_ICMPV6 && (f->icmp_type == 134 || f->icmp_type == 137))
        return FRAME_DROP_POLICY;
    if (f->proto == IPPROTO_UDP && f->sport == DHCP6_SERVER)
        return FRAME_DROP_POLICY;
    return frame_is_router_mac(f->data) ? FRAME_DROP_POLICY : FRAME_TO_PEERS;
}

enum frame_verdict frame_filter(const struct frame_net *net, const struct frame_nic *nic,
                                const struct frame *f)
{
    if (memcmp(f->data + 6, nic->mac, 6) != 0)
        return FRAME_DROP_SPOOFED;
    switch (f->kind) {
    case FRAME_ARP:
        return filter_arp(net, nic, f);
    case FRAME_IPV4:
        return filter_ipv4(net, nic, f);
    case FRAME_IPV6:
    default:
        return filter_ipv6(f);
    }
}

const char *frame_verdict_name(enum frame_verdict v)
{
    static const char *const names[] = {
        [FRAME_DROP_TYPE] = "type",       [FRAME_DROP_BROKEN] = "broken",
        [FRAME_DROP_SPOOFED] = "spoofed", [FRAME_DROP_POLICY] = "policy",
        [FRAME_TO_ARP] = "arp",           [FRAME_TO_DHCP] = "dhcp",
        [FRAME_TO_META] = "metadata",     [FRAME_TO_STACK] = "stack",
        [FRAME_TO_PEERS] = "peers",
    };

    return names[v];
}
