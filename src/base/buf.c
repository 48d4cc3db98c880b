/* The growing byte buffer. */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum {
    FIRST_CAP = 256,
    USUAL_FMT = 40
}; /* a formatted piece is rarely longer, and then costs a second walk */

void buf_done(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = 0;
}

char *buf_grow(struct buf *b, size_t more)
{
    size_t need = b->len + more + 1, cap = b->cap ? b->cap : FIRST_CAP;

    while (cap < need)
        cap *= 2;
    b->data = xrealloc(b->data, cap);
    b->cap = cap;
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    char *to = buf_reserve(b, len);

    if (len)
        memcpy(to, data, len);
    b->len += len;
    b->data[b->len] = 0;
}

void buf_str(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_vfmt(struct buf *b, const char *fmt, va_list ap)
{
    va_list again;

    va_copy(again, ap);
    char *to = buf_reserve(b, USUAL_FMT);
    size_t room = b->cap - b->len;
    int n = vsnprintf(to, room, fmt, ap);
    if (n < 0)
        abort();
    if ((size_t)n >= room)
        (void)vsnprintf(buf_reserve(b, (size_t)n), (size_t)n + 1, fmt, again);
    va_end(again);
    b->len += (size_t)n;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    buf_vfmt(b, fmt, ap);
    va_end(ap);
}

void buf_i64(struct buf *b, long long v)
{
    char text[24], *p = text + sizeof(text);
    unsigned long long u = v < 0 ? 0ULL - (unsigned long long)v : (unsigned long long)v;

    do
        *--p = (char)('0' + u % 10);
    while (u /= 10);
    if (v < 0)
        *--p = '-';
    buf_add(b, p, (size_t)(text + sizeof(text) - p));
}

/* Has one of the eight bytes a value below `limit`, or the high bit? */
static uint64_t bytes_below(uint64_t x, uint8_t limit)
{
    const uint64_t each = 0x0101010101010101, high = each << 7;

    return ((x - each * limit) | x) & high;
}

static uint64_t bytes_equal(uint64_t x, uint8_t c)
{
    return bytes_below(x ^ (0x0101010101010101 * c), 1);
}

size_t text_plain(const char *s, size_t n)
{
    size_t i = 0;

    for (uint64_t x; i + sizeof(x) <= n; i += sizeof(x)) {
        memcpy(&x, s + i, sizeof(x));
        if (bytes_below(x, 0x20) || bytes_equal(x, '"') || bytes_equal(x, '\\'))
            break;
    }
    while (i < n && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
        i++;
    return i;
}

static void add_escaped(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";

    if (c == '"' || c == '\\')
        buf_add(b, (char[]){'\\', (char)c}, 2);
    else if (c == '\n')
        buf_str(b, "\\n");
    else if (c < 0x20)
        buf_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    else
        buf_char(b, (char)c);
}

void buf_json(struct buf *b, const char *s)
{
    size_t n = strlen(s), plain = text_plain(s, n);
    char *to = buf_reserve(b, n + 2);

    *to++ = '"';
    memcpy(to, s, plain);
    b->len += 1 + plain;
    for (size_t i = plain; i < n; i++)
        add_escaped(b, (unsigned char)s[i]);
    buf_char(b, '"');
}

int buf_file(struct buf *b, const char *path, size_t max)
{
    enum { PIECE = 16384 };
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t before = b->len;
    ssize_t n;

    if (fd < 0)
        return -errno;
    while ((n = read(fd, buf_reserve(b, PIECE), PIECE)) > 0 && b->len - before <= max)
        b->len += (size_t)n;
    if (n < 0)
        return -errno;
    buf_str(b, ""); /* the NUL */
    return b->len - before > max ? -EFBIG : 0;
}

void buf_drop(struct buf *b, size_t n)
{
    if (!n)
        return;
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = 0;
}

char *buf_take(struct buf *b)
{
    char *s = buf_reserve(b, 0) - b->len;

    s[b->len] = 0;
    *b = (struct buf){0};
    return s;
}

const char *buf_cstr(const struct buf *b)
{
    return b->data ? b->data : "";
}
