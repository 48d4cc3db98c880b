/* The actions against a real store: states, batches, the recycle bin, listings, and who is let in.
 */
#include "plans.h"
#include "service.h"

#include "core/keypair.h"

#define CREATE                                                                                     \
    "\"zoneId\":\"asia-east-1a\",\"imageId\":\"debian12_20260101\",\"instanceType\":\"z2a.cpu.2\""

static int setup(void **state)
{
    struct service *s = xcalloc(1, sizeof(*s));

    service_init(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    service_done(*state);
    free(*state);
    return 0;
}

static int total(struct service *s, const char *body)
{
    service_call(s, "DescribeInstances", "%s", body);
    return (int)json_integer_value(json_object_get(service_response(s), "totalCount"));
}

/* ---- who is let in ---- */

static void test_authentication(void **state)
{
    struct service *s = *state;
    const char *right = s->secret, *key = s->key_id;

    assert_int_equal(service_call(s, "DescribeZones", "{}"), 200);
    service_call_as(s, "DescribeZones", NULL, "{}");
    service_refused(s, 401, "AUTHFAILURE_INVALID_AUTHORIZATION");
    service_call_as(s, "DescribeZones", "Bearer token", "{}");
    service_refused(s, 401, "AUTHFAILURE_INVALID_AUTHORIZATION");
    s->secret = "wrong";
    service_call(s, "DescribeZones", "{}");
    service_refused(s, 401, "AUTHFAILURE_SIGNATURE_FAILURE");
    s->secret = right;
    s->key_id = "LTAI5tUNKNOWN";
    service_call(s, "DescribeZones", "{}");
    service_refused(s, 401, "AUTHFAILURE_SIGNATURE_FAILURE");
    s->key_id = key;
    /* Only who signed well learns which actions there are. */
    service_call_as(s, "NoSuchAction", NULL, "{}");
    service_refused(s, 401, "AUTHFAILURE_INVALID_AUTHORIZATION");
    service_call(s, "NoSuchAction", "{}");
    service_refused(s, 403, "AUTHFAILURE_UNAUTHORIZED_OPERATION");
    service_call(s, "\xff\xfe", "{}");
    service_refused(s, 403, "AUTHFAILURE_UNAUTHORIZED_OPERATION");
}

static void test_requests_that_are_none(void **state)
{
    struct service *s = *state;

    s->path = "/api/v2/nothing";
    service_call(s, "DescribeZones", "{}");
    service_refused(s, 404, "OPERATION_FAILED_RESOURCE_NOT_FOUND");
    s->path = "/api/v2/zec";
    s->method = "PUT";
    service_call(s, "DescribeZones", "{}");
    service_refused(s, 405, "INVALID_REQUEST_METHOD");
    s->method = "POST";
    s->version = "2014-05-26";
    service_call(s, "DescribeZones", "{}");
    service_refused(s, 400, "INVALID_PARAMETER_VALUE");
    s->version = "2024-04-01";
    assert_int_equal(service_call(s, "DescribeZones", "{}"), 200);
    service_call(s, "DescribeZones", "[]");
    service_refused(s, 400, "INVALID_PARAMETER_TYPE");
    service_call(s, "DescribeZones", "{\"a\":1,\"a\":1}");
    service_refused(s, 400, "INVALID_PARAMETER_TYPE");
}

/* ---- power ---- */

static void test_a_life(void **state)
{
    struct service *s = *state;
    const char *id = service_instances(s, 1)[0];

    assert_string_equal(service_status(s, id), "RUNNING");
    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    assert_string_equal(service_status(s, id), "STOPPING");
    /* One language of the documents allows this, the other does not: it is no refusal. */
    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "STOPPED");

    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    assert_string_equal(service_status(s, id), "STARTING");
    s->client = "Terraform-latest";
    assert_string_equal(service_status(s, id), "BOOTING");
    s->client = NULL;
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 400, "OPERATION_DENIED_INSTANCE_IN_OPERATION");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "RUNNING");

    service_call(s, "RebootInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    assert_string_equal(service_status(s, id), "REBOOT");
    service_call(s, "RebootInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 400, "OPERATION_DENIED_INSTANCE_IN_OPERATION");
    service_call(s, "RebootInstances", "{\"instanceIds\":[\"%s\"],\"forceReboot\":true}", id);
    assert_string_equal(service_listed(s), "");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "RUNNING");

    service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    assert_string_equal(service_status(s, id), "RELEASING");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "");
}

struct asked_job {
    const char *id;
    struct job job;
};

static enum err look_at_job(struct op *op, void *ctx)
{
    struct asked_job *a = ctx;

    assert_true(job_get(op, a->id, &a->job));
    return ERR_NONE;
}

/* Absent means true: the older Go client cannot say false. */
static void test_force_is_the_default_of_stop(void **state)
{
    static const struct {
        const char *body;
        bool force;
    } cases[] = {{"", true},
                 {",\"forceShutdown\":null", true},
                 {",\"forceShutdown\":true", true},
                 {",\"forceShutdown\":false", false}};
    struct service *s = *state;
    const char **ids = service_instances(s, ARRAY_LEN(cases));

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct asked_job asked = {.id = ids[i]};

        service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]%s}", ids[i], cases[i].body);
        assert_string_equal(service_listed(s), "");
        service_write(s, look_at_job, &asked);
        assert_int_equal(asked.job.verb, VERB_STOP);
        assert_int_equal(asked.job.force, cases[i].force);
    }
}

