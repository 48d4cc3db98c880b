/*
 * Success: the action's fields beside RequestId, in JSON or as <ActionResponse>. Refusal: five
 * texts, in JSON or as <Error>. A success must never have a Code, Success or Message of its own:
 * clients take it for an error.
 */
#include "dialect/alibaba/envelope.h"

#include "dialect/alibaba/errors.h"
#include "dialect/alibaba/request.h"

void envelope_name(struct call *c)
{
    char id[37];

    call_uuid(c, id);
    memcpy(c->request_id, id, sizeof(id));
}

/* `root` lives as long as the encoder. */
static void begin(struct call *c, struct answer *a, int status, const char *root, struct enc *e)
{
    /* Without a state nothing was parsed: HTTP itself refused. */
    enum enc_format format = c->state ? c->format : request_format(c->req);

    a->status = status;
    a->content_type =
        format == ENC_XML ? "text/xml;charset=utf-8" : "application/json;charset=utf-8";
    a->headers[a->n_headers++] = (struct header){"x-acs-request-id", c->request_id};
    enc_init(e, &a->body, format, root);
    enc_str(e, "RequestId", c->request_id);
}

void envelope_answer(struct call *c, const void *out, struct answer *a)
{
    struct enc e;

    begin(c, a, 200, arena_fmt(c->arena, "%sResponse", c->action->name), &e);
    if (c->action->encode)
        c->action->encode(c, out, &e);
    enc_finish(&e);
}

void envelope_refuse(struct call *c, const struct err_row *row, struct answer *a)
{
    const char *host = c->host ? c->host : request_header(c->req, "host");
    struct said said = errors_say(c, row);
    struct enc e;

    begin(c, a, said.status, "Error", &e);
    enc_str(&e, "HostId", str_empty(host) ? "ecs.aliyuncs.com" : host);
    enc_str(&e, "Code", said.code);
    enc_str(&e, "Message", said.message);
    enc_str(&e, "Recommend",
            arena_fmt(c->arena, "https://api.aliyun.com/troubleshoot?q=%s&product=Ecs&requestId=%s",
                      said.code, c->request_id));
    enc_finish(&e);
}
