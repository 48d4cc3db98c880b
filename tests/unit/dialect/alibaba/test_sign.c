/* Signatures: the vectors of real clients, each way to be wrong, and that no byte of a signed
 * request may change. */
#include "fixture.h"

#include <stdio.h>

#include "dialect/alibaba/alibaba.h"
#include "dialect/alibaba/nonce.h"
#include "dialect/alibaba/sign.h"
#include "vectors.h"

#define NONCE_V3 "3ee8c1b883d344afa94f4e0ad82fd6cf"

static struct fixture world;

static int up(void **state)
{
    (void)state;
    fixture_init(&world);
    return 0;
}

static int down(void **state)
{
    (void)state;
    fixture_done(&world);
    return 0;
}

/* ---- verifying one request against the store's keys ---- */

struct verdict {
    enum err err;
    char account[32], param[96], message[16384];
};

static void check(const struct request *r, struct verdict *v)
{
    struct arena *a = arena_new();
    struct macs *macs = macs_new(world.core.vault);
    struct call c = {.req = r, .arena = a, .dialect = &dialect_alibaba, .macs = macs};

    c.op = (struct op){.core = &world.core, .arena = a, .now = world.now, .fail = &c.fail};
    c.op.tx = store_read(world.store, a);
    memset(v, 0, sizeof(*v));
    v->err = dialect_alibaba.parse(&c);
    if (!v->err)
        v->err = dialect_alibaba.verify(&c);
    if (!v->err)
        (void)snprintf(v->account, sizeof(v->account), "%s", c.key.account);
    const struct state *s = c.state;
    (void)snprintf(v->message, sizeof(v->message), "%s", s && s->mismatch ? s->mismatch : "");
    (void)snprintf(v->param, sizeof(v->param), "%s", c.fail.param);
    store_read_end(c.op.tx);
    json_decref(c.params);
    macs_free(macs);
    arena_free(a);
}

static enum err check_err(const struct request *r)
{
    struct verdict v;

    alibaba_forget_nonces();
    check(r, &v);
    return v.err;
}

static const struct header form_header = {"content-type", "application/x-www-form-urlencoded"};

static struct request v1_request(const char *method, const char *query, const char *body)
{
    return (struct request){.method = method,
                            .path = "/",
                            .query = query,
                            .headers = &form_header,
                            .n_headers = 1,
                            .body = body,
                            .body_len = strlen(body)};
}

/* ---- the vectors ---- */

static void test_v1_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v1_vectors); i++) {
        const struct v1_vector *v = &v1_vectors[i];
        struct arena *a CLEANUP(arena_free_p) = arena_new();
        struct params q, b, all;
        struct fail f = {0};

        assert_int_equal(params_read(a, v->query, strlen(v->query), &q, &f), ERR_NONE);
        assert_int_equal(params_read(a, v->body, strlen(v->body), &b, &f), ERR_NONE);
        assert_int_equal(params_merge(a, &q, &b, &all, &f), ERR_NONE);
        const char *string = sign_v1_string(a, v->method, &all);
        if (v->string)
            assert_string_equal(string, v->string);
        struct hmac_key *key = hmac_key_new(HMAC_SHA1, FIXTURE_SECRET "&", sizeof(FIXTURE_SECRET));
        assert_string_equal(sign_v1(a, key, string), v->signature);
        hmac_key_free(key);
        struct request r = v1_request(v->method, v->query, v->body);
        assert_int_equal(check_err(&r),
                         strstr(v->query, "SecurityToken=") ? ERR_AUTH_TOKEN : ERR_NONE);
    }
}

