/*
 * Images. Importing copies into DATA/images/ID here, in the client, so that the server never waits
 * for a disk; the server then looks at the directory and offers it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "cli/admin.h"
#include "cli/run.h"

static int image_ls(struct cli *c)
{
    static const struct row_column columns[] = {
        {"IMAGE", "imageId"},  {"NAME", "name"},         {"SYSTEM", "osName"},
        {"GIB", "minDiskGib"}, {"CREATED", "createdAt"},
    };

    return list_rows(c, "ListImages", account_body(c), "images", columns, ARRAY_LEN(columns));
}

/* ---- a place to make it in ---- */

struct import {
    struct cli *c;
    const char *source; /* a file, or a directory with an image.json */
    const char *images; /* DATA/images */
    const char *dir;    /* being filled, below `images` */
    const char *id;
};

static void remove_dir(const char *path)
{
    DIR *d = opendir(path);
    const struct dirent *entry;

    while (d && (entry = readdir(d)))
        (void)unlinkat(dirfd(d), entry->d_name, 0); /* "." and ".." refuse */
    if (d)
        (void)closedir(d);
    (void)rmdir(path);
}

static const char *new_id(struct arena *a)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char noise[20];
    char text[sizeof(noise) + 1] = "";

    random_bytes(noise, sizeof(noise));
    for (size_t i = 0; i < sizeof(noise); i++)
        text[i] = alphabet[noise[i] % (sizeof(alphabet) - 1)];
    return arena_fmt(a, "m-%s", text);
}

static bool id_ok(const char *id)
{
    if (!isalnum((unsigned char)*id) || strlen(id) > 64)
        return false;
    for (; *id; id++)
        if (!isalnum((unsigned char)*id) && !strchr("._-", *id))
            return false;
    return true;
}

static int make_dir(struct import *im)
{
    char *path = arena_fmt(im->c->arena, "%s/.import-XXXXXX", im->images);

    if (mkdir(im->images, 0700) < 0 && errno != EEXIST)
        return say_error(CLI_FAILED, "%s: %s", im->images, strerror(errno));
    if (!mkdtemp(path)) {
        int e = errno;

        (void)say_error(CLI_FAILED, "%s: %s", im->images, strerror(e));
        if (e == EACCES)
            say_hint("run this as the server's user");
        return CLI_FAILED;
    }
    im->dir = path;
    return CLI_OK;
}

/* ---- a disk image ---- */

static int tool_failed(const char *tool, int status, const char *output)
{
    if (status == -ENOENT) {
        (void)say_error(CLI_FAILED, "%s is not installed", tool);
        say_hint("Debian has it in the package qemu-utils");
    } else if (status < 0) {
        (void)say_error(CLI_FAILED, "%s: %s", tool, strerror(-status));
    } else {
        (void)say_error(CLI_FAILED, "%s failed: %.*s", tool, (int)strcspn(output, "\n"), output);
    }
    return CLI_FAILED;
}

/* Its format and size. A disk that leads to other files is refused: they may be anybody's. */
static int inspect(const char *path, const char *format, char ret_format[16], json_int_t *ret_gib)
{
    char *argv[] = {(char *)"qemu-img",
                    (char *)"info",
                    (char *)"--output=json",
                    (char *)"-f",
                    (char *)(format ? format : "raw"),
                    (char *)"--",
                    (char *)path,
                    NULL};
    CLEANUP(buf_done) struct buf out = {0};
    const json_int_t gib = (json_int_t)1 << 30;
    int status = run_tool(argv, &out);

    if (status)
        return tool_failed("qemu-img info", status, buf_cstr(&out));
    CLEANUP(json_free_p) json_t *j = json_loads(buf_cstr(&out), 0, NULL);
    const json_t *data = json_object_get(json_object_get(j, "format-specific"), "data");
    if (*json_text(j, "backing-filename") || *json_text(data, "data-file")) {
        (void)say_error(CLI_FAILED, "%s is made over another file: %s", path,
                        *json_text(j, "backing-filename") ? json_text(j, "backing-filename")
                                                          : json_text(data, "data-file"));
        say_hint("`qemu-img convert -O qcow2 %s whole.qcow2` makes it whole", path);
        return CLI_FAILED;
    }
    json_int_t size = json_integer_value(json_object_get(j, "virtual-size"));
    if (size <= 0)
        return say_error(CLI_FAILED, "%s is not a disk image", path);
    (void)snprintf(ret_format, 16, "%s", json_text(j, "format"));
    *ret_gib = (size + gib - 1) / gib;
    return CLI_OK;
}

