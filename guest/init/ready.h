/* The channel by which a program on the host learns that the guest is up. */
#pragma once

/* Opens the virtio-serial port named "ostler.ready", writes "READY <uptime>\n" and leaves the port
   open for as long as this process lives. Does nothing without such a port. */
void ready_announce(void);