static void test_v1_sha256(void **state)
{
    char query[1024];
    const char *rest = strstr(v1_vectors[0].query, "&SignatureMethod=HMAC-SHA1");
    (void)state;

    assert_non_null(rest);
    const char *end = strstr(rest, "&Signature=");
    const char *middle = rest + strlen("&SignatureMethod=HMAC-SHA1");
    (void)snprintf(query, sizeof(query), "%.*s&SignatureMethod=HMAC-SHA256%.*s&Signature=%s",
                   (int)(rest - v1_vectors[0].query), v1_vectors[0].query, (int)(end - middle),
                   middle, "iNMcQNV82iwBimEaa8cVrqcw0zHLOsg20zfAfg6lGNo%3D");
    struct request r = v1_request("GET", query, "");
    assert_int_equal(check_err(&r), ERR_NONE);
}

enum { V3_HEADERS = 12 };

struct v3 {
    struct header headers[V3_HEADERS];
    size_t n;
    char signed_headers[256], authorization[640], digest[65];
    struct request r;
};

static void add(struct v3 *m, const char *name, const char *value)
{
    assert_true(m->n < V3_HEADERS);
    m->headers[m->n++] = (struct header){name, value};
    if (streq(name, "authorization") || streq(name, "accept"))
        return;
    size_t n = strlen(m->signed_headers);
    (void)snprintf(m->signed_headers + n, sizeof(m->signed_headers) - n, "%s%s", n ? ";" : "",
                   name);
}

static void v3_make(struct v3 *m, const struct v3_vector *v)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();

    memset(m, 0, sizeof(*m));
    (void)snprintf(m->digest, sizeof(m->digest), "%s", sha256_hex(a, v->body, strlen(v->body)));
    if (*v->body)
        add(m, "content-type", "application/x-www-form-urlencoded");
    add(m, "host", "127.0.0.1:38080");
    if (v->token)
        add(m, "x-acs-accesskey-id", "STS.testid");
    add(m, "x-acs-action", v->action);
    add(m, "x-acs-content-sha256", m->digest);
    add(m, "x-acs-credentials-provider", v->token ? "static_sts" : "static_ak");
    add(m, "x-acs-date", "2026-01-02T03:04:05Z");
    if (v->token)
        add(m, "x-acs-security-token", "tok/en+=");
    add(m, "x-acs-signature-nonce", NONCE_V3);
    add(m, "x-acs-version", "2014-05-26");
    (void)snprintf(m->authorization, sizeof(m->authorization),
                   "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s",
                   v->token ? "STS.testid" : "testid", m->signed_headers, v->signature);
    add(m, "authorization", m->authorization);
    m->r = (struct request){.method = "POST",
                            .path = "/",
                            .query = v->query,
                            .headers = m->headers,
                            .n_headers = m->n,
                            .body = v->body,
                            .body_len = strlen(v->body)};
}

static void test_v3_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v3_vectors); i++) {
        const struct v3_vector *v = &v3_vectors[i];
        struct arena *a CLEANUP(arena_free_p) = arena_new();
        struct params q;
        struct fail f = {0};
        struct v3 m;
        char want[128];

        v3_make(&m, v);
        assert_int_equal(params_read(a, v->query, strlen(v->query), &q, &f), ERR_NONE);
        const char *string =
            sign_v3_string(a, sign_v3_canonical(a, &m.r, &q, m.signed_headers, m.digest));
        (void)snprintf(want, sizeof(want), "ACS3-HMAC-SHA256\n%s", v->digest);
        assert_string_equal(string, want);
        struct hmac_key *key = hmac_key_new(HMAC_SHA256, FIXTURE_SECRET, strlen(FIXTURE_SECRET));
        assert_string_equal(sign_v3(a, key, string), v->signature);
        hmac_key_free(key);
        assert_int_equal(check_err(&m.r), v->token ? ERR_AUTH_TOKEN : ERR_NONE);
    }
}

/* ---- no byte may change ---- */

static void each_change(char *text, const struct request *r, const char *what)
{
    for (char *s = text; *s; s++) {
        char was = *s;

        *s ^= 1; /* never the same meaning: letters of escapes change their value, not their case */
        if (check_err(r) == ERR_NONE) {
            print_error("%s: a changed byte at %zu was accepted: %s\n", what, (size_t)(s - text),
                        text);
            assert_true(false);
        }
        *s = was;
    }
}