static void test_batches(void **state)
{
    struct service *s = *state;
    const char **ids = service_instances(s, 3);
    const char *running = ids[0], *stopped = ids[1], *stopping = ids[2];

    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\",\"%s\"]}", stopped, stopping);
    service_settle(s, stopped, NULL);

    /* Some accepted: the refused ones are listed, whatever their reason, each once, in order. */
    service_call(s, "StartInstances",
                 "{\"instanceIds\":[\"%s\",\"77\",\"%s\",\"%s\",\"%s\",\"77\"]}", running, stopped,
                 stopping, stopped);
    assert_string_equal(service_listed(s), arena_fmt(s->arena, "%s 77 %s", running, stopping));
    assert_string_equal(service_status(s, stopped), "STARTING");
    service_settle(s, stopped, NULL);
    service_settle(s, stopping, NULL);

    /* None accepted, all are there already: listed. Terraform starts what runs before it sets a
     * password. */
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", running);
    assert_string_equal(service_listed(s), running);
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\",\"%s\",\"%s\"]}", running, stopped,
                 running);
    assert_string_equal(service_listed(s), arena_fmt(s->arena, "%s %s", running, stopped));
    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]}", stopping);
    assert_string_equal(service_listed(s), stopping);

    /* None accepted for another reason: the first such reason. */
    service_call(s, "StartInstances", "{\"instanceIds\":[\"77\"]}");
    service_refused(s, 404, "INVALID_INSTANCE_NOT_FOUND");
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\",\"77\"]}", running);
    service_refused(s, 404, "INVALID_INSTANCE_NOT_FOUND");
    service_call(s, "RebootInstances", "{\"instanceIds\":[\"%s\",\"77\"]}", stopping);
    service_refused(s, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS");
}

static void test_id_lists(void **state)
{
    struct service *s = *state;
    CLEANUP(buf_done) struct buf ids = {0};

    for (int i = 0; i < 100; i++)
        buf_fmt(&ids, "%s\"%d\"", i ? "," : "", i);
    service_call(s, "StartInstances", "{\"instanceIds\":[%s]}", ids.data);
    service_refused(s, 404, "INVALID_INSTANCE_NOT_FOUND");
    service_call(s, "StartInstances", "{\"instanceIds\":[%s,\"100\"]}", ids.data);
    service_refused(s, 400, "INVALID_PARAMETER_EXCEED_LENGTH");
    service_call(s, "StartInstances", "{\"instanceIds\":[]}");
    service_refused(s, 400, "INVALID_PARAMETER_LESS_LENGTH");
    service_call(s, "StartInstances", "{}");
    service_refused(s, 400, "MISSING_PARAMETER");
    service_call(s, "StartInstances", "{\"instanceIds\":null}");
    service_refused(s, 400, "MISSING_PARAMETER");
    service_call(s, "StartInstances", "{\"instanceIds\":\"1\"}");
    service_refused(s, 400, "INVALID_PARAMETER_TYPE");
    service_call(s, "StartInstances", "{\"instanceIds\":[1]}");
    service_refused(s, 400, "INVALID_PARAMETER_TYPE");
    service_call(s, "StopInstances", "{\"instanceIds\":[\"1\"],\"forceShutdown\":\"true\"}");
    service_refused(s, 400, "INVALID_PARAMETER_TYPE");
}

static enum err lock(struct op *op, void *ctx)
{
    return inst_lock(op, ctx, LOCK_SECURITY, true);
}

static enum err unlock(struct op *op, void *ctx)
{
    return inst_lock(op, ctx, LOCK_SECURITY, false);
}

static enum err overdue(struct op *op, void *ctx)
{
    return inst_overdue(op, ctx, true);
}

static enum err paid(struct op *op, void *ctx)
{
    return inst_overdue(op, ctx, false);
}

static enum err break_disk(struct op *op, void *ctx)
{
    struct query q = {0};
    struct disk d;

    query_text(&q, "inst", CMP_EQ, ctx);
    assert_true(store_first(op->tx, &rec_disk, &q, &d));
    return disk_fail(op, d.id, true);
}

static void start_refused(struct service *s, const char *id, const char *reason)
{
    const char *message;

    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS");
    message = json_string_value(json_object_get(s->reply, "message"));
    if (!strstr(message, reason))
        fail_saying("'%s' does not say '%s'", message, reason);
    assert_string_equal(service_status(s, id), "STOPPED");
}

static void test_reasons_not_to_start(void **state)
{
    struct service *s = *state;
    char *id = arena_str(s->arena, service_instances(s, 1)[0]);

    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_settle(s, id, NULL);
    service_write(s, lock, id);
    start_refused(s, id, "locked");
    service_write(s, unlock, id);
    service_write(s, overdue, id);
    start_refused(s, id, "overdue");
    service_write(s, paid, id);
    s->core.settings.capacity_mib = 512;
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 400, "STOCK_INSUFFICIENT");
    s->core.settings.capacity_mib = 0;
    service_write(s, break_disk, id);
    start_refused(s, id, "disk");
}

