/*
 * Which signature nonces were used: a memory for each access key, as long as the request they came
 * with could be sent again, and of bounded size. When a key's memory is full, its older half is
 * forgotten and requests of that age are refused from then on: the window shrinks, and no replay is
 * ever let through.
 */
#ifndef OSTLER_DIALECT_ALIBABA_NONCE_H
#define OSTLER_DIALECT_ALIBABA_NONCE_H

#include <stddef.h>
#include <stdint.h>

struct nonces;

enum nonce_verdict {
    NONCE_NEW,
    NONCE_USED,
    NONCE_TOO_OLD /* older than what a full memory still knows */
};

/* `max`: nonces remembered for one access key. Not thread-safe. */
struct nonces *nonces_new(size_t max);
void nonces_free(struct nonces *n);

/*
 * Remembers (key, nonce) of a request that was made at `made` and is refused as too old from
 * `until` on; both in ms. Call it only after the signature matched: what strangers send takes no
 * room.
 */
enum nonce_verdict nonces_add(struct nonces *n, const char *key, const char *nonce, int64_t made,
                              int64_t until, int64_t now);

/* What is remembered of all keys, for tests. */
size_t nonces_count(const struct nonces *n);

#endif
