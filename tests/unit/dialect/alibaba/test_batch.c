/*
 * Starting, stopping, rebooting and releasing many at once: what is done together, what each is
 * told alone, and that an entry says what the action on one instance says.
 */
#include "fixture.h"

#define GHOST   "i-nobodys"
#define ENTRIES "InstanceResponses.InstanceResponse"

static struct fixture f;
static char *a, *b; /* two new instances, both Stopped */

static int up(void **state)
{
    (void)state;
    fixture_init(&f);
    return 0;
}

static int down(void **state)
{
    (void)state;
    fixture_done(&f);
    return 0;
}

static int two(void **state)
{
    (void)state;
    a = fixture_instance(&f, "");
    b = fixture_instance(&f, "");
    return 0;
}

static int no_two(void **state)
{
    (void)state;
    free(a);
    free(b);
    return 0;
}

static const char *status_of(const char *id)
{
    assert_int_equal(fixture_call(&f, "Action=DescribeInstanceAttribute&InstanceId=%s", id), 200);
    return fixture_text(&f, "Status");
}

/* A batch action on two ids. */
static int act(const char *action, const char *first, const char *second, const char *more)
{
    return fixture_call(&f, "Action=%s&RegionId=cn-hangzhou&InstanceId.1=%s&InstanceId.2=%s%s",
                        action, first, second, more);
}

static const char *entry(size_t i, const char *what)
{
    return fixture_text(&f, arena_fmt(f.arena, ENTRIES ".%zu.%s", i, what));
}

static void assert_entry(size_t i, const char *id, const char *before, const char *after,
                         const char *code)
{
    assert_string_equal(entry(i, "InstanceId"), id);
    assert_string_equal(entry(i, "PreviousStatus"), before);
    assert_string_equal(entry(i, "CurrentStatus"), after);
    assert_string_equal(entry(i, "Code"), code);
}

static void assert_states(const char *of_a, const char *of_b)
{
    assert_string_equal(status_of(a), of_a);
    assert_string_equal(status_of(b), of_b);
}

/* ---- what the operator's hand does ---- */

static void lock(struct op *op, void *id)
{
    assert_int_equal(inst_lock(op, id, LOCK_SECURITY, true), ERR_NONE);
}

static void overdue(struct op *op, void *id)
{
    assert_int_equal(inst_overdue(op, id, true), ERR_NONE);
}

static void prepay(struct op *op, void *id)
{
    struct inst in;

    assert_int_equal(inst_get(op, id, &in), ERR_NONE);
    in.charge = CHARGE_PREPAID;
    in.expires_at = op->now;
    store_update(op->tx, &rec_inst, &in);
}

static void fail_disks(struct op *op, void *id)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, id);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    d.failed = true;
    store_update(op->tx, &rec_disk, &d);
}

static void lose_disks(struct op *op, void *id)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, id);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    store_delete(op->tx, &rec_disk, d.id);
}

static void revoke_keys(struct op *op, void *ctx)
{
    (void)ctx;
    assert_int_equal(kms_grant(op, NULL, false), ERR_NONE);
}

static void grant_keys(struct op *op, void *ctx)
{
    (void)ctx;
    assert_int_equal(kms_grant(op, NULL, true), ERR_NONE);
}

static void set(enum inst_state of_a, enum inst_state of_b)
{
    fixture_set_state(&f, a, of_a);
    fixture_set_state(&f, b, of_b);
}

static void job_forced(struct op *op, void *ret)
{
    struct job job;

    assert_true(job_get(op, a, &job));
    *(bool *)ret = job.force;
}

/* Does what is being done to `a` cut its power? */
static bool forced(void)
{
    bool force;

    fixture_write(&f, job_forced, &force);
    return force;
}

static void keeps_charging(struct op *op, void *id)
{
    struct inst in;

    assert_int_equal(inst_get(op, id, &in), ERR_NONE);
    assert_int_equal(in.stop_mode, STOP_KEEP_CHARGING);
}

