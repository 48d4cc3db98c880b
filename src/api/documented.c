/*
 * What a cloud's documents list for an action, beside what the action raises here: which of the
 * documented codes have a cause of their own, and which can only be asked for.
 *
 * What is raised is found by the declarations alone: the errors of the action, what decoding its
 * fields may find, and what every request may meet before any action runs.
 */
#include "api/documented.h"

#include <ctype.h>

/* A text of an error row, with its parameter as far as it is known. */
struct said {
    int status;
    char *code, *message; /* "%s": a sentence or a name */
    bool guess;           /* it may be raised of this parameter; a document that says so is right */
};

struct raised {
    const struct dialect *d;
    const struct action *a;
    struct said *v;
    size_t n;
};

/* ---- what is raised ---- */

static const struct err_row *row_of(const struct raised *r, enum err e)
{
    return dialect_row(r->d, r->a, e);
}

static const struct err_row *refined(const struct raised *r, const char *param,
                                     const struct err_row *row)
{
    return row && r->d->refine ? r->d->refine(r->a, param, row) : row;
}

/* The row's text with the parameter put in; NULL: "%s" stands for it. */
static char *expand(const char *text, const char *param, bool capital)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (const char *s = text; *s; s++) {
        if (s[0] != '%') {
            buf_char(&b, *s);
        } else if (s[1] == 'p' && param) {
            size_t at = b.len;

            buf_str(&b, param);
            if (capital && b.len > at)
                b.data[at] = (char)toupper((unsigned char)b.data[at]);
            s++;
        } else {
            buf_str(&b, "%s");
            s++;
        }
    }
    return xstrdup(buf_cstr(&b));
}

static void add_as(struct raised *r, const struct err_row *row, const char *param, bool guess)
{
    struct said s = {.guess = guess};

    if (!row) /* a dialect need not say what it never raises */
        return;
    s.status = row->status;
    s.code = expand(row->code, param, true);
    s.message = expand(row->message, param, false);

    for (size_t i = 0; i < r->n; i++)
        if (r->v[i].status == s.status && streq(r->v[i].code, s.code) &&
            streq(r->v[i].message, s.message)) {
            free(s.code);
            free(s.message);
            return;
        }
    r->v = xrealloc(r->v, (r->n + 1) * sizeof(*r->v));
    r->v[r->n++] = s;
}

static void add(struct raised *r, const struct err_row *row, const char *param)
{
    add_as(r, row, param, false);
}

static void add_param(struct raised *r, enum err e, const char *param)
{
    add(r, refined(r, param, row_of(r, e)), param);
}

