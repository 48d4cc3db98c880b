/*
 * From a tree of parameters to a struct, by the fields of a declaration. Loose dialects send text
 * for everything and number their lists; strict ones send JSON types.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "api/dialect.h"
#include "base/crypto.h"
#include "base/timefmt.h"

enum { MAX_LIST = 2000, MAX_ID = 128 };

struct decoder {
    struct call *c;
    bool strict;
    char path[96]; /* of the field in hand, as the client knows it */
};

static enum err decode_fields(struct decoder *d, const struct field *fields, json_t *params,
                              void *in);

/* ---- refusing ---- */

/*
 * A field's own error is about its value. What is of another type has none; but where everything is
 * text, a scalar that cannot be read is a bad value.
 */
static bool says_itself(const struct decoder *d, const struct field *f, enum err general)
{
    bool scalar = f->kind < FIELD_STRS;

    return f->bad && (general != ERR_PARAM_TYPE || (scalar && !d->strict));
}

static enum err refuse(struct decoder *d, const struct field *f, enum err general, const char *why)
{
    enum err e = says_itself(d, f, general) ? f->bad : general;

    return fail_param(&d->c->fail, e, d->path, "%s %s", d->path, why);
}

static enum err check_length(struct decoder *d, const struct field *f, size_t n, const char *of)
{
    char why[96];

    if (f->max && (int64_t)n > f->max) {
        (void)snprintf(why, sizeof(why), "may have %lld %s at most", (long long)f->max, of);
        return refuse(d, f, ERR_PARAM_TOO_LONG, why);
    }
    if ((int64_t)n < f->min) {
        (void)snprintf(why, sizeof(why), "needs %lld %s at least", (long long)f->min, of);
        return refuse(d, f, ERR_PARAM_TOO_SHORT, why);
    }
    return ERR_NONE;
}

/* ---- text ---- */

static bool good_id(const char *s)
{
    size_t n = strlen(s);

    for (const char *p = s; *p; p++)
        if (*p <= ' ' || *p > '~')
            return false;
    return n >= 1 && n <= MAX_ID;
}

static bool good_ipv4(const char *s)
{
    struct in_addr a;

    return inet_pton(AF_INET, s, &a) == 1;
}

static bool well_formed(struct decoder *d, const struct field *f, const char *s, enum err *ret_err)
{
    int64_t ms;
    size_t n;

    *ret_err = ERR_PARAM_PATTERN;
    switch (f->format) {
    case FMT_ANY:
        return true;
    case FMT_ID:
        return good_id(s);
    case FMT_TIME:
        *ret_err = ERR_PARAM_TIME;
        return time_parse(s, &ms) == 0;
    case FMT_NAME:
        return d->c->dialect->good_name(s);
    case FMT_IPV4:
        return good_ipv4(s);
    case FMT_BASE64:
        return base64_decode(d->c->arena, s, &n) != NULL;
    }
    return false;
}

static bool among(const char *const *values, const char *s)
{
    for (; *values; values++)
        if (streq(*values, s))
            return true;
    return false;
}

static enum err not_among(struct decoder *d, const struct field *f)
{
    CLEANUP(buf_done) struct buf why = {0};

    buf_str(&why, "has a value that is not known; known are");
    for (size_t i = 0; f->values[i]; i++)
        buf_fmt(&why, "%s %s", i ? "," : "", f->values[i]);
    return refuse(d, f, ERR_PARAM_VALUE, why.data);
}

static const char *ill_formed(const struct field *f)
{
    return f->format == FMT_TIME ? "is not well formed; a time is like 2027-01-02T03:04:05Z"
                                 : "is not well formed";
}

static enum err check_text(struct decoder *d, const struct field *f, const char *s)
{
    enum err e;

    if ((e = check_length(d, f, strlen(s), "bytes")))
        return e;
    if (f->values && !among(f->values, s))
        return not_among(d, f);
    if (!well_formed(d, f, s, &e))
        return refuse(d, f, e, ill_formed(f));
    return ERR_NONE;
}

/* The value as text; NULL when it has another type. Loose dialects have nothing but text. */
static const char *text_of(json_t *v)
{
    return json_is_string(v) ? json_string_value(v) : NULL;
}

static enum err decode_str(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    const char *s = text_of(v);

    if (!s)
        return refuse(d, f, ERR_PARAM_TYPE, "is not a text");
    *(const char **)to = arena_str(d->c->arena, s);
    return check_text(d, f, s);
}

/* ---- numbers and truth ---- */

