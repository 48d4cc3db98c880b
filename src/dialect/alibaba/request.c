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

static bool good_name(const char *name)
{
    for (unsigned depth = 1; depth <= PARAM_MAX_DEPTH; depth++) {
        size_t len = strcspn(name, ".");

        if (!good_part(name, len))
            return false;
        if (!name[len])
            return true;
        name += len + 1;
    }
    return false;
}

/* In the order of the names a text comes before what would be below it, and then stays alone. */
static void put(json_t *at, const char *name, const char *value)
{
    size_t len = strcspn(name, ".");

    while (name[len]) {
        json_t *below = json_object_getn(at, name, len);

        if (!below && json_object_setn_new(at, name, len, below = json_object()))
            return;
        at = below; /* of a text: holds nothing and takes nothing */
        name += len + 1;
        len = strcspn(name, ".");
    }
    (void)json_object_setn_new(at, name, len, json_string(value));
}

json_t *params_tree(const struct params *p)
{
    json_t *tree = json_object();

    for (size_t i = 0; i < p->n; i++)
        if (!is_protocol(p->v[i].name) && good_name(p->v[i].name))
            put(tree, p->v[i].name, p->v[i].value);
    return tree;
}

/* ---- whose request, and in which words to answer ---- */

bool request_is_v3(const struct request *r)
{
    const char *auth = request_header(r, "authorization");

    return auth && str_starts(auth, "ACS");
}

/*
 * What follows a parameter's name in the raw text, up to the next '&'; NULL: there is none. Clients
 * never escape the names that are looked for so.
 */
static const char *raw_value(const char *text, size_t text_len, const char *name, size_t *ret_len)
{
    size_t n = strlen(name);

    for (const char *end = text + text_len; text < end;) {
        const char *amp = memchr(text, '&', (size_t)(end - text));
        size_t len = (size_t)((amp ? amp : end) - text);

        if (len >= n && !memcmp(text, name, n) && (len == n || text[n] == '=')) {
            *ret_len = len > n ? len - n - 1 : 0;
            return text + len - *ret_len;
        }
        text += len + 1;
    }
    return NULL;
}

static bool mentions_any(const char *text)
{
    static const char *const names[] = {"Action", "Version", "AccessKeyId", "Signature"};
    size_t len;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (raw_value(text, strlen(text), names[i], &len))
            return true;
    return false;
}

static bool read_format(const char *s, size_t len, enum enc_format *ret)
{
    if (len == 4 && !strncasecmp(s, "JSON", len))
        *ret = ENC_JSON_WRAPPED;
    else if (len == 3 && !strncasecmp(s, "XML", len))
        *ret = ENC_XML;
    else
        return false;
    return true;
}

static bool is_form(const struct request *r)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *type = request_header(r, "content-type");

    return str_empty(type) ||
           (!strncasecmp(type, form, strlen(form)) && strchr("; \t", type[strlen(form)]));
}

static bool raw_format(const char *text, size_t len, enum enc_format *ret)
{
    size_t n;
    const char *value = raw_value(text, len, "Format", &n);

    return value && read_format(value, n, ret);
}

enum enc_format request_format(const struct request *r)
{
    const char *query = r->query ? r->query : "", *accept = request_header(r, "accept");
    enum enc_format f;

    if ((r->body_len && is_form(r) && raw_format(r->body, r->body_len, &f)) ||
        raw_format(query, strlen(query), &f))
        return f;
    return request_is_v3(r) || (accept && strcasestr(accept, "json")) ? ENC_JSON_WRAPPED : ENC_XML;
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

    if (!str_empty(r->path) && !streq(r->path, "/"))
        return false;
    if (request_header(r, "x-acs-action") || request_is_v3(r))
        return true;
    if (str_empty(r->path) || str_empty(r->method))
        return false;
    if (mentions_any(query))
        return true;
    if (!is_reading(r->method))
        return true;
    return *query && !(accept && strstr(accept, "text/html"));
}

/* ---- parse ---- */

static enum err read_all(struct call *c, struct state *s)
{
    const struct request *r = c->req;
    const char *query = r->query ? r->query : "", *format;
    struct params body = {0};
    enum err e;

    if ((e = params_read(c->arena, query, strlen(query), &s->query, &c->fail)))
        return e;
    if (r->body_len && !is_form(r))
        return fail(&c->fail, ERR_BODY, "the body is not a form");
    if (r->body_len && (e = params_read(c->arena, r->body, r->body_len, &body, &c->fail)))
        return e;
    if ((e = params_merge(c->arena, &s->query, &body, &s->all, &c->fail)))
        return e;
    format = params_get(&s->all, "Format");
    if (!str_empty(format) && !read_format(format, strlen(format), &c->format))
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
    if (!r->method || (!streq(r->method, "GET") && !streq(r->method, "POST")))
        return fail(&c->fail, ERR_METHOD, "the method is GET or POST");
    if ((e = read_all(c, s)) || (e = read_names(c, s)))
        return e;
    c->params = params_tree(&s->all);
    return ERR_NONE;
}
