/*
 * The bare launcher: the least C that runs a machine's QEMU. It makes what the process finds among
 * its descriptors, spawns it, hears "running" on its monitor, reads in the console's log when the
 * guest is up, and dismisses it. What Ostler's own starts and stops are compared with.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/buf.h"
#include "base/util.h"

enum {
    FD_LOW = 16,      /* ours stay above those that QEMU is given */
    LOOK_NS = 500000, /* between two looks at the console's log */
    MAX_MACHINES = 1000,
    DEADLINE_S = 120,
    MAX_DEADLINE_MS = 600000,
};

/* The guest's init writes it once a boot, when it has its address, metadata and key. */
#define IS_UP " is up: "

static const char commands[] =
    "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"query-status\"}\n";
static const char quit_command[] = "{\"execute\":\"quit\"}\n";

struct options {
    const char *dir, *disks, *machine;
    char **argv;
    long long count, concurrency, deadline_ms;
    bool ready, kill;
};

struct machine {
    int dirfd, listen_fd, monitor, pidfd;
    pid_t pid;
    struct buf in;
    off_t log_seen;
    bool told, is_running, is_ready, is_gone;
    int64_t spawned, running, ready, quit, gone; /* microseconds of the clock */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
}

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void fail(const char *what)
{
    (void)fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
}

/* ---- what is made beforehand ---- */

/* Takes `fd` and gives it a number that is none of QEMU's. */
static int lift(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FD_LOW);

    close_p(&fd);
    return high;
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
    CLEANUP(close_p) int from = openat(from_dir, name, O_RDONLY | O_CLOEXEC);
    CLEANUP(close_p)
    int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct stat st;

    if (from < 0 || to < 0 || fstat(from, &st) < 0)
        return -1;
    for (off_t left = st.st_size; left > 0;) {
        ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);

        if (n <= 0)
            return -1;
        left -= n;
    }
    return 0;
}

static int copy_disks(const char *disks, int to_dir)
{
    DIR *d = opendir(disks);
    int r = 0;

    if (!d)
        return -1;
    for (struct dirent *e; !r && (e = readdir(d));)
        if (str_ends(e->d_name, ".qcow2"))
            r = copy_file(dirfd(d), to_dir, e->d_name);
    (void)closedir(d); /* only read */
    return r;
}

