/*
 * What is wanted of a machine, step by step. Every operation but that of a machine known to live
 * begins with a look at its lock: free, then it does not run and the lock is ours for as long as
 * the operation lasts; held, then a QEMU lives that an earlier daemon started, and it is taken over
 * first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "engine/qemu/prepared.h"
#include "engine/qemu/reason.h"
#include "engine/qemu/spec.h"
#include "engine/qemu/vm.h"
#include "engine/qemu/vmdir.h"

enum {
    FIND_MS = 15000, /* how long a living QEMU may be silent: killing a healthy one is worse than
                        waiting */
    FIND_AGAIN_MS = 100,
    BOOT_MS = 30000,
    HAND_OVER_MS = 5000, /* until a prepared one runs; a cold start is quicker than waiting */
    RESTORE_MS = 10000,
    RESET_MS = 5000,
    EARLY_DEATH_MS = 1000,
    LOG_TAIL = 8192,
};

static void run_op(struct vm *vm);
static void go_on_absent(struct vm *vm);
static void start(struct vm *vm);

/* ---- the end of an operation ---- */

static bool makes_or_starts(const struct op *op)
{
    return op->kind == OP_CREATE || op->kind == OP_START || op->kind == OP_REBOOT;
}

static void op_free(struct op *op)
{
    disks_cancel(op->disks);
    template_ask_free(op->ask);
    spec_free(op->spec);
    arena_free(op->arena);
    free(op);
}

void op_free_all(struct vm *vm)
{
    while (vm->op) {
        struct op *op = vm->op;

        vm->op = op->next;
        op_free(op);
    }
}

static void take_slot(struct vm *vm)
{
    vm->op->has_slot = true;
    vm->e->starting++;
}

static void give_turn(struct engine *e)
{
    struct vm *vm = e->queue;

    if (!vm || e->starting >= e->max_starting)
        return;
    e->queue = vm->next_queued;
    if (!e->queue)
        e->queue_end = &e->queue;
    vm->next_queued = NULL;
    take_slot(vm);
    loop_timer_set(vm->soon, 0, 0);
}

static void leave_slot(struct vm *vm)
{
    if (!vm->op->has_slot)
        return;
    vm->op->has_slot = false;
    vm->e->starting--;
    give_turn(vm->e);
}

/* Takes the operation off its machine, and the machine off the engine when nothing is left of it.
 */
static struct op *take_op(struct vm *vm)
{
    struct op *op = vm->op;

    leave_slot(vm);
    if (!vm->down)
        loop_timer_stop(vm->deadline);
    vm->op = op->next;
    if (makes_or_starts(op) && !--vm->e->n_starts)
        prepared_soon(vm->e);
    if (!vm->live) {
        close_p(&vm->lock_fd);
        vm->lock_fd = -1;
    }
    if (vm->op)
        loop_timer_set(vm->soon, 0, 0);
    else if (!vm->live)
        vm_free(vm);
    return op;
}

/* Nothing of the machine is touched after the host has been told: it may begin the next operation,
 * or end us. */
static void finish(struct vm *vm, const char *error)
{
    struct engine_host host = vm->e->host;
    struct outcome outcome = {.error = error, .ssh_port = error ? 0 : vm->ssh_port};
    struct op *op = vm->op;

    if (op->kind == OP_STOP || op->kind == OP_RELEASE || op->kind == OP_CREATE)
        outcome.ssh_port = 0;
    bool idle = !op->next && !vm->live;
    struct engine *e = vm->e;

    (void)take_op(vm);
    if (idle && !error && (op->kind == OP_STOP || op->kind == OP_CREATE))
        prepared_offer(e, op->spec);
    host.done(host.ctx, op->spec->id, op->job, &outcome);
    op_free(op);
}

static void finish_survey(struct vm *vm, enum survey what)
{
    struct engine_host host = vm->e->host;
    struct op *op = take_op(vm);

    host.surveyed(host.ctx, op->spec->id, what);
    op_free(op);
}

/* ---- finding out whether it lives ---- */

static void find(struct vm *vm);
static void finish_earlier_start(struct vm *vm);

/* The reboot's machine is off, or as good as. */
static void halfway(struct vm *vm)
{
    const struct engine_host *host = &vm->e->host;

    host->halfway(host->ctx, vm->op->spec->id, vm->op->job);
}

