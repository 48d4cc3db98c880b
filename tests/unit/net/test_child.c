/* Children: what they get, what they do not get, and that none is ever left behind. */
#include "net/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/util.h"
#include "net/loop.h"

/* A shell command as a spec. */
#define SHELL(command)                                                                             \
    (struct child_spec)                                                                            \
    {                                                                                              \
        .path = "/bin/sh",                                                                         \
        .argv = (char *[]){(char *)"sh", (char *)"-c", (char *)(command), NULL}, .in_fd = -1,      \
        .out_fd = -1                                                                               \
    }

struct result {
    struct loop *loop;
    int calls, status, wanted;
    struct buf output;
};

static void done(void *arg, int status, const char *output)
{
    struct result *r = arg;

    r->calls++;
    r->status = status;
    buf_clear(&r->output);
    buf_str(&r->output, output);
    if (r->calls >= r->wanted)
        loop_stop(r->loop);
}

static void too_long(void *arg)
{
    (void)arg;
    fail_msg("no child ended within ten seconds");
}

static void assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void run_loop(struct result *r)
{
    struct loop_timer *guard = loop_timer_new(r->loop, too_long, NULL);

    loop_timer_set(guard, 10000, 0);
    (void)loop_run(r->loop);
    loop_timer_free(guard);
}

static struct result run_shell(struct child_spec spec, uint64_t timeout_ms, size_t max_output)
{
    struct result r = {.wanted = 1};

    assert_int_equal(loop_new(&r.loop), 0);
    assert_int_equal(child_run(r.loop, &spec, timeout_ms, max_output, done, &r), 0);
    run_loop(&r);
    assert_int_equal(r.calls, 1);
    assert_no_children();
    loop_free(r.loop);
    return r;
}

static void expect_output(struct child_spec spec, const char *output)
{
    struct result r = run_shell(spec, 5000, 4096);

    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), 0);
    assert_string_equal(buf_cstr(&r.output), output);
    buf_done(&r.output);
}

static void output_and_status_arrive(void **state)
{
    struct result r;

    (void)state;
    r = run_shell(SHELL("echo out; echo err >&2; exit 7"), 5000, 4096);
    assert_true(WIFEXITED(r.status));
    assert_int_equal(WEXITSTATUS(r.status), 7);
    assert_string_equal(buf_cstr(&r.output), "out\nerr\n");
    buf_done(&r.output);
    r = run_shell(SHELL("kill -TERM $$"), 5000, 4096);
    assert_true(WIFSIGNALED(r.status));
    assert_int_equal(WTERMSIG(r.status), SIGTERM);
    assert_string_equal(buf_cstr(&r.output), "");
    buf_done(&r.output);
}

static void output_is_bounded_and_the_rest_drained(void **state)
{
    struct result r =
        run_shell(SHELL("head -c 3000000 /dev/zero | tr '\\0' x; echo end"), 9000, 100);

    (void)state;
    assert_true(WIFEXITED(r.status));
    assert_int_equal(r.output.len, 100);
    assert_int_equal(strspn(r.output.data, "x"), 100);
    buf_done(&r.output);
}

