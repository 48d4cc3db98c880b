/* Whose a request is, what it names, and which bodies are read. */
#include "fixture.h"

#include "dialect/zenlayer/zec.h"
#include "dialect/zenlayer/zenlayer.h"

static void good(struct fixture *f)
{
    fixture_init(f, 0);
    fixture_header(f, "x-zc-action", "StartInstances");
    fixture_header(f, "x-zc-version", "2025-09-01");
    fixture_header(f, "host", "127.0.0.1:8470");
    fixture_body(f, "{}");
}

static void test_claims(void **state)
{
    static const struct {
        const char *path;
        bool mine;
    } cases[] = {{"/api/v2/zec", true}, {"/api/v2/", true},    {"/api/v2/nothing/here", true},
                 {"/api/v2", true},     {"/api/v3/zec", true}, {"/api/", true},
                 {"/", false},          {"/apis/zec", false},  {"", false},
                 {NULL, false}};
    struct header action = {"x-zc-action", "DescribeZones"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request r = {.method = "GET", .path = cases[i].path};

        assert_int_equal(dialect_zenlayer.claims(&r), cases[i].mine);
        r.headers = &action;
        r.n_headers = 1;
        assert_true(dialect_zenlayer.claims(&r));
    }
}

static void test_request_id(void **state)
{
    struct fixture f;

    (void)state;
    good(&f);
    zec_name_request(&f.call);
    assert_string_equal(f.call.request_id, "TA0A1A2A3-A4A5-46A7-A8A9-AAABACADAEAF");
    fixture_done(&f);
}

static void test_parse(void **state)
{
    struct fixture f;

    (void)state;
    good(&f);
    fixture_header(&f, "x-zc-request-client", "zeno");
    assert_int_equal(zec_parse(&f.call), ERR_NONE);
    assert_string_equal(f.call.action_name, "StartInstances");
    assert_string_equal(f.call.version, "2025-09-01");
    assert_string_equal(f.call.host, "127.0.0.1:8470");
    assert_string_equal(f.call.client, "zeno");
    assert_true(json_is_object(f.call.params));
    fixture_done(&f);
}

static void test_parse_refuses(void **state)
{
    struct fixture f;

    (void)state;
    good(&f);
    f.req.path = "/api/v2/bmc";
    assert_int_equal(zec_parse(&f.call), ERR_PATH);
    f.req.path = "/api/v2/zec/";
    assert_int_equal(zec_parse(&f.call), ERR_PATH);
    f.req.path = "/api/v3/zec";
    assert_int_equal(zec_parse(&f.call), ERR_PATH);
    f.req.path = "/api/v2";
    assert_int_equal(zec_parse(&f.call), ERR_PATH);
    f.req.path = "/";
    assert_int_equal(zec_parse(&f.call), ERR_PATH);
    f.req.path = "/api/v2/";
    f.req.method = "GET";
    assert_int_equal(zec_parse(&f.call), ERR_PATH);
    f.req.path = "/api/v2/zec";
    assert_int_equal(zec_parse(&f.call), ERR_METHOD);
    f.req.method = "POST";

    fixture_header(&f, "x-zc-version", "2014-05-26");
    assert_int_equal(zec_parse(&f.call), ERR_VERSION_UNKNOWN);
    fixture_header(&f, "x-zc-version", "");
    assert_int_equal(zec_parse(&f.call), ERR_VERSION_MISSING);
    fixture_header(&f, "x-zc-action", NULL);
    assert_int_equal(zec_parse(&f.call), ERR_ACTION_MISSING);
    fixture_done(&f);
}

static void test_find(void **state)
{
    const struct action *a = NULL;
    struct fixture f;

    (void)state;
    good(&f);
    assert_int_equal(zec_parse(&f.call), ERR_NONE);
    assert_int_equal(zec_find(&f.call, &a), ERR_NONE);
    assert_string_equal(a->name, "StartInstances");
    f.call.action_name = "startinstances";
    assert_int_equal(zec_find(&f.call, &a), ERR_ACTION_UNKNOWN);
    f.call.action_name = "StartInstance";
    assert_int_equal(zec_find(&f.call, &a), ERR_ACTION_UNKNOWN);
    fixture_done(&f);
}

static enum err read_text(const char *body, size_t len)
{
    struct fail f = {0};
    json_t *o = NULL;
    enum err err = zec_read_body(body, len, &o, &f);

