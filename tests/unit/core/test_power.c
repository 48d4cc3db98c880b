/* The heart: what a start, a stop, a reboot and a release check, in which order, and what they
 * write. */
#include "check.h"

#include "core/kms.h"
#include "core/network.h"
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

/* ---- changing what a user cannot ---- */

struct change {
    const char *id;
    void (*change)(struct inst *in, int64_t arg);
    int64_t arg;
};

static enum err change_inst(struct op *op, void *arg)
{
    struct change *c = arg;
    struct inst in;
    enum err e = inst_get(op, c->id, &in);

    if (!e) {
        c->change(&in, c->arg);
        store_update(op->tx, &rec_inst, &in);
    }
    return e;
}

static void set_state(struct inst *in, int64_t state)
{
    in->state = (enum inst_state)state;
}

static void set_locks(struct inst *in, int64_t locks)
{
    in->locks = locks;
}

static void set_overdue(struct inst *in, int64_t on)
{
    in->overdue = on;
}

static void set_prepaid(struct inst *in, int64_t expires)
{
    in->charge = CHARGE_PREPAID;
    in->expires_at = expires;
}

static void set_protection(struct inst *in, int64_t on)
{
    in->deletion_protection = on;
}

static void change(struct test_world *w, const char *id, void (*fn)(struct inst *, int64_t),
                   int64_t arg)
{
    assert_int_equal(test_write(w, change_inst, &(struct change){id, fn, arg}), ERR_NONE);
}

/* ---- tests ---- */

static void every_cell_of_the_table(void **state)
{
    static const struct {
        enum verb verb;
        enum err in[INST_STATE_COUNT]; /* PENDING STOPPED STARTING RUNNING STOPPING REBOOTING
                                          RESETTING RECYCLED RELEASING RESTARTING */
    } rows[] = {
        {VERB_START,
         {ERR_INST_NOT_READY, ERR_NONE, ERR_INST_BUSY, ERR_INST_ALREADY, ERR_INST_BUSY,
          ERR_INST_BUSY, ERR_INST_BUSY, ERR_INST_RECYCLED, ERR_INST_BUSY, ERR_INST_BUSY}},
        {VERB_STOP,
         {ERR_INST_NOT_READY, ERR_INST_ALREADY, ERR_INST_BUSY, ERR_NONE, ERR_INST_ALREADY,
          ERR_INST_BUSY, ERR_INST_BUSY, ERR_INST_RECYCLED, ERR_INST_BUSY, ERR_INST_BUSY}},
        {VERB_REBOOT,
         {ERR_INST_NOT_READY, ERR_INST_STATE, ERR_INST_BUSY, ERR_NONE, ERR_INST_BUSY, ERR_INST_BUSY,
          ERR_INST_BUSY, ERR_INST_RECYCLED, ERR_INST_BUSY, ERR_INST_BUSY}},
        {VERB_FORCE_REBOOT,
         {ERR_INST_NOT_READY, ERR_INST_STATE, ERR_NONE, ERR_NONE, ERR_INST_BUSY, ERR_NONE,
          ERR_INST_BUSY, ERR_INST_RECYCLED, ERR_INST_BUSY, ERR_NONE}},
        {VERB_RELEASE,
         {ERR_INST_INITIALIZING, ERR_NONE, ERR_INST_BUSY, ERR_INST_STATE, ERR_INST_BUSY,
          ERR_INST_BUSY, ERR_INST_BUSY, ERR_NONE, ERR_INST_BUSY, ERR_INST_BUSY}},
        {VERB_FORCE_RELEASE,
         {ERR_INST_INITIALIZING, ERR_NONE, ERR_INST_BUSY, ERR_NONE, ERR_INST_BUSY, ERR_INST_BUSY,
          ERR_INST_BUSY, ERR_NONE, ERR_INST_BUSY, ERR_INST_BUSY}},
    };
    struct test_world *w = *state;

    for (size_t r = 0; r < ARRAY_LEN(rows); r++)
        for (int s = 0; s < INST_STATE_COUNT; s++) {
            const char *id = test_stopped(w);

            change(w, id, set_state, s);
            struct inst before = test_inst(w, id);
            assert_int_equal(test_power(w, id, rows[r].verb, POWER_CHECK_ONLY),
                             rows[r].in[s] ? rows[r].in[s] : ERR_DRY_RUN);
            assert_int_equal(test_inst(w, id).state, before.state);
            assert_int_equal(test_power(w, id, rows[r].verb, 0), rows[r].in[s]);
            if (rows[r].in[s])
                assert_int_equal(test_inst(w, id).state, before.state);
            else
                assert_int_equal(test_inst(w, id).state,
                                 verb_rule(rows[r].verb, before.state)->becomes);
        }
}

