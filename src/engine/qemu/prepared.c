/* Processes started ahead: chosen, made one at a time, handed over or ended. */
#include "engine/qemu/prepared.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/log.h"
#include "engine/qemu/spec.h"
#include "engine/qemu/vm.h"
#include "engine/qemu/vmdir.h"
#include "net/child.h"

enum {
    FD_MARK = FD_FIRST_KEY, /* a prepared machine has no keys */
    PAUSE_MS = 50,          /* without a start, before the next one is made */
    BIRTH_MS = 20000,       /* until its monitor answers */
    REAP_MS = 20000,        /* from SIGKILL to giving up */
    ORPHAN_TRIES = 100,
    ORPHAN_MS = 10,
};

enum stage {
    WAITING, /* for its turn to be made */
    LOADING, /* its image and disks are looked at, on a pool thread */
    BOOTING, /* the process is there, its monitor does not answer yet */
    READY,
    ENDING
};

struct prepared {
    struct prepared *next;
    struct engine *e;
    enum stage stage;
    struct machine *spec;
    char *shape;          /* what it was made with */
    int lock_fd, mark_fd; /* the process has them, too */
    int pidfd;
    pid_t pid;
    struct loop_fd *watch;
    struct qmp *qmp;
    struct loop_timer *deadline;
    bool waited; /* an operation goes on after its end */
};

static struct prepared *find(const struct engine *e, const char *id)
{
    for (struct prepared *p = e->prepared; p; p = p->next)
        if (streq(p->spec->id, id))
            return p;
    return NULL;
}

unsigned prepared_count(const struct engine *e)
{
    unsigned n = 0;

    for (const struct prepared *p = e->prepared; p; p = p->next)
        n += p->stage == READY;
    return n;
}

/* ---- the mark ---- */

