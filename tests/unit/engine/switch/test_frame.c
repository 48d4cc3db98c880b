/* What the switch decides about frames, and how it rewrites them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "crafted.h"

#define ME   IP(172, 16, 0, 10)
#define PEER IP(172, 16, 0, 11)
#define SYN  0x02
#define ACK  0x10

static struct frame_net net;
static struct frame_nic nic;
static const uint32_t host[] = {IP(10, 0, 0, 7), IP(127, 0, 0, 1), IP(192, 0, 2, 2),
                                IP(192, 0, 2, 255)};
static const struct frame_cidr deny[] = {{IP(10, 9, 0, 0), 0xffff0000}};

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(frame_net_parse("172.16.0.0/24", &net), 0);
    net.host = host;
    net.n_host = ARRAY_LEN(host);
    net.deny = deny;
    net.n_deny = ARRAY_LEN(deny);
    memcpy(nic.mac, guest_mac, 6);
    nic.ip = ME;
    return 0;
}

static enum frame_verdict judge(const struct crafted *c)
{
    enum frame_verdict v;
    struct frame f;

    return frame_parse(c->data, c->len, &f, &v) ? frame_filter(&net, &nic, &f) : v;
}

static enum frame_verdict judge_tcp(uint32_t dst, uint16_t port, uint8_t flags)
{
    struct crafted c = tcp(router_mac, ME, dst, port, flags);

    return judge(&c);
}

static enum frame_verdict judge_udp(uint32_t dst, uint16_t port)
{
    struct crafted c = udp(router_mac, ME, dst, 5000, port, "x", 1);

    return judge(&c);
}

static enum frame_verdict judge_ping(uint32_t dst)
{
    struct crafted c = ipv4(router_mac, ME, dst, 1, 8);

    c.data[34] = 8;
    seal(&c);
    return judge(&c);
}

static void the_subnet_is_read_and_its_reserved_addresses_known(void **state)
{
    static const char *const wrong[] = {"",
                                        "172.16.0.0",
                                        "172.16.0.1/24",
                                        "172.16.0.0/30",
                                        "172.0.0/24",
                                        "172.16.0.0/x",
                                        "0.0.0.0/0",
                                        "172.16.0.0/24 ",
                                        "/24",
                                        "172.16.0.0/-24",
                                        "1.1.1.1.1.1.1.1.1.1/8"};
    struct frame_net n;

    (void)state;
    assert_int_equal(net.gateway, IP(172, 16, 0, 253));
    assert_int_equal(net.nameserver, IP(172, 16, 0, 254));
    assert_true(frame_ip_usable(&net, IP(172, 16, 0, 1)));
    assert_true(frame_ip_usable(&net, IP(172, 16, 0, 252)));
    assert_false(frame_ip_usable(&net, IP(172, 16, 0, 0)));
    assert_false(frame_ip_usable(&net, IP(172, 16, 0, 253)));
    assert_false(frame_ip_usable(&net, IP(172, 16, 0, 255)));
    assert_false(frame_ip_usable(&net, IP(172, 16, 1, 1)));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_not_equal(frame_net_parse(wrong[i], &n), 0);
}

static void macs_are_read_strictly(void **state)
{
    static const char *const wrong[] = {"",
                                        "00:16:3e:00:00",
                                        "00-16-3e-00-00-01",
                                        "01:16:3e:00:00:01",
                                        "52:55:00:00:00:01",
                                        "00:16:3e:00:00:0g",
                                        "00:00:00:00:00:00",
                                        "00:16:3e:00:00:01:"};
    uint8_t mac[6];

    (void)state;
    assert_int_equal(frame_mac_parse("00:16:3E:aB:00:01", mac), 0);
    assert_memory_equal(mac, "\x00\x16\x3e\xab\x00\x01", 6);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_int_not_equal(frame_mac_parse(wrong[i], mac), 0);
}

static void the_outside_is_reached(void **state)
{
    (void)state;
    assert_int_equal(judge_tcp(IP(8, 8, 8, 8), 443, SYN), FRAME_TO_STACK);
    assert_int_equal(judge_udp(IP(8, 8, 8, 8), 123), FRAME_TO_STACK);
    assert_int_equal(judge_ping(IP(8, 8, 8, 8)), FRAME_TO_STACK);
    assert_int_equal(judge_tcp(IP(10, 0, 0, 8), 80, SYN), FRAME_TO_STACK);
}

static void what_is_the_hosts_is_not_reached(void **state)
{
    static const uint32_t forbidden[] = {
        IP(127, 0, 0, 1),   IP(127, 1, 2, 3),       IP(0, 0, 0, 0),       IP(0, 1, 2, 3),
        IP(169, 254, 0, 1), IP(169, 254, 169, 253), IP(169, 254, 170, 2), IP(10, 0, 0, 7),
        IP(192, 0, 2, 2),   IP(192, 0, 2, 255),     IP(224, 0, 0, 1),     IP(239, 255, 255, 250),
        IP(240, 0, 0, 1),   IP(255, 255, 255, 255), IP(168, 63, 129, 16), IP(192, 0, 0, 192),
        IP(10, 9, 8, 7),    IP(172, 16, 0, 0),      IP(172, 16, 0, 255),  PEER,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
        assert_int_equal(judge_tcp(forbidden[i], 80, SYN), FRAME_DROP_POLICY);
        assert_int_equal(judge_tcp(forbidden[i], 80, ACK), FRAME_DROP_POLICY);
        assert_int_equal(judge_udp(forbidden[i], 53), FRAME_DROP_POLICY);
        assert_int_equal(judge_ping(forbidden[i]), FRAME_DROP_POLICY);
    }
}

static void metadata_is_port_80_of_two_addresses_only(void **state)
{
    static const uint32_t both[] = {FRAME_METADATA_VPC, FRAME_METADATA_LINK};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        assert_int_equal(judge_tcp(both[i], 80, SYN), FRAME_TO_META);
        assert_int_equal(judge_tcp(both[i], 81, SYN), FRAME_DROP_POLICY);
        assert_int_equal(judge_udp(both[i], 80), FRAME_DROP_POLICY);
        assert_int_equal(judge_ping(both[i]), FRAME_DROP_POLICY);
    }
}

static void the_gateway_takes_answers_and_pings_but_no_connections(void **state)
{
    (void)state;
    assert_int_equal(judge_tcp(net.gateway, 22, SYN), FRAME_DROP_POLICY);
    assert_int_equal(judge_tcp(net.gateway, 22, SYN | 0x08), FRAME_DROP_POLICY);
    assert_int_equal(judge_tcp(net.gateway, 40000, SYN | ACK), FRAME_TO_STACK);
    assert_int_equal(judge_tcp(net.gateway, 40000, ACK), FRAME_TO_STACK);
    assert_int_equal(judge_ping(net.gateway), FRAME_TO_STACK);
    assert_int_equal(judge_udp(net.gateway, 69), FRAME_DROP_POLICY);
}

static void the_name_server_is_port_53_only(void **state)
{
    (void)state;
    assert_int_equal(judge_udp(net.nameserver, 53), FRAME_TO_STACK);
    assert_int_equal(judge_tcp(net.nameserver, 53, SYN), FRAME_TO_STACK);
    assert_int_equal(judge_udp(net.nameserver, 54), FRAME_DROP_POLICY);
    assert_int_equal(judge_tcp(net.nameserver, 22, SYN), FRAME_DROP_POLICY);
}

static void isolated_guests_keep_metadata_and_forwarded_answers(void **state)
{
    struct crafted peer = tcp(other_mac, ME, PEER, 80, SYN);

    (void)state;
    net.isolated = true;
    assert_int_equal(judge_tcp(IP(8, 8, 8, 8), 443, SYN), FRAME_DROP_POLICY);
    assert_int_equal(judge_tcp(IP(8, 8, 8, 8), 443, ACK), FRAME_DROP_POLICY);
    assert_int_equal(judge_udp(net.nameserver, 53), FRAME_DROP_POLICY);
    assert_int_equal(judge_tcp(FRAME_METADATA_VPC, 80, SYN), FRAME_TO_META);
    assert_int_equal(judge_tcp(net.gateway, 40000, SYN | ACK), FRAME_TO_STACK);
    assert_int_equal(judge(&peer), FRAME_TO_PEERS);
}

static void nobody_speaks_as_another(void **state)
{
    struct crafted c = tcp(other_mac, PEER, ME, 80, SYN);

    (void)state;
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = tcp(router_mac, IP(8, 8, 8, 8), IP(1, 1, 1, 1), 80, SYN);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = tcp(other_mac, ME, PEER, 80, SYN);
    memcpy(c.data + 6, other_mac, 6);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = arp(every_mac, 1, guest_mac, PEER, ME);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = arp(every_mac, 2, other_mac, ME, PEER);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = arp(every_mac, 2, guest_mac, net.gateway, PEER);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = udp(every_mac, PEER, 0xffffffff, 68, 67, "x", 1);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = udp(other_mac, 0, PEER, 5000, 5000, "x", 1);
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
}

static void arp_is_answered_for_the_switchs_own_addresses(void **state)
{
    const uint32_t own[] = {net.gateway, net.nameserver, FRAME_METADATA_VPC, FRAME_METADATA_LINK};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        struct crafted c = arp(every_mac, 1, guest_mac, ME, own[i]);
        enum frame_verdict v;
        uint8_t answer[60], mac[6];
        struct frame f, a;

        assert_int_equal(judge(&c), FRAME_TO_ARP);
        assert_true(frame_parse(c.data, c.len, &f, &v));
        assert_int_equal(frame_arp_answer(&f, answer, sizeof(answer)), 60);
        assert_true(frame_parse(answer, sizeof(answer), &a, &v));
        frame_router_mac(own[i], mac);
        assert_int_equal(a.arp_op, 2);
        assert_int_equal(a.arp_src, own[i]);
        assert_int_equal(a.arp_dst, ME);
        assert_memory_equal(a.arp_mac, mac, 6);
        assert_memory_equal(answer, guest_mac, 6);
    }
}

static void arp_between_guests_passes(void **state)
{
    struct crafted c = arp(every_mac, 1, guest_mac, ME, PEER);

    (void)state;
    assert_int_equal(judge(&c), FRAME_TO_PEERS);
    c = arp(every_mac, 1, guest_mac, 0, ME); /* a probe: is my address taken? */
    assert_int_equal(judge(&c), FRAME_TO_PEERS);
    c = arp(other_mac, 2, guest_mac, ME, PEER);
    assert_int_equal(judge(&c), FRAME_TO_PEERS);
}