static void a_start_leads_to_running_and_back(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    assert_int_equal(test_inst(w, id).state, INST_STARTING);
    assert_int_equal(test_inst(w, id).verb, VERB_START);
    test_end_job(w, id, NULL);
    assert_int_equal(test_inst(w, id).state, INST_RUNNING);
    assert_int_equal(test_inst(w, id).started_at, w->now);
    assert_int_equal(test_power(w, id, VERB_STOP, POWER_STOP_CHARGING), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_inst(w, id).state, INST_STOPPED);
    assert_int_equal(test_inst(w, id).stop_mode, STOP_STOP_CHARGING);
}

static void a_failed_start_is_stopped_with_the_reason(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    test_end_job(w, id, "the machine's disk is gone");
    assert_int_equal(test_inst(w, id).state, INST_STOPPED);
    assert_string_equal(test_inst(w, id).last_op, "start");
    assert_string_equal(test_inst(w, id).last_error, "the machine's disk is gone");
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
}

static void others_instances_are_unknown(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    w->account = "1234567812345678";
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_NOT_FOUND);
    assert_int_equal(test_power(w, "i-nobody", VERB_START, 0), ERR_INST_NOT_FOUND);
}

static enum err break_disk(struct op *op, void *arg)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, arg);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    return disk_fail(op, d.id, true);
}

/* Each later check is broken first, then the earlier ones, so that the order shows. */
static void checks_come_in_the_documented_order(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    w->core.settings.capacity_mib = 100;
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NO_STOCK);
    assert_int_equal(test_write(w, break_disk, (void *)id), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_DISK_UNUSABLE);
    change(w, id, set_state, INST_RUNNING);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_ALREADY);
    change(w, id, set_overdue, 1);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_OVERDUE);
    change(w, id, set_locks, LOCK_SECURITY);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_LOCKED);
    change(w, id, set_state, INST_RECYCLED);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_RECYCLED);
}

static void a_reboot_needs_its_disks_too(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_write(w, break_disk, (void *)id), ERR_NONE);
    change(w, id, set_state, INST_RUNNING);
    assert_int_equal(test_power(w, id, VERB_REBOOT, 0), ERR_DISK_UNUSABLE);
    assert_int_equal(test_power(w, id, VERB_FORCE_REBOOT, 0), ERR_DISK_UNUSABLE);
    assert_int_equal(test_power(w, id, VERB_STOP, 0), ERR_NONE);
}

static void money_and_locks_refuse(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    change(w, id, set_locks, LOCK_FINANCIAL);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_OVERDUE);
    change(w, id, set_locks, 0);
    change(w, id, set_prepaid, w->now + 1000);
    assert_int_equal(test_power(w, id, VERB_START, POWER_CHECK_ONLY), ERR_DRY_RUN);
    w->now += 1000;
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_EXPIRED);
    assert_int_equal(test_power(w, id, VERB_RELEASE, 0), ERR_INST_SUBSCRIBED);
    assert_int_equal(test_power(w, id, VERB_RELEASE, POWER_END_SUBSCRIPTION | POWER_CHECK_ONLY),
                     ERR_DRY_RUN);
    change(w, id, set_protection, 1);
    assert_int_equal(test_power(w, id, VERB_FORCE_RELEASE, POWER_END_SUBSCRIPTION),
                     ERR_INST_PROTECTED);
}

static void a_security_lock_refuses_stop_only_if_set(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    change(w, id, set_state, INST_RUNNING);
    change(w, id, set_locks, LOCK_SECURITY);
    assert_int_equal(test_power(w, id, VERB_REBOOT, 0), ERR_INST_LOCKED);
    assert_int_equal(test_power(w, id, VERB_STOP, 0), ERR_INST_LOCKED);
    w->core.settings.lock_refuses_stop = false;
    assert_int_equal(test_power(w, id, VERB_STOP, 0), ERR_NONE);
}

static enum err create_encrypted(struct op *op, void *arg)
{
    struct created out;
    struct new_inst n = {.region = "cn-hangzhou",
                         .type = "ecs.i2.xlarge",
                         .image = "test-image",
                         .system = {.encrypted = true},
                         .count = 1};
    enum err e = inst_create(op, &n, &out);

    if (!e)
        *(const char **)arg = out.ids[0];
    return e;
}

static enum err set_grant(struct op *op, void *arg)
{
    return kms_grant(op, NULL, *(bool *)arg);
}

static enum err damage_key(struct op *op, void *arg)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, arg);
    query_num(&q, "encrypted", CMP_EQ, 1);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    ((uint8_t *)d.data_key.data)[20] ^= 1;
    store_update(op->tx, &rec_disk, &d);
    return ERR_NONE;
}

