/* ClientToken: the same token with the same parameters gives the first outcome again. */
#ifndef OSTLER_DIALECT_ALIBABA_TOKEN_H
#define OSTLER_DIALECT_ALIBABA_TOKEN_H

#include "api/dialect.h"
#include "core/inst.h"

struct token {
    const char *text; /* as the client gave it; NULL: none */
    bool dry_run;     /* then only its form counts: it is neither looked up nor kept */
    const char *digest;
};

/*
 * Was it used before? Then *ret is the outcome of that time, its `ids` alone. ERR_TOKEN_FORMAT,
 * ERR_TOKEN_MISMATCH.
 */
enum err token_find(struct call *c, struct token *t, bool *ret_found, struct created *ret);

/* Keeps the outcome, after token_find and success. */
void token_save(struct call *c, const struct token *t, const struct created *outcome);

#endif