    assert_int_equal(err == ERR_NONE, json_is_object(o));
    assert_int_equal(f.err, err);
    json_decref(o);
    return err;
}

static void test_bodies(void **state)
{
    static const struct {
        const char *body;
        enum err err;
    } cases[] = {
        {"{}", ERR_NONE},
        {" {\"a\": [1, \"[[[[[[[[[[[[[[[[[[\\\"{{{{{{{{{{{{{{{\", null]} \n", ERR_NONE},
        {"{\"a\":\"\\u6d4b\xe6\xb5\x8b\"}", ERR_NONE},
        {"", ERR_BODY},
        {"[]", ERR_BODY},
        {"\"x\"", ERR_BODY},
        {"null", ERR_BODY},
        {"{", ERR_BODY},
        {"{}x", ERR_BODY},
        {"{}{}", ERR_BODY},
        {"{'a':1}", ERR_BODY},
        {"{\"a\":1,}", ERR_BODY},
        {"{\"a\":1,\"a\":1}", ERR_BODY}, /* which one counts? */
        {"{\"b\":{\"a\":1,\"a\":2}}", ERR_BODY},
        {"{\"a\":\"\xff\"}", ERR_BODY},
        {"{\"a\":\"\xed\xa0\x80\"}", ERR_BODY}, /* a surrogate */
        {"{\"a\":\"\xc0\xaf\"}", ERR_BODY},     /* longer than needed */
        {"{\"a\":\"\\ud800\"}", ERR_BODY},
        {"{\"a\":\"x\\u0000y\"}", ERR_BODY}, /* C text would end there */
        {"\xef\xbb\xbf{}", ERR_BODY},
        {"{\"a\":NaN}", ERR_BODY},
        {"{\"a\":1e999}", ERR_BODY},
        {"{\"a\":99999999999999999999}", ERR_BODY},
        {"{\"a\":\"\\", ERR_BODY},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(read_text(cases[i].body, strlen(cases[i].body)), cases[i].err);
    assert_int_equal(read_text("{}\0", 3), ERR_BODY);
}

static void nested(struct buf *b, int levels)
{
    buf_clear(b);
    buf_str(b, "{\"a\":");
    for (int i = 1; i < levels; i++)
        buf_char(b, '[');
    for (int i = 1; i < levels; i++)
        buf_char(b, ']');
    buf_char(b, '}');
}

static void test_limits(void **state)
{
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    nested(&b, ZEC_MAX_DEPTH);
    assert_int_equal(read_text(b.data, b.len), ERR_NONE);
    nested(&b, ZEC_MAX_DEPTH + 1);
    assert_int_equal(read_text(b.data, b.len), ERR_BODY);
    nested(&b, 100000);
    assert_int_equal(read_text(b.data, b.len), ERR_BODY);

    buf_clear(&b);
    buf_str(&b, "{\"a\":[0");
    for (int i = 0; i < ZEC_MAX_VALUES; i++)
        buf_str(&b, ",0");
    buf_str(&b, "]}");
    assert_int_equal(read_text(b.data, b.len), ERR_BODY);

    buf_clear(&b);
    buf_str(&b, "{\"a\":\"");
    while (b.len < ZEC_MAX_BODY - 2)
        buf_char(&b, 'x');
    buf_str(&b, "\"}");
    assert_int_equal(b.len, ZEC_MAX_BODY);
    assert_int_equal(read_text(b.data, b.len), ERR_NONE);
    buf_char(&b, ' ');
    assert_int_equal(read_text(b.data, b.len), ERR_TOO_LARGE);
}

static void test_actions(void **state)
{
    const struct action *const *list = dialect_zenlayer.actions;

    (void)state;
    assert_non_null(list[0]);
    for (size_t i = 0; list[i]; i++) {
        if (i > 0)
            assert_true(strcmp(list[i - 1]->name, list[i]->name) < 0);
        assert_string_equal(list[i]->service, "zec");
        assert_string_equal(list[i]->versions[0], "2024-04-01");
        assert_string_equal(list[i]->versions[1], "2025-09-01");
        assert_null(list[i]->versions[2]);
        assert_non_null(list[i]->run);
        assert_non_null(list[i]->summary);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims), cmocka_unit_test(test_request_id),
        cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_find),   cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_actions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
