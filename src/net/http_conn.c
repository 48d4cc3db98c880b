/*
 * One connection: bytes in, a request at a time to the handler, bytes out.
 *
 *   READING ──▶ ANSWERING ──▶ (WRITING) ──▶ READING ...
 *                         └──▶ (WRITING) ──▶ LINGERING ──▶ CLOSED
 *
 * The handler may answer inside the callback or later. In both cases it is http_reply that moves
 * on; the loop in `process` only goes round while the state is READING again, so a long row of
 * pipelined requests is no recursion.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <uv.h>

#include "base/arena.h"
#include "base/util.h"
#include "net/http_impl.h"
#include "net/loop.h"
#include "net/loop_uv.h"
#include "net/tls_session.h"

enum {
    PENDING_MAX = 64 * 1024,
    KEEP_PENDING = 4 * 1024,
    KEEP_OUT = 256 * 1024,
    TLS_HANDSHAKE = 0x16
};

enum conn_state {
    CONN_READING,
    CONN_ANSWERING, /* `request` is with the handler */
    CONN_WRITING,   /* the client does not take the answer as fast as we give it */
    CONN_LINGERING, /* we said all; reading, and dropping, until the client closes too */
    CONN_CLOSED,
};

struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    struct http_server *server;
    struct conn *next, **link;
    struct waiter waiter;
    enum conn_state state;
    struct request *request; /* NULL between requests */
    struct tls_session *tls;
    struct buf pending; /* what came behind the request that is being answered */
    unsigned writes;    /* given to libuv and not yet done */
    size_t unsent_seen; /* what was unsent when the write deadline was last set */
    bool local, over_limit;
    bool sniffed; /* it is known whether this is TLS */
    bool reading, eof;
    bool served;      /* at least one request was answered */
    bool close_after; /* the answer that is being written is the last */
    bool processing;
    char peer[INET6_ADDRSTRLEN];
};

struct write {
    uv_write_t req;
    struct conn *conn;
    char data[];
};

static void resume(struct conn *c);

struct conn *conn_next(const struct conn *c)
{
    return c->next;
}

/* --- the end of a connection --- */

static void on_closed(uv_handle_t *h)
{
    struct conn *c = CONTAINER_OF(h, struct conn, uv.handle);
    struct http_server *s = c->server;

    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    tls_session_free(c->tls);
    buf_done(&c->pending);
    free(c);
    server_conn_gone(s);
}

/* A reply that was given for later; it and its texts are in the request's arena. */
struct held {
    struct http_reply reply;
    struct loop_timer *timer;
};

static void held_end(struct request *r)
{
    if (r->held)
        loop_timer_free(r->held->timer);
    r->held = NULL;
}

void conn_close(struct conn *c)
{
    struct request *r = c->request;

    if (c->state == CONN_CLOSED)
        return;
    if (r && c->state == CONN_ANSWERING && !r->held) {
        r->conn = NULL; /* the handler still owes its reply, which will find nobody */
    } else if (r) {
        held_end(r);
        server_give_request(r);
    }
    c->request = NULL;
    c->state = CONN_CLOSED;
    server_wait(c->server, &c->waiter, WAIT_NONE);
    uv_close(&c->uv.handle, on_closed);
}

void conn_drain(struct conn *c)
{
    if ((c->state == CONN_READING && !(c->request && request_begun(c->request))) ||
        (c->request && c->request->held))
        conn_close(c);
}

/* --- writing --- */

static void written(struct conn *c);

static void on_written(uv_write_t *req, int status)
{
    struct write *w = CONTAINER_OF(req, struct write, req);
    struct conn *c = w->conn;

    free(w);
    c->writes--;
    if (c->state == CONN_CLOSED)
        return;
    if (status < 0)
        conn_close(c);
    else if (c->state == CONN_WRITING && !c->writes)
        written(c);
}

/* Sends what the socket takes now and queues a copy of the rest. The connection may be closed
 * afterwards. */
