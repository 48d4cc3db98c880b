/*
 * From bytes to parameters. A parameter may come in the query, in a form body, or some in each;
 * structured ones are flattened with dots. Everything is decoded once here and encoded anew for
 * signing, because clients differ in what they leave raw.
 */
#include "dialect/alibaba/request.h"

#include <ctype.h>
#include <strings.h>

#include "dialect/alibaba/text.h"

/* ---- pairs ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct param *)a)->name, ((const struct param *)b)->name);
}

static enum err read_pair(struct arena *a, const char *text, size_t len, struct param *ret,
                          struct fail *f)
{
    const char *eq = memchr(text, '=', len), *why = "a parameter has no name";
    size_t name_len = eq ? (size_t)(eq - text) : len;

    ret->name = percent_decode(a, text, name_len, &why);
    ret->value = ret->name && eq ? percent_decode(a, eq + 1, len - name_len - 1, &why) : "";
    if (str_empty(ret->name) || !ret->value)
        return fail(f, ERR_BODY, "%s", why);
    return ERR_NONE;
}

static size_t count_pairs(const char *text, size_t len)
{
    size_t n = 1;

    for (size_t i = 0; i < len; i++)
        n += text[i] == '&';
    return n;
}

static enum err sort_pairs(struct params *p, struct fail *f)
{
    if (p->n > PARAMS_MAX)
        return fail(f, ERR_TOO_LARGE, "there are more than %d parameters", PARAMS_MAX);
    if (p->n)
        qsort(p->v, p->n, sizeof(*p->v), by_name);
    /* No client sends a name twice, and two readers would choose different values. */
    for (size_t i = 1; i < p->n; i++)
        if (streq(p->v[i - 1].name, p->v[i].name))
            return fail_param(f, ERR_PARAM_VALUE, p->v[i].name, "the parameter is given twice");
    return ERR_NONE;
}

enum err params_read(struct arena *a, const char *text, size_t len, struct params *ret,
                     struct fail *f)
{
    size_t max = count_pairs(text, len);
    const char *end = text + len;

    if (max > PARAMS_MAX)
        return fail(f, ERR_TOO_LARGE, "there are more than %d parameters", PARAMS_MAX);
    *ret = (struct params){.v = ARENA_ARRAY(a, struct param, max)};
    while (text < end) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        size_t n = (size_t)((amp ? amp : end) - text);
        enum err e = n ? read_pair(a, text, n, &ret->v[ret->n++], f) : ERR_NONE;

        if (e)
            return e;
        text += n + 1;
    }
    return sort_pairs(ret, f);
}

enum err params_merge(struct arena *a, const struct params *under, const struct params *over,
                      struct params *ret, struct fail *f)
{
    *ret = (struct params){.v = ARENA_ARRAY(a, struct param, under->n + over->n + 1)};
    for (size_t i = 0; i < under->n; i++)
        if (!params_get(over, under->v[i].name))
            ret->v[ret->n++] = under->v[i];
    for (size_t i = 0; i < over->n; i++)
        ret->v[ret->n++] = over->v[i];
    return sort_pairs(ret, f);
}

const char *params_get(const struct params *p, const char *name)
{
    struct param key = {.name = name};
    struct param *found = p->n ? bsearch(&key, p->v, p->n, sizeof(key), by_name) : NULL;

    return found ? found->value : NULL;
}

/* ---- the tree ---- */

/* Sorted. What every request may carry and no action reads. */
static const char *const protocol_names[] = {
    "AccessKeyId",
    "Action",
    "BearerToken",
    "Format",
    "OwnerAccount",
    "OwnerId",
    "ResourceOwnerAccount",
    "ResourceOwnerId",
    "SecureTransport",
    "SecurityToken",
    "Signature",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "SourceIp",
    "Timestamp",
    "Version",
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_protocol(const char *name)
{
    return bsearch(&name, protocol_names, ARRAY_LEN(protocol_names), sizeof(name), compare_names);
}

/* An index has one spelling, so that "1" and "01" cannot both be the first. */
static bool good_part(const char *part, size_t len)
{
    size_t digits = 0;

    while (digits < len && isdigit((unsigned char)part[digits]))
        digits++;
    if (digits < len || !len)
        return len > 0;
    return len <= 6 && (len == 1 || part[0] != '0');
}

static const char *put(json_t *at, const char *name, const char *value)
{
    for (unsigned depth = 1;; depth++) {
        size_t len = strcspn(name, ".");
        bool last = !name[len];

        if (depth > PARAM_MAX_DEPTH)
            return "the parameter is nested too deeply";
        if (!good_part(name, len))
            return "the parameter's name is not well formed";
        json_t *old = json_object_getn(at, name, len);
        if (last && !old)
            return json_object_setn_new(at, name, len, json_string(value)) ? "not UTF-8" : NULL;
        if (last || (old && !json_is_object(old)))
            return "the parameter is both a text and a structure";
        if (!old && json_object_setn_new(at, name, len, old = json_object()))
            return "the parameter's name is not UTF-8";
        at = old;
        name += len + 1;
    }
}

enum err params_tree(const struct params *p, json_t **ret, struct fail *f)
{
    json_t *tree = json_object();

    for (size_t i = 0; i < p->n; i++) {
        const char *why = is_protocol(p->v[i].name) ? NULL : put(tree, p->v[i].name, p->v[i].value);

        if (why) {
            json_decref(tree);
            return fail_param(f, ERR_PARAM_VALUE, p->v[i].name, "%s", why);
        }
    }
    *ret = tree;
    return ERR_NONE;
}

/* ---- whose request, and in which words to answer ---- */

bool request_is_v3(const struct request *r)
{
    const char *auth = request_header(r, "authorization");

    return auth && str_starts(auth, "ACS");
}

enum enc_format request_format(const struct request *r)
{
    const char *accept = request_header(r, "accept");

    return request_is_v3(r) || (accept && strcasestr(accept, "json")) ? ENC_JSON_WRAPPED : ENC_XML;
}

/* Does the raw text have a parameter of this name? Clients never escape these names. */
static bool mentions(const char *text, size_t len, const char *name)
{
    size_t n = strlen(name);

    for (const char *end = text + len; text && text < end;) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        size_t part = (size_t)((amp ? amp : end) - text);

        if (part >= n && !memcmp(text, name, n) && (part == n || text[n] == '='))
            return true;
        text += part + 1;
    }
    return false;
}

