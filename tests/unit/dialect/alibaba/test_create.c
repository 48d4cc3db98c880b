/* RunInstances and CreateInstance: what is accepted, what is refused and how, and what comes back.
 */
#include "fixture.h"

#include "base/crypto.h"
#include "base/timefmt.h"
#include "dialect/alibaba/text.h"

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

static int run_instances(const char *more)
{
    return fixture_call(&f,
                        "Action=RunInstances&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                        "&InstanceType=" FIXTURE_TYPE "%s",
                        more);
}

static char *run_one(const char *more)
{
    if (run_instances(more) != 200)
        print_error("%s\n", f.body);
    assert_int_equal(f.status, 200);
    return xstrdup(fixture_text(&f, "InstanceIdSets.InstanceIdSet.0"));
}

static void describe(const char *id)
{
    assert_int_equal(fixture_call(&f,
                                  "Action=DescribeInstances&RegionId=cn-hangzhou"
                                  "&InstanceIds=%%5B%%22%s%%22%%5D",
                                  id),
                     200);
    assert_int_equal(fixture_count(&f, "Instances.Instance"), 1);
}

static const char *text_of(const char *field)
{
    char *path CLEANUP(free_p) = xasprintf("Instances.Instance.0.%s", field);

    return fixture_text(&f, path);
}

static json_int_t number_of(const char *field)
{
    char *path CLEANUP(free_p) = xasprintf("Instances.Instance.0.%s", field);

    return json_integer_value(fixture_at(&f, path));
}

/* ---- tests ---- */

static void test_run_and_describe(void **state)
{
    char *id CLEANUP(free_p) = run_one(
        "&InstanceName=web-1&Description=the%20first&HostName=web-1&Password=Secret123"
        "&SystemDisk.Category=cloud_essd&SystemDisk.Size=60&SystemDisk.PerformanceLevel=PL1"
        "&DataDisk.1.Size=20&DataDisk.1.Encrypted=false&DataDisk.1.Device=/dev/xvdb"
        "&InternetMaxBandwidthOut=5&InternetChargeType=PayByBandwidth&ResourceGroupId=rg-1"
        "&CreditSpecification=Standard&HttpTokens=required&HttpPutResponseHopLimit=3"
        "&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=0.98&SpotDuration=1"
        "&Tag.1.Key=k%201&Tag.1.Value=v%2F1&Tag.2.Key=k2&Tag.2.Value="
        "&PrivatePoolOptions.MatchCriteria=Open&ClockOptions.PtpStatus=enabled&AutoPay=True");
    (void)state;

    assert_memory_equal(id, "i-bp1", 5);
    assert_int_equal(strlen(id), 22);
    describe(id);
    assert_string_equal(text_of("Status"), "Pending");
    fixture_end_job(&f, id, NULL); /* made; it starts by itself */
    describe(id);
    assert_string_equal(text_of("Status"), "Starting");
    fixture_end_job(&f, id, NULL);
    describe(id);
    assert_string_equal(text_of("Status"), "Running");
    assert_string_equal(text_of("InstanceName"), "web-1");
    assert_string_equal(text_of("Description"), "the first");
    assert_string_equal(text_of("HostName"), "web-1");
    assert_string_equal(text_of("ImageId"), FIXTURE_IMAGE);
    assert_string_equal(text_of("OSType"), "linux");
    assert_string_equal(text_of("InstanceTypeFamily"), "ecs.g7");
    assert_int_equal(number_of("Cpu"), 2);
    assert_int_equal(number_of("Memory"), 8192);
    assert_int_equal(number_of("CpuOptions.CoreCount"), 1);
    assert_string_equal(text_of("InternetChargeType"), "PayByBandwidth");
    assert_int_equal(number_of("InternetMaxBandwidthOut"), 5);
    assert_string_equal(text_of("ResourceGroupId"), "rg-1");
    assert_string_equal(text_of("CreditSpecification"), "Standard");
    assert_string_equal(text_of("MetadataOptions.HttpTokens"), "required");
    assert_int_equal(number_of("MetadataOptions.HttpPutResponseHopLimit"), 3);
    assert_string_equal(text_of("SpotStrategy"), "SpotWithPriceLimit");
    assert_true(json_real_value(fixture_at(&f, "Instances.Instance.0.SpotPriceLimit")) == 0.98);
    assert_string_equal(text_of("ClockOptions.PtpStatus"), "enabled");
    assert_string_equal(text_of("InstanceChargeType"), "PostPaid");
    assert_string_equal(text_of("CreationTime"), "2026-01-02T03:04Z");
    assert_string_equal(text_of("StartTime"), "2026-01-02T03:04Z");
    assert_string_equal(text_of("ExpiredTime"), "2099-12-31T15:59Z");
    assert_string_equal(text_of("Tags.Tag.0.TagKey"), "k 1");
    assert_string_equal(text_of("Tags.Tag.0.TagValue"), "v/1");
    assert_string_equal(text_of("Tags.Tag.1.TagValue"), "");
    assert_string_equal(text_of("StoppedMode"), "Not-applicable");
    const char *ip = text_of("VpcAttributes.PrivateIpAddress.IpAddress.0");
    assert_non_null(ip);
    assert_string_equal(text_of("NetworkInterfaces.NetworkInterface.0.PrimaryIpAddress"), ip);
    assert_string_equal(text_of("NetworkInterfaces.NetworkInterface.0.Type"), "Primary");
    assert_true(json_is_true(fixture_at(
        &f,
        "Instances.Instance.0.NetworkInterfaces.NetworkInterface.0.PrivateIpSets.PrivateIpSet.0."
        "Primary")));
    assert_true(json_is_true(fixture_at(&f, "Instances.Instance.0.IoOptimized")));
}

