/* Reading an image's directory. */
#include "control/image_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

enum { MAX_DESCRIPTION = 64 * 1024, MAX_DISK_GIB = 64 * 1024, QCOW2_HEADER = 80 };

static void json_free_p(json_t **j)
{
    json_decref(*j);
}

/* A regular file in the directory, or a negative errno. */
static int open_file(int dirfd, const char *name, struct stat *st)
{
    CLEANUP(close_p) int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 || fstat(fd, st) < 0)
        return -errno;
    return S_ISREG(st->st_mode) ? fd_take(&fd) : -EINVAL;
}

static json_t *read_description(struct arena *a, int dirfd, const char **ret_bad)
{
    struct stat st;
    json_error_t why;
    CLEANUP(close_p) int fd = open_file(dirfd, "image.json", &st);

    if (fd < 0 || st.st_size > MAX_DESCRIPTION) {
        *ret_bad = arena_fmt(a, "its image.json cannot be read: %s",
                             fd < 0 ? strerror(-fd) : "it is too large");
        return NULL;
    }
    char *text = arena_alloc(a, (size_t)st.st_size + 1);
    ssize_t n = read(fd, text, (size_t)st.st_size);
    json_t *j = json_loadb(text, n > 0 ? (size_t)n : 0, 0, &why);
    if (!json_is_object(j)) {
        *ret_bad = arena_fmt(a, "its image.json is not a JSON object: %s", j ? "" : why.text);
        json_decref(j);
        return NULL;
    }
    return j;
}

/* NULL when the file is there or not named. */
static const char *check_file(struct arena *a, int dirfd, const json_t *j, const char *key,
                              int *ret_fd)
{
    const json_t *value = json_object_get(j, key);
    const char *name = json_string_value(value);
    struct stat st;

    *ret_fd = -1;
    if (!value)
        return NULL;
    if (str_empty(name) || strchr(name, '/') || streq(name, ".") || streq(name, ".."))
        return arena_fmt(a, "'%s' in its image.json is not a file name", key);
    *ret_fd = open_file(dirfd, name, &st);
    if (*ret_fd < 0) {
        const char *bad =
            arena_fmt(a, "its file '%s' cannot be read: %s", name, strerror(-*ret_fd));

        *ret_fd = -1;
        return bad;
    }
    return NULL;
}

static uint64_t be64(const unsigned char *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

/* A qcow2 file may name others, which every guest of the image could then read. */
static const char *check_disk(int fd)
{
    unsigned char h[QCOW2_HEADER];
    enum { EXTERNAL_DATA = 1 << 2 };

    if (pread(fd, h, sizeof(h), 0) != (ssize_t)sizeof(h) || memcmp(h, "QFI\xfb", 4) != 0)
        return NULL;
    if (be64(h + 8) != 0)
        return "its disk has a backing file; flatten it with qemu-img convert";
    if (h[7] >= 3 && (be64(h + 72) & EXTERNAL_DATA))
        return "its disk keeps its data in another file; flatten it with qemu-img convert";
    return NULL;
}

static const char *check_files(struct arena *a, int dirfd, const json_t *j, struct image *ret)
{
    CLEANUP(close_p) int kernel = -1;
    CLEANUP(close_p) int initrd = -1;
    CLEANUP(close_p) int disk = -1;
    const char *bad;

    if ((bad = check_file(a, dirfd, j, "kernel", &kernel)) ||
        (bad = check_file(a, dirfd, j, "initrd", &initrd)) ||
        (bad = check_file(a, dirfd, j, "disk", &disk)))
        return bad;
    if (disk < 0)
        return "its image.json names no disk";
    ret->direct_kernel = kernel >= 0;
    return check_disk(disk);
}

static const char *text_of(struct arena *a, const json_t *j, const char *key, const char *other)
{
    const char *s = json_string_value(json_object_get(j, key));

    return arena_str(a, str_empty(s) ? other : s);
}

const char *image_dir_read(struct arena *a, const char *dir, struct image *ret)
{
    CLEANUP(close_p) int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *bad = NULL;

    if (dirfd < 0)
        return arena_fmt(a, "its directory '%s' cannot be opened: %s", dir, strerror(errno));
    CLEANUP(json_free_p) json_t *j = read_description(a, dirfd, &bad);
    if (!j)
        return bad;
    struct image row = {.path = arena_str(a, dir)};
    if ((bad = check_files(a, dirfd, j, &row)))
        return bad;
    row.size_gib = json_integer_value(json_object_get(j, "minDiskGiB"));
    if (row.size_gib < 1 || row.size_gib > MAX_DISK_GIB)
        return "'minDiskGiB' in its image.json is not a disk's size";
    row.name = text_of(a, j, "name", "image");
    row.description = text_of(a, j, "description", "");
    row.family = text_of(a, j, "family", "");
    row.os_type = text_of(a, j, "osType", "linux");
    row.os_name = text_of(a, j, "osName", row.name);
    row.platform = text_of(a, j, "platform", "Others Linux");
    row.arch = text_of(a, j, "architecture", "x86_64");
    row.version = text_of(a, j, "version", "");
    row.digest = text_of(a, j, "digest", "");
    row.cloud_init = json_is_true(json_object_get(j, "cloudInit"));
    *ret = row;
    return NULL;
}
