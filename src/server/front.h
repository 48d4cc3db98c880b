/*
 * A thread that answers requests beside the main one: it has a loop, an end of the store and an API
 * of its own, and gets its connections from the main thread, which alone listens. So reading scales
 * with processors; writing is the one writer's anyhow, and machines are the main thread's.
 */
#ifndef OSTLER_SERVER_FRONT_H
#define OSTLER_SERVER_FRONT_H

#include "server/desk.h"

struct front;

struct front_config {
    struct desk_config desk;    /* `changed` and `ready` are called on the front's thread */
    struct store *store;        /* any end; the front attaches its own */
    void (*drained)(void *ctx); /* on the front's thread: see front_drain */
    void *ctx;
};

/* Starts it. On failure the reason is in `f`. */
enum err front_new(const struct front_config *config, struct front **ret, struct fail *f);

/* Serves a connection by a duplicate of its descriptor; false: there are none left. From any
 * thread. */
bool front_take(struct front *f, int fd);

/* Lets requests finish, then calls `drained` once. From any thread; only the first call counts. */
void front_drain(struct front *f);

/* Ends it at once; what was accepted is written and told to nobody. NULL is fine. */
void front_free(struct front *f);

#endif
