/* What QEMU and qemu-img say when they fail, as a sentence for the machine's owner. */
#ifndef OSTLER_ENGINE_QEMU_REASON_H
#define OSTLER_ENGINE_QEMU_REASON_H

#include "base/arena.h"

/*
 * `output` is what the program wrote, possibly "". A known complaint becomes a plain sentence; any
 * other gives its last line without control characters, at most 300 bytes; no line at all gives
 * NULL. In the arena.
 */
const char *reason_of(struct arena *a, const char *output);

/* How a process ended, from its wait status: "exit code 1", "killed by signal 9". In the arena. */
const char *reason_status(struct arena *a, int status);

#endif
