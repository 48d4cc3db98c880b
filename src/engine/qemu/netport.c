/* Finding or starting a subnet's switch, and asking it for a port. */
#include "engine/qemu/netport.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/util.h"
#include "engine/switch/control.h"
#include "net/child.h"

enum {
    CALL_MS = 5000,
    READY_MS = 5000,
    TRIES = 3, /* the switch we found may end just before we ask */
    LOG_MAX = 1 << 20,
};

#define IDLE_EXIT_S "60"

/* Two machines that start at once must not start two switches for one subnet. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

static void json_free_p(json_t **j)
{
    json_decref(*j);
}

/* ---- what a port is made from ---- */

static const char *decode_user_data(struct arena *a, const struct machine *m, struct buf *ret)
{
    size_t n;
    const uint8_t *data;

    if (!m->user_data_binary) {
        buf_str(ret, m->user_data);
        return NULL;
    }
    if (!(data = base64_decode(a, m->user_data, &n)))
        return "the machine's user data is not base64";
    buf_add(ret, data, n);
    return NULL;
}

const char *netport_init(struct netport *ret, struct arena *a, const char *dir,
                         const struct machine *m)
{
    CLEANUP(json_free_p) json_t *metadata = json_loads(m->metadata, 0, NULL);
    CLEANUP(buf_done) struct buf data = {0}, line = {0};
    CLEANUP(free_p) char *at = xasprintf("%s/instances/%s", dir, m->id);
    const char *bad = decode_user_data(a, m, &data);

    if (bad)
        return bad;
    if (*m->metadata && !metadata)
        return "the machine's metadata is not JSON";
    const struct switch_port port = {.id = m->id,
                                     .dir = at,
                                     .ip = m->ip,
                                     .mac = m->mac,
                                     .ssh_port = (int)m->ssh_port,
                                     .ssh_port_fallback =
                                         true, /* a machine is worth more than its port's number */
                                     .metadata = metadata,
                                     .user_data = data.len ? data.data : NULL,
                                     .user_data_len = data.len};
    int e = switch_req_add_port(&line, &port);
    if (e)
        return arena_fmt(a, "the machine's metadata cannot be sent: %s", strerror(-e));
    *ret = (struct netport){
        .subnet = xstrdup(m->subnet), .cidr = xstrdup(m->cidr), .line = buf_take(&line)};
    return NULL;
}

void netport_done(struct netport *p)
{
    free(p->subnet);
    free(p->cidr);
    free(p->line);
    *p = (struct netport){0};
}

void netport_copy(struct netport *to, const struct netport *from)
{
    *to = (struct netport){
        .subnet = xstrdup(from->subnet), .cidr = xstrdup(from->cidr), .line = xstrdup(from->line)};
}

/* ---- the switch ---- */

