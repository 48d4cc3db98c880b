/* Failures of the engine, asked for. */
#include "core/engine_fault.h"

#include "control/listing.h"

enum { DELAY_MAX_MS = 30 * 24 * 3600 * 1000LL };

static const char *const verb_words[] = {"*", "create", "start", "stop", "reboot", "release", NULL};
static const enum verb verbs[] = {VERB_NONE, VERB_CREATE, VERB_START,
                                  VERB_STOP, VERB_REBOOT, VERB_RELEASE};

static enum verb verb_of(const char *word)
{
    for (size_t i = 0; verb_words[i]; i++)
        if (streq(verb_words[i], word))
            return verbs[i];
    return VERB_NONE;
}

static const char *word_of(enum verb v)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (verbs[i] == v)
            return verb_words[i];
    return "?";
}

static enum engine_fault_kind kind_of(const char *word)
{
    for (int k = 0; k < ENGINE_KINDS; k++)
        if (streq(word, engine_fault_kind_name((enum engine_fault_kind)k)))
            return (enum engine_fault_kind)k;
    return ENGINE_FAIL;
}

/* ---- adding ---- */

struct add_in {
    const char *verb, *kind, *text, *inst, *zone, *account;
    int64_t delay_ms, times;
};

static enum err check(struct call *c, const struct add_in *in, enum engine_fault_kind kind)
{
    if (kind == ENGINE_DELAY && !in->delay_ms)
        return fail_param(c->op.fail, ERR_NEEDED, "delayMs", "a delay wants `delayMs`");
    if (in->delay_ms && kind != ENGINE_DELAY && kind != ENGINE_FAIL)
        return fail_param(c->op.fail, ERR_PARAM_CONFLICT, "delayMs",
                          "`delayMs` goes with `delay` and `fail` only");
    if (in->text && kind != ENGINE_FAIL)
        return fail_param(c->op.fail, ERR_PARAM_CONFLICT, "text",
                          "`text` is the error of `fail`; a %s has none", in->kind);
    if (kind == ENGINE_BREAK && !streq(in->verb, "start") && !streq(in->verb, "*"))
        return fail_param(c->op.fail, ERR_PARAM_CONFLICT, "verb",
                          "only a start can be broken; use `fail` for a %s", in->verb);
    return ERR_NONE;
}

static enum err add(struct call *c, const void *in_, void *out_)
{
    const struct add_in *in = in_;
    struct engine_fault *f = out_;
    enum engine_fault_kind kind = kind_of(in->kind);
    enum err e = control_scope(c, in->account);

    if (e || (e = check(c, in, kind)))
        return e;
    *f = (struct engine_fault){.verb = verb_of(in->verb),
                               .kind = kind,
                               .inst = in->inst ? in->inst : "",
                               .zone = in->zone ? in->zone : "",
                               .detail = in->text ? in->text : "",
                               .delay_ms = in->delay_ms,
                               .times = in->times};
    return engine_fault_add(&c->op, f);
}

static void encode_added(struct call *c, const void *out_, struct enc *e)
{
    const struct engine_fault *f = out_;

    (void)c;
    enc_str(e, "faultId", f->id);
}

const struct action op_add_engine_fault = {
    .name = "AddEngineFault",
    .summary = "Lets operations of the engine fail, hang, take longer, or start broken machines.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct add_in),
    .out_size = sizeof(struct engine_fault),
    .in = FIELDS(
        F_STR(struct add_in, verb, "verb", .required = true, .values = verb_words,
              .text = "The operation; release is also the way into the recycle bin. *: any."),
        F_STR(struct add_in, kind, "kind", .required = true,
              .values = VALUES("fail", "hang", "delay", "break")),
        F_STR(struct add_in, text, "text", .min = 1, .max = 500,
              .text = "With fail: the error's sentence."),
        F_INT(struct add_in, delay_ms, "delayMs", .min = 1, .max = DELAY_MAX_MS,
              .text = "With delay, and before the error of fail."),
        F_INT(struct add_in, times, "times", .min = 0, .max = 1000000,
              .text = "How many operations it strikes; 0: all."),
        F_STR(struct add_in, inst, "instanceId", .format = FMT_ID),
        F_STR(struct add_in, zone, "zone", .format = FMT_ID),
        F_STR(struct add_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_INST_NOT_FOUND, ERR_ZONE_NOT_FOUND, ERR_NEEDED,
                     ERR_PARAM_CONFLICT),
    .run = add,
    .encode = encode_added,
};

/* ---- listing ---- */

static void encode_fault(struct call *c, const void *row, struct enc *e)
{
    const struct engine_fault *f = row;

    enc_str(e, "faultId", f->id);
    enc_str(e, "verb", word_of(f->verb));
    enc_str(e, "kind", engine_fault_kind_name(f->kind));
    enc_str(e, "text", f->detail);
    enc_int(e, "delayMs", f->delay_ms);
    enc_str(e, "instanceId", f->inst);
    enc_str(e, "zone", f->zone);
    enc_str(e, "account", f->account);
    enc_int(e, "times", f->times);
    enc_int(e, "given", f->given);
    control_enc_time(c, e, "createdAt", f->created_at);
}

const struct action op_list_engine_faults = {
    .name = "ListEngineFaults",
    .summary = "Lists the engine's faults, oldest first: in this order they are looked at.",
    .perm = PERM_CONTROL,
    .in = LISTING_FIELDS(),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND),
    LISTING(.rec = &rec_engine_fault, .order = "num", .list = "faults", .item = "fault",
            .encode = encode_fault),
};

/* ---- removing ---- */

struct remove_in {
    const char *account, *id;
};

static enum err run_remove(struct call *c, const void *in_, void *out)
{
    const struct remove_in *in = in_;
    enum err e = control_scope(c, in->account);

    (void)out;
    return e ? e : engine_fault_remove(&c->op, in->id);
}

const struct action op_remove_engine_fault = {
    .name = "RemoveEngineFault",
    .summary = "Removes a fault of the engine; what it holds back goes on.",
    .perm = PERM_CONTROL,
    .access = ACCESS_WRITE,
    .in_size = sizeof(struct remove_in),
    .in = FIELDS(F_STR(struct remove_in, id, "faultId", .required = true, .format = FMT_ID),
                 F_STR(struct remove_in, account, "account", .format = FMT_ID)),
    .errors = ERRORS(ERR_ACCOUNT_NOT_FOUND, ERR_NOT_THERE),
    .rows = CONTROL_NOT_THERE("EngineFaultNotFound"),
    .run = run_remove,
};
