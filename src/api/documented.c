/*
 * What a cloud's documents list for an action, beside what the action raises here: which of the
 * documented codes have a cause of their own, and which can only be asked for.
 */
#include "api/documented.h"

#include <ctype.h>

#include "api/raises.h"

/* How an error row is said, with its parameter as far as it is known. */
struct said {
    int status;
    const char *code, *message; /* "%s": a sentence or a name */
    bool guess; /* it may be raised of this parameter; a document that says so is right */
};

struct all_said {
    struct said *v;
    size_t n;
};

/* ---- what is raised ---- */

/* The row's text with the parameter put in; NULL: "%s" stands for it. */
static const char *expand(struct arena *arena, const char *text, const char *param, bool capital)
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
    return arena_str(arena, buf_cstr(&b));
}

static bool is_said(const struct all_said *all, const struct said *s)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].status == s->status && streq(all->v[i].code, s->code) &&
            streq(all->v[i].message, s->message))
            return true;
    return false;
}

/* Each that is said otherwise, once. */
static struct all_said all_said(const struct dialect *d, const struct action *a,
                                struct arena *arena)
{
    struct raises raises = raises_of(d, a, arena);
    struct all_said all = {.v = ARENA_ARRAY(arena, struct said, raises.n + 1)};

    for (size_t i = 0; i < raises.n; i++) {
        const struct raise *r = &raises.v[i];
        struct said s = {.status = r->row->status,
                         .code = expand(arena, r->row->code, r->param, true),
                         .message = expand(arena, r->row->message, r->param, false),
                         .guess = r->guess};

        if (!is_said(&all, &s))
            all.v[all.n++] = s;
    }
    return all;
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
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    struct all_said r;
    struct listed *v;
    size_t n;
    json_t *listed = json_array(), *besides = json_array();

    if (!d->documented) {
        json_decref(listed);
        json_decref(besides);
        return;
    }
    r = all_said(d, a, arena);
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
}
