/* A program run to its end, its word or its deadline. */
#include "engine/qemu/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "net/child.h"

enum { MAX_OUTPUT = 64 << 10, STEP = 4096 };

static long long now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* this clock is always there */
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* True once nothing more will come. */
static bool take_output(int fd, struct buf *out)
{
    char step[STEP];

    for (;;) {
        ssize_t n = read(fd, step, sizeof(step));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 || errno != EAGAIN;
        if (out->len + (size_t)n <= MAX_OUTPUT)
            buf_add(out, step, (size_t)n);
    }
}

static bool said(const struct run *r, const struct buf *out)
{
    return r->until && strstr(buf_cstr(out), r->until);
}

/* 0 when it ended or said what was waited for. */
static int watch(const struct run *r, int pidfd, int out_fd, struct buf *out)
{
    long long deadline = now_ms() + r->timeout_ms;
    bool open = true;

    for (;;) {
        struct pollfd p[] = {{.fd = pidfd, .events = POLLIN},
                             {.fd = open ? out_fd : -1, .events = POLLIN}};
        long long left = deadline - now_ms();

        if (left <= 0)
            return -ETIMEDOUT;
        if (poll(p, ARRAY_LEN(p), (int)left) < 0 && errno != EINTR)
            return -errno;
        if (open && take_output(out_fd, out))
            open = false;
        if (said(r, out) || p[0].revents)
            return 0;
    }
}

static int pipe_with(const char *text)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    ssize_t n = write(ends[1], text, strlen(text)); /* small: fits without a reader */
    (void)close(ends[1]);                           /* the reader sees the end */
    if (n == (ssize_t)strlen(text))
        return ends[0];
    (void)close(ends[0]);
    return -EIO;
}

int run(const struct run *r, struct buf *out, int *ret_status)
{
    int ends[2], raw = -1;
    siginfo_t info = {0};
    pid_t pid;

    CLEANUP(close_p) int in = r->input ? pipe_with(r->input) : -1;
    if (r->input && in < 0)
        return in;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    CLEANUP(close_p) int from = ends[0];
    CLEANUP(close_p) int to = ends[1];
    int e = child_spawn(&(struct child_spec){.path = r->argv[0],
                                             .argv = (char *const *)r->argv,
                                             .fds = r->fds,
                                             .n_fds = r->n_fds,
                                             .in_fd = in,
                                             .out_fd = to,
                                             .new_group = true},
                        &pid, &raw);
    if (e)
        return e;
    CLEANUP(close_p) int pidfd = raw;
    (void)close(fd_take(&to)); /* the child has its own */
    if (fcntl(from, F_SETFL, O_NONBLOCK) < 0)
        e = -errno;
    if (!e)
        e = watch(r, pidfd, from, out);
    (void)kill(-pid, SIGKILL); /* it and its children; not reaped yet, so the number is its own */
    while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR)
        ;
    (void)take_output(from, out); /* what came last */
    if (!e)
        *ret_status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status;
    return e;
}
