/* The frame filter, rewrites, ARP and DHCP answers on arbitrary frames; what must never pass is
 * checked. */
#include "fuzz.h"

#include <stdlib.h>

#include "../../unit/engine/switch/crafted.h"
#include "base/util.h"
#include "engine/switch/dhcp.h"

#define ME IP(172, 16, 0, 10)

static const uint32_t host[] = {IP(10, 0, 0, 7), IP(192, 0, 2, 2)};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static uint32_t get32(const uint8_t *p)
{
    return IP(p[0], p[1], p[2], p[3]);
}

/* Said again from the raw bytes, not from what the parser made of them. */
static void check_stack(const struct frame_net *net, const uint8_t *p, size_t len)
{
    uint32_t dst = get32(p + 30), first = dst >> 24;

    must(len >= 42 && p[12] == 8 && p[13] == 0 && p[14] == 0x45);
    must(get32(p + 26) == ME && memcmp(p + 6, guest_mac, 6) == 0);
    must(first != 127 && first != 0 && first < 224 && dst >> 16 != 0xa9fe &&
         dst != FRAME_METADATA_VPC);
    must(dst != host[0] && dst != host[1]);
    if ((dst & net->mask) == net->addr)
        must(dst == net->gateway || dst == net->nameserver);
    if (dst == net->gateway && p[23] == 6)
        must((p[47] & 0x12) != 0x02);
}

static void run(const struct frame_net *net, const struct frame_nic *nic, uint8_t *data, size_t len)
{
    enum frame_verdict v;
    uint8_t answer[FRAME_MAX];
    struct frame f;

    frame_meta_out(net, data, len);
    if (!frame_parse(data, len, &f, &v)) {
        must(v == FRAME_DROP_TYPE || v == FRAME_DROP_BROKEN);
        return;
    }
    v = frame_filter(net, nic, &f);
    if (v == FRAME_TO_STACK)
        check_stack(net, data, len);
    else if (v == FRAME_TO_META)
        frame_meta_in(net, data, len);
    else if (v == FRAME_TO_ARP)
        must(frame_arp_answer(&f, answer, sizeof(answer)) == 60);
    else if (v == FRAME_TO_DHCP)
        must(dhcp_answer(net, nic, "vm", &f, answer, sizeof(answer)) <= sizeof(answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct frame_nic nic = {.ip = ME};
    struct frame_net net;
    uint8_t *copy = malloc(len ? len : 1);

    if (len)
        memcpy(copy, data, len);
    must(copy && frame_net_parse("172.16.0.0/24", &net) == 0);
    net.host = host;
    net.n_host = ARRAY_LEN(host);
    memcpy(nic.mac, guest_mac, 6);
    run(&net, &nic, copy, len);
    free(copy);
    return 0;
}

size_t fuzz_seed(uint32_t which, uint8_t *data, size_t cap)
{
    static const uint32_t where[] = {IP(8, 8, 8, 8),     IP(172, 16, 0, 253), IP(172, 16, 0, 254),
                                     FRAME_METADATA_VPC, FRAME_METADATA_LINK, IP(127, 0, 0, 1),
                                     IP(10, 0, 0, 7),    IP(172, 16, 0, 11)};
    uint32_t dst = where[which / 8 % ARRAY_LEN(where)];
    uint8_t bootp[260] = {1, 1, 6};
    struct crafted c;

    memcpy(bootp + 28, guest_mac, 6);
    memcpy(bootp + 236, "\x63\x82\x53\x63\x35\x01\x01\x32\x04\x01\x02\x03\x04\xff", 14);
    switch (which % 5) {
    case 0:
        c = tcp(router_mac, ME, dst, 80, which & 256 ? 0x02 : 0x10);
        break;
    case 1:
        c = udp(router_mac, ME, dst, 5000, 53, "abc", 3);
        break;
    case 2:
        c = arp(every_mac, 1, guest_mac, ME, dst);
        break;
    case 3:
        c = udp(every_mac, 0, 0xffffffff, 68, 67, bootp, sizeof(bootp));
        break;
    default:
        c = ether(every_mac, 0x86dd, 80);
        c.data[14] = 0x60;
        c.data[19] = 40;
        c.data[20] = which & 512 ? 58 : 0;
        c.data[22] = c.data[38] = 0xfe;
        c.data[23] = c.data[39] = 0x80;
        c.data[54] = 58;
        break;
    }
    if (c.len > cap)
        return 0;
    memcpy(data, c.data, c.len);
    return c.len;
}
