/* Small things that every file may use: cleanup on scope exit, lengths, string comparison. */
#ifndef OSTLER_BASE_UTIL_H
#define OSTLER_BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MUST_USE     __attribute__((warn_unused_result))

/* Declares a local whose `fn(&local)` runs when the scope ends, however it ends. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The structure that holds `member` at address `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline bool streq(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* True for NULL and for "": clients send both for a value that is not there. */
static inline bool str_empty(const char *s)
{
    return !s || !*s;
}

static inline bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix);

/* For CLEANUP on a `char *` (or any malloc'd pointer) and on a file descriptor (-1 = none). */
static inline void free_p(void *p)
{
    free(*(void **)p);
}

static inline void close_p(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* nothing can be done about a failed close of a read-side descriptor */
}

/* Gives the value away: the variable keeps `none`, so its CLEANUP does nothing. */
static inline int fd_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/*
 * Allocation that cannot fail: under the documented limits running out of memory is a bug of ours,
 * so these abort, and the next start recovers from the store. The caller owns the memory and calls
 * free().
 */
void *xmalloc(size_t size) __attribute__((malloc));
void *xcalloc(size_t n, size_t size) __attribute__((malloc));
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *s) __attribute__((malloc));
char *xasprintf(const char *fmt, ...) PRINTF(1, 2) __attribute__((malloc));

/* Whole-string decimal; no sign but '-', no space, no leading '+'. Returns 0, or -EINVAL, or
 * -ERANGE. */
int parse_i64(const char *s, long long *ret);

/* What people may name a file, or a directory, of ours: 1..FILE_NAME_MAX of [A-Za-z0-9._-], the
 * first a letter or digit, so that it leads nowhere else. */
enum { FILE_NAME_MAX = 64 };
bool file_name_ok(const char *name);

#endif
