/*
 * The driver with real machines: an image made by guest/build.sh is named by OSTLER_GUEST. Each
 * story runs the loop until an event or a deadline; at most two machines run at once. This program
 * is the switch, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/log.h"
#include "engine/qemu/args.h"
#include "engine/qemu/netport.h"
#include "engine/qemu/vmdir.h"
#include "engine/switch/control.h"
#include "engine/switch/switch.h"
#include "net/child.h"
#include "net/loop.h"

/* Last: it defines fail as a macro. */
#include <cmocka.h>

enum { SOON_MS = 60000, BOOT_MS = 120000, GRACE_MS = 40000, TICK_MS = 10, SERIAL_MAX = 1 << 20 };

#define SUBNET "vsw-test"

struct bench {
    char dir[64];
    const char *image;
    struct loop *loop;
    struct loop_timer *tick;
    struct engine *engine;
    struct engine_config config;
    bool (*until)(struct bench *b);
    uint64_t deadline;
    bool met;
    /* what the engine told */
    int64_t done_job, next_job;
    char *error, *reason;
    int64_t ssh_port;
    int n_done, n_stopped, n_surveyed;
    enum survey survey;
    /* what a condition looks for */
    const char *id, *text;
    int times;
    pid_t pid;
    int serial;       /* a client of a machine's console; -1 none */
    size_t n_halfway; /* reboots that were off and came up again */
};

static char self[256];

/* ---- what the engine tells ---- */

static void on_done(void *ctx, const char *inst, int64_t job, const struct outcome *o)
{
    struct bench *b = ctx;

    assert_true(*inst);
    free(b->error);
    b->error = o->error ? xstrdup(o->error) : NULL;
    b->ssh_port = o->ssh_port;
    b->done_job = job;
    b->n_done++;
}

static void on_halfway(void *ctx, const char *inst, int64_t job)
{
    struct bench *b = ctx;

    (void)inst;
    (void)job;
    b->n_halfway++;
}

static void on_stopped(void *ctx, const char *inst, const char *reason)
{
    struct bench *b = ctx;

    assert_true(*inst);
    free(b->reason);
    b->reason = xstrdup(reason);
    b->n_stopped++;
}

static void on_surveyed(void *ctx, const char *inst, enum survey what)
{
    struct bench *b = ctx;

    assert_true(*inst);
    b->survey = what;
    b->n_surveyed++;
}

static void on_waits(void *ctx, const char *inst, const char *why)
{
    (void)ctx;
    (void)why;
    assert_true(*inst);
}

static void on_harmed(void *ctx, const char *inst, const char *error)
{
    (void)ctx;
    (void)error;
    assert_true(*inst);
}

/* ---- waiting ---- */

/* A console client that does not read stops the guest's console after some hundred bytes, and the
 * log with it. */
static void drain_serial(struct bench *b)
{
    char some[4096];

    while (b->serial >= 0 && recv(b->serial, some, sizeof(some), MSG_DONTWAIT) > 0)
        ;
}

static void on_tick(void *arg)
{
    struct bench *b = arg;

    drain_serial(b);
    b->met = b->until(b);
    if (b->met || loop_now_ms(b->loop) >= b->deadline)
        loop_stop(b->loop);
}

static bool wait_for(struct bench *b, bool (*until)(struct bench *b), uint64_t ms)
{
    b->until = until;
    b->met = false;
    b->deadline = loop_now_ms(b->loop) + ms;
    loop_timer_set(b->tick, TICK_MS, TICK_MS);
    (void)loop_run(b->loop);
    loop_timer_stop(b->tick);
    return b->met;
}

static bool is_done(struct bench *b)
{
    return b->done_job == b->next_job;
}

static bool is_stopped(struct bench *b)
{
    return b->n_stopped > 0;
}

static bool is_surveyed(struct bench *b)
{
    return b->n_surveyed > 0;
}

static int open_dir(struct bench *b, const char *id)
{
    return vmdir_open(b->dir, id, false);
}

static int count_serial(struct bench *b, const char *id, const char *text)
{
    CLEANUP(close_p) int fd = open_dir(b, id);
    CLEANUP(buf_done) struct buf log = {0};
    int n = 0;

    if (fd < 0)
        return 0;
    vmdir_tail(fd, "serial.log", SERIAL_MAX, &log);
    for (const char *at = buf_cstr(&log); (at = strstr(at, text)); at++)
        n++;
    return n;
}

