/* Names of several things made at once: "web-[3,2]" becomes web-03, web-04. */
#ifndef OSTLER_CORE_NAMING_H
#define OSTLER_CORE_NAMING_H

#include "base/arena.h"

/*
 * The name of the `index`th of `count` things. Every "[begin,bits]" in the pattern is replaced by
 * begin + index in `bits` digits (default 0 and 6). Text in brackets of another form stays.
 * `suffix`: with more than one, 001.. is added when the pattern holds no number.
 */
const char *name_of(struct arena *a, const char *pattern, size_t index, size_t count, bool suffix);

#endif
