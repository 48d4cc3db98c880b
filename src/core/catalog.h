/*
 * What can be had: regions, zones, instance types, disk categories. Read once from a JSON file (the
 * built-in one, or --catalogue FILE); never changes while the server runs. Each region belongs to
 * the family of clouds that offers it; a dialect lists its own family and can name every region.
 */
#ifndef OSTLER_CORE_CATALOG_H
#define OSTLER_CORE_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/model.h"

struct region {
    const char *id, *name, *local_name, *endpoint, *family;
    const char *code; /* goes into ids made there; "" none */
    const char *time_zone, *city, *city_code, *country, *country_code;
};

struct zone {
    const char *id, *name, *local_name;
    const struct region *region;
};

struct inst_type {
    const char *id, *family_name, *family; /* "g7.large", "g7", the cloud family */
    int64_t cpu, memory_mib;
    int64_t local_disks, local_gib; /* number, and size of each */
    const char *local_category;     /* "" none */
    const char *processor, *level, *category, *name;
    double ghz, turbo_ghz;
    int64_t bandwidth_kbit, pps, eni, eni_ip, disks, queues, gpu;
    const char *gpu_spec;
    bool credits;
};

struct disk_category {
    const char *id, *family;
    bool system, data;
    int64_t min_system_gib, max_system_gib, min_data_gib, max_data_gib;
    bool is_default;
    bool levels; /* knows performance levels PL0..PL3 */
};

struct catalog {
    const struct region *regions;
    size_t n_regions;
    const struct zone *zones;
    size_t n_zones;
    const struct inst_type *types;
    size_t n_types;
    const struct disk_category *categories;
    size_t n_categories;
    const struct image *images; /* public ones by name, without content: for the sim engine */
    size_t n_images;
    const char *const *time_zones;
    size_t n_time_zones;
};

/* Text NULL: the built-in one. The detail of a failure names the place in the text. */
enum err catalog_new(const char *json_text, struct catalog **ret, struct fail *f);
void catalog_free(struct catalog *c);

/* NULL when there is none. */
const struct region *catalog_region(const struct catalog *c, const char *id);
const struct zone *catalog_zone(const struct catalog *c, const char *id);
const struct inst_type *catalog_type(const struct catalog *c, const char *id);
const struct disk_category *catalog_category(const struct catalog *c, const char *id);

#endif
