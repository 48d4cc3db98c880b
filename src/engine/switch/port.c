/*
 * A port: the sockets that one QEMU talks to, the user-mode stack that is its way out, its
 * metadata. Here they are put together, taken apart and looked after in each turn of the loop.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/switch/control.h"
#include "engine/switch/port_impl.h"

int port_failed(struct port_failure *fail, const char *code, const char *fmt, ...)
{
    va_list ap;

    fail->code = code;
    va_start(ap, fmt);
    (void)vsnprintf(fail->text, sizeof(fail->text), fmt, ap);
    va_end(ap);
    return -1;
}

/* --- making and unmaking --- */

static int open_all(struct port *p, const struct port_settings *s, struct port_failure *fail)
{
    int r;

    if (link_open(p, fail) < 0)
        return -1;
    r = stack_open(p);
    if (r == 0)
        r = webdata_open(p);
    if (r < 0)
        return port_failed(fail, SWITCH_ERR_SYSTEM, "network stack: %s", strerror(-r));
    return stack_forward(p, s, fail);
}

static void port_free(struct port *p)
{
    stack_close(p);
    webdata_close(p);
    link_close(p);
    meta_free(p->meta);
    free(p->tx);
    free(p->dir);
    free(p);
}

static unsigned free_slot(const struct sw *sw)
{
    unsigned i = 0;

    while (i < SW_PORTS_MAX && sw->ports[i])
        i++;
    return i;
}

static struct port *port_new(struct sw *sw, const struct port_settings *s, unsigned slot)
{
    struct port *p = xcalloc(1, sizeof(*p));

    p->sw = sw;
    p->slot = slot;
    (void)snprintf(p->id, sizeof(p->id), "%s", s->id);
    p->dir = xstrdup(s->dir);
    p->nic = s->nic;
    p->dir_fd = p->rx_fd = p->tx_fd = p->meta_fd = -1;
    p->rx_poll = p->tx_poll = p->meta_poll = -1;
    p->tx = xcalloc(TX_FRAMES, sizeof(*p->tx));
    return p;
}

static bool same_card(const struct port *p, const struct port_settings *s)
{
    return p->nic.ip == s->nic.ip && memcmp(p->nic.mac, s->nic.mac, 6) == 0 &&
           streq(p->dir, s->dir);
}

static int check_new(const struct sw *sw, const struct port_settings *s, const struct port *old,
                     struct port_failure *fail)
{
    const struct port *same_ip = forward_by_ip(sw, s->nic.ip),
                      *same_mac = forward_by_mac(sw, s->nic.mac);

    if (!frame_ip_usable(&sw->net, s->nic.ip))
        return port_failed(fail, SWITCH_ERR_BAD_REQUEST,
                           "the address is not one that a guest of this subnet may have");
    if (same_ip && same_ip != old)
        return port_failed(fail, SWITCH_ERR_CONFLICT, "port %s has this address", same_ip->id);
    if (same_mac && same_mac != old)
        return port_failed(fail, SWITCH_ERR_CONFLICT, "port %s has this MAC", same_mac->id);
    for (unsigned i = 0; i < sw->n_slots; i++)
        if (sw->ports[i] && sw->ports[i] != old && streq(sw->ports[i]->dir, s->dir))
            return port_failed(fail, SWITCH_ERR_CONFLICT, "port %s has this directory",
                               sw->ports[i]->id);
    if (!old && sw->n_ports == SW_PORTS_MAX)
        return port_failed(fail, SWITCH_ERR_LIMIT, "there are %d ports already", SW_PORTS_MAX);
    return 0;
}

static int add_new(struct sw *sw, const struct port_settings *s, struct port **ret,
                   struct port_failure *fail)
{
    unsigned slot = free_slot(sw);
    struct port *p = port_new(sw, s, slot);

