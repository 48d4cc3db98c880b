/* See root.h. */
#include "root.h"

#include "setup.h"
#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEW_ROOT "/sysroot"
#define INIT     "/sbin/init"

/* From the kernel's fs/ext4/ext4.h, whose user header came only after Debian 12's. */
#define EXT4_RESIZE_FS _IOW('f', 16, uint64_t)

enum {
    DEVICE_MS = 10000,
    SUPER_AT = 1024, /* ext4's superblock */
    CHUNK = 16 * 1024,
};

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

/* How many bytes the file system on the disk says it has; 0 when it cannot be read. */
static uint64_t size_of_ext4(int disk)
{
    unsigned char super[1024];
    uint32_t blocks, shift;

    if (pread(disk, super, sizeof(super), SUPER_AT) != sizeof(super))
        return 0;
    memcpy(&blocks, super + 4, sizeof(blocks)); /* x86 only: little-endian as on the disk */
    memcpy(&shift, super + 24, sizeof(shift));
    return shift <= 6 ? (uint64_t)blocks << (10 + shift) : 0;
}

/* One ioctl, and none when the file system already fills the device. */
static void grow(const char *device)
{
    int disk = open(device, O_RDONLY | O_CLOEXEC);
    int root = open(NEW_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs;
    uint64_t bytes;

    if (disk < 0 || root < 0 || ioctl(disk, BLKGETSIZE64, &bytes) < 0 || fstatfs(root, &fs) < 0) {
        say("cannot measure %s: %s", device, strerror(errno));
    } else if (size_of_ext4(disk) + (uint64_t)fs.f_bsize <= bytes) {
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
    if (lstat(NEW_ROOT INIT, &st) < 0) {
        int error = -errno;
        umount(NEW_ROOT);
        return error;
    }
    return 0;
}

/* The rest of both files is the same. */
static bool same_bytes(int a, int b)
{
    static uint64_t one[CHUNK / 8], other[CHUNK / 8];
    ssize_t got;

    while ((got = read(a, one, sizeof(one))) > 0) {
        if (read(b, other, sizeof(other)) != got)
            return false;
        memset((char *)one + got, 0, sizeof(one) - (size_t)got);
        memset((char *)other + got, 0, sizeof(other) - (size_t)got);
        for (size_t i = 0; i < CHUNK / 8; i++) {
            if (one[i] != other[i])
                return false;
        }
    }
    return got == 0 && read(b, other, sizeof(other)) == 0;
}

/* Is the disk's init what runs already? To start a program costs ten times what comparing it does.
 */
static bool is_ours(const char *init)
{
    int mine = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int its = open(init, O_RDONLY | O_CLOEXEC);
    bool same = mine >= 0 && its >= 0 && same_bytes(mine, its);

    if (mine >= 0)
        close(mine);
    if (its >= 0)
        close(its);
    return same;
}

static int run_init(const char *told)
{
    static const char *const argv[] = {INIT, NULL};
    const char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "TERM=linux", NULL,
                                 NULL};
    char *variable = NULL;

    if (told && asprintf(&variable, SETUP_TOLD "=%s", told) > 0)
        environment[3] = variable;
    execve(INIT, (char *const *)argv, (char *const *)environment);
    return -errno;
}

static int enter_root(const char *told)
{
    static const char *const moved[] = {"/dev", "/proc", "/sys", "/run"};
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
    return is_ours(INIT) ? 0 : run_init(told);
}

int root_switch(const char *device, const char *told)
{
    int error = wait_for_device(device);

    if (error == 0)
        error = mount_root(device);
    if (error == 0)
        error = enter_root(told);
    if (error)
        say("cannot start from the disk %s: %s", device, strerror(-error));
    return error;
}

void root_complete(void)
{
    static const char *const install[] = {"/bin/busybox", "--install", "-s", NULL};
    pid_t pid = spawn(install, "/dev/null");

    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
}
