/* Waiting until instances are where they were sent, showing how they get there. */
#ifndef OSTLER_CLI_WAIT_H
#define OSTLER_CLI_WAIT_H

#include "cli/ecs.h"

enum wait_goal { WAIT_RUNNING, WAIT_STOPPED, WAIT_GONE };

/*
 * Asks the server until each instance has reached the goal, has settled elsewhere, or --timeout is
 * over. A terminal gets one line an instance, redrawn; anything else a line a change. Ctrl-C ends
 * the waiting, not what is waited for. CLI_OK, CLI_FAILED (at least one did not get there),
 * CLI_INTERRUPTED, or CLI_NO_SERVER.
 */
int wait_for(struct cli *c, const char *const *ids, size_t n, enum wait_goal goal);

#endif