static void not_found(struct vm *vm)
{
    struct op *op = vm->op;

    if (op->kind == OP_START || op->kind == OP_CREATE) {
        vm_forget(vm); /* not ours to be watched */
        finish(vm, "the machine runs already, under somebody else's control");
        return;
    }
    log_write(LOG_WARN, "a machine does not answer", "instance", vm->id, NULL);
    if (op->kind == OP_SURVEY) {
        /* Its lock is held, so it runs; it may answer later. Only who is asked to may kill it. */
        finish_survey(vm, vm->live || vm_watch_holder(vm) ? SURVEY_RUNNING : SURVEY_UNKNOWN);
        return;
    }
    op->killing = vm_kill_holder(vm);
    if (op->killing)
        return; /* op_gone goes on */
    finish(vm, "the machine's process does not answer and cannot be found");
}

/* Neither free nor held, as far as we can see: nothing may be concluded from that. */
static void cannot_tell(struct vm *vm, int error)
{
    struct op *op = vm->op;

    log_write(LOG_ERROR, "it cannot be told whether a machine runs", "instance", vm->id, "why",
              strerror(-error), NULL);
    if (op->kind == OP_SURVEY)
        finish_survey(vm, SURVEY_UNKNOWN);
    else
        finish(vm, arena_fmt(op->arena, "the machine's directory cannot be locked: %s",
                             strerror(-error)));
}

static void find_again(struct vm *vm)
{
    if (loop_now_ms(vm->e->loop) >= vm->op->find_until)
        not_found(vm);
    else
        loop_timer_set(vm->deadline, FIND_AGAIN_MS, 0);
}

static void on_held(struct vm *vm)
{
    struct op *op = vm->op;
    uint64_t now = loop_now_ms(vm->e->loop);

    op->step = STEP_FIND;
    if (!op->find_until)
        op->find_until = now + FIND_MS;
    if (vm_adopt(vm))
        loop_timer_set(vm->deadline, op->find_until > now ? op->find_until - now : 1, 0);
    else
        find_again(vm);
}

static void find(struct vm *vm)
{
    struct op *op = vm->op;

    if (vm->dirfd < 0)
        vm->dirfd = vmdir_open(vm->e->dir, vm->id, op->kind == OP_CREATE);
    if (vm->dirfd < 0 && op->kind == OP_CREATE) {
        finish(vm, arena_fmt(op->arena, "the machine's directory cannot be made: %s",
                             strerror(-vm->dirfd)));
        return;
    }
    int lock = vm->dirfd < 0 ? vm->dirfd : vmdir_lock(vm->dirfd);
    if (lock == -EWOULDBLOCK) {
        on_held(vm);
        return;
    }
    if (lock < 0 && lock != -ENOENT) {
        cannot_tell(vm, lock);
        return;
    }
    vm->lock_fd = lock < 0 ? -1 : lock;
    if (lock >= 0 && !prepared_waits(vm))
        vmdir_tidy(vm->dirfd);
    go_on_absent(vm);
}

/* ---- work on pool threads ---- */

static struct task *op_task(struct vm *vm, void (*work)(struct task *t),
                            void (*done)(struct task *t))
{
    struct task *t = task_new(vm->e, vm->id);

    t->vm = vm;
    t->spec = vm->op->spec;
    t->work = work;
    t->done = done;
    /* A descriptor of its own: the engine may be closed meanwhile. */
    t->dirfd = vm->dirfd < 0 ? -1 : fcntl(vm->dirfd, F_DUPFD_CLOEXEC, 0);
    return t;
}

/* What a task found in its arena outlives it in the operation's. */
static void keep_image(struct op *op, const struct image_files *from)
{
    struct arena *a = op->arena;

    op->image = (struct image_files){.kernel = arena_str(a, from->kernel),
                                     .initrd = arena_str(a, from->initrd),
                                     .cmdline = arena_str(a, from->cmdline),
                                     .is_template = from->is_template,
                                     .disk = arena_str(a, from->disk),
                                     .disk_format = arena_str(a, from->disk_format)};
}

/* ---- create ---- */

static void disks_created(void *arg, const char *error)
{
    struct vm *vm = arg;

    vm->op->disks = NULL;
    finish(vm, error ? arena_str(vm->op->arena, error) : NULL);
}

static void load_work(struct task *t)
{
    t->error = image_load(t->arena, t->spec->image_path, &t->image);
}

static void load_done(struct task *t)
{
    struct vm *vm = t->vm;
    struct op *op = vm->op;

    if (t->error) {
        finish(vm, arena_str(op->arena, t->error));
        return;
    }
    keep_image(op, &t->image);
    op->step = STEP_DISKS;
    op->disks =
        disks_make(&vm->e->disks, vm->dirfd, op->spec, &op->image, false, disks_created, vm);
}

