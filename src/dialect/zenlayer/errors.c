/*
 * From the core's errors to this cloud's HTTP status, code and text. A row for every error, also
 * for those that only the other dialect's actions raise: a request that the server refuses before
 * any action runs may name any of them.
 *
 * No row may use 200 (taken for success without looking at the body) or 451 (taken for a blocking
 * proxy).
 */
#include "dialect/zenlayer/zec.h"

#define IN_OPERATION "OPERATION_DENIED_INSTANCE_IN_OPERATION"
#define WRONG_STATUS "UNSUPPORTED_OPERATION_INSTANCE_STATUS"
/* The document's sentence for that code, then what is in the way here. */
#define NOT_SUPPORTED "Operations on instances in current state are not supported. %d"
#define BAD_AUTH      "AUTHFAILURE_INVALID_AUTHORIZATION"
#define BAD_SIGN      "AUTHFAILURE_SIGNATURE_FAILURE"
#define NO_RIGHT      "AUTHFAILURE_UNAUTHORIZED_OPERATION"
#define MISSING       "MISSING_PARAMETER"
#define BAD_VALUE     "INVALID_PARAMETER_VALUE"
#define BAD_TYPE      "INVALID_PARAMETER_TYPE"
#define BAD_PATTERN   "INVALID_PARAMETER_PATTERN_ERROR"
#define TOO_BIG       "INVALID_PARAMETER_EXCEED_MAXIMUM"
#define TOO_SMALL     "INVALID_PARAMETER_LESS_MINIMUM"
#define TOO_LONG      "INVALID_PARAMETER_EXCEED_LENGTH"
#define TOO_SHORT     "INVALID_PARAMETER_LESS_LENGTH"
#define QUOTA_EXCEED  "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED"
#define NOT_FOUND     "OPERATION_FAILED_RESOURCE_NOT_FOUND"