/* ---- release ---- */

static void test_an_unknown_id_releases_nothing(void **state)
{
    struct service *s = *state;
    const char *id = service_instances(s, 1)[0];

    service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\",\"false\"]}", id);
    service_refused(s, 404, "INVALID_INSTANCE_NOT_FOUND");
    assert_string_equal(service_status(s, id), "RUNNING");
}

static enum err with_recycle_bin(struct op *op, void *ctx)
{
    struct account a;
    enum err err = account_get(op, op->account, &a);

    (void)ctx;
    a.recycle_bin = true;
    if (!err)
        store_update(op->tx, &rec_account, &a);
    return err;
}

static void test_recycle_bin(void **state)
{
    struct service *s = *state;
    const char *id = service_instances(s, 1)[0];

    service_write(s, with_recycle_bin, NULL);
    service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    assert_string_equal(service_status(s, id), "RECYCLING");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "RECYCLE");
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 403, "OPERATION_DENIED_INSTANCE_RECYCLED");
    service_call(s, "DescribeInstances", "{\"status\":\"RECYCLED\"}");
    assert_int_equal(json_integer_value(json_object_get(service_response(s), "totalCount")), 1);
    service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_status(s, id), "RELEASING");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "");
}

static enum err count_disks(struct op *op, void *ctx)
{
    struct query q = {0};

    query_text(&q, "account", CMP_EQ, op->account);
    *(int64_t *)ctx = store_count(op->tx, &rec_disk, &q);
    return ERR_NONE;
}

static void test_dependent_disks(void **state)
{
    static const struct {
        const char *field;
        int64_t left;
    } cases[] = {{"", 0}, {",\"dependResource\":true", 0}, {",\"dependResource\":false", 1}};
    struct service *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *id;
        int64_t left = -1;

        service_call(s, "CreateZecInstances",
                     "{" CREATE ",\"subnetId\":\"%s\",\"password\":\"Abcdef1~\","
                     "\"dataDisks\":[{\"diskSize\":20}]}",
                     s->subnet);
        id = arena_str(s->arena, json_string_value(json_array_get(
                                     json_object_get(service_response(s), "instanceIdSet"), 0)));
        service_settle(s, id, NULL);
        service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\"]%s}", id, cases[i].field);
        assert_string_equal(service_listed(s), "");
        service_settle(s, id, NULL);
        service_write(s, count_disks, &left);
        assert_int_equal(left, cases[i].left);
    }
}

/* ---- create ---- */

