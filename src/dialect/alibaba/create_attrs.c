/*
 * Parameters of a new instance that do not shape the machine: those that are kept and given back,
 * and those that are refused because leaving them out silently would make another instance than was
 * asked for.
 */
#include <stdio.h>

#include "base/timefmt.h"
#include "dialect/alibaba/attrs.h"
#include "dialect/alibaba/create.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/renewal.h"

#define IN struct create_in

enum { SPOT_PRICE_MAX = 1000000 };

/* ---- refused ---- */

static enum err refuse_texts(struct call *c, const struct create_in *in)
{
    /* Each names a thing that cannot exist here; what the cloud says then is in errors.c. */
    const struct {
        const char *value, *param;
    } things[] = {
        {in->template_id, "LaunchTemplateId"},
        {in->template_name, "LaunchTemplateName"},
        {in->template_version, "LaunchTemplateVersion"},
        {in->dedicated_host, "DedicatedHostId"},
        {in->deployment_set, "DeploymentSetId"},
        {in->hpc_cluster, "HpcClusterId"},
        {in->storage_set, "StorageSetId"},
        {in->ram_role, "RamRoleName"},
        {in->pool.id, "PrivatePoolOptions.Id"},
        {in->scheduler.cluster, "SchedulerOptions.DedicatedHostClusterId"},
    };

    for (size_t i = 0; i < ARRAY_LEN(things); i++)
        if (things[i].value)
            return fail_param(&c->fail, ERR_PARAM_VALUE, things[i].param, "there is no '%s'",
                              things[i].value);
    return ERR_NONE;
}

static bool is(const char *value, const char *word)
{
    return value && streq(value, word);
}

enum err create_refuse(struct call *c, const struct create_in *in)
{
    const struct {
        bool asked;
        const char *param;
    } effects[] = {
        {in->hostnames.n, "HostNames"},
        {in->ipv6.n, "Ipv6Address"},
        {in->ipv6_count > 0, "Ipv6AddressCount"},
        {is(in->tenancy, "host"), "Tenancy"},
        {is(in->affinity, "host"), "Affinity"},
        {is(in->io_optimized, "none"), "IoOptimized"},
        {is(in->pool.match, "Target"), "PrivatePoolOptions.MatchCriteria"},
        {in->hibernation.configured, "HibernationOptions.Configured"},
        {in->security.secure_boot, "SecurityOptions.EnableSecureBoot"},
        {in->security.confidential, "SecurityOptions.ConfidentialComputingMode"},
        {in->security.trusted, "SecurityOptions.TrustedSystemMode"},
        {in->image_options.non_root, "ImageOptions.LoginAsNonRoot"},
    };
    enum err e = refuse_texts(c, in);

    for (size_t i = 0; i < ARRAY_LEN(effects) && !e; i++)
        if (effects[i].asked)
            e = errors_unsupported(c, effects[i].param);
    return e;
}

/* ---- kept ---- */

struct kept {
    const char *name;
    enum field_kind kind;
    size_t at, has; /* `has`: 1 + offset of the bool that tells; 0 for texts */
};

