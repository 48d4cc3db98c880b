/* The guest's one network interface: up, an address by DHCP, routes, name servers. */
#pragma once

#include "dhcp.h"

#include <stdbool.h>
#include <stdint.h>

#define NET_INTERFACE "eth0"

void net_loopback_up(void);

/* Brings the interface up and asks for an address until now_ms() passes `deadline`.
   0 and the lease, -ENODEV without such an interface, -ETIMEDOUT, or another negative errno. */
int net_dhcp(const char *interface, int64_t deadline, struct dhcp_lease *ret_lease);

/* The card's hardware address, "00:16:3e:..."; the interface is not up yet. */
void net_set_mac(const char *mac);

/* Gives the interface what the lease says, brings it up and writes /etc/resolv.conf. A part that
   the kernel refuses is said on the console and left out. */
void net_configure(const char *interface, const struct dhcp_lease *lease);
