/*
 * Everything that can go wrong above `base`, said once. A dialect has one table from these to its
 * own HTTP status, code and text. `fail()` is the only way to fail: it fills the error and returns
 * its code.
 */
#ifndef OSTLER_CORE_ERR_H
#define OSTLER_CORE_ERR_H

#include "base/util.h"

/* X(name, what an operator reads when no dialect says it better) */
#define ERR_LIST(X)                                                                                \
    X(ERR_INTERNAL, "internal error")                                                              \
    X(ERR_UNAVAILABLE, "the server is not able to take the request now")                           \
    X(ERR_DRY_RUN, "every check passed; nothing was changed")                                      \
    /* the request as such */                                                                      \
    X(ERR_METHOD, "HTTP method not allowed")                                                       \
    X(ERR_TLS_NEEDED, "plain HTTP is not served here")                                             \
    X(ERR_PATH, "no such path")                                                                    \
    X(ERR_BODY, "the body cannot be read")                                                         \
    X(ERR_TOO_LARGE, "the request is too large")                                                   \
    X(ERR_TIMEOUT, "the request did not arrive in time")                                           \
    X(ERR_ACTION_MISSING, "no action named")                                                       \
    X(ERR_ACTION_UNKNOWN, "unknown action")                                                        \
    X(ERR_VERSION_MISSING, "no API version named")                                                 \
    X(ERR_VERSION_UNKNOWN, "unknown API version")                                                  \
    X(ERR_FORMAT, "unknown answer format")                                                         \
    /* who asks */                                                                                 \
    X(ERR_AUTH_MALFORMED, "the authorization cannot be read")                                      \
    X(ERR_AUTH_METHOD, "unknown signature method")                                                 \
    X(ERR_AUTH_SIG_VERSION, "unknown signature version")                                           \
    X(ERR_AUTH_KEY_MISSING, "no access key named")                                                 \
    X(ERR_AUTH_SIG_MISSING, "no signature given")                                                  \
    X(ERR_AUTH_NONCE_MISSING, "no signature nonce given")                                          \
    X(ERR_AUTH_TIME_MISSING, "no timestamp given")                                                 \
    X(ERR_AUTH_TIME_FORMAT, "the timestamp cannot be read")                                        \
    X(ERR_AUTH_EXPIRED, "the timestamp is outside the accepted window")                            \
    X(ERR_AUTH_REPLAY, "the nonce was used before")                                                \
    X(ERR_AUTH_KEY_UNKNOWN, "unknown access key")                                                  \
    X(ERR_AUTH_KEY_INACTIVE, "the access key is disabled")                                         \
    X(ERR_AUTH_SIGNATURE, "the signature does not match")                                          \
    X(ERR_AUTH_CONTENT, "the body does not match its signed digest")                               \
    X(ERR_AUTH_TOKEN, "security tokens are not issued here")                                       \
    X(ERR_FORBIDDEN, "not permitted")                                                              \
    /* parameters; the detail names the parameter */                                               \
    X(ERR_PARAM_MISSING, "a required parameter is missing")                                        \
    X(ERR_PARAM_TYPE, "a parameter has the wrong type")                                            \
    X(ERR_PARAM_VALUE, "a parameter's value is not accepted")                                      \
    X(ERR_PARAM_PATTERN, "a parameter's text is not well formed")                                  \
    X(ERR_PARAM_TOO_BIG, "a number is too big")                                                    \
    X(ERR_PARAM_TOO_SMALL, "a number is too small")                                                \
    X(ERR_PARAM_TOO_LONG, "a text or list is too long")                                            \
    X(ERR_PARAM_TOO_SHORT, "a text or list is too short")                                          \
    X(ERR_PARAM_CONFLICT, "parameters contradict each other")                                      \
    X(ERR_PARAM_TIME, "a time is not well formed")                                                 \
    X(ERR_UNSUPPORTED, "a parameter asks for what is not done here")                               \
    X(ERR_NEEDED, "a parameter is needed in this combination")                                     \
    X(ERR_TOO_MANY_IDS, "too many ids")                                                            \
    X(ERR_TOKEN_FORMAT, "the client token is not well formed")                                     \
    X(ERR_TOKEN_MISMATCH, "the client token was used with other parameters")                       \
    /* names of things */                                                                          \
    X(ERR_NAME, "the name is not well formed")                                                     \
    X(ERR_DESCRIPTION, "the description is not well formed")                                       \
    X(ERR_HOSTNAME, "the host name is not well formed")                                            \
    X(ERR_PASSWORD, "the password does not follow the rule")                                       \
    X(ERR_LOGIN_CONFLICT, "exactly one way to log in may be given")                                \
    X(ERR_TAG_KEY, "a tag key is not well formed")                                                 \
    X(ERR_TAG_VALUE, "a tag value is not well formed")                                             \
    X(ERR_TAG_DUPLICATE, "a tag key is given twice")                                               \
    X(ERR_TAG_COUNT, "too many tags")                                                              \
    X(ERR_USER_DATA, "the user data is not base64")                                                \
    X(ERR_USER_DATA_SIZE, "the user data is too big")                                              \
    X(ERR_AMOUNT, "the number of instances is not accepted")                                       \
    X(ERR_PERIOD, "the period is not accepted")                                                    \
    X(ERR_CHARGE_TYPE, "unknown charge type")                                                      \
    /* things that are not there */                                                                \
    X(ERR_REGION_NOT_FOUND, "unknown region")                                                      \
    X(ERR_ZONE_NOT_FOUND, "unknown zone")                                                          \
    X(ERR_TYPE_NOT_FOUND, "unknown instance type")                                                 \
    X(ERR_TYPE_NOT_SOLD, "the instance type is not offered in this zone")                          \
    X(ERR_IMAGE_NOT_FOUND, "unknown image")                                                        \
    X(ERR_IMAGE_NOT_READY, "the image cannot be used")                                             \
    X(ERR_INST_NOT_FOUND, "unknown instance")                                                      \
    X(ERR_DISK_NOT_FOUND, "unknown disk")                                                          \
    X(ERR_SUBNET_NOT_FOUND, "unknown subnet")                                                      \
    X(ERR_SUBNET_ZONE, "the subnet is not in the zone")                                            \
    X(ERR_SECGROUP_NOT_FOUND, "unknown security group")                                            \
    X(ERR_SECGROUP_VPC, "the security group is not in the subnet's network")                       \
    X(ERR_KEYPAIR_NOT_FOUND, "unknown key pair")                                                   \
    X(ERR_KEYPAIR_EXISTS, "a key pair of this name exists")                                        \
    X(ERR_KEYPAIR_FORMAT, "not an OpenSSH public key")                                             \
    X(ERR_ACCOUNT_NOT_FOUND, "unknown account")                                                    \
    X(ERR_NOT_THERE, "there is no such thing")                                                     \
    X(ERR_TRANSCRIPT_ON, "a transcript is being recorded")                                         \
    X(ERR_ACCESS_KEY_NOT_FOUND, "unknown access key")                                              \
    X(ERR_STATUS_UNKNOWN, "unknown status")                                                        \
    X(ERR_LOCK_REASON, "unknown lock reason")                                                      \
    X(ERR_SNAPSHOT_UNUSABLE, "the snapshot cannot be used")                                        \
    X(ERR_ACCOUNT_IN_USE, "the account is in use")                                                 \
    X(ERR_NETWORK_TYPE, "unknown network type")                                                    \
    /* addresses and disks */                                                                      \
    X(ERR_IP_FORMAT, "not an IPv4 address")                                                        \
    X(ERR_IP_RANGE, "the address is not in the subnet")                                            \
    X(ERR_IP_TAKEN, "the address is taken")                                                        \
    X(ERR_IP_EXHAUSTED, "the subnet has no free address")                                          \
    X(ERR_SYSTEM_DISK_CATEGORY, "unknown system disk category")                                    \
    X(ERR_SYSTEM_DISK_SIZE, "the system disk's size is not accepted")                              \
    X(ERR_SYSTEM_DISK_SMALL, "the system disk is smaller than its image")                          \
    X(ERR_DATA_DISK_CATEGORY, "unknown data disk category")                                        \
    X(ERR_DATA_DISK_SIZE, "a data disk's size is not accepted")                                    \
    X(ERR_DISK_COUNT, "too many disks")                                                            \
    /* state */                                                                                    \
    X(ERR_INST_STATE, "the instance's state does not allow this")                                  \
    X(ERR_INST_ALREADY, "the instance already is where it was asked to go")                        \
    X(ERR_INST_BUSY, "the instance is in another operation")                                       \
    X(ERR_INST_NOT_READY, "the instance is still being created")                                   \
    X(ERR_INST_INITIALIZING, "the instance has not finished its first start")                      \
    X(ERR_INST_RECYCLED, "the instance is in the recycle bin")                                     \
    X(ERR_INST_LOCKED, "the instance is locked for security reasons")                              \
    X(ERR_INST_EXPIRED, "the instance's subscription has expired")                                 \
    X(ERR_INST_OVERDUE, "the account's payment for the instance is overdue")                       \
    X(ERR_INST_PROTECTED, "the instance is protected from deletion")                               \
    X(ERR_INST_SUBSCRIBED, "the instance's subscription has not ended")                            \
    X(ERR_DISK_UNUSABLE, "a disk of the instance cannot be used")                                  \
    X(ERR_DISK_OVERDUE, "a payment for a disk of the instance is overdue")                         \
    X(ERR_NO_SYSTEM_DISK, "the instance has no system disk")                                       \
    X(ERR_KMS_UNAUTHORIZED, "the key's use was not granted")                                       \
    X(ERR_KMS_NOT_FOUND, "unknown key")                                                            \
    X(ERR_KMS_DISABLED, "the key is disabled")                                                     \
    X(ERR_KMS_UNTAGGED, "the key lacks the tag that lets the service use it")                      \
    X(ERR_HOST_REPAIRING, "the instance's host is being repaired")                                 \
    X(ERR_NO_BALANCE, "the account has no balance")                                                \
    X(ERR_NO_STOCK, "no host has room for the instance")                                           \
    X(ERR_QUOTA, "a quota is used up")                                                             \
    X(ERR_QUOTA_TYPE, "a quota of the instance type is used up")                                   \
    X(ERR_QUOTA_CPU, "a quota of processors is used up")                                           \
    /* controls */                                                                                 \
    X(ERR_CLOCK, "the clock does not go there")

