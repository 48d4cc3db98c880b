/*
 * What the cloud's pages list: every code of every action that is answered here, also those that
 * nothing here raises by itself.
 *
 * Only the page of StartInstances gives texts; "%s" stands for a sentence about the situation,
 * which is all that is known of the others. Where no page gives a status, it follows the rule of
 * "Common Error Codes": a bad parameter and what is refused are 4xx, what fails inside is 5xx.
 */
#include "dialect/zenlayer/zec.h"

#define STATUS_TEXT    "Operations on instances in current state are not supported."
#define OPERATION_TEXT "Instance is performing another operation."

/*
 * The page of StartInstances has these two with their texts. Those of its three neighbours could be
 * had in older editions only, whose other codes follow; the newer pages of the family agree with
 * one another, so the two are taken for all four.
 */
#define NEW(action)                                                                                \
    {action, 400, "OPERATION_DENIED_INSTANCE_IN_OPERATION", OPERATION_TEXT},                       \
    {                                                                                              \
        action, 400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS", STATUS_TEXT                          \
    }
#define NOT_FOUND(action)                                                                          \
    {                                                                                              \
        action, 404, "INVALID_INSTANCE_NOT_FOUND", "%s"                                            \
    }
#define RECYCLED(action)                                                                           \
    {                                                                                              \
        action, 403, "OPERATION_DENIED_INSTANCE_RECYCLED", "%s"                                    \
    }

const struct doc_row zec_documented[] = {
    /* ---- "Common Error Codes"; it gives no status for the AUTHFAILURE_ family ---- */
    {NULL, 401, "AUTHFAILURE_INVALID_AUTHORIZATION", "%s"},
    {NULL, 401, "AUTHFAILURE_SIGNATURE_FAILURE", "%s"},
    {NULL, 401, "AUTHFAILURE_SIGNATURE_EXPIRED", "%s"},
    {NULL, 403, "AUTHFAILURE_UNAUTHORIZED_OPERATION", "%s"},
    {NULL, 400, "MISSING_PARAMETER", "%s"},
    {NULL, 400, "INVALID_PARAMETER_TYPE", "%s"},
    {NULL, 400, "INVALID_PARAMETER_VALUE", "%s"},
    {NULL, 400, "INVALID_PARAMETER_EXCEED_MAXIMUM", "%s"},
    {NULL, 400, "INVALID_PARAMETER_LESS_MINIMUM", "%s"},
    {NULL, 400, "INVALID_PARAMETER_EXCEED_LENGTH", "%s"},
    {NULL, 400, "INVALID_PARAMETER_LESS_LENGTH", "%s"},
    {NULL, 400, "INVALID_PARAMETER_PATTERN_ERROR", "%s"},
    {NULL, 400, "INVALID_PARAMETER_DATE_FORMAT_ERROR", "%s"},
    {NULL, 404, "OPERATION_FAILED_RESOURCE_NOT_FOUND", "%s"},
    {NULL, 404, "OPERATION_FAILED_RESOURCE_GROUP_NOT_FOUND", "%s"},
    {NULL, 400, "OPERATION_FAILED_FOR_RECYCLE_RESOURCE", "%s"}, /* no status is given */
    {NULL, 404, "INVALID_ZONE_NOT_FOUND", "%s"},
    {NULL, 404, "INVALID_REGION_NOT_FOUND", "%s"},
    {NULL, 400, "INVALID_OPERATION_TIMEOUT", "%s"}, /* no status is given; INVALID_ is a 4xx */
    {NULL, 429, "REQUEST_LIMIT_EXCEEDED", "%s"},
    {NULL, 408, "REQUEST_TIMED_OUT", "%s"}, /* no status is given; HTTP's own for that */
    {NULL, 503, "SERVICE_TEMPORARY_UNAVAILABLE", "%s"},
    {NULL, 500, "INTERNAL_SERVER_ERROR", "%s"},

    /*
     * ---- "CreateZecInstances" ----
     * Its own table could not be had: these are of actions of the same family. Those after the
     * eighth come without a status.
     */
    {"CreateZecInstances", 404, "INVALID_ZONE_NOT_FOUND", "%s"},
    {"CreateZecInstances", 404, "INVALID_IMAGE_NOT_FOUND", "%s"},
    {"CreateZecInstances", 404, "INVALID_INSTANCE_TYPE_NOT_FOUND", "%s"},
    {"CreateZecInstances", 404, "INVALID_SUBNET_NOT_FOUND", "%s"},
    {"CreateZecInstances", 404, "INVALID_KEY_PAIR_NOT_FOUND", "%s"},
    {"CreateZecInstances", 404, "INVALID_SECURITY_GROUP_NOT_FOUND", "%s"},
    {"CreateZecInstances", 400, "INVALID_PASSWORD_MALFORMED", "%s"},
    {"CreateZecInstances", 400, "STOCK_INSUFFICIENT", "%s"},
    {"CreateZecInstances", 400, "INVALID_PARAMETER_VALUE_PASSWORD_MALFORMED", "%s"},
    {"CreateZecInstances", 400, "INVALID_PARAMETER_INSTANCE_LOGIN_CONFLICT", "%s"},
    {"CreateZecInstances", 400, "INVALID_PARAMETER_INSTANCE_NAME_EXCEED", "%s"},
    {"CreateZecInstances", 400, "INVALID_SUBNET_ZONE_MISMATCH", "%s"},
    {"CreateZecInstances", 400, "INVALID_SUBNET_PRIVATE_IP_INSUFFICIENT", "%s"},
    {"CreateZecInstances", 400, "INVALID_INSTANCE_TYPE_ZONE_NO_SELL", "%s"},
    {"CreateZecInstances", 400, "RESOURCE_INSUFFICIENT_PRODUCT_SOLD_OUT", "%s"},
    {"CreateZecInstances", 403, "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED", "%s"},

    /* ---- "DescribeZoneInstanceConfigInfos" ---- */
    {"DescribeZoneInstanceConfigInfos", 404, "INVALID_ZONE_NOT_FOUND", "%s"},

    /* ---- "RebootInstances"; the older codes are those of the vm product ---- */
    NEW("RebootInstances"),
    NOT_FOUND("RebootInstances"),
    RECYCLED("RebootInstances"),
    {"RebootInstances", 403, "OPERATION_DENIED_INSTANCE_STATUS", "%s"},

    /* ---- "ReleaseInstances"; the older codes are those of the bmc product ---- */
    NEW("ReleaseInstances"),
    NOT_FOUND("ReleaseInstances"),
    {"ReleaseInstances", 403, "OPERATION_DENIED_INSTANCE_NOT_RECYCLED", "%s"},

    /* ---- "StartInstances", its two rows, then those of its older edition ---- */
    NEW("StartInstances"),
    NOT_FOUND("StartInstances"),
    RECYCLED("StartInstances"),
    {"StartInstances", 403, "OPERATION_DENIED_INSTANCE_NOT_STOPPED", "%s"},

    /* ---- "StopInstances" ---- */
    NEW("StopInstances"),
    NOT_FOUND("StopInstances"),
    RECYCLED("StopInstances"),
    {"StopInstances", 403, "OPERATION_DENIED_INSTANCE_NOT_RUNNING", "%s"},

    {.code = NULL},
};
