/*
 * Making a line: what was asked and what was answered, and taking out of both what nobody else may
 * see. Three things are taken out:
 *
 *   - values by their name or their declaration: passwords, keys, tokens, signatures;
 *   - user data, of which length and digest are kept;
 *   - those values, the account's id and the access key wherever else they stand: an answer may
 * quote them.
 *
 * Headers are those of a short list, parameters are what the dialect made of them (for ECS without
 * the protocol's own), so that a signature has no place to come from.
 */
#include "api/transcript_line.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/timefmt.h"

enum { MAX_HIDDEN = 64, LEAST_HIDDEN = 4, DIGEST = 8 };

/* Texts that are replaced wherever they stand. */
struct hidden {
    const char *text, *by;
};

struct cleaner {
    struct arena *arena;
    const struct field *fields; /* of the action; NULL: not known */
    json_t *left_out; /* an array, of what was left out of the parameters; NULL: not told */
    struct hidden hidden[MAX_HIDDEN];
    size_t n_hidden;
};

static void hide(struct cleaner *k, const char *text, const char *by)
{
    for (size_t i = 0; i < k->n_hidden; i++)
        if (streq(k->hidden[i].text, text))
            return;
    if (strlen(text) >= LEAST_HIDDEN && k->n_hidden < MAX_HIDDEN)
        k->hidden[k->n_hidden++] = (struct hidden){arena_str(k->arena, text), by};
}

/* The same for the same id wherever and whenever it is recorded, and not the id. */
static const char *placeholder(struct cleaner *k, const char *kind, const char *id)
{
    return arena_fmt(k->arena, "%s-%.*s", kind, DIGEST, sha256_hex(k->arena, id, strlen(id)));
}

/* ---- which values are nobody else's ---- */

static bool names_secret(const char *name)
{
    static const char *const parts[] = {
        "password",   "passwd",        "secret",      "accesskey", "privatekey",
        "credential", "securitytoken", "bearertoken", "signature", "authorization"};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (strcasestr(name, parts[i]))
            return true;
    return false;
}

static bool declared_secret(const struct field *f, const char *name)
{
    for (; f && f->name; f++)
        if ((f->secret && streq(f->name, name)) || declared_secret(f->sub, name))
            return true;
    return false;
}

/* A switch like PasswordInherit is none. */
static bool is_switch(const json_t *v)
{
    const char *s = json_string_value(v);

    return json_is_boolean(v) || json_is_null(v) ||
           (s && (!*s || !strcasecmp(s, "true") || !strcasecmp(s, "false")));
}

static bool is_user_data(const char *name)
{
    return !strcasecmp(name, "UserData");
}

/* ---- taking out ---- */

static json_t *clean(struct cleaner *k, const json_t *v, const char *path);

static json_t *clean_text(const struct cleaner *k, const char *s)
{
    CLEANUP(buf_done) struct buf b = {0};

    while (*s) {
        size_t i = 0, n = 0;

        for (; i < k->n_hidden; i++)
            if (str_starts(s, k->hidden[i].text) && (n = strlen(k->hidden[i].text)))
                break;
        if (n) {
            buf_str(&b, k->hidden[i].by);
            s += n;
        } else {
            buf_char(&b, *s++);
        }
    }
    return json_string(buf_cstr(&b));
}

/* Says that it was left out, with what a replay can do with. */
static json_t *leave_out(struct cleaner *k, const char *name, const json_t *v, const char *path)
{
    const char *s = json_string_value(v);

    if (s)
        hide(k, s, TRANSCRIPT_LEFT_OUT);
    if (k->left_out) {
        json_t *o = json_pack("{s:s}", "path", path);

        if (s && is_user_data(name)) {
            (void)json_object_set_new(o, "length", json_integer((json_int_t)strlen(s)));
            (void)json_object_set_new(o, "sha256", json_string(sha256_hex(k->arena, s, strlen(s))));
        }
        (void)json_array_append_new(k->left_out, o);
    }
    return json_string(TRANSCRIPT_LEFT_OUT);
}

static json_t *clean_object(struct cleaner *k, const json_t *v, const char *path)
{
    json_t *o = json_object();
    const char *name;
    json_t *below;

    json_object_foreach ((json_t *)v, name, below) {
        const char *at = arena_fmt(k->arena, "%s%s%s", path, *path ? "." : "", name);
        bool out = is_user_data(name) || names_secret(name) || declared_secret(k->fields, name);

        (void)json_object_set_new(o, name,
                                  out && !is_switch(below) ? leave_out(k, name, below, at)
                                                           : clean(k, below, at));
    }
    return o;
}

static json_t *clean(struct cleaner *k, const json_t *v, const char *path)
{
    json_t *list;
    size_t i;
    json_t *item;

    if (json_is_object(v))
        return clean_object(k, v, path);
    if (json_is_string(v))
        return clean_text(k, json_string_value(v));
    if (!json_is_array(v))
        return json_deep_copy(v);
    list = json_array();
    json_array_foreach ((json_t *)v, i, item)
        (void)json_array_append_new(list, clean(k, item, arena_fmt(k->arena, "%s[%zu]", path, i)));
    return list;
}

/* ---- the request ---- */

static json_t *request_headers(struct cleaner *k, const struct request *r)
{
    static const char *const wanted[] = {"accept", "content-type", "user-agent", "x-sdk-client",
                                         "x-zc-request-client"};
    json_t *o = json_object();

    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const char *value = request_header(r, wanted[i]);

        if (value)
            (void)json_object_set_new(o, wanted[i], clean_text(k, value));
    }
    return o;
}