static bool is_written(struct bench *b)
{
    return count_serial(b, b->id, b->text) >= b->times;
}

/* Waits until the guest has written this so many times. */
static void expect_serial(struct bench *b, const char *id, const char *text, int times)
{
    b->id = id;
    b->text = text;
    b->times = times;
    if (!wait_for(b, is_written, BOOT_MS))
        fail_msg("'%s' did not come %d times", text, times);
}

static pid_t pid_of(struct bench *b, const char *id)
{
    CLEANUP(close_p) int fd = open_dir(b, id);

    return fd < 0 ? 0 : vmdir_holder(fd);
}

static bool is_gone(struct bench *b)
{
    return !pid_of(b, b->id);
}

/* Asks the monitor, which no engine holds. */
static bool says_shutdown(struct bench *b)
{
    static const char ask[] =
        "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"query-status\"}\n";
    CLEANUP(close_p) int dir = open_dir(b, b->id);
    CLEANUP(buf_done) struct buf said = {0};
    pid_t pid;
    CLEANUP(close_p) int fd = vmdir_connect(dir, &pid);

    if (fd < 0 || send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) < 0)
        return false;
    while (!strstr(buf_cstr(&said), "\"status\"")) {
        char part[512];
        ssize_t n = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 2000) > 0
                        ? recv(fd, part, sizeof(part), 0)
                        : 0;

        if (n <= 0)
            return false;
        buf_add(&said, part, (size_t)n);
    }
    return strstr(buf_cstr(&said), "\"shutdown\"") != NULL;
}

/* ---- operations, each to its end ---- */

static const char *ended(struct bench *b)
{
    if (!wait_for(b, is_done, BOOT_MS))
        fail_msg("the operation did not end");
    return b->error;
}

static void expect_ok(struct bench *b)
{
    const char *error = ended(b);

    if (error)
        fail_msg("%s", error);
}

static void expect_error(struct bench *b, const char *text)
{
    const char *error = ended(b);

    if (!error || !strstr(error, text))
        fail_msg("'%s' instead of '%s'", error ? error : "no error", text);
}

static void create(struct bench *b, const struct machine *m)
{
    engine_qemu.create(b->engine, m, ++b->next_job);
    expect_ok(b);
}

static void start(struct bench *b, const struct machine *m)
{
    engine_qemu.start(b->engine, m, ++b->next_job, false);
    expect_ok(b);
    assert_true(b->ssh_port > 0);
    assert_true(pid_of(b, m->id) > 0);
}

static void stop(struct bench *b, const struct machine *m, bool force)
{
    engine_qemu.stop(b->engine, m, ++b->next_job, force);
    expect_ok(b);
    assert_int_equal(pid_of(b, m->id), 0);
}

static enum survey survey(struct bench *b, const struct machine *m)
{
    b->n_surveyed = 0;
    engine_qemu.survey(b->engine, m);
    if (!wait_for(b, is_surveyed, SOON_MS))
        fail_msg("the survey did not end");
    return b->survey;
}

static const char *stopped_reason(struct bench *b)
{
    if (!wait_for(b, is_stopped, BOOT_MS))
        fail_msg("nobody told that the machine stopped");
    b->n_stopped = 0;
    return b->reason;
}

static void open_engine(struct bench *b)
{
    const struct engine_host host = {.done = on_done,
                                     .halfway = on_halfway,
                                     .stopped = on_stopped,
                                     .surveyed = on_surveyed,
                                     .waits = on_waits,
                                     .harmed = on_harmed,
                                     .ctx = b};
    struct fail f = {0};

    if (engine_qemu.open(b->loop, &b->config, &host, &b->engine, &f))
        fail_msg("%s", f.detail);
}

static void reopen_engine(struct bench *b)
{
    engine_qemu.close(b->engine);
    open_engine(b);
}

/* ---- the serial console ---- */

static void hang_up(struct bench *b)
{
    close_p(&b->serial);
    b->serial = -1;
}

