/*
 * Signed requests, each made afresh as the clouds' own clients do: a new nonce, the time of now,
 * the signature over the whole. Beyond the hashes themselves nothing here is shared with the
 * server's verification.
 */
#ifndef OSTLER_BENCH_SIGN_H
#define OSTLER_BENCH_SIGN_H

#include <stddef.h>

#include "base/buf.h"

enum scheme { SCHEME_V1, SCHEME_V3, SCHEME_ZC2 };

struct signer; /* one access key's prepared digest states; not for several threads */

/* Copies the texts. `host` is the Host header, with its port. */
struct signer *signer_new(enum scheme scheme, const char *host, const char *key,
                          const char *secret);
void signer_free(struct signer *s);

/*
 * Appends one whole HTTP request to `out`. `params` are NAME, VALUE pairs ended by NULL, in the
 * order of their names (ECS); for ZC2 the first is the JSON body.
 */
void signer_request(struct signer *s, struct buf *out, const char *action,
                    const char *const *params);

#endif
