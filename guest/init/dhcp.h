/* The DHCP wire format (RFC 2131, 2132, 3442), without sockets: build what a client sends, read
   what a server answered. Addresses are in network byte order throughout. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    DHCP_PACKET_MAX = 1500,
    DHCP_REQUEST_SIZE = 300, /* servers may drop anything shorter than BOOTP's 300 bytes */
    DHCP_DNS_MAX = 3,
    DHCP_ROUTES_MAX = 16,
    DHCP_HOSTNAME_SIZE = 65,
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
};

struct dhcp_client {
    uint32_t xid;
    uint8_t mac[6];
};

struct dhcp_route {
    uint32_t destination;
    uint32_t netmask;
    uint32_t gateway; /* 0: on the link itself */
};

struct dhcp_lease {
    uint32_t address;
    uint32_t netmask;
    uint32_t server;
    uint32_t dns[DHCP_DNS_MAX];
    unsigned dns_count;
    struct dhcp_route routes[DHCP_ROUTES_MAX];
    unsigned route_count;
    unsigned mtu;                      /* 0: the server said none */
    char hostname[DHCP_HOSTNAME_SIZE]; /* "": the server said none */
};

/* Fills `packet` (DHCP_REQUEST_SIZE bytes): a DISCOVER when `offer` is NULL, else the REQUEST
   that takes it. */
void dhcp_build(const struct dhcp_client *client, const struct dhcp_lease *offer, uint8_t *packet);

/* Reads one packet. 0 and both outputs set when it is a well-formed answer to this client,
   -EINVAL for everything else. */
int dhcp_parse(const struct dhcp_client *client, const uint8_t *packet, size_t length,
               enum dhcp_type *ret_type, struct dhcp_lease *ret_lease);