const struct err_row zec_errors[] = {
    {ERR_INTERNAL, 500, "INTERNAL_SERVER_ERROR", "An internal error has occurred."},
    {ERR_UNAVAILABLE, 503, "SERVICE_TEMPORARY_UNAVAILABLE",
     "The service is temporarily unavailable. Try again later."},
    {ERR_DRY_RUN, 400, "OPERATION_DENIED_DRY_RUN", "Every check passed; nothing was changed."},

    /* the request as such */
    {ERR_METHOD, 405, "INVALID_REQUEST_METHOD", "The HTTP method is not allowed: %d."},
    {ERR_TLS_NEEDED, 400, BAD_VALUE, "Only HTTPS is served: %d."},
    {ERR_PATH, 404, NOT_FOUND, "The path does not exist: %d."},
    {ERR_BODY, 400, BAD_TYPE, "The request body cannot be read: %d."},
    {ERR_TOO_LARGE, 413, TOO_LONG, "The request is too large: %d."},
    {ERR_TIMEOUT, 408, "REQUEST_TIMED_OUT", "The request did not arrive in time."},
    {ERR_ACTION_MISSING, 400, MISSING, "The header X-ZC-Action is required."},
    {ERR_ACTION_UNKNOWN, 403, NO_RIGHT,
     "The operation %a does not exist in this version, or you are not allowed to call it."},
    {ERR_VERSION_MISSING, 400, MISSING, "The header X-ZC-Version is required."},
    {ERR_VERSION_UNKNOWN, 400, BAD_VALUE, "The header X-ZC-Version is not accepted: %d."},
    {ERR_FORMAT, 400, BAD_VALUE, "The answer is always JSON."},

    /* who asks */
    {ERR_AUTH_MALFORMED, 401, BAD_AUTH, "The Authorization header is not valid: %d."},
    {ERR_AUTH_METHOD, 401, BAD_AUTH, "The signature method is not supported: %d."},
    {ERR_AUTH_SIG_VERSION, 401, BAD_AUTH, "The signature version is not supported."},
    {ERR_AUTH_KEY_MISSING, 401, BAD_AUTH, "No access key is named."},
    {ERR_AUTH_SIG_MISSING, 401, BAD_AUTH, "No signature is given."},
    {ERR_AUTH_NONCE_MISSING, 401, BAD_AUTH, "No signature nonce is given."},
    {ERR_AUTH_TIME_MISSING, 401, BAD_AUTH, "The timestamp is missing: %d."},
    {ERR_AUTH_TIME_FORMAT, 401, BAD_AUTH, "The timestamp cannot be read: %d."},
    {ERR_AUTH_EXPIRED, 401, "AUTHFAILURE_SIGNATURE_EXPIRED", "The signature has expired: %d."},
    {ERR_AUTH_REPLAY, 401, BAD_SIGN, "The request was received before."},
    {ERR_AUTH_KEY_UNKNOWN, 401, BAD_SIGN, "The signature does not match: unknown access key."},
    {ERR_AUTH_KEY_INACTIVE, 401, BAD_SIGN,
     "The signature does not match: the access key is disabled."},
    {ERR_AUTH_SIGNATURE, 401, BAD_SIGN, "The signature does not match: %d."},
    {ERR_AUTH_CONTENT, 401, BAD_SIGN, "The body does not match its signed digest."},
    {ERR_AUTH_TOKEN, 401, BAD_AUTH, "The Authorization header is not valid: %d."},
    {ERR_FORBIDDEN, 403, NO_RIGHT, "You are not allowed to call %a."},

    /* parameters; the detail begins with the parameter's name */
    {ERR_PARAM_MISSING, 400, MISSING, "The parameter %p is required."},
    {ERR_PARAM_TYPE, 400, BAD_TYPE, "A parameter has the wrong type: %d."},
    {ERR_PARAM_VALUE, 400, BAD_VALUE, "A parameter's value is not accepted: %d."},
    {ERR_PARAM_PATTERN, 400, BAD_PATTERN, "A parameter is not well formed: %d."},
    {ERR_PARAM_TOO_BIG, 400, TOO_BIG, "A parameter is too big: %d."},
    {ERR_PARAM_TOO_SMALL, 400, TOO_SMALL, "A parameter is too small: %d."},
    {ERR_PARAM_TOO_LONG, 400, TOO_LONG, "A parameter is too long: %d."},
    {ERR_PARAM_TOO_SHORT, 400, TOO_SHORT, "A parameter is too short: %d."},
    {ERR_PARAM_CONFLICT, 400, BAD_VALUE, "A parameter contradicts another one: %d."},
    {ERR_PARAM_TIME, 400, "INVALID_PARAMETER_DATE_FORMAT_ERROR",
     "A parameter is not a time of the form YYYY-MM-DDTHH:MM:SSZ: %d."},
    {ERR_UNSUPPORTED, 400, BAD_VALUE, "A parameter asks for what is not done here: %d."},
    {ERR_NEEDED, 400, MISSING, "A parameter is required here: %d."},
    {ERR_TOO_MANY_IDS, 400, TOO_LONG, "A parameter holds too many ids: %d."},
    {ERR_TOKEN_FORMAT, 400, BAD_PATTERN, "The client token is not well formed."},
    {ERR_TOKEN_MISMATCH, 400, BAD_VALUE, "The client token was used with other parameters."},

    /* names of things */
    {ERR_NAME, 400, BAD_PATTERN, "A name is not well formed: %d."},
    {ERR_DESCRIPTION, 400, BAD_PATTERN, "A description is not well formed: %d."},
    {ERR_HOSTNAME, 400, BAD_PATTERN, "A host name is not well formed: %d."},
    {ERR_PASSWORD, 400, "INVALID_PASSWORD_MALFORMED",
     "The password must have 8 to 16 characters: lower and upper case letters, digits and "
     "special characters, at least one of each."},
    {ERR_LOGIN_CONFLICT, 400, "INVALID_PARAMETER_INSTANCE_LOGIN_CONFLICT",
     "Exactly one of password and keyId may be given: %d."},
    {ERR_TAG_KEY, 400, BAD_VALUE, "A tag key is not accepted: %d."},
    {ERR_TAG_VALUE, 400, BAD_VALUE, "A tag value is not accepted: %d."},
    {ERR_TAG_DUPLICATE, 400, BAD_VALUE, "A tag key is given twice: %d."},
    {ERR_TAG_COUNT, 400, TOO_LONG, "There are too many tags: %d."},
    {ERR_USER_DATA, 400, BAD_VALUE, "The script is not accepted: %d."},
    {ERR_USER_DATA_SIZE, 400, TOO_LONG, "The script is too long: %d."},
    {ERR_AMOUNT, 400, BAD_VALUE, "The parameter instanceCount is not accepted: %d."},
    {ERR_PERIOD, 400, BAD_VALUE, "The period is not accepted: %d."},
    {ERR_CHARGE_TYPE, 400, BAD_VALUE, "The charge type is not known: %d."},

    /* things that are not there */
    {ERR_REGION_NOT_FOUND, 404, "INVALID_REGION_NOT_FOUND", "The region does not exist: %d."},
    {ERR_ZONE_NOT_FOUND, 404, "INVALID_ZONE_NOT_FOUND", "The zone does not exist: %d."},
    {ERR_TYPE_NOT_FOUND, 404, "INVALID_INSTANCE_TYPE_NOT_FOUND",
     "The instance type does not exist: %d."},
    {ERR_TYPE_NOT_SOLD, 400, "INVALID_INSTANCE_TYPE_ZONE_NO_SELL",
     "The instance type is not sold in this zone: %d."},
    {ERR_IMAGE_NOT_FOUND, 404, "INVALID_IMAGE_NOT_FOUND", "The image does not exist: %d."},
    {ERR_IMAGE_NOT_READY, 400, "INVALID_IMAGE_STATUS", "The image cannot be used now: %d."},
    {ERR_INST_NOT_FOUND, 404, "INVALID_INSTANCE_NOT_FOUND", "The instance does not exist: %d."},
    {ERR_DISK_NOT_FOUND, 404, "INVALID_DISK_NOT_FOUND", "The disk does not exist: %d."},
    {ERR_SUBNET_NOT_FOUND, 404, "INVALID_SUBNET_NOT_FOUND", "The subnet does not exist: %d."},
    {ERR_SUBNET_ZONE, 400, "INVALID_SUBNET_ZONE_MISMATCH",
     "The subnet does not belong to the zone: %d."},
    {ERR_SECGROUP_NOT_FOUND, 404, "INVALID_SECURITY_GROUP_NOT_FOUND",
     "The security group does not exist: %d."},
    {ERR_SECGROUP_VPC, 400, BAD_VALUE,
     "The security group does not belong to the subnet's VPC: %d."},
    {ERR_KEYPAIR_NOT_FOUND, 404, "INVALID_KEY_PAIR_NOT_FOUND", "The key pair does not exist: %d."},
    {ERR_KEYPAIR_EXISTS, 409, "INVALID_KEY_PAIR_NAME_EXIST",
     "There is a key pair of this name: %d."},
    {ERR_KEYPAIR_FORMAT, 400, "INVALID_KEY_PAIR_MALFORMED",
     "The public key is not in OpenSSH's form: %d."},
    {ERR_ACCOUNT_NOT_FOUND, 404, NOT_FOUND, "The account does not exist: %d."},
    {ERR_NOT_THERE, 404, NOT_FOUND, "It does not exist: %d."}, /* of controls, as the next */
    {ERR_TRANSCRIPT_ON, 409, BAD_VALUE, "A transcript is being recorded: %d."},
    {ERR_ACCESS_KEY_NOT_FOUND, 404, NOT_FOUND, "The access key does not exist: %d."},
    {ERR_STATUS_UNKNOWN, 400, BAD_VALUE, "The status is not known: %d."},
    {ERR_LOCK_REASON, 400, BAD_VALUE, "The lock reason is not known: %d."},
    {ERR_SNAPSHOT_UNUSABLE, 400, BAD_VALUE, "The snapshot cannot be used: %d."},
    {ERR_ACCOUNT_IN_USE, 400, BAD_VALUE, "The account is in use: %d."},
    {ERR_NETWORK_TYPE, 400, BAD_VALUE, "The network type is not known: %d."},

    /* addresses and disks */
    {ERR_IP_FORMAT, 400, BAD_PATTERN, "The parameter lanIp is not an IPv4 address: %d."},
    {ERR_IP_RANGE, 400, BAD_VALUE, "The address in lanIp is not in the subnet: %d."},
    {ERR_IP_TAKEN, 400, BAD_VALUE, "The address in lanIp is taken: %d."},
    {ERR_IP_EXHAUSTED, 400, "INVALID_SUBNET_PRIVATE_IP_INSUFFICIENT",
     "The subnet has too few free addresses: %d."},
    {ERR_SYSTEM_DISK_CATEGORY, 400, BAD_VALUE,
     "The value of the parameter systemDisk.diskCategory is not accepted: %d."},
    {ERR_SYSTEM_DISK_SIZE, 400, BAD_VALUE,
     "The value of the parameter systemDisk.diskSize is not accepted. %d"},
    {ERR_SYSTEM_DISK_SMALL, 400, TOO_SMALL,
     "The parameter systemDisk.diskSize is smaller than the image needs: %d."},
    {ERR_DATA_DISK_CATEGORY, 400, BAD_VALUE,
     "The value of the parameter dataDisks.diskCategory is not accepted: %d."},
    {ERR_DATA_DISK_SIZE, 400, BAD_VALUE,
     "The value of the parameter dataDisks.diskSize is not accepted. %d"},
    {ERR_DISK_COUNT, 400, "LIMIT_EXCEEDED_INSTANCE_CAN_ATTACH", "There are too many disks: %d."},

    /* state */
    {ERR_INST_STATE, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_INST_ALREADY, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_INST_BUSY, 400, IN_OPERATION, "Instance is performing another operation."},
    {ERR_INST_NOT_READY, 400, IN_OPERATION, "Instance is performing another operation. %d"},
    {ERR_INST_INITIALIZING, 400, IN_OPERATION, "Instance is performing another operation. %d"},
    {ERR_INST_RECYCLED, 403, "OPERATION_DENIED_INSTANCE_RECYCLED",
     "The instance is in the recycle bin."},
    {ERR_INST_LOCKED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_INST_EXPIRED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_INST_OVERDUE, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_INST_PROTECTED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_INST_SUBSCRIBED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_DISK_UNUSABLE, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_DISK_OVERDUE, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_NO_SYSTEM_DISK, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_KMS_UNAUTHORIZED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_KMS_NOT_FOUND, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_KMS_DISABLED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_KMS_UNTAGGED, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_HOST_REPAIRING, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_NO_BALANCE, 400, WRONG_STATUS, NOT_SUPPORTED},
    {ERR_NO_STOCK, 400, "STOCK_INSUFFICIENT", "The stock is insufficient. %d"},
    {ERR_QUOTA, 403, QUOTA_EXCEED, "A quota is used up. %d"},
    {ERR_QUOTA_TYPE, 403, QUOTA_EXCEED, "A quota of the instance type is used up. %d"},
    {ERR_QUOTA_CPU, 403, QUOTA_EXCEED, "A quota of processors is used up. %d"},
    {ERR_CLOCK, 500, "INTERNAL_SERVER_ERROR", "%d"}, /* of controls; no action raises it here */
    {.err = ERR_NONE},
};
