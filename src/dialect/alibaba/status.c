/* States, stop modes and locks, as they are shown. */
#include "dialect/alibaba/status.h"

/*
 * What is on its way out or into the recycle bin is Stopping: Terraform's destroy waits through it.
 */
static const char *const words[INST_STATE_COUNT] = {
    [INST_PENDING] = "Pending",     [INST_STOPPED] = "Stopped",   [INST_STARTING] = "Starting",
    [INST_RUNNING] = "Running",     [INST_STOPPING] = "Stopping", [INST_REBOOTING] = "Stopping",
    [INST_RESETTING] = "Stopped",   [INST_RECYCLED] = "Stopped",  [INST_RELEASING] = "Stopping",
    [INST_RESTARTING] = "Starting",
};

const char *status_word(enum inst_state s)
{
    return s < INST_STATE_COUNT ? words[s] : "Stopped";
}

bool status_known(const char *word)
{
    for (size_t i = 0; i < INST_STATE_COUNT; i++)
        if (streq(words[i], word))
            return true;
    return false;
}

void status_query(struct query *q, const char *word)
{
    uint64_t set = 0;

    for (size_t i = 0; i < INST_STATE_COUNT; i++)
        if (streq(words[i], word))
            set |= 1ULL << i;
    query_set(q, "state", set);
}

bool can_stop_charging(const struct inst *in, const struct catalog *c)
{
    const struct inst_type *t = catalog_type(c, in->type);

    return in->charge != CHARGE_PREPAID && !(t && t->local_disks);
}

const char *stopped_mode(const struct inst *in, const struct catalog *c)
{
    if (!streq(status_word(in->state), "Stopped") || !can_stop_charging(in, c))
        return "Not-applicable";
    return in->stop_mode == STOP_STOP_CHARGING ? "StopCharging" : "KeepCharging";
}

bool is_recycling(const struct inst *in)
{
    return in->state == INST_RECYCLED || (in->locks & LOCK_RECYCLING);
}

bool financially_locked(const struct inst *in, int64_t now)
{
    return in->overdue || (in->locks & LOCK_FINANCIAL) ||
           (in->charge == CHARGE_PREPAID && in->expires_at <= now);
}
