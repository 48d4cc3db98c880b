/* What makes this machine the instance that the cloud says it is: network, metadata, host name,
   key, user data. */
#pragma once

/* Runs in a child process of its own, so that PID 1 keeps hearing the power button meanwhile and
   survives whatever the network sends. Bounded to about 10 s without a network and 15 s with one;
   ends with the console line "ostler: ID is up: ...". Returns the process's exit status. */
int setup_run(void);
