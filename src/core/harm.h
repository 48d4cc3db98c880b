/*
 * What happens to a running machine because a test wants it: asked for here, done by the engine,
 * and over when the row is gone. It survives a restart between the two.
 */
#ifndef OSTLER_CORE_HARM_H
#define OSTLER_CORE_HARM_H

#include "core/core.h"

/* Asks for it. ERR_INST_NOT_FOUND; ERR_INST_STATE: it does not run; ERR_INST_BUSY: something else
 * is being done to it. */
enum err harm_ask(struct op *op, const char *inst, enum harm_kind kind);

/* Puts a disk's trouble down, and asks for it where its machine runs. *ret_asked: the instance to
 * wait for, NULL none. ERR_DISK_NOT_FOUND, ERR_INST_BUSY. */
enum err disk_set_trouble(struct op *op, const char *disk, enum disk_trouble t,
                          const char **ret_asked);

/* It was done, or, with a sentence, could not be. */
enum err harm_end(struct op *op, const char *inst, const char *error);

/* The machine has stopped or is gone: nothing is left to be done to it. */
void harm_over(struct op *op, const char *inst);

/* Is what was asked for over? *ret_e: ERR_INST_STATE when it could not be done. */
bool harm_settled(struct op *op, const char *inst, enum err *ret_e);

#endif
