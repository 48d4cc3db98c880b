/*
 * QEMU processes started ahead, with -S, so that a start is only `cont`. On the machine types that
 * are used here address, disks and their names are fixed once a device exists, so such a process
 * belongs to one instance: those that were stopped or created last, one each, at most
 * engine_config.prepared. One is handed over only if a start would use the very same command line
 * and files now; otherwise it is ended and the machine starts cold.
 *
 * A prepared process is not a machine that runs. It has the instance directory open as FD_DIR, but
 * the lock on that open file is taken only when it is handed over. Until then it holds another, on
 * DIR/prepared/ID, by which a later daemon finds what a killed one left behind. Machines with
 * encrypted disks are never prepared: a stopped machine's keys are in no memory.
 *
 * All of it belongs to the loop's thread.
 */
#ifndef OSTLER_ENGINE_QEMU_PREPARED_H
#define OSTLER_ENGINE_QEMU_PREPARED_H

#include "core/engine.h"
#include "engine/qemu/image.h"

struct engine;
struct vm;

/* The machine is stopped, whole, and nothing is being done to it: it may be the next to start. */
void prepared_offer(struct engine *e, const struct machine *m);

/* Something changed: goes on preparing once no machine is being made or started. */
void prepared_soon(struct engine *e);

/* Is a process waiting that may be handed over? */
bool prepared_waits(const struct vm *vm);

/*
 * Makes the waiting process the machine's: the lock is its own, and it is told to run. False when
 * there is none, or it does not fit. `argv` is what a cold start would use. Hold the lock.
 */
bool prepared_hand_over(struct vm *vm, const struct machine *spec, const struct image_files *image,
                        char **argv);

/* True when nothing of the kind is there. Else it is being ended, and the machine's operation is
 * begun again (`soon`) after its end. */
bool prepared_gone(struct vm *vm);

unsigned prepared_count(const struct engine *e);

/* Ends those that a killed daemon left behind. Blocks for some milliseconds each. */
void prepared_end_orphans(const char *dir);

void prepared_close(struct engine *e);

#endif
