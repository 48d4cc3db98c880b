/* The metadata tree and its HTTP. */
#include "engine/switch/meta.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

struct meta {
    json_t *tree; /* objects and strings only; no name is empty or holds a slash */
    struct buf user_data;
    bool has_user_data;
};

/* Both spellings of the version show the same. */
static const char *const versions[] = {"2016-01-01", "latest"};

static const struct {
    int status;
    const char *reason;
} statuses[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {414, "URI Too Long"},
    {431, "Request Header Fields Too Large"},
    {505, "HTTP Version Not Supported"},
};

/* --- the tree --- */

static bool name_fits(const char *name, size_t len)
{
    if (!len || len > META_NAME_MAX || (len <= 2 && strncmp(name, "..", len) == 0))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
            return false;
    return true;
}

static json_t *value_text(const json_t *value)
{
    char text[32];

    if (json_is_string(value))
        return json_stringn(json_string_value(value), json_string_length(value));
    if (json_is_boolean(value))
        return json_string(json_is_true(value) ? "true" : "false");
    if (!json_is_integer(value))
        return NULL;
    (void)snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
    return json_string(text);
}

static json_t *folder_in(json_t *folder, const char *name, size_t len)
{
    char key[META_NAME_MAX + 1];
    json_t *there;

    memcpy(key, name, len);
    key[len] = '\0';
    there = json_object_get(folder, key);
    if (!there) {
        there = json_object();
        if (json_object_set_new(folder, key, there) < 0)
            return NULL;
    }
    return json_is_object(there) ? there : NULL;
}

static const char *add_all(json_t *folder, const json_t *from, int depth);

/* `path` names a value or a folder under `folder`, through slashes. Returns NULL or what is wrong.
 */
static const char *add_one(json_t *folder, const char *path, const json_t *value, int depth)
{
    size_t len = strcspn(path, "/");
    json_t *text;

    if (depth > META_DEPTH_MAX)
        return "metadata is nested too deeply";
    if (!name_fits(path, len))
        return "a metadata name is empty, too long, or holds spaces or control characters";
    if (path[len] == '/' || json_is_object(value)) {
        folder = folder_in(folder, path, len);
        if (!folder)
            return "a metadata name is both a folder and a value";
        return path[len] == '/' ? add_one(folder, path + len + 1, value, depth + 1)
                                : add_all(folder, value, depth + 1);
    }
    if (json_object_get(folder, path))
        return "a metadata name is both a folder and a value";
    text = value_text(value);
    if (!text)
        return "a metadata value is not a string";
    return json_object_set_new(folder, path, text) < 0 ? "a metadata name is not UTF-8" : NULL;
}

static const char *add_all(json_t *folder, const json_t *from, int depth)
{
    const char *name, *why;
    json_t *value;

    json_object_foreach ((json_t *)from, name, value) {
        why = add_one(folder, name, value, depth);
        if (why)
            return why;
    }
    return NULL;
}

/* False: not base64. */
static bool set_user_data(struct meta *m, const char *b64)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    size_t n;
    const uint8_t *data = base64_decode(a, b64, &n);

    if (data)
        buf_add(&m->user_data, data, n);
    return data != NULL;
}

static const char *fill(struct meta *m, const json_t *tree, const char *user_data_b64)
{
    if (tree && !json_is_object(tree))
        return "metadata is not an object";
    m->has_user_data = user_data_b64 != NULL;
    if (user_data_b64 && !set_user_data(m, user_data_b64))
        return "user data is not base64";
    if (m->user_data.len > META_USER_DATA_MAX)
        return "user data is too long";
    return tree ? add_all(m->tree, tree, 0) : NULL;
}

int meta_new(const json_t *tree, const char *user_data_b64, struct meta **ret, const char **ret_why)
{
    struct meta *m = xcalloc(1, sizeof(*m));
    const char *why;

    m->tree = json_object();
    why = m->tree ? fill(m, tree, user_data_b64) : "out of memory";
    if (why) {
        meta_free(m);
        *ret_why = why;
        return -EINVAL;
    }
    *ret = m;
    return 0;
}

void meta_free(struct meta *m)
{
    if (!m)
        return;
    json_decref(m->tree);
    buf_done(&m->user_data);
    free(m);
}

const char *meta_value(const struct meta *m, const char *name)
{
    return m ? json_string_value(json_object_get(m->tree, name)) : NULL;
}

/* --- paths --- */

