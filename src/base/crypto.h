/* Hashes, HMAC, authenticated encryption and text forms of bytes, over OpenSSL. */
#ifndef OSTLER_BASE_CRYPTO_H
#define OSTLER_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum { MD5_LEN = 16, SHA1_LEN = 20, SHA256_LEN = 32, HMAC_MAX_LEN = 32 };

/* For the fingerprints of SSH keys, which the clouds show in this old form; protects nothing. */
void md5(const void *data, size_t len, uint8_t ret[MD5_LEN]);

void sha256(const void *data, size_t len, uint8_t ret[SHA256_LEN]);
/* Lower-case hex of the SHA-256, in the arena. */
char *sha256_hex(struct arena *a, const void *data, size_t len);

enum hmac_hash { HMAC_SHA1, HMAC_SHA256 };
/* Returns the length of the MAC. */
size_t hmac(enum hmac_hash hash, const void *key, size_t key_len, const void *data, size_t len,
            uint8_t ret[HMAC_MAX_LEN]);

/*
 * A key prepared for many MACs: what depends on the key alone is hashed once. Read-only after it is
 * made, so that threads may share it.
 */
struct hmac_key;
struct hmac_key *hmac_key_new(enum hmac_hash hash, const void *key, size_t len);
void hmac_key_free(struct hmac_key *k); /* wipes it; NULL is fine */
size_t hmac_with(const struct hmac_key *k, const void *data, size_t len, uint8_t ret[HMAC_MAX_LEN]);

/* Takes the same time wherever the two differ. */
bool equal_ct(const void *a, const void *b, size_t n);
/* Overwrites memory that held a secret; not optimised away. */
void wipe(void *p, size_t n);

char *hex_encode(struct arena *a, const void *data, size_t n); /* lower case */
/* NULL: not hex of whole bytes. */
uint8_t *hex_decode(struct arena *a, const char *s, size_t *ret_n);
char *base64_encode(struct arena *a, const void *data, size_t n);
/* Standard alphabet, padding required, no white space. NULL: not base64. NUL-terminated besides. */
uint8_t *base64_decode(struct arena *a, const char *s, size_t *ret_n);

/* AES-256-GCM. sealed = 12 nonce + text + 16 tag. */
enum { AEAD_KEY_LEN = 32, AEAD_NONCE_LEN = 12, AEAD_OVERHEAD = 28 };
void aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN],
               const void *context, size_t context_len, const void *plain, size_t len,
               uint8_t *ret /* len + AEAD_OVERHEAD */);
/* 0, or -EBADMSG: damaged or another key or context. */
int aead_open(const uint8_t key[AEAD_KEY_LEN], const void *context, size_t context_len,
              const void *sealed, size_t len, uint8_t *ret /* len - AEAD_OVERHEAD */);

/* Unpredictable bytes of the system. Only world.c, net and helper processes ask. */
void random_bytes(void *p, size_t n);

#endif
