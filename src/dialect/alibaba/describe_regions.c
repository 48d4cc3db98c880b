/* DescribeRegions. */
#include "dialect/alibaba/actions.h"
#include "dialect/alibaba/language.h"

struct in {
    const char *language, *charge, *resource;
};

struct out {
    const char *language;
};

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    (void)c;

    ((struct out *)out_)->language = in->language;
    return ERR_NONE;
}

/* The endpoint is where the client found us: the cloud's own address would lead it away from here.
 */
static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct catalog *cat = c->op.core->catalog;
    const struct out *out = out_;

    enc_list(e, "Regions", "Region");
    for (size_t i = 0; i < cat->n_regions; i++) {
        const struct region *r = &cat->regions[i];

        if (!streq(r->family, c->dialect->family))
            continue;
        enc_obj(e, NULL);
        enc_str(e, "RegionId", r->id);
        enc_str(e, "LocalName", name_in(out->language, r->name, r->local_name));
        enc_str(e, "RegionEndpoint", str_empty(c->host) ? r->endpoint : c->host);
        enc_str(e, "Status", "available");
        enc_end(e);
    }
    enc_end(e);
}

const struct action ali_describe_regions = {
    .name = "DescribeRegions",
    .versions = ECS_VERSIONS,
    .summary = "List the regions.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in =
        FIELDS(F_LANGUAGE(struct in, language),
               F_STR(struct in, charge, "InstanceChargeType",
                     .values = VALUES("PostPaid", "PrePaid", "SpotWithPriceLimit", "SpotAsPriceGo"),
                     .bad = ERR_CHARGE_TYPE),
               F_STR(struct in, resource, "ResourceType",
                     .values = VALUES("instance", "disk", "reservedinstance", "scu")),
               F_IGNORED("RegionId")),
    .errors = ERRORS(ERR_CHARGE_TYPE),
    .run = run,
    .encode = encode,
};
