/*
 * Finding the server and calling it. The data directory leads to both of its sides: DIR/ostler.sock
 * for what only the operator may ask, and, by what that tells, the clouds' API. Without one,
 * OSTLER_ENDPOINT and the key in the environment lead to the latter alone.
 */
#ifndef OSTLER_CLI_SERVER_H
#define OSTLER_CLI_SERVER_H

#include "cli/verb.h"
#include "net/client.h"

/* Makes c->dir the data directory, absolute. CLI_OK, or CLI_NO_SERVER after saying why. */
int server_dir(struct cli *c);

/* True when the verbs for users are to go by the environment: OSTLER_ENDPOINT is set and no
 * directory is named. */
bool server_by_environment(const struct cli *c);

/* Makes c->endpoint, key_id, secret, region, zone and ca_file known. CLI_OK, or another exit after
 * saying why. */
int server_environment(struct cli *c);

/* The endpoint without its scheme: what the clouds' clients sign as Host. In the arena. */
const char *server_host(struct cli *c);

/* Says that nobody answers at the endpoint; `err` is http_call_run's. CLI_NO_SERVER. */
int server_unreachable(struct cli *c, int err, const char *why);

/* What a refusal says; NULL where it says nothing. */
struct refusal {
    const char *code, *message, *request_id;
};

/*
 * Asks the operator's side. Takes `body` (NULL: none). CLI_OK and *ret (NULL: not wanted) is the
 * answer, the caller's; CLI_FAILED and *ret_no when it was refused, with nothing said yet; or
 * another exit after saying why.
 */
int operator_try(struct cli *c, const char *action, json_t *body, json_t **ret,
                 struct refusal *ret_no);

/* The same, and says a refusal, too. */
int operator_call(struct cli *c, const char *action, json_t *body, json_t **ret);

/* Says a refusal of `subject` (NULL: of nothing in particular), with advice where there is some.
 * CLI_FAILED. */
int say_refusal(const char *subject, const struct refusal *no);

/* {"account": ...} when --account was given, for an operator's call. */
json_t *account_body(const struct cli *c);

/* A text or number of an object; "" when it is not there. Borrowed from the object. */
const char *json_text(const json_t *j, const char *key);

static inline void http_answer_done_p(struct http_answer *a)
{
    http_answer_done(a);
}

static inline void json_free_p(json_t **j)
{
    json_decref(*j);
}

#endif
