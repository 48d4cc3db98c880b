/*
 * An engine's templates, and the making of one: a machine without a name boots to its guest's
 * template point, its state is saved, it ends, and pool threads do what waits for the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/log.h"
#include "engine/qemu/reason.h"
#include "engine/qemu/vm.h"
#include "engine/qemu/vmdir.h"
#include "net/child.h"

enum {
    PAUSE_MS = 1000,  /* after a start, and between looks whether one is under way */
    MAKE_MS = 120000, /* at the lowest priority beside busy machines */
    MAKE_NICE = 19,
    MAX_FAILED = 64, /* keys remembered; then nothing is tried any more */
    MAX_SAID = 256,
    LOG_TAIL = 4096,
};

struct templates {
    struct engine *e;
    char *host;
    struct loop_timer *soon;
    char failed[MAX_FAILED][TEMPLATE_KEY_SIZE];
    size_t n_failed;
    struct maker *maker; /* the one that is made or waits for a quiet moment */
};

struct maker {
    struct templates *t;
    struct arena *arena; /* of machine and image */
    struct machine *machine;
    struct image_files image;
    char key[TEMPLATE_KEY_SIZE];
    char *name; /* of its directory while it is unfinished */
    int dirfd, pidfd, port, state;
    struct loop_fd *watch, *said_watch;
    struct qmp *qmp;
    struct loop_timer *deadline;
    struct buf said;
    const char *why; /* it failed; static text */
    bool begun, asked, saved;
};

/* ---- what failed ---- */

static bool has_failed(const struct templates *t, const char *key)
{
    for (size_t i = 0; i < t->n_failed; i++)
        if (streq(t->failed[i], key))
            return true;
    return t->n_failed == MAX_FAILED;
}

static void remove_work(struct task *t)
{
    template_remove(t->dir, t->id);
}

static void remove_done(struct task *t)
{
    (void)t;
}

void templates_failed(struct templates *t, const char *key, const char *why)
{
    if (!t || has_failed(t, key))
        return;
    memcpy(t->failed[t->n_failed++], key, TEMPLATE_KEY_SIZE);
    log_write(LOG_WARN, "a template is given up; such machines boot", "template", key, "why", why,
              NULL);
    struct task *remove = task_new(t->e, key);
    remove->work = remove_work;
    remove->done = remove_done;
    task_run(remove);
}

bool templates_allow(struct templates *t, const struct template_ask *ask)
{
    if (!t || !ask)
        return false;
    if (ask->broken)
        templates_failed(t, ask->key, ask->broken);
    return ask->ram >= 0 && !has_failed(t, ask->key);
}

const char *templates_host(const struct templates *t)
{
    return t->host;
}

/* ---- the end of a making ---- */

static void maker_free(struct maker *m)
{
    loop_fd_free(m->watch);
    loop_fd_free(m->said_watch);
    loop_timer_free(m->deadline);
    qmp_free(m->qmp);
    close_p(&m->dirfd);
    close_p(&m->pidfd);
    close_p(&m->port);
    close_p(&m->state);
    buf_done(&m->said);
    arena_free(m->arena);
    free(m->name);
    free(m);
}

struct disk_work {
    char *name, key[TEMPLATE_KEY_SIZE];
    bool made;
};

static void free_disk_work(void *work_)
{
    struct disk_work *w = work_;

    free(w->name);
    free(w);
}

static void seal_work(struct task *t)
{
    struct disk_work *w = t->own;

    t->error = w->made ? template_seal(t->arena, t->dir, w->name, w->key) : NULL;
    if (!w->made || t->error)
        template_remove(t->dir, w->name);
}

static void seal_done(struct task *t)
{
    struct disk_work *w = t->own;
    struct templates *all = t->e->templates;

    if (t->error)
        templates_failed(all, w->key, t->error);
    else if (w->made)
        log_write(LOG_INFO, "a template was made", "template", w->key, NULL);
    maker_free(all->maker);
    all->maker = NULL;
}

static void finish_on_disk(struct maker *m)
{
    struct task *t = task_new(m->t->e, m->key);
    struct disk_work *w = xcalloc(1, sizeof(*w));

    *w = (struct disk_work){.name = xstrdup(m->name), .made = m->saved && !m->why};
    memcpy(w->key, m->key, sizeof(w->key));
    t->own = w;
    t->own_free = free_disk_work;
    t->work = seal_work;
    t->done = seal_done;
    task_run(t);
}