static int open_marks(const char *dir, bool make)
{
    CLEANUP(free_p) char *path = xasprintf("%s/prepared", dir);

    if (make && mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The mark's file, locked: a descriptor, or a negative errno. */
static int set_mark(struct engine *e, const char *id)
{
    CLEANUP(close_p) int all = open_marks(e->dir, true);

    if (all < 0)
        return all;
    CLEANUP(close_p)
    int fd = openat(all, id, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    return fd_take(&fd);
}

static void remove_mark(struct engine *e, const char *id)
{
    CLEANUP(close_p) int all = open_marks(e->dir, false);

    if (all >= 0)
        (void)unlinkat(all, id, 0);
}

/* ---- the end of one ---- */

static void take_out(struct prepared *p)
{
    for (struct prepared **at = &p->e->prepared; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            return;
        }
}

static void prepared_free(struct prepared *p)
{
    take_out(p);
    qmp_free(p->qmp);
    loop_fd_free(p->watch);
    loop_timer_free(p->deadline);
    close_p(&p->pidfd);
    close_p(&p->lock_fd);
    close_p(&p->mark_fd);
    spec_free(p->spec);
    free(p->shape);
    free(p);
}

/* Its process is gone; an operation may be waiting for that. */
static void ended(struct prepared *p)
{
    struct engine *e = p->e;
    struct vm *vm = p->waited ? vm_find(e, p->spec->id) : NULL;

    remove_mark(e, p->spec->id);
    prepared_free(p);
    engine_describe(e);
    if (vm)
        loop_timer_set(vm->soon, 0, 0);
    prepared_soon(e);
}

static void on_exit_(void *arg, unsigned events)
{
    struct prepared *p = arg;
    int status;

    (void)events;
    if (child_reap(p->pidfd, &status) == -EAGAIN)
        return;
    if (p->stage != ENDING)
        log_write(LOG_WARN, "a process started ahead died", "instance", p->spec->id, NULL);
    ended(p);
}

/* There is nothing in it that could be lost. */
static void dismiss(struct prepared *p)
{
    if (p->stage == ENDING)
        return;
    if (p->stage == WAITING || p->stage == LOADING) {
        prepared_free(p);
        return;
    }
    p->stage = ENDING;
    qmp_free(p->qmp);
    p->qmp = NULL;
    (void)process_priority(p->pid, true); /* a start may be waiting for its end */
    (void)child_kill(p->pidfd, SIGKILL);  /* gone already: its pidfd tells */
    loop_timer_set(p->deadline, REAP_MS, 0);
    engine_describe(p->e);
}

static void on_deadline(void *arg)
{
    struct prepared *p = arg;

    log_write(LOG_WARN, "a process started ahead does not answer", "instance", p->spec->id, NULL);
    if (p->stage == ENDING)
        ended(p); /* the disks' own locks keep a start off them */
    else
        dismiss(p);
}

bool prepared_gone(struct vm *vm)
{
    struct prepared *p = find(vm->e, vm->id);

    if (!p)
        return true;
    p->waited = true;
    dismiss(p);
    return !find(vm->e, vm->id);
}

/* ---- what it is made with ---- */

/* A file by its place and, where its content must not change either, its time. */
static void add_file(struct buf *b, int at, const char *path, bool content)
{
    struct stat st;

    if (!path)
        return;
    if (fstatat(at, path, &st, 0) < 0)
        st = (struct stat){0};
    buf_fmt(b, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    if (content)
        buf_fmt(b, ":%lld:%lld.%09ld", (long long)st.st_size, (long long)st.st_mtim.tv_sec,
                st.st_mtim.tv_nsec);
    buf_char(b, '\n');
}

/* Equal texts, equal machines. The caller frees it. */
static char *shape_of(int dirfd, const struct machine *m, const struct image_files *image,
                      char **argv)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (; *argv; argv++) {
        buf_str(&b, *argv);
        buf_char(&b, '\n');
    }
    add_file(&b, AT_FDCWD, image->kernel, true);
    add_file(&b, AT_FDCWD, image->initrd, true);
    add_file(&b, AT_FDCWD, image->disk, true);
    for (size_t i = 0; i < m->n_disks; i++) {
        CLEANUP(free_p) char *name = xasprintf("%s.qcow2", spec_disk_file(&m->disks[i]));

        add_file(&b, dirfd, name, false);
    }
    return buf_take(&b);
}

/* ---- the process ---- */

static void on_status(void *arg, const json_t *result, const char *error)
{
    struct prepared *p = arg;
    const char *status = json_string_value(json_object_get(result, "status"));

    (void)error;
    if (!status || !streq(status, "prelaunch")) {
        dismiss(p);
        return;
    }
    p->stage = READY;
    loop_timer_stop(p->deadline);
    engine_describe(p->e);
    log_write(LOG_DEBUG, "a machine is prepared", "instance", p->spec->id, NULL);
    prepared_soon(p->e);
}

static void on_ready(void *arg)
{
    (void)arg; /* the status is on its way */
}

static void on_event(void *arg, const char *name, const json_t *data)
{
    (void)arg;
    (void)name;
    (void)data;
}

static void on_closed(void *arg, const char *why)
{
    (void)why;
    dismiss(arg);
}

static int watch_process(struct prepared *p)
{
    pid_t listener;
    CLEANUP(close_p) int dirfd = vmdir_open(p->e->dir, p->spec->id, false);
    int fd = dirfd < 0 ? dirfd : vmdir_connect(dirfd, &listener);

    p->deadline = loop_timer_new(p->e->loop, on_deadline, p);
    p->watch = loop_fd_new(p->e->loop, p->pidfd, on_exit_, p);
    if (!p->watch)
        abort(); /* a pidfd can be watched */
    loop_fd_want(p->watch, LOOP_READ);
    loop_timer_set(p->deadline, BIRTH_MS, 0);
    if (fd < 0)
        return fd;
    p->qmp = qmp_new(
        p->e->loop, fd,
        &(struct qmp_handler){.ready = on_ready, .event = on_event, .closed = on_closed, .arg = p});
    return qmp_call(p->qmp, "query-status", NULL, on_status, p);
}

static int spawn(struct prepared *p, int dirfd, char **argv)
{
    const int log_flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

    /* As long as this lock is held the machine does not run, and cannot begin to. */
    CLEANUP(close_p) int lock = vmdir_lock(dirfd);
    if (lock < 0)
        return lock;
    vmdir_tidy(dirfd);
    p->lock_fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    p->mark_fd = set_mark(p->e, p->spec->id);
    CLEANUP(close_p) int monitor = vmdir_listen(dirfd);
    CLEANUP(close_p) int log = openat(dirfd, "qemu.log", log_flags, 0600);
    if (p->lock_fd < 0 || p->mark_fd < 0 || monitor < 0 || log < 0)
        return -EIO;
    const int fds[] = {p->lock_fd, monitor, p->mark_fd};
    return child_spawn(&(struct child_spec){.path = p->e->accel_request.qemu,
                                            .argv = argv,
                                            .fds = fds,
                                            .n_fds = ARRAY_LEN(fds),
                                            .in_fd = -1,
                                            .out_fd = log,
                                            .new_session = true},
                       &p->pid, &p->pidfd);
}

static char **paused(struct arena *a, char **argv)
{
    size_t n = 0;

    while (argv[n])
        n++;
    char **with = ARENA_ARRAY(a, char *, n + 2);
    memcpy(with, argv, n * sizeof(*with));
    with[n] = arena_str(a, "-S");
    return with;
}

static void make(struct prepared *p, const struct image_files *image)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(close_p) int dirfd = vmdir_open(p->e->dir, p->spec->id, false);
    char **argv = args_build(a, p->spec, image, &p->e->accel.platform);
    int e = dirfd;

    if (dirfd >= 0) {
        p->shape = shape_of(dirfd, p->spec, image, argv);
        e = spawn(p, dirfd, paused(a, argv));
    }
    if (e < 0) {
        log_write(LOG_WARN, "a machine cannot be prepared", "instance", p->spec->id, "why",
                  strerror(-e), NULL);
        if (p->mark_fd >= 0)
            remove_mark(p->e, p->spec->id);
        prepared_free(p);
        return;
    }
    p->stage = BOOTING;
    (void)process_priority(p->pid, false);
    if (watch_process(p) < 0)
        dismiss(p);
}

/* ---- one after the other ---- */

static void load_work(struct task *t)
{
    t->error = image_load(t->arena, t->spec->image_path, &t->image);
    if (!t->error && t->spec->direct_kernel && !t->image.kernel)
        t->error = "the image brings no kernel";
    if (!t->error)
        t->error = disks_check(t->arena, t->dirfd, t->spec, false);
}

static void load_done(struct task *t)
{
    struct engine *e = t->e;
    struct prepared *p = find(e, t->id);

    if (!p || p->stage != LOADING)
        return; /* something else was asked of it meanwhile */
    p->stage = WAITING;
    if (e->n_starts)
        return;
    if (t->error)
        prepared_free(p); /* a start will say so */
    else
        make(p, &t->image);
    prepared_soon(e);
}

static void load(struct prepared *p)
{
    struct task *t = task_new(p->e, p->spec->id);

    p->stage = LOADING;
    t->spec = t->owned = spec_new(p->spec);
    t->dirfd = vmdir_open(p->e->dir, p->spec->id, false);
    t->work = load_work;
    t->done = load_done;
    task_run(t);
}

static void next(void *arg)
{
    struct engine *e = arg;
    struct prepared *waiting = NULL;

    for (struct prepared *p = e->prepared; p; p = p->next) {
        if (p->stage == LOADING || p->stage == BOOTING)
            return; /* its end leads here again */
        if (p->stage == WAITING && !waiting)
            waiting = p;
    }
    if (waiting && !e->n_starts)
        load(waiting);
}

void prepared_soon(struct engine *e)
{
    if (!e->prepared)
        return;
    if (!e->prepare)
        e->prepare = loop_timer_new(e->loop, next, e);
    loop_timer_set(e->prepare, PAUSE_MS, 0);
}

static bool has_keys(const struct machine *m)
{
    for (size_t i = 0; i < m->n_disks; i++)
        if (m->disks[i].encrypted)
            return true;
    return false;
}

static void drop_beyond(struct engine *e, unsigned max)
{
    unsigned n = 0;

    for (struct prepared *p = e->prepared, *after; p; p = after) {
        after = p->next;
        if (p->stage != ENDING && ++n > max)
            dismiss(p);
    }
}

void prepared_offer(struct engine *e, const struct machine *m)
{
    if (!e->max_prepared || has_keys(m) || find(e, m->id))
        return;
    struct prepared *p = xcalloc(1, sizeof(*p));
    *p = (struct prepared){.next = e->prepared,
                           .e = e,
                           .spec = spec_new(m),
                           .lock_fd = -1,
                           .mark_fd = -1,
                           .pidfd = -1};
    e->prepared = p;
    drop_beyond(e, e->max_prepared);
    prepared_soon(e);
}

/* ---- handing over ---- */

bool prepared_waits(const struct vm *vm)
{
    const struct prepared *p = find(vm->e, vm->id);

    return p && p->stage == READY;
}

/* The lock passes from our descriptor to the one that the process has. Nobody else may take it in
 * between: this directory is one daemon's. */
static bool pass_lock(struct vm *vm, struct prepared *p)
{
    close_p(&vm->lock_fd);
    vm->lock_fd = -1;
    if (flock(p->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    vm->lock_fd = vmdir_lock(vm->dirfd);
    return false;
}

bool prepared_hand_over(struct vm *vm, const struct machine *spec, const struct image_files *image,
                        char **argv)
{
    struct prepared *p = find(vm->e, vm->id);

    if (!p || p->stage != READY)
        return false;
    CLEANUP(free_p) char *shape = shape_of(vm->dirfd, spec, image, argv);
    if (!streq(shape, p->shape) || !pass_lock(vm, p))
        return false;
    /* From here on it is the machine; the mark must not say otherwise. */
    remove_mark(vm->e, vm->id);
    (void)flock(p->mark_fd, LOCK_UN);
    loop_fd_free(p->watch);
    p->watch = NULL;
    vm_take_over(vm, p->pid, fd_take(&p->pidfd), p->qmp);
    p->qmp = NULL;
    prepared_free(p);
    engine_describe(vm->e);
    return true;
}

/* ---- the beginning and the end of a daemon ---- */

/* Its end is waited for: the locks on its disks would stop a start. */
static void end_process(pid_t pid)
{
    CLEANUP(close_p) int fd = pidfd_open(pid, 0);

    if (fd < 0 || child_kill(fd, SIGKILL) < 0)
        return;
    (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, ORPHAN_MS * ORPHAN_TRIES);
}

/* The mark is held: by a process that waits, or by one that was handed over just then. */
static bool end_holder(const char *dir, const char *id, int mark)
{
    CLEANUP(close_p) int inst = vmdir_open(dir, id, false);
    pid_t pid = vmdir_find_holder(mark, FD_MARK);

    if (pid > 0 && inst >= 0 && vmdir_holds(inst, pid))
        return true;
    if (pid > 0) {
        log_write(LOG_INFO, "ending a process that was started ahead", "instance", id, NULL);
        end_process(pid);
    } else {
        (void)poll(NULL, 0, ORPHAN_MS); /* it is just being made, or just ending */
    }
    return false;
}

static void end_orphan(int all, const char *dir, const char *id)
{
    CLEANUP(close_p) int mark = openat(all, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    for (int i = 0; mark >= 0 && i < ORPHAN_TRIES; i++)
        if (flock(mark, LOCK_EX | LOCK_NB) == 0 || end_holder(dir, id, mark)) {
            (void)unlinkat(all, id, 0);
            return;
        }
    log_write(LOG_ERROR, "a process that was started ahead cannot be ended", "instance", id, NULL);
}

void prepared_end_orphans(const char *dir)
{
    int all = open_marks(dir, false);
    DIR *d = all >= 0 ? fdopendir(all) : NULL;

    for (struct dirent *entry; d && (entry = readdir(d));)
        if (entry->d_name[0] != '.')
            end_orphan(all, dir, entry->d_name);
    if (d)
        (void)closedir(d);
    else
        close_p(&all);
}

void prepared_close(struct engine *e)
{
    for (struct prepared *p = e->prepared; p; p = p->next)
        if (p->pidfd >= 0)
            (void)child_kill(p->pidfd, SIGKILL); /* all first, then each is waited for */
    while (e->prepared) {
        struct prepared *p = e->prepared;
        int status;

        if (p->pidfd >= 0) {
            (void)poll(&(struct pollfd){.fd = p->pidfd, .events = POLLIN}, 1,
                       ORPHAN_MS * ORPHAN_TRIES);
            (void)child_reap(p->pidfd, &status);
            remove_mark(e, p->spec->id);
        }
        prepared_free(p);
    }
    loop_timer_free(e->prepare);
}
