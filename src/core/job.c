/* Jobs: begun with the state, ended with the state. */
#include "core/jobs.h"

#include "core/billing.h"
#include "core/capacity.h"
#include "core/engine_fault.h"
#include "core/harm.h"
#include "core/inst.h"
#include "core/network.h"

struct disk *inst_disks(struct op *op, const char *inst, size_t *ret_n)
{
    struct query q = {.order = "slot"};

    query_text(&q, "inst", CMP_EQ, inst);
    return store_find(op->tx, &rec_disk, &q, ret_n);
}

void job_begin(struct op *op, struct inst *in, enum verb v, enum inst_state state, struct job *job)
{
    struct job old;

    job->inst = in->id;
    job->id = store_next(op->tx, "job");
    job->account = in->account;
    job->verb = v;
    job->request_id = op->request_id ? op->request_id : "";
    job->created_at = op->now;
    if (!job->fault) /* "": none may strike it */
        job->fault = engine_fault_strike(op, in, v);
    if (store_get(op->tx, &rec_job, in->id, &old)) {
        job->reset_local |= old.reset_local; /* its disks may have been made anew already */
        store_update(op->tx, &rec_job, job);
    } else
        store_insert(op->tx, &rec_job, job);
    in->state = state;
    in->verb = v;
    store_update(op->tx, &rec_inst, in);
    event_append(op, in->id, verb_name(v), inst_state_name(state));
}

bool job_get(struct op *op, const char *inst, struct job *ret)
{
    return store_get(op->tx, &rec_job, inst, ret);
}

static void each_disk(struct op *op, const char *inst, void (*change)(struct disk *d))
{
    size_t n;
    struct disk *disks = inst_disks(op, inst, &n);

    for (size_t i = 0; i < n; i++) {
        change(&disks[i]);
        store_update(op->tx, &rec_disk, &disks[i]);
    }
}

static void made(struct disk *d)
{
    d->status = DISK_IN_USE;
}

static void mended(struct disk *d)
{
    if (d->kind == DISK_LOCAL)
        d->failed = false;
}

/* An instance is gone: its disks go with it or stay behind, free. */
static void erase(struct op *op, const struct inst *in)
{
    size_t n;
    struct disk *disks = inst_disks(op, in->id, &n);

    for (size_t i = 0; i < n; i++) {
        if (disks[i].delete_with_inst || (in->locks & LOCK_SECURITY)) {
            store_delete(op->tx, &rec_disk, disks[i].id);
            continue;
        }
        disks[i].inst = "";
        disks[i].status = DISK_AVAILABLE;
        store_update(op->tx, &rec_disk, &disks[i]);
    }
    network_give_back(op, in);
    billing_end(op, in);
    store_delete(op->tx, &rec_inst, in->id);
    harm_over(op, in->id);
    event_append(op, in->id, "released", NULL);
}

/* Where an instance is after its job. The job is still to be removed. */
static void settle(struct op *op, struct inst *in, const struct job *job, bool ok)
{
    switch (job->verb) {
    case VERB_CREATE:
        in->state = INST_STOPPED;
        if (ok)
            each_disk(op, in->id, made);
        if (!ok)
            in->birth = BIRTH_FAILED;
        else if (!job->then_start)
            in->birth = BIRTH_DONE;
        break;
    case VERB_START:
    case VERB_REBOOT:
    case VERB_FORCE_REBOOT:
        in->state = ok ? INST_RUNNING : INST_STOPPED;
        if (ok || in->birth == BIRTH_PENDING)
            in->birth = ok ? BIRTH_DONE : BIRTH_FAILED;
        if (ok)
            in->started_at = op->now;
        if (ok && job->reset_local)
            each_disk(op, in->id, mended);
        break;
    case VERB_STOP:
        in->state = ok ? INST_STOPPED : INST_RUNNING;
        break;
    case VERB_RECYCLE:
        in->state = ok ? INST_RECYCLED : INST_STOPPED;
        in->recycled_at = ok ? op->now : 0;
        if (ok)
            billing_binned(op, in);
        break;
    case VERB_RELEASE:
    case VERB_FORCE_RELEASE:
        in->state = in->recycled_at ? INST_RECYCLED : INST_STOPPED; /* only when it failed */
        break;
    case VERB_NONE:
    case VERB_COUNT:
        break;
    }
}

