/*
 * One HTTP request out of a stream of bytes. llhttp decides the grammar; two things are done beside
 * it. A scanner looks at the lines of the head first, since llhttp folds headers, skips spaces of
 * the request line and, in a build that is not strict, takes bare line feeds; it also finds where
 * the head ends, which makes the limit exact. And once the head is complete, what the header values
 * mean together is checked here.
 *
 * Texts are collected in one buffer as they arrive, in pieces of any size, and pointed to at the
 * end, when the buffer moves no more.
 */
#include "net/http_request.h"

#include <llhttp.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/util.h"

enum {
    KEEP_BYTES = 64 * 1024, /* more than this is not kept for the next request */
    KEEP_SPANS = 256,
};

/* What the line scanner knows of the line that it is in. */
enum {
    SCAN_INSIDE = 2,   /* at least one byte of this line was seen */
    SCAN_CR = 4,       /* the last byte was CR */
    SCAN_CR_FIRST = 8, /* the line's first byte was CR */
    SCAN_TEXT = 16,    /* a byte other than a first CR was seen */
    SCAN_HEADERS = 32, /* the request line is over */
};

static const llhttp_settings_t settings;
static const char wrong_version[] = "not HTTP/1.0 or HTTP/1.1";

struct request *request_new(const struct http_config *config)
{
    struct request *r = xcalloc(1, sizeof(*r));

    r->max_head = config->max_head;
    r->max_body = config->max_body;
    r->max_headers = config->max_headers;
    r->parser = xmalloc(sizeof(*r->parser));
    r->x.arena = arena_new();
    (void)buf_reserve(&r->head, 1023); /* most heads fit; the text begins at 0 */
    request_clear(r);
    return r;
}

void request_free(struct request *r)
{
    if (!r)
        return;
    arena_free(r->x.arena);
    buf_done(&r->head);
    buf_done(&r->body);
    free(r->parser);
    free(r->spans);
    free(r->headers);
    free(r);
}

static void shrink(struct buf *b)
{
    if (b->cap > KEEP_BYTES)
        buf_done(b);
    else
        buf_clear(b);
}

void request_clear(struct request *r)
{
    struct arena *arena = r->x.arena;

    arena_clear(arena);
    r->x = (struct http_exchange){.arena = arena, .query = "", .body = ""};
    r->conn = NULL;
    r->held = NULL;
    r->state = REQUEST_HEAD;
    r->status = 0;
    r->reason = NULL;
    r->keep_alive = r->wants_continue = r->is_head = false;
    r->head_fed = r->body_fed = 0;
    r->have_method = r->have_target = r->in_field = r->in_value = r->head_done = false;
    r->scan = 0;
    r->spaces = 0;
    r->n_spans = 0;
    if (r->cap_spans > KEEP_SPANS) {
        free(r->spans);
        free(r->headers);
        r->spans = NULL;
        r->headers = NULL;
        r->cap_spans = 0;
    }
    shrink(&r->head);
    shrink(&r->body);
    llhttp_init(r->parser, HTTP_REQUEST, &settings);
    r->parser->data = r;
}

void request_refuse(struct request *r, int status, const char *reason)
{
    if (r->state == REQUEST_REFUSED)
        return;
    r->state = REQUEST_REFUSED;
    r->status = status;
    r->reason = reason;
}

/* --- what llhttp tells us --- */

static int refuse(struct request *r, int status, const char *reason)
{
    request_refuse(r, status, reason);
    return -1;
}

static int on_method_complete(llhttp_t *p)
{
    struct request *r = p->data;

    r->have_method = true;
    return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t len)
{
    struct request *r = p->data;

    buf_add(&r->head, at, len);
    return 0;
}

static int on_url_complete(llhttp_t *p)
{
    struct request *r = p->data;

    buf_char(&r->head, 0);
    r->have_target = true;
    return 0;
}

/* The value that was being received is over. White space before it llhttp has skipped. */
static void end_value(struct request *r)
{
    struct buf *b = &r->head;

    if (!r->in_value)
        return;
    size_t from = r->spans[r->n_spans - 1].value;
    while (b->len > from && (b->data[b->len - 1] == ' ' || b->data[b->len - 1] == '\t'))
        b->len--;
    buf_char(b, 0);
    r->in_value = false;
}

static void grow_spans(struct request *r)
{
    r->cap_spans = r->cap_spans ? r->cap_spans * 2 : 32;
    r->spans = xrealloc(r->spans, r->cap_spans * sizeof(*r->spans));
    r->headers = xrealloc(r->headers, r->cap_spans * sizeof(*r->headers));
}

