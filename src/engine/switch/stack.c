/*
 * A port's user-mode network stack: libslirp as the guest's way out. Each guest has one of its own,
 * so that who opened a connection is known by where it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "engine/switch/control.h"
#include "engine/switch/port_impl.h"

#define FLOWS_MAX 1024 /* descriptors for one guest, while there are enough for all */
#define FLOWS_MIN 16

static ssize_t stack_sends(const void *data, size_t len, void *opaque)
{
    struct port *p = opaque;
    uint8_t frame[FRAME_MAX];

    if (len > sizeof(frame))
        return -1;
    memcpy(frame, data, len);
    frame_meta_out(&p->sw->net, frame, len);
    port_send(p, frame, len);
    return (ssize_t)len;
}

static void stack_complains(const char *message, void *opaque)
{
    struct port *p = opaque;

    log_write(LOG_DEBUG, "guest sent nonsense", "port", p->id, "what", message, NULL);
}

static int64_t stack_clock(void *opaque)
{
    (void)opaque;
    return sw_clock_ms() * 1000000;
}

/* Timers serve IPv6 router advertisements only, which are off; libslirp still wants the calls to
 * exist. */
static void *stack_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    (void)cb;
    (void)cb_opaque;
    return opaque;
}

static void stack_timer_free(void *timer, void *opaque)
{
    (void)timer;
    (void)opaque;
}

static void stack_timer_mod(void *timer, int64_t at_ms, void *opaque)
{
    (void)timer;
    (void)at_ms;
    (void)opaque;
}

static void flow_gone(struct sw *sw, int fd)
{
    unsigned owner = fd >= 0 && (unsigned)fd < sw->max_fds ? sw->fd_owner[fd] : 0;

    if (!owner)
        return;
    sw->fd_owner[fd] = 0;
    sw->ports[owner - 1]->flows--; /* forget_flows ran before a port went */
}

static void forget_flows(struct port *p)
{
    for (unsigned fd = 0; p->flows && fd < p->sw->max_fds; fd++)
        if (p->sw->fd_owner[fd] == p->slot + 1)
            flow_gone(p->sw, (int)fd);
}

/*
 * libslirp announces some descriptors and polls others without; all are announced when they close.
 * Counting both ways, by descriptor, gives each guest's true number.
 */
static void flow_seen(struct port *p, int fd)
{
    struct sw *sw = p->sw;

    if (fd < 0 || (unsigned)fd >= sw->max_fds || sw->fd_owner[fd] == p->slot + 1)
        return;
    flow_gone(sw, fd);
    sw->fd_owner[fd] = (uint16_t)(p->slot + 1);
    p->flows++;
}

static void stack_opens(int fd, void *opaque)
{
    flow_seen(opaque, fd);
}

static void stack_closes(int fd, void *opaque)
{
    struct port *p = opaque;

    flow_gone(p->sw, fd);
}

static void stack_notifies(void *opaque)
{
    (void)opaque; /* the loop looks at every stack in every turn */
}

static void stack_is_ready(Slirp *slirp, void *opaque)
{
    (void)slirp;
    (void)opaque;
}

static const SlirpCb stack_calls = {
    .send_packet = stack_sends,
    .guest_error = stack_complains,
    .clock_get_ns = stack_clock,
    .timer_new = stack_timer_new,
    .timer_free = stack_timer_free,
    .timer_mod = stack_timer_mod,
    .register_poll_fd = stack_opens,
    .unregister_poll_fd = stack_closes,
    .notify = stack_notifies,
    .init_completed = stack_is_ready,
};

