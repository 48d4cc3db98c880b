/* A machine's QEMU command line: a pure function of its description. */
#ifndef OSTLER_ENGINE_QEMU_ARGS_H
#define OSTLER_ENGINE_QEMU_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "core/engine.h"
#include "engine/qemu/image.h"

/* What QEMU finds among its descriptors. */
enum { FD_DIR = 3, FD_MONITOR, FD_FIRST_KEY };

#define QEMU_BINARY "qemu-system-x86_64"

/* How machines run on this computer; see accel.h. */
struct platform {
    bool kvm;
    bool cpu_host;   /* under KVM: guests may see the host's own CPU */
    bool sandbox;    /* QEMU's seccomp filter works here */
    bool io_uring;   /* and io_uring below a disk */
    int64_t tsc_khz; /* of this CPU; 0 when unknown */
};

/* "microvm" when the image brings its kernel and everything fits, else a versioned q35. */
const char *args_machine_type(const struct machine *m);

/*
 * The argument vector, ended by NULL, in the arena. Paths below the instance directory go through
 * descriptor FD_DIR, so their length does not matter; the i-th encrypted disk's key is read from
 * descriptor FD_FIRST_KEY + i.
 */
char **args_build(struct arena *a, const struct machine *m, const struct image_files *image,
                  const struct platform *p);

#endif