static void test_v1_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v1_vectors); i++) {
        char *query CLEANUP(free_p) = xstrdup(v1_vectors[i].query);
        char *body CLEANUP(free_p) = xstrdup(v1_vectors[i].body);
        struct request r = v1_request(v1_vectors[i].method, query, body);

        each_change(query, &r, v1_vectors[i].name);
        each_change(body, &r, v1_vectors[i].name);
        r.method = streq(r.method, "GET") ? "POST" : "GET";
        assert_int_not_equal(check_err(&r), ERR_NONE);
    }
}

static void test_v3_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v3_vectors); i++) {
        char *query CLEANUP(free_p) = xstrdup(v3_vectors[i].query);
        char *body CLEANUP(free_p) = xstrdup(v3_vectors[i].body);
        struct v3 m;

        v3_make(&m, &v3_vectors[i]);
        m.r.query = query;
        m.r.body = body;
        each_change(query, &m.r, v3_vectors[i].name);
        each_change(body, &m.r, v3_vectors[i].name);
        for (size_t h = 0; h < m.n; h++) {
            char *value CLEANUP(free_p) = xstrdup(m.headers[h].value);
            const char *was = m.headers[h].value;

            m.headers[h].value = value;
            each_change(value, &m.r, m.headers[h].name);
            m.headers[h].value = was;
        }
        m.r.method = "GET";
        assert_int_not_equal(check_err(&m.r), ERR_NONE);
    }
}

/* ---- each way to be wrong ---- */

/* V1-A's parameters with one replaced ("Name=value"), or taken away ("Name"); not signed anew. */
static enum err v1_with(const char *change, char ret_param[96])
{
    char *copy CLEANUP(free_p) = xstrdup(v1_vectors[0].query), *rest = copy;
    size_t name = strcspn(change, "=");
    struct buf query CLEANUP(buf_done) = {0};
    struct verdict v;

    for (const char *part; (part = strsep(&rest, "&"));)
        if (strncmp(part, change, name) != 0 || part[name] != '=')
            buf_fmt(&query, "%s&", part);
    if (change[name])
        buf_str(&query, change);
    struct request r = v1_request("GET", query.data, "");
    alibaba_forget_nonces();
    check(&r, &v);
    if (ret_param)
        memcpy(ret_param, v.param, sizeof(v.param));
    return v.err;
}

static void test_v1_refusals(void **state)
{
    static const struct {
        const char *change;
        enum err err;
        const char *param;
    } cases[] = {
        {"AccessKeyId", ERR_AUTH_KEY_MISSING, NULL},
        {"Signature", ERR_AUTH_SIG_MISSING, NULL},
        {"Timestamp", ERR_AUTH_TIME_MISSING, NULL},
        {"SignatureNonce", ERR_AUTH_NONCE_MISSING, NULL},
        {"SignatureMethod", ERR_PARAM_MISSING, "SignatureMethod"},
        {"SignatureVersion", ERR_PARAM_MISSING, "SignatureVersion"},
        {"Action", ERR_ACTION_MISSING, NULL},
        {"Version", ERR_VERSION_MISSING, NULL},
        {"SignatureMethod=HMAC-MD5", ERR_AUTH_METHOD, NULL},
        {"SignatureVersion=2.0", ERR_AUTH_SIG_VERSION, NULL},
        {"SignatureType=BEARERTOKEN", ERR_AUTH_METHOD, NULL},
        {"SignatureType=PRIVATEKEY", ERR_AUTH_METHOD, NULL},
        {"Timestamp=2026-01-02T03%3A04Z", ERR_AUTH_TIME_FORMAT, NULL},
        {"Timestamp=now", ERR_AUTH_TIME_FORMAT, NULL},
        {"Timestamp=2026-01-02T02%3A33%3A04Z", ERR_AUTH_EXPIRED, NULL},
        {"Timestamp=2026-01-02T02%3A33%3A05Z", ERR_AUTH_SIGNATURE, NULL}, /* 31 minutes: in time */
        {"Timestamp=2026-01-02T03%3A19%3A05Z", ERR_AUTH_SIGNATURE, NULL},
        {"Timestamp=2026-01-02T03%3A19%3A06Z", ERR_AUTH_EXPIRED, NULL},
        {"AccessKeyId=nobody", ERR_AUTH_KEY_UNKNOWN, NULL},
        {"AccessKeyId=off", ERR_AUTH_KEY_INACTIVE, NULL},
        {"SecurityToken=x", ERR_AUTH_TOKEN, NULL},
        {"SecurityToken=", ERR_AUTH_SIGNATURE, NULL}, /* empty is none, but it is signed */
        {"Signature=x", ERR_AUTH_SIGNATURE, NULL},
        {"InstanceId=i-2", ERR_AUTH_SIGNATURE, NULL},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char param[96];
        enum err e = v1_with(cases[i].change, param);

        if (e != cases[i].err)
            print_error("%s: %s\n", cases[i].change, err_name(e));
        assert_int_equal(e, cases[i].err);
        if (cases[i].param)
            assert_string_equal(param, cases[i].param);
    }
}