static void begin_field(struct request *r)
{
    if (r->n_spans == r->cap_spans)
        grow_spans(r);
    r->spans[r->n_spans].name = r->head.len;
    r->in_field = true;
}

static int on_header_field(llhttp_t *p, const char *at, size_t len)
{
    struct request *r = p->data;

    if (r->head_done)
        return 0; /* a trailer: nobody may smuggle a header past those that were checked */
    if (!r->in_field)
        begin_field(r);
    char *to = buf_reserve(&r->head, len);
    for (size_t i = 0; i < len; i++)
        to[i] = at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] | 0x20) : at[i];
    r->head.len += len;
    return 0;
}

static int on_header_field_complete(llhttp_t *p)
{
    struct request *r = p->data;

    if (r->head_done)
        return 0;
    if (!r->in_field || r->head.len == r->spans[r->n_spans].name)
        return refuse(r, 400, "header without a name");
    if (r->n_spans == r->max_headers)
        return refuse(r, 431, "too many headers");
    buf_char(&r->head, 0);
    r->spans[r->n_spans++].value = r->head.len;
    r->in_field = false;
    r->in_value = true;
    return 0;
}

static int on_header_value(llhttp_t *p, const char *at, size_t len)
{
    struct request *r = p->data;

    if (!r->head_done && r->in_value)
        buf_add(&r->head, at, len);
    return 0;
}

static int on_header_value_complete(llhttp_t *p)
{
    end_value(p->data);
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct request *r = p->data;

    if (len > r->max_body - r->body.len)
        return refuse(r, 413, "body too large");
    buf_add(&r->body, at, len);
    return 0;
}

static int on_message_complete(llhttp_t *p)
{
    struct request *r = p->data;

    r->state = REQUEST_DONE;
    return HPE_PAUSED; /* the next request waits for this one's answer */
}

/* --- the complete head --- */

/* The headers that decide about the message itself, and how often each came. */
struct framing {
    unsigned host, length, coding, expect;
    const char *host_value, *coding_value;
    bool odd_expect;
};

static void note_header(struct framing *f, const char *name, const char *value)
{
    switch (*name) {
    case 'h':
        if (streq(name, "host")) {
            f->host++;
            f->host_value = value;
        }
        break;
    case 'c':
        f->length += streq(name, "content-length");
        break;
    case 't':
        if (streq(name, "transfer-encoding")) {
            f->coding++;
            f->coding_value = value;
        }
        break;
    case 'e':
        if (streq(name, "expect")) {
            f->expect++;
            f->odd_expect |= strcasecmp(value, "100-continue") != 0;
        }
        break;
    default:
        break;
    }
}

/* Not the whole grammar of a host, but nothing that another reader could take for a second one or
 * for a path. */
static bool host_plausible(const char *value)
{
    return !value[strcspn(value, " \t,/\\@?#\"<>")];
}

/* "http://host" of an absolute target; returns where its path begins, or NULL when the target has
 * no known form. */
static const char *target_path(const char *target)
{
    if (*target == '/')
        return target;
    const char *host = !strncasecmp(target, "http://", 7)    ? target + 7
                       : !strncasecmp(target, "https://", 8) ? target + 8
                                                             : NULL;
    return host ? host + strcspn(host, "/?") : NULL;
}

static int check_target(struct request *r)
{
    const char *target = r->head.data;

    if (r->parser->method == HTTP_CONNECT)
        return refuse(r, 501, "CONNECT is not supported");
    if (strchr(target, '#'))
        return refuse(r, 400, "fragment in the request target");
    if (streq(target, "*") ? r->parser->method == HTTP_OPTIONS : target_path(target) != NULL)
        return 0;
    return refuse(r, 400, "malformed request target");
}

static int check_framing(struct request *r, const struct framing *f)
{
    bool http11 = r->parser->http_minor == 1;

    if (f->host > 1)
        return refuse(r, 400, "more than one Host");
    if (!f->host && http11)
        return refuse(r, 400, "no Host");
    if (f->host && !host_plausible(f->host_value))
        return refuse(r, 400, "malformed Host");
    if (f->length > 1)
        return refuse(r, 400, "more than one Content-Length");
    if (f->coding && f->length)
        return refuse(r, 400, "Content-Length and Transfer-Encoding");
    if (f->coding && !http11)
        return refuse(r, 400, "Transfer-Encoding in HTTP/1.0");
    if (f->coding > 1)
        return refuse(r, 400, "more than one Transfer-Encoding");
    if (f->coding && strcasecmp(f->coding_value, "chunked") != 0)
        return refuse(r, 501, "unknown transfer coding");
    if (f->odd_expect && http11)
        return refuse(r, 417, "unknown expectation");
    if (f->length && r->parser->content_length > r->max_body)
        return refuse(r, 413, "body too large");
    return 0;
}

