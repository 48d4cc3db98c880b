/* The blocking HTTP client: non-blocking sockets and poll(2), so that one deadline holds for
 * everything. */
#include "net/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <llhttp.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "base/buf.h"
#include "base/util.h"
#include "net/unix_path.h"

enum { DEFAULT_TIMEOUT_MS = 30 * 1000, DEFAULT_MAX_BODY = 64 * 1024 * 1024, MAX_HEADERS = 200 };

struct url {
    bool tls;
    char *unix_path; /* or */
    char *host, *port;
    char *authority; /* for the Host header */
    char *target;
};

/* A connection and the time it may take. */
struct wire {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl; /* NULL: plain */
    uint64_t deadline;
};

/* The answer as it comes in. */
struct receiver {
    llhttp_t parser;
    struct buf field, value, body;
    bool in_field, done, too_large, is_head;
    size_t max_body;
    struct http_answer *answer;
};

static int failed(struct http_answer *a, int r, const char *fmt, ...) PRINTF(3, 4);

static int failed(struct http_answer *a, int r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(a->error, sizeof(a->error), fmt, ap); /* cut off is still good to read */
    va_end(ap);
    return r;
}

static uint64_t now_ms(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC,
                        &ts); /* a timeout is of the real world, never of the product's clock */
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* --- the url --- */

static void url_done(struct url *u)
{
    free(u->unix_path);
    free(u->host);
    free(u->port);
    free(u->authority);
    free(u->target);
}

static char *copy(const char *s, size_t n)
{
    char *c = xmalloc(n + 1);

    memcpy(c, s, n);
    c[n] = 0;
    return c;
}

/* "host", "host:port", "[::1]:port" */
static int split_authority(struct url *u)
{
    const char *a = u->authority, *end = *a == '[' ? strchr(a, ']') : a + strcspn(a, ":");

    if (!end)
        return -EINVAL;
    u->host = *a == '[' ? copy(a + 1, (size_t)(end - a - 1)) : copy(a, (size_t)(end - a));
    end += *a == '[';
    if (*end == ':' && end[1])
        u->port = xstrdup(end + 1);
    else if (!*end)
        u->port = xstrdup(u->tls ? "443" : "80");
    return u->port && *u->host ? 0 : -EINVAL;
}

static bool sendable(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 0x7f)
            return false;
    return true;
}

static int url_init(struct url *u, const struct http_call *call)
{
    const char *rest;

    *u = (struct url){0};
    if (str_starts(call->url, "unix:")) {
        u->unix_path = xstrdup(call->url + 5);
        u->authority = xstrdup("localhost");
        u->target = xstrdup(call->target ? call->target : "/");
        return *u->unix_path && sendable(u->target) ? 0 : -EINVAL;
    }
    u->tls = str_starts(call->url, "https://");
    if (!u->tls && !str_starts(call->url, "http://"))
        return -EINVAL;
    rest = call->url + (u->tls ? 8 : 7);
    size_t n = strcspn(rest, "/?#");
    u->authority = copy(rest, n);
    rest += n;
    if (call->target)
        u->target = xstrdup(call->target);
    else
        u->target = xasprintf("%s%.*s", *rest == '/' ? "" : "/", (int)strcspn(rest, "#"), rest);
    return sendable(u->authority) && sendable(u->target) ? split_authority(u) : -EINVAL;
}

/* --- the connection --- */

static void wire_done(struct wire *w)
{
    SSL_free(w->ssl);
    SSL_CTX_free(w->ctx);
    close_p(&w->fd);
}

static int wait_for(const struct wire *w, short events)
{
    struct pollfd p = {.fd = w->fd, .events = events};
    uint64_t now = now_ms();

    if (now >= w->deadline)
        return -ETIMEDOUT;
    uint64_t left = w->deadline - now;
    int n = poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    return n ? 0 : -ETIMEDOUT;
}

