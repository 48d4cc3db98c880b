/* The real world, and what is made from any. */
#include "core/world.h"

#include <stdio.h>
#include <time.h>

#include "base/crypto.h"

static int64_t real_now(struct world *w)
{
    struct timespec ts;

    (void)w;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void real_random(struct world *w, void *data, size_t n)
{
    (void)w;
    random_bytes(data, n);
}

struct world *world_real(void)
{
    static struct world real = {.now_ms = real_now, .random = real_random};

    return &real;
}

void world_uuid(struct world *w, char ret[37])
{
    uint8_t b[16];

    w->random(w, b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(ret, 37, "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                   b[13], b[14], b[15]);
}
