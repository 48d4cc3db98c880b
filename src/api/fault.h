/*
 * Errors on demand: which request a fault strikes, and what becomes of it then.
 *
 * A fault has two sides. Its code is what is answered instead of doing the action; without one the
 * action is done. Its fate and its delay are what becomes of the answer, whichever it is.
 *
 * A request is judged after its signature and before its permission, on the writer: so faults count
 * requests in one order, and their counts survive a restart. Of the faults that fit, the one that
 * was asked for first is looked at first; the first that strikes decides, and those behind it have
 * not seen the request.
 */
#ifndef OSTLER_API_FAULT_H
#define OSTLER_API_FAULT_H

#include "api/dialect.h"

/* What a fault has decided about a call; all of it in the call's arena. */
struct verdict {
    const char *id; /* the fault's */
    bool refused;   /* by `row`; else the action is done */
    struct err_row row;
    const char *message;
    enum fate fate;
    int64_t delay_ms, retry_ms; /* 0: none */
};

/* "arrives", "drop", "truncate", "half-close", "garbage", "502", "503", "504". */
const char *fault_fate_name(enum fate f);
/* False: there is no such name. */
bool fault_fate_read(const char *name, enum fate *ret);

/* It will strike no more. */
bool fault_is_over(const struct fault *f);

/*
 * Would `f` strike a request of this number among those that it has seen (the first is 1)? The same
 * seed, fault and number are always answered alike.
 */
bool fault_strikes(int64_t seed, const struct fault *f, int64_t number);

/* Is there a fault that this call, whose action is found, may meet? On any transaction in c->op.tx.
 */
bool fault_awaits(struct call *c);

/* Judges the call: counts it, and writes down what is decided. NULL: no fault strikes. On the
 * writer. */
const struct verdict *fault_judge(struct call *c);

/* Raises what the verdict, which refuses, says. */
enum err fault_raise(struct call *c, const struct verdict *v);

/* Gives the call's whole answer its fate. */
void fault_shape(struct call *c, const struct verdict *v, struct answer *a);

#endif