static void send_all(struct conn *c, uv_buf_t *bufs, unsigned n)
{
    size_t total = 0, at = 0;

    for (unsigned i = 0; i < n; i++)
        total += bufs[i].len;
    int sent = c->writes ? UV_EAGAIN : uv_try_write(&c->uv.stream, bufs, n);
    if (sent < 0 && sent != UV_EAGAIN) {
        conn_close(c);
        return;
    }
    size_t skip = sent < 0 ? 0 : (size_t)sent;
    if (skip == total)
        return;
    struct write *w = xmalloc(sizeof(*w) + total - skip);
    w->conn = c;
    for (unsigned i = 0; i < n; i++) {
        size_t gone = skip < bufs[i].len ? skip : bufs[i].len, left = bufs[i].len - gone;

        skip -= gone;
        if (left)
            memcpy(w->data + at, bufs[i].base + gone, left);
        at += left;
    }
    uv_buf_t rest = uv_buf_init(w->data, (unsigned)at);
    c->writes++;
    int r = uv_write(&w->req, &c->uv.stream, &rest, 1, on_written);
    if (r < 0) {
        free(w); /* libuv did not take it */
        c->writes--;
        conn_close(c);
    }
}

static void send_tls_out(struct conn *c)
{
    const char *data;
    size_t n = tls_session_out(c->tls, &data);

    if (!n || c->state == CONN_CLOSED)
        return;
    uv_buf_t b = uv_buf_init((char *)data, (unsigned)n);
    send_all(c, &b, 1);
    tls_session_sent(c->tls);
}

/* Sends a head and a body, either of which may be empty, in one piece if that can be. */
static void send_message(struct conn *c, struct buf *head, const void *body, size_t len)
{
    uv_buf_t bufs[2] = {uv_buf_init(head->data, (unsigned)head->len),
                        uv_buf_init((char *)body, (unsigned)len)};

    if (!c->tls) {
        send_all(c, bufs, len ? 2 : 1);
        return;
    }
    buf_add(head, body, len); /* so that a short answer is one record */
    if (tls_session_write(c->tls, head->data, head->len) < 0) {
        conn_close(c);
        return;
    }
    send_tls_out(c);
}

static void drop_pending(struct conn *c)
{
    if (c->pending.cap > KEEP_PENDING)
        buf_done(&c->pending);
    else
        buf_clear(&c->pending);
}

/* --- reading on, or not --- */

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);
static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf);

static void read_on(struct conn *c)
{
    if (c->reading || c->eof || c->state == CONN_CLOSED)
        return;
    c->reading = true;
    if (uv_read_start(&c->uv.stream, on_alloc, on_read) < 0)
        conn_close(c);
}

static void read_off(struct conn *c)
{
    if (!c->reading)
        return;
    c->reading = false;
    (void)uv_read_stop(&c->uv.stream); /* always 0 */
}

/*
 * The last answer was written. Closing at once could reset the connection under an answer that the
 * client has not read, if anything of it is still on the way to us. So say that we are done, and
 * wait a little for it to be done too.
 */
static void linger(struct conn *c)
{
    uv_os_fd_t fd;

    drop_pending(c);
    if (c->eof) {
        conn_close(c);
        return;
    }
    c->state = CONN_LINGERING;
    if (!uv_fileno(&c->uv.handle, &fd))
        (void)shutdown(fd,
                       SHUT_WR); /* fails when the client is gone, which the next read finds out */
    server_wait(c->server, &c->waiter, WAIT_LINGER);
    read_on(c);
}

/* The client has until the deadline to take some of what is not yet sent. */
static void watch_writing(struct conn *c)
{
    c->unsent_seen = uv_stream_get_write_queue_size(&c->uv.stream);
    server_wait(c->server, &c->waiter, WAIT_WRITE);
}

/* The answer is out of our hands. */
static void written(struct conn *c)
{
    if (c->close_after) {
        linger(c);
        return;
    }
    c->state = CONN_READING;
    if (!c->processing)
        resume(c);
}

/* After the last answer: the goodbye of TLS belongs to it. */
static void say_goodbye(struct conn *c)
{
    if (!c->tls || c->state == CONN_CLOSED)
        return;
    tls_session_end(c->tls);
    send_tls_out(c);
}

/* --- answering --- */

static void plain_refusal(struct http_exchange *x, int status, const char *reason)
{
    char text[160];
    int n = snprintf(text, sizeof(text), "%s\n", reason);

    http_reply(x, &(struct http_reply){.status = status,
                                       .content_type = "text/plain; charset=utf-8",
                                       .body = text,
                                       .len = n < 0                      ? 0
                                              : (size_t)n < sizeof(text) ? (size_t)n
                                                                         : sizeof(text) - 1});
}

