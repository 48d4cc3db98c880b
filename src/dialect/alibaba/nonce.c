/* The replay memory: one open-addressed hash set an access key, of digests, so that long nonces
 * take no room. */
#include "dialect/alibaba/nonce.h"

#include "base/buf.h"
#include "base/crypto.h"
#include "base/util.h"

enum { FIRST_SLOTS = 16 };

struct seen {
    uint64_t id[2]; /* of the nonce's SHA-256; both 0: a free slot */
    int64_t made, until;
};

struct memory {
    struct memory *next;
    char *key;
    int64_t floor; /* what was made then or before is not known any more */
    struct seen *slots;
    size_t n_slots, used; /* n_slots is a power of two, at most half of it used */
};

struct nonces {
    size_t max;
    struct memory *memories;
};

struct nonces *nonces_new(size_t max)
{
    struct nonces *n = xcalloc(1, sizeof(*n));

    n->max = max;
    return n;
}

void nonces_free(struct nonces *n)
{
    for (struct memory *m = n ? n->memories : NULL, *next; m; m = next) {
        next = m->next;
        free(m->key);
        free(m->slots);
        free(m);
    }
    free(n);
}

size_t nonces_count(const struct nonces *n)
{
    size_t count = 0;

    for (const struct memory *m = n->memories; m; m = m->next)
        count += m->used;
    return count;
}

/* Only keys that exist in the store get here, so the list stays as short as theirs; the busy ones
 * move to its front. */
static struct memory *memory_of(struct nonces *n, const char *key)
{
    struct memory **at = &n->memories, *m;

    while (*at && !streq((*at)->key, key))
        at = &(*at)->next;
    m = *at;
    if (m) {
        *at = m->next;
    } else {
        m = xcalloc(1, sizeof(*m));
        m->key = xstrdup(key);
        m->floor = INT64_MIN;
        m->n_slots = FIRST_SLOTS;
        m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
    }
    m->next = n->memories;
    n->memories = m;
    return m;
}

static struct seen *slot_of(const struct memory *m, const uint64_t id[2])
{
    size_t i = id[0] & (m->n_slots - 1);

    while ((m->slots[i].id[0] || m->slots[i].id[1]) &&
           (m->slots[i].id[0] != id[0] || m->slots[i].id[1] != id[1]))
        i = (i + 1) & (m->n_slots - 1);
    return &m->slots[i];
}

/* Keeps what was made after `floor` and still counts at `now`, in a table of fitting size. */
static void rebuild(struct memory *m, int64_t floor, int64_t now)
{
    struct memory old = *m;
    size_t keep = 0;

    for (size_t i = 0; i < old.n_slots; i++)
        keep += old.slots[i].until > now && old.slots[i].made > floor;
    for (m->n_slots = FIRST_SLOTS; m->n_slots < 4 * (keep + 1);)
        m->n_slots *= 2;
    m->slots = xcalloc(m->n_slots, sizeof(*m->slots));
    m->used = keep;
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].until > now && old.slots[i].made > floor)
            *slot_of(m, old.slots[i].id) = old.slots[i];
    free(old.slots);
}

static int64_t mean_age(const struct memory *m)
{
    int64_t sum = 0, base = 0, n = 0;

    for (size_t i = 0; i < m->n_slots; i++) {
        const struct seen *s = &m->slots[i];

        if (!s->until)
            continue;
        if (!n++)
            base = s->made; /* sums of differences stay small */
        sum += s->made - base;
    }
    return n ? base + (sum >= 0 ? sum / n : (sum - n + 1) / n) : INT64_MIN;
}

static void make_room(struct nonces *n, struct memory *m, int64_t now)
{
    rebuild(m, m->floor, now);
    if (m->used < n->max)
        return;
    m->floor = mean_age(m);
    rebuild(m, m->floor, now);
}

enum nonce_verdict nonces_add(struct nonces *n, const char *key, const char *nonce, int64_t made,
                              int64_t until, int64_t now)
{
    struct memory *m = memory_of(n, key);
    uint8_t digest[SHA256_LEN];
    uint64_t id[2];

    if (made <= m->floor)
        return NONCE_TOO_OLD;
    sha256(nonce, strlen(nonce), digest);
    memcpy(id, digest, sizeof(id));
    id[0] |= !id[0]; /* never the mark of a free slot */

    struct seen *s = slot_of(m, id);
    if (s->until > now)
        return NONCE_USED;
    if (!s->until && (m->used >= n->max || 2 * (m->used + 1) > m->n_slots)) {
        make_room(n, m, now);
        if (made <= m->floor)
            return NONCE_TOO_OLD;
        s = slot_of(m, id);
    }
    m->used += !s->until;
    *s = (struct seen){.id = {id[0], id[1]}, .made = made, .until = until};
    return NONCE_NEW;
}
