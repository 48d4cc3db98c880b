/* Reads the answer to an HTTP/1.0 GET, without sockets. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_reply {
    int status;
    const char *body; /* points into the caller's buffer */
    size_t length;
    bool keep; /* the server leaves the connection open for the next request */
};

/* Looks at what has come so far; `closed` says that no more will. Returns 1 and the reply when it
   is complete, 0 when more is needed, -EPROTO when it can never become one. The body ends at
   Content-Length and never waits for the other side's close where a length was given. */
int http_parse(const char *data, size_t size, bool closed, struct http_reply *ret_reply);