static void collect_headers(struct request *r)
{
    for (size_t i = 0; i < r->n_spans; i++) {
        r->headers[i].name = r->head.data + r->spans[i].name;
        r->headers[i].value = r->head.data + r->spans[i].value;
    }
}

static int on_headers_complete(llhttp_t *p)
{
    struct request *r = p->data;
    struct framing f = {0};

    end_value(r);
    r->head_done = true;
    if (p->http_major != 1 || p->http_minor > 1)
        return refuse(r, 505, wrong_version);
    collect_headers(r);
    for (size_t i = 0; i < r->n_spans; i++)
        note_header(&f, r->headers[i].name, r->headers[i].value);
    if (check_target(r) || check_framing(r, &f))
        return -1;
    p->upgrade = 0; /* an offer to leave HTTP/1.1 may be ignored, and is */
    r->keep_alive = llhttp_should_keep_alive(p);
    r->is_head = p->method == HTTP_HEAD;
    r->state = REQUEST_BODY;
    bool body_follows = f.coding || p->content_length;
    if (body_follows && f.length)
        (void)buf_reserve(&r->body, p->content_length < KEEP_BYTES / 2 ? (size_t)p->content_length
                                                                       : KEEP_BYTES / 2);
    r->wants_continue = f.expect && p->http_minor == 1 && body_follows;
    return r->wants_continue ? HPE_PAUSED : 0;
}

