#include "bench/sign.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"

enum { PREFIX_HEX = 16 };

struct signer {
    enum scheme scheme;
    char *host, *key;
    struct hmac_key *mac;        /* what depends on the secret alone is hashed once */
    char prefix[PREFIX_HEX + 1]; /* of this run's nonces */
    uint64_t count;
    time_t second; /* that `iso` tells */
    char iso[32];
    struct buf canonical, text;
};

static void add_hex(struct buf *b, const uint8_t *data, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *to = buf_reserve(b, 2 * n);

    for (size_t i = 0; i < n; i++) {
        *to++ = digits[data[i] >> 4];
        *to++ = digits[data[i] & 15];
    }
    *to = 0;
    b->len += 2 * n;
}

static void add_digest(struct buf *b, const void *data, size_t n)
{
    uint8_t digest[SHA256_LEN];

    sha256(data, n, digest);
    add_hex(b, digest, sizeof(digest));
}

static void add_encoded(struct buf *b, const char *s)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *s; s++) {
        uint8_t ch = (uint8_t)*s;

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
            strchr("-_.~", ch)) {
            buf_char(b, *s);
        } else {
            buf_char(b, '%');
            buf_char(b, digits[ch >> 4]);
            buf_char(b, digits[ch & 15]);
        }
    }
}

static const char *iso_now(struct signer *s)
{
    time_t now = time(NULL);
    struct tm tm;

    if (now != s->second) {
        s->second = now;
        (void)strftime(s->iso, sizeof(s->iso), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    }
    return s->iso;
}

static void add_nonce(struct signer *s, struct buf *b)
{
    buf_str(b, s->prefix);
    buf_i64(b, (long long)s->count);
}

static void add_query(struct buf *b, const char *const *params)
{
    for (size_t i = 0; params[i]; i += 2) {
        if (i)
            buf_char(b, '&');
        add_encoded(b, params[i]);
        buf_char(b, '=');
        add_encoded(b, params[i + 1]);
    }
}

/* ---- V1: everything in the query, the signature among it ---- */

struct param {
    const char *name, *value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct param *)a)->name, ((const struct param *)b)->name);
}

static void request_v1(struct signer *s, struct buf *out, const char *action,
                       const char *const *params)
{
    enum { MAX = 32 };
    struct buf *c = &s->canonical;
    struct param all[MAX];
    uint8_t mac[HMAC_MAX_LEN];
    char base64[4 * HMAC_MAX_LEN / 3 + 4], nonce[64];
    size_t n = 0;

    (void)snprintf(nonce, sizeof(nonce), "%s%llu", s->prefix, (unsigned long long)s->count);
    all[n++] = (struct param){"AccessKeyId", s->key};
    all[n++] = (struct param){"Action", action};
    all[n++] = (struct param){"Format", "JSON"};
    all[n++] = (struct param){"SignatureMethod", "HMAC-SHA1"};
    all[n++] = (struct param){"SignatureNonce", nonce};
    all[n++] = (struct param){"SignatureVersion", "1.0"};
    all[n++] = (struct param){"Timestamp", iso_now(s)};
    all[n++] = (struct param){"Version", "2014-05-26"};
    for (size_t i = 0; params[i] && n < MAX; i += 2)
        all[n++] = (struct param){params[i], params[i + 1]};
    qsort(all, n, sizeof(*all), by_name);

    buf_clear(c);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(c, '&');
        add_encoded(c, all[i].name);
        buf_char(c, '=');
        add_encoded(c, all[i].value);
    }
    buf_clear(&s->text);
    buf_str(&s->text, "GET&%2F&");
    add_encoded(&s->text, buf_cstr(c));
    size_t mac_len = hmac_with(s->mac, s->text.data, s->text.len, mac);
    (void)EVP_EncodeBlock((unsigned char *)base64, mac, (int)mac_len);

    buf_str(out, "GET /?");
    buf_add(out, c->data, c->len);
    buf_str(out, "&Signature=");
    add_encoded(out, base64);
    buf_str(out, " HTTP/1.1\r\nHost: ");
    buf_str(out, s->host);
    buf_str(out, "\r\n\r\n");
}

/* ---- V3: the parameters in the query, the signature in a header ---- */

