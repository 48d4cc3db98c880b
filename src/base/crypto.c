/* OpenSSL behind our own names. A failure of these calls is a broken installation: abort. */
#include "base/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>

enum { HMAC_BLOCK = 64 }; /* of SHA-1 and SHA-256 alike */

static void must(int ok)
{
    if (ok != 1)
        abort();
}

void md5(const void *data, size_t len, uint8_t ret[MD5_LEN])
{
    must(EVP_Digest(data, len, ret, NULL, EVP_md5(), NULL));
}

/* OpenSSL 3 looks an algorithm up by name, under a lock, each time that it is not brought along. */
static EVP_MD *fetched[2];
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    static const char *const names[] = {[HMAC_SHA1] = "SHA1", [HMAC_SHA256] = "SHA256"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (!(fetched[i] = EVP_MD_fetch(NULL, names[i], NULL)))
            abort();
}

static const EVP_MD *md_of(enum hmac_hash hash)
{
    (void)pthread_once(&fetch_once, fetch);
    return fetched[hash];
}

/* A context a thread, so that hashing allocates nothing. */
static pthread_key_t work_key;
static pthread_once_t work_once = PTHREAD_ONCE_INIT;

static void free_work(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void make_work_key(void)
{
    if (pthread_key_create(&work_key, free_work))
        abort();
}

static EVP_MD_CTX *work(void)
{
    (void)pthread_once(&work_once, make_work_key);
    EVP_MD_CTX *ctx = pthread_getspecific(work_key);

    if (!ctx && (!(ctx = EVP_MD_CTX_new()) || pthread_setspecific(work_key, ctx)))
        abort();
    return ctx;
}

void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN])
{
    EVP_MD_CTX *ctx = work();

    must(EVP_DigestInit_ex2(ctx, md_of(HMAC_SHA256), NULL));
    must(EVP_DigestUpdate(ctx, data, len));
    must(EVP_DigestFinal_ex(ctx, ret, NULL));
}

char *sha256_hex(struct arena *a, const void *data, size_t len)
{
    uint8_t md[SHA256_LEN];

    sha256(data, len, md);
    return hex_encode(a, md, sizeof(md));
}

struct hmac_key {
    size_t size;
    EVP_MD_CTX *inner, *outer; /* the key's own block is in them */
};

static EVP_MD_CTX *keyed(const EVP_MD *md, const uint8_t *key, uint8_t pad)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t block[HMAC_BLOCK];

    if (!ctx)
        abort();
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = key[i] ^ pad;
    must(EVP_DigestInit_ex2(ctx, md, NULL));
    must(EVP_DigestUpdate(ctx, block, sizeof(block)));
    wipe(block, sizeof(block));
    return ctx;
}

struct hmac_key *hmac_key_new(enum hmac_hash hash, const void *key, size_t len)
{
    struct hmac_key *k = xcalloc(1, sizeof(*k));
    uint8_t padded[HMAC_BLOCK] = {0};
    const EVP_MD *md = md_of(hash);

    if (len > HMAC_BLOCK) /* RFC 2104: a long key is its own digest */
        must(EVP_Digest(key, len, padded, NULL, md, NULL));
    else if (len)
        memcpy(padded, key, len);
    k->size = (size_t)EVP_MD_get_size(md);
    k->inner = keyed(md, padded, 0x36);
    k->outer = keyed(md, padded, 0x5c);
    wipe(padded, sizeof(padded));
    return k;
}

void hmac_key_free(struct hmac_key *k)
{
    if (!k)
        return;
    EVP_MD_CTX_free(k->inner); /* wipes the state */
    EVP_MD_CTX_free(k->outer);
    free(k);
}

size_t hmac_with(const struct hmac_key *k, const void *data, size_t len, uint8_t ret[HMAC_MAX_LEN])
{
    EVP_MD_CTX *ctx = work();

    must(EVP_MD_CTX_copy_ex(ctx, k->inner));
    must(EVP_DigestUpdate(ctx, data, len));
    must(EVP_DigestFinal_ex(ctx, ret, NULL));
    must(EVP_MD_CTX_copy_ex(ctx, k->outer));
    must(EVP_DigestUpdate(ctx, ret, k->size));
    must(EVP_DigestFinal_ex(ctx, ret, NULL));
    return k->size;
}

size_t hmac(enum hmac_hash hash, const void *key, size_t key_len, const void *data, size_t len,
            uint8_t ret[HMAC_MAX_LEN])
{
    struct hmac_key *k = hmac_key_new(hash, key, key_len);
    size_t n = hmac_with(k, data, len, ret);

    hmac_key_free(k);
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
    char *s = arena_raw(a, 2 * n + 1);

    for (size_t i = 0; i < n; i++) {
        s[2 * i] = digits[p[i] >> 4];
        s[2 * i + 1] = digits[p[i] & 15];
    }
    s[2 * n] = 0;
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
