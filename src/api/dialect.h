/*
 * What a dialect is: how to know its requests, who signed them, which action they name, and how an
 * answer or a refusal is said. The way from request to answer is the same for all and lives in
 * api/dispatch.c.
 */
#ifndef OSTLER_API_DIALECT_H
#define OSTLER_API_DIALECT_H

#include <jansson.h>

#include "api/action.h"
#include "core/macs.h"

struct header {
    const char *name; /* lower case */
    const char *value;
};

/* A request as it came, free of sockets. All of it lives until the answer is given. */
struct request {
    const char *method, *target, *path, *query; /* path without, query after the first '?' */
    const struct header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
    const char *peer;
    bool local_operator; /* came over the data directory's own socket */
    bool tls;            /* nobody else can have read it */
};

/* The first header of this (lower-case) name, or NULL. */
const char *request_header(const struct request *r, const char *name);

struct answer {
    int status;
    const char *content_type;
    struct buf body;
    struct header headers[4]; /* values in the call's arena */
    size_t n_headers;
    enum fate fate;   /* what becomes of it on its way: see api/fault.h */
    int64_t delay_ms; /* before it sets out */
};

/* One request on its way. Made by dispatch, filled by the dialect. */
struct call {
    const struct request *req;
    struct arena *arena;
    const struct dialect *dialect;
    const struct action *action; /* NULL until found */
    const char *action_name;     /* as the client said it; NULL until known */
    const char *version;
    enum enc_format format;
    json_t *params;         /* an object; owned by the call; NULL until decoded */
    json_t *lists;          /* that were texts of JSON in the parameters; NULL: none */
    const char *host;       /* the Host header */
    const char *client;     /* how the client names itself; "" unknown */
    struct access_key key;  /* who signed; id NULL for an operator */
    bool is_operator;       /* verified to be one */
    const char *replay_key; /* of a signature that may change something once; NULL: no such limit */
    int64_t replay_until;   /* when it is too old anyhow, by the clock of signatures */
    struct macs *macs;      /* the thread's, for call_mac */
    struct op op;           /* what handlers pass on to the core */
    struct fail fail;
    char request_id[40];
    bool on_writer; /* it is being written, in the order of all that are */
    void *state;    /* the dialect's, in the arena */
};

/* What a dialect may use of the access keys while it verifies. */
struct signing {
    const struct hmac_key
        *mac; /* its secret with the suffix behind it; valid until the next call */
    struct access_key row;
};

/* ERR_AUTH_KEY_UNKNOWN, ERR_AUTH_KEY_INACTIVE or ERR_INTERNAL. Uses c->op.tx. */
enum err call_mac(struct call *c, const char *access_key_id, enum hmac_hash hash,
                  const char *suffix, struct signing *ret);

/*
 * What the time of a signature is held against: the real time, for clients keep clocks of their
 * own; or, where settings.signatures_age, what the clock of the key's account shows. While it is
 * verified.
 */
int64_t call_signature_clock(struct call *c, const char *access_key_id);
/* A new name for the request, a UUID: what dialects make theirs of. */
void call_uuid(struct call *c, char ret[37]);
/* An operation on this account's things: it is whatever its clock shows. NULL: on everybody's. */
void call_act_for(struct call *c, const char *account);

/* A code that a cloud's documents list, whether or not anything here raises it by itself. */
struct doc_row {
    const char *action; /* NULL: of every action */
    int status;         /* HTTP */
    const char *code;   /* NULL ends a table */
    const char
        *message; /* as documented; "%s": a sentence about the situation, also in the middle */
};

struct dialect {
    const char *name;   /* "alibaba" */
    const char *family; /* whose zones and types it offers, as the catalogue says */
    const struct action *const *actions; /* ended by NULL */
    const struct err_row *errors;        /* the table from the core's errors */
    const struct doc_row *documented;    /* NULL: none */
    bool strict_types;                   /* JSON types are checked; else every scalar is text */

    /* Is this request mine? */
    bool (*claims)(const struct request *r);

    /* Fills c->request_id, by call_uuid. Called again for a write where the world is seeded. */
    void (*name_request)(struct call *c);

    /*
     * Syntax: finds action_name, version, format, host and client, as far as they can be told, and
     * makes c->params. Called before anything else so that refusals can be said in the right
     * format.
     */
    enum err (*parse)(struct call *c);

    /* Who signed this? Sets c->key. A read transaction is open in c->op.tx. */
    enum err (*verify)(struct call *c);

    /* The action that was named, or an error. */
    enum err (*find)(struct call *c, const struct action **ret);

    /* How an error is said where `param` is to blame: `row`, or another one. NULL: always `row`. */
    const struct err_row *(*refine)(const struct action *a, const char *param,
                                    const struct err_row *row);

    /* FMT_NAME's rule. */
    bool (*good_name)(const char *s);

    /* The whole answer: envelope and the action's fields. */
    void (*answer)(struct call *c, const void *out, struct answer *a);
    /* The whole refusal, from c->fail by `row`. */
    void (*refuse)(struct call *c, const struct err_row *row, struct answer *a);

    /* ---- for errors on demand ---- */

    /* The instances that the request names, in the arena. NULL: nothing is asked of this dialect.
     */
    struct strs (*instances)(const struct call *c);
    /* Adds the header by which clients are told when to try again. */
    void (*say_retry)(struct call *c, int64_t ms, struct answer *a);
};

/* The row that says `e`: the action's own (NULL: of none), else the dialect's; NULL: neither has
 * one.
 */
const struct err_row *dialect_row(const struct dialect *d, const struct action *a, enum err e);

/* The row that says c->fail. Every error has one. */
const struct err_row *call_err_row(const struct call *c);

/*
 * A message's places: %a is the action, %p the parameter, %d and %s a sentence. What is NULL leaves
 * its places as they are. In the arena.
 */
bool message_place(const char *s);
const char *message_fill(struct arena *a, const char *message, const char *action,
                         const char *param, const char *words);
/* The row's code, where %p is the parameter with a capital first letter. In the arena. */
const char *code_of(struct arena *a, const struct err_row *row, const char *param);

/* Fills a row's message with what the call says. */
const char *call_message(struct call *c, const struct err_row *row);

/* The action of this name in a dialect's list, or NULL. */
const struct action *action_find(const struct action *const *list, const char *name);

/* Decodes params into a zeroed `in`. Raises the ERR_PARAM_ family, or what the field names as
 * `bad`. */
enum err decode(struct call *c, const struct field *fields, json_t *params, void *in);

/* Hex SHA-256 of the action's parameters without `token_field`: what a client token is bound to. In
 * the arena. */
const char *call_digest(struct call *c, const char *token_field);

/* The time that FMT_TIME text means, ms; the text was checked by decode. */
int64_t field_time(const char *text);

#endif
