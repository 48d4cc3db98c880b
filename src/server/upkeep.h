/*
 * Carries out what core/chore.h asks for: snapshots saved and loaded, resets. On the main thread,
 * in steps whose state is in the store: who is killed in the middle begins the same again, or finds
 * that it was done. Those of the whole are whole.c's, those of single accounts tenants.c's.
 */
#ifndef OSTLER_SERVER_UPKEEP_H
#define OSTLER_SERVER_UPKEEP_H

#include "engine/clockwork.h"
#include "engine/supervisor.h"

struct upkeep;

struct upkeep_config {
    struct loop *loop;
    struct store *store;
    struct core *core;
    struct supervisor *supervisor;
    struct clockwork *clockwork;
    const char *dir; /* the data directory */
    bool
        has_files; /* the engine keeps a directory for each instance, and free disks in DIR/disks */
};

/* Before the supervisor: did the last life end before all machines of a load were started? For
 * supervisor_config. Waits for a write. */
bool upkeep_renews(struct store *s);

/* Takes up what the last life did not get to the end of. */
struct upkeep *upkeep_new(const struct upkeep_config *config);

/* Something was committed: is there a new one? Costs nothing when there is none. */
void upkeep_kick(struct upkeep *u);

/* Goes no further; what is in the store is. Then the store may be closed, then this freed. NULL is
 * fine. */
void upkeep_stop(struct upkeep *u);
void upkeep_free(struct upkeep *u);

#endif