static void late_children_are_killed_with_their_own(void **state)
{
    struct result r = run_shell(SHELL("echo before; sleep 1000 & echo $!; wait"), 300, 4096);
    long long pid;

    (void)state;
    assert_int_equal(r.status, -ETIMEDOUT);
    assert_true(str_starts(buf_cstr(&r.output), "before\n"));
    r.output.data[r.output.len - 1] = 0;
    assert_int_equal(parse_i64(r.output.data + 7, &pid), 0);
    /* The grandchild was killed too; it disappears once init, or whoever adopted it, has reaped it.
     */
    for (int i = 0; i < 10000; i++) {
        char path[64], line[256] = "";
        (void)snprintf(path, sizeof(path), "/proc/%lld/stat", pid);
        FILE *f = fopen(path, "re");

        if (f) {
            (void)!fgets(line, sizeof(line), f);
            (void)fclose(f);
        }
        if (!f || strstr(line, ") Z "))
            pid = 0;
        if (!pid)
            break;
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(pid, 0);
    buf_done(&r.output);
}

/* Someone that the child left behind holds the pipe: not waited for. */
static void a_held_pipe_does_not_delay(void **state)
{
    struct result r = run_shell(SHELL("setsid sleep 3 & echo said"), 9000, 4096);

    (void)state;
    assert_true(WIFEXITED(r.status));
    assert_string_equal(buf_cstr(&r.output), "said\n");
    buf_done(&r.output);
}

static void many_at_once(void **state)
{
    struct result r = {.wanted = 30};
    struct child_spec spec = SHELL("exit 3");

    (void)state;
    assert_int_equal(loop_new(&r.loop), 0);
    for (int i = 0; i < r.wanted; i++)
        assert_int_equal(child_run(r.loop, &spec, 5000, 10, done, &r), 0);
    run_loop(&r);
    assert_int_equal(r.calls, 30);
    assert_no_children();
    buf_done(&r.output);
    loop_free(r.loop);
}

static void cancelled_children_are_reaped_silently(void **state)
{
    struct result r = {.wanted = 1};
    struct child_spec slow = SHELL("sleep 1000"), quick = SHELL("exit 0");
    struct child_job *job;

    (void)state;
    assert_int_equal(loop_new(&r.loop), 0);
    assert_int_equal(child_start(r.loop, &slow, 0, 10, done, &r, &job), 0);
    child_cancel(job);
    child_cancel(NULL);
    (void)loop_run(r.loop); /* ends when the child has been reaped: nothing is left then */
    assert_int_equal(r.calls, 0);
    assert_no_children();
    assert_int_equal(child_run(r.loop, &quick, 0, 10, done, &r), 0);
    run_loop(&r);
    assert_int_equal(r.calls, 1);
    buf_done(&r.output);
    loop_free(r.loop);
}

static void what_cannot_be_started(void **state)
{
    struct result r = {.wanted = 1};
    struct child_spec spec = SHELL("exit 0");

    (void)state;
    assert_int_equal(loop_new(&r.loop), 0);
    spec.path = "/nonexistent/program";
    assert_int_equal(child_run(r.loop, &spec, 5000, 10, done, &r), -ENOENT);
    spec.path = "no-such-program-anywhere";
    assert_int_equal(child_spawn(&spec, NULL, NULL), -ENOENT);
    spec.path = "/etc/passwd";
    assert_int_equal(child_spawn(&spec, NULL, NULL), -EACCES);
    spec.path = "/bin/sh";
    spec.cwd = "/nonexistent";
    assert_int_equal(child_spawn(&spec, NULL, NULL), -ENOENT);
    spec.cwd = NULL;
    spec.in_fd = 987;
    assert_int_equal(child_spawn(&spec, NULL, NULL), -EBADF);
    assert_no_children();
    assert_int_equal(r.calls, 0);
    loop_free(r.loop);
}

/* Descriptors arrive under their numbers, even when those are each other's or the standard ones,
 * and no other does. */
static void descriptors_are_passed(void **state)
{
    int pipes[3][2], stray = open("/dev/null", O_RDONLY); /* on purpose without close-on-exec */
    char text[64];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
        (void)snprintf(text, sizeof(text), "pipe%d\n", i);
        assert_int_equal(write(pipes[i][1], text, strlen(text)), (ssize_t)strlen(text));
    }
    /* Sources that lie exactly where others must go: 3 and 4 crossed. */
    int saved3 = fcntl(3, F_DUPFD_CLOEXEC, 100), saved4 = fcntl(4, F_DUPFD_CLOEXEC, 100);
    int a = fcntl(pipes[0][0], F_DUPFD_CLOEXEC, 100), b = fcntl(pipes[1][0], F_DUPFD_CLOEXEC, 100),
        c = fcntl(pipes[2][0], F_DUPFD_CLOEXEC, 100);
    assert_int_equal(dup3(a, 4, O_CLOEXEC), 4);
    assert_int_equal(dup3(b, 3, O_CLOEXEC), 3);
    struct child_spec spec =
        SHELL("read x <&3; read y <&4; read z; echo $x $y $z; ls -m /proc/$$/fd");
    spec.fds = (int[]){4, 3};
    spec.n_fds = 2;
    spec.in_fd = c;
    /* 10 is dash's own copy, if it makes one; ls is a child of it and not what is listed. */
    struct result r = run_shell(spec, 5000, 4096);
    assert_string_equal(buf_cstr(&r.output), "pipe0 pipe1 pipe2\n0, 1, 2, 3, 4\n");
    buf_done(&r.output);
    assert_int_equal(fcntl(4, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC); /* ours are as they were */

    if (saved3 >= 0)
        (void)dup3(saved3, 3, O_CLOEXEC);
    if (saved4 >= 0)
        (void)dup3(saved4, 4, O_CLOEXEC);
    (void)close(saved3), (void)close(saved4), (void)close(a), (void)close(b), (void)close(c);
    for (int i = 0; i < 3; i++) {
        if (pipes[i][0] > 4)
            (void)close(pipes[i][0]);
        if (pipes[i][1] > 4)
            (void)close(pipes[i][1]);
    }
    (void)close(stray);
}

static void signals_are_as_new(void **state)
{
    sigset_t block, before;

    (void)state;
    (void)sigemptyset(&block);
    (void)sigaddset(&block, SIGTERM);
    (void)sigaddset(&block, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &block, &before);
    (void)signal(SIGHUP, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    /* 32 and 33 are the C library's own, which it leaves ignored between fork and exec. */
    expect_output(
        SHELL("while read name value; do case $name in SigBlk:) echo $((0x$value));; "
              "SigIgn:) echo $((0x$value & ~0x180000000));; esac; done </proc/self/status"),
        "0\n0\n");
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)signal(SIGHUP, SIG_DFL);
}

static void surroundings(void **state)
{
    struct child_spec spec;

    (void)state;
    (void)setenv("OSTLER_TEST_SECRET", "x", 1);
    expect_output(SHELL("echo $LANG ${PATH:+path} ${OSTLER_TEST_SECRET:-none}"), "C path none\n");
    spec = SHELL("echo $A; pwd");
    spec.envp = (char *[]){(char *)"A=b", NULL};
    spec.cwd = "/";
    expect_output(spec, "b\n/\n");
    expect_output(SHELL("cat; test $(ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat) "
                        "= $$ && echo own"),
                  "own\n");
    spec = SHELL("test $(cut -d' ' -f6 /proc/$$/stat) = $$ && echo session");
    spec.new_session = true;
    expect_output(spec, "session\n");
    spec = SHELL("sh -c 'exit 0'; nice");
    spec.path = "sh";
    spec.nice = 0;
    expect_output(spec, "0\n");
    (void)unsetenv("OSTLER_TEST_SECRET");
}

/* It is told to go on only after child_spawn has returned, when the nice value must be there. */
static void nice_is_set_when_spawn_returns(void **state)
{
    struct child_spec spec = SHELL("read go; nice");
    int in[2], out[2], pidfd, status;
    char text[16] = "";
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    spec.in_fd = in[0];
    spec.out_fd = out[1];
    spec.nice = 5;
    assert_int_equal(child_spawn(&spec, &pid, &pidfd), 0);
    assert_true(pid > 0);
    assert_int_equal(child_reap(pidfd, &status), -EAGAIN);
    assert_int_equal(write(in[1], "go\n", 3), 3);
    assert_int_equal(read(out[0], text, sizeof(text) - 1), 2);
    assert_string_equal(text, "5\n");
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(child_reap(pidfd, &status), 0);
    assert_int_equal(status, 0);
    assert_int_equal(child_reap(pidfd, &status), -ECHILD);
    assert_int_equal(child_kill(pidfd, SIGKILL), -ESRCH);
    (void)close(pidfd);
    for (int i = 0; i < 2; i++)
        (void)close(in[i]), (void)close(out[i]);
    assert_no_children();
}

static void killing_by_pidfd(void **state)
{
    struct child_spec spec = SHELL("exec sleep 1000");
    int pidfd, status;

    (void)state;
    assert_int_equal(child_spawn(&spec, NULL, &pidfd), 0);
    assert_int_equal(fcntl(pidfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(child_kill(pidfd, SIGKILL), 0);
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(child_reap(pidfd, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    (void)close(pidfd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_status_arrive),
        cmocka_unit_test(output_is_bounded_and_the_rest_drained),
        cmocka_unit_test(late_children_are_killed_with_their_own),
        cmocka_unit_test(a_held_pipe_does_not_delay),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(cancelled_children_are_reaped_silently),
        cmocka_unit_test(what_cannot_be_started),
        cmocka_unit_test(descriptors_are_passed),
        cmocka_unit_test(signals_are_as_new),
        cmocka_unit_test(surroundings),
        cmocka_unit_test(nice_is_set_when_spawn_returns),
        cmocka_unit_test(killing_by_pidfd),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
