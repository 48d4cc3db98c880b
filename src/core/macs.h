/*
 * Secrets that are ready to check signatures with. Signatures are checked for each request and
 * secrets hardly ever change, so what depends on the secret alone is computed once and kept. It is
 * found by the sealed bytes themselves, which another secret or another sealing does not share: a
 * key that was changed, disabled or deleted is never taken for what it was.
 */
#ifndef OSTLER_CORE_MACS_H
#define OSTLER_CORE_MACS_H

#include "base/crypto.h"
#include "core/vault.h"

struct macs; /* one thread's */

struct macs *macs_new(struct vault *v);
void macs_free(struct macs *m); /* wipes the keys; NULL is fine */

/*
 * The secret that was sealed for `context`, with `suffix` behind it. *ret is the cache's, until the
 * next call. ERR_INTERNAL: damaged, or sealed under another key or context.
 */
enum err macs_get(struct macs *m, struct arena *a, const char *context, struct bytes sealed,
                  enum hmac_hash hash, const char *suffix, const struct hmac_key **ret,
                  struct fail *f);

#endif
