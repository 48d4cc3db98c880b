/*
 * Starting, stopping, rebooting and releasing, through the whole way of a request. The eight
 * refusals of a start that the cloud's page lists are each brought about and compared word for
 * word.
 */
#include "fixture.h"

#include "dialect/alibaba/alibaba.h"

static struct fixture f;

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

static const char *status_of(const char *id)
{
    assert_int_equal(fixture_call(&f, "Action=DescribeInstanceAttribute&InstanceId=%s", id), 200);
    return fixture_text(&f, "Status");
}

static int act(const char *action, const char *id, const char *more)
{
    return fixture_call(&f, "Action=%s&InstanceId=%s%s", action, id, more);
}

static void assert_said(int status, const char *code, const char *message)
{
    assert_refused(&f, status, code);
    assert_string_equal(fixture_text(&f, "Message"), message);
}

/* ---- what the operator's hand does ---- */

struct change {
    const char *id;
    void (*apply)(struct op *op, struct inst *in);
};

static void apply(struct op *op, void *ctx)
{
    const struct change *c = ctx;
    struct inst in;

    assert_int_equal(inst_get(op, c->id, &in), ERR_NONE);
    c->apply(op, &in);
    store_update(op->tx, &rec_inst, &in);
}

static void change(const char *id, void (*how)(struct op *op, struct inst *in))
{
    fixture_write(&f, apply, &(struct change){id, how});
}

static void overdue(struct op *op, struct inst *in)
{
    (void)op;
    in->overdue = true;
}

static void paid(struct op *op, struct inst *in)
{
    (void)op;
    in->overdue = false;
}

static void expired(struct op *op, struct inst *in)
{
    in->charge = CHARGE_PREPAID;
    in->expires_at = op->now;
}

static void locked(struct op *op, struct inst *in)
{
    (void)op;
    in->locks = LOCK_SECURITY;
}

static void guarded(struct op *op, struct inst *in)
{
    (void)op;
    in->deletion_protection = true;
}

static void detached(struct op *op, struct inst *in)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, in->id);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    d.status = DISK_DETACHING;
    store_update(op->tx, &rec_disk, &d);
}

static void revoked(struct op *op, struct inst *in)
{
    (void)in;
    assert_int_equal(kms_grant(op, NULL, false), ERR_NONE);
}

static void granted(struct op *op, struct inst *in)
{
    (void)in;
    assert_int_equal(kms_grant(op, NULL, true), ERR_NONE);
}

/* ---- tests ---- */

