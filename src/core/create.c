/* Making instances: everything is checked before the first id is given. */
#include "core/inst.h"

#include <crypt.h>
#include <stdio.h>

#include "base/crypto.h"
#include "core/billing.h"
#include "core/capacity.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/jobs.h"
#include "core/kms.h"
#include "core/lists.h"
#include "core/naming.h"
#include "core/network.h"

enum { MAX_COUNT = 100, MAX_DATA_DISKS = 16 };

/* What the request's names lead to. */
struct plan {
    const struct new_inst *n;
    const struct zone *zone;
    const struct inst_type *type;
    struct image image;
    struct subnet subnet;
    const char *secgroups, *keypair, *login_hash;
    const struct disk_category *system, *data[MAX_DATA_DISKS];
    /* of the system disk and each data disk, where encrypted */
    int64_t count; /* how many there is room for */
    int64_t created_at;
    struct kms_key keys[1 + MAX_DATA_DISKS];
};

static bool offered(const struct new_inst *n, const char *family)
{
    return !n->family || streq(n->family, family);
}

static enum err find_subnet(struct op *op, struct plan *p)
{
    const struct new_inst *n = p->n;
    const struct zone *wanted = n->zone ? catalog_zone(op->core->catalog, n->zone) : NULL;
    enum err e;

    if (n->zone && (!wanted || !offered(n, wanted->region->family) ||
                    (n->region && !streq(n->region, wanted->region->id))))
        return fail(op->fail, ERR_ZONE_NOT_FOUND, "there is no zone '%s'", n->zone);
    if (n->subnet) {
        if ((e = subnet_get(op, n->subnet, &p->subnet)))
            return e;
        if (wanted && !streq(p->subnet.zone, wanted->id))
            return fail(op->fail, ERR_SUBNET_ZONE, "the subnet '%s' is in the zone '%s'", n->subnet,
                        p->subnet.zone);
        p->zone = catalog_zone(op->core->catalog, p->subnet.zone);
        if (!p->zone || (n->region && !streq(n->region, p->zone->region->id)))
            return fail(op->fail, ERR_SUBNET_NOT_FOUND, "the subnet '%s' is in another region",
                        n->subnet);
        return ERR_NONE;
    }
    for (size_t i = 0; !wanted && i < op->core->catalog->n_zones; i++)
        if (streq(op->core->catalog->zones[i].region->id, n->region))
            wanted = &op->core->catalog->zones[i];
    if (!wanted)
        return fail(op->fail, ERR_REGION_NOT_FOUND, "there is no region '%s'", n->region);
    p->zone = wanted;
    return network_default(op, wanted, &p->subnet);
}

static enum err find_secgroups(struct op *op, struct plan *p)
{
    struct secgroup sg;

    for (size_t i = 0; i < p->n->n_secgroups; i++) {
        if (!store_get(op->tx, &rec_secgroup, p->n->secgroups[i], &sg) ||
            !streq(sg.account, op->account))
            return fail(op->fail, ERR_SECGROUP_NOT_FOUND, "there is no security group '%s'",
                        p->n->secgroups[i]);
        if (!streq(sg.vpc, p->subnet.vpc))
            return fail(op->fail, ERR_SECGROUP_VPC, "the security group '%s' is in another network",
                        sg.id);
    }
    if (p->n->n_secgroups)
        p->secgroups = list_join(op->arena, p->n->secgroups, p->n->n_secgroups);
    else
        p->secgroups = secgroup_default(op, p->subnet.vpc, &sg) ? sg.id : "";
    return ERR_NONE;
}

static enum err find_keypair(struct op *op, struct plan *p)
{
    struct query by_name = {0};
    struct keypair k;

    p->keypair = "";
    if (str_empty(p->n->keypair))
        return ERR_NONE;
    query_text(&by_name, "account", CMP_EQ, op->account);
    query_text(&by_name, "name", CMP_EQ, p->n->keypair);
    bool found =
        (store_get(op->tx, &rec_keypair, p->n->keypair, &k) && streq(k.account, op->account)) ||
        store_first(op->tx, &rec_keypair, &by_name, &k);
    if (!found)
        return fail(op->fail, ERR_KEYPAIR_NOT_FOUND, "there is no key pair '%s'", p->n->keypair);
    p->keypair = k.id;
    return ERR_NONE;
}

