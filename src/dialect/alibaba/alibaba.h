/* The dialect of Alibaba Cloud ECS: RPC style, version 2014-05-26. */
#ifndef OSTLER_DIALECT_ALIBABA_H
#define OSTLER_DIALECT_ALIBABA_H

#include "api/dialect.h"

extern const struct dialect dialect_alibaba;

/*
 * Forgets every signature nonce that was seen. For whoever puts the world back: a reset, a loaded
 * snapshot, a test that begins a new world in the same process. Thread-safe.
 */
void alibaba_forget_nonces(void);

#endif