static const char *text_at(json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void test_create_and_look(void **state)
{
    struct service *s = *state;
    json_t *response, *one, *o;
    const char *id;

    service_call(s, "CreateZecInstances",
                 "{" CREATE ",\"subnetId\":\"%s\",\"password\":\"Abcdef1~\",\"instanceCount\":2,"
                 "\"instanceName\":\"web_[8,3]\",\"timeZone\":\"Africa/Cairo\","
                 "\"systemDisk\":{\"diskSize\":40,\"diskCategory\":\"Basic NVMe SSD\","
                 "\"burstingEnabled\":true},"
                 "\"dataDisks\":[{\"diskSize\":30,\"diskAmount\":1}],"
                 "\"enableAgent\":false,\"enableIpForward\":true,\"nicNetworkType\":\"VirtioOnly\","
                 "\"eipV4Type\":\"\",\"internetChargeType\":null,\"marketingOptions\":{},"
                 "\"instanceOptions\":{\"nestedVirtualization\":true},"
                 "\"tags\":{\"tags\":[{\"key\":\"role\",\"value\":\"web\"}]}}",
                 s->subnet);
    response = service_response(s);
    assert_int_equal(strspn(text_at(response, "orderNumber"), "0123456789"), 19);
    assert_int_equal(json_array_size(json_object_get(response, "instanceIdSet")), 2);
    one = json_array_get(json_object_get(response, "instances"), 1);
    id = arena_str(s->arena, text_at(one, "instanceId"));
    assert_int_equal(strspn(id, "0123456789"), strlen(id));
    assert_int_equal(json_array_size(json_object_get(one, "diskIdSet")), 2);
    assert_string_equal(service_status(s, id), "DEPLOYING");

    service_call(s, "DescribeInstances", "{\"instanceIds\":[\"%s\",\"gone\"]}", id);
    response = service_response(s);
    assert_int_equal(json_integer_value(json_object_get(response, "totalCount")), 1);
    one = json_array_get(json_object_get(response, "dataSet"), 0);
    assert_string_equal(text_at(one, "instanceId"), id);
    assert_string_equal(text_at(one, "instanceName"), "web009");
    assert_string_equal(text_at(one, "zoneId"), "asia-east-1a");
    assert_string_equal(text_at(one, "imageName"), "Debian 12");
    assert_int_equal(json_integer_value(json_object_get(one, "cpu")), 2);
    assert_int_equal(json_integer_value(json_object_get(one, "memory")), 4);
    assert_string_equal(text_at(one, "timeZone"), "Africa/Cairo");
    assert_string_equal(text_at(one, "nicNetworkType"), "VirtioOnly");
    assert_string_equal(text_at(one, "createTime"), "2023-11-14T22:13:20Z");
    assert_true(json_is_false(json_object_get(one, "enableAgent")));
    assert_true(json_is_true(json_object_get(one, "enableIpForward")));
    assert_true(json_is_null(json_object_get(one, "expiredTime")));
    assert_true(json_is_null(json_object_get(one, "keyId")));
    o = json_object_get(one, "systemDisk");
    assert_int_equal(json_integer_value(json_object_get(o, "diskSize")), 40);
    assert_string_equal(text_at(o, "diskCategory"), "Basic NVMe SSD");
    assert_true(json_is_true(json_object_get(o, "burstingEnabled")));
    assert_int_equal(json_array_size(json_object_get(one, "dataDisks")), 1);
    o = json_array_get(json_object_get(one, "dataDisks"), 0);
    assert_int_equal(json_integer_value(json_object_get(o, "diskSize")), 30);
    assert_string_equal(text_at(o, "diskCategory"), "Standard NVMe SSD");
    assert_true(json_is_true(json_object_get(o, "portable")));
    assert_true(json_is_true(
        json_object_get(json_object_get(one, "instanceOptions"), "nestedVirtualization")));
    o = json_array_get(json_object_get(json_object_get(one, "tags"), "tags"), 0);
    assert_string_equal(text_at(o, "key"), "role");
    assert_string_equal(text_at(o, "value"), "web");
    assert_int_equal(json_array_size(json_object_get(one, "nics")), 1);
    o = json_array_get(json_object_get(one, "nics"), 0);
    assert_string_equal(text_at(o, "nicType"), "Primary");
    assert_string_equal(text_at(o, "subnetId"), s->subnet);
    assert_string_equal(text_at(o, "instanceId"), id);
    assert_string_equal(
        text_at(o, "primaryIpv4"),
        json_string_value(json_array_get(json_object_get(one, "privateIpAddresses"), 0)));
    assert_string_equal(text_at(json_object_get(o, "resourceGroup"), "resourceGroupId"),
                        text_at(one, "resourceGroupId"));
    assert_string_equal(text_at(one, "resourceGroupName"), "Default Resource Group");
    assert_string_equal(text_at(o, "securityGroupId"), text_at(one, "securityGroupId"));

    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "RUNNING");
}

static void test_defaults_of_create(void **state)
{
    struct service *s = *state;
    const char *id = service_instances(s, 1)[0];
    json_t *one;

    service_call(s, "DescribeInstances", "{\"instanceIds\":[\"%s\"]}", id);
    one = json_array_get(json_object_get(service_response(s), "dataSet"), 0);
    assert_string_equal(text_at(one, "instanceName"), "instance");
    assert_string_equal(text_at(one, "timeZone"), "Asia/Hong_Kong");
    assert_string_equal(text_at(one, "nicNetworkType"), "Auto");
    assert_true(json_is_true(json_object_get(one, "enableAgent")));
    assert_true(json_is_false(json_object_get(one, "enableIpForward")));
    assert_true(json_is_null(json_object_get(one, "instanceOptions")));
    assert_int_equal(json_array_size(json_object_get(one, "dataDisks")), 0);
    assert_string_equal(text_at(json_object_get(one, "systemDisk"), "diskCategory"),
                        "Standard NVMe SSD");
}

static json_t *create_one(struct service *s, const char *more)
{
    const char *id;

    service_call(s, "CreateZecInstances", "{" CREATE ",\"subnetId\":\"%s\"%s}", s->subnet, more);
    id = arena_str(s->arena, json_string_value(json_array_get(
                                 json_object_get(service_response(s), "instanceIdSet"), 0)));
    service_call(s, "DescribeInstances", "{\"instanceIds\":[\"%s\"]}", id);
    return json_array_get(json_object_get(service_response(s), "dataSet"), 0);
}

static const char *address_of(json_t *instance)
{
    return json_string_value(json_array_get(json_object_get(instance, "privateIpAddresses"), 0));
}

static void test_a_wish_for_an_address(void **state)
{
#define WISH ",\"password\":\"Abcdef1~\",\"lanIp\":\"172.16.0.50\""
    struct service *s = *state;

    assert_string_equal(address_of(create_one(s, WISH)), "172.16.0.50");
    assert_string_not_equal(address_of(create_one(s, WISH)), "172.16.0.50");
    assert_int_equal(total(s, "{\"ipv4Address\":\"172.16.0.50\"}"), 1);
#undef WISH
}

static enum err import_key(struct op *op, void *ctx)
{
    struct keypair k;
    enum err err = keypair_import(op, "laptop",
                                  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERIT"
                                  "FBUWFxgZGhscHR4f me",
                                  true, &k);

    *(const char **)ctx = k.id;
    return err;
}

static enum err look_at_instance(struct op *op, void *ctx)
{
    struct inst *in = ctx;