/* Clients' models count on every list, also when it is empty. */
static void test_every_list_is_there(void **state)
{
    static const char *const lists[] = {
        "VpcAttributes.PrivateIpAddress.IpAddress",
        "PublicIpAddress.IpAddress",
        "InnerIpAddress.IpAddress",
        "RdmaIpAddress.IpAddress",
        "SecurityGroupIds.SecurityGroupId",
        "NetworkInterfaces.NetworkInterface",
        "OperationLocks.LockReason",
        "Tags.Tag",
    };
    static const char *const objects[] = {
        "CpuOptions",
        "ImageOptions",
        "EipAddress",
        "MetadataOptions",
        "DedicatedHostAttribute",
        "DedicatedInstanceAttribute",
        "EcsCapacityReservationAttr",
        "HibernationOptions",
        "SecurityOptions",
        "ClockOptions",
        "PrivateDnsNameOptions",
        "AdditionalInfo",
    };
    char *id CLEANUP(free_p) = fixture_instance(&f, "");
    (void)state;

    describe(id);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        char *path CLEANUP(free_p) = xasprintf("Instances.Instance.0.%s", lists[i]);
        assert_true(json_is_array(fixture_at(&f, path)));
    }
    for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
        char *path CLEANUP(free_p) = xasprintf("Instances.Instance.0.%s", objects[i]);
        assert_true(json_is_object(fixture_at(&f, path)));
    }
    assert_int_equal(fixture_count(&f, "Instances.Instance.0.Tags.Tag"), 0);
    assert_string_equal(text_of("Status"), "Stopped");
    assert_string_equal(text_of("InstanceName"), id);
    assert_string_equal(text_of("StoppedMode"), "KeepCharging");
    assert_string_equal(text_of("StartTime"), "");
    assert_null(fixture_at(&f, "Code"));
    assert_null(fixture_at(&f, "Message"));
    assert_null(fixture_at(&f, "Success"));
}

static void test_names_in_sequence(void **state)
{
    (void)state;
    assert_int_equal(run_instances("&Amount=3&InstanceName=web-[8,3]&HostName=host"
                                   "&UniqueSuffix=true"),
                     200);
    assert_int_equal(fixture_count(&f, "InstanceIdSets.InstanceIdSet"), 3);
    char *last CLEANUP(free_p) = xstrdup(fixture_text(&f, "InstanceIdSets.InstanceIdSet.2"));
    describe(last);
    assert_string_equal(text_of("InstanceName"), "web-010");
    assert_string_equal(text_of("HostName"), "host003");

    char name[200] = "&Amount=2&UniqueSuffix=true&InstanceName=";
    memset(name + strlen(name), 'a', 126); /* room for two more */
    run_instances(name);
    assert_refused(&f, 403, "InvalidParams.InstanceNameExceed");
}

