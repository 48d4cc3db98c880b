/* Sequence names. */
#include "core/naming.h"

#include "base/buf.h"

enum { MAX_BEGIN = 999999, MAX_BITS = 6 };

/* Reads up to six digits; no digit leaves the default. */
static const char *number(const char *s, int *ret)
{
    int n = 0, v = 0;

    for (; *s >= '0' && *s <= '9' && n < MAX_BITS; s++, n++)
        v = v * 10 + (*s - '0');
    if (n)
        *ret = v;
    return s;
}

/* "[begin,bits]" at `s`: its end, or NULL when it is something else. */
static const char *sequence(const char *s, int *ret_begin, int *ret_bits)
{
    *ret_begin = 0;
    *ret_bits = MAX_BITS;
    s = number(s + 1, ret_begin);
    if (*s != ',')
        return NULL;
    s = number(s + 1, ret_bits);
    if (*s != ']' || *ret_bits < 1 || *ret_bits > MAX_BITS || *ret_begin > MAX_BEGIN)
        return NULL;
    return s + 1;
}

const char *name_of(struct arena *a, const char *pattern, size_t index, size_t count, bool suffix)
{
    CLEANUP(buf_done) struct buf b = {0};
    bool numbered = false;

    for (const char *s = pattern; *s;) {
        int begin, bits;
        const char *end = *s == '[' ? sequence(s, &begin, &bits) : NULL;

        if (!end) {
            buf_char(&b, *s++);
            continue;
        }
        buf_fmt(&b, "%0*zu", bits, (size_t)begin + index);
        numbered = true;
        s = end;
    }
    if (suffix && count > 1 && !numbered)
        buf_fmt(&b, "%03zu", index + 1);
    return arena_str(a, buf_cstr(&b));
}
