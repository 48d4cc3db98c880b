/*
 * A growing byte buffer, always followed by a NUL that does not count, so that `data` can be used
 * as a C string. Zero-initialised is empty and owns nothing.
 */
#ifndef OSTLER_BASE_BUF_H
#define OSTLER_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/util.h"

struct buf {
    char *data; /* NULL until the first byte */
    size_t len, cap;
};

void buf_done(struct buf *b);  /* frees; the buffer is empty and usable again */
void buf_clear(struct buf *b); /* empties, keeps the memory */

/* Room for `more` further bytes; returns where they go. The caller adds to `len` what it wrote. */
char *buf_grow(struct buf *b, size_t more);
static inline char *buf_reserve(struct buf *b, size_t more)
{
    return b->len + more < b->cap ? b->data + b->len : buf_grow(b, more);
}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
static inline void buf_char(struct buf *b, char c)
{
    char *to = buf_reserve(b, 1);

    to[0] = c;
    to[1] = 0;
    b->len++;
}
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) PRINTF(2, 0);
void buf_i64(struct buf *b, long long v);
/* How many of the first bytes mean the same in JSON as outside: ASCII but for controls, '"', '\'.
 */
size_t text_plain(const char *s, size_t n);
void buf_json(struct buf *b, const char *s); /* as a JSON string, with its quotes; `s` is UTF-8 */

/* Adds what is in the file, at most `max` bytes. 0, or a negative errno; -EFBIG: there is more. */
int buf_file(struct buf *b, const char *path, size_t max);

/* Removes the first `n` bytes. */
void buf_drop(struct buf *b, size_t n);

/* Gives the text away (never NULL); the caller frees it. */
char *buf_take(struct buf *b);

/* The text so far, "" when nothing was added. */
const char *buf_cstr(const struct buf *b);

#endif
