/* Everything goes but credentials and images; or one account's things. */
#include "core/reset.h"

#include "core/capacity.h"
#include "core/inst.h"
#include "core/jobs.h"

/* Counters, so that nothing is given twice. It is not a record otherwise. */
static const struct record rec_sequence = {.table = "sequence"};

/* Credentials, and what is the directory's and the server's own. */
static const struct record *const kept[] = {&rec_account, &rec_access_key, &rec_kms_key,
                                            &rec_image,   &rec_nonce,      &rec_leftover,
                                            &rec_chore,   &rec_sequence,   NULL};

/* Of an account; its instances have been released. */
static const struct record *const kept_of_one[] = {&rec_inst, &rec_access_key, &rec_kms_key,
                                                   &rec_image, NULL};

static void delete_where(struct op *op, const struct record *rec, const char *column, enum cmp cmp,
                         const char *value)
{
    struct query q = {0};

    query_text(&q, column, cmp, value);
    store_delete_all(op->tx, rec, &q);
}

/* As account_create made it. */
static void account_as_new(struct op *op, struct account *a)
{
    struct query mine = {0};
    size_t n;

    a->recycle_bin = false;
    a->recycle_hours = ACCOUNT_RECYCLE_HOURS;
    store_update(op->tx, &rec_account, a);
    query_text(&mine, "account", CMP_EQ, a->id);
    struct kms_key *keys = store_find(op->tx, &rec_kms_key, &mine, &n);
    for (size_t i = 0; i < n; i++) {
        if (!keys[i].is_default) {
            store_delete(op->tx, &rec_kms_key, keys[i].id);
            continue;
        }
        keys[i].enabled = keys[i].granted = true;
        keys[i].untagged = keys[i].removed = false;
        store_update(op->tx, &rec_kms_key, &keys[i]);
    }
}

void reset_all(struct op *op)
{
    struct account first;

    store_clear_but(op->tx, kept);
    if (!store_first(op->tx, &rec_account, &(struct query){.order = "created_at,id"}, &first))
        return;
    delete_where(op, &rec_account, "id", CMP_NE, first.id);
    delete_where(op, &rec_access_key, "account", CMP_NE, first.id);
    delete_where(op, &rec_kms_key, "account", CMP_NE, first.id);
    account_as_new(op, &first);
    event_append(op, first.id, "reset", NULL);
}

/* What is kept for a later instance goes, too. */
static void let_disks_go(struct op *op, const char *inst)
{
    size_t n;
    struct disk *disks = inst_disks(op, inst, &n);

    for (size_t i = 0; i < n; i++)
        if (!disks[i].delete_with_inst) {
            disks[i].delete_with_inst = true;
            store_update(op->tx, &rec_disk, &disks[i]);
        }
}

/* On its way out, and nothing that was asked for may keep it. */
static bool leaves(struct op *op, const struct inst *in)
{
    struct job job;

    return in->verb == VERB_FORCE_RELEASE && job_get(op, in->id, &job) && !*job.fault;
}

int64_t account_release(struct op *op, const char *account)
{
    struct query mine = {0};
    size_t n;

    query_text(&mine, "account", CMP_EQ, account);
    struct inst *insts = store_find(op->tx, &rec_inst, &mine, &n);
    for (size_t i = 0; i < n; i++) {
        struct job job = {.force = true, .fault = ""};

        if (leaves(op, &insts[i]))
            continue;
        let_disks_go(op, insts[i].id);
        job_begin(op, &insts[i], VERB_FORCE_RELEASE, INST_RELEASING, &job);
    }
    return (int64_t)n;
}

void account_clear(struct op *op, const char *account)
{
    struct account a;

    store_clear_of(op->tx, "account", account, kept_of_one);
    capacity_forget(op, account);
    if (store_get(op->tx, &rec_account, account, &a))
        account_as_new(op, &a);
}

void account_delete(struct op *op, const char *account)
{
    static const struct record *const credentials[] = {&rec_access_key, &rec_kms_key};

    for (size_t i = 0; i < ARRAY_LEN(credentials); i++)
        delete_where(op, credentials[i], "account", CMP_EQ, account);
    store_delete(op->tx, &rec_account, account);
    event_append(op, account, "account-removed", NULL);
}
