/* Which operation an engine's fault strikes. */
#include "core/engine_fault.h"

#include "core/inst.h"

/* The word that a fault is asked for by stands for every form of the operation. */
static enum verb plain(enum verb v)
{
    static const enum verb forms[VERB_COUNT] = {[VERB_CREATE] = VERB_CREATE,
                                                [VERB_START] = VERB_START,
                                                [VERB_STOP] = VERB_STOP,
                                                [VERB_REBOOT] = VERB_REBOOT,
                                                [VERB_FORCE_REBOOT] = VERB_REBOOT,
                                                [VERB_RELEASE] = VERB_RELEASE,
                                                [VERB_FORCE_RELEASE] = VERB_RELEASE,
                                                [VERB_RECYCLE] = VERB_RELEASE};

    return forms[v];
}

static bool any_or(const char *wanted, const char *is)
{
    return !*wanted || streq(wanted, is);
}

static bool strikes(const struct engine_fault *f, const struct inst *in, enum verb v)
{
    if (f->times && f->given >= f->times)
        return false;
    if (f->kind == ENGINE_BREAK && v != VERB_START)
        return false;
    return (f->verb == VERB_NONE || f->verb == v) && any_or(f->account, in->account) &&
           any_or(f->inst, in->id) && any_or(f->zone, in->zone);
}

const char *engine_fault_strike(struct op *op, const struct inst *in, enum verb v)
{
    struct query q = {.order = "num"};
    size_t n;

    if (!op->core->settings.controls)
        return "";
    struct engine_fault *all = store_find(op->tx, &rec_engine_fault, &q, &n);
    for (size_t i = 0; i < n; i++) {
        if (!strikes(&all[i], in, plain(v)))
            continue;
        all[i].given++;
        store_update(op->tx, &rec_engine_fault, &all[i]);
        event_append(op, in->id, "engine-fault",
                     arena_fmt(op->arena, "%s: %s of %s", all[i].id,
                               engine_fault_kind_name(all[i].kind), verb_name(v)));
        return all[i].id;
    }
    return "";
}

enum err engine_fault_add(struct op *op, struct engine_fault *f)
{
    struct inst in;
    enum err e;

    if (*f->zone && !catalog_zone(op->core->catalog, f->zone))
        return fail(op->fail, ERR_ZONE_NOT_FOUND, "there is no zone '%s'", f->zone);
    if (*f->inst && (e = inst_get(op, f->inst, &in)))
        return e;
    f->account = op->account ? op->account : "";
    f->num = store_next(op->tx, "engine-fault");
    f->id = arena_fmt(op->arena, "ef-%lld", (long long)f->num);
    f->created_at = op->now;
    store_insert(op->tx, &rec_engine_fault, f);
    event_append(op, f->id, "engine-fault-added", engine_fault_kind_name(f->kind));
    return ERR_NONE;
}

enum err engine_fault_remove(struct op *op, const char *id)
{
    struct engine_fault f;

    if (!store_get(op->tx, &rec_engine_fault, id, &f) ||
        (op->account && !streq(f.account, op->account)))
        return fail_param(
            op->fail, ERR_PARAM_VALUE, "faultId",
            "there is no engine fault '%s'; `ostler engine-fault ls` lists what there "
            "is",
            id);
    store_delete(op->tx, &rec_engine_fault, id);
    event_append(op, id, "engine-fault-removed", NULL);
    return ERR_NONE;
}