static const struct kept kept[] = {
    {"InternetChargeType", FIELD_STR, offsetof(IN, internet_charge), 0},
    {"InternetMaxBandwidthIn", FIELD_INT, offsetof(IN, bandwidth_in), HAS(IN, has_bandwidth_in)},
    {"InternetMaxBandwidthOut", FIELD_INT, offsetof(IN, bandwidth_out), HAS(IN, has_bandwidth_out)},
    {"ResourceGroupId", FIELD_STR, offsetof(IN, group), 0},
    {"CreditSpecification", FIELD_STR, offsetof(IN, credit), 0},
    {"Isp", FIELD_STR, offsetof(IN, isp), 0},
    {"HttpEndpoint", FIELD_STR, offsetof(IN, http_endpoint), 0},
    {"HttpTokens", FIELD_STR, offsetof(IN, http_tokens), 0},
    {"HttpPutResponseHopLimit", FIELD_INT, offsetof(IN, hop_limit), HAS(IN, has_hop_limit)},
    {"SecurityEnhancementStrategy", FIELD_STR, offsetof(IN, security_strategy), 0},
    {"SpotStrategy", FIELD_STR, offsetof(IN, spot_strategy), 0},
    {"SpotPriceLimit", FIELD_NUM, offsetof(IN, spot_price), HAS(IN, has_spot_price)},
    {"SpotDuration", FIELD_INT, offsetof(IN, spot_duration), HAS(IN, has_spot_duration)},
    {"SpotInterruptionBehavior", FIELD_STR, offsetof(IN, spot_behavior), 0},
    {"CpuOptions.ThreadsPerCore", FIELD_INT, offsetof(IN, cpu.threads), HAS(IN, cpu.has_threads)},
    {"CpuOptions.Numa", FIELD_STR, offsetof(IN, cpu.numa), 0},
    {"CpuOptions.TopologyType", FIELD_STR, offsetof(IN, cpu.topology), 0},
    {"CpuOptions.NestedVirtualization", FIELD_STR, offsetof(IN, cpu.nested), 0},
    {"PrivatePoolOptions.MatchCriteria", FIELD_STR, offsetof(IN, pool.match), 0},
    {"ClockOptions.PtpStatus", FIELD_STR, offsetof(IN, clock.ptp), 0},
    {"PrivateDnsNameOptions.HostnameType", FIELD_STR, offsetof(IN, dns.type), 0},
    {"PrivateDnsNameOptions.EnableInstanceIdDnsARecord", FIELD_BOOL, offsetof(IN, dns.inst_a),
     HAS(IN, dns.has_inst_a)},
    {"PrivateDnsNameOptions.EnableInstanceIdDnsAAAARecord", FIELD_BOOL, offsetof(IN, dns.inst_aaaa),
     HAS(IN, dns.has_inst_aaaa)},
    {"PrivateDnsNameOptions.EnableIpDnsARecord", FIELD_BOOL, offsetof(IN, dns.ip_a),
     HAS(IN, dns.has_ip_a)},
    {"PrivateDnsNameOptions.EnableIpDnsPtrRecord", FIELD_BOOL, offsetof(IN, dns.ip_ptr),
     HAS(IN, dns.has_ip_ptr)},
    {"NetworkOptions.EnableJumboFrame", FIELD_BOOL, offsetof(IN, network.jumbo),
     HAS(IN, network.has_jumbo)},
    {"NetworkOptions.EnableNetworkEncryption", FIELD_BOOL, offsetof(IN, network.encryption),
     HAS(IN, network.has_encryption)},
    {"NetworkOptions.BandwidthWeighting", FIELD_STR, offsetof(IN, network.weighting), 0},
};

static void keep(const struct create_in *in, const struct kept *k, json_t *attrs)
{
    const char *at = (const char *)in + k->at;
    char text[64] = "";

    if (k->has && !*(const bool *)((const char *)in + k->has - 1))
        return;
    switch (k->kind) {
    case FIELD_STR:
        attrs_set(attrs, k->name, *(const char *const *)(const void *)at);
        return;
    case FIELD_INT:
        (void)snprintf(text, sizeof(text), "%lld", (long long)*(const int64_t *)(const void *)at);
        break;
    case FIELD_NUM:
        (void)snprintf(text, sizeof(text), "%.10g", *(const double *)(const void *)at);
        break;
    case FIELD_BOOL:
        (void)snprintf(text, sizeof(text), "%s", *(const bool *)at ? "true" : "false");
        break;
    case FIELD_STRS:
    case FIELD_OBJ:
    case FIELD_OBJS:
        break; /* none in the table */
    }
    attrs_set(attrs, k->name, text);
}

static enum err value_refused(struct call *c, const char *param)
{
    return fail_param(&c->fail, ERR_PARAM_VALUE, param, "%s is not accepted", param);
}

static enum err check_bandwidth(struct call *c, const struct create_in *in)
{
    int64_t most = in->bandwidth_out > 10 ? in->bandwidth_out : 10;

    return in->has_bandwidth_in && in->bandwidth_in > most
               ? value_refused(c, "InternetMaxBandwidthIn")
               : ERR_NONE;
}

static enum err check_spot(struct call *c, const struct create_in *in)
{
    bool limited = is(in->spot_strategy, "SpotWithPriceLimit");
    bool spot = limited || is(in->spot_strategy, "SpotAsPriceGo");

    if (spot && streq(in->charge, "PrePaid"))
        return value_refused(c, "SpotStrategy");
    if (limited && !in->has_spot_price)
        return value_refused(c, "SpotPriceLimit");
    if (in->has_spot_price && !(in->spot_price > 0 && in->spot_price < SPOT_PRICE_MAX))
        return value_refused(c, "SpotPriceLimit"); /* also what strtod calls a number: "inf" */
    if (in->deletion_protection && (spot || streq(in->charge, "PrePaid")))
        return fail_param(
            &c->fail, ERR_PARAM_CONFLICT, "DeletionProtection",
            "Deletion protection is only valid for postPaid instance, not for prePaid "
            "or spot instance.");
    return ERR_NONE;
}

/* A type has its vCPUs; how they are spread over cores may be said, not how many there are. */
static enum err check_cpu(struct call *c, const struct create_in *in, const struct inst_type *type)
{
    int64_t threads = in->cpu.has_threads ? in->cpu.threads : 2;

