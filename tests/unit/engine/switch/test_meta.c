/* The metadata tree and the HTTP in front of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/switch/meta.h"

static const char tree_text[] =
    "{\"instance-id\":\"i-1\",\"hostname\":\"vm-one\",\"instance/instance-type\":\"ecs.t1\","
    "\"public-keys\":{\"0\":{\"openssh-key\":\"ssh-ed25519 "
    "AAAA\"}},\"instance\":{\"virtualization\":\"kvm\"},"
    "\"network\":{\"interfaces\":{\"macs\":{\"00:16:3e:00:00:01\":{\"private-ipv4s\":\"172.16.0."
    "10\"}}}},"
    "\"empty\":\"\",\"number\":42,\"yes\":true}";

static struct meta *make(const char *text, const char *user_data, const char **ret_why)
{
    json_t *tree = json_loads(text, 0, NULL);
    struct meta *m = NULL;
    const char *why = NULL;
    int r;

    assert_non_null(tree);
    r = meta_new(tree, user_data, &m, &why);
    json_decref(tree);
    assert_true((r == 0) == (m != NULL));
    assert_true((r == 0) == (why == NULL));
    if (ret_why)
        *ret_why = why;
    return m;
}

static void expect(const struct meta *m, const char *path, int status, const char *body)
{
    struct buf b CLEANUP(buf_done) = {0};

    assert_int_equal(meta_lookup(m, path, &b), status);
    assert_string_equal(buf_cstr(&b), body);
}

static void the_tree_is_walked_under_both_versions(void **state)
{
    struct meta *m = make(tree_text, "IyEvYmluL3NoCg==", NULL);

    (void)state;
    expect(m, "/", 200, "2016-01-01\nlatest");
    expect(m, "/latest/", 200, "meta-data/\nuser-data");
    expect(m, "/latest/meta-data/", 200,
           "instance-id\nhostname\ninstance/\npublic-keys/\nnetwork/\nempty\nnumber\nyes");
    expect(m, "/2016-01-01/meta-data", 200,
           "instance-id\nhostname\ninstance/\npublic-keys/\nnetwork/\nempty\nnumber\nyes");
    expect(m, "/latest/meta-data/instance-id", 200, "i-1");
    expect(m, "/2016-01-01/meta-data/instance-id", 200, "i-1");
    expect(m, "//latest///meta-data//instance-id", 200, "i-1");
    expect(m, "/latest/meta-data/instance/", 200, "instance-type\nvirtualization");
    expect(m, "/latest/meta-data/instance/instance-type", 200, "ecs.t1");
    expect(m, "/latest/meta-data/public-keys/", 200, "0/");
    expect(m, "/latest/meta-data/public-keys/0/", 200, "openssh-key");
    expect(m, "/latest/meta-data/public-keys/0/openssh-key", 200, "ssh-ed25519 AAAA");
    expect(m, "/latest/meta-data/network/interfaces/macs/00:16:3e:00:00:01/private-ipv4s", 200,
           "172.16.0.10");
    expect(m, "/latest/meta-data/empty", 200, "");
    expect(m, "/latest/meta-data/number", 200, "42");
    expect(m, "/latest/meta-data/yes", 200, "true");
    expect(m, "/latest/user-data", 200, "#!/bin/sh\n");
    meta_free(m);
}

static void what_is_not_there_is_404(void **state)
{
    struct meta *m = make(tree_text, NULL, NULL);

    (void)state;
    expect(m, "", 404, "");
    expect(m, "latest", 404, "");
    expect(m, "/older/meta-data/", 404, "");
    expect(m, "/latest/meta-data/none", 404, "");
    expect(m, "/latest/meta-data/instance-id/", 404, "");
    expect(m, "/latest/meta-data/instance-id/x", 404, "");
    expect(m, "/latest/meta-data/../user-data", 404, "");
    expect(m, "/latest/user-data", 404, "");
    expect(m, "/latest/user-data/x", 404, "");
    expect(m, "/latest/meta-datax/hostname", 404, "");
    expect(m, "/latest/", 200, "meta-data/");
    assert_string_equal(meta_value(m, "hostname"), "vm-one");
    assert_null(meta_value(m, "public-keys"));
    assert_null(meta_value(NULL, "hostname"));
    meta_free(m);
}

static void trees_that_make_no_sense_are_refused(void **state)
{
    static const char *const wrong[] = {
        "[]",
        "{\"a\":[]}",
        "{\"a\":null}",
        "{\"a\":1.5}",
        "{\"\":\"x\"}",
        "{\"a b\":\"x\"}",
        "{\"a\\nb\":\"x\"}",
        "{\"a/\":\"x\"}",
        "{\"/a\":\"x\"}",
        "{\"a//b\":\"x\"}",
        "{\"..\":\"x\"}",
        "{\"a/../b\":\"x\"}",
        "{\"a\":\"x\",\"a/b\":\"y\"}",
        "{\"a/b\":\"x\",\"a\":\"y\"}",
        "{\"1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19\":\"x\"}",
    };
    const char *why;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        assert_null(make(wrong[i], NULL, &why));
        assert_non_null(why);
    }
    assert_null(make("{}", "###", &why));
    assert_null(make("{}", "AAA", &why));
}

static struct meta_request parse(const char *text, ssize_t want)
{
    struct meta_request r;

    assert_int_equal(meta_request_parse(text, strlen(text), &r), want);
    return r;
}

static struct meta_request whole(const char *text)
{
    return parse(text, (ssize_t)strlen(text));
}

static void requests_are_read(void **state)
{
    struct meta_request r =
        whole("GET /latest/meta-data/ HTTP/1.1\r\nHost: 100.100.100.200\r\n\r\n");

    (void)state;
    assert_int_equal(r.status, 0);
    assert_true(r.keep_alive);
    assert_string_equal(r.path, "/latest/meta-data/");
    r = whole("GET /a HTTP/1.0\r\n\r\n");
    assert_false(r.keep_alive);
    r = whole("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    assert_true(r.keep_alive);
    r = whole("GET /a HTTP/1.1\r\ncONNECTION:close \r\n\r\n");
    assert_false(r.keep_alive);
    r = whole("GET /a%3Ab?x=y HTTP/1.1\nHost: x\n\n");
    assert_string_equal(r.path, "/a:b");
    r = whole("GET http://100.100.100.200/latest/ HTTP/1.1\r\n\r\n");
    assert_string_equal(r.path, "/latest/");
    r = whole("\r\n\r\nHEAD /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    assert_true(r.head_only);
    r = parse("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n", 19);
    assert_string_equal(r.path, "/a");
}

static void an_unfinished_request_waits(void **state)
{
    static const char text[] = "GET /latest/meta-data/ HTTP/1.1\r\nHost: x\r\n\r\n";
    struct meta_request r;

    (void)state;
    for (size_t len = 0; len < sizeof(text) - 1; len++)
        assert_int_equal(meta_request_parse(text, len, &r), 0);
}

static void other_methods_are_405_and_nonsense_ends_the_connection(void **state)
{
    static const struct {
        const char *text;
        int status;
    } wrong[] = {
        {"GET\r\n\r\n", 400},
        {"GET /a\r\n\r\n", 400},
        {"get /a HTTP/1.1\r\n\r\n", 400},
        {"GET a HTTP/1.1\r\n\r\n", 400},
        {"GET /a HTTP/2.0\r\n\r\n", 505},
        {"GET /a HTTQ/1.1\r\n\r\n", 400},
        {"GET /a b HTTP/1.1\r\n\r\n", 400},
        {"GET /%00 HTTP/1.1\r\n\r\n", 400},
        {"GET /%2fx HTTP/1.1\r\n\r\n", 400},
        {"GET /%4 HTTP/1.1\r\n\r\n", 400},
        {"GET /a HTTP/1.1\r\nnocolon\r\n\r\n", 400},
        {"GET /a HTTP/1.1\r\n folded: x\r\n\r\n", 400},
        {"GET /a HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400},
        {"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"PUT /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400},
        {"\x16\x03\x01\r\n\r\n", 400},
    };
    struct meta_request r = whole("PUT /latest/api/token HTTP/1.1\r\nHost: x\r\n\r\n");

    (void)state;
    assert_int_equal(r.status, 405);
    assert_true(r.keep_alive);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        r = parse(wrong[i].text, -1);
        assert_int_equal(r.status, wrong[i].status);
        assert_false(r.keep_alive);
    }
}

static void sizes_are_bounded(void **state)
{
    static char text[META_HEAD_MAX + 100];
    struct meta_request r;

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(meta_request_parse(text, META_HEAD_MAX - 1, &r), 0);
    assert_int_equal(meta_request_parse(text, META_HEAD_MAX, &r), -1);
    assert_int_equal(r.status, 431);
    memset(text, '\n', sizeof(text));
    assert_int_equal(meta_request_parse(text, META_HEAD_MAX, &r), -1);
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET /", 5);
    memcpy(text + 5 + META_PATH_MAX, " HTTP/1.1\r\n\r\n", 14);
    assert_int_equal(meta_request_parse(text, strlen(text), &r), -1);
    assert_int_equal(r.status, 414);
}

static void answers_say_their_length(void **state)
{
    struct meta *m = make(tree_text, NULL, NULL);
    struct buf out CLEANUP(buf_done) = {0};
    struct meta_request r = whole("GET /latest/meta-data/hostname HTTP/1.1\r\n\r\n");

    (void)state;
    meta_answer(m, &r, &out);
    assert_string_equal(buf_cstr(&out),
                        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 6\r\nConnection: keep-alive\r\n\r\nvm-one");
    buf_clear(&out);
    r = whole("HEAD /latest/meta-data/hostname HTTP/1.1\r\n\r\n");
    meta_answer(m, &r, &out);
    assert_non_null(strstr(buf_cstr(&out), "Content-Length: 6\r\n"));
    assert_true(str_ends(buf_cstr(&out), "\r\n\r\n"));
    buf_clear(&out);
    r = whole("GET /latest/none HTTP/1.0\r\n\r\n");
    meta_answer(m, &r, &out);
    assert_non_null(strstr(buf_cstr(&out), "HTTP/1.1 404 Not Found\r\n"));
    assert_non_null(strstr(buf_cstr(&out), "Connection: close\r\n"));
    buf_clear(&out);
    r = whole("POST /latest/ HTTP/1.1\r\n\r\n");
    meta_answer(m, &r, &out);
    assert_non_null(strstr(buf_cstr(&out), "Allow: GET, HEAD\r\n"));
    meta_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_is_walked_under_both_versions),
        cmocka_unit_test(what_is_not_there_is_404),
        cmocka_unit_test(trees_that_make_no_sense_are_refused),
        cmocka_unit_test(requests_are_read),
        cmocka_unit_test(an_unfinished_request_waits),
        cmocka_unit_test(other_methods_are_405_and_nonsense_ends_the_connection),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(answers_say_their_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
