/*
 * What a thread answers requests with: an end of the store, an API and an HTTP server on its loop,
 * wired together. The main thread has one, and every front.
 *
 * desk_init, then the store is opened or attached as desk_store_config says and put into `store`,
 * then desk_open. desk_done ends whatever there is.
 */
#ifndef OSTLER_SERVER_DESK_H
#define OSTLER_SERVER_DESK_H

#include "core/store.h"
#include "server/web.h"

struct desk {
    struct loop *loop; /* borrowed */
    struct store *store;
    struct http_server *http;

    /* the desk's own */
    struct loop_wake *committed;
    struct loop_rest *rest;
    struct loop_timer *poll; /* of what answers wait for */
    struct api *api;
    struct web web;
    void (*changed)(void *ctx);
    void *changed_ctx;
    bool (*pass)(struct desk *d, int fd);
};

struct desk_config {
    struct api_config api; /* without `store` and `waits` */
    struct web web;        /* without its `api` */
    struct tls_ctx *tls;   /* borrowed */
    size_t max_conns;
    bool (*pass)(struct desk *d, int fd); /* as http_config's; NULL: it keeps them all */
};

void desk_init(struct desk *d, struct loop *loop);
/* The rest, a directory say, is the caller's. */
struct store_config desk_store_config(struct desk *d);
/* 0 or a negative errno. */
int desk_open(struct desk *d, const struct desk_config *config);

/* Lets requests finish, refuses those that wait, then calls `drained` once. */
void desk_drain(struct desk *d, void (*drained)(void *ctx), void *ctx);

/* Closes the store's end, which delivers what was committed, then the rest. The loop does not run
 * any more. */
void desk_done(struct desk *d);

#endif
