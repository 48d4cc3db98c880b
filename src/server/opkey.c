/* The operator's key: made once, read at each start. */
#include "server/opkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/crypto.h"

enum { KEY_BYTES = 32, LEAST = 32, MOST = 1024 }; /* LEAST, MOST: characters of one set by hand */

static enum err read_it(int fd, const char *path, struct arena *a, const char **ret, struct fail *f)
{
    char text[MOST + 1];
    struct stat st;
    ssize_t n = read(fd, text, sizeof(text));

    if (n < 0 || fstat(fd, &st) < 0)
        return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
    if (st.st_mode & 077)
        return fail(f, ERR_INTERNAL, "%s can be read by others; run: chmod 600 '%s'", path, path);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        n--;
    if (n < LEAST || n > MOST || memchr(text, 0, (size_t)n))
        return fail(f, ERR_INTERNAL,
                    "%s is no key of %d to %d characters; remove it and a new one is made", path,
                    LEAST, MOST);
    *ret = arena_strn(a, text, (size_t)n);
    wipe(text, sizeof(text));
    return ERR_NONE;
}

/* Another name first: a half-written one would be refused for ever. */
static enum err make_it(const char *dir, const char *path, struct arena *a, const char **ret,
                        struct fail *f)
{
    const char *tmp = arena_fmt(a, "%s/.operator.key.new", dir);
    CLEANUP(close_p) int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CLEANUP(close_p) int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint8_t key[KEY_BYTES];

    random_bytes(key, sizeof(key)); /* never the world's: that may be seeded */
    *ret = hex_encode(a, key, sizeof(key));
    wipe(key, sizeof(key));
    const char *line = arena_fmt(a, "%s\n", *ret);
    ssize_t n = (ssize_t)strlen(line);
    if (fd < 0 || dir_fd < 0 || write(fd, line, (size_t)n) != n || fsync(fd) < 0 ||
        rename(tmp, path) < 0 || fsync(dir_fd) < 0)
        return fail(f, ERR_INTERNAL, "cannot write %s: %s", path, strerror(errno));
    return ERR_NONE;
}

enum err operator_key(const char *dir, struct arena *a, const char **ret, struct fail *f)
{
    const char *path = arena_fmt(a, "%s/operator.key", dir);
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0)
        return read_it(fd, path, a, ret, f);
    if (errno == ENOENT)
        return make_it(dir, path, a, ret, f);
    return fail(f, ERR_INTERNAL, "%s: %s", path, strerror(errno));
}
