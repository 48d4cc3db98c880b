/* From a recorded line to a request, and from its answer to what differs. */
#include "cli/replayed.h"

#include <stdio.h>

#include "base/crypto.h"
#include "base/timefmt.h"

#define LEFT_OUT "(left out)"
/* Good enough for both clouds' rules; it opens nothing but what the replay makes. */
#define SOME_PASSWORD "Replayed~1"

enum { MAX_TOKEN = 64, MAX_FILL = 64 * 1024 };

/* ---- reading ---- */

static long long read_time(const char *s)
{
    int64_t ms;
    char seconds[24];

    if (strlen(s) == 24 && s[19] == '.') {
        (void)snprintf(seconds, sizeof(seconds), "%.19sZ", s);
        return time_parse(seconds, &ms) == 0 ? ms + strtoll(s + 20, NULL, 10) : 0;
    }
    return time_parse(s, &ms) == 0 ? ms : 0;
}

static const char *or_else(const char *s, const char *other)
{
    return *s ? s : other;
}

const char *recorded_read(struct arena *a, const json_t *line, struct recorded *ret)
{
    const json_t *verified = json_object_get(line, "verified");
    struct recorded r = {.line = line};

    if (!json_is_object(line))
        return "it is not a JSON object";
    r.dialect = json_text(line, "dialect");
    r.zec = streq(r.dialect, "zenlayer");
    if (!r.zec && !streq(r.dialect, "alibaba"))
        return arena_fmt(a, "its `dialect` is '%.40s', not alibaba or zenlayer", r.dialect);
    r.action = json_text(line, "action");
    r.params = json_object_get(line, "params");
    r.answer = json_object_get(line, "answer");
    r.body = json_object_get(r.answer, "body");
    r.faulted = json_is_true(json_object_get(json_object_get(line, "fault"), "refused"));
    r.verified = !json_is_false(verified);
    if (r.verified && !*r.action)
        return "it names no `action`";
    if (r.verified && !json_is_object(r.params))
        return "its `params` is not an object";
    if (!json_is_integer(json_object_get(r.answer, "status")) || !r.body)
        return "its `answer` has no `status` or no `body`";
    r.service = or_else(json_text(line, "service"), r.zec ? "zec" : "ecs");
    r.version = or_else(json_text(line, "version"), r.zec ? "2025-09-01" : "2014-05-26");
    r.method = streq(json_text(line, "method"), "GET") ? "GET" : "POST";
    r.account = json_text(line, "account");
    r.client =
        json_string_value(json_object_get(json_object_get(line, "headers"), "x-zc-request-client"));
    r.xml = streq(json_text(line, "format"), "xml");
    r.n = json_integer_value(json_object_get(line, "n"));
    r.status = json_integer_value(json_object_get(r.answer, "status"));
    r.at_ms = read_time(json_text(line, "at"));
    *ret = r;
    return NULL;
}

/* ---- parameters ---- */

struct maker {
    struct arena *a;
    const json_t *left_out;
    struct names *names;
};

/* Something of the same kind and, of user data, of the same length. */
static json_t *filled(const struct maker *m, const char *path)
{
    size_t i;
    json_t *o;

    json_array_foreach (m->left_out, i, o) {
        json_int_t n = json_integer_value(json_object_get(o, "length"));

        if (!streq(json_text(o, "path"), path) || n <= 0 || n > MAX_FILL)
            continue;
        char *fill = arena_alloc(m->a, (size_t)n + 1);
        memset(fill, 'A', (size_t)n);
        return json_string(fill);
    }
    return json_string(SOME_PASSWORD);
}

static bool is_token(const char *name, const json_t *v)
{
    const char *s = json_string_value(v);

    return (streq(name, "ClientToken") || streq(name, "clientToken")) && s && *s &&
           strlen(s) <= MAX_TOKEN;
}

/*
 * A token of the recording may be known to the server already, and would then be answered from
 * memory. It is a name only where a token stands: elsewhere "1" is not one.
 */
static json_t *renewed(const struct maker *m, const char *token)
{
    const char *name = arena_fmt(m->a, "a client token: %s", token);
    uint8_t fresh[16];

    if (!names_get(m->names, name)) {
        random_bytes(fresh, sizeof(fresh));
        (void)names_learn(m->names, name,
                          arena_fmt(m->a, "replay-%s", hex_encode(m->a, fresh, sizeof(fresh))));
    }
    return json_string(names_get(m->names, name));
}

static json_t *make(const struct maker *m, const json_t *v, const char *path);

static json_t *make_object(const struct maker *m, const json_t *v, const char *path)
{
    json_t *o = json_object(), *below;
    const char *name;

    json_object_foreach ((json_t *)v, name, below) {
        const char *at = arena_fmt(m->a, "%s%s%s", path, *path ? "." : "", name);

        (void)json_object_set_new(o, name,
                                  is_token(name, below) ? renewed(m, json_string_value(below))
                                                        : make(m, below, at));
    }
    return o;
}

static json_t *make(const struct maker *m, const json_t *v, const char *path)
{
    const char *s = json_string_value(v);
    json_t *list, *item;
    size_t i;

    if (json_is_object(v))
        return make_object(m, v, path);
    if (s)
        return streq(s, LEFT_OUT) ? filled(m, path) : json_string(names_apply(m->names, m->a, s));
    if (!json_is_array(v))
        return json_deep_copy(v);
    list = json_array();
    json_array_foreach ((json_t *)v, i, item)
        (void)json_array_append_new(list, make(m, item, arena_fmt(m->a, "%s[%zu]", path, i)));
    return list;
}

