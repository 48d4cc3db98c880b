/* What the guest's init believes of DHCP packets, HTTP answers, kernel lines and names from
   outside. Every malformed input is handed over in a block of exactly its size, so that the
   sanitizers see one byte too many. */
#include "dhcp.h"
#include "http.h"
#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct dhcp_client client = {.xid = 0x11223344, .mac = {0, 0x16, 0x3e, 0, 0, 1}};

enum { OPTIONS_AT = 240 };

/* A server's answer with these options; returns its length. */
static size_t answer(uint8_t *packet, const uint8_t *options, size_t length)
{
    memset(packet, 0, OPTIONS_AT);
    packet[0] = 2;
    memcpy(packet + 4, &client.xid, 4);
    memcpy(packet + 16, (uint8_t[]){10, 0, 2, 15}, 4);
    memcpy(packet + 28, client.mac, 6);
    memcpy(packet + 236, (uint8_t[]){0x63, 0x82, 0x53, 0x63}, 4);
    memcpy(packet + OPTIONS_AT, options, length);
    return OPTIONS_AT + length;
}

/* Parses a copy of the first `length` bytes that ends where its memory ends. */
static int parse(const uint8_t *packet, size_t length, enum dhcp_type *type,
                 struct dhcp_lease *lease)
{
    uint8_t *exact = malloc(length ? length : 1);

    memcpy(exact, packet, length);
    int error = dhcp_parse(&client, exact, length, type, lease);
    free(exact);
    return error;
}

static const uint8_t full_options[] = {
    0,                                              /* padding */
    53,  1, DHCP_ACK,                               /* type */
    54,  4, 10,       0,    2,   2,                 /* server */
    1,   4, 255,      255,  255, 0,                 /* netmask */
    3,   4, 10,       0,    2,   2,                 /* router */
    6,   8, 10,       0,    2,   3,   10,  0, 2, 4, /* name servers */
    12,  5, 'w',      'e',  'b', '-', '1',          /* host name */
    26,  2, 5,        0xb4,                         /* MTU 1460 */
    255,
};

static void test_a_full_lease_is_read(void **state)
{
    uint8_t packet[512];
    enum dhcp_type type;
    struct dhcp_lease lease;

    (void)state;
    size_t length = answer(packet, full_options, sizeof(full_options));
    assert_int_equal(parse(packet, length, &type, &lease), 0);
    assert_int_equal(type, DHCP_ACK);
    assert_int_equal(lease.address, inet_addr("10.0.2.15"));
    assert_int_equal(lease.server, inet_addr("10.0.2.2"));
    assert_int_equal(lease.netmask, inet_addr("255.255.255.0"));
    assert_int_equal(lease.dns_count, 2);
    assert_int_equal(lease.dns[1], inet_addr("10.0.2.4"));
    assert_string_equal(lease.hostname, "web-1");
    assert_int_equal(lease.mtu, 1460);
    assert_int_equal(lease.route_count, 1);
    assert_int_equal(lease.routes[0].netmask, 0);
    assert_int_equal(lease.routes[0].gateway, inet_addr("10.0.2.2"));
}

static void test_classless_routes_replace_the_router(void **state)
{
    static const uint8_t options[] = {
        53,  1,   DHCP_OFFER, 3,   4,   10, 0, 2, 2, 121, 22, 0, 10, 0, 2, 9, /* default by .9 */
        32,  169, 254,        169, 254, 0,  0, 0, 0, /* one host on the link */
        12,  172, 31,         10,  0,   2,  7,       /* host bits beyond the prefix */
        33,                                          /* nonsense ends the list */
        255,
    };
    uint8_t packet[512];
    enum dhcp_type type;
    struct dhcp_lease lease;

    (void)state;
    size_t length = answer(packet, options, sizeof(options));
    assert_int_equal(parse(packet, length, &type, &lease), 0);
    assert_int_equal(lease.route_count, 3);
    assert_int_equal(lease.routes[0].gateway, inet_addr("10.0.2.9"));
    assert_int_equal(lease.routes[1].destination, inet_addr("169.254.169.254"));
    assert_int_equal(lease.routes[1].netmask, INADDR_NONE);
    assert_int_equal(lease.routes[1].gateway, 0);
    assert_int_equal(lease.routes[2].destination, inet_addr("172.16.0.0"));
    assert_int_equal(lease.routes[2].netmask, inet_addr("255.240.0.0"));
}

static void test_answers_to_others_are_refused(void **state)
{
    static const size_t changed[] = {0, 4, 28, 33, 236, 239};
    uint8_t packet[512];
    enum dhcp_type type;
    struct dhcp_lease lease;

    (void)state;
    for (size_t i = 0; i < sizeof(changed) / sizeof(changed[0]); i++) {
        size_t length = answer(packet, full_options, sizeof(full_options));
        packet[changed[i]] ^= 0x40;
        assert_int_equal(parse(packet, length, &type, &lease), -EINVAL);
    }
}

