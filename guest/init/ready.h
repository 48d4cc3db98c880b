/* The channel by which a program on the host learns that the guest is up. */
#pragma once

#include <stdbool.h>

/* Opens the virtio-serial port named "ostler.ready" with the flags of open(2); negative without
   such a port. Only one at a time can have it open. */
int ready_open(int flags);

/* False when the line did not go out whole. */
bool ready_write(int fd, const char *line);

/* Writes "READY <uptime>\n" to that port and leaves it open for as long as this process lives. Does
   nothing without such a port. */
void ready_announce(void);
