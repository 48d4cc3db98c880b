/* The switch's side of the control socket. Who can reach the socket (its owner) is trusted; what
 * arrives is not. */
#include "engine/switch/control.h"

#include <ctype.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "engine/switch/sw.h"

struct client {
    int fd, poll;
    bool closing; /* what it sent cannot be followed any more */
    struct buf in, out;
};

typedef json_t *command_fn(struct sw *sw, const json_t *request);

static json_t *refuse(const char *code, const char *text)
{
    return json_pack("{s:b, s:s, s:s}", "ok", 0, "code", code, "error", text);
}

static const char *text_of(const json_t *request, const char *name)
{
    return json_string_value(json_object_get(request, name));
}

/* --- the commands --- */

static json_t *run_ping(struct sw *sw, const json_t *request)
{
    char ip[16];
    struct buf cidr CLEANUP(buf_done) = {0};

    (void)request;
    frame_ip_text(sw->net.addr, ip);
    buf_fmt(&cidr, "%s/%d", ip, __builtin_popcount(sw->net.mask));
    return json_pack("{s:b, s:s, s:i, s:i, s:s, s:b, s:i}", "ok", 1, "name", sw->name, "pid",
                     (int)getpid(), "version", SWITCH_CONTROL_VERSION, "cidr", buf_cstr(&cidr),
                     "isolated", sw->net.isolated, "ports", (int)sw->n_ports);
}

static json_t *run_list(struct sw *sw, const json_t *request)
{
    json_t *ports = json_array();

    (void)request;
    for (unsigned i = 0; i < sw->n_slots; i++)
        if (sw->ports[i])
            (void)json_array_append_new(ports, port_describe(sw->ports[i]));
    return json_pack("{s:b, s:o}", "ok", 1, "ports", ports);
}

static json_t *run_quit(struct sw *sw, const json_t *request)
{
    (void)request;
    sw->quit = true;
    return json_pack("{s:b}", "ok", 1);
}

static bool id_fits(const char *id)
{
    size_t len = strlen(id);

    for (const char *c = id; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            return false;
    return len && len <= SW_ID_MAX;
}

/* NULL, or what is wrong with the request. */
static const char *read_port(const json_t *request, struct port_settings *s)
{
    const char *ip = text_of(request, "ip"), *mac = text_of(request, "mac");
    const json_t *ssh_port = json_object_get(request, "ssh_port");
    json_int_t ssh = json_integer_value(ssh_port);

    s->id = text_of(request, "id");
    s->dir = text_of(request, "dir");
    if (!s->id || !id_fits(s->id))
        return "id: 1 to 64 of A-Z a-z 0-9 - _ . are wanted";
    if (!s->dir || s->dir[0] != '/')
        return "dir: an absolute path is wanted";
    if (!ip || frame_ip_parse(ip, &s->nic.ip) < 0)
        return "ip: an IPv4 address is wanted";
    if (!mac || frame_mac_parse(mac, s->nic.mac) < 0)
        return "mac: a unicast MAC outside 52:55 is wanted";
    if ((ssh_port && !json_is_integer(ssh_port)) || ssh < 0 || ssh > 65535)
        return "ssh_port: 0 to 65535 is wanted";
    s->ssh_port = (int)ssh;
    s->ssh_fallback = json_is_true(json_object_get(request, "ssh_port_fallback"));
    return NULL;
}

static const char *read_meta(const json_t *request, struct meta **ret)
{
    const json_t *tree = json_object_get(request, "metadata"),
                 *data = json_object_get(request, "user_data_b64");
    const char *why;

    if (data && !json_is_string(data) && !json_is_null(data))
        return "user_data_b64: a string is wanted";
    return meta_new(json_is_null(tree) ? NULL : tree, json_string_value(data), ret, &why) < 0
               ? why
               : NULL;
}

static json_t *run_add_port(struct sw *sw, const json_t *request)
{
    struct port_settings s = {0};
    struct port_failure fail;
    struct port *p;
    const char *why = read_port(request, &s);

    if (!why)
        why = read_meta(request, &s.meta);
    if (why)
        return refuse(SWITCH_ERR_BAD_REQUEST, why);
    if (port_add(sw, &s, &p, &fail) < 0)
        return refuse(fail.code, fail.text);
    return json_pack("{s:b, s:i}", "ok", 1, "ssh_port", port_ssh(p));
}

static struct port *port_of(struct sw *sw, const json_t *request)
{
    const char *id = text_of(request, "id");

    return id ? port_find(sw, id) : NULL;
}

static json_t *run_set_metadata(struct sw *sw, const json_t *request)
{
    struct port *p = port_of(sw, request);
    struct meta *meta;
    const char *why;

    if (!p)
        return refuse(SWITCH_ERR_NOT_FOUND, "there is no such port");
    why = read_meta(request, &meta);
    if (why)
        return refuse(SWITCH_ERR_BAD_REQUEST, why);
    port_set_meta(p, meta);
    return json_pack("{s:b}", "ok", 1);
}

static json_t *run_remove_port(struct sw *sw, const json_t *request)
{
    struct port *p = port_of(sw, request);

    if (!p)
        return refuse(SWITCH_ERR_NOT_FOUND, "there is no such port");
    port_remove(sw, p);
    return json_pack("{s:b}", "ok", 1);
}

static const struct {
    const char *name;
    command_fn *run;
} commands[] = {
    {"add-port", run_add_port},
    {"list", run_list},
    {"ping", run_ping},
    {"quit", run_quit},
    {"remove-port", run_remove_port},
    {"set-metadata", run_set_metadata},
};

static json_t *run(struct sw *sw, const char *line, size_t len)
{
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    const char *name = text_of(request, "cmd");
    json_t *answer = NULL;

    for (size_t i = 0; name && !answer && i < ARRAY_LEN(commands); i++)
        if (streq(commands[i].name, name))
            answer = commands[i].run(sw, request);
    if (!answer)
        answer = refuse(SWITCH_ERR_BAD_REQUEST,
                        request ? "there is no such command" : "this is not JSON");
    json_decref(request);
    return answer;
}

/* --- the clients --- */

static void client_free(struct client *c)
{
    if (!c)
        return;
    (void)close(c->fd); /* the client learns of it by the end of its stream */
    buf_done(&c->in);
    buf_done(&c->out);
    free(c);
}

static void answer(struct client *c, json_t *what)
{
    char *text = what ? json_dumps(what, JSON_COMPACT) : NULL;

    buf_str(&c->out,
            text ? text
                 : "{\"ok\":false,\"code\":\"system\",\"error\":\"the answer cannot be written\"}");
    buf_char(&c->out, '\n');
    free(text);
    json_decref(what);
}

static int flush(struct client *c)
{
    while (c->out.len) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        buf_drop(&c->out, (size_t)n);
    }
    return c->closing ? -1 : 0;
}

