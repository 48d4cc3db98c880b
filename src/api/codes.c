/* A cloud's codes, from its documents and from the declarations here. */
#include "api/codes.h"

#include "api/raises.h"

/* ---- collecting ---- */

/* Letter by letter, where a sentence is a sentence: "%d" here, "%s" in a document. */
static bool same_text(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        bool words =
            message_place(a) && message_place(b) && strchr("ds", a[1]) && strchr("ds", b[1]);

        if (words) {
            a++;
            b++;
        } else if (*a != *b) {
            return false;
        }
    }
    return *a == *b;
}

/* Is `new` said already? A text that no page gives ("%s" alone) is taken from what is said here. */
static bool merge(struct code *old, const struct code *new)
{
    if (old->status != new->status || !streq(old->code, new->code))
        return false;
    if (streq(old->message, "%s"))
        old->message = new->message;
    return same_text(old->message, new->message) || streq(new->message, "%s");
}

static void add(struct codes *to, struct arena *arena, struct code code)
{
    for (size_t i = 0; i < to->n; i++)
        if (merge(&to->v[i], &code))
            return;
    if (to->n == to->room) {
        struct code *old = to->v;

        to->room = to->room ? 2 * to->room : 64;
        to->v = ARENA_ARRAY(arena, struct code, to->room);
        if (to->n)
            memcpy(to->v, old, to->n * sizeof(*old));
    }
    to->v[to->n++] = code;
}

static void add_documented(struct codes *to, struct arena *arena, const struct dialect *d,
                           const struct action *a)
{
    for (const struct doc_row *row = d->documented; row && row->code; row++)
        if (a ? row->action && streq(row->action, a->name) : !row->action)
            add(to, arena, (struct code){row->status, row->code, row->message});
}

/* A code that is made of a parameter's name ("Missing%p") is none without it. */
static void add_row(struct codes *to, struct arena *arena, const struct err_row *row,
                    const char *param)
{
    bool named = row && strstr(row->code, "%p");

    if (row && !named)
        add(to, arena, (struct code){row->status, row->code, row->message});
    if (named && param)
        add(to, arena,
            (struct code){row->status, code_of(arena, row, param),
                          message_fill(arena, row->message, NULL, param, NULL)});
}

static void add_raises(struct codes *to, struct arena *arena, const struct raises *all,
                       enum raised_by by)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].by == by)
            add_row(to, arena, all->v[i].row, all->v[i].guess ? NULL : all->v[i].param);
}

static void add_action(struct codes *to, struct arena *arena, const struct dialect *d,
                       const struct action *a)
{
    struct raises all = raises_of(d, a, arena);

    add_documented(to, arena, d, a);
    add_raises(to, arena, &all, RAISED_BY_ACTION);
    add_raises(to, arena, &all, RAISED_BY_PARAM);
    add_documented(to, arena, d, NULL);
    /* The list of errors begins with those of every request, up to the parameters'. */
    for (int e = ERR_NONE + 1; e <= ERR_NEEDED; e++)
        add_row(to, arena, dialect_row(d, a, (enum err)e), NULL);
    add_raises(to, arena, &all, RAISED_BY_REQUEST);
}

struct codes codes_of(const struct dialect *d, const struct action *action, struct arena *arena)
{
    struct codes codes = {0};

    if (action)
        add_action(&codes, arena, d, action);
    for (const struct action *const *a = action ? NULL : d->actions; a && *a; a++)
        add_action(&codes, arena, d, *a);
    return codes;
}

/* ---- choosing ---- */

static bool has_place(const char *message)
{
    for (; *message; message++)
        if (message_place(message))
            return true;
    return false;
}

static bool is_text(const struct code *c, const char *text)
{
    return streq(c->message, text);
}

static bool has_text(const struct code *c, const char *text)
{
    return strstr(c->message, text);
}

static bool takes_text(const struct code *c, const char *text)
{
    (void)text;
    return has_place(c->message);
}

static bool any_text(const struct code *c, const char *text)
{
    (void)c;
    return !text;
}

const struct code *codes_pick(const struct codes *codes, const char *code, int status,
                              const char *text)
{
    static bool (*const ways[])(const struct code *c, const char *text) = {is_text, has_text,
                                                                           takes_text};

    for (size_t w = 0; w < ARRAY_LEN(ways); w++)
        for (size_t i = 0; i < codes->n; i++) {
            const struct code *c = &codes->v[i];

            if (streq(c->code, code) && (!status || c->status == status) &&
                (text ? ways[w] : any_text)(c, text))
                return c;
        }
    return NULL;
}

/* ---- saying ---- */

/* The parameter that is blamed where one must be. */
static const char *some_param(const struct action *a)
{
    const char *first = NULL;

    for (const struct field *f = a ? a->in : NULL; f && f->name; f++) {
        if (f->required)
            return f->name;
        first = first ? first : f->name;
    }
    return first ? first : "Action";
}

const char *code_message(const struct code *code, const struct action *action, const char *text,
                         struct arena *arena)
{
    bool filled = text && !has_text(code, text);

    return message_fill(arena, code->message, action ? action->name : "*",
                        filled ? text : some_param(action),
                        filled ? text : "a test asked for this");
}

const char *code_shown(const struct code *code, struct arena *arena)
{
    return message_fill(arena, code->message, "...", "...", "...");
}