    return inst_get(op, in->id, in);
}

static void test_key_pair_and_script(void **state)
{
    struct service *s = *state;
    const char *key = NULL;
    struct inst in = {0};
    json_t *one;

    service_write(s, import_key, &key);
    one = create_one(
        s, arena_fmt(s->arena, ",\"keyId\":\"%s\",\"userData\":\"IyEvYmluL3NoCg==\"", key));
    assert_string_equal(text_at(one, "keyId"), key);
    in.id = text_at(one, "instanceId");
    service_write(s, look_at_instance, &in);
    assert_string_equal(in.user_data, "#!/bin/sh\n");
    assert_false(in.user_data_binary);
    assert_string_equal(in.login_hash, "");
}

static void test_a_failed_creation(void **state)
{
    struct service *s = *state;
    const char *id;

    service_call(s, "CreateZecInstances",
                 "{" CREATE ",\"subnetId\":\"%s\",\"password\":\"Abcdef1~\"}", s->subnet);
    id = arena_str(s->arena, json_string_value(json_array_get(
                                 json_object_get(service_response(s), "instanceIdSet"), 0)));
    service_settle(s, id, "the disk is full");
    assert_string_equal(service_status(s, id), "CREATE_FAILED");
    service_call(s, "DescribeInstances", "{\"status\":\"CREATE_FAILED\"}");
    assert_int_equal(json_integer_value(json_object_get(service_response(s), "totalCount")), 1);
    service_call(s, "DescribeInstances", "{\"status\":\"STOPPED\"}");
    assert_int_equal(json_integer_value(json_object_get(service_response(s), "totalCount")), 0);
    service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_string_equal(service_listed(s), "");
    service_settle(s, id, NULL);
    assert_string_equal(service_status(s, id), "");
}

static void test_create_refuses(void **state)
{
#define LOGIN ",\"password\":\"Abcdef1~\""
#define ALL   CREATE ",\"subnetId\":\"SUBNET\"" LOGIN
    static const struct {
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {CREATE LOGIN, 400, "MISSING_PARAMETER"},
        {CREATE LOGIN ",\"subnetId\":\"\"", 400, "MISSING_PARAMETER"},
        {CREATE LOGIN ",\"subnetId\":\"1\"", 404, "INVALID_SUBNET_NOT_FOUND"},
        {CREATE ",\"subnetId\":\"SUBNET\"", 400, "MISSING_PARAMETER"},
        {ALL ",\"keyId\":\"key-1\"", 400, "INVALID_PARAMETER_INSTANCE_LOGIN_CONFLICT"},
        {CREATE ",\"subnetId\":\"SUBNET\",\"keyId\":\"key-1\"", 404, "INVALID_KEY_PAIR_NOT_FOUND"},
        {CREATE ",\"subnetId\":\"SUBNET\",\"password\":\"weak\"", 400,
         "INVALID_PASSWORD_MALFORMED"},
        {ALL ",\"instanceCount\":0", 400, "INVALID_PARAMETER_LESS_MINIMUM"},
        {ALL ",\"instanceCount\":101", 400, "INVALID_PARAMETER_EXCEED_MAXIMUM"},
        {ALL ",\"instanceCount\":\"1\"", 400, "INVALID_PARAMETER_TYPE"},
        {ALL ",\"instanceCount\":1.0", 400, "INVALID_PARAMETER_TYPE"},
        {ALL ",\"instanceName\":\"a\"", 400, "INVALID_PARAMETER_PATTERN_ERROR"},
        {ALL ",\"instanceName\":\"a b\"", 400, "INVALID_PARAMETER_PATTERN_ERROR"},
        {ALL ",\"timeZone\":\"Mars/Olympus\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"systemDisk\":{\"diskSize\":0}", 400, "INVALID_PARAMETER_LESS_MINIMUM"},
        {ALL ",\"systemDisk\":{\"diskSize\":9999}", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"systemDisk\":{\"diskCategory\":\"floppy\"}", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"systemDisk\":[]", 400, "INVALID_PARAMETER_TYPE"},
        {ALL ",\"dataDisks\":[{\"diskSize\":20},{\"diskSize\":20}]", 400,
         "INVALID_PARAMETER_EXCEED_LENGTH"},
        {ALL ",\"dataDisks\":[{\"diskSize\":1}]", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"dataDisks\":[{\"diskSize\":20,\"diskAmount\":40}]", 400,
         "LIMIT_EXCEEDED_INSTANCE_CAN_ATTACH"},
        {ALL ",\"lanIp\":\"x\"", 400, "INVALID_PARAMETER_PATTERN_ERROR"},
        {ALL ",\"lanIp\":\"172.16.0.50\",\"instanceCount\":2", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"lanIp\":\"8.8.8.8\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"nicNetworkType\":\"Slow\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"ipStackType\":\"IPv6\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"securityGroupId\":\"1\"", 404, "INVALID_SECURITY_GROUP_NOT_FOUND"},
        {ALL ",\"resourceGroupId\":\"1\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"internetChargeType\":\"ByBandwidth\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"bandwidth\":5", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"trafficPackageSize\":0.5", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"clusterId\":\"1\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"eipV4Type\":\"BGPLine\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"networkLineType\":\"CN2\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"eipIds\":[\"1\"]", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"ipv6ClusterId\":\"1\"", 400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"tags\":{\"tags\":[{\"key\":\"a\"}]}", 400, "MISSING_PARAMETER"},
        {ALL
         ",\"tags\":{\"tags\":[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"a\",\"value\":\"2\"}]}",
         400, "INVALID_PARAMETER_VALUE"},
        {ALL ",\"tags\":[]", 400, "INVALID_PARAMETER_TYPE"},
        {"\"zoneId\":\"mars-1a\",\"imageId\":\"debian12_20260101\",\"instanceType\":\"z2a.cpu.1\","
         "\"subnetId\":\"SUBNET\"" LOGIN,
         404, "INVALID_ZONE_NOT_FOUND"},
        {"\"zoneId\":\"asia-east-1b\",\"imageId\":\"debian12_20260101\","
         "\"instanceType\":\"z2a.cpu.1\",\"subnetId\":\"SUBNET\"" LOGIN,
         400, "INVALID_SUBNET_ZONE_MISMATCH"},
        {"\"zoneId\":\"asia-east-1a\",\"imageId\":\"dos\",\"instanceType\":\"z2a.cpu.1\","
         "\"subnetId\":\"SUBNET\"" LOGIN,
         404, "INVALID_IMAGE_NOT_FOUND"},
        {"\"zoneId\":\"asia-east-1a\",\"imageId\":\"debian12_20260101\",\"instanceType\":\"z0\","
         "\"subnetId\":\"SUBNET\"" LOGIN,
         404, "INVALID_INSTANCE_TYPE_NOT_FOUND"},
        {"\"zoneId\":\"asia-east-1a\",\"imageId\":\"debian12_20260101\","
         "\"instanceType\":\"ecs.g7.large\",\"subnetId\":\"SUBNET\"" LOGIN,
         400, "INVALID_INSTANCE_TYPE_ZONE_NO_SELL"},
    };
    struct service *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_done) struct buf body = {0};
        const char *at = strstr(cases[i].body, "SUBNET");

        buf_add(&body, cases[i].body, at ? (size_t)(at - cases[i].body) : strlen(cases[i].body));
        if (at)
            buf_fmt(&body, "%s%s", s->subnet, at + strlen("SUBNET"));
        service_call(s, "CreateZecInstances", "{%s}", body.data);
        if (s->status != cases[i].status)
            print_error("%s\n", cases[i].body);
        service_refused(s, cases[i].status, cases[i].code);
    }
    service_call(s, "DescribeInstances", "{}");
    assert_int_equal(json_integer_value(json_object_get(service_response(s), "totalCount")), 0);
