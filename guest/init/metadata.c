/* See metadata.h. Requests are HTTP/1.0 with keep-alive: one connection for all items where the
   service allows it, and never a chunked answer. */
#include "metadata.h"

#include "http.h"
#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HTTP_PORT = 80,
    CONNECT_MS = 1500, /* long enough for one lost SYN */
    ANSWER_MS = 3000,
};

static const char *const addresses[] = {"100.100.100.200", "169.254.169.254"};

static int64_t within(const struct metadata *m, int ms)
{
    int64_t deadline = now_ms() + ms;

    return deadline < m->deadline ? deadline : m->deadline;
}

/* 0 when the socket is ready for `events`, -ETIMEDOUT after the deadline. */
static int wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd ready = {.fd = fd, .events = events};

    return poll(&ready, 1, ms_left(deadline)) > 0 ? 0 : -ETIMEDOUT;
}

static int finish_connect(int fd, int64_t deadline)
{
    int error = wait_for(fd, POLLOUT, deadline);
    socklen_t size = sizeof(error);

    if (error)
        return error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

static int open_connection(struct metadata *m)
{
    struct sockaddr_in there = {
        .sin_family = AF_INET, .sin_port = htons(HTTP_PORT), .sin_addr = m->address};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&there, sizeof(there)) < 0)
        error = errno == EINPROGRESS ? finish_connect(fd, within(m, CONNECT_MS)) : -errno;
    if (error) {
        close(fd);
        return error;
    }
    m->fd = fd;
    return 0;
}

void metadata_done(struct metadata *m)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}

int metadata_init(struct metadata *m, int64_t deadline)
{
    int error = -EHOSTUNREACH;

    m->fd = -1;
    m->deadline = deadline;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        inet_pton(AF_INET, addresses[i], &m->address);
        if ((error = open_connection(m)) == 0)
            return 0;
    }
    return error;
}

static int send_request(struct metadata *m, const char *path)
{
    char request[512], host[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &m->address, host, sizeof(host));
    int length =
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: keep-alive\r\n\r\n", path, host);
    if (length < 0 || length >= (int)sizeof(request))
        return -ENAMETOOLONG;
    /* A fresh socket buffer takes these few bytes whole or the connection is dead. */
    return send(m->fd, request, (size_t)length, MSG_NOSIGNAL) == length ? 0 : -EPIPE;
}

static int read_reply(struct metadata *m, struct http_reply *ret_reply)
{
    int64_t deadline = within(m, ANSWER_MS);
    size_t used = 0;
    int state = 0;

    while (state == 0) {
        if (used == sizeof(m->answer))
            return -EFBIG;
        if (wait_for(m->fd, POLLIN, deadline) < 0)
            return -ETIMEDOUT;
        ssize_t got = recv(m->fd, m->answer + used, sizeof(m->answer) - used, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got < 0 || (got == 0 && used == 0))
            return -EPIPE;
        used += (size_t)got;
        state = http_parse(m->answer, used, got == 0, ret_reply);
    }
    return state < 0 ? state : 0;
}

static int ask(struct metadata *m, const char *path, struct http_reply *ret_reply)
{
    int error = m->fd >= 0 ? 0 : open_connection(m);

    if (error == 0 && (error = send_request(m, path)) == 0)
        error = read_reply(m, ret_reply);
    if (error || !ret_reply->keep)
        metadata_done(m);
    return error;
}

int metadata_get(struct metadata *m, const char *path, const char **ret_body, size_t *ret_length)
{
    struct http_reply reply;
    bool reused = m->fd >= 0;
    int error = ask(m, path, &reply);

    /* The service may have closed a kept connection just as we asked: once more on a new one. */
    if (error == -EPIPE && reused)
        error = ask(m, path, &reply);
    if (error)
        return error;
    if (reply.status == 404)
        return -ENOENT;
    if (reply.status != 200)
        return -EPROTO;
    *ret_body = reply.body;
    *ret_length = reply.length;
    return 0;
}