static struct header *header_of(struct v3 *m, const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (streq(m->headers[i].name, name))
            return &m->headers[i];
    return NULL;
}

static void test_v3_refusals(void **state)
{
    static const struct {
        const char *header, *value;
        enum err err;
    } cases[] = {
        {"authorization", "ACS3-HMAC-SM3 Credential=testid,SignedHeaders=host,Signature=00",
         ERR_AUTH_METHOD},
        {"authorization", "ACS3-RSA-SHA256 Credential=testid", ERR_AUTH_METHOD},
        {"authorization", "ACS4-HMAC-SHA256 Credential=testid", ERR_AUTH_METHOD},
        {"authorization", "ACS3-HMAC-SHA256 Credential", ERR_AUTH_MALFORMED},
        {"authorization", "ACS3-HMAC-SHA256 Who=x", ERR_AUTH_MALFORMED},
        {"authorization", "ACS3-HMAC-SHA256 Credential=a,Credential=b", ERR_AUTH_MALFORMED},
        {"authorization", "ACS3-HMAC-SHA256 SignedHeaders=host,Signature=00", ERR_AUTH_KEY_MISSING},
        {"authorization", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host",
         ERR_AUTH_SIG_MISSING},
        {"authorization", "ACS3-HMAC-SHA256 Credential=testid,Signature=00", ERR_AUTH_MALFORMED},
        {"authorization", "ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=host,Signature=00",
         ERR_AUTH_MALFORMED},
        {"x-acs-date", "", ERR_AUTH_TIME_MISSING},
        {"x-acs-date", "2026-01-02", ERR_AUTH_TIME_FORMAT},
        {"x-acs-date", "2026-01-02T02:49:04Z", ERR_AUTH_EXPIRED},
        {"x-acs-date", "2026-01-02T02:49:05Z", ERR_AUTH_SIGNATURE},
        {"x-acs-date", "2026-01-02T03:19:06Z", ERR_AUTH_EXPIRED},
        {"x-acs-signature-nonce", "", ERR_AUTH_NONCE_MISSING},
        {"x-acs-content-sha256", "", ERR_AUTH_CONTENT},
        {"x-acs-action", "", ERR_ACTION_MISSING},
        {"x-acs-version", "2016-04-28", ERR_VERSION_UNKNOWN},
        {"host", "elsewhere", ERR_AUTH_SIGNATURE},
    };
    struct v3 m;
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        v3_make(&m, &v3_vectors[0]);
        header_of(&m, cases[i].header)->value = cases[i].value;
        enum err e = check_err(&m.r);
        if (e != cases[i].err)
            print_error("%s: %s: %s\n", cases[i].header, cases[i].value, err_name(e));
        assert_int_equal(e, cases[i].err);
    }
    /* every header that must be signed must be in the list */
    static const char *const needed[] = {
        "host",       "x-acs-action",          "x-acs-version",
        "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        v3_make(&m, &v3_vectors[0]);
        char *at = strstr(m.authorization, needed[i]);
        assert_non_null(at);
        *at = 'X';
        assert_int_equal(check_err(&m.r), ERR_AUTH_MALFORMED);
    }
    /* the digest is signed, but the body is another one */
    v3_make(&m, &v3_vectors[ARRAY_LEN(v3_vectors) - 1]);
    m.r.body_len--;
    assert_int_equal(check_err(&m.r), ERR_AUTH_CONTENT);
}

