/* Making disk files, and looking whether they are there. */
#include "engine/qemu/disks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "engine/qemu/reason.h"
#include "engine/qemu/spec.h"
#include "net/child.h"
#include "net/loop.h"

enum { TOOL_MS = 60000, TOOL_OUTPUT = 16 << 10, MAX_TRIES = 5 };

/* The file is on the disk before it gets its name; done on a pool thread. */
struct seal {
    struct disks_job *job; /* NULL: nobody waits any more */
    int dirfd, error;
    char *tmp, *name;
};

struct disks_job {
    struct disks_queue *queue;
    struct disks_job *next_queued;
    bool queued;
    int dirfd;
    const struct machine *spec;
    const struct image_files *image;
    bool only_local;
    void (*done)(void *arg, const char *error);
    void *arg;
    size_t at; /* the disk that is being made */
    int tries;
    uint64_t mark; /* a qemu-img of a daemon that was killed may still write: never the same name */
    struct child_job *tool;
    struct seal *seal;
    struct arena *arena;
    struct loop_timer *soon; /* `done` is never called from disks_make itself */
    const char *error;
};

static const char *file_name(struct arena *a, const struct machine_disk *d)
{
    return arena_fmt(a, "%s.qcow2", spec_disk_file(d));
}

static bool is_there(int dirfd, const char *name)
{
    struct stat st;

    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

bool disks_lack(int dirfd, const struct machine *spec)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    for (size_t i = 0; i < spec->n_disks; i++)
        if (!is_there(dirfd, file_name(a, &spec->disks[i])))
            return true;
    return false;
}

static void job_free(struct disks_job *job)
{
    loop_timer_free(job->soon);
    arena_free(job->arena);
    free(job);
}

static void finish(struct disks_job *job, const char *error)
{
    job->done(job->arg, error);
    job_free(job);
}

static void next_disk(struct disks_job *job);

/* ---- a disk whose file is complete ---- */

static void seal_work(void *arg)
{
    struct seal *s = arg;
    CLEANUP(close_p) int fd = openat(s->dirfd, s->tmp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fsync(fd) < 0 || renameat(s->dirfd, s->tmp, s->dirfd, s->name) < 0 ||
        fsync(s->dirfd) < 0)
        s->error = errno;
}

static void seal_done(void *arg)
{
    struct seal *s = arg;
    struct disks_job *job = s->job;
    int error = s->error;

    (void)close(s->dirfd); /* only read */
    free(s->tmp);
    free(s->name);
    free(s);
    if (!job)
        return;
    job->seal = NULL;
    if (error) {
        finish(job, arena_fmt(job->arena, "a disk cannot be written: %s", strerror(error)));
        return;
    }
    job->at++;
    next_disk(job);
}

static void seal_begin(struct disks_job *job)
{
    const struct machine_disk *d = &job->spec->disks[job->at];
    struct seal *s = xcalloc(1, sizeof(*s));

    /* A descriptor of its own: the job may be cancelled, and its owner's closed, meanwhile. */
    s->dirfd = fcntl(job->dirfd, F_DUPFD_CLOEXEC, 0);
    s->name = xasprintf("%s.qcow2", spec_disk_file(d));
    s->tmp = xasprintf("%s.%016llx.tmp", s->name, (unsigned long long)job->mark);
    s->job = job;
    job->seal = s;
    if (s->dirfd >= 0 && loop_work(job->queue->loop, seal_work, seal_done, s) == 0)
        return;
    s->error = ENOMEM;
    seal_done(s);
}

/* ---- the queue ---- */

static void start_tool(struct disks_job *job);

/* One at a time: what a start leads to may change everything. */
static void give_turn(void *arg)
{
    struct disks_queue *q = arg;
    struct disks_job *job = q->first;

    if (!job || q->running >= q->max)
        return;
    q->first = job->next_queued;
    if (!q->first)
        q->end = &q->first;
    job->queued = false;
    loop_timer_set(q->soon, 0, 0);
    start_tool(job);
}

static void leave(struct disks_queue *q)
{
    q->running--;
    if (q->first)
        loop_timer_set(q->soon, 0, 0);
}

static void wait_for_turn(struct disks_job *job)
{
    struct disks_queue *q = job->queue;

    job->queued = true;
    job->next_queued = NULL;
    *q->end = job;
    q->end = &job->next_queued;
    loop_timer_set(q->soon, 0, 0);
}

static void leave_queue(struct disks_job *job)
{
    struct disks_queue *q = job->queue;
    struct disks_job **at = &q->first;

    while (*at != job)
        at = &(*at)->next_queued;
    *at = job->next_queued;
    if (!*at)
        q->end = at;
}

void disks_queue_init(struct disks_queue *q, struct loop *loop, unsigned max)
{
    *q = (struct disks_queue){.loop = loop, .max = max};
    q->end = &q->first;
    q->soon = loop_timer_new(loop, give_turn, q);
}

void disks_queue_done(struct disks_queue *q)
{
    loop_timer_free(q->soon);
}

/* ---- qemu-img ---- */

