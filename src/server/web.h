/* From the HTTP library to the API and back, and the two health pages. */
#ifndef OSTLER_SERVER_WEB_H
#define OSTLER_SERVER_WEB_H

#include "api/dispatch.h"
#include "net/http.h"

struct web {
    struct api *api;
    bool tls_only; /* plain HTTP is refused, except on the operator's socket */
    bool (*ready)(void *ctx);
    void *ctx;
};

/* `ctx` of both is a struct web. */
void web_handle(void *ctx, struct http_exchange *x);
void web_refuse(void *ctx, struct http_exchange *x, int status, const char *reason);

#endif
