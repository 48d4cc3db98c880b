/* UTF-8 and percent-encoding, as the signature wants them. */
#include "dialect/alibaba/text.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

uint32_t utf8_next(const char *s, size_t *ret_bytes)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char c = (unsigned char)s[0];
    size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
    uint32_t p = n == 1 ? c : n ? c & (0x7FU >> n) : 0;

    *ret_bytes = 0;
    for (size_t i = 1; i < n; i++) {
        if (!is_tail(s[i]))
            return 0;
        p = p << 6 | ((unsigned char)s[i] & 0x3F);
    }
    if (!n || p < least[n] || p > 0x10FFFF || (p >= 0xD800 && p <= 0xDFFF))
        return 0;
    *ret_bytes = n;
    return p;
}

bool utf8_valid(const char *s)
{
    for (size_t n; *s; s += n) {
        (void)utf8_next(s, &n);
        if (!n)
            return false;
    }
    return true;
}

size_t utf8_length(const char *s)
{
    size_t count = 0;

    for (; *s; s++)
        count += !is_tail(*s);
    return count;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void percent_encode(struct buf *b, const char *s)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = buf_reserve(b, 3 * strlen(s)), *from = to;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (is_unreserved(c)) {
            *to++ = (char)c;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    b->len += (size_t)(to - from);
    b->data[b->len] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *percent_decode(struct arena *a, const char *s, size_t len, const char **ret_why)
{
    char *text = arena_alloc(a, len + 1), *to = text;

    for (size_t i = 0; i < len; i++) {
        char c = s[i];

        if (c == '+')
            c = ' ';
        if (c == '%') {
            int hi = i + 2 < len ? hex_digit(s[i + 1]) : -1,
                lo = hi >= 0 ? hex_digit(s[i + 2]) : -1;

            if (lo < 0) {
                *ret_why = "a percent sign is not followed by two hexadecimal digits";
                return NULL;
            }
            c = (char)(hi << 4 | lo);
            i += 2;
        }
        if (!c) {
            *ret_why = "a text holds a NUL";
            return NULL;
        }
        *to++ = c;
    }
    if (!utf8_valid(text)) {
        *ret_why = "a text is not UTF-8";
        return NULL;
    }
    return text;
}
