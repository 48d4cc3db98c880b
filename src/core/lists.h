/* Lists of ids inside one column, separated by ','. */
#ifndef OSTLER_CORE_LISTS_H
#define OSTLER_CORE_LISTS_H

#include "base/arena.h"

/* "" is no item. The array is the caller's to read; texts are in the arena. */
const char **list_split(struct arena *a, const char *s, size_t *ret_n);
const char *list_join(struct arena *a, const char *const *items, size_t n);

#endif
