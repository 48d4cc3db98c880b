/* Signing and calling ZEC. */
#include "cli/zec.h"

#include <time.h>

#include "base/crypto.h"

#define ALGORITHM    "ZC2-HMAC-SHA256"
#define CONTENT_TYPE "application/json"

char *zec_authorization(struct arena *a, const char *host, const char *timestamp, const char *body,
                        const char *key_id, const char *secret)
{
    uint8_t mac[HMAC_MAX_LEN];
    const char *canonical =
        arena_fmt(a, "POST\n/\n\ncontent-type:" CONTENT_TYPE "\nhost:%s\n\ncontent-type;host\n%s",
                  host, sha256_hex(a, body, strlen(body)));
    const char *text =
        arena_fmt(a, ALGORITHM "\n%s\n%s", timestamp, sha256_hex(a, canonical, strlen(canonical)));
    size_t n = hmac(HMAC_SHA256, secret, strlen(secret), text, strlen(text), mac);

    return arena_fmt(a, ALGORITHM " Credential=%s, SignedHeaders=content-type;host, Signature=%s",
                     key_id, hex_encode(a, mac, n));
}

/* One instance was asked for: it is either among those that failed, or accepted. */
static int judge(struct cli *c, const struct http_answer *a, struct refusal *no)
{
    CLEANUP(json_free_p) json_t *j = json_loadb(a->body, a->len, 0, NULL);
    const json_t *response = json_object_get(j, "response");

    if (!json_is_object(j))
        return say_error(CLI_FAILED, "what answers at %s (HTTP %d) is not Ostler", c->endpoint,
                         a->status);
    if (a->status == 200 && !json_array_size(json_object_get(response, "instanceIds")))
        return CLI_OK;
    bool listed = a->status == 200;
    *no = (struct refusal){.code = listed ? "listed as failed"
                                          : arena_str(c->arena, json_text(j, "code")),
                           .message = listed ? "it already is where it was to go"
                                             : arena_str(c->arena, json_text(j, "message")),
                           .request_id = arena_str(c->arena, json_text(j, "requestId"))};
    return CLI_FAILED;
}

int zec_send(struct cli *c, const struct zec_call *call, struct http_answer *ret)
{
    int e = server_environment(c);

    if (e)
        return e;
    const char *host = server_host(c);
    const char *timestamp = arena_fmt(c->arena, "%lld", (long long)time(NULL));
    const struct http_header headers[] = {
        {"host", host},
        {"content-type", CONTENT_TYPE},
        {"x-zc-action", call->action},
        {"x-zc-version", call->version},
        {"x-zc-service", call->service},
        {"x-zc-timestamp", timestamp},
        {"x-zc-signature-method", ALGORITHM},
        {"authorization",
         zec_authorization(c->arena, host, timestamp, call->body, c->key_id, c->secret)},
        {"x-zc-request-client", call->client},
    };
    struct http_call http = {.method = "POST",
                             .url = c->endpoint,
                             .target = arena_fmt(c->arena, "/api/v2/%s", call->service),
                             .headers = headers,
                             .n_headers = ARRAY_LEN(headers) - !call->client,
                             .body = call->body,
                             .len = strlen(call->body),
                             .ca_file = c->ca_file};
    e = http_call_run(&http, ret);
    return e < 0 ? server_unreachable(c, e, ret->error) : CLI_OK;
}

int zec_power(struct cli *c, const char *action, const char *flag, const char *id,
              struct refusal *ret_no)
{
    CLEANUP(http_answer_done_p) struct http_answer answer = {0};
    CLEANUP(json_free_p) json_t *body = json_pack("{s:[s]}", "instanceIds", id);

    *ret_no = (struct refusal){0};
    if (flag)
        (void)json_object_set_new(body, flag, json_boolean(given(c, OPT_FORCE)));
    CLEANUP(free_p) char *text = json_dumps(body, JSON_COMPACT);
    const struct zec_call call = {
        .service = "zec", .action = action, .version = "2025-09-01", .body = text};
    int e = zec_send(c, &call, &answer);
    return e ? e : judge(c, &answer, ret_no);
}