static int open_socket(int dirfd, bool server)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    int fd = lift(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

    (void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/qmp.sock", dirfd);
    if (fd < 0)
        return -1;
    if (server ? bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 1) < 0
               : connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        close_p(&fd), fd = -1;
    return fd;
}

/* The sockets and logs of an earlier launch in the same directory. */
static void tidy(int dirfd)
{
    static const char *const names[] = {"qmp.sock",   "serial.sock", "ready.sock",
                                        "serial.log", "vm.sock",     "qemu.log"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unlinkat(dirfd, names[i], 0); /* most are not there */
}

static int prepare(struct machine *m, const struct options *o, size_t number)
{
    CLEANUP(free_p) char *path = xasprintf("%s/%zu", o->dir, number);

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -1;
    m->dirfd = lift(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (m->dirfd < 0 || flock(m->dirfd, LOCK_EX | LOCK_NB) < 0)
        return -1;
    tidy(m->dirfd);
    if (o->disks && copy_disks(o->disks, m->dirfd) < 0)
        return -1;
    m->listen_fd = open_socket(m->dirfd, true);
    if (m->listen_fd < 0)
        return -1;
    m->monitor = open_socket(m->dirfd, false); /* QEMU accepts it when it gets there */
    return m->monitor < 0 ? -1 : 0;
}

/* ---- the process ---- */

static int spawn(struct machine *m, char **argv)
{
    const int log_flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND;
    CLEANUP(free_p) char *log = xasprintf("/proc/self/fd/%d/qemu.log", m->dirfd);
    char *env[] = {(char[]){"PATH=/usr/local/bin:/usr/bin:/bin"}, (char[]){"LANG=C"}, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;

    (void)posix_spawn_file_actions_init(&files); /* these two always return 0 in glibc */
    (void)posix_spawnattr_init(&attr);
    int e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
    if (!e)
        e = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (!e)
        e = posix_spawn_file_actions_addopen(&files, 1, log, log_flags, 0600);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&files, 1, 2);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&files, m->dirfd, 3);
    if (!e)
        e = posix_spawn_file_actions_adddup2(&files, m->listen_fd, 4);
    m->spawned = now_us();
    if (!e)
        e = posix_spawnp(&m->pid, argv[0], &files, &attr, argv, env);
    (void)posix_spawn_file_actions_destroy(&files);
    (void)posix_spawnattr_destroy(&attr);
    errno = e;
    if (e)
        return -1;
    m->pidfd = pidfd_open(m->pid, 0);
    return m->pidfd < 0 ? -1 : 0;
}

static void take_line(struct machine *m, const char *line)
{
    if (!m->told && strstr(line, "\"QMP\"")) {
        m->told = true;
        (void)!write(m->monitor, commands, sizeof(commands) - 1); /* lost with the process only */
    } else if (!m->is_running &&
               (strstr(line, "\"status\": \"running\"") || strstr(line, "\"RESUME\""))) {
        m->running = now_us();
        m->is_running = true;
    }
}

static void read_monitor(struct machine *m)
{
    ssize_t n = read(m->monitor, buf_reserve(&m->in, 4096), 4096);

    if (n <= 0) { /* its end is told by the pidfd */
        close_p(&m->monitor);
        m->monitor = -1;
        return;
    }
    m->in.len += (size_t)n;
    for (char *end; m->in.len && (end = memchr(m->in.data, '\n', m->in.len));) {
        *end = 0;
        take_line(m, m->in.data);
        buf_drop(&m->in, (size_t)(end - m->in.data) + 1);
    }
}

static void look_at_log(struct machine *m)
{
    static char text[1 << 16];
    CLEANUP(close_p) int fd = openat(m->dirfd, "serial.log", O_RDONLY | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == m->log_seen)
        return;
    m->log_seen = st.st_size;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = 0;
    if (strstr(text, IS_UP)) {
        m->ready = now_us();
        m->is_ready = true;
    }
}

static void reap(struct machine *m)
{
    siginfo_t info;

    if (waitid(P_PIDFD, (id_t)m->pidfd, &info, WEXITED) == 0)
        m->gone = now_us();
    m->is_gone = true;
}

/* Waits for anything to happen to one of the first `n`; false: too late, or told to end. */
static bool await(struct machine *all, size_t n, bool look, int64_t deadline)
{
    static struct pollfd fds[2 * MAX_MACHINES];
    const struct timespec pause = {.tv_sec = look ? 0 : 1, .tv_nsec = look ? LOOK_NS : 0};

    for (size_t i = 0; i < n; i++) {
        fds[2 * i] = (struct pollfd){.fd = all[i].monitor, .events = POLLIN};
        fds[2 * i + 1] =
            (struct pollfd){.fd = all[i].is_gone ? -1 : all[i].pidfd, .events = POLLIN};
    }
    (void)ppoll(fds, 2 * n, &pause, NULL); /* interrupted or late: seen below */
    for (size_t i = 0; i < n; i++) {
        if (fds[2 * i].revents)
            read_monitor(&all[i]);
        if (fds[2 * i + 1].revents)
            reap(&all[i]);
        if (look && all[i].is_running && !all[i].is_ready)
            look_at_log(&all[i]);
    }
    return !interrupted && now_us() < deadline;
}

/* ---- the course of things ---- */

static size_t count_of(const struct machine *all, size_t n, bool (*is)(const struct machine *m))
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        found += is(&all[i]);
    return found;
}

static bool is_starting(const struct machine *m)
{
    return !m->is_running && !m->is_gone;
}

static bool is_not_ready(const struct machine *m)
{
    return !m->is_ready && !m->is_gone;
}

static bool is_there(const struct machine *m)
{
    return !m->is_gone;
}

static bool is_failed(const struct machine *m)
{
    return !m->is_running || (m->gone && !m->quit);
}

/* All of them, `concurrency` at once; true when nothing was late. */
static bool start_all(struct machine *all, const struct options *o, int64_t deadline)
{
    size_t n = 0, count = (size_t)o->count;
    bool in_time = true;

    while (in_time && (n < count || count_of(all, n, is_starting))) {
        if (n < count && count_of(all, n, is_starting) < (size_t)o->concurrency) {
            if (spawn(&all[n++], o->argv) == 0)
                continue;
            fail(o->argv[0]);
            return false;
        }
        in_time = await(all, n, false, deadline);
    }
    while (in_time && o->ready && count_of(all, n, is_not_ready))
        in_time = await(all, n, true, deadline);
    return in_time;
}

static void end_one(struct machine *m, bool kill_it)
{
    if (m->is_gone || m->pidfd < 0)
        return;
    m->quit = now_us();
    if (kill_it || write(m->monitor, quit_command, sizeof(quit_command) - 1) < 0)
        (void)pidfd_send_signal(m->pidfd, SIGKILL, NULL, 0); /* gone already: its pidfd tells */
}

static void end_all(struct machine *all, size_t n, bool kill_them)
{
    for (size_t i = 0; i < n; i++)
        end_one(&all[i], kill_them);
    while (count_of(all, n, is_there))
        if (!await(all, n, false, now_us() + DEADLINE_S * 1000000LL))
            for (size_t i = 0; i < n; i++)
                end_one(&all[i], true);
}

static json_t *elapsed(int64_t from, int64_t to)
{
    return from && to ? json_integer(to - from) : json_null();
}

static void report(const struct machine *all, size_t n)
{
    json_t *list = json_array();
    int64_t last = 0;

    for (size_t i = 0; i < n; i++) {
        const struct machine *m = &all[i];

        last = m->running > last ? m->running : last;
        (void)json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "running_us",
                                                    elapsed(m->spawned, m->running), "ready_us",
                                                    elapsed(m->spawned, m->ready), "gone_us",
                                                    elapsed(m->quit, m->gone)));
    }
    json_t *all_of_it =
        json_pack("{s:I,s:I,s:o}", "all_running_us", (json_int_t)(last - all[0].spawned), "failed",
                  (json_int_t)count_of(all, n, is_failed), "machines", list);
    (void)json_dumpf(all_of_it, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(all_of_it);
}

