/* The way of a request: from bytes to the dialect, the action, the store and back. */
#ifndef OSTLER_API_DISPATCH_H
#define OSTLER_API_DISPATCH_H

#include "api/dialect.h"

/* One thread's: what answers requests there. */
struct api;

struct api_config {
    struct core *core;
    struct store *store;
    const struct dialect *const *dialects; /* ended by NULL */
    void (*changed)(void *ctx);            /* a write of an action was committed */
    void (*waits)(void *ctx);      /* an answer waits: api_poll is to be called until it is false */
    struct transcript *transcript; /* what may be recorded is told to; NULL: nothing is */
    void *ctx;
};

struct api *api_new(const struct api_config *config);
void api_free(struct api *api);

/* Looks whether what answers wait for has come about, and gives those. True: some still wait. */
bool api_poll(struct api *api);
/* Refuses what still waits: nothing will come about any more. */
void api_give_up(struct api *api);

/*
 * Answers a request by calling `reply` exactly once, now or after a commit, always on this thread.
 * The request's memory stays valid until then.
 */
typedef void api_reply_fn(void *ctx, const struct answer *a);
void api_handle(struct api *api, const struct request *r, struct arena *arena, api_reply_fn *reply,
                void *ctx);

/* A request that HTTP itself refused, as far as it was read: says it in the dialect's envelope.
 * `status` 0: the dialect's. */
void api_refuse(struct api *api, const struct request *r, struct arena *arena, enum err err,
                int status, const char *reason, api_reply_fn *reply, void *ctx);

/* Every declaration as JSON, for `ostler api dump`; malloc'd. */
char *api_dump(const struct dialect *const *dialects);

#endif