static const char *service_of(const struct call *c)
{
    const char *tail = strrchr(c->req->path, '/');

    if (c->action && c->action->service)
        return c->action->service;
    return tail && tail[1] ? tail + 1 : "ecs";
}

static const char *when(struct arena *a, int64_t ms)
{
    return arena_fmt(a, "%.19s.%03dZ", time_seconds(a, ms), (int)(ms % 1000));
}

static json_t *text_or_null(const char *s)
{
    return str_empty(s) ? json_null() : json_string(s);
}

/* ---- the answer ---- */

/*
 * A refused signature is answered with what was signed, which is nobody's business; so the sentence
 * is left out, and all of it where it is not JSON.
 */
static json_t *answer_body(struct cleaner *k, const struct answer *a, bool quotes)
{
    json_t *read = json_loadb(a->body.data ? a->body.data : "", a->body.len, JSON_DECODE_ANY, NULL);
    CLEANUP(free_p) char *text = NULL;
    json_t *body;

    if (read) {
        body = clean(k, read, "");
        json_decref(read);
        static const char *const sentences[] = {"Message", "message"};
        for (size_t i = 0; quotes && i < ARRAY_LEN(sentences); i++)
            if (json_object_get(body, sentences[i]))
                (void)json_object_set_new(body, sentences[i], json_string(TRANSCRIPT_LEFT_OUT));
        return body;
    }
    if (quotes)
        return json_string(TRANSCRIPT_LEFT_OUT);
    text = xasprintf("%.*s", (int)a->body.len, a->body.data ? a->body.data : "");
    body = clean_text(k, text);
    return body ? body : json_string("(not a text)");
}

static json_t *answer(struct cleaner *k, const struct answer *a, bool quotes)
{
    json_t *headers = json_object();

    if (a->content_type)
        (void)json_object_set_new(headers, "content-type", json_string(a->content_type));
    for (size_t i = 0; i < a->n_headers; i++)
        (void)json_object_set_new(headers, a->headers[i].name, clean_text(k, a->headers[i].value));
    return json_pack("{s:i, s:o, s:o}", "status", a->status, "headers", headers, "body",
                     answer_body(k, a, quotes));
}

/* ---- all of it ---- */

/* What the recording calls the two that asked. */
struct identity {
    const char *account, *key; /* NULL: nobody whose signature was accepted */
};

static struct identity hide_identity(struct cleaner *k, const struct call *c)
{
    struct identity by = {0};

    if (!c->key.id)
        return by;
    by.account = placeholder(k, "account", c->key.account);
    by.key = placeholder(k, "key", c->key.id);
    hide(k, c->key.account, by.account);
    hide(k, c->key.id, by.key);
    return by;
}

/* The first walk only finds what is to be hidden, also in what comes before it. */
static json_t *params(struct cleaner *k, const json_t *given)
{
    if (!given)
        return json_null();
    json_decref(clean(k, given, ""));
    k->left_out = json_array();
    return clean(k, given, "");
}

static void add(json_t *line, const char *name, json_t *value)
{
    (void)json_object_set_new(line, name, value);
}

static void add_request(json_t *line, struct cleaner *k, const struct call *c)
{
    add(line, "dialect", json_string(c->dialect->name));
    add(line, "service", json_string(service_of(c)));
    add(line, "version", text_or_null(c->version));
    add(line, "action", text_or_null(c->action_name));
    add(line, "method", json_string(c->req->method));
    add(line, "path", clean_text(k, c->req->path));
    add(line, "format", json_string(c->format == ENC_XML ? "xml" : "json"));
    add(line, "headers", request_headers(k, c->req));
}

/* A refusal that was asked for, or what became of the answer. */
static json_t *fault(const struct verdict *v)
{
    if (!v)
        return json_null();
    return json_pack("{s:s, s:b, s:s, s:I, s:I}", "id", v->id, "refused", v->refused, "then",
                     fault_fate_name(v->fate), "delayMs", (json_int_t)v->delay_ms, "retryAfterMs",
                     (json_int_t)v->retry_ms);
}

bool transcript_line(struct call *c, const struct answer *a, const struct verdict *v, int64_t began,
                     struct buf *ret)
{
    struct cleaner *k = ARENA_NEW(c->arena, struct cleaner);
    int64_t now = c->op.core->world->now_ms(c->op.core->world);
    bool verified = c->key.id && c->fail.err != ERR_AUTH_REPLAY;

    if (str_empty(c->dialect->family))
        return false; /* the operator's */
    *k = (struct cleaner){.arena = c->arena, .fields = c->action ? c->action->in : NULL};
    struct identity by = hide_identity(k, c);
    json_t *asked = params(k, c->params), *line = json_object();
    add(line, "at", json_string(when(c->arena, began)));
    add(line, "ms", json_integer(now - began));
    add_request(line, k, c);
    add(line, "account", text_or_null(by.account));
    add(line, "key", text_or_null(by.key));
    add(line, "verified", json_boolean(verified));
    add(line, "params", asked);
    add(line, "leftOut", k->left_out ? k->left_out : json_array());
    k->left_out = NULL;
    add(line, "fault", fault(v));
    add(line, "answer", answer(k, a, !verified && c->params));
    CLEANUP(free_p)
    char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
    json_decref(line);
    if (!text)
        return false;
    buf_str(ret, text + 1);
    buf_char(ret, '\n');
    return true;
}
