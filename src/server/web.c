/* The glue between an exchange and a request. */
#include "server/web.h"

static struct request *request_of(struct http_exchange *x)
{
    struct request *r = ARENA_NEW(x->arena, struct request);
    struct header *headers = ARENA_ARRAY(x->arena, struct header, x->n_headers + 1);

    for (size_t i = 0; i < x->n_headers; i++)
        headers[i] = (struct header){x->headers[i].name, x->headers[i].value};
    *r = (struct request){.method = x->method ? x->method : "",
                          .target = x->target ? x->target : "",
                          .path = x->path ? x->path : "",
                          .query = x->query ? x->query : "",
                          .headers = headers,
                          .n_headers = x->n_headers,
                          .body = x->body ? x->body : "",
                          .body_len = x->body_len,
                          .peer = x->peer,
                          .local_operator = x->local_operator};
    return r;
}

/* The fates that are the connection's. */
static const enum http_fate fates[FATE_COUNT] = {
    [FATE_DROPPED] = HTTP_DROPPED,
    [FATE_TRUNCATED] = HTTP_TRUNCATED,
    [FATE_HALF_CLOSE] = HTTP_HALF_CLOSE,
    [FATE_GARBAGE] = HTTP_GARBAGE,
};

/* What a gateway says that got no answer from the service behind it. */
static void reply_as_gateway(struct http_exchange *x, int status, int64_t delay_ms)
{
    const char *title = arena_fmt(x->arena, "%d %s", status, http_status_text(status));
    const char *page = arena_fmt(x->arena,
                                 "<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n"
                                 "<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n",
                                 title, title);

    http_reply(x, &(struct http_reply){.status = status,
                                       .content_type = "text/html",
                                       .body = page,
                                       .len = strlen(page),
                                       .delay_ms = (uint64_t)delay_ms});
}

static void reply(void *ctx, const struct answer *a)
{
    struct http_header headers[ARRAY_LEN(a->headers)];

    if (a->fate >= FATE_GATEWAY_502 && a->fate <= FATE_GATEWAY_504) {
        reply_as_gateway(ctx, 502 + (int)(a->fate - FATE_GATEWAY_502), a->delay_ms);
        return;
    }
    for (size_t i = 0; i < a->n_headers; i++)
        headers[i] = (struct http_header){a->headers[i].name, a->headers[i].value};
    http_reply(ctx, &(struct http_reply){.status = a->status,
                                         .content_type = a->content_type,
                                         .headers = headers,
                                         .n_headers = a->n_headers,
                                         .body = a->body.data,
                                         .len = a->body.len,
                                         .fate = fates[a->fate],
                                         .delay_ms = (uint64_t)a->delay_ms});
}

static void text(struct http_exchange *x, int status, const char *body)
{
    http_reply(x, &(struct http_reply){.status = status,
                                       .content_type = "text/plain; charset=utf-8",
                                       .body = body,
                                       .len = strlen(body)});
}

static bool is_read(const struct http_exchange *x)
{
    return streq(x->method, "GET") || streq(x->method, "HEAD");
}

void web_handle(void *ctx, struct http_exchange *x)
{
    struct web *w = ctx;

    if (is_read(x) && streq(x->path, "/healthz")) {
        text(x, 200, "ok\n");
    } else if (is_read(x) && streq(x->path, "/readyz")) {
        bool ready = w->ready(w->ctx);

        text(x, ready ? 200 : 503, ready ? "ready\n" : "looking for running machines\n");
    } else if (w->tls_only && !x->tls && !x->local_operator) {
        api_refuse(w->api, request_of(x), x->arena, ERR_TLS_NEEDED, 0,
                   "plain HTTP is not served here; use https", reply, x);
    } else {
        struct request *r = request_of(x);

        api_handle(w->api, r, x->arena, reply, x);
    }
}

/* What HTTP refused, as the core's list says it. */
static enum err http_err(int status)
{
    static const struct {
        int status;
        enum err err;
    } rows[] = {{408, ERR_TIMEOUT},   {413, ERR_TOO_LARGE}, {414, ERR_TOO_LARGE},
                {431, ERR_TOO_LARGE}, {501, ERR_METHOD},    {503, ERR_UNAVAILABLE}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].status == status)
            return rows[i].err;
    return ERR_BODY;
}

void web_refuse(void *ctx, struct http_exchange *x, int status, const char *reason)
{
    struct web *w = ctx;
    struct request *r = request_of(x);

    api_refuse(w->api, r, x->arena, http_err(status), status, reason, reply, x);
}
