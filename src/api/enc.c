/* The streaming encoder: one walk, three forms. */
#include "api/enc.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

static bool xml(const struct enc *e)
{
    return e->format == ENC_XML;
}

/* Bytes of the well-formed UTF-8 character at `s`; 0: it is none. */
static size_t utf8_len(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : p[0] < 0xf0 && p[0] >= 0xe0 ? 3
               : p[0] < 0xf5 && p[0] >= 0xf0 ? 4
                                             : 0;

    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool too_long = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool none = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return n > 1 && (too_long || none) ? 0 : n;
}

/* A copy in which whatever is no character is U+FFFD; NULL: there is nothing to mend. */
static char *mended(const char *s)
{
    struct buf b = {0};
    size_t n = strlen(s), plain = text_plain(s, n);
    const char *p = s + plain;

    if (plain == n)
        return NULL;
    while (*p && (n = utf8_len(p)))
        p += n;
    if (!*p)
        return NULL;
    for (p = s; *p; p += n ? n : 1) {
        n = utf8_len(p);
        if (n)
            buf_add(&b, p, n);
        else
            buf_str(&b, "\xef\xbf\xbd");
    }
    return buf_take(&b);
}

/* XML 1.0 has no place for most control characters, U+FFFE and U+FFFF: they are left out. */
static void xml_text(struct buf *b, const char *s)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (str_starts(s, "\xef\xbf\xbe") || str_starts(s, "\xef\xbf\xbf"))
            s += 2;
        else if (c == '<')
            buf_str(b, "&lt;");
        else if (c == '>')
            buf_str(b, "&gt;");
        else if (c == '&')
            buf_str(b, "&amp;");
        else if (c == '\r')
            buf_str(b, "&#13;");
        else if (c >= 0x20 || c == '\n' || c == '\t')
            buf_char(b, (char)c);
    }
}

static void tag(struct enc *e, const char *open, const char *name)
{
    buf_str(e->out, open);
    buf_str(e->out, name);
    buf_char(e->out, '>');
}

/* Names are ours and need no escapes. */
static void add_name(struct buf *b, const char *name, bool comma)
{
    size_t n = strlen(name);
    char *start = buf_reserve(b, n + 4), *to = start;

    if (comma)
        *to++ = ',';
    *to++ = '"';
    memcpy(to, name, n);
    to += n;
    *to++ = '"';
    *to++ = ':';
    *to = 0;
    b->len += (size_t)(to - start);
}

/* What stands before a value: comma and name. Returns the XML element's name. */
static const char *lead(struct enc *e, const char *name)
{
    bool list = e->at[e->depth].list;
    const char *element = list ? e->at[e->depth].item : name;

    assert(list ? !name : name != NULL);
    if (xml(e)) {
        tag(e, "<", element);
        return element;
    }
    if (list) {
        if (e->at[e->depth].any)
            buf_char(e->out, ',');
    } else {
        add_name(e->out, name, e->at[e->depth].any);
    }
    e->at[e->depth].any = true;
    return element;
}

static void trail(struct enc *e, const char *element)
{
    if (xml(e))
        tag(e, "</", element);
}

static void push(struct enc *e, bool list, const char *name, const char *item)
{
    assert(e->depth + 1 < ENC_MAX_DEPTH);
    e->depth++;
    e->at[e->depth].list = list;
    e->at[e->depth].any = false;
    e->at[e->depth].name = name;
    e->at[e->depth].item = item;
}

void enc_init(struct enc *e, struct buf *out, enum enc_format format, const char *root)
{
    *e = (struct enc){.out = out, .format = format};
    e->at[0].name = root;
    if (xml(e)) {
        buf_str(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        tag(e, "<", root);
    } else {
        buf_char(out, '{');
    }
}

void enc_finish(struct enc *e)
{
    while (e->depth)
        enc_end(e);
    if (xml(e))
        tag(e, "</", e->at[0].name);
    else
        buf_char(e->out, '}');
}

void enc_obj(struct enc *e, const char *name)
{
    const char *element = lead(e, name);

    if (!xml(e))
        buf_char(e->out, '{');
    push(e, false, element, NULL);
}

void enc_list(struct enc *e, const char *name, const char *item)
{
    const char *element = lead(e, name);

    if (e->format == ENC_JSON_WRAPPED) {
        buf_char(e->out, '{');
        buf_json(e->out, item);
        buf_char(e->out, ':');
    }
    if (!xml(e))
        buf_char(e->out, '[');
    push(e, true, element, item);
}

void enc_end(struct enc *e)
{
    assert(e->depth);
    bool list = e->at[e->depth].list;
    const char *element = e->at[e->depth].name;

    e->depth--;
    if (xml(e))
        tag(e, "</", element);
    else if (!list)
        buf_char(e->out, '}');
    else
        buf_str(e->out, e->format == ENC_JSON_WRAPPED ? "]}" : "]");
}

void enc_str(struct enc *e, const char *name, const char *value)
{
    const char *element = lead(e, name);
    CLEANUP(free_p) char *good = value ? mended(value) : NULL;
    const char *text = good ? good : value ? value : "";

    if (xml(e))
        xml_text(e->out, text);
    else
        buf_json(e->out, text);
    trail(e, element);
}

void enc_int(struct enc *e, const char *name, int64_t value)
{
    const char *element = lead(e, name);

    buf_i64(e->out, value);
    trail(e, element);
}

void enc_num(struct enc *e, const char *name, double value)
{
    const char *element = lead(e, name);
    char text[40];

    if (value > 0 && value < 1e15 && value == (double)(int64_t)value) {
        buf_i64(e->out, (int64_t)value);
        trail(e, element);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, isfinite(value) ? value : 0.0);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_str(e->out, text);
    trail(e, element);
}

void enc_bool(struct enc *e, const char *name, bool value)
{
    const char *element = lead(e, name);

    buf_str(e->out, value ? "true" : "false");
    trail(e, element);
}

void enc_null(struct enc *e, const char *name)
{
    const char *element = lead(e, name);

    if (!xml(e))
        buf_str(e->out, "null");
    trail(e, element);
}

void enc_str_or_null(struct enc *e, const char *name, const char *value)
{
    if (str_empty(value))
        enc_null(e, name);
    else
        enc_str(e, name, value);
}

void enc_strs(struct enc *e, const char *name, const char *item, const char *const *v, size_t n)
{
    enc_list(e, name, item);
    for (size_t i = 0; i < n; i++)
        enc_str(e, NULL, v[i]);
    enc_end(e);
}

void enc_no_list(struct enc *e, const char *name, const char *item)
{
    enc_strs(e, name, item, NULL, 0);
}
