/* See util.h. */
#include "util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { KEEP_MAX = 4096 };

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int ms_left(int64_t deadline)
{
    int64_t left = deadline - now_ms();

    if (left < 0)
        return 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

void say(const char *format, ...)
{
    char line[512] = "ostler: ";
    size_t used = strlen(line);
    va_list args;

    va_start(args, format);
    int wanted = vsnprintf(line + used, sizeof(line) - used - 2, format, args);
    va_end(args);
    used += wanted < 0 ? 0 : strlen(line + used);
    line[used++] = '\n';
    /* A console that does not take it leaves nobody to tell. */
    (void)!write(STDOUT_FILENO, line, used);
}

ssize_t file_read(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    ssize_t got = 0;

    if (fd < 0)
        return -errno;
    while (used < size - 1 && (got = read(fd, buf + used, size - 1 - used)) > 0)
        used += (size_t)got;
    int error = got < 0 ? errno : 0;
    close(fd);
    buf[used] = '\0';
    return error ? -error : (ssize_t)used;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t put = write(fd, data, size);

        if (put < 0)
            return -errno;
        data += put;
        size -= (size_t)put;
    }
    return 0;
}

int file_write(const char *path, const void *data, size_t size, mode_t mode)
{
    char temporary[PATH_MAX];

    if (snprintf(temporary, sizeof(temporary), "%s.new", path) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    int error = write_all(fd, data, size);
    close(fd);
    if (error == 0 && rename(temporary, path) < 0)
        error = -errno;
    if (error)
        unlink(temporary);
    return error;
}

int file_keep(const char *path, const void *data, size_t size, mode_t mode)
{
    char now[KEEP_MAX];
    ssize_t got = size < sizeof(now) - 1 ? file_read(path, now, sizeof(now)) : -E2BIG;

    return got == (ssize_t)size && memcmp(now, data, size) == 0
               ? 0
               : file_write(path, data, size, mode);
}

bool cmdline_get(const char *line, const char *key, char *value, size_t size)
{
    size_t key_length = strlen(key);
    const char *best = NULL;
    size_t best_length = 0;

    while (*line) {
        size_t length = strcspn(line, " \t\n");

        if (length > key_length && memcmp(line, key, key_length) == 0 && line[key_length] == '=') {
            best = line + key_length + 1;
            best_length = length - key_length - 1;
        }
        line += length;
        line += strspn(line, " \t\n");
    }
    if (best_length == 0 || best_length >= size)
        return false;
    memcpy(value, best, best_length);
    value[best_length] = '\0';
    return true;
}

bool name_clean(const char *text, size_t length, const char *extra, char *ret_name, size_t size)
{
    size_t used = 0;

    while (used < length && used < size - 1) {
        unsigned char c = (unsigned char)text[used];

        if (c == '\0' || c > 126 || (!isalnum(c) && !strchr(extra, c)))
            break;
        used++;
    }
    if (used == 0)
        return false;
    memcpy(ret_name, text, used);
    ret_name[used] = '\0';
    return true;
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

size_t hex_decode(const char *text, char *ret_bytes, size_t size)
{
    size_t used = 0;

    for (; used < size && isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]);
         text += 2)
        ret_bytes[used++] = (char)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
    return used;
}

/* Frees `files`, which say what its standard descriptors are. */
static pid_t spawn_with(const char *const argv[], posix_spawn_file_actions_t *files)
{
    static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                                              "TERM=vt100", NULL};
    posix_spawnattr_t how;
    sigset_t none;
    pid_t pid;

    sigemptyset(&none);
    posix_spawnattr_init(&how);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    posix_spawnattr_setsigmask(&how, &none);
    /* posix_spawn takes char *const[] for history's sake and changes nothing. */
    int error =
        posix_spawn(&pid, argv[0], files, &how, (char *const *)argv, (char *const *)environment);
    posix_spawn_file_actions_destroy(files);
    posix_spawnattr_destroy(&how);
    return error ? -error : pid;
}

pid_t spawn(const char *const argv[], const char *output)
{
    posix_spawn_file_actions_t files;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, output, O_WRONLY | O_NOCTTY, 0);
    posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
    return spawn_with(argv, &files);
}

pid_t spawn_on(const char *const argv[], int fd)
{
    posix_spawn_file_actions_t files;

    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    return spawn_with(argv, &files);
}
