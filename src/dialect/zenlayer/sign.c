/* Who signed a request: the Authorization header taken apart, the clock, the signature made again
 * and compared. */
#include "dialect/zenlayer/sign.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "dialect/zenlayer/zec.h"

#define ALGORITHM "ZC2-HMAC-SHA256"
#define BEARER    "bearer"

enum {
    MAX_AUTHORIZATION = 4096,
    MAX_KEY_ID = 128,
    MAX_TIMESTAMP = 12, /* digits: enough for 30,000 years */
    SIGNATURE_LEN = 2 * SHA256_LEN
};

/* ---- small texts ---- */

struct span {
    const char *s;
    size_t n;
};

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t';
}

static struct span trim(struct span t)
{
    while (t.n && is_blank(t.s[0]))
        t.s++, t.n--;
    while (t.n && is_blank(t.s[t.n - 1]))
        t.n--;
    return t;
}

/* Cuts off what stands before the first `sep`, or everything. */
static struct span cut(struct span *rest, char sep)
{
    const char *at = memchr(rest->s, sep, rest->n);
    size_t n = at ? (size_t)(at - rest->s) : rest->n;
    struct span head = {rest->s, n};

    rest->s += at ? n + 1 : n;
    rest->n -= at ? n + 1 : n;
    return head;
}

static bool span_is(struct span t, const char *s)
{
    return t.n == strlen(s) && memcmp(t.s, s, t.n) == 0;
}