static void test_replay(void **state)
{
    struct request r = v1_request("GET", v1_vectors[0].query, "");
    struct verdict v;
    struct v3 m;
    (void)state;

    alibaba_forget_nonces();
    v3_make(&m, &v3_vectors[0]);
    check(&r, &v);
    assert_int_equal(v.err, ERR_NONE);
    assert_string_equal(v.account, FIXTURE_ACCOUNT);
    check(&r, &v);
    assert_int_equal(v.err, ERR_AUTH_REPLAY);
    check(&m.r, &v);
    assert_int_equal(v.err, ERR_NONE);
    check(&m.r, &v);
    assert_int_equal(v.err, ERR_AUTH_REPLAY);

    /* who cannot sign uses up no nonce */
    alibaba_forget_nonces();
    char *forged CLEANUP(free_p) = xstrdup(v1_vectors[0].query);
    forged[strlen(forged) - 5] ^= 1;
    struct request bad = v1_request("GET", forged, "");
    check(&bad, &v);
    assert_int_equal(v.err, ERR_AUTH_SIGNATURE);
    check(&r, &v);
    assert_int_equal(v.err, ERR_NONE);
}

/* Clients compare everything behind the colon with their own string. */
static void test_mismatch_text(void **state)
{
    static const char before[] =
        "Specified signature is not matched with our calculation. server string to sign is:";
    char *query CLEANUP(free_p) = xstrdup(v1_vectors[0].query);
    struct request r;
    struct verdict v;
    (void)state;

    memcpy(strstr(query, "&Signature=") + strlen("&Signature="), "AAAA", 4);
    r = v1_request("GET", query, "");
    check(&r, &v);
    assert_int_equal(v.err, ERR_AUTH_SIGNATURE);
    assert_memory_equal(v.message, before, strlen(before));
    assert_string_equal(v.message + strlen(before), v1_vectors[0].string);
}

/* The same for a string far longer than a failure's detail, in a whole answer. */
static void test_long_mismatch(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct buf query CLEANUP(buf_done) = {0};
    struct params p;
    struct fail f = {0};
    (void)state;

    buf_str(&query, v1_vectors[0].query);
    buf_str(&query, "&UserData=");
    for (int i = 0; i < 60000; i++)
        buf_char(&query, (char)('a' + i % 26));
    assert_int_equal(params_read(a, query.data, query.len, &p, &f), ERR_NONE);
    struct request r = v1_request("GET", query.data, "");
    fixture_send(&world, &r);
    assert_refused(&world, 400, "SignatureDoesNotMatch");
    const char *message = fixture_text(&world, "Message");
    assert_string_equal(strchr(message, ':') + 1, sign_v1_string(a, "GET", &p));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_vectors),    cmocka_unit_test(test_v1_sha256),
        cmocka_unit_test(test_v3_vectors),    cmocka_unit_test(test_v1_changes),
        cmocka_unit_test(test_v3_changes),    cmocka_unit_test(test_v1_refusals),
        cmocka_unit_test(test_v3_refusals),   cmocka_unit_test(test_replay),
        cmocka_unit_test(test_mismatch_text), cmocka_unit_test(test_long_mismatch),
    };

    return cmocka_run_group_tests(tests, up, down);
}
