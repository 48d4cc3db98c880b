/* OpenSSL behind our own names. A failure of these calls is a broken installation: abort. */
#include "base/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

static void must(int ok)
{
    if (ok != 1)
        abort();
}

void md5(const void *data, size_t len, uint8_t ret[MD5_LEN])
{
    must(EVP_Digest(data, len, ret, NULL, EVP_md5(), NULL));
}

void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN])
{
    if (!SHA256(data, len, ret))
        abort();
}

char *sha256_hex(struct arena *a, const void *data, size_t len)
{
    uint8_t md[SHA256_LEN];

    sha256(data, len, md);
    return hex_encode(a, md, sizeof(md));
}

size_t hmac(enum hmac_hash hash, const void *key, size_t key_len, const void *data, size_t len,
            uint8_t ret[HMAC_MAX_LEN])
{
    unsigned n = 0;

    if (!HMAC(hash == HMAC_SHA1 ? EVP_sha1() : EVP_sha256(), key, (int)key_len, data, len, ret, &n))
        abort();
    return n;
}

bool equal_ct(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

char *hex_encode(struct arena *a, const void *data, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;
    char *s = arena_alloc(a, 2 * n + 1);

    for (size_t i = 0; i < n; i++) {
        s[2 * i] = digits[p[i] >> 4];
        s[2 * i + 1] = digits[p[i] & 15];
    }
    return s;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

uint8_t *hex_decode(struct arena *a, const char *s, size_t *ret_n)
{
    size_t len = strlen(s);
    uint8_t *p = arena_alloc(a, len / 2 + 1);

    if (len % 2)
        return NULL;
    for (size_t i = 0; i < len / 2; i++) {
        int hi = hex_value(s[2 * i]), lo = hex_value(s[2 * i + 1]);

        if (hi < 0 || lo < 0)
            return NULL;
        p[i] = (uint8_t)(hi << 4 | lo);
    }
    *ret_n = len / 2;
    return p;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct arena *a, const void *data, size_t n)
{
    const uint8_t *p = data;
    char *s = arena_alloc(a, (n + 2) / 3 * 4 + 1), *to = s;

    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i;
        uint32_t v = (uint32_t)p[i] << 16 | (have > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                     (have > 2 ? p[i + 2] : 0);

        *to++ = base64_digits[v >> 18];
        *to++ = base64_digits[v >> 12 & 63];
        *to++ = have > 1 ? base64_digits[v >> 6 & 63] : '=';
        *to++ = have > 2 ? base64_digits[v & 63] : '=';
    }
    return s;
}

static int base64_value(char c)
{
    const char *at = c ? strchr(base64_digits, c) : NULL;

    return at ? (int)(at - base64_digits) : -1;
}

uint8_t *base64_decode(struct arena *a, const char *s, size_t *ret_n)
{
    size_t len = strlen(s), n = 0;
    uint8_t *p = arena_alloc(a, len / 4 * 3 + 1);

    if (len % 4)
        return NULL;
    for (size_t i = 0; i < len; i += 4) {
        bool last = i + 4 == len;
        int pad = last && s[i + 3] == '=' ? (s[i + 2] == '=' ? 2 : 1) : 0;
        uint32_t v = 0;

        for (int j = 0; j < 4; j++) {
            int d = j >= 4 - pad ? 0 : base64_value(s[i + j]);

            if (d < 0)
                return NULL;
            v = v << 6 | (uint32_t)d;
        }
        p[n++] = (uint8_t)(v >> 16);
        if (pad < 2)
            p[n++] = (uint8_t)(v >> 8);
        if (pad < 1)
            p[n++] = (uint8_t)v;
    }
    p[n] = 0;
    *ret_n = n;
    return p;
}

static void cipher_free_p(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

void aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
               const void *context, size_t context_len, const void *plain, size_t len, uint8_t *ret)
{
    CLEANUP(cipher_free_p) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t *text = ret + AEAD_NONCE_LEN;
    int n;

    if (!c)
        abort();
    memcpy(ret, nonce, AEAD_NONCE_LEN);
    must(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce));
    must(EVP_EncryptUpdate(c, NULL, &n, context, (int)context_len));
    must(EVP_EncryptUpdate(c, text, &n, plain, (int)len));
    must(EVP_EncryptFinal_ex(c, text + n, &n));
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, text + len));
}

int aead_open(const uint8_t key[AEAD_KEY_LEN], const void *context, size_t context_len,
              const void *sealed, size_t len, uint8_t *ret)
{
    CLEANUP(cipher_free_p) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const uint8_t *p = sealed;
    int n;

    if (!c)
        abort();
    if (len < AEAD_OVERHEAD)
        return -EBADMSG;
    size_t text_len = len - AEAD_OVERHEAD;
    uint8_t tag[16];
    memcpy(tag, p + len - sizeof(tag), sizeof(tag));
    must(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, p));
    must(EVP_DecryptUpdate(c, NULL, &n, context, (int)context_len));
    must(EVP_DecryptUpdate(c, ret, &n, p + AEAD_NONCE_LEN, (int)text_len));
    must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag));
    if (EVP_DecryptFinal_ex(c, ret + n, &n) == 1)
        return 0;
    wipe(ret, text_len);
    return -EBADMSG;
}

void random_bytes(void *p, size_t n)
{
    must(RAND_bytes(p, (int)n));
}
