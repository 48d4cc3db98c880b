/* DescribeInstances: the account's instances, filtered and by pages. One that was released is
 * simply missing. */
#include "dialect/zenlayer/batch.h"
#include "dialect/zenlayer/instance.h"
#include "dialect/zenlayer/listing.h"
#include "dialect/zenlayer/status.h"
#include "dialect/zenlayer/zec.h"

struct in {
    struct strs ids;
    const char *zone, *image, *group, *ipv4, *ipv6, *status, *name;
    struct zec_page page;
    struct zec_tag_filter by_tag;
};

struct out {
    int64_t total;
    const struct zec_instance *list;
    size_t n;
};

/* What no instance can have: an IPv6 address, another resource group than the account's only one.
 */
static bool finds_nothing(struct call *c, const struct in *in)
{
    if (in->ipv6)
        return true;
    return in->group && c->op.account && !streq(in->group, zec_group_id(c->arena, c->op.account));
}

static void add_filters(struct call *c, const struct in *in, struct query *q)
{
    zec_mine(c, q);
    if (in->ids.n)
        query_in(q, "id", in->ids.v, in->ids.n);
    if (in->zone)
        query_text(q, "zone", CMP_EQ, in->zone);
    if (in->image)
        query_text(q, "image", CMP_EQ, in->image);
    if (in->ipv4)
        query_text(q, "ip", CMP_EQ, in->ipv4);
    if (in->status)
        zec_status_filter(q, in->status);
    if (in->name)
        zec_query_fuzzy(c->arena, q, "name", in->name);
    zec_tag_filter_query(c->arena, q, &in->by_tag);
}

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;

    if (!finds_nothing(c, in)) {
        struct query q = {.order = ZEC_INST_ORDER};

        add_filters(c, in, &q);
        zec_page_query(&q, &in->page);
        const struct inst *rows = store_page(c->op.tx, &rec_inst, &q, &out->n, &out->total);
        out->list = zec_instances_read(c, rows, out->n);
    }
    return ERR_NONE;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    (void)c;
    enc_int(e, "totalCount", out->total);
    enc_list(e, "dataSet", NULL);
    for (size_t i = 0; i < out->n; i++)
        zec_instance_encode(e, &out->list[i]);
    enc_end(e);
}

const struct action zec_describe_instances = {
    .name = "DescribeInstances",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Lists instances with everything about them.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STRS(struct in, ids, "instanceIds", .max = ZEC_MAX_IDS, .format = FMT_ID,
               .text = "Only these; unknown ones are left out."),
        F_STR(struct in, zone, "zoneId"), F_STR(struct in, image, "imageId"),
        F_STR(struct in, group, "resourceGroupId"),
        F_STR(struct in, ipv4, "ipv4Address", .text = "An address of the instance."),
        F_STR(struct in, ipv6, "ipv6Address"),
        F_STR(struct in, status, "status", .values = zec_status_words),
        F_STR(struct in, name, "name", .text = "A part of the name; ^ and $ stand for its ends."),
        ZEC_PAGE_FIELDS(struct in), ZEC_TAG_FILTER_FIELDS(struct in)),
    .errors = ERRORS(ERR_NONE),
    .run = run,
    .encode = encode,
};
