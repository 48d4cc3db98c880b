/* Errors on demand: asked for, listed, taken back, and which there are. */
#include "api/codes.h"
#include "api/fault.h"
#include "base/nearest.h"
#include "control/listing.h"
#include "core/inst.h"

enum {
    MAX_FAULTS = 1000,
    MAX_TEXT = 500,
    MAX_TIMES = 1000000000,
    MAX_DELAY_MS = 10 * 60 * 1000,
    MAX_RETRY_MS = 60 * 60 * 1000,
    MAX_NAMES = 4000
};

/* ---- what is meant ---- */

/* One way to understand an action and a code. */
struct meaning {
    const struct dialect *dialect;
    const struct action *action; /* NULL: all of the dialect's, "*" */
    const struct code *code;     /* NULL: none was given, or none fits */
};

struct wanted {
    const char *dialect, *action, *code, *text; /* dialect, code and text may be NULL */
    int status;
};

static bool is_all(const char *action)
{
    return streq(action, "*");
}

/* The dialects in which there is such an action; at most `max`. */
static size_t find_actions(const struct wanted *w, struct meaning *ret, size_t max)
{
    const struct dialect *const *d = control_config()->dialects;
    size_t n = 0;

    for (; *d && n < max; d++) {
        const struct action *a = is_all(w->action) ? NULL : action_find((*d)->actions, w->action);

        if ((*d)->instances && (!w->dialect || streq(w->dialect, (*d)->name)) &&
            (a || is_all(w->action)))
            ret[n++] = (struct meaning){.dialect = *d, .action = a};
    }
    return n;
}

static const char *dialect_names(struct call *c)
{
    const char *names = "";

    for (const struct dialect *const *d = control_config()->dialects; *d; d++)
        if ((*d)->instances)
            names = arena_fmt(c->arena, "%s%s%s", names, *names ? " or " : "", (*d)->name);
    return names;
}

static bool is_dialect(const char *name)
{
    for (const struct dialect *const *d = control_config()->dialects; *d; d++)
        if ((*d)->instances && streq((*d)->name, name))
            return true;
    return false;
}

static const char *did_you_mean(struct call *c, const char *near)
{
    return near ? arena_fmt(c->arena, " (did you mean %s?)", near) : "";
}

static enum err no_action(struct call *c, const struct wanted *w)
{
    const char **names = ARENA_ARRAY(c->arena, const char *, MAX_NAMES + 1);
    size_t n = 0;

    for (const struct dialect *const *d = control_config()->dialects; *d; d++)
        for (const struct action *const *a = (*d)->actions; *a && n < MAX_NAMES; a++)
            if ((*d)->instances && (!w->dialect || streq(w->dialect, (*d)->name)))
                names[n++] = (*a)->name;
    const char *near = text_nearest(w->action, names);
    return fail_param(c->op.fail, ERR_PARAM_VALUE, "action", "%s no action '%.100s'%s",
                      w->dialect ? arena_fmt(c->arena, "%s has", w->dialect) : "there is",
                      w->action, did_you_mean(c, near));
}

static enum err no_code(struct call *c, const struct wanted *w, const struct codes *codes)
{
    const char **names = ARENA_ARRAY(c->arena, const char *, MAX_NAMES + 1);
    size_t n = 0;

    for (size_t i = 0; i < codes->n && n < MAX_NAMES; i++)
        names[n++] = codes->v[i].code;
    if (codes_pick(codes, w->code, 0, NULL))
        return fail_param(c->op.fail, ERR_PARAM_VALUE, w->text ? "message" : "status",
                          "%s of %s has no such status and message; `ostler fault codes %s` lists "
                          "what it has",
                          w->code, w->action, w->action);
    const char *near = text_nearest(w->code, names);
    return fail_param(c->op.fail, ERR_PARAM_VALUE, "code",
                      "%s has no code '%.100s'%s. `ostler fault codes %s` lists what it has",
                      w->action, w->code, did_you_mean(c, near), w->action);
}

/* Of several dialects the one that knows the code, if only one does. */
static enum err understand(struct call *c, const struct wanted *w, struct meaning *ret)
{
    struct meaning all[8];
    struct codes known = {0};
    size_t n, fitting = 0;