static void dhcp_goes_to_the_switch_and_no_guest_serves_it(void **state)
{
    struct crafted c = udp(every_mac, 0, 0xffffffff, 68, 67, "x", 1);

    (void)state;
    assert_int_equal(judge(&c), FRAME_TO_DHCP);
    c = udp(router_mac, ME, net.gateway, 68, 67, "x", 1);
    assert_int_equal(judge(&c), FRAME_TO_DHCP);
    c = udp(every_mac, ME, 0xffffffff, 67, 68, "x", 1);
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = udp(other_mac, ME, PEER, 67, 68, "x", 1);
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = udp(other_mac, ME, PEER, 68, 67, "x", 1);
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
}

static void fragments_and_options_never_reach_the_stack(void **state)
{
    struct crafted c = tcp(router_mac, ME, FRAME_METADATA_VPC, 80, SYN);

    (void)state;
    c.data[14 + 6] = 0x20; /* more fragments */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c.data[14 + 6] = 0;
    c.data[14 + 7] = 1; /* a later fragment */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv4(router_mac, ME, IP(8, 8, 8, 8), 17, 12);
    c.data[14] = 0x46;
    be16(c.data + 14 + 2, 32);
    be16(c.data + 38 + 4, 8);
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv4(other_mac, ME, PEER, 17, 16);
    c.data[14 + 7] = 1;
    seal(&c);
    assert_int_equal(judge(&c), FRAME_TO_PEERS);
}

