/* What may be called how. */
#include "dialect/alibaba/names.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>

#include "dialect/alibaba/text.h"

enum { SEQUENCE_MAX = 64, SEQUENCE_DIGITS = 6 };

static bool is_link(const char *s)
{
    return str_starts(s, "http://") || str_starts(s, "https://");
}

/* Beyond ASCII everything is a letter but spaces, punctuation, symbols and what is not assigned to
 * a script. */
static bool is_letter(uint32_t p)
{
    static const struct {
        uint32_t from, to;
    } no_letters[] = {
        {0x80, 0xA9},        {0xAB, 0xB4},     {0xB6, 0xB9},     {0xBB, 0xBF},
        {0xD7, 0xD7},        {0xF7, 0xF7},     {0x2000, 0x2BFF}, {0x3000, 0x3004},
        {0x3008, 0x3020},    {0xD800, 0xF8FF}, {0xFE00, 0xFE6F}, {0xFEFF, 0xFF20},
        {0xFF3B, 0xFF40},    {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFF}, {0x1F000, 0x1FFFF},
        {0xE0000, 0x10FFFF},
    };

    if (p < 0x80)
        return isalpha((int)p);
    for (size_t i = 0; i < ARRAY_LEN(no_letters); i++)
        if (p >= no_letters[i].from && p <= no_letters[i].to)
            return false;
    return true;
}

bool name_ok(const char *s)
{
    size_t count = 0;

    if (is_link(s))
        return false;
    for (size_t n; *s; s += n, count++) {
        uint32_t p = utf8_next(s, &n);
        bool inner = p < 0x80 && (isdigit((int)p) || (p && strchr(":_.-", (int)p)));

        if (!n || (!is_letter(p) && !(count && inner)))
            return false;
    }
    return count >= 2 && count <= 128;
}

bool description_ok(const char *s)
{
    size_t n = utf8_length(s);

    return n >= 2 && n <= 256 && !is_link(s);
}

/* Up to six digits at *s, none leaving the default; moves past them. */
static void read_number(const char **s, int *value)
{
    size_t digits = strspn(*s, "0123456789");

    digits = digits > SEQUENCE_DIGITS ? SEQUENCE_DIGITS : digits;
    if (digits)
        *value = 0;
    for (; digits; digits--)
        *value = *value * 10 + (*(*s)++ - '0');
}

/*
 * Puts the digits that a sequence stands for in its place, so that the result can be checked as a
 * plain name. A text without one gets `more` digits at its end. False: the sequence is not well
 * formed, or the text too long.
 */
static bool expand(const char *s, size_t more, char *ret, size_t size)
{
    const char *open = strchr(s, '['), *at = open ? open + 1 : NULL;
    int begin = 0, bits = SEQUENCE_DIGITS;

    if (!open)
        return (size_t)snprintf(ret, size, "%s%.*s", s, (int)more, "001") < size;
    read_number(&at, &begin);
    if (*at++ != ',')
        return false;
    read_number(&at, &bits);
    if (*at++ != ']' || bits < 1 || bits > SEQUENCE_DIGITS)
        return false;
    return (size_t)snprintf(ret, size, "%.*s%0*d%s", (int)(open - s), s, bits, begin, at) < size;
}

bool name_pattern_ok(const char *s, size_t more)
{
    char plain[4 * 128 + SEQUENCE_MAX];

    return expand(s, more, plain, sizeof(plain)) && name_ok(plain);
}

static bool hostname_ok(const char *s)
{
    size_t n = strlen(s);
    bool digits_only = strspn(s, "0123456789") == n;
    char before = '.';

    if (n < 2 || n > 64 || digits_only)
        return false;
    for (; *s; before = *s++) {
        bool link = *s == '.' || *s == '-';

        if (!link && !isalnum((unsigned char)*s))
            return false;
        if (link && (before == '.' || before == '-'))
            return false;
    }
    return before != '.' && before != '-';
}

