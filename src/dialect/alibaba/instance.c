/*
 * One instance, in all its fields. Lists are always there, also empty: the new SDKs' models and
 * Terraform count on it. What Ostler has no notion of is said with the value that the cloud shows
 * when the feature is not used.
 */
#include "dialect/alibaba/instance.h"

#include "base/timefmt.h"
#include "core/lists.h"
#include "dialect/alibaba/attrs.h"
#include "dialect/alibaba/status.h"

/* ---- loading ---- */

static void *rows_by_ids(struct op *op, const struct record *rec, const char **ids, size_t n,
                         size_t *ret_n)
{
    struct query q = {0};

    query_in(&q, "id", ids, n);
    return store_find(op->tx, rec, &q, ret_n);
}

static void add_images(struct op *op, struct instance *v, size_t n, const char **ids)
{
    size_t found;

    for (size_t i = 0; i < n; i++)
        ids[i] = v[i].row.image;
    const struct image *images = rows_by_ids(op, &rec_image, ids, n, &found);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < found; k++)
            if (streq(v[i].row.image, images[k].id)) {
                v[i].os_name = images[k].os_name;
                v[i].os_type = images[k].os_type;
            }
}

static void add_keypairs(struct op *op, struct instance *v, size_t n, const char **ids)
{
    size_t found, wanted = 0;

    for (size_t i = 0; i < n; i++)
        if (!str_empty(v[i].row.keypair))
            ids[wanted++] = v[i].row.keypair;
    if (!wanted)
        return;
    const struct keypair *pairs = rows_by_ids(op, &rec_keypair, ids, wanted, &found);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < found; k++)
            if (streq(v[i].row.keypair, pairs[k].id))
                v[i].keypair = pairs[k].name;
}

struct instance *instances_load(struct op *op, const struct inst *rows, size_t n)
{
    struct instance *v = ARENA_ARRAY(op->arena, struct instance, n + 1);
    const char **ids = ARENA_ARRAY(op->arena, const char *, n + 1);

    for (size_t i = 0; i < n; i++)
        v[i] = (struct instance){.row = rows[i], .os_name = "", .os_type = "linux", .keypair = ""};
    if (n) {
        add_images(op, v, n, ids);
        add_keypairs(op, v, n, ids);
    }
    return v;
}

/* ---- parts ---- */

static const char *minutes_or_empty(struct call *c, int64_t at)
{
    return at ? time_minutes(c->arena, at) : "";
}

const char *instance_created(struct call *c, const struct inst *in)
{
    return time_minutes(c->arena, in->created_at);
}

const char *instance_expires(struct call *c, const struct inst *in)
{
    return in->charge == CHARGE_PREPAID ? time_minutes(c->arena, in->expires_at)
                                        : "2099-12-31T15:59Z";
}

static void one_address(struct enc *e, const char *name, const char *ip)
{
    enc_strs(e, name, "IpAddress", &ip, str_empty(ip) ? 0 : 1);
}

void instance_encode_network(const struct inst *in, struct enc *e)
{
    enc_str(e, "InstanceNetworkType", "vpc");
    enc_obj(e, "VpcAttributes");
    enc_str(e, "VpcId", in->vpc);
    enc_str(e, "VSwitchId", in->subnet);
    enc_str(e, "NatIpAddress", "");
    one_address(e, "PrivateIpAddress", in->ip);
    enc_end(e);
    one_address(e, "PublicIpAddress", NULL);
    one_address(e, "InnerIpAddress", NULL);
    enc_obj(e, "EipAddress");
    enc_str(e, "AllocationId", "");
    enc_str(e, "IpAddress", "");
    enc_int(e, "Bandwidth", 0);
    enc_str(e, "InternetChargeType", "");
    enc_bool(e, "IsSupportUnassociate", false);
    enc_end(e);
    enc_str(e, "VlanId", "");
}

void instance_encode_bandwidth(const json_t *attrs, struct enc *e)
{
    enc_str(e, "InternetChargeType", attrs_str(attrs, "InternetChargeType", "PayByTraffic"));
    enc_int(e, "InternetMaxBandwidthIn", attrs_int(attrs, "InternetMaxBandwidthIn", 10));
    enc_int(e, "InternetMaxBandwidthOut", attrs_int(attrs, "InternetMaxBandwidthOut", 0));
}

void instance_encode_secgroups(struct call *c, const struct inst *in, struct enc *e)
{
    size_t n;
    const char **ids = list_split(c->arena, in->secgroups, &n);

    enc_strs(e, "SecurityGroupIds", "SecurityGroupId", ids, n);
}

static void one_lock(struct enc *e, const char *reason, const char *message)
{
    enc_obj(e, NULL);
    enc_str(e, "LockReason", reason);
    if (message)
        enc_str(e, "LockMsg", message);
    enc_end(e);
}

