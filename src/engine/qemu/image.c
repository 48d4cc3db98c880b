/* Reading an image directory's image.json. */
#include "engine/qemu/image.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>

#include "base/util.h"

static void json_free_p(json_t **j)
{
    json_decref(*j);
}

/* The base disk is the operator's file, never written by a guest, so its first bytes may be
 * believed. */
static const char *format_of(const char *path)
{
    char magic[4] = "";
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || read(fd, magic, sizeof(magic)) != (ssize_t)sizeof(magic))
        return "raw";
    return memcmp(magic, "QFI\xfb", sizeof(magic)) == 0 ? "qcow2" : "raw";
}

/* The field as an absolute path; NULL in *ret when the field is not there. */
static const char *file_of(struct arena *a, const char *dir, const json_t *j, const char *key,
                           const char **ret)
{
    const char *name = json_string_value(json_object_get(j, key));
    char real[PATH_MAX];

    *ret = NULL;
    if (str_empty(name))
        return NULL;
    if (strchr(name, '/') || streq(name, "."))
        return arena_fmt(a, "the image's '%s' is not a file name", key);
    /* A link may be turned to a newer build; a disk that is made today stays based on today's. */
    if (!realpath(arena_fmt(a, "%s/%s", dir, name), real) || access(real, R_OK) < 0)
        return arena_fmt(a, "the image's file '%s' is missing", name);
    *ret = arena_str(a, real);
    return NULL;
}

const char *image_load(struct arena *a, const char *dir, struct image_files *ret)
{
    struct image_files f = {0};
    char real[PATH_MAX];
    json_error_t e;
    const char *bad;

    if (str_empty(dir) || !realpath(dir, real))
        return arena_fmt(a, "the image's directory '%s' is missing", dir ? dir : "");
    CLEANUP(json_free_p) json_t *j = json_load_file(arena_fmt(a, "%s/image.json", real), 0, &e);
    if (!json_is_object(j))
        return arena_fmt(a, "the image's image.json cannot be read: %s", j ? "no object" : e.text);
    if ((bad = file_of(a, real, j, "kernel", &f.kernel)) ||
        (bad = file_of(a, real, j, "initrd", &f.initrd)) ||
        (bad = file_of(a, real, j, "disk", &f.disk)))
        return bad;
    const char *cmdline = json_string_value(json_object_get(j, "cmdline"));
    f.cmdline = arena_str(a, cmdline ? cmdline : "");
    f.is_template = json_is_true(json_object_get(j, "template"));
    if (f.disk)
        f.disk_format = format_of(f.disk);
    *ret = f;
    return NULL;
}
