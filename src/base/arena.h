/*
 * Memory that is freed all at once: a request's decoded input, what its handler reads from the
 * store, its answer. Nothing from an arena outlives the request. Not thread-safe; one thread at a
 * time may hold it.
 */
#ifndef OSTLER_BASE_ARENA_H
#define OSTLER_BASE_ARENA_H

#include <stddef.h>

#include "base/util.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);
void arena_clear(struct arena *a); /* forgets everything, keeps one block of a usual size */

/* Zeroed, aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/* The same with anything in it, for who writes all of it. */
void *arena_raw(struct arena *a, size_t size);
#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

char *arena_str(struct arena *a, const char *s); /* NULL stays NULL */
char *arena_strn(struct arena *a, const char *s, size_t n);
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

static inline void arena_free_p(struct arena **a)
{
    arena_free(*a);
}

#endif
