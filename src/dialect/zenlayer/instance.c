/* The instance record: gathered from the rows, then written. */
#include "dialect/zenlayer/instance.h"

#include <inttypes.h>

#include "base/crypto.h"
#include "base/timefmt.h"
#include "dialect/zenlayer/status.h"

#define GROUP_NAME "Default Resource Group"

enum { MIB_PER_GIB = 1024 };

/* ---- ids without a row ---- */

const char *zec_group_id(struct arena *a, const char *account)
{
    const char *text = arena_fmt(a, "resource-group %s", account);
    const char *h = sha256_hex(a, text, strlen(text));

    return arena_fmt(a, "%.8s-%.4s-8%.3s-8%.3s-%.12s", h, h + 8, h + 12, h + 15, h + 18);
}

const char *zec_derived_id(struct arena *a, const char *kind, const char *of)
{
    const uint64_t low = 1000000000000000000, span = 8000000000000000000;
    const char *text = arena_fmt(a, "%s %s", kind, of);
    uint8_t h[SHA256_LEN];
    uint64_t v = 0;

    sha256(text, strlen(text), h);
    for (size_t i = 0; i < sizeof(v); i++)
        v = v << 8 | h[i];
    return arena_fmt(a, "%" PRIu64, low + v % span);
}

/* ---- gathering ---- */

static int by_instance(const void *a_, const void *b_)
{
    const struct disk *a = *(const struct disk *const *)a_, *b = *(const struct disk *const *)b_;
    int order = strcmp(a->inst, b->inst);

    return order ? order : (a->slot > b->slot) - (a->slot < b->slot);
}

/* The disks of all these instances, sorted so that each one's stand together. */
static const struct disk **read_disks(struct call *c, const struct inst *rows, size_t n,
                                      size_t *ret_n)
{
    const char **ids = ARENA_ARRAY(c->arena, const char *, n + 1);
    struct query q = {0};
    struct disk *disks;
    const struct disk **sorted;

    for (size_t i = 0; i < n; i++)
        ids[i] = rows[i].id;
    query_in(&q, "inst", ids, n);
    disks = store_find(c->op.tx, &rec_disk, &q, ret_n);
    sorted = ARENA_ARRAY(c->arena, const struct disk *, *ret_n + 1);
    for (size_t i = 0; i < *ret_n; i++)
        sorted[i] = &disks[i];
    if (*ret_n)
        qsort(sorted, *ret_n, sizeof(*sorted), by_instance);
    return sorted;
}

