/* Decoding, merging and flattening of parameters; whose a request is. */
#include "fixture.h"

#include <stdio.h>

#include "dialect/alibaba/alibaba.h"

static struct params read_ok(struct arena *a, const char *text)
{
    struct params p;
    struct fail f = {0};

    assert_int_equal(params_read(a, text, strlen(text), &p, &f), ERR_NONE);
    return p;
}

static void test_decoding(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct params p = read_ok(a, "b=1+2%2B%20&a=%E4%B8%AD&&c=&d&e=x=y&%41=z");
    (void)state;

    assert_int_equal(p.n, 6);
    assert_string_equal(p.v[0].name, "A"); /* byte order: upper case first */
    assert_string_equal(params_get(&p, "b"), "1 2+ ");
    assert_string_equal(params_get(&p, "a"), "\xE4\xB8\xAD");
    assert_string_equal(params_get(&p, "c"), "");
    assert_string_equal(params_get(&p, "d"), "");
    assert_string_equal(params_get(&p, "e"), "x=y");
    assert_null(params_get(&p, "f"));
}

static void test_unreadable(void **state)
{
    static const char *const broken[] = {"a=%", "a=%1",  "a=%zz", "a=%4",        "%=1",     "a=%00",
                                         "=1",  "a=%FF", "a=%C3", "a=%ED%A0%80", "a=%C0%AF"};
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct params p;
    struct fail f = {0};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        assert_int_equal(params_read(a, broken[i], strlen(broken[i]), &p, &f), ERR_BODY);
    assert_int_equal(params_read(a, "a=1&b=2&a=3", 11, &p, &f), ERR_PARAM_VALUE);
    assert_string_equal(f.param, "a");
    assert_int_equal(params_read(a, "a=\0", 3, &p, &f), ERR_BODY);
}

static void test_limits(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct buf b CLEANUP(buf_done) = {0};
    struct params p;
    struct fail f = {0};
    (void)state;

    for (int i = 0; i < PARAMS_MAX; i++)
        buf_fmt(&b, "%sp%d=", i ? "&" : "", i);
    assert_int_equal(params_read(a, b.data, b.len, &p, &f), ERR_NONE);
    assert_int_equal(p.n, PARAMS_MAX);
    struct params one = read_ok(a, "x=1"), both;
    assert_int_equal(params_merge(a, &p, &one, &both, &f), ERR_TOO_LARGE);
    buf_str(&b, "&x=");
    assert_int_equal(params_read(a, b.data, b.len, &p, &f), ERR_TOO_LARGE);
}

static void test_merging(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct params q = read_ok(a, "a=1&b=2"), body = read_ok(a, "b=3&c=4"), all;
    struct fail f = {0};
    (void)state;

    assert_int_equal(params_merge(a, &q, &body, &all, &f), ERR_NONE);
    assert_int_equal(all.n, 3);
    assert_string_equal(params_get(&all, "b"), "3");
    assert_string_equal(params_get(&q, "b"), "2");
}

static void assert_tree(const char *text, const char *want)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct params p = read_ok(a, text);
    json_t *tree = params_tree(&p);
    char *got CLEANUP(free_p) = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(tree);
    assert_string_equal(got, want);
}

static void test_tree(void **state)
{
    (void)state;
    assert_tree("", "{}");
    assert_tree("Tag.2.Key=k&Tag.2.Value=&Tag.10.Key=j",
                "{\"Tag\":{\"10\":{\"Key\":\"j\"},\"2\":{\"Key\":\"k\",\"Value\":\"\"}}}");
    assert_tree("NetworkInterface.1.SecurityGroupIds.1=sg-1&SystemDisk.Size=40",
                "{\"NetworkInterface\":{\"1\":{\"SecurityGroupIds\":{\"1\":\"sg-1\"}}},"
                "\"SystemDisk\":{\"Size\":\"40\"}}");
    /* what belongs to the protocol is not the action's */
    assert_tree("Action=X&Version=1&Signature=s&Timestamp=t&SignatureNonce=n&Format=JSON&OwnerId=1"
                "&AccessKeyId=i&SecurityToken=&A=1",
                "{\"A\":\"1\"}");
    assert_tree("InstanceId=i-1", "{\"InstanceId\":\"i-1\"}");
    assert_tree("a.b.c.d.e.f.g.h=1",
                "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":\"1\"}}}}}}}}");
}

