/* DescribeInstanceTypes. */
#include "dialect/alibaba/actions.h"

#include "base/crypto.h"

enum { TYPES_MAX = 1600 };

/* Numbers of a type that can be asked for by Minimum... and Maximum.... */
enum measure {
    M_CPU,
    M_MEMORY_GIB,
    M_GPU,
    M_LOCAL_DISKS,
    M_LOCAL_GIB,
    M_ENI,
    M_ENI_IP,
    M_ENI_IPV6,
    M_BANDWIDTH,
    M_PPS,
    M_DISKS,
    M_QUEUES,
    M_SPEED,
    M_TURBO,
    M_COUNT
};

struct bound {
    double value;
    bool given;
};

struct in {
    struct strs types, type_families, levels, categories, archs, gpu_specs, local_categories, nvmes,
        processors;
    const char *type_family, *level, *category, *arch, *gpu_spec, *local_category, *nvme,
        *processor;
    struct bound least[M_COUNT], most[M_COUNT], least_tx_bandwidth, least_tx_pps;
    const char *token;
    int64_t max_results;
};

struct out {
    const struct inst_type **v;
    size_t n;
    const char *next;
};

/* ---- which ---- */

static double measure_of(const struct inst_type *t, enum measure m)
{
    switch (m) {
    case M_CPU:
        return (double)t->cpu;
    case M_MEMORY_GIB:
        return (double)t->memory_mib / 1024;
    case M_GPU:
        return (double)t->gpu;
    case M_LOCAL_DISKS:
        return (double)t->local_disks;
    case M_LOCAL_GIB:
        return (double)t->local_gib;
    case M_ENI:
        return (double)t->eni;
    case M_ENI_IP:
        return (double)t->eni_ip;
    case M_BANDWIDTH:
        return (double)t->bandwidth_kbit;
    case M_PPS:
        return (double)t->pps;
    case M_DISKS:
        return (double)t->disks;
    case M_QUEUES:
        return (double)t->queues;
    case M_SPEED:
        return t->ghz;
    case M_TURBO:
        return t->turbo_ghz;
    case M_ENI_IPV6:
    case M_COUNT:
        break;
    }
    return 0; /* no IPv6 here */
}

static bool in_bounds(const struct in *in, const struct inst_type *t)
{
    for (enum measure m = 0; m < M_COUNT; m++) {
        double value = measure_of(t, m);

        if (in->least[m].given && value < in->least[m].value)
            return false;
        if (in->most[m].given && value > in->most[m].value)
            return false;
    }
    return !(in->least_tx_bandwidth.given && t->bandwidth_kbit < in->least_tx_bandwidth.value) &&
           !(in->least_tx_pps.given && t->pps < in->least_tx_pps.value);
}

/* One value may be asked for, or any of several. */
static bool text_matches(const char *one, const struct strs *many, const char *value)
{
    if (one && !streq(one, value))
        return false;
    for (size_t i = 0; i < many->n; i++)
        if (streq(many->v[i], value))
            return true;
    return !many->n;
}

static bool matches(const struct in *in, const struct inst_type *t)
{
    return text_matches(NULL, &in->types, t->id) &&
           text_matches(in->type_family, &in->type_families, t->family_name) &&
           text_matches(in->level, &in->levels, t->level) &&
           text_matches(in->category, &in->categories, t->category) &&
           text_matches(in->arch, &in->archs, "X86") &&
           text_matches(in->gpu_spec, &in->gpu_specs, t->gpu_spec) &&
           text_matches(in->local_category, &in->local_categories, t->local_category) &&
           text_matches(in->nvme, &in->nvmes, "unsupported") &&
           text_matches(in->processor, &in->processors, t->processor) && in_bounds(in, t);
}

/* A token is the type that the last answer ended with. */
static enum err read_token(struct call *c, const char *token, const struct inst_type **ret)
{
    size_t n;
    const char *id = (const char *)hex_decode(c->arena, token, &n);