#undef ALL
#undef LOGIN
}

/* ---- listings ---- */

static void create_named(struct service *s, const char *name, const char *tags)
{
    service_call(s, "CreateZecInstances",
                 "{" CREATE ",\"subnetId\":\"%s\",\"password\":\"Abcdef1~\",\"instanceName\":"
                 "\"%s\",\"tags\":{\"tags\":[%s]}}",
                 s->subnet, name, tags);
    (void)service_response(s);
}

static void test_filters(void **state)
{
    struct service *s = *state;

    create_named(s, "web-1", "{\"key\":\"role\",\"value\":\"web\"}");
    create_named(s, "web-10",
                 "{\"key\":\"role\",\"value\":\"web\"},{\"key\":\"env\",\"value\":\"x\"}");
    create_named(s, "db.1", "");
    assert_int_equal(total(s, "{}"), 3);
    assert_int_equal(total(s, "{\"instanceIds\":[]}"), 3);
    assert_int_equal(total(s, "{\"instanceIds\":[\"1\"]}"), 0);
    assert_int_equal(total(s, "{\"name\":\"\"}"), 3);
    assert_int_equal(total(s, "{\"name\":\"web\"}"), 2);
    assert_int_equal(total(s, "{\"name\":\"^web-1$\"}"), 1);
    assert_int_equal(total(s, "{\"name\":\"1$\"}"), 2);
    assert_int_equal(total(s, "{\"name\":\"%%\"}"), 0);
    assert_int_equal(total(s, "{\"name\":\"b_1\"}"), 0);
    assert_int_equal(total(s, "{\"zoneId\":\"asia-east-1a\"}"), 3);
    assert_int_equal(total(s, "{\"zoneId\":\"asia-east-1b\"}"), 0);
    assert_int_equal(total(s, "{\"imageId\":\"debian12_20260101\"}"), 3);
    assert_int_equal(total(s, "{\"imageId\":\"x\"}"), 0);
    assert_int_equal(total(s, "{\"status\":\"DEPLOYING\"}"), 3);
    assert_int_equal(total(s, "{\"status\":\"RUNNING\"}"), 0);
    assert_int_equal(total(s, "{\"ipv4Address\":\"1.2.3.4\"}"), 0);
    assert_int_equal(total(s, "{\"ipv6Address\":\"::1\"}"), 0);
    assert_int_equal(total(s, "{\"resourceGroupId\":\"x\"}"), 0);
    assert_int_equal(total(s, "{\"tagKeys\":[\"role\"]}"), 2);
    assert_int_equal(total(s, "{\"tagKeys\":[\"role\",\"env\"]}"), 1);
    assert_int_equal(total(s, "{\"tags\":[{\"key\":\"env\",\"value\":\"x\"}]}"), 1);
    assert_int_equal(total(s, "{\"tags\":[{\"key\":\"env\",\"value\":\"y\"}]}"), 0);
    assert_int_equal(total(s, "{\"tagKeys\":[\"role\"],\"pageSize\":1,\"pageNum\":2}"), 2);
    assert_int_equal(json_array_size(json_object_get(service_response(s), "dataSet")), 1);
    assert_true(check_plans(s->store, s->dir) >= 5);
    service_call(s, "DescribeInstances", "{\"status\":\"SLEEPING\"}");
    service_refused(s, 400, "INVALID_PARAMETER_VALUE");
}