static void hand_out(struct conn *c)
{
    struct request *r = c->request;
    const struct http_config *config = &c->server->config;

    c->state = CONN_ANSWERING;
    server_wait(c->server, &c->waiter, WAIT_NONE);
    request_publish(r);
    r->conn = c;
    r->x.peer = r->peer;
    memcpy(r->peer, c->peer, sizeof(c->peer));
    r->x.tls = c->tls != NULL;
    r->x.local_operator = c->local;
    server_hand_out(r);
    if (r->state == REQUEST_DONE)
        config->handle(config->ctx, &r->x);
    else if (config->refuse)
        config->refuse(config->ctx, &r->x, r->status, r->reason);
    else
        plain_refusal(&r->x, r->status, r->reason);
}

bool http_gone(const struct http_exchange *x)
{
    return !CONTAINER_OF(x, const struct request, x)->conn;
}

static void on_held(void *arg)
{
    struct request *r = arg;
    struct http_reply reply = r->held->reply;

    held_end(r);
    http_reply(&r->x, &reply);
}

/* For later: what it says is its giver's, and is copied. */
static void hold(struct conn *c, struct request *r, const struct http_reply *reply)
{
    struct arena *a = r->x.arena;
    struct http_header *headers = ARENA_ARRAY(a, struct http_header, reply->n_headers + 1);
    char *body = arena_alloc(a, reply->len + 1);

    if (reply->len)
        memcpy(body, reply->body, reply->len);
    for (size_t i = 0; i < reply->n_headers; i++)
        headers[i] = (struct http_header){arena_str(a, reply->headers[i].name),
                                          arena_str(a, reply->headers[i].value)};
    struct held *h = r->held = ARENA_NEW(a, struct held);
    h->reply = *reply;
    h->reply.headers = headers;
    h->reply.content_type = arena_str(a, reply->content_type);
    h->reply.body = body;
    h->reply.delay_ms = 0;
    h->timer = loop_timer_new(c->server->loop, on_held, r);
    loop_timer_set(h->timer, reply->delay_ms, 0);
}

/* Whether this is the last answer of the connection. */
static bool is_last(const struct conn *c, const struct request *r, const struct http_reply *reply)
{
    return reply->close || r->state == REQUEST_REFUSED || !r->keep_alive || c->server->draining;
}

/* Neither HTTP nor TLS, whatever a reader skips. */
static const char garbage[] = "\x00\xff\xfe\x80\x81\x00\xf0\x9f\x92\xa5\xff\xff\x00\x07\x1b\x7f";

/*
 * Makes the message what its fate leaves of it, and says how much of the body that is. The head
 * promises what it would of an answer that arrives; that is not kept.
 */
static size_t spoil(struct conn *c, struct buf *head, enum http_fate fate, size_t len)
{
    c->close_after = true;
    switch (fate) {
    case HTTP_TRUNCATED:
        if (!len)
            head->len /= 2;
        return len / 2;
    case HTTP_GARBAGE:
        buf_clear(head);
        buf_add(head, garbage, sizeof(garbage) - 1);
        return 0;
    case HTTP_DROPPED:
        buf_clear(head);
        return 0;
    default:
        return len;
    }
}

void http_reply(struct http_exchange *x, const struct http_reply *reply)
{
    struct request *r = CONTAINER_OF(x, struct request, x);
    struct conn *c = r->conn;

    if (!c) {
        server_give_request(r);
        return;
    }
    if (c->request != r || c->state != CONN_ANSWERING || r->held)
        abort(); /* answered twice */
    if (reply->delay_ms) {
        hold(c, r, reply);
        if (c->server->draining)
            conn_close(c);
        return;
    }
    struct buf *out = &c->server->out;
    size_t len = r->is_head || !answer_has_body(reply->status) ? 0 : reply->len;

    c->close_after = is_last(c, r, reply);
    c->served = true;
    c->request = NULL; /* it is ours to give back, whatever becomes of the connection */
    buf_clear(out);
    answer_head(out, reply, server_date(c->server), c->close_after);
    if (reply->fate)
        len = spoil(c, out, reply->fate, len);
    c->state = CONN_WRITING;
    if (out->len)
        send_message(c, out, reply->body, len);
    if (out->cap > KEEP_OUT)
        buf_done(out);
    if (c->close_after && (!reply->fate || reply->fate == HTTP_HALF_CLOSE))
        say_goodbye(c);
    server_give_request(r);
    if (c->state == CONN_WRITING && c->writes)
        watch_writing(c);
    else if (c->state == CONN_WRITING)
        written(c);
}

