/* The daemon's side of the control socket. */
#include "engine/switch/control.h"

#include "base/arena.h"
#include "base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static int append_line(struct buf *b, json_t *request)
{
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;
    int r = !text ? -EINVAL : len + 1 > SWITCH_LINE_MAX ? -E2BIG : 0;

    if (r == 0) {
        buf_add(b, text, len);
        buf_char(b, '\n');
    }
    free(text);
    json_decref(request);
    return r;
}

static void set_metadata(json_t *request, const struct switch_port *p)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();

    if (p->metadata)
        (void)json_object_set(request, "metadata", (json_t *)p->metadata);
    if (!p->user_data)
        return;
    (void)json_object_set_new(request, "user_data_b64",
                              json_string(base64_encode(a, p->user_data, p->user_data_len)));
}

int switch_req_add_port(struct buf *b, const struct switch_port *p)
{
    json_t *request = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b}", "cmd", "add-port", "id",
                                p->id, "dir", p->dir, "ip", p->ip, "mac", p->mac, "ssh_port",
                                p->ssh_port, "ssh_port_fallback", p->ssh_port_fallback);

    set_metadata(request, p);
    return append_line(b, request);
}

int switch_req_set_metadata(struct buf *b, const struct switch_port *p)
{
    json_t *request = json_pack("{s:s, s:s}", "cmd", "set-metadata", "id", p->id);

    set_metadata(request, p);
    return append_line(b, request);
}

int switch_req_remove_port(struct buf *b, const char *id)
{
    return append_line(b, json_pack("{s:s, s:s}", "cmd", "remove-port", "id", id));
}

int switch_req_ping(struct buf *b)
{
    return append_line(b, json_pack("{s:s}", "cmd", "ping"));
}

int switch_req_list(struct buf *b)
{
    return append_line(b, json_pack("{s:s}", "cmd", "list"));
}

int switch_req_quit(struct buf *b)
{
    return append_line(b, json_pack("{s:s}", "cmd", "quit"));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

int switch_answer_parse(const char *line, size_t len, json_t **ret, struct buf *ret_error)
{
    json_t *answer = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_is_true(json_object_get(answer, "ok"));
    bool refused = json_is_false(json_object_get(answer, "ok"));

    if (ok) {
        *ret = answer;
        return 0;
    }
    if (refused)
        buf_fmt(ret_error, "%s: %s", text_of(answer, "code"), text_of(answer, "error"));
    json_decref(answer);
    return refused ? -EREMOTEIO : -EPROTO;
}

static long long clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* 0 when the descriptor is ready before the deadline. */
static int wait_for(int fd, short events, long long deadline)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        long long left = deadline - clock_ms();
        int n = left < 0 ? 0 : poll(&p, 1, (int)left);

        if (n > 0)
            return 0;
        if (n == 0)
            return -ETIMEDOUT;
        if (errno != EINTR)
            return -errno;
    }
}

/* A local stream connects at once or, while the switch's backlog is full, says EAGAIN, of which
 * poll knows nothing. */
static int connect_by(int dirfd, long long deadline, int *ret)
{
    int fd CLEANUP(close_p) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    if (fd < 0)
        return -errno;
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s", dirfd, SWITCH_SOCKET);
    while (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
        if (clock_ms() >= deadline)
            return -ETIMEDOUT;
        (void)poll(NULL, 0, 5);
    }
    *ret = fd_take(&fd);
    return 0;
}

static int send_by(int fd, const char *data, size_t len, long long deadline)
{
    while (len) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return errno == EPIPE ? -ECONNRESET : -errno;
        if (n < 0) {
            int r = wait_for(fd, POLLOUT, deadline);

            if (r < 0)
                return r;
            continue;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int receive_line_by(int fd, long long deadline, struct buf *line)
{
    char *newline = NULL;

    while (!newline) {
        char *at = buf_reserve(line, 4096);
        ssize_t n = recv(fd, at, 4096, 0);

        if (n == 0)
            return -ECONNRESET;
        if (n < 0) {
            int r = errno == EAGAIN || errno == EINTR ? wait_for(fd, POLLIN, deadline) : -errno;

            if (r < 0)
                return r;
            continue;
        }
        line->len += (size_t)n;
        newline = memchr(at, '\n', (size_t)n);
        if (!newline && line->len >= SWITCH_LINE_MAX)
            return -EMSGSIZE;
    }
    line->len = (size_t)(newline - line->data);
    return 0;
}

int switch_call(int dirfd, const char *json_line, int timeout_ms, struct buf *ret)
{
    long long deadline = clock_ms() + timeout_ms;
    struct buf line CLEANUP(buf_done) = {0};
    int fd CLEANUP(close_p) = -1;
    int r = connect_by(dirfd, deadline, &fd);

    if (r == 0)
        r = send_by(fd, json_line, strlen(json_line), deadline);
    if (r == 0)
        r = receive_line_by(fd, deadline, &line);
    if (r == 0)
        buf_add(ret, line.data, line.len);
    return r;
}

static pid_t read_pid(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    long long pid;

    if (n <= 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return parse_i64(text, &pid) == 0 && pid > 0 ? (pid_t)pid : 0;
}

int switch_is_running(int dirfd, pid_t *ret_pid)
{
    int fd CLEANUP(close_p) = openat(dirfd, SWITCH_LOCK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return -errno;
    if (ret_pid)
        *ret_pid = read_pid(fd);
    return 1;
}
