/* Inside the store: what a transaction is. */
#ifndef OSTLER_STORE_TX_H
#define OSTLER_STORE_TX_H

#include "core/store.h"
#include "store/db.h"

struct tx {
    struct db *db;
    struct arena *arena;
    bool failed;
    bool open; /* a snapshot that is being read */
};

/* Brings the schema up to date. 0, or negative with the reason in `f`. */
int store_migrate(struct db *db, struct fail *f);

#endif