/* What a request may meet whichever action it names; a dialect says some otherwise of a header. */
static void add_always(struct raised *r)
{
    static const struct {
        enum err err;
        const char *param;
    } always[] = {
        {ERR_INTERNAL, NULL},
        {ERR_UNAVAILABLE, NULL},
        {ERR_METHOD, NULL},
        {ERR_TLS_NEEDED, NULL},
        {ERR_PATH, NULL},
        {ERR_BODY, NULL},
        {ERR_TOO_LARGE, NULL},
        {ERR_TIMEOUT, NULL},
        {ERR_ACTION_MISSING, NULL},
        {ERR_ACTION_UNKNOWN, NULL},
        {ERR_VERSION_MISSING, NULL},
        {ERR_VERSION_UNKNOWN, NULL},
        {ERR_FORMAT, NULL},
        {ERR_AUTH_MALFORMED, NULL},
        {ERR_AUTH_METHOD, NULL},
        {ERR_AUTH_SIG_VERSION, NULL},
        {ERR_AUTH_KEY_MISSING, NULL},
        {ERR_AUTH_SIG_MISSING, NULL},
        {ERR_AUTH_NONCE_MISSING, NULL},
        {ERR_AUTH_TIME_MISSING, NULL},
        {ERR_AUTH_TIME_FORMAT, NULL},
        {ERR_AUTH_EXPIRED, NULL},
        {ERR_AUTH_REPLAY, NULL},
        {ERR_AUTH_KEY_UNKNOWN, NULL},
        {ERR_AUTH_KEY_INACTIVE, NULL},
        {ERR_AUTH_SIGNATURE, NULL},
        {ERR_AUTH_SIGNATURE, "Authorization"},
        {ERR_AUTH_CONTENT, NULL},
        {ERR_AUTH_TOKEN, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(always); i++)
        if (always[i].param)
            add_param(r, always[i].err, always[i].param);
        else
            add(r, row_of(r, always[i].err), NULL);
}

/* A check of this field's value; decode.c has them. */
static void add_check(struct raised *r, const struct field *f, const char *path, bool can,
                      enum err general)
{
    if (can)
        add_param(r, f->bad ? f->bad : general, path);
}

/* What decode.c says of a field of another type than it should have. */
static enum err type_error(const struct raised *r, const struct field *f)
{
    bool scalar = f->kind < FIELD_STRS;

    return f->bad && scalar && !r->d->strict_types ? f->bad : ERR_PARAM_TYPE;
}

static void add_text(struct raised *r, const struct field *f, const char *path)
{
    add_check(r, f, path, f->values != NULL, ERR_PARAM_VALUE);
    add_check(r, f, path, f->format == FMT_TIME, ERR_PARAM_TIME);
    add_check(r, f, path, f->format != FMT_ANY && f->format != FMT_TIME, ERR_PARAM_PATTERN);
}

static bool blames_a_value(enum err e)
{
    return e >= ERR_PARAM_TYPE && e <= ERR_PARAM_TIME && e != ERR_PARAM_CONFLICT;
}

/*
 * What the handler raises of parameters: where this one has a row of its own for that, and that it
 * is needed in some combination.
 */
static void add_handlers(struct raised *r, const struct field *f, const char *path)
{
    for (const enum err *e = r->a->errors; e && *e; e++) {
        const struct err_row *general = row_of(r, *e), *own = refined(r, path, general);

        if (blames_a_value(*e) && own != general)
            add(r, own, path);
        if (*e == ERR_NEEDED && !f->required)
            add_as(r, general, path, true);
    }
}

static void add_fields(struct raised *r, const struct field *f, const char *above)
{
    for (; f && f->name; f++) {
        bool text = f->kind == FIELD_STR || f->kind == FIELD_STRS;
        bool list = f->kind == FIELD_STRS || f->kind == FIELD_OBJS;
        CLEANUP(free_p) char *path = xasprintf("%s%s%s", above, *above ? "." : "", f->name);

        if (f->ignored)
            continue;
        if (f->required)
            add_param(r, ERR_PARAM_MISSING, path);
        add_param(r, type_error(r, f), path);
        add_handlers(r, f, path);
        if (f->kind == FIELD_INT) {
            add_check(r, f, path, f->max != 0, ERR_PARAM_TOO_BIG);
            add_check(r, f, path, f->min || f->max, ERR_PARAM_TOO_SMALL);
        }
        if (text || list) { /* an empty text counts as absent */
            add_check(r, f, path, f->max != 0, ERR_PARAM_TOO_LONG);
            add_check(r, f, path, f->min > !list, ERR_PARAM_TOO_SHORT);
        }
        if (text)
            add_text(r, f, path);
        if (f->sub) {
            CLEANUP(free_p) char *inside = xasprintf("%s%s", path, list ? ".n" : "");

            add_fields(r, f->sub, inside);
        }
    }
}

static struct raised raised_by(const struct dialect *d, const struct action *a)
{
    struct raised r = {.d = d, .a = a};

    for (const enum err *e = a->errors; e && *e; e++)
        if (*e != ERR_NEEDED)
            add(&r, row_of(&r, *e), NULL);
    add_fields(&r, a->in, "");
    add_always(&r);
    return r;
}

static void raised_done(struct raised *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->v[i].code);
        free(r->v[i].message);
    }
    free(r->v);
}

