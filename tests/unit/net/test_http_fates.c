/* What becomes of a reply that was given: cut, spoiled, late. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include <cmocka.h>

#include "base/util.h"
#include "net/loop.h"
#include "site.h"

static const struct http_config plain;

static void ask(int fd, const char *method, enum http_fate fate, unsigned ms)
{
    CLEANUP(free_p)
    char *text = xasprintf("%s /fate?%d,%u HTTP/1.1\r\nHost: h\r\n\r\n", method, (int)fate, ms);

    say(fd, text);
}

/* Everything up to the connection's end. */
static struct buf hear_all(int fd)
{
    struct buf b = {0};
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n;

    do {
        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
        n = recv(fd, buf_reserve(&b, 4096), 4096, 0);
        assert_true(n >= 0);
        b.len += (size_t)n;
    } while (n);
    b.data[b.len] = 0;
    return b;
}

static int64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct buf told(struct site *s, const char *method, enum http_fate fate, unsigned ms)
{
    int fd = dial(s);

    ask(fd, method, fate, ms);
    struct buf b = hear_all(fd);
    (void)close(fd);
    return b;
}

static void each_fate(void **state)
{
    struct site *s = site_new(&plain);

    (void)state;
    for (unsigned ms = 0; ms <= 20; ms += 20) { /* late or not, it is the same */
        CLEANUP(buf_done) struct buf dropped = told(s, "GET", HTTP_DROPPED, ms);
        assert_int_equal(dropped.len, 0);

        CLEANUP(buf_done) struct buf cut = told(s, "GET", HTTP_TRUNCATED, ms);
        assert_true(str_starts(cut.data, "HTTP/1.1 200 OK\r\n"));
        assert_non_null(strstr(cut.data, "Connection: keep-alive\r\n"));
        assert_non_null(strstr(cut.data, "Content-Length: 10\r\n"));
        assert_non_null(strstr(cut.data, "X-Late: kept\r\n"));
        assert_true(str_ends(cut.data, "\r\n\r\n01234"));

        CLEANUP(buf_done) struct buf whole = told(s, "GET", HTTP_HALF_CLOSE, ms);
        assert_non_null(strstr(whole.data, "Connection: keep-alive\r\n"));
        assert_true(str_ends(whole.data, "\r\n\r\n0123456789"));

        CLEANUP(buf_done) struct buf garbage = told(s, "GET", HTTP_GARBAGE, ms);
        assert_true(garbage.len > 0);
        assert_null(memmem(garbage.data, garbage.len, "HTTP", 4));
    }
    site_free(s);
}

/* Where there is no body, the head is cut. */
static void a_head_is_cut_in_the_middle(void **state)
{
    struct site *s = site_new(&plain);
    CLEANUP(buf_done) struct buf cut = told(s, "HEAD", HTTP_TRUNCATED, 0);

    (void)state;
    assert_true(str_starts(cut.data, "HTTP/1.1 200 OK\r\n"));
    assert_null(strstr(cut.data, "\r\n\r\n"));
    site_free(s);
}

/* What a client has pipelined behind a spoiled answer is not done. */
static void nothing_is_done_behind_it(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    say(fd, "GET /fate?1,0 HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_end(fd);
    (void)close(fd);
    site_wait_conns(s, 0);
    assert_int_equal(site_handled(s), 1);
    site_free(s);
}

/* A late answer comes after its time, keeps its connection and its order, and nobody else waits. */
static void late_answers(void **state)
{
    struct site *s = site_new(&plain);
    int late = dial(s), other = dial(s);
    int64_t began = now_ms();

    (void)state;
    ask(late, "GET", HTTP_ARRIVES, 200);
    ask(late, "GET", HTTP_ARRIVES, 0); /* waits its turn */
    ask(other, "GET", HTTP_ARRIVES, 0);
    expect(other, 200, "0123456789");
    expect(late, 200, "0123456789");
    assert_true(now_ms() - began >= 199); /* the loop's clock counts whole milliseconds */
    expect(late, 200, "0123456789");
    ask(late, "GET", HTTP_ARRIVES, 0);
    expect(late, 200, "0123456789");
    (void)close(late);
    (void)close(other);
    site_free(s);
}

/* The client resets the connection: the answer and its exchange are given up long before their
 * time. */
static void a_client_that_goes_first(void **state)
{
    struct site *s = site_new(&plain);
    struct linger now = {.l_onoff = 1};
    int fd = dial(s);

    (void)state;
    ask(fd, "GET", HTTP_ARRIVES, 600000);
    while (!site_handled(s))
        (void)poll(NULL, 0, 1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    (void)close(fd);
    site_wait_conns(s, 0);
    site_free(s);
}

/* A server that is to end waits for no late answer. */
static void a_drain_drops_what_is_late(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s), held = dial(s);

    (void)state;
    ask(fd, "GET", HTTP_ARRIVES, 600000);
    say(held, "GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    while (site_handled(s) < 2)
        (void)poll(NULL, 0, 1);
    site_drain(s);
    expect_end(fd);
    site_release(s);
    expect(held, 200, "GET /hold");
    (void)close(held);
    site_wait_drained(s);
    (void)close(fd);
    site_free(s);
}

static void a_server_that_is_freed(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    ask(fd, "GET", HTTP_TRUNCATED, 600000);
    while (!site_handled(s))
        (void)poll(NULL, 0, 1);
    site_free(s);
    expect_end(fd);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fate),
        cmocka_unit_test(a_head_is_cut_in_the_middle),
        cmocka_unit_test(nothing_is_done_behind_it),
        cmocka_unit_test(late_answers),
        cmocka_unit_test(a_client_that_goes_first),
        cmocka_unit_test(a_drain_drops_what_is_late),
        cmocka_unit_test(a_server_that_is_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
