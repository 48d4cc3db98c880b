/* A small blocking HTTP/1.1 client, for the command line: one call, one connection. */
#ifndef OSTLER_NET_CLIENT_H
#define OSTLER_NET_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "net/http.h"

struct http_call {
    const char *method; /* NULL: GET, or POST with a body */
    const char *url;    /* http://host:port/path?query, https://..., or unix:/path/of/the.sock */
    const char *
        target; /* with unix: the path and query; NULL: "/". Otherwise replaces the url's, if set */
    const struct http_header
        *headers; /* Host, Content-Length and Connection are added unless given */
    size_t n_headers;
    const void *body;
    size_t len;
    const char *ca_file; /* authorities to trust; NULL: SSL_CERT_FILE or the system's */
    uint64_t timeout_ms; /* for everything together; 0: 30 s */
    size_t max_body;     /* of the answer; 0: 64 MiB */
};

struct http_answer {
    int status;
    struct http_header *headers; /* names in lower case */
    size_t n_headers;
    char *body; /* followed by a NUL */
    size_t len;
    char error[256]; /* after a failure: what went wrong, for people */
};

/*
 * 0 when there is an answer, whatever its status. Otherwise a negative errno, and only `error` is
 * set: -EINVAL for a url that is none, -ENXIO for a host that is not known, -ECONNREFUSED, -ENOENT
 * (no such unix socket), -ETIMEDOUT, -EKEYREJECTED when the server's certificate is not trusted,
 * -EPROTO for an answer that is not HTTP, -EMSGSIZE, -ECONNRESET when the server closed too early.
 * Call http_answer_done in either case.
 */
int http_call_run(const struct http_call *call, struct http_answer *ret_answer);
void http_answer_done(struct http_answer *answer);

/* The value of the first header with this (lower-case) name, or NULL. */
const char *http_answer_header(const struct http_answer *answer, const char *lower_name);

#endif
