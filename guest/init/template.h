/* The template point. A machine started with ostler.template=1 on its kernel line does not boot to
   its end: it stops where nothing of one machine is in it yet, and waits. The host saves it there,
   and later starts machines from what it saved; each is told on the ready port who it is now. */
#pragma once

/* Without that word on the kernel line: nothing, and NULL. With it: writes "WAIT\n" to the port
   "ostler.ready", blocks until a line "GO word=value ..." came from it, answers "GONE\n" and gives
   the machine what the line says: the clock (time=SECONDS.NANOSECONDS), random numbers
   (random=HEX), the card's address (mac=). Nothing that was read from a disk before the point is
   kept behind it; disks are as large as they were.

   Returns the line, for setup_run; it lives as long as the process. Without the port the boot goes
   on as if the word were not there. The modules must be loaded. */
const char *template_point(const char *cmdline);
