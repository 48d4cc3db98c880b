/* Files that are kept under names that operators chose, each NAME and an ending in one directory.
 */
#ifndef OSTLER_CONTROL_NAMED_FILES_H
#define OSTLER_CONTROL_NAMED_FILES_H

#include "control/listing.h"

enum { NAMED_FILES_MAX = 1000 };

struct named_file {
    const char *name;
    int64_t bytes, changed_at;
};

/*
 * Those of the directory that are plain files and whose name is one; no more than NAMED_FILES_MAX.
 * Sorted by `order`, which compares two. In the arena. A directory that is not there has none.
 */
struct listed named_files(struct arena *a, const char *dir, const char *ending,
                          bool (*is_name)(const char *name),
                          int (*order)(const void *a, const void *b));

#endif
