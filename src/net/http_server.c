/* The server around its connections: listening, limits, deadlines, spare requests, draining. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

#include "base/util.h"
#include "net/http_impl.h"
#include "net/loop.h"
#include "net/loop_uv.h"
#include "net/unix_path.h"

enum { BACKLOG = 1024, SPARE_REQUESTS = 64 };

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct http_server *server;
    struct listener *next;
    bool local;
    /* Of a unix socket: where its file is and which file it is, to remove no other. */
    int dirfd;
    char *name;
    dev_t dev;
    ino_t ino;
};

/* --- configuration --- */

static void default_size(size_t *value, size_t standard)
{
    if (!*value)
        *value = standard;
}

static void default_ms(uint64_t *value, uint64_t standard)
{
    if (!*value)
        *value = standard;
}

static void set_defaults(struct http_config *c)
{
    default_size(&c->max_head, 256 * 1024);
    default_size(&c->max_body, 8 * 1024 * 1024);
    default_size(&c->max_headers, 200);
    default_size(&c->max_conns, 4096);
    default_ms(&c->head_ms, 10 * 1000);
    default_ms(&c->body_ms, 30 * 1000);
    default_ms(&c->idle_ms, 75 * 1000);
    default_ms(&c->write_ms, 30 * 1000);
    default_ms(&c->linger_ms, 2 * 1000);
}

static void on_timer(void *arg);

int http_server_new(struct loop *loop, const struct http_config *config,
                    struct http_server **ret_server)
{
    if (!config->handle)
        return -EINVAL;
    struct http_server *s = xcalloc(1, sizeof(*s));
    s->loop = loop;
    s->config = *config;
    set_defaults(&s->config);
    s->read_data = xmalloc(READ_SIZE);
    s->plain_data = xmalloc(READ_SIZE);
    for (size_t i = 0; i < WAIT_KINDS; i++)
        s->queues[i].last = &s->queues[i].first;
    s->timer = loop_timer_new(loop, on_timer, s);
    *ret_server = s;
    return 0;
}

/* --- the end --- */

static void maybe_destroy(struct http_server *s)
{
    if (!s->freed || s->n_conns || s->n_listeners)
        return;
    while (s->spare) {
        struct request *r = s->spare;

        s->spare = r->next;
        request_free(r);
    }
    buf_done(&s->out);
    free(s->read_data);
    free(s->plain_data);
    free(s);
}

static void drained_now(void *arg)
{
    struct http_server *s = arg;

    loop_timer_free(s->drained_timer);
    s->drained_timer = NULL;
    if (s->drained_cb)
        s->drained_cb(s->drained_arg);
}

/* The callback comes from the loop, not from whatever closed the last connection: it may free the
 * server. */
static void maybe_drained(struct http_server *s)
{
    if (!s->draining || s->drained || s->freed || s->n_conns || s->n_listeners)
        return;
    s->drained = true;
    loop_timer_stop(s->timer); /* nobody waits any more */
    s->drained_timer = loop_timer_new(s->loop, drained_now, s);
    loop_timer_set(s->drained_timer, 0, 0);
}

static void settle(struct http_server *s)
{
    maybe_drained(s);
    maybe_destroy(s);
}

void server_conn_gone(struct http_server *s)
{
    s->n_conns--;
    settle(s);
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = CONTAINER_OF(h, struct listener, uv.handle);
    struct http_server *s = l->server;

    free(l->name);
    free(l);
    s->n_listeners--;
    settle(s);
}

