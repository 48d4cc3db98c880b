/* Starting a child by posix_spawn, and its pidfd. */
#include "net/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/util.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

enum { FIRST_FD = 3, MAX_FDS = 1024 };

/* What posix_spawn is given. `copies` are ours, moved out of the way of the numbers that the
 * child's will have. */
struct plan {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int *copies;
    size_t n_copies;
};

static void plan_done(struct plan *p)
{
    (void)posix_spawn_file_actions_destroy(&p->actions); /* cannot fail for an initialised one */
    (void)posix_spawnattr_destroy(&p->attr);
    for (size_t i = 0; i < p->n_copies; i++)
        (void)close(p->copies[i]); /* a duplicate: nothing is lost */
    free(p->copies);
}

/*
 * The child's descriptor `to` is to be our `fd`. One that lies among the child's numbers could be
 * overwritten by an earlier step, so that is copied to a number above them first.
 */
static int plan_fd(struct plan *p, int fd, int to, int n_all)
{
    if (fd < n_all) {
        fd = fcntl(fd, F_DUPFD_CLOEXEC, n_all);
        if (fd < 0)
            return -errno;
        p->copies[p->n_copies++] = fd;
    }
    return -posix_spawn_file_actions_adddup2(&p->actions, fd, to);
}

static int plan_files(struct plan *p, const struct child_spec *spec)
{
    int n_all = FIRST_FD + (int)spec->n_fds, r;

    r = spec->in_fd < 0
            ? -posix_spawn_file_actions_addopen(&p->actions, 0, "/dev/null", O_RDONLY, 0)
            : plan_fd(p, spec->in_fd, 0, n_all);
    if (!r)
        r = spec->out_fd < 0
                ? -posix_spawn_file_actions_addopen(&p->actions, 1, "/dev/null", O_WRONLY, 0)
                : plan_fd(p, spec->out_fd, 1, n_all);
    if (!r)
        r = -posix_spawn_file_actions_adddup2(&p->actions, 1, 2);
    for (size_t i = 0; !r && i < spec->n_fds; i++)
        r = plan_fd(p, spec->fds[i], FIRST_FD + (int)i, n_all);
    if (!r)
        r = -posix_spawn_file_actions_addclosefrom_np(&p->actions, n_all);
    if (!r && spec->cwd)
        r = -posix_spawn_file_actions_addchdir_np(&p->actions, spec->cwd);
    return r;
}

static int plan_attr(struct plan *p, const struct child_spec *spec)
{
    short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    sigset_t all, none;

    (void)sigfillset(&all); /* these two cannot fail */
    (void)sigemptyset(&none);
    if (spec->new_session)
        flags |= POSIX_SPAWN_SETSID;
    else if (spec->new_group)
        flags |= POSIX_SPAWN_SETPGROUP; /* group 0, the default: its own */
    int r = -posix_spawnattr_setsigdefault(&p->attr, &all);
    if (!r)
        r = -posix_spawnattr_setsigmask(&p->attr, &none);
    if (!r)
        r = -posix_spawnattr_setflags(&p->attr, flags);
    return r;
}

static int plan_init(struct plan *p, const struct child_spec *spec)
{
    *p = (struct plan){0};
    (void)posix_spawn_file_actions_init(&p->actions); /* these two always return 0 in glibc */
    (void)posix_spawnattr_init(&p->attr);
    p->copies = xcalloc(spec->n_fds + 2, sizeof(*p->copies));
    int r = plan_files(p, spec);
    return r ? r : plan_attr(p, spec);
}

static int spawn(const struct child_spec *spec, const struct plan *p, pid_t *ret_pid)
{
    const char *path = getenv("PATH");
    CLEANUP(free_p)
    char *path_var = xasprintf(
        "PATH=%s", str_empty(path) ? "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" : path);
    char lang_var[] = "LANG=C";
    char *least[] = {path_var, lang_var, NULL};
    char *const *env = spec->envp ? spec->envp : least;

    /* posix_spawn reports a failed exec too: it waits until the child has become the program. */
    return strchr(spec->path, '/')
               ? -posix_spawn(ret_pid, spec->path, &p->actions, &p->attr, spec->argv, env)
               : -posix_spawnp(ret_pid, spec->path, &p->actions, &p->attr, spec->argv, env);
}

/*
 * A nice value belongs to a thread. The program may have started some already, and threads inherit
 * from the one that makes them: so first the one that exists for sure, then whoever is there.
 * Failure is the system's refusal.
 */
static void set_nice(pid_t pid, int nice)
{
    char path[64];

    (void)setpriority(PRIO_PROCESS, (id_t)pid, nice);
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *e; (e = readdir(dir));) {
        long long tid;

        if (!parse_i64(e->d_name, &tid) && tid > 0 && tid != pid && tid <= INT_MAX)
            (void)setpriority(PRIO_PROCESS, (id_t)tid, nice);
    }
    (void)closedir(dir);
}

static void kill_and_wait(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* not reaped yet, so the pid is still its own */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int child_spawn(const struct child_spec *spec, pid_t *ret_pid, int *ret_pidfd)
{
    struct plan p;
    pid_t pid;

    if (!spec->path || !spec->argv || spec->n_fds > MAX_FDS)
        return -EINVAL;
    int r = plan_init(&p, spec);
    if (!r)
        r = spawn(spec, &p, &pid);
    plan_done(&p);
    if (r)
        return r;
    if (ret_pidfd) {
        int pidfd = pidfd_open(pid, 0);

        if (pidfd < 0) {
            r = -errno;
            kill_and_wait(pid);
            return r;
        }
        *ret_pidfd = pidfd;
    }
    if (spec->nice)
        set_nice(pid, spec->nice);
    if (ret_pid)
        *ret_pid = pid;
    return 0;
}

/* waitid(2) splits what wait(2) packs; callers want the macros of the latter. */
static int wait_status(const siginfo_t *info)
{
    switch (info->si_code) {
    case CLD_EXITED:
        return (info->si_status & 0xff) << 8;
    case CLD_DUMPED:
        return info->si_status | WCOREFLAG;
    default:
        return info->si_status;
    }
}

int child_reap(int pidfd, int *ret_status)
{
    siginfo_t info = {0};

    while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0)
        if (errno != EINTR)
            return -errno;
    if (!info.si_pid)
        return -EAGAIN;
    *ret_status = wait_status(&info);
    return 0;
}

int child_kill(int pidfd, int signum)
{
    return pidfd_send_signal(pidfd, signum, NULL, 0) < 0 ? -errno : 0;
}