    *ret = id && strlen(id) == n ? catalog_type(c->op.core->catalog, id) : NULL;
    if (!*ret)
        return fail_param(&c->fail, ERR_PARAM_VALUE, "NextToken", "this token was not given here");
    return ERR_NONE;
}

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct catalog *cat = c->op.core->catalog;
    const struct inst_type *t = cat->types, *last = NULL;
    const struct in *in = in_;
    struct out *out = out_;
    enum err e;

    if (in->token && (e = read_token(c, in->token, &last)))
        return e;
    if (last)
        t = last + 1;
    out->v = ARENA_ARRAY(c->arena, const struct inst_type *, cat->n_types + 1);
    for (; t < cat->types + cat->n_types; t++) {
        if (!streq(t->family, c->dialect->family) || !matches(in, t))
            continue;
        if ((int64_t)out->n == in->max_results) {
            last = out->v[out->n - 1];
            out->next = hex_encode(c->arena, last->id, strlen(last->id));
            break;
        }
        out->v[out->n++] = t;
    }
    return ERR_NONE;
}

/* ---- how ---- */

static void encode_network(const struct inst_type *t, struct enc *e)
{
    enc_int(e, "EniQuantity", t->eni);
    enc_int(e, "EniTotalQuantity", t->eni);
    enc_int(e, "EniPrivateIpAddressQuantity", t->eni_ip);
    enc_int(e, "EniIpv6AddressQuantity", 0);
    enc_bool(e, "EniTrunkSupported", false);
    enc_int(e, "EriQuantity", 0);
    enc_int(e, "InstanceBandwidthRx", t->bandwidth_kbit);
    enc_int(e, "InstanceBandwidthTx", t->bandwidth_kbit);
    enc_int(e, "InstancePpsRx", t->pps);
    enc_int(e, "InstancePpsTx", t->pps);
    enc_int(e, "PrimaryEniQueueNumber", t->queues);
    enc_int(e, "SecondaryEniQueueNumber", t->queues);
    enc_int(e, "MaximumQueueNumberPerEni", t->queues);
    enc_int(e, "TotalEniQueueQuantity", t->queues * t->eni);
    enc_int(e, "QueuePairNumber", 0);
    enc_int(e, "NetworkCardQuantity", 1);
    enc_list(e, "NetworkCards", "NetworkCardInfo");
    enc_obj(e, NULL);
    enc_int(e, "NetworkCardIndex", 0);
    enc_end(e);
    enc_end(e);
    enc_bool(e, "NetworkEncryptionSupport", false);
    enc_bool(e, "JumboFrameSupport", false);
}

static void encode_cpu(const struct inst_type *t, struct enc *e)
{
    int64_t threads = t->cpu % 2 ? 1 : 2;

    enc_obj(e, "CpuOptions");
    enc_int(e, "Core", t->cpu / threads);
    enc_int(e, "CoreFactor", 1);
    enc_int(e, "ThreadsPerCore", threads);
    enc_bool(e, "HyperThreadingAdjustable", false);
    enc_no_list(e, "SupportedTopologyTypes", "SupportedTopologyType");
    enc_str(e, "NestedVirtualizationSupport", "unsupported");
    enc_end(e);
}

static void encode_type(const struct inst_type *t, struct enc *e)
{
    static const char *const boot[] = {"BIOS"};

    enc_obj(e, NULL);
    enc_str(e, "InstanceTypeId", t->id);
    enc_str(e, "InstanceTypeFamily", t->family_name);
    enc_str(e, "InstanceCategory", t->category);
    enc_str(e, "InstanceFamilyLevel", t->level);
    enc_str(e, "CpuArchitecture", "X86");
    enc_int(e, "CpuCoreCount", t->cpu);
    enc_num(e, "MemorySize", (double)t->memory_mib / 1024);
    enc_num(e, "CpuSpeedFrequency", t->ghz);
    enc_num(e, "CpuTurboFrequency", t->turbo_ghz);
    enc_str(e, "PhysicalProcessorModel", t->processor);
    enc_int(e, "GPUAmount", t->gpu);
    enc_str(e, "GPUSpec", t->gpu_spec);
    enc_num(e, "GPUMemorySize", 0);
    enc_int(e, "LocalStorageAmount", t->local_disks);
    enc_int(e, "LocalStorageCapacity", t->local_gib);
    enc_str(e, "LocalStorageCategory", t->local_category);
    enc_int(e, "DiskQuantity", t->disks);
    encode_network(t, e);
    enc_int(e, "BaselineCredit", 0);
    enc_int(e, "InitialCredit", 0);
    enc_str(e, "NvmeSupport", "unsupported");
    enc_strs(e, "SupportedBootModes", "SupportedBootMode", boot, ARRAY_LEN(boot));
    encode_cpu(t, e);
    enc_no_list(e, "Attributes", "Attribute");
    enc_end(e);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;
    (void)c;

    enc_list(e, "InstanceTypes", "InstanceType");
    for (size_t i = 0; i < out->n; i++)
        encode_type(out->v[i], e);
    enc_end(e);
    enc_str(e, "NextToken", out->next);
}