static void create(struct vm *vm)
{
    vm->op->step = STEP_PREPARE;
    task_run(op_task(vm, load_work, load_done));
}

/* ---- start ---- */

/* By a test: it is like no other, prepared or saved one. */
static bool is_troubled(const struct machine *m)
{
    for (size_t i = 0; i < m->n_disks; i++)
        if (m->disks[i].trouble)
            return true;
    return m->broken;
}

static void prepare_work(struct task *t)
{
    t->error = image_load(t->arena, t->spec->image_path, &t->image);
    if (!t->error && t->spec->direct_kernel && !t->image.kernel)
        t->error = "the image brings no kernel";
    if (!t->error)
        t->error = disks_check(t->arena, t->dirfd, t->spec, t->flag);
    if (!t->error)
        t->error = netport_init(&t->port, t->arena, t->dir, t->spec);
    if (!t->error)
        t->error = netport_up(&t->port, t->dir, t->self, t->arena, &t->up);
    if (!t->error && t->ask)
        template_look(t->ask, t->spec, &t->image);
}

static bool hand_over(struct vm *vm)
{
    struct op *op = vm->op;

    if (!prepared_waits(vm))
        return false;
    char **argv = args_build(op->arena, op->spec, &op->image, &vm->e->accel.platform);
    if (!prepared_hand_over(vm, op->spec, &op->image, argv))
        return false;
    op->handed = true;
    op->step = STEP_BOOT;
    loop_timer_set(vm->deadline, HAND_OVER_MS, 0);
    vm_record(vm, op->spec, argv);
    return true;
}

/* Its turn has come. */
static void spawn(struct vm *vm)
{
    struct op *op = vm->op;

    if (hand_over(vm) || !prepared_gone(vm))
        return;
    op->restoring = templates_allow(vm->e->templates, op->ask);
    const char *bad = vm_spawn(vm, op->spec, &op->image, op->restoring ? op->ask : NULL, op->arena);
    if (bad) {
        finish(vm, bad);
        return;
    }
    op->step = STEP_BOOT;
    loop_timer_set(vm->deadline, op->restoring ? RESTORE_MS : BOOT_MS, 0);
}

/* At most as many at once as there are processors: more would only slow each other down. */
static void wait_for_turn(struct vm *vm)
{
    struct engine *e = vm->e;

    vm->op->step = STEP_QUEUE;
    *e->queue_end = vm;
    e->queue_end = &vm->next_queued;
    give_turn(e);
}

static void locals_made(void *arg, const char *error)
{
    struct vm *vm = arg;

    vm->op->disks = NULL;
    if (error)
        finish(vm, arena_str(vm->op->arena, error));
    else
        wait_for_turn(vm);
}

static void prepare_done(struct task *t)
{
    struct vm *vm = t->vm;
    struct op *op = vm->op;
    int pidfd = t->up.switch_pidfd;

    t->up.switch_pidfd = -1;
    network_watch(vm->e, op->spec->subnet, pidfd);
    if (t->error) {
        finish(vm, arena_str(op->arena, t->error));
        return;
    }
    keep_image(op, &t->image);
    template_ask_free(op->ask);
    op->ask = t->ask;
    t->ask = NULL;
    netport_done(&vm->port);
    vm->port = t->port;
    t->port = (struct netport){0};
    vm->ssh_port = t->up.ssh_port;
    op->step = STEP_DISKS;
    if (op->reset_local)
        op->disks =
            disks_make(&vm->e->disks, vm->dirfd, op->spec, &op->image, true, locals_made, vm);
    else
        wait_for_turn(vm);
}

static void start(struct vm *vm)
{
    struct task *t = op_task(vm, prepare_work, prepare_done);

    vm->op->step = STEP_PREPARE;
    t->flag = vm->op->reset_local;
    t->ask = is_troubled(t->spec) ? NULL : template_ask_new(vm->e);
    task_run(t);
}

static void started(struct vm *vm)
{
    loop_timer_stop(vm->deadline);
    vm_lower_priority(vm);
    templates_started(vm->e->templates, vm->op->ask, vm->op->spec, &vm->op->image);
    finish(vm, NULL);
}

/* The lock went with the process that died. */
static void start_over(struct vm *vm)
{
    vm->lock_fd = vmdir_lock(vm->dirfd);
    if (vm->lock_fd < 0)
        finish(vm, "the machine's process has ended, but its lock is still held");
    else
        start(vm);
}

