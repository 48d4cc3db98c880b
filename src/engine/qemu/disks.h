/* The files behind a machine's disks: qcow2 overlays on the image, plain qcow2 for the others. */
#ifndef OSTLER_ENGINE_QEMU_DISKS_H
#define OSTLER_ENGINE_QEMU_DISKS_H

#include "base/arena.h"
#include "core/engine.h"
#include "engine/qemu/image.h"

struct loop;
struct disks_job;

/* qemu-img costs a processor (encrypted disks: seconds of it), so only so many run at once. */
struct disks_queue {
    struct loop *loop;
    unsigned running, max;
    struct disks_job *first, **end; /* those that wait */
    struct loop_timer *soon;
};

void disks_queue_init(struct disks_queue *q, struct loop *loop, unsigned max);
/* No job is left. */
void disks_queue_done(struct disks_queue *q);

/*
 * Makes the machine's disks that are not there yet, one after the other, by qemu-img: under a
 * temporary name, then on disk for good, then renamed. Repeating it after a crash is fine. `dirfd`,
 * `spec` and `image` must live until `done`, which is called once from the loop, with NULL or a
 * sentence (valid during the call). `only_local`: leaves out the disks that must not come into
 * being empty at a start.
 */
struct disks_job *disks_make(struct disks_queue *queue, int dirfd, const struct machine *spec,
                             const struct image_files *image, bool only_local,
                             void (*done)(void *arg, const char *error), void *arg);

/* Is one of those files not there? */
bool disks_lack(int dirfd, const struct machine *spec);

/* Ends it without `done`. NULL is fine. */
void disks_cancel(struct disks_job *job);

/*
 * Before a start: every disk is there and none has failed. With `reset_local` the local disks that
 * failed are removed, to be made anew. NULL, or a sentence in the arena. Blocks.
 */
const char *disks_check(struct arena *a, int dirfd, const struct machine *spec, bool reset_local);

#endif
