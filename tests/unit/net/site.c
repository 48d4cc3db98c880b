/* The server thread and the client of the tests. */
#include "site.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/util.h"
#include "net/loop.h"

enum { MAX_HELD = 64 };

struct site {
    struct loop *loop;
    struct http_server *server;
    struct loop_wake *wake;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*job)(struct site *s, void *arg);
    void *job_arg;
    bool stop, drained;
    struct http_exchange *held[MAX_HELD];
    int n_held, handled;
    uint16_t port;
    char dir[64], unix_path[512];
    char *big;
};

enum { BIG_MAX = 8 * 1024 * 1024 };

/* --- what it answers --- */

static void echo(struct http_exchange *x, int status, const char *reason)
{
    struct buf b = {0};

    buf_fmt(&b, "%s %s path=%s query=%s minor=%d peer=%s tls=%d local=%d\n",
            x->method ? x->method : "-", x->target ? x->target : "-", x->path ? x->path : "-",
            x->query, x->minor, x->peer, x->tls, x->local_operator);
    for (size_t i = 0; i < x->n_headers; i++)
        buf_fmt(&b, "%s=%s\n", x->headers[i].name, x->headers[i].value);
    buf_fmt(&b, "reason=%s\nbody=", reason ? reason : "");
    buf_add(&b, x->body, x->body_len);
    http_reply(x,
               &(struct http_reply){
                   .status = status, .content_type = "text/plain", .body = b.data, .len = b.len});
    buf_done(&b);
}

static void hold(struct site *s, struct http_exchange *x)
{
    pthread_mutex_lock(&s->lock);
    assert_true(s->n_held < MAX_HELD);
    s->held[s->n_held++] = x;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void inject(struct http_exchange *x)
{
    static const struct http_header evil[] = {
        {"X-Good", "yes"},        {"X-Bad", "a\r\nX-Evil: 1"}, {"X-Bad\r\nX-Evil", "1"},
        {"X Bad", "1"},           {"Content-Length", "0"},     {"transfer-encoding", "chunked"},
        {"X-Bad:X-Evil", "1"},    {"X-Lf", "a\nX-Evil: 1"},    {"", "X-Evil"},
        {"Connection", "X-Evil"},
    };

    http_reply(x, &(struct http_reply){.status = 200,
                                       .content_type = "text/plain\r\nX-Evil: 1",
                                       .headers = evil,
                                       .n_headers = ARRAY_LEN(evil),
                                       .body = "ok",
                                       .len = 2});
}

/* All of it is gone when http_reply returns. */
static void spoil(struct http_exchange *x)
{
    char header[] = "kept", body[] = "0123456789", *comma = strchr(x->query, ',');
    struct http_header headers[] = {{"X-Late", header}};

    http_reply(x, &(struct http_reply){.status = 200,
                                       .headers = headers,
                                       .n_headers = 1,
                                       .body = body,
                                       .len = 10,
                                       .fate = (enum http_fate)strtol(x->query, NULL, 10),
                                       .delay_ms = strtoul(comma + 1, NULL, 10)});
    memset(header, 'x', sizeof(header) - 1);
    memset(body, 'x', sizeof(body) - 1);
}

static void on_request(void *ctx, struct http_exchange *x)
{
    struct site *s = ctx;
    long long size = 0;

    pthread_mutex_lock(&s->lock);
    s->handled++;
    pthread_mutex_unlock(&s->lock);
    if (streq(x->path, "/hold")) {
        hold(s, x);
    } else if (streq(x->path, "/big")) {
        assert_int_equal(parse_i64(x->query, &size), 0);
        http_reply(x, &(struct http_reply){.status = 200, .body = s->big, .len = (size_t)size});
    } else if (streq(x->path, "/close")) {
        http_reply(x, &(struct http_reply){.status = 200, .body = "bye", .len = 3, .close = true});
    } else if (streq(x->path, "/inject")) {
        inject(x);
    } else if (streq(x->path, "/empty")) {
        http_reply(x, &(struct http_reply){.status = 204, .body = "not sent", .len = 8});
    } else if (streq(x->path, "/fate")) {
        spoil(x);
    } else if (streq(x->path, "/user")) {
        assert_null(x->user);
        char *text = arena_fmt(x->arena, "arena %s", x->query);
        x->user = text;
        http_reply(x, &(struct http_reply){.status = 200, .body = text, .len = strlen(text)});
    } else {
        echo(x, 200, NULL);
    }
}

static void on_refusal(void *ctx, struct http_exchange *x, int status, const char *reason)
{
    (void)ctx;
    echo(x, status, reason);
}

/* --- the thread --- */

static void on_wake(void *arg)
{
    struct site *s = arg;

    pthread_mutex_lock(&s->lock);
    void (*job)(struct site *, void *) = s->job;
    bool stop = s->stop;
    pthread_mutex_unlock(&s->lock);
    if (job) {
        job(s, s->job_arg); /* may call handlers, which take the lock */
        pthread_mutex_lock(&s->lock);
        s->job = NULL;
        pthread_cond_broadcast(&s->changed);
        pthread_mutex_unlock(&s->lock);
    }
    if (stop)
        loop_stop(s->loop);
}

static void *run(void *arg)
{
    struct site *s = arg;

    (void)loop_run(s->loop);
    return NULL;
}

static struct timespec deadline(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_REALTIME, &ts);
    ts.tv_sec += DEADLINE_MS / 1000;
    return ts;
}