static char *lower(struct arena *a, struct span t)
{
    char *s = arena_strn(a, t.s, t.n);

    for (char *p = s; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return s;
}

/* ---- headers ---- */

/*
 * The one header of this name, or NULL. One that decides who is asking must not come twice: another
 * reader between the client and us could have taken the other.
 */
static const char *only_header(const struct request *r, const char *name, bool *ret_twice)
{
    const char *value = NULL;

    for (size_t i = 0; i < r->n_headers; i++) {
        if (!streq(r->headers[i].name, name))
            continue;
        if (value)
            *ret_twice = true;
        else
            value = r->headers[i].value;
    }
    return value;
}

static enum err take_header(struct call *c, const char *name, enum err missing, const char **ret)
{
    bool twice = false;
    const char *value = only_header(c->req, name, &twice);

    if (twice)
        return fail(&c->fail, ERR_AUTH_MALFORMED, "the header '%s' is there more than once", name);
    if (str_empty(value))
        return fail(&c->fail, missing, "the header '%s' is missing", name);
    *ret = value;
    return ERR_NONE;
}

/* ---- Authorization ---- */

static enum err malformed(struct call *c, const char *why)
{
    return fail(&c->fail, ERR_AUTH_MALFORMED, "%s", why);
}

static enum err add_signed(struct call *c, struct zec_claim *claim, struct span word)
{
    const struct span sent = trim(word);
    const char *name = lower(c->arena, sent);
    const char *value = NULL;
    size_t at = claim->n_signed;
    enum err err;

    if (!*name || claim->n_signed == ZEC_MAX_SIGNED)
        return malformed(c, "SignedHeaders holds an empty name or too many");
    if (!span_is(sent,
                 name)) /* what is signed is the lower-case name: another spelling was not signed */
        return malformed(c, "SignedHeaders must be in lower case");
    err = take_header(c, name, ERR_AUTH_MALFORMED, &value);
    if (err)
        return err;
    while (at > 0 && strcmp(claim->signed_headers[at - 1].name, name) > 0) {
        claim->signed_headers[at] = claim->signed_headers[at - 1];
        at--;
    }
    if (at > 0 && streq(claim->signed_headers[at - 1].name, name))
        return malformed(c, "SignedHeaders names a header twice");
    claim->signed_headers[at].name = name;
    claim->signed_headers[at].value = value;
    claim->n_signed++;
    return ERR_NONE;
}

static bool is_signed(const struct zec_claim *claim, const char *name)
{
    for (size_t i = 0; i < claim->n_signed; i++)
        if (streq(claim->signed_headers[i].name, name))
            return true;
    return false;
}

static enum err read_signed_headers(struct call *c, struct zec_claim *claim, struct span list)
{
    do {
        enum err err = add_signed(c, claim, cut(&list, ';'));

        if (err)
            return err;
    } while (list.n);

    if (!is_signed(claim, "content-type") || !is_signed(claim, "host"))
        return malformed(c, "SignedHeaders must hold content-type and host");
    return ERR_NONE;
}

struct parts {
    struct span credential, signed_headers, signature;
};

static struct span *part_named(struct parts *p, struct span name)
{
    if (span_is(name, "Credential"))
        return &p->credential;
    if (span_is(name, "SignedHeaders"))
        return &p->signed_headers;
    if (span_is(name, "Signature"))
        return &p->signature;
    return NULL;
}

/* "Credential=ID, SignedHeaders=a;b, Signature=HEX", in any order, each once. */
static bool split_parts(struct span rest, struct parts *ret)
{
    struct parts p = {0};

    while (rest.n) {
        struct span value = trim(cut(&rest, ','));
        struct span name = cut(&value, '=');
        struct span *part = part_named(&p, name);

        if (!part || part->n || !value.n)
            return false;
        *part = value;
    }
    *ret = p;
    return p.credential.n && p.signed_headers.n && p.signature.n;
}

static bool good_key_id(struct span id)
{
    if (id.n > MAX_KEY_ID)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (id.s[i] <= ' ' || id.s[i] > '~')
            return false;
    return true;
}

static enum err read_authorization(struct call *c, const char *text, struct zec_claim *claim)
{
    struct span rest = {text, strlen(text)};
    struct span scheme;
    struct parts p;

    if (rest.n > MAX_AUTHORIZATION)
        return malformed(c, "the header 'authorization' is too long");
    rest = trim(rest);
    scheme = cut(&rest, ' ');
    if (streq(lower(c->arena, scheme), BEARER))
        return fail(&c->fail, ERR_AUTH_TOKEN, "bearer tokens are not issued here");
    if (!span_is(scheme, ALGORITHM))
        return malformed(c, "the authorization does not begin with " ALGORITHM);
    if (!split_parts(rest, &p) || !good_key_id(p.credential))
        return malformed(c, "the authorization must hold Credential, SignedHeaders and Signature");
    claim->key_id = arena_strn(c->arena, p.credential.s, p.credential.n);
    claim->signature = arena_strn(c->arena, p.signature.s, p.signature.n);
    return read_signed_headers(c, claim, p.signed_headers);
}

/* ---- the clock ---- */

static enum err check_clock(struct call *c, const char *key_id, const char *text)
{
    long long then = 0;
    int64_t apart, now = call_signature_clock(c, key_id);

    if (strlen(text) > MAX_TIMESTAMP || strspn(text, "0123456789") != strlen(text) ||
        parse_i64(text, &then) < 0)
        return fail(&c->fail, ERR_AUTH_TIME_FORMAT, "x-zc-timestamp is not in whole seconds");
    apart = now - (int64_t)then * 1000;
    if (apart > ZEC_WINDOW_S * 1000 || apart < -ZEC_WINDOW_S * 1000)
        return fail(&c->fail, ERR_AUTH_EXPIRED,
                    "x-zc-timestamp is more than %d seconds away from the server's %" PRId64,
                    ZEC_WINDOW_S, now / 1000);
    return ERR_NONE;
}

static enum err check_method(struct call *c)
{
    const char *method = request_header(c->req, "x-zc-signature-method");

    if (method && !streq(method, ALGORITHM))
        return fail(&c->fail, ERR_AUTH_METHOD, "the only signature method is " ALGORITHM);
    return ERR_NONE;
}

enum err zec_claim_read(struct call *c, struct zec_claim *ret)
{
    const char *text = NULL;
    enum err err;

    memset(ret, 0, sizeof(*ret));
    err = take_header(c, "authorization", ERR_AUTH_MALFORMED, &text);
    if (!err)
        err = read_authorization(c, text, ret);
    if (!err)
        err = check_method(c);
    if (!err)
        err = take_header(c, "x-zc-timestamp", ERR_AUTH_TIME_MISSING, &ret->timestamp);
    if (!err)
        err = check_clock(c, ret->key_id, ret->timestamp);
    return err;
}

/* ---- the signature ---- */

char *zec_canonical_request(struct call *c, const struct zec_claim *claim)
{
    CLEANUP(buf_done) struct buf b = {0};

    buf_fmt(&b, "%s\n/\n\n", c->req->method);
    for (size_t i = 0; i < claim->n_signed; i++) {
        const char *text = claim->signed_headers[i].value;
        struct span value = trim((struct span){text, strlen(text)});

        buf_fmt(&b, "%s:", claim->signed_headers[i].name);
        buf_add(&b, value.s, value.n);
        buf_char(&b, '\n');
    }
    for (size_t i = 0; i < claim->n_signed; i++)
        buf_fmt(&b, "%c%s", i ? ';' : '\n', claim->signed_headers[i].name);
    buf_fmt(&b, "\n%s", sha256_hex(c->arena, c->req->body, c->req->body_len));
    return arena_strn(c->arena, b.data, b.len);
}

char *zec_string_to_sign(struct call *c, const struct zec_claim *claim)
{
    const char *canonical = zec_canonical_request(c, claim);

    return arena_fmt(c->arena, ALGORITHM "\n%s\n%s", claim->timestamp,
                     sha256_hex(c->arena, canonical, strlen(canonical)));
}

enum err zec_claim_check(struct call *c, const struct zec_claim *claim, const struct hmac_key *key)
{
    const char *text = zec_string_to_sign(c, claim);
    uint8_t mac[HMAC_MAX_LEN];
    size_t n = hmac_with(key, text, strlen(text), mac);
    const char *hex = hex_encode(c->arena, mac, n);

    if (strlen(claim->signature) == SIGNATURE_LEN && equal_ct(hex, claim->signature, SIGNATURE_LEN))
        return ERR_NONE;
    /* Neither text holds a secret, and with them a client's author finds the difference at once. */
    return fail(&c->fail, ERR_AUTH_SIGNATURE,
                "the server's canonical request is '%s' and its "
                "string to sign '%s'",
                zec_canonical_request(c, claim), text);
}

enum err zec_verify(struct call *c)
{
    struct zec_claim claim;
    struct signing by;
    enum err err;

    err = zec_claim_read(c, &claim);
    if (!err)
        err = call_mac(c, claim.key_id, HMAC_SHA256, "", &by);
    if (!err)
        err = zec_claim_check(c, &claim, by.mac);
    if (!err)
        c->key = by.row;
    return err;
}