/* Only these two are believed; other formats can name files, too. */
static int format_of(const char *path, const char **ret)
{
    char magic[4] = "";
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, magic, sizeof(magic)) < 0)
        return say_error(CLI_FAILED, "%s: %s", path, strerror(errno));
    *ret = memcmp(magic, "QFI\xfb", sizeof(magic)) == 0 ? "qcow2" : "raw";
    return CLI_OK;
}

static int convert(const char *from, const char *format, const char *to)
{
    bool terminal = isatty(STDERR_FILENO);
    char *argv[] = {(char *)"qemu-img",
                    (char *)"convert",
                    (char *)"-f",
                    (char *)format,
                    (char *)"-O",
                    (char *)"qcow2",
                    (char *)"--",
                    (char *)from,
                    (char *)to,
                    NULL,
                    NULL};
    CLEANUP(buf_done) struct buf out = {0};

    if (terminal) {
        memmove(argv + 3, argv + 2, 7 * sizeof(*argv));
        argv[2] = (char *)"-p";
    }
    int status = run_tool(argv, terminal ? NULL : &out);
    return status ? tool_failed("qemu-img convert", status, buf_cstr(&out)) : CLI_OK;
}

/* The file's name without its ending. */
static const char *plain_name(struct cli *c, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return arena_strn(c->arena, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

static int describe(const struct import *im, json_t *what)
{
    CLEANUP(json_free_p) json_t *j = what;
    const char *path = arena_fmt(im->c->arena, "%s/image.json", im->dir);

    if (given(im->c, OPT_NAME))
        (void)json_object_set_new(j, "name", json_string(im->c->values[OPT_NAME]));
    if (given(im->c, OPT_OS_NAME))
        (void)json_object_set_new(j, "osName", json_string(im->c->values[OPT_OS_NAME]));
    if (!j || json_dump_file(j, path, JSON_INDENT(2)) < 0)
        return say_error(CLI_FAILED, "%s cannot be written", path);
    return CLI_OK;
}

static int import_file(const struct import *im)
{
    const char *format, *to = arena_fmt(im->c->arena, "%s/root.qcow2", im->dir);
    char known[16];
    json_int_t gib;
    int e;

    if ((e = format_of(im->source, &format)) || (e = inspect(im->source, format, known, &gib)) ||
        (e = convert(im->source, known, to)))
        return e;
    const char *name = plain_name(im->c, im->source);
    return describe(im, json_pack("{s:s, s:s, s:s, s:s, s:I, s:b}", "name", name, "disk",
                                  "root.qcow2", "osName", name, "architecture", "x86_64",
                                  "minDiskGiB", gib, "cloudInit", 1));
}

/* ---- an image directory ---- */

/* Small enough that Ctrl-C is noticed soon. */
enum { COPY_AT_ONCE = 64 * 1024 * 1024 };

static volatile sig_atomic_t interrupted;

/* Nothing more: a tool that runs is ended by the same Ctrl-C, and what was made so far is removed.
 */
static void on_interrupt(int signum)
{
    (void)signum;
    interrupted = 1;
}

static int copy_bytes(int from, int to)
{
    while (!interrupted) {
        ssize_t n = copy_file_range(from, NULL, to, NULL, COPY_AT_ONCE, 0);

        if (n == 0)
            return 0;
        if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS))
            break;
        if (n < 0 && errno != EINTR)
            return -errno;
    }
    while (!interrupted) {
        static char piece[256 * 1024];
        ssize_t n = read(from, piece, sizeof(piece));

        if (n <= 0)
            return n < 0 ? -errno : 0;
        for (ssize_t done = 0; done < n;) {
            ssize_t w = write(to, piece + done, (size_t)(n - done));

            if (w < 0)
                return -errno;
            done += w;
        }
    }
    return -EINTR;
}

/* Below the directory, by names alone. */
static bool is_inside(const char *name)
{
    if (!*name || *name == '/')
        return false;
    for (const char *at = name; *at; at += strspn(at, "/")) {
        size_t n = strcspn(at, "/");

        if (n == 2 && strncmp(at, "..", 2) == 0)
            return false;
        at += n;
    }
    return !str_ends(name, "/");
}

