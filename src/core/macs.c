/* The cache of keyed digests. */
#include "core/macs.h"

#include "base/map.h"

enum { MAX_MACS = 4096 }; /* access keys in use at the same time; beyond, all are prepared anew */

struct mac {
    struct mac *next; /* the same secret's, with another hash or suffix */
    enum hmac_hash hash;
    char *suffix;
    uint8_t *sealed;
    size_t sealed_len;
    struct hmac_key *key;
};

struct macs {
    struct vault *vault;
    struct map *known; /* context -> struct mac */
};

static void free_all(void *ctx, const char *context, void *first)
{
    (void)ctx;
    (void)context;
    for (struct mac *m = first, *next; m; m = next) {
        next = m->next;
        hmac_key_free(m->key);
        free(m->sealed);
        free(m->suffix);
        free(m);
    }
}

static void forget(struct macs *m)
{
    map_each(m->known, free_all, NULL);
    map_free(m->known);
}

struct macs *macs_new(struct vault *v)
{
    struct macs *m = xcalloc(1, sizeof(*m));

    m->vault = v;
    m->known = map_new();
    return m;
}

void macs_free(struct macs *m)
{
    if (!m)
        return;
    forget(m);
    free(m);
}

static bool made_from(const struct mac *m, struct bytes sealed)
{
    return m->sealed_len == sealed.len && !memcmp(m->sealed, sealed.data, sealed.len);
}

static enum err make(struct macs *m, struct arena *a, const char *context, struct bytes sealed,
                     enum hmac_hash hash, const char *suffix, struct hmac_key **ret, struct fail *f)
{
    size_t n = strlen(suffix);
    struct bytes plain;
    enum err e = vault_open_sealed(m->vault, a, context, sealed, &plain, f);

    if (e)
        return e;
    uint8_t *whole = arena_raw(a, plain.len + n);
    memcpy(whole, plain.data, plain.len);
    memcpy(whole + plain.len, suffix, n);
    *ret = hmac_key_new(hash, whole, plain.len + n);
    wipe(whole, plain.len + n);
    wipe((void *)plain.data, plain.len);
    return ERR_NONE;
}

static struct mac *mac_new(struct macs *m, const char *context, enum hmac_hash hash,
                           const char *suffix)
{
    struct mac *one = xcalloc(1, sizeof(*one));

    if (map_count(m->known) >= MAX_MACS) {
        forget(m);
        m->known = map_new();
    }
    one->hash = hash;
    one->suffix = xstrdup(suffix);
    one->next = map_get(m->known, context);
    map_put(m->known, context, one);
    return one;
}

static void keep(struct mac *one, struct bytes sealed, struct hmac_key *key)
{
    hmac_key_free(one->key);
    free(one->sealed);
    one->sealed = xmalloc(sealed.len);
    memcpy(one->sealed, sealed.data, sealed.len);
    one->sealed_len = sealed.len;
    one->key = key;
}

enum err macs_get(struct macs *m, struct arena *a, const char *context, struct bytes sealed,
                  enum hmac_hash hash, const char *suffix, const struct hmac_key **ret,
                  struct fail *f)
{
    struct mac *one = map_get(m->known, context);
    struct hmac_key *key;
    enum err e;

    while (one && (one->hash != hash || !streq(one->suffix, suffix)))
        one = one->next;
    if (!one || !made_from(one, sealed)) {
        if ((e = make(m, a, context, sealed, hash, suffix, &key, f)))
            return e;
        if (!one)
            one = mac_new(m, context, hash, suffix);
        keep(one, sealed, key);
    }
    *ret = one->key;
    return ERR_NONE;
}
