/* How an answer or a refusal is said as a whole. */
#ifndef OSTLER_DIALECT_ALIBABA_ENVELOPE_H
#define OSTLER_DIALECT_ALIBABA_ENVELOPE_H

#include "api/dialect.h"

/* struct dialect's name_request, answer and refuse. */
void envelope_name(struct call *c);
void envelope_answer(struct call *c, const void *out, struct answer *a);
void envelope_refuse(struct call *c, const struct err_row *row, struct answer *a);

#endif
