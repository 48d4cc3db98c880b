/* Metadata connections. */
#include "engine/switch/meta_conn.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

struct meta_conn {
    int fd;
    int64_t last_ms; /* when a byte last moved */
    bool closing;    /* the answer that is going out is the last */
    size_t in_len;
    char in[META_HEAD_MAX];
    struct buf out;
};

struct meta_conn *meta_conn_new(int fd, int64_t now_ms)
{
    struct meta_conn *c = xcalloc(1, sizeof(*c));

    c->fd = fd;
    c->last_ms = now_ms;
    return c;
}

void meta_conn_free(struct meta_conn *c)
{
    if (!c)
        return;
    (void)close(c->fd); /* whatever was unsent is nobody's any more */
    buf_done(&c->out);
    free(c);
}

int meta_conn_fd(const struct meta_conn *c)
{
    return c->fd;
}

/* Reads nothing while an answer waits: one request at a time bounds what a guest can make us hold.
 */
short meta_conn_events(const struct meta_conn *c)
{
    return c->out.len ? POLLOUT : POLLIN;
}

static int flush(struct meta_conn *c, int64_t now_ms)
{
    while (c->out.len) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        c->last_ms = now_ms;
        buf_drop(&c->out, (size_t)n);
    }
    return c->closing ? -1 : 0;
}

/* Answers what has arrived whole, one request after the other, as long as answers leave at once. */
static int serve(struct meta_conn *c, const struct meta *m, int64_t now_ms)
{
    while (!c->out.len) {
        struct meta_request r;
        ssize_t used = meta_request_parse(c->in, c->in_len, &r);

        if (used == 0)
            return 0;
        c->closing = !r.keep_alive;
        meta_answer(m, &r, &c->out);
        if (used > 0) {
            c->in_len -= (size_t)used;
            memmove(c->in, c->in + used, c->in_len);
        }
        if (flush(c, now_ms) < 0)
            return -1;
    }
    return 0;
}

static int receive(struct meta_conn *c, int64_t now_ms)
{
    ssize_t n = recv(c->fd, c->in + c->in_len, sizeof(c->in) - c->in_len, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        return -1;
    c->last_ms = now_ms;
    c->in_len += (size_t)n;
    return 0;
}

int meta_conn_ready(struct meta_conn *c, const struct meta *m, short revents, int64_t now_ms)
{
    if (now_ms - c->last_ms > META_CONN_IDLE_MS)
        return -1;
    if ((revents & POLLOUT) && flush(c, now_ms) < 0)
        return -1;
    if (c->out.len)
        return revents & (POLLERR | POLLHUP) ? -1 : 0;
    if ((revents & (POLLIN | POLLERR | POLLHUP)) && receive(c, now_ms) < 0)
        return -1;
    return serve(c, m, now_ms);
}