static int run(const struct options *o)
{
    size_t n = (size_t)o->count;
    CLEANUP(free_p) struct machine *all = xcalloc(n, sizeof(*all));

    for (size_t i = 0; i < n; i++) {
        all[i] = (struct machine){.dirfd = -1, .listen_fd = -1, .monitor = -1, .pidfd = -1};
        if (prepare(&all[i], o, i) < 0) {
            fail("a machine's directory cannot be made");
            return 1;
        }
    }
    bool in_time = start_all(all, o, now_us() + o->deadline_ms * 1000);
    for (size_t i = 0; i < n; i++)
        all[i].is_gone |= all[i].pidfd < 0; /* never spawned */
    end_all(all, n, o->kill || !in_time);
    report(all, n);
    for (size_t i = 0; i < n; i++)
        buf_done(&all[i].in);
    return in_time && !count_of(all, n, is_failed) ? 0 : 1;
}

/* ---- the command line ---- */

static int usage(void)
{
    (void)fputs(
        "usage: launch --dir DIR [--disks DIR] [--count N] [--concurrency C] [--deadline MS]\n"
        "              [--ready] [--kill] (--machine machine.json | -- QEMU ARGUMENT...)\n\n"
        "Starts N machines (1), C at once (1), until their monitors say \"running\", with\n"
        "--ready until their guests are up; ends them by `quit`, with --kill by SIGKILL;\n"
        "prints the times as JSON. Each gets a directory DIR/I with copies of the disks, as\n"
        "descriptor 3; its monitor is 4.\n",
        stderr);
    return 2;
}

/* The vector that Ostler noted beside a machine. Lives to the end. */
static char **read_argv(const char *path)
{
    json_t *j = json_load_file(path, 0, NULL), *args = json_object_get(j, "argv");
    size_t n = json_array_size(args);
    char **argv = xcalloc(n + 1, sizeof(*argv));

    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(args, i));

        argv[i] = xstrdup(text ? text : "");
    }
    json_decref(j);
    return argv;
}

static bool take_number(const char *text, long long most, long long *ret)
{
    return text && parse_i64(text, ret) == 0 && *ret > 0 && *ret <= most;
}

static bool take_option(struct options *o, int argc, char **argv, int *at)
{
    const char *name = argv[*at], *value = *at + 1 < argc ? argv[*at + 1] : NULL;
    const struct {
        const char *name, **text;
        long long *number, most;
        bool *flag;
    } rows[] = {
        {"--dir", .text = &o->dir},
        {"--disks", .text = &o->disks},
        {"--machine", .text = &o->machine},
        {"--count", .number = &o->count, .most = MAX_MACHINES},
        {"--concurrency", .number = &o->concurrency, .most = MAX_MACHINES},
        {"--deadline", .number = &o->deadline_ms, .most = MAX_DEADLINE_MS},
        {"--ready", .flag = &o->ready},
        {"--kill", .flag = &o->kill},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!streq(rows[i].name, name))
            continue;
        if (rows[i].flag)
            return *rows[i].flag = true;
        ++*at;
        if (rows[i].number)
            return take_number(value, rows[i].most, rows[i].number);
        return (*rows[i].text = value) != NULL;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options o = {.count = 1, .concurrency = 1, .deadline_ms = DEADLINE_S * 1000};
    const struct sigaction act = {.sa_handler = on_signal};

    for (int i = 1; i < argc; i++) {
        if (streq(argv[i], "--")) {
            o.argv = argv + i + 1;
            break;
        }
        if (!take_option(&o, argc, argv, &i))
            return usage();
    }
    if (o.machine)
        o.argv = read_argv(o.machine);
    if (!o.dir || !o.argv || !o.argv[0])
        return usage();
    if (mkdir(o.dir, 0700) < 0 && errno != EEXIST) {
        fail(o.dir);
        return 1;
    }
    (void)sigaction(SIGINT, &act, NULL); /* these cannot fail */
    (void)sigaction(SIGTERM, &act, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    return run(&o);
}
