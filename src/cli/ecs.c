/* Signing and calling ECS. */
#include "cli/ecs.h"

#include <errno.h>
#include <time.h>

#include "base/crypto.h"
#include "base/timefmt.h"

#define ALGORITHM "ACS3-HMAC-SHA256"

void ecs_add(struct ecs_params *p, const char *name, const char *value)
{
    if (value && p->n < ECS_MAX_PARAMS)
        p->v[p->n++] = (struct ecs_param){name, value};
}

/* ---- signing ---- */

static void add_encoded(struct buf *b, const char *s)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

    for (; *s; s++) {
        if (strchr(plain, *s))
            buf_char(b, *s);
        else
            buf_fmt(b, "%%%02X", (unsigned char)*s);
    }
}

static int by_name(const void *a_, const void *b_)
{
    const struct ecs_param *a = a_, *b = b_;

    return strcmp(a->name, b->name);
}

char *ecs_query(struct arena *a, const struct ecs_param *params, size_t n)
{
    CLEANUP(buf_done) struct buf b = {0};
    struct ecs_param *sorted = ARENA_ARRAY(a, struct ecs_param, n + 1);

    if (n)
        memcpy(sorted, params, n * sizeof(*params));
    qsort(sorted, n, sizeof(*sorted), by_name);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(&b, '&');
        add_encoded(&b, sorted[i].name);
        buf_char(&b, '=');
        add_encoded(&b, sorted[i].value);
    }
    return arena_str(a, buf_cstr(&b));
}

static char *signed_names(struct arena *a, const struct ecs_request *r)
{
    CLEANUP(buf_done) struct buf b = {0};

    for (size_t i = 0; i < r->n_headers; i++)
        buf_fmt(&b, "%s%s", i ? ";" : "", r->headers[i].name);
    return arena_str(a, buf_cstr(&b));
}

char *ecs_authorization(struct arena *a, const struct ecs_request *r, const char *key_id,
                        const char *secret)
{
    CLEANUP(buf_done) struct buf canonical = {0};
    const char *names = signed_names(a, r);
    uint8_t mac[HMAC_MAX_LEN];

    buf_fmt(&canonical, "%s\n/\n%s\n", r->method, r->query);
    for (size_t i = 0; i < r->n_headers; i++)
        buf_fmt(&canonical, "%s:%s\n", r->headers[i].name, r->headers[i].value);
    buf_fmt(&canonical, "\n%s\n%s", names, sha256_hex(a, r->body, r->body_len));
    const char *text = arena_fmt(a, ALGORITHM "\n%s", sha256_hex(a, canonical.data, canonical.len));
    size_t n = hmac(HMAC_SHA256, secret, strlen(secret), text, strlen(text), mac);
    return arena_fmt(a, ALGORITHM " Credential=%s,SignedHeaders=%s,Signature=%s", key_id, names,
                     hex_encode(a, mac, n));
}

/* ---- calling ---- */

static int judge(struct cli *c, const struct http_answer *a, json_t **ret, struct refusal *no)
{
    CLEANUP(json_free_p) json_t *j = json_loadb(a->body, a->len, 0, NULL);

    if (!json_is_object(j))
        return say_error(CLI_FAILED, "what answers at %s (HTTP %d) is not Ostler", c->endpoint,
                         a->status);
    if (a->status >= 200 && a->status < 300) {
        if (ret)
            *ret = json_incref(j);
        return CLI_OK;
    }
    *no = (struct refusal){.code = arena_str(c->arena, json_text(j, "Code")),
                           .message = arena_str(c->arena, json_text(j, "Message")),
                           .request_id = arena_str(c->arena, json_text(j, "RequestId"))};
    return CLI_FAILED;
}

int ecs_send(struct cli *c, const struct ecs_call *call, struct http_answer *ret)
{
    struct arena *a = c->arena;
    uint8_t nonce[16];
    int e = server_environment(c);

    if (e)
        return e;
    random_bytes(nonce, sizeof(nonce));
    const struct ecs_param headers[] = {
        {"host", server_host(c)},
        {"x-acs-action", call->action},
        {"x-acs-content-sha256", sha256_hex(a, "", 0)},
        {"x-acs-date", time_seconds(a, (int64_t)time(NULL) * 1000)},
        {"x-acs-signature-nonce", hex_encode(a, nonce, sizeof(nonce))},
        {"x-acs-version", call->version},
    };
    struct ecs_request r = {.method = call->method,
                            .query = ecs_query(a, call->params, call->n_params),
                            .headers = headers,
                            .n_headers = ARRAY_LEN(headers),
                            .body = ""};
    struct http_header sent[ARRAY_LEN(headers) + 2] = {
        {"authorization", ecs_authorization(a, &r, c->key_id, c->secret)},
        {"accept", "application/json"}};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        sent[i + 2] = (struct http_header){headers[i].name, headers[i].value};
    struct http_call http = {.method = call->method,
                             .url = c->endpoint,
                             .target = arena_fmt(a, "/%s%s", *r.query ? "?" : "", r.query),
                             .headers = sent,
                             .n_headers = ARRAY_LEN(sent),
                             .ca_file = c->ca_file};
    e = http_call_run(&http, ret);
    return e < 0 ? server_unreachable(c, e, ret->error) : CLI_OK;
}

int ecs_try(struct cli *c, const char *action, const struct ecs_params *p, json_t **ret,
            struct refusal *ret_no)
{
    CLEANUP(http_answer_done_p) struct http_answer answer = {0};
    const struct ecs_call call = {.method = "POST",
                                  .action = action,
                                  .version = "2014-05-26",
                                  .params = p->v,
                                  .n_params = p->n};

    *ret_no = (struct refusal){0};
    int e = ecs_send(c, &call, &answer);
    return e ? e : judge(c, &answer, ret, ret_no);
}

int ecs_call(struct cli *c, const char *action, const struct ecs_params *p, json_t **ret)
{
    struct refusal no;
    int e = ecs_try(c, action, p, ret, &no);

    return no.code ? say_refusal(NULL, &no) : e;
}