static void an_encrypted_disk_needs_its_key(void **state)
{
    struct test_world *w = *state;
    bool no = false, yes = true;
    const char *id = NULL;

    assert_int_equal(test_write(w, create_encrypted, &id), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_power(w, id, VERB_START, POWER_CHECK_ONLY), ERR_DRY_RUN);
    assert_int_equal(test_write(w, set_grant, &no), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_KMS_UNAUTHORIZED);
    assert_int_equal(test_write(w, set_grant, &yes), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, POWER_CHECK_ONLY), ERR_DRY_RUN);
    assert_int_equal(test_write(w, damage_key, (void *)id), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INTERNAL);
}

static enum err break_local(struct op *op, void *arg)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, arg);
    query_num(&q, "kind", CMP_EQ, DISK_LOCAL);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    return disk_fail(op, d.id, true);
}

static void a_failed_local_disk_can_be_made_anew(void **state)
{
    struct test_world *w = *state;
    const char *id = NULL;

    assert_int_equal(test_write(w, create_encrypted, &id), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_write(w, break_local, (void *)id), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_DISK_UNUSABLE);
    assert_int_equal(test_power(w, id, VERB_START, POWER_RESET_LOCAL), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_power(w, id, VERB_STOP, 0), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
}

static enum err use_bin(struct op *op, void *arg)
{
    struct account a;

    (void)arg;
    assert_int_equal(account_get(op, op->account, &a), ERR_NONE);
    a.recycle_bin = true;
    store_update(op->tx, &rec_account, &a);
    return ERR_NONE;
}

static void the_recycle_bin_comes_first(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_write(w, use_bin, NULL), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_FORCE_RELEASE, POWER_TO_BIN), ERR_NONE);
    assert_int_equal(test_inst(w, id).verb, VERB_RECYCLE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_inst(w, id).state, INST_RECYCLED);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_RECYCLED);
    assert_int_equal(test_power(w, id, VERB_FORCE_RELEASE, POWER_TO_BIN), ERR_NONE);
    test_end_job(w, id, NULL);
    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_INST_NOT_FOUND);
}

static enum err stale_end(struct op *op, void *arg)
{
    struct job job;
    bool next;

    assert_true(job_get(op, arg, &job));
    enum err e = job_end(op, arg, job.id - 1, NULL, 0, &next);
    assert_true(next);
    return e;
}

static void an_outdated_outcome_changes_nothing(void **state)
{
    struct test_world *w = *state;
    const char *id = test_stopped(w);

    assert_int_equal(test_power(w, id, VERB_START, 0), ERR_NONE);
    assert_int_equal(test_power(w, id, VERB_FORCE_REBOOT, 0), ERR_NONE);
    assert_int_equal(test_write(w, stale_end, (void *)id), ERR_NONE);
    assert_int_equal(test_inst(w, id).state, INST_REBOOTING);
}

static enum err create_hundred(struct op *op, void *arg)
{
    struct new_inst n = {.family = "zenlayer",
                         .decimal_ids = true,
                         .zone = "asia-east-1a",
                         .type = "z2a.cpu.1",
                         .image = "test-image",
                         .name = "web-[8,3]",
                         .start = true,
                         .count = 100};

    return inst_create(op, &n, arg);
}

static void a_hundred_at_once_are_all_different(void **state)
{
    struct test_world *w = *state;
    struct created out;

    assert_int_equal(test_write(w, create_hundred, &out), ERR_NONE);
    assert_int_equal(out.n, 100);
    for (size_t i = 0; i < out.n; i++) {
        struct inst in = test_inst(w, out.ids[i]);
        char name[16];

        assert_int_equal(strlen(in.id), 19);
        (void)snprintf(name, sizeof(name), "web-%03zu", i + 8);
        assert_string_equal(in.name, name);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(in.id, out.ids[j]);
            assert_string_not_equal(in.ip, test_inst(w, out.ids[j]).ip);
        }
    }
    test_end_job(w, out.ids[0], NULL);
    assert_int_equal(test_inst(w, out.ids[0]).state, INST_STARTING); /* its start follows */
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(every_cell_of_the_table),
        CASE(a_start_leads_to_running_and_back),
        CASE(a_failed_start_is_stopped_with_the_reason),
        CASE(others_instances_are_unknown),
        CASE(checks_come_in_the_documented_order),
        CASE(a_reboot_needs_its_disks_too),
        CASE(money_and_locks_refuse),
        CASE(a_security_lock_refuses_stop_only_if_set),
        CASE(an_encrypted_disk_needs_its_key),
        CASE(a_failed_local_disk_can_be_made_anew),
        CASE(the_recycle_bin_comes_first),
        CASE(an_outdated_outcome_changes_nothing),
        CASE(a_hundred_at_once_are_all_different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
