/* The loop: each kind of object calls, stops calling, and may be freed from its own callback. */
#include "net/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/util.h"

struct world {
    struct loop *loop;
    struct loop_timer *timer, *guard;
    struct loop_fd *fd, *peer;
    struct loop_wake *wake;
    struct loop_signal *signal;
    int calls, fds[2];
    unsigned events;
    pthread_t main_thread;
    bool worked_elsewhere;
};

static void too_long(void *arg)
{
    (void)arg;
    fail_msg("nothing happened for ten seconds");
}

static void begin(struct world *w)
{
    *w = (struct world){.main_thread = pthread_self()};
    assert_int_equal(loop_new(&w->loop), 0);
    w->guard = loop_timer_new(w->loop, too_long, NULL);
    loop_timer_set(w->guard, 10000, 0);
}

static void end(struct world *w)
{
    loop_timer_free(w->guard);
    loop_free(w->loop);
}

static void tick(void *arg)
{
    struct world *w = arg;

    if (++w->calls < 3)
        return;
    loop_timer_free(w->timer);
    loop_stop(w->loop);
}

static void timers_repeat_until_freed(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.timer = loop_timer_new(w.loop, tick, &w);
    uint64_t before = loop_now_ms(w.loop);
    loop_timer_set(w.timer, 2, 3);
    assert_int_equal(loop_run(w.loop), 0);
    assert_int_equal(w.calls, 3);
    assert_true(loop_now_ms(w.loop) >= before + 8);
    end(&w);
}

static void stop_here(void *arg)
{
    struct world *w = arg;

    loop_stop(w->loop);
}

static void stopped_timers_are_silent(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.timer = loop_timer_new(w.loop, tick, &w);
    struct loop_timer *later = loop_timer_new(w.loop, stop_here, &w);
    loop_timer_set(w.timer, 1, 1);
    loop_timer_stop(w.timer);
    loop_timer_set(later, 10, 0);
    (void)loop_run(w.loop);
    assert_int_equal(w.calls, 0);
    loop_timer_set(w.timer, 1, 0); /* may be set again, and then fires only once */
    loop_timer_set(later, 20, 0);
    (void)loop_run(w.loop);
    assert_int_equal(w.calls, 1);
    loop_timer_free(w.timer);
    loop_timer_free(later);
    loop_timer_free(NULL);
    end(&w);
}

static void runs_out_when_nothing_is_left(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    loop_timer_stop(w.guard);
    assert_int_equal(loop_run(w.loop), 0);
    end(&w);
}

static void on_fd(void *arg, unsigned events)
{
    struct world *w = arg;
    char c[8];

    w->calls++;
    w->events = events;
    if (events & LOOP_WRITE) {
        assert_int_equal(write(w->fds[0], "x", 1), 1);
        loop_fd_want(w->fd, LOOP_READ);
    } else if (events & LOOP_READ) {
        ssize_t n = read(w->fds[0], c, sizeof(c));

        if (n > 0) {
            assert_int_equal(n, 2);
            assert_int_equal(close(w->fds[1]), 0);
            return;
        }
        assert_int_equal(n, 0);
        loop_fd_free(w->fd);
        assert_int_equal(close(w->fds[0]), 0);
        loop_stop(w->loop);
    }
}

static void answer(void *arg, unsigned events)
{
    struct world *w = arg;
    char c;

    assert_int_equal(events & LOOP_READ, LOOP_READ);
    assert_int_equal(read(w->fds[1], &c, 1), 1);
    assert_int_equal(write(w->fds[1], "yz", 2), 2);
    loop_fd_free(w->peer);
}

static void descriptors_read_write_and_hang_up(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w.fds), 0);
    w.fd = loop_fd_new(w.loop, w.fds[0], on_fd, &w);
    w.peer = loop_fd_new(w.loop, w.fds[1], answer, &w);
    loop_fd_want(w.peer, LOOP_READ);
    loop_fd_want(w.fd, LOOP_WRITE);
    (void)loop_run(w.loop);
    assert_int_equal(w.calls, 3);
    assert_true(w.events & LOOP_READ);
    end(&w);
}

