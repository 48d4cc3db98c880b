/*
 * Signatures. V1: HMAC over the sorted parameters, sent as a parameter. V3: HMAC over method,
 * query, headers and the body's digest, sent in the Authorization header.
 */
#ifndef OSTLER_DIALECT_ALIBABA_SIGN_H
#define OSTLER_DIALECT_ALIBABA_SIGN_H

#include "base/crypto.h"
#include "dialect/alibaba/request.h"

/* How far a request's time may be from ours, ms. */
enum {
    V1_BACK_MS = 31 * 60 * 1000,
    V1_AHEAD_MS = 15 * 60 * 1000,
    V3_BACK_MS = 15 * 60 * 1000,
    V3_AHEAD_MS = 15 * 60 * 1000
};

/* V1's string to sign: of every parameter but Signature. */
char *sign_v1_string(struct arena *a, const char *method, const struct params *p);
/* Its signature: base64. The key is the secret with an "&" behind it. */
char *sign_v1(struct arena *a, const struct hmac_key *key, const char *string);

/* V3's canonical request; `signed_headers` as the client listed them. */
char *sign_v3_canonical(struct arena *a, const struct request *r, const struct params *query,
                        const char *signed_headers, const char *payload);
/* Its string to sign, and the signature: lower-case hex. */
char *sign_v3_string(struct arena *a, const char *canonical);
char *sign_v3(struct arena *a, const struct hmac_key *key, const char *string);

/* struct dialect's verify. */
enum err sign_verify(struct call *c);

#endif
