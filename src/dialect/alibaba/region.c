/* Which regions there are for a request. */
#include "dialect/alibaba/region.h"

static enum err not_found(struct call *c, const char *id)
{
    return fail_param(&c->fail, ERR_REGION_NOT_FOUND, "RegionId", "there is no region '%s'", id);
}

enum err region_check(struct call *c, const char *id)
{
    return catalog_region(c->op.core->catalog, id) ? ERR_NONE : not_found(c, id);
}

enum err region_own(struct call *c, const char *id, const struct region **ret)
{
    const struct region *r = catalog_region(c->op.core->catalog, id);

    if (!r || !streq(r->family, c->dialect->family))
        return not_found(c, id);
    if (ret)
        *ret = r;
    return ERR_NONE;
}
