/* Instance directories: files, sockets, the lock. */
#include "engine/qemu/vmdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "engine/qemu/args.h"

enum { MAX_DEPTH = 8, BACKLOG = 8, DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

/* ---- the directory ---- */

static int open_instances(const char *dir, bool make)
{
    CLEANUP(free_p) char *path = xasprintf("%s/instances", dir);

    if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* An id becomes a file name: nothing that leads elsewhere. */
static bool is_name(const char *id)
{
    return *id && *id != '.' && !strchr(id, '/') && strlen(id) <= NAME_MAX;
}

int vmdir_open(const char *dir, const char *id, bool make)
{
    if (!is_name(id))
        return -EINVAL;
    CLEANUP(close_p) int all = open_instances(dir, make);
    if (all < 0)
        return all;
    if (make && mkdirat(all, id, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = openat(all, id, DIR_FLAGS);
    return fd < 0 ? -errno : fd;
}

static int remove_tree(int at, const char *name, int depth);

static int remove_entries(DIR *d, int depth)
{
    int r = 0;

    for (struct dirent *e; (e = readdir(d));)
        if (!streq(e->d_name, ".") && !streq(e->d_name, "..")) {
            int one = remove_tree(dirfd(d), e->d_name, depth);
            r = r ? r : one;
        }
    return r;
}

static int remove_tree(int at, const char *name, int depth)
{
    if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return -errno;
    if (depth == MAX_DEPTH)
        return -ELOOP;
    int fd = openat(at, name, DIR_FLAGS);
    if (fd < 0)
        return -errno;
    DIR *d = fdopendir(fd);
    if (!d) {
        int r = -errno;
        (void)close(fd); /* nothing was written through it */
        return r;
    }
    int r = remove_entries(d, depth + 1);
    (void)closedir(d); /* nothing was written through it */
    if (!r && unlinkat(at, name, AT_REMOVEDIR) < 0)
        r = -errno;
    return r;
}

int vmdir_remove_at(int at, const char *name)
{
    return remove_tree(at, name, 0);
}

int vmdir_remove(const char *dir, const char *id)
{
    if (!is_name(id))
        return -EINVAL;
    CLEANUP(close_p) int all = open_instances(dir, false);
    if (all < 0)
        return all == -ENOENT ? 0 : all;
    return remove_tree(all, id, 0);
}

int vmdir_keep(const char *dir, const char *id, const char *file)
{
    CLEANUP(free_p) char *path = xasprintf("%s/disks", dir);
    CLEANUP(close_p) int from = vmdir_open(dir, id, false);

    if (from < 0)
        return from == -ENOENT ? 0 : from;
    if (!is_name(file))
        return -EINVAL;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    CLEANUP(close_p) int to = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return -errno;
    if (renameat(from, file, to, file) < 0)
        return errno == ENOENT ? 0 : -errno;
    return fsync(to) < 0 || fsync(from) < 0 ? -errno : 0;
}

/* ---- the lock ---- */

int vmdir_lock(int dirfd)
{
    /* A description of its own: `dirfd` is for paths, and closing it must not matter to the lock.
     */
    int fd = openat(dirfd, ".", DIR_FLAGS);

    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        int r = -errno;
        (void)close(fd);
        return r;
    }
    return fd;
}

/* The kernel lists in fdinfo the locks that this very open file description holds. */
static bool holds(int file, pid_t pid, int number)
{
    char path[64], line[256];
    struct stat ours, theirs;
    bool found = false;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, number);
    if (fstat(file, &ours) < 0 || stat(path, &theirs) < 0 || ours.st_dev != theirs.st_dev ||
        ours.st_ino != theirs.st_ino)
        return false;
    (void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, number);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof(line), f))
        found = str_starts(line, "lock:") && strstr(line, "FLOCK") && strstr(line, "WRITE");
    (void)fclose(f); /* only read */
    return found;
}

bool vmdir_holds(int dirfd, pid_t pid)
{
    return holds(dirfd, pid, FD_DIR);
}

pid_t vmdir_find_holder(int file, int number)
{
    DIR *d = opendir("/proc");
    pid_t holder = 0;

    if (!d)
        return 0;
    for (struct dirent *e; !holder && (e = readdir(d));) {
        long long pid;

        if (!parse_i64(e->d_name, &pid) && pid > 0 && pid <= INT_MAX && pid != getpid() &&
            holds(file, (pid_t)pid, number))
            holder = (pid_t)pid;
    }
    (void)closedir(d); /* only read */
    return holder;
}

pid_t vmdir_holder(int dirfd)
{
    return vmdir_find_holder(dirfd, FD_DIR);
}

/* ---- sockets ---- */

/* sun_path has 108 bytes; through the descriptor every path is short. */
static void address_of(int dirfd, const char *name, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    (void)snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dirfd, name);
}

int vmdir_listen(int dirfd)
{
    struct sockaddr_un at;

    address_of(dirfd, "qmp.sock", &at);
    CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (unlinkat(dirfd, "qmp.sock", 0) < 0 && errno != ENOENT)
        return -errno;
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return fd_take(&fd);
}

int vmdir_dial(int dirfd, const char *name)
{
    struct sockaddr_un at;

    address_of(dirfd, name, &at);
    CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
        return -errno;
    return fd_take(&fd);
}

int vmdir_connect(int dirfd, pid_t *ret_pid)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    CLEANUP(close_p) int fd = vmdir_dial(dirfd, "qmp.sock");

    if (fd < 0)
        return fd;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return -errno;
    *ret_pid = peer.pid;
    return fd_take(&fd);
}

void vmdir_tidy(int dirfd)
{
    /* sw.sock is the switch's end, which outlives QEMU. The last is template.h's mark. */
    static const char *const sockets[] = {"qmp.sock", "serial.sock", "ready.sock", "vm.sock",
                                          "restoring"};

    for (size_t i = 0; i < ARRAY_LEN(sockets); i++)
        (void)unlinkat(dirfd, sockets[i], 0); /* not there: fine */
}

/* ---- files ---- */

void vmdir_tail(int dirfd, const char *name, size_t max, struct buf *ret)
{
    CLEANUP(close_p) int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    off_t from = st.st_size > (off_t)max ? st.st_size - (off_t)max : 0;
    ssize_t n = pread(fd, buf_reserve(ret, max), max, from);
    if (n > 0)
        ret->len += (size_t)n;
    buf_add(ret, "", 0); /* the NUL behind the new end */
}

int vmdir_write(int dirfd, const char *name, const char *text)
{
    CLEANUP(free_p) char *tmp = xasprintf("%s.tmp", name);
    size_t len = strlen(text);
    CLEANUP(close_p)
    int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, len);
    if (n != (ssize_t)len)
        return n < 0 ? -errno : -EIO;
    return renameat(dirfd, tmp, dirfd, name) < 0 ? -errno : 0;
}

void vmdir_cap(int dirfd, const char *name, off_t max)
{
    CLEANUP(close_p) int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > max)
        (void)ftruncate(fd, 0); /* tried again at the next round */
}
