/* See net.h. */
#include "net.h"

#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    FIRST_WAIT_MS = 100, /* doubled after each silence, up to: */
    LONGEST_WAIT_MS = 2000,
    MTU_MIN = 576, /* what IPv4 demands; less is a mistake of the server */
};

static struct ifreq request_for(const char *interface)
{
    struct ifreq request = {0};

    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
    return request;
}

static int set_up(int fd, const char *interface)
{
    struct ifreq request = request_for(interface);

    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        return -errno;
    request.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

void net_loopback_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return;
    (void)set_up(fd, "lo"); /* without it only programs that talk to themselves suffer */
    close(fd);
}

void net_set_mac(const char *mac)
{
    struct ifreq request = request_for(NET_INTERFACE);
    unsigned char *to = (unsigned char *)request.ifr_hwaddr.sa_data;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    if (fd < 0 ||
        sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", to, to + 1, to + 2, to + 3, to + 4, to + 5) !=
            6 ||
        ioctl(fd, SIOCSIFHWADDR, &request) < 0)
        say("%s: cannot set the address %s: %s", NET_INTERFACE, mac, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static int read_mac(int fd, const char *interface, uint8_t mac[6])
{
    struct ifreq request = request_for(interface);

    if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
        return -errno;
    memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    return 0;
}

/* A socket that hears and sends broadcasts on this interface only, which is up afterwards. */
static int open_socket(const char *interface, uint8_t mac[6])
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(DHCP_CLIENT_PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1, error;

    if (fd < 0)
        return -errno;
    if ((error = read_mac(fd, interface, mac)) == 0 && (error = set_up(fd, interface)) == 0 &&
        (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) < 0 ||
         setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, strlen(interface) + 1) < 0 ||
         bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0))
        error = -errno;
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

static void send_request(int fd, const struct dhcp_client *client, const struct dhcp_lease *offer)
{
    struct sockaddr_in all = {.sin_family = AF_INET,
                              .sin_port = htons(DHCP_SERVER_PORT),
                              .sin_addr.s_addr = INADDR_BROADCAST};
    uint8_t packet[DHCP_REQUEST_SIZE];

    dhcp_build(client, offer, packet);
    /* A send that fails is a packet lost: the next one goes out after the wait. */
    (void)sendto(fd, packet, sizeof(packet), 0, (struct sockaddr *)&all, sizeof(all));
}

/* Waits for one answer to this client. 0, or -ETIMEDOUT after the deadline. */
static int receive(int fd, const struct dhcp_client *client, int64_t deadline,
                   enum dhcp_type *ret_type, struct dhcp_lease *ret_lease)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    uint8_t packet[DHCP_PACKET_MAX];

    while (poll(&readable, 1, ms_left(deadline)) > 0) {
        ssize_t got = recv(fd, packet, sizeof(packet), 0);
        if (got > 0 && dhcp_parse(client, packet, (size_t)got, ret_type, ret_lease) == 0)
            return 0;
        if (ms_left(deadline) == 0)
            break; /* a link full of other packets must not hold us */
    }
    return -ETIMEDOUT;
}

static int exchange(int fd, const struct dhcp_client *client, int64_t deadline,
                    struct dhcp_lease *ret_lease)
{
    struct dhcp_lease offer, lease;
    bool offered = false;
    enum dhcp_type type;
    int wait = FIRST_WAIT_MS;

    while (ms_left(deadline) > 0) {
        int64_t until = now_ms() + wait;

        send_request(fd, client, offered ? &offer : NULL);
        if (receive(fd, client, until < deadline ? until : deadline, &type, &lease) < 0) {
            wait = wait * 2 < LONGEST_WAIT_MS ? wait * 2 : LONGEST_WAIT_MS;
        } else if (type == DHCP_ACK && offered) {
            *ret_lease = lease;
            return 0;
        } else if (type == DHCP_OFFER && !offered) {
            offer = lease;
            offered = true;
        } else if (type == DHCP_NAK) {
            offered = false;
        }
    }
    return -ETIMEDOUT;
}

int net_dhcp(const char *interface, int64_t deadline, struct dhcp_lease *ret_lease)
{
    struct dhcp_client client = {0};
    int fd = open_socket(interface, client.mac);

    if (fd < 0)
        return fd;
    if (getrandom(&client.xid, sizeof(client.xid), GRND_NONBLOCK) != sizeof(client.xid))
        client.xid = (uint32_t)now_ms();
    int error = exchange(fd, &client, deadline, ret_lease);
    close(fd);
    return error;
}

static void put_address(struct sockaddr *to, uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = address};

    memcpy(to, &in, sizeof(in));
}

static void set_address(int fd, const char *interface, unsigned long what, uint32_t address)
{
    struct ifreq request = request_for(interface);

    put_address(&request.ifr_addr, address);
    if (ioctl(fd, what, &request) < 0)
        say("%s: cannot set the address: %s", interface, strerror(errno));
}

static void add_route(int fd, const char *interface, const struct dhcp_route *route)
{
    char name[IFNAMSIZ];
    struct rtentry entry = {.rt_flags = RTF_UP, .rt_dev = name};

    snprintf(name, sizeof(name), "%s", interface);
    put_address(&entry.rt_dst, route->destination);
    put_address(&entry.rt_genmask, route->netmask);
    if (route->gateway) {
        put_address(&entry.rt_gateway, route->gateway);
        entry.rt_flags |= RTF_GATEWAY;
    }
    if (route->netmask == htonl(INADDR_NONE))
        entry.rt_flags |= RTF_HOST;
    if (ioctl(fd, SIOCADDRT, &entry) < 0 && errno != EEXIST)
        say("%s: cannot add a route: %s", interface, strerror(errno));
}

static void set_mtu(int fd, const char *interface, unsigned mtu)
{
    struct ifreq request = request_for(interface);

    request.ifr_mtu = (int)mtu;
    if (ioctl(fd, SIOCSIFMTU, &request) < 0)
        say("%s: cannot set the MTU to %u: %s", interface, mtu, strerror(errno));
}

static void write_resolv_conf(const struct dhcp_lease *lease)
{
    char text[DHCP_DNS_MAX * 32], address[INET_ADDRSTRLEN];
    size_t used = 0;

    for (unsigned i = 0; i < lease->dns_count; i++) {
        inet_ntop(AF_INET, &lease->dns[i], address, sizeof(address));
        used += (size_t)snprintf(text + used, sizeof(text) - used, "nameserver %s\n", address);
    }
    int error = file_keep("/etc/resolv.conf", text, used, 0644);
    if (error)
        say("cannot write /etc/resolv.conf: %s", strerror(-error));
}

void net_configure(const char *interface, const struct dhcp_lease *lease)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error;

    if (fd < 0)
        return;
    set_address(fd, interface, SIOCSIFADDR, lease->address);
    if (lease->netmask)
        set_address(fd, interface, SIOCSIFNETMASK, lease->netmask);
    if (lease->mtu >= MTU_MIN)
        set_mtu(fd, interface, lease->mtu);
    /* Last: the kernel makes the link's routes when address and mask are there. */
    if ((error = set_up(fd, interface)) < 0)
        say("%s: cannot bring it up: %s", interface, strerror(-error));
    for (unsigned i = 0; i < lease->route_count; i++)
        add_route(fd, interface, &lease->routes[i]);
    close(fd);
    if (lease->dns_count > 0)
        write_resolv_conf(lease);
}
