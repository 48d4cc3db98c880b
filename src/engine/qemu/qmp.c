/* The monitor's client: lines in, lines out, answers found by their number. */
#include "engine/qemu/qmp.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/util.h"
#include "net/loop.h"

enum { READ_STEP = 16 << 10, READS_A_ROUND = 16 };

enum phase { GREETING, NEGOTIATING, READY, CLOSED };

struct pending {
    json_int_t id;
    void (*reply)(void *arg, const json_t *result, const char *error);
    void *arg;
};

struct qmp {
    struct qmp_handler handler;
    int fd;
    struct loop_fd *watch;
    enum phase phase;
    struct buf in, out;
    struct pending pending[QMP_MAX_PENDING];
    size_t n_pending;
    json_int_t last_id;
    int busy;   /* callbacks of ours that are running */
    bool freed; /* by one of them */
    int give;   /* goes with the next byte; -1: none */
};

static void release(struct qmp *q)
{
    loop_fd_free(q->watch);
    if (q->fd >= 0)
        (void)close(q->fd);
    buf_done(&q->in);
    buf_done(&q->out);
    free(q);
}

static void leave(struct qmp *q)
{
    if (--q->busy == 0 && q->freed)
        release(q);
}

static void fail_connection(struct qmp *q, const char *why)
{
    if (q->phase == CLOSED || q->freed)
        return;
    q->phase = CLOSED;
    q->n_pending = 0;
    loop_fd_free(q->watch);
    q->watch = NULL;
    (void)close(fd_take(&q->fd)); /* the other side may be gone already */
    q->handler.closed(q->handler.arg, why);
}

/* ---- out ---- */