    sw->ports[slot] = p; /* the stack's descriptors are counted from its first on */
    if (slot >= sw->n_slots)
        sw->n_slots = slot + 1;
    if (open_all(p, s, fail) < 0) {
        port_free(p);
        sw->ports[slot] = NULL;
        return -1;
    }
    sw->n_ports++;
    forward_index(sw);
    *ret = p;
    return 0;
}

int port_add(struct sw *sw, const struct port_settings *s, struct port **ret,
             struct port_failure *fail)
{
    struct port *p = port_find(sw, s->id);
    int r = check_new(sw, s, p, fail);

    if (r == 0 && p && same_card(p, s)) {
        r = stack_forward_change(p, s, fail);
    } else if (r == 0) {
        if (p)
            port_remove(sw, p);
        p = NULL;
        r = add_new(sw, s, &p, fail);
    }
    if (r < 0) {
        meta_free(s->meta);
        return r;
    }
    port_set_meta(p, s->meta);
    *ret = p;
    return 0;
}

void port_remove(struct sw *sw, struct port *p)
{
    unsigned slot = p->slot;

    port_free(p);
    sw->ports[slot] = NULL;
    while (sw->n_slots && !sw->ports[sw->n_slots - 1])
        sw->n_slots--;
    if (!--sw->n_ports)
        sw->idle_since_ms = sw->now_ms;
    forward_index(sw);
}

struct port *port_find(const struct sw *sw, const char *id)
{
    for (unsigned i = 0; i < sw->n_slots; i++)
        if (sw->ports[i] && streq(sw->ports[i]->id, id))
            return sw->ports[i];
    return NULL;
}

void port_set_meta(struct port *p, struct meta *meta)
{
    meta_free(p->meta);
    p->meta = meta;
}

/* --- a turn of the loop --- */

void port_fill(struct port *p, uint32_t *timeout_ms)
{
    p->rx_poll = sw_poll_add(p->sw, p->rx_fd, POLLIN);
    p->tx_poll = p->tx_count ? sw_poll_add(p->sw, p->tx_fd, POLLOUT) : -1;
    webdata_fill(p);
    stack_fill(p, timeout_ms);
}

void port_poll(struct port *p)
{
    stack_poll(p);
    if (sw_polled(p->sw, p->tx_poll) && p->tx_fd >= 0)
        link_flush(p);
    if (sw_polled(p->sw, p->rx_poll))
        link_receive(p);
    webdata_poll(p);
}

/* --- what others ask --- */

const struct frame_nic *port_nic(const struct port *p)
{
    return &p->nic;
}

/* A host name for DHCP: the first label, and only if it is one. */
const char *port_host_name(const struct port *p)
{
    const char *name = meta_value(p->meta, "hostname");

    for (const char *c = name; c && *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '.')
            return NULL;
    return name;
}

int port_ssh(const struct port *p)
{
    return p->ssh_port;
}

void port_count(struct port *p, enum frame_verdict v)
{
    p->seen[v]++;
}

json_t *port_describe(const struct port *p)
{
    char ip[16], mac[18];
    json_t *frames = json_object();

    frame_ip_text(p->nic.ip, ip);
    (void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", p->nic.mac[0], p->nic.mac[1],
                   p->nic.mac[2], p->nic.mac[3], p->nic.mac[4], p->nic.mac[5]);
    for (int v = 0; v < FRAME_N_VERDICTS; v++)
        (void)json_object_set_new(frames, frame_verdict_name((enum frame_verdict)v),
                                  json_integer((json_int_t)p->seen[v]));
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:b, s:i, s:o, s:I, s:I, s:I}", "id", p->id, "dir",
                     p->dir, "ip", ip, "mac", mac, "ssh_port", p->ssh_port, "attached",
                     p->tx_fd >= 0, "flows", (int)p->flows, "frames", frames, "sent",
                     (json_int_t)p->sent, "lost", (json_int_t)p->lost, "refused",
                     (json_int_t)p->refused);
}
