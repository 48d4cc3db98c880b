/*
 * Between the ports of the subnet. Every port's MAC and address are given and enforced, so nothing
 * is learned: a destination that no port has has no receiver, and an ARP question has exactly one.
 */
#include "engine/switch/dhcp.h"
#include "engine/switch/sw.h"

static unsigned hash(const void *key, size_t len)
{
    const uint8_t *p = key;
    uint32_t h = 2166136261u;

    while (len--)
        h = (h ^ *p++) * 16777619u;
    return (h ^ h >> 15) & (SW_INDEX - 1);
}

static void index_add(struct addr_index *index, unsigned at, unsigned slot)
{
    while (index->place[at])
        at = (at + 1) & (SW_INDEX - 1);
    index->place[at] = (uint16_t)(slot + 1);
}

void forward_index(struct sw *sw)
{
    memset(&sw->by_mac, 0, sizeof(sw->by_mac));
    memset(&sw->by_ip, 0, sizeof(sw->by_ip));
    for (unsigned i = 0; i < sw->n_slots; i++) {
        const struct frame_nic *nic;

        if (!sw->ports[i])
            continue;
        nic = port_nic(sw->ports[i]);
        index_add(&sw->by_mac, hash(nic->mac, 6), i);
        index_add(&sw->by_ip, hash(&nic->ip, sizeof(nic->ip)), i);
    }
}

struct port *forward_by_mac(const struct sw *sw, const uint8_t *mac)
{
    for (unsigned at = hash(mac, 6); sw->by_mac.place[at]; at = (at + 1) & (SW_INDEX - 1)) {
        struct port *p = sw->ports[sw->by_mac.place[at] - 1];

        if (memcmp(port_nic(p)->mac, mac, 6) == 0)
            return p;
    }
    return NULL;
}

struct port *forward_by_ip(const struct sw *sw, uint32_t ip)
{
    for (unsigned at = hash(&ip, sizeof(ip)); sw->by_ip.place[at]; at = (at + 1) & (SW_INDEX - 1)) {
        struct port *p = sw->ports[sw->by_ip.place[at] - 1];

        if (port_nic(p)->ip == ip)
            return p;
    }
    return NULL;
}

static void flood(struct sw *sw, struct port *from, const struct frame *f)
{
    if (!port_may_flood(from))
        return;
    for (unsigned i = 0; i < sw->n_slots; i++)
        if (sw->ports[i] && sw->ports[i] != from)
            port_send(sw->ports[i], f->data, f->len);
}

static void to_one(struct port *from, struct port *to, const struct frame *f)
{
    if (to && to != from)
        port_send(to, f->data, f->len);
}

static void to_peers(struct sw *sw, struct port *from, const struct frame *f)
{
    bool everyone = f->data[0] & 1;

    if (!everyone)
        to_one(from, forward_by_mac(sw, f->data), f);
    else if (f->kind == FRAME_ARP && f->arp_op == 1 && f->arp_src != f->arp_dst)
        to_one(from, forward_by_ip(sw, f->arp_dst), f);
    else
        flood(sw, from, f);
}

static void answer_arp(struct port *from, const struct frame *f)
{
    uint8_t answer[FRAME_MAX];
    size_t len = frame_arp_answer(f, answer, sizeof(answer));

    port_send(from, answer, len);
}

static void answer_dhcp(struct sw *sw, struct port *from, const struct frame *f)
{
    uint8_t answer[FRAME_MAX];
    size_t len =
        dhcp_answer(&sw->net, port_nic(from), port_host_name(from), f, answer, sizeof(answer));

    if (len)
        port_send(from, answer, len);
}

void forward_frame(struct sw *sw, struct port *from, uint8_t *data, size_t len)
{
    enum frame_verdict verdict;
    struct frame f;

    if (frame_parse(data, len, &f, &verdict))
        verdict = frame_filter(&sw->net, port_nic(from), &f);
    port_count(from, verdict);
    switch (verdict) {
    case FRAME_TO_ARP:
        answer_arp(from, &f);
        return;
    case FRAME_TO_DHCP:
        answer_dhcp(sw, from, &f);
        return;
    case FRAME_TO_META:
        port_metadata(from, data, len);
        return;
    case FRAME_TO_STACK:
        port_stack(from, &f);
        return;
    case FRAME_TO_PEERS:
        to_peers(sw, from, &f);
        return;
    default:
        return; /* counted */
    }
}
