/* What stopping and rebooting have in common. */
#ifndef OSTLER_DIALECT_ALIBABA_POWER_H
#define OSTLER_DIALECT_ALIBABA_POWER_H

#include "api/action.h"

#define POWER_ERRORS                                                                               \
    ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_ALREADY, ERR_INST_BUSY, ERR_INST_NOT_READY,       \
        ERR_INST_RECYCLED, ERR_INST_LOCKED, ERR_INST_EXPIRED, ERR_INST_OVERDUE, ERR_DRY_RUN

#define POWER_IN_ARREARS                                                                           \
    403, "InstanceExpiredOrInArrears",                                                             \
        "The specified operation is denied as your prepay instance is expired (prepay mode) or "   \
        "in arrears (afterpay mode)."

/* A start says which of the two it is, and that a new instance is not ready; these two have one
 * code each. */
#define POWER_ROWS                                                                                 \
    ERR_ROWS({ERR_INST_EXPIRED, POWER_IN_ARREARS}, {ERR_INST_OVERDUE, POWER_IN_ARREARS},           \
             {ERR_INST_NOT_READY, 403, "IncorrectInstanceStatus",                                  \
              "The current status of the resource does not support this operation."})

#endif