static void foreign_types_are_dropped(void **state)
{
    static const uint16_t types[] = {0x8100, 0x88a8, 0x88f8, 0x0842, 0x0000, 0x0600};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct crafted c = ether(router_mac, types[i], 60);

        assert_int_equal(judge(&c), FRAME_DROP_TYPE);
    }
}

static void lengths_that_lie_are_dropped(void **state)
{
    struct crafted good[] = {
        tcp(router_mac, ME, IP(8, 8, 8, 8), 80, SYN),
        udp(router_mac, ME, IP(8, 8, 8, 8), 1, 2, "abc", 3),
        arp(every_mac, 1, guest_mac, ME, PEER),
    };
    struct crafted c;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        enum frame_verdict whole = judge(&good[i]);

        assert_true(whole >= FRAME_TO_ARP);
        for (c = good[i]; c.len > 0;) {
            c.len--;
            assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
        }
    }
    c = good[0];
    c.data[14] = 0x44; /* a header of 16 bytes */
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
    c = good[0];
    c.data[14] = 0x4f; /* a header longer than the packet */
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
    c = good[0];
    c.data[34 + 12] = 0x40; /* a TCP header of 16 bytes */
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
    c = good[0];
    c.data[34 + 12] = 0xf0; /* longer than the segment */
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
    c = good[1];
    be16(c.data + 34 + 4, 7);
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
    c = good[1];
    be16(c.data + 34 + 4, 12);
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
}

/* An IPv6 frame between guests; `next` and its first byte decide. */
static struct crafted ipv6(uint8_t next, uint8_t first)
{
    struct crafted c = ether(other_mac, 0x86dd, 40 + 24);
    uint8_t *p = c.data + 14;

    p[0] = 0x60;
    p[5] = 24;
    p[6] = next;
    p[8] = p[24] = 0xfe;
    p[9] = p[25] = 0x80;
    p[40] = first;
    be16(p + 44, 24);
    return c;
}

