/* A line of a recording, made into a request again. */
#ifndef OSTLER_CLI_REPLAYED_H
#define OSTLER_CLI_REPLAYED_H

#include "cli/compare.h"
#include "cli/ecs.h"
#include "cli/zec.h"

struct recorded {
    const json_t *line;
    const char *dialect, *service, *version, *action, *method, *account, *client;
    bool zec, xml;
    const json_t *params, *answer, *body;
    long long n, status;
    long long at_ms; /* when it came; 0: not told */
    bool verified;
    bool faulted; /* refused by a fault, so that nothing was done */
};

/* Reads a line; its texts are the line's. NULL, or a sentence in the arena that says what is wrong.
 */
const char *recorded_read(struct arena *a, const json_t *line, struct recorded *ret);

/*
 * The parameters as they are to be sent now: names replaced, what was left out filled with
 * something of its kind, and client tokens made anew (which `names` then knows). The caller's.
 */
json_t *recorded_params(struct arena *a, const struct recorded *r, struct names *names);

/* Sends it, signed afresh, with c's key. As ecs_send and zec_send. */
int recorded_send(struct cli *c, const struct recorded *r, const json_t *params,
                  struct http_answer *ret);

/* Compares what came with what was recorded. */
void recorded_compare(struct comparison *c, const struct recorded *r, const struct http_answer *a);

/* May it be asked again until it is as recorded? A poll may; so may what was refused for something
 * still on its way, since a refusal changes nothing. */
bool recorded_repeats(const struct recorded *r, const struct http_answer *a);

#endif