    if (w->dialect && !is_dialect(w->dialect))
        return fail_param(c->op.fail, ERR_PARAM_VALUE, "dialect",
                          "there is no dialect '%.100s': %s", w->dialect, dialect_names(c));
    if (!(n = find_actions(w, all, ARRAY_LEN(all))))
        return no_action(c, w);
    for (size_t i = 0; i < n; i++) {
        if (w->code) {
            known = codes_of(all[i].dialect, all[i].action, c->arena);
            all[i].code = codes_pick(&known, w->code, w->status, w->text);
        }
        if (!w->code || all[i].code) {
            *ret = all[i];
            fitting++;
        }
    }
    if (!fitting)
        return no_code(c, w, &known);
    if (fitting > 1)
        return fail_param(c->op.fail, ERR_NEEDED, "dialect",
                          "more than one dialect has this action; say which: %s (dialect)",
                          dialect_names(c));
    return ERR_NONE;
}

/* ---- asking for one ---- */

struct add_in {
    const char *dialect, *action, *code, *text, *then, *account, *inst;
    int64_t status, times, every, delay_ms, retry_ms;
    double probability;
};

static enum err conflict(struct call *c, const char *param, const char *why)
{
    return fail_param(c->op.fail, ERR_PARAM_CONFLICT, param, "%s", why);
}

static bool has_code(const struct add_in *in)
{
    return in->code && !streq(in->code, "-");
}

static enum err check(struct call *c, const struct add_in *in)
{
    if (!has_code(in) && !in->then && !in->delay_ms)
        return fail_param(c->op.fail, ERR_NEEDED, "code",
                          "it would change nothing: a code, what becomes of the answer (then) or a "
                          "delay is needed");
    if (!has_code(in) && (in->retry_ms || in->status || in->text))
        return conflict(
            c, "code", "status, message and retryAfterMs are said with a refusal; it needs a code");
    if (in->every && in->probability)
        return conflict(c, "probability", "every and probability are two rules; give one");
    if (in->probability &&
        !(in->probability >= 0.000001 && in->probability <= 1)) /* also if it is no number */
        return fail_param(c->op.fail, ERR_PARAM_VALUE, "probability",
                          "probability is from 0.000001 to 1");
    if (store_count(c->op.tx, &rec_fault, &(struct query){0}) >= MAX_FAULTS)
        return fail(c->op.fail, ERR_QUOTA,
                    "there are %d faults, those that are over among them; `ostler fault rm` takes "
                    "some away",
                    MAX_FAULTS);
    return ERR_NONE;
}

/* Whose requests, and about which instance. */
static enum err check_scope(struct call *c, const struct add_in *in)
{
    struct account a;
    struct inst i;
    enum err e = str_empty(in->account) ? ERR_NONE : control_owner(c, in->account, &a);

    return e || !in->inst ? e : inst_get(&c->op, in->inst, &i);
}

static const char *or_none(const char *s)
{
    return s ? s : "";
}

static enum err add(struct call *c, const void *in_, void *out)
{
    const struct add_in *in = in_;
    struct wanted w = {.dialect = in->dialect,
                       .action = in->action,
                       .code = has_code(in) ? in->code : NULL,
                       .text = in->text,
                       .status = (int)in->status};
    struct meaning m = {0};
    struct fault *f = out;
    enum err e;

    if ((e = check(c, in)) || (e = understand(c, &w, &m)) || (e = check_scope(c, in)))
        return e;
    *f = (struct fault){.num = store_next(c->op.tx, "fault"),
                        .dialect = m.dialect->name,
                        .action = m.action ? m.action->name : "*",
                        .code = m.code ? m.code->code : "",
                        .status = m.code ? m.code->status : 0,
                        .message = "",
                        .account = or_none(in->account),
                        .inst = or_none(in->inst),
                        .times = in->times,
                        .every = in->every,
                        .probability = (int64_t)(in->probability * 1000000 + 0.5),
                        .delay_ms = in->delay_ms,
                        .retry_ms = in->retry_ms,
                        .created_at = c->op.now};
    f->id = arena_fmt(c->arena, "fault-%lld", (long long)f->num);
    if (m.code)
        f->message = code_message(m.code, m.action, in->text, c->arena);
    if (in->then)
        (void)fault_fate_read(in->then, &f->fate); /* the field's values are the names */
    store_insert(c->op.tx, &rec_fault, f);
    return ERR_NONE;
}

