/* A machine's description kept beyond the call that brought it, and its secrets in a form for a
 * child. */
#ifndef OSTLER_ENGINE_QEMU_SPEC_H
#define OSTLER_ENGINE_QEMU_SPEC_H

#include "core/engine.h"

/* A deep copy in an arena of its own. */
struct machine *spec_new(const struct machine *m);

/* Wipes the data keys, then frees. NULL is fine. */
void spec_free(struct machine *spec);

/* A disk's file in the instance directory, without ".qcow2": "system" or the disk's id. */
const char *spec_disk_file(const struct machine_disk *d);

/* How many of its disks are encrypted, each with a key of its own. */
size_t spec_n_keys(const struct machine *spec);

/*
 * A pipe that holds the key as the text that QEMU's `secret` object reads: hexadecimal, because a
 * passphrase must be UTF-8. Its write end is closed, so whoever gets the read end (returned, the
 * caller's) reads it to the end once, and the key is in no file and on no command line. Negative
 * errno on failure.
 */
int spec_key_pipe(const struct bytes *key);

#endif
