/* What can be had: DescribeZones, DescribeZoneInstanceConfigInfos, DescribeTimeZones. None of them
 * is paged. */
#include "core/capacity.h"
#include "dialect/zenlayer/zec.h"

enum { KBIT = 1000, MIB_PER_GIB = 1024 };

static bool in_family(const struct call *c, const struct zone *z)
{
    return streq(z->region->family, c->dialect->family);
}

static bool asked_for(const struct strs *ids, const char *id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (streq(ids->v[i], id))
            return true;
    return !ids->n;
}

/* ---- DescribeZones ---- */

struct zones_in {
    struct strs ids;
};

struct zones_out {
    const struct zone **zones; /* of the catalogue */
    size_t n;
};

static enum err run_zones(struct call *c, const void *in_, void *out_)
{
    const struct catalog *catalog = c->op.core->catalog;
    const struct zones_in *in = in_;
    struct zones_out *out = out_;

    out->zones = ARENA_ARRAY(c->arena, const struct zone *, catalog->n_zones + 1);
    for (size_t i = 0; i < catalog->n_zones; i++) {
        const struct zone *z = &catalog->zones[i];

        if (in_family(c, z) && asked_for(&in->ids, z->id))
            out->zones[out->n++] = z;
    }
    return ERR_NONE;
}

static void encode_zones(struct call *c, const void *out_, struct enc *e)
{
    const struct zones_out *out = out_;

    (void)c;
    enc_list(e, "zoneSet", NULL);
    for (size_t i = 0; i < out->n; i++) {
        const struct zone *z = out->zones[i];
        const struct region *r = z->region;

        enc_obj(e, NULL);
        enc_str(e, "zoneId", z->id);
        enc_str(e, "zoneName", z->name);
        enc_str(e, "regionId", r->id);
        enc_bool(e, "supportSecurityGroup", true);
        enc_str(e, "timeZone", r->time_zone);
        enc_str(e, "cityName", r->city);
        enc_str(e, "cityCode", r->city_code);
        enc_str(e, "countryCode", r->country_code);
        enc_str(e, "countryName", r->country);
        enc_bool(e, "supportHaVip", false);
        enc_end(e);
    }
    enc_end(e);
}

const struct action zec_describe_zones = {
    .name = "DescribeZones",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Lists the zones.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct zones_in),
    .out_size = sizeof(struct zones_out),
    .in = FIELDS(F_STRS(struct zones_in, ids, "zoneIds", .max = 100,
                        .text = "Only these; unknown ones are left out.")),
    .errors = ERRORS(ERR_NONE),
    .run = run_zones,
    .encode = encode_zones,
};

/* ---- DescribeZoneInstanceConfigInfos ---- */

struct types_in {
    const char *zone, *type;
};

struct offer {
    const struct zone *zone;
    const struct inst_type *type;
    bool in_stock;
};

struct types_out {
    struct offer *offers;
    size_t n;
};

/* Would an instance of this type find room now? */
static bool in_stock(struct call *c, const struct zone *z, const struct inst_type *t)
{
    struct fail ignored;
    struct op op = c->op;

    op.fail = &ignored;
    return room_for(&op, &(struct claim){.account = op.account,
                                         .zone = z->id,
                                         .type = t->id,
                                         .mib = t->memory_mib,
                                         .n = 1}) == ERR_NONE;
}

static void offer_everywhere(struct call *c, const struct inst_type *t, const char *zone,
                             struct types_out *out)
{
    const struct catalog *catalog = c->op.core->catalog;

    for (size_t i = 0; i < catalog->n_zones; i++) {
        const struct zone *z = &catalog->zones[i];

        if (in_family(c, z) && (!zone || streq(z->id, zone)))
            out->offers[out->n++] = (struct offer){z, t, in_stock(c, z, t)};
    }
}

static enum err run_types(struct call *c, const void *in_, void *out_)
{
    const struct catalog *catalog = c->op.core->catalog;
    const struct types_in *in = in_;
    struct types_out *out = out_;
    const struct zone *zone = in->zone ? catalog_zone(catalog, in->zone) : NULL;

    if (in->zone && (!zone || !in_family(c, zone)))
        return fail_param(&c->fail, ERR_ZONE_NOT_FOUND, "zoneId", "there is no zone '%s'",
                          in->zone);
    out->offers = ARENA_ARRAY(c->arena, struct offer, catalog->n_zones * catalog->n_types + 1);
    for (size_t i = 0; i < catalog->n_types; i++) {
        const struct inst_type *t = &catalog->types[i];

        /* Types with a GPU have an action of their own. */
        if (streq(t->family, c->dialect->family) && !t->gpu &&
            (!in->type || streq(in->type, t->id)))
            offer_everywhere(c, t, in->zone, out);
    }
    return ERR_NONE;
}

static void encode_types(struct call *c, const void *out_, struct enc *e)
{
    const struct types_out *out = out_;

    enc_list(e, "instanceTypeQuotaSet", NULL);
    for (size_t i = 0; i < out->n; i++) {
        const struct inst_type *t = out->offers[i].type;

        enc_obj(e, NULL);
        enc_str(e, "zoneId", out->offers[i].zone->id);
        enc_str(e, "instanceType", t->id);
        enc_str(e, "instanceTypeName", t->name);
        enc_int(e, "cpuCount", t->cpu);
        enc_int(e, "memory", (t->memory_mib + MIB_PER_GIB - 1) / MIB_PER_GIB);
        enc_str(e, "frequency", arena_fmt(c->arena, "%.1f", t->ghz));
        enc_int(e, "internetMaxBandwidthOutLimit", 0); /* there are no public addresses */
        enc_no_list(e, "internetChargeTypes", NULL);
        enc_bool(e, "withStock", out->offers[i].in_stock);
        enc_int(e, "bps", t->bandwidth_kbit * KBIT);
        enc_int(e, "pps", t->pps);
        enc_end(e);
    }
    enc_end(e);
}

const struct action zec_describe_zone_instance_config_infos = {
    .name = "DescribeZoneInstanceConfigInfos",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary =
        "Lists the instance types that each zone offers, and whether there is room for them.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct types_in),
    .out_size = sizeof(struct types_out),
    .in = FIELDS(F_STR(struct types_in, zone, "zoneId"),
                 F_STR(struct types_in, type, "instanceType")),
    .errors = ERRORS(ERR_ZONE_NOT_FOUND),
    .run = run_types,
    .encode = encode_types,
};

/* ---- DescribeTimeZones ---- */

struct empty {
    char nothing;
};

static enum err run_time_zones(struct call *c, const void *in, void *out)
{
    (void)c;
    (void)in;
    (void)out;
    return ERR_NONE;
}

static void encode_time_zones(struct call *c, const void *out, struct enc *e)
{
    const struct catalog *catalog = c->op.core->catalog;

    (void)out;
    enc_strs(e, "timeZones", NULL, catalog->time_zones, catalog->n_time_zones);
}

const struct action zec_describe_time_zones = {
    .name = "DescribeTimeZones",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Lists the time zones that an instance can be created with.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct empty),
    .out_size = sizeof(struct empty),
    .in = (const struct field[]){{.name = NULL}},
    .errors = ERRORS(ERR_NONE),
    .run = run_time_zones,
    .encode = encode_time_zones,
};