static int open_dir(const char *dir, const char *subnet, bool make)
{
    CLEANUP(free_p) char *all = xasprintf("%s/switches", dir);
    CLEANUP(free_p) char *one = xasprintf("%s/%s", all, subnet);

    if (str_empty(subnet) || *subnet == '.' || strchr(subnet, '/'))
        return -EINVAL;
    if (make &&
        ((mkdir(all, 0700) < 0 && errno != EEXIST) || (mkdir(one, 0700) < 0 && errno != EEXIST)))
        return -errno;
    int fd = open(one, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    return fd < 0 ? -errno : fd;
}

static int open_log(int dirfd)
{
    struct stat st;
    int fd =
        openat(dirfd, "switch.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > LOG_MAX)
        (void)ftruncate(fd, 0); /* a long log is no reason to have no network */
    return fd;
}

/* Waits until it closes its end: ready or dead, which the call that follows will tell. */
static void await_ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (poll(&p, 1, READY_MS) < 0 && errno == EINTR)
        ;
}

/* Its pidfd, or a negative errno. */
static int start_switch(const struct netport *p, const char *dir, const char *self, int dirfd)
{
    CLEANUP(free_p) char *at = xasprintf("%s/switches/%s", dir, p->subnet);
    CLEANUP(close_p) int log = open_log(dirfd);
    const char *argv[] = {
        self,      "switch",      "--dir",     at,           "--cidr",     p->cidr, "--name",
        p->subnet, "--idle-exit", IDLE_EXIT_S, "--log-json", "--ready-fd", "3",     NULL};
    int ends[2], pidfd;

    if (log < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    CLEANUP(close_p) int ready = ends[0];
    int e = child_spawn(&(struct child_spec){.path = self,
                                             .argv = (char *const *)argv,
                                             .fds = &ends[1],
                                             .n_fds = 1,
                                             .in_fd = -1,
                                             .out_fd = log,
                                             .new_session = true},
                        NULL, &pidfd);
    (void)close(ends[1]); /* the child's copy is what counts */
    if (e)
        return e;
    await_ready(ready);
    return pidfd;
}

/* A switch that cannot be used, ours or not: reaped if it was ours. */
static void drop_switch(int *pidfd)
{
    int status;

    if (*pidfd >= 0 && child_reap(*pidfd, &status) == -EAGAIN) {
        struct pollfd p = {.fd = *pidfd, .events = POLLIN};

        (void)child_kill(*pidfd, SIGKILL); /* it did not get ready in time */
        (void)poll(&p, 1, CALL_MS);
        (void)child_reap(*pidfd, &status); /* else init does, later */
    }
    close_p(pidfd);
    *pidfd = -1;
}

static int find_switch(int dirfd)
{
    pid_t pid = 0;

    return switch_is_running(dirfd, &pid) == 1 && pid > 0 ? pidfd_open(pid, 0) : -1;
}

/* 0, -EREMOTEIO with what the switch said, or a connection's errno. */
static int add_port(const struct netport *p, int dirfd, struct buf *said, int *ret_ssh_port)
{
    CLEANUP(buf_done) struct buf line = {0};
    CLEANUP(json_free_p) json_t *answer = NULL;
    int e = switch_call(dirfd, p->line, CALL_MS, &line);

    if (!e)
        e = switch_answer_parse(buf_cstr(&line), line.len, &answer, said);
    if (!e)
        *ret_ssh_port = (int)json_integer_value(json_object_get(answer, "ssh_port"));
    return e;
}

static int up(const struct netport *p, const char *dir, const char *self, int dirfd,
              struct buf *said, struct netport_up *ret)
{
    int e = 0;

    for (int i = 0; i < TRIES; i++) {
        e = add_port(p, dirfd, said, &ret->ssh_port);
        if (!e && ret->switch_pidfd < 0)
            ret->switch_pidfd = find_switch(dirfd);
        if (!e || e == -EREMOTEIO)
            return e;
        drop_switch(&ret->switch_pidfd);
        if (i + 1 == TRIES)
            break;
        int pidfd = start_switch(p, dir, self, dirfd);
        if (pidfd < 0)
            return pidfd;
        ret->switch_pidfd = pidfd;
    }
    return e;
}

const char *netport_up(const struct netport *p, const char *dir, const char *self, struct arena *a,
                       struct netport_up *ret)
{
    CLEANUP(buf_done) struct buf said = {0};
    CLEANUP(close_p) int dirfd = open_dir(dir, p->subnet, true);

    *ret = (struct netport_up){.switch_pidfd = -1};
    if (dirfd < 0)
        return arena_fmt(a, "the subnet's directory cannot be made: %s", strerror(-dirfd));
    (void)pthread_mutex_lock(&starting); /* cannot fail for a plain mutex */
    int e = up(p, dir, self, dirfd, &said, ret);
    (void)pthread_mutex_unlock(&starting);
    if (!e)
        return NULL;
    if (e == -EREMOTEIO)
        return arena_fmt(a, "the subnet's switch refused the machine: %s", buf_cstr(&said));
    return arena_fmt(a, "the subnet's switch does not start: %s", strerror(-e));
}

void netport_down(const char *dir, const struct machine *m)
{
    CLEANUP(buf_done) struct buf line = {0}, answer = {0};
    CLEANUP(close_p) int dirfd = open_dir(dir, m->subnet, false);

    if (dirfd < 0 || switch_req_remove_port(&line, m->id) < 0)
        return;
    (void)switch_call(dirfd, line.data, CALL_MS, &answer); /* no switch, no port */
}
