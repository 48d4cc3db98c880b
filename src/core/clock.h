/*
 * The product's time, which can be moved: every account's things age by its own clock, or by
 * everybody's, which is that of account "". Until somebody moves one, all show the real time and
 * cost nothing.
 *
 * What a clock is told stands in its row as a wish; the clockwork (src/engine/clockwork.h), which
 * alone changes clocks, does it, and whatever comes due on the way. So a clock's way survives the
 * end of a server.
 *
 * Clients sign by clocks of their own; see call_signed_now in api/dialect.h.
 */
#ifndef OSTLER_CORE_CLOCK_H
#define OSTLER_CORE_CLOCK_H

#include "core/core.h"

/* 2015-01-01, as ids begin then, and a hundred years before the last that is written with four
 * digits: a clock that was moved here goes on, and subscriptions end later still. */
#define CLOCK_MIN INT64_C(1420070400000)
#define CLOCK_MAX INT64_C(250246627199000)

struct clocks;

struct clocks *clocks_new(struct world *w);
void clocks_free(struct clocks *c); /* NULL is fine */

/* ---- from any thread ---- */

/* What the account's clock shows; NULL: everybody's. Without clocks (core->clocks NULL): the
 * world's. */
int64_t clock_now(const struct core *core, const char *account);
/* By whose clock the account goes: its own name, or "". */
const char *clock_of(const struct core *core, const char *account);
bool clock_stands(const struct core *core, const char *account);
/* An operation of the server's own, at what everybody's clock shows. */
struct op op_own(struct core *core, struct tx *tx, struct arena *a, struct fail *f);
/* What happens to an instance happens by its account's clock: what that shows. `account` NULL: it
 * is looked up. */
int64_t op_now_of_inst(struct op *op, const char *inst, const char *account);
/* Has any been moved? */
bool clocks_moved(const struct core *core);
/* Does any account have its own? Then what is newer need not have been made later. */
bool clocks_differ(const struct core *core);
/* The least that any clock shows, the real one among them. */
int64_t clocks_slowest(const struct core *core);

/* ---- telling a clock; in a write ---- */

/*
 * `account` "": everybody's; an account that goes by everybody's gets its own, which shows the same
 * until then. The answer is the row as it is then.
 *
 * ERR_CLOCK: it is on its way already, or everybody's is, which the new one would begin from, or it
 * would have to go back. ERR_PARAM_VALUE: outside CLOCK_MIN to CLOCK_MAX.
 */
enum err clock_advance(struct op *op, const char *account, int64_t by_ms, struct clock_row *ret);
enum err clock_set(struct op *op, const char *account, int64_t to, struct clock_row *ret);
enum err clock_freeze(struct op *op, const char *account, struct clock_row *ret);
enum err clock_resume(struct op *op, const char *account, struct clock_row *ret);

/* A new store's: everybody's clock begins, standing still, at this time. */
void clock_begin(struct op *op, int64_t at);

/* The row; of a clock that was never told anything, one that shows the real time. */
void clock_row(struct op *op, const char *account, struct clock_row *ret);

/* ---- for the clockwork, and who opens or replaces a store ---- */

/* All clocks as their rows say. */
void clocks_load(struct clocks *c, struct tx *tx);
/* One as its row says. */
void clock_put(struct clocks *c, const struct clock_row *row);
/* It has no row any more. */
void clock_drop(struct clocks *c, const char *account);

#endif
