/* The host's own addresses: no guest may reach them through the stack. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "engine/switch/sw.h"

static uint32_t ipv4_of(const struct sockaddr *sa)
{
    struct sockaddr_in in;

    if (!sa || sa->sa_family != AF_INET)
        return 0;
    memcpy(&in, sa, sizeof(in));
    return ntohl(in.sin_addr.s_addr);
}

static int by_value(const void *a, const void *b)
{
    uint32_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

static size_t count_entries(const struct ifaddrs *list)
{
    size_t n = 0;

    for (; list; list = list->ifa_next)
        n++;
    return n;
}

/* An interface's broadcast address is as much the host's as its own. */
static size_t collect(const struct ifaddrs *list, uint32_t *ret)
{
    size_t n = 0;

    for (; list; list = list->ifa_next) {
        uint32_t own = ipv4_of(list->ifa_addr);

        if (!own)
            continue;
        ret[n++] = own;
        if (ipv4_of(list->ifa_broadaddr))
            ret[n++] = ipv4_of(list->ifa_broadaddr);
    }
    qsort(ret, n, sizeof(*ret), by_value);
    return n;
}

int sw_host_refresh(struct sw *sw)
{
    struct ifaddrs *list;

    if (getifaddrs(&list) < 0)
        return -errno;
    free(sw->host);
    sw->host = xcalloc(count_entries(list) * 2, sizeof(*sw->host));
    sw->net.n_host = collect(list, sw->host);
    sw->net.host = sw->host;
    sw->host_read_ms = sw->now_ms;
    freeifaddrs(list);
    return 0;
}

int sw_host_watch(void)
{
    struct sockaddr_nl me = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_IFADDR};
    int fd CLEANUP(close_p) =
        socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)) < 0)
        return -1;
    return fd_take(&fd);
}

void sw_host_drain(int fd)
{
    char some[4096];

    /* What the messages say does not matter, only that there were some; an overrun says the same.
     */
    while (recv(fd, some, sizeof(some), MSG_DONTWAIT) > 0)
        ;
}