/* --- requests from bytes --- */

static void say_continue(struct conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct buf *out = &c->server->out;

    buf_clear(out);
    buf_add(out, text, sizeof(text) - 1);
    send_message(c, out, NULL, 0);
}

/* What the request has become; `more` bytes are already there for it. */
static void look_at_request(struct conn *c, size_t more)
{
    struct request *r = c->request;

    if (c->over_limit && r->state != REQUEST_HEAD)
        request_refuse(r, 503, "too many connections");
    if (r->state == REQUEST_DONE || r->state == REQUEST_REFUSED) {
        hand_out(c);
    } else if (r->state == REQUEST_BODY && r->wants_continue) {
        r->wants_continue = false;
        if (!more)
            say_continue(c);
    }
}

/* Returns how many bytes were used: all, or those before what must wait for an answer. */
static size_t process(struct conn *c, const char *data, size_t len)
{
    size_t used = 0;

    c->processing = true;
    while (c->state == CONN_READING && used < len) {
        if (!c->request)
            c->request = server_take_request(c->server);
        used += request_feed(c->request, data + used, len - used);
        look_at_request(c, len - used);
    }
    c->processing = false;
    return used;
}

/* Sets the deadline for what is now waited for. One that runs goes on running: it is for the whole,
 * not for a byte. */
static void set_deadline(struct conn *c)
{
    const struct request *r = c->request;
    enum wait kind = r && r->state == REQUEST_BODY ? WAIT_BODY
                     : r || !c->served             ? WAIT_HEAD
                                                   : WAIT_IDLE;

    if (!c->waiter.link || c->waiter.kind != kind)
        server_wait(c->server, &c->waiter, kind);
}

/* After anything that may have changed what is wanted of the client. */
static void settle(struct conn *c)
{
    if (c->state == CONN_READING) {
        /* It will not say more, or is not to; and there is nothing to answer. */
        if (c->eof || (c->server->draining && !(c->request && request_begun(c->request)))) {
            conn_close(c);
            return;
        }
        set_deadline(c);
    }
    if (c->pending.len > PENDING_MAX && c->state != CONN_LINGERING)
        read_off(c);
    else
        read_on(c);
}

/* The answer is gone; on with what waited behind it. */
static void resume(struct conn *c)
{
    size_t used = process(c, c->pending.data, c->pending.len);

    if (used == c->pending.len)
        drop_pending(c);
    else
        buf_drop(&c->pending, used);
    settle(c);
}

static void take_plain(struct conn *c, const char *data, size_t len)
{
    size_t used = 0;

    if (c->state == CONN_READING)
        used = process(c, data, len);
    if (used < len && c->state != CONN_LINGERING && c->state != CONN_CLOSED)
        buf_add(&c->pending, data + used, len - used);
}

static void take_eof(struct conn *c)
{
    c->eof = true;
    read_off(c);
    if (c->state == CONN_LINGERING)
        conn_close(c);
}

static void take_tls(struct conn *c, const char *data, size_t len)
{
    char *plain = c->server->plain_data;
    ssize_t n;

    tls_session_put(c->tls, data, len);
    while (c->state != CONN_CLOSED && c->state != CONN_LINGERING &&
           (n = tls_session_read(c->tls, plain, READ_SIZE)) != 0) {
        if (n > 0) {
            take_plain(c, plain, (size_t)n);
            continue;
        }
        send_tls_out(c); /* the alert that says why */
        if (n == -EPIPE)
            take_eof(c);
        else if (c->state == CONN_READING)
            linger(c); /* for the alert to arrive */
        else
            conn_close(c);
        return;
    }
    if (c->state != CONN_CLOSED)
        send_tls_out(c);
}