#define BOUND(member, wire)                                                                        \
    F_NUM(struct in, member.value, wire, .has = HAS(struct in, member.given))
#define BOUNDS(m, wire) BOUND(least[m], "Minimum" wire), BOUND(most[m], "Maximum" wire)

const struct action ali_describe_instance_types = {
    .name = "DescribeInstanceTypes",
    .versions = ECS_VERSIONS,
    .summary = "List the instance types.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STRS(struct in, types, "InstanceTypes", .max = 100),
        F_STR(struct in, type_family, "InstanceTypeFamily"),
        F_STRS(struct in, type_families, "InstanceTypeFamilies", .max = 100),
        F_STR(struct in, level, "InstanceFamilyLevel",
              .values = VALUES("EntryLevel", "EnterpriseLevel", "CreditEntryLevel")),
        F_STRS(struct in, levels, "InstanceFamilyLevels", .max = 100),
        F_STR(struct in, category, "InstanceCategory"),
        F_STRS(struct in, categories, "InstanceCategories", .max = 100),
        F_STR(struct in, arch, "CpuArchitecture", .values = VALUES("X86", "ARM")),
        F_STRS(struct in, archs, "CpuArchitectures", .max = 10),
        F_STR(struct in, gpu_spec, "GPUSpec"), F_STRS(struct in, gpu_specs, "GpuSpecs", .max = 100),
        F_STR(struct in, local_category, "LocalStorageCategory",
              .values = VALUES("local_hdd_pro", "local_ssd_pro")),
        F_STRS(struct in, local_categories, "LocalStorageCategories", .max = 10),
        F_STR(struct in, nvme, "NvmeSupport",
              .values = VALUES("required", "supported", "unsupported")),
        F_STRS(struct in, nvmes, "NvmeSupports", .max = 10),
        F_STR(struct in, processor, "PhysicalProcessorModel"),
        F_STRS(struct in, processors, "PhysicalProcessorModels", .max = 100),
        BOUNDS(M_CPU, "CpuCoreCount"), BOUNDS(M_MEMORY_GIB, "MemorySize"),
        BOUNDS(M_GPU, "GPUAmount"), BOUNDS(M_LOCAL_DISKS, "LocalStorageAmount"),
        BOUNDS(M_LOCAL_GIB, "LocalStorageCapacity"), BOUNDS(M_ENI, "EniQuantity"),
        BOUNDS(M_ENI_IP, "EniPrivateIpAddressQuantity"),
        BOUNDS(M_ENI_IPV6, "EniIpv6AddressQuantity"), BOUNDS(M_BANDWIDTH, "InstanceBandwidthRx"),
        BOUND(least_tx_bandwidth, "MinimumInstanceBandwidthTx"), BOUNDS(M_PPS, "InstancePpsRx"),
        BOUND(least_tx_pps, "MinimumInstancePpsTx"), BOUNDS(M_DISKS, "DiskQuantity"),
        BOUNDS(M_QUEUES, "PrimaryEniQueueNumber"), BOUNDS(M_SPEED, "CpuSpeedFrequency"),
        BOUNDS(M_TURBO, "CpuTurboFrequency"), F_IGNORED("AdditionalAttributes"),
        F_IGNORED("RegionId"), F_STR(struct in, token, "NextToken"),
        F_INT(struct in, max_results, "MaxResults", .def = TYPES_MAX, .min = 1, .max = TYPES_MAX)),
    .run = run,
    .encode = encode,
};
