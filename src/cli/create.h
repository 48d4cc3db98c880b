/* The verb `create`. */
#ifndef OSTLER_CLI_CREATE_H
#define OSTLER_CLI_CREATE_H

#include "cli/verb.h"

int create(struct cli *c);

#endif