static void sniff(struct conn *c, char first)
{
    c->sniffed = true;
    if (c->server->config.tls && !c->local && first == TLS_HANDSHAKE)
        c->tls = tls_session_new(c->server->config.tls);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = CONTAINER_OF(h, struct conn, uv.handle);

    (void)suggested;
    *buf = uv_buf_init(c->server->read_data, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = CONTAINER_OF(stream, struct conn, uv.stream);

    if (n == 0 || c->state == CONN_CLOSED)
        return;
    if (n == UV_EOF) {
        take_eof(c);
    } else if (n < 0) {
        conn_close(c);
    } else if (c->state != CONN_LINGERING) {
        if (!c->sniffed)
            sniff(c, buf->base[0]);
        if (c->tls)
            take_tls(c, buf->base, (size_t)n);
        else
            take_plain(c, buf->base, (size_t)n);
    }
    if (c->state != CONN_CLOSED)
        settle(c);
}

/* --- deadlines --- */

static void expired_head(struct conn *c)
{
    /* Nothing said, or nothing that can be answered: no need to say why. */
    if (!c->request || !request_begun(c->request)) {
        conn_close(c);
        return;
    }
    request_refuse(c->request, 408, "the request head took too long");
    hand_out(c);
}

static void expired_write(struct conn *c)
{
    size_t unsent = uv_stream_get_write_queue_size(&c->uv.stream);

    if (unsent >= c->unsent_seen)
        conn_close(c);
    else
        watch_writing(c);
}

void conn_expired(struct waiter *w)
{
    struct conn *c = CONTAINER_OF(w, struct conn, waiter);

    switch (w->kind) {
    case WAIT_HEAD:
        expired_head(c);
        break;
    case WAIT_BODY:
        request_refuse(c->request, 408, "the request body took too long");
        hand_out(c);
        break;
    case WAIT_WRITE:
        expired_write(c);
        break;
    default:
        conn_close(c);
        break;
    }
}

/* --- the beginning of a connection --- */

static void name_peer(struct conn *c)
{
    struct sockaddr_storage a;
    int len = sizeof(a);
    const char *text = NULL;

    if (c->local) {
        (void)snprintf(c->peer, sizeof(c->peer), "unix");
        return;
    }
    if (!uv_tcp_getpeername(&c->uv.tcp, (struct sockaddr *)&a, &len)) {
        const struct in6_addr *six = &((struct sockaddr_in6 *)&a)->sin6_addr;

        if (a.ss_family == AF_INET)
            text =
                inet_ntop(AF_INET, &((struct sockaddr_in *)&a)->sin_addr, c->peer, sizeof(c->peer));
        else if (IN6_IS_ADDR_V4MAPPED(six))
            text = inet_ntop(AF_INET, &six->s6_addr[12], c->peer, sizeof(c->peer));
        else
            text = inet_ntop(AF_INET6, six, c->peer, sizeof(c->peer));
    }
    if (!text)
        (void)snprintf(c->peer, sizeof(c->peer), "unknown"); /* gone already */
}

static struct conn *conn_new(struct http_server *s, bool local)
{
    struct conn *c = xcalloc(1, sizeof(*c));
    uv_loop_t *uv = loop_uv(s->loop);

    c->server = s;
    c->local = local;
    c->link = &s->conns;
    c->next = s->conns;
    if (c->next)
        c->next->link = &c->next;
    s->conns = c;
    (void)(local ? uv_pipe_init(uv, &c->uv.pipe, 0)
                 : uv_tcp_init(uv, &c->uv.tcp)); /* cannot fail */
    return c;
}

static void begin(struct conn *c)
{
    if (!c->local)
        (void)uv_tcp_nodelay(&c->uv.tcp, 1); /* only speed */
    name_peer(c);
    settle(c);
}

static bool pass(struct conn *c)
{
    const struct http_config *config = &c->server->config;
    uv_os_fd_t fd;

    return !c->local && config->pass && uv_fileno(&c->uv.handle, &fd) == 0 &&
           config->pass(config->ctx, fd);
}

void conn_accept(struct http_server *s, struct uv_stream_s *listener, bool local, bool over_limit,
                 bool hopeless)
{
    struct conn *c = conn_new(s, local);

    c->over_limit = over_limit;
    if (uv_accept(listener, &c->uv.stream) < 0 || pass(c) || hopeless)
        conn_close(c);
    else
        begin(c);
}

void conn_adopt(struct http_server *s, int fd, bool over_limit, bool hopeless)
{
    struct conn *c = conn_new(s, false);

    c->over_limit = over_limit;
    if (uv_tcp_open(&c->uv.tcp, fd) < 0) {
        (void)close(fd);
        conn_close(c);
    } else if (hopeless) {
        conn_close(c);
    } else {
        begin(c);
    }
}
