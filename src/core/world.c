/* The real world, and what is made from any. */
#include "core/world.h"

#include <string.h>
#include <time.h>

#include "base/crypto.h"

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

void world_uuid(struct world *w, char ret[37])
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t b[16];

    w->random(w, b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(b); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *ret++ = '-';
        *ret++ = digits[b[i] >> 4];
        *ret++ = digits[b[i] & 15];
    }
    *ret = 0;
}