static void ipv6_lives_between_guests_only(void **state)
{
    struct crafted c = ipv6(58, 135);

    (void)state;
    assert_int_equal(judge(&c), FRAME_TO_PEERS);
    memcpy(c.data, router_mac, 6);
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv6(58, 134); /* router advertisement */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv6(58, 137); /* redirect */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv6(0, 58); /* hop-by-hop options, then a router advertisement */
    c.data[14 + 48] = 134;
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c.data[14 + 48] = 143; /* a multicast report */
    assert_int_equal(judge(&c), FRAME_TO_PEERS);
    c.data[14 + 41] = 200; /* options longer than the packet */
    assert_int_equal(judge(&c), FRAME_DROP_BROKEN);
    c = ipv6(44, 58); /* a fragment hides what it is */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv6(17, 0);
    c.data[14 + 24] = 0x20; /* a global destination */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
    c = ipv6(17, 0);
    c.data[14 + 8] = 0x20; /* a global source */
    assert_int_equal(judge(&c), FRAME_DROP_SPOOFED);
    c = ipv6(17, 0);
    be16(c.data + 14 + 40, 547); /* a DHCPv6 server */
    assert_int_equal(judge(&c), FRAME_DROP_POLICY);
}

static uint32_t address_at(const struct crafted *c, size_t at)
{
    const uint8_t *p = c->data + at;

    return IP(p[0], p[1], p[2], p[3]);
}

static void metadata_is_rewritten_and_back_with_right_checksums(void **state)
{
    static const uint32_t both[] = {FRAME_METADATA_VPC, FRAME_METADATA_LINK};
    const uint32_t alias[] = {net.addr, net.broadcast};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        /* Many payload values, so that the sums' carries and the two zeros come up. */
        for (uint32_t v = 0; v < 70000; v += 7) {
            struct crafted c = tcp(router_mac, ME, both[i], 80, SYN);

            be32(c.data + 34 + 4, v * 2654435761u);
            be16(c.data + 14 + 4, v);
            seal(&c);
            frame_meta_in(&net, c.data, c.len);
            assert_int_equal(address_at(&c, 30), alias[i]);
            assert_int_equal(sum16(c.data + 14, 20, 0), 0);
            assert_int_equal(transport_sum(&c), 0);
        }
        struct crafted back = tcp(guest_mac, alias[i], ME, 40000, SYN | ACK);

        frame_meta_out(&net, back.data, back.len);
        assert_int_equal(address_at(&back, 26), both[i]);
        assert_int_equal(sum16(back.data + 14, 20, 0), 0);
        assert_int_equal(transport_sum(&back), 0);
    }
}

static void other_frames_from_the_stack_stay_as_they_are(void **state)
{
    struct crafted c = tcp(guest_mac, IP(8, 8, 8, 8), ME, 40000, ACK), before = c;

    (void)state;
    frame_meta_out(&net, c.data, c.len);
    assert_memory_equal(&c, &before, sizeof(c));
    for (size_t len = 0; len < 54; len++)
        frame_meta_out(&net, c.data, len);
    assert_memory_equal(&c, &before, sizeof(c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_subnet_is_read_and_its_reserved_addresses_known, set_up),
        cmocka_unit_test_setup(macs_are_read_strictly, set_up),
        cmocka_unit_test_setup(the_outside_is_reached, set_up),
        cmocka_unit_test_setup(what_is_the_hosts_is_not_reached, set_up),
        cmocka_unit_test_setup(metadata_is_port_80_of_two_addresses_only, set_up),
        cmocka_unit_test_setup(the_gateway_takes_answers_and_pings_but_no_connections, set_up),
        cmocka_unit_test_setup(the_name_server_is_port_53_only, set_up),
        cmocka_unit_test_setup(isolated_guests_keep_metadata_and_forwarded_answers, set_up),
        cmocka_unit_test_setup(nobody_speaks_as_another, set_up),
        cmocka_unit_test_setup(arp_is_answered_for_the_switchs_own_addresses, set_up),
        cmocka_unit_test_setup(arp_between_guests_passes, set_up),
        cmocka_unit_test_setup(dhcp_goes_to_the_switch_and_no_guest_serves_it, set_up),
        cmocka_unit_test_setup(fragments_and_options_never_reach_the_stack, set_up),
        cmocka_unit_test_setup(foreign_types_are_dropped, set_up),
        cmocka_unit_test_setup(lengths_that_lie_are_dropped, set_up),
        cmocka_unit_test_setup(ipv6_lives_between_guests_only, set_up),
        cmocka_unit_test_setup(metadata_is_rewritten_and_back_with_right_checksums, set_up),
        cmocka_unit_test_setup(other_frames_from_the_stack_stay_as_they_are, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
