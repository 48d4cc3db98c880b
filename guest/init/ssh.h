/* SSH on demand: init listens, and each connection gets a server of its own. So the port answers
   from the first moment on, and a machine that nobody logs into never loads the server. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Listens on port 22. A descriptor, or -1 when there is no server or no port to be had. */
int ssh_listen(void);

/* May another connection be served now? Those beyond wait. */
bool ssh_has_room(void);

/* Takes one connection from the listening descriptor and starts a server for it. */
void ssh_serve(int listener);

/* A child has ended: true when it was one of the servers. */
bool ssh_ended(pid_t pid);
