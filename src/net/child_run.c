/* Running a short tool without waiting for it: its output by a pipe, its end by its pidfd, its
 * limit by a timer. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/util.h"
#include "net/child.h"
#include "net/loop.h"

struct child_job {
    pid_t pid;
    int pidfd, out; /* the pipe's end to read from, -1 once it is at its end */
    struct loop_fd *watch_pid, *watch_out;
    struct loop_timer *limit;
    struct buf output;
    size_t max_output;
    bool timed_out;
    void (*done)(void *arg, int status, const char *output); /* NULL once cancelled */
    void *arg;
};

static void job_free(struct child_job *job)
{
    loop_fd_free(job->watch_pid);
    loop_fd_free(job->watch_out);
    loop_timer_free(job->limit);
    close_p(&job->pidfd);
    close_p(&job->out);
    buf_done(&job->output);
    free(job);
}

static void stop_reading(struct child_job *job)
{
    loop_fd_free(job->watch_out);
    job->watch_out = NULL;
    close_p(&job->out);
    job->out = -1;
}

/* Keeps what fits and drops the rest, so that a talkative child never waits for us. */
static void keep(struct child_job *job, const char *data, size_t n)
{
    size_t room = job->max_output - job->output.len;

    buf_add(&job->output, data, n < room ? n : room);
}

/* A bounded number of reads: whoever writes without end must not hold the loop. */
static void read_some(struct child_job *job)
{
    char chunk[16 * 1024];

    for (int i = 0; i < 16 && job->out >= 0; i++) {
        ssize_t n = read(job->out, chunk, sizeof(chunk));

        if (n > 0)
            keep(job, chunk, (size_t)n);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            return;
        else
            stop_reading(job);
    }
}

static void on_output(void *arg, unsigned events)
{
    (void)events; /* readable, at its end, or failed: read(2) tells */
    read_some(arg);
}

/* The group outlives its leader's end but not its reaping: called before that, it cannot meet a
 * stranger. */
static void kill_group(struct child_job *job)
{
    (void)kill(-job->pid, SIGKILL); /* gone already is as good */
}

static void on_ended(void *arg, unsigned events)
{
    struct child_job *job = arg;
    int status;

    (void)events;
    if (job->timed_out || !job->done)
        kill_group(job);
    int r = child_reap(job->pidfd, &status);
    if (r == -EAGAIN)
        return;
    if (r < 0)
        status = r;
    if (job->timed_out)
        status = -ETIMEDOUT;
    if (job->done) {
        /* What it wrote is in the pipe by now. A grandchild that keeps the pipe open is not waited
         * for. */
        read_some(job);
        job->done(job->arg, status, buf_cstr(&job->output));
    }
    job_free(job);
}

static void on_limit(void *arg)
{
    struct child_job *job = arg;

    job->timed_out = true;
    kill_group(job);
}

static int job_spawn(struct child_job *job, const struct child_spec *spec)
{
    struct child_spec own = *spec;
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return -errno;
    job->out = pipe_fds[0];
    own.out_fd = pipe_fds[1];
    own.new_group = !own.new_session;
    int r = child_spawn(&own, &job->pid, &job->pidfd);
    (void)close(pipe_fds[1]); /* the child's copy is what counts */
    return r;
}

/* epoll had no room. Waiting is short: nothing outlives SIGKILL for long. */
static void give_up(struct child_job *job)
{
    kill_group(job);
    while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    job_free(job);
}

int child_start(struct loop *loop, const struct child_spec *spec, uint64_t timeout_ms,
                size_t max_output, void (*done)(void *arg, int status, const char *output),
                void *arg, struct child_job **ret_job)
{
    struct child_job *job = xcalloc(1, sizeof(*job));

    job->pidfd = job->out = -1;
    job->max_output = max_output;
    job->done = done;
    job->arg = arg;
    int r = job_spawn(job, spec);
    if (r < 0) {
        job_free(job);
        return r;
    }
    job->watch_pid = loop_fd_new(loop, job->pidfd, on_ended, job);
    job->watch_out = loop_fd_new(loop, job->out, on_output, job);
    if (!job->watch_pid || !job->watch_out) {
        r = -errno;
        give_up(job);
        return r;
    }
    loop_fd_want(job->watch_pid, LOOP_READ);
    loop_fd_want(job->watch_out, LOOP_READ);
    if (timeout_ms) {
        job->limit = loop_timer_new(loop, on_limit, job);
        loop_timer_set(job->limit, timeout_ms, 0);
    }
    if (ret_job)
        *ret_job = job;
    return 0;
}

int child_run(struct loop *loop, const struct child_spec *spec, uint64_t timeout_ms,
              size_t max_output, void (*done)(void *arg, int status, const char *output), void *arg)
{
    return child_start(loop, spec, timeout_ms, max_output, done, arg, NULL);
}

void child_cancel(struct child_job *job)
{
    if (!job)
        return;
    job->done = NULL;
    stop_reading(job);
    kill_group(job);
}
