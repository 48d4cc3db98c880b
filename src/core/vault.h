/*
 * Secrets at rest: access key secrets, disk keys and the keys that wrap them are sealed
 * (AES-256-GCM) under a master key that lives in a file of mode 0600 in the data directory.
 */
#ifndef OSTLER_CORE_VAULT_H
#define OSTLER_CORE_VAULT_H

#include "base/arena.h"
#include "core/err.h"
#include "core/model.h"
#include "core/world.h"

struct vault;

enum { VAULT_KEY_LEN = 32 };

/* Reads DIR/master.key, or makes it. Refuses a file that others may read, naming the command that
 * mends it. */
enum err vault_open(const char *dir, struct world *w, struct vault **ret, struct fail *f);
void vault_free(struct vault *v);

/* `context` (an id) is bound to the sealed bytes: they open only under the same. Thread-safe. */
struct bytes vault_seal(struct vault *v, struct arena *a, const char *context, struct bytes plain);
/* ERR_INTERNAL: damaged, or sealed under another key or context. */
enum err vault_open_sealed(struct vault *v, struct arena *a, const char *context,
                           struct bytes sealed, struct bytes *ret, struct fail *f);

/* The same under a key that is itself in the vault. */
struct bytes vault_wrap(struct vault *v, struct arena *a, struct bytes key, const char *context,
                        struct bytes plain);
enum err vault_unwrap(struct arena *a, struct bytes key, const char *context, struct bytes sealed,
                      struct bytes *ret, struct fail *f);

#endif