static const struct {
    int stack;
    short poll;
} events[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int stack_polls(int fd, int wanted, void *opaque)
{
    struct port *p = opaque;
    short e = 0;

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (wanted & events[i].stack)
            e |= events[i].poll;
    flow_seen(p, fd);
    return sw_poll_add(p->sw, fd, e);
}

static int stack_polled(int index, void *opaque)
{
    struct port *p = opaque;
    short e = sw_polled(p->sw, index);
    int got = 0;

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (e & events[i].poll)
            got |= events[i].stack;
    return got;
}

static unsigned flow_limit(const struct sw *sw)
{
    unsigned share = sw->max_fds / 2 / (sw->n_ports ? sw->n_ports : 1);

    return share > FLOWS_MAX ? FLOWS_MAX : share < FLOWS_MIN ? FLOWS_MIN : share;
}

/* Could this frame make the stack open one more descriptor? */
static bool may_open(const struct frame *f)
{
    return f->proto != IPPROTO_TCP || (f->tcp_flags & 0x12) == 0x02;
}

void port_stack(struct port *p, const struct frame *f)
{
    if (p->flows >= flow_limit(p->sw) && may_open(f)) {
        p->refused++;
        return;
    }
    slirp_input(p->slirp, f->data, (int)f->len);
}

void stack_fill(struct port *p, uint32_t *timeout_ms)
{
    slirp_pollfds_fill(p->slirp, timeout_ms, stack_polls, p);
}

void stack_poll(struct port *p)
{
    slirp_pollfds_poll(p->slirp, 0, stack_polled, p);
}

static struct in_addr in(uint32_t ip)
{
    return (struct in_addr){htonl(ip)};
}

int stack_open(struct port *p)
{
    const struct frame_net *net = &p->sw->net;
    const SlirpConfig config = {
        .version = 4,
        .in_enabled = true,
        .vnetwork = in(net->addr),
        .vnetmask = in(net->mask),
        .vhost = in(net->gateway),
        .vnameserver = in(net->nameserver),
        .vdhcp_start = in(p->nic.ip),
        .disable_host_loopback = true,
        .disable_dns = net->isolated,
        .disable_dhcp = true,
    };
    uint8_t announcement[FRAME_MAX];
    size_t len = frame_arp_announce(&p->nic, announcement, sizeof(announcement));

    p->slirp = slirp_new(&config, &stack_calls, p);
    if (!p->slirp)
        return -ENOMEM;
    /* The stack knows its guest from the start, so the first forwarded connection need not ask. */
    slirp_input(p->slirp, announcement, (int)len);
    return 0;
}

void stack_close(struct port *p)
{
    if (p->slirp)
        slirp_cleanup(p->slirp);
    p->slirp = NULL;
    forget_flows(p);
}

int stack_serve(struct port *p, uint32_t ip, const char *socket_name)
{
    struct in_addr alias = in(ip);

    return slirp_add_unix(p->slirp, socket_name, &alias, FRAME_METADATA_PORT) < 0 ? -EADDRINUSE : 0;
}

static int free_tcp_port(void)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(sin);
    int fd CLEANUP(close_p) = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 ||
        getsockname(fd, (struct sockaddr *)&sin, &len) < 0)
        return -errno;
    return ntohs(sin.sin_port);
}

static int forward_from(struct port *p, int tcp_port)
{
    if (slirp_add_hostfwd(p->slirp, 0, in(INADDR_LOOPBACK), tcp_port, in(p->nic.ip), 22) < 0)
        return errno ? -errno : -EADDRINUSE;
    p->ssh_port = tcp_port;
    return 0;
}

/* Somebody else may take a port between our finding it free and the stack's taking it, so more than
 * one is tried. */
static int forward_from_any(struct port *p)
{
    int r = -EADDRINUSE;

    for (int i = 0; i < 16 && r < 0; i++) {
        r = free_tcp_port();
        if (r < 0)
            return r;
        r = forward_from(p, r);
    }
    return r;
}

int stack_forward(struct port *p, const struct port_settings *s, struct port_failure *fail)
{
    int r = s->ssh_port ? forward_from(p, s->ssh_port) : -EADDRINUSE;

    if (r < 0 && (!s->ssh_port || s->ssh_fallback))
        r = forward_from_any(p);
    if (r == 0)
        return 0;
    if (s->ssh_port)
        return port_failed(fail, SWITCH_ERR_PORT_TAKEN, "port %d of 127.0.0.1: %s", s->ssh_port,
                           strerror(-r));
    return port_failed(fail, SWITCH_ERR_SYSTEM, "no free port on 127.0.0.1: %s", strerror(-r));
}

/* The old forward goes only when the new one stands; where any port will do, the old one does. */
int stack_forward_change(struct port *p, const struct port_settings *s, struct port_failure *fail)
{
    int old = p->ssh_port, r;

    if (!s->ssh_port || s->ssh_port == old)
        return 0;
    r = forward_from(p, s->ssh_port);
    if (r < 0 && s->ssh_fallback)
        return 0;
    if (r < 0)
        return port_failed(fail, SWITCH_ERR_PORT_TAKEN, "port %d of 127.0.0.1: %s", s->ssh_port,
                           strerror(-r));
    (void)slirp_remove_hostfwd(p->slirp, 0, in(INADDR_LOOPBACK),
                               old); /* there: it was added as p->ssh_port */
    return 0;
}
