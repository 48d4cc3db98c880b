/* Taking things away: everything, or one account's. */
#ifndef OSTLER_CORE_RESET_H
#define OSTLER_CORE_RESET_H

#include "core/core.h"

/*
 * What a first start leaves, with the present credentials: the first account with its access keys
 * and default key, and the images. No machine may run. Counters go on: no id is given twice.
 */
void reset_all(struct op *op);

/* Releases the account's instances by force, those that are not yet on their way out; how many
 * there still are. */
int64_t account_release(struct op *op, const char *account);

/* The account's other things go; it and its access keys stay. It has no instances any more. */
void account_clear(struct op *op, const char *account);

/* The account itself, after that. */
void account_delete(struct op *op, const char *account);

#endif
