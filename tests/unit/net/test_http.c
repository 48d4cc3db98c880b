/* The server over real sockets. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/util.h"
#include "net/loop.h"
#include "site.h"

#define HOST "Host: h\r\n"

static const struct http_config plain;

static void keep_alive_and_order(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    for (int i = 0; i < 3; i++) {
        say(fd, "GET /echo?n HTTP/1.1\r\n" HOST "X-A:  b \r\n\r\n");
        expect(
            fd, 200,
            "GET /echo?n path=/echo query=n minor=1 peer=127.0.0.1 tls=0 local=0\nhost=h\nx-a=b\n");
    }
    say(fd,
        "POST /a HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\none"
        "POST /b HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n"
        "GET /c HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /never HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "body=one");
    expect(fd, 200, "body=two");
    struct reply r = hear(fd);
    assert_non_null(strstr(r.body, "GET /c"));
    assert_non_null(strstr(r.head, "\r\nConnection: close\r\n"));
    reply_done(&r);
    expect_end(fd);
    assert_int_equal(site_handled(s), 6);
    (void)close(fd);
    site_wait_conns(s, 0);
    site_free(s);
}

static void what_every_reply_has(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    say(fd, "GET /user?x HTTP/1.1\r\n" HOST "\r\n");
    struct reply r = hear(fd);
    assert_true(str_starts(r.head, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(r.head, "\r\nServer: ostler\r\n"));
    assert_non_null(strstr(r.head, "\r\nConnection: keep-alive\r\n"));
    assert_non_null(strstr(r.head, "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(r.head, " GMT\r\n"));
    assert_string_equal(r.body, "arena x");
    reply_done(&r);

    say(fd, "HEAD /user?x HTTP/1.1\r\n" HOST "\r\nGET /empty HTTP/1.1\r\n" HOST "\r\n");
    r = hear_head(fd);
    assert_non_null(strstr(r.head, "\r\nContent-Length: 7\r\n"));
    reply_done(&r);
    r = hear(fd);
    assert_int_equal(r.status, 204);
    assert_null(strstr(r.head, "Content-Length"));
    reply_done(&r);

    say(fd, "GET /inject HTTP/1.1\r\n" HOST "\r\n");
    r = hear(fd);
    assert_non_null(strstr(r.head, "\r\nX-Good: yes\r\n"));
    assert_null(strcasestr(r.head, "evil"));
    assert_null(strcasestr(r.head, "bad"));
    assert_null(strcasestr(r.head, "chunked"));
    assert_string_equal(r.body, "ok");
    reply_done(&r);

    say(fd, "GET /close HTTP/1.1\r\n" HOST "\r\n");
    r = hear(fd);
    assert_non_null(strstr(r.head, "\r\nConnection: close\r\n"));
    reply_done(&r);
    expect_end(fd);
    (void)close(fd);
    site_free(s);
}

static void requests_in_pieces(void **state)
{
    static const char pair[] = "POST /a?b HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"
                               "PUT /c HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                               "2\r\nwo\r\n3\r\nrld\r\n0\r\n\r\n";
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    size_t first = (size_t)(strstr(pair, "hello") + 5 - pair);
    for (size_t split = 1; split < sizeof(pair) - 1; split++) {
        say_n(fd, pair, split);
        if (split >= first)
            expect(fd, 200, "body=hello"); /* so the first piece has surely been read by itself */
        say_n(fd, pair + split, sizeof(pair) - 1 - split);
        if (split < first)
            expect(fd, 200, "body=hello");
        expect(fd, 200, "body=world");
    }
    (void)close(fd);
    site_free(s);
}

static void one_request_at_a_time(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\nGET /second HTTP/1.1\r\n" HOST "\r\n");
    site_wait_held(s, 1);
    expect_silence(fd);
    assert_int_equal(site_handled(s), 1);
    site_release(s);
    expect(fd, 200, "GET /hold");
    expect(fd, 200, "GET /second");
    (void)close(fd);
    site_free(s);
}