static void test_starting_filter_takes_both_words(void **state)
{
    struct service *s = *state;
    const char *id = service_instances(s, 1)[0];

    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_settle(s, id, NULL);
    service_call(s, "StartInstances", "{\"instanceIds\":[\"%s\"]}", id);
    assert_int_equal(total(s, "{\"status\":\"STARTING\"}"), 1);
    assert_int_equal(total(s, "{\"status\":\"BOOTING\"}"), 1);
    assert_int_equal(total(s, "{\"status\":\"DEPLOYING\"}"), 0);
}

static void test_pages(void **state)
{
    static const struct {
        const char *page, *code;
    } bad[] = {
        {"\"pageSize\":0", "INVALID_PARAMETER_LESS_MINIMUM"},
        {"\"pageSize\":1001", "INVALID_PARAMETER_EXCEED_MAXIMUM"},
        {"\"pageSize\":-1", "INVALID_PARAMETER_LESS_MINIMUM"},
        {"\"pageNum\":0", "INVALID_PARAMETER_LESS_MINIMUM"},
        {"\"pageNum\":9223372036854775807", "INVALID_PARAMETER_EXCEED_MAXIMUM"},
        {"\"pageSize\":\"10\"", "INVALID_PARAMETER_TYPE"},
    };
    static const char *const actions[] = {"DescribeInstances", "DescribeInstancesStatus"};
    struct service *s = *state;

    for (int i = 0; i < 3; i++) {
        s->now += 1000;
        service_instances(s, 10);
    }
    for (size_t a = 0; a < ARRAY_LEN(actions); a++) {
        CLEANUP(free_p) char *last = xstrdup("");
        size_t seen = 0;

        for (int page = 1; page <= 4; page++) {
            json_t *set, *row;
            size_t i;

            service_call(s, actions[a], "{\"pageSize\":11,\"pageNum\":%d}", page);
            assert_int_equal(json_integer_value(json_object_get(service_response(s), "totalCount")),
                             30);
            set = json_object_get(service_response(s), "dataSet");
            assert_int_equal(json_array_size(set), page < 3 ? 11 : page == 3 ? 8 : 0);
            json_array_foreach (set, i, row) {
                /* Newest first. Ids grow with time. */
                const char *id = text_at(row, "instanceId");

                assert_true(seen == 0 || strcmp(last, id) > 0);
                free(last);
                last = xstrdup(id);
                seen++;
            }
        }
        assert_int_equal(seen, 30);
        service_call(s, actions[a], "{}");
        assert_int_equal(json_array_size(json_object_get(service_response(s), "dataSet")), 20);
        service_call(s, actions[a], "{\"pageSize\":1000,\"pageNum\":2147483647}");
        assert_int_equal(json_array_size(json_object_get(service_response(s), "dataSet")), 0);
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            service_call(s, actions[a], "{%s}", bad[i].page);
            service_refused(s, 400, bad[i].code);
        }
    }
}

static enum err another_account(struct op *op, void *ctx)
{
    struct service *s = ctx;
    struct account a;
    enum err err = account_create(op, NULL, "other", &a);

    if (!err)
        err = access_key_create(op, a.id, &s->key_id, &s->secret);
    return err;
}

