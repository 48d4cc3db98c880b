/* Buckets of chained entries; doubles when entries outnumber buckets. */
#include "base/map.h"

#include <stdint.h>

#include "base/util.h"

struct entry {
    struct entry *next;
    void *value;
    uint32_t hash;
    char key[];
};

struct map {
    struct entry **buckets;
    size_t n_buckets, count; /* n_buckets is a power of two */
};

/* FNV-1a: keys are ids of our own making, so nobody chooses collisions. */
static uint32_t hash_of(const char *key)
{
    uint32_t h = 2166136261U;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619U;
    return h;
}

struct map *map_new(void)
{
    struct map *m = xcalloc(1, sizeof(*m));

    m->n_buckets = 16;
    m->buckets = xcalloc(m->n_buckets, sizeof(*m->buckets));
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_buckets; i++)
        while (m->buckets[i]) {
            struct entry *e = m->buckets[i];

            m->buckets[i] = e->next;
            free(e);
        }
    free(m->buckets);
    free(m);
}

static struct entry **find(const struct map *m, const char *key, uint32_t hash)
{
    struct entry **at = &m->buckets[hash & (m->n_buckets - 1)];

    while (*at && ((*at)->hash != hash || !streq((*at)->key, key)))
        at = &(*at)->next;
    return at;
}

static void grow(struct map *m)
{
    size_t n = m->n_buckets * 2;
    struct entry **buckets = xcalloc(n, sizeof(*buckets));

    for (size_t i = 0; i < m->n_buckets; i++)
        while (m->buckets[i]) {
            struct entry *e = m->buckets[i];

            m->buckets[i] = e->next;
            e->next = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
        }
    free(m->buckets);
    m->buckets = buckets;
    m->n_buckets = n;
}

void *map_get(const struct map *m, const char *key)
{
    struct entry *e = *find(m, key, hash_of(key));

    return e ? e->value : NULL;
}

void map_put(struct map *m, const char *key, void *value)
{
    uint32_t hash = hash_of(key);
    struct entry **at = find(m, key, hash);
    size_t n = strlen(key) + 1;

    if (*at) {
        (*at)->value = value;
        return;
    }
    struct entry *e = xmalloc(sizeof(*e) + n);
    *e = (struct entry){.value = value, .hash = hash};
    memcpy(e->key, key, n);
    *at = e;
    if (++m->count > m->n_buckets)
        grow(m);
}

void *map_remove(struct map *m, const char *key)
{
    struct entry **at = find(m, key, hash_of(key)), *e = *at;

    if (!e)
        return NULL;
    void *value = e->value;
    *at = e->next;
    free(e);
    m->count--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->count;
}

void map_each(const struct map *m, void (*each)(void *ctx, const char *key, void *value), void *ctx)
{
    for (size_t i = 0; i < m->n_buckets; i++)
        for (struct entry *e = m->buckets[i]; e; e = e->next)
            each(ctx, e->key, e->value);
}