/* The next name of the path, slashes in front skipped; its length is 0 at the end. */
static size_t next_name(const char **path, const char **ret)
{
    size_t len;

    *path += strspn(*path, "/");
    *ret = *path;
    len = strcspn(*path, "/");
    *path += len;
    return len;
}

static bool name_is(const char *name, size_t len, const char *what)
{
    return strlen(what) == len && memcmp(name, what, len) == 0;
}

static bool is_version(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        if (name_is(name, len, versions[i]))
            return true;
    return false;
}

static void list_folder(json_t *folder, struct buf *b)
{
    const char *name;
    json_t *value;
    size_t start = b->len;

    json_object_foreach (folder, name, value) {
        if (b->len > start)
            buf_char(b, '\n');
        buf_str(b, name);
        if (json_is_object(value))
            buf_char(b, '/');
    }
}

static int show(json_t *found, bool as_folder, struct buf *b)
{
    if (json_is_object(found))
        list_folder(found, b);
    else if (!found || as_folder)
        return 404;
    else
        buf_add(b, json_string_value(found), json_string_length(found));
    return 200;
}

static int lookup_tree(const struct meta *m, const char *path, struct buf *b)
{
    json_t *at = m->tree;
    const char *name;
    size_t len;

    while ((len = next_name(&path, &name)) > 0)
        at = json_is_object(at) ? json_object_getn(at, name, len) : NULL;
    return show(at, path[-1] == '/', b);
}

static int lookup_user_data(const struct meta *m, const char *path, struct buf *b)
{
    if (*path || !m->has_user_data)
        return 404;
    buf_add(b, m->user_data.data, m->user_data.len);
    return 200;
}

static int list_top(const struct meta *m, struct buf *b)
{
    buf_str(b, m->has_user_data ? "meta-data/\nuser-data" : "meta-data/");
    return 200;
}

static int list_versions(struct buf *b)
{
    for (size_t i = 0; i < ARRAY_LEN(versions); i++)
        buf_fmt(b, "%s%s", i ? "\n" : "", versions[i]);
    return 200;
}

int meta_lookup(const struct meta *m, const char *path, struct buf *b)
{
    const char *name;
    size_t len;

    if (*path != '/')
        return 404;
    len = next_name(&path, &name);
    if (!len)
        return list_versions(b);
    if (!is_version(name, len))
        return 404;
    len = next_name(&path, &name);
    if (!len)
        return list_top(m, b);
    if (name_is(name, len, "meta-data"))
        return lookup_tree(m, path, b);
    if (name_is(name, len, "user-data"))
        return lookup_user_data(m, path, b);
    return 404;
}

/* --- HTTP --- */

/* The length of the head with its empty line, 0 when it is not all there. Lone newlines end lines
 * too. */
