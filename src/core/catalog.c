/* Reading the catalogue. One arena owns it all. */
#include "core/catalog.h"

#include <jansson.h>

#include "base/arena.h"

/* The built-in text, made from data/catalogue.json by the build. */
extern const char builtin_catalogue[];

/* The public part comes first, so that the caller's pointer is this one. */
struct owned {
    struct catalog pub;
    struct arena *arena;
};

/* While reading: where to put things, and whether something was missing. */
struct reader {
    struct arena *a;
    struct fail *f;
    enum err err;
};

static const char *text(struct reader *r, json_t *o, const char *name)
{
    json_t *v = json_object_get(o, name);

    if (v && !json_is_string(v) && !r->err)
        r->err = fail(r->f, ERR_INTERNAL, "catalogue: '%s' is not a text", name);
    return arena_str(r->a, json_is_string(v) ? json_string_value(v) : "");
}

static const char *needed(struct reader *r, json_t *o, const char *name)
{
    const char *s = text(r, o, name);

    if (!*s && !r->err) {
        CLEANUP(free_p) char *shown = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);

        r->err = fail(r->f, ERR_INTERNAL, "catalogue: '%s' is missing in %.200s", name,
                      shown ? shown : "?");
    }
    return s;
}

static int64_t number(struct reader *r, json_t *o, const char *name)
{
    json_t *v = json_object_get(o, name);

    if (v && !json_is_integer(v) && !r->err)
        r->err = fail(r->f, ERR_INTERNAL, "catalogue: '%s' is not a whole number", name);
    return json_integer_value(v);
}

/* An array of `size`-byte structs, each filled by `read`. */
static const void *rows(struct reader *r, json_t *list, size_t size, size_t *ret_n,
                        void (*read)(struct reader *r, json_t *o, void *row))
{
    size_t n = json_array_size(list);
    char *v = arena_alloc(r->a, n * size + 1);

    for (size_t i = 0; i < n; i++)
        read(r, json_array_get(list, i), v + i * size);
    *ret_n = n;
    return v;
}

static void read_region(struct reader *r, json_t *o, void *row)
{
    *(struct region *)row = (struct region){.id = needed(r, o, "id"),
                                            .name = needed(r, o, "name"),
                                            .local_name = text(r, o, "localName"),
                                            .endpoint = text(r, o, "endpoint"),
                                            .family = needed(r, o, "family"),
                                            .code = text(r, o, "code"),
                                            .time_zone = text(r, o, "timeZone"),
                                            .city = text(r, o, "city"),
                                            .city_code = text(r, o, "cityCode"),
                                            .country = text(r, o, "country"),
                                            .country_code = text(r, o, "countryCode")};
}

static void read_type(struct reader *r, json_t *o, void *row)
{
    json_t *local = json_object_get(o, "local");

    *(struct inst_type *)row =
        (struct inst_type){.id = needed(r, o, "id"),
                           .family_name = needed(r, o, "familyName"),
                           .family = needed(r, o, "family"),
                           .name = text(r, o, "name"),
                           .cpu = number(r, o, "cpu"),
                           .memory_mib = number(r, o, "memoryMiB"),
                           .local_disks = number(r, local, "amount"),
                           .local_gib = number(r, local, "sizeGiB"),
                           .local_category = text(r, local, "category"),
                           .processor = text(r, o, "processor"),
                           .level = text(r, o, "level"),
                           .category = text(r, o, "category"),
                           .ghz = json_number_value(json_object_get(o, "ghz")),
                           .turbo_ghz = json_number_value(json_object_get(o, "turboGhz")),
                           .bandwidth_kbit = number(r, o, "bandwidthKbit"),
                           .pps = number(r, o, "pps"),
                           .eni = number(r, o, "eni"),
                           .eni_ip = number(r, o, "eniIp"),
                           .disks = number(r, o, "disks"),
                           .queues = number(r, o, "queues"),
                           .gpu = number(r, o, "gpu"),
                           .gpu_spec = text(r, o, "gpuSpec"),
                           .credits = json_is_true(json_object_get(o, "credits"))};
    if (!((struct inst_type *)row)->cpu || !((struct inst_type *)row)->memory_mib)
        (void)needed(r, o, "cpu and memoryMiB"); /* says which entry */
}

static void read_category(struct reader *r, json_t *o, void *row)
{
    json_t *sys = json_object_get(o, "system"), *data = json_object_get(o, "data");

    *(struct disk_category *)row =
        (struct disk_category){.id = needed(r, o, "id"),
                               .family = needed(r, o, "family"),
                               .system = sys != NULL,
                               .data = data != NULL,
                               .min_system_gib = json_integer_value(json_array_get(sys, 0)),
                               .max_system_gib = json_integer_value(json_array_get(sys, 1)),
                               .min_data_gib = json_integer_value(json_array_get(data, 0)),
                               .max_data_gib = json_integer_value(json_array_get(data, 1)),
                               .is_default = json_is_true(json_object_get(o, "default")),
                               .levels = json_is_true(json_object_get(o, "levels"))};
}

