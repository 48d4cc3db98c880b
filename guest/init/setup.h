/* What makes this machine the instance that the cloud says it is: network, metadata, host name,
   key, user data. */
#pragma once

#define SSH_SERVER "/usr/sbin/dropbear" /* may be missing */

/* Runs in a child process of its own, so that PID 1 keeps hearing the power button meanwhile and
   survives whatever the network sends. Bounded to about 10 s without a network and 15 s with one,
   and 5 s more for an SSH server that was started but does not listen yet; ends with the console
   line "ostler: ID is up: ...". Returns the process's exit status. */
int setup_run(void);
