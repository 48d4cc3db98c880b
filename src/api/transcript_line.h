/* What a recording says of one request and its answer. */
#ifndef OSTLER_API_TRANSCRIPT_LINE_H
#define OSTLER_API_TRANSCRIPT_LINE_H

#include "api/fault.h"

/* What stands where something was left out. */
#define TRANSCRIPT_LEFT_OUT "(left out)"

/*
 * Adds the line without its beginning `{"n":N,`, up to its line feed; ASCII only. False: the call
 * is not of a cloud's dialect, or was never understood as one.
 */
bool transcript_line(struct call *c, const struct answer *a, const struct verdict *v, int64_t began,
                     struct buf *ret);

#endif
