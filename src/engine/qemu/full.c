/*
 * The host's disk is full, so a guest's write found no room. QEMU has stopped the machine with the
 * write still to be done. It is told to go on now and then, the longer it lasts the more seldom;
 * where there is still no room, it stops again at once, and the guest notices neither.
 */
#include "base/util.h"
#include "engine/qemu/vm.h"

enum {
    FIRST_MS = 1000,
    LONGEST_MS = 60000,
    QUIET_MS = 1000, /* without another complaint: there is room */
};

static void say(struct vm *vm, const char *why)
{
    const struct engine_host *host = &vm->e->host;

    host->waits(host->ctx, vm->id, why);
}

static void wait_for(struct vm *vm, uint64_t ms)
{
    vm->full_ms = ms;
    vm->full_tried = false;
    loop_timer_set(vm->full, ms, 0);
}

void full_seen(struct vm *vm)
{
    if (vm->down)
        return;
    if (!vm->full_ms) {
        wait_for(vm, FIRST_MS);
        say(vm, "a disk is full: the machine waits for room");
    } else if (vm->full_tried)
        wait_for(vm, vm->full_ms < LONGEST_MS / 2 ? vm->full_ms * 2 : LONGEST_MS);
}

void full_try(struct vm *vm)
{
    if (!vm->full_ms)
        return;
    vm->full_tried = true;
    if (vm->negotiated)
        (void)qmp_call(vm->qmp, "cont", NULL, NULL, NULL); /* refused: the next time, then */
    loop_timer_set(vm->full, QUIET_MS, 0);
}

void full_on_timer(void *arg)
{
    struct vm *vm = arg;

    if (!vm->full_tried) {
        full_try(vm);
    } else if (!vm->negotiated) {
        wait_for(vm, vm->full_ms);
    } else {
        vm->full_ms = 0;
        vm->full_tried = false;
        say(vm, NULL);
    }
}
