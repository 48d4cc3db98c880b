/* The operator's dialect: a path, a JSON object, and no signature but the socket that it came by.
 */
#include "control/operator.h"

#include <arpa/inet.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/timefmt.h"
#include "control/control.h"

static struct control_config config = {.version = "",
                                       .dir = "",
                                       .endpoints = (const char *[]){NULL},
                                       .dialects = (const struct dialect *[]){NULL}};

void control_setup(const struct control_config *given)
{
    config = *given;
}

const struct control_config *control_config(void)
{
    return &config;
}

enum err control_scope(struct call *c, const char *account)
{
    struct account row;

    if (str_empty(account))
        return ERR_NONE;
    enum err err = account_get(&c->op, account, &row);
    if (!err)
        call_act_for(c, row.id);
    return err;
}

enum err control_owner(struct call *c, const char *account, struct account *ret)
{
    if (!str_empty(account)) {
        enum err err = account_get(&c->op, account, ret);

        if (err)
            return err;
    } else if (!store_first(c->op.tx, &rec_account, &(struct query){.order = "created_at,id"},
                            ret)) {
        return fail(c->op.fail, ERR_ACCOUNT_NOT_FOUND, "there is no account yet");
    }
    call_act_for(c, ret->id);
    return ERR_NONE;
}

enum err control_on_inst(struct call *c, const struct control_inst *in,
                         enum err (*act)(struct op *op, const char *id))
{
    enum err e = control_scope(c, in->account);

    return e ? e : act(&c->op, in->inst);
}

const char *control_inst_dir(struct call *c, const char *inst)
{
    return arena_fmt(c->arena, "%s/instances/%s", config.dir, inst);
}

void control_enc_time(struct call *c, struct enc *e, const char *name, int64_t ms)
{
    enc_str_or_null(e, name, ms ? time_seconds(c->arena, ms) : NULL);
}

static bool claims(const struct request *r)
{
    return str_starts(r->path, "/_ostler/");
}

static void name_request(struct call *c)
{
    char uuid[37];

    call_uuid(c, uuid);
    memcpy(c->request_id, uuid, sizeof(uuid));
}

static enum err parse(struct call *c)
{
    const struct request *r = c->req;
    const char *host = request_header(r, "host"), *agent = request_header(r, "user-agent");

    c->format = ENC_JSON;
    c->host = host ? host : "";
    c->client = agent ? agent : "";
    c->params = json_object();
    if (!str_starts(r->path, CONTROL_PATH))
        return fail(&c->fail, ERR_PATH, "the operator's path is %s<Action>", CONTROL_PATH);
    c->action_name = arena_str(c->arena, r->path + strlen(CONTROL_PATH));
    if (!streq(r->method, "POST"))
        return fail(&c->fail, ERR_METHOD, "an action is called by POST");
    if (!*c->action_name)
        return fail(&c->fail, ERR_ACTION_MISSING, "the path names no action");
    if (!r->body_len)
        return ERR_NONE;
    json_error_t why;
    json_t *body = json_loadb(r->body, r->body_len, JSON_REJECT_DUPLICATES, &why);
    if (!body)
        return fail(&c->fail, ERR_BODY, "the body is not JSON: %s (line %d)", why.text, why.line);
    if (!json_is_object(body)) {
        json_decref(body);
        return fail(&c->fail, ERR_BODY, "the body is not a JSON object");
    }
    json_decref(c->params);
    c->params = body;
    return ERR_NONE;
}

/* An address, or the name that never leaves this computer; a name that only begins like one is
 * none.
 */
