/* Text as it travels: UTF-8 and percent-encoding. */
#ifndef OSTLER_DIALECT_ALIBABA_TEXT_H
#define OSTLER_DIALECT_ALIBABA_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

/*
 * The code point at `s`, and how many bytes it takes. 0 bytes: not well-formed UTF-8 (an overlong
 * form, a surrogate, beyond U+10FFFF, cut short by the NUL).
 */
uint32_t utf8_next(const char *s, size_t *ret_bytes);

bool utf8_valid(const char *s);

/* Characters of a valid text. */
size_t utf8_length(const char *s);

/* Adds the text percent-encoded as it is signed: everything but letters, digits, '-', '_', '.',
 * '~'. */
void percent_encode(struct buf *b, const char *s);

/*
 * Decodes %XX and '+' (a space). NULL, with *ret_why a phrase: a broken escape, a NUL, or not
 * UTF-8.
 */
char *percent_decode(struct arena *a, const char *s, size_t len, const char **ret_why);

#endif
