/*
 * What a request of an action may be refused with here, found by the declarations alone: the errors
 * of the action, what decoding its fields may find, and what any request may meet before its action
 * runs.
 */
#ifndef OSTLER_API_RAISES_H
#define OSTLER_API_RAISES_H

#include "api/dialect.h"

enum raised_by {
    RAISED_BY_ACTION,  /* an error that the action declares */
    RAISED_BY_PARAM,   /* a parameter, said otherwise than the dialect's table says it */
    RAISED_BY_REQUEST, /* any request; or a parameter, in the words of the dialect's table */
};

struct raise {
    const struct err_row *row;
    const char *param; /* who is to blame, as "DataDisk.n.Size"; NULL: not known, or nobody */
    enum raised_by by;
    bool guess; /* the action raises it of some parameter, perhaps not of this one */
};

struct raises {
    struct raise *v;
    size_t n, room;
};

/* A row comes once for each parameter that it may be raised of. In the arena. */
struct raises raises_of(const struct dialect *d, const struct action *a, struct arena *arena);

#endif
