/* Inside a port: its parts, each in a file of its own. Only link.c, stack.c, webdata.c and port.c
 * look in here. */
#ifndef OSTLER_ENGINE_SWITCH_PORT_IMPL_H
#define OSTLER_ENGINE_SWITCH_PORT_IMPL_H

#include <libslirp.h>

#include "engine/switch/meta_conn.h"
#include "engine/switch/sw.h"

#define TX_FRAMES                                                                                  \
    256 /* frames kept for a guest that reads slowly; the kernel itself may keep as few as ten */
#define META_CONNS 32

struct tx_frame {
    uint16_t len;
    uint8_t data[FRAME_MAX];
};

struct port {
    struct sw *sw;
    unsigned slot;
    char id[SW_ID_MAX + 1];
    char *dir;
    struct frame_nic nic;
    int dir_fd, rx_fd, tx_fd;
    int64_t retry_ms; /* not before this is tx_fd connected again */
    Slirp *slirp;
    int ssh_port;
    unsigned flows; /* descriptors that the stack holds for this guest */
    unsigned floods;
    int64_t flood_ms; /* up to when floods are accounted */

    struct meta *meta;
    int meta_fd;
    char meta_name[32]; /* the socket's name in the switch's directory */
    struct meta_conn *conns[META_CONNS];
    int conn_poll[META_CONNS];
    int rx_poll, tx_poll, meta_poll;

    unsigned tx_head, tx_count;
    struct tx_frame *tx;
    uint64_t seen[FRAME_N_VERDICTS], sent, lost, refused;
};

/* Fills in why and returns -1. */
int port_failed(struct port_failure *fail, const char *code, const char *fmt, ...) PRINTF(3, 4);

/*
 * Binds a new nonblocking unix socket in place of what stands at the name, in the directory
 * `dir_fd` or, with -1, in the working directory. 0 or a negative errno.
 */
int link_bind(int type, int dir_fd, const char *name, int *ret_fd);

/* link.c: the datagram sockets to and from QEMU. link_open wants p->dir; link_close also takes the
 * name away. */
int link_open(struct port *p, struct port_failure *fail);
void link_close(struct port *p);
void link_receive(struct port *p); /* forwards a batch of what the guest sent */
void link_flush(struct port *p);   /* sends what was kept */

/* stack.c: libslirp, and the forward of a port of 127.0.0.1 to the guest's 22. */
int stack_open(struct port *p); /* 0 or a negative errno */
void stack_close(struct port *p);
void stack_fill(struct port *p, uint32_t *timeout_ms);
void stack_poll(struct port *p);
int stack_serve(struct port *p, uint32_t ip,
                const char *socket_name); /* ip:80 becomes that unix socket */
int stack_forward(struct port *p, const struct port_settings *s, struct port_failure *fail);
int stack_forward_change(struct port *p, const struct port_settings *s, struct port_failure *fail);

/* webdata.c: the guest's connections to its metadata. */
int webdata_open(struct port *p); /* after stack_open; 0 or a negative errno */
void webdata_close(struct port *p);
void webdata_fill(struct port *p);
void webdata_poll(struct port *p);

#endif