void instance_encode_locks(struct call *c, const struct inst *in, bool messages, struct enc *e)
{
#define LOCK_MESSAGE(why)                                                                          \
    (messages ? "The specified instance is locked due to " why " reason." : NULL)
    enc_list(e, "OperationLocks", "LockReason");
    if (financially_locked(in, c->op.now))
        one_lock(e, "financial", LOCK_MESSAGE("financial"));
    if (in->locks & LOCK_SECURITY)
        one_lock(e, "security", LOCK_MESSAGE("security"));
    if (is_recycling(in))
        one_lock(e, "Recycling", LOCK_MESSAGE("recycling"));
    if (in->locks & LOCK_HOST_FINANCIAL)
        one_lock(e, "dedicatedhostfinancial", LOCK_MESSAGE("dedicatedhostfinancial"));
    if (in->locks & LOCK_REFUNDED)
        one_lock(e, "refunded", LOCK_MESSAGE("refunded"));
    enc_end(e);
#undef LOCK_MESSAGE
}

/* The interface has the instance's own tail: it is made and goes with it. */
static const char *interface_id(struct call *c, const struct inst *in)
{
    return arena_fmt(c->arena, "eni-%s", str_starts(in->id, "i-") ? in->id + 2 : in->id);
}

static void encode_interface(struct call *c, const struct inst *in, struct enc *e)
{
    enc_list(e, "NetworkInterfaces", "NetworkInterface");
    enc_obj(e, NULL);
    enc_str(e, "NetworkInterfaceId", interface_id(c, in));
    enc_str(e, "MacAddress", in->mac);
    enc_str(e, "Type", "Primary");
    enc_str(e, "PrimaryIpAddress", in->ip);
    enc_list(e, "PrivateIpSets", "PrivateIpSet");
    enc_obj(e, NULL);
    enc_str(e, "PrivateIpAddress", in->ip);
    enc_bool(e, "Primary", true);
    enc_str(e, "PrivateDnsName", "");
    enc_end(e);
    enc_end(e);
    enc_no_list(e, "Ipv6Sets", "Ipv6Set");
    enc_no_list(e, "Ipv4PrefixSets", "Ipv4PrefixSet");
    enc_no_list(e, "Ipv6PrefixSets", "Ipv6PrefixSet");
    enc_end(e);
    enc_end(e);
}

static void encode_tags(const struct inst *in, struct enc *e)
{
    json_t *tags CLEANUP(json_unref_p) = attrs_load(in->tags);
    const char *key;
    json_t *value;

    enc_list(e, "Tags", "Tag");
    json_object_foreach (tags, key, value) {
        enc_obj(e, NULL);
        enc_str(e, "TagKey", key);
        enc_str(e, "TagValue", json_string_value(value));
        enc_end(e);
    }
    enc_end(e);
}

static void encode_cpu(const struct inst *in, const json_t *attrs, struct enc *e)
{
    int64_t threads = attrs_int(attrs, "CpuOptions.ThreadsPerCore", in->cpu % 2 ? 1 : 2);

    enc_int(e, "Cpu", in->cpu);
    enc_int(e, "Memory", in->memory_mib);
    enc_obj(e, "CpuOptions");
    enc_int(e, "CoreCount", threads > 0 ? in->cpu / threads : in->cpu);
    enc_int(e, "ThreadsPerCore", threads);
    enc_str(e, "Numa", attrs_str(attrs, "CpuOptions.Numa", "ON"));
    enc_str(e, "TopologyType", attrs_str(attrs, "CpuOptions.TopologyType", ""));
    enc_str(e, "NestedVirtualization", attrs_str(attrs, "CpuOptions.NestedVirtualization", ""));
    enc_end(e);
}

static void encode_type(struct call *c, const struct inst *in, struct enc *e)
{
    const struct inst_type *t = catalog_type(c->op.core->catalog, in->type);

    enc_str(e, "InstanceType", in->type);
    enc_str(e, "InstanceTypeFamily", t ? t->family_name : "");
    enc_int(e, "GPUAmount", t ? t->gpu : 0);
    enc_str(e, "GPUSpec", t ? t->gpu_spec : "");
    enc_int(e, "LocalStorageAmount", t ? t->local_disks : 0);
    enc_int(e, "LocalStorageCapacity", t ? t->local_gib : 0);
}

static void encode_billing(struct call *c, const struct inst *in, const json_t *attrs,
                           struct enc *e)
{
    bool prepaid = in->charge == CHARGE_PREPAID;

    enc_str(e, "CreationTime", instance_created(c, in));
    enc_str(e, "StartTime", minutes_or_empty(c, in->started_at));
    enc_str(e, "ExpiredTime", instance_expires(c, in));
    enc_str(e, "AutoReleaseTime", attrs_str(attrs, "AutoReleaseTime", ""));
    enc_str(e, "InstanceChargeType", prepaid ? "PrePaid" : "PostPaid");
    enc_str(e, "SaleCycle", prepaid ? attrs_str(attrs, "SaleCycle", "month") : "");
    enc_bool(e, "Recyclable", false);
    enc_bool(e, "DeletionProtection", in->deletion_protection);
    enc_str(e, "CreditSpecification", attrs_str(attrs, "CreditSpecification", ""));
    enc_str(e, "SpotStrategy", attrs_str(attrs, "SpotStrategy", "NoSpot"));
    enc_num(e, "SpotPriceLimit", strtod(attrs_str(attrs, "SpotPriceLimit", "0"), NULL));
    enc_int(e, "SpotDuration", attrs_int(attrs, "SpotDuration", 0));
    enc_str(e, "SpotInterruptionBehavior", attrs_str(attrs, "SpotInterruptionBehavior", ""));
}

