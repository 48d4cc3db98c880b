/*
 * DescribeImages. There are few images, so all that the account may use are read and tested one by
 * one. Every image of ours is Available; none has tags, a snapshot or a resource group.
 */
#include "dialect/alibaba/actions.h"

#include <strings.h>

#include "base/timefmt.h"
#include "core/lists.h"
#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/names.h"
#include "dialect/alibaba/page.h"
#include "dialect/alibaba/region.h"

struct filter {
    const char *key, *value;
};

struct in {
    const char *region, *ids, *name, *family, *owner, *owner_id, *os_type, *arch, *status, *usage;
    const char *type, *snapshot, *group, *action_type;
    bool io_optimized, has_io_optimized, cloud_init, has_cloud_init, is_public, has_public, dry_run;
    struct objs tags, filters;
    struct page_in page;
};

struct image_out {
    struct image row;
    bool used; /* by an instance of the account */
};

struct out {
    const char *region;
    struct image_out *v;
    size_t n;
    struct page_out page;
};

enum { MAX_IDS = 100 };

/* ---- which ---- */

struct wanted {
    const struct in *in;
    const char **ids; /* NULL: any */
    size_t n_ids;
    int64_t created_from, created_to; /* 0: any */
    bool none;
};

static enum err read_ids(struct call *c, const struct in *in, struct wanted *w)
{
    if (!in->ids)
        return ERR_NONE;
    w->ids = list_split(c->arena, in->ids, &w->n_ids);
    if (w->n_ids > MAX_IDS)
        return fail_param(&c->fail, ERR_PARAM_TOO_LONG, "ImageId", "up to %d ids", MAX_IDS);
    return ERR_NONE;
}

static enum err read_filters(struct call *c, const struct in *in, struct wanted *w)
{
    const struct filter *v = in->filters.v;

    for (size_t i = 0; i < in->filters.n; i++) {
        int64_t *to = NULL;

        if (str_empty(v[i].key))
            continue;
        if (streq(v[i].key, "CreationStartTime"))
            to = &w->created_from;
        else if (streq(v[i].key, "CreationEndTime"))
            to = &w->created_to;
        else
            return fail_param(&c->fail, ERR_PARAM_VALUE,
                              arena_fmt(c->arena, "Filter.%zu.Key", i + 1), "no such filter");
        if (str_empty(v[i].value) || time_parse(v[i].value, to) < 0)
            return fail_param(&c->fail, ERR_PARAM_TIME,
                              arena_fmt(c->arena, "Filter.%zu.Value", i + 1), "not a time");
    }
    return ERR_NONE;
}

static bool lists_available(const char *statuses)
{
    return !strcasecmp(statuses, "ALL") || strstr(statuses, "Available") == statuses ||
           strstr(statuses, ",Available");
}

static enum err read_wanted(struct call *c, const struct in *in, struct wanted *w)
{
    enum err e;

    *w = (struct wanted){.in = in};
    if ((e = region_check(c, in->region)))
        return e;
    if (in->type && !catalog_type(c->op.core->catalog, in->type))
        return fail_param(&c->fail, ERR_TYPE_NOT_FOUND, "InstanceType", "there is no type '%s'",
                          in->type);
    if ((e = read_ids(c, in, w)) || (e = read_filters(c, in, w)) ||
        (e = tags_have_keys(&c->op, &in->tags)))
        return e;
    w->none = !lists_available(in->status) || in->snapshot || in->group || in->tags.n ||
              (in->has_io_optimized && !in->io_optimized);
    return ERR_NONE;
}

static bool has_id(const struct wanted *w, const char *id)
{
    for (size_t i = 0; i < w->n_ids; i++)
        if (streq(w->ids[i], id))
            return true;
    return !w->ids;
}

static bool owner_matches(const struct in *in, const struct image *image)
{
    bool is_public = !*image->account;

    if (in->owner && (streq(in->owner, "others") || streq(in->owner, "marketplace")))
        return false;
    if (in->owner && streq(in->owner, "system") != is_public)
        return false;
    if (in->owner_id && !streq(in->owner_id, image->account))
        return false;
    return !in->has_public || in->is_public == is_public;
}

static bool same_or_any(const char *wanted, const char *value)
{
    return !wanted || streq(wanted, value);
}

