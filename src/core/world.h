/*
 * Time and randomness, as the core sees them. The real one is the system's; a test's is seeded and
 * moved by hand. Nothing in core, api or a dialect asks the system itself.
 */
#ifndef OSTLER_CORE_WORLD_H
#define OSTLER_CORE_WORLD_H

#include <stddef.h>
#include <stdint.h>

struct world {
    int64_t (*now_ms)(struct world *w);                    /* since 1970, UTC; thread-safe */
    void (*random)(struct world *w, void *data, size_t n); /* unpredictable; thread-safe */
};

/* The system's clock and entropy. */
struct world *world_real(void);

/* Upper-case UUID, version 4, 36 characters and a NUL. */
void world_uuid(struct world *w, char ret[37]);

#endif