static bool is_loopback(const char *host)
{
    struct in_addr v4;

    if (streq(host, "localhost") || streq(host, "::1"))
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* Of a Host header, without its port and brackets. */
static bool names_loopback(struct arena *a, const char *host)
{
    const char *colon = strrchr(host, ':');
    size_t n = colon && !strchr(colon, ']') ? (size_t)(colon - host) : strlen(host);

    if (n > 2 && host[0] == '[' && host[n - 1] == ']')
        return is_loopback(arena_strn(a, host + 1, n - 2));
    return is_loopback(arena_strn(a, host, n));
}

/*
 * Where there are test controls, a program on this computer is an operator. A page in a browser is
 * none, whatever name it got our address by: it cannot leave out Origin, nor choose Host.
 */
static bool is_local_program(const struct call *c)
{
    return c->op.core->settings.controls && is_loopback(c->req->peer) &&
           names_loopback(c->arena, c->host) && !request_header(c->req, "origin") &&
           !request_header(c->req, "sec-fetch-site");
}

/* Digests are compared, so that not even the key's length can be told by the time it takes. */
static bool has_operator_key(const struct call *c)
{
    static const char scheme[] = "Bearer ";
    const char *given = request_header(c->req, "authorization"), *key = config.operator_key;
    uint8_t theirs[SHA256_LEN], ours[SHA256_LEN];

    if (!key || !c->req->tls || !given || strncasecmp(given, scheme, strlen(scheme)) != 0)
        return false;
    given += strlen(scheme);
    sha256(given, strlen(given), theirs);
    sha256(key, strlen(key), ours);
    return equal_ct(theirs, ours, sizeof(ours));
}

static const char *who_may(void)
{
    return config.operator_key
               ? "the operator's actions are answered on the data directory's own "
                 "socket, to programs on the server's computer, and over HTTPS with "
                 "the header 'Authorization: Bearer KEY', the key of operator.key"
               : "the operator's actions are answered on the data directory's own "
                 "socket only";
}

/* The socket is the credential. An empty key is the operator, whose account is everybody's. */
static enum err verify(struct call *c)
{
    if (!c->req->local_operator && !is_local_program(c) && !has_operator_key(c))
        return fail(&c->fail, ERR_FORBIDDEN, "%s", who_may());
    c->is_operator = true;
    c->key = (struct access_key){0};
    return ERR_NONE;
}

static enum err find(struct call *c, const struct action **ret)
{
    *ret = action_find(c->dialect->actions, c->action_name);
    if (!*ret)
        return fail(&c->fail, ERR_ACTION_UNKNOWN, "there is no action '%.100s'", c->action_name);
    return ERR_NONE;
}

/* Names are for people: any text without control characters. */
static bool good_name(const char *s)
{
    size_t n = strlen(s);

    if (n < 1 || n > 128)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static void begin(struct call *c, struct answer *a, int status, struct enc *e)
{
    a->status = status;
    a->content_type = "application/json";
    enc_init(e, &a->body, ENC_JSON, "Answer");
    enc_str(e, "requestId", c->request_id);
}

static void answer(struct call *c, const void *out, struct answer *a)
{
    struct enc e;

    begin(c, a, 200, &e);
    if (c->action->encode)
        c->action->encode(c, out, &e);
    enc_finish(&e);
}

static void refuse(struct call *c, const struct err_row *row, struct answer *a)
{
    const char *message = call_message(c, row);
    struct enc e;

    begin(c, a, row->status, &e);
    enc_str(&e, "code", row->code);
    enc_str(&e, "message", *message ? message : err_text(c->fail.err));
    if (*c->fail.param)
        enc_str(&e, "parameter", c->fail.param);
    enc_finish(&e);
}

static const struct action *const actions[] = {
#define X(name) &op_##name,
    CONTROL_ACTIONS(X)
#undef X
        NULL,
};

const struct dialect dialect_operator = {
    .name = "operator",
    .family = "",
    .actions = actions,
    .errors = control_errors,
    .strict_types = true,
    .claims = claims,
    .name_request = name_request,
    .parse = parse,
    .verify = verify,
    .find = find,
    .good_name = good_name,
    .answer = answer,
    .refuse = refuse,
};