/* Copies the file that `key` names; the copy stands beside its image.json, which is told so. */
static int copy_file(const struct import *im, json_t *j, const char *key)
{
    const char *name = arena_str(im->c->arena, json_text(j, key)), *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    const char *from = arena_fmt(im->c->arena, "%s/%s", im->source, name);
    const char *to = arena_fmt(im->c->arena, "%s/%s", im->dir, base);

    if (!is_inside(name) || *base == '.')
        return say_error(CLI_FAILED, "'%s' in image.json is not a file beside it", name);
    CLEANUP(close_p) int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return say_error(CLI_FAILED, "%s: %s", from, strerror(errno));
    CLEANUP(close_p) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int e = out < 0 ? -errno : copy_bytes(in, out);
    if (e < 0)
        return say_error(CLI_FAILED, "%s: %s", to, strerror(-e));
    (void)json_object_set_new(j, key, json_string(base));
    return CLI_OK;
}

static int import_dir(const struct import *im)
{
    static const char *const files[] = {"disk", "kernel", "initrd"};
    const char *path = arena_fmt(im->c->arena, "%s/image.json", im->source);
    json_error_t why;
    CLEANUP(json_free_p) json_t *j = json_load_file(path, 0, &why);
    char format[16];
    const char *believed;
    json_int_t gib;
    int e;

    if (!json_is_object(j))
        return say_error(CLI_FAILED, "%s: %s", path, j ? "it is not a JSON object" : why.text);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (json_object_get(j, files[i]) && (e = copy_file(im, j, files[i])))
            return e;
    const char *disk = arena_fmt(im->c->arena, "%s/%s", im->dir, json_text(j, "disk"));
    if (!*json_text(j, "disk"))
        return say_error(CLI_FAILED, "%s names no disk", path);
    if ((e = format_of(disk, &believed)) || (e = inspect(disk, believed, format, &gib)))
        return e;
    return describe(im, json_incref(j));
}

/* ---- both ---- */

static int place(struct import *im)
{
    const char *to = arena_fmt(im->c->arena, "%s/%s", im->images, im->id);

    /* Without the flag an empty directory would be replaced. */
    if (renameat2(AT_FDCWD, im->dir, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
        return say_error(CLI_FAILED, "%s: %s", to, strerror(errno));
    im->dir = to;
    return CLI_OK;
}

static int fill(struct import *im)
{
    struct stat st;

    if (stat(im->source, &st) < 0)
        return say_error(CLI_FAILED, "%s: %s", im->source, strerror(errno));
    return S_ISDIR(st.st_mode) ? import_dir(im) : import_file(im);
}

static int image_import(struct cli *c)
{
    CLEANUP(json_free_p) json_t *info = NULL;
    struct import im = {.c = c,
                        .source = c->args[0],
                        .id = given(c, OPT_ID) ? c->values[OPT_ID] : new_id(c->arena)};
    json_t *body;
    int e;

    if (!id_ok(im.id))
        return say_usage(c, "an image's id is 1 to 64 letters, digits, '.', '_' or '-'");
    if ((e = operator_call(c, "ServerInfo", NULL, &info)))
        return e;
    im.images = arena_fmt(c->arena, "%s/images", json_text(info, "dataDirectory"));
    if ((e = make_dir(&im)))
        return e;
    (void)sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt}, NULL);
    if (!(e = fill(&im)) && !(e = place(&im))) {
        body = account_body(c);
        (void)json_object_set_new(body, "imageId", json_string(im.id));
        e = operator_call(c, "RegisterImage", body, NULL);
        if (e == CLI_NO_SERVER) /* perhaps it has done it */
            return say_error(e, "%s is complete; a server that starts there offers it", im.dir);
    }
    if (e)
        remove_dir(im.dir);
    if (interrupted)
        e = CLI_INTERRUPTED;
    if (!e)
        (void)puts(im.id);
    return e;
}

const struct verb verbs_image[] = {
    {.group = "image",
     .name = "ls",
     .args = "",
     .opts = OPTS(OPT_JSON, OPT_ACCOUNT, OPT_DATA),
     .summary = "List images",
     .example = "ostler image ls",
     .run = image_ls},
    {.group = "image",
     .name = "import",
     .args = "PATH",
     .min_args = 1,
     .max_args = 1,
     .opts = OPTS(OPT_NAME, OPT_OS_NAME, OPT_ID, OPT_ACCOUNT, OPT_DATA),
     .summary = "Add an image",
     .more = "PATH is a qcow2 or raw disk, or a directory with an image.json. It is copied. "
             "With --account it is that account's, else everybody's.",
     .example = "ostler image import debian-12-generic-amd64.qcow2 --os-name 'Debian 12'",
     .run = image_import},
    {.name = NULL},
};
