/* Runs a program and waits for it, with a deadline behind which it is killed. For the probe at
 * start only: it blocks. */
#ifndef OSTLER_ENGINE_QEMU_RUN_H
#define OSTLER_ENGINE_QEMU_RUN_H

#include "base/buf.h"

struct run {
    const char *const *argv; /* argv[0] is the program, by name or path */
    const int *fds;          /* fds[i] becomes 3 + i */
    size_t n_fds;
    const char *input; /* what it reads, small; NULL: nothing */
    const char *until; /* enough once this was written: it is killed, and that is success; NULL:
                          until it ends */
    int timeout_ms;
};

/*
 * 0 with the wait status in *ret_status (of the kill, when `until` was seen), -ETIMEDOUT, or
 * another negative errno. What it wrote, at most 64 KiB, is added to `out` in every case.
 */
int run(const struct run *r, struct buf *out, int *ret_status);

#endif
