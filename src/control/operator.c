/* The operator's dialect: a path, a JSON object, and no signature but the socket that it came by.
 */
#include "control/operator.h"

#include <arpa/inet.h>

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
        c->op.account = row.id;
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
    c->op.account = ret->id;
    return ERR_NONE;
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

    world_uuid(c->op.core->world, uuid);
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

/* The socket is the credential. An empty key is the operator, whose account is everybody's. */
static enum err verify(struct call *c)
{
    if (!c->req->local_operator && !is_local_program(c))
        return fail(&c->fail, ERR_FORBIDDEN,
                    "the operator's actions are answered on the data directory's own socket only");
    c->operator= true;
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
    &op_add_fault,
    &op_create_access_key,
    &op_create_account,
    &op_delete_access_key,
    &op_delete_key_pair,
    &op_delete_transcript,
    &op_environment,
    &op_expire_instance,
    &op_fail_disk,
    &op_grant_kms,
    &op_heal_disk,
    &op_import_key_pair,
    &op_list_access_keys,
    &op_list_accounts,
    &op_list_events,
    &op_list_fault_codes,
    &op_list_faults,
    &op_list_images,
    &op_list_instances,
    &op_list_key_pairs,
    &op_list_transcripts,
    &op_lock_instance,
    &op_make_network,
    &op_read_console_log,
    &op_read_transcript,
    &op_register_image,
    &op_remove_fault,
    &op_remove_faults,
    &op_revoke_kms,
    &op_server_info,
    &op_set_access_key_status,
    &op_set_account,
    &op_set_overdue,
    &op_show_instance,
    &op_start_transcript,
    &op_stop_transcript,
    &op_unlock_instance,
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