static enum err find_image(struct op *op, struct plan *p)
{
    if (!store_get(op->tx, &rec_image, p->n->image, &p->image) ||
        (*p->image.account && !streq(p->image.account, op->account)))
        return fail(op->fail, ERR_IMAGE_NOT_FOUND, "there is no image '%s'", p->n->image);
    return ERR_NONE;
}

/* The category named, or the family's default one. */
static const struct disk_category *category(struct op *op, const struct plan *p, const char *id)
{
    const struct catalog *c = op->core->catalog;

    for (size_t i = 0; i < c->n_categories; i++) {
        const struct disk_category *cat = &c->categories[i];
        bool chosen = str_empty(id) ? cat->is_default : streq(cat->id, id);

        if (chosen && streq(cat->family, p->zone->region->family))
            return cat;
    }
    return NULL;
}

static enum err check_key(struct op *op, const struct new_disk *d, struct kms_key *ret)
{
    return d->encrypted ? kms_usable(op, d->kms_key, ret) : ERR_NONE;
}

static enum err check_system_disk(struct op *op, struct plan *p)
{
    const struct new_disk *d = &p->n->system;

    p->system = category(op, p, d->category);
    if (!p->system || !p->system->system)
        return fail(op->fail, ERR_SYSTEM_DISK_CATEGORY, "there is no system disk category '%s'",
                    d->category ? d->category : "");
    if (d->size_gib && d->size_gib < p->image.size_gib)
        return fail(op->fail, ERR_SYSTEM_DISK_SMALL, "the image needs %lld GiB",
                    (long long)p->image.size_gib);
    if (d->size_gib &&
        (d->size_gib < p->system->min_system_gib || d->size_gib > p->system->max_system_gib))
        return fail(op->fail, ERR_SYSTEM_DISK_SIZE,
                    "A system disk of category %s has %lld to %lld GiB.", p->system->id,
                    (long long)p->system->min_system_gib, (long long)p->system->max_system_gib);
    return check_key(op, d, &p->keys[0]);
}

static enum err check_data_disks(struct op *op, struct plan *p)
{
    int64_t most = p->type->disks ? p->type->disks - 1 : MAX_DATA_DISKS;

    if (p->n->n_data > MAX_DATA_DISKS || (int64_t)p->n->n_data > most)
        return fail(op->fail, ERR_DISK_COUNT, "the instance type takes %lld data disks",
                    (long long)most);
    for (size_t i = 0; i < p->n->n_data; i++) {
        const struct new_disk *d = &p->n->data[i];
        const struct disk_category *c = p->data[i] = category(op, p, d->category);
        enum err e;

        if (!c || !c->data)
            return fail(op->fail, ERR_DATA_DISK_CATEGORY, "there is no data disk category '%s'",
                        d->category ? d->category : "");
        if (d->size_gib && (d->size_gib < c->min_data_gib || d->size_gib > c->max_data_gib))
            return fail(op->fail, ERR_DATA_DISK_SIZE,
                        "A data disk of category %s has %lld to %lld GiB.", c->id,
                        (long long)c->min_data_gib, (long long)c->max_data_gib);
        if ((e = check_key(op, d, &p->keys[1 + i])))
            return e;
    }
    return ERR_NONE;
}

/* A guest sees the hash, never the password; nor does the store. */
static enum err hash_password(struct op *op, struct plan *p)
{
    struct crypt_data data = {0};
    char noise[16], setting[CRYPT_GENSALT_OUTPUT_SIZE];

    p->login_hash = "";
    if (str_empty(p->n->password))
        return ERR_NONE;
    op->core->world->random(op->core->world, noise, sizeof(noise));
    const char *hash = crypt_gensalt_rn("$6$", 0, noise, sizeof(noise), setting, sizeof(setting))
                           ? crypt_r(p->n->password, setting, &data)
                           : NULL;
    if (!hash || *hash == '*')
        return fail(op->fail, ERR_INTERNAL, "the password cannot be hashed");
    p->login_hash = arena_str(op->arena, hash);
    wipe(&data, sizeof(data));
    return ERR_NONE;
}

/* As many as fit, down to the fewest that will do. */
static enum err find_room(struct op *op, struct plan *p)
{
    int64_t least = p->n->min_count ? p->n->min_count : p->n->count;
    enum err e;

    while ((e = room_for(op, &(struct claim){.account = op->account,
                                             .zone = p->zone->id,
                                             .type = p->type->id,
                                             .mib = p->type->memory_mib,
                                             .n = p->count})) &&
           p->count > least)
        p->count--;
    return e;
}

static enum err make_plan(struct op *op, struct plan *p)
{
    const struct new_inst *n = p->n;
    enum err e;

