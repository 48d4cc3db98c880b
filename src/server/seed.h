/* What a data directory is given on its first start, and what every start looks for in it. */
#ifndef OSTLER_SERVER_SEED_H
#define OSTLER_SERVER_SEED_H

#include "core/core.h"

struct seeded {
    bool first; /* the account and its key were made just now */
    const char *account, *access_key,
        *secret; /* in the arena; the secret on the first start only */
};

/*
 * Makes the first account with one access key; offers each image directory DIR/images/ID that is
 * not offered yet, and with `names_only` the catalogue's images, which have a name and no content
 * (the sim engine's).
 */
enum err seed(struct store *s, struct core *core, const char *dir, bool names_only, struct arena *a,
              struct seeded *ret, struct fail *f);

#endif
