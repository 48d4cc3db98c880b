/* Every error of the core, as ECS says it. */
#ifndef OSTLER_DIALECT_ALIBABA_ERRORS_H
#define OSTLER_DIALECT_ALIBABA_ERRORS_H

#include "api/dialect.h"

/* One row an error; ended by ERR_NONE. Codes may hold %p, which errors_code expands. */
extern const struct err_row alibaba_errors[];

/*
 * ECS has codes of their own for some parameters. When `row` is of the general table and c->fail
 * blames such a parameter, the parameter's row; else `row`.
 */
const struct err_row *errors_refine(const struct call *c, const struct err_row *row);

/*
 * Refuses a parameter that is well formed and known, but whose effect Ostler does not have. Better
 * a clear refusal than an instance that is not what was asked for. Returns ERR_PARAM_VALUE.
 */
enum err errors_unsupported(struct call *c, const char *param);

/* The row's code; %p becomes the parameter, with a capital first letter. */
const char *errors_code(struct call *c, const struct err_row *row);

#endif