static void on_broken_pipe(void *arg, unsigned events)
{
    struct world *w = arg;

    w->events = events;
    assert_int_equal(write(w->fds[1], "x", 1), -1); /* and no SIGPIPE */
    assert_int_equal(errno, EPIPE);
    loop_fd_free(w->fd);
    loop_stop(w->loop);
}

static void a_failed_descriptor_is_said(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(pipe2(w.fds, O_CLOEXEC), 0);
    assert_int_equal(close(w.fds[0]), 0);
    w.fd = loop_fd_new(w.loop, w.fds[1], on_broken_pipe, &w);
    loop_fd_want(w.fd, LOOP_WRITE);
    (void)loop_run(w.loop);
    assert_int_equal(w.events, LOOP_WRITE | LOOP_HUP);
    assert_int_equal(close(w.fds[1]), 0);
    end(&w);
}

static void what_cannot_be_watched(void **state)
{
    struct world w;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    (void)state;
    begin(&w);
    assert_null(loop_fd_new(w.loop, fd, on_fd, &w));
    assert_int_equal(close(fd), 0);
    assert_null(loop_fd_new(w.loop, fd, on_fd, &w));
    assert_int_equal(errno, EBADF);
    end(&w);
}

static void *send_many(void *arg)
{
    struct world *w = arg;

    for (int i = 0; i < 1000; i++)
        loop_wake_send(w->wake);
    return NULL;
}

static void woken(void *arg)
{
    struct world *w = arg;

    w->calls++;
    assert_true(pthread_equal(pthread_self(), w->main_thread));
    loop_stop(w->loop);
}

static void threads_wake_the_loop(void **state)
{
    struct world w;
    pthread_t thread;

    (void)state;
    begin(&w);
    w.wake = loop_wake_new(w.loop, woken, &w);
    assert_int_equal(pthread_create(&thread, NULL, send_many, &w), 0);
    (void)loop_run(w.loop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(w.calls >= 1);
    loop_wake_free(w.wake);
    loop_wake_free(NULL);
    end(&w);
}

static void work(void *arg)
{
    struct world *w = arg;

    w->worked_elsewhere = !pthread_equal(pthread_self(), w->main_thread);
}

static void worked(void *arg)
{
    struct world *w = arg;

    assert_true(pthread_equal(pthread_self(), w->main_thread));
    assert_true(w->worked_elsewhere);
    w->calls++;
    loop_stop(w->loop);
}

static void work_is_done_elsewhere(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_int_equal(loop_work(w.loop, work, worked, &w), 0);
    (void)loop_run(w.loop);
    assert_int_equal(w.calls, 1);
    assert_int_equal(loop_work(w.loop, work, worked, &w), 0);
    assert_int_equal(loop_work(w.loop, work, NULL, &w), 0);
    end(&w); /* waits for it */
    assert_int_equal(w.calls, 2);
}

static void on_signal(void *arg, int signum)
{
    struct world *w = arg;

    assert_int_equal(signum, SIGUSR1);
    w->calls++;
    loop_signal_free(w->signal);
    loop_stop(w->loop);
}

static void signals_arrive(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    assert_null(loop_signal_new(w.loop, SIGKILL, on_signal, &w));
    w.signal = loop_signal_new(w.loop, SIGUSR1, on_signal, &w);
    assert_non_null(w.signal);
    assert_int_equal(raise(SIGUSR1), 0);
    (void)loop_run(w.loop);
    assert_int_equal(w.calls, 1);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_repeat_until_freed),
        cmocka_unit_test(stopped_timers_are_silent),
        cmocka_unit_test(runs_out_when_nothing_is_left),
        cmocka_unit_test(descriptors_read_write_and_hang_up),
        cmocka_unit_test(a_failed_descriptor_is_said),
        cmocka_unit_test(what_cannot_be_watched),
        cmocka_unit_test(threads_wake_the_loop),
        cmocka_unit_test(work_is_done_elsewhere),
        cmocka_unit_test(signals_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
