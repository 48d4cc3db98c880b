/* See dhcp.h. Everything here reads bytes that anybody on the link may have sent. */
#include "dhcp.h"

#include "util.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    BOOTP_REQUEST = 1,
    BOOTP_REPLY = 2,
    ETHERNET = 1,
    BROADCAST_FLAG = 0x80,

    AT_OP = 0,
    AT_HARDWARE = 1,
    AT_HARDWARE_LENGTH = 2,
    AT_XID = 4,
    AT_FLAGS = 10,
    AT_YOUR_ADDRESS = 16,
    AT_MAC = 28,
    AT_MAGIC = 236,
    AT_OPTIONS = 240,

    OPTION_PAD = 0,
    OPTION_NETMASK = 1,
    OPTION_ROUTER = 3,
    OPTION_DNS = 6,
    OPTION_HOSTNAME = 12,
    OPTION_MTU = 26,
    OPTION_WANTED_ADDRESS = 50,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_WANTED_OPTIONS = 55,
    OPTION_CLASSLESS_ROUTES = 121,
    OPTION_END = 255,
};

static const uint8_t magic[4] = {0x63, 0x82, 0x53, 0x63};

struct option {
    const uint8_t *data;
    size_t length;
};

static uint8_t *put_option(uint8_t *at, uint8_t code, const void *data, uint8_t length)
{
    *at++ = code;
    *at++ = length;
    memcpy(at, data, length);
    return at + length;
}

void dhcp_build(const struct dhcp_client *client, const struct dhcp_lease *offer, uint8_t *packet)
{
    static const uint8_t wanted[] = {OPTION_NETMASK,  OPTION_ROUTER, OPTION_DNS,
                                     OPTION_HOSTNAME, OPTION_MTU,    OPTION_CLASSLESS_ROUTES};
    uint8_t type = offer ? DHCP_REQUEST : DHCP_DISCOVER;
    uint8_t *at = packet + AT_OPTIONS;

    memset(packet, 0, DHCP_REQUEST_SIZE);
    packet[AT_OP] = BOOTP_REQUEST;
    packet[AT_HARDWARE] = ETHERNET;
    packet[AT_HARDWARE_LENGTH] = sizeof(client->mac);
    packet[AT_FLAGS] = BROADCAST_FLAG; /* we have no address that a unicast could reach */
    memcpy(packet + AT_XID, &client->xid, sizeof(client->xid));
    memcpy(packet + AT_MAC, client->mac, sizeof(client->mac));
    memcpy(packet + AT_MAGIC, magic, sizeof(magic));
    at = put_option(at, OPTION_TYPE, &type, 1);
    if (offer) {
        at = put_option(at, OPTION_WANTED_ADDRESS, &offer->address, 4);
        if (offer->server)
            at = put_option(at, OPTION_SERVER, &offer->server, 4);
    }
    at = put_option(at, OPTION_WANTED_OPTIONS, wanted, sizeof(wanted));
    *at = OPTION_END;
}

/* Moves *at behind the next option. False at the end, which a truncated option is, too. */
static bool next_option(const uint8_t **at, const uint8_t *end, uint8_t *ret_code,
                        struct option *ret_option)
{
    const uint8_t *p = *at;

    while (p < end && *p == OPTION_PAD)
        p++;
    if (end - p < 2 || *p == OPTION_END || end - p - 2 < p[1])
        return false;
    *ret_code = p[0];
    *ret_option = (struct option){.data = p + 2, .length = p[1]};
    *at = p + 2 + p[1];
    return true;
}

static uint32_t address_at(const uint8_t *data)
{
    uint32_t address;

    memcpy(&address, data, sizeof(address));
    return address;
}

static uint32_t first_address(struct option option)
{
    return option.length >= 4 ? address_at(option.data) : 0;
}

static void add_route(struct dhcp_lease *lease, uint32_t destination, unsigned prefix,
                      uint32_t gateway)
{
    uint32_t netmask = prefix ? htonl(~0U << (32 - prefix)) : 0;

    if (lease->route_count < DHCP_ROUTES_MAX)
        lease->routes[lease->route_count++] = (struct dhcp_route){
            .destination = destination & netmask, .netmask = netmask, .gateway = gateway};
}

/* Each route: prefix length, as many bytes of the destination as it needs, gateway. */
static void read_classless_routes(struct option option, struct dhcp_lease *lease)
{
    const uint8_t *at = option.data, *end = option.data + option.length;

    while (at < end && *at <= 32) {
        unsigned prefix = *at++, bytes = (prefix + 7) / 8;
        uint32_t destination = 0;

        if ((size_t)(end - at) < bytes + 4)
            return;
        memcpy(&destination, at, bytes);
        add_route(lease, destination, prefix, address_at(at + bytes));
        at += bytes + 4;
    }
}

static void read_dns(struct option option, struct dhcp_lease *lease)
{
    lease->dns_count = 0;
    for (size_t i = 0; i + 4 <= option.length && lease->dns_count < DHCP_DNS_MAX; i += 4)
        lease->dns[lease->dns_count++] = address_at(option.data + i);
}

static bool is_for(const struct dhcp_client *client, const uint8_t *packet, size_t length)
{
    return length >= AT_OPTIONS && packet[AT_OP] == BOOTP_REPLY &&
           memcmp(packet + AT_XID, &client->xid, sizeof(client->xid)) == 0 &&
           memcmp(packet + AT_MAC, client->mac, sizeof(client->mac)) == 0 &&
           memcmp(packet + AT_MAGIC, magic, sizeof(magic)) == 0;
}

int dhcp_parse(const struct dhcp_client *client, const uint8_t *packet, size_t length,
               enum dhcp_type *ret_type, struct dhcp_lease *ret_lease)
{
    struct dhcp_lease lease = {0};
    struct option option, classless = {0};
    uint32_t router = 0;
    uint8_t code, type = 0;

    if (!is_for(client, packet, length))
        return -EINVAL;
    lease.address = address_at(packet + AT_YOUR_ADDRESS);
    const uint8_t *at = packet + AT_OPTIONS;
    while (next_option(&at, packet + length, &code, &option)) {
        switch (code) {
        case OPTION_TYPE:
            type = option.length == 1 ? option.data[0] : 0;
            break;
        case OPTION_NETMASK:
            lease.netmask = first_address(option);
            break;
        case OPTION_ROUTER:
            router = first_address(option);
            break;
        case OPTION_SERVER:
            lease.server = first_address(option);
            break;
        case OPTION_DNS:
            read_dns(option, &lease);
            break;
        case OPTION_HOSTNAME:
            (void)name_clean((const char *)option.data, option.length, ".-", lease.hostname,
                             sizeof(lease.hostname)); /* a bad name is no name */
            break;
        case OPTION_MTU:
            lease.mtu = option.length == 2 ? (unsigned)option.data[0] << 8 | option.data[1] : 0;
            break;
        case OPTION_CLASSLESS_ROUTES:
            classless = option;
            break;
        default:
            break;
        }
    }
    if (type != DHCP_OFFER && type != DHCP_ACK && type != DHCP_NAK)
        return -EINVAL;
    if (type != DHCP_NAK && lease.address == 0)
        return -EINVAL;
    /* RFC 3442: with classless routes the router option does not count. */
    if (classless.data)
        read_classless_routes(classless, &lease);
    else if (router)
        add_route(&lease, 0, 0, router);
    *ret_type = type;
    *ret_lease = lease;
    return 0;
}