/* ---- release ---- */

static void remove_work(struct task *t)
{
    int e = 0;

    netport_down(t->dir, t->spec);
    for (size_t i = 0; !e && i < t->spec->n_disks; i++)
        if (t->spec->disks[i].keep)
            e = vmdir_keep(t->dir, t->id,
                           arena_fmt(t->arena, "%s.qcow2", spec_disk_file(&t->spec->disks[i])));
    if (!e)
        e = vmdir_remove(t->dir, t->id);
    if (e)
        t->error = arena_fmt(t->arena, "the machine's files cannot be removed: %s", strerror(-e));
}

static void remove_done(struct task *t)
{
    finish(t->vm, t->error ? arena_str(t->vm->op->arena, t->error) : NULL);
}

static void remove_all(struct vm *vm)
{
    vm->op->step = STEP_REMOVE;
    task_run(op_task(vm, remove_work, remove_done));
}

/* ---- what each operation does with a machine that does not run ---- */

static void nothing_to_do(struct vm *vm)
{
    finish(vm, NULL);
}

static void start_again(struct vm *vm)
{
    halfway(vm);
    start(vm);
}

static void survey_absent(struct vm *vm)
{
    finish_survey(vm, vm->op->was_off ? SURVEY_POWERED_OFF : SURVEY_ABSENT);
}

static void go_on_absent(struct vm *vm)
{
    static void (*const next[])(struct vm *) = {
        [OP_CREATE] = create,      [OP_START] = start,        [OP_STOP] = nothing_to_do,
        [OP_REBOOT] = start_again, [OP_RELEASE] = remove_all, [OP_SURVEY] = survey_absent};
    struct op *op = vm->op;

    if (vm->lock_fd < 0 && (op->kind == OP_START || op->kind == OP_REBOOT)) {
        finish(vm, vm->dirfd == -ENOENT ? "the machine's directory is missing"
                                        : "the machine's directory cannot be locked");
        return;
    }
    next[op->kind](vm);
}

/* ---- and with one that runs ---- */

static void go_down(struct vm *vm)
{
    vm->op->step = STEP_DOWN;
    vm_power_off(vm, vm->op->force || vm->op->kind == OP_RELEASE || vm->op->kind == OP_START);
}

/* A machine that waits to be told who it is, by a daemon that died, was never started. */
static void go_down_at_once(struct vm *vm)
{
    vm->op->step = STEP_DOWN;
    vm_power_off(vm, true);
}

static void reset(struct vm *vm)
{
    if (!vm->op->force || vm->down || !vm->negotiated) {
        go_down(vm);
        return;
    }
    vm->op->step = STEP_RESET;
    halfway(vm);
    (void)qmp_call(vm->qmp, "cont", NULL, NULL, NULL); /* one that waits for its disk, too */
    (void)qmp_call(vm->qmp, "system_reset", NULL, NULL, NULL);
    loop_timer_set(vm->deadline, RESET_MS, 0);
}

/* Found running before: what an earlier daemon began is complete, and nothing is started twice. */
static void start_live(struct vm *vm)
{
    if (vm->down) /* it is on its way out, and nobody was told yet */
        go_down(vm);
    else
        finish_earlier_start(vm);
}

static void refuse_create(struct vm *vm)
{
    finish(vm, "the machine exists and runs");
}

static void survey_live(struct vm *vm)
{
    if (vm->down)
        go_down(vm);
    else
        finish_survey(vm, SURVEY_RUNNING);
}

static void go_on_live(struct vm *vm)
{
    static void (*const next[])(struct vm *) = {
        [OP_CREATE] = refuse_create, [OP_START] = start_live, [OP_STOP] = go_down,
        [OP_REBOOT] = reset,         [OP_RELEASE] = go_down,  [OP_SURVEY] = survey_live};

    next[vm->op->kind](vm);
}

/* ---- taken over ---- */

static bool is_off(const char *status)
{
    static const char *const off[] = {"shutdown", "guest-panicked", "internal-error"};

    for (size_t i = 0; i < ARRAY_LEN(off); i++)
        if (streq(status, off[i]))
            return true;
    return false;
}

static const char *off_reason(const char *status)
{
    return streq(status, "guest-panicked")   ? "the guest's kernel panicked"
           : streq(status, "internal-error") ? "the accelerator could not run the guest any further"
                                             : "the guest powered off";
}

static void port_work(struct task *t)
{
    t->error = netport_up(&t->port, t->dir, t->self, t->arena, &t->up);
}

