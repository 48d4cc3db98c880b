/* ZC2-HMAC-SHA256: the published vectors to the byte, and every way to be wrong. */
#include "fixture.h"

#include "dialect/zenlayer/sign.h"

struct vector {
    const char *host, *type, *timestamp, *secret, *body;
    const char *body_hash, *canonical_hash, *signature;
};

#define KEY_ID   "AKIDTESTKEY0000000001"
#define PASSWORD "TestSecretPassword-0123456789"
#define JSON     "application/json"

static const struct vector vectors[] = {
    {"console.zenlayer.com", JSON, "1700000000", PASSWORD, "{}",
     "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
     "2eb6d40a6d77fe762274e366f8d05626427e80b1c9e1a816d9c08676d12257a4",
     "a3f3b29aea583d76d5bb4040f8e933882a86c4c2e4669592c274eaf35a9e5919"},
    {"127.0.0.1:8080", JSON, "1700000001", PASSWORD,
     "{\"instanceIds\": [\"1234567890123456789\", \"1234567890123456790\"]}",
     "269206cf5b3d4ca67edf4af297b32a94827aa5ae41e48a70aed83c73f5dd51c5",
     "fce63e949e30d97cf4953b3f22b9d8f651bb740a5c9823a78e83bb21bb72214f",
     "401f17fa0a964cd0e4e6285319427f0a2dcc35660d7a09af0490c5aa03c5613c"},
    {"127.0.0.1:8080", JSON, "1700000002", PASSWORD,
     "{\"instanceIds\": [\"1\"], \"instanceName\": \"\\u6d4b\\u8bd5-a\"}",
     "42e879037ef40fb31d89c19cc65f57a264b6c762024a244277df1e2309864421",
     "5971487183b2ea3a7ad2227e04d33a64dc7971a7fa877b71654b18845bf6d712",
     "12e2dd2c2e0633c386c13daa3bc0b2d7e8f3ea3f8a9b1f0587271f59a3e45d14"},
    {"console.zenlayer.com", "application/json; charset=utf-8", "1673361177",
     "Gu5t9xGARNpq86cd98joQYCN3", "{\"pageSize\":10,\"pageNum\":1,\"zoneId\":\"HKG-A\"}",
     "5f714687ba91c606d503467766151206392474accd137ffea6dce2420b67c29a",
     "29396f9dfa0f03820b931e8aa06e20cda197e73285ebd76aceb83f7dede493ee",
     "efb356c32e55c781e10dc676da59462c22596d82e91c57803666243379555b2f"},
};

static const char *authorization(struct fixture *f, const char *names, const char *signature)
{
    return arena_fmt(f->arena,
                     "ZC2-HMAC-SHA256 Credential=" KEY_ID ", SignedHeaders=%s, Signature=%s", names,
                     signature);
}

static void load(struct fixture *f, const struct vector *v)
{
    fixture_init(f, strtoll(v->timestamp, NULL, 10) * 1000);
    fixture_header(f, "host", v->host);
    fixture_header(f, "content-type", v->type);
    fixture_header(f, "x-zc-timestamp", v->timestamp);
    fixture_header(f, "x-zc-signature-method", "ZC2-HMAC-SHA256");
    fixture_header(f, "authorization", authorization(f, "content-type;host", v->signature));
    fixture_body(f, v->body);
}

/* What verifying does, with the secret given instead of looked up. */
static enum err verify(struct fixture *f, const char *secret)
{
    struct zec_claim claim;
    struct hmac_key *key = hmac_key_new(HMAC_SHA256, secret, strlen(secret));
    enum err err = zec_claim_read(&f->call, &claim);

    if (!err)
        err = zec_claim_check(&f->call, &claim, key);
    hmac_key_free(key);
    return err;
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct fixture f;
        struct zec_claim claim;

        load(&f, v);
        assert_int_equal(zec_claim_read(&f.call, &claim), ERR_NONE);
        assert_string_equal(claim.key_id, KEY_ID);
        assert_string_equal(
            zec_canonical_request(&f.call, &claim),
            arena_fmt(f.arena, "POST\n/\n\ncontent-type:%s\nhost:%s\n\ncontent-type;host\n%s",
                      v->type, v->host, v->body_hash));
        assert_string_equal(
            zec_string_to_sign(&f.call, &claim),
            arena_fmt(f.arena, "ZC2-HMAC-SHA256\n%s\n%s", v->timestamp, v->canonical_hash));
        assert_int_equal(verify(&f, v->secret), ERR_NONE);
        fixture_done(&f);
    }
}

