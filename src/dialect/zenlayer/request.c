/*
 * Reading a request: POST /api/v2/<service>, the action and its version in headers, the parameters
 * as one JSON object. Whatever begins with /api/ or names an action in our header is ours, so that
 * also a wrong path or method is answered in JSON with the three keys that every client needs.
 */
#include "core/world.h"
#include "dialect/zenlayer/zec.h"

#define ROOT "/api/v2/"

enum { MAX_CLIENT = 128 };

static const struct service {
    const char *name;
    const char *const *versions;
} services[] = {
    {ZEC_SERVICE, (const char *const[]){"2024-04-01", "2025-09-01", NULL}},
};

bool zec_claims(const struct request *r)
{
    return (r->path && str_starts(r->path, "/api/")) || request_header(r, "x-zc-action");
}

void zec_name_request(struct call *c)
{
    char uuid[37];

    call_uuid(c, uuid);
    c->request_id[0] = 'T';
    memcpy(c->request_id + 1, uuid, sizeof(uuid));
}

/* ---- the body ---- */

/*
 * What a small body may cost is bounded before it is parsed: the parser recurses for every bracket,
 * and makes an object of some hundred bytes out of every two bytes of an array of numbers.
 */
static enum err check_shape(const char *s, size_t n, struct fail *f)
{
    size_t depth = 0, values = 0;
    bool text = false;

    for (size_t i = 0; i < n; i++) {
        char ch = s[i];

        if (text) {
            if (ch == '\\')
                i++;
            else if (ch == '"')
                text = false;
        } else if (ch == '"') {
            text = true;
        } else if (ch == '{' || ch == '[') {
            values++;
            if (++depth > ZEC_MAX_DEPTH)
                return fail(f, ERR_BODY, "the body is nested deeper than %d levels", ZEC_MAX_DEPTH);
        } else if (ch == '}' || ch == ']') {
            depth -= depth > 0;
        } else if (ch == ',') {
            values++;
        }
    }
    if (values > ZEC_MAX_VALUES)
        return fail(f, ERR_BODY, "the body holds more than %d values", ZEC_MAX_VALUES);
    return ERR_NONE;
}

enum err zec_read_body(const char *body, size_t len, json_t **ret, struct fail *f)
{
    json_error_t where;
    json_t *o;
    enum err err;

    if (len > ZEC_MAX_BODY)
        return fail(f, ERR_TOO_LARGE, "the body is larger than %d bytes", ZEC_MAX_BODY);
    err = check_shape(body, len, f);
    if (err)
        return err;

    o = json_loadb(body, len, JSON_REJECT_DUPLICATES, &where);
    if (!o) /* the parser's own text may quote bytes that are not UTF-8 */
        return fail(f, ERR_BODY, "the body is not valid JSON (line %d, column %d)", where.line,
                    where.column);
    if (!json_is_object(o)) {
        json_decref(o);
        return fail(f, ERR_BODY, "the body is not a JSON object");
    }
    *ret = o;
    return ERR_NONE;
}

/* ---- the rest ---- */

static const struct service *service_of(const char *path)
{
    for (size_t i = 0; i < ARRAY_LEN(services) && str_starts(path, ROOT); i++)
        if (streq(path + strlen(ROOT), services[i].name))
            return &services[i];
    return NULL;
}

static bool listed(const char *const *list, const char *s)
{
    for (; *list; list++)
        if (streq(*list, s))
            return true;
    return false;
}

static const char *header_or_empty(const struct call *c, const char *name)
{
    const char *v = request_header(c->req, name);

    return v ? v : "";
}

static void read_names(struct call *c)
{
    const char *client = header_or_empty(c, "x-zc-request-client");

    c->format = ENC_JSON;
    c->host = header_or_empty(c, "host");
    c->client = strlen(client) <= MAX_CLIENT ? client : arena_strn(c->arena, client, MAX_CLIENT);
    c->action_name = request_header(c->req, "x-zc-action");
    c->version = request_header(c->req, "x-zc-version");
}

enum err zec_parse(struct call *c)
{
    const struct service *service = service_of(c->req->path);

    read_names(c);
    if (!service)
        return fail(&c->fail, ERR_PATH, "there is no service at this path");
    if (!streq(c->req->method, "POST"))
        return fail(&c->fail, ERR_METHOD, "only POST is allowed");
    if (str_empty(c->action_name))
        return fail_param(&c->fail, ERR_ACTION_MISSING, "X-ZC-Action", "no action is named");
    if (str_empty(c->version))
        return fail_param(&c->fail, ERR_VERSION_MISSING, "X-ZC-Version", "no version is named");
    if (!listed(service->versions, c->version))
        return fail_param(&c->fail, ERR_VERSION_UNKNOWN, "X-ZC-Version",
                          "the service '%s' has no such version", service->name);
    return zec_read_body(c->req->body, c->req->body_len, &c->params, &c->fail);
}

enum err zec_find(struct call *c, const struct action **ret)
{
    const struct action *a = action_find(c->dialect->actions, c->action_name);
    const struct service *service = service_of(c->req->path);

    if (!a || !service || !streq(a->service, service->name) || !listed(a->versions, c->version))
        return fail(&c->fail, ERR_ACTION_UNKNOWN, "there is no such action in this version");
    *ret = a;
    return ERR_NONE;
}
