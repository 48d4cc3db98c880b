/* The other cloud's side: ZEC's JSON API, signed with ZC2-HMAC-SHA256. */
#ifndef OSTLER_CLI_ZEC_H
#define OSTLER_CLI_ZEC_H

#include "cli/server.h"

struct zec_call {
    const char *service, *action, *version;
    const char *body;   /* JSON */
    const char *client; /* how it names itself; NULL: not at all */
};

/* Signs and sends. CLI_OK and the answer, whatever its status (http_answer_done in any case); or
 * another exit after saying why. */
int zec_send(struct cli *c, const struct zec_call *call, struct http_answer *ret);

/*
 * Calls a batch action (StartInstances, ...) for one instance. CLI_OK; or CLI_FAILED and *ret_no
 * when it was refused, with nothing said yet (code NULL: it was said); or another exit after saying
 * why.
 */
int zec_power(struct cli *c, const char *action, const char *flag, const char *id,
              struct refusal *ret_no);

/* The Authorization header's value for a body sent to `host` at `timestamp` (Unix seconds, as
 * text). */
char *zec_authorization(struct arena *a, const char *host, const char *timestamp, const char *body,
                        const char *key_id, const char *secret);

#endif