    if (in->cpu.has_threads && type && type->cpu % threads)
        return value_refused(c, "CpuOptions.ThreadsPerCore");
    if (in->cpu.has_core && type && in->cpu.core * threads != type->cpu)
        return errors_unsupported(c, "CpuOptions.Core");
    return ERR_NONE;
}

static enum err check_renewal(struct call *c, const struct create_in *in)
{
    bool prepaid = streq(in->charge, "PrePaid");

    return renewal_period_ok(in->auto_renew_period, prepaid ? in->period_unit : "Month")
               ? ERR_NONE
               : value_refused(c, "AutoRenewPeriod");
}

enum err create_attrs(struct call *c, const struct create_in *in, const struct inst_type *type,
                      const char **ret)
{
    json_t *attrs CLEANUP(json_unref_p) = json_object();
    bool prepaid = streq(in->charge, "PrePaid");
    enum err e;

    if ((e = check_bandwidth(c, in)) || (e = check_spot(c, in)) || (e = check_cpu(c, in, type)) ||
        (e = check_renewal(c, in)))
        return e;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        keep(in, &kept[i], attrs);
    if (prepaid)
        attrs_set(attrs, "SaleCycle", streq(in->period_unit, "Week") ? "week" : "month");
    if (in->release_time)
        attrs_set(attrs, "AutoReleaseTime", time_minutes(c->arena, field_time(in->release_time)));
    char *text CLEANUP(free_p) = json_dumps(attrs, JSON_COMPACT | JSON_SORT_KEYS);
    *ret = arena_str(c->arena, text);
    return ERR_NONE;
}

/* ---- their declarations ---- */

#define PART(part)          __typeof__(((IN *)NULL)->part)
#define P_STR(p, m, n, ...) F_STR(PART(p), m, n, __VA_ARGS__)
#define P_INT(p, m, n, ...) F_INT(PART(p), m, n, .has = HAS(PART(p), has_##m), __VA_ARGS__)
#define P_BOOL(p, m, n)     F_BOOL(PART(p), m, n, .has = HAS(PART(p), has_##m))

const struct field create_cpu_fields[] = {
    P_INT(cpu, core, "Core", .min = 1, .max = 1024),
    P_INT(cpu, threads, "ThreadsPerCore", .min = 1, .max = 2),
    P_STR(cpu, numa, "Numa", .values = VALUES("ON", "OFF", "1", "2")),
    P_STR(cpu, topology, "TopologyType",
          .values = VALUES("ContinuousCoreToHTMapping", "DiscreteCoreToHTMapping")),
    P_STR(cpu, nested, "NestedVirtualization", .values = VALUES("enabled", "disabled")),
    {.name = NULL},
};
const struct field create_pool_fields[] = {
    F_STR(PART(pool), id, "Id"),
    P_STR(pool, match, "MatchCriteria", .values = VALUES("Open", "Target", "None")),
    {.name = NULL},
};
const struct field create_clock_fields[] = {
    P_STR(clock, ptp, "PtpStatus", .values = VALUES("enabled", "disabled")),
    {.name = NULL},
};
const struct field create_dns_fields[] = {
    P_STR(dns, type, "HostnameType", .values = VALUES("Custom", "IpBased", "InstanceIdBased")),
    P_BOOL(dns, inst_a, "EnableInstanceIdDnsARecord"),
    P_BOOL(dns, inst_aaaa, "EnableInstanceIdDnsAAAARecord"),
    P_BOOL(dns, ip_a, "EnableIpDnsARecord"),
    P_BOOL(dns, ip_ptr, "EnableIpDnsPtrRecord"),
    {.name = NULL},
};
const struct field create_network_fields[] = {
    P_BOOL(network, jumbo, "EnableJumboFrame"),
    P_BOOL(network, encryption, "EnableNetworkEncryption"),
    F_STR(PART(network), weighting, "BandwidthWeighting"),
    {.name = NULL},
};
const struct field create_hibernation_fields[] = {
    F_BOOL(PART(hibernation), configured, "Configured"),
    {.name = NULL},
};
const struct field create_scheduler_fields[] = {
    F_STR(PART(scheduler), cluster, "DedicatedHostClusterId"),
    {.name = NULL},
};
const struct field create_security_fields[] = {
    F_STR(PART(security), confidential, "ConfidentialComputingMode"),
    F_STR(PART(security), trusted, "TrustedSystemMode"),
    F_BOOL(PART(security), secure_boot, "EnableSecureBoot"),
    {.name = NULL},
};
const struct field create_image_fields[] = {
    F_BOOL(PART(image_options), non_root, "LoginAsNonRoot"),
    {.name = NULL},
};
