/* What the operator's verbs have in common. */
#ifndef OSTLER_CLI_ADMIN_H
#define OSTLER_CLI_ADMIN_H

#include "cli/rows.h"
#include "cli/server.h"

/* {"account": ..., key: value}; a NULL value is left out. */
json_t *body_with(const struct cli *c, const char *key, const char *value);

/* One call for each word of the command line, by `key`, with `more` (NULL: nothing; taken); goes on
 * after a refusal. Says what was `done`. */
int for_each(struct cli *c, const char *action, const char *key, json_t *more, const char *done);

/* Prints the list that the answer has under `key`. Takes `body`. */
int list_rows(struct cli *c, const char *action, json_t *body, const char *key,
              const struct row_column *columns, size_t n);

#define WHOSE       OPT_ACCOUNT, OPT_DATA
#define ONLY_WHOSE  OPT_ONLY, OPT_DATA
#define ONE_OR_MORE .min_args = 1, .max_args = -1
#define ONE         .min_args = 1, .max_args = 1

#endif
