/*
 * The key store: keys that wrap the data keys of encrypted disks. A key that was not granted to the
 * compute service opens nothing; its instances cannot be started.
 */
#ifndef OSTLER_CORE_KMS_H
#define OSTLER_CORE_KMS_H

#include "core/core.h"

/* Makes the account's default key, granted. */
void kms_make_default(struct op *op);

/* Finds a key of the account (NULL: the default one) and checks that it may be used. ERR_KMS_*. */
enum err kms_usable(struct op *op, const char *id, struct kms_key *ret);

/* A new data key for a disk, sealed under the key. */
enum err kms_new_data_key(struct op *op, const struct kms_key *key, const char *disk,
                          struct bytes *ret_sealed);

/* Opens a disk's data key. ERR_KMS_*, or ERR_INTERNAL when it is damaged. */
enum err kms_open_data_key(struct op *op, const struct disk *d, struct bytes *ret);

#endif
