/* What each verb does in each state: the one table. */
#include "core/inst.h"

#define GO(state)   {ERR_NONE, (state)}
#define NO(err)     {(err), INST_STATE_COUNT}
#define IN_OPERATION                                                                               \
    [INST_STARTING] = NO(ERR_INST_BUSY), [INST_STOPPING] = NO(ERR_INST_BUSY),                      \
    [INST_REBOOTING] = NO(ERR_INST_BUSY), [INST_RESETTING] = NO(ERR_INST_BUSY),                    \
    [INST_RELEASING] = NO(ERR_INST_BUSY)

/* A row begins with "everything transitional is busy" and says where it differs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#endif

static const struct verb_rule rules[VERB_COUNT][INST_STATE_COUNT] = {
    [VERB_START] = {IN_OPERATION,
                    [INST_PENDING] = NO(ERR_INST_NOT_READY),
                    [INST_STOPPED] = GO(INST_STARTING),
                    [INST_RUNNING] = NO(ERR_INST_ALREADY),
                    [INST_RECYCLED] = NO(ERR_INST_RECYCLED)},
    [VERB_STOP] = {IN_OPERATION,
                   [INST_PENDING] = NO(ERR_INST_NOT_READY),
                   [INST_STOPPED] = NO(ERR_INST_ALREADY),
                   [INST_RUNNING] = GO(INST_STOPPING),
                   [INST_STOPPING] = NO(ERR_INST_ALREADY),
                   [INST_RECYCLED] = NO(ERR_INST_RECYCLED)},
    [VERB_REBOOT] = {IN_OPERATION,
                     [INST_PENDING] = NO(ERR_INST_NOT_READY),
                     [INST_STOPPED] = NO(ERR_INST_STATE),
                     [INST_RUNNING] = GO(INST_REBOOTING),
                     [INST_RECYCLED] = NO(ERR_INST_RECYCLED)},
    [VERB_FORCE_REBOOT] = {IN_OPERATION,
                           [INST_PENDING] = NO(ERR_INST_NOT_READY),
                           [INST_STOPPED] = NO(ERR_INST_STATE),
                           [INST_STARTING] = GO(INST_REBOOTING),
                           [INST_RUNNING] = GO(INST_REBOOTING),
                           [INST_REBOOTING] = GO(INST_REBOOTING),
                           [INST_RECYCLED] = NO(ERR_INST_RECYCLED)},
    [VERB_RELEASE] = {IN_OPERATION,
                      [INST_PENDING] = NO(ERR_INST_INITIALIZING),
                      [INST_STOPPED] = GO(INST_RELEASING),
                      [INST_RUNNING] = NO(ERR_INST_STATE),
                      [INST_RECYCLED] = GO(INST_RELEASING)},
    [VERB_FORCE_RELEASE] = {IN_OPERATION,
                            [INST_PENDING] = NO(ERR_INST_INITIALIZING),
                            [INST_STOPPED] = GO(INST_RELEASING),
                            [INST_RUNNING] = GO(INST_RELEASING),
                            [INST_RECYCLED] = GO(INST_RELEASING)},
};

#pragma GCC diagnostic pop

const struct verb_rule *verb_rule(enum verb v, enum inst_state s)
{
    return &rules[v][s];
}