static bool matches(const struct wanted *w, const struct image_out *image)
{
    const struct in *in = w->in;
    const struct image *row = &image->row;

    return has_id(w, row->id) && owner_matches(in, row) &&
           (!in->name || wildcard_match(in->name, row->name)) &&
           same_or_any(in->family, row->family) && same_or_any(in->os_type, row->os_type) &&
           same_or_any(in->arch, row->arch) &&
           (!in->usage || streq(in->usage, "instance") == image->used) &&
           (!in->has_cloud_init || in->cloud_init == row->cloud_init) &&
           (!w->created_from || row->created_at >= w->created_from) &&
           (!w->created_to || row->created_at <= w->created_to);
}

static bool is_used(struct op *op, const char *image)
{
    struct query q = {.limit = 1};
    struct inst in;

    if (op->account)
        query_text(&q, "account", CMP_EQ, op->account);
    query_text(&q, "image", CMP_EQ, image);
    return store_first(op->tx, &rec_inst, &q, &in);
}

static struct image *readable_images(struct op *op, size_t *ret_n)
{
    const char *owners[] = {"", op->account};
    struct query q = {.order = "-created_at,id"};

    if (op->account)
        query_in(&q, "account", owners, ARRAY_LEN(owners));
    return store_find(op->tx, &rec_image, &q, ret_n);
}

static enum err run(struct call *c, const void *in_, void *out_)
{
    const struct in *in = in_;
    struct out *out = out_;
    struct wanted w;
    struct page page;
    size_t n = 0, matched = 0;
    enum err e;

    if ((e = read_wanted(c, in, &w)) || (e = page_of(&c->op, &in->page, 0, 0, &page)))
        return e;
    if (in->dry_run)
        return fail(&c->fail, ERR_DRY_RUN, "Every check passed; nothing was read.");
    const struct image *rows = w.none ? NULL : readable_images(&c->op, &n);
    out->v = ARENA_ARRAY(c->arena, struct image_out, page.limit + 1);
    for (size_t i = 0; i < n; i++) {
        struct image_out one = {rows[i], is_used(&c->op, rows[i].id)};

        if (!matches(&w, &one))
            continue;
        if (matched >= page.offset && out->n < page.limit)
            out->v[out->n++] = one;
        matched++;
    }
    out->region = in->region;
    out->page = (struct page_out){
        .total = (int64_t)matched, .number = in->page.number, .size = in->page.size};
    return ERR_NONE;
}

/* ---- how ---- */

static void encode_system_disk(struct call *c, const struct image *row, struct enc *e)
{
    enc_list(e, "DiskDeviceMappings", "DiskDeviceMapping");
    enc_obj(e, NULL);
    enc_str(e, "Device", "/dev/xvda");
    enc_str(e, "Type", "system");
    enc_str(e, "Size", arena_fmt(c->arena, "%lld", (long long)row->size_gib));
    enc_str(e, "SnapshotId", "");
    enc_str(e, "Format", "");
    enc_str(e, "Progress", "");
    enc_int(e, "RemainTime", 0);
    enc_bool(e, "Encrypted", false);
    enc_str(e, "ImportOSSBucket", "");
    enc_str(e, "ImportOSSObject", "");
    enc_end(e);
    enc_end(e);
}

static void encode_features(const struct image *row, struct enc *e)
{
    enc_obj(e, "Features");
    enc_str(e, "NvmeSupport", "unsupported");
    enc_str(e, "ImdsSupport", row->cloud_init ? "v2" : "v1");
    enc_str(e, "CpuOnlineUpgrade", "unsupported");
    enc_str(e, "CpuOnlineDowngrade", "unsupported");
    enc_str(e, "MemoryOnlineUpgrade", "unsupported");
    enc_str(e, "MemoryOnlineDowngrade", "unsupported");
    enc_end(e);
    enc_obj(e, "DetectionOptions");
    enc_str(e, "Status", "");
    enc_no_list(e, "Items", "Item");
    enc_end(e);
    enc_obj(e, "SecureBootOptions");
    enc_str(e, "SecureBootSupport", "unsupported");
    enc_end(e);
}

