/* What can be listed: instances with every filter and both ways of paging, regions, zones, images,
 * types. */
#include "fixture.h"
#include "plans.h"

#include <stdio.h>

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

enum { MANY = 12 };
static char *ids[MANY]; /* oldest first */

#define LIST "Action=DescribeInstances&RegionId=cn-hangzhou"

static size_t list(const char *filter)
{
    if (fixture_call(&f, LIST "%s", filter) != 200) {
        print_error("%s: %s\n", filter, f.body);
        assert_true(false);
    }
    return fixture_count(&f, "Instances.Instance");
}

static const char *id_at(size_t i)
{
    char *path CLEANUP(free_p) = xasprintf("Instances.Instance.%zu.InstanceId", i);

    return fixture_text(&f, path);
}

static json_int_t total(void)
{
    return json_integer_value(fixture_at(&f, "TotalCount"));
}

static int up_with_many(void **state)
{
    char more[200];

    (void)up(state);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(more, sizeof(more),
                       "&InstanceName=web-%02d&ZoneId=cn-hangzhou-%c&Tag.1.Key=n&Tag.1.Value=%d"
                       "&Tag.2.Key=%s&HttpTokens=%s",
                       i, i % 2 ? 'h' : 'i', i, i < 3 ? "few" : "rest",
                       i < 4 ? "required" : "optional");
        ids[i] = fixture_instance(&f, more);
    }
    return 0;
}

static int down_with_many(void **state)
{
    for (int i = 0; i < MANY; i++)
        free(ids[i]);
    return down(state);
}

static void test_order_and_pages(void **state)
{
    char page[64];
    (void)state;

    assert_int_equal(list(""), 10);
    assert_int_equal(total(), MANY);
    assert_int_equal(json_integer_value(fixture_at(&f, "PageNumber")), 1);
    assert_int_equal(json_integer_value(fixture_at(&f, "PageSize")), 10);
    for (size_t i = 0; i < 10; i++)
        assert_string_equal(id_at(i), ids[MANY - 1 - i]); /* newest first */
    assert_true(*fixture_text(&f, "NextToken"));          /* for a client that goes on by token */
    assert_int_equal(list("&PageNumber=2"), 2);
    assert_string_equal(id_at(1), ids[0]);
    assert_string_equal(fixture_text(&f, "NextToken"), "");
    assert_int_equal(list("&PageNumber=3"), 0);
    assert_int_equal(total(), MANY);
    for (int n = 1; n <= 4; n++) {
        (void)snprintf(page, sizeof(page), "&PageSize=3&PageNumber=%d", n);
        assert_int_equal(list(page), 3);
        assert_string_equal(id_at(0), ids[MANY - 1 - 3 * (n - 1)]);
    }
    fixture_call(&f, LIST "&PageSize=101");
    assert_refused(&f, 400, "InvalidParameter");
    fixture_call(&f, LIST "&PageNumber=0");
    assert_refused(&f, 400, "InvalidParameter");
}

/* Walks all pages by token, beginning with `first`; every instance comes once, in order. */
static void walk(const char *first, const char *filter, size_t want)
{
    size_t seen = 0;
    char *params CLEANUP(free_p) = xasprintf("%s%s", first, filter);

    for (size_t n = list(params);; n = list(params)) {
        for (size_t i = 0; i < n; i++, seen++)
            assert_string_equal(id_at(i), ids[want - 1 - seen]);
        const char *token = fixture_text(&f, "NextToken");
        if (!*token)
            break;
        char *next = xasprintf("&NextToken=%s%s", token, filter);
        free(params);
        params = next;
    }
    assert_int_equal(seen, want);
}

static void test_tokens(void **state)
{
    (void)state;
    walk("&MaxResults=10", "", MANY);
    walk("&MaxResults=1", "", MANY); /* at least ten come */
    walk("&MaxResults=-1", "", MANY);
    assert_int_equal(fixture_call(&f, LIST "&MaxResults=2000"), 200);
    walk("", "", MANY); /* from page numbers on */
    walk("&PageSize=5", "", MANY);
    walk("&MaxResults=10", "&Tag.1.Key=n", MANY); /* tested row by row */
    walk("&PageSize=2", "&Tag.1.Key=few", 3);
    (void)check_plans(f.store, f.dir);
    fixture_call(&f, LIST "&NextToken=zz");
    assert_refused(&f, 400, "InvalidParameter");
    fixture_call(&f, LIST "&NextToken=00");
    assert_refused(&f, 400, "InvalidParameter");
}

