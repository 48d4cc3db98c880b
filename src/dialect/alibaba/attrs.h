/*
 * What a client gave for an instance and gets back, without effect on the machine: a flat JSON
 * object of texts under the names of the wire, kept with the instance.
 */
#ifndef OSTLER_DIALECT_ALIBABA_ATTRS_H
#define OSTLER_DIALECT_ALIBABA_ATTRS_H

#include <jansson.h>

#include "base/arena.h"

/* NULL: there are none, or the text is damaged; the functions below take it. The caller owns the
 * result. */
json_t *attrs_load(const char *text);

/* Borrowed from `attrs`; `def` when there is none. */
const char *attrs_str(const json_t *attrs, const char *name, const char *def);
int64_t attrs_int(const json_t *attrs, const char *name, int64_t def);
bool attrs_bool(const json_t *attrs, const char *name, bool def);

/* NULL and "" are not kept. */
void attrs_set(json_t *attrs, const char *name, const char *value);

static inline void json_unref_p(json_t **j)
{
    json_decref(*j);
}

#endif
