/* Ids: a number that is never given twice, written in one of two forms behind a prefix. */
#ifndef OSTLER_CORE_IDS_H
#define OSTLER_CORE_IDS_H

#include "core/core.h"

/* 19 digits, growing with time. Write transactions only, as the next. */
const char *id_decimal(struct op *op);

/* `prefix`, then 20 characters of [a-z0-9] that begin with `code` ("bp1"; "" for none). */
const char *id_base36(struct op *op, const char *prefix, const char *code);

/* The one or the other. */
const char *id_new(struct op *op, bool decimal, const char *prefix, const char *code);

#endif
