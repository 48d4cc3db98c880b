/*
 * Real events, made to happen: the guest's panic by a write to the port of its panic device, death
 * by SIGKILL, a disk's trouble by a layer that returns errors, put in and taken out while the
 * machine runs.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>

#include "base/util.h"
#include "engine/qemu/vm.h"
#include "net/child.h"

enum { NODE_LEN = 32 };

/* A disk's layer being changed: commands one behind the other; the last answer ends it. */
struct harming {
    struct vm *vm;
    struct harm want;
    char disk[NODE_LEN], layer[NODE_LEN]; /* names of nodes */
    unsigned waiting;                     /* answers to come */
    const char *error;                    /* the first; static text */
};

void harming_free(struct harming *h)
{
    free(h);
}

static void harmed(struct vm *vm, const char *error)
{
    const struct engine_host *host = &vm->e->host;

    host->harmed(host->ctx, vm->id, error);
}

/* ---- a panic ---- */

/* The device tells of it by an event, and from then on all is as if the guest had done it. */
static void on_port(void *arg, const json_t *result, const char *error)
{
    struct vm *vm = arg;
    const char *complaint = json_string_value(result);

    if (error || (complaint && *complaint))
        harmed(vm, "the monitor did not write to the panic device's port");
}

static void panic(struct vm *vm)
{
    static const char line[] = "o /b 0x505 1";

    if (qmp_call(vm->qmp, "human-monitor-command", json_pack("{s:s}", "command-line", line),
                 on_port, vm) < 0)
        harmed(vm, "the machine's monitor takes no command now");
}

/* ---- a disk's trouble ---- */

static void end_harming(struct harming *h)
{
    struct vm *vm = h->vm;
    const char *error = h->error;
    bool mended = !error && h->want.trouble != DISK_FULL;

    vm->harming = NULL;
    harming_free(h);
    harmed(vm, error);
    if (mended)
        full_try(vm);
}

static void answered(struct harming *h)
{
    if (!--h->waiting)
        end_harming(h);
}

static void on_step(void *arg, const json_t *result, const char *error)
{
    struct harming *h = arg;

    (void)result;
    if (error && !h->error)
        h->error = "QEMU did not change the disk's layer";
    answered(h);
}

static void step(struct harming *h, const char *command, json_t *args,
                 void (*reply)(void *arg, const json_t *result, const char *error))
{
    if (qmp_call(h->vm->qmp, command, args, reply, h) == 0)
        h->waiting++;
    else
        h->error = "the machine's monitor takes no command now";
}

/* Of the device whose disk it is; NULL when there is none. Borrowed. *ret_layer: it has one now. */
static const char *device_of(const struct harming *h, const json_t *blocks, bool *ret_layer)
{
    size_t i;
    json_t *block;

    json_array_foreach (blocks, i, block) {
        const json_t *medium = json_object_get(block, "inserted");
        const char *node = json_string_value(json_object_get(medium, "node-name"));

        *ret_layer = node && streq(node, h->layer);
        if (*ret_layer || (node && streq(node, h->disk)))
            return json_string_value(json_object_get(block, "qdev"));
    }
    return NULL;
}

static json_t *drive_is(const char *device, const char *node)
{
    return json_pack("{s:s,s:s,s:s}", "path", device, "property", "drive", "value", node);
}

static json_t *layer_args(const struct harming *h)
{
    json_t *rule = json_pack("{s:s,s:i,s:b,s:b}", "event", "none", "errno",
                             h->want.trouble == DISK_FULL ? 28 : 5, "once", 0, "immediately", 1);

    if (h->want.trouble == DISK_FULL)
        (void)json_object_set_new(rule, "iotype", json_string("write"));
    return json_pack("{s:s,s:s,s:s,s:[o]}", "driver", "blkdebug", "node-name", h->layer, "image",
                     h->disk, "inject-error", rule);
}

/* All are sent at once; one of the answers is the last. QEMU 7.2 dies of a device that is told to
 * use the node that it uses. */
static void change_layer(struct harming *h, const char *device, bool has_layer)
{
    if (has_layer) {
        step(h, "qom-set", drive_is(device, h->disk), on_step);
        step(h, "blockdev-del", json_pack("{s:s}", "node-name", h->layer), on_step);
    }
    if (h->want.trouble != DISK_SOUND) {
        step(h, "blockdev-add", layer_args(h), on_step);
        step(h, "qom-set", drive_is(device, h->layer), on_step);
    }
}

static void on_blocks(void *arg, const json_t *result, const char *error)
{
    struct harming *h = arg;
    bool has_layer = false;
    const char *device = error ? NULL : device_of(h, result, &has_layer);

    if (device)
        change_layer(h, device, has_layer);
    else
        h->error = "the machine has no such disk";
    answered(h);
}

static void harm_disk(struct vm *vm, const struct harm *want)
{
    struct harming *h;

    if (vm->harming) {
        harmed(vm, "another disk's trouble is being changed");
        return;
    }
    vm->harming = h = xcalloc(1, sizeof(*h));
    h->vm = vm;
    h->want = *want; /* without its texts */
    h->want.inst = h->want.error = NULL;
    (void)snprintf(h->disk, sizeof(h->disk), "d%lld", (long long)want->disk);
    (void)snprintf(h->layer, sizeof(h->layer), "f%lld", (long long)want->disk);
    step(h, "query-block", NULL, on_blocks);
    if (!h->waiting)
        end_harming(h);
}

/* ---- all ---- */

void harm_begin(struct engine *e, const struct harm *h)
{
    struct vm *vm = vm_find(e, h->inst);

    if (!vm || !vm->live) {
        e->host.harmed(e->host.ctx, h->inst, "the machine does not run");
        return;
    }
    if (h->kind == HARM_DIE)
        (void)child_kill(vm->pidfd, SIGKILL); /* gone already: its pidfd tells */
    else if (!vm->negotiated)
        harmed(vm, "the machine's monitor does not answer");
    else if (h->kind == HARM_PANIC)
        panic(vm);
    else
        harm_disk(vm, h);
}