    if (n->count < 1 || n->count > MAX_COUNT)
        return fail(op->fail, ERR_AMOUNT, "1 to %d instances can be made at once", MAX_COUNT);
    if ((e = find_subnet(op, p)))
        return e;
    p->type = catalog_type(op->core->catalog, n->type);
    if (!p->type)
        return fail(op->fail, ERR_TYPE_NOT_FOUND, "there is no instance type '%s'", n->type);
    if (!streq(p->type->family, p->zone->region->family))
        return fail(op->fail, ERR_TYPE_NOT_SOLD, "'%s' is not offered in the zone '%s'", n->type,
                    p->zone->id);
    if ((e = find_image(op, p)) || (e = find_secgroups(op, p)) || (e = find_keypair(op, p)) ||
        (e = check_system_disk(op, p)) || (e = check_data_disks(op, p)))
        return e;
    if ((e = may_create(op, &(struct claim){.account = op->account,
                                            .zone = p->zone->id,
                                            .type = p->type->id,
                                            .cpu = p->type->cpu,
                                            .n = n->count})))
        return e;
    if (n->start && (e = find_room(op, p)))
        return e;
    return hash_password(op, p);
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum err add_disk(struct op *op, const struct inst *in, struct disk *d,
                         const struct kms_key *key)
{
    enum err e;

    d->account = op->account;
    d->inst = in->id;
    d->region = in->region;
    d->zone = in->zone;
    d->status = DISK_CREATING;
    d->created_at = op->now;
    if (!d->name)
        d->name = "";
    if (!d->description)
        d->description = "";
    if (!d->level)
        d->level = "";
    if (!d->image)
        d->image = "";
    d->kms_key = key ? key->id : "";
    d->encrypted = key != NULL;
    if (key && (e = kms_new_data_key(op, key, d->id, &d->data_key)))
        return e;
    store_insert(op->tx, &rec_disk, d);
    return ERR_NONE;
}

static const char *disk_id(struct op *op, const struct plan *p)
{
    return id_new(op, p->n->decimal_ids, "d-", p->zone->region->code);
}

static enum err add_disks(struct op *op, const struct plan *p, const struct inst *in,
                          const char **ids)
{
    const struct new_inst *n = p->n;
    int64_t slot = 0;
    enum err e;
    struct disk sys = {.id = ids[0] = disk_id(op, p),
                       .kind = DISK_SYSTEM,
                       .slot = slot++,
                       .name = n->system.name,
                       .description = n->system.description,
                       .category = p->system->id,
                       .level = n->system.level     ? n->system.level
                                : p->system->levels ? "PL1"
                                                    : "",
                       .image = n->image,
                       .delete_with_inst = true,
                       .size_gib = n->system.size_gib
                                       ? n->system.size_gib
                                       : larger(p->image.size_gib, p->system->min_system_gib)};

    if ((e = add_disk(op, in, &sys, n->system.encrypted ? &p->keys[0] : NULL)))
        return e;
    for (size_t i = 0; i < n->n_data; i++) {
        const struct new_disk *want = &n->data[i];
        const struct disk_category *c = p->data[i];
        struct disk d = {.id = ids[1 + i] = disk_id(op, p),
                         .kind = DISK_DATA,
                         .slot = slot++,
                         .name = want->name,
                         .description = want->description,
                         .category = c->id,
                         .level = want->level ? want->level
                                  : c->levels ? "PL1"
                                              : "",
                         .delete_with_inst = !want->keep,
                         .size_gib = want->size_gib ? want->size_gib : c->min_data_gib};

        if ((e = add_disk(op, in, &d, want->encrypted ? &p->keys[1 + i] : NULL)))
            return e;
    }
    for (int64_t i = 0; i < p->type->local_disks; i++) {
        struct disk d = {.id = disk_id(op, p),
                         .kind = DISK_LOCAL,
                         .slot = slot++,
                         .category = p->type->local_category,
                         .delete_with_inst = true,
                         .size_gib = p->type->local_gib};

        if ((e = add_disk(op, in, &d, NULL)))
            return e;
    }
    return ERR_NONE;
}

/* The hardware address that both clouds' ranges begin with, then the counter that made the id. */
static const char *new_mac(struct op *op)
{
    uint32_t n = (uint32_t)store_next(op->tx, "mac");

    return arena_fmt(op->arena, "00:16:3e:%02x:%02x:%02x", n >> 16 & 255, n >> 8 & 255, n & 255);
}

/* A host name of letters, digits and '-': the name's, as far as it is one, else from the id. */
static const char *default_hostname(struct op *op, const char *name, const char *id)
{
    bool good = *name && name[0] != '-' && strlen(name) <= 63 && name[strlen(name) - 1] != '-';

    for (const char *s = name; *s && good; s++)
        good = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
               *s == '-';
    if (good)
        return name;
    return str_starts(id, "i-") ? arena_fmt(op->arena, "iZ%sZ", id + 2)
                                : arena_fmt(op->arena, "vm-%s", id);
}

static enum err add_one(struct op *op, const struct plan *p, size_t index, struct created *out)
{
    const struct new_inst *n = p->n;
    size_t count = (size_t)n->count;
    char *serial = arena_alloc(op->arena, 37);
    const char *id = id_new(op, n->decimal_ids, "i-", p->zone->region->code), *ip;
    enum err e = network_take(op, &p->subnet, id, n->ip, n->ip_is_wish, &ip);

