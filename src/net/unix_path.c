/* Unix socket addresses for long paths. */
#include "net/unix_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/util.h"

const char *unix_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int open_directory(const char *path)
{
    const char *name = unix_path_name(path);
    CLEANUP(free_p)
    char *dir = name == path       ? xstrdup(".")
                : name == path + 1 ? xstrdup("/")
                                   : strndup(path, (size_t)(name - path - 1));

    if (!dir)
        return -ENOMEM;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int unix_path(const char *path, struct sockaddr_un *ret_address, int *ret_dirfd)
{
    const char *name = unix_path_name(path);
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    if (!*name)
        return -EINVAL;
    int dirfd = open_directory(path);
    if (dirfd < 0)
        return dirfd;
    int n = strlen(path) < sizeof(a.sun_path)
                ? snprintf(a.sun_path, sizeof(a.sun_path), "%s", path)
                : snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
    if (n < 0 || (size_t)n >= sizeof(a.sun_path)) {
        (void)close(dirfd);
        return -ENAMETOOLONG;
    }
    *ret_address = a;
    *ret_dirfd = dirfd;
    return 0;
}