/* ---- tests ---- */

static void test_life(void **state)
{
    (void)state;
    assert_int_equal(act("StartInstances", b, a, ""), 200);
    assert_int_equal(json_object_size(f.json), 2); /* no Code of its own: clients take it for one */
    assert_int_equal(fixture_count(&f, ENTRIES), 2);
    assert_entry(0, b, "Stopped", "Starting", "200");
    assert_entry(1, a, "Stopped", "Starting", "200");
    assert_string_equal(entry(1, "Message"), "success");
    fixture_end_job(&f, a, NULL);
    fixture_end_job(&f, b, NULL);
    assert_int_equal(act("RebootInstances", a, b, "&ForceReboot=true"), 200);
    assert_entry(1, b, "Running", "Stopping", "200");
    fixture_end_job(&f, a, NULL);
    fixture_end_job(&f, b, NULL);
    assert_states("Running", "Running");
    assert_int_equal(act("StopInstances", a, b, "&StoppedMode=StopCharging"), 200);
    assert_entry(0, a, "Running", "Stopping", "200");
    fixture_end_job(&f, a, NULL);
    fixture_end_job(&f, b, NULL);
    assert_states("Stopped", "Stopped");
    assert_string_equal(fixture_text(&f, "StoppedMode"), "StopCharging");
    assert_int_equal(act("DeleteInstances", a, b, ""), 200);
    assert_int_equal(json_object_size(f.json), 1);
    assert_states("Stopping", "Stopping");
}

/* The first one is checked and changed before the second is refused: nothing of it stays. */
static void test_all_or_nothing(void **state)
{
    static const struct {
        const char *action;
        enum inst_state good, bad;
    } cases[] = {
        {"StartInstances", INST_STOPPED, INST_RUNNING},
        {"StopInstances", INST_RUNNING, INST_STOPPED},
        {"RebootInstances", INST_RUNNING, INST_STOPPED},
        {"DeleteInstances", INST_STOPPED, INST_RUNNING},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        set(cases[i].good, cases[i].bad);
        const char *good = cases[i].good == INST_STOPPED ? "Stopped" : "Running";

        act(cases[i].action, a, b, "");
        assert_refused(&f, 403, "IncorrectInstanceStatus");
        assert_string_equal(status_of(a), good);
        act(cases[i].action, a, GHOST, "&BatchOptimization=AllTogether");
        assert_refused(&f, 404, "InvalidInstanceId.NotFound");
        assert_string_equal(status_of(a), good);
    }
    act("DeleteInstances", a, b, "&BatchOptimization=SuccessFirst"); /* it does not know that */
    assert_refused(&f, 403, "IncorrectInstanceStatus");
    assert_string_equal(status_of(a), "Stopped");
}

static void test_success_first(void **state)
{
    (void)state;
    set(INST_RUNNING, INST_STOPPED);
    assert_int_equal(
        act("StartInstances", a, b, "&InstanceId.3=" GHOST "&BatchOptimization=SuccessFirst"), 200);
    assert_entry(0, a, "Running", "Running", "IncorrectInstanceStatus");
    assert_entry(1, b, "Stopped", "Starting", "200");
    assert_entry(2, GHOST, "", "", "InvalidInstanceId.NotFound");
    assert_states("Running", "Starting");
    /* also when nobody succeeds */
    assert_int_equal(act("StartInstances", a, GHOST, "&BatchOptimization=SuccessFirst"), 200);
    assert_entry(0, a, "Running", "Running", "IncorrectInstanceStatus");
    assert_entry(1, GHOST, "", "", "InvalidInstanceId.NotFound");
    act("StartInstances", a, b, "&BatchOptimization=FailureFirst");
    assert_refused(&f, 400, "InvalidParameter");
}

