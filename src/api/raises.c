/* One walk over an action's declaration. decode.c has the checks that are foreseen here. */
#include "api/raises.h"

struct finding {
    const struct dialect *d;
    const struct action *a;
    struct arena *arena;
    struct raises *to;
};

static const struct err_row *row_of(const struct finding *r, enum err e)
{
    return dialect_row(r->d, r->a, e);
}

static const struct err_row *refined(const struct finding *r, const char *param,
                                     const struct err_row *row)
{
    return row && r->d->refine ? r->d->refine(r->a, param, row) : row;
}

static void add(struct finding *r, struct raise raise)
{
    struct raises *to = r->to;

    if (!raise.row) /* a dialect need not say what it never raises */
        return;
    if (to->n == to->room) {
        struct raise *old = to->v;

        to->room = to->room ? 2 * to->room : 64;
        to->v = ARENA_ARRAY(r->arena, struct raise, to->room);
        if (to->n)
            memcpy(to->v, old, to->n * sizeof(*old));
    }
    to->v[to->n++] = raise;
}

/* Does the dialect's own table say it, of whatever parameter? */
static bool is_general(const struct finding *r, const struct err_row *row)
{
    return row && row == dialect_row(r->d, NULL, row->err);
}

static void add_param(struct finding *r, enum err e, const char *param)
{
    const struct err_row *row = refined(r, param, row_of(r, e));

    add(r, (struct raise){.row = row,
                          .param = param,
                          .by = is_general(r, row) ? RAISED_BY_REQUEST : RAISED_BY_PARAM});
}

/* What a request may meet whichever action it names; a dialect says some otherwise of a header. */
static void add_always(struct finding *r)
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

    for (size_t i = 0; i < ARRAY_LEN(always); i++) {
        const struct err_row *row = row_of(r, always[i].err);
        const char *param = always[i].param;

        add(r, (struct raise){.row = param ? refined(r, param, row) : row,
                              .param = param,
                              .by = RAISED_BY_REQUEST});
    }
}

/* A check of this field's value. */
static void add_check(struct finding *r, const struct field *f, const char *path, bool can,
                      enum err general)
{
    if (can)
        add_param(r, f->bad ? f->bad : general, path);
}

/* What decode.c says of a field of another type than it should have. */
static enum err type_error(const struct finding *r, const struct field *f)
{
    bool scalar = f->kind < FIELD_STRS;

    return f->bad && scalar && !r->d->strict_types ? f->bad : ERR_PARAM_TYPE;
}

static void add_text(struct finding *r, const struct field *f, const char *path)
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
static void add_handlers(struct finding *r, const struct field *f, const char *path)
{
    for (const enum err *e = r->a->errors; e && *e; e++) {
        const struct err_row *general = row_of(r, *e), *own = refined(r, path, general);

        if (blames_a_value(*e) && own != general)
            add(r, (struct raise){.row = own, .param = path, .by = RAISED_BY_PARAM});
        if (*e == ERR_NEEDED && !f->required)
            add(r, (struct raise){
                       .row = general, .param = path, .by = RAISED_BY_ACTION, .guess = true});
    }
}

static void add_fields(struct finding *r, const struct field *f, const char *above)
{
    for (; f && f->name; f++) {
        bool text = f->kind == FIELD_STR || f->kind == FIELD_STRS;
        bool list = f->kind == FIELD_STRS || f->kind == FIELD_OBJS;
        const char *path = arena_fmt(r->arena, "%s%s%s", above, *above ? "." : "", f->name);

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
        if (f->sub)
            add_fields(r, f->sub, list ? arena_fmt(r->arena, "%s.n", path) : path);
    }
}

struct raises raises_of(const struct dialect *d, const struct action *a, struct arena *arena)
{
    struct raises found = {0};
    struct finding r = {.d = d, .a = a, .arena = arena, .to = &found};

    for (const enum err *e = a->errors; e && *e; e++)
        if (*e != ERR_NEEDED) /* it blames a parameter: see add_handlers */
            add(&r, (struct raise){.row = row_of(&r, *e), .by = RAISED_BY_ACTION});
    add_fields(&r, a->in, "");
    add_always(&r);
    return found;
}