/* Far more than the server keeps behind a held request: it stops reading, and loses nothing. */
static void pipelining_has_backpressure(void **state)
{
    enum { N = 4000 };
    static const char one[] =
        "GET /p HTTP/1.1\r\n" HOST "X-Pad: 0123456789012345678901234567890123456789\r\n\r\n";
    struct site *s = site_new(&plain);
    struct buf all = {0};
    int fd = dial(s);
    size_t sent = 0;

    (void)state;
    buf_str(&all, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    for (int i = 0; i < N; i++)
        buf_add(&all, one, sizeof(one) - 1);
    while (sent < all.len) {
        ssize_t n = send(fd, all.data + sent, all.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0)
            break;
        sent += (size_t)n;
    }
    site_wait_held(s, 1);
    site_release(s);
    expect(fd, 200, "GET /hold");
    for (int i = 0; i < N; i++) {
        if (sent < all.len) {
            ssize_t n = send(fd, all.data + sent, all.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

            sent += n > 0 ? (size_t)n : 0;
        }
        expect(fd, 200, "GET /p");
    }
    assert_int_equal(site_handled(s), N + 1);
    buf_done(&all);
    (void)close(fd);
    site_free(s);
}

static void refusals_close(void **state)
{
    static const struct {
        const char *text;
        int status;
        const char *part;
    } cases[] = {
        {"GET /x?y HTTP/1.1\r\n\r\n", 400, "GET /x?y path=/x query=y"},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, "reason=more than one Host"},
        {"GET / HTTP/1.1\nHost: h\n\n", 400, "reason=line feed"},
        {"POST /z HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400,
         "POST /z"},
        {"FROB / HTTP/1.1\r\n" HOST "\r\n", 501, "- - path=-"},
        {"GET / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n", 417, "expect=tea"},
        {"GET / HTTP/3.0\r\n" HOST "\r\n", 505, NULL},
    };
    struct site *s = site_new(&plain);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = dial(s);

        say(fd, cases[i].text);
        struct reply r = hear(fd);
        if (r.status != cases[i].status || (cases[i].part && !strstr(r.body, cases[i].part)))
            fail_msg("%s\nwas answered\n%s%s", cases[i].text, r.head, r.body);
        assert_non_null(strstr(r.head, "\r\nConnection: close\r\n"));
        reply_done(&r);
        expect_end(fd);
        (void)close(fd);
    }
    assert_int_equal(site_handled(s), 0);
    site_wait_conns(s, 0);
    site_free(s);
}

