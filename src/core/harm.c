/* Harm that was asked for, until it is done. */
#include "core/harm.h"

#include "core/inst.h"
#include "core/jobs.h"

static bool pending(struct op *op, const char *inst, struct harm *ret)
{
    return store_get(op->tx, &rec_harm, inst, ret) && !*ret->error;
}

/* Takes the place of one that failed. */
static enum err put(struct op *op, struct harm *h)
{
    struct harm old;

    if (pending(op, h->inst, &old))
        return fail(op->fail, ERR_INST_BUSY, "something else is being done to '%s'; ask again",
                    h->inst);
    store_delete(op->tx, &rec_harm, h->inst);
    h->error = "";
    h->created_at = op->now;
    store_insert(op->tx, &rec_harm, h);
    return ERR_NONE;
}

enum err harm_ask(struct op *op, const char *id, enum harm_kind kind)
{
    struct inst in;
    enum err e = inst_get(op, id, &in);

    if (!e && in.state != INST_RUNNING)
        e = fail(op->fail, ERR_INST_STATE, "the instance is %s; only a running machine can %s",
                 inst_state_name(in.state), kind == HARM_PANIC ? "panic" : "die");
    if (!e)
        e = put(op, &(struct harm){.inst = in.id, .kind = kind});
    if (!e)
        event_append(op, in.id, kind == HARM_PANIC ? "panic-asked" : "death-asked", NULL);
    return e;
}

/* Its place among the machine's disks, as the engine counts them. */
static int64_t place_of(struct op *op, const struct disk *d)
{
    size_t n;
    const struct disk *disks = inst_disks(op, d->inst, &n);

    for (size_t i = 0; i < n; i++)
        if (streq(disks[i].id, d->id))
            return (int64_t)i;
    return 0;
}

/* The machine of a job under way may have been told its disks, or not. */
static bool is_stable(enum inst_state s)
{
    return s == INST_RUNNING || s == INST_STOPPED || s == INST_RECYCLED;
}

enum err disk_set_trouble(struct op *op, const char *id, enum disk_trouble t,
                          const char **ret_asked)
{
    static const char *const events[] = {
        [DISK_SOUND] = "disk-sound", [DISK_ERRORS] = "disk-errors", [DISK_FULL] = "disk-full"};
    struct disk d;
    struct inst in;
    enum err e;

    *ret_asked = NULL;
    if (!store_get(op->tx, &rec_disk, id, &d) || (op->account && !streq(d.account, op->account)))
        return fail(op->fail, ERR_DISK_NOT_FOUND, "there is no disk '%s'", id);
    if (d.trouble == t)
        return ERR_NONE;
    bool has_inst = *d.inst && store_get(op->tx, &rec_inst, d.inst, &in);
    if (has_inst && !is_stable(in.state))
        return fail(op->fail, ERR_INST_BUSY, "'%s' is in another operation (%s); ask again", in.id,
                    verb_name(in.verb));
    d.trouble = t;
    store_update(op->tx, &rec_disk, &d);
    event_append(op, id, events[t], NULL);
    if (!has_inst || in.state != INST_RUNNING || !op->core->settings.controls)
        return ERR_NONE; /* it is told when it starts */
    if ((e = put(op,
                 &(struct harm){
                     .inst = in.id, .kind = HARM_DISK, .disk = place_of(op, &d), .trouble = t})))
        return e;
    *ret_asked = in.id;
    return ERR_NONE;
}

enum err harm_end(struct op *op, const char *inst, const char *error)
{
    struct harm h;

    if (!pending(op, inst, &h))
        return ERR_NONE;
    if (!error) {
        store_delete(op->tx, &rec_harm, inst);
        return ERR_NONE;
    }
    h.error = error;
    store_update(op->tx, &rec_harm, &h);
    event_append(op, inst, "harm-failed", error);
    return ERR_NONE;
}

void harm_over(struct op *op, const char *inst)
{
    if (op->core->settings.controls)
        store_delete(op->tx, &rec_harm, inst);
}

bool harm_settled(struct op *op, const char *inst, enum err *ret_e)
{
    struct harm h;

    if (!store_get(op->tx, &rec_harm, inst, &h))
        return true;
    if (!*h.error)
        return false;
    *ret_e = fail(op->fail, ERR_INST_STATE, "it could not be done: %s", h.error);
    return true;
}