/* What a batch says about `id` is what the action on one instance says. */
static void assert_like_one(const char *one, const char *many, const char *id, const char *code)
{
    assert_int_not_equal(fixture_call(&f, "Action=%s&InstanceId=%s", one, id), 200);
    char *said CLEANUP(free_p) = xstrdup(fixture_text(&f, "Message"));
    assert_string_equal(fixture_text(&f, "Code"), code);
    assert_int_equal(fixture_call(&f,
                                  "Action=%s&RegionId=cn-hangzhou&InstanceId.1=%s"
                                  "&BatchOptimization=SuccessFirst",
                                  many, id),
                     200);
    assert_string_equal(entry(0, "Code"), code);
    assert_string_equal(entry(0, "Message"), said);
    assert_string_equal(entry(0, "PreviousStatus"), entry(0, "CurrentStatus"));
}

static void test_entries_of_a_start(void **state)
{
    static const struct {
        void (*change)(struct op *op, void *id);
        const char *code;
    } cases[] = {
        {lock, "InstanceLockedForSecurity"},
        {overdue, "InstanceExpired"},
        {prepay, "InstanceExpired"},
        {fail_disks, "DiskError"},
        {lose_disks, "InvalidInstance.NotFoundSystemDisk"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *id CLEANUP(free_p) = fixture_instance(&f, "");

        fixture_write(&f, cases[i].change, id);
        assert_like_one("StartInstance", "StartInstances", id, cases[i].code);
    }
    fixture_set_state(&f, a, INST_STOPPING); /* with a sentence of its own */
    assert_like_one("StartInstance", "StartInstances", a, "IncorrectInstanceStatus");
    fixture_set_state(&f, a, INST_RECYCLED);
    assert_like_one("StartInstance", "StartInstances", a, "IncorrectInstanceStatus");
    fixture_set_state(&f, a, INST_PENDING);
    assert_like_one("StartInstance", "StartInstances", a, "InstanceNotReady");
    assert_like_one("StartInstance", "StartInstances", GHOST, "InvalidInstanceId.NotFound");
    f.core.settings.capacity_mib = 1;
    assert_like_one("StartInstance", "StartInstances", b, "OperationDenied.NoStock");
    f.core.settings.capacity_mib = 0;
}

/* ForceStop, ForceReboot: each action has its own name for it, and a release wants Force too. */
static void test_force(void **state)
{
    static const struct {
        const char *action, *param;
        bool force;
    } cases[] = {
        {"StopInstances", "", false},
        {"StopInstances", "&ForceStop=true", true},
        {"RebootInstances", "", false},
        {"RebootInstances", "&ForceReboot=true", true},
        {"DeleteInstances", "&Force=true&ForceStop=false", false},
        {"DeleteInstances", "&Force=true", true},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        set(INST_RUNNING, INST_RUNNING);
        assert_int_equal(act(cases[i].action, a, b, cases[i].param), 200);
        assert_int_equal(forced(), cases[i].force);
    }
}

static void test_entries_of_stop_and_reboot(void **state)
{
    static const char *const actions[][2] = {{"StopInstance", "StopInstances"},
                                             {"RebootInstance", "RebootInstances"}};
    (void)state;

    f.core.settings.lock_refuses_stop = true;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        const char *one = actions[i][0], *many = actions[i][1];
        char *id CLEANUP(free_p) = fixture_instance(&f, "");

        assert_like_one(one, many, id, "IncorrectInstanceStatus");
        fixture_set_state(&f, id, INST_PENDING);
        assert_like_one(one, many, id, "IncorrectInstanceStatus");
        fixture_set_state(&f, id, INST_RUNNING);
        fixture_write(&f, prepay, id);
        assert_like_one(one, many, id, "InstanceExpiredOrInArrears");
        act(many, id, b, ""); /* and as a whole */
        assert_refused(&f, 403, "InstanceExpiredOrInArrears");
        fixture_write(&f, lock, id);
        assert_like_one(one, many, id, "InstanceLockedForSecurity");
        assert_like_one(one, many, GHOST, "InvalidInstanceId.NotFound");
    }
    f.core.settings.lock_refuses_stop = false;
}