static enum err decode_int(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    long long n = json_integer_value(v);
    char why[96];

    if (d->strict ? !json_is_integer(v) : !text_of(v) || parse_i64(text_of(v), &n) < 0)
        return refuse(d, f, ERR_PARAM_TYPE, "is not a whole number");
    if (f->max && n > f->max) {
        (void)snprintf(why, sizeof(why), "is %lld at most", (long long)f->max);
        return refuse(d, f, ERR_PARAM_TOO_BIG, why);
    }
    if ((f->min || f->max) && n < f->min) {
        (void)snprintf(why, sizeof(why), "is %lld at least", (long long)f->min);
        return refuse(d, f, ERR_PARAM_TOO_SMALL, why);
    }
    *(int64_t *)to = n;
    return ERR_NONE;
}

static enum err decode_num(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    const char *s = text_of(v);
    char *end = NULL;
    double n = d->strict ? json_number_value(v) : s ? strtod(s, &end) : 0;

    if (d->strict ? !json_is_number(v) : !s || !*s || *end || n != n)
        return refuse(d, f, ERR_PARAM_TYPE, "is not a number");
    *(double *)to = n;
    return ERR_NONE;
}

static enum err decode_bool(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    const char *s = text_of(v);

    if (d->strict ? json_is_true(v) : s && !strcasecmp(s, "true"))
        *(bool *)to = true;
    else if (d->strict ? json_is_false(v) : s && !strcasecmp(s, "false"))
        *(bool *)to = false;
    else
        return refuse(d, f, ERR_PARAM_TYPE, "is neither true nor false");
    return ERR_NONE;
}

/* ---- lists ---- */

struct numbered {
    long long at;
    json_t *v;
};

static int by_number(const void *a_, const void *b_)
{
    const struct numbered *a = a_, *b = b_;

    return (a->at > b->at) - (a->at < b->at);
}

/* The elements in order. *ret_n = -1: it is no list. Borrowed references. */
static json_t **elements(struct decoder *d, const struct field *f, json_t *v, long *ret_n)
{
    size_t n = json_is_array(v) ? json_array_size(v) : json_object_size(v), i = 0;
    json_t **list = ARENA_ARRAY(d->c->arena, json_t *, n + 1);
    const char *key;
    json_t *one;

    *ret_n = (long)n;
    if (json_is_array(v)) {
        for (; i < n; i++)
            list[i] = json_array_get(v, i);
        return list;
    }
    *ret_n = -1;
    if (d->strict)
        return NULL;
    if (f->kind == FIELD_STRS &&
        json_is_string(v)) { /* typed without a number: the first and only one */
        list[0] = v;
        *ret_n = 1;
        return list;
    }
    struct numbered *rows = ARENA_ARRAY(d->c->arena, struct numbered, n + 1);
    json_object_foreach (v, key, one) {
        if (parse_i64(key, &rows[i].at) < 0 || rows[i].at < 0)
            return NULL;
        rows[i++].v = one;
    }
    if (!json_is_object(v))
        return NULL;
    qsort(rows, n, sizeof(*rows), by_number);
    for (i = 0; i < n; i++)
        list[i] = rows[i].v;
    *ret_n = (long)n;
    return list;
}

/* The text of a JSON array; NULL when it is something else. The call owns it. */
static json_t *parse_text_list(struct decoder *d, json_t *v)
{
    const char *s = text_of(v);
    json_t *list = s ? json_loads(s, 0, NULL) : NULL;

    if (!json_is_array(list)) {
        json_decref(list);
        return NULL;
    }
    if (!d->c->lists)
        d->c->lists = json_array();
    (void)json_array_append_new(d->c->lists, list);
    return list;
}

static enum err list_of(struct decoder *d, const struct field *f, json_t *v, json_t ***ret,
                        size_t *ret_n)
{
    long n = -1;

    if (f->json_text && !d->strict && !(v = parse_text_list(d, v)))
        return refuse(d, f, ERR_PARAM_TYPE, "is not a JSON array");
    *ret = elements(d, f, v, &n);
    if (n < 0)
        return refuse(d, f, ERR_PARAM_TYPE, "is not a list");
    *ret_n = (size_t)n;
    if (n > MAX_LIST)
        return refuse(d, f, ERR_PARAM_TOO_LONG, "has too many elements");
    return check_length(d, f, (size_t)n, "elements");
}

static enum err decode_strs(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    struct strs *s = to;
    struct field one = {.bad = f->bad, .values = f->values, .format = f->format};
    json_t **list;
    enum err e = list_of(d, f, v, &list, &s->n);

    if (e)
        return e;
    s->v = ARENA_ARRAY(d->c->arena, const char *, s->n + 1);
    for (size_t i = 0; i < s->n; i++)
        if ((e = decode_str(d, &one, list[i], &s->v[i])))
            return e;
    return ERR_NONE;
}

