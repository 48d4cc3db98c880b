#include "bench/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

enum { READ_SIZE = 64 * 1024 };

static int shake_hands(struct conn *c, const char *host, SSL_CTX *tls)
{
    c->ssl = SSL_new(tls);
    if (!c->ssl || !SSL_set_fd(c->ssl, c->fd) || !SSL_set1_host(c->ssl, host) ||
        SSL_connect(c->ssl) != 1)
        return -EPROTO;
    return 0;
}

int conn_open(struct conn *c, const char *host, const char *port, SSL_CTX *tls)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int on = 1, e = -ECONNREFUSED;

    *c = (struct conn){.fd = -1};
    if (getaddrinfo(host, port, &hints, &found))
        return -EHOSTUNREACH;
    for (struct addrinfo *a = found; a && e; a = a->ai_next) {
        close_p(&c->fd);
        c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        e = c->fd < 0 || connect(c->fd, a->ai_addr, a->ai_addrlen) < 0 ? -errno : 0;
    }
    freeaddrinfo(found);
    if (!e && setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
        e = -errno;
    if (!e && tls)
        e = shake_hands(c, host, tls);
    if (!e && fcntl(c->fd, F_SETFL, O_NONBLOCK) < 0)
        e = -errno;
    if (e)
        conn_close(c);
    return e;
}

void conn_close(struct conn *c)
{
    SSL_free(c->ssl);
    close_p(&c->fd);
    buf_done(&c->out);
    buf_done(&c->in);
    *c = (struct conn){.fd = -1};
}

/* Bytes, 0 for "not now", or a negative errno. */
static ssize_t tls_result(struct conn *c, int n)
{
    if (n > 0)
        return n;
    int why = SSL_get_error(c->ssl, n);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -ECONNRESET;
}

static ssize_t plain_result(ssize_t n)
{
    if (n >= 0)
        return n ? n : -ECONNRESET;
    return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int conn_send(struct conn *c)
{
    while (c->sent < c->out.len) {
        const char *from = c->out.data + c->sent;
        size_t left = c->out.len - c->sent;
        ssize_t n = c->ssl ? tls_result(c, SSL_write(c->ssl, from, (int)left))
                           : plain_result(send(c->fd, from, left, MSG_NOSIGNAL));

        if (n <= 0)
            return (int)n;
        c->sent += (size_t)n;
    }
    return 1;
}

/* The head's two facts. 1, 0 while it is not whole, -EPROTO. */
static int parse(const struct buf *in, struct answer *ret)
{
    static const char name[] = "\r\ncontent-length:";
    const char *end = in->len ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;

    if (!end)
        return 0;
    if (in->len < 12 || strncmp(in->data, "HTTP/1.1 ", 9) != 0)
        return -EPROTO;
    ret->status = (int)strtol(in->data + 9, NULL, 10);
    for (const char *at = in->data; at < end; at++) {
        at = memchr(at, '\r', (size_t)(end - at));
        if (!at)
            break;
        if (strncasecmp(at, name, sizeof(name) - 1) == 0) {
            ret->length = strtoul(at + sizeof(name) - 1, NULL, 10);
            ret->body = end + 4;
            return in->len - (size_t)(ret->body - in->data) >= ret->length;
        }
    }
    return -EPROTO;
}

int conn_receive(struct conn *c, struct answer *ret)
{
    for (;;) {
        char *to = buf_reserve(&c->in, READ_SIZE);
        ssize_t n = c->ssl ? tls_result(c, SSL_read(c->ssl, to, READ_SIZE))
                           : plain_result(recv(c->fd, to, READ_SIZE, 0));

        if (n <= 0)
            return (int)n;
        c->in.len += (size_t)n;
        c->in.data[c->in.len] = 0;
        int whole = parse(&c->in, ret);
        if (whole || (n < READ_SIZE && !c->ssl))
            return whole;
    }
}

void conn_next(struct conn *c)
{
    buf_clear(&c->in);
    buf_clear(&c->out);
    c->sent = 0;
}