/* ---- what is documented ---- */

struct listed {
    const struct doc_row *row;
    bool natural;
};

static bool same_row(const struct doc_row *x, const struct doc_row *y)
{
    return x->status == y->status && streq(x->code, y->code) && streq(x->message, y->message);
}

static bool has_row(const struct listed *v, size_t n, const struct doc_row *row)
{
    for (size_t i = 0; i < n; i++)
        if (same_row(v[i].row, row))
            return true;
    return false;
}

/* The action's own rows, then the common ones that it does not have itself. malloc'd. */
static struct listed *list_rows(const struct dialect *d, const struct action *a, size_t *ret_n)
{
    struct listed *v = NULL;
    size_t n = 0;

    for (int common = 0; common <= 1; common++)
        for (const struct doc_row *row = d->documented; row && row->code; row++) {
            bool wanted = common ? !row->action : row->action && streq(row->action, a->name);

            if (!wanted || has_row(v, n, row))
                continue;
            v = xrealloc(v, (n + 1) * sizeof(*v));
            v[n++] = (struct listed){.row = row};
        }
    *ret_n = n;
    return v;
}

/*
 * Is this the document's text, whose "%s" may be a name or a sentence here? It may also be longer,
 * by a sentence about the situation at its end.
 */
static bool fits(const char *said, const char *text)
{
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.";

    while (*said) {
        if (!*text)
            return streq(said, " %s");
        if (str_starts(text, "%s")) {
            size_t n = str_starts(said, "%s") ? 2 : strspn(said, name);

            if (!n)
                return false;
            said += n;
            text += 2;
        } else if (*said++ != *text++) {
            return false;
        }
    }
    return !*text;
}

/* How much of a text the document fixes: all, a part, nothing. */
enum fixed { FIXED_ALL, FIXED_PART, FIXED_NOTHING, FIXED_KINDS };

static enum fixed fixed_of(const char *text)
{
    return streq(text, "%s") ? FIXED_NOTHING : strstr(text, "%s") ? FIXED_PART : FIXED_ALL;
}

/* Marks the row that says this; of several, the one that fixes most of its text. */
static bool claim(const struct said *s, struct listed *v, size_t n)
{
    for (int fixed = FIXED_ALL; fixed < FIXED_KINDS; fixed++)
        for (size_t i = 0; i < n; i++) {
            const struct doc_row *row = v[i].row;

            if (row->status != s->status || !streq(row->code, s->code) ||
                (int)fixed_of(row->message) != fixed)
                continue;
            if (fixed == FIXED_NOTHING || fits(s->message, row->message))
                return v[i].natural = true;
        }
    return false;
}

static json_t *row_json(int status, const char *code, const char *message)
{
    return json_pack("{s:i, s:s, s:s}", "status", status, "code", code, "message", message);
}

void documented_dump(const struct dialect *d, const struct action *a, json_t *to)
{
    struct raised r;
    struct listed *v;
    size_t n;
    json_t *listed = json_array(), *besides = json_array();

    if (!d->documented) {
        json_decref(listed);
        json_decref(besides);
        return;
    }
    r = raised_by(d, a);
    v = list_rows(d, a, &n);
    for (size_t i = 0; i < r.n; i++)
        if (!claim(&r.v[i], v, n) && !r.v[i].guess)
            json_array_append_new(besides, row_json(r.v[i].status, r.v[i].code, r.v[i].message));
    for (size_t i = 0; i < n; i++) {
        json_t *o = row_json(v[i].row->status, v[i].row->code, v[i].row->message);

        json_object_set_new(o, "common", json_boolean(!v[i].row->action));
        json_object_set_new(o, "natural", json_boolean(v[i].natural));
        json_array_append_new(listed, o);
    }
    json_object_set_new(to, "documented", listed);
    json_object_set_new(to, "undocumented", besides);
    free(v);
    raised_done(&r);
}
