/*
 * Child processes. A child gets the descriptors that its spec names and no other, the default
 * action for every signal and an empty signal mask. Spawning costs the same however large we are
 * (no fork).
 */
#ifndef OSTLER_NET_CHILD_H
#define OSTLER_NET_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;

/* Everything in it is read before the call returns; the descriptors stay the caller's. */
struct child_spec {
    const char *path;  /* without a slash it is looked up in PATH */
    char *const *argv; /* ended by NULL, begins with the name */
    char *const *envp; /* ended by NULL; NULL: only our PATH, and LANG=C */
    const int *fds;    /* fds[i] becomes descriptor 3 + i in the child */
    size_t n_fds;
    int out_fd;       /* standard output and standard error; -1: /dev/null */
    int in_fd;        /* standard input; -1: /dev/null */
    bool new_session; /* leads a session of its own, hence a process group of its own */
    bool new_group;   /* leads a process group of its own in our session */
    int nice;         /* 0: ours; set before the call returns, as far as the system permits */
    const char *cwd;  /* NULL: ours */
};

/*
 * Starts the program. Returns 0, or a negative errno with nothing running: -ENOENT when there is no
 * such program. The caller owns the pidfd (close-on-exec, readable once the child has ended) and
 * must reap the child, best with child_reap. Either output may be NULL.
 */
int child_spawn(const struct child_spec *spec, pid_t *ret_pid, int *ret_pidfd);

/*
 * Reaps without waiting. 0 and the wait status (as from wait(2): WIFEXITED, WEXITSTATUS, ...) when
 * the child has ended, -EAGAIN while it runs, -ECHILD when it is not ours or was reaped.
 */
int child_reap(int pidfd, int *ret_status);

/* Sends a signal, never to a stranger that got the same pid. 0, -ESRCH when it has ended, or
 * another errno. */
int child_kill(int pidfd, int signum);

/*
 * Runs a short tool in a process group of its own and collects what it says. `spec->out_fd` is
 * ignored.
 *
 * `done` is called once, from the loop, after the child has ended and was reaped: with its wait
 * status, or with -ETIMEDOUT after it and its group were killed for taking longer than `timeout_ms`
 * (0: no limit), or another negative errno. `output` is what it wrote to standard output and error,
 * at most `max_output` bytes (the rest is read and dropped), followed by a NUL, and valid only
 * during the call.
 *
 * Returns 0, or a negative errno and `done` is not called.
 */
int child_run(struct loop *loop, const struct child_spec *spec, uint64_t timeout_ms,
              size_t max_output, void (*done)(void *arg, int status, const char *output),
              void *arg);

/* The same with a handle, valid until `done` is called or child_cancel. */
struct child_job;

int child_start(struct loop *loop, const struct child_spec *spec, uint64_t timeout_ms,
                size_t max_output, void (*done)(void *arg, int status, const char *output),
                void *arg, struct child_job **ret_job);

/* Kills the child and its group, and reaps it in the background; `done` is not called. NULL is
 * fine. */
void child_cancel(struct child_job *job);

#endif
