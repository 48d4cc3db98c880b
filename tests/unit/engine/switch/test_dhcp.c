/* A guest gets its one address by DHCP and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/util.h"
#include "crafted.h"
#include "engine/switch/dhcp.h"

#define ME IP(172, 16, 0, 10)

static struct frame_net net;
static struct frame_nic nic;

struct answer {
    uint8_t data[FRAME_MAX];
    size_t len;
    uint32_t your;
    uint8_t type;
    const uint8_t *option[256]; /* of the length byte */
};

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(frame_net_parse("172.16.0.0/24", &net), 0);
    memcpy(nic.mac, guest_mac, 6);
    nic.ip = ME;
    return 0;
}

static size_t bootp(uint8_t *p, const char *options, size_t len)
{
    memset(p, 0, 240);
    memcpy(p, "\x01\x01\x06\x00\x12\x34\x56\x78", 8);
    memcpy(p + 28, guest_mac, 6);
    memcpy(p + 236, "\x63\x82\x53\x63", 4);
    memcpy(p + 240, options, len);
    return 240 + len;
}

static uint32_t get32(const uint8_t *p)
{
    return IP(p[0], p[1], p[2], p[3]);
}

static void read_answer(struct answer *a)
{
    const uint8_t *p = a->data + 42;
    struct crafted c = {.len = a->len};

    memcpy(c.data, a->data, a->len);
    assert_int_equal(sum16(a->data + 14, 20, 0), 0);
    assert_int_equal(transport_sum(&c), 0);
    assert_int_equal(get32(p + 4), 0x12345678);
    assert_true(a->len >= 42 + 300);
    a->your = get32(p + 16);
    for (p += 240; p < a->data + a->len && *p != 255; p += 2 + p[1])
        a->option[*p] = p + 1;
    assert_true(p < a->data + a->len);
    a->type = a->option[53][1];
}

static struct answer ask_raw(uint32_t from, const uint8_t *message, size_t len, const char *name)
{
    struct crafted c = udp(every_mac, from, 0xffffffff, 68, 67, message, len);
    struct answer a = {.len = 0};
    enum frame_verdict v;
    struct frame f;

    assert_true(frame_parse(c.data, c.len, &f, &v));
    assert_int_equal(frame_filter(&net, &nic, &f), FRAME_TO_DHCP);
    a.len = dhcp_answer(&net, &nic, name, &f, a.data, sizeof(a.data));
    if (a.len)
        read_answer(&a);
    return a;
}

static struct answer ask(const char *options, size_t len)
{
    uint8_t message[512];

    return ask_raw(0, message, bootp(message, options, len), "vm-one");
}

#define ASK(options) ask((options), sizeof(options) - 1)

static void discover_offers_the_address_with_its_settings(void **state)
{
    struct answer a = ASK("\x35\x01\x01\xff");

    (void)state;
    assert_int_equal(a.type, 2);
    assert_int_equal(a.your, ME);
    assert_int_equal(get32(a.option[1] + 1), 0xffffff00);
    assert_int_equal(get32(a.option[3] + 1), net.gateway);
    assert_int_equal(get32(a.option[6] + 1), net.nameserver);
    assert_int_equal(get32(a.option[54] + 1), net.gateway);
    assert_int_equal(get32(a.option[51] + 1), DHCP_LEASE_S);
    assert_int_equal(a.option[26][1] << 8 | a.option[26][2], 1500);
    assert_memory_equal(a.option[12], "\x06vm-one", 7);
    assert_memory_equal(a.data, guest_mac, 6);
}

static void a_discover_that_prefers_another_address_gets_its_own(void **state)
{
    struct answer a = ASK("\x35\x01\x01\x32\x04\xac\x10\x00\x0b\xff");

    (void)state;
    assert_int_equal(a.type, 2);
    assert_int_equal(a.your, ME);
}

static void request_is_granted_for_the_address_and_refused_for_others(void **state)
{
    struct answer a = ASK("\x35\x01\x03\x32\x04\xac\x10\x00\x0a\x36\x04\xac\x10\x00\xfd\xff");

    (void)state;
    assert_int_equal(a.type, 5);
    assert_int_equal(a.your, ME);
    a = ASK("\x35\x01\x03\x32\x04\xac\x10\x00\x0b\xff");
    assert_int_equal(a.type, 6);
    assert_int_equal(a.your, 0);
    assert_null(a.option[1]);
    assert_memory_equal(a.data, every_mac, 6);
    a = ASK("\x35\x01\x03\x32\x04\xac\x10\x00\x0a\x36\x04\x01\x02\x03\x04\xff");
    assert_int_equal(a.len, 0); /* it chose another server */
}

