/* How the core's states are spelled here. */
#ifndef OSTLER_DIALECT_ZENLAYER_STATUS_H
#define OSTLER_DIALECT_ZENLAYER_STATUS_H

#include "api/dialect.h"

/*
 * The word for an instance that is being started. The documents' prose says STARTING; Terraform and
 * zeno know only BOOTING, and Terraform gives up on anything else. The setting, where there is one,
 * decides for everybody.
 */
const char *zec_starting_word(const struct settings *s, const char *client);

/* The status of an instance; `starting` is zec_starting_word's. */
const char *zec_status(const struct inst *in, const char *starting);

/* Every word that a filter takes, ended by NULL: the documented ones and the other spellings. */
extern const char *const zec_status_words[];

/* Adds what makes exactly the instances of this status be found. A word from the list above. */
void zec_status_filter(struct query *q, const char *word);

#endif
