/* What the server does besides answering: who goes beside whom, and what resets take away. */
#include "check.h"

#include "core/chore.h"
#include "core/keypair.h"
#include "core/reset.h"
#include "world.h"

static int setup(void **state)
{
    *state = test_world_new();
    return 0;
}

static int teardown(void **state)
{
    test_world_free(*state);
    return 0;
}

struct asked {
    const char *key;
    enum chore_kind kind;
    int64_t id;
};

static enum err ask(struct op *op, void *arg)
{
    struct asked *a = arg;

    return chore_begin(op, &(struct chore){.key = a->key, .kind = a->kind, .name = "x"}, &a->id);
}

static enum err end_well(struct op *op, void *arg)
{
    chore_go_on(op, arg, CHORE_DONE, ERR_NONE, NULL);
    return ERR_NONE;
}

static enum err end_badly(struct op *op, void *arg)
{
    chore_go_on(op, arg, CHORE_DONE, ERR_SNAPSHOT_UNUSABLE, "too old");
    return ERR_NONE;
}

static enum err is_over(struct op *op, void *arg)
{
    const struct asked *a = arg;
    enum err e = ERR_NONE;

    return chore_over(op, a->key, a->id, &e) ? e : ERR_QUOTA;
}

static void one_of_the_whole_goes_beside_no_other(void **state)
{
    struct test_world *w = *state;
    struct asked load = {"", CHORE_LOAD, 0}, save = {"", CHORE_SAVE, 0},
                 mine = {"1", CHORE_RESET, 0}, theirs = {"2", CHORE_REMOVE, 0},
                 again = {"1", CHORE_REMOVE, 0};

    assert_int_equal(test_write(w, ask, &load), ERR_NONE);
    assert_int_equal(test_write(w, ask, &save), ERR_UNAVAILABLE);
    assert_non_null(strstr(w->fail.detail, "loading the snapshot 'x'"));
    assert_int_equal(test_write(w, ask, &mine), ERR_UNAVAILABLE);
    assert_int_equal(test_read(w, is_over, &load), ERR_QUOTA);
    assert_int_equal(test_write(w, end_badly, (void *)""), ERR_NONE);
    assert_int_equal(test_read(w, is_over, &load), ERR_SNAPSHOT_UNUSABLE);
    assert_string_equal(w->fail.detail, "too old");

    assert_int_equal(test_write(w, ask, &mine), ERR_NONE);
    assert_int_equal(test_write(w, ask, &theirs), ERR_NONE);
    assert_int_equal(test_write(w, ask, &again), ERR_UNAVAILABLE);
    assert_non_null(strstr(w->fail.detail, "the account '1' is being reset"));
    assert_int_equal(test_write(w, ask, &save), ERR_UNAVAILABLE);
    assert_int_equal(test_write(w, end_well, (void *)"1"), ERR_NONE);
    assert_int_equal(test_read(w, is_over, &mine), ERR_NONE);
    assert_int_equal(test_write(w, ask, &again), ERR_NONE);
    assert_true(again.id > mine.id);
    assert_int_equal(test_read(w, is_over, &mine),
                     ERR_NONE); /* told late, with another under way */
    assert_int_equal(test_read(w, is_over, &again), ERR_QUOTA);
    assert_int_equal(test_read(w, is_over, &load), ERR_SNAPSHOT_UNUSABLE);
    for (int i = 0; i < 300; i++) {
        assert_int_equal(test_write(w, end_well, (void *)again.key), ERR_NONE);
        assert_int_equal(test_write(w, ask, &again), ERR_NONE);
    }
    assert_int_equal(test_read(w, is_over, &mine), ERR_UNAVAILABLE); /* but not for ever */
}

/* ---- what goes, what stays ---- */

struct counts {
    int64_t accounts, keys, kms, insts, disks, keypairs, subnets, addresses, images, granted;
};

static enum err count(struct op *op, void *arg)
{
    struct query all = {0}, granted = {0};
    struct counts *c = arg;

    query_num(&granted, "granted", CMP_EQ, 1);
    c->accounts = store_count(op->tx, &rec_account, &all);
    c->keys = store_count(op->tx, &rec_access_key, &all);
    c->kms = store_count(op->tx, &rec_kms_key, &all);
    c->granted = store_count(op->tx, &rec_kms_key, &granted);
    c->insts = store_count(op->tx, &rec_inst, &all);
    c->disks = store_count(op->tx, &rec_disk, &all);
    c->keypairs = store_count(op->tx, &rec_keypair, &all);
    c->subnets = store_count(op->tx, &rec_subnet, &all);
    c->addresses = store_count(op->tx, &rec_address, &all);
    c->images = store_count(op->tx, &rec_image, &all);
    return ERR_NONE;
}

