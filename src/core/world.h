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
    /* The same for the names of requests that only read, so that asking once more changes nothing
     * else; NULL: as `random`. */
    void (*random_name)(struct world *w, void *data, size_t n);
};

/* The system's clock and entropy. */
struct world *world_real(void);

/*
 * The system's clock, and randomness that is the same in every life of a server that has the same
 * seed and is asked for the same in the same order. For tests: who knows the seed knows it all.
 * `life` counts the lives of one data directory, each of which has other numbers. One a process.
 */
struct world *world_seeded(int64_t seed);
void world_begin_life(struct world *w, int64_t life);

/* Upper-case UUID, version 4, 36 characters and a NUL. */
void world_uuid(struct world *w, char ret[37]);
/* The same, for a request that may turn out only to read. */
void world_request_id(struct world *w, char ret[37]);

#endif