/* The whole refusal is said by the page of the batch action, an entry by that of the single one. */
static void test_two_pages(void **state)
{
    char *sealed CLEANUP(free_p) =
        fixture_instance(&f, "&SystemDisk.Category=cloud_essd&SystemDisk.Encrypted=true");
    static const char code[] = "InvalidParameter.KMSKeyId.KMSUnauthorized";
    (void)state;

    fixture_write(&f, revoke_keys, NULL);
    assert_like_one("StartInstance", "StartInstances", sealed, code);
    act("StartInstances", a, sealed, "");
    assert_refused(&f, 400, code);
    assert_string_equal(fixture_text(&f, "Message"),
                        "ECS service account have no right to access your KMS.");
    fixture_write(&f, grant_keys, NULL);
    assert_string_equal(status_of(a), "Stopped");
    fixture_write(&f, lose_disks, a);
    act("StartInstances", b, a, "");
    assert_refused(&f, 403, "InvalidInstance.NotFoundSystemDisk");
    fixture_set_state(&f, b, INST_PENDING);
    act("StartInstances", b, a, "");
    assert_refused(&f, 403, "InstanceNotReady");
    assert_string_equal(fixture_text(&f, "Message"),
                        "The specified instance is not ready for use.");
}

static void test_an_id_twice(void **state)
{
    (void)state;
    assert_int_equal(act("StartInstances", a, b, ""), 200);
    fixture_end_job(&f, a, NULL);
    fixture_end_job(&f, b, NULL);
    assert_int_equal(fixture_call(&f,
                                  "Action=StopInstances&RegionId=cn-hangzhou&InstanceId.1=%s"
                                  "&InstanceId.2=%s&InstanceId.3=%s",
                                  a, b, a),
                     200);
    assert_int_equal(fixture_count(&f, ENTRIES), 3);
    assert_entry(0, a, "Running", "Stopping", "200");
    assert_entry(2, a, "Running", "Stopping", "200");
    assert_int_equal(act("StartInstances", GHOST, GHOST, "&BatchOptimization=SuccessFirst"), 200);
    assert_entry(1, GHOST, "", "", "InvalidInstanceId.NotFound");
    set(INST_STOPPED, INST_STOPPED);
    assert_int_equal(act("DeleteInstances", a, a, ""), 200);
    assert_states("Stopping", "Stopped");
}

static void test_dry_run(void **state)
{
    static const char *const start[] = {"StartInstances", "DeleteInstances"};
    static const char *const stop[] = {"StopInstances", "RebootInstances"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(start); i++) {
        act(start[i], a, b, "&DryRun=true");
        assert_refused(&f, 400, "DRYRUN.SUCCESS");
        assert_string_equal(fixture_text(&f, "Message"),
                            "This request is a dryrun request with successful result.");
        act(start[i], a, GHOST, "&DryRun=true");
        assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    }
    assert_states("Stopped", "Stopped");
    act("StopInstances", a, GHOST, "&DryRun=true&BatchOptimization=SuccessFirst");
    assert_refused(&f, 400, "DRYRUN.SUCCESS");
    set(INST_RUNNING, INST_RUNNING);
    for (size_t i = 0; i < ARRAY_LEN(stop); i++) {
        act(stop[i], a, b, "&DryRun=true");
        assert_refused(&f, 400, "DRYRUN.SUCCESS");
    }
    assert_states("Running", "Running");
    /* what was tried left no job behind that a real one would meet */
    assert_int_equal(act("StopInstances", a, b, ""), 200);
    fixture_end_job(&f, a, NULL);
    assert_string_equal(status_of(a), "Stopped");
}

static void memory_of(struct op *op, void *ret)
{
    struct inst in;

    assert_int_equal(inst_get(op, a, &in), ERR_NONE);
    *(int64_t *)ret = in.memory_mib;
}

