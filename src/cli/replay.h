/* The verb `transcript replay`. */
#ifndef OSTLER_CLI_REPLAY_H
#define OSTLER_CLI_REPLAY_H

#include "cli/verb.h"

int replay(struct cli *c);

#endif
