/* The disks of a new instance: their parameters, and the sizes that performance levels ask for. */
#include "dialect/alibaba/create.h"
#include "dialect/alibaba/errors.h"

enum { SYSTEM_DEFAULT_GIB = 40 };

#define DISK_FIELDS                                                                                \
    F_STR(struct disk_in, category, "Category"),                                                   \
        F_INT(struct disk_in, size, "Size", .min = 1, .max = 65536, .text = "GiB."),               \
        F_STR(struct disk_in, name, "DiskName"),                                                   \
        F_STR(struct disk_in, description, "Description"),                                         \
        F_STR(struct disk_in, level, "PerformanceLevel",                                           \
              .values = VALUES("PL0", "PL1", "PL2", "PL3")),                                       \
        F_STR(struct disk_in, policy, "AutoSnapshotPolicyId"),                                     \
        F_BOOL(struct disk_in, bursting, "BurstingEnabled"),                                       \
        F_BOOL(struct disk_in, encrypted, "Encrypted"),                                            \
        F_STR(struct disk_in, algorithm, "EncryptAlgorithm", .values = VALUES("aes-256")),         \
        F_STR(struct disk_in, kms_key, "KMSKeyId"),                                                \
        F_INT(struct disk_in, iops, "ProvisionedIops", .min = 0, .max = 1000000),                  \
        F_STR(struct disk_in, cluster, "StorageClusterId")

const struct field create_system_fields[] = {DISK_FIELDS, {.name = NULL}};

const struct field create_data_fields[] = {
    DISK_FIELDS,
    F_STR(struct disk_in, snapshot, "SnapshotId"),
    F_STR(struct disk_in, device, "Device"),
    F_BOOL(struct disk_in, delete_with_inst, "DeleteWithInstance", .def = 1),
    {.name = NULL},
};

static int64_t level_min_gib(const char *level)
{
    static const struct {
        const char *level;
        int64_t gib;
    } least[] = {{"PL0", 1}, {"PL1", 20}, {"PL2", 461}, {"PL3", 1261}};

    for (size_t i = 0; level && i < ARRAY_LEN(least); i++)
        if (streq(level, least[i].level))
            return least[i].gib;
    return 0;
}

/* "/dev/xvdb".."/dev/xvdz", "/dev/xvdaa"..; the names of older and newer drivers too. */
static bool device_ok(const char *s)
{
    static const char *const stems[] = {"/dev/xvd", "/dev/vd", "/dev/sd"};

    for (size_t i = 0; i < ARRAY_LEN(stems); i++) {
        if (!str_starts(s, stems[i]))
            continue;
        const char *tail = s + strlen(stems[i]);
        size_t letters = strspn(tail, "abcdefghijklmnopqrstuvwxyz");
        return !tail[letters] && (letters == 2 || (letters == 1 && *tail > 'a'));
    }
    return false;
}

/* The one named, or the cloud's default one. */
static const struct disk_category *category_of(struct call *c, const struct disk_in *d)
{
    const struct catalog *all = c->op.core->catalog;

    if (d->category)
        return catalog_category(all, d->category);
    for (size_t i = 0; i < all->n_categories; i++)
        if (all->categories[i].is_default && streq(all->categories[i].family, c->dialect->family))
            return &all->categories[i];
    return NULL;
}

/* A category that knows levels has PL1 when none is named. */
static int64_t least_gib(struct call *c, const struct disk_in *d)
{
    const struct disk_category *cat = category_of(c, d);

    return level_min_gib(d->level ? d->level : cat && cat->levels ? "PL1" : NULL);
}

static enum err check_texts(struct call *c, const struct disk_in *d, const char *where)
{
    const struct disk_category *cat = category_of(c, d);
    const char *bad = d->name && !name_ok(d->name)                        ? "DiskName"
                      : d->description && !description_ok(d->description) ? "Description"
                      : d->level && cat && !cat->levels                   ? "PerformanceLevel"
                      : d->device && !device_ok(d->device)                ? "Device"
                      : d->snapshot                                       ? "SnapshotId"
                      : d->policy                                         ? "AutoSnapshotPolicyId"
                                                                          : NULL;

    if (bad)
        return fail_param(&c->fail, ERR_PARAM_VALUE, arena_fmt(c->arena, "%s.%s", where, bad),
                          "%s.%s is not accepted", where, bad);
    if (d->cluster)
        return errors_unsupported(c, arena_fmt(c->arena, "%s.StorageClusterId", where));
    if (d->kms_key && !d->encrypted)
        return fail_param(&c->fail, ERR_PARAM_CONFLICT, arena_fmt(c->arena, "%s.KMSKeyId", where),
                          "%s.KMSKeyId needs %s.Encrypted.", where, where);
    return ERR_NONE;
}

static struct new_disk disk_of(const struct disk_in *d)
{
    return (struct new_disk){.category = d->category,
                             .level = d->level,
                             .size_gib = d->size,
                             .name = d->name,
                             .description = d->description,
                             .encrypted = d->encrypted,
                             .kms_key = d->kms_key};
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum err system_disk(struct call *c, const struct disk_in *d, int64_t image_gib,
                            struct new_disk *ret)
{
    const struct disk_category *cat = category_of(c, d);
    int64_t least = least_gib(c, d);
    enum err e = check_texts(c, d, "SystemDisk");

    if (e)
        return e;
    *ret = disk_of(d);
    if (!ret->size_gib)
        ret->size_gib = larger(larger(SYSTEM_DEFAULT_GIB, image_gib), least);
    if (ret->size_gib < least)
        return fail_param(&c->fail, ERR_SYSTEM_DISK_SIZE, "SystemDisk.Size",
                          "A system disk of this level has %lld GiB at least.", (long long)least);
    if (cat && cat->system && d->size > cat->max_system_gib)
        return fail_param(&c->fail, ERR_PARAM_TOO_BIG, "SystemDisk.Size",
                          "A system disk of category %s has %lld GiB at most.", cat->id,
                          (long long)cat->max_system_gib);
    return ERR_NONE;
}

static enum err data_disk(struct call *c, const struct disk_in *d, size_t number,
                          struct new_disk *ret)
{
    const char *where = arena_fmt(c->arena, "DataDisk.%zu", number);
    enum err e = check_texts(c, d, where);

    if (e)
        return e;
    if (!d->size)
        return fail_param(&c->fail, ERR_NEEDED, arena_fmt(c->arena, "%s.Size", where),
                          "a data disk needs a size");
    if (d->size < least_gib(c, d))
        return fail_param(&c->fail, ERR_DATA_DISK_SIZE, arena_fmt(c->arena, "%s.Size", where),
                          "its level needs more");
    *ret = disk_of(d);
    ret->keep = !d->delete_with_inst;
    return ERR_NONE;
}

enum err create_disks(struct call *c, const struct create_in *in, int64_t image_gib,
                      struct new_inst *n)
{
    const struct disk_in *v = in->data.v;
    struct new_disk *data = ARENA_ARRAY(c->arena, struct new_disk, in->data.n + 1);
    enum err e = system_disk(c, &in->system, image_gib, &n->system);

    for (size_t i = 0; i < in->data.n && !e; i++)
        e = data_disk(c, &v[i], i + 1, &data[i]);
    n->data = data;
    n->n_data = in->data.n;
    return e;
}