/* The line stays open: QEMU may drop what it has not read when a client leaves. */
static void dial(struct bench *b, const char *id)
{
    CLEANUP(close_p) int dir = open_dir(b, id);
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    hang_up(b);
    b->serial = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/serial.sock", dir);
    assert_int_equal(connect(b->serial, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void type(struct bench *b, const char *text)
{
    assert_int_equal(send(b->serial, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void run_in_guest(struct bench *b, const char *id, const char *command)
{
    expect_serial(b, id, "login: ", 1);
    dial(b, id);
    type(b, "root\n");
    expect_serial(b, id, "\033[6n", 1); /* the shell asks for the cursor, then it listens */
    type(b, command);
}

/* ---- machines ---- */

static const struct machine_disk one_disk = {.id = "d-sys", .kind = DISK_SYSTEM, .size_gib = 2};

static struct machine machine(struct bench *b, int n)
{
    static const char *const ids[] = {"i-one", "i-two"};
    static const char *const ips[] = {"172.16.0.11", "172.16.0.12"};
    static const char *const macs[] = {"00:16:3e:00:00:01", "00:16:3e:00:00:02"};
    static const char *const trees[] = {"{\"instance-id\":\"i-one\",\"hostname\":\"one\"}",
                                        "{\"instance-id\":\"i-two\",\"hostname\":\"two\"}"};

    return (struct machine){.id = ids[n],
                            .name = ids[n],
                            .hostname = ids[n],
                            .cpu = 1,
                            .memory_mib = 128,
                            .image = "m-tiny",
                            .image_path = b->image,
                            .direct_kernel = true,
                            .disks = &one_disk,
                            .n_disks = 1,
                            .subnet = SUBNET,
                            .cidr = "172.16.0.0/24",
                            .ip = ips[n],
                            .mac = macs[n],
                            .serial = "8d9b8c7e-0000-4000-8000-000000000001",
                            .metadata = trees[n],
                            .user_data = ""};
}

/* ---- each test's place ---- */

static int switch_dir(struct bench *b)
{
    CLEANUP(free_p) char *path = xasprintf("%s/switches/" SUBNET, b->dir);

    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static pid_t switch_pid(struct bench *b)
{
    CLEANUP(close_p) int fd = switch_dir(b);
    pid_t pid = 0;

    return fd >= 0 && switch_is_running(fd, &pid) == 1 ? pid : 0;
}

static int bench_open(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    *state = b;
    b->serial = -1;
    b->image = getenv("OSTLER_GUEST");
    if (!b->image)
        return 0;
    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/ostler-machine-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    assert_int_equal(loop_new(&b->loop), 0);
    b->tick = loop_timer_new(b->loop, on_tick, b);
    b->config = (struct engine_config){
        .dir = b->dir, .self = self, .accel = ACCEL_AUTO, .stop_grace_ms = GRACE_MS};
    open_engine(b);
    return 0;
}

static void end_process(pid_t pid)
{
    CLEANUP(close_p) int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
    int status;

    if (fd < 0)
        return;
    (void)child_kill(fd, SIGKILL);
    (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, SOON_MS);
    (void)child_reap(fd, &status); /* ours, or an earlier engine's */
}

static int bench_close(void **state)
{
    static const char *const ids[] = {"i-one", "i-two"};
    struct bench *b = *state;

    if (b->image) {
        engine_qemu.close(b->engine);
        hang_up(b);
        for (size_t i = 0; i < ARRAY_LEN(ids); i++)
            end_process(pid_of(b, ids[i]));
        end_process(switch_pid(b));
        loop_timer_free(b->tick);
        loop_free(b->loop);
        CLEANUP(free_p) char *command = xasprintf("rm -rf '%s'", b->dir);
        assert_int_equal(system(command), 0);
    }
    free(b->error);
    free(b->reason);
    free(b);
    return 0;
}

static struct bench *need_guest(void **state)
{
    struct bench *b = *state;

    if (!b->image) {
        print_message("no guest image: OSTLER_GUEST is not set\n");
        skip();
    }
    return b;
}

/* ---- the stories ---- */

static void test_life(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    print_message("%s\n", engine_qemu.describe(b->engine));
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "directory is missing");
    create(b, &m);
    create(b, &m); /* again, as after a crash */
    start(b, &m);
    expect_serial(b, m.id, "i-one is up: 172.16.0.11", 1);

    pid_t pid = pid_of(b, m.id);
    start(b, &m); /* it runs: that is well, and nothing is started */
    assert_int_equal(pid_of(b, m.id), pid);
    assert_int_equal(survey(b, &m), SURVEY_RUNNING);
    assert_int_equal(pid_of(b, m.id), pid);

    stop(b, &m, false);
    stop(b, &m, false); /* it does not run: well done */
    assert_int_equal(survey(b, &m), SURVEY_ABSENT);
    start(b, &m);
    expect_serial(b, m.id, "i-one is up:", 2);
    stop(b, &m, true);
    assert_int_equal(b->n_stopped, 0); /* all of it was asked for */
}

static void test_reboot(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    start(b, &m);
    pid_t pid = pid_of(b, m.id);
    run_in_guest(b, m.id, "reboot\n");
    expect_serial(b, m.id, "is up:", 2);
    assert_int_equal(b->n_stopped, 0); /* a guest that reboots keeps running */
    assert_int_equal(pid_of(b, m.id), pid);

    engine_qemu.reboot(b->engine, &m, ++b->next_job, true);
    expect_ok(b);
    assert_int_equal(pid_of(b, m.id), pid); /* reset, not started anew */
    expect_serial(b, m.id, "is up:", 3);
    engine_qemu.reboot(b->engine, &m, ++b->next_job, false);
    expect_ok(b);
    assert_true(b->ssh_port > 0);
    assert_int_not_equal(pid_of(b, m.id), pid);
    expect_serial(b, m.id, "is up:", 4);
    assert_int_equal(b->n_halfway, 2); /* once each */
    assert_int_equal(b->n_stopped, 0);
}

/* A forced operation does not sit out the grace of the one before it. */
static void test_force_cuts_grace_short(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    start(b, &m);
    kill(pid_of(b, m.id), SIGSTOP); /* a guest that does not hear the button, nor QEMU `quit` */
    uint64_t before = loop_now_ms(b->loop);
    engine_qemu.stop(b->engine, &m, ++b->next_job, false);
    engine_qemu.stop(b->engine, &m, ++b->next_job, true);
    expect_ok(b);
    assert_true(loop_now_ms(b->loop) - before < GRACE_MS / 2);
    assert_int_equal(b->n_done, 4);
    assert_int_equal(pid_of(b, m.id), 0);
}

static void test_guest_powers_off(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    start(b, &m);
    run_in_guest(b, m.id, "poweroff\n");
    assert_string_equal(stopped_reason(b), "the guest powered off");
    assert_int_equal(pid_of(b, m.id), 0);
    start(b, &m); /* at once */
}

static void test_guest_panics(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    start(b, &m);
    run_in_guest(b, m.id, "echo c >/proc/sysrq-trigger\n");
    assert_string_equal(stopped_reason(b), "the guest's kernel panicked");
}

static void test_process_is_killed(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    start(b, &m);
    assert_int_equal(kill(pid_of(b, m.id), SIGKILL), 0);
    assert_string_equal(stopped_reason(b), "the machine's process died (killed by signal 9)");
    assert_int_equal(survey(b, &m), SURVEY_ABSENT);
    start(b, &m);
}

/* The daemon ends and comes back: the machine never notices. */
static void test_adoption(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0), m2 = machine(b, 1);

    create(b, &m);
    create(b, &m2);
    start(b, &m);
    start(b, &m2);
    expect_serial(b, m.id, "is up:", 1);
    pid_t pid = pid_of(b, m.id), gone = pid_of(b, m2.id);

    engine_qemu.close(b->engine);
    end_process(gone); /* while nobody looks */
    open_engine(b);
    assert_int_equal(survey(b, &m2), SURVEY_ABSENT);
    assert_int_equal(survey(b, &m), SURVEY_RUNNING);
    assert_int_equal(pid_of(b, m.id), pid);

    reopen_engine(
        b); /* and once more, without a survey: a start that an earlier daemon had begun */
    start(b, &m);
    assert_int_equal(pid_of(b, m.id), pid);

    reopen_engine(b);
    run_in_guest(b, m.id, "cut -d. -f1 /proc/uptime; echo up=$?; poweroff\n");
    expect_serial(b, m.id, "up=0", 1);
    b->id = m.id;
    assert_true(wait_for(b, says_shutdown, SOON_MS));     /* nobody was there to see it happen */
    assert_int_equal(count_serial(b, m.id, "is up:"), 1); /* one boot, through three daemons */
    assert_int_equal(pid_of(b, m.id), pid);               /* it waits to be asked how it ended */
    assert_int_equal(survey(b, &m), SURVEY_POWERED_OFF);
    assert_int_equal(pid_of(b, m.id), 0);
    assert_int_equal(b->n_stopped, 0);
}

/* Two daemons on one directory: the second does not start a second QEMU, and does not kill the
 * first's. */
static void test_never_twice(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);
    struct engine *first = b->engine;

    create(b, &m);
    start(b, &m);
    pid_t pid = pid_of(b, m.id);
    open_engine(b);
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "under somebody else's control");
    assert_int_equal(pid_of(b, m.id), pid);
    engine_qemu.close(b->engine);
    b->engine = first;
    stop(b, &m, true);
}

/* Somebody holds the lock and does not answer: it may be a guest on a crowded host, so a survey
 * leaves it alone; a stop that is asked for ends it. */
static void test_mute_holder_is_ended(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);
    char *argv[] = {(char[]){"sleep"}, (char[]){"600"}, NULL};
    int pidfd;
    pid_t pid;

    create(b, &m);
    CLEANUP(close_p) int dir = open_dir(b, m.id);
    int lock = vmdir_lock(dir);
    assert_true(lock >= 0);
    assert_int_equal(
        child_spawn(
            &(struct child_spec){
                .path = "sleep", .argv = argv, .fds = &lock, .n_fds = 1, .in_fd = -1, .out_fd = -1},
            &pid, &pidfd),
        0);
    (void)close(lock);
    (void)close(pidfd);
    assert_int_equal(pid_of(b, m.id), pid);
    assert_int_equal(survey(b, &m), SURVEY_RUNNING);
    assert_int_equal(pid_of(b, m.id), pid);
    stop(b, &m, true);
    start(b, &m);
}

static bool has_new_switch(struct bench *b)
{
    CLEANUP(close_p) int fd = switch_dir(b);
    CLEANUP(buf_done) struct buf line = {0}, answer = {0};
    pid_t pid = switch_pid(b);

    return pid && pid != b->pid && !switch_req_list(&line) &&
           !switch_call(fd, line.data, 1000, &answer) && strstr(buf_cstr(&answer), b->id);
}

/* The network process dies: a new one serves the machine, which went on running. */
static void test_switch_dies(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    start(b, &m);
    expect_serial(b, m.id, "is up: 172.16.0.11", 1);
    b->pid = switch_pid(b);
    b->id = m.id;
    assert_true(b->pid > 0);
    assert_int_equal(kill(b->pid, SIGKILL), 0);
    assert_true(wait_for(b, has_new_switch, SOON_MS));
    /* The same after the daemon came back: the switch is not our child then. */
    reopen_engine(b);
    assert_int_equal(survey(b, &m), SURVEY_RUNNING);
    assert_true(wait_for(b, has_new_switch, SOON_MS)); /* still there */
    engine_qemu.reboot(b->engine, &m, ++b->next_job, true);
    expect_ok(b);
    expect_serial(b, m.id, "is up: 172.16.0.11", 2); /* with an address, from the new one */
    assert_int_equal(b->n_stopped, 0);
}

static void test_encrypted(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);
    static const unsigned char raw[32] = {0x00, 0x01, 0xff, 0x0a, 0x80, 0x27, 0x2c};
    static const unsigned char raw2[32] = {0x00, 0x02, 0xff, 0x0a, 0x80, 0x27, 0x2c};
    const struct bytes key = {.data = raw, .len = sizeof(raw)};
    const struct bytes other = {.data = raw2, .len = sizeof(raw2)};
    struct machine_disk disks[] = {
        {.id = "d-sys", .kind = DISK_SYSTEM, .size_gib = 2, .encrypted = true, .data_key = key},
        {.id = "d-data", .kind = DISK_DATA, .size_gib = 1, .encrypted = true, .data_key = other}};

    m.disks = disks;
    m.n_disks = 2;
    create(b, &m);
    CLEANUP(close_p) int dir = open_dir(b, m.id);
    CLEANUP(close_p) int file = openat(dir, "system.qcow2", O_RDONLY | O_CLOEXEC);
    char head[64 << 10] = "";
    assert_true(pread(file, head, sizeof(head), 0) > 512);
    assert_int_equal(head[35], 2); /* crypt_method of a qcow2 header: LUKS */
    start(b, &m);
    expect_serial(b, m.id, "is up:", 1);
    stop(b, &m, true);

    disks[1].data_key = key;
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "does not open with its key");
    disks[1].data_key = (struct bytes){0};
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "its key is not at hand");
}