static void wait_changed(struct site *s, const struct timespec *until)
{
    if (pthread_cond_timedwait(&s->changed, &s->lock, until) == ETIMEDOUT) {
        pthread_mutex_unlock(&s->lock);
        fail_msg("the server took too long");
    }
}

void site_do(struct site *s, void (*fn)(struct site *s, void *arg), void *arg)
{
    struct timespec until = deadline();

    pthread_mutex_lock(&s->lock);
    s->job = fn;
    s->job_arg = arg;
    loop_wake_send(s->wake);
    while (s->job)
        wait_changed(s, &until);
    pthread_mutex_unlock(&s->lock);
}

struct site *site_new(const struct http_config *config)
{
    struct site *s = xcalloc(1, sizeof(*s));
    struct http_config own = *config;

    own.handle = on_request;
    own.refuse = on_refusal;
    own.ctx = s;
    s->big = xmalloc(BIG_MAX);
    for (size_t i = 0; i < BIG_MAX; i++)
        s->big[i] = (char)('a' + i % 23);
    (void)snprintf(s->dir, sizeof(s->dir), "/tmp/ostler-net-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    (void)snprintf(s->unix_path, sizeof(s->unix_path), "%s/operator.sock", s->dir);
    assert_int_equal(loop_new(&s->loop), 0);
    assert_int_equal(http_server_new(s->loop, &own, &s->server), 0);
    assert_int_equal(http_server_listen_tcp(s->server, "127.0.0.1", 0, &s->port), 0);
    assert_int_equal(http_server_listen_unix(s->server, s->unix_path), 0);
    s->wake = loop_wake_new(s->loop, on_wake, s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    assert_int_equal(pthread_create(&s->thread, NULL, run, s), 0);
    return s;
}

void site_free(struct site *s)
{
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    loop_wake_send(s->wake);
    pthread_mutex_unlock(&s->lock);
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    http_server_free(s->server);
    for (int i = 0; i < s->n_held; i++)
        http_reply(s->held[i], &(struct http_reply){.status = 200}); /* after the server's end */
    loop_wake_free(s->wake);
    loop_free(s->loop);
    (void)unlink(s->unix_path);
    assert_int_equal(rmdir(s->dir), 0); /* the socket file was removed */
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s->big);
    free(s);
}

uint16_t site_port(const struct site *s)
{
    return s->port;
}

const char *site_unix(const struct site *s)
{
    return s->unix_path;
}

const char *site_dir(const struct site *s)
{
    return s->dir;
}

struct http_server *site_server(struct site *s)
{
    return s->server;
}

void site_forget_server(struct site *s)
{
    s->server = NULL;
}

void site_wait_held(struct site *s, int n)
{
    struct timespec until = deadline();

    pthread_mutex_lock(&s->lock);
    while (s->n_held < n)
        wait_changed(s, &until);
    pthread_mutex_unlock(&s->lock);
}

static void release_one(struct site *s, void *arg)
{
    struct http_exchange *x = s->held[0];

    (void)arg;
    pthread_mutex_lock(&s->lock);
    memmove(s->held, s->held + 1, (size_t)--s->n_held * sizeof(*s->held));
    pthread_mutex_unlock(&s->lock);
    echo(x, 200, NULL);
}

void site_release(struct site *s)
{
    site_wait_held(s, 1);
    site_do(s, release_one, NULL);
}

int site_handled(struct site *s)
{
    pthread_mutex_lock(&s->lock);
    int n = s->handled;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* --- waiting for what only the loop's thread may look at: asked again each millisecond, up to the
 * deadline --- */

struct question {
    bool (*is)(struct site *s, size_t n);
    size_t n;
    bool yes;
};

static void ask(struct site *s, void *arg)
{
    struct question *q = arg;

    q->yes = q->is(s, q->n);
}

static void wait_until(struct site *s, bool (*is)(struct site *s, size_t n), size_t n)
{
    struct question q = {.is = is, .n = n};

    for (int i = 0; i < DEADLINE_MS && !q.yes; i++) {
        site_do(s, ask, &q);
        if (!q.yes)
            (void)poll(NULL, 0, 1);
    }
    assert_true(q.yes);
}

static bool has_conns(struct site *s, size_t n)
{
    return http_server_conns(s->server) == n;
}

void site_wait_conns(struct site *s, size_t n)
{
    wait_until(s, has_conns, n);
}

static bool held_is_gone(struct site *s, size_t n)
{
    (void)n;
    return s->n_held && http_gone(s->held[0]);
}

void site_wait_held_gone(struct site *s)
{
    wait_until(s, held_is_gone, 0);
}

static void on_drained(void *arg)
{
    struct site *s = arg;

    assert_false(s->drained);
    s->drained = true;
}

static void begin_drain(struct site *s, void *arg)
{
    (void)arg;
    http_server_drain(s->server, on_drained, s);
    http_server_drain(s->server, on_drained, s); /* again, which changes nothing */
    assert_false(s->drained);                    /* never from within */
}

void site_drain(struct site *s)
{
    site_do(s, begin_drain, NULL);
}

static bool is_drained(struct site *s, size_t n)
{
    (void)n;
    return s->drained;
}

void site_wait_drained(struct site *s)
{
    wait_until(s, is_drained, 0);
}

/* --- the client --- */

int dial(struct site *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(s->port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    int on = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)),
                     0); /* pieces stay pieces */
    return fd;
}

