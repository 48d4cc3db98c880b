/* For struct dialect: see there. */
#ifndef OSTLER_DIALECT_ALIBABA_FAULTS_H
#define OSTLER_DIALECT_ALIBABA_FAULTS_H

#include "api/dialect.h"

struct strs faults_instances(const struct call *c);
void faults_say_retry(struct call *c, int64_t ms, struct answer *a);

#endif
