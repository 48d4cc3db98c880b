/* The codes that the cloud's pages list; ended by code NULL. */
#ifndef OSTLER_DIALECT_ALIBABA_DOCUMENTED_H
#define OSTLER_DIALECT_ALIBABA_DOCUMENTED_H

#include "api/dialect.h"

extern const struct doc_row alibaba_documented[];

#endif
