/* DescribeZones. */
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/language.h"
#include "dialect/alibaba/region.h"

struct in {
    const char *region, *language, *charge, *spot;
    bool verbose;
};

struct out {
    const struct region *region;
    const char *language;
    bool verbose;
};

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;

    out->language = in->language;
    out->verbose = in->verbose;
    return region_own(c, in->region, &out->region);
}

/* ---- what a zone has: every type and category of the family ---- */

static void encode_types(const struct catalog *c, const char *family, const char *name,
                         const char *item, struct enc *e)
{
    enc_list(e, name, item);
    for (size_t i = 0; i < c->n_types; i++)
        if (streq(c->types[i].family, family))
            enc_str(e, NULL, c->types[i].id);
    enc_end(e);
}

/* The types of one family stand together in the catalogue. */
static void encode_type_families(const struct catalog *c, const char *family, struct enc *e)
{
    const char *last = "";

    enc_list(e, "InstanceTypeFamilies", "supportedInstanceTypeFamily");
    for (size_t i = 0; i < c->n_types; i++) {
        if (!streq(c->types[i].family, family) || streq(c->types[i].family_name, last))
            continue;
        last = c->types[i].family_name;
        enc_str(e, NULL, last);
    }
    enc_end(e);
}

enum disk_use { USE_ANY, USE_SYSTEM, USE_DATA };

static void encode_categories(const struct catalog *c, const char *family, enum disk_use use,
                              const char *name, const char *item, struct enc *e)
{
    enc_list(e, name, item);
    for (size_t i = 0; i < c->n_categories; i++) {
        const struct disk_category *d = &c->categories[i];

        if (streq(d->family, family) && (use != USE_SYSTEM || d->system) &&
            (use != USE_DATA || d->data))
            enc_str(e, NULL, d->id);
    }
    enc_end(e);
}

static void encode_one(struct enc *e, const char *name, const char *item, const char *value)
{
    enc_strs(e, name, item, &value, 1);
}

static void encode_resources(const struct catalog *c, const char *family, struct enc *e)
{
    enc_list(e, "AvailableResources", "ResourcesInfo");
    enc_obj(e, NULL);
    enc_bool(e, "IoOptimized", true);
    encode_types(c, family, "InstanceTypes", "supportedInstanceType", e);
    encode_type_families(c, family, e);
    enc_no_list(e, "InstanceGenerations", "supportedInstanceGeneration");
    encode_categories(c, family, USE_SYSTEM, "SystemDiskCategories", "supportedSystemDiskCategory",
                      e);
    encode_categories(c, family, USE_DATA, "DataDiskCategories", "supportedDataDiskCategory", e);
    encode_one(e, "NetworkTypes", "supportedNetworkCategory", "vpc");
    enc_end(e);
    enc_end(e);
}

static void encode_available(const struct catalog *c, const char *family, struct enc *e)
{
    static const char *const creatable[] = {"VSwitch", "IoOptimized", "Instance", "Disk"};

    enc_strs(e, "AvailableResourceCreation", "ResourceTypes", creatable, ARRAY_LEN(creatable));
    encode_categories(c, family, USE_ANY, "AvailableDiskCategories", "DiskCategories", e);
    encode_types(c, family, "AvailableInstanceTypes", "InstanceTypes", e);
    encode_categories(c, family, USE_ANY, "AvailableVolumeCategories", "VolumeCategories", e);
    enc_no_list(e, "AvailableDedicatedHostTypes", "DedicatedHostType");
    enc_no_list(e, "DedicatedHostGenerations", "DedicatedHostGeneration");
    encode_resources(c, family, e);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct catalog *cat = c->op.core->catalog;
    const struct out *out = out_;

    enc_list(e, "Zones", "Zone");
    for (size_t i = 0; i < cat->n_zones; i++) {
        const struct zone *z = &cat->zones[i];

        if (z->region != out->region)
            continue;
        enc_obj(e, NULL);
        enc_str(e, "ZoneId", z->id);
        enc_str(e, "LocalName", name_in(out->language, z->name, z->local_name));
        enc_str(e, "ZoneType", "AvailabilityZone");
        if (out->verbose)
            encode_available(cat, c->dialect->family, e);
        enc_end(e);
    }
    enc_end(e);
}

const struct action ali_describe_zones = {
    .name = "DescribeZones",
    .versions = ECS_VERSIONS,
    .summary = "List the zones of a region, with what can be had in each.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STR(struct in, region, "RegionId", .required = true), F_LANGUAGE(struct in, language),
        F_STR(struct in, charge, "InstanceChargeType", .values = VALUES("PostPaid", "PrePaid"),
              .bad = ERR_CHARGE_TYPE),
        F_STR(struct in, spot, "SpotStrategy",
              .values = VALUES("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")),
        F_BOOL(struct in, verbose, "Verbose", .def = 1, .text = "Also what can be had there.")),
    .errors = ERRORS(ERR_REGION_NOT_FOUND, ERR_CHARGE_TYPE),
    .run = run,
    .encode = encode,
};