static void read_image(struct reader *r, json_t *o, void *row)
{
    *(struct image *)row = (struct image){.id = needed(r, o, "id"),
                                          .account = "",
                                          .name = needed(r, o, "name"),
                                          .description = text(r, o, "description"),
                                          .family = text(r, o, "imageFamily"),
                                          .os_type = needed(r, o, "osType"),
                                          .os_name = text(r, o, "osName"),
                                          .platform = text(r, o, "platform"),
                                          .arch = text(r, o, "architecture"),
                                          .version = text(r, o, "version"),
                                          .size_gib = number(r, o, "sizeGiB"),
                                          .cloud_init = true,
                                          .path = "",
                                          .digest = ""};
}

static void read_time_zone(struct reader *r, json_t *v, void *row)
{
    *(const char **)row = arena_str(r->a, json_is_string(v) ? json_string_value(v) : "UTC");
}

static void read_zones(struct reader *r, json_t *regions, struct catalog *c)
{
    size_t i, j, n = 0;
    json_t *region, *z;

    json_array_foreach (regions, i, region)
        n += json_array_size(json_object_get(region, "zones"));
    struct zone *zones = ARENA_ARRAY(r->a, struct zone, n + 1);
    json_array_foreach (regions, i, region)
        json_array_foreach (json_object_get(region, "zones"), j, z)
            zones[c->n_zones++] = (struct zone){.id = needed(r, z, "id"),
                                                .name = needed(r, z, "name"),
                                                .local_name = text(r, z, "localName"),
                                                .region = &c->regions[i]};
    c->zones = zones;
}

enum err catalog_new(const char *json_text, struct catalog **ret, struct fail *f)
{
    json_error_t why;
    json_t *root =
        json_loads(json_text ? json_text : builtin_catalogue, JSON_REJECT_DUPLICATES, &why);

    if (!root)
        return fail(f, ERR_INTERNAL, "catalogue: line %d: %s", why.line, why.text);
    struct arena *a = arena_new();
    struct owned *o = ARENA_NEW(a, struct owned);
    struct catalog *c = &o->pub;
    struct reader r = {.a = a, .f = f};
    json_t *regions = json_object_get(root, "regions");
    o->arena = a;
    c->regions = rows(&r, regions, sizeof(struct region), &c->n_regions, read_region);
    read_zones(&r, regions, c);
    c->types =
        rows(&r, json_object_get(root, "types"), sizeof(struct inst_type), &c->n_types, read_type);
    c->categories = rows(&r, json_object_get(root, "diskCategories"), sizeof(struct disk_category),
                         &c->n_categories, read_category);
    c->images =
        rows(&r, json_object_get(root, "images"), sizeof(struct image), &c->n_images, read_image);
    c->time_zones = rows(&r, json_object_get(root, "timeZones"), sizeof(const char *),
                         &c->n_time_zones, read_time_zone);
    json_decref(root);
    if (!r.err && (!c->n_zones || !c->n_types))
        r.err = fail(f, ERR_INTERNAL, "catalogue: it has no zone or no type");
    if (r.err) {
        catalog_free(c);
        return r.err;
    }
    *ret = c;
    return ERR_NONE;
}

void catalog_free(struct catalog *c)
{
    if (c)
        arena_free(CONTAINER_OF(c, struct owned, pub)->arena);
}

/* Each lookup walks its few rows; every row begins with its id. */
static const void *find(const void *v, size_t n, size_t size, const char *id)
{
    for (size_t i = 0; id && i < n; i++) {
        const char *row = (const char *)v + i * size;

        if (streq(*(const char *const *)(const void *)row, id))
            return row;
    }
    return NULL;
}

const struct region *catalog_region(const struct catalog *c, const char *id)
{
    return find(c->regions, c->n_regions, sizeof(*c->regions), id);
}

const struct zone *catalog_zone(const struct catalog *c, const char *id)
{
    return find(c->zones, c->n_zones, sizeof(*c->zones), id);
}

const struct inst_type *catalog_type(const struct catalog *c, const char *id)
{
    return find(c->types, c->n_types, sizeof(*c->types), id);
}

const struct disk_category *catalog_category(const struct catalog *c, const char *id)
{
    return find(c->categories, c->n_categories, sizeof(*c->categories), id);
}
