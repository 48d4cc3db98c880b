/* The switch as a process: its command line, its lock, its loop. */
#include "engine/switch/switch.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "engine/switch/control.h"
#include "engine/switch/sw.h"

#define HOST_REFRESH_MS 30000
#define LOCK_TRIES      25 /* of 10 ms: somebody who only asks holds the lock for an instant */
#define FDS_MAX         262144
#define DENY_MAX        64

struct options {
    const char *dir, *cidr, *name;
    const char *deny[DENY_MAX];
    size_t n_deny;
    bool isolated, log_json;
    long long idle_exit_s, ready_fd;
};

static const char usage[] =
    "usage: switch --dir DIR --cidr 172.16.0.0/24 --name NAME [option...]\n"
    "  --isolated        guests reach each other, DHCP and metadata, nothing else\n"
    "  --deny CIDR       guests do not reach this; may be repeated\n"
    "  --idle-exit S     end after S seconds without a port\n"
    "  --ready-fd N      write a newline to descriptor N and close it when ready\n"
    "  --log-json        log as JSON\n";

int64_t sw_clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

int sw_poll_add(struct sw *sw, int fd, short events)
{
    if (fd < 0 || sw->n_polls == sw->max_fds)
        return -1;
    sw->polls[sw->n_polls] = (struct pollfd){.fd = fd, .events = events};
    return (int)sw->n_polls++;
}

short sw_polled(const struct sw *sw, int index)
{
    return index >= 0 && (unsigned)index < sw->n_polls ? sw->polls[index].revents : 0;
}

/* --- the command line --- */

static bool number_in(const char *text, long long least, long long most, long long *ret)
{
    long long n;

    if (parse_i64(text, &n) < 0 || n < least || n > most)
        return false;
    *ret = n;
    return true;
}

static bool read_option(struct options *o, int option)
{
    switch (option) {
    case 'd':
        o->dir = optarg;
        return true;
    case 'c':
        o->cidr = optarg;
        return true;
    case 'n':
        o->name = optarg;
        return true;
    case 'i':
        o->isolated = true;
        return true;
    case 'j':
        o->log_json = true;
        return true;
    case 'D':
        if (o->n_deny == DENY_MAX)
            return false;
        o->deny[o->n_deny++] = optarg;
        return true;
    case 'x':
        return number_in(optarg, 1, 86400 * 365, &o->idle_exit_s);
    case 'r':
        return number_in(optarg, 0, 1 << 20, &o->ready_fd);
    default:
        return false;
    }
}

static bool read_options(int argc, char **argv, struct options *ret)
{
    static const struct option long_options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"cidr", required_argument, NULL, 'c'},
        {"name", required_argument, NULL, 'n'},
        {"isolated", no_argument, NULL, 'i'},
        {"log-json", no_argument, NULL, 'j'},
        {"deny", required_argument, NULL, 'D'},
        {"idle-exit", required_argument, NULL, 'x'},
        {"ready-fd", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct options o = {.ready_fd = -1};
    int option;

    optind = 1;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!read_option(&o, option))
            return false;
    *ret = o;
    return optind == argc && o.dir && o.cidr && !str_empty(o.name);
}

static bool read_net(struct sw *sw, const struct options *o)
{
    if (frame_net_parse(o->cidr, &sw->net) < 0)
        return false;
    sw->deny = xcalloc(o->n_deny, sizeof(*sw->deny));
    for (size_t i = 0; i < o->n_deny; i++)
        if (frame_cidr_parse(o->deny[i], &sw->deny[i]) < 0)
            return false;
    sw->net.deny = sw->deny;
    sw->net.n_deny = o->n_deny;
    sw->net.isolated = o->isolated;
    return true;
}

/* --- starting --- */

static int fail(const char *what, int error)
{
    log_write(LOG_ERROR, what, "error", strerror(error), NULL);
    return SWITCH_EXIT_FAILED;
}

static int wait_for_lock(int fd)
{
    const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK)
            return -errno;
        (void)nanosleep(&pause, NULL);
    }
    return -EWOULDBLOCK;
}

static int take_lock(struct sw *sw)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    int fd CLEANUP(close_p) = open(SWITCH_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r;

    if (fd < 0)
        return fail("the lock file cannot be opened", errno);
    r = wait_for_lock(fd);
    if (r == -EWOULDBLOCK) {
        log_write(LOG_ERROR, "another switch runs here", NULL);
        return SWITCH_EXIT_RUNNING;
    }
    if (r < 0)
        return fail("the lock cannot be taken", -r);
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return fail("the lock file cannot be written", errno);
    sw->lock_fd = fd_take(&fd);
    return SWITCH_EXIT_OK;
}

/* Ends by a signal are asked for, not suffered; the terminal and the parent that started us have no
 * say. */
