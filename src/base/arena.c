/* Blocks in a chain; big pieces get a block of their own. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

enum { FIRST_BLOCK = 4096, MAX_BLOCK = 64 * 1024, KEEP_BLOCK = 32 * 1024 };

struct block {
    struct block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

struct arena {
    struct block *top; /* the block that is being filled; older ones follow */
};

static struct block *block_new(size_t size, struct block *next)
{
    struct block *b = xmalloc(sizeof(*b) + size);

    b->next = next;
    b->used = 0;
    b->size = size;
    return b;
}

struct arena *arena_new(void)
{
    struct arena *a = xmalloc(sizeof(*a));

    a->top = block_new(FIRST_BLOCK, NULL);
    return a;
}

/* Of two blocks the one that is better to keep: the larger, if it is not too large. */
static struct block *better(struct block *a, struct block *b)
{
    struct block *kept = a->size > b->size && a->size <= KEEP_BLOCK ? a : b;

    free(kept == a ? b : a);
    return kept;
}

void arena_clear(struct arena *a)
{
    while (a->top->next) {
        struct block *next = a->top->next, *rest = next->next;

        a->top = better(a->top, next);
        a->top->next = rest;
    }
    a->top->used = 0;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    arena_clear(a);
    free(a->top);
    free(a);
}

void *arena_raw(struct arena *a, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (a->top->size - a->top->used < size) {
        size_t grow = a->top->size * 2 < MAX_BLOCK ? a->top->size * 2 : MAX_BLOCK;

        a->top = block_new(size > grow ? size : grow, a->top);
    }
    void *p = a->top->data + a->top->used;
    a->top->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_raw(a, size), 0, size);
}

char *arena_strn(struct arena *a, const char *s, size_t n)
{
    char *copy = arena_raw(a, n + 1);

    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *arena_str(struct arena *a, const char *s)
{
    return s ? arena_strn(a, s, strlen(s)) : NULL;
}

char *arena_fmt(struct arena *a, const char *fmt, ...)
{
    size_t room = a->top->size - a->top->used;
    char *s = a->top->data + a->top->used; /* most texts fit where they will stay */
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(s, room, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    bool fits = (size_t)n < room;
    char *kept = arena_raw(a, (size_t)n + 1);
    if (fits && kept == s)
        return s;
    va_start(ap, fmt);
    (void)vsnprintf(kept, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return kept;
}
