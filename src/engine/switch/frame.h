/*
 * What the switch thinks about one Ethernet frame. Pure functions over bytes: no sockets, no
 * allocation, no clock. Frames come from guests and are hostile: frame_parse looks at every length
 * before it looks at what is there, and everything after it works on what frame_parse accepted.
 *
 * Addresses are host-order integers; a frame's own bytes stay as they came.
 */
#ifndef OSTLER_ENGINE_SWITCH_FRAME_H
#define OSTLER_ENGINE_SWITCH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX     1518 /* the longest frame carried: a 1500-byte MTU */
#define FRAME_MTU     1500
#define FRAME_ETH_LEN 14

#define FRAME_METADATA_VPC  0x646464c8u /* 100.100.100.200 */
#define FRAME_METADATA_LINK 0xa9fea9feu /* 169.254.169.254 */
#define FRAME_METADATA_PORT 80

/* A block of addresses: `addr` has no bits outside `mask`. */
struct frame_cidr {
    uint32_t addr, mask;
};

/* The subnet, and where its guests may not go. `host` is sorted; both lists belong to the caller.
 */
struct frame_net {
    uint32_t addr, mask, broadcast, gateway, nameserver;
    bool isolated; /* nothing leaves but DHCP, metadata and the answers of forwarded connections */
    const struct frame_cidr *deny;
    size_t n_deny;
    const uint32_t *host; /* the host's own addresses */
    size_t n_host;
};

static inline bool frame_in_subnet(const struct frame_net *net, uint32_t ip)
{
    return (ip & net->mask) == net->addr;
}

static inline bool frame_is_metadata(uint32_t ip)
{
    return ip == FRAME_METADATA_VPC || ip == FRAME_METADATA_LINK;
}

/* The one network card that a port may speak as. */
struct frame_nic {
    uint8_t mac[6];
    uint32_t ip;
};

enum frame_kind { FRAME_ARP, FRAME_IPV4, FRAME_IPV6 };

/* What frame_parse found; only the fields of the frame's kind are set, the rest is zero. */
struct frame {
    const uint8_t *data;
    size_t len;
    enum frame_kind kind;
    uint16_t arp_op;
    const uint8_t *arp_mac;
    uint32_t arp_src, arp_dst;
    uint32_t src, dst; /* IPv4 */
    const uint8_t *src6, *dst6;
    uint8_t proto;          /* IPv4 and IPv6; hop-by-hop options before ICMPv6 are looked through */
    bool options, fragment; /* IPv4 options are there; it is one of several fragments */
    bool has_ports;         /* sport and dport are set (TCP, UDP; not in later fragments) */
    uint16_t sport, dport;
    uint8_t tcp_flags, icmp_type;
    const uint8_t *payload; /* of UDP */
    size_t payload_len;
};

/* Where a frame goes. The order is that of frame_verdict_name. */
enum frame_verdict {
    FRAME_DROP_TYPE,    /* not ARP, IPv4 or IPv6 */
    FRAME_DROP_BROKEN,  /* lengths or headers that make no sense */
    FRAME_DROP_SPOOFED, /* speaks as somebody else */
    FRAME_DROP_POLICY,  /* may not go there */
    FRAME_TO_ARP,       /* the switch itself answers */
    FRAME_TO_DHCP,      /* the switch itself answers */
    FRAME_TO_META,      /* to the user-mode stack after frame_meta_in */
    FRAME_TO_STACK,     /* to the user-mode stack as it is */
    FRAME_TO_PEERS,     /* to other ports, by its destination MAC */
    FRAME_N_VERDICTS,
};

const char *frame_verdict_name(enum frame_verdict v);

/* "172.16.0.0/24"; no bits outside the mask, a prefix of 8 to 29. Fills all but the lists. Returns
 * 0 or -EINVAL. */
int frame_net_parse(const char *cidr, struct frame_net *ret);
int frame_cidr_parse(const char *cidr, struct frame_cidr *ret); /* any prefix; else as above */
int frame_mac_parse(const char *text, uint8_t ret[6]); /* six hex pairs, unicast; 0 or -EINVAL */
int frame_ip_parse(const char *text, uint32_t *ret);   /* 0 or -EINVAL */
void frame_ip_text(uint32_t ip, char ret[16]);

/* May a guest have this address: inside, and none of network, gateway, name server, broadcast. */
bool frame_ip_usable(const struct frame_net *net, uint32_t ip);

/* True and a description that points into `data`, or false and the verdict that drops it (TYPE or
 * BROKEN). */
bool frame_parse(const uint8_t *data, size_t len, struct frame *ret, enum frame_verdict *ret_drop);

/* The decision about a frame that the guest behind `nic` sent. Every rule there is stands in this
 * one's table. */
enum frame_verdict frame_filter(const struct frame_net *net, const struct frame_nic *nic,
                                const struct frame *f);

/* The switch's own MAC for an address that it answers for. */
void frame_router_mac(uint32_t ip, uint8_t ret[6]);
bool frame_is_router_mac(const uint8_t *mac);

/* Writes the answer to an ARP request that frame_filter gave FRAME_TO_ARP. Returns its length, at
 * most 60. */
size_t frame_arp_answer(const struct frame *request, uint8_t *ret, size_t cap);

/* An announcement of `nic` ("this address has this MAC"), for the stack's own table. Returns its
 * length. */
size_t frame_arp_announce(const struct frame_nic *nic, uint8_t *ret, size_t cap);

/*
 * The stack can only serve addresses inside the subnet, so the two metadata addresses travel as the
 * subnet's own network and broadcast addresses, which no guest can have: frame_meta_in on the way
 * to the stack (a frame with the verdict FRAME_TO_META), frame_meta_out on the way back (any frame
 * from the stack). Checksums are adjusted.
 */
void frame_meta_in(const struct frame_net *net, uint8_t *data, size_t len);
void frame_meta_out(const struct frame_net *net, uint8_t *data, size_t len);

#endif