static int open_signals(void)
{
    sigset_t asked;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)sigemptyset(&asked);
    (void)sigaddset(&asked, SIGTERM);
    (void)sigaddset(&asked, SIGINT);
    if (sigprocmask(SIG_BLOCK, &asked, NULL) < 0)
        return -1;
    return signalfd(-1, &asked, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* As many descriptors as the system allows, within reason: each connection of a guest is one. */
static unsigned raise_limits(void)
{
    const struct rlimit no_core = {0, 0}; /* a core file would hold user data */
    struct rlimit files;

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return 1024;
    files.rlim_cur = files.rlim_max < FDS_MAX ? files.rlim_max : FDS_MAX;
    (void)setrlimit(RLIMIT_NOFILE, &files);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur < FDS_MAX ? (unsigned)files.rlim_cur : FDS_MAX;
}

static int start(struct sw *sw, const struct options *o)
{
    int r;

    if (chdir(o->dir) < 0)
        return fail("the directory cannot be entered", errno);
    (void)umask(077);
    r = take_lock(sw);
    if (r != SWITCH_EXIT_OK)
        return r;
    (void)setsid(); /* refused to a shell's foreground job, which then keeps its Ctrl-C */
    sw->max_fds = raise_limits();
    sw->polls = xcalloc(sw->max_fds, sizeof(*sw->polls));
    sw->fd_owner = xcalloc(sw->max_fds, sizeof(*sw->fd_owner));
    sw->now_ms = sw->idle_since_ms = sw_clock_ms();
    sw->idle_exit_ms = o->idle_exit_s * 1000;
    sw->name = o->name;
    sw->signal_fd = open_signals();
    if (sw->signal_fd < 0)
        return fail("signals cannot be awaited", errno);
    sw->route_fd = sw_host_watch(); /* without it the list is as old as HOST_REFRESH_MS at worst */
    r = sw_host_refresh(sw);
    if (r < 0)
        return fail("this host's addresses cannot be read", -r);
    r = control_listen(sw);
    return r < 0 ? fail("the control socket cannot be opened", -r) : SWITCH_EXIT_OK;
}

static void say_ready(const struct options *o)
{
    int fd CLEANUP(close_p) = (int)o->ready_fd;

    if (fd >= 0 && write(fd, "\n", 1) != 1)
        log_write(LOG_WARN, "nobody waits for us to be ready", NULL);
    log_write(LOG_INFO, "switch ready", "name", o->name, "cidr", o->cidr, NULL);
}

/* --- the loop --- */

static uint32_t sooner(int64_t left_ms, uint32_t timeout_ms)
{
    return left_ms < 0 ? 0 : left_ms < timeout_ms ? (uint32_t)left_ms : timeout_ms;
}

static uint32_t fill(struct sw *sw)
{
    uint32_t timeout_ms = HOST_REFRESH_MS;

    sw->n_polls = 0;
    sw->signal_poll = sw_poll_add(sw, sw->signal_fd, POLLIN);
    sw->route_poll = sw_poll_add(sw, sw->route_fd, POLLIN);
    control_fill(sw);
    for (unsigned i = 0; i < sw->n_slots; i++)
        if (sw->ports[i])
            port_fill(sw->ports[i], &timeout_ms);
    timeout_ms = sooner(sw->host_read_ms + HOST_REFRESH_MS - sw->now_ms, timeout_ms);
    if (sw->idle_exit_ms && !sw->n_ports)
        timeout_ms = sooner(sw->idle_since_ms + sw->idle_exit_ms - sw->now_ms, timeout_ms);
    return timeout_ms;
}

static void refresh_host(struct sw *sw)
{
    bool told = sw_polled(sw, sw->route_poll) != 0;
    int r;

    if (told)
        sw_host_drain(sw->route_fd);
    if (!told && sw->now_ms - sw->host_read_ms < HOST_REFRESH_MS)
        return;
    sw->host_read_ms = sw->now_ms; /* a failure is tried again in its time, not in a busy loop */
    r = sw_host_refresh(sw);
    if (r < 0)
        log_write(LOG_WARN, "this host's addresses cannot be read", "error", strerror(-r), NULL);
}

/* The host's addresses are renewed before any frame of this turn is judged. */
static void look(struct sw *sw)
{
    refresh_host(sw);
    for (unsigned i = 0; i < sw->n_slots; i++)
        if (sw->ports[i])
            port_poll(sw->ports[i]);
    control_poll(sw);
    if (sw_polled(sw, sw->signal_poll))
        sw->quit = true;
    if (sw->idle_exit_ms && !sw->n_ports && sw->now_ms - sw->idle_since_ms >= sw->idle_exit_ms)
        sw->quit = true;
}

static int loop(struct sw *sw)
{
    while (!sw->quit) {
        uint32_t timeout_ms = fill(sw);
        int n = poll(sw->polls, sw->n_polls, (int)timeout_ms);

        if (n < 0 && errno != EINTR)
            return fail("poll", errno);
        sw->now_ms = sw_clock_ms();
        if (n >= 0)
            look(sw);
    }
    return SWITCH_EXIT_OK;
}

static void sw_free(struct sw *sw)
{
    while (sw->n_slots)
        port_remove(sw, sw->ports[sw->n_slots - 1]);
    control_close(sw);
    if (sw->lock_fd >= 0)
        (void)(ftruncate(sw->lock_fd, 0) < 0); /* only a tidiness: the lock itself says who runs */
    close_p(&sw->signal_fd);
    close_p(&sw->route_fd);
    close_p(&sw->lock_fd);
    free(sw->polls);
    free(sw->fd_owner);
    free(sw->host);
    free(sw->deny);
    free(sw);
}

static struct sw *sw_new(void)
{
    struct sw *sw = xcalloc(1, sizeof(*sw));

    sw->lock_fd = sw->control_fd = sw->signal_fd = sw->route_fd = -1;
    return sw;
}

static void sw_free_p(struct sw **sw)
{
    sw_free(*sw);
}

int switch_main(int argc, char **argv)
{
    struct sw *sw CLEANUP(sw_free_p) = sw_new();
    struct options o;
    int r;

    if (!read_options(argc, argv, &o) || !read_net(sw, &o)) {
        (void)fputs(usage, stderr);
        return SWITCH_EXIT_USAGE;
    }
    log_setup(LOG_INFO, o.log_json ? LOG_JSON : LOG_AUTO);
    log_tag("switch");
    r = start(sw, &o);
    if (r == SWITCH_EXIT_OK) {
        say_ready(&o);
        r = loop(sw);
        log_write(LOG_INFO, "switch ends", "name", o.name, NULL);
    }
    return r;
}