static void test_every_truncation_and_every_single_bad_byte_is_survived(void **state)
{
    uint8_t packet[512];
    enum dhcp_type type;
    struct dhcp_lease lease;

    (void)state;
    size_t whole = answer(packet, full_options, sizeof(full_options));
    for (size_t length = 0; length < OPTIONS_AT + 4; length++)
        assert_int_equal(parse(packet, length, &type, &lease), -EINVAL);
    for (size_t at = OPTIONS_AT; at < whole; at++) {
        for (int value = 0; value < 256; value++) {
            uint8_t good = packet[at];
            packet[at] = (uint8_t)value;
            if (parse(packet, whole, &type, &lease) == 0) {
                assert_true(lease.dns_count <= DHCP_DNS_MAX);
                assert_true(lease.route_count <= DHCP_ROUTES_MAX);
                assert_true(strspn(lease.hostname, "abcdefghijklmnopqrstuvwxyz"
                                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
                            strlen(lease.hostname));
            }
            packet[at] = good;
        }
    }
}

static void test_a_request_names_what_was_offered(void **state)
{
    struct dhcp_lease offer = {.address = inet_addr("10.0.2.15"), .server = inet_addr("10.0.2.2")};
    uint8_t packet[DHCP_REQUEST_SIZE];
    static const uint8_t expected[] = {53, 1, DHCP_REQUEST, 50, 4, 10, 0, 2, 15,
                                       54, 4, 10,           0,  2, 2};

    (void)state;
    dhcp_build(&client, &offer, packet);
    assert_memory_equal(packet + OPTIONS_AT, expected, sizeof(expected));
    dhcp_build(&client, NULL, packet);
    assert_memory_equal(packet + OPTIONS_AT, ((uint8_t[]){53, 1, DHCP_DISCOVER}), 3);
    assert_int_equal(packet[0], 1);
}

static int parse_http(const char *text, bool closed, struct http_reply *reply, char **ret_copy)
{
    size_t size = strlen(text);
    char *exact = malloc(size ? size : 1);

    memcpy(exact, text, size);
    *ret_copy = exact;
    return http_parse(exact, size, closed, reply);
}

static void test_http_answers(void **state)
{
    static const struct {
        const char *text;
        bool closed;
        int result, status;
        const char *body;
        bool keep;
    } cases[] = {
        {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, 1, 200, "abc", false},
        {"HTTP/1.1 200 OK\r\nconnection: Keep-Alive\r\ncontent-length:3 \r\n\r\nabcX", false, 1,
         200, "abc", true},
        {"HTTP/1.0 404 No\r\nContent-Length: 0\r\n\r\n", false, 1, 404, "", false},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", true, 1, 200, "until the end", false},
        {"HTTP/1.0 200 OK\r\n\r\nuntil the end", false, 0, 0, NULL, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nab", false, 0, 0, NULL, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nab", true, -EPROTO, 0, NULL, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n", false, 0, 0, NULL, false},
        {"HTTP/1.0 200 OK\r\n", true, -EPROTO, 0, NULL, false},
        {"", true, -EPROTO, 0, NULL, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", false, -EPROTO, 0, NULL, false},
        {"HTTP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", false, -EPROTO, 0, NULL,
         false},
        {"HTTP/1.0 200 OK\r\nContent-Length:\r\n\r\n", false, -EPROTO, 0, NULL, false},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, -EPROTO, 0, NULL,
         false},
        {"HTTP/1.0 2x0 OK\r\n\r\n", true, -EPROTO, 0, NULL, false},
        {"SSH-2.0-x\r\n\r\n", true, -EPROTO, 0, NULL, false},
        {"\r\n\r\n", true, -EPROTO, 0, NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_reply reply;
        char *copy;
        assert_int_equal(parse_http(cases[i].text, cases[i].closed, &reply, &copy),
                         cases[i].result);
        if (cases[i].result == 1) {
            assert_int_equal(reply.status, cases[i].status);
            assert_int_equal(reply.length, strlen(cases[i].body));
            assert_memory_equal(reply.body, cases[i].body, reply.length);
            assert_int_equal(reply.keep, cases[i].keep);
        }
        free(copy);
    }
}

static void test_kernel_line(void **state)
{
    const char *line = "console=tty0 quiet xostler.root=/dev/x ostler.root=/dev/vda console=ttyS0 "
                       "empty=\n";
    char value[16] = "kept";

    (void)state;
    assert_true(cmdline_get(line, "ostler.root", value, sizeof(value)));
    assert_string_equal(value, "/dev/vda");
    assert_true(cmdline_get(line, "console", value, sizeof(value)));
    assert_string_equal(value, "ttyS0");
    assert_false(cmdline_get(line, "quiet", value, sizeof(value)));
    assert_false(cmdline_get(line, "empty", value, sizeof(value)));
    assert_false(cmdline_get(line, "root", value, sizeof(value)));
    assert_false(cmdline_get(line, "ostler.root", value, 8));
    assert_string_equal(value, "ttyS0");
}

static void test_names_from_outside(void **state)
{
    char name[8];

    (void)state;
    assert_true(name_clean("i-1\x1b[2J", 7, "-", name, sizeof(name)));
    assert_string_equal(name, "i-1");
    assert_true(name_clean("much-too-long", 13, "-", name, sizeof(name)));
    assert_string_equal(name, "much-to");
    assert_false(name_clean("\0abc", 4, "-", name, sizeof(name)));
    assert_false(name_clean("\xff", 1, "-", name, sizeof(name)));
    assert_false(name_clean("", 0, "-", name, sizeof(name)));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_lease_is_read),
        cmocka_unit_test(test_classless_routes_replace_the_router),
        cmocka_unit_test(test_answers_to_others_are_refused),
        cmocka_unit_test(test_every_truncation_and_every_single_bad_byte_is_survived),
        cmocka_unit_test(test_a_request_names_what_was_offered),
        cmocka_unit_test(test_http_answers),
        cmocka_unit_test(test_kernel_line),
        cmocka_unit_test(test_names_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
