/* A hash map from text to pointer. Keys are copied, values are the caller's. */
#ifndef OSTLER_BASE_MAP_H
#define OSTLER_BASE_MAP_H

#include <stddef.h>

struct map;

struct map *map_new(void);
void map_free(struct map *m); /* NULL is fine; the values are left alone */

void *map_get(const struct map *m, const char *key);       /* NULL: not there */
void map_put(struct map *m, const char *key, void *value); /* replaces */
void *map_remove(struct map *m, const char *key);          /* the value that was there, or NULL */
size_t map_count(const struct map *m);

/* Calls `each` for every entry; it may not change the map. */
void map_each(const struct map *m, void (*each)(void *ctx, const char *key, void *value),
              void *ctx);

#endif
