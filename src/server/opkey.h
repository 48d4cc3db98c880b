/* The operator's key for other computers: DIR/operator.key, mode 0600. */
#ifndef OSTLER_SERVER_OPKEY_H
#define OSTLER_SERVER_OPKEY_H

#include "base/arena.h"
#include "core/err.h"

/* Reads it, or makes it: 64 hexadecimal digits and a line's end. Refuses a file that others may
 * read, or that is too short to be one. In the arena. */
enum err operator_key(const char *dir, struct arena *a, const char **ret, struct fail *f);

#endif