static void memory_used(struct op *op, void *ret)
{
    struct query q = {0};

    query_num(&q, "state", CMP_NE, INST_STOPPED);
    query_num(&q, "state", CMP_NE, INST_RECYCLED);
    *(int64_t *)ret = store_sum(op->tx, &rec_inst, "memory_mib", &q);
}

/* There is room for one of them, whichever comes first. */
static void test_the_last_memory(void **state)
{
    int64_t one, used;
    (void)state;

    fixture_write(&f, memory_of, &one);
    fixture_write(&f, memory_used, &used);
    f.core.settings.capacity_mib = used + one;
    act("StartInstances", a, b, "&DryRun=true");
    assert_refused(&f, 403, "OperationDenied.NoStock");
    act("StartInstances", a, b, "");
    assert_refused(&f, 403, "OperationDenied.NoStock");
    assert_states("Stopped", "Stopped");
    assert_int_equal(act("StartInstances", b, a, "&BatchOptimization=SuccessFirst"), 200);
    assert_entry(0, b, "Stopped", "Starting", "200");
    assert_entry(1, a, "Stopped", "Stopped", "OperationDenied.NoStock");
    f.core.settings.capacity_mib = 0;
    assert_states("Stopped", "Starting");
}

/* Asking for what one of them cannot do is not an error: that one keeps what it has. */
static void test_stop_charging_is_for_each(void **state)
{
    (void)state;
    assert_int_equal(
        fixture_call(&f, "Action=CreateInstance&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                         "&InstanceType=ecs.i2.xlarge"),
        200);
    char *local CLEANUP(free_p) = xstrdup(fixture_text(&f, "InstanceId"));
    fixture_end_job(&f, local, NULL);
    fixture_set_state(&f, local, INST_RUNNING);
    fixture_set_state(&f, a, INST_RUNNING);
    assert_int_equal(act("StopInstances", local, a, "&StoppedMode=StopCharging&ForceStop=true"),
                     200);
    fixture_write(&f, keeps_charging, local);
    fixture_end_job(&f, local, NULL);
    fixture_end_job(&f, a, NULL);
    assert_string_equal(status_of(local), "Stopped");
    assert_string_equal(fixture_text(&f, "StoppedMode"), "Not-applicable");
    assert_string_equal(status_of(a), "Stopped");
    assert_string_equal(fixture_text(&f, "StoppedMode"), "StopCharging");
}

static void test_lists_that_are_none(void **state)
{
    static const char *const actions[] = {"DeleteInstances", "RebootInstances", "StartInstances",
                                          "StopInstances"};
    static const char *const malformed[] = {
        "InstanceId.1=two%20words", "InstanceId.1=", "InstanceId.x=i-1", "InstanceId.1.Id=i-1"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        CLEANUP(buf_done) struct buf many = {0};

        for (int k = 1; k <= 101; k++)
            buf_fmt(&many, "&InstanceId.%d=i-%d", k, k);
        fixture_call(&f, "Action=%s&RegionId=cn-hangzhou%s", actions[i], buf_cstr(&many));
        assert_refused(&f, 403, "InvalidParameter.TooManyInstanceIds");
        assert_string_equal(fixture_text(&f, "Message"), "Instance ids cannot be more than 100.");
        for (size_t k = 0; k < ARRAY_LEN(malformed); k++) {
            fixture_call(&f, "Action=%s&RegionId=cn-hangzhou&%s", actions[i], malformed[k]);
            assert_refused(&f, 403,
                           i == 0 ? "InvalidInstanceIds.ValueNotSupported"
                                  : "Abs.InvalidInstanceIds.MalFormed");
        }
        fixture_call(&f, "Action=%s&RegionId=cn-hangzhou", actions[i]);
        assert_refused(&f, 400, "MissingInstanceId");
        fixture_call(&f, "Action=%s&InstanceId.1=%s", actions[i], a);
        assert_refused(&f, 400, "MissingRegionId");
        fixture_call(&f, "Action=%s&RegionId=cn-nowhere&InstanceId.1=%s", actions[i], a);
        assert_refused(&f, 404, "InvalidRegionId.NotFound");
        fixture_call(&f, "Action=%s&RegionId=cn-beijing&InstanceId.1=%s", actions[i], a);
        if (i == 0)
            assert_refused(&f, 400, "InvalidParameter.CrossRegionNotSupport");
        else
            assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    }
    assert_string_equal(status_of(a), "Stopped");
}

/* A list may have gaps, and one without an index is its first. */
static void test_lists_as_clients_type_them(void **state)
{
    (void)state;
    assert_int_equal(fixture_call(&f,
                                  "Action=StartInstances&RegionId=cn-hangzhou&InstanceId.17=%s"
                                  "&InstanceId.3=%s",
                                  a, b),
                     200);
    assert_entry(0, b, "Stopped", "Starting", "200");
    assert_entry(1, a, "Stopped", "Starting", "200");
    set(INST_RUNNING, INST_RUNNING);
    assert_int_equal(fixture_call(&f, "Action=StopInstances&RegionId=cn-hangzhou&InstanceId=%s", a),
                     200);
    assert_int_equal(fixture_count(&f, ENTRIES), 1);
}

static void test_delete(void **state)
{
    (void)state;
    fixture_set_state(&f, b, INST_RUNNING);
    assert_int_equal(act("DeleteInstances", a, b, "&Force=true&ForceStop=false"), 200);
    assert_states("Stopping", "Stopping");
    char *bought CLEANUP(free_p) = fixture_instance(&f, "");
    fixture_write(&f, prepay, bought);
    act("DeleteInstances", bought, bought, "&Force=true");
    assert_refused(&f, 403, "ChargeTypeViolation");
    assert_int_equal(act("DeleteInstances", bought, bought, "&TerminateSubscription=true"), 200);
}

/* A request that is sent again succeeds again, also when the instances are gone. */
static void test_delete_token(void **state)
{
    (void)state;
    act("DeleteInstances", a, b, "&ClientToken=t-1&DryRun=true");
    assert_refused(&f, 400, "DRYRUN.SUCCESS");
    act("DeleteInstances", a, GHOST, "&ClientToken=t-1"); /* no outcome, so nothing is kept */
    assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    assert_int_equal(act("DeleteInstances", a, b, "&ClientToken=t-1"), 200);
    fixture_end_job(&f, a, NULL);
    fixture_end_job(&f, b, NULL);
    assert_int_equal(act("DeleteInstances", a, b, "&ClientToken=t-1"), 200);
    assert_int_equal(json_object_size(f.json), 1);
    act("DeleteInstances", a, b, "&ClientToken=t-1&Force=true");
    assert_refused(&f, 400, "IdempotentParameterMismatch");
    act("DeleteInstances", a, b, "&ClientToken=t-1&DryRun=true"); /* asks anew, keeps nothing */
    assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    act("DeleteInstances", a, b, "&ClientToken=t-2");
    assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    act("DeleteInstances", a, b, "&ClientToken=%C3%A9");
    assert_refused(&f, 400, "InvalidClientToken.ValueNotSupported");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, two, no_two)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_all_or_nothing),
        TEST(test_force),
        TEST(test_success_first),
        TEST(test_entries_of_a_start),
        TEST(test_entries_of_stop_and_reboot),
        TEST(test_two_pages),
        TEST(test_an_id_twice),
        TEST(test_dry_run),
        TEST(test_the_last_memory),
        TEST(test_stop_charging_is_for_each),
        TEST(test_lists_that_are_none),
        TEST(test_lists_as_clients_type_them),
        TEST(test_delete),
        TEST(test_delete_token),
    };

    return cmocka_run_group_tests(tests, up, down);
}