static void encode_fault(struct call *c, const void *row, struct enc *e)
{
    const struct fault *f = row;

    enc_str(e, "faultId", f->id);
    enc_str(e, "dialect", f->dialect);
    enc_str(e, "action", f->action);
    enc_str_or_null(e, "code", f->code);
    if (*f->code)
        enc_int(e, "status", f->status);
    else
        enc_null(e, "status");
    enc_str_or_null(e, "message", f->message);
    enc_str_or_null(e, "account", f->account);
    enc_str_or_null(e, "instanceId", f->inst);
    enc_int(e, "times", f->times);
    enc_int(e, "every", f->every);
    enc_num(e, "probability", (double)f->probability / 1000000);
    enc_int(e, "delayMs", f->delay_ms);
    enc_int(e, "retryAfterMs", f->retry_ms);
    enc_str_or_null(e, "then", f->fate ? fault_fate_name(f->fate) : "");
    enc_int(e, "seen", f->seen);
    enc_int(e, "given", f->given);
    enc_bool(e, "over", fault_is_over(f));
    control_enc_time(c, e, "createdAt", f->created_at);
}

#define ACTION_FIELD(s)                                                                            \
    F_STR(s, action, "action", .required = true, .max = 128,                                       \
          .text = "As its cloud calls it; \"*\": every action of the dialect.")
#define DIALECT_FIELD(s)                                                                           \
    F_STR(s, dialect, "dialect", .max = 32,                                                        \
          .text = "Needed where several dialects have the action and the code does not tell.")

const struct action op_add_fault = {
    .name = "AddFault",
    .summary = "Asks for an error: what requests of an action are answered, or what becomes of "
               "their answers.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct add_in),
    .out_size = sizeof(struct fault),
    .in = FIELDS(
        ACTION_FIELD(struct add_in), DIALECT_FIELD(struct add_in),
        F_STR(struct add_in, code, "code", .max = 128,
              .text =
                  "Answered instead of doing the action. Without one, or with \"-\", the action "
                  "is done."),
        F_INT(struct add_in, status, "status", .min = 400, .max = 599,
              .text = "Which of several rows of the code."),
        F_STR(struct add_in, text, "message", .min = 1, .max = MAX_TEXT,
              .text = "A part of the message, which tells several rows of the code apart; or what "
                      "fills the places of one."),
        F_INT(struct add_in, times, "times", .min = 1, .max = MAX_TIMES,
              .text = "How often; without it, until it is removed."),
        F_INT(struct add_in, every, "every", .min = 1, .max = MAX_TIMES,
              .text = "Only each so many-th request that it fits."),
        F_NUM(struct add_in, probability, "probability",
              .text = "From 0.000001 to 1; the same seed and order draw alike."),
        F_STR(struct add_in, inst, "instanceId", .format = FMT_ID,
              .text = "Only requests that name this instance."),
        F_STR(struct add_in, account, "account", .format = FMT_ID,
              .text = "Only this account's requests."),
        F_STR(struct add_in, then, "then",
              .values = VALUES("drop", "truncate", "half-close", "garbage", "502", "503", "504"),
              .text = "What becomes of the answer, whichever it is."),
        F_INT(struct add_in, delay_ms, "delayMs", .min = 0, .max = MAX_DELAY_MS,
              .text = "How long the answer waits; what was asked for is done at once."),
        F_INT(struct add_in, retry_ms, "retryAfterMs", .min = 0, .max = MAX_RETRY_MS,
              .text = "Told to the client with the refusal.")),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_QUOTA),
    .run = add,
    .encode = encode_fault,
};

/* ---- what was asked for ---- */

const struct action op_list_faults = {
    .name = "ListFaults",
    .summary = "Lists the faults that were asked for, in their order, and how often they struck.",
    .perm = PERM_CONTROL,
    .in = LISTING_FIELDS(.text = "Only those for this account's requests."),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    LISTING(.rec = &rec_fault, .order = "num", .limit = MAX_FAULTS, .list = "faults",
            .item = "fault", .encode = encode_fault),
};

