/* A port's metadata service: the socket that its stack connects to, and the connections there are.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "engine/switch/port_impl.h"

/* Only this process's own stack may ask, whoever else can reach the socket's directory. */
static bool is_ourselves(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.pid == getpid();
}

static bool place_conn(struct port *p, int fd)
{
    for (int i = 0; i < META_CONNS; i++) {
        if (p->conns[i])
            continue;
        p->conns[i] = meta_conn_new(fd, p->sw->now_ms);
        p->conn_poll[i] = -1;
        return true;
    }
    return false;
}

static void accept_metadata(struct port *p)
{
    int fd;

    while ((fd = accept4(p->meta_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        if (!is_ourselves(fd) || !place_conn(p, fd))
            (void)close(fd); /* too many at once: the guest sees the connection end */
}

void webdata_poll(struct port *p)
{
    if (sw_polled(p->sw, p->meta_poll))
        accept_metadata(p);
    for (int i = 0; i < META_CONNS; i++) {
        short got;

        if (!p->conns[i])
            continue;
        got = sw_polled(p->sw, p->conn_poll[i]);
        p->conn_poll[i] = -1;
        if (meta_conn_ready(p->conns[i], p->meta, got, p->sw->now_ms) == 0)
            continue;
        meta_conn_free(p->conns[i]);
        p->conns[i] = NULL;
    }
}

/*
 * The stack's connect to our own listening socket is a blocking one: were the backlog ever full it
 * would wait for this very thread. So what it may have connected is accepted before the next frame.
 */
void port_metadata(struct port *p, uint8_t *data, size_t len)
{
    frame_meta_in(&p->sw->net, data, len);
    slirp_input(p->slirp, data, (int)len);
    accept_metadata(p);
}

void webdata_fill(struct port *p)
{
    p->meta_poll = sw_poll_add(p->sw, p->meta_fd, POLLIN);
    for (int i = 0; i < META_CONNS; i++)
        if (p->conns[i])
            p->conn_poll[i] =
                sw_poll_add(p->sw, meta_conn_fd(p->conns[i]), meta_conn_events(p->conns[i]));
}

int webdata_open(struct port *p)
{
    const uint32_t aliases[] = {p->sw->net.addr, p->sw->net.broadcast};
    int r;

    (void)snprintf(p->meta_name, sizeof(p->meta_name), "meta.%u.sock", p->slot);
    r = link_bind(SOCK_STREAM, -1, p->meta_name, &p->meta_fd);
    if (r < 0)
        return r;
    if (listen(p->meta_fd, META_CONNS) < 0)
        return -errno;
    for (size_t i = 0; i < ARRAY_LEN(aliases) && r == 0; i++)
        r = stack_serve(p, aliases[i], p->meta_name);
    return r;
}

void webdata_close(struct port *p)
{
    for (int i = 0; i < META_CONNS; i++) {
        meta_conn_free(p->conns[i]);
        p->conns[i] = NULL;
    }
    if (p->meta_fd >= 0)
        (void)unlink(
            p->meta_name); /* a name left behind is replaced by the next port in this slot */
    close_p(&p->meta_fd);
}
