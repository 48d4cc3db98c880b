/* The engine's view of the switches: one that dies is started again, and its machines' ports with
 * it. */
#include <poll.h>

#include "base/log.h"
#include "engine/qemu/vm.h"
#include "net/child.h"

enum { HEALTHY_MS = 60000, MAX_DEATHS = 6, FIRST_PAUSE_MS = 100 };

struct subnet_switch {
    struct subnet_switch *next;
    struct engine *e;
    char *subnet;
    int pidfd; /* -1: dead */
    struct loop_fd *watch;
    struct loop_timer *again;
    uint64_t since;
    int deaths; /* soon after each other */
};

static void unwatch(struct subnet_switch *s)
{
    loop_fd_free(s->watch);
    s->watch = NULL;
    close_p(&s->pidfd);
    s->pidfd = -1;
}

static void restore_ports(void *arg)
{
    struct subnet_switch *s = arg;

    for (struct vm *vm = s->e->vms; vm; vm = vm->next)
        if (vm->live && vm->port.subnet && streq(vm->port.subnet, s->subnet))
            network_restore(vm);
}

static void again_soon(struct subnet_switch *s)
{
    if (++s->deaths <= MAX_DEATHS)
        loop_timer_set(s->again, (uint64_t)FIRST_PAUSE_MS << s->deaths, 0);
}

static bool has_ended(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};

    return poll(&p, 1, 0) > 0;
}

/* A switch without machines ends by design; then nothing is there to restore. */
static void on_death(void *arg, unsigned events)
{
    struct subnet_switch *s = arg;
    int status;

    (void)events;
    (void)child_reap(s->pidfd, &status); /* not ours when an earlier daemon started it */
    unwatch(s);
    if (loop_now_ms(s->e->loop) - s->since > HEALTHY_MS)
        s->deaths = 0;
    again_soon(s);
}

static struct subnet_switch *find(struct engine *e, const char *subnet)
{
    for (struct subnet_switch *s = e->switches; s; s = s->next)
        if (streq(s->subnet, subnet))
            return s;
    struct subnet_switch *s = xcalloc(1, sizeof(*s));
    *s =
        (struct subnet_switch){.next = e->switches, .e = e, .subnet = xstrdup(subnet), .pidfd = -1};
    s->again = loop_timer_new(e->loop, restore_ports, s);
    e->switches = s;
    return s;
}

void network_watch(struct engine *e, const char *subnet, int pidfd)
{
    if (pidfd < 0)
        return;
    struct subnet_switch *s = find(e, subnet);
    if (s->pidfd >= 0 && !has_ended(s->pidfd)) { /* the same one again */
        (void)close(pidfd);
        return;
    }
    if (s->pidfd >= 0)
        on_death(s, 0); /* its successor came before we heard of it */
    s->pidfd = pidfd;
    s->since = loop_now_ms(e->loop);
    s->watch = loop_fd_new(e->loop, pidfd, on_death, s);
    if (s->watch)
        loop_fd_want(s->watch, LOOP_READ);
}

static void restore_work(struct task *t)
{
    t->error = netport_up(&t->port, t->dir, t->self, t->arena, &t->up);
}

static struct vm *find_live(struct engine *e, const char *id)
{
    for (struct vm *vm = e->vms; vm; vm = vm->next)
        if (vm->live && streq(vm->id, id))
            return vm;
    return NULL;
}

static void restore_done(struct task *t)
{
    struct vm *vm = find_live(t->e, t->id);
    int pidfd = t->up.switch_pidfd;

    t->up.switch_pidfd = -1;
    network_watch(t->e, t->port.subnet, pidfd);
    if (vm && !t->error)
        vm->ssh_port = t->up.ssh_port;
    if (!vm || !t->error)
        return;
    log_write(LOG_DEBUG, "a machine's network is not back", "instance", t->id, "error", t->error,
              NULL);
    again_soon(find(t->e, t->port.subnet));
}

void network_restore(struct vm *vm)
{
    struct task *t = task_new(vm->e, vm->id);

    netport_copy(&t->port, &vm->port);
    t->work = restore_work;
    t->done = restore_done;
    task_run(t);
}

void network_close(struct engine *e)
{
    while (e->switches) {
        struct subnet_switch *s = e->switches;

        e->switches = s->next;
        unwatch(s);
        loop_timer_free(s->again);
        free(s->subnet);
        free(s);
    }
}
