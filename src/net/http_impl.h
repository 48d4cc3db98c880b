/*
 * For the files of the HTTP server only. http_server.c listens, counts and keeps the clock;
 * http_conn.c moves the bytes of one connection; http_request.c parses; http_answer.c writes the
 * reply's head.
 */
#ifndef OSTLER_NET_HTTP_IMPL_H
#define OSTLER_NET_HTTP_IMPL_H

#include "base/buf.h"
#include "net/http_request.h"

struct conn;
struct uv_loop_s;
struct uv_stream_s;

/* What a connection may be waiting for; each has one duration for all connections of a server. */
enum wait {
    WAIT_HEAD,
    WAIT_BODY,
    WAIT_IDLE,
    WAIT_WRITE,
    WAIT_LINGER,
    WAIT_KINDS,
    WAIT_NONE = WAIT_KINDS
};

/* A connection's place in the queue of those that wait for the same. */
struct waiter {
    struct waiter *next, **link; /* link is NULL when it waits for nothing */
    uint64_t at;
    enum wait kind;
};

enum { READ_SIZE = 64 * 1024 };

struct http_server {
    struct loop *loop;
    struct http_config config;
    char *read_data, *plain_data; /* READ_SIZE each, for whichever connection is being read */
    struct buf out;               /* for whichever reply is being written */
    struct request *spare, *answerable;
    size_t n_spare;
    struct conn *conns;
    size_t n_conns;
    struct listener *listeners;
    size_t n_listeners; /* not yet closed */
    struct {
        struct waiter *first, **last;
    } queues[WAIT_KINDS];
    struct loop_timer *timer, *drained_timer;
    uint64_t timer_at; /* 0: not set */
    char date[64];
    long long date_at;
    bool draining, drained, freed;
    void (*drained_cb)(void *arg);
    void *drained_arg;
};

/* --- http_server.c, for connections --- */

struct request *server_take_request(struct http_server *s);

/* Takes it back when it was answered or never will be; works when the server is gone. */
void server_give_request(struct request *r);

/* The request is with `handle` or `refuse` from now on. */
void server_hand_out(struct request *r);

/* The connection waits for `kind` from now (WAIT_NONE: for nothing); conn_expired is called if it
 * takes too long. */
void server_wait(struct http_server *s, struct waiter *w, enum wait kind);

/* One connection fewer; the server may be gone afterwards. */
void server_conn_gone(struct http_server *s);

/* Now, for the Date header. */
const char *server_date(struct http_server *s);

/* --- http_conn.c --- */

/* Takes the next connection from the listening stream. Its end is announced by server_conn_gone. */
void conn_accept(struct http_server *s, struct uv_stream_s *listener, bool local, bool over_limit,
                 bool hopeless);
/* The same with a connected socket, which is taken in every case. */
void conn_adopt(struct http_server *s, int fd, bool over_limit, bool hopeless);
void conn_expired(struct waiter *w);
void conn_close(struct conn *c);
struct conn *conn_next(const struct conn *c);

/* For a drain: closes it unless a request has begun. */
void conn_drain(struct conn *c);

/* --- http_answer.c --- */

/* Appends the reply's head, with its empty line. */
void answer_head(struct buf *out, const struct http_reply *reply, const char *date, bool close);

/* False for the statuses that never have one. */
bool answer_has_body(int status);

#endif