static void tool_done(void *arg, int status, const char *output)
{
    struct disks_job *job = arg;
    const struct machine_disk *d = &job->spec->disks[job->at];

    job->tool = NULL;
    leave(job->queue);
    if (status == 0) {
        seal_begin(job);
        return;
    }
    /* Making LUKS headers measures CPU time and now and then fails to ("Unable to get accurate CPU
     * usage"). */
    if (d->encrypted && status > 0 && ++job->tries < MAX_TRIES) {
        wait_for_turn(job);
        return;
    }
    const char *why = status < 0 ? strerror(-status) : reason_of(job->arena, output);
    finish(job, arena_fmt(job->arena, "disk %s cannot be made: %s", d->id,
                          why ? why : reason_status(job->arena, status)));
}

static void add(const char **argv, size_t *n, const char *a, const char *b)
{
    argv[(*n)++] = a;
    argv[(*n)++] = b;
}

static void start_tool(struct disks_job *job)
{
    const struct machine_disk *d = &job->spec->disks[job->at];
    struct arena *a = job->arena;
    const char *argv[20] = {"qemu-img", "create", "-q"};
    CLEANUP(close_p) int key = -1;
    size_t n = 3;

    add(argv, &n, "-f", "qcow2");
    if (d->kind == DISK_SYSTEM && job->image->disk) {
        add(argv, &n, "-b", job->image->disk);
        add(argv, &n, "-F", job->image->disk_format);
    }
    if (d->encrypted) {
        key = spec_key_pipe(&d->data_key);
        if (key < 0) {
            finish(job, arena_fmt(a, "disk %s is encrypted and its key is not at hand", d->id));
            return;
        }
        /* The key is random and long, so a slow derivation would gain nothing and cost seconds a
         * start. */
        add(argv, &n, "--object", "secret,id=key,format=raw,file=/dev/fd/4");
        add(argv, &n, "-o", "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10");
    }
    add(argv, &n,
        arena_fmt(a, "/proc/self/fd/3/%s.%016llx.tmp", file_name(a, d),
                  (unsigned long long)job->mark),
        arena_fmt(a, "%lldG", (long long)d->size_gib));
    const int fds[] = {job->dirfd, key};
    const struct child_spec spec = {.path = argv[0],
                                    .argv = (char *const *)argv,
                                    .fds = fds,
                                    .n_fds = d->encrypted ? 2 : 1,
                                    .in_fd = -1,
                                    .out_fd = -1};
    int e = child_start(job->queue->loop, &spec, TOOL_MS, TOOL_OUTPUT, tool_done, job, &job->tool);
    if (!e)
        job->queue->running++;
    else
        finish(job, arena_fmt(a, "qemu-img does not start: %s", strerror(-e)));
}

static void next_disk(struct disks_job *job)
{
    for (; job->at < job->spec->n_disks; job->at++) {
        const struct machine_disk *d = &job->spec->disks[job->at];

        if (job->only_local && d->kind != DISK_LOCAL)
            continue;
        if (is_there(job->dirfd, file_name(job->arena, d)))
            continue;
        job->tries = 0;
        wait_for_turn(job);
        return;
    }
    finish(job, NULL);
}

static void drop_unfinished(int dirfd)
{
    DIR *d = NULL;
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 && !(d = fdopendir(fd)))
        (void)close(fd);
    for (struct dirent *e; d && (e = readdir(d));)
        if (strlen(e->d_name) > 4 && streq(e->d_name + strlen(e->d_name) - 4, ".tmp"))
            (void)unlinkat(dirfd, e->d_name, 0);
    if (d)
        (void)closedir(d);
}

static void begin(void *arg)
{
    struct disks_job *job = arg;

    drop_unfinished(job->dirfd);
    next_disk(job);
}

struct disks_job *disks_make(struct disks_queue *queue, int dirfd, const struct machine *spec,
                             const struct image_files *image, bool only_local,
                             void (*done)(void *arg, const char *error), void *arg)
{
    struct disks_job *job = xcalloc(1, sizeof(*job));

    *job = (struct disks_job){.queue = queue,
                              .dirfd = dirfd,
                              .spec = spec,
                              .image = image,
                              .only_local = only_local,
                              .done = done,
                              .arg = arg,
                              .arena = arena_new()};
    random_bytes(&job->mark, sizeof(job->mark));
    job->soon = loop_timer_new(queue->loop, begin, job);
    loop_timer_set(job->soon, 0, 0);
    return job;
}

void disks_cancel(struct disks_job *job)
{
    if (!job)
        return;
    if (job->tool)
        leave(job->queue);
    child_cancel(job->tool);
    if (job->queued)
        leave_queue(job);
    if (job->seal)
        job->seal->job = NULL;
    job_free(job);
}

const char *disks_check(struct arena *a, int dirfd, const struct machine *spec, bool reset_local)
{
    for (size_t i = 0; i < spec->n_disks; i++) {
        const struct machine_disk *d = &spec->disks[i];
        bool renew = d->kind == DISK_LOCAL && reset_local;

        if (d->encrypted && !d->data_key.len)
            return arena_fmt(a, "disk %s is encrypted and its key is not at hand", d->id);
        if (d->failed && !renew)
            return arena_fmt(a, "disk %s is broken", d->id);
        if (d->failed && unlinkat(dirfd, file_name(a, d), 0) < 0 && errno != ENOENT)
            return arena_fmt(a, "disk %s cannot be made anew: %s", d->id, strerror(errno));
        if (!renew && !is_there(dirfd, file_name(a, d)))
            return arena_fmt(a, "the file of disk %s is missing", d->id);
    }
    return NULL;
}
