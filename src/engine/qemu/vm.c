/* A machine's process: spawned or found, watched, ended. */
#include "engine/qemu/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <time.h>

#include "base/log.h"
#include "base/map.h"
#include "base/util.h"
#include "engine/qemu/spec.h"
#include "engine/qemu/vmdir.h"
#include "net/child.h"

enum {
    PRESS_MS = 3000, /* a press during the first moments of a boot is lost */
    QUIT_MS = 2000,  /* from quit to SIGKILL */
    REAP_MS = 20000, /* from SIGKILL to giving up */
    RECONNECT_MS = 500,
    RECONNECT_TRIES = 20,
    MAX_KEYS = 64, /* and the descriptors before them */
    CALM_MS = 110,
    CALIBRATED_CPU_MS = 600,
    CALIBRATED_MS = 5000, /* for a guest that does nothing */
    GUEST_NICE = 10,      /* below the daemon and below machines that are still starting */
};

/* ---- a machine's record ---- */

static void on_deadline(void *arg);
static void on_press(void *arg);
static void on_again(void *arg);

struct vm *vm_find(struct engine *e, const char *id)
{
    return map_get(e->by_id, id);
}

struct vm *vm_get(struct engine *e, const char *id)
{
    struct vm *vm = vm_find(e, id);

    if (vm)
        return vm;
    vm = xcalloc(1, sizeof(*vm));
    *vm = (struct vm){
        .e = e, .next = e->vms, .id = xstrdup(id), .dirfd = -1, .lock_fd = -1, .pidfd = -1};
    vm->deadline = loop_timer_new(e->loop, on_deadline, vm);
    vm->press = loop_timer_new(e->loop, on_press, vm);
    vm->again = loop_timer_new(e->loop, on_again, vm);
    vm->full = loop_timer_new(e->loop, full_on_timer, vm);
    e->vms = vm;
    map_put(e->by_id, vm->id, vm);
    return vm;
}

void vm_forget(struct vm *vm)
{
    loop_timer_stop(vm->deadline);
    loop_timer_stop(vm->press);
    loop_timer_stop(vm->again);
    loop_timer_stop(vm->full);
    qmp_free(vm->qmp);
    harming_free(vm->harming);
    birth_free(vm->birth);
    loop_fd_free(vm->watch);
    close_p(&vm->pidfd);
    vm->qmp = NULL;
    vm->harming = NULL;
    vm->birth = NULL;
    vm->watch = NULL;
    vm->pidfd = -1;
    vm->pid = 0;
    vm->live = vm->negotiated = vm->restless = vm->full_tried = false;
    vm->full_ms = 0;
    vm->qmp_tries = 0;
    vm->down = DOWN_NO;
    vm->off_reason = NULL;
}

void vm_free(struct vm *vm)
{
    for (struct vm **at = &vm->e->vms; *at; at = &(*at)->next)
        if (*at == vm) {
            *at = vm->next;
            break;
        }
    (void)map_remove(vm->e->by_id, vm->id);
    vm_forget(vm);
    loop_timer_free(vm->deadline);
    loop_timer_free(vm->press);
    loop_timer_free(vm->again);
    loop_timer_free(vm->full);
    loop_timer_free(vm->soon);
    close_p(&vm->dirfd);
    close_p(&vm->lock_fd);
    netport_done(&vm->port);
    free(vm->id);
    free(vm);
}

/* ---- going down ---- */

static void set_down(struct vm *vm, enum down to, uint64_t deadline_ms)
{
    vm->down = to;
    loop_timer_set(vm->deadline, deadline_ms, 0);
}

/* Somebody waits for its end, which takes a processor too: a guest's memory is given back. */
static void full_priority(struct vm *vm)
{
    vm->restless = false;
    (void)process_priority(vm->pid, true);
}

static void kill_now(struct vm *vm)
{
    loop_timer_stop(vm->press);
    full_priority(vm);
    (void)child_kill(vm->pidfd, SIGKILL); /* gone already: its pidfd tells */
    set_down(vm, DOWN_KILLED, REAP_MS);
}

/* SIGTERM is QEMU's `quit`: disks are flushed and closed. Its main loop hears it at once, whereas
 * it reads a monitor command byte by byte. */
static void quit(struct vm *vm)
{
    loop_timer_stop(vm->press);
    full_priority(vm);
    (void)child_kill(vm->pidfd, SIGTERM); /* gone already: its pidfd tells */
    set_down(vm, DOWN_QUIT, QUIT_MS);
}