/* Runs what has arrived whole; stops while an answer waits, so that a client who does not read
 * costs one answer. */
static int serve(struct sw *sw, struct client *c)
{
    char *newline;

    while (!c->out.len && (newline = c->in.len ? memchr(c->in.data, '\n', c->in.len) : NULL)) {
        size_t len = (size_t)(newline - c->in.data);

        answer(c, run(sw, c->in.data, len));
        buf_drop(&c->in, len + 1);
        if (flush(c) < 0)
            return -1;
    }
    if (!c->out.len && c->in.len >= SWITCH_LINE_MAX) {
        c->closing = true;
        answer(c, refuse(SWITCH_ERR_BAD_REQUEST, "the line is too long"));
        return flush(c);
    }
    return 0;
}

static int receive(struct client *c)
{
    size_t room = SWITCH_LINE_MAX - c->in.len;
    size_t want = room < 65536 ? room : 65536;
    ssize_t n = recv(c->fd, buf_reserve(&c->in, want), want, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    c->in.len += (size_t)n;
    return n ? 0 : -1;
}

static int client_poll(struct sw *sw, struct client *c)
{
    short got = sw_polled(sw, c->poll);

    c->poll = -1;
    if (!got)
        return 0;
    if (c->out.len && flush(c) < 0)
        return -1;
    if (c->out.len)
        return got & (POLLERR | POLLHUP) ? -1 : 0;
    if ((got & (POLLIN | POLLERR | POLLHUP)) && receive(c) < 0)
        return -1;
    return serve(sw, c);
}

static void accept_client(struct sw *sw)
{
    int fd = accept4(sw->control_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    for (int i = 0; fd >= 0 && i < SW_CLIENTS_MAX; i++) {
        if (sw->clients[i])
            continue;
        sw->clients[i] = xcalloc(1, sizeof(*sw->clients[i]));
        sw->clients[i]->poll = -1;
        sw->clients[i]->fd = fd_take(&fd);
    }
    close_p(&fd); /* one too many */
}

int control_listen(struct sw *sw)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = SWITCH_SOCKET};
    int fd CLEANUP(close_p) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    if (unlink(SWITCH_SOCKET) < 0 && errno != ENOENT)
        return -errno;
    if (bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || chmod(SWITCH_SOCKET, 0600) < 0 ||
        listen(fd, SW_CLIENTS_MAX) < 0)
        return -errno;
    sw->control_fd = fd_take(&fd);
    return 0;
}

void control_fill(struct sw *sw)
{
    sw->control_poll = sw_poll_add(sw, sw->control_fd, POLLIN);
    for (int i = 0; i < SW_CLIENTS_MAX; i++) {
        struct client *c = sw->clients[i];

        if (c)
            c->poll = sw_poll_add(sw, c->fd, c->out.len ? POLLOUT : POLLIN);
    }
}

void control_poll(struct sw *sw)
{
    for (int i = 0; i < SW_CLIENTS_MAX; i++) {
        if (!sw->clients[i] || client_poll(sw, sw->clients[i]) == 0)
            continue;
        client_free(sw->clients[i]);
        sw->clients[i] = NULL;
    }
    if (sw_polled(sw, sw->control_poll))
        accept_client(sw);
}

void control_close(struct sw *sw)
{
    for (int i = 0; i < SW_CLIENTS_MAX; i++) {
        client_free(sw->clients[i]);
        sw->clients[i] = NULL;
    }
    if (sw->control_fd < 0)
        return;
    close_p(&sw->control_fd);
    (void)unlink(SWITCH_SOCKET); /* a name left behind is replaced by the next switch */
}
