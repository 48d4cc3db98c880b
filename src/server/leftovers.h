/*
 * What a swap of all rows leaves of machines: those whose instances are not among the new rows. In
 * the transaction of the swap: the old instances are noted, then, with the new rows there, what is
 * left is written for the supervisor (rec_leftover).
 */
#ifndef OSTLER_SERVER_LEFTOVERS_H
#define OSTLER_SERVER_LEFTOVERS_H

#include "core/store.h"

struct leftovers {
    const char **v; /* instances and their subnets: two texts each, of the arena they were given */
    size_t n, room;
};

/* All instances that there are. */
void leftovers_note(struct leftovers *l, struct tx *tx, struct arena *a);
/* Those of them that are gone. */
void leftovers_write(const struct leftovers *l, struct tx *tx);
void leftovers_clear(struct leftovers *l);

#endif
