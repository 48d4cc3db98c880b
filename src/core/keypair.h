/* SSH key pairs: the public halves that new machines let in. */
#ifndef OSTLER_CORE_KEYPAIR_H
#define OSTLER_CORE_KEYPAIR_H

#include "core/core.h"

enum { KEYPAIR_MAX_TEXT = 16 * 1024 };

/*
 * Reads one line of OpenSSH's format, "type base64 [comment]". *ret_line is it without surrounding
 * white space, *ret_fingerprint the MD5 of the key as hex pairs between colons. False: not such a
 * key.
 */
bool keypair_parse(struct arena *a, const char *text, const char **ret_line,
                   const char **ret_fingerprint);

/*
 * Keeps a public key under a name that its account has not used: op->account, which must be set.
 * `decimal_id` chooses the id's form. May raise ERR_KEYPAIR_FORMAT, ERR_KEYPAIR_EXISTS.
 */
enum err keypair_import(struct op *op, const char *name, const char *public_key, bool decimal_id,
                        struct keypair *ret);

/* By id, else by name. ERR_KEYPAIR_NOT_FOUND also for somebody else's. */
enum err keypair_get(struct op *op, const char *id_or_name, struct keypair *ret);

/* Removes it; instances that were made with it keep what their guests have, and forget it.
 * ERR_KEYPAIR_NOT_FOUND. */
enum err keypair_delete(struct op *op, const char *id_or_name);

#endif
