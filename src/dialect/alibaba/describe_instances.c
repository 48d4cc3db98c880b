/* DescribeInstances. */
#include "dialect/alibaba/actions.h"

#include "base/timefmt.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/inst_list.h"
#include "dialect/alibaba/instance.h"
#include "dialect/alibaba/region.h"
#include "dialect/alibaba/status.h"

struct filter {
    const char *key, *value;
};

struct in {
    const char *region, *name, *status, *zone, *vpc, *subnet, *secgroup, *image, *type,
        *type_family;
    const char *network_type, *charge, *internet_charge, *keypair, *lock, *group, *hpc, *rdma;
    const char *http_endpoint, *http_tokens;
    int64_t hop_limit;
    struct strs ids, private_ips, public_ips, eips, inner_ips, ipv6;
    bool has_ids, has_private_ips, has_public_ips, has_eips, has_inner_ips;
    bool io_optimized, has_io_optimized, available, has_available, has_hop_limit, dry_run;
    struct objs tags, filters;
    struct page_in page;
};

struct out {
    struct instance *v;
    size_t n;
    struct page_out page;
};

static enum err read_filters(struct call *c, const struct in *in, struct inst_filter *f)
{
    static const struct {
        const char *key;
        size_t to;
    } keys[] = {{"CreationStartTime", offsetof(struct inst_filter, created_from)},
                {"CreationEndTime", offsetof(struct inst_filter, created_to)}};
    const struct filter *v = in->filters.v;

    for (size_t i = 0; i < in->filters.n; i++) {
        size_t k = 0;

        if (str_empty(v[i].key))
            continue;
        while (k < ARRAY_LEN(keys) && !streq(keys[k].key, v[i].key))
            k++;
        if (k == ARRAY_LEN(keys))
            return fail_param(&c->fail, ERR_PARAM_VALUE,
                              arena_fmt(c->arena, "Filter.%zu.Key", i + 1), "no such filter");
        if (str_empty(v[i].value) ||
            time_parse(v[i].value, (int64_t *)((char *)f + keys[k].to)) < 0)
            return fail_param(&c->fail, ERR_PARAM_TIME,
                              arena_fmt(c->arena, "Filter.%zu.Value", i + 1), "not a time");
    }
    return ERR_NONE;
}

static enum err check(struct call *c, const struct in *in)
{
    enum err e = region_check(c, in->region);

    if (e)
        return e;
    if (in->status && !status_known(in->status))
        return fail_param(&c->fail, ERR_STATUS_UNKNOWN, "Status", "there is no status '%s'",
                          in->status);
    return tags_have_keys(&c->op, &in->tags);
}

/* What no instance of ours has: classic networks, public and IPv6 addresses, HPC clusters. */
static bool asks_nothing_we_have(const struct in *in)
{
    return (in->network_type && !streq(in->network_type, "vpc")) || in->has_public_ips ||
           in->has_eips || in->has_inner_ips || in->ipv6.n || !str_empty(in->rdma) ||
           !str_empty(in->hpc) || (in->has_io_optimized && !in->io_optimized) ||
           (in->has_available && !in->available);
}

static enum err make_filter(struct call *c, const struct in *in, struct inst_filter *f)
{
    bool recycling = in->lock && !strcasecmp(in->lock, "recycling");

    *f = (struct inst_filter){
        .none = asks_nothing_we_have(in),
        .region = in->region,
        .zone = in->zone,
        .vpc = in->vpc,
        .subnet = in->subnet,
        .image = in->image,
        .type = in->type,
        .type_family = in->type_family,
        .name = in->name,
        .status = in->status,
        .charge = in->charge,
        .secgroup = in->secgroup,
        .keypair = in->keypair,
        .lock = recycling ? "Recycling" : in->lock,
        .by_ids = in->has_ids,
        .ids = in->ids,
        .by_ips = in->has_private_ips,
        .ips = in->private_ips,
        .tags = in->tags,
        .attrs = {{"ResourceGroupId", in->group, ""},
                  {"InternetChargeType", in->internet_charge, "PayByTraffic"},
                  {"HttpEndpoint", in->http_endpoint, "enabled"},
                  {"HttpTokens", in->http_tokens, "optional"},
                  {"HttpPutResponseHopLimit",
                   in->has_hop_limit ? arena_fmt(c->arena, "%lld", (long long)in->hop_limit) : NULL,
                   "1"}},
    };
    return read_filters(c, in, f);
}

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    struct inst_filter f;
    struct inst_page found;
    struct page page;
    enum err e;

    if ((e = check(c, in)) || (e = make_filter(c, in, &f)) ||
        (e = page_of(&c->op, &in->page, 10, 100, &page)))
        return e;
    if (in->dry_run)
        return fail(&c->fail, ERR_DRY_RUN, "Every check passed; nothing was read.");

    inst_list(&c->op, &f, &page, &found);
    out->v = instances_load(&c->op, found.rows, found.n);
    out->n = found.n;
    out->page = (struct page_out){.total = found.total,
                                  .number = in->page.number,
                                  .size = in->page.size,
                                  .next = found.next,
                                  .by_token = page.by_token};
    return ERR_NONE;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    enc_list(e, "Instances", "Instance");
    for (size_t i = 0; i < out->n; i++) {
        enc_obj(e, NULL);
        instance_encode(c, &out->v[i], e);
        enc_end(e);
    }
    enc_end(e);
    page_encode(&out->page, e);
}

