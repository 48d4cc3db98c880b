/* The guest's one network interface: up, an address by DHCP, routes, name servers. */
#pragma once

#include "dhcp.h"

#include <stdbool.h>
#include <stdint.h>

void net_loopback_up(void);

/* Brings the interface up and asks for an address until now_ms() passes `deadline`.
   0 and the lease, -ENODEV without such an interface, -ETIMEDOUT, or another negative errno. */
int net_dhcp(const char *interface, int64_t deadline, struct dhcp_lease *ret_lease);

/* Waits until something listens on the IPv4 TCP port, at most until now_ms() passes `deadline`.
   False if nothing does by then. */
bool net_await_listener(uint16_t port, int64_t deadline);

/* Gives the interface what the lease says and writes /etc/resolv.conf. A part that the kernel
   refuses is said on the console and left out. */
void net_configure(const char *interface, const struct dhcp_lease *lease);
