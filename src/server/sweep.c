/* Files of disks that nobody has any more. */
#include "server/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/util.h"
#include "core/store.h"

enum { MOST = 100000 }; /* directory entries looked at */

static bool has_row(struct store *s, const char *disk)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct tx *tx = store_read(s, a);
    struct disk d;
    bool has = store_get(tx, &rec_disk, disk, &d) || tx_failed(tx);

    store_read_end(tx);
    return has;
}

void sweep_disks(struct store *s, const char *dir)
{
    static const char tail[] = ".qcow2";
    CLEANUP(free_p) char *path = xasprintf("%s/disks", dir);
    DIR *d = opendir(path);
    struct dirent *e;

    for (int i = 0; d && i < MOST && (e = readdir(d)); i++) {
        size_t n = strlen(e->d_name);

        if (n < sizeof(tail) || !str_ends(e->d_name, tail))
            continue;
        CLEANUP(free_p) char *id = xasprintf("%.*s", (int)(n - strlen(tail)), e->d_name);
        if (!has_row(s, id))
            (void)unlinkat(dirfd(d), e->d_name, 0); /* tried again at the next load */
    }
    if (d)
        (void)closedir(d); /* only read */
}