/* A copy of the text with one bit of one byte turned. */
static char *turned(struct fixture *f, const char *s, size_t at)
{
    char *copy = arena_str(f->arena, s);

    copy[at] ^= 1;
    return copy;
}

static void test_every_changed_byte_is_refused(void **state)
{
    const struct vector *v = &vectors[3];
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < strlen(v->body); i++) {
        load(&f, v);
        fixture_body(&f, turned(&f, v->body, i));
        assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
    for (size_t i = 0; i < strlen(v->host); i++) {
        load(&f, v);
        fixture_header(&f, "host", turned(&f, v->host, i));
        assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
    for (size_t i = 0; i < strlen(v->type); i++) {
        load(&f, v);
        fixture_header(&f, "content-type", turned(&f, v->type, i));
        assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
    for (size_t i = 0; i < strlen(v->signature); i++) {
        load(&f, v);
        fixture_header(&f, "authorization",
                       authorization(&f, "content-type;host", turned(&f, v->signature, i)));
        assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
    for (size_t i = 0; i < strlen(v->secret); i++) {
        load(&f, v);
        assert_int_equal(verify(&f, turned(&f, v->secret, i)), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
}

static void test_a_changed_timestamp_is_refused(void **state)
{
    const struct vector *v = &vectors[3];

    (void)state;
    for (size_t i = 0; i < strlen(v->timestamp); i++) {
        struct fixture f;
        const char *changed;

        load(&f, v);
        changed = turned(&f, v->timestamp, i);
        fixture_header(&f, "x-zc-timestamp", changed);
        f.call.op.now = strtoll(changed, NULL, 10) * 1000; /* so that only the signature is wrong */
        assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
}

static void test_body_length_counts(void **state)
{
    const struct vector *v = &vectors[0];
    struct fixture f;

    (void)state;
    load(&f, v);
    fixture_body(&f, "{} ");
    assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
    f.req.body_len = 1;
    assert_int_equal(verify(&f, v->secret), ERR_AUTH_SIGNATURE);
    f.req.body_len = 2;
    assert_int_equal(verify(&f, v->secret), ERR_NONE);
    fixture_done(&f);
}

static void test_signature_forms(void **state)
{
    static const char *const wrong[] = {
        "A3F3B29AEA583D76D5BB4040F8E933882A86C4C2E4669592C274EAF35A9E5919", /* upper case */
        "a3f3b29aea583d76d5bb4040f8e933882a86c4c2e4669592c274eaf35a9e591",
        "a3f3b29aea583d76d5bb4040f8e933882a86c4c2e4669592c274eaf35a9e59190",
        "a",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct fixture f;

        load(&f, &vectors[0]);
        fixture_header(&f, "authorization", authorization(&f, "content-type;host", wrong[i]));
        assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_SIGNATURE);
        fixture_done(&f);
    }
}

static void test_authorization_that_cannot_be_read(void **state)
{
#define GOOD "ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host, Signature=00"
    static const struct {
        const char *text;
        enum err err;
    } cases[] = {
        {"Bearer abc", ERR_AUTH_TOKEN},
        {"bearer abc", ERR_AUTH_TOKEN},
        {"Bearer", ERR_AUTH_TOKEN},
        {"Basic YTpi", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 ", ERR_AUTH_MALFORMED},
        {"zc2-hmac-sha256 Credential=a, SignedHeaders=content-type;host, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA1 Credential=a, SignedHeaders=content-type;host, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 SignedHeaders=content-type;host, Signature=00", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=, SignedHeaders=content-type;host, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a b, SignedHeaders=content-type;host, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, Signature=00", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host, Signature=",
         ERR_AUTH_MALFORMED},
        {GOOD ", Signature=01", ERR_AUTH_MALFORMED},
        {GOOD ", Credential=b", ERR_AUTH_MALFORMED},
        {GOOD ", Extra=b", ERR_AUTH_MALFORMED},
        {GOOD ", nonsense", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=00", ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host;host, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;;host, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host;x-gone, Signature=00",
         ERR_AUTH_MALFORMED},
        {"ZC2-HMAC-SHA256 Credential=a, SignedHeaders=Content-Type;host, Signature=00",
         ERR_AUTH_MALFORMED},
        /* These can be read; the signature is what is wrong with them. */
        {GOOD, ERR_AUTH_SIGNATURE},
        {"ZC2-HMAC-SHA256 Signature=00,SignedHeaders=host;content-type,Credential=a",
         ERR_AUTH_SIGNATURE},
        {"  ZC2-HMAC-SHA256   Credential=a ,  SignedHeaders=content-type; host ,Signature=00 ",
         ERR_AUTH_SIGNATURE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture f;

        load(&f, &vectors[0]);
        fixture_header(&f, "authorization", cases[i].text);
        assert_int_equal(verify(&f, PASSWORD), cases[i].err);
        fixture_done(&f);
    }
#undef GOOD
}

static void test_missing_and_repeated_headers(void **state)
{
    struct fixture f;

    (void)state;
    load(&f, &vectors[0]);
    fixture_header(&f, "authorization", NULL);
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_MALFORMED);
    fixture_done(&f);

    load(&f, &vectors[0]);
    fixture_header_again(&f, "authorization", "Bearer x");
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_MALFORMED);
    fixture_done(&f);

    load(&f, &vectors[0]);
    fixture_header_again(&f, "content-type", "text/plain");
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_MALFORMED);
    fixture_done(&f);

    load(&f, &vectors[0]);
    fixture_header(&f, "content-type", NULL);
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_MALFORMED);
    fixture_done(&f);

    load(&f, &vectors[0]);
    fixture_header(&f, "x-zc-timestamp", NULL);
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_TIME_MISSING);
    fixture_done(&f);

    load(&f, &vectors[0]);
    fixture_header(&f, "x-zc-signature-method", "ZC2-HMAC-SHA512");
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_METHOD);
    fixture_header(&f, "x-zc-signature-method", NULL);
    assert_int_equal(verify(&f, PASSWORD), ERR_NONE);
    fixture_done(&f);
}

static void test_too_much(void **state)
{
    CLEANUP(buf_done) struct buf names = {0};
    struct fixture f;

    (void)state;
    load(&f, &vectors[0]);
    buf_str(&names, "content-type;host");
    for (int i = 0; i < ZEC_MAX_SIGNED; i++) {
        const char *name = arena_fmt(f.arena, "x-h%d", i);

        fixture_header(&f, name, "v");
        buf_fmt(&names, ";%s", name);
    }
    fixture_header(&f, "authorization", authorization(&f, names.data, "00"));
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_MALFORMED);

    char *long_one = arena_alloc(f.arena, 5001);
    memset(long_one, 'a', 5000);
    fixture_header(&f, "authorization", authorization(&f, "content-type;host", long_one));
    assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_MALFORMED);
    fixture_done(&f);
}