static void end_process(struct maker *m, const char *why)
{
    if (why && !m->why && !m->saved)
        m->why = why;
    (void)child_kill(m->pidfd, SIGKILL); /* ended already: its pidfd tells */
}

static void on_exit_(void *arg, unsigned ready)
{
    struct maker *m = arg;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(buf_done) struct buf log = {0};
    int status = -1;

    (void)ready;
    if (child_reap(m->pidfd, &status) == -EAGAIN)
        return;
    loop_fd_free(m->watch);
    m->watch = NULL;
    if (!m->saved) {
        vmdir_tail(m->dirfd, "qemu.log", LOG_TAIL, &log);
        const char *said = reason_of(a, buf_cstr(&log));
        templates_failed(m->t, m->key, m->why ? m->why : said ? said : reason_status(a, status));
    }
    finish_on_disk(m);
}

static void on_deadline(void *arg)
{
    end_process(arg, "its guest did not come to the template point in time");
}

/* ---- saving ---- */

static void on_refused(void *arg, const json_t *result, const char *error)
{
    (void)result;
    if (error)
        end_process(arg, "QEMU refuses to save it");
}

/* Ends with the event MIGRATION. */
static void save(struct maker *m)
{
    struct qmp *q = m->qmp;

    m->asked = true;
    if (qmp_call(q, "migrate-set-capabilities",
                 json_pack("{s:[{s:s,s:b},{s:s,s:b}]}", "capabilities", "capability",
                           "x-ignore-shared", "state", 1, "capability", "events", "state", 1),
                 on_refused, m) < 0 ||
        qmp_give(q, "getfd", json_pack("{s:s}", "fdname", "state"), m->state, on_refused, m) < 0 ||
        qmp_call(q, "migrate", json_pack("{s:s}", "uri", "fd:state"), on_refused, m) < 0)
        end_process(m, "QEMU does not save it");
}

static void on_said(void *arg, unsigned events)
{
    struct maker *m = arg;
    ssize_t n = recv(m->port, buf_reserve(&m->said, MAX_SAID), MAX_SAID, MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || m->said.len + (size_t)n > MAX_SAID) {
        loop_fd_want(m->said_watch, 0);
        end_process(m, "its guest did not come to the template point");
        return;
    }
    m->said.len += (size_t)n;
    buf_add(&m->said, "", 0); /* the NUL behind the new end */
    if (strstr(buf_cstr(&m->said), "READY"))
        end_process(m, "its guest knows no template point");
    else if (!m->asked && strstr(buf_cstr(&m->said), "WAIT\n"))
        save(m);
}

static void on_ready(void *arg)
{
    struct maker *m = arg;

    m->port = vmdir_dial(m->dirfd, "ready.sock");
    m->said_watch = m->port < 0 ? NULL : loop_fd_new(m->t->e->loop, m->port, on_said, m);
    if (m->said_watch)
        loop_fd_want(m->said_watch, LOOP_READ | LOOP_HUP);
    else
        end_process(m, "its ready port cannot be reached");
}

static void on_event(void *arg, const char *name, const json_t *data)
{
    struct maker *m = arg;
    const char *status = json_string_value(json_object_get(data, "status"));

    if (!streq(name, "MIGRATION") || !status)
        return;
    m->saved = streq(status, "completed");
    if (m->saved || streq(status, "failed"))
        end_process(m, "QEMU could not save it");
}

static void on_closed(void *arg, const char *why)
{
    (void)why;
    end_process(arg, "its monitor was lost");
}

/* ---- beginning ---- */