static void press_button(struct vm *vm)
{
    if (vm->negotiated) /* else the next press, or the grace's end, will do */
        (void)qmp_call(vm->qmp, "system_powerdown", NULL, NULL, NULL);
}

void vm_power_off(struct vm *vm, bool force)
{
    if (vm->down >= DOWN_QUIT || (vm->down == DOWN_ASKED && !force))
        return;
    if (force) {
        quit(vm);
        return;
    }
    press_button(vm);
    set_down(vm, DOWN_ASKED, (uint64_t)vm->e->grace_ms);
    loop_timer_set(vm->press, PRESS_MS, PRESS_MS);
}

static void on_press(void *arg)
{
    press_button(arg);
}

/* The one timer serves the way down and, when there is none, the step of the operation. */
static void on_deadline(void *arg)
{
    struct vm *vm = arg;

    if (vm->down == DOWN_ASKED)
        quit(vm);
    else if (vm->down == DOWN_QUIT)
        kill_now(vm);
    else
        op_deadline(vm);
}

/* ---- the monitor ---- */

static void connect_monitor(struct vm *vm);

static void on_again(void *arg)
{
    connect_monitor(arg);
}

static void on_status(void *arg, const json_t *result, const char *error)
{
    struct vm *vm = arg;
    const char *status = json_string_value(json_object_get(result, "status"));

    (void)error;
    if (status)
        op_status(vm, status);
}

static void ask_status(struct vm *vm)
{
    (void)qmp_call(vm->qmp, "query-status", NULL, on_status, vm); /* refused: it is being lost */
}

static void on_ready(void *arg)
{
    struct vm *vm = arg;

    vm->negotiated = true;
    vm->qmp_tries = 0;
}

static void powered_off(struct vm *vm, const char *reason)
{
    if (!vm->off_reason)
        vm->off_reason = reason;
    vm_power_off(vm, true); /* with -no-shutdown QEMU waits to be dismissed */
}

static void on_shutdown(struct vm *vm, const json_t *data)
{
    if (json_is_true(json_object_get(data, "guest")))
        powered_off(vm, "the guest powered off");
    else if (vm->down == DOWN_NO)
        vm->off_reason = "the machine's process was told to end from outside";
}

static void on_panic(struct vm *vm, const json_t *data)
{
    (void)data;
    powered_off(vm, "the guest's kernel panicked");
}

static void on_reset(struct vm *vm, const json_t *data)
{
    if (!json_is_true(json_object_get(data, "guest")))
        op_reset_seen(vm);
}

static void on_resume(struct vm *vm, const json_t *data)
{
    (void)data;
    if (vm->op)
        ask_status(vm);
}

static void on_io_error(struct vm *vm, const json_t *data)
{
    const char *node = json_string_value(json_object_get(data, "node-name"));

    log_write(LOG_DEBUG, "a disk returned an error", "instance", vm->id, "disk", node ? node : "",
              "full", json_is_true(json_object_get(data, "nospace")) ? "yes" : "no", NULL);
    const char *action = json_string_value(json_object_get(data, "action"));
    if (action && streq(action, "stop"))
        full_seen(vm);
}

static const struct {
    const char *name;
    void (*handle)(struct vm *vm, const json_t *data);
} events[] = {
    {"BLOCK_IO_ERROR", on_io_error}, {"GUEST_PANICKED", on_panic}, {"RESET", on_reset},
    {"RESUME", on_resume},           {"SHUTDOWN", on_shutdown},
};

static void on_event(void *arg, const char *name, const json_t *data)
{
    struct vm *vm = arg;

    log_write(LOG_DEBUG, "monitor", "instance", vm->id, "event", name, NULL);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (streq(events[i].name, name)) {
            events[i].handle(vm, data);
            return;
        }
}

/* The process may live on without its monitor for a while: somebody else may have it, or it is just
 * ending. */
static void on_closed(void *arg, const char *why)
{
    struct vm *vm = arg;

    log_write(LOG_DEBUG, "monitor lost", "instance", vm->id, "why", why, NULL);
    qmp_free(vm->qmp);
    harming_free(vm->harming);
    vm->harming = NULL;
    vm->qmp = NULL;
    vm->negotiated = false;
    if (vm->qmp_tries++ < RECONNECT_TRIES)
        loop_timer_set(vm->again, RECONNECT_MS, 0);
}

static struct qmp_handler handler_of(struct vm *vm)
{
    return (struct qmp_handler){
        .ready = on_ready, .event = on_event, .closed = on_closed, .arg = vm};
}

static void use_monitor(struct vm *vm, int fd)
{
    const struct qmp_handler handler = handler_of(vm);

    vm->qmp = qmp_new(vm->e->loop, fd, &handler);
    ask_status(vm);
}

