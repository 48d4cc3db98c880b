/* Loop, store, API and HTTP server of one thread. */
#include "server/desk.h"

#include "net/loop.h"

enum { POLL_MS = 5 }; /* between two looks at what an answer waits for */

static void deliver(void *ctx)
{
    store_deliver(((struct desk *)ctx)->store);
}

static void rest(void *ctx)
{
    store_rest(((struct desk *)ctx)->store);
}

/* On the writer's thread. */
static void on_committed(void *ctx)
{
    loop_wake_send(((struct desk *)ctx)->committed);
}

static void on_changed(void *ctx)
{
    struct desk *d = ctx;

    d->changed(d->changed_ctx);
}

static void waits(void *ctx)
{
    loop_timer_set(((struct desk *)ctx)->poll, 0, 0);
}

static void poll(void *ctx)
{
    struct desk *d = ctx;

    if (api_poll(d->api))
        loop_timer_set(d->poll, POLL_MS, 0);
}

static bool pass(void *ctx, int fd)
{
    struct desk *d = CONTAINER_OF(ctx, struct desk, web);

    return d->pass(d, fd);
}

void desk_init(struct desk *d, struct loop *loop)
{
    *d = (struct desk){.loop = loop};
    d->committed = loop_wake_new(loop, deliver, d);
}

struct store_config desk_store_config(struct desk *d)
{
    return (struct store_config){.committed = on_committed, .ctx = d, .shares = true};
}

int desk_open(struct desk *d, const struct desk_config *config)
{
    struct api_config api = config->api;

    d->rest = loop_rest_new(d->loop, rest, d);
    d->poll = loop_timer_new(d->loop, poll, d);
    d->changed = api.changed;
    d->changed_ctx = api.ctx;
    d->pass = config->pass;
    api.store = d->store;
    api.changed = on_changed;
    api.waits = waits;
    api.ctx = d;
    d->api = api_new(&api);
    d->web = config->web;
    d->web.api = d->api;
    return http_server_new(d->loop,
                           &(struct http_config){.handle = web_handle,
                                                 .refuse = web_refuse,
                                                 .pass = config->pass ? pass : NULL,
                                                 .tls = config->tls,
                                                 .max_conns = config->max_conns,
                                                 .ctx = &d->web},
                           &d->http);
}

void desk_drain(struct desk *d, void (*drained)(void *ctx), void *ctx)
{
    api_give_up(d->api);
    http_server_drain(d->http, drained, ctx);
}

void desk_done(struct desk *d)
{
    store_close(d->store);
    api_give_up(d->api);
    http_server_free(d->http);
    api_free(d->api);
    loop_timer_free(d->poll);
    loop_rest_free(d->rest);
    loop_wake_free(d->committed);
}