/* No action can know them, and what is not known is ignored; nothing of them stays. */
static void test_names_without_a_place(void **state)
{
    static const char *const odd[] = {"a.b.c.d.e.f.g.h.i=1", "a..b=1",     ".a=1", "a.=1", "A.01=2",
                                      "A.1234567=1",         "a.b.c..d=1", "..=1"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        assert_tree(odd[i], "{}");
    assert_tree("A.1=1&A.01=2", "{\"A\":{\"1\":\"1\"}}");
    /* what is below a text: the text stays */
    assert_tree("A=1&A.B=2&A.B.C=3", "{\"A\":\"1\"}");
    assert_tree("A.1=1&A.1.B.C=2", "{\"A\":{\"1\":\"1\"}}");
}

/* ---- whose? ---- */

static bool claims(const char *method, const char *path, const char *query, const char *header,
                   const char *value)
{
    struct header h = {header, value};
    struct request r = {.method = method,
                        .path = path,
                        .query = query,
                        .headers = &h,
                        .n_headers = header ? 1 : 0,
                        .body = ""};

    return dialect_alibaba.claims(&r);
}

static void test_claims(void **state)
{
    (void)state;
    assert_true(claims("GET", "/", "Action=DescribeRegions&Version=2014-05-26", NULL, NULL));
    assert_true(claims("POST", "/", "", NULL, NULL));
    assert_true(claims("PUT", "/", "", NULL, NULL));
    assert_true(claims("GET", "/", "", "x-acs-action", "DescribeRegions"));
    assert_true(claims("GET", "/", "", "authorization", "ACS3-HMAC-SHA256 Credential=x"));
    assert_true(claims("GET", "/", "InstanceId=i-1", NULL, NULL));
    assert_true(claims("GET", "/", "Action=X", "accept", "text/html"));
    assert_true(claims(NULL, NULL, NULL, "x-acs-action", "X"));
    assert_false(claims("GET", "/", "", "accept", "text/html,*/*"));
    assert_false(claims("GET", "/", "", NULL, NULL));
    assert_false(claims("GET", "/", "utm=1", "accept", "text/html"));
    assert_false(claims("GET", "/favicon.ico", "Action=X", NULL, NULL));
    assert_false(claims("POST", "/api/v2/zec", "", "x-acs-action", "X"));
    assert_false(claims(NULL, NULL, NULL, NULL, NULL));
    assert_true(claims("", "", "", "x-acs-action", "X")); /* HTTP refused it early */
    assert_false(claims("", "", "", NULL, NULL));
}

/* ---- parse ---- */

struct parsed {
    enum err err;
    enum enc_format format;
    char action[64];
};

static struct parsed parse(const char *method, const char *query, const char *body,
                           const struct header *headers, size_t n)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct request r = {.method = method,
                        .path = "/",
                        .query = query,
                        .headers = headers,
                        .n_headers = n,
                        .body = body,
                        .body_len = strlen(body)};
    struct call c = {.req = &r, .arena = a, .dialect = &dialect_alibaba};
    struct parsed p = {.err = dialect_alibaba.parse(&c)};

    p.format = c.format;
    (void)snprintf(p.action, sizeof(p.action), "%s", c.action_name ? c.action_name : "");
    json_decref(c.params);
    return p;
}

#define NAMED "Action=A&Version=2014-05-26"

static void test_parse(void **state)
{
    struct header form[] = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
    struct header json[] = {{"content-type", "application/json"}};
    struct header named[] = {{"x-acs-action", "H"}, {"x-acs-version", "2014-05-26"}};
    struct header v3[] = {{"x-acs-version", "2014-05-26"}, {"authorization", "ACS3-HMAC-SHA256 x"}};
    (void)state;

    assert_int_equal(parse("GET", NAMED, "", NULL, 0).err, ERR_NONE);
    assert_int_equal(parse("POST", "", NAMED, form, 1).err, ERR_NONE);
    assert_int_equal(parse("POST", "Action=A", "Version=2014-05-26", NULL, 0).err, ERR_NONE);
    assert_int_equal(parse("POST", NAMED, "{}", json, 1).err, ERR_BODY);
    assert_int_equal(parse("DELETE", NAMED, "", NULL, 0).err, ERR_METHOD);
    assert_int_equal(parse(NULL, NAMED, "", NULL, 0).err, ERR_METHOD);
    assert_int_equal(parse("GET", "Version=2014-05-26", "", NULL, 0).err, ERR_ACTION_MISSING);
    assert_int_equal(parse("GET", "Action=A", "", NULL, 0).err, ERR_VERSION_MISSING);
    assert_int_equal(parse("GET", "Action=A&Version=2016-04-28", "", NULL, 0).err,
                     ERR_VERSION_UNKNOWN);
    /* a header names the action only where no signature could have covered a parameter */
    assert_string_equal(parse("GET", "", "", named, 2).action, "H");
    assert_int_equal(parse("GET", "Signature=s", "", named, 2).err, ERR_ACTION_MISSING);
    /* and V3 signs headers, so a parameter does not name it */
    assert_int_equal(parse("GET", NAMED, "", v3, 2).err, ERR_ACTION_MISSING);
}

static void test_format(void **state)
{
    struct header accept[] = {{"accept", "application/JSON"}};
    (void)state;

    assert_int_equal(parse("GET", NAMED, "", NULL, 0).format, ENC_XML);
    assert_int_equal(parse("GET", NAMED, "", accept, 1).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("GET", NAMED "&Format=json", "", NULL, 0).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("GET", NAMED "&Format=Xml", "", accept, 1).format, ENC_XML);
    assert_int_equal(parse("GET", NAMED "&Format=YAML", "", NULL, 0).err, ERR_FORMAT);
    /* a request that is refused for another reason is answered in the format it asked for */
    assert_int_equal(parse("PUT", NAMED "&Format=JSON", "", NULL, 0).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("POST", NAMED "&Format=JSON", "a=%", NULL, 0).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("GET", "Format=JSON&a=%", "", NULL, 0).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("GET", "a=1&Format=json&a=2", "", NULL, 0).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("POST", "", "a=%&Format=JSON", NULL, 0).format, ENC_JSON_WRAPPED);
    assert_int_equal(parse("POST", "Format=JSON", "a=%&Format=xml", NULL, 0).format, ENC_XML);
    assert_int_equal(parse("GET", "XFormat=JSON&Formats=JSON&a=%", "", NULL, 0).format, ENC_XML);
    assert_int_equal(parse("GET", "Format=JSO&a=%", "", accept, 1).format, ENC_JSON_WRAPPED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decoding), cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_merging),
        cmocka_unit_test(test_tree),     cmocka_unit_test(test_names_without_a_place),
        cmocka_unit_test(test_claims),   cmocka_unit_test(test_parse),
        cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