static void renewal_names_the_address_it_has(void **state)
{
    uint8_t message[512];
    size_t len = bootp(message, "\x35\x01\x03\xff", 4);
    struct answer a;

    (void)state;
    be32(message + 12, ME);
    a = ask_raw(ME, message, len, NULL);
    assert_int_equal(a.type, 5);
    assert_null(a.option[12]);
    be32(message + 12, ME + 1);
    a = ask_raw(ME, message, len, NULL);
    assert_int_equal(a.type, 6);
}

static void inform_gets_settings_and_no_lease(void **state)
{
    struct answer a = ASK("\x35\x01\x08\xff");

    (void)state;
    assert_int_equal(a.type, 5);
    assert_int_equal(a.your, 0);
    assert_null(a.option[51]);
    assert_non_null(a.option[3]);
}

static void isolated_guests_are_given_no_name_server(void **state)
{
    struct answer a;

    (void)state;
    net.isolated = true;
    a = ASK("\x35\x01\x01\xff");
    assert_null(a.option[6]);
    assert_non_null(a.option[3]);
}

static void the_broadcast_flag_is_honoured(void **state)
{
    uint8_t message[512];
    size_t len = bootp(message, "\x35\x01\x01\xff", 4);
    struct answer a;

    (void)state;
    message[10] = 0x80;
    a = ask_raw(0, message, len, "x");
    assert_memory_equal(a.data, every_mac, 6);
    assert_int_equal(get32(a.data + 30), 0xffffffff);
}

static void what_is_not_a_request_from_the_guest_gets_silence(void **state)
{
    uint8_t message[512];
    size_t len = bootp(message, "\x35\x01\x01\xff", 4);

    (void)state;
    message[28] ^= 1; /* another client's hardware address */
    assert_int_equal(ask_raw(0, message, len, "x").len, 0);
    len = bootp(message, "\x35\x01\x01\xff", 4);
    message[0] = 2;
    assert_int_equal(ask_raw(0, message, len, "x").len, 0);
    len = bootp(message, "\x35\x01\x01\xff", 4);
    message[236] = 0;
    assert_int_equal(ask_raw(0, message, len, "x").len, 0);
    assert_int_equal(ASK("\x35\x01\x04\xff").len, 0); /* decline */
    assert_int_equal(ASK("\x35\x01\x07\xff").len, 0); /* release */
    assert_int_equal(ASK("\xff").len, 0);             /* plain BOOTP */
    assert_int_equal(ASK("\x35").len, 0);
    assert_int_equal(ASK("\x35\xff\x01").len, 0);
    assert_int_equal(ASK("\x35\x02\x01\x01\xff").len, 0);
    len = bootp(message, "", 0);
    for (; len > 0; len--)
        assert_int_equal(ask_raw(0, message, len - 1, "x").len, 0);
}

static void a_long_host_name_is_cut(void **state)
{
    uint8_t message[512];
    size_t len = bootp(message, "\x35\x01\x01\xff", 4);
    char name[300];
    struct answer a;

    (void)state;
    memset(name, 'a', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    a = ask_raw(0, message, len, name);
    assert_int_equal(a.option[12][0], DHCP_NAME_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(discover_offers_the_address_with_its_settings, set_up),
        cmocka_unit_test_setup(a_discover_that_prefers_another_address_gets_its_own, set_up),
        cmocka_unit_test_setup(request_is_granted_for_the_address_and_refused_for_others, set_up),
        cmocka_unit_test_setup(renewal_names_the_address_it_has, set_up),
        cmocka_unit_test_setup(inform_gets_settings_and_no_lease, set_up),
        cmocka_unit_test_setup(isolated_guests_are_given_no_name_server, set_up),
        cmocka_unit_test_setup(the_broadcast_flag_is_honoured, set_up),
        cmocka_unit_test_setup(what_is_not_a_request_from_the_guest_gets_silence, set_up),
        cmocka_unit_test_setup(a_long_host_name_is_cut, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
