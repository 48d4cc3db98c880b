/* Reading a directory whose files are named by operators. */
#include "control/named_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

static void close_dir(DIR **d)
{
    if (*d)
        (void)closedir(*d); /* only read */
}

/* The name of NAME.ending, or NULL: it has another ending, or none before it. */
static const char *name_of(struct arena *a, const char *file, const char *ending)
{
    size_t n = strlen(file), end = strlen(ending);

    return n > end && str_ends(file, ending) ? arena_strn(a, file, n - end) : NULL;
}

struct listed named_files(struct arena *a, const char *dir, const char *ending,
                          bool (*is_name)(const char *name),
                          int (*order)(const void *a, const void *b))
{
    CLEANUP(close_dir) DIR *d = opendir(dir);
    struct named_file *v = ARENA_ARRAY(a, struct named_file, NAMED_FILES_MAX);
    size_t n = 0;

    for (struct dirent *f; d && n < NAMED_FILES_MAX && (f = readdir(d));) {
        const char *name = name_of(a, f->d_name, ending);
        struct stat st;

        if (name && is_name(name) && fstatat(dirfd(d), f->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            v[n++] = (struct named_file){
                name, st.st_size, (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000};
    }
    qsort(v, n, sizeof(*v), order);
    return (struct listed){v, n};
}
