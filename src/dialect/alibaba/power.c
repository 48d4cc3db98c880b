/* From the parameters of stopping and releasing to the core's verbs and flags. */
#include "dialect/alibaba/power.h"

#include "dialect/alibaba/status.h"

unsigned stop_flags(const struct stop_in *in)
{
    bool gives_back = in->mode && streq(in->mode, "StopCharging");

    return (in->force ? POWER_FORCE : 0) | (gives_back ? POWER_STOP_CHARGING : 0);
}

unsigned power_flags(struct call *c, const struct inst *inst, unsigned flags)
{
    if (!can_stop_charging(inst, c->op.core->catalog))
        flags &= ~(unsigned)POWER_STOP_CHARGING;
    return flags;
}

enum verb release_verb(const struct release_in *in)
{
    return in->force ? VERB_FORCE_RELEASE : VERB_RELEASE;
}

unsigned release_flags(const struct release_in *in)
{
    return (in->force && in->power_cut ? POWER_FORCE : 0) |
           (in->end_subscription ? POWER_END_SUBSCRIPTION : 0);
}
