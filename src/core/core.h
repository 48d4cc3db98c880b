/* The product as a whole, and one operation on it. */
#ifndef OSTLER_CORE_CORE_H
#define OSTLER_CORE_CORE_H

#include <stdatomic.h>

#include "core/catalog.h"
#include "core/err.h"
#include "core/store.h"
#include "core/vault.h"
#include "core/world.h"

struct settings {
    int64_t capacity_mib;      /* memory that all running machines may have together; 0: no limit */
    bool lock_refuses_stop;    /* does a security lock also refuse stop? */
    const char *starting_word; /* how a dialect that knows two words spells the starting state;
                                  NULL: by client */
    int64_t seed;              /* of everything that is random; 0: it is the system's */
    int64_t arrears_ms;        /* what is not paid for is released after so long; 0: never */
    int64_t token_ms;          /* client tokens are kept so long; 0: without end */
    bool signatures_age;       /* signatures are held against the account's clock, too, instead of
                                  the real one */
    int64_t clock_at;          /* where everybody's clock begins, standing still; 0: it shows the
                                  real time */
    bool controls;             /* errors on demand, a clock that moves, and the like are offered */
    const char *host;          /* this computer's name */
};

struct clocks;

struct core {
    const struct catalog *catalog;
    struct vault *vault;
    struct world *world;
    struct clocks *clocks; /* NULL: all show the world's time; see core/clock.h */
    struct settings settings;
    _Atomic(const char *) closed; /* why no client may write now, a sentence; NULL: they may */
    atomic_llong chore_ids;       /* the newest: see core/chore.h */
};

/* One operation: everything a core function needs to know about who asks, and where to put what it
 * says. */
struct op {
    struct core *core;
    struct tx *tx;
    struct arena *arena;
    const char *account; /* whose things; NULL: an operator, anybody's */
    const char *request_id;
    int64_t now; /* ms; the same for the whole operation */
    struct fail *fail;
};

enum { ACCOUNT_RECYCLE_HOURS = 24 }; /* of a new account */

/* Makes what a new account needs: its default key. `id` NULL: a new one. */
enum err account_create(struct op *op, const char *id, const char *name, struct account *ret);
enum err account_get(struct op *op, const char *id, struct account *ret);

/* A new access key; the secret is given once, here, in the arena. */
enum err access_key_create(struct op *op, const char *account, const char **ret_id,
                           const char **ret_secret);
enum err access_key_secret(struct op *op, const struct access_key *key, struct bytes *ret);

/* Writes one line of the event log, of which the newest million are kept. */
void event_append(struct op *op, const char *subject, const char *kind, const char *detail);

#endif
