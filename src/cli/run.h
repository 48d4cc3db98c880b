/* Running a tool and waiting for it. */
#ifndef OSTLER_CLI_RUN_H
#define OSTLER_CLI_RUN_H

#include "base/buf.h"

/*
 * Runs argv (looked up in PATH). What it writes goes to `out` (at most 64 KiB, standard error
 * included), or, when that is NULL, to our own standard error. Returns its exit status, 128 + the
 * signal that ended it, or a negative errno when it could not be run.
 */
int run_tool(char *const *argv, struct buf *out);

#endif