/* A machine without a network is still one that runs. */
static void port_done(struct task *t)
{
    struct vm *vm = t->vm;
    int pidfd = t->up.switch_pidfd;

    t->up.switch_pidfd = -1;
    network_watch(vm->e, t->port.subnet, pidfd);
    vm->ssh_port = t->up.ssh_port;
    if (vm->live)
        started(vm);
    else
        finish(vm, "the machine's process died");
}

/* An earlier daemon got this far and could not tell any more; its port may be missing. */
static void finish_earlier_start(struct vm *vm)
{
    struct task *t = op_task(vm, port_work, port_done);

    netport_copy(&t->port, &vm->port);
    vm->op->step = STEP_PREPARE;
    task_run(t);
}

static void adopted(struct vm *vm, const char *status)
{
    struct op *op = vm->op;

    loop_timer_stop(vm->deadline);
    if (birth_marked(vm->dirfd)) {
        op->unborn = true;
        go_down_at_once(vm);
        return;
    }
    /* In prelaunch its daemon died between handing a prepared process over and `cont`. */
    if (is_off(status) || streq(status, "prelaunch")) {
        op->was_off = true;
        op->step = STEP_DOWN;
        vm->off_reason = off_reason(status);
        vm_power_off(vm, true);
        return;
    }
    if (streq(status, "io-error"))
        full_seen(vm);
    vm->ssh_port = (int)op->spec->ssh_port;
    if (netport_init(&vm->port, op->arena, vm->e->dir, op->spec)) {
        go_on_live(vm); /* what cannot be described cannot be brought back */
        return;
    }
    if (op->kind == OP_START) {
        finish_earlier_start(vm);
        return;
    }
    network_restore(vm);
    go_on_live(vm);
}

/* ---- what the process tells ---- */

void op_status(struct vm *vm, const char *status)
{
    struct op *op = vm->op;

    if (op && op->step == STEP_FIND) {
        adopted(vm, status);
        return;
    }
    if (is_off(status) && !vm->down) {
        vm->off_reason = off_reason(status);
        vm_power_off(vm, true);
    }
    if (streq(status, "io-error"))
        full_seen(vm);
    if (op && op->step == STEP_BOOT && op->restoring)
        birth_status(vm, status);
    else if (op && op->step == STEP_BOOT && streq(status, "running"))
        started(vm);
}

void op_born(struct vm *vm)
{
    if (vm->op && vm->op->step == STEP_BOOT)
        started(vm);
}

void op_reset_seen(struct vm *vm)
{
    if (vm->op && vm->op->step == STEP_RESET)
        started(vm);
}

void op_deadline(struct vm *vm)
{
    struct op *op = vm->op;

    if (vm->down == DOWN_KILLED) {
        vm->down = DOWN_NO;
        if (op)
            finish(vm, "the machine's process cannot be killed");
    } else if (op && op->step == STEP_FIND && vm->live) {
        not_found(vm);
    } else if (op && op->step == STEP_FIND) {
        find(vm);
    } else if (op && op->step == STEP_BOOT) {
        vm->off_reason = "QEMU did not answer";
        (void)vm_kill_holder(vm);
    } else if (op && op->step == STEP_RESET) {
        go_down(vm);
    }
}

/* Why it ended, if nobody asked it to. */
static const char *death_reason(struct vm *vm, struct arena *a, int status)
{
    CLEANUP(buf_done) struct buf log = {0};

    if (vm->off_reason)
        return vm->off_reason;
    vmdir_tail(vm->dirfd, "qemu.log", LOG_TAIL, &log);
    const char *said = reason_of(a, buf_cstr(&log));
    const char *how = status >= 0 ? reason_status(a, status) : "it was not our child";
    return said ? arena_fmt(a, "the machine's process died (%s): %s", how, said)
                : arena_fmt(a, "the machine's process died (%s)", how);
}

/* KVM passed every probe and a machine died under it at once all the same: once is enough. */
static bool demote(struct vm *vm, const char *why)
{
    struct engine *e = vm->e;
    char text[200];

    if ((vm->op && vm->op->spec->broken) || !e->accel.platform.kvm ||
        e->accel_request.wanted != ACCEL_AUTO ||
        loop_now_ms(e->loop) - vm->spawned_at > EARLY_DEATH_MS || !vm->spawned_at)
        return false;
    (void)snprintf(text, sizeof(text), "KVM failed a machine: %s", why);
    log_write(LOG_WARN, "machines run under TCG from now on", "instance", vm->id, "why", why, NULL);
    accel_demote(&e->accel_request, &e->accel, text);
    engine_describe(e);
    return true;
}

