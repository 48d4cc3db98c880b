/*
 * What the files of the switch share: the process, its ports, and who polls what. One thread owns
 * all of it.
 *
 * A turn of the loop: everybody says what to poll for (…_fill), poll, everybody looks at what
 * happened (…_poll). Ports are added and removed at the end of a turn only, when nobody holds an
 * index or a pointer.
 */
#ifndef OSTLER_ENGINE_SWITCH_SW_H
#define OSTLER_ENGINE_SWITCH_SW_H

#include <jansson.h>
#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "engine/switch/frame.h"
#include "engine/switch/meta.h"

#define SW_PORTS_MAX   1024
#define SW_CLIENTS_MAX 16
#define SW_ID_MAX      64
#define SW_INDEX                                                                                   \
    4096 /* places in each of the address tables; a power of two, well above the ports */

struct port;
struct client;

struct addr_index {
    uint16_t place[SW_INDEX]; /* slot + 1, or 0 */
};

struct sw {
    const char *name;
    struct frame_net net;
    uint32_t *host;          /* what net.host points to */
    struct frame_cidr *deny; /* what net.deny points to */
    int lock_fd, control_fd, signal_fd, route_fd;
    bool quit;
    int64_t now_ms;        /* of this turn */
    int64_t host_read_ms;  /* when the host's addresses were last read */
    int64_t idle_since_ms; /* since when there has been no port */
    int64_t idle_exit_ms;  /* 0: stay */

    struct port *ports[SW_PORTS_MAX];
    unsigned n_ports, n_slots; /* how many there are; slots below n_slots may be empty */
    struct addr_index by_mac, by_ip;

    struct pollfd *polls;
    uint16_t *fd_owner; /* by descriptor: slot + 1 of the port whose stack holds it, or 0 */
    unsigned n_polls, max_fds;

    struct client *clients[SW_CLIENTS_MAX];
    int control_poll, signal_poll, route_poll;
};

int64_t sw_clock_ms(void); /* monotonic */

/* Returns an index for sw_polled, or -1 when the table is full. */
int sw_poll_add(struct sw *sw, int fd, short events);
short sw_polled(const struct sw *sw, int index); /* 0 for -1 */

/* host.c: reads the host's own addresses. 0 or a negative errno; the old list stays when it fails.
 */
int sw_host_refresh(struct sw *sw);
int sw_host_watch(void); /* a descriptor that is readable when addresses change, or -1 */
void sw_host_drain(int fd);

/* forward.c */
void forward_index(struct sw *sw); /* after any change of ports */
struct port *forward_by_mac(const struct sw *sw, const uint8_t *mac);
struct port *forward_by_ip(const struct sw *sw, uint32_t ip);
void forward_frame(struct sw *sw, struct port *from, uint8_t *data, size_t len);

/* port.c */
struct port_settings {
    const char *id, *dir;
    struct frame_nic nic;
    int ssh_port; /* 0: any */
    bool ssh_fallback;
    struct meta *meta; /* taken by port_add and port_set_meta, also when they fail */
};

struct port_failure {
    const char *code; /* a word of control.h */
    char text[256];
};

int port_add(struct sw *sw, const struct port_settings *s, struct port **ret,
             struct port_failure *fail);
void port_remove(struct sw *sw, struct port *p);
struct port *port_find(const struct sw *sw, const char *id);
void port_set_meta(struct port *p, struct meta *meta);
json_t *port_describe(const struct port *p);
int port_ssh(const struct port *p);

void port_fill(struct port *p, uint32_t *timeout_ms);
void port_poll(struct port *p);

/* What forward.c asks of a port. */
const struct frame_nic *port_nic(const struct port *p);
const char *port_host_name(const struct port *p);
unsigned port_slot(const struct port *p);
void port_count(struct port *p, enum frame_verdict v);
void port_send(struct port *p, const uint8_t *data,
               size_t len); /* to the guest; drops when it does not read */
void port_stack(struct port *p, const struct frame *f);        /* to the user-mode stack */
void port_metadata(struct port *p, uint8_t *data, size_t len); /* the same, for metadata */
bool port_may_flood(struct port *p); /* takes one from the port's allowance */

/* control.c */
int control_listen(
    struct sw *sw); /* binds control.sock in the working directory; 0 or a negative errno */
void control_fill(struct sw *sw);
void control_poll(struct sw *sw);
void control_close(struct sw *sw);

#endif
