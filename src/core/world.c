/* The real world, and what is made from any. */
#include "core/world.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "base/util.h"

static int64_t real_now(struct world *w)
{
    struct timespec ts;

    (void)w;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Small wishes are served from a store of random bytes, each given once: asking the generator costs
 * the same for sixteen bytes as for five hundred. */
static void real_random(struct world *w, void *data, size_t n)
{
    static _Thread_local uint8_t noise[512];
    static _Thread_local size_t left;

    (void)w;
    if (n > sizeof(noise) / 8) {
        random_bytes(data, n);
        return;
    }
    if (left < n) {
        random_bytes(noise, sizeof(noise));
        left = sizeof(noise);
    }
    left -= n;
    memcpy(data, noise + left, n);
    wipe(noise + left, n);
}

struct world *world_real(void)
{
    static struct world real = {.now_ms = real_now, .random = real_random};

    return &real;
}

/* ---- from a seed ---- */

enum stream { STREAM_THINGS, STREAM_NAMES, STREAM_COUNT };

struct seeded {
    struct world world;
    int64_t seed, life;
    atomic_ulong given[STREAM_COUNT]; /* wishes so far */
};

/* Each wish has a number, and gets the hashes of it. */
static void seeded_bytes(struct world *w, enum stream from, void *data, size_t n)
{
    struct seeded *s = CONTAINER_OF(w, struct seeded, world);
    struct {
        int64_t seed, life, stream, wish, block;
    } what = {.seed = s->seed,
              .life = s->life,
              .stream = from,
              .wish = (int64_t)atomic_fetch_add(&s->given[from], 1)};
    uint8_t block[SHA256_LEN];

    for (uint8_t *to = data; n; what.block++) {
        size_t part = n < sizeof(block) ? n : sizeof(block);

        sha256(&what, sizeof(what), block);
        memcpy(to, block, part);
        to += part;
        n -= part;
    }
}

static void seeded_random(struct world *w, void *data, size_t n)
{
    seeded_bytes(w, STREAM_THINGS, data, n);
}

static void seeded_name(struct world *w, void *data, size_t n)
{
    seeded_bytes(w, STREAM_NAMES, data, n);
}

struct world *world_seeded(int64_t seed)
{
    static struct seeded s = {
        .world = {.now_ms = real_now, .random = seeded_random, .random_name = seeded_name}};

    s.seed = seed;
    return &s.world;
}

void world_begin_life(struct world *w, int64_t life)
{
    struct seeded *s = CONTAINER_OF(w, struct seeded, world);

    s->life = life;
    for (size_t i = 0; i < STREAM_COUNT; i++)
        atomic_store(&s->given[i], 0);
}

/* ---- made from any ---- */

static void write_uuid(uint8_t b[16], char *ret)
{
    static const char digits[] = "0123456789ABCDEF";

    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *ret++ = '-';
        *ret++ = digits[b[i] >> 4];
        *ret++ = digits[b[i] & 15];
    }
    *ret = 0;
}

void world_uuid(struct world *w, char ret[37])
{
    uint8_t b[16];

    w->random(w, b, sizeof(b));
    write_uuid(b, ret);
}

void world_request_id(struct world *w, char ret[37])
{
    uint8_t b[16];

    (w->random_name ? w->random_name : w->random)(w, b, sizeof(b));
    write_uuid(b, ret);
}