/* Its template was at fault, or the host too slow for it; not the machine. */
static void boot_instead(struct vm *vm, const char *why)
{
    templates_failed(vm->e->templates, vm->op->ask->key, why);
    vm->op->restoring = false;
    vm_forget(vm);
    leave_slot(vm);
    start_over(vm);
}

static void boot_failed(struct vm *vm, int status)
{
    struct op *op = vm->op;
    const char *why = death_reason(vm, op->arena, status);

    if (op->restoring) {
        boot_instead(vm, why);
        return;
    }
    bool again = op->handed || (!op->retried && demote(vm, why));

    vm_forget(vm);
    if (!again) {
        finish(vm, why);
        return;
    }
    op->retried = !op->handed;
    op->handed = false;
    leave_slot(vm);
    start_over(vm);
}

static void down_done(struct vm *vm)
{
    struct op *op = vm->op;

    vm_forget(vm);
    switch (op->kind) {
    case OP_REBOOT:
        halfway(vm);
        start_over(vm);
        break;
    case OP_START:
        start_over(vm);
        break;
    case OP_RELEASE:
        remove_all(vm);
        break;
    case OP_SURVEY:
        op->was_off = !op->unborn;
        survey_absent(vm);
        break;
    default:
        finish(vm, NULL);
    }
}

static void died_alone(struct vm *vm, int status)
{
    struct engine_host host = vm->e->host;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const char *why = death_reason(vm, a, status), *id = arena_str(a, vm->id);

    if (!vm->off_reason)
        (void)demote(vm, why);
    vm_free(vm);
    host.stopped(host.ctx, id, why);
}

void op_gone(struct vm *vm, int status)
{
    struct op *op = vm->op;

    if (!op) {
        died_alone(vm, status);
    } else if (op->step == STEP_BOOT) {
        boot_failed(vm, status);
    } else if (op->step == STEP_DOWN || op->step == STEP_RESET) {
        down_done(vm);
    } else {
        vm_forget(vm); /* STEP_NEW: its turn comes; STEP_PREPARE: the task will see */
        if (op->step == STEP_FIND)
            find(vm);
    }
}

/* ---- the beginning ---- */

static void run_op(struct vm *vm)
{
    bool keep = vm->op->kind == OP_START && !vm->op->reset_local && !is_troubled(vm->op->spec) &&
                prepared_waits(vm);

    if (vm->op->step == STEP_QUEUE)
        spawn(vm);
    else if (!keep && !prepared_gone(vm))
        return; /* its end leads here again */
    else if (vm->live)
        go_on_live(vm);
    else
        find(vm);
}

static void on_soon(void *arg)
{
    run_op(arg);
}

static bool leave_queue(struct vm *vm)
{
    struct engine *e = vm->e;

    for (struct vm **at = &e->queue; *at; at = &(*at)->next_queued)
        if (*at == vm) {
            *at = vm->next_queued;
            vm->next_queued = NULL;
            if (!*at)
                e->queue_end = at;
            return true;
        }
    return false;
}

/* A forced operation does not wait for the patience of the one before it, nor for its turn. */
void op_hurry(struct vm *vm)
{
    if (!vm->op)
        return;
    if (vm->op->kind == OP_STOP || vm->op->kind == OP_REBOOT)
        vm->op->force = true;
    if (vm->op->step == STEP_DOWN && vm->down == DOWN_ASKED)
        vm_power_off(vm, true);
    else if (vm->op->step == STEP_QUEUE && leave_queue(vm))
        finish(vm, "another operation took its place");
}

void op_begin(struct engine *e, enum op_kind kind, const struct machine *m, int64_t job, bool force,
              bool reset_local)
{
    struct vm *vm = vm_get(e, m->id);
    struct op *op = xcalloc(1, sizeof(*op)), **end = &vm->op;

    *op = (struct op){.kind = kind,
                      .job = job,
                      .force = force,
                      .reset_local = reset_local,
                      .spec = spec_new(m),
                      .arena = arena_new()};
    while (*end)
        end = &(*end)->next;
    *end = op;
    e->n_starts += makes_or_starts(op);
    if (!vm->soon)
        vm->soon = loop_timer_new(e->loop, on_soon, vm);
    if (vm->op == op)
        loop_timer_set(vm->soon, 0, 0);
    else if (force || kind == OP_RELEASE)
        op_hurry(vm);
}