/* The directory with its empty files; 0 or a negative errno. */
static int lay_out(struct maker *m)
{
    CLEANUP(free_p) char *all = xasprintf("%s/templates", m->t->e->dir);
    CLEANUP(free_p) char *path = xasprintf("%s/%s", all, m->name);

    if ((mkdir(all, 0700) < 0 && errno != EEXIST) || mkdir(path, 0700) < 0)
        return -errno;
    m->dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (m->dirfd < 0)
        return -errno;
    m->state = openat(m->dirfd, "state", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    CLEANUP(close_p) int ram = openat(m->dirfd, "ram", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (m->state < 0 || ram < 0 || ftruncate(ram, (off_t)m->machine->memory_mib << 20) < 0)
        return -errno;
    return 0;
}

static int spawn(struct maker *m)
{
    struct engine *e = m->t->e;
    struct arena *a = m->arena;
    char **argv =
        template_make_args(a, args_build(a, m->machine, &m->image, &e->accel.platform), m->machine);
    CLEANUP(close_p) int lock = vmdir_lock(m->dirfd), monitor = vmdir_listen(m->dirfd);
    CLEANUP(close_p)
    int log = openat(m->dirfd, "qemu.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int fds[] = {lock, monitor};
    pid_t pid;

    if (lock < 0 || monitor < 0 || log < 0)
        return lock < 0 ? lock : monitor < 0 ? monitor : -EIO;
    int r = child_spawn(&(struct child_spec){.path = e->accel_request.qemu,
                                             .argv = argv,
                                             .fds = fds,
                                             .n_fds = ARRAY_LEN(fds),
                                             .in_fd = -1,
                                             .out_fd = log,
                                             .new_session = true,
                                             .nice = MAKE_NICE},
                        &pid, &m->pidfd);
    if (r)
        return r;
    m->watch = loop_fd_new(e->loop, m->pidfd, on_exit_, m);
    if (!m->watch)
        abort(); /* a pidfd can be watched */
    loop_fd_want(m->watch, LOOP_READ);
    int fd = vmdir_connect(m->dirfd, &pid);
    if (fd < 0) {
        end_process(m, "its monitor cannot be reached");
        return 0;
    }
    m->qmp = qmp_new(
        e->loop, fd,
        &(struct qmp_handler){.ready = on_ready, .event = on_event, .closed = on_closed, .arg = m});
    loop_timer_set(m->deadline, MAKE_MS, 0);
    return 0;
}

static void begin(void *arg)
{
    struct templates *t = arg;
    struct maker *m = t->maker;

    if (!m || m->begun)
        return;
    if (t->e->starting) {
        loop_timer_set(t->soon, PAUSE_MS, 0);
        return;
    }
    m->begun = true;
    int r = lay_out(m);
    if (!r)
        r = spawn(m);
    if (!r)
        return;
    templates_failed(t, m->key, strerror(-r));
    finish_on_disk(m);
}

void templates_started(struct templates *t, const struct template_ask *ask, const struct machine *m,
                       const struct image_files *image)
{
    uint64_t mark;

    if (!t || !ask || !*ask->key || ask->ram >= 0 || t->maker || has_failed(t, ask->key))
        return;
    struct maker *maker = t->maker = xcalloc(1, sizeof(*maker));
    struct arena *a = arena_new();
    random_bytes(&mark, sizeof(mark));
    *maker = (struct maker){.t = t,
                            .arena = a,
                            .machine = template_machine(a, m),
                            .image = {.kernel = arena_str(a, image->kernel),
                                      .initrd = arena_str(a, image->initrd),
                                      .cmdline = arena_str(a, image->cmdline)},
                            .name = xasprintf(".%s.%016llx", ask->key, (unsigned long long)mark),
                            .dirfd = -1,
                            .pidfd = -1,
                            .port = -1,
                            .state = -1,
                            .deadline = loop_timer_new(t->e->loop, on_deadline, maker)};
    memcpy(maker->key, ask->key, sizeof(maker->key));
    loop_timer_set(t->soon, PAUSE_MS, 0);
}

/* ---- all of them ---- */

struct templates *templates_new(struct engine *e)
{
    CLEANUP(buf_done) struct buf host = {0};
    struct templates *t = xcalloc(1, sizeof(*t));

    accel_host(&e->accel_request, &host);
    buf_fmt(&host, "|%s", e->accel.version);
    *t = (struct templates){.e = e, .host = buf_take(&host)};
    t->soon = loop_timer_new(e->loop, begin, t);
    return t;
}

void templates_free(struct templates *t)
{
    if (!t)
        return;
    if (t->maker) {
        /* What it leaves in the directory is swept away at the next start. */
        if (t->maker->watch)
            (void)child_kill(t->maker->pidfd, SIGKILL);
        maker_free(t->maker);
    }
    loop_timer_free(t->soon);
    free(t->host);
    free(t);
}
