/* Every error of the core, as ECS says it. */
#ifndef OSTLER_DIALECT_ALIBABA_ERRORS_H
#define OSTLER_DIALECT_ALIBABA_ERRORS_H

#include "api/dialect.h"

/* One row an error; ended by ERR_NONE. Codes may hold %p, which errors_say expands. */
extern const struct err_row alibaba_errors[];

/* A refusal as the client reads it; texts in the arena or static. */
struct said {
    int status;
    const char *code, *message;
};

/*
 * The one way from c->fail to words: those of `row` (see call_err_row), except where ECS has a code
 * of its own for the parameter that is blamed.
 */
struct said errors_say(struct call *c, const struct err_row *row);

/* struct dialect's refine. */
const struct err_row *errors_refine(const struct action *a, const char *param,
                                    const struct err_row *row);

/*
 * Refuses a parameter that is well formed and known, but whose effect Ostler does not have. Better
 * a clear refusal than an instance that is not what was asked for. Returns ERR_UNSUPPORTED.
 */
enum err errors_unsupported(struct call *c, const char *param);

#define TOO_MANY_IDS                                                                               \
    403, "InvalidParameter.TooManyInstanceIds", "Instance ids cannot be more than 100."
#define TOO_MANY_TAGS 400, "InvalidTagCount", "The specified tags are beyond the permitted range."

#endif
