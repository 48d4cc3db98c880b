/*
 * Who signed this? The order is the gateway's: what is missing, what cannot be read, the time, the
 * key, the signature, and last the nonce, so that only a true signer can use up nonces.
 */
#include "dialect/alibaba/sign.h"

#include <pthread.h>

#include "base/timefmt.h"
#include "dialect/alibaba/alibaba.h"
#include "dialect/alibaba/nonce.h"
#include "dialect/alibaba/text.h"

/* A busy key's quarter of a million requests; see nonce.h for what happens beyond. */
enum { NONCES_PER_KEY = 1 << 18 };

static pthread_mutex_t nonce_lock = PTHREAD_MUTEX_INITIALIZER;
static struct nonces *nonces;

void alibaba_forget_nonces(void)
{
    (void)pthread_mutex_lock(&nonce_lock);
    nonces_free(nonces);
    nonces = NULL;
    (void)pthread_mutex_unlock(&nonce_lock);
}

/* What a signature of either version claims. */
struct claim {
    const char *key, *nonce, *time, *signature;
    int64_t now, made, until; /* from time_ok */
    struct signing by;
};

/* ---- checks that both versions share ---- */

static enum err time_ok(struct call *c, struct claim *claim, int64_t back, int64_t ahead)
{
    if (strlen(claim->time) != strlen("2026-01-02T03:04:05Z") ||
        time_parse(claim->time, &claim->made) < 0)
        return fail(&c->fail, ERR_AUTH_TIME_FORMAT, "the time is not like 2026-01-02T03:04:05Z");
    claim->now = call_signature_clock(c, claim->key);
    claim->until = claim->made + back + 1;
    if (claim->made + back < claim->now || claim->made - ahead > claim->now)
        return fail(&c->fail, ERR_AUTH_EXPIRED, "the request's time is %s, the server's is %s",
                    claim->time, time_seconds(c->arena, claim->now));
    return ERR_NONE;
}

static enum err no_token(struct call *c, const char *token)
{
    if (str_empty(token))
        return ERR_NONE;
    return fail(&c->fail, ERR_AUTH_TOKEN, "security tokens are not issued here");
}

static bool same_text(const char *a, const char *b)
{
    size_t n = strlen(a);

    return n == strlen(b) && equal_ct(a, b, n);
}

static enum err nonce_ok(struct call *c, const struct claim *claim)
{
    (void)pthread_mutex_lock(&nonce_lock);
    if (!nonces)
        nonces = nonces_new(NONCES_PER_KEY);
    enum nonce_verdict v =
        nonces_add(nonces, claim->key, claim->nonce, claim->made, claim->until, claim->now);
    (void)pthread_mutex_unlock(&nonce_lock);
    c->replay_key = arena_fmt(c->arena, "%s/%s", claim->key, claim->nonce);
    c->replay_until = claim->until;
    switch (v) {
    case NONCE_USED:
        return fail(&c->fail, ERR_AUTH_REPLAY, "the nonce was used before");
    case NONCE_TOO_OLD:
        return fail(&c->fail, ERR_AUTH_EXPIRED,
                    "so many requests came with this key that one this old may be a replay");
    case NONCE_NEW:
        break;
    }
    return ERR_NONE;
}

static enum err accept(struct call *c, const struct claim *claim)
{
    enum err e = nonce_ok(c, claim);

    if (!e)
        c->key = claim->by.row;
    return e;
}

/* ---- V1 ---- */

char *sign_v1_string(struct arena *a, const char *method, const struct params *p)
{
    struct buf canonical CLEANUP(buf_done) = {0}, string CLEANUP(buf_done) = {0};

    for (size_t i = 0; i < p->n; i++) {
        if (streq(p->v[i].name, "Signature"))
            continue;
        if (canonical.len)
            buf_char(&canonical, '&');
        percent_encode(&canonical, p->v[i].name);
        buf_char(&canonical, '=');
        percent_encode(&canonical, p->v[i].value);
    }
    buf_str(&string, method);
    buf_str(&string, "&%2F&");
    percent_encode(&string, buf_cstr(&canonical));
    return arena_strn(a, string.data, string.len);
}

char *sign_v1(struct arena *a, const struct hmac_key *key, const char *string)
{
    uint8_t mac[HMAC_MAX_LEN];

    return base64_encode(a, mac, hmac_with(key, string, strlen(string), mac));
}

static enum err v1_hash(struct call *c, const struct params *p, enum hmac_hash *ret)
{
    const char *method = params_get(p, "SignatureMethod");

    if (str_empty(method))
        return fail_param(&c->fail, ERR_PARAM_MISSING, "SignatureMethod", "it is not given");
    *ret = streq(method, "HMAC-SHA256") ? HMAC_SHA256 : HMAC_SHA1;
    if (*ret == HMAC_SHA1 && !streq(method, "HMAC-SHA1"))
        return fail_param(&c->fail, ERR_AUTH_METHOD, "SignatureMethod",
                          "the method is HMAC-SHA1 or HMAC-SHA256");
    return ERR_NONE;
}