static const llhttp_settings_t settings = {
    .on_method_complete = on_method_complete,
    .on_url = on_url,
    .on_url_complete = on_url_complete,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* --- the lines of the head --- */

static void count_spaces(struct request *r, const char *p, const char *end)
{
    while (r->spaces < 3 && (p = memchr(p, ' ', (size_t)(end - p)))) {
        r->spaces++;
        p++;
    }
}

/* Part of a line without its LF. */
static const char *scan_text(struct request *r, const char *p, const char *end)
{
    if (p == end)
        return NULL;
    if (!(r->scan & SCAN_INSIDE)) {
        if (*p == ' ' || *p == '\t')
            return r->scan & SCAN_HEADERS ? "folded header" : "malformed request line";
        r->scan |= SCAN_INSIDE | (*p == '\r' ? SCAN_CR_FIRST : SCAN_TEXT);
        if (end - p > 1)
            r->scan |= SCAN_TEXT;
    } else {
        r->scan |= SCAN_TEXT;
    }
    if ((r->scan & (SCAN_CR_FIRST | SCAN_TEXT)) == (SCAN_CR_FIRST | SCAN_TEXT))
        return "carriage return without line feed";
    if (!(r->scan & SCAN_HEADERS))
        count_spaces(r, p, end);
    r->scan = end[-1] == '\r' ? r->scan | SCAN_CR : r->scan & ~SCAN_CR;
    return NULL;
}

static const char *scan_line_end(struct request *r, bool *ret_complete)
{
    bool empty = !(r->scan & SCAN_TEXT);

    if (!(r->scan & SCAN_CR))
        return "line feed without carriage return";
    if (empty && (r->scan & SCAN_HEADERS)) {
        *ret_complete = true;
        return NULL;
    }
    if (!empty && !(r->scan & SCAN_HEADERS) && r->spaces != 2)
        return "malformed request line";
    /* Empty lines before a request are skipped, as old clients send one after a body. */
    r->scan = empty ? 0 : SCAN_HEADERS;
    return NULL;
}

/*
 * Goes over the lines in `data`. Returns how many bytes of it belong to the head and are in order;
 * what is wrong with the next one, if something is, in `ret_wrong`.
 */
static size_t scan_head(struct request *r, const char *data, size_t len, const char **ret_wrong,
                        bool *ret_complete)
{
    const char *p = data, *end = data + len;

    while (p < end && !*ret_complete) {
        const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;

        if (!(r->scan & SCAN_INSIDE) && *p == '\r' && stop > p + 1) {
            stop = p + 1; /* a piece of its own, as it would be if it came alone */
            lf = NULL;
        }
        *ret_wrong = scan_text(r, p, stop);
        if (*ret_wrong)
            break;
        p = stop;
        if (!lf)
            continue;
        *ret_wrong = scan_line_end(r, ret_complete);
        if (*ret_wrong)
            break;
        p++;
    }
    return (size_t)(p - data);
}

/* --- feeding --- */

static bool is_token_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void refuse_malformed(struct request *r, llhttp_errno_t e)
{
    const char *at = llhttp_get_error_pos(r->parser);

    switch (e) {
    case HPE_INVALID_METHOD:
        /* llhttp knows methods by heart: one that only it does not know is not malformed. */
        if (at && (is_token_char(*at) || *at == ' '))
            request_refuse(r, 501, "unknown method");
        else
            request_refuse(r, 400, "malformed method");
        break;
    case HPE_INVALID_VERSION:
        /* Also said of what follows a good version. */
        if (r->parser->http_major == 1 && r->parser->http_minor <= 1)
            request_refuse(r, 400, "malformed request line");
        else
            request_refuse(r, 505, wrong_version);
        break;
    default:
        request_refuse(r, 400, llhttp_get_error_reason(r->parser));
        break;
    }
}

/* Lets llhttp have `len` bytes; returns how many it used. */
static size_t execute(struct request *r, const char *data, size_t len)
{
    llhttp_errno_t e = llhttp_execute(r->parser, data, len);

    if (e == HPE_OK)
        return len;
    if (e == HPE_PAUSED) {
        llhttp_resume(r->parser);
        return (size_t)(llhttp_get_error_pos(r->parser) - data);
    }
    refuse_malformed(r, e);
    return len;
}

static size_t feed_head(struct request *r, const char *data, size_t len)
{
    size_t room = r->max_head - r->head_fed;
    const char *wrong = NULL;
    bool complete = false;
    size_t n = scan_head(r, data, len < room ? len : room, &wrong, &complete);

    r->head_fed += n;
    if (n)
        (void)execute(r, data, n); /* stops nowhere but at the head's end, which is ours */
    if (wrong)
        request_refuse(r, 400, wrong);
    if (complete && r->state == REQUEST_HEAD && r->parser->http_major == 2)
        request_refuse(r, 505, wrong_version); /* llhttp waits for the rest of HTTP/2's greeting */
    if (complete && r->state == REQUEST_HEAD)
        request_refuse(r, 400, "malformed head");
    if (r->state == REQUEST_HEAD && r->head_fed >= r->max_head)
        request_refuse(r, r->have_target ? 431 : 414,
                       r->have_target ? "headers too large" : "request line too long");
    return n;
}

/*
 * Sizes, extensions and trailers of chunks cost no room, but reading them costs time; a client that
 * sends more of them than the smallest honest chunks need is not worth it.
 */
static bool too_much_framing(const struct request *r)
{
    return r->body_fed > r->max_head && (r->body_fed - r->max_head) / 8 > r->body.len;
}

static size_t feed_body(struct request *r, const char *data, size_t len)
{
    size_t n = execute(r, data, len);

    r->body_fed += n;
    if (r->state == REQUEST_BODY && too_much_framing(r))
        request_refuse(r, 413, "too much chunk framing");
    return n;
}

size_t request_feed(struct request *r, const char *data, size_t len)
{
    size_t used = 0;

    while (used < len && r->state == REQUEST_HEAD) {
        used += feed_head(r, data + used, len - used);
        if (r->state == REQUEST_BODY && r->wants_continue)
            return used;
    }
    if (used < len && r->state == REQUEST_BODY)
        used += feed_body(r, data + used, len - used);
    return used;
}

/* --- showing it --- */

static void publish_target(struct request *r)
{
    struct http_exchange *x = &r->x;
    const char *target = r->head.data, *path = target_path(target);

    if (!path)
        path = target; /* "*", or a form that was refused */
    size_t n = strcspn(path, "?");
    x->target = target;
    x->query = path[n] ? path + n + 1 : "";
    x->path = n ? arena_strn(x->arena, path, n) : arena_str(x->arena, "/");
}

void request_publish(struct request *r)
{
    struct http_exchange *x = &r->x;

    if (r->in_value && r->state == REQUEST_REFUSED && r->n_spans)
        r->n_spans--; /* cut off in the middle */
    x->minor = r->parser->http_minor == 1;
    if (r->have_method)
        x->method = llhttp_method_name((llhttp_method_t)r->parser->method);
    if (r->have_target)
        publish_target(r);
    collect_headers(r);
    x->headers = r->headers;
    x->n_headers = r->n_spans;
    if (r->state == REQUEST_DONE && r->body.len) {
        x->body = r->body.data;
        x->body_len = r->body.len;
    }
}

const char *http_header(const struct http_exchange *x, const char *lower_name)
{
    for (size_t i = 0; i < x->n_headers; i++)
        if (streq(x->headers[i].name, lower_name))
            return x->headers[i].value;
    return NULL;
}