static void test_filters(void **state)
{
    static const struct {
        const char *filter;
        size_t n;
    } cases[] = {
        {"&InstanceName=web-03", 1},
        {"&InstanceName=web-0*", 10},
        {"&InstanceName=Web-0*", 0}, /* case counts, with a pattern and without */
        {"&InstanceName=Web-03", 0},
        {"&InstanceName=*-1*", 2},
        {"&InstanceName=web_03", 0}, /* no pattern but '*' */
        {"&InstanceName=web%2503", 0},
        {"&Status=Stopped", 10},
        {"&Status=Running", 0},
        {"&ZoneId=cn-hangzhou-h", 6},
        {"&ImageId=" FIXTURE_IMAGE, 10},
        {"&ImageId=none", 0},
        {"&InstanceType=" FIXTURE_TYPE, 10},
        {"&InstanceType=ecs.g7.xlarge", 0},
        {"&InstanceTypeFamily=ecs.g7", 10},
        {"&InstanceTypeFamily=ecs.g7&InstanceType=ecs.i2.xlarge", 0},
        {"&InstanceTypeFamily=ecs.none", 0},
        {"&InstanceNetworkType=vpc", 10},
        {"&InstanceNetworkType=classic", 0},
        {"&InstanceChargeType=PostPaid", 10},
        {"&InstanceChargeType=PrePaid", 0},
        {"&InternetChargeType=PayByTraffic", 10},
        {"&InternetChargeType=PayByBandwidth", 0},
        {"&HttpTokens=required", 4},
        {"&HttpEndpoint=disabled", 0},
        {"&HttpPutResponseHopLimit=1", 10},
        {"&IoOptimized=true", 10},
        {"&IoOptimized=false", 0},
        {"&KeyPairName=none", 0},
        {"&LockReason=security", 0},
        {"&ResourceGroupId=rg-1", 0},
        {"&PublicIpAddresses=%5B%221.2.3.4%22%5D", 0},
        {"&Tag.1.Key=few", 3},
        {"&Tag.1.Key=few&Tag.2.Key=n&Tag.2.Value=1", 1},
        {"&Tag.1.Key=few&Tag.2.Key=n&Tag.2.Value=9", 0},
        {"&Tag.1.Key=n&Tag.1.Value=x", 0},
        {"&VSwitchId=none", 0},
        {"&VpcId=none", 0},
        {"&SecurityGroupId=none", 0},
        {"&Filter.3.Key=CreationStartTime&Filter.3.Value=2026-01-02T03:05Z", 0},
        {"&Filter.3.Key=CreationEndTime&Filter.3.Value=2026-01-02T03:05Z", 10},
        {"&InstanceIds=%5B%5D", 0},
        {"&InstanceIds=", 10},
        {"&AdditionalAttributes.1=META_OPTIONS&NeedSaleCycle=True&DeviceAvailable=true", 10},
    };
    (void)state;

    f.now = FIXTURE_NOW + 20000; /* the instances were made in these seconds */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = list(cases[i].filter);

        if (n != cases[i].n)
            print_error("%s: %zu\n", cases[i].filter, n);
        assert_int_equal(n, cases[i].n);
    }
    assert_true(check_plans(f.store, f.dir) >= 5);
}

static void lock(struct op *op, void *ctx)
{
    assert_int_equal(inst_lock(op, ctx, LOCK_SECURITY, true), ERR_NONE);
}

