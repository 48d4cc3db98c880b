/* What each verb does in each state: the one table. */
#include "core/inst.h"

/* clang-format off */
#define GO(state) {ERR_NONE, INST_##state}
#define NO(why)   {ERR_INST_##why, INST_STATE_COUNT}

static const struct verb_rule rules[VERB_COUNT][INST_STATE_COUNT] = {
/*  in state            PENDING           STOPPED        STARTING       RUNNING
                        STOPPING          REBOOTING      RESETTING      RECYCLED       RELEASING
                        RESTARTING */
[VERB_START]         = {NO(NOT_READY),    GO(STARTING),  NO(BUSY),      NO(ALREADY),
                        NO(BUSY),         NO(BUSY),      NO(BUSY),      NO(RECYCLED),  NO(BUSY),
                        NO(BUSY)},
[VERB_STOP]          = {NO(NOT_READY),    NO(ALREADY),   NO(BUSY),      GO(STOPPING),
                        NO(ALREADY),      NO(BUSY),      NO(BUSY),      NO(RECYCLED),  NO(BUSY),
                        NO(BUSY)},
[VERB_REBOOT]        = {NO(NOT_READY),    NO(STATE),     NO(BUSY),      GO(REBOOTING),
                        NO(BUSY),         NO(BUSY),      NO(BUSY),      NO(RECYCLED),  NO(BUSY),
                        NO(BUSY)},
[VERB_FORCE_REBOOT]  = {NO(NOT_READY),    NO(STATE),     GO(REBOOTING), GO(REBOOTING),
                        NO(BUSY),         GO(REBOOTING), NO(BUSY),      NO(RECYCLED),  NO(BUSY),
                        GO(REBOOTING)},
[VERB_RELEASE]       = {NO(INITIALIZING), GO(RELEASING), NO(BUSY),      NO(STATE),
                        NO(BUSY),         NO(BUSY),      NO(BUSY),      GO(RELEASING), NO(BUSY),
                        NO(BUSY)},
[VERB_FORCE_RELEASE] = {NO(INITIALIZING), GO(RELEASING), NO(BUSY),      GO(RELEASING),
                        NO(BUSY),         NO(BUSY),      NO(BUSY),      GO(RELEASING), NO(BUSY),
                        NO(BUSY)},
};
/* clang-format on */

const struct verb_rule *verb_rule(enum verb v, enum inst_state s)
{
    return &rules[v][s];
}