static enum err v1_version(struct call *c, const struct params *p)
{
    const char *version = params_get(p, "SignatureVersion");

    if (str_empty(version))
        return fail_param(&c->fail, ERR_PARAM_MISSING, "SignatureVersion", "it is not given");
    if (!streq(version, "1.0"))
        return fail_param(&c->fail, ERR_AUTH_SIG_VERSION, "SignatureVersion", "the version is 1.0");
    return ERR_NONE;
}

static enum err v1_read(struct call *c, const struct params *p, struct claim *ret)
{
    static const struct {
        const char *name;
        size_t at;
        enum err missing;
    } needed[] = {
        {"AccessKeyId", offsetof(struct claim, key), ERR_AUTH_KEY_MISSING},
        {"Signature", offsetof(struct claim, signature), ERR_AUTH_SIG_MISSING},
        {"Timestamp", offsetof(struct claim, time), ERR_AUTH_TIME_MISSING},
        {"SignatureNonce", offsetof(struct claim, nonce), ERR_AUTH_NONCE_MISSING},
    };

    /* A bearer token comes without a key; a key pair's signature is not an HMAC. */
    if (!str_empty(params_get(p, "SignatureType")))
        return fail_param(&c->fail, ERR_AUTH_METHOD, "SignatureType",
                          "bearer tokens and key pairs are not accepted");
    for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
        const char *value = params_get(p, needed[i].name);

        if (str_empty(value))
            return fail_param(&c->fail, needed[i].missing, needed[i].name, "it is not given");
        *(const char **)((char *)ret + needed[i].at) = value;
    }
    return ERR_NONE;
}

static enum err v1_verify(struct call *c, struct state *s)
{
    const struct params *p = &s->all;
    struct claim claim = {0};
    enum hmac_hash hash = HMAC_SHA1;
    enum err e;

    if ((e = v1_read(c, p, &claim)) || (e = v1_hash(c, p, &hash)) || (e = v1_version(c, p)) ||
        (e = time_ok(c, &claim, V1_BACK_MS, V1_AHEAD_MS)) ||
        (e = no_token(c, params_get(p, "SecurityToken"))) ||
        (e = call_mac(c, claim.key, hash, "&", &claim.by)))
        return e;

    const char *string = sign_v1_string(c->arena, c->req->method, p);
    if (!same_text(sign_v1(c->arena, claim.by.mac, string), claim.signature)) {
        /* Clients compare what follows the colon with their own string, byte for byte. */
        s->mismatch = arena_fmt(c->arena,
                                "Specified signature is not matched with our calculation. "
                                "server string to sign is:%s",
                                string);
        return fail(&c->fail, ERR_AUTH_SIGNATURE, "the signature does not match");
    }
    return accept(c, &claim);
}

/* ---- V3 ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void trim_into(struct buf *b, const char *s)
{
    size_t n;

    s += strspn(s, " \t");
    for (n = strlen(s); n && strchr(" \t", s[n - 1]);)
        n--;
    buf_add(b, s, n);
}

/* Repeated headers count as one whose values are sorted and joined. */
static void add_header(struct arena *a, struct buf *b, const struct request *r, const char *name)
{
    const char **values = ARENA_ARRAY(a, const char *, r->n_headers + 1);
    size_t n = 0;

    for (size_t i = 0; i < r->n_headers; i++)
        if (streq(r->headers[i].name, name))
            values[n++] = r->headers[i].value;
    qsort(values, n, sizeof(*values), compare_texts);
    buf_str(b, name);
    buf_char(b, ':');
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(b, ',');
        trim_into(b, values[i]);
    }
    buf_char(b, '\n');
}

char *sign_v3_canonical(struct arena *a, const struct request *r, const struct params *query,
                        const char *signed_headers, const char *payload)
{
    struct buf b CLEANUP(buf_done) = {0};
    char *names = arena_str(a, signed_headers), *rest = names;

    buf_fmt(&b, "%s\n/\n", r->method);
    for (size_t i = 0; i < query->n; i++) {
        if (i)
            buf_char(&b, '&');
        percent_encode(&b, query->v[i].name);
        buf_char(&b, '=');
        percent_encode(&b, query->v[i].value);
    }
    buf_char(&b, '\n');
    for (const char *name; (name = strsep(&rest, ";"));)
        add_header(a, &b, r, name);
    buf_fmt(&b, "\n%s\n%s", signed_headers, payload);
    return arena_strn(a, b.data, b.len);
}

char *sign_v3_string(struct arena *a, const char *canonical)
{
    return arena_fmt(a, "ACS3-HMAC-SHA256\n%s", sha256_hex(a, canonical, strlen(canonical)));
}

