/*
 * A machine's place on its subnet's switch. The switch is a process of its own (`ostler switch`)
 * that is started with the subnet's first machine, outlives the daemon, and ends itself once it has
 * had no machine for a while. All of these block: for a worker thread.
 */
#ifndef OSTLER_ENGINE_QEMU_NETPORT_H
#define OSTLER_ENGINE_QEMU_NETPORT_H

#include "base/arena.h"
#include "core/engine.h"

/* What a port is made from; kept as long as the machine runs, to make it again when the switch
 * died. */
struct netport {
    char *subnet, *cidr;
    char *line; /* the add-port request */
};

/* NULL, or a sentence in the arena; then `ret` is empty. */
const char *netport_init(struct netport *ret, struct arena *a, const char *dir,
                         const struct machine *m);
void netport_done(struct netport *p);
void netport_copy(struct netport *to, const struct netport *from);

struct netport_up {
    int ssh_port;
    int switch_pidfd; /* of the switch that serves it, the caller's; -1 when unknown */
};

/* Starts the switch when none runs, and adds or refreshes the port. NULL, or a sentence in the
 * arena; *ret is set in both cases. */
const char *netport_up(const struct netport *p, const char *dir, const char *self, struct arena *a,
                       struct netport_up *ret);

/* Removes the port; no switch or no port is fine. */
void netport_down(const char *dir, const struct machine *m);

#endif