static struct counts counted(struct test_world *w)
{
    struct counts c;

    assert_int_equal(test_read(w, count, &c), ERR_NONE);
    return c;
}

static enum err furnish(struct op *op, void *arg)
{
    static const char key[] =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJK4DnUuTcXI8QwVAKn4sVpPBYTHVKcfnmvCNNjzqyTg a";
    const char *id, *secret;
    struct keypair k;

    (void)arg;
    assert_int_equal(access_key_create(op, op->account, &id, &secret), ERR_NONE);
    assert_int_equal(kms_grant(op, NULL, false), ERR_NONE);
    return keypair_import(op, "k", key, false, &k);
}

static enum err neighbour(struct op *op, void *arg)
{
    struct account a;
    enum err e = account_create(op, NULL, "other", &a);

    *(const char **)arg = a.id;
    return e;
}

static enum err run_reset(struct op *op, void *arg)
{
    (void)arg;
    reset_all(op);
    return ERR_NONE;
}

/* Two accounts, each with an instance, a key pair and an access key; their default keys revoked. */
static const char *two_tenants(struct test_world *w)
{
    const char *first = w->account, *other;

    (void)test_stopped(w);
    assert_int_equal(test_write(w, furnish, NULL), ERR_NONE);
    w->now += 1000;
    assert_int_equal(test_write(w, neighbour, &other), ERR_NONE);
    w->account = other;
    (void)test_stopped(w);
    assert_int_equal(test_write(w, furnish, NULL), ERR_NONE);
    w->account = first;
    return other;
}

static void a_reset_leaves_credentials_and_images(void **state)
{
    struct test_world *w = *state;

    (void)two_tenants(w);
    struct counts before = counted(w);
    assert_int_equal(before.accounts, 2);
    assert_int_equal(before.granted, 0);
    assert_int_equal(test_write(w, run_reset, NULL), ERR_NONE);
    struct counts after = counted(w);
    struct counts left = {
        .accounts = 1, .keys = 1, .kms = 1, .granted = 1, .images = before.images};
    assert_memory_equal(&after, &left, sizeof(left));
    (void)test_stopped(w);
}

static enum err clear_one(struct op *op, void *arg)
{
    account_clear(op, arg);
    return ERR_NONE;
}

static enum err release_one(struct op *op, void *arg)
{
    return account_release(op, arg) == 1 ? ERR_NONE : ERR_QUOTA;
}

static enum err remove_one(struct op *op, void *arg)
{
    account_delete(op, arg);
    return ERR_NONE;
}

static enum err first_inst(struct op *op, void *arg)
{
    struct query mine = {0};
    struct inst in;

    query_text(&mine, "account", CMP_EQ, op->account);
    if (!store_first(op->tx, &rec_inst, &mine, &in))
        return ERR_INST_NOT_FOUND;
    assert_int_equal(in.state, INST_RELEASING);
    *(const char **)arg = in.id;
    return ERR_NONE;
}

static void one_account_goes_and_the_other_stays(void **state)
{
    struct test_world *w = *state;
    const char *other = two_tenants(w), *first = w->account, *inst;
    struct counts before = counted(w);

    assert_int_equal(test_write(w, release_one, (void *)other), ERR_NONE);
    w->account = other;
    assert_int_equal(test_read(w, first_inst, &inst), ERR_NONE);
    test_end_job(w, inst, NULL);
    w->account = first;
    assert_int_equal(test_write(w, clear_one, (void *)other), ERR_NONE);
    struct counts emptied = counted(w);
    assert_int_equal(emptied.accounts, 2);
    assert_int_equal(emptied.keys, 2);
    assert_int_equal(emptied.granted, 1); /* the other's is as new */
    assert_int_equal(emptied.insts, before.insts - 1);
    assert_int_equal(emptied.disks * 2, before.disks);
    assert_int_equal(emptied.keypairs, 1);
    assert_int_equal(emptied.addresses, 1);
    assert_int_equal(emptied.subnets * 2, before.subnets);
    assert_int_equal(test_write(w, remove_one, (void *)other), ERR_NONE);
    struct counts gone = counted(w);
    assert_int_equal(gone.accounts, 1);
    assert_int_equal(gone.keys, 1);
    assert_int_equal(gone.kms, 1);
    assert_int_equal(gone.insts, 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(one_of_the_whole_goes_beside_no_other),
        CASE(a_reset_leaves_credentials_and_images),
        CASE(one_account_goes_and_the_other_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
