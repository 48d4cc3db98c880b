/* What an action on one instance and the same on many have in common. */
#ifndef OSTLER_DIALECT_ALIBABA_POWER_H
#define OSTLER_DIALECT_ALIBABA_POWER_H

#include "api/dialect.h"
#include "core/inst.h"

/* Of a start, of a reboot, of a stop, of a release. */
#define START_ERRORS                                                                               \
    REBOOT_ERRORS, ERR_HOST_REPAIRING, ERR_NO_BALANCE, ERR_NO_STOCK, ERR_QUOTA, ERR_QUOTA_TYPE,    \
        ERR_QUOTA_CPU
#define REBOOT_ERRORS                                                                              \
    POWER_ERRORS, ERR_DISK_UNUSABLE, ERR_DISK_OVERDUE, ERR_NO_SYSTEM_DISK, ERR_KMS_UNAUTHORIZED,   \
        ERR_KMS_NOT_FOUND, ERR_KMS_DISABLED, ERR_KMS_UNTAGGED
#define POWER_ERRORS                                                                               \
    ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_ALREADY, ERR_INST_BUSY, ERR_INST_NOT_READY,       \
        ERR_INST_RECYCLED, ERR_INST_LOCKED, ERR_INST_EXPIRED, ERR_INST_OVERDUE, ERR_DRY_RUN
#define RELEASE_ERRORS                                                                             \
    ERR_INST_NOT_FOUND, ERR_INST_STATE, ERR_INST_ALREADY, ERR_INST_BUSY, ERR_INST_INITIALIZING,    \
        ERR_INST_RECYCLED, ERR_INST_PROTECTED, ERR_INST_SUBSCRIBED, ERR_DRY_RUN

#define WRONG_STATUS                                                                               \
    403, "IncorrectInstanceStatus",                                                                \
        "The current status of the resource does not support this operation."

#define POWER_IN_ARREARS                                                                           \
    403, "InstanceExpiredOrInArrears",                                                             \
        "The specified operation is denied as your prepay instance is expired (prepay mode) or "   \
        "in arrears (afterpay mode)."

/* A start says which of the two it is, and that a new instance is not ready; stop and reboot have
 * one code each. */
#define POWER_ROWS                                                                                 \
    POWER_IN_ARREARS_ROWS,                                                                         \
    {                                                                                              \
        ERR_INST_NOT_READY, WRONG_STATUS                                                           \
    }
#define POWER_IN_ARREARS_ROWS                                                                      \
    {ERR_INST_EXPIRED, POWER_IN_ARREARS},                                                          \
    {                                                                                              \
        ERR_INST_OVERDUE, POWER_IN_ARREARS                                                         \
    }

/* A start and the batches say what is in the way; the others on one instance have one sentence. */
#define ONE_SENTENCE_ROWS                                                                          \
    {ERR_INST_BUSY, WRONG_STATUS},                                                                 \
    {                                                                                              \
        ERR_INST_RECYCLED, WRONG_STATUS                                                            \
    }

/* How to stop. */
struct stop_in {
    const char *mode;
    bool force;
};

#define STOP_FIELDS(s, m)                                                                          \
    F_BOOL(s, m.force, "ForceStop",                                                                \
           .text = "Cut the power instead of asking the guest to shut down."),                     \
        F_STR(s, m.mode, "StoppedMode", .values = VALUES("KeepCharging", "StopCharging"),          \
              .text = "StopCharging gives vCPU and memory back while it is stopped.")

unsigned stop_flags(const struct stop_in *in);

/*
 * The flags that count for this instance. Asking to give its capacity back where that cannot be is
 * not an error: the instance just keeps it.
 */
unsigned power_flags(struct call *c, const struct inst *inst, unsigned flags);

/* How to release. */
struct release_in {
    bool force, power_cut, end_subscription;
};

#define RELEASE_FIELDS(s, m)                                                                       \
    F_BOOL(s, m.force, "Force", .text = "Also a running one."),                                    \
        F_BOOL(s, m.power_cut, "ForceStop", .def = 1,                                              \
               .text = "With Force: cut the power instead of shutting down first."),               \
        F_BOOL(s, m.end_subscription, "TerminateSubscription",                                     \
               .text = "Also one whose subscription has expired.")

enum verb release_verb(const struct release_in *in);
unsigned release_flags(const struct release_in *in);

#endif