char *sign_v3(struct arena *a, const struct hmac_key *key, const char *string)
{
    uint8_t mac[HMAC_MAX_LEN];

    return hex_encode(a, mac, hmac_with(key, string, strlen(string), mac));
}

struct authorization {
    const char *credential, *signed_headers, *signature;
};

/* "Credential=..,SignedHeaders=..,Signature=.." in any order, each once. */
static bool read_authorization(struct arena *a, const char *text, struct authorization *ret)
{
    char *rest = arena_str(a, text);

    for (char *part; (part = strsep(&rest, ","));) {
        char *value = strchr(part, '=');
        const char **to;

        part += strspn(part, " ");
        if (!value)
            return false;
        *value++ = 0;
        to = streq(part, "Credential")      ? &ret->credential
             : streq(part, "SignedHeaders") ? &ret->signed_headers
             : streq(part, "Signature")     ? &ret->signature
                                            : NULL;
        if (!to || *to)
            return false;
        *to = value;
    }
    return true;
}

static bool lists_header(const char *list, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = list; at; at = strchr(at, ';')) {
        at += *at == ';';
        if (!strncmp(at, name, n) && (!at[n] || at[n] == ';'))
            return true;
    }
    return false;
}

static enum err v3_headers_ok(struct call *c, const struct authorization *auth)
{
    static const char *const needed[] = {
        "host",       "x-acs-action",          "x-acs-version",
        "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"};

    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!lists_header(auth->signed_headers, needed[i]))
            return fail(&c->fail, ERR_AUTH_MALFORMED, "the header %s is not signed", needed[i]);
    return ERR_NONE;
}

static enum err v3_read(struct call *c, struct authorization *auth, struct claim *ret)
{
    static const char method[] = "ACS3-HMAC-SHA256 ";
    const char *text = request_header(c->req, "authorization");

    if (!str_starts(text, method))
        return fail(&c->fail, ERR_AUTH_METHOD, "the signature method is ACS3-HMAC-SHA256");
    if (!read_authorization(c->arena, text + strlen(method), auth))
        return fail(&c->fail, ERR_AUTH_MALFORMED, "the Authorization header cannot be read");
    ret->key = auth->credential;
    ret->signature = auth->signature;
    ret->time = request_header(c->req, "x-acs-date");
    ret->nonce = request_header(c->req, "x-acs-signature-nonce");
    if (str_empty(ret->key))
        return fail_param(&c->fail, ERR_AUTH_KEY_MISSING, "AccessKeyId", "it is not given");
    if (str_empty(ret->signature))
        return fail_param(&c->fail, ERR_AUTH_SIG_MISSING, "Signature", "it is not given");
    if (str_empty(auth->signed_headers))
        return fail(&c->fail, ERR_AUTH_MALFORMED, "no signed headers are listed");
    if (str_empty(ret->time))
        return fail_param(&c->fail, ERR_AUTH_TIME_MISSING, "Timestamp", "x-acs-date is missing");
    if (str_empty(ret->nonce))
        return fail_param(&c->fail, ERR_AUTH_NONCE_MISSING, "SignatureNonce",
                          "x-acs-signature-nonce is missing");
    return v3_headers_ok(c, auth);
}

static enum err v3_verify(struct call *c, struct state *s)
{
    const char *payload = request_header(c->req, "x-acs-content-sha256");
    struct authorization auth = {0};
    struct claim claim = {0};
    enum err e;

    if ((e = v3_read(c, &auth, &claim)) || (e = time_ok(c, &claim, V3_BACK_MS, V3_AHEAD_MS)) ||
        (e = no_token(c, request_header(c->req, "x-acs-security-token"))) ||
        (e = call_mac(c, claim.key, HMAC_SHA256, "", &claim.by)))
        return e;
    if (str_empty(payload))
        return fail(&c->fail, ERR_AUTH_CONTENT, "x-acs-content-sha256 is missing");

    const char *canonical =
        sign_v3_canonical(c->arena, c->req, &s->query, auth.signed_headers, payload);
    const char *string = sign_v3_string(c->arena, canonical);
    if (!same_text(sign_v3(c->arena, claim.by.mac, string), claim.signature)) {
        s->mismatch = arena_fmt(c->arena,
                                "Specified signature does not match our calculation. "
                                "server StringToSign is [%s] server CanonicalRequest is [%s]",
                                string, canonical);
        return fail_param(&c->fail, ERR_AUTH_SIGNATURE, "Authorization",
                          "the signature does not match");
    }
    if (!same_text(sha256_hex(c->arena, c->req->body, c->req->body_len), payload))
        return fail(&c->fail, ERR_AUTH_CONTENT,
                    "x-acs-content-sha256 is not the SHA-256 of the body");
    return accept(c, &claim);
}

enum err sign_verify(struct call *c)
{
    struct state *s = c->state;

    return s->v3 ? v3_verify(c, s) : v1_verify(c, s);
}
