/* Running a tool and waiting for it. */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "net/child.h"

enum { MAX_OUTPUT = 64 * 1024 };

static void collect(int fd, struct buf *out)
{
    for (;;) {
        char piece[4096];
        ssize_t n = read(fd, piece, sizeof(piece));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        if (out->len + (size_t)n <= MAX_OUTPUT)
            buf_add(out, piece, (size_t)n);
    }
}

static int wait_for_end(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run_tool(char *const *argv, struct buf *out)
{
    int ends[2] = {-1, -1};
    pid_t pid;

    if (out && pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    struct child_spec spec = {
        .path = argv[0], .argv = argv, .out_fd = out ? ends[1] : STDERR_FILENO, .in_fd = -1};
    int e = child_spawn(&spec, &pid, NULL);
    close_p(&ends[1]);
    if (e == 0 && out)
        collect(ends[0], out);
    close_p(&ends[0]);
    return e < 0 ? e : wait_for_end(pid);
}