static void test_disks(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);
    struct machine_disk disks[] = {{.id = "d-sys", .kind = DISK_SYSTEM, .size_gib = 2},
                                   {.id = "d-data", .kind = DISK_DATA, .size_gib = 1},
                                   {.id = "d-local", .kind = DISK_LOCAL, .size_gib = 1}};

    m.disks = disks;
    m.n_disks = 3;
    create(b, &m);
    CLEANUP(close_p) int dir = open_dir(b, m.id);
    disks[2].failed = true;
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "disk d-local is broken");
    assert_int_equal(unlinkat(dir, "d-local.qcow2", 0), 0);
    disks[2].failed = false;
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "the file of disk d-local is missing");
    engine_qemu.start(b->engine, &m, ++b->next_job, true);
    expect_ok(b);
    assert_int_equal(faccessat(dir, "d-local.qcow2", F_OK, 0), 0);
    stop(b, &m, true);

    assert_int_equal(unlinkat(dir, "d-data.qcow2", 0), 0);
    engine_qemu.start(b->engine, &m, ++b->next_job, true);
    expect_error(b, "the file of disk d-data is missing"); /* its data is never made up */
    disks[0].failed = true;
    engine_qemu.start(b->engine, &m, ++b->next_job, true);
    expect_error(b, "disk d-sys is broken");
    m.image_path = "/nonexistent";
    engine_qemu.start(b->engine, &m, ++b->next_job, true);
    expect_error(b, "the image's directory");
    m.image_path = b->image;
    disks[0].failed = false;
    m.n_disks = 1;
    assert_int_equal(vmdir_write(dir, "system.qcow2", "no disk"), 0);
    engine_qemu.start(b->engine, &m, ++b->next_job, false);
    expect_error(b, "the machine's process died (exit code 1)");
}

