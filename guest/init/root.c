/* See root.h. */
#include "root.h"

#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NEW_ROOT "/sysroot"

/* From the kernel's fs/ext4/ext4.h, whose user header came only after Debian 12's. */
#define EXT4_RESIZE_FS _IOW('f', 16, uint64_t)

enum { DEVICE_MS = 10000 };

bool root_is_memory(void)
{
    struct statfs fs;

    return statfs("/", &fs) == 0 && (fs.f_type == RAMFS_MAGIC || fs.f_type == TMPFS_MAGIC);
}

static void load_module(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
        say("cannot load %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void root_load_modules(void)
{
    char list[4096], *rest = list, *path;

    if (file_read("/etc/modules.list", list, sizeof(list)) < 0)
        return;
    while ((path = strsep(&rest, "\n"))) {
        if (*path)
            load_module(path);
    }
}

static int wait_for_device(const char *device)
{
    int64_t deadline = now_ms() + DEVICE_MS;

    while (access(device, F_OK) < 0) {
        if (ms_left(deadline) == 0)
            return -ENODEV;
        usleep(10 * 1000);
    }
    return 0;
}

/* One ioctl, which does nothing when the file system already fills the device. */
static void grow(const char *device)
{
    int disk = open(device, O_RDONLY | O_CLOEXEC);
    int root = open(NEW_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    uint64_t bytes;

    if (disk < 0 || root < 0 || ioctl(disk, BLKGETSIZE64, &bytes) < 0 || fstatfs(root, &fs) < 0) {
        say("cannot measure %s: %s", device, strerror(errno));
    } else {
        uint64_t blocks = bytes / (uint64_t)fs.f_bsize;
        if (ioctl(root, EXT4_RESIZE_FS, &blocks) < 0)
            say("cannot grow the file system on %s: %s", device, strerror(errno));
    }
    if (disk >= 0)
        close(disk);
    if (root >= 0)
        close(root);
}

/* Empties a folder of the initramfs, whose memory it gives back; stays on its file system. Takes
   over `fd`. */
static void remove_below(int fd, dev_t device)
{
    DIR *folder = fdopendir(fd);
    struct dirent *entry;
    struct stat st;

    if (!folder) {
        close(fd);
        return;
    }
    while ((entry = readdir(folder))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != device)
            continue;
        if (S_ISDIR(st.st_mode)) {
            int below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below >= 0)
                remove_below(below, device);
        }
        /* What cannot be removed costs memory, nothing else. */
        (void)unlinkat(fd, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
    }
    closedir(folder);
}

static void free_initramfs(void)
{
    struct stat st;
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0)
        remove_below(fd, st.st_dev);
    else if (fd >= 0)
        close(fd);
}

static int mount_root(const char *device)
{
    struct stat st;

    (void)mkdir(NEW_ROOT, 0755); /* mount says what is wrong */
    /* The new groups of a grown file system are zero on a fresh disk: do not write them again. */
    if (mount(device, NEW_ROOT, "ext4", MS_NOATIME, "noinit_itable") < 0)
        return -errno;
    grow(device);
    /* lstat: in another distribution this is a link that leads nowhere from here. */
    if (lstat(NEW_ROOT "/sbin/init", &st) < 0) {
        int error = -errno;
        umount(NEW_ROOT);
        return error;
    }
    return 0;
}

static int enter_root(void)
{
    static const char *const moved[] = {"/dev", "/proc", "/sys", "/run"};
    static const char *const argv[] = {"/sbin/init", NULL};
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/",
                                              "TERM=linux", NULL};
    char to[32];

    for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
        snprintf(to, sizeof(to), NEW_ROOT "%s", moved[i]);
        (void)mkdir(to, 0755); /* mount says what is wrong */
        if (mount(moved[i], to, NULL, MS_MOVE, NULL) < 0)
            return -errno;
    }
    free_initramfs();
    if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
        chdir("/") < 0)
        return -errno;
    execve(argv[0], (char *const *)argv, (char *const *)environment);
    return -errno;
}

int root_switch(const char *device)
{
    int error = wait_for_device(device);

    if (error == 0)
        error = mount_root(device);
    if (error == 0)
        error = enter_root();
    say("cannot start from the disk %s: %s", device, strerror(-error));
    return error;
}
