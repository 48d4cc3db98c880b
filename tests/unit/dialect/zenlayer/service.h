/*
 * The whole service below the socket: a real store in a temporary directory, the core, dispatch and
 * this dialect. The test itself is the engine: it ends jobs when it wants to. Time stands still
 * until it is moved.
 */
#ifndef OSTLER_TESTS_ZENLAYER_SERVICE_H
#define OSTLER_TESTS_ZENLAYER_SERVICE_H

#include "fixture.h"

#include "api/dispatch.h"
#include "core/inst.h"

struct service {
    char dir[64];
    struct arena *arena;
    struct world world;
    int64_t now;
    struct catalog *catalog;
    struct vault *vault;
    struct core core;
    struct store *store;
    struct api *api;
    int committed; /* an eventfd that the writer thread rings */
    const char *account, *key_id, *secret, *subnet, *image;

    /* how the next requests are made */
    const char *client, *version, *method, *path;

    /* the last answer */
    int status;
    json_t *reply;
};

void service_init(struct service *s);
void service_done(struct service *s);

/* Signs and sends; the body may be a printf format. Returns the HTTP status; the answer is
 * s->reply. */
int service_call(struct service *s, const char *action, const char *body, ...) PRINTF(3, 4);

/* The same with any Authorization. NULL: none. */
int service_call_as(struct service *s, const char *action, const char *authorization,
                    const char *body);

/* Fails the test unless the call was refused so. */
void service_refused(struct service *s, int status, const char *code);

/* The answer's fields: {"response": ...}. */
json_t *service_response(struct service *s);

/* Runs `fn` in a write transaction. */
void service_write(struct service *s, enum err (*fn)(struct op *op, void *ctx), void *ctx);

/* Makes `n` running instances and returns their ids, in the service's arena. */
const char **service_instances(struct service *s, size_t n);

/* Ends the instance's jobs, one after the other, until it has none. `error` NULL: well. */
void service_settle(struct service *s, const char *id, const char *error);

/* The status that DescribeInstancesStatus shows; "" when the instance is not listed. */
const char *service_status(struct service *s, const char *id);

/* The ids of response.instanceIds, separated by ' '. */
const char *service_listed(struct service *s);

#endif