static size_t head_length(const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (data[i] != '\n')
            continue;
        if (i + 1 < len && data[i + 1] == '\n')
            return i + 2;
        if (i + 2 < len && data[i + 1] == '\r' && data[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool percent(const char *p, const char *end, char *ret)
{
    if (end - p < 3 || hex_value(p[1]) < 0 || hex_value(p[2]) < 0)
        return false;
    *ret = (char)(hex_value(p[1]) << 4 | hex_value(p[2]));
    return (unsigned char)*ret > ' ' && *ret != 0x7f && *ret != '/';
}

/* A proxy's form of the target ("http://100.100.100.200/latest/") is cut to its path. */
static const char *skip_authority(const char *target, const char *end)
{
    static const char scheme[] = "http://";
    const size_t n = sizeof(scheme) - 1;
    const char *slash;

    if ((size_t)(end - target) < n || strncasecmp(target, scheme, n) != 0)
        return target;
    slash = memchr(target + n, '/', (size_t)(end - target) - n);
    return slash ? slash : target;
}

static int read_target(const char *target, const char *end, char ret[META_PATH_MAX])
{
    const char *query = memchr(target, '?', (size_t)(end - target));
    size_t n = 0;

    if (query)
        end = query;
    target = skip_authority(target, end);
    if (target == end || *target != '/')
        return 400;
    while (target < end) {
        char c = *target;

        if (n + 1 >= META_PATH_MAX)
            return 414;
        if (c == '%' && !percent(target, end, &c))
            return 400;
        if ((unsigned char)c <= ' ' || c == 0x7f)
            return 400;
        target += *target == '%' ? 3 : 1;
        ret[n++] = c;
    }
    ret[n] = '\0';
    return 0;
}

static int read_method(const char *line, size_t len, struct meta_request *r)
{
    r->head_only = name_is(line, len, "HEAD");
    if (r->head_only || name_is(line, len, "GET"))
        return 0;
    for (size_t i = 0; i < len; i++)
        if (line[i] < 'A' || line[i] > 'Z')
            return 400;
    return len ? 405 : 400;
}

static int read_version(const char *text, size_t len, struct meta_request *r)
{
    if (len != 8 || strncmp(text, "HTTP/", 5) != 0 || text[6] != '.')
        return 400;
    if (text[5] != '1' || (text[7] != '0' && text[7] != '1'))
        return 505;
    r->keep_alive = text[7] == '1';
    return 0;
}

static int read_line(const char *line, const char *end, struct meta_request *r)
{
    const char *target = memchr(line, ' ', (size_t)(end - line));
    const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;
    int method, status;

    if (!version)
        return 400;
    method = read_method(line, (size_t)(target - line), r);
    if (method == 400)
        return 400;
    status = read_version(version + 1, (size_t)(end - version - 1), r);
    if (!status)
        status = read_target(target + 1, version, r->path);
    return status ? status : method;
}

static bool value_is(const char *value, size_t len, const char *what)
{
    return strlen(what) == len && strncasecmp(value, what, len) == 0;
}

/* Only what changes where this request ends is looked at. Nobody has a reason to send a body. */
static int read_header(const char *line, const char *end, struct meta_request *r)
{
    const char *colon = memchr(line, ':', (size_t)(end - line));
    const char *value = colon ? colon + 1 : NULL;
    size_t name_len, len;

    if (!colon || colon == line || *line == ' ' || *line == '\t')
        return 400;
    name_len = (size_t)(colon - line);
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    len = (size_t)(end - value);
    if (value_is(line, name_len, "transfer-encoding"))
        return 400;
    if (value_is(line, name_len, "content-length") && !value_is(value, len, "0"))
        return 400;
    if (value_is(line, name_len, "connection"))
        r->keep_alive =
            value_is(value, len, "keep-alive") || (r->keep_alive && !value_is(value, len, "close"));
    return 0;
}

static int read_head(const char *p, const char *end, struct meta_request *r)
{
    int status = 0, refused;

    for (bool first = true; p < end && status != 400; first = false) {
        const char *line = p, *newline = memchr(p, '\n', (size_t)(end - p)), *stop = newline;

        if (stop > line && stop[-1] == '\r')
            stop--;
        p = newline + 1;
        if (stop == line)
            break; /* the empty line */
        refused = first ? read_line(line, stop, r) : read_header(line, stop, r);
        if (refused == 400 || !status)
            status = refused;
    }
    return status;
}

/* A refusal that leaves no doubt where the next request begins need not end the connection. */
static bool can_go_on(int status)
{
    return status == 0 || status == 405;
}

ssize_t meta_request_parse(const char *data, size_t len, struct meta_request *ret)
{
    size_t skip = 0, head;

    while (skip < len && skip < META_HEAD_MAX && (data[skip] == '\r' || data[skip] == '\n'))
        skip++; /* robust clients send empty lines between requests */
    head = head_length(data + skip, len - skip);
    memset(ret, 0, sizeof(*ret));
    if (!head && len < META_HEAD_MAX)
        return 0;
    ret->status = !head || skip + head > META_HEAD_MAX
                      ? 431
                      : read_head(data + skip, data + skip + head, ret);
    if (!can_go_on(ret->status)) {
        ret->keep_alive = false;
        return -1;
    }
    return (ssize_t)(skip + head);
}

static const char *reason(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].status == status)
            return statuses[i].reason;
    return "Error";
}

void meta_answer(const struct meta *m, const struct meta_request *r, struct buf *out)
{
    struct buf body CLEANUP(buf_done) = {0};
    int status = r->status ? r->status : meta_lookup(m, r->path, &body);

    if (status != 200)
        buf_fmt(&body, "%d - %s\n", status, reason(status));
    buf_fmt(out,
            "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n%s"
            "Connection: %s\r\n\r\n",
            status, reason(status), body.len, status == 405 ? "Allow: GET, HEAD\r\n" : "",
            r->keep_alive ? "keep-alive" : "close");
    if (!r->head_only)
        buf_add(out, body.data, body.len);
}
