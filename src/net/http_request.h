/*
 * For the files of this folder and their tests: one request being parsed, without any socket.
 * Requests are reused; a quiet connection holds none.
 */
#ifndef OSTLER_NET_HTTP_REQUEST_H
#define OSTLER_NET_HTTP_REQUEST_H

#include "base/buf.h"
#include "net/http.h"

struct conn;
struct held;
struct http_server;
struct llhttp__internal_s;

enum request_state {
    REQUEST_HEAD,    /* wants more of the head */
    REQUEST_BODY,    /* the head is complete and in order; wants the body */
    REQUEST_DONE,    /* complete */
    REQUEST_REFUSED, /* `status` and `reason` say why; nothing more can be parsed on this connection
                      */
};

struct request_span {
    size_t name, value; /* where they begin in `head`; both are followed by a NUL there */
};

struct request {
    struct http_exchange x;
    char peer[48];     /* its own copy: it may outlive the connection */
    struct conn *conn; /* NULL when there is no connection any more */
    struct held *held; /* the reply that was given for later; NULL none */
    struct http_server
        *server; /* NULL when that is gone too; otherwise it takes the request back */
    struct request *next, **link; /* in the server's list of spare, or of answerable ones */

    enum request_state state;
    int status;
    const char *reason;
    bool keep_alive;     /* as far as the client is concerned */
    bool wants_continue; /* sent Expect: 100-continue, and a body is to follow */
    bool is_head;        /* the reply goes without its body */

    size_t max_head, max_body, max_headers;
    size_t head_fed, body_fed; /* bytes of the wire */
    struct llhttp__internal_s *parser;
    struct buf head; /* the target, then names and values, each followed by a NUL */
    struct buf body;
    struct request_span *spans;
    struct http_header *headers; /* as many */
    size_t n_spans, cap_spans;
    bool have_method, have_target, in_field, in_value, head_done;
    unsigned scan, spaces; /* the line scanner's state */
};

/* Takes the limits of `config`, in which nothing may be zero. */
struct request *request_new(const struct http_config *config);
void request_free(struct request *r); /* NULL is fine */

/* Ready for the next one; keeps a reasonable amount of memory. */
void request_clear(struct request *r);

/*
 * Takes bytes from the wire and returns how many it used: all, unless the request is then done or
 * refused. After REQUEST_HEAD has become REQUEST_BODY it stops too, so that the caller can say 100
 * Continue.
 */
size_t request_feed(struct request *r, const char *data, size_t len);

/* Refuses from outside: too slow, too many. The first refusal counts. */
void request_refuse(struct request *r, int status, const char *reason);

/* Makes `x` show what is known: for REQUEST_DONE everything, for REQUEST_REFUSED what was complete.
 */
void request_publish(struct request *r);

/* True once a byte of it has come. */
static inline bool request_begun(const struct request *r)
{
    return r->head_fed > 0;
}

#endif