enum err {
    ERR_NONE,
#define X(name, text) name,
    ERR_LIST(X)
#undef X
        ERR_COUNT
};

/* "ERR_INST_STATE" and its text from the list above. */
const char *err_name(enum err e);
const char *err_text(enum err e);

/* What went wrong, for the one who asked. `param` is the parameter's wire name, "" when none is to
 * blame. */
struct fail {
    enum err err;
    char param[96];
    char detail[8192]; /* a sentence, without secrets; long enough for a whole string to sign */
};

/* Nothing went wrong, yet; the long text is not touched. */
static inline void fail_clear(struct fail *f)
{
    f->err = ERR_NONE;
    f->param[0] = f->detail[0] = 0;
}

/* Fills `f` and returns `err`, so that the two cannot part. */
enum err fail(struct fail *f, enum err err, const char *fmt, ...) PRINTF(3, 4);

/* The same for a parameter, by the name that the client knows. */
enum err fail_param(struct fail *f, enum err err, const char *param, const char *fmt, ...)
    PRINTF(4, 5);

/*
 * ERR_NOT_THERE: of what an operator made and named, that there is none of this id, and how to see
 * which there are. `thing` as the command line calls it: "snapshot".
 */
enum err fail_not_there(struct fail *f, const char *param, const char *thing, const char *id);

#endif