static const struct field filter_fields[] = {
    F_STR(struct filter, key, "Key"),
    F_STR(struct filter, value, "Value"),
    {.name = NULL},
};

#define JSON_LIST(member, wire)                                                                    \
    F_STRS(struct in, member, wire, .json_text = true, .max = 100,                                 \
           .has = HAS(struct in, has_##member))

const struct action ali_describe_instances = {
    .name = "DescribeInstances",
    .versions = ECS_VERSIONS,
    .summary = "List instances.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STR(struct in, region, "RegionId", .required = true), JSON_LIST(ids, "InstanceIds"),
        F_STR(struct in, name, "InstanceName", .text = "With * for any characters."),
        F_STR(struct in, status, "Status"), F_STR(struct in, zone, "ZoneId"),
        F_STR(struct in, vpc, "VpcId"), F_STR(struct in, subnet, "VSwitchId"),
        F_STR(struct in, secgroup, "SecurityGroupId"), F_STR(struct in, image, "ImageId"),
        F_STR(struct in, type, "InstanceType"), F_STR(struct in, type_family, "InstanceTypeFamily"),
        F_STR(struct in, network_type, "InstanceNetworkType", .values = VALUES("vpc", "classic"),
              .bad = ERR_NETWORK_TYPE),
        F_STR(struct in, charge, "InstanceChargeType", .values = VALUES("PrePaid", "PostPaid"),
              .bad = ERR_CHARGE_TYPE),
        F_STR(struct in, internet_charge, "InternetChargeType",
              .values = VALUES("PayByTraffic", "PayByBandwidth")),
        F_BOOL(struct in, io_optimized, "IoOptimized", .has = HAS(struct in, has_io_optimized)),
        F_STR(struct in, keypair, "KeyPairName"),
        F_STR(struct in, lock, "LockReason",
              .values = VALUES("financial", "security", "Recycling", "recycling",
                               "dedicatedhostfinancial", "refunded"),
              .bad = ERR_LOCK_REASON),
        F_STR(struct in, group, "ResourceGroupId"), F_STR(struct in, hpc, "HpcClusterId"),
        JSON_LIST(private_ips, "PrivateIpAddresses"), JSON_LIST(public_ips, "PublicIpAddresses"),
        JSON_LIST(eips, "EipAddresses"), JSON_LIST(inner_ips, "InnerIpAddresses"),
        F_STR(struct in, rdma, "RdmaIpAddresses"),
        F_STRS(struct in, ipv6, "Ipv6Address", .max = 100),
        F_OBJS(struct in, tags, "Tag", struct tag, tag_fields, .max = TAGS_MAX,
               .bad = ERR_TAG_COUNT),
        F_OBJS(struct in, filters, "Filter", struct filter, filter_fields, .max = 10),
        F_BOOL(struct in, available, "DeviceAvailable", .has = HAS(struct in, has_available)),
        F_STR(struct in, http_endpoint, "HttpEndpoint", .values = VALUES("enabled", "disabled")),
        F_STR(struct in, http_tokens, "HttpTokens", .values = VALUES("optional", "required")),
        F_INT(struct in, hop_limit, "HttpPutResponseHopLimit", .min = 1, .max = 64,
              .has = HAS(struct in, has_hop_limit)),
        F_IGNORED("AdditionalAttributes", .text = "Everything is always shown."),
        F_IGNORED("NeedSaleCycle"), PAGE_FIELDS(struct in, 100), TOKEN_FIELDS(struct in),
        F_BOOL(struct in, dry_run, "DryRun")),
    .errors = ERRORS(ERR_REGION_NOT_FOUND, ERR_STATUS_UNKNOWN, ERR_PARAM_VALUE, ERR_PARAM_TIME,
                     ERR_TAG_COUNT, ERR_DRY_RUN),
    .rows = ERR_ROWS({ERR_TAG_COUNT, TOO_MANY_TAGS}),
    .run = run,
    .encode = encode,
};
