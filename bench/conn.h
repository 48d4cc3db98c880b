/* One kept-alive HTTP/1.1 connection of the load generator: a request out, its answer in. */
#ifndef OSTLER_BENCH_CONN_H
#define OSTLER_BENCH_CONN_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/buf.h"

struct conn {
    int fd;
    SSL *ssl; /* NULL: plain */
    struct buf out, in;
    size_t sent;
};

/* Connects, and shakes hands when `tls` is given; blocks. 0, or a negative errno (-EPROTO: TLS). */
int conn_open(struct conn *c, const char *host, const char *port, SSL_CTX *tls);
void conn_close(struct conn *c);

/* Sends what is left of `out`. 1: all sent, 0: the socket takes no more now, negative errno. */
int conn_send(struct conn *c);

struct answer {
    int status;
    const char *body; /* in the connection's buffer, until conn_next */
    size_t length;
};

/* Reads. 1: the answer is whole, 0: not yet, negative errno (-ECONNRESET: closed, -EPROTO: not
 * HTTP/1.1 with a Content-Length). */
int conn_receive(struct conn *c, struct answer *ret);

/* Ready for the next request. */
void conn_next(struct conn *c);

#endif