static void test_life(void **state)
{
    char *id CLEANUP(free_p) = fixture_instance(&f, "");
    (void)state;

    assert_string_equal(status_of(id), "Stopped");
    assert_int_equal(act("StartInstance", id, "&InitLocalDisk=False"), 200);
    assert_int_equal(strlen(fixture_text(&f, "RequestId")), 36);
    assert_int_equal(json_object_size(f.json), 1);
    assert_string_equal(status_of(id), "Starting");
    fixture_end_job(&f, id, NULL);
    assert_string_equal(status_of(id), "Running");
    assert_int_equal(act("RebootInstance", id, "&ForceStop=true"), 200);
    assert_string_equal(status_of(id), "Stopping");
    fixture_end_job(&f, id, NULL);
    assert_string_equal(status_of(id), "Running");
    assert_int_equal(act("StopInstance", id, "&StoppedMode=StopCharging&ConfirmStop=true"), 200);
    assert_string_equal(status_of(id), "Stopping");
    fixture_end_job(&f, id, NULL);
    assert_string_equal(status_of(id), "Stopped");
    assert_string_equal(fixture_text(&f, "StoppedMode"), "StopCharging");
    assert_int_equal(act("DeleteInstance", id, ""), 200);
    assert_string_equal(status_of(id), "Stopping");
    fixture_end_job(&f, id, NULL);
    act("DescribeInstanceAttribute", id, "");
    assert_said(404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.");
}

/* The page of StartInstance lists eight refusals. */
static void test_start_refusals(void **state)
{
    static const char state_text[] =
        "The current status of the resource does not support this operation.";
    char *id CLEANUP(free_p) = fixture_instance(&f, "&SystemDisk.Category=cloud_essd");
    (void)state;

    /* 1: the state */
    fixture_set_state(&f, id, INST_RUNNING);
    act("StartInstance", id, "");
    assert_said(403, "IncorrectInstanceStatus", state_text);
    /* 2: another sentence about the state */
    fixture_set_state(&f, id, INST_STOPPING);
    act("StartInstance", id, "");
    assert_refused(&f, 403, "IncorrectInstanceStatus");
    assert_string_not_equal(fixture_text(&f, "Message"), state_text);
    assert_non_null(strstr(fixture_text(&f, "Message"), "another operation"));
    fixture_set_state(&f, id, INST_RECYCLED);
    act("StartInstance", id, "");
    assert_said(403, "IncorrectInstanceStatus", "The instance is in the recycle bin.");
    /* 3: not whole yet */
    fixture_set_state(&f, id, INST_PENDING);
    act("StartInstance", id, "");
    assert_said(403, "InstanceNotReady", "The specified instance is not ready for use");
    fixture_set_state(&f, id, INST_STOPPED);
    /* 4: payment overdue */
    change(id, overdue);
    act("StartInstance", id, "");
    assert_said(403, "InstanceExpired",
                "The postPaid instance has been expired. Please ensure your account have enough "
                "balance.");
    change(id, paid);
    /* 5: a disk */
    char *broken CLEANUP(free_p) = fixture_instance(&f, "");
    change(broken, detached);
    act("StartInstance", broken, "");
    assert_said(403, "DiskError", "IncorrectDiskStatus.");
    /* 6: a key */
    char *sealed CLEANUP(free_p) = fixture_instance(&f, "&SystemDisk.Encrypted=true");
    change(sealed, revoked);
    act("StartInstance", sealed, "");
    assert_said(403, "InvalidParameter.KMSKeyId.KMSUnauthorized",
                "ECS service have no right to access your KMS.");
    change(sealed, granted);
    assert_int_equal(act("StartInstance", sealed, "&DryRun=true"), 400);
    /* 7: the subscription is over */
    change(id, expired);
    act("StartInstance", id, "");
    assert_said(403, "InstanceExpired", "The prePaid instance has been expired.");
    /* 8, the internal error, is test_internal_error */

    /* and from today's list */
    char *held CLEANUP(free_p) = fixture_instance(&f, "");
    change(held, locked);
    act("StartInstance", held, "");
    assert_said(403, "InstanceLockedForSecurity",
                "The specified operation is denied as your instance is locked for security "
                "reasons.");
    f.core.settings.capacity_mib = 1;
    act("StartInstance", sealed, "");
    assert_refused(&f, 403, "OperationDenied.NoStock");
    f.core.settings.capacity_mib = 0;
    act("StartInstance", "i-nobodys", "");
    assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    act("StartInstance", "i%20x", "");
    assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    fixture_call(&f, "Action=StartInstance");
    assert_said(400, "MissingInstanceId", "InstanceId is mandatory for this action.");
    act("StartInstance", held, "&InitLocalDisk=maybe");
    assert_said(400, "InvalidParameter", "The specified parameter \"InitLocalDisk\" is not valid.");
}

/* The eighth: said for every failure that is ours, with the page's text. */
static void test_internal_error(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct request r = {.method = "GET"};
    struct call c = {
        .req = &r, .arena = a, .dialect = &dialect_alibaba, .request_id = "X", .host = "h"};
    struct answer answer = {0};
    (void)state;

    c.action = action_find(dialect_alibaba.actions, "StartInstance");
    (void)fail(&c.fail, ERR_INTERNAL, "a disk is full");
    dialect_alibaba.refuse(&c, call_err_row(&c), &answer);
    assert_int_equal(answer.status, 500);
    assert_non_null(strstr(answer.body.data, "<Code>InternalError</Code>"));
    assert_non_null(strstr(answer.body.data,
                           "<Message>The request processing has failed due to some unknown error, "
                           "exception or failure.</Message>"));
    assert_null(strstr(answer.body.data, "a disk is full")); /* ours to know */
    buf_done(&answer.body);
}

static void test_dry_run(void **state)
{
    char *id CLEANUP(free_p) = fixture_instance(&f, "");
    (void)state;

    act("StartInstance", id, "&DryRun=true");
    assert_said(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.");
    assert_string_equal(status_of(id), "Stopped");
    act("StopInstance", id, "&DryRun=true");
    assert_refused(&f, 403, "IncorrectInstanceStatus");
    act("DeleteInstance", id, "&DryRun=true");
    assert_refused(&f, 400, "DryRunOperation");
    fixture_set_state(&f, id, INST_RUNNING);
    act("StopInstance", id, "&DryRun=true");
    assert_refused(&f, 400, "DryRunOperation");
    act("RebootInstance", id, "&DryRun=true");
    assert_refused(&f, 400, "DryRunOperation");
    assert_string_equal(status_of(id), "Running");
}

static void test_stop_and_reboot_refusals(void **state)
{
    static const char *const actions[] = {"StopInstance", "RebootInstance"};
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        char *id CLEANUP(free_p) = fixture_instance(&f, "");

        act(actions[i], id, "");
        assert_refused(&f, 403, "IncorrectInstanceStatus");
        fixture_set_state(&f, id, INST_PENDING);
        act(actions[i], id, "");
        assert_refused(&f, 403, "IncorrectInstanceStatus");
        fixture_set_state(&f, id, INST_RUNNING);
        change(id, overdue);
        act(actions[i], id, "");
        assert_said(403, "InstanceExpiredOrInArrears",
                    "The specified operation is denied as your prepay instance is expired (prepay "
                    "mode) or in arrears (afterpay mode).");
        change(id, expired);
        act(actions[i], id, "");
        assert_refused(&f, 403, "InstanceExpiredOrInArrears");
        act(actions[i], "i-nobodys", "");
        assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    }
    char *held CLEANUP(free_p) = fixture_instance(&f, "");
    fixture_set_state(&f, held, INST_RUNNING);
    change(held, locked);
    act("RebootInstance", held, "");
    assert_refused(&f, 403, "InstanceLockedForSecurity");
    f.core.settings.lock_refuses_stop = true;
    act("StopInstance", held, "");
    assert_refused(&f, 403, "InstanceLockedForSecurity");
    f.core.settings.lock_refuses_stop = false;
    act("StopInstance", held, "&Hibernate=true");
    assert_refused(&f, 403, "HibernationConfigured.NotEnabled");
    act("StopInstance", "i-nobodys", "&Hibernate=true");
    assert_refused(&f, 404, "InvalidInstanceId.NotFound");
    act("StopInstance", held, "&StoppedMode=Sleep");
    assert_refused(&f, 400, "InvalidParameter");
    assert_int_equal(act("StopInstance", held, "&StoppedMode=KeepCharging"), 200);
}

/* Only a start and the batches say what the instance is busy with. */
static void test_busy(void **state)
{
    static const char *const actions[] = {"StopInstance", "RebootInstance", "DeleteInstance"};
    char *id CLEANUP(free_p) = fixture_instance(&f, "");
    (void)state;

    fixture_set_state(&f, id, INST_STOPPING);
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        act(actions[i], id, "");
        assert_said(403, "IncorrectInstanceStatus",
                    "The current status of the resource does not support this operation.");
    }
    act("StartInstance", id, "");
    assert_refused(&f, 403, "IncorrectInstanceStatus");
    assert_non_null(strstr(fixture_text(&f, "Message"), "performing another operation"));
    fixture_call(&f, "Action=RebootInstances&RegionId=cn-hangzhou&InstanceId.1=%s", id);
    assert_refused(&f, 403, "IncorrectInstanceStatus");
    assert_non_null(strstr(fixture_text(&f, "Message"), "performing another operation"));
}

