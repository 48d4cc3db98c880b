/* What makes this machine the instance that the cloud says it is: network, metadata, host name,
   key, user data. */
#pragma once

#include <stdbool.h>

/* The name of the environment variable in which a told line reaches the disk's init. */
#define SETUP_TOLD "OSTLER_TOLD"

/* `told` is NULL, or the line that template_point returned, whose words say what DHCP and metadata
   would: address= netmask= gateway= dns= mtu= hostname= id= key= (in hexadecimal) and userdata=
   (yes or no).

   Bounded to about 10 s without a network and 15 s with one; ends with the console line
   "ostler: ID is up: ...". Returns the process's exit status. */
int setup_run(const char *told);

/* True when setup_run(told) will ask nobody anything and so takes no time. Otherwise it belongs in
   a child process, so that PID 1 keeps hearing the power button meanwhile and survives whatever the
   network sends. */
bool setup_is_told(const char *told);
