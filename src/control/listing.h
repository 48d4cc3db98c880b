/*
 * A list action is data: which record, in which order, under which names, and what says one row.
 * `LISTING(.rec = ...)` is the part of such an action's declaration that all of them share; what it
 * takes in has an `account` that may be left out.
 */
#ifndef OSTLER_CONTROL_LISTING_H
#define OSTLER_CONTROL_LISTING_H

#include "control/control.h"

struct listing {
    const struct record *rec; /* read from the store; NULL: the action has a `run` of its own */
    size_t size;              /* of a row that is no record's */
    const char *order;        /* see struct query */
    size_t limit;             /* 0: all */
    bool shared;              /* an account also has those that belong to nobody */
    const char *list, *item;  /* their names in the answer */
    /* The fields of one row; as struct action's, so that one function serves both. */
    void (*encode)(struct call *c, const void *row, struct enc *e);
};

struct listing_in {
    const char *account;
};

/* What a list action gives; one with more to tell has this first in its own struct. */
struct listed {
    void *rows; /* of the record's size, or `size` */
    size_t n;
};

/* Reads what c->action->data, a struct listing, says: the account's rows, or everybody's. */
enum err listing_run(struct call *c, const void *in, void *out);
/* Says what listing_run, or another `run`, has put into a struct listed. */
void listing_encode(struct call *c, const void *out, struct enc *e);

#define LISTING_FIELDS(...)                                                                        \
    FIELDS(F_STR(struct listing_in, account, "account", .format = FMT_ID, __VA_ARGS__))

#define LISTING(...) LISTING_BY(listing_run, __VA_ARGS__)

/* The same for what another function finds. */
#define LISTING_BY(find, ...)                                                                      \
    .access = ACCESS_READ, .in_size = sizeof(struct listing_in),                                   \
    .out_size = sizeof(struct listed), .run = (find), .encode = listing_encode,                    \
    .data = &(const struct listing)                                                                \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#endif