static void request_v3(struct signer *s, struct buf *out, const char *action,
                       const char *const *params)
{
    static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char names[] =
        "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version";
    struct buf *c = &s->canonical;
    uint8_t mac[HMAC_MAX_LEN];
    const char *iso = iso_now(s);

    buf_clear(c);
    buf_str(c, "POST\n/\n");
    add_query(c, params);
    buf_str(c, "\nhost:");
    buf_str(c, s->host);
    size_t from = c->len; /* the lines from here are sent as they are signed */
    buf_str(c, "\nx-acs-action:");
    buf_str(c, action);
    buf_str(c, "\nx-acs-content-sha256:");
    buf_str(c, empty);
    buf_str(c, "\nx-acs-date:");
    buf_str(c, iso);
    buf_str(c, "\nx-acs-signature-nonce:");
    add_nonce(s, c);
    buf_str(c, "\nx-acs-version:2014-05-26");
    size_t to = c->len;
    buf_str(c, "\n\n");
    buf_str(c, names);
    buf_char(c, '\n');
    buf_str(c, empty);

    buf_clear(&s->text);
    buf_str(&s->text, "ACS3-HMAC-SHA256\n");
    add_digest(&s->text, c->data, c->len);
    size_t mac_len = hmac_with(s->mac, s->text.data, s->text.len, mac);

    buf_str(out, "POST /?");
    add_query(out, params);
    buf_str(out, " HTTP/1.1\r\nhost: ");
    buf_str(out, s->host);
    for (size_t i = from; i < to; i++) {
        if (c->data[i] == '\n')
            buf_char(out, '\r');
        buf_char(out, c->data[i]);
    }
    buf_str(out, "\r\naccept: application/json\r\ncontent-length: 0\r\nAuthorization: "
                 "ACS3-HMAC-SHA256 Credential=");
    buf_str(out, s->key);
    buf_str(out, ",SignedHeaders=");
    buf_str(out, names);
    buf_str(out, ",Signature=");
    add_hex(out, mac, mac_len);
    buf_str(out, "\r\n\r\n");
}

/* ---- ZC2: a JSON body ---- */

static void request_zc2(struct signer *s, struct buf *out, const char *action,
                        const char *const *params)
{
    const char *body = params[0];
    size_t n = strlen(body);
    struct buf *c = &s->canonical;
    uint8_t mac[HMAC_MAX_LEN];
    long long now = (long long)time(NULL);

    buf_clear(c);
    buf_str(c, "POST\n/\n\ncontent-type:application/json\nhost:");
    buf_str(c, s->host);
    buf_str(c, "\n\ncontent-type;host\n");
    add_digest(c, body, n);
    buf_clear(&s->text);
    buf_str(&s->text, "ZC2-HMAC-SHA256\n");
    buf_i64(&s->text, now);
    buf_char(&s->text, '\n');
    add_digest(&s->text, c->data, c->len);
    size_t mac_len = hmac_with(s->mac, s->text.data, s->text.len, mac);

    buf_str(out, "POST /api/v2/zec HTTP/1.1\r\nhost: ");
    buf_str(out, s->host);
    buf_str(out, "\r\ncontent-type: application/json\r\nx-zc-service: zec\r\nx-zc-version: "
                 "2025-09-01\r\nx-zc-signature-method: ZC2-HMAC-SHA256\r\nx-zc-action: ");
    buf_str(out, action);
    buf_str(out, "\r\nx-zc-timestamp: ");
    buf_i64(out, now);
    buf_str(out, "\r\nAuthorization: ZC2-HMAC-SHA256 Credential=");
    buf_str(out, s->key);
    buf_str(out, ", SignedHeaders=content-type;host, Signature=");
    add_hex(out, mac, mac_len);
    buf_str(out, "\r\ncontent-length: ");
    buf_i64(out, (long long)n);
    buf_str(out, "\r\n\r\n");
    buf_add(out, body, n);
}

void signer_request(struct signer *s, struct buf *out, const char *action,
                    const char *const *params)
{
    static void (*const make[])(struct signer *, struct buf *, const char *,
                                const char *const *) = {
        [SCHEME_V1] = request_v1, [SCHEME_V3] = request_v3, [SCHEME_ZC2] = request_zc2};

    s->count++;
    make[s->scheme](s, out, action, params);
}

struct signer *signer_new(enum scheme scheme, const char *host, const char *key, const char *secret)
{
    struct signer *s = xcalloc(1, sizeof(*s));
    CLEANUP(free_p) char *used = xasprintf("%s%s", secret, scheme == SCHEME_V1 ? "&" : "");
    uint8_t seed[PREFIX_HEX / 2];
    struct buf prefix = {0};

    s->scheme = scheme;
    s->host = xstrdup(host);
    s->key = xstrdup(key);
    s->mac = hmac_key_new(scheme == SCHEME_V1 ? HMAC_SHA1 : HMAC_SHA256, used, strlen(used));
    wipe(used, strlen(used));
    random_bytes(seed, sizeof(seed));
    add_hex(&prefix, seed, sizeof(seed));
    memcpy(s->prefix, prefix.data, PREFIX_HEX + 1);
    buf_done(&prefix);
    return s;
}

void signer_free(struct signer *s)
{
    if (!s)
        return;
    hmac_key_free(s->mac);
    buf_done(&s->canonical);
    buf_done(&s->text);
    free(s->host);
    free(s->key);
    free(s);
}