static void hundred_continue(void **state)
{
    struct site *s = site_new(&(struct http_config){.max_body = 100});
    int fd = dial(s);

    (void)state;
    say(fd, "POST /a HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    struct reply r = hear_head(fd);
    assert_string_equal(r.head, "HTTP/1.1 100 Continue\r\n\r\n");
    reply_done(&r);
    expect_silence(fd);
    say(fd, "body");
    expect(fd, 200, "body=body");
    /* Already there: no need to ask for it. */
    say(fd, "POST /b HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 4\r\n\r\nBODY");
    expect(fd, 200, "body=BODY");
    /* Too large: the answer comes instead of the permission. */
    say(fd, "POST /c HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 101\r\n\r\n");
    expect(fd, 413, "POST /c");
    expect_end(fd);
    (void)close(fd);
    site_free(s);
}

static void limits_hold(void **state)
{
    struct http_config small = {.max_head = 1000, .max_body = 1000, .max_headers = 3};
    struct site *s = site_new(&small);
    char text[2000];
    int fd = dial(s);

    (void)state;
    memset(text, 'x', sizeof(text));
    say(fd, "GET /?");
    say_n(fd, text, 1000);
    expect(fd, 414, NULL);
    expect_end(fd);
    (void)close(fd);

    fd = dial(s);
    say(fd, "GET / HTTP/1.1\r\n" HOST "X: ");
    say_n(fd, text, 1000);
    expect(fd, 431, "GET /");
    expect_end(fd);
    (void)close(fd);

    fd = dial(s);
    say(fd, "GET / HTTP/1.1\r\n" HOST "A: 1\r\nB: 1\r\nC: 1\r\n\r\n");
    expect(fd, 431, "GET /");
    expect_end(fd);
    (void)close(fd);

    fd = dial(s);
    say(fd, "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 11; i++) {
        say(fd, "64\r\n");
        say_n(fd, text, 100);
        say(fd, "\r\n");
    }
    expect(fd, 413, "PUT /");
    expect_end(fd);
    (void)close(fd);
    site_free(s);
}

/* The client goes on sending a body that was refused, and still reads why. */
static void refused_body_leaves_the_answer_readable(void **state)
{
    struct site *s = site_new(&plain);
    char *body = xcalloc(1, 16 * 1024 * 1024);
    int fd = dial(s);

    (void)state;
    say(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 16777216\r\n\r\n");
    say_n(fd, body, 16 * 1024 * 1024);
    expect(fd, 413, "body too large");
    expect_end(fd);
    (void)close(fd);
    free(body);
    site_free(s);
}

static void deadlines(void **state)
{
    struct http_config quick = {.head_ms = 60, .body_ms = 60, .idle_ms = 60, .linger_ms = 60};
    struct site *s = site_new(&quick);
    int fd = dial(s);

    (void)state;
    expect_end(fd); /* said nothing: no reason to answer */
    (void)close(fd);

    fd = dial(s);
    say(fd, "GET /slow HTTP/1.1\r\nHo");
    expect(fd, 408, "GET /slow");
    expect_end(fd);
    (void)close(fd);

    fd = dial(s);
    say(fd, "POST /slow HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhell");
    expect(fd, 408, "POST /slow");
    expect_end(fd);
    (void)close(fd);

    fd = dial(s);
    say(fd, "GET /idle HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "GET /idle");
    expect_end(fd);
    (void)close(fd);

    /* The second request's head has its own deadline, of which it is told. */
    fd = dial(s);
    say(fd, "GET /one HTTP/1.1\r\n" HOST "\r\nG");
    expect(fd, 200, "GET /one");
    expect(fd, 408, NULL);
    expect_end(fd);
    (void)close(fd);

    /* Lingering has an end, even if the client never closes. */
    fd = dial(s);
    say(fd, "GET / HTTP/1.1\r\n\r\n");
    expect(fd, 400, NULL);
    site_wait_conns(s, 0);
    (void)close(fd);
    site_free(s);
}

/* A byte now and then keeps nothing alive. */
static void dripping_does_not_extend_the_head(void **state)
{
    struct site *s = site_new(&(struct http_config){.head_ms = 100});
    int fd = dial(s);
    bool answered = false;

    (void)state;
    say(fd, "GET / HTTP/1.1\r\nX: ");
    for (int i = 0; i < DEADLINE_MS / 5 && !answered; i++) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        answered = poll(&p, 1, 5) == 1;
        if (!answered)
            say(fd, "x");
    }
    assert_true(answered);
    expect(fd, 408, NULL);
    (void)close(fd);
    site_free(s);
}

/* No deadline runs while the handler has the request. */
static void handlers_may_take_their_time(void **state)
{
    struct http_config quick = {.head_ms = 20, .body_ms = 20, .idle_ms = 20, .write_ms = 20};
    struct site *s = site_new(&quick);
    int fd = dial(s), other;

    (void)state;
    say(fd, "GET /hold HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    site_wait_held(s, 1);
    for (int i = 0; i < 3; i++) { /* each takes one of those deadlines */
        other = dial(s);
        expect_end(other);
        (void)close(other);
    }
    expect_silence(fd);
    site_release(s);
    expect(fd, 200, "GET /hold");
    (void)close(fd);
    site_free(s);
}

static void slow_readers_get_everything(void **state)
{
    struct site *s = site_new(&(struct http_config){.write_ms = 5000});
    int fd = dial(s), small = 128 * 1024;

    (void)state;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    say(fd, "GET /big?8000000 HTTP/1.1\r\n" HOST "\r\nGET /after HTTP/1.1\r\n" HOST "\r\n");
    struct reply r = hear(fd);
    assert_int_equal(r.len, 8000000);
    for (size_t i = 0; i < r.len; i++)
        if (r.body[i] != (char)('a' + i % 23))
            fail_msg("byte %zu is wrong", i);
    reply_done(&r);
    expect(fd, 200, "GET /after");
    (void)close(fd);
    site_free(s);
}

static void stalled_readers_are_dropped(void **state)
{
    struct site *s = site_new(&(struct http_config){.write_ms = 80});
    int fd = dial(s);

    (void)state;
    say(fd, "GET /big?8000000 HTTP/1.1\r\n" HOST "\r\n");
    site_wait_conns(s, 1);
    site_wait_conns(s, 0); /* nothing was read */
    (void)close(fd);
    site_free(s);
}

static void clients_may_vanish(void **state)
{
    struct site *s = site_new(&plain);
    struct linger now = {.l_onoff = 1};
    int fd = dial(s);

    (void)state;
    say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    site_wait_held(s, 1);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close(fd); /* resets */
    site_wait_held_gone(s);
    site_release(s);
    site_wait_conns(s, 0);

    fd = dial(s);
    say(fd, "POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    (void)close(fd);
    fd = dial(s);
    say(fd, "GET /big?8000000 HTTP/1.1\r\n" HOST "\r\n");
    (void)close(fd);
    site_wait_conns(s, 0);
    site_free(s);
}

/* Half-closed after asking, as `nc -N` does: the answer is still wanted. */
static void half_closed_clients_get_their_answers(void **state)
{
    struct site *s = site_new(&plain);
    int fd = dial(s);

    (void)state;
    say(fd, "GET /hold HTTP/1.1\r\n" HOST "\r\nGET /more HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    site_release(s);
    expect(fd, 200, "GET /hold");
    expect(fd, 200, "GET /more");
    expect_end(fd);
    (void)close(fd);
    site_wait_conns(s, 0);
    site_free(s);
}

static void drain_finishes_what_began(void **state)
{
    struct site *s = site_new(&plain);
    int idle = dial(s), used = dial(s), begun = dial(s), held = dial(s);

    (void)state;
    say(used, "GET /a HTTP/1.1\r\n" HOST "\r\n");
    expect(used, 200, "GET /a");
    say(held, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    site_wait_held(s, 1);
    say(begun, "POST /b HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    struct reply r = hear_head(begun);
    assert_int_equal(r.status, 100);
    reply_done(&r);
    site_wait_conns(s, 4);

    site_drain(s);
    expect_end(idle);
    expect_end(used);
    assert_int_equal(access(site_unix(s), F_OK), -1);
    say(begun, "ok");
    r = hear(begun);
    assert_non_null(strstr(r.body, "body=ok"));
    assert_non_null(strstr(r.head, "Connection: close"));
    reply_done(&r);
    expect_end(begun);
    (void)close(begun);
    site_wait_conns(s, 1);
    site_release(s);
    r = hear(held);
    assert_non_null(strstr(r.head, "Connection: close"));
    reply_done(&r);
    expect_end(held);
    (void)close(held);
    site_wait_drained(s);
    (void)close(idle);
    (void)close(used);
    site_free(s);
}

static void drain_of_a_quiet_server(void **state)
{
    struct site *s = site_new(&plain);

    (void)state;
    site_drain(s);
    site_wait_drained(s);
    site_free(s);
}

static void connections_beyond_the_limit(void **state)
{
    enum { LIMIT = 3, SPARE = 16 };
    struct site *s = site_new(&(struct http_config){.max_conns = LIMIT});
    int fds[LIMIT + SPARE + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(s);
    expect_end(fds[LIMIT + SPARE]); /* not even told */
    say(fds[LIMIT], "GET /one-too-many HTTP/1.1\r\n" HOST "\r\n");
    expect(fds[LIMIT], 503, "GET /one-too-many");
    expect_end(fds[LIMIT]);
    say(fds[LIMIT - 1], "GET /last HTTP/1.1\r\n" HOST "\r\n");
    expect(fds[LIMIT - 1], 200, "GET /last");
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        (void)close(fds[i]);
    site_wait_conns(s, 0);
    int fd = dial(s);
    say(fd, "GET /again HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "GET /again");
    (void)close(fd);
    site_free(s);
}

static void unix_socket_is_the_operators(void **state)
{
    struct site *s = site_new(&plain);
    struct stat st;
    int fd = dial_unix(s);

    (void)state;
    assert_int_equal(stat(site_unix(s), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    say(fd, "GET / HTTP/1.1\r\n" HOST "\r\n");
    expect(fd, 200, "peer=unix tls=0 local=1");
    (void)close(fd);
    site_free(s);
}

static void free_server(struct site *s, void *arg)
{
    (void)arg;
    http_server_free(site_server(s));
    site_forget_server(s);
}

/* The server goes while handlers still hold requests: their late replies find nobody, and nothing
 * is lost. */
static void replies_after_the_servers_end(void **state)
{
    struct site *s = site_new(&plain);
    int a = dial(s), b = dial(s);

    (void)state;
    say(a, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    say(b, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
    site_wait_held(s, 2);
    site_do(s, free_server, NULL);
    expect_end(a);
    expect_end(b);
    site_release(s);
    (void)close(a);
    (void)close(b);
    site_free(s); /* releases the other */
}

/* --- listening, without a thread --- */

static void never(void *ctx, struct http_exchange *x)
{
    (void)ctx, (void)x;
    fail();
}

static void listening_fails_cleanly(void **state)
{
    struct http_config config = {.handle = never};
    struct http_server *s;
    struct loop *loop;
    uint16_t port, again;

    (void)state;
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(http_server_new(loop, &config, &s), 0);
    assert_int_equal(http_server_listen_tcp(s, "localhost", 0, &port), 0);
    assert_int_not_equal(port, 0);
    assert_int_equal(http_server_listen_tcp(s, "127.0.0.1", port, &again), -EADDRINUSE);
    assert_int_equal(http_server_listen_tcp(s, "not.an.address", 0, &again), -EINVAL);
    assert_int_equal(http_server_listen_tcp(s, "192.0.2.1", 0, &again), -EADDRNOTAVAIL);
    assert_int_equal(http_server_listen_unix(s, "/nonexistent/dir/x.sock"), -ENOENT);
    assert_int_equal(http_server_listen_unix(s, "/tmp/"), -EINVAL);
    http_server_free(s);
    loop_free(loop);
}

static void unix_socket_files(void **state)
{
    struct http_config config = {.handle = never};
    struct http_server *s, *other;
    struct loop *loop;
    char dir[] = "/tmp/ostler-net-XXXXXX";
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    /* A directory longer than an address. */
    CLEANUP(free_p) char *deep = xasprintf("%s/%0100d", dir, 0);
    CLEANUP(free_p) char *path = xasprintf("%s/a.sock", deep);
    CLEANUP(free_p) char *file = xasprintf("%s/file", deep);
    CLEANUP(free_p) char *long_name = xasprintf("%s/%0100d", deep, 0);
    assert_int_equal(mkdir(deep, 0700), 0);
    assert_int_equal(loop_new(&loop), 0);
    assert_int_equal(http_server_new(loop, &config, &s), 0);
    assert_int_equal(http_server_new(loop, &config, &other), 0);

    assert_int_equal(http_server_listen_unix(s, path), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(http_server_listen_unix(other, path), -EADDRINUSE);
    assert_int_equal(stat(path, &st), 0); /* the loser left it alone */
    assert_int_equal(http_server_listen_unix(s, long_name), -ENAMETOOLONG);

    FILE *f = fopen(file, "we");
    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(http_server_listen_unix(s, file), -EEXIST);
    assert_int_equal(stat(file, &st), 0);

    /* One that somebody left behind. */
    CLEANUP(free_p) char *stale = xasprintf("%s/stale", dir);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", stale);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    (void)close(fd);
    assert_int_equal(stat(stale, &st), 0);
    assert_int_equal(http_server_listen_unix(other, stale), 0);

    http_server_free(s);
    http_server_free(other);
    assert_int_equal(stat(path, &st), -1);
    assert_int_equal(stat(stale, &st), -1);
    loop_free(loop);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keep_alive_and_order),
        cmocka_unit_test(what_every_reply_has),
        cmocka_unit_test(requests_in_pieces),
        cmocka_unit_test(one_request_at_a_time),
        cmocka_unit_test(pipelining_has_backpressure),
        cmocka_unit_test(refusals_close),
        cmocka_unit_test(hundred_continue),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(refused_body_leaves_the_answer_readable),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(dripping_does_not_extend_the_head),
        cmocka_unit_test(handlers_may_take_their_time),
        cmocka_unit_test(slow_readers_get_everything),
        cmocka_unit_test(stalled_readers_are_dropped),
        cmocka_unit_test(clients_may_vanish),
        cmocka_unit_test(half_closed_clients_get_their_answers),
        cmocka_unit_test(drain_finishes_what_began),
        cmocka_unit_test(drain_of_a_quiet_server),
        cmocka_unit_test(connections_beyond_the_limit),
        cmocka_unit_test(unix_socket_is_the_operators),
        cmocka_unit_test(replies_after_the_servers_end),
        cmocka_unit_test(listening_fails_cleanly),
        cmocka_unit_test(unix_socket_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
