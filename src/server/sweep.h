/* Free disks whose rows are gone. */
#ifndef OSTLER_SERVER_SWEEP_H
#define OSTLER_SERVER_SWEEP_H

struct store;

/* Removes the files in DIR/disks that no row knows; what cannot be removed is left to the next
 * time. */
void sweep_disks(struct store *s, const char *dir);

#endif