static void connect_monitor(struct vm *vm)
{
    pid_t pid;
    int fd = vmdir_connect(vm->dirfd, &pid);

    if (fd >= 0)
        use_monitor(vm, fd);
    else if (vm->qmp_tries++ < RECONNECT_TRIES)
        loop_timer_set(vm->again, RECONNECT_MS, 0);
}

/* ---- the process ---- */

static void on_exit_(void *arg, unsigned ready)
{
    struct vm *vm = arg;
    int status = -1;

    (void)ready;
    if (child_reap(vm->pidfd, &status) == -EAGAIN)
        return;
    op_gone(vm, status);
}

static bool use_process(struct vm *vm, pid_t pid, int pidfd)
{
    vm->pid = pid;
    vm->pidfd = pidfd;
    vm->watch = loop_fd_new(vm->e->loop, pidfd, on_exit_, vm);
    if (!vm->watch)
        return false;
    loop_fd_want(vm->watch, LOOP_READ);
    vm->live = true;
    return true;
}

/*
 * Where the kernel shares processors out between sessions (sched_autogroup), a process's nice value
 * counts inside its own session only, and the session has one of its own. -EAGAIN: who is not root
 * may set it a few times a second.
 */
static int set_session(pid_t pid, int nice)
{
    char path[64], value[16];

    (void)snprintf(path, sizeof(path), "/proc/%d/autogroup", (int)pid);
    int n = snprintf(value, sizeof(value), "%d", nice);
    CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, value, (size_t)n) < 0 ? -errno : 0;
}

/* All its threads, and those that it will make: it leads a group and a session of its own. Refused:
 * it runs all the same. */
int process_priority(pid_t pid, bool full)
{
    int nice = full ? 0 : GUEST_NICE;

    if (pid <= 0)
        return 0;
    (void)setpriority(PRIO_PGRP, (id_t)pid, nice);
    return set_session(pid, nice);
}

/*
 * A Linux guest measures its timer against the processor's counter early in its boot. Under TCG,
 * without a processor for a tenth of a second just then, it finds the timer too slow, does without
 * one and hangs ("APIC frequency too slow"). So it has the weight of one that is starting until it
 * has had the processor's time that this takes.
 */
static bool is_past_calibration(const struct vm *vm)
{
    struct timespec used;
    clockid_t clock;

    return vm->e->accel.platform.kvm || loop_now_ms(vm->e->loop) >= vm->calm_at ||
           clock_getcpuclockid(vm->pid, &clock) || clock_gettime(clock, &used) < 0 ||
           used.tv_sec * 1000 + used.tv_nsec / 1000000 >= CALIBRATED_CPU_MS;
}

void engine_calm(void *arg)
{
    struct engine *e = arg;

    e->calming = false;
    for (struct vm *vm = e->vms; vm; vm = vm->next) {
        if (!vm->restless)
            continue;
        vm->restless = !is_past_calibration(vm) || process_priority(vm->pid, false) == -EAGAIN;
        e->calming |= vm->restless;
    }
    if (e->calming)
        loop_timer_set(e->calm, CALM_MS, 0);
}

void vm_lower_priority(struct vm *vm)
{
    vm->restless = vm->pid > 0;
    vm->calm_at = loop_now_ms(vm->e->loop) + CALIBRATED_MS;
    if (vm->restless && !vm->e->calming)
        loop_timer_set(vm->e->calm, CALM_MS, 0);
    vm->e->calming |= vm->restless;
}

void vm_record(struct vm *vm, const struct machine *spec, char **argv)
{
    const struct accel_result *accel = &vm->e->accel;
    json_t *args = json_array();

    for (char **a = argv; *a; a++)
        (void)json_array_append_new(args, json_string(*a)); /* fails without memory only */
    json_t *j = json_pack("{s:s,s:s,s:s,s:o}", "accel", accel->platform.kvm ? "kvm" : "tcg",
                          "machine", args_machine_type(spec), "qemu", accel->version, "argv", args);
    char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
    if (text)
        (void)vmdir_write(vm->dirfd, "machine.json", text); /* only for who looks for a fault */
    free(text);
    json_decref(j);
}

/* The keys' pipes, from fds[FD_FIRST_KEY - 3] on. 0 or a negative errno; *n counts what must be
 * closed. */
static int add_keys(const struct machine *spec, int *fds, size_t *n)
{
    for (size_t i = 0; i < spec->n_disks; i++) {
        if (!spec->disks[i].encrypted)
            continue;
        if (*n == MAX_KEYS)
            return -E2BIG;
        int key = spec_key_pipe(&spec->disks[i].data_key);
        if (key < 0)
            return key;
        fds[(*n)++] = key;
    }
    return 0;
}

