/*
 * An HTTP/1.1 server: plain HTTP and HTTPS on one TCP port, told apart by the first byte, and plain
 * HTTP on unix sockets for the operator. It is strict: what two readers could understand
 * differently is refused (repeated Content-Length, Content-Length with Transfer-Encoding, a missing
 * or repeated Host, folded headers, bare line feeds, spaces before the colon, malformed chunks,
 * ...). Everything runs on the loop's thread.
 *
 * One request of a connection is with the handler at a time, in the order of arrival; what a client
 * pipelines behind it waits, and past a small buffer is not read.
 */
#ifndef OSTLER_NET_HTTP_H
#define OSTLER_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct loop;
struct tls_ctx;
struct http_server;

struct http_header {
    const char *name;  /* in a request: lower case */
    const char *value; /* in a request: without white space at either end, no NUL, CR or LF */
};

/*
 * A request. Valid until http_reply, all of it; then it and everything in it is gone. Text is
 * followed by a NUL. For `refuse` it holds what was understood so far: method, target, path and
 * query are NULL until the request line was read, headers are the whole ones so far, and there is
 * no body.
 */
struct http_exchange {
    const char *method; /* a token, as sent: "GET" */
    const char *target; /* as sent */
    char *path;        /* its raw part before '?'; without scheme and authority if they were sent */
    const char *query; /* its part after the first '?', "" if there is none */
    int minor;         /* 0 or 1 of HTTP/1.x */
    const struct http_header *headers;
    size_t n_headers;
    const char *body; /* never NULL in `handle` */
    size_t body_len;
    const char *peer; /* the client's address as text, without the port; "unix" on a unix socket */
    bool tls;         /* came by HTTPS */
    bool local_operator; /* came by a unix socket, which only our own user (and root) may open */
    struct arena *arena; /* for the handler; emptied after the reply */
    void *user;          /* the handler's own; NULL at first */
};

/* The value of the first header with this (lower-case) name, or NULL. */
const char *http_header(const struct http_exchange *x, const char *lower_name);

/* What becomes of a reply that was given, for the tests of clients. */
enum http_fate {
    HTTP_ARRIVES,
    HTTP_DROPPED,    /* the connection ends before its first byte */
    HTTP_TRUNCATED,  /* the head and the first half of the body; without a body, half of the head */
    HTTP_HALF_CLOSE, /* all of it, then the end of a connection that was promised to stay */
    HTTP_GARBAGE     /* bytes that are not HTTP in its place, then the end */
};

/*
 * Everything is copied or sent before http_reply returns. Content-Length, Connection, Date and
 * Server are added and must not be among the headers. A header whose name is not a token or whose
 * value holds a control character is left out; so is such a content type.
 */
struct http_reply {
    int status;               /* 200..599 */
    const char *content_type; /* NULL: none */
    const struct http_header *headers;
    size_t n_headers;
    const void *body; /* not sent to HEAD and with 204 and 304, but counted for HEAD */
    size_t len;
    bool close; /* end the connection after this */
    enum http_fate fate;
    /* Not before so many milliseconds; others are answered meanwhile. A server that is drained or
     * freed sooner closes the connection without it. */
    uint64_t delay_ms;
};

/*
 * Answers, from the loop's thread, exactly once for each exchange that `handle` or `refuse` got,
 * inside the callback or any time later. `x` is gone afterwards. When the client went away
 * meanwhile, or the server was freed, this only frees `x`.
 */
void http_reply(struct http_exchange *x, const struct http_reply *reply);

/* True when the client is known to have gone: nobody will read the answer. http_reply is still
 * owed. */
bool http_gone(const struct http_exchange *x);

/* Zero means the default in brackets. */
struct http_config {
    size_t max_head;    /* bytes of request line and headers together [256 KiB] */
    size_t max_body;    /* bytes of a body [8 MiB] */
    size_t max_headers; /* [200] */
    size_t max_conns;  /* connections that are served; those beyond get 503 and are closed [4096] */
    uint64_t head_ms;  /* from the connection, or the first byte of a later request, to the last
                          header [10 s] */
    uint64_t body_ms;  /* from the last header to the last byte of the body [30 s] */
    uint64_t idle_ms;  /* between a reply and the next request [75 s] */
    uint64_t write_ms; /* for the client to take some of what we send [30 s] */
    uint64_t linger_ms;  /* after a refusal, for the client to read the answer [2 s] */
    struct tls_ctx *tls; /* borrowed, outlives the server; NULL: plain HTTP only */

    /* Called once for each complete and well-formed request. */
    void (*handle)(void *ctx, struct http_exchange *x);

    /*
     * Called instead for what HTTP itself refuses, so that the answer can have the right envelope;
     * http_reply is owed too, best with this status, and the connection is closed after it.
     * `reason` is a short English phrase. 400 malformed, 408 too slow, 413 body too large, 414
     * request line too long, 417 unknown expectation, 431 headers too large or too many, 501
     * unknown method or transfer coding, 503 too many connections, 505 not HTTP/1.x. NULL: a plain
     * text answer is sent.
     */
    void (*refuse)(void *ctx, struct http_exchange *x, int status, const char *reason);

    /*
     * NULL: none. Asked for each TCP connection before anything is read from it. True: a duplicate
     * of `fd` was made, for the http_server_adopt of another server on another thread; what is
     * here is closed, which does not end the connection. False: it is served here.
     */
    bool (*pass)(void *ctx, int fd);
    void *ctx;
};

/* `config` is copied. */
int http_server_new(struct loop *loop, const struct http_config *config,
                    struct http_server **ret_server);

/*
 * Listens on an IPv4 or IPv6 address literal ("::" takes IPv4 too), or "localhost" (127.0.0.1).
 * Port 0 picks one; `ret_port` (may be NULL) gets it. May be called several times. -EADDRINUSE,
 * -EACCES, -EADDRNOTAVAIL; -EINVAL when `host` is neither.
 */
int http_server_listen_tcp(struct http_server *s, const char *host, uint16_t port,
                           uint16_t *ret_port);

/*
 * Listens on a unix socket of mode 0600; the directory must exist and may have any length, the file
 * name at most 80 bytes (-ENAMETOOLONG). A socket that nobody answers is replaced; -EADDRINUSE when
 * somebody does, -EEXIST when there is something other than a socket. The file is removed by drain
 * and free.
 */
int http_server_listen_unix(struct http_server *s, const char *path);

/* Serves a connection that another server passed on; `fd` is taken. */
void http_server_adopt(struct http_server *s, int fd);

/*
 * Stops listening, closes connections without a request and those whose reply is late (delay_ms),
 * lets the others finish theirs, then calls `cb` (may be NULL) once from the loop. Only the first
 * call counts. http_server_free may be called from `cb`; if it is called before, `cb` is not
 * called.
 */
void http_server_drain(struct http_server *s, void (*cb)(void *arg), void *arg);

/* Connections now open. */
size_t http_server_conns(const struct http_server *s);

/* Closes everything at once. Exchanges not yet answered stay valid and are still owed http_reply.
 * NULL is fine. */
void http_server_free(struct http_server *s);

/* The usual words for a status ("Not Found"); "Unknown" for one that has none. */
const char *http_status_text(int status);

#endif