struct user_data_case {
    const char *id, *want;
    bool binary;
};

static void look_at_user_data(struct op *op, void *ctx)
{
    const struct user_data_case *want = ctx;
    struct inst in;

    assert_int_equal(inst_get(op, want->id, &in), ERR_NONE);
    assert_string_equal(in.user_data, want->want);
    assert_int_equal(in.user_data_binary, want->binary);
}

static void test_user_data(void **state)
{
    struct arena *a CLEANUP(arena_free_p) = arena_new();
    struct buf more CLEANUP(buf_done) = {0};
    char *big = arena_alloc(a, 32 * 1024 + 2);
    (void)state;

    char *text CLEANUP(free_p) = run_one("&UserData=IyEvYmluL3NoCg%3D%3D");
    fixture_write(&f, look_at_user_data, &(struct user_data_case){text, "#!/bin/sh\n", false});
    char *bytes CLEANUP(free_p) = run_one("&UserData=AAH%2F"); /* 00 01 FF */
    fixture_write(&f, look_at_user_data, &(struct user_data_case){bytes, "AAH/", true});

    run_instances("&UserData=%23%21");
    assert_refused(&f, 403, "InvalidUserData.Base64FormatInvalid");
    memset(big, 'x', 32 * 1024 + 1);
    buf_str(&more, "&UserData=");
    percent_encode(&more, base64_encode(a, big, 32 * 1024 + 1));
    run_instances(more.data);
    assert_refused(&f, 400, "InvalidUserData.SizeExceeded");
    buf_clear(&more);
    buf_str(&more, "&UserData=");
    percent_encode(&more, base64_encode(a, big, 32 * 1024));
    assert_int_equal(run_instances(more.data), 200);
}

