/*
 * A client of QEMU's monitor protocol: one JSON object a line, a greeting, then answers and events
 * mixed. Belongs to the loop's thread. QEMU runs what a guest sent it and is not believed blindly:
 * lines and queues have limits, and whatever is not the protocol closes the connection.
 */
#ifndef OSTLER_ENGINE_QEMU_QMP_H
#define OSTLER_ENGINE_QEMU_QMP_H

#include <jansson.h>

struct loop;
struct qmp;

enum {
    QMP_MAX_LINE = 1 << 20,
    QMP_MAX_PENDING = 32,
};

struct qmp_handler {
    void (*ready)(void *arg); /* greeted and negotiated: commands are carried out */
    void (*event)(void *arg, const char *name, const json_t *data); /* data: an object or NULL */
    void (*closed)(void *arg, const char *why); /* nothing follows; pending commands were dropped */
    void *arg;
};

/*
 * Takes the connected socket and sends the negotiation at once. QEMU speaks to one client at a
 * time: the greeting may take until another one left.
 */
struct qmp *qmp_new(struct loop *loop, int fd, const struct qmp_handler *handler);

/* Who is told from now on. What is pending stays its asker's. */
void qmp_set_handler(struct qmp *q, const struct qmp_handler *handler);

/* Calls nothing any more. May be called from its callbacks. NULL is fine. */
void qmp_free(struct qmp *q);

/*
 * Sends a command. `args` (NULL: none) is taken. `reply` (may be NULL) gets the result, or NULL and
 * QEMU's complaint. May be called from the beginning: what is sent before `ready` is answered after
 * it, without another turn of QEMU's main loop, which is busy when a machine starts. -ENOTCONN
 * after closed, -EBUSY when too many are pending.
 */
int qmp_call(struct qmp *q, const char *command, json_t *args,
             void (*reply)(void *arg, const json_t *result, const char *error), void *arg);

/* The same with a descriptor, which stays the caller's: for getfd. -EBUSY also while an earlier
 * command has not been sent whole. */
int qmp_give(struct qmp *q, const char *command, json_t *args, int fd,
             void (*reply)(void *arg, const json_t *result, const char *error), void *arg);

#endif
