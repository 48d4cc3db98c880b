/*
 * The parameters of a request: flattened pairs from the query and a form body, and the tree that
 * they flatten.
 */
#ifndef OSTLER_DIALECT_ALIBABA_REQUEST_H
#define OSTLER_DIALECT_ALIBABA_REQUEST_H

#include "api/dialect.h"

enum { PARAMS_MAX = 2000, PARAM_MAX_DEPTH = 8 };

struct param {
    const char *name, *value; /* decoded; in the arena */
};

/* Sorted by name, byte by byte; no name twice. */
struct params {
    struct param *v;
    size_t n;
};

/* What this dialect knows of a call between its steps: struct call's `state`. */
struct state {
    struct params query;  /* of the target alone: what V3 signs */
    struct params all;    /* query and body, the body's value where both have one: what V1 signs */
    bool v3;              /* signed in the Authorization header */
    const char *mismatch; /* the whole message of a signature that does not match; NULL none */
};

/* Reads "a=1&b=2". ERR_BODY, ERR_TOO_LARGE, or ERR_PARAM_VALUE for a name that comes twice. */
enum err params_read(struct arena *a, const char *text, size_t len, struct params *ret,
                     struct fail *f);

/* All of both; a name that both have keeps the value of `over`. */
enum err params_merge(struct arena *a, const struct params *under, const struct params *over,
                      struct params *ret, struct fail *f);

/* The value of a name, or NULL. */
const char *params_get(const struct params *p, const char *name);

/*
 * The tree: "Tag.2.Key=k" becomes {"Tag": {"2": {"Key": "k"}}}. Left out are what belongs to the
 * protocol (Action, Signature, ...), and names that have no place in a tree and that no action can
 * know: too deep, with an empty part or an index with leading zeros, or below a text. The caller
 * owns it.
 */
json_t *params_tree(const struct params *p);

/* struct dialect's claims and parse. */
bool request_claims(const struct request *r);
enum err request_parse(struct call *c);

/* Is it signed in the Authorization header? */
bool request_is_v3(const struct request *r);

/*
 * The answer's format as far as it can be told without reading the parameters as a whole, which may
 * be unreadable: a Format parameter, else the headers.
 */
enum enc_format request_format(const struct request *r);

#endif