json_t *recorded_params(struct arena *a, const struct recorded *r, struct names *names)
{
    const struct maker m = {
        .a = a, .left_out = json_object_get(r->line, "leftOut"), .names = names};

    return make(&m, r->params, "");
}

/* ---- sending ---- */

enum { MAX_PARAMS = 2048 };

struct flat {
    struct arena *a;
    struct ecs_param *v;
    size_t n;
};

static const char *scalar(struct arena *a, const json_t *v)
{
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_integer(v))
        return arena_fmt(a, "%lld", (long long)json_integer_value(v));
    if (json_is_real(v))
        return arena_fmt(a, "%.15g", json_real_value(v));
    return json_is_true(v) ? "true" : "false";
}

/* ECS's own way to write a tree: Tag.1.Key. A list counts from 1. */
static void flatten(struct flat *f, const char *name, const json_t *v)
{
    const char *dot = *name ? "." : "", *key;
    json_t *below;
    size_t i;

    if (json_is_object(v)) {
        json_object_foreach ((json_t *)v, key, below)
            flatten(f, arena_fmt(f->a, "%s%s%s", name, dot, key), below);
    } else if (json_is_array(v)) {
        json_array_foreach ((json_t *)v, i, below)
            flatten(f, arena_fmt(f->a, "%s%s%zu", name, dot, i + 1), below);
    } else if (!json_is_null(v) && f->n < MAX_PARAMS) {
        f->v[f->n++] = (struct ecs_param){name, scalar(f->a, v)};
    }
}

static int send_ecs(struct cli *c, const struct recorded *r, const json_t *params,
                    struct http_answer *ret)
{
    struct flat f = {.a = c->arena, .v = ARENA_ARRAY(c->arena, struct ecs_param, MAX_PARAMS + 1)};

    flatten(&f, "", params);
    if (r->xml)
        f.v[f.n++] = (struct ecs_param){"Format", "XML"};
    const struct ecs_call call = {.method = r->method,
                                  .action = r->action,
                                  .version = r->version,
                                  .params = f.v,
                                  .n_params = f.n};
    return ecs_send(c, &call, ret);
}

static int send_zec(struct cli *c, const struct recorded *r, const json_t *params,
                    struct http_answer *ret)
{
    CLEANUP(free_p) char *body = json_dumps(params, JSON_COMPACT | JSON_REAL_PRECISION(15));
    const struct zec_call call = {.service = r->service,
                                  .action = r->action,
                                  .version = r->version,
                                  .body = body ? body : "{}",
                                  .client = r->client};

    return zec_send(c, &call, ret);
}

int recorded_send(struct cli *c, const struct recorded *r, const json_t *params,
                  struct http_answer *ret)
{
    return r->zec ? send_zec(c, r, params, ret) : send_ecs(c, r, params, ret);
}

/* ---- comparing ---- */

/* "application/json" of "Application/JSON; charset=utf-8". */
static const char *media_type(struct arena *a, const char *s)
{
    char *type = arena_strn(a, s, strcspn(s, "; "));

    for (char *p = type; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return type;
}

static void compare_headers(struct comparison *c, const struct recorded *r,
                            const struct http_answer *a)
{
    const char *name;
    json_t *v;

    json_object_foreach (json_object_get(r->answer, "headers"), name, v) {
        const char *is = http_answer_header(a, name), *was = json_string_value(v);

        if (!was)
            continue;
        bool type = streq(name, "content-type");
        compare_text(c, arena_fmt(c->arena, "headers.%s", name),
                     type ? media_type(c->arena, was) : was,
                     !is    ? "nothing"
                     : type ? media_type(c->arena, is)
                            : is);
    }
}

/* One is a refusal, the other an answer: what counts is what the refusal says. */
static void compare_refusals(struct comparison *c, const json_t *recorded, const json_t *replayed)
{
    static const char *const keys[] = {"Code", "Message", "code", "message"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (json_object_get(recorded, keys[i]) || json_object_get(replayed, keys[i]))
            compare_json(c, arena_fmt(c->arena, "body.%s", keys[i]),
                         json_object_get(recorded, keys[i]), json_object_get(replayed, keys[i]));
}

void recorded_compare(struct comparison *c, const struct recorded *r, const struct http_answer *a)
{
    CLEANUP(json_free_p) json_t *body = json_loadb(a->body, a->len, JSON_DECODE_ANY, NULL);

    compare_numbers(c, "status", r->status, a->status);
    compare_headers(c, r, a);
    if ((r->status >= 400) != (a->status >= 400))
        compare_refusals(c, r->body, body);
    else if (body && !json_is_string(r->body))
        compare_json(c, "body", r->body, body);
    else if (json_is_string(r->body))
        compare_text(c, "body", json_string_value(r->body), a->body);
    else
        compare_text(c, "body", "an object of JSON", a->body);
}

/* ---- asking again ---- */

static bool refused_for_now(const struct http_answer *a)
{
    static const char *const codes[] = {"IncorrectInstanceStatus", "InstanceNotReady",
                                        "IN_OPERATION", "INSTANCE_STATUS"};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strstr(a->body, codes[i]))
            return true;
    return false;
}

bool recorded_repeats(const struct recorded *r, const struct http_answer *a)
{
    if (str_starts(r->action, "Describe"))
        return true;
    return r->status < 300 && a->status >= 400 && refused_for_now(a);
}