static void test_release(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0), m2 = machine(b, 1);

    create(b, &m);
    create(b, &m2);
    start(b, &m);
    engine_qemu.release(b->engine, &m, ++b->next_job);
    expect_ok(b);
    assert_int_equal(open_dir(b, m.id), -ENOENT);
    CLEANUP(close_p) int fd = switch_dir(b);
    CLEANUP(buf_done) struct buf line = {0}, answer = {0};
    assert_int_equal(switch_req_list(&line), 0);
    assert_int_equal(switch_call(fd, line.data, 5000, &answer), 0);
    assert_null(strstr(buf_cstr(&answer), m.id));
    engine_qemu.release(b->engine, &m2, ++b->next_job); /* never started */
    expect_ok(b);
    engine_qemu.release(b->engine, &m, ++b->next_job); /* gone already */
    expect_ok(b);
    assert_int_equal(b->n_stopped, 0);
}

/* A disk that survives its instance is moved out of the way of its directory's end. */
static void test_kept_disk(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);
    struct machine_disk disks[] = {
        one_disk, {.id = "d-kept", .kind = DISK_DATA, .size_gib = 1, .slot = 1, .keep = true}};
    CLEANUP(free_p) char *kept = xasprintf("%s/disks/d-kept.qcow2", b->dir);

    m.disks = disks;
    m.n_disks = ARRAY_LEN(disks);
    create(b, &m);
    assert_int_not_equal(access(kept, F_OK), 0);
    engine_qemu.release(b->engine, &m, ++b->next_job);
    expect_ok(b);
    assert_int_equal(access(kept, F_OK), 0);
    assert_int_equal(open_dir(b, m.id), -ENOENT);
}