static void take_disks(struct zec_instance *i, const struct disk **sorted, size_t n)
{
    size_t from = 0, to = n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (strcmp(sorted[mid]->inst, i->in->id) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    i->disks = (const struct disk *const *)sorted + from;
    while (from + i->n_disks < n && streq(i->disks[i->n_disks]->inst, i->in->id))
        i->n_disks++;
}

/* A page's instances have few images between them. */
struct image_names {
    const char **ids, **names;
    size_t n;
};

static const char *image_name(struct call *c, struct image_names *known, const char *id)
{
    struct image image;
    bool found;

    for (size_t i = 0; i < known->n; i++)
        if (streq(known->ids[i], id))
            return known->names[i];
    found = store_get(c->op.tx, &rec_image, id, &image);
    known->ids[known->n] = id;
    known->names[known->n] = found ? image.name : "";
    return known->names[known->n++];
}

static const char *first_of(struct arena *a, const char *list)
{
    return arena_strn(a, list, strcspn(list, ","));
}

static const char *effective_time_zone(const struct call *c, const struct zec_instance *i)
{
    const struct region *r = catalog_region(c->op.core->catalog, i->in->region);

    if (i->attrs.time_zone)
        return i->attrs.time_zone;
    return r && !str_empty(r->time_zone) ? r->time_zone : "UTC";
}

static void gather(struct call *c, struct zec_instance *i, const struct inst *in,
                   const char *starting)
{
    i->in = in;
    i->status = zec_status(in, starting);
    i->attrs = zec_attrs_read(c->arena, in->attrs);
    i->time_zone = effective_time_zone(c, i);
    i->secgroup = first_of(c->arena, in->secgroups);
    i->tags = zec_tags_read(c->arena, in->tags, &i->n_tags);
    i->nic_id = zec_derived_id(c->arena, "nic", in->id);
    i->created = time_seconds(c->arena, in->created_at);
    i->expires = in->expires_at ? time_seconds(c->arena, in->expires_at) : NULL;
}

struct zec_instance *zec_instances_read(struct call *c, const struct inst *rows, size_t n)
{
    struct zec_instance *list = ARENA_ARRAY(c->arena, struct zec_instance, n + 1);
    const char *starting = zec_starting_word(&c->op.core->settings, c->client);
    struct image_names images = {ARENA_ARRAY(c->arena, const char *, n + 1),
                                 ARENA_ARRAY(c->arena, const char *, n + 1), 0};
    size_t n_disks;
    const struct disk **disks = read_disks(c, rows, n, &n_disks);

    for (size_t i = 0; i < n; i++) {
        gather(c, &list[i], &rows[i], starting);
        list[i].group_id = i && streq(rows[i].account, rows[i - 1].account)
                               ? list[i - 1].group_id
                               : zec_group_id(c->arena, rows[i].account);
        list[i].image_name = image_name(c, &images, rows[i].image);
        take_disks(&list[i], disks, n_disks);
    }
    return list;
}

/* ---- writing ---- */

static void encode_system_disk(struct enc *e, const struct zec_instance *i)
{
    const struct disk *d = i->n_disks ? i->disks[0] : NULL;

    if (!d || d->kind != DISK_SYSTEM) {
        enc_null(e, "systemDisk");
        return;
    }
    enc_obj(e, "systemDisk");
    enc_str(e, "diskId", d->id);
    enc_int(e, "diskSize", d->size_gib);
    enc_str(e, "diskCategory", d->category);
    enc_bool(e, "burstingEnabled", i->attrs.system_bursting);
    enc_end(e);
}

static void encode_data_disks(struct enc *e, const struct zec_instance *i)
{
    enc_list(e, "dataDisks", NULL);
    for (size_t k = 0; k < i->n_disks; k++) {
        const struct disk *d = i->disks[k];

        if (d->kind == DISK_SYSTEM)
            continue;
        enc_obj(e, NULL);
        enc_str(e, "diskId", d->id);
        enc_str(e, "diskName", d->name);
        enc_int(e, "diskSize", d->size_gib);
        enc_bool(e, "portable", d->kind == DISK_DATA);
        enc_str(e, "diskCategory", d->category);
        enc_bool(e, "burstingEnabled", i->attrs.data_bursting);
        enc_end(e);
    }
    enc_end(e);
}

static void encode_tags(struct enc *e, const struct zec_tag *tags, size_t n)
{
    enc_obj(e, "tags");
    enc_list(e, "tags", NULL);
    for (size_t i = 0; i < n; i++) {
        enc_obj(e, NULL);
        enc_str(e, "key", tags[i].key);
        enc_str(e, "value", tags[i].value);
        enc_end(e);
    }
    enc_end(e);
    enc_end(e);
}

/* One text, or none when it is "". */
static void encode_one(struct enc *e, const char *name, const char *value)
{
    enc_strs(e, name, NULL, &value, *value ? 1 : 0);
}

static void encode_group(struct enc *e, const struct zec_instance *i)
{
    enc_str(e, "resourceGroupId", i->group_id);
    enc_str(e, "resourceGroupName", GROUP_NAME);
}

/* Each instance has exactly its primary interface. Terraform stops at a null resourceGroup. */
static void encode_nics(struct enc *e, const struct zec_instance *i)
{
    const struct inst *in = i->in;

    enc_list(e, "nics", NULL);
    enc_obj(e, NULL);
    enc_str(e, "nicId", i->nic_id);
    enc_str(e, "name", in->name);
    enc_str(e, "status", in->state == INST_PENDING ? "PENDING" : "USED");
    enc_str(e, "nicType", "Primary");
    enc_str(e, "regionId", in->region);
    enc_str(e, "nicSubnetType", "IPv4");
    enc_no_list(e, "publicIpList", NULL);
    encode_one(e, "privateIpList", in->ip);
    enc_str(e, "primaryIpv4", in->ip);
    enc_null(e, "primaryIpv6");
    enc_null(e, "ipv6Cidr");
    enc_no_list(e, "secondaryIpv4s", NULL);
    enc_str(e, "macAddress", in->mac);
    enc_str(e, "instanceId", in->id);
    enc_str(e, "vpcId", in->vpc);
    enc_str(e, "subnetId", in->subnet);
    enc_str(e, "createTime", i->created);
    enc_null(e, "updateTime");
    enc_obj(e, "resourceGroup");
    encode_group(e, i);
    enc_end(e);
    enc_str_or_null(e, "securityGroupId", i->secgroup);
    encode_tags(e, NULL, 0);
    enc_end(e);
    enc_end(e);
}

static void encode_options(struct enc *e, const struct zec_attrs *attrs)
{
    if (!attrs->has_options) {
        enc_null(e, "instanceOptions");
        return;
    }
    enc_obj(e, "instanceOptions");
    enc_bool(e, "nestedVirtualization", attrs->nested_virtualization);
    enc_end(e);
}

void zec_instance_encode(struct enc *e, const struct zec_instance *i)
{
    const struct inst *in = i->in;

    enc_obj(e, NULL);
    enc_str(e, "instanceId", in->id);
    enc_str(e, "instanceName", in->name);
    enc_str(e, "zoneId", in->zone);
    enc_str(e, "instanceType", in->type);
    enc_int(e, "cpu", in->cpu);
    enc_int(e, "memory", (in->memory_mib + MIB_PER_GIB - 1) / MIB_PER_GIB);
    enc_str(e, "imageId", in->image);
    enc_str(e, "imageName", i->image_name);
    enc_str(e, "timeZone", i->time_zone);
    enc_str(e, "nicNetworkType", i->attrs.nic_network_type);
    enc_str(e, "status", i->status);
    encode_system_disk(e, i);
    encode_data_disks(e, i);
    enc_no_list(e, "publicIpAddresses", NULL);
    encode_one(e, "privateIpAddresses", in->ip);
    enc_str_or_null(e, "keyId", in->keypair);
    enc_str(e, "subnetId", in->subnet);
    enc_str_or_null(e, "securityGroupId", i->secgroup);
    enc_bool(e, "enableAgent", i->attrs.agent);
    enc_bool(e, "enableAgentMonitor", false);
    enc_bool(e, "enableIpForward", i->attrs.ip_forward);
    enc_str(e, "createTime", i->created);
    enc_str_or_null(e, "expiredTime", i->expires);
    encode_group(e, i);
    encode_nics(e, i);
    encode_tags(e, i->tags, i->n_tags);
    enc_no_list(e, "loadBalancerIds", NULL);
    enc_null(e, "placementGroupId");
    encode_options(e, &i->attrs);
    enc_end(e);
}
