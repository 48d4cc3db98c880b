/*
 * The two datagram sockets between a port and its QEMU: sw.sock, which the switch binds and reads,
 * and vm.sock, which QEMU binds and the switch connects to. Either side may come, go and come again
 * at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "engine/switch/control.h"
#include "engine/switch/port_impl.h"

#define SOCKET_HERE  "sw.sock"
#define SOCKET_GUEST "vm.sock"

#define RX_BATCH 32  /* frames taken from one guest in one turn */
#define RETRY_MS 100 /* between attempts to reach a guest that is not there */

#define FLOOD_BURST  400
#define FLOOD_PER_MS 5 /* milliseconds for one more */

/* A path through the directory's descriptor always fits, however deep it is. -1 is the working
 * directory. */
static struct sockaddr_un socket_address(int dir_fd, const char *name)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};

    if (dir_fd < 0)
        (void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", name);
    else
        (void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
    return un;
}

int link_bind(int type, int dir_fd, const char *name, int *ret_fd)
{
    int fd CLEANUP(close_p) = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const struct sockaddr_un un = socket_address(dir_fd, name);

    if (fd < 0)
        return -errno;
    if (unlinkat(dir_fd < 0 ? AT_FDCWD : dir_fd, name, 0) < 0 && errno != ENOENT)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&un, sizeof(un)) < 0)
        return -errno;
    *ret_fd = fd_take(&fd);
    return 0;
}

/*
 * Connects to the guest's socket itself and never through a symbolic link: QEMU can write to its
 * directory, and a QEMU that a guest has broken into must not choose who hears what this subnet
 * says.
 */
static int connect_guest(struct port *p)
{
    int at CLEANUP(close_p) = openat(p->dir_fd, SOCKET_GUEST, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int fd CLEANUP(close_p) = -1;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct stat st;

    if (at < 0 || fstat(at, &st) < 0)
        return -errno;
    if (!S_ISSOCK(st.st_mode))
        return -ENOTSOCK;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    (void)snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", at);
    if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
        return -errno;
    p->tx_fd = fd_take(&fd);
    return 0;
}

static void disconnect_guest(struct port *p)
{
    close_p(&p->tx_fd);
    p->tx_fd = -1;
    p->lost += p->tx_count;
    p->tx_head = p->tx_count = 0;
}

static bool reach_guest(struct port *p)
{
    if (p->tx_fd >= 0)
        return true;
    if (p->sw->now_ms < p->retry_ms)
        return false;
    if (connect_guest(p) == 0)
        return true;
    p->retry_ms = p->sw->now_ms + RETRY_MS;
    return false;
}

/* 0: it went; -EAGAIN: the guest does not read fast enough; else it is not there. */
static int send_now(struct port *p, const uint8_t *data, size_t len)
{
    if (send(p->tx_fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
        return 0;
    return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? -EAGAIN : -errno;
}

/* A QEMU that was started again has a new socket under the old name; the first send finds the old
 * one dead. */
static int send_or_reconnect(struct port *p, const uint8_t *data, size_t len)
{
    int r = send_now(p, data, len);

    if (r == 0 || r == -EAGAIN)
        return r;
    disconnect_guest(p);
    return reach_guest(p) ? send_now(p, data, len) : r;
}

static bool keep_for_later(struct port *p, const uint8_t *data, size_t len)
{
    struct tx_frame *f;

    if (p->tx_count == TX_FRAMES)
        return false;
    f = &p->tx[(p->tx_head + p->tx_count++) % TX_FRAMES];
    f->len = (uint16_t)len;
    memcpy(f->data, data, len);
    return true;
}

void port_send(struct port *p, const uint8_t *data, size_t len)
{
    int r = -EAGAIN;

    if (!reach_guest(p)) {
        p->lost++;
        return;
    }
    if (!p->tx_count)
        r = send_or_reconnect(p, data, len);
    if (r == 0)
        p->sent++;
    else if (r != -EAGAIN || !keep_for_later(p, data, len))
        p->lost++;
}

void link_flush(struct port *p)
{
    while (p->tx_count) {
        const struct tx_frame *f = &p->tx[p->tx_head];
        int r = send_now(p, f->data, f->len);

        if (r == -EAGAIN)
            return;
        if (r < 0) {
            disconnect_guest(p);
            return;
        }
        p->sent++;
        p->tx_head = (p->tx_head + 1) % TX_FRAMES;
        p->tx_count--;
    }
    p->tx_head = 0; /* a guest that keeps up touches few pages of the ring */
}

void link_receive(struct port *p)
{
    static uint8_t bytes[RX_BATCH][FRAME_MAX];
    static struct iovec parts[RX_BATCH];
    static struct mmsghdr messages[RX_BATCH];
    int n;

    for (int i = 0; i < RX_BATCH; i++) {
        parts[i] = (struct iovec){bytes[i], FRAME_MAX};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    n = recvmmsg(p->rx_fd, messages, RX_BATCH, MSG_DONTWAIT, NULL);
    if (n > 0 && p->tx_fd < 0)
        p->retry_ms = 0; /* somebody is there */
    for (int i = 0; i < n; i++) {
        if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
            p->seen[FRAME_DROP_BROKEN]++;
        else
            forward_frame(p->sw, p, bytes[i], messages[i].msg_len);
    }
}

bool port_may_flood(struct port *p)
{
    int64_t more = (p->sw->now_ms - p->flood_ms) / FLOOD_PER_MS;

    p->flood_ms += more * FLOOD_PER_MS;
    p->floods = more > FLOOD_BURST - (int64_t)p->floods ? FLOOD_BURST : p->floods + (unsigned)more;
    if (!p->floods) {
        p->refused++;
        return false;
    }
    p->floods--;
    return true;
}

int link_open(struct port *p, struct port_failure *fail)
{
    int r;

    p->floods = FLOOD_BURST;
    p->flood_ms = p->sw->now_ms;
    p->dir_fd = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (p->dir_fd < 0)
        return port_failed(fail, SWITCH_ERR_SYSTEM, "directory %s: %s", p->dir, strerror(errno));
    r = link_bind(SOCK_DGRAM, p->dir_fd, SOCKET_HERE, &p->rx_fd);
    if (r < 0)
        return port_failed(fail, SWITCH_ERR_SYSTEM, "%s in %s: %s", SOCKET_HERE, p->dir,
                           strerror(-r));
    return 0;
}

void link_close(struct port *p)
{
    if (p->rx_fd >= 0)
        (void)unlinkat(p->dir_fd, SOCKET_HERE, 0); /* the directory may already be gone */
    close_p(&p->rx_fd);
    close_p(&p->tx_fd);
    close_p(&p->dir_fd);
}
