/* Quoting, nearest words, tables. */
#include "cli/text.h"

#include <ctype.h>

#include "base/util.h"

void text_shell_quote(struct buf *b, const char *s)
{
    buf_char(b, '\'');
    for (; *s; s++) {
        if (*s == '\'')
            buf_str(b, "'\\''");
        else
            buf_char(b, *s);
    }
    buf_char(b, '\'');
}

void text_clean(struct buf *b, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s, next = (unsigned char)s[1];

        if (c == 0xc2 && next >= 0x80 && next < 0xa0) { /* terminals obey these, too */
            buf_char(b, '?');
            s++;
        } else {
            buf_char(b, c < 0x20 || c == 0x7f ? '?' : (char)c);
        }
    }
}

const char *text_size(uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    static char text[32];
    double v = (double)bytes;
    size_t u = 0;

    for (; v >= 1024 && u + 1 < ARRAY_LEN(units); u++)
        v /= 1024;
    (void)snprintf(text, sizeof(text), u ? "%.1f %s" : "%.0f %s", v, units[u]);
    return text;
}

char *text_region_of(const char *zone)
{
    size_t n = strlen(zone);

    if (n > 2 && zone[n - 2] == '-' && islower((unsigned char)zone[n - 1]))
        n -= 2;
    else if (n > 1 && isdigit((unsigned char)zone[n - 2]) && islower((unsigned char)zone[n - 1]))
        n -= 1;
    return xasprintf("%.*s", (int)n, zone);
}

/* ---- tables ---- */

void table_head(struct table *t, const char *const *names)
{
    while (names[t->columns])
        t->columns++;
    for (size_t i = 0; i < t->columns; i++)
        table_cell(t, names[i]);
}

void table_cell(struct table *t, const char *text)
{
    struct buf b = {0};

    text_clean(&b, str_empty(text) ? "-" : text);
    if (t->n == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->cells = xrealloc(t->cells, t->cap * sizeof(*t->cells));
    }
    t->cells[t->n++] = buf_take(&b);
}

/*
 * Columns that a terminal uses: bytes that continue a character take none, and the scripts of East
 * Asia (from U+3000, and whatever has four bytes) take two. Near enough to align a table.
 */
static size_t width(const char *s)
{
    size_t n = 0;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if ((c & 0xc0) != 0x80)
            n += (c >= 0xe3 && c <= 0xed) || c >= 0xf0 ? 2 : 1;
    }
    return n;
}

static size_t column_width(const struct table *t, size_t column)
{
    size_t widest = 0;

    for (size_t i = column; i < t->n; i += t->columns) {
        size_t w = width(t->cells[i]);

        widest = w > widest ? w : widest;
    }
    return widest;
}

void table_print(const struct table *t, struct buf *out)
{
    size_t *widths = xcalloc(t->columns, sizeof(*widths));

    for (size_t i = 0; i < t->columns; i++)
        widths[i] = column_width(t, i);
    for (size_t i = 0; i < t->n; i++) {
        size_t column = i % t->columns;

        buf_str(out, t->cells[i]);
        if (column + 1 == t->columns || i + 1 == t->n)
            buf_char(out, '\n');
        else
            for (size_t w = width(t->cells[i]); w < widths[column] + 2; w++)
                buf_char(out, ' ');
    }
    free(widths);
}

void table_done(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i]);
    free(t->cells);
    *t = (struct table){0};
}