static void test_filters_by_value(void **state)
{
    char filter[300];
    (void)state;

    (void)snprintf(filter, sizeof(filter),
                   "&InstanceIds=%%5B%%22%s%%22%%2C%%22i-none%%22%%2C%%22%s%%22%%5D", ids[2],
                   ids[7]);
    assert_int_equal(list(filter), 2);
    assert_string_equal(id_at(0), ids[7]);
    char *ip CLEANUP(free_p) = xstrdup(
        fixture_text(&f, "Instances.Instance.0.VpcAttributes.PrivateIpAddress.IpAddress.0"));
    char *subnet CLEANUP(free_p) =
        xstrdup(fixture_text(&f, "Instances.Instance.0.VpcAttributes.VSwitchId"));
    char *vpc CLEANUP(free_p) =
        xstrdup(fixture_text(&f, "Instances.Instance.0.VpcAttributes.VpcId"));
    char *group CLEANUP(free_p) =
        xstrdup(fixture_text(&f, "Instances.Instance.0.SecurityGroupIds.SecurityGroupId.0"));
    (void)snprintf(filter, sizeof(filter), "&PrivateIpAddresses=%%5B%%22%s%%22%%5D&VpcId=%s", ip,
                   vpc);
    assert_int_equal(list(filter), 1);
    assert_string_equal(id_at(0), ids[7]);
    (void)snprintf(filter, sizeof(filter), "&VSwitchId=%s&SecurityGroupId=%s", subnet, group);
    assert_int_equal(list(filter), 6);
    fixture_write(&f, lock, ids[5]);
    assert_int_equal(list("&LockReason=security"), 1);
    assert_string_equal(id_at(0), ids[5]);
    assert_string_equal(
        fixture_text(&f, "Instances.Instance.0.OperationLocks.LockReason.0.LockReason"),
        "security");
    fixture_set_state(&f, ids[6], INST_RECYCLED);
    assert_int_equal(list("&LockReason=recycling"), 1);
    assert_string_equal(id_at(0), ids[6]);
    assert_string_equal(fixture_text(&f, "Instances.Instance.0.Status"), "Stopped");
    fixture_set_state(&f, ids[6], INST_REBOOTING);
    assert_int_equal(list("&Status=Stopping"), 1);
    fixture_set_state(&f, ids[6], INST_STOPPED);
}

static void test_refused_filters(void **state)
{
    static const struct {
        const char *filter;
        int status;
        const char *code;
    } cases[] = {
        {"&Status=Broken", 404, "InvalidStatus.NotFound"},
        {"&LockReason=none", 404, "InvalidLockReason.NotFound"},
        {"&InstanceNetworkType=wifi", 404, "InvalidNetworkType.NotFound"},
        {"&InstanceChargeType=Free", 404, "InvalidInstanceChargeType.NotFound"},
        {"&InternetChargeType=Free", 404, "InvalidInternetChargeType.ValueNotSupported"},
        {"&Filter.1.Key=Nothing&Filter.1.Value=x", 404, "InvalidFilterKey.NotFound"},
        {"&Filter.1.Key=CreationEndTime&Filter.1.Value=x", 400, "InvalidParameter"},
        {"&InstanceIds=i-1", 400, "InvalidParameter"},
        {"&InstanceIds=%7B%7D", 400, "InvalidParameter"},
        {"&InstanceIds=%5B1%5D", 400, "InvalidParameter"},
        {"&Tag.1.Value=x", 400, "InvalidTag.Mismatch"},
        {"&Tag=x", 400, "InvalidParameter"},
        {"&DryRun=true", 400, "DryRunOperation"},
    };
    (void)state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fixture_call(&f, LIST "%s", cases[i].filter);
        if (!fixture_text(&f, "Code") || !streq(fixture_text(&f, "Code"), cases[i].code))
            print_error("%s: %s\n", cases[i].filter, f.body);
        assert_refused(&f, cases[i].status, cases[i].code);
    }
    fixture_call(&f, "Action=DescribeInstances&RegionId=mars");
    assert_refused(&f, 404, "InvalidRegionId.NotFound");
    fixture_call(&f, "Action=DescribeInstances");
    assert_refused(&f, 400, "MissingRegionId");
}

static void test_statuses(void **state)
{
    struct buf many CLEANUP(buf_done) = {0};
    (void)state;

    assert_int_equal(fixture_call(&f,
                                  "Action=DescribeInstanceStatus&RegionId=cn-hangzhou"
                                  "&InstanceId.1=%s&InstanceId.3=%s",
                                  ids[1], ids[3]),
                     200);
    assert_int_equal(fixture_count(&f, "InstanceStatuses.InstanceStatus"), 2);
    assert_int_equal(total(), 2);
    assert_string_equal(fixture_text(&f, "InstanceStatuses.InstanceStatus.0.InstanceId"), ids[3]);
    assert_string_equal(fixture_text(&f, "InstanceStatuses.InstanceStatus.0.Status"), "Stopped");
    assert_int_equal(fixture_call(&f,
                                  "Action=DescribeInstanceStatus&RegionId=cn-hangzhou"
                                  "&InstanceId=%s", /* a list typed without a number */
                                  ids[1]),
                     200);
    assert_int_equal(total(), 1);
    assert_int_equal(fixture_call(&f, "Action=DescribeInstanceStatus&RegionId=cn-hangzhou"
                                      "&ZoneId=cn-hangzhou-h&PageSize=50"),
                     200);
    assert_int_equal(total(), 6);
    fixture_call(&f, "Action=DescribeInstanceStatus&RegionId=cn-hangzhou&ZoneId=none");
    assert_refused(&f, 404, "InvalidZoneId.NotFound");
    fixture_call(&f, "Action=DescribeInstanceStatus&RegionId=cn-hangzhou&InstanceId.1=i%%20bad");
    assert_refused(&f, 403, "Abs.InvalidInstanceIds.MalFormed");
    fixture_call(&f, "Action=DescribeInstanceStatus&RegionId=cn-hangzhou&InstanceId.x=i-1");
    assert_refused(&f, 403, "Abs.InvalidInstanceIds.MalFormed");
    buf_str(&many, "Action=DescribeInstanceStatus&RegionId=cn-hangzhou");
    for (int i = 1; i <= 101; i++)
        buf_fmt(&many, "&InstanceId.%d=i-%d", i, i);
    fixture_call(&f, "%s", many.data);
    assert_refused(&f, 403, "InvalidParameter.TooManyInstanceIds");
}