static void test_prepaid(void **state)
{
    static const struct {
        const char *params, *end;
    } cases[] = {
        {"&Period=1", "2026-02-28T03:04Z"}, /* there is no 31st of February */
        {"&Period=12", "2027-01-31T03:04Z"},
        {"&Period=2&PeriodUnit=Week", "2026-02-14T03:04Z"},
    };
    int64_t now = f.now;
    (void)state;

    assert_int_equal(time_parse("2026-01-31T03:04:05Z", &f.now), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *more CLEANUP(free_p) = xasprintf("&InstanceChargeType=PrePaid%s", cases[i].params);
        char *id CLEANUP(free_p) = run_one(more);

        describe(id);
        assert_string_equal(text_of("InstanceChargeType"), "PrePaid");
        assert_string_equal(text_of("ExpiredTime"), cases[i].end);
        assert_string_equal(text_of("SaleCycle"), i == 2 ? "week" : "month");
    }
    f.now = now;
    run_instances("&InstanceChargeType=PrePaid");
    assert_refused(&f, 400, "MissingParameter");
    run_instances("&InstanceChargeType=PrePaid&Period=10");
    assert_refused(&f, 400, "InvalidPeriod");
    run_instances("&InstanceChargeType=PrePaid&Period=5&PeriodUnit=Week");
    assert_refused(&f, 400, "InvalidPeriod");
    run_instances("&InstanceChargeType=PrePaid&Period=1&DeletionProtection=true");
    assert_refused(&f, 400, "InvalidParameter.Conflict");
    run_instances("&InstanceChargeType=PostPay");
    assert_refused(&f, 404, "InvalidInstanceChargeType.NotFound");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *more;
        int status;
        const char *code;
    } cases[] = {
        {"&InstanceName=1a", 400, "InvalidInstanceName.Malformed"},
        {"&InstanceName=web-[1,9]", 400, "InvalidInstanceName.Malformed"},
        {"&Description=x", 400, "InvalidDescription.Malformed"},
        {"&HostName=-x", 400, "InvalidHostName.Malformed"},
        {"&Password=short", 400, "InvalidPassword.Malformed"},
        {"&Password=Secret123&PasswordInherit=true", 400, "InvalidPasswordParam.Mismatch"},
        {"&KeyPairName=none", 400, "InvalidKeyPairName.NotFound"},
        {"&Amount=0", 403, "InvalidParam.Amount"},
        {"&Amount=101", 403, "InvalidParam.Amount"},
        {"&Amount=2&MinAmount=3", 400, "InvalidMinAmount.Malformed"},
        {"&InternetChargeType=Free", 400, "InvalidInternetChargeType.ValueNotSupported"},
        {"&InternetMaxBandwidthOut=101", 400, "InvalidParameter"},
        {"&InternetMaxBandwidthIn=11", 400, "InvalidParameter"},
        {"&SystemDisk.Category=tape", 400, "InvalidSystemDiskCategory.ValueNotSupported"},
        {"&SystemDisk.Size=19", 404, "InvalidSystemDiskSize.LessThanImageSize"},
        {"&SystemDisk.Size=2049", 400, "InvalidSystemDiskSize.ValueNotSupported"},
        {"&SystemDisk.Category=cloud_essd&SystemDisk.Size=100&SystemDisk.PerformanceLevel=PL2", 400,
         "InvalidSystemDiskSize.ValueNotSupported"},
        {"&SystemDisk.Category=cloud_ssd&SystemDisk.PerformanceLevel=PL1", 400,
         "InvalidPerformanceLevel.Malformed"},
        {"&SystemDisk.PerformanceLevel=PL1", 400, "InvalidPerformanceLevel.Malformed"},
        {"&DataDisk.1.Size=20&DataDisk.1.PerformanceLevel=PL1", 400,
         "InvalidPerformanceLevel.Malformed"},
        {"&SystemDisk.Size=65537", 400, "InvalidSystemDiskSize.ValueNotSupported"},
        {"&SystemDisk.Size=big", 400, "InvalidSystemDiskSize.ValueNotSupported"},
        {"&DataDisk=x", 400, "InvalidParameter"},
        {"&Tag=x", 400, "InvalidParameter"},
        {"&DataDisk.1.Category=cloud_essd", 400, "MissingParameter"},
        {"&DataDisk.1.Size=19", 400, "InvalidDataDiskSize.ValueNotSupported"},
        {"&DataDisk.1.Size=20&DataDisk.1.Category=tape", 400,
         "InvalidDataDiskCategory.ValueNotSupported"},
        {"&DataDisk.1.Size=20&DataDisk.1.Device=/dev/null", 400, "InvalidDataDevice.Malformed"},
        {"&DataDisk.1.Size=20&DataDisk.1.SnapshotId=s-1", 404,
         "InvalidDataDiskSnapshotId.NotFound"},
        {"&DataDisk.1.Size=20&DataDisk.1.DiskName=1", 400, "InvalidDiskName.Malformed"},
        {"&SecurityGroupId=sg-1", 404, "InvalidSecurityGroupId.NotFound"},
        {"&SecurityGroupId=sg-1&SecurityGroupIds.1=sg-2", 400, "InvalidParameter.Conflict"},
        {"&VSwitchId=vsw-1", 404, "InvalidVSwitchId.NotFound"},
        {"&ZoneId=cn-mars-a", 404, "InvalidZoneId.NotFound"},
        {"&PrivateIpAddress=10.0.0", 400, "InvalidPrivateIpAddress.Malformed"},
        {"&PrivateIpAddress=10.0.0.1", 400, "InvalidPrivateIpAddress"},
        {"&Tag.1.Key=acs:x", 400, "InvalidTagKey.Malformed"},
        {"&Tag.1.Key=x&Tag.2.Key=x", 400, "Duplicate.TagKey"},
        {"&HttpEndpoint=maybe", 400, "InvalidHttpEndpoint.NotSupported"},
        {"&HttpTokens=maybe", 400, "InvalidHttpTokens.NotSupported"},
        {"&SpotStrategy=Cheap", 400, "InvalidSpotStrategy"},
        {"&SpotStrategy=SpotWithPriceLimit", 400, "InvalidSpotPriceLimit"},
        {"&SpotStrategy=SpotWithPriceLimit&SpotPriceLimit=inf", 400, "InvalidSpotPriceLimit"},
        {"&SpotDuration=7", 400, "InvalidSpotDuration"},
        {"&SystemDisk.Encrypted=true&SystemDisk.KMSKeyId=none", 403,
         "InvalidParameter.KMSKeyId.NotFound"},
        {"&SystemDisk.KMSKeyId=some", 400, "InvalidParameter.Conflict"},
        {"&LaunchTemplateId=lt-1", 404, "InvalidLaunchTemplate.NotFound"},
        {"&DedicatedHostId=dh-1", 404, "InvalidDedicatedHostId.NotFound"},
        {"&RamRoleName=role", 404, "InvalidRamRole.NotFound"},
        {"&NetworkInterface.1.NetworkInterfaceId=eni-1", 404, "InvalidEniId.NotFound"},
        {"&NetworkInterface.1.InstanceType=Secondary", 400, "UnsupportedParameter"},
        {"&Ipv6AddressCount=1", 400, "UnsupportedParameter"},
        {"&AutoReleaseTime=2030-02-01T00:00:00Z", 400, "InvalidAutoReleaseTime.Malformed"},
        {"&AutoReleaseTime=soon", 400, "InvalidAutoReleaseTime.Malformed"},
        {"&SecurityOptions.EnableSecureBoot=true", 400, "UnsupportedParameter"},
        {"&Tenancy=host", 400, "UnsupportedParameter"},
        {"&CpuOptions.Core=4&CpuOptions.ThreadsPerCore=2", 400, "UnsupportedParameter"},
        {"&ClientToken=%E4%B8%AD", 400, "InvalidClientToken.ValueNotSupported"},
        {"&DryRun=true", 400, "DryRunOperation"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int status = run_instances(cases[i].more);
        const char *code = fixture_text(&f, "Code");

        if (status != cases[i].status || !code || !streq(code, cases[i].code))
            print_error("%s: %s\n", cases[i].more, f.body);
        assert_int_equal(status, cases[i].status);
        assert_string_equal(code, cases[i].code);
    }
    fixture_call(&f, "Action=RunInstances&RegionId=cn-hangzhou&InstanceType=" FIXTURE_TYPE);
    assert_string_equal(fixture_text(&f, "Message"),
                        "The input parameter ImageId that is mandatory for processing this "
                        "request is not supplied.");
    fixture_call(&f, "Action=RunInstances&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE);
    assert_refused(&f, 400, "MissingParameter");
    fixture_call(&f, "Action=CreateInstance&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE);
    assert_refused(&f, 400, "MissingInstanceType");
    for (int i = 0; i < 2; i++) {
        fixture_call(&f,
                     "Action=CreateInstance&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                     "&InstanceType=" FIXTURE_TYPE "&SystemDisk.Size=%s",
                     i ? "2049" : "65537");
        assert_refused(&f, 404, "InvalidSystemDiskSize.MoreThanMaxSize");
    }
    fixture_call(&f, "Action=CreateInstance&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                     "&InstanceType=" FIXTURE_TYPE "&SystemDisk.Size=0");
    assert_refused(&f, 400, "InvalidSystemDiskSize.ValueNotSupported");
    fixture_call(&f, "Action=RunInstances&ImageId=x&InstanceType=y");
    assert_refused(&f, 400, "MissingRegionId");
    fixture_call(&f,
                 "Action=RunInstances&RegionId=cn-hangzhou&ImageId=x&InstanceType=" FIXTURE_TYPE);
    assert_refused(&f, 404, "InvalidImageId.NotFound");
    fixture_call(&f, "Action=RunInstances&RegionId=cn-hangzhou&ImageId=" FIXTURE_IMAGE
                     "&InstanceType=ecs.none");
    assert_refused(&f, 400, "InvalidInstanceType.ValueNotSupported");
    fixture_call(&f, "Action=RunInstances&RegionId=mars&ImageId=" FIXTURE_IMAGE
                     "&InstanceType=" FIXTURE_TYPE);
    assert_refused(&f, 404, "InvalidRegionId.NotFound");
}

static void count_disks(struct op *op, void *ctx)
{
    struct query q = {.order = "slot"};
    size_t n;

    query_text(&q, "inst", CMP_EQ, ctx);
    const struct disk *d = store_find(op->tx, &rec_disk, &q, &n);
    assert_int_equal(n, 3);
    assert_int_equal(d[0].kind, DISK_SYSTEM);
    assert_int_equal(d[0].size_gib, 40); /* the default, though the image is smaller */
    assert_string_equal(d[1].category, "cloud_essd");
    assert_string_equal(d[1].level, "PL2");
    assert_int_equal(d[1].size_gib, 500);
    assert_false(d[1].delete_with_inst);
    assert_string_equal(d[2].name, "third");
    assert_true(d[2].delete_with_inst);
}

static void test_disks(void **state)
{
    char *id CLEANUP(free_p) = run_one(
        "&DataDisk.1.Category=cloud_essd&DataDisk.1.PerformanceLevel=PL2&DataDisk.1.Size=500"
        "&DataDisk.1.DeleteWithInstance=false&DataDisk.7.Size=30&DataDisk.7.DiskName=third"
        "&DataDisk.7.Device=/dev/xvdaa");
    (void)state;

    fixture_write(&f, count_disks, id);
}

static void test_primary_interface(void **state)
{
    char *first CLEANUP(free_p) = run_one("");
    (void)state;

    describe(first);
    char *subnet CLEANUP(free_p) = xstrdup(text_of("VpcAttributes.VSwitchId"));
    char *group CLEANUP(free_p) = xstrdup(text_of("SecurityGroupIds.SecurityGroupId.0"));
    char *more CLEANUP(free_p) = xasprintf(
        "&NetworkInterface.1.InstanceType=Primary&NetworkInterface.1.VSwitchId=%s"
        "&NetworkInterface.1.SecurityGroupIds.1=%s&NetworkInterface.1.DeleteOnRelease=true",
        subnet, group);
    char *id CLEANUP(free_p) = run_one(more);
    describe(id);
    assert_string_equal(text_of("VpcAttributes.VSwitchId"), subnet);
    char *both CLEANUP(free_p) = xasprintf("%s&VSwitchId=%s", more, subnet);
    run_instances(both);
    assert_refused(&f, 400, "InvalidParameter.Conflict");
    char *other_zone CLEANUP(free_p) = xasprintf("&VSwitchId=%s&ZoneId=cn-hangzhou-k", subnet);
    run_instances(other_zone);
    assert_refused(&f, 400, "InvalidParameter.Mismatch");
}

static void test_client_token(void **state)
{
    char *first CLEANUP(free_p) = run_one("&ClientToken=TF-RunInstances-1-x&InstanceName=once");
    (void)state;

    char *again CLEANUP(free_p) = run_one("&InstanceName=once&ClientToken=TF-RunInstances-1-x");
    assert_string_equal(first, again);
    run_instances("&ClientToken=TF-RunInstances-1-x&InstanceName=twice");
    assert_refused(&f, 400, "IdempotentParameterMismatch");
    char *other CLEANUP(free_p) = run_one("&ClientToken=TF-RunInstances-2-x&InstanceName=once");
    assert_string_not_equal(first, other);
    char *create CLEANUP(free_p) = fixture_instance(&f, "&ClientToken=TF-RunInstances-1-x");
    assert_string_not_equal(first, create); /* each action has its own tokens */
    run_instances("&ClientToken="           /* 65 characters */
                  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_refused(&f, 400, "InvalidClientToken.ValueNotSupported");
}

static void test_image_family(void **state)
{
    (void)state;
    assert_int_equal(fixture_call(&f,
                                  "Action=CreateInstance&RegionId=cn-hangzhou"
                                  "&ImageFamily=acs:ubuntu_22_04_x64&InstanceType=" FIXTURE_TYPE),
                     200);
    char *id CLEANUP(free_p) = xstrdup(fixture_text(&f, "InstanceId"));
    describe(id);
    assert_string_equal(text_of("ImageId"), FIXTURE_IMAGE);
    fixture_call(
        &f,
        "Action=CreateInstance&RegionId=cn-hangzhou&ImageFamily=none&InstanceType=" FIXTURE_TYPE);
    assert_refused(&f, 404, "InvalidImageId.NotFound");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_and_describe),
        cmocka_unit_test(test_every_list_is_there),
        cmocka_unit_test(test_names_in_sequence),
        cmocka_unit_test(test_user_data),
        cmocka_unit_test(test_prepaid),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_disks),
        cmocka_unit_test(test_primary_interface),
        cmocka_unit_test(test_client_token),
        cmocka_unit_test(test_image_family),
    };

    return cmocka_run_group_tests(tests, up, down);
}
