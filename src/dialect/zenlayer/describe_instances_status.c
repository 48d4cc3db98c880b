/* DescribeInstancesStatus: only the states, for those who poll. */
#include "dialect/zenlayer/batch.h"
#include "dialect/zenlayer/instance.h"
#include "dialect/zenlayer/listing.h"
#include "dialect/zenlayer/status.h"
#include "dialect/zenlayer/zec.h"

struct in {
    struct strs ids;
    const char *group;
    struct zec_page page;
};

struct row {
    const char *id, *status;
};

struct out {
    int64_t total;
    struct row *rows;
    size_t n;
};

static enum err run(struct call *c, const void *in_, void *out_)
{
    const char *starting = zec_starting_word(&c->op.core->settings, c->client);
    struct query q = {.order = ZEC_INST_ORDER};
    const struct in *in = in_;
    struct out *out = out_;

    if (in->group && c->op.account && !streq(in->group, zec_group_id(c->arena, c->op.account)))
        return ERR_NONE;
    zec_mine(c, &q);
    if (in->ids.n)
        query_in(&q, "id", in->ids.v, in->ids.n);
    zec_page_query(&q, &in->page);

    const struct inst *found = store_page(c->op.tx, &rec_inst, &q, &out->n, &out->total);
    out->rows = ARENA_ARRAY(c->arena, struct row, out->n + 1);
    for (size_t i = 0; i < out->n; i++)
        out->rows[i] = (struct row){found[i].id, zec_status(&found[i], starting)};
    return ERR_NONE;
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    (void)c;
    enc_int(e, "totalCount", out->total);
    enc_list(e, "dataSet", NULL);
    for (size_t i = 0; i < out->n; i++) {
        enc_obj(e, NULL);
        enc_str(e, "instanceId", out->rows[i].id);
        enc_str(e, "instanceStatus", out->rows[i].status);
        enc_end(e);
    }
    enc_end(e);
}

const struct action zec_describe_instances_status = {
    .name = "DescribeInstancesStatus",
    .service = ZEC_SERVICE,
    .versions = ZEC_VERSIONS,
    .summary = "Lists instances and their states.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(F_STRS(struct in, ids, "instanceIds", .max = ZEC_MAX_IDS, .format = FMT_ID,
                        .text = "Only these; unknown ones are left out."),
                 F_STR(struct in, group, "resourceGroupId"), ZEC_PAGE_FIELDS(struct in)),
    .errors = ERRORS(ERR_NONE),
    .run = run,
    .encode = encode,
};