/* Closing in the middle of anything: no callback comes any more, and what runs can be found again.
 */
static void test_close_midway(void **state)
{
    static const int waits[] = {0, 1, 5, 20, 60};
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    create(b, &m);
    int n_done = b->n_done;
    for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
        engine_qemu.start(b->engine, &m, ++b->next_job, false);
        (void)wait_for(b, is_done, (uint64_t)waits[i]);
        if (b->done_job == b->next_job)
            n_done++;
        engine_qemu.close(b->engine);
        b->id = m.id;
        (void)wait_for(b, is_gone, 300);
        assert_int_equal(b->n_done, n_done);
        open_engine(b);
        (void)survey(b, &m);
        stop(b, &m, true);
        n_done++;
    }
    assert_int_equal(b->n_stopped, 0);
}

/* A KVM that passes every probe and fails the first machine: the machine starts all the same, under
 * TCG. */
static void test_kvm_demotion(void **state)
{
    static const char fake[] = "#!/bin/sh\n"
                               "case \" $* \" in\n"
                               "*isa-debug-exit*) printf RPLK; exit 85;;\n"
                               "*' kvm '*' -serial stdio '*) echo 'Run /init'; exec sleep 60;;\n"
                               "*' kvm '*) echo 'kvm: it broke' >&2; exit 1;;\n"
                               "esac\n"
                               "PATH=${PATH#*:} exec qemu-system-x86_64 \"$@\"\n";
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        print_message("this host has no /dev/kvm to open\n");
        skip();
    }
    CLEANUP(free_p) char *bin = xasprintf("%s/bin", b->dir);
    CLEANUP(free_p) char *program = xasprintf("%s/qemu-system-x86_64", bin);
    CLEANUP(free_p) char *images = xasprintf("%s/images", b->dir);
    CLEANUP(free_p) char *image = xasprintf("%s/tiny", images);
    CLEANUP(free_p) char *before = xstrdup(getenv("PATH"));
    CLEANUP(free_p) char *path = xasprintf("%s:%s", bin, before);
    assert_int_equal(mkdir(bin, 0700), 0);
    assert_int_equal(mkdir(images, 0700), 0);
    assert_int_equal(symlink(b->image, image), 0);
    int fd = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    assert_int_equal(write(fd, fake, sizeof(fake) - 1), sizeof(fake) - 1);
    assert_int_equal(close(fd), 0);
    assert_int_equal(setenv("PATH", path, 1), 0);
    reopen_engine(b);
    assert_non_null(strstr(engine_qemu.describe(b->engine), ", KVM"));
    create(b, &m);
    start(b, &m);
    assert_non_null(strstr(engine_qemu.describe(b->engine), "TCG (KVM failed a machine: "));
    expect_serial(b, m.id, "is up:", 1);
    reopen_engine(b);
    assert_non_null(strstr(engine_qemu.describe(b->engine), "TCG (KVM failed a machine: "));
    assert_int_equal(setenv("PATH", before, 1), 0);
}

