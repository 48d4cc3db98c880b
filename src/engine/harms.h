/*
 * Tells the driver what is to happen to running machines (core/harm.h), and the store when it has.
 * Lives on the loop's thread.
 */
#ifndef OSTLER_ENGINE_HARMS_H
#define OSTLER_ENGINE_HARMS_H

#include "core/core.h"
#include "core/engine.h"

struct loop;
struct harms;

struct harms_config {
    struct loop *loop;
    struct store *store;
    struct core *core;
    const struct engine_driver *driver;
};

struct harms *harms_new(const struct harms_config *config);
/* Nothing is told any more; before the store is closed. NULL is fine. */
void harms_stop(struct harms *h);
void harms_free(struct harms *h); /* NULL is fine */

/* Something was committed: looks for what is to be done. */
void harms_kick(struct harms *h, struct engine *e);

/* The driver has done it, or, with a sentence, could not. */
void harms_done(struct harms *h, const char *inst, const char *error);

/* The machine has stopped: that is told by who says so to the store. */
void harms_stopped(struct harms *h, const char *inst);

#endif