    if (e)
        return e;
    const char *name = n->name ? name_of(op->arena, n->name, index, count, n->unique_suffix) : id;
    world_uuid(op->core->world, serial);
    struct inst in = {
        .id = id,
        .account = op->account,
        .name = name,
        .description = n->description ? n->description : "",
        .hostname = n->hostname ? name_of(op->arena, n->hostname, index, count, n->unique_suffix)
                                : default_hostname(op, name, id),
        .region = p->zone->region->id,
        .zone = p->zone->id,
        .type = p->type->id,
        .image = p->image.id,
        .cpu = p->type->cpu,
        .memory_mib = p->type->memory_mib,
        .charge = n->charge,
        .deletion_protection = n->deletion_protection,
        .created_at = p->created_at,
        .expires_at = n->charge == CHARGE_PREPAID ? n->expires_at : 0,
        .vpc = p->subnet.vpc,
        .subnet = p->subnet.id,
        .secgroups = p->secgroups,
        .ip = ip,
        .mac = new_mac(op),
        .keypair = p->keypair,
        .login_hash = p->login_hash,
        .user_data = n->user_data ? n->user_data : "",
        .user_data_binary = n->user_data_binary,
        .serial = serial,
        .tags = n->tags ? n->tags : "{}",
        .attrs = n->attrs ? n->attrs : "{}",
        .host = op->core->settings.host ? op->core->settings.host : "",
        .last_op = "",
        .last_error = "",
    };
    struct job job = {.then_start = n->start};
    store_insert(op->tx, &rec_inst, &in);
    job_begin(op, &in, VERB_CREATE, INST_PENDING, &job);
    billing_begin(op, &in, n);
    out->ids[index] = id;
    out->n_disk_ids[index] = 1 + n->n_data;
    out->disk_ids[index] = ARENA_ARRAY(op->arena, const char *, 1 + n->n_data);
    return add_disks(op, p, &in, out->disk_ids[index]);
}

/* Now; or, when the clock was set back, when the newest instance was made: lists begin with the
 * newest. Where accounts have clocks of their own nothing can be said. */
static int64_t creation_time(struct op *op)
{
    struct inst newest;

    if (clocks_differ(op->core))
        return op->now;
    return store_first(op->tx, &rec_inst, &(struct query){.order = "-num"}, &newest)
               ? larger(op->now, newest.created_at)
               : op->now;
}

enum err inst_create(struct op *op, const struct new_inst *n, struct created *ret)
{
    struct plan *p = ARENA_NEW(op->arena, struct plan);
    enum err e;

    p->n = n;
    p->count = n->count;
    p->created_at = creation_time(op);
    if ((e = make_plan(op, p)))
        return e;
    size_t count = (size_t)p->count;
    *ret = (struct created){.ids = ARENA_ARRAY(op->arena, const char *, count),
                            .disk_ids = ARENA_ARRAY(op->arena, const char **, count),
                            .n_disk_ids = ARENA_ARRAY(op->arena, size_t, count)};
    for (; ret->n < count; ret->n++)
        if ((e = add_one(op, p, ret->n, ret)))
            break;
    bool enough = n->min_count && ret->n >= (size_t)n->min_count && e == ERR_IP_EXHAUSTED;
    if (e && !enough)
        return e;
    if (n->check_only) /* all of it was done, so that every check was made; the refusal undoes it */
        return fail(op->fail, ERR_DRY_RUN, "Every check passed; nothing was changed.");
    return ERR_NONE;
}