/* Asking for what an instance cannot do is not an error: it keeps what it has. */
static void test_stop_charging_is_not_for_local_disks(void **state)
{
    char *id CLEANUP(free_p) = NULL;
    (void)state;

    assert_int_equal(
        fixture_call(&f, "Action=CreateInstance&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                         "&InstanceType=ecs.i2.xlarge"),
        200);
    id = xstrdup(fixture_text(&f, "InstanceId"));
    fixture_end_job(&f, id, NULL);
    fixture_set_state(&f, id, INST_RUNNING);
    assert_int_equal(act("StopInstance", id, "&StoppedMode=StopCharging"), 200);
    fixture_end_job(&f, id, NULL);
    assert_string_equal(status_of(id), "Stopped");
    assert_string_equal(fixture_text(&f, "StoppedMode"), "Not-applicable");
}

static void test_delete_refusals(void **state)
{
    char *id CLEANUP(free_p) = fixture_instance(&f, "");
    (void)state;

    fixture_set_state(&f, id, INST_RUNNING);
    act("DeleteInstance", id, "");
    assert_refused(&f, 403, "IncorrectInstanceStatus");
    act("DeleteInstance", id, "&Force=true&ForceStop=false&DryRun=true");
    assert_refused(&f, 400, "DryRunOperation");
    fixture_set_state(&f, id, INST_PENDING);
    act("DeleteInstance", id, "&Force=true");
    assert_said(403, "IncorrectInstanceStatus.Initializing",
                "The specified instance status does not support this operation.");
    fixture_set_state(&f, id, INST_STOPPED);
    change(id, guarded);
    act("DeleteInstance", id, "&Force=true");
    assert_said(403, "InvalidOperation.DeletionProtection",
                "The operation is not allowed due to deletion protection.");
    char *bought CLEANUP(free_p) = fixture_instance(&f, "");
    change(bought, expired);
    act("DeleteInstance", bought, "&Force=true");
    assert_refused(&f, 403, "ChargeTypeViolation");
    assert_int_equal(act("DeleteInstance", bought, "&Force=true&TerminateSubscription=true"), 200);
}

static void test_unknown_actions(void **state)
{
    (void)state;
    fixture_call(&f, "Action=ReActivateInstances&InstanceId=i-1");
    assert_said(404, "InvalidAction.NotFound",
                "Specified api is not found, please check your url and method.");
    fixture_call(&f, "Action=startinstance&InstanceId=i-1");
    assert_refused(&f, 404, "InvalidAction.NotFound");
}

/* A request without any signature is refused in the words of its missing parts, in the format it
 * asked for. */
static void test_unsigned(void **state)
{
    struct header h[] = {{"host", "ecs.test"}, {"accept", "application/json"}};
    struct request r = {.method = "POST",
                        .path = "/",
                        .query = "",
                        .headers = h,
                        .n_headers = 2,
                        .body = "",
                        .peer = "127.0.0.1"};
    (void)state;

    fixture_send(&f, &r);
    assert_refused(&f, 400, "MissingAction");
    r.query = "Action=StartInstance&Version=2014-05-26";
    fixture_send(&f, &r);
    assert_refused(&f, 400, "MissingAccessKeyId");
    r.method = "PUT";
    fixture_send(&f, &r);
    assert_refused(&f, 403, "UnsupportedHTTPMethod");
    r.method = "POST";
    r.query = "Action=StartInstance&Version=2014-05-26&Format=XML";
    fixture_send(&f, &r);
    assert_null(f.json);
    assert_non_null(strstr(f.body, "<Error><RequestId>"));
    r.query = "Action=StartInstance&Version=2014-05-26&a=%zz";
    fixture_send(&f, &r);
    assert_refused(&f, 400, "InvalidParameter");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_start_refusals),
        cmocka_unit_test(test_internal_error),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_stop_and_reboot_refusals),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_stop_charging_is_not_for_local_disks),
        cmocka_unit_test(test_delete_refusals),
        cmocka_unit_test(test_unknown_actions),
        cmocka_unit_test(test_unsigned),
    };

    return cmocka_run_group_tests(tests, up, down);
}
