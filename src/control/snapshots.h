/* Where snapshots are kept, and the wait for what the server does to the whole. */
#ifndef OSTLER_CONTROL_SNAPSHOTS_H
#define OSTLER_CONTROL_SNAPSHOTS_H

#include "api/dialect.h"

/* DIR/snapshots/NAME.db in the arena. */
const char *snapshot_path(struct arena *a, const char *dir, const char *name);

/* What was asked for, of whom: the output of an action that waits for it. */
struct chore_out {
    const char *key;
    int64_t id;
};

/* Asks for it on behalf of the call. */
enum err control_chore(struct call *c, const struct chore *wanted, struct chore_out *out);

/* The `settled` of an action whose output is a struct chore_out. */
bool control_chore_settled(struct call *c, const void *in, void *out, enum err *ret);

#endif
