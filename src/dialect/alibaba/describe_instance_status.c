/* DescribeInstanceStatus. */
#include "dialect/alibaba/actions.h"

#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/inst_list.h"
#include "dialect/alibaba/region.h"
#include "dialect/alibaba/status.h"

struct in {
    const char *region, *zone, *cluster;
    struct strs ids;
    struct page_in page;
};

struct out {
    struct inst_page found;
    struct page_in page;
};

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    struct inst_filter f = {.region = in->region,
                            .zone = in->zone,
                            .by_ids = in->ids.n > 0,
                            .ids = in->ids,
                            .none = !str_empty(in->cluster)};
    struct page page;
    enum err e;

    if ((e = region_check(c, in->region)))
        return e;
    if (in->zone && !catalog_zone(c->op.core->catalog, in->zone))
        return fail_param(&c->fail, ERR_ZONE_NOT_FOUND, "ZoneId", "there is no zone '%s'",
                          in->zone);
    if ((e = page_of(&c->op, &in->page, 0, 0, &page)))
        return e;
    inst_list(&c->op, &f, &page, &out->found);
    out->page = in->page;
    return ERR_NONE;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;
    (void)c;

    enc_list(e, "InstanceStatuses", "InstanceStatus");
    for (size_t i = 0; i < out->found.n; i++) {
        enc_obj(e, NULL);
        enc_str(e, "InstanceId", out->found.rows[i].id);
        enc_str(e, "Status", status_word(out->found.rows[i].state));
        enc_end(e);
    }
    enc_end(e);
    enc_int(e, "TotalCount", out->found.total);
    enc_int(e, "PageNumber", out->page.number);
    enc_int(e, "PageSize", out->page.size);
}

const struct action ali_describe_instance_status = {
    .name = "DescribeInstanceStatus",
    .versions = ECS_VERSIONS,
    .summary = "List the statuses of instances.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(F_STR(struct in, region, "RegionId", .required = true),
                 F_STRS(struct in, ids, "InstanceId", .max = 100, .format = FMT_ID),
                 F_STR(struct in, zone, "ZoneId"), F_STR(struct in, cluster, "ClusterId"),
                 PAGE_FIELDS(struct in, 50)),
    .errors = ERRORS(ERR_REGION_NOT_FOUND, ERR_ZONE_NOT_FOUND, ERR_PARAM_TOO_LONG),
    /* The list of ids is the only thing that can be too long. */
    .rows = ERR_ROWS({ERR_PARAM_TOO_LONG, TOO_MANY_IDS},
                     {ERR_ZONE_NOT_FOUND, 404, "InvalidZoneId.NotFound",
                      "The ZoneId provided does not exist in our records."}),
    .run = run,
    .encode = encode,
};