static void test_more_signed_headers(void **state)
{
    static const char *const lists[] = {"content-type;host;x-zc-action",
                                        "x-zc-action;host;content-type"};

    (void)state;
    /* Whatever order the list has, the same text is signed; a further header counts. */
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct fixture f;
        struct zec_claim claim;

        load(&f, &vectors[0]);
        fixture_header(&f, "x-zc-action", "DescribeZones");
        fixture_header(&f, "authorization", authorization(&f, lists[i], "00"));
        assert_int_equal(zec_claim_read(&f.call, &claim), ERR_NONE);
        assert_string_equal(
            zec_canonical_request(&f.call, &claim),
            arena_fmt(f.arena,
                      "POST\n/\n\ncontent-type:" JSON "\nhost:console.zenlayer.com\n"
                      "x-zc-action:DescribeZones\n\ncontent-type;host;x-zc-action\n%s",
                      vectors[0].body_hash));
        fixture_done(&f);
    }
}

static void test_clock(void **state)
{
    static const struct {
        int64_t apart;
        enum err err;
    } cases[] = {{0, ERR_NONE},
                 {300000, ERR_NONE},
                 {-300000, ERR_NONE},
                 {300001, ERR_AUTH_EXPIRED},
                 {-300001, ERR_AUTH_EXPIRED},
                 {86400000, ERR_AUTH_EXPIRED}};
    static const char *const unreadable[] = {
        "x",     "1700000000.5",           "-1700000000", " 1700000000",
        "0x123", "1700000000000000000000", "+1700000000"};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        load(&f, &vectors[0]);
        f.call.op.now += cases[i].apart;
        assert_int_equal(verify(&f, PASSWORD), cases[i].err);
        fixture_done(&f);
    }
    for (size_t i = 0; i < ARRAY_LEN(unreadable); i++) {
        load(&f, &vectors[0]);
        fixture_header(&f, "x-zc-timestamp", unreadable[i]);
        assert_int_equal(verify(&f, PASSWORD), ERR_AUTH_TIME_FORMAT);
        fixture_done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_changed_byte_is_refused),
        cmocka_unit_test(test_a_changed_timestamp_is_refused),
        cmocka_unit_test(test_body_length_counts),
        cmocka_unit_test(test_signature_forms),
        cmocka_unit_test(test_authorization_that_cannot_be_read),
        cmocka_unit_test(test_missing_and_repeated_headers),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_more_signed_headers),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
