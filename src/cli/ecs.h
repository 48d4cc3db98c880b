/* The clouds' side, spoken as any other client does: ECS's RPC API, signed with ACS3-HMAC-SHA256.
 */
#ifndef OSTLER_CLI_ECS_H
#define OSTLER_CLI_ECS_H

#include "cli/server.h"

struct ecs_param {
    const char *name, *value;
};

/* Adds what is not NULL; texts must live until the call. */
enum { ECS_MAX_PARAMS = 64 };
struct ecs_params {
    struct ecs_param v[ECS_MAX_PARAMS];
    size_t n;
};
void ecs_add(struct ecs_params *p, const char *name, const char *value);

/* One request as it is signed. Headers are those to be signed: lower case, sorted, without blanks
 * around values. */
struct ecs_request {
    const char *method;
    const char *query; /* canonical: ecs_query's */
    const struct ecs_param *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
};

/* Sorted by name and percent-encoded. */
char *ecs_query(struct arena *a, const struct ecs_param *params, size_t n);

/* The Authorization header's value. */
char *ecs_authorization(struct arena *a, const struct ecs_request *r, const char *key_id,
                        const char *secret);

struct ecs_call {
    const char *method, *action, *version;
    const struct ecs_param *params; /* the protocol's own besides */
    size_t n_params;
};

/* Signs and sends. CLI_OK and the answer, whatever its status (http_answer_done in any case); or
 * another exit after saying why. */
int ecs_send(struct cli *c, const struct ecs_call *call, struct http_answer *ret);

/*
 * Calls an action. CLI_OK and *ret (NULL: not wanted) is the answer, the caller's; CLI_FAILED and
 * *ret_no when it was refused, with nothing said yet (code NULL: it was said); or another exit
 * after saying why.
 */
int ecs_try(struct cli *c, const char *action, const struct ecs_params *p, json_t **ret,
            struct refusal *ret_no);

/* The same, and says a refusal, too. */
int ecs_call(struct cli *c, const char *action, const struct ecs_params *p, json_t **ret);

#endif