static int spawn(struct vm *vm, const struct machine *spec, const struct template_ask *from,
                 char **argv, int monitor, int log)
{
    int fds[MAX_KEYS + TEMPLATE_FDS] = {vm->lock_fd, monitor}, pidfd;
    size_t n = 2;
    pid_t pid;
    int e = add_keys(spec, fds, &n);

    if (from) {
        fds[n] = from->ram;
        fds[n + 1] = from->state;
    }
    if (!e)
        e = child_spawn(&(struct child_spec){.path = vm->e->accel_request.qemu,
                                             .argv = argv,
                                             .fds = fds,
                                             .n_fds = n + (from ? TEMPLATE_FDS : 0),
                                             .in_fd = -1,
                                             .out_fd = log,
                                             .new_session = true},
                        &pid, &pidfd);
    while (n > 2)
        (void)close(fds[--n]); /* QEMU has the only copy now */
    if (e)
        return e;
    vm->spawned_at = loop_now_ms(vm->e->loop);
    if (!use_process(vm, pid, pidfd))
        abort(); /* a pidfd can be watched */
    return 0;
}

const char *vm_spawn(struct vm *vm, const struct machine *spec, const struct image_files *image,
                     const struct template_ask *from, struct arena *a)
{
    char **argv = args_build(a, spec, image, &vm->e->accel.platform);
    const int log_flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW;

    if (from)
        argv = template_restore_args(a, argv, spec, FD_FIRST_KEY + (int)spec_n_keys(spec));
    vmdir_tidy(vm->dirfd);
    if (from && birth_mark(vm->dirfd) < 0)
        return "the machine's directory cannot be written";
    CLEANUP(close_p) int monitor = vmdir_listen(vm->dirfd);
    if (monitor < 0)
        return arena_fmt(a, "the monitor's socket cannot be made: %s", strerror(-monitor));
    CLEANUP(close_p) int log = openat(vm->dirfd, "qemu.log", log_flags, 0600);
    if (log < 0)
        return arena_fmt(a, "the machine's log cannot be made: %s", strerror(errno));
    int e = spawn(vm, spec, from, argv, monitor, log);
    close_p(&vm->lock_fd); /* QEMU holds it now; when there is none it is free */
    vm->lock_fd = -1;
    if (e)
        return arena_fmt(a, "QEMU does not start: %s", strerror(-e));
    connect_monitor(vm);
    vm_record(vm, spec, argv);
    return NULL;
}

void vm_take_over(struct vm *vm, pid_t pid, int pidfd, struct qmp *q)
{
    const struct qmp_handler handler = handler_of(vm);

    vm->spawned_at = loop_now_ms(vm->e->loop);
    if (!use_process(vm, pid, pidfd))
        abort();                       /* a pidfd can be watched */
    (void)process_priority(pid, true); /* until it runs */
    vm->qmp = q;
    vm->negotiated = true;
    qmp_set_handler(q, &handler);
    (void)qmp_call(q, "cont", NULL, NULL, NULL); /* refused: the status, or the deadline, tells */
    ask_status(vm);
}

/* The process behind `pid` if, and only if, it is this machine's: a pidfd. */
static int open_holder(struct vm *vm, pid_t pid)
{
    int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;

    /* Looked at after the pidfd is open: the number cannot change its meaning any more. */
    if (pidfd >= 0 && vmdir_holds(vm->dirfd, pid))
        return pidfd;
    close_p(&pidfd);
    return -1;
}

bool vm_adopt(struct vm *vm)
{
    pid_t pid;
    CLEANUP(close_p) int fd = vmdir_connect(vm->dirfd, &pid);

    if (fd < 0)
        return false;
    int pidfd = open_holder(vm, pid);
    if (pidfd < 0 || !use_process(vm, pid, pidfd)) {
        close_p(&pidfd);
        return false;
    }
    use_monitor(vm, fd_take(&fd));
    return true;
}

bool vm_watch_holder(struct vm *vm)
{
    int pidfd = open_holder(vm, vmdir_holder(vm->dirfd));

    if (pidfd < 0 || !use_process(vm, 0, pidfd)) {
        close_p(&pidfd);
        return false;
    }
    loop_timer_set(vm->again, RECONNECT_MS, 0);
    return true;
}

bool vm_kill_holder(struct vm *vm)
{
    if (!vm->live && !vm_watch_holder(vm))
        return false;
    kill_now(vm);
    return true;
}