bool hostname_pattern_ok(const char *s, size_t more)
{
    char plain[64 + SEQUENCE_MAX];

    return expand(s, more, plain, sizeof(plain)) && hostname_ok(plain);
}

bool password_ok(const char *s)
{
    static const char special[] = "()`~!@#$%^&*-_+=|{}[]:;'<>,.?/";
    bool upper = false, lower = false, digit = false, other = false;
    size_t n = strlen(s);

    for (; *s; s++) {
        bool is_special = strchr(special, *s);

        if (!is_special && !isalnum((unsigned char)*s))
            return false;
        upper |= isupper((unsigned char)*s) != 0;
        lower |= islower((unsigned char)*s) != 0;
        digit |= isdigit((unsigned char)*s) != 0;
        other |= is_special;
    }
    return n >= 8 && n <= 30 && upper + lower + digit + other >= 3;
}

/* ---- tags ---- */

const struct field tag_fields[] = {
    F_STR(struct tag, key, "Key", .text = "1..128 characters"),
    F_STR(struct tag, value, "Value", .def_str = "", .text = "0..128 characters"),
    {.name = NULL},
};

static bool has_link(const char *s)
{
    return strstr(s, "http://") || strstr(s, "https://");
}

static enum err tag_ok(struct fail *f, const struct tag *t)
{
    if (str_empty(t->key) || utf8_length(t->key) > 128 || str_starts(t->key, "aliyun") ||
        str_starts(t->key, "acs:") || has_link(t->key))
        return fail(f, ERR_TAG_KEY, "the tag key '%s' is not well formed", t->key ? t->key : "");
    if (t->value && (utf8_length(t->value) > 128 || has_link(t->value)))
        return fail(f, ERR_TAG_VALUE, "the value of tag '%s' is not well formed", t->key);
    return ERR_NONE;
}

static enum err add_tag(struct fail *f, json_t *to, const struct tag *t)
{
    enum err e = tag_ok(f, t);

    if (e)
        return e;
    if (json_object_get(to, t->key))
        return fail(f, ERR_TAG_DUPLICATE, "the tag key '%s' is given twice", t->key);
    (void)json_object_set_new(to, t->key, json_string(t->value ? t->value : "")); /* is UTF-8 */
    return ERR_NONE;
}

enum err tags_json(struct op *op, const struct objs *tags, const char **ret)
{
    const struct tag *v = tags->v;
    json_t *object;
    enum err e = ERR_NONE;

    if (tags->n > TAGS_MAX)
        return fail(op->fail, ERR_TAG_COUNT, "more than %d tags", TAGS_MAX);
    object = json_object();
    for (size_t i = 0; i < tags->n && !e; i++)
        e = add_tag(op->fail, object, &v[i]);
    char *text CLEANUP(free_p) = e ? NULL : json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (!e)
        *ret = arena_str(op->arena, text);
    return e;
}

enum err tags_have_keys(struct op *op, const struct objs *tags)
{
    const struct tag *v = tags->v;

    for (size_t i = 0; i < tags->n; i++)
        if (str_empty(v[i].key))
            return fail_param(op->fail, ERR_PARAM_VALUE, arena_fmt(op->arena, "Tag.%zu.Key", i + 1),
                              "a value has no key");
    return ERR_NONE;
}

/* ---- wildcards ---- */

const char *wildcard_like(struct arena *a, const char *pattern)
{
    char *like = arena_alloc(a, 2 * strlen(pattern) + 1), *to = like;

    for (; *pattern; pattern++) {
        if (*pattern == '*' && pattern[1] == '*')
            continue; /* several say what one says */
        if (strchr("%_\\", *pattern))
            *to++ = '\\';
        *to++ = *pattern;
        if (*pattern == '*')
            to[-1] = '%';
    }
    return like;
}

bool wildcard_match(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    return !pattern[strspn(pattern, "*")];
}