/* ---- structs ---- */

static enum err decode_sub(struct decoder *d, const struct field *f, json_t *v, void *to,
                           const char *suffix)
{
    char saved[sizeof(d->path)];
    enum err e;

    memcpy(saved, d->path, sizeof(saved));
    if (!json_is_object(v))
        return refuse(d, f, ERR_PARAM_TYPE, "is not an object");
    size_t n = strlen(d->path);
    (void)snprintf(d->path + n, sizeof(d->path) - n, "%s",
                   suffix); /* a cut path still tells where */
    e = decode_fields(d, f->sub, v, to);
    memcpy(d->path, saved, sizeof(saved));
    return e;
}

static enum err decode_objs(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    struct objs *o = to;
    json_t **list;
    enum err e = list_of(d, f, v, &list, &o->n);

    if (e)
        return e;
    o->v = arena_alloc(d->c->arena, o->n * f->sub_size + 1);
    for (size_t i = 0; i < o->n; i++) {
        char suffix[24];

        (void)snprintf(suffix, sizeof(suffix), ".%zu", i + 1);
        if ((e = decode_sub(d, f, list[i], (char *)o->v + i * f->sub_size, suffix)))
            return e;
    }
    return ERR_NONE;
}

static enum err decode_obj(struct decoder *d, const struct field *f, json_t *v, void *to)
{
    return decode_sub(d, f, v, to, "");
}

static enum err (*const decoders[])(struct decoder *, const struct field *, json_t *, void *) = {
    [FIELD_STR] = decode_str,   [FIELD_INT] = decode_int,   [FIELD_BOOL] = decode_bool,
    [FIELD_NUM] = decode_num,   [FIELD_STRS] = decode_strs, [FIELD_OBJ] = decode_obj,
    [FIELD_OBJS] = decode_objs,
};

/* Clients send null and "" for a value that is not there; a list may be empty on purpose. */
static bool absent(json_t *v)
{
    return !v || json_is_null(v) || (json_is_string(v) && !*json_string_value(v));
}

static void set_default(struct decoder *d, const struct field *f, char *in)
{
    json_t *nothing = NULL;

    switch (f->kind) {
    case FIELD_STR:
        *(const char **)(void *)(in + f->offset) = f->def_str;
        break;
    case FIELD_INT:
        *(int64_t *)(void *)(in + f->offset) = f->def;
        break;
    case FIELD_BOOL:
        *(bool *)(in + f->offset) = f->def != 0;
        break;
    case FIELD_OBJ: /* its own defaults */
        nothing = json_object();
        (void)decode_fields(d, f->sub, nothing, in + f->offset);
        json_decref(nothing);
        break;
    case FIELD_NUM:
    case FIELD_STRS:
    case FIELD_OBJS:
        break; /* zeroed */
    }
}

/* A path that is cut still tells where. */
static void path_add(struct decoder *d, size_t at, const char *s)
{
    while (*s && at + 1 < sizeof(d->path))
        d->path[at++] = *s++;
    d->path[at] = 0;
}

static enum err decode_field(struct decoder *d, const struct field *f, json_t *params, char *in)
{
    json_t *v = json_object_get(params, f->name);
    size_t n = strlen(d->path);
    enum err e = ERR_NONE;

    if (f->ignored)
        return ERR_NONE;
    if (n)
        path_add(d, n, ".");
    path_add(d, strlen(d->path), f->name);
    if (absent(v)) {
        set_default(d, f, in);
        if (f->required)
            e = refuse(d, &(struct field){0}, ERR_PARAM_MISSING, "is missing");
    } else {
        if (f->has)
            *(bool *)(in + f->has - 1) = true;
        e = decoders[f->kind](d, f, v, in + f->offset);
    }
    d->path[n] = 0;
    return e;
}

static enum err decode_fields(struct decoder *d, const struct field *fields, json_t *params,
                              void *in)
{
    for (const struct field *f = fields; f && f->name; f++) {
        enum err e = decode_field(d, f, params, in);

        if (e)
            return e;
    }
    return ERR_NONE;
}

enum err decode(struct call *c, const struct field *fields, json_t *params, void *in)
{
    struct decoder d = {.c = c, .strict = c->dialect->strict_types};

    return decode_fields(&d, fields, params, in);
}

int64_t field_time(const char *text)
{
    int64_t ms = 0;

    (void)time_parse(text, &ms); /* checked while decoding */
    return ms;
}