#define STORY(t) cmocka_unit_test_setup_teardown(t, bench_open, bench_close)

/* ---- processes started ahead ---- */

static pid_t prepared_pid(struct bench *b, const char *id)
{
    CLEANUP(free_p) char *path = xasprintf("%s/prepared/%s", b->dir, id);
    CLEANUP(close_p) int mark = open(path, O_RDONLY | O_CLOEXEC);

    return mark < 0 ? 0 : vmdir_find_holder(mark, FD_FIRST_KEY);
}

static bool is_prepared(struct bench *b)
{
    return strstr(engine_qemu.describe(b->engine), ", 1 of 1 prepared") != NULL;
}

static void prepare_one(struct bench *b)
{
    b->config.prepared = 1;
    reopen_engine(b);
}

static pid_t await_prepared(struct bench *b, const char *id)
{
    if (!wait_for(b, is_prepared, SOON_MS))
        fail_msg("nothing was prepared: %s", engine_qemu.describe(b->engine));
    pid_t pid = prepared_pid(b, id);
    assert_true(pid > 0);
    assert_int_equal(pid_of(b, id), 0); /* it is not a machine that runs */
    return pid;
}

static bool is_dead(struct bench *b)
{
    return kill(b->pid, 0) < 0 && errno == ESRCH;
}

static void expect_dead(struct bench *b, pid_t pid)
{
    b->pid = pid;
    if (!wait_for(b, is_dead, SOON_MS))
        fail_msg("process %d lives", (int)pid);
}

