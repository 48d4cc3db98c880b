/* What is paid for until when, and what becomes of what is not. */
#ifndef OSTLER_CORE_BILLING_H
#define OSTLER_CORE_BILLING_H

#include "core/inst.h"

/* Where a period that begins at `from` ends: the same day so many months later, or that month's
 * last; or so many weeks later. */
int64_t period_end(int64_t from, struct period p);

/* Is it switched off until somebody pays? */
bool unpaid(const struct inst *in, int64_t now);

/*
 * The subscription goes on for a period more: from its end, or from now where that is past. It is
 * paid for then, too. May raise ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE (it is paid by use),
 * ERR_INST_RECYCLED, ERR_INST_LOCKED, ERR_INST_STATE (it is being made, or going away).
 */
enum err inst_renew(struct op *op, const char *id, struct period p, struct inst *ret);

/* It renews itself by this period when it ends; n 0: it does not. ERR_INST_NOT_FOUND,
 * ERR_CHARGE_TYPE. */
enum err inst_set_renewal(struct op *op, const char *id, struct period p);
/* n 0: it does not renew itself. */
struct period inst_renewal(struct op *op, const char *id);

/* It is released at this time; 0: it is not. ERR_INST_NOT_FOUND, ERR_CHARGE_TYPE (a subscription is
 * not released before it ends). */
enum err inst_set_release(struct op *op, const char *id, int64_t at);

/* A spot instance's notice: after RECLAIM_NOTICE_MS it is released, or `keep`: stopped, its
 * capacity given back. ERR_INST_NOT_FOUND. */
enum { RECLAIM_NOTICE_MS = 5 * 60 * 1000 };
enum err inst_reclaim(struct op *op, const char *id, bool keep);

/* How long what an account has in its recycle bin waits was changed. */
void bin_changed(struct op *op, const struct account *a);

/* ---- inside the core ---- */

/* A new instance has things to come. */
void billing_begin(struct op *op, const struct inst *in, const struct new_inst *n);
/* It is gone, and with it what was to come. */
void billing_end(struct op *op, const struct inst *in);
/* It is in the recycle bin since now. */
void billing_binned(struct op *op, const struct inst *in);

/* The subscription is over: what ran on it is switched off. Writes `in`. */
void subscription_end(struct op *op, struct inst *in);
/* Whether it is in arrears was changed: counts from `since` until it is released, or no more. */
void arrears_count(struct op *op, const struct inst *in, int64_t since);
/* What runs and may not is switched off. Writes `in` in any case. */
void stop_running(struct op *op, struct inst *in);
/*
 * Its job has ended; must it be stopped at once? What came due during a start or a reboot waited
 * for this.
 */
bool must_stop(struct op *op, struct inst *in);

#endif
