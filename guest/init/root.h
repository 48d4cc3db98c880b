/* The initramfs half of the boot: drivers, then the disk that is the real root. */
#pragma once

#include <stdbool.h>

/* True while the root file system is the kernel's initramfs. */
bool root_is_memory(void);

/* Loads the modules named in /etc/modules.list, one path a line, in their order. A kernel without
   modules has no such file. */
void root_load_modules(void);

/* Waits for the device, mounts its ext4, grows that to the device's size, frees the initramfs and
   runs /sbin/init from the disk; `told` (NULL: nothing) goes to it in the environment, as
   SETUP_TOLD.

   Returns 0 when the disk's init is this very program: then we are it now, without a start. Else
   returns only on failure, with a negative errno, and says the step that failed on the console. */
int root_switch(const char *device, const char *told);

/* Gives a system that stays in memory its commands: the initramfs has only busybox itself. */
void root_complete(void);