struct remove_in {
    const char *id;
};

static enum err remove_one(struct call *c, const void *in_, void *out)
{
    const struct remove_in *in = in_;
    struct fault f;

    (void)out;
    if (!store_get(c->op.tx, &rec_fault, in->id, &f))
        return fail_not_there(c->op.fail, "faultId", "fault", in->id);
    store_delete(c->op.tx, &rec_fault, f.id);
    return ERR_NONE;
}

const struct action op_remove_fault = {
    .name = "RemoveFault",
    .summary = "Takes one fault away.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct remove_in),
    .in = FIELDS(F_STR(struct remove_in, id, "faultId", .required = true, .format = FMT_ID)),
    .errors = ERRORS(ERR_NOT_THERE),
    .rows = CONTROL_NOT_THERE("FaultNotFound"),
    .run = remove_one,
};

struct remove_out {
    int64_t n;
};

static enum err remove_all(struct call *c, const void *in_, void *out_)
{
    const struct listing_in *in = in_;
    struct remove_out *out = out_;
    struct query q = {0};
    enum err e = control_scope(c, in->account);

    if (e)
        return e;
    if (c->op.account)
        query_text(&q, "account", CMP_EQ, c->op.account);
    out->n = store_count(c->op.tx, &rec_fault, &q);
    store_delete_all(c->op.tx, &rec_fault, &q);
    return ERR_NONE;
}

static void encode_removed(struct call *c, const void *out, struct enc *e)
{
    (void)c;
    enc_int(e, "removed", ((const struct remove_out *)out)->n);
}

const struct action op_remove_faults = {
    .name = "RemoveFaults",
    .summary = "Takes all faults away.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct listing_in),
    .out_size = sizeof(struct remove_out),
    .in = LISTING_FIELDS(.text = "Only those for this account's requests."),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    .run = remove_all,
    .encode = encode_removed,
};

/* ---- what there is to ask for ---- */

struct codes_in {
    const char *dialect, *action;
};

struct codes_out {
    struct {
        const char *dialect;
        struct codes codes;
    } of[8];
    size_t n;
};

static enum err list_codes(struct call *c, const void *in_, void *out_)
{
    const struct codes_in *in = in_;
    struct codes_out *out = out_;
    struct wanted w = {.dialect = in->dialect, .action = in->action};
    struct meaning all[ARRAY_LEN(out->of)];

    if (w.dialect && !is_dialect(w.dialect))
        return fail_param(c->op.fail, ERR_PARAM_VALUE, "dialect",
                          "there is no dialect '%.100s': %s", w.dialect, dialect_names(c));
    if (!(out->n = find_actions(&w, all, ARRAY_LEN(all))))
        return no_action(c, &w);
    for (size_t i = 0; i < out->n; i++) {
        out->of[i].dialect = all[i].dialect->name;
        out->of[i].codes = codes_of(all[i].dialect, all[i].action, c->arena);
    }
    return ERR_NONE;
}

static void encode_codes(struct call *c, const void *out_, struct enc *e)
{
    const struct codes_out *out = out_;

    enc_list(e, "codes", "code");
    for (size_t i = 0; i < out->n; i++)
        for (size_t k = 0; k < out->of[i].codes.n; k++) {
            const struct code *code = &out->of[i].codes.v[k];

            enc_obj(e, NULL);
            enc_str(e, "dialect", out->of[i].dialect);
            enc_int(e, "status", code->status);
            enc_str(e, "code", code->code);
            enc_str(e, "message", code_shown(code, c->arena));
            enc_end(e);
        }
    enc_end(e);
}

const struct action op_list_fault_codes = {
    .name = "ListFaultCodes",
    .summary = "Lists every code that an action can be given, documented ones first.",
    .perm = PERM_CONTROL,
    .access = ACCESS_READ,
    .in_size = sizeof(struct codes_in),
    .out_size = sizeof(struct codes_out),
    .in = FIELDS(ACTION_FIELD(struct codes_in), DIALECT_FIELD(struct codes_in)),
    .run = list_codes,
    .encode = encode_codes,
};