static void test_regions(void **state)
{
    (void)state;
    assert_int_equal(fixture_call(&f, "Action=DescribeRegions&RegionId=cn-hangzhou"), 200);
    size_t n = fixture_count(&f, "Regions.Region"), own = 0;
    for (size_t i = 0; i < f.core.catalog->n_regions; i++)
        own += streq(f.core.catalog->regions[i].family, "alibaba");
    assert_int_equal(n, own);
    assert_string_equal(fixture_text(&f, "Regions.Region.0.RegionId"), "cn-hangzhou");
    assert_string_equal(fixture_text(&f, "Regions.Region.0.RegionEndpoint"), "ecs.test");
    char *chinese CLEANUP(free_p) = xstrdup(fixture_text(&f, "Regions.Region.0.LocalName"));
    assert_int_equal(fixture_call(&f, "Action=DescribeRegions&AcceptLanguage=en-US"), 200);
    assert_string_equal(fixture_text(&f, "Regions.Region.0.LocalName"), "China (Hangzhou)");
    assert_string_not_equal(chinese, "China (Hangzhou)");
    fixture_call(&f, "Action=DescribeRegions&AcceptLanguage=tlh");
    assert_refused(&f, 404, "InvalidAcceptLanguage.NotFound");
    fixture_call(&f, "Action=DescribeRegions&ResourceType=moon");
    assert_refused(&f, 404, "InvalidResourceType.NotFound");
}

static void test_zones(void **state)
{
    (void)state;
    assert_int_equal(fixture_call(&f, "Action=DescribeZones&RegionId=cn-hangzhou"), 200);
    assert_int_equal(fixture_count(&f, "Zones.Zone"), 4);
    assert_string_equal(fixture_text(&f, "Zones.Zone.0.ZoneId"), "cn-hangzhou-h");
    assert_true(fixture_count(&f, "Zones.Zone.0.AvailableInstanceTypes.InstanceTypes") > 10);
    assert_true(fixture_count(&f, "Zones.Zone.0.AvailableDiskCategories.DiskCategories") > 3);
    assert_true(fixture_count(&f, "Zones.Zone.0.AvailableResources.ResourcesInfo.0."
                                  "InstanceTypeFamilies.supportedInstanceTypeFamily") > 3);
    assert_int_equal(fixture_call(&f, "Action=DescribeZones&RegionId=cn-hangzhou&Verbose=False"),
                     200);
    assert_null(fixture_at(&f, "Zones.Zone.0.AvailableInstanceTypes"));
    fixture_call(&f, "Action=DescribeZones&RegionId=asia-east-1"); /* the other cloud's */
    assert_refused(&f, 404, "InvalidRegionId.NotFound");
    fixture_call(&f, "Action=DescribeZones&RegionId=cn-hangzhou&SpotStrategy=x");
    assert_refused(&f, 400, "InvalidSpotStrategy");
}

static size_t images(const char *filter)
{
    assert_int_equal(fixture_call(&f, "Action=DescribeImages&RegionId=cn-hangzhou%s", filter), 200);
    return fixture_count(&f, "Images.Image");
}