/* With `fd` (-1: none) beside the first byte. */
static ssize_t send_some(struct qmp *q, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec text = {.iov_base = q->out.data, .iov_len = q->out.len};
    struct msghdr m = {.msg_iov = &text, .msg_iovlen = 1};

    if (fd >= 0) {
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        m.msg_control = &control;
        m.msg_controllen = sizeof(control.space);
    }
    return sendmsg(q->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void flush(struct qmp *q)
{
    while (q->out.len) {
        ssize_t n = send_some(q, q->give);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break; /* full: later; broken: the read side hears of it and says so */
        q->give = -1;
        buf_drop(&q->out, (size_t)n);
    }
    loop_fd_want(q->watch, LOOP_READ | LOOP_HUP | (q->out.len ? LOOP_WRITE : 0));
}

static int send_command(struct qmp *q, const char *command, json_t *args,
                        void (*reply)(void *arg, const json_t *result, const char *error),
                        void *arg)
{
    if (q->n_pending == QMP_MAX_PENDING) {
        json_decref(args);
        return -EBUSY;
    }
    json_t *j = json_pack("{s:s, s:I}", "execute", command, "id", ++q->last_id);
    if (args)
        (void)json_object_set_new(j, "arguments", args); /* fails without memory only */
    char *text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    if (!text)
        return -ENOMEM;
    buf_str(&q->out, text);
    buf_char(&q->out, '\n');
    free(text);
    q->pending[q->n_pending++] = (struct pending){.id = q->last_id, .reply = reply, .arg = arg};
    flush(q);
    return 0;
}

int qmp_give(struct qmp *q, const char *command, json_t *args, int fd,
             void (*reply)(void *arg, const json_t *result, const char *error), void *arg)
{
    if (!q || q->out.len) {
        json_decref(args);
        return q ? -EBUSY : -ENOTCONN;
    }
    q->give = fd;
    int r = qmp_call(q, command, args, reply, arg);
    q->give = -1; /* what did not go now does not go later: QEMU will miss it and say so */
    return r;
}

int qmp_call(struct qmp *q, const char *command, json_t *args,
             void (*reply)(void *arg, const json_t *result, const char *error), void *arg)
{
    if (q && q->phase != CLOSED)
        return send_command(q, command, args, reply, arg);
    json_decref(args);
    return -ENOTCONN;
}

/* ---- in ---- */

static void negotiated(void *arg, const json_t *result, const char *error)
{
    struct qmp *q = arg;

    if (!result) {
        fail_connection(q, error);
        return;
    }
    q->phase = READY;
    q->handler.ready(q->handler.arg);
}

static void on_reply(struct qmp *q, json_int_t id, const json_t *result, const char *error)
{
    for (size_t i = 0; i < q->n_pending; i++) {
        struct pending p = q->pending[i];

        if (p.id != id)
            continue;
        q->n_pending--;
        memmove(&q->pending[i], &q->pending[i + 1], (q->n_pending - i) * sizeof(p));
        if (p.reply)
            p.reply(p.arg, result, error);
        return;
    }
}

static void on_greeting(struct qmp *q, const json_t *j)
{
    if (!json_is_object(json_object_get(j, "QMP"))) {
        fail_connection(q, "the monitor's first line is not its greeting");
        return;
    }
    q->phase = NEGOTIATING;
}

static void on_message(struct qmp *q, const json_t *j)
{
    const char *event = json_string_value(json_object_get(j, "event"));
    const json_t *result = json_object_get(j, "return");
    const json_t *error = json_object_get(j, "error");
    json_int_t id = json_integer_value(json_object_get(j, "id"));

    if (event && q->phase == READY) {
        const json_t *data = json_object_get(j, "data");
        q->handler.event(q->handler.arg, event, json_is_object(data) ? data : NULL);
    } else if (result) {
        on_reply(q, id, result, NULL);
    } else if (error) {
        const char *desc = json_string_value(json_object_get(error, "desc"));
        on_reply(q, id, NULL, desc ? desc : "unknown monitor error");
    } else if (!event) {
        fail_connection(q, "the monitor said something that is not its protocol");
    }
}

static void on_line(struct qmp *q, const char *line, size_t len)
{
    if (len && line[len - 1] == '\r')
        len--;
    if (!len)
        return;
    json_t *j = json_loadb(line, len, 0, NULL);
    if (!json_is_object(j))
        fail_connection(q, "the monitor said something that is not JSON");
    else if (q->phase == GREETING)
        on_greeting(q, j);
    else
        on_message(q, j);
    json_decref(j);
}

/* Every whole line; a callback may end the connection or the client between two of them. */
static void on_bytes(struct qmp *q)
{
    size_t at = 0;

    while (!q->freed && q->phase != CLOSED && at < q->in.len) {
        const char *line = q->in.data + at;
        const char *end = memchr(line, '\n', q->in.len - at);

        if (!end)
            break;
        at += (size_t)(end - line) + 1;
        on_line(q, line, (size_t)(end - line));
    }
    buf_drop(&q->in, at);
    if (q->in.len > QMP_MAX_LINE)
        fail_connection(q, "the monitor's line is too long");
}

static void on_readable(struct qmp *q)
{
    for (int i = 0; i < READS_A_ROUND && !q->freed && q->phase != CLOSED; i++) {
        char *to = buf_reserve(&q->in, READ_STEP);
        ssize_t n = recv(q->fd, to, READ_STEP, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            fail_connection(q, n ? "the monitor's connection broke" : "the monitor hung up");
            return;
        }
        q->in.len += (size_t)n;
        on_bytes(q);
    }
}

static void on_fd(void *arg, unsigned events)
{
    struct qmp *q = arg;

    q->busy++;
    if (events & LOOP_WRITE)
        flush(q);
    if (events & (LOOP_READ | LOOP_HUP))
        on_readable(q);
    leave(q);
}

struct qmp *qmp_new(struct loop *loop, int fd, const struct qmp_handler *handler)
{
    struct qmp *q = xcalloc(1, sizeof(*q));

    q->handler = *handler;
    q->fd = fd;
    q->give = -1;
    q->watch = loop_fd_new(loop, fd, on_fd, q);
    if (!q->watch)
        abort(); /* a connected socket can be watched */
    (void)send_command(q, "qmp_capabilities", NULL, negotiated, q); /* the first one has room */
    return q;
}

void qmp_set_handler(struct qmp *q, const struct qmp_handler *handler)
{
    q->handler = *handler;
}

void qmp_free(struct qmp *q)
{
    if (!q)
        return;
    if (q->busy)
        q->freed = true;
    else
        release(q);
}
