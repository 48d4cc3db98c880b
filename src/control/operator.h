/*
 * The operator's own API: POST /_ostler/v1/<Action> with a JSON object, answered in JSON. It has no
 * keys and no signatures: whoever may open the data directory's socket (mode 0600) is the operator.
 * It says what no cloud's API says (locks, broken disks, expiry, secrets), so it is not answered on
 * the network; but with test controls programs on this computer are operators, and, where the
 * server listens beyond it, who sends `Authorization: Bearer KEY` over HTTPS with the key of
 * DATA/operator.key.
 *
 *   -> {"instanceId": "i-1", "reason": "security"}
 *   <- {"requestId": "..."}                                        200
 *   <- {"requestId": "...", "code": "InstanceNotFound", "message": "..."}   404
 *
 * Every action takes an optional `account`: its things only. Without one the operator sees
 * everybody's.
 */
#ifndef OSTLER_CONTROL_OPERATOR_H
#define OSTLER_CONTROL_OPERATOR_H

#include <stdint.h>

#include "api/dialect.h"

/* The path before an action's name. */
#define CONTROL_PATH "/_ostler/v1/"

/* What the actions say about the server itself. Borrowed; must outlive it. */
struct control_config {
    const char *version;
    const char *dir;              /* the data directory, absolute */
    const char *const *endpoints; /* ended by NULL; the first is the one that clients are told */
    const struct dialect *const *dialects; /* that are served; ended by NULL */
    struct transcript *transcript;         /* what is recorded into; NULL: nothing can be */
    const char *(*engine)(void *ctx); /* a sentence about the engine; called on the loop's thread */
    void *ctx;
    int64_t started_at;       /* ms since 1970 */
    const char *operator_key; /* who shows it over HTTPS is an operator, too; NULL: there is none */
};

/* Once, before the first request. */
void control_setup(const struct control_config *config);

extern const struct dialect dialect_operator;

#endif