int dial_unix(struct site *s)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(a.sun_path, sizeof(a.sun_path), "%.107s", s->unix_path);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

void say_n(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0)
            fail_msg("cannot send: %s", strerror(errno));
        data += n;
        len -= (size_t)n;
    }
}

void say(int fd, const char *text)
{
    say_n(fd, text, strlen(text));
}

static size_t hear_some(int fd, char *to, size_t size)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (poll(&p, 1, DEADLINE_MS) != 1)
        fail_msg("heard nothing");
    ssize_t n = recv(fd, to, size, 0);
    if (n < 0)
        fail_msg("cannot receive: %s", strerror(errno));
    return (size_t)n;
}

/* A byte at a time, to leave the next reply alone. */
static char *read_head(int fd)
{
    struct buf b = {0};

    while (b.len < 4 || memcmp(b.data + b.len - 4, "\r\n\r\n", 4) != 0) {
        char c;

        if (!hear_some(fd, &c, 1))
            fail_msg("closed within a reply's head: '%s'", buf_cstr(&b));
        buf_char(&b, c);
    }
    return buf_take(&b);
}

static size_t content_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length: ");

    return line ? strtoul(line + 18, NULL, 10) : 0;
}

struct reply hear_head(int fd)
{
    struct reply r = {.head = read_head(fd)};

    if (!str_starts(r.head, "HTTP/1.1 "))
        fail_msg("not a reply: %s", r.head);
    r.status = (int)strtol(r.head + 9, NULL, 10);
    return r;
}

struct reply hear(int fd)
{
    struct reply r = hear_head(fd);

    r.len = content_length(r.head);
    r.body = xmalloc(r.len + 1);
    for (size_t at = 0; at < r.len;) {
        size_t n = hear_some(fd, r.body + at, r.len - at);

        if (!n)
            fail_msg("closed within a reply's body");
        at += n;
    }
    r.body[r.len] = 0;
    return r;
}

void reply_done(struct reply *r)
{
    free(r->head);
    free(r->body);
    *r = (struct reply){0};
}

void expect(int fd, int status, const char *part)
{
    struct reply r = hear(fd);

    if (r.status != status || (part && !strstr(r.body, part)))
        fail_msg("wanted %d '%s', heard:\n%s%s", status, part ? part : "", r.head, r.body);
    reply_done(&r);
}

void expect_end(int fd)
{
    char c;

    assert_int_equal(hear_some(fd, &c, 1), 0);
}

void expect_silence(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, 0), 0);
}