static void remove_socket_file(const struct listener *l)
{
    struct stat st;

    if (!l->name || fstatat(l->dirfd, l->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (st.st_dev == l->dev && st.st_ino == l->ino)
        (void)unlinkat(l->dirfd, l->name,
                       0); /* left behind it is stale, and the next start replaces it */
}

static void listener_close(struct listener *l)
{
    remove_socket_file(l);
    close_p(&l->dirfd);
    uv_close(&l->uv.handle, on_listener_closed);
}

static void close_listeners(struct http_server *s)
{
    while (s->listeners) {
        struct listener *l = s->listeners;

        s->listeners = l->next;
        listener_close(l);
    }
}

static void each_conn(struct http_server *s, void (*fn)(struct conn *c))
{
    for (struct conn *c = s->conns, *next; c; c = next) {
        next = conn_next(c);
        fn(c);
    }
}

void http_server_drain(struct http_server *s, void (*cb)(void *arg), void *arg)
{
    if (s->draining)
        return;
    s->draining = true;
    s->drained_cb = cb;
    s->drained_arg = arg;
    close_listeners(s);
    each_conn(s, conn_drain);
    maybe_drained(s);
}

size_t http_server_conns(const struct http_server *s)
{
    return s->n_conns;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    s->freed = true;
    close_listeners(s);
    each_conn(s, conn_close);
    for (struct request *r = s->answerable; r; r = r->next)
        r->server = NULL;
    s->answerable = NULL;
    loop_timer_free(s->timer);
    loop_timer_free(s->drained_timer);
    s->timer = s->drained_timer = NULL;
    maybe_destroy(s);
}

/* --- listening --- */

/* Beyond the limit there is still room for some to be told so. */
static bool hopeless(const struct http_server *s)
{
    size_t limit = s->config.max_conns;

    return s->n_conns > limit + limit / 8 + 16;
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *l = CONTAINER_OF(stream, struct listener, uv.stream);
    struct http_server *s = l->server;

    if (status < 0)
        return; /* the client took it back before we came to it, or we have no descriptor left:
                   libuv goes on */
    s->n_conns++;
    conn_accept(s, stream, l->local, s->n_conns > s->config.max_conns, hopeless(s));
}

void http_server_adopt(struct http_server *s, int fd)
{
    if (s->draining || s->freed) {
        (void)close(fd);
        return;
    }
    s->n_conns++;
    conn_adopt(s, fd, s->n_conns > s->config.max_conns, hopeless(s));
}

static struct listener *listener_new(struct http_server *s)
{
    struct listener *l = xcalloc(1, sizeof(*l));

    l->server = s;
    l->dirfd = -1;
    s->n_listeners++;
    return l;
}

static int listener_start(struct http_server *s, struct listener *l)
{
    int r = uv_listen(&l->uv.stream, BACKLOG, on_connection);

    if (r < 0)
        return r;
    l->next = s->listeners;
    s->listeners = l;
    return 0;
}

static int resolve(const char *host, uint16_t port, struct sockaddr_storage *ret)
{
    if (streq(host, "localhost"))
        host = "127.0.0.1";
    if (!uv_ip4_addr(host, port, (struct sockaddr_in *)ret))
        return 0;
    return uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret) ? -EINVAL : 0;
}

static int bound_port(const uv_tcp_t *tcp, uint16_t *ret_port)
{
    struct sockaddr_storage a;
    int len = sizeof(a), r = uv_tcp_getsockname(tcp, (struct sockaddr *)&a, &len);

    if (r < 0)
        return r;
    *ret_port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                              : ((struct sockaddr_in *)&a)->sin_port);
    return 0;
}

int http_server_listen_tcp(struct http_server *s, const char *host, uint16_t port,
                           uint16_t *ret_port)
{
    struct sockaddr_storage address = {0};
    uint16_t bound = 0;
    int r = resolve(host, port, &address);

    if (r < 0)
        return r;
    if (s->draining)
        return -ESHUTDOWN;
    struct listener *l = listener_new(s);
    (void)uv_tcp_init(loop_uv(s->loop), &l->uv.tcp); /* makes no socket yet and cannot fail */
    r = uv_tcp_bind(&l->uv.tcp, (struct sockaddr *)&address, 0); /* sets SO_REUSEADDR */
    if (!r)
        r = bound_port(&l->uv.tcp, &bound);
    if (!r)
        r = listener_start(s, l);
    if (r < 0) {
        listener_close(l);
        return r;
    }
    if (ret_port)
        *ret_port = bound;
    return 0;
}

/* 0 when nothing is in the way of a new socket at this address. */
static int clear_way(int dirfd, const char *name, const struct sockaddr_un *address)
{
    struct stat st;

    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(st.st_mode))
        return -EEXIST;
    CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN)
        return -EADDRINUSE; /* EAGAIN: somebody is there and has much to do */
    if (errno != ECONNREFUSED && errno != ENOENT)
        return -errno;
    return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* The mode set on the unbound socket is the mode that its file is born with. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
    if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        return -errno;
    return 0;
}

