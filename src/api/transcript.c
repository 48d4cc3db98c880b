/*
 * The file of a recording, and when there is one. What a line holds is made in
 * api/transcript_line.c.
 */
#include "api/transcript.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "api/transcript_line.h"
#include "base/log.h"

#define MEMORY ".recording" /* "MAXBYTES NAME" */

struct transcript {
    char *dir;
    atomic_bool on; /* looked at without the lock, by every answer */

    pthread_mutex_t lock; /* of the rest */
    char *name, *why;
    int fd; /* -1: none */
    int64_t size, max_bytes, lines;
};

struct transcript *transcript_new(const char *dir)
{
    struct transcript *t = xcalloc(1, sizeof(*t));

    t->dir = xstrdup(dir);
    t->name = xstrdup("");
    t->why = xstrdup("");
    t->fd = -1;
    (void)pthread_mutex_init(&t->lock, NULL);
    return t;
}

void transcript_free(struct transcript *t)
{
    if (!t)
        return;
    close_p(&t->fd);
    (void)pthread_mutex_destroy(&t->lock);
    free(t->dir);
    free(t->name);
    free(t->why);
    free(t);
}

const char *transcript_dir(const struct transcript *t)
{
    return t->dir;
}

const char *transcript_path(const struct transcript *t, struct arena *a, const char *name)
{
    return arena_fmt(a, "%s/%s.jsonl", t->dir, name);
}

/* ---- the file; the lock is held ---- */

static void set(char **text, const char *to)
{
    free(*text);
    *text = xstrdup(to);
}

static void end(struct transcript *t)
{
    atomic_store(&t->on, false);
    close_p(&t->fd);
    t->fd = -1;
}

/* Ends it and keeps the reason for who looks. */
static void end_because(struct transcript *t, const char *why)
{
    end(t);
    set(&t->why, why);
    log_write(LOG_WARN, "the recording has ended", "transcript", t->name, "why", why, NULL);
}

/* Counts lines and cuts off what a crash left of the last one. */
static int look_through(struct transcript *t)
{
    CLEANUP(free_p) char *piece = xmalloc(65536);
    int64_t at = 0, whole = 0;
    ssize_t n;

    t->lines = 0;
    while ((n = pread(t->fd, piece, 65536, at)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (piece[i] == '\n') {
                t->lines++;
                whole = at + i + 1;
            }
        at += n;
    }
    if (n < 0 || (whole < at && ftruncate(t->fd, whole) < 0))
        return -errno;
    t->size = whole;
    return 0;
}

static int open_file(const struct transcript *t, const char *name)
{
    CLEANUP(free_p) char *path = xasprintf("%s/%s.jsonl", t->dir, name);

    if (mkdir(t->dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    return fd < 0 ? -errno : fd;
}

/* A line is there or it is not: what was written of half a one is taken back. */
static void append(struct transcript *t, const struct buf *line)
{
    ssize_t n;

    if (t->size + (int64_t)line->len > t->max_bytes) {
        end_because(t, "its file is as large as it may be");
        return;
    }
    do
        n = write(t->fd, line->data, line->len);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)line->len) {
        t->size += n;
        t->lines++;
        return;
    }
    const char *why = n < 0 ? strerror(errno) : "the disk is full";
    if (n > 0 && ftruncate(t->fd, t->size) < 0)
        why = "the disk is full, and its last line is cut off";
    end_because(t, why);
}

/* ---- for others ---- */

static enum err cannot_write(const struct transcript *t, const char *name, int e, struct fail *f)
{
    return fail(f, ERR_UNAVAILABLE, "%s/%s.jsonl cannot be written: %s", t->dir, name,
                strerror(-e));
}

/* Remembers it for the next server; replaced whole, so that nobody reads half of it. */
static int remember(const struct transcript *t)
{
    CLEANUP(free_p) char *path = xasprintf("%s/" MEMORY, t->dir);
    CLEANUP(free_p) char *tmp = xasprintf("%s.new", path);
    CLEANUP(free_p) char *text = xasprintf("%lld %s\n", (long long)t->max_bytes, t->name);
    CLEANUP(close_p)
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || rename(tmp, path) < 0)
        return -errno;
    return 0;
}

enum err transcript_open(struct transcript *t, const char *name, int64_t max_bytes, struct fail *f)
{
    int e = 0;

    (void)pthread_mutex_lock(&t->lock);
    if (t->fd < 0 || !streq(t->name, name)) {
        end(t);
        e = t->fd = open_file(t, name);
    }
    set(&t->name, name);
    set(&t->why, "");
    t->max_bytes = max_bytes;
    if (e >= 0 && !atomic_load(&t->on))
        e = look_through(t);
    if (e >= 0)
        e = remember(t);
    if (e < 0)
        end_because(t, strerror(-e));
    else
        atomic_store(&t->on, true);
    (void)pthread_mutex_unlock(&t->lock);
    return e < 0 ? cannot_write(t, name, e, f) : ERR_NONE;
}

void transcript_resume(struct transcript *t)
{
    CLEANUP(free_p) char *path = xasprintf("%s/" MEMORY, t->dir);
    CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char text[FILE_NAME_MAX + 32] = "", *name = NULL;
    struct fail f;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
        return;
    text[strcspn(text, "\n")] = 0;
    long long max_bytes = strtoll(text, &name, 10);
    if (*name == ' ' && file_name_ok(name + 1))
        (void)transcript_open(t, name + 1, max_bytes, &f); /* it keeps the reason, and logs it */
}

void transcript_close(struct transcript *t)
{
    CLEANUP(free_p) char *path = xasprintf("%s/" MEMORY, t->dir);

    (void)pthread_mutex_lock(&t->lock);
    end(t);
    set(&t->why, "");
    (void)unlink(path); /* one that stays only begins it again */
    (void)pthread_mutex_unlock(&t->lock);
}

void transcript_show(struct transcript *t, struct arena *a, struct transcript_status *ret)
{
    (void)pthread_mutex_lock(&t->lock);
    *ret = (struct transcript_status){.name = arena_str(a, t->name),
                                      .why = arena_str(a, t->why),
                                      .on = atomic_load(&t->on),
                                      .lines = t->lines};
    (void)pthread_mutex_unlock(&t->lock);
}

void transcript_note(struct transcript *t, struct call *c, const struct answer *a,
                     const struct verdict *v, int64_t began)
{
    CLEANUP(buf_done) struct buf rest = {0};
    CLEANUP(buf_done) struct buf line = {0};

    if (!atomic_load(&t->on) || !transcript_line(c, a, v, began, &rest))
        return;
    (void)pthread_mutex_lock(&t->lock);
    if (t->fd >= 0) {
        buf_fmt(&line, "{\"n\":%lld,", (long long)t->lines + 1);
        buf_add(&line, rest.data, rest.len);
        append(t, &line);
    }
    (void)pthread_mutex_unlock(&t->lock);
}