static bool mentions_any(const char *text, size_t len)
{
    static const char *const names[] = {"Action", "Version", "AccessKeyId", "Signature"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (mentions(text, len, names[i]))
            return true;
    return false;
}

static bool is_reading(const char *method)
{
    return streq(method, "GET") || streq(method, "HEAD") || streq(method, "OPTIONS");
}

/*
 * Everything at "/" that is not a browser's look: its GET has no query of ours and asks for HTML. A
 * request that was only half read has no path; its headers may still tell.
 */
bool request_claims(const struct request *r)
{
    const char *query = r->query ? r->query : "", *accept = request_header(r, "accept");

    if (r->path && !streq(r->path, "/"))
        return false;
    if (request_header(r, "x-acs-action") || request_is_v3(r))
        return true;
    if (!r->path || !r->method)
        return false;
    if (mentions_any(query, strlen(query)))
        return true;
    if (!is_reading(r->method))
        return true;
    return *query && !(accept && strstr(accept, "text/html"));
}

/* ---- parse ---- */

static bool is_form(const struct request *r)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = request_header(r, "content-type");

    return str_empty(type) ||
           (!strncasecmp(type, form, strlen(form)) && strchr("; \t", type[strlen(form)]));
}

static bool set_format(struct call *c, const char *format)
{
    if (str_empty(format))
        return true;
    if (!strcasecmp(format, "JSON"))
        c->format = ENC_JSON_WRAPPED;
    else if (!strcasecmp(format, "XML"))
        c->format = ENC_XML;
    else
        return false;
    return true;
}

/* The query says the format early, so that what is wrong with the rest is refused in it. */
static enum err read_query(struct call *c, struct state *s)
{
    const char *query = c->req->query ? c->req->query : "";
    enum err e = params_read(c->arena, query, strlen(query), &s->query, &c->fail);

    if (!e)
        (void)set_format(c, params_get(&s->query, "Format")); /* checked in read_all */
    return e;
}

static enum err read_all(struct call *c, struct state *s)
{
    const struct request *r = c->req;
    struct params body = {0};
    enum err e;

    if (r->body_len && !is_form(r))
        return fail(&c->fail, ERR_BODY, "the body is not a form");
    if (r->body_len && (e = params_read(c->arena, r->body, r->body_len, &body, &c->fail)))
        return e;
    if ((e = params_merge(c->arena, &s->query, &body, &s->all, &c->fail)))
        return e;
    if (!set_format(c, params_get(&s->all, "Format")))
        return fail_param(&c->fail, ERR_FORMAT, "Format", "the format is JSON or XML");
    return ERR_NONE;
}

/*
 * V3 signs the header, V1 the parameter; each is read from where it is signed. What is not signed
 * at all may name its action in either place.
 */
static const char *named(const struct call *c, const struct state *s, const char *header,
                         const char *param)
{
    const char *value = params_get(&s->all, param);

    if (s->v3)
        return request_header(c->req, header);
    if (str_empty(value) && !params_get(&s->all, "Signature"))
        value = request_header(c->req, header);
    return value;
}

static enum err read_names(struct call *c, const struct state *s)
{
    c->action_name = named(c, s, "x-acs-action", "Action");
    c->version = named(c, s, "x-acs-version", "Version");
    if (str_empty(c->action_name)) {
        c->action_name = NULL;
        return fail_param(&c->fail, ERR_ACTION_MISSING, "Action", "no action is named");
    }
    if (str_empty(c->version)) {
        c->version = NULL;
        return fail_param(&c->fail, ERR_VERSION_MISSING, "Version", "no version is named");
    }
    if (!streq(c->version, "2014-05-26"))
        return fail_param(&c->fail, ERR_VERSION_UNKNOWN, "Version", "the version is 2014-05-26");
    return ERR_NONE;
}

enum err request_parse(struct call *c)
{
    const struct request *r = c->req;
    struct state *s = ARENA_NEW(c->arena, struct state);
    const char *host = request_header(r, "host"), *agent = request_header(r, "user-agent");
    enum err e;

    c->state = s;
    s->v3 = request_is_v3(r);
    c->format = request_format(r);
    c->host = host ? host : "";
    c->client = agent ? agent : "";
    e = read_query(c, s);
    if (!r->method || (!streq(r->method, "GET") && !streq(r->method, "POST")))
        return fail(&c->fail, ERR_METHOD, "the method is GET or POST");
    if (e || (e = read_all(c, s)) || (e = read_names(c, s)))
        return e;
    return params_tree(&s->all, &c->params, &c->fail);
}
