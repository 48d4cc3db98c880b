/*
 * ZC2-HMAC-SHA256. The signature covers the method, the body, the timestamp and the headers that
 * the request says it signed, which must include content-type and host. It covers neither path,
 * action nor version, and there is no nonce: against replay stand the clock window and TLS.
 */
#ifndef OSTLER_DIALECT_ZENLAYER_SIGN_H
#define OSTLER_DIALECT_ZENLAYER_SIGN_H

#include "api/dialect.h"

enum { ZEC_WINDOW_S = 300, ZEC_MAX_SIGNED = 32 };

/* What a request says about its signature. Texts live in the request or in the call's arena. */
struct zec_claim {
    const char *key_id, *signature, *timestamp;
    struct {
        const char *name, *value;
    } signed_headers[ZEC_MAX_SIGNED]; /* sorted by name, each once */
    size_t n_signed;
};

/* Reads the Authorization and the timestamp, and checks the clock. Raises ERR_AUTH_*; asks the
 * store nothing. */
enum err zec_claim_read(struct call *c, struct zec_claim *ret);

/* The two texts of the algorithm, in the call's arena. */
char *zec_canonical_request(struct call *c, const struct zec_claim *claim);
char *zec_string_to_sign(struct call *c, const struct zec_claim *claim);

/* ERR_AUTH_SIGNATURE when it was not made with this key for this request. */
enum err zec_claim_check(struct call *c, const struct zec_claim *claim, const struct hmac_key *key);

#endif