static int connect_to(struct wire *w, const struct sockaddr *address, socklen_t len)
{
    int error = 0;
    socklen_t size = sizeof(error);

    w->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->fd < 0)
        return -errno;
    if (!connect(w->fd, address, len))
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int r = wait_for(w, POLLOUT);
    if (r < 0)
        return r;
    if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int connect_unix(struct wire *w, const char *path)
{
    struct sockaddr_un address;
    int dirfd, r = unix_path(path, &address, &dirfd);

    if (r < 0)
        return r;
    r = connect_to(w, (struct sockaddr *)&address, sizeof(address));
    (void)close(dirfd); /* only a way to the socket */
    return r;
}

static int connect_host(struct wire *w, const char *host, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    int r = -ENXIO;

    if (getaddrinfo(host, port, &hints, &found))
        return -ENXIO;
    for (struct addrinfo *a = found; a; a = a->ai_next) {
        close_p(&w->fd);
        r = connect_to(w, a->ai_addr, a->ai_addrlen);
        if (!r || r == -ETIMEDOUT)
            break;
    }
    freeaddrinfo(found);
    return r;
}

/* What a TLS call wants before it can go on: 0 after waiting for it, or why it cannot. */
static int wait_tls(struct wire *w, int result)
{
    switch (SSL_get_error(w->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(w, POLLIN);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(w, POLLOUT);
    case SSL_ERROR_SYSCALL:
        return errno ? -errno : -ECONNRESET;
    default:
        return -EPROTO;
    }
}

static int trust(struct wire *w, const char *ca_file)
{
    w->ctx = SSL_CTX_new(TLS_client_method());
    if (!w->ctx)
        return -ENOMEM;
    (void)SSL_CTX_set_min_proto_version(w->ctx, TLS1_2_VERSION); /* known, cannot fail */
    (void)SSL_CTX_set_options(w->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_verify(w->ctx, SSL_VERIFY_PEER, NULL);
    if (ca_file)
        return SSL_CTX_load_verify_locations(w->ctx, ca_file, NULL) == 1 ? 0 : -ENOENT;
    return SSL_CTX_set_default_verify_paths(w->ctx) == 1 ? 0 : -ENOENT;
}

/* The certificate must be for the name or address that was asked for. */
static int expect_name(SSL *ssl, const char *host)
{
    unsigned char bytes[16];

    if (inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1 ? 0 : -EINVAL;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1 ? 0 : -EINVAL;
}

static int handshake(struct wire *w, const char *host)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    int r, result;

    w->ssl = SSL_new(w->ctx);
    if (!w->ssl || SSL_set_fd(w->ssl, w->fd) != 1 ||
        SSL_set_alpn_protos(w->ssl, protocols, sizeof(protocols) - 1))
        return -ENOMEM;
    r = expect_name(w->ssl, host);
    while (!r && (ERR_clear_error(), errno = 0, result = SSL_connect(w->ssl)) != 1)
        r = wait_tls(w, result);
    return r;
}

static int start_tls(struct wire *w, const struct url *u, const char *ca_file,
                     struct http_answer *a)
{
    int r = trust(w, ca_file);

    if (r < 0)
        return failed(a, r, "cannot read the authorities%s%s", ca_file ? " in " : "",
                      ca_file ? ca_file : "");
    r = handshake(w, u->host);
    if (r == -EPROTO && SSL_get_verify_result(w->ssl) != X509_V_OK)
        return failed(a, -EKEYREJECTED, "the certificate of %s is not trusted: %s", u->authority,
                      X509_verify_cert_error_string(SSL_get_verify_result(w->ssl)));
    if (r < 0)
        return failed(a, r, "no TLS with %s: %s", u->authority, strerror(-r));
    return 0;
}

static ssize_t wire_some(struct wire *w, char *data, size_t len, bool writing)
{
    ssize_t n;

    if (!w->ssl) {
        n = writing ? send(w->fd, data, len, MSG_NOSIGNAL) : recv(w->fd, data, len, 0);
        if (n >= 0)
            return n;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        int r = wait_for(w, writing ? POLLOUT : POLLIN);
        return r ? r : -EAGAIN;
    }
    size_t done;
    ERR_clear_error();
    errno = 0;
    int result =
        writing ? SSL_write_ex(w->ssl, data, len, &done) : SSL_read_ex(w->ssl, data, len, &done);
    if (result == 1)
        return (ssize_t)done;
    if (SSL_get_error(w->ssl, result) == SSL_ERROR_ZERO_RETURN)
        return 0;
    int r = wait_tls(w, result);
    return r ? r : -EAGAIN;
}

static int send_all(struct wire *w, const char *data, size_t len)
{
    while (len) {
        ssize_t n = wire_some(w, (char *)data, len, true);

        if (n == -EAGAIN)
            continue;
        if (n <= 0)
            return n ? (int)n : -ECONNRESET;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* --- the answer --- */

static int on_field(llhttp_t *p, const char *at, size_t len)
{
    struct receiver *r = p->data;

    for (size_t i = 0; i < len; i++)
        buf_char(&r->field, at[i] >= 'A' && at[i] <= 'Z' ? (char)(at[i] | 0x20) : at[i]);
    return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
    struct receiver *r = p->data;

    buf_add(&r->value, at, len);
    return 0;
}

static int on_value_complete(llhttp_t *p)
{
    struct receiver *r = p->data;
    struct http_answer *a = r->answer;

    if (a->n_headers == MAX_HEADERS)
        return -1;
    while (r->value.len && strchr(" \t", r->value.data[r->value.len - 1]))
        r->value.data[--r->value.len] = 0;
    a->headers = xrealloc(a->headers, (a->n_headers + 1) * sizeof(*a->headers));
    a->headers[a->n_headers++] =
        (struct http_header){.name = buf_take(&r->field), .value = buf_take(&r->value)};
    return 0;
}

static int on_head(llhttp_t *p)
{
    struct receiver *r = p->data;

    r->answer->status = p->status_code;
    return r->is_head;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct receiver *r = p->data;

    if (len > r->max_body - r->body.len) {
        r->too_large = true;
        return -1;
    }
    buf_add(&r->body, at, len);
    return 0;
}

static void drop_headers(struct http_answer *a)
{
    for (size_t i = 0; i < a->n_headers; i++) {
        free((char *)a->headers[i].name);
        free((char *)a->headers[i].value);
    }
    free(a->headers);
    a->headers = NULL;
    a->n_headers = 0;
}

static int on_complete(llhttp_t *p)
{
    struct receiver *r = p->data;

    if (p->status_code / 100 == 1) {
        drop_headers(r->answer); /* an interim one; the answer follows */
        return 0;
    }
    r->done = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

static int receive(struct wire *w, struct receiver *r)
{
    char chunk[16 * 1024];

    while (!r->done) {
        ssize_t n = wire_some(w, chunk, sizeof(chunk), false);

        if (n == -EAGAIN)
            continue;
        if (n < 0)
            return (int)n;
        if (!n) {
            (void)llhttp_finish(&r->parser); /* whether that was the end shows in `done` */
            return r->done ? 0 : -ECONNRESET;
        }
        llhttp_errno_t e = llhttp_execute(&r->parser, chunk, (size_t)n);
        if (e != HPE_OK && e != HPE_PAUSED)
            return r->too_large ? -EMSGSIZE : -EPROTO;
    }
    return 0;
}

/* --- the call --- */

static bool given(const struct http_call *call, const char *name)
{
    for (size_t i = 0; i < call->n_headers; i++)
        if (!strcasecmp(call->headers[i].name, name))
            return true;
    return false;
}

static const char *method_of(const struct http_call *call)
{
    return call->method ? call->method : call->len ? "POST" : "GET";
}

static int request_text(struct buf *b, const struct http_call *call, const struct url *u)
{
    const char *method = method_of(call);

    if (!*method || !sendable(method))
        return -EINVAL;
    buf_fmt(b, "%s %s HTTP/1.1\r\n", method, u->target);
    if (!given(call, "host"))
        buf_fmt(b, "Host: %s\r\n", u->authority);
    if (!given(call, "content-length") &&
        (call->len || streq(method, "POST") || streq(method, "PUT")))
        buf_fmt(b, "Content-Length: %zu\r\n", call->len);
    if (!given(call, "connection"))
        buf_str(b, "Connection: close\r\n");
    for (size_t i = 0; i < call->n_headers; i++) {
        const struct http_header *h = &call->headers[i];

        if (!*h->name || !sendable(h->name) || strchr(h->name, ':') || strpbrk(h->value, "\r\n"))
            return -EINVAL;
        buf_fmt(b, "%s: %s\r\n", h->name, h->value);
    }
    buf_str(b, "\r\n");
    buf_add(b, call->body, call->len);
    return 0;
}

static int open_wire(struct wire *w, const struct url *u, const struct http_call *call,
                     struct http_answer *a)
{
    int r = u->unix_path ? connect_unix(w, u->unix_path) : connect_host(w, u->host, u->port);

    if (r == -ENXIO && !u->unix_path)
        return failed(a, r, "no host is known as %s", u->host);
    if (r < 0)
        return failed(a, r, "no connection to %s: %s", u->unix_path ? u->unix_path : u->authority,
                      strerror(-r));
    return u->tls ? start_tls(w, u, call->ca_file, a) : 0;
}

static void receiver_done(struct receiver *r)
{
    buf_done(&r->field);
    buf_done(&r->value);
    buf_done(&r->body);
}

static int talk(struct wire *w, const struct http_call *call, const struct buf *request,
                struct http_answer *a)
{
    CLEANUP(receiver_done)
    struct receiver r = {.answer = a,
                         .max_body = call->max_body ? call->max_body : DEFAULT_MAX_BODY,
                         .is_head = streq(method_of(call), "HEAD")};

    llhttp_init(&r.parser, HTTP_RESPONSE, &settings);
    r.parser.data = &r;
    /* A server that has heard enough answers and closes while we still send: its answer counts, not
     * our error. */
    int sent = send_all(w, request->data, request->len);
    int got = sent == -ETIMEDOUT ? sent : receive(w, &r);
    if (got < 0) {
        got = got == -ECONNRESET && sent < 0 ? sent : got;
        return failed(a, got, "%s",
                      got == -EPROTO     ? "the answer is not HTTP"
                      : got == -EMSGSIZE ? "the answer is too large"
                                         : strerror(-got));
    }
    a->len = r.body.len;
    a->body = buf_take(&r.body);
    return 0;
}

int http_call_run(const struct http_call *call, struct http_answer *ret_answer)
{
    CLEANUP(url_done) struct url u;
    CLEANUP(buf_done) struct buf request = {0};
    CLEANUP(wire_done)
    struct wire w = {.fd = -1,
                     .deadline =
                         now_ms() + (call->timeout_ms ? call->timeout_ms : DEFAULT_TIMEOUT_MS)};

    *ret_answer = (struct http_answer){0};
    int r = url_init(&u, call);
    if (r < 0)
        return failed(ret_answer, r, "not a usable address: %s", call->url);
    r = request_text(&request, call, &u);
    if (r < 0)
        return failed(ret_answer, r, "a method or header that cannot be sent");
    if (u.tls)
        (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    r = open_wire(&w, &u, call, ret_answer);
    if (!r)
        r = talk(&w, call, &request, ret_answer);
    if (r < 0) {
        drop_headers(ret_answer);
        ret_answer->status = 0;
    }
    return r;
}

void http_answer_done(struct http_answer *answer)
{
    drop_headers(answer);
    free(answer->body);
    *answer = (struct http_answer){0};
}

const char *http_answer_header(const struct http_answer *answer, const char *lower_name)
{
    for (size_t i = 0; i < answer->n_headers; i++)
        if (streq(answer->headers[i].name, lower_name))
            return answer->headers[i].value;
    return NULL;
}