static int listener_open_unix(struct listener *l, const struct sockaddr_un *address)
{
    struct stat st;
    int r = clear_way(l->dirfd, l->name, address);

    if (r < 0)
        return r;
    CLEANUP(close_p) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    r = bind_private(fd, address);
    if (r < 0)
        return r;
    if (fstatat(l->dirfd, l->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    l->dev = st.st_dev;
    l->ino = st.st_ino;
    r = uv_pipe_open(&l->uv.pipe, fd);
    if (!r)
        (void)fd_take(&fd); /* the handle closes it now */
    return r;
}

int http_server_listen_unix(struct http_server *s, const char *path)
{
    struct sockaddr_un address;
    int dirfd, r = unix_path(path, &address, &dirfd);

    if (r < 0)
        return r;
    if (s->draining || strlen(unix_path_name(path)) > 80) {
        (void)close(dirfd);
        return s->draining ? -ESHUTDOWN : -ENAMETOOLONG;
    }
    struct listener *l = listener_new(s);
    l->local = true;
    l->dirfd = dirfd;
    l->name = xstrdup(unix_path_name(path));
    (void)uv_pipe_init(loop_uv(s->loop), &l->uv.pipe, 0); /* cannot fail */
    r = listener_open_unix(l, &address);
    if (!r)
        r = listener_start(s, l);
    if (r < 0)
        listener_close(l);
    return r;
}

/* --- requests --- */

static void request_link(struct request *r, struct request **list)
{
    r->next = *list;
    r->link = list;
    if (r->next)
        r->next->link = &r->next;
    *list = r;
}

static void request_unlink(struct request *r)
{
    *r->link = r->next;
    if (r->next)
        r->next->link = r->link;
    r->link = NULL;
}

struct request *server_take_request(struct http_server *s)
{
    struct request *r = s->spare;

    if (r) {
        request_unlink(r);
        s->n_spare--;
    } else {
        r = request_new(&s->config);
    }
    r->server = s;
    return r;
}

void server_hand_out(struct request *r)
{
    request_link(r, &r->server->answerable);
}

void server_give_request(struct request *r)
{
    struct http_server *s = r->server;

    if (s && r->link)
        request_unlink(r);
    if (!s || s->freed || s->n_spare == SPARE_REQUESTS) {
        request_free(r);
        return;
    }
    request_clear(r);
    request_link(r, &s->spare);
    s->n_spare++;
}

/* --- deadlines: within a queue all wait equally long, so the first to wait is the first to be due
 * --- */

static void waiter_unlink(struct http_server *s, struct waiter *w)
{
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    else
        s->queues[w->kind].last = w->link;
    w->link = NULL;
}

static void arm(struct http_server *s, uint64_t now, uint64_t at)
{
    s->timer_at = at;
    loop_timer_set(s->timer, at > now ? at - now : 0, 0);
}

void server_wait(struct http_server *s, struct waiter *w, enum wait kind)
{
    const uint64_t ms[WAIT_KINDS] = {
        [WAIT_HEAD] = s->config.head_ms,     [WAIT_BODY] = s->config.body_ms,
        [WAIT_IDLE] = s->config.idle_ms,     [WAIT_WRITE] = s->config.write_ms,
        [WAIT_LINGER] = s->config.linger_ms,
    };

    if (w->link)
        waiter_unlink(s, w);
    w->kind = kind;
    if (kind == WAIT_NONE || s->freed)
        return;
    uint64_t now = loop_now_ms(s->loop);
    w->at = now + ms[kind];
    w->next = NULL;
    w->link = s->queues[kind].last;
    *w->link = w;
    s->queues[kind].last = &w->next;
    /* A timer that is set too early is left alone: it costs one wake-up, setting it each time costs
     * more. */
    if (!s->timer_at || w->at < s->timer_at)
        arm(s, now, w->at);
}

static void on_timer(void *arg)
{
    struct http_server *s = arg;
    uint64_t now = loop_now_ms(s->loop), next = 0;

    s->timer_at = 0;
    for (size_t i = 0; i < WAIT_KINDS && !s->freed; i++)
        while (!s->freed && s->queues[i].first && s->queues[i].first->at <= now) {
            struct waiter *w = s->queues[i].first;

            waiter_unlink(s, w);
            conn_expired(w);
        }
    if (s->freed)
        return;
    for (size_t i = 0; i < WAIT_KINDS; i++)
        if (s->queues[i].first && (!next || s->queues[i].first->at < next))
            next = s->queues[i].first->at;
    if (next)
        arm(s, now, next);
}

/* --- the date --- */

const char *server_date(struct http_server *s)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    /* The wall clock: Date tells the client ours, even when the product's clock was moved. */
    time_t now = time(NULL);
    struct tm tm;

    if (now != s->date_at || !s->date[0]) {
        (void)gmtime_r(&now, &tm);
        (void)snprintf(s->date, sizeof(s->date), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                       days + tm.tm_wday * 3, tm.tm_mday % 100, months + tm.tm_mon * 3,
                       (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100,
                       tm.tm_sec % 100);
        s->date_at = now;
    }
    return s->date;
}
