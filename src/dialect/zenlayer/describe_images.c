/* DescribeImages: what an instance can be made from in a zone. */
#include "dialect/zenlayer/listing.h"
#include "dialect/zenlayer/rules.h"
#include "dialect/zenlayer/zec.h"

struct in {
    const char *zone, *name, *category, *type, *source, *os, *status;
    struct strs ids;
    struct zec_page page;
    struct zec_tag_filter by_tag;
};

struct out {
    int64_t total;
    const struct image *images;
    size_t n;
};

#define PUBLIC_IMAGE "PUBLIC_IMAGE"
#define OFFICIAL     "OFFICIAL"
#define AVAILABLE    "AVAILABLE"

/* Images have no tags here, and those that are listed can all be used. */
static bool finds_nothing(const struct in *in)
{
    if (in->status && !streq(in->status, AVAILABLE))
        return true;
    if (in->source && !streq(in->source, OFFICIAL) && !streq(in->source, "CUSTOM"))
        return true;
    return !zec_tag_filter_empty(&in->by_tag);
}

/* The public ones and the account's own. */
static void add_owners(struct call *c, struct query *q)
{
    const char **owners = ARENA_ARRAY(c->arena, const char *, 2);

    owners[0] = "";
    owners[1] = c->op.account;
    if (c->op.account)
        query_in(q, "account", owners, 2);
}

static void add_filters(struct call *c, const struct in *in, struct query *q)
{
    add_owners(c, q);
    if (in->type)
        query_text(q, "account", streq(in->type, PUBLIC_IMAGE) ? CMP_EQ : CMP_NE, "");
    if (in->source)
        query_text(q, "account", streq(in->source, OFFICIAL) ? CMP_EQ : CMP_NE, "");
    if (in->ids.n)
        query_in(q, "id", in->ids.v, in->ids.n);
    if (in->name)
        zec_query_fuzzy(c->arena, q, "name", in->name);
    if (in->category)
        query_text(q, "platform", CMP_EQ, in->category);
    if (in->os)
        query_text(q, "os_type", CMP_EQ, in->os);
}

static enum err run(struct call *c, const void *in_, void *out_)
{
    struct query q = {.order = ZEC_ORDER};
    const struct in *in = in_;
    struct out *out = out_;
    const struct zone *zone = catalog_zone(c->op.core->catalog, in->zone);

    if (!zone || !streq(zone->region->family, c->dialect->family))
        return fail_param(&c->fail, ERR_ZONE_NOT_FOUND, "zoneId", "there is no zone '%s'",
                          in->zone);
    if (finds_nothing(in))
        return ERR_NONE;
    add_filters(c, in, &q);
    out->total = store_count(c->op.tx, &rec_image, &q);
    zec_page_query(&q, &in->page);
    out->images = store_find(c->op.tx, &rec_image, &q, &out->n);
    return ERR_NONE;
}

static void encode_image(struct call *c, const struct image *image, struct enc *e)
{
    bool is_public = !*image->account;

    enc_obj(e, NULL);
    enc_str(e, "imageId", image->id);
    enc_str(e, "imageName", image->name);
    enc_str(e, "imageType", is_public ? PUBLIC_IMAGE : "CUSTOM_IMAGE");
    enc_str(e, "imageSource", is_public ? OFFICIAL : "CUSTOM");
    enc_str(e, "imageSize", arena_fmt(c->arena, "%lld", (long long)image->size_gib));
    enc_int(e, "minDiskSize", image->size_gib);
    enc_str(e, "imageDescription", image->description);
    enc_str(e, "imageVersion", image->version);
    enc_str(e, "imageStatus", AVAILABLE);
    enc_strs(e, "nicNetworkType", NULL, VALUES("Auto", "FailOver", "VirtioOnly", "VfOnly"), 4);
    enc_str(e, "category", image->platform);
    enc_str(e, "osType", image->os_type);
    enc_obj(e, "tags");
    enc_no_list(e, "tags", NULL);
    enc_end(e);
    enc_end(e);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    enc_int(e, "totalCount", out->total);
    enc_list(e, "dataSet", NULL);
    for (size_t i = 0; i < out->n; i++)
        encode_image(c, &out->images[i], e);
    enc_end(e);
}

const struct action zec_describe_images = {
    .name = "DescribeImages",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Lists the images that an instance can be created from.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in =
        FIELDS(F_STR(struct in, zone, "zoneId", .required = true),
               F_STRS(struct in, ids, "imageIds", .max = 100, .format = FMT_ID),
               F_STR(struct in, name, "imageName",
                     .text = "A part of the name; ^ and $ stand for its ends."),
               F_STR(struct in, category, "category", .text = "The distribution, such as Debian."),
               F_STR(struct in, type, "imageType", .values = VALUES(PUBLIC_IMAGE, "CUSTOM_IMAGE")),
               F_STR(struct in, source, "imageSource",
                     .values = VALUES(OFFICIAL, "MARKETING", "CUSTOM", "APP")),
               F_STR(struct in, os, "osType",
                     .values = VALUES("linux", "bsd", "windows", "android", "any")),
               F_STR(struct in, status, "imageStatus",
                     .values = VALUES("CREATING", AVAILABLE, "UNAVAILABLE", "SYNCING", "FAILED",
                                      "DELETING", "PROCESSING")),
               ZEC_PAGE_FIELDS(struct in), ZEC_TAG_FILTER_FIELDS(struct in)),
    .errors = ERRORS(ERR_ZONE_NOT_FOUND),
    .run = run,
    .encode = encode,
};