static void encode_metadata(const json_t *attrs, struct enc *e)
{
    enc_obj(e, "MetadataOptions");
    enc_str(e, "HttpEndpoint", attrs_str(attrs, "HttpEndpoint", "enabled"));
    enc_str(e, "HttpTokens", attrs_str(attrs, "HttpTokens", "optional"));
    enc_int(e, "HttpPutResponseHopLimit", attrs_int(attrs, "HttpPutResponseHopLimit", 1));
    enc_str(e, "InstanceMetadataTags", "");
    enc_end(e);
}

static void encode_placement(const json_t *attrs, struct enc *e)
{
    enc_obj(e, "DedicatedHostAttribute");
    enc_str(e, "DedicatedHostId", "");
    enc_str(e, "DedicatedHostName", "");
    enc_str(e, "DedicatedHostClusterId", "");
    enc_end(e);
    enc_obj(e, "DedicatedInstanceAttribute");
    enc_str(e, "Tenancy", "");
    enc_str(e, "Affinity", "");
    enc_end(e);
    enc_str(e, "DeploymentSetId", "");
    enc_str(e, "HpcClusterId", "");
    enc_obj(e, "EcsCapacityReservationAttr");
    enc_str(e, "CapacityReservationId", "");
    enc_str(e, "CapacityReservationPreference",
            attrs_str(attrs, "PrivatePoolOptions.MatchCriteria", ""));
    enc_end(e);
}

static void encode_options(const json_t *attrs, struct enc *e)
{
    static const char *const dns[] = {"EnableInstanceIdDnsARecord", "EnableInstanceIdDnsAAAARecord",
                                      "EnableIpDnsARecord", "EnableIpDnsPtrRecord"};

    enc_obj(e, "HibernationOptions");
    enc_bool(e, "Configured", false);
    enc_end(e);
    enc_obj(e, "SecurityOptions");
    enc_bool(e, "EnableSecureBoot", false);
    enc_end(e);
    enc_obj(e, "ImageOptions");
    enc_bool(e, "LoginAsNonRoot", false);
    enc_bool(e, "CurrentOSNVMeSupported", false);
    enc_end(e);
    enc_obj(e, "ClockOptions");
    enc_str(e, "PtpStatus", attrs_str(attrs, "ClockOptions.PtpStatus", "disabled"));
    enc_end(e);
    enc_obj(e, "PrivateDnsNameOptions");
    enc_str(e, "HostnameType", attrs_str(attrs, "PrivateDnsNameOptions.HostnameType", ""));
    for (size_t i = 0; i < ARRAY_LEN(dns); i++) {
        char name[64] = "PrivateDnsNameOptions.";

        memcpy(name + strlen(name), dns[i], strlen(dns[i]) + 1);
        enc_bool(e, dns[i], attrs_bool(attrs, name, false));
    }
    enc_end(e);
    enc_obj(e, "AdditionalInfo");
    enc_bool(e, "EnableHighDensityMode", false);
    enc_end(e);
}

void instance_encode(struct call *c, const struct instance *v, struct enc *e)
{
    const struct inst *in = &v->row;
    json_t *attrs CLEANUP(json_unref_p) = attrs_load(in->attrs);

    enc_str(e, "InstanceId", in->id);
    enc_str(e, "InstanceName", in->name);
    enc_str(e, "Description", in->description);
    enc_str(e, "HostName", in->hostname);
    enc_str(e, "SerialNumber", in->serial);
    enc_str(e, "RegionId", in->region);
    enc_str(e, "ZoneId", in->zone);
    enc_str(e, "ClusterId", "");
    enc_str(e, "ResourceGroupId", attrs_str(attrs, "ResourceGroupId", ""));
    enc_str(e, "Status", status_word(in->state));
    enc_str(e, "StoppedMode", stopped_mode(in, c->op.core->catalog));
    encode_type(c, in, e);
    encode_cpu(in, attrs, e);
    enc_bool(e, "DeviceAvailable", true);
    enc_bool(e, "IoOptimized", true);
    enc_bool(e, "EnableNVS", false);
    enc_str(e, "ISP", attrs_str(attrs, "Isp", ""));
    enc_str(e, "ImageId", in->image);
    enc_str(e, "OSName", v->os_name);
    enc_str(e, "OSNameEn", v->os_name);
    enc_str(e, "OSType", v->os_type);
    encode_billing(c, in, attrs, e);
    instance_encode_network(in, e);
    enc_no_list(e, "RdmaIpAddress", "IpAddress");
    instance_encode_bandwidth(attrs, e);
    instance_encode_secgroups(c, in, e);
    encode_interface(c, in, e);
    enc_str(e, "KeyPairName", v->keypair);
    instance_encode_locks(c, in, true, e);
    encode_tags(in, e);
    encode_metadata(attrs, e);
    encode_placement(attrs, e);
    encode_options(attrs, e);
}
