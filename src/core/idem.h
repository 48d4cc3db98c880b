/*
 * Client tokens: the same token, action and parameters give the first outcome again. Outcomes are
 * lists of ids; they are kept for settings.token_ms by their account's clock.
 */
#ifndef OSTLER_CORE_IDEM_H
#define OSTLER_CORE_IDEM_H

#include "core/inst.h"

/* ERR_TOKEN_MISMATCH: the token was used with other parameters. Only `ids` of *ret is filled. */
enum err idem_find(struct op *op, const char *action, const char *token, const char *digest,
                   bool *ret_found, struct created *ret);
void idem_save(struct op *op, const char *action, const char *token, const char *digest,
               const struct created *c);

#endif
