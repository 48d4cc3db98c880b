/*
 * An action is data: its name, who may call it, whether it reads or writes, its fields, the errors
 * it may raise, and one short function. Decoding, its error answers, `ostler api dump` and the
 * command line's help come from here.
 */
#ifndef OSTLER_API_ACTION_H
#define OSTLER_API_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/enc.h"
#include "core/core.h"

struct call;

/* ---- fields ---- */

enum field_kind {
    FIELD_STR,  /* const char *; NULL when absent */
    FIELD_INT,  /* int64_t */
    FIELD_BOOL, /* bool */
    FIELD_NUM,  /* double */
    FIELD_STRS, /* struct strs */
    FIELD_OBJ,  /* a struct, in place */
    FIELD_OBJS  /* struct objs */
};

struct strs {
    const char **v;
    size_t n;
};

struct objs {
    void *v; /* n structs of the element's size */
    size_t n;
};

enum field_format {
    FMT_ANY,
    FMT_ID,   /* 1..128 printable ASCII characters without space */
    FMT_TIME, /* an ISO 8601 UTC time, with or without seconds */
    FMT_NAME, /* the dialect's own rule for names: see struct dialect */
    FMT_IPV4,
    FMT_BASE64
};

struct field {
    const char *name; /* on the wire */
    enum field_kind kind;
    size_t offset;
    size_t has; /* 1 + offset of a bool that tells whether the client gave it; 0: not wanted */
    bool required;
    bool json_text;   /* FIELD_STRS: the value is the text of a JSON array */
    bool secret;      /* never shown, also not in a dump's examples */
    bool ignored;     /* accepted, without effect; for parameters that only old clients send */
    int64_t min, max; /* of an int; of a text's length in bytes; of a list's length. max 0: no limit
                         of its own */
    int64_t def;      /* int and bool when absent */
    const char *def_str;
    const char *const *values; /* the texts that are accepted, ended by NULL; NULL: any */
    enum field_format format;
    enum err bad; /* raised instead of the general error of a value; ERR_NONE: the general one. What
                     is no list, no object or, in JSON, of another type stays ERR_PARAM_TYPE. */
    const struct field *sub; /* FIELD_OBJ, FIELD_OBJS: the element's fields, ended by name NULL */
    size_t sub_size;         /* FIELD_OBJS: of one element */
    const char *text;        /* for people */
};

#define FIELDS(...) ((const struct field[]){__VA_ARGS__, {.name = NULL}})
#define F_(k, s, m, n, ...)                                                                        \
    {                                                                                              \
        .name = (n), .kind = (k), .offset = offsetof(s, m), __VA_ARGS__                            \
    }
#define F_STR(s, m, n, ...)       F_(FIELD_STR, s, m, n, __VA_ARGS__)
#define F_INT(s, m, n, ...)       F_(FIELD_INT, s, m, n, __VA_ARGS__)
#define F_BOOL(s, m, n, ...)      F_(FIELD_BOOL, s, m, n, __VA_ARGS__)
#define F_NUM(s, m, n, ...)       F_(FIELD_NUM, s, m, n, __VA_ARGS__)
#define F_STRS(s, m, n, ...)      F_(FIELD_STRS, s, m, n, __VA_ARGS__)
#define F_OBJ(s, m, n, subs, ...) F_(FIELD_OBJ, s, m, n, .sub = (subs), __VA_ARGS__)
#define F_OBJS(s, m, n, elem, subs, ...)                                                           \
    F_(FIELD_OBJS, s, m, n, .sub = (subs), .sub_size = sizeof(elem), __VA_ARGS__)
/* A parameter that is accepted and has no effect here; it needs no place in the struct. */
#define F_IGNORED(n, ...)                                                                          \
    {                                                                                              \
        .name = (n), .kind = FIELD_STR, .ignored = true, __VA_ARGS__                               \
    }
#define HAS(s, m)   (1 + offsetof(s, m))
#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- actions ---- */

enum access { ACCESS_READ, ACCESS_WRITE };

enum permission {
    PERM_NONE,
    PERM_READ,
    PERM_POWER,
    PERM_CREATE,
    PERM_DELETE,
    PERM_OPERATOR,
    PERM_CONTROL /* an operator, where the server has test controls */
};

/* Where an error of the core is said otherwise by this action than by its dialect's table. */
struct err_row {
    enum err err; /* ERR_NONE ends a table */
    int status;   /* HTTP */
    const char *code;
    const char
        *message; /* may hold %p (the parameter), %d (the detail), %a (the action) once each */
};

#define ERRORS(...)   ((const enum err[]){__VA_ARGS__, ERR_NONE})
#define ERR_ROWS(...) ((const struct err_row[]){__VA_ARGS__, {.err = ERR_NONE}})

struct action {
    const char *name;
    const char *service;         /* Zenlayer's path tail; NULL elsewhere */
    const char *const *versions; /* VALUES(...); NULL: no versions */
    const char *summary;
    enum permission perm;
    enum access access;
    size_t in_size, out_size;
    const struct field *in;
    const enum err *errors;     /* besides ERR_INTERNAL, ERR_UNAVAILABLE and what decoding raises */
    const struct err_row *rows; /* NULL: the dialect's table says all */
    /* Decides. On the loop's thread (ACCESS_READ) or the writer's (ACCESS_WRITE). `out` is zeroed,
     * out_size. */
    enum err (*run)(struct call *c, const void *in, void *out);
    /* Says it: the fields of the answer. NULL: an answer without fields. On the loop's thread, no
     * store. */
    void (*encode)(struct call *c, const void *out, struct enc *e);
    /*
     * Of an ACCESS_WRITE whose answer waits for what it set going, besides its own commit: looked
     * at again and again on a read snapshot until it is true. It may fill `out`, and fail. NULL:
     * the commit is all.
     */
    bool (*settled)(struct call *c, const void *in, void *out, enum err *ret);
    const void *data; /* what tells those apart that share their functions: theirs alone */
};

#endif