static void test_other_accounts_see_nothing(void **state)
{
    struct service *s = *state;
    const char *id = service_instances(s, 1)[0], *key = s->key_id, *secret = s->secret;

    service_write(s, another_account, s);
    assert_int_equal(total(s, "{}"), 0);
    assert_string_equal(service_status(s, id), "");
    service_call(s, "StopInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 404, "INVALID_INSTANCE_NOT_FOUND");
    service_call(s, "ReleaseInstances", "{\"instanceIds\":[\"%s\"]}", id);
    service_refused(s, 404, "INVALID_INSTANCE_NOT_FOUND");
    s->key_id = key;
    s->secret = secret;
    assert_string_equal(service_status(s, id), "RUNNING");
}

/* ---- the catalogue ---- */

static size_t listed(struct service *s, const char *name)
{
    json_t *list = json_object_get(service_response(s), name);

    assert_true(json_is_array(list));
    return json_array_size(list);
}

static void test_catalogue(void **state)
{
    struct service *s = *state;
    json_t *row;

    service_call(s, "DescribeZones", "{\"zoneIds\":[\"asia-east-1a\",\"cn-hangzhou-h\",\"x\"]}");
    assert_int_equal(listed(s, "zoneSet"), 1);
    row = json_array_get(json_object_get(service_response(s), "zoneSet"), 0);
    assert_string_equal(text_at(row, "zoneName"), "Hong Kong A");
    assert_string_equal(text_at(row, "regionId"), "asia-east-1");
    assert_string_equal(text_at(row, "timeZone"), "Asia/Hong_Kong");
    service_call(s, "DescribeZones", "{}");
    assert_true(listed(s, "zoneSet") > 1);

    service_call(s, "DescribeZoneInstanceConfigInfos",
                 "{\"zoneId\":\"asia-east-1a\",\"instanceType\":\"z2a.cpu.4\"}");
    assert_int_equal(listed(s, "instanceTypeQuotaSet"), 1);
    row = json_array_get(json_object_get(service_response(s), "instanceTypeQuotaSet"), 0);
    assert_int_equal(json_integer_value(json_object_get(row, "cpuCount")), 4);
    assert_int_equal(json_integer_value(json_object_get(row, "memory")), 8);
    assert_true(json_is_true(json_object_get(row, "withStock")));
    s->core.settings.capacity_mib = 4096;
    service_call(s, "DescribeZoneInstanceConfigInfos", "{\"instanceType\":\"z2a.cpu.4\"}");
    assert_true(listed(s, "instanceTypeQuotaSet") > 1);
    row = json_array_get(json_object_get(service_response(s), "instanceTypeQuotaSet"), 0);
    assert_true(json_is_false(json_object_get(row, "withStock")));
    service_call(s, "DescribeZoneInstanceConfigInfos", "{\"zoneId\":\"cn-hangzhou-h\"}");
    service_refused(s, 404, "INVALID_ZONE_NOT_FOUND");

    service_call(s, "DescribeTimeZones", "{}");
    assert_true(listed(s, "timeZones") > 5);
}

static void test_images(void **state)
{
    static const struct {
        const char *filter;
        int total;
    } cases[] = {
        {"", 1},
        {",\"imageName\":\"ebian\"", 1},
        {",\"imageName\":\"^ebian\"", 0},
        {",\"category\":\"Debian\"", 1},
        {",\"category\":\"Ubuntu\"", 0},
        {",\"imageType\":\"PUBLIC_IMAGE\"", 1},
        {",\"imageType\":\"CUSTOM_IMAGE\"", 0},
        {",\"imageSource\":\"OFFICIAL\"", 1},
        {",\"imageSource\":\"APP\"", 0},
        {",\"osType\":\"linux\"", 1},
        {",\"osType\":\"windows\"", 0},
        {",\"imageStatus\":\"AVAILABLE\"", 1},
        {",\"imageStatus\":\"FAILED\"", 0},
        {",\"imageIds\":[\"debian12_20260101\"]", 1},
        {",\"imageIds\":[\"x\"]", 0},
        {",\"tagKeys\":[\"x\"]", 0},
    };
    struct service *s = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        service_call(s, "DescribeImages", "{\"zoneId\":\"asia-east-1a\"%s}", cases[i].filter);
        assert_int_equal(json_integer_value(json_object_get(service_response(s), "totalCount")),
                         cases[i].total);
        assert_int_equal(listed(s, "dataSet"), cases[i].total);
    }
    service_call(s, "DescribeImages", "{\"zoneId\":\"asia-east-1a\"}");
    json_t *row = json_array_get(json_object_get(service_response(s), "dataSet"), 0);
    assert_string_equal(text_at(row, "imageId"), "debian12_20260101");
    assert_string_equal(text_at(row, "imageSize"), "2");
    assert_int_equal(json_integer_value(json_object_get(row, "minDiskSize")), 2);
    service_call(s, "DescribeImages", "{}");
    service_refused(s, 400, "MISSING_PARAMETER");
    service_call(s, "DescribeImages", "{\"zoneId\":\"mars-1a\"}");
    service_refused(s, 404, "INVALID_ZONE_NOT_FOUND");
    service_call(s, "DescribeImages", "{\"zoneId\":\"asia-east-1a\",\"osType\":\"plan9\"}");
    service_refused(s, 400, "INVALID_PARAMETER_VALUE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_authentication),
        T(test_requests_that_are_none),
        T(test_a_life),
        T(test_force_is_the_default_of_stop),
        T(test_batches),
        T(test_id_lists),
        T(test_reasons_not_to_start),
        T(test_an_unknown_id_releases_nothing),
        T(test_recycle_bin),
        T(test_dependent_disks),
        T(test_create_and_look),
        T(test_defaults_of_create),
        T(test_a_wish_for_an_address),
        T(test_key_pair_and_script),
        T(test_a_failed_creation),
        T(test_create_refuses),
        T(test_filters),
        T(test_starting_filter_takes_both_words),
        T(test_pages),
        T(test_other_accounts_see_nothing),
        T(test_catalogue),
        T(test_images),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
