/* One verb on many instances, in one transaction. */
#include "dialect/alibaba/batch.h"

#include "dialect/alibaba/region.h"
#include "dialect/alibaba/status.h"

/*
 * An instance of another region is as unknown here as one that does not exist, except to a release,
 * which has an error of its own for it.
 */
static enum err find_inst(struct call *c, const char *region, enum verb v, const char *id,
                          struct inst *ret)
{
    bool release = v == VERB_RELEASE || v == VERB_FORCE_RELEASE;
    enum err e = inst_get(&c->op, id, ret);

    if (!e && !streq(ret->region, region))
        e = fail_param(&c->fail, release ? ERR_PARAM_CONFLICT : ERR_INST_NOT_FOUND, "InstanceId",
                       "the instance '%s' is not in '%s'", id, region);
    return e;
}

static enum err do_one(struct call *c, const char *region, enum verb v, unsigned flags,
                       struct batch_entry *entry)
{
    struct inst before, after;
    enum err e = find_inst(c, region, v, entry->id, &before);

    if (e)
        return e;
    after = before;
    e = inst_power(&c->op, entry->id, v, power_flags(c, &before, flags), NULL, &after);
    entry->before = status_word(before.state);
    entry->after = status_word(after.state);
    return e;
}

/* c->fail in the words of the action on a single instance, whose table of errors may differ. */
static void say_refusal(struct call *c, const struct action *one, struct batch_entry *entry)
{
    const struct action *many = c->action;

    c->action = one;
    struct said said = errors_say(c, call_err_row(c));
    c->action = many;
    entry->code = said.code;
    entry->message = said.message;
}

static const struct batch_entry *said_before(const struct batch_out *out, const char *id)
{
    for (size_t i = 0; i < out->n; i++)
        if (streq(out->v[i].id, id))
            return &out->v[i];
    return NULL;
}

/* The server itself failed: that is nobody's entry. */
static bool is_ours(enum err e)
{
    return e == ERR_INTERNAL || e == ERR_UNAVAILABLE;
}

/*
 * A dry run does everything and then refuses, so that nothing of it stays: only so does it also see
 * what one instance takes from the next, like the last free memory.
 */
enum err batch_run(struct call *c, const struct batch_in *in, enum verb v, unsigned flags,
                   const struct action *one, struct batch_out *ret)
{
    bool each_alone = in->optimization && streq(in->optimization, "SuccessFirst");
    enum err e = region_check(c, in->region);

    if (e)
        return e;
    *ret = (struct batch_out){.v = ARENA_ARRAY(c->arena, struct batch_entry, in->ids.n)};
    for (size_t i = 0; i < in->ids.n; i++) {
        const struct batch_entry *again = said_before(ret, in->ids.v[i]);
        struct batch_entry entry = {in->ids.v[i], "", "", "200", "success"};

        if (again) {
            entry = *again;
        } else {
            e = do_one(c, in->region, v, flags, &entry);

            if (e && (!each_alone || is_ours(e)))
                return e;
            if (e)
                say_refusal(c, one, &entry);
        }
        ret->v[ret->n++] = entry;
    }
    if (in->dry_run)
        return fail(&c->fail, ERR_DRY_RUN, "Every check passed; nothing was changed.");
    return ERR_NONE;
}

void batch_encode(struct call *c, const void *out_, struct enc *e)
{
    const struct batch_out *out = out_;
    (void)c;

    enc_list(e, "InstanceResponses", "InstanceResponse");
    for (size_t i = 0; i < out->n; i++) {
        enc_obj(e, NULL);
        enc_str(e, "InstanceId", out->v[i].id);
        enc_str(e, "PreviousStatus", out->v[i].before);
        enc_str(e, "CurrentStatus", out->v[i].after);
        enc_str(e, "Code", out->v[i].code);
        enc_str(e, "Message", out->v[i].message);
        enc_end(e);
    }
    enc_end(e);
}