static void encode_image(struct call *c, const struct image_out *image, struct enc *e)
{
    const struct image *row = &image->row;
    bool is_public = !*row->account;

    enc_obj(e, NULL);
    enc_str(e, "ImageId", row->id);
    enc_str(e, "ImageName", row->name);
    enc_str(e, "ImageFamily", row->family);
    enc_str(e, "ImageVersion", row->version);
    enc_str(e, "ImageOwnerAlias", is_public ? "system" : "self");
    enc_int(e, "ImageOwnerId", strtoll(row->account, NULL, 10));
    enc_str(e, "Description", row->description);
    enc_str(e, "Status", "Available");
    enc_str(e, "Progress", "100%");
    enc_str(e, "CreationTime", time_seconds(c->arena, row->created_at));
    enc_int(e, "Size", row->size_gib);
    enc_str(e, "OSName", row->os_name);
    enc_str(e, "OSNameEn", row->os_name);
    enc_str(e, "OSType", row->os_type);
    enc_str(e, "Platform", row->platform);
    enc_str(e, "Architecture", row->arch);
    enc_str(e, "BootMode", "BIOS");
    enc_str(e, "Usage", image->used ? "instance" : "none");
    enc_bool(e, "IsSupportIoOptimized", true);
    enc_bool(e, "IsSupportCloudinit", row->cloud_init);
    enc_bool(e, "IsCopied", false);
    enc_bool(e, "IsPublic", is_public);
    enc_bool(e, "IsSubscribed", false);
    enc_str(e, "IsSelfShared", "");
    enc_bool(e, "LoginAsNonRootSupported", false);
    enc_str(e, "LicenseType", "");
    enc_str(e, "ProductCode", "");
    enc_str(e, "SupplierName", "");
    enc_str(e, "ResourceGroupId", "");
    enc_bool(e, "Usable", true);
    encode_system_disk(c, row, e);
    encode_features(row, e);
    enc_no_list(e, "Tags", "Tag");
    enc_end(e);
}

static void encode(struct call *c, const void *out_, struct enc *e)
{
    const struct out *out = out_;

    enc_str(e, "RegionId", out->region);
    enc_list(e, "Images", "Image");
    for (size_t i = 0; i < out->n; i++)
        encode_image(c, &out->v[i], e);
    enc_end(e);
    enc_int(e, "TotalCount", out->page.total);
    enc_int(e, "PageNumber", out->page.number);
    enc_int(e, "PageSize", out->page.size);
}

static const struct field filter_fields[] = {
    F_STR(struct filter, key, "Key"),
    F_STR(struct filter, value, "Value"),
    {.name = NULL},
};

const struct action ali_describe_images = {
    .name = "DescribeImages",
    .versions = ECS_VERSIONS,
    .summary = "List the images that instances can be created from.",
    .perm = PERM_READ,
    .access = ACCESS_READ,
    .in_size = sizeof(struct in),
    .out_size = sizeof(struct out),
    .in = FIELDS(
        F_STR(struct in, region, "RegionId", .required = true),
        F_STR(struct in, ids, "ImageId", .text = "Up to 100 ids, separated by commas."),
        F_STR(struct in, name, "ImageName", .text = "With * for any characters."),
        F_STR(struct in, family, "ImageFamily"),
        F_STR(struct in, owner, "ImageOwnerAlias",
              .values = VALUES("system", "self", "others", "marketplace")),
        F_STR(struct in, owner_id, "ImageOwnerId"),
        F_STR(struct in, os_type, "OSType", .values = VALUES("windows", "linux")),
        F_STR(struct in, arch, "Architecture", .values = VALUES("i386", "x86_64", "arm64")),
        F_STR(struct in, status, "Status", .def_str = "Available",
              .text = "Separated by commas; ALL for any."),
        F_STR(struct in, usage, "Usage", .values = VALUES("instance", "none")),
        F_STR(struct in, type, "InstanceType"), F_STR(struct in, snapshot, "SnapshotId"),
        F_BOOL(struct in, io_optimized, "IsSupportIoOptimized",
               .has = HAS(struct in, has_io_optimized)),
        F_BOOL(struct in, cloud_init, "IsSupportCloudinit", .has = HAS(struct in, has_cloud_init)),
        F_BOOL(struct in, is_public, "IsPublic", .has = HAS(struct in, has_public)),
        F_STR(struct in, action_type, "ActionType", .values = VALUES("CreateEcs", "ChangeOS")),
        F_STR(struct in, group, "ResourceGroupId"),
        F_OBJS(struct in, tags, "Tag", struct tag, tag_fields, .max = TAGS_MAX,
               .bad = ERR_TAG_COUNT),
        F_OBJS(struct in, filters, "Filter", struct filter, filter_fields, .max = 10),
        F_IGNORED("ShowExpired"), F_IGNORED("Usable"), PAGE_FIELDS(struct in, 100),
        F_BOOL(struct in, dry_run, "DryRun")),
    .errors = ERRORS(ERR_REGION_NOT_FOUND, ERR_TYPE_NOT_FOUND, ERR_TAG_COUNT, ERR_PARAM_VALUE,
                     ERR_PARAM_TIME, ERR_PARAM_TOO_LONG, ERR_DRY_RUN),
    .rows = ERR_ROWS({ERR_TAG_COUNT, TOO_MANY_TAGS}),
    .run = run,
    .encode = encode,
};