static void test_images(void **state)
{
    size_t all = f.core.catalog->n_images;
    (void)state;

    assert_int_equal(images("&PageSize=100"), all);
    assert_int_equal(total(), all);
    assert_int_equal(images("&PageSize=2"), 2);
    assert_int_equal(total(), all);
    assert_int_equal(images("&ImageId=" FIXTURE_IMAGE ",none"), 1);
    assert_string_equal(fixture_text(&f, "Images.Image.0.ImageOwnerAlias"), "system");
    assert_string_equal(fixture_text(&f, "Images.Image.0.Platform"), "Ubuntu");
    assert_string_equal(fixture_text(&f, "Images.Image.0.Usage"), "instance");
    assert_string_equal(fixture_text(&f, "Images.Image.0.CreationTime"), "2026-01-02T03:04:03Z");
    assert_string_equal(
        fixture_text(&f, "Images.Image.0.DiskDeviceMappings.DiskDeviceMapping.0.Size"), "20");
    assert_int_equal(images("&ImageName=ubuntu_22*&ImageOwnerAlias=system&Architecture=x86_64"), 1);
    assert_int_equal(images("&ImageFamily=acs:debian_12_x64"), 1);
    assert_int_equal(images("&Usage=instance"), 1);
    assert_int_equal(images("&OSType=windows"), 1);
    assert_int_equal(images("&ImageOwnerAlias=self"), 0);
    assert_int_equal(images("&Status=Creating"), 0);
    assert_int_equal(images("&Status=ALL&IsSupportCloudinit=true&PageSize=100"), all);
    assert_int_equal(images("&Tag.1.Key=x"), 0);
    fixture_call(&f, "Action=DescribeImages&RegionId=cn-hangzhou&ImageOwnerAlias=me");
    assert_refused(&f, 400, "InvalidImageOwnerAlias.ValueNotSupported");
    fixture_call(&f, "Action=DescribeImages&RegionId=cn-hangzhou&Usage=x");
    assert_refused(&f, 404, "InvalidUsage");
    fixture_call(&f, "Action=DescribeImages&RegionId=cn-hangzhou&Tag.1.Value=x");
    assert_refused(&f, 400, "InvalidTag.Mismatch");
    fixture_call(&f, "Action=DescribeImages&RegionId=cn-hangzhou&Tag=x");
    assert_refused(&f, 400, "InvalidParameter");
    fixture_call(&f, "Action=DescribeImages&RegionId=cn-hangzhou&DryRun=true");
    assert_refused(&f, 400, "DryRunOperation");
}

static size_t types(const char *filter)
{
    assert_int_equal(fixture_call(&f, "Action=DescribeInstanceTypes%s", filter), 200);
    return fixture_count(&f, "InstanceTypes.InstanceType");
}

static void test_types(void **state)
{
    size_t all = types("&RegionId=cn-hangzhou"), walked = 0;
    (void)state;

    assert_true(all > 20 && all < f.core.catalog->n_types); /* without the other cloud's */
    assert_int_equal(types("&InstanceTypes.1=" FIXTURE_TYPE "&InstanceTypes.2=none"), 1);
    assert_int_equal(
        json_integer_value(fixture_at(&f, "InstanceTypes.InstanceType.0.CpuCoreCount")), 2);
    assert_true(json_number_value(fixture_at(&f, "InstanceTypes.InstanceType.0.MemorySize")) == 8);
    assert_int_equal(types("&InstanceTypes.1=ecs.t5-lc2m1.nano"), 1);
    assert_true(json_number_value(fixture_at(&f, "InstanceTypes.InstanceType.0.MemorySize")) ==
                0.5);
    assert_int_equal(types("&MaximumMemorySize=0.5"), 1);
    assert_int_equal(types("&MaximumMemorySize=0.4"), 0);
    assert_int_equal(types("&CpuArchitecture=ARM"), 0);
    assert_true(types("&MinimumLocalStorageAmount=1&LocalStorageCategory=local_hdd_pro") >= 1);
    size_t small = types("&MaximumCpuCoreCount=2"), big = types("&MinimumCpuCoreCount=3");
    assert_int_equal(small + big, all);

    char *next CLEANUP(free_p) = xstrdup("");
    do {
        char *page CLEANUP(free_p) =
            xasprintf("&MaxResults=7%s%s", *next ? "&NextToken=" : "", next);
        walked += types(page);
        free(next);
        next = xstrdup(fixture_text(&f, "NextToken"));
    } while (*next);
    assert_int_equal(walked, all);
    fixture_call(&f, "Action=DescribeInstanceTypes&NextToken=00ff");
    assert_refused(&f, 400, "InvalidParameter");
    fixture_call(&f, "Action=DescribeInstanceTypes&MaxResults=1601");
    assert_refused(&f, 400, "InvalidParameter");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_pages), cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_filters),         cmocka_unit_test(test_filters_by_value),
        cmocka_unit_test(test_refused_filters), cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_regions),         cmocka_unit_test(test_zones),
        cmocka_unit_test(test_images),          cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, up_with_many, down_with_many);
}