static void test_a_prepared_process_becomes_the_machine(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    prepare_one(b);
    create(b, &m);
    pid_t pid = await_prepared(b, m.id);
    assert_int_equal(survey(b, &m), SURVEY_ABSENT); /* the question ends it */
    expect_dead(b, pid);
    stop(b, &m, true);
    pid = await_prepared(b, m.id);
    start(b, &m);
    assert_int_equal(pid_of(b, m.id), pid);
    assert_int_equal(prepared_pid(b, m.id), 0);
    assert_non_null(strstr(engine_qemu.describe(b->engine), ", 0 of 1 prepared"));
    expect_serial(b, m.id, "i-one is up: 172.16.0.11", 1);

    reopen_engine(b); /* its lock outlives us like any machine's */
    assert_int_equal(survey(b, &m), SURVEY_RUNNING);
    assert_int_equal(pid_of(b, m.id), pid);
    stop(b, &m, true);
    pid = await_prepared(b, m.id);
    engine_qemu.release(b->engine, &m, ++b->next_job);
    expect_ok(b);
    expect_dead(b, pid);
    assert_int_equal(open_dir(b, m.id), -ENOENT);
    assert_int_equal(b->n_stopped, 0);
}

static void test_what_does_not_fit_starts_cold(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0);

    prepare_one(b);
    create(b, &m);
    pid_t pid = await_prepared(b, m.id);
    m.memory_mib = 160;
    start(b, &m);
    assert_int_not_equal(pid_of(b, m.id), pid);
    expect_dead(b, pid);
    expect_serial(b, m.id, "is up:", 1);
    stop(b, &m, true);

    pid = await_prepared(b, m.id);
    end_process(pid); /* it died alone, and we may not even know yet */
    start(b, &m);
    assert_int_not_equal(pid_of(b, m.id), pid);
    stop(b, &m, true);

    pid = await_prepared(b, m.id);
    engine_qemu.close(b->engine); /* in order: nothing is left behind */
    expect_dead(b, pid);
    assert_int_equal(prepared_pid(b, m.id), 0);
    open_engine(b);
}

/* The latest is the likeliest; a machine that takes the place ends the one before. */
static void test_the_latest_is_prepared(void **state)
{
    struct bench *b = need_guest(state);
    struct machine one = machine(b, 0), two = machine(b, 1);

    prepare_one(b);
    create(b, &one);
    pid_t pid = await_prepared(b, one.id);
    create(b, &two);
    pid_t other = await_prepared(b, two.id);
    expect_dead(b, pid);
    start(b, &one);
    assert_int_equal(prepared_pid(b, two.id), other);
    start(b, &two);
    assert_int_equal(pid_of(b, two.id), other);
}

static void test_encrypted_disks_are_not_prepared(void **state)
{
    struct bench *b = need_guest(state);
    struct machine m = machine(b, 0), other = machine(b, 1);
    const struct machine_disk disk = {
        .id = "d-sys",
        .kind = DISK_SYSTEM,
        .size_gib = 2,
        .encrypted = true,
        .data_key = {.data = "0123456789abcdef0123456789abcdef", .len = 32}};

    prepare_one(b);
    create(b, &other);
    pid_t pid = await_prepared(b, other.id);
    m.disks = &disk;
    create(b, &m);
    start(b, &m);
    stop(b, &m, true);
    assert_int_equal(prepared_pid(b, m.id), 0);
    assert_int_equal(prepared_pid(b, other.id), pid); /* it did not take the place either */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {STORY(test_life),
                                       STORY(test_reboot),
                                       STORY(test_force_cuts_grace_short),
                                       STORY(test_guest_powers_off),
                                       STORY(test_guest_panics),
                                       STORY(test_process_is_killed),
                                       STORY(test_adoption),
                                       STORY(test_never_twice),
                                       STORY(test_mute_holder_is_ended),
                                       STORY(test_switch_dies),
                                       STORY(test_encrypted),
                                       STORY(test_disks),
                                       STORY(test_release),
                                       STORY(test_kept_disk),
                                       STORY(test_close_midway),
                                       STORY(test_kvm_demotion),
                                       STORY(test_a_prepared_process_becomes_the_machine),
                                       STORY(test_what_does_not_fit_starts_cold),
                                       STORY(test_the_latest_is_prepared),
                                       STORY(test_encrypted_disks_are_not_prepared)};

    if (argc > 1 && streq(argv[1], "switch"))
        return switch_main(argc - 1, argv + 1);
    if (getenv("OSTLER_TEST_LOG"))
        log_setup(LOG_DEBUG, LOG_LOGFMT);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