/* A new instance that is to run: its start follows its making, unless the host is full. */
static bool start_next(struct op *op, struct inst *in)
{
    struct job job = {0};
    struct fail why = {0};
    struct op asked = *op;

    asked.fail = &why;
    if (may_start(&asked, in)) {
        in->last_op = verb_name(VERB_START);
        in->last_error = arena_str(op->arena, why.detail);
        in->birth = BIRTH_FAILED;
        return false;
    }
    job_begin(op, in, VERB_START, INST_STARTING, &job);
    return true;
}

/* What an engine did is its owner's event. */
static struct op of_owner(const struct op *op, const struct inst *in)
{
    struct op theirs = *op;

    theirs.account = in->account;
    return theirs;
}

enum err job_end(struct op *op, const char *inst, int64_t job_id, const char *error,
                 int64_t ssh_port, bool *ret_next)
{
    struct inst in;
    struct job job;

    *ret_next = false;
    if (!store_get(op->tx, &rec_job, inst, &job))
        return ERR_NONE;
    if (job.id != job_id) { /* another has taken its place meanwhile */
        *ret_next = true;
        return ERR_NONE;
    }
    store_delete(op->tx, &rec_job, inst);
    if (!store_get(op->tx, &rec_inst, inst, &in))
        return ERR_NONE;
    struct op owner = of_owner(op, &in);
    op = &owner;
    if (!error && (job.verb == VERB_RELEASE || job.verb == VERB_FORCE_RELEASE)) {
        erase(op, &in);
        return ERR_NONE;
    }
    settle(op, &in, &job, !error);
    in.verb = VERB_NONE;
    in.last_op = verb_name(job.verb);
    in.last_error = error ? error : "";
    in.last_op_at = op->now;
    if (ssh_port)
        in.ssh_port = ssh_port;
    if (job.verb == VERB_CREATE && job.then_start && !error)
        *ret_next = start_next(op, &in);
    store_update(op->tx, &rec_inst, &in);
    event_append(op, inst, error ? "failed" : "done", error ? error : inst_state_name(in.state));
    if (job.verb != VERB_STOP && must_stop(op, &in)) { /* a stop that failed is not tried again */
        stop_running(op, &in);
        *ret_next = true;
    }
    return ERR_NONE;
}

enum err job_halfway(struct op *op, const char *inst, int64_t job_id)
{
    struct inst in;
    struct job job;

    if (!store_get(op->tx, &rec_job, inst, &job) || job.id != job_id ||
        !store_get(op->tx, &rec_inst, inst, &in) || in.state != INST_REBOOTING)
        return ERR_NONE;
    in.state = INST_RESTARTING;
    store_update(op->tx, &rec_inst, &in);
    return ERR_NONE;
}

enum err inst_stopped(struct op *op, const char *inst, const char *reason)
{
    struct inst in;

    if (!store_get(op->tx, &rec_inst, inst, &in) || in.state != INST_RUNNING)
        return ERR_NONE;
    in.state = INST_STOPPED;
    struct op owner = of_owner(op, &in);
    in.last_op = "run";
    in.last_error = reason;
    in.last_op_at = op->now;
    store_update(op->tx, &rec_inst, &in);
    harm_over(op, inst);
    event_append(&owner, inst, "stopped", reason);
    return ERR_NONE;
}

enum err inst_renewed(struct op *op, const char *inst, int64_t ssh_port)
{
    struct inst in;

    if (!store_get(op->tx, &rec_inst, inst, &in) || !ssh_port)
        return ERR_NONE;
    in.ssh_port = ssh_port;
    store_update(op->tx, &rec_inst, &in);
    return ERR_NONE;
}

enum err inst_waits(struct op *op, const char *inst, const char *why)
{
    struct inst in;

    if (!store_get(op->tx, &rec_inst, inst, &in) || in.state != INST_RUNNING)
        return ERR_NONE;
    if (!why && (!*in.last_error || !streq(in.last_op, "run")))
        return ERR_NONE; /* it did not wait */
    in.last_op = "run";
    in.last_error = why ? why : "";
    in.last_op_at = op->now;
    store_update(op->tx, &rec_inst, &in);
    event_append(op, inst, why ? "waits" : "goes-on", why);
    return ERR_NONE;
}
