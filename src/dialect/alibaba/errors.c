/* The table of errors, and the codes that ECS keeps for single parameters. */
#include "dialect/alibaba/errors.h"

#include <ctype.h>

#include "dialect/alibaba/request.h"

/* Said when a check of this parameter's value fails. The first row that fits counts. */
struct param_row {
    const char *param;  /* list indices are written "n" */
    const char *action; /* NULL: any */
    struct err_row row; /* of ERR_PARAM_VALUE: whichever check it is; else that one alone */
};

#define PARAM(p, a, s, c, m)                                                                       \
    {                                                                                              \
        .param = (p), .action = (a), .row = { ERR_PARAM_VALUE, (s), (c), (m) }                     \
    }
#define BAD_IDS "The specified instanceIds is not valid."
#define TAG_MISMATCH                                                                               \
    400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value are not match."
#define NOT_VALID(name) "The specified parameter \"" name "\" is not valid."

static const struct param_row param_rows[] = {
    PARAM("AcceptLanguage", NULL, 404, "InvalidAcceptLanguage.NotFound",
          "The specified AcceptLanguage does not exist in our records."),
    PARAM("InstanceName", "RunInstances", 403, "InvalidParams.InstanceNameExceed",
          "The uniqueSuffix takes three naming places, please shorten your InstanceName."),
    PARAM("HostName", "RunInstances", 403, "InvalidParams.HostnameExceed",
          "The uniqueSuffix takes three naming places, please shorten your Hostname."),
    /* A signature of version 3. */
    {"Authorization",
     NULL,
     {ERR_AUTH_SIGNATURE, 400, "SignatureDoesNotMatch",
      "Specified signature does not match our calculation. server StringToSign is [%d] server "
      "CanonicalRequest is [%d]"}},
    PARAM("AutoReleaseTime", NULL, 400, "InvalidAutoReleaseTime.Malformed",
          "The specified parameter AutoReleaseTime is not valid."),
    PARAM("Architecture", "DescribeImages", 404, "InvalidArchitecture",
          "The specified Architecture is not valid."),
    PARAM("AutoSnapshotPolicyId", NULL, 404, "InvalidAutoSnapshotPolicyId.NotFound",
          "The specified AutoSnapshotPolicyId does not exist."),
    PARAM("DataDisk.n.AutoSnapshotPolicyId", NULL, 404, "InvalidAutoSnapshotPolicyId.NotFound",
          "The specified AutoSnapshotPolicyId does not exist."),
    PARAM("DataDisk.n.Category", NULL, 400, "InvalidDataDiskCategory.ValueNotSupported",
          NOT_VALID("DataDisk.n.Category")),
    PARAM("DataDisk.n.Description", NULL, 400, "InvalidDiskDescription.Malformed",
          "The specified disk description is wrongly formed."),
    PARAM("DataDisk.n.Device", NULL, 400, "InvalidDataDevice.Malformed",
          NOT_VALID("DataDisk.n.Device")),
    PARAM("DataDisk.n.DiskName", NULL, 400, "InvalidDiskName.Malformed",
          "The specified disk name is wrongly formed."),
    PARAM("DataDisk.n.PerformanceLevel", NULL, 400, "InvalidPerformanceLevel.Malformed",
          NOT_VALID("DataDisk.n.PerformanceLevel")),
    PARAM("DataDisk.n.Size", NULL, 400, "InvalidDataDiskSize.ValueNotSupported",
          "The specified DataDisk.n.Size beyond the permitted range, or the capacity of snapshot "
          "exceeds the size limit of the specified disk category."),
    PARAM("DataDisk.n.SnapshotId", NULL, 404, "InvalidDataDiskSnapshotId.NotFound",
          NOT_VALID("DataDisk.n.SnapshotId")),
    PARAM("DedicatedHostId", NULL, 404, "InvalidDedicatedHostId.NotFound",
          "The specified DedicatedHostId does not exist."),
    PARAM("DeploymentSetId", NULL, 404, "InvalidDeploymentSetId.NotFound",
          "The specified DeploymentSetId does not exist."),
    PARAM("Filter.n.Key", NULL, 404, "InvalidFilterKey.NotFound",
          "The specified Filter.n.Key is not found."),
    PARAM("Hibernate", NULL, 403, "HibernationConfigured.NotEnabled",
          "The instance is not configured for hibernation."),
    PARAM("HpcClusterId", NULL, 404, "InvalidHpcClusterId.NotFound",
          "The specified HpcClusterId does not exist."),
    PARAM("HttpEndpoint", NULL, 400, "InvalidHttpEndpoint.NotSupported",
          "The specified HttpEndpoint not supported, you can use enabled(default) or disabled."),
    PARAM("HttpTokens", NULL, 400, "InvalidHttpTokens.NotSupported",
          "The specified HttpTokens not supported, you can use optional(default) or required."),
    PARAM("ImageOwnerAlias", NULL, 400, "InvalidImageOwnerAlias.ValueNotSupported",
          "The specified ImageOwnerAlias value is not supported."),
    PARAM("InstanceId", "DescribeInstanceStatus", 403, "Abs.InvalidInstanceIds.MalFormed", BAD_IDS),
    PARAM("InstanceId", "DeleteInstances", 403, "InvalidInstanceIds.ValueNotSupported", BAD_IDS),
    PARAM("InstanceId", "RebootInstances", 403, "Abs.InvalidInstanceIds.MalFormed", BAD_IDS),
    PARAM("InstanceId", "StartInstances", 403, "Abs.InvalidInstanceIds.MalFormed", BAD_IDS),
    PARAM("InstanceId", "StopInstances", 403, "Abs.InvalidInstanceIds.MalFormed", BAD_IDS),
    PARAM("InstanceNetworkType", NULL, 404, "InvalidNetworkType.NotFound",
          "The specified InstanceNetworkType is not found"),
    PARAM("InternetChargeType", "DescribeInstances", 404,
          "InvalidInternetChargeType.ValueNotSupported",
          "The specified InternetChargeType is not valid."),
    PARAM("InternetChargeType", NULL, 400, "InvalidInternetChargeType.ValueNotSupported",
          "The specified InternetChargeType is not valid."),
    PARAM("LaunchTemplateId", NULL, 404, "InvalidLaunchTemplate.NotFound",
          "The specified launch template does not exist."),
    PARAM("LaunchTemplateName", NULL, 404, "InvalidLaunchTemplate.NotFound",
          "The specified launch template does not exist."),
    PARAM("LaunchTemplateVersion", NULL, 404, "InvalidLaunchTemplate.NotFound",
          "The specified launch template does not exist."),
    PARAM("MinAmount", NULL, 400, "InvalidMinAmount.Malformed",
          "The specified parameter MinAmount is not valid."),
    PARAM("NetworkInterface.n.NetworkInterfaceId", NULL, 404, "InvalidEniId.NotFound",
          "The specified NetworkInterfaceId does not exist."),
    PARAM("OSType", "DescribeImages", 404, "InvalidOSType", "The specified OSType is not valid."),
    PARAM("PeriodUnit", "RenewInstance", 400, "InvalidPeriodUnit.ValueNotSupported",
          NOT_VALID("PeriodUnit")),
    PARAM("PrivatePoolOptions.Id", NULL, 404, "InvalidCapacityReservationId.NotFound",
          "The specified capacity reservation does not exist."),
    PARAM("RamRoleName", NULL, 404, "InvalidRamRole.NotFound",
          "The specified parameter \"RAMRoleName\" does not exist."),
    PARAM("ResourceType", "DescribeRegions", 404, "InvalidResourceType.NotFound",
          "The ResourceType provided does not exist in our records."),
    PARAM("SchedulerOptions.DedicatedHostClusterId", NULL, 404,
          "InvalidDedicatedHostClusterId.NotFound",
          "The specified DedicatedHostClusterId does not exist."),
    PARAM("SpotDuration", NULL, 400, "InvalidSpotDuration",
          "The specified SpotDuration is not valid."),
    PARAM("SpotPriceLimit", NULL, 400, "InvalidSpotPriceLimit",
          "The specified SpotPriceLimitis not valid."), /* as the cloud spells it */
    PARAM("SpotStrategy", NULL, 400, "InvalidSpotStrategy",
          "The specified SpotStrategy is not valid."),
    PARAM("StorageSetId", NULL, 404, "InvalidStorageSetId.NotFound",
          "The specified StorageSetId does not exist."),
    PARAM("SystemDisk.AutoSnapshotPolicyId", NULL, 404, "InvalidAutoSnapshotPolicyId.NotFound",
          "The specified AutoSnapshotPolicyId does not exist."),
    PARAM("SystemDisk.Category", NULL, 400, "InvalidSystemDiskCategory.ValueNotSupported",
          NOT_VALID("SystemDisk.Category")),
    PARAM("SystemDisk.Description", NULL, 400, "InvalidDiskDescription.Malformed",
          "The specified disk description is wrongly formed."),
    PARAM("SystemDisk.DiskName", NULL, 400, "InvalidDiskName.Malformed",
          "The specified disk name is wrongly formed."),
    PARAM("SystemDisk.PerformanceLevel", NULL, 400, "InvalidPerformanceLevel.Malformed",
          NOT_VALID("SystemDisk.PerformanceLevel")),
    {"SystemDisk.Size",
     "CreateInstance",
     {ERR_PARAM_TOO_BIG, 404, "InvalidSystemDiskSize.MoreThanMaxSize",
      "The specified SystemDisk.Size parameter exceeds the maximum size."}},
    {"SystemDisk.Size",
     NULL,
     {ERR_PARAM_TOO_BIG, 400, "InvalidSystemDiskSize.ValueNotSupported", "%d"}},
    PARAM("SystemDisk.Size", NULL, 400, "InvalidSystemDiskSize.ValueNotSupported",
          NOT_VALID("SystemDisk.Size")),
    {"Tag.n.Key", "DescribeImages", {ERR_PARAM_VALUE, TAG_MISMATCH}},
    {"Tag.n.Key", "DescribeInstances", {ERR_PARAM_VALUE, TAG_MISMATCH}},
    PARAM("Usage", "DescribeImages", 404, "InvalidUsage", "The specified Usage is not valid."),
};

static bool blames_value(enum err e)
{
    static const enum err general[] = {
        ERR_PARAM_TYPE,      ERR_PARAM_VALUE,    ERR_PARAM_PATTERN,   ERR_PARAM_TOO_BIG,
        ERR_PARAM_TOO_SMALL, ERR_PARAM_TOO_LONG, ERR_PARAM_TOO_SHORT, ERR_PARAM_TIME,
    };

    for (size_t i = 0; i < ARRAY_LEN(general); i++)
        if (general[i] == e)
            return true;
    return false;
}

/* Is `param` this row's, list indices aside? */
static bool same_param(const char *pattern, const char *param)
{
    for (;;) {
        if (isdigit((unsigned char)*param) && str_starts(pattern, "n.")) {
            param += strspn(param, "0123456789");
            pattern++;
        }
        if (*pattern != *param)
            return false;
        if (!*pattern)
            return true;
        pattern++;
        param++;
    }
}

/* The parameter's row when `row` is of the general table and a parameter with one is blamed. */
const struct err_row *errors_refine(const struct action *a, const char *param,
                                    const struct err_row *row)
{
    if (row < alibaba_errors || row >= alibaba_errors + ERR_COUNT)
        return row;
    for (size_t i = 0; i < ARRAY_LEN(param_rows); i++) {
        const struct param_row *p = &param_rows[i];
        bool any_check = p->row.err == ERR_PARAM_VALUE && blames_value(row->err);

        if ((any_check || p->row.err == row->err) && same_param(p->param, param) &&
            (!p->action || (a && streq(p->action, a->name))))
            return &p->row;
    }
    return row;
}

enum err errors_unsupported(struct call *c, const char *param)
{
    return fail_param(&c->fail, ERR_UNSUPPORTED, param, "%s is not supported here.", param);
}

struct said errors_say(struct call *c, const struct err_row *row)
{
    const struct state *s = c->state;

    row = errors_refine(c->action, c->fail.param, row);
    return (struct said){.status = row->status,
                         .code = code_of(c->arena, row, c->fail.param),
                         .message = row->err == ERR_AUTH_SIGNATURE && s && s->mismatch
                                        ? s->mismatch
                                        : call_message(c, row)};
}

#define MANDATORY "%p is mandatory for this action."
#define NO_INST   "The specified InstanceId does not exist."

/* In the order of the core's list. */
const struct err_row alibaba_errors[] = {
    {ERR_INTERNAL, 500, "InternalError",
     "The request processing has failed due to some unknown error, exception or failure."},
    {ERR_UNAVAILABLE, 503, "ServiceUnavailable",
     "The request has failed due to a temporary failure of the server."},
    {ERR_DRY_RUN, 400, "DryRunOperation",
     "Request validation has been passed with DryRun flag set."},
    {ERR_METHOD, 403, "UnsupportedHTTPMethod", "This http method is not supported."},
    {ERR_TLS_NEEDED, 404, "InvalidProtocol.NeedSsl",
     "Your request is denied as lack of ssl protect."},
    {ERR_PATH, 404, "InvalidAction.NotFound",
     "Specified api is not found, please check your url and method."},
    {ERR_BODY, 400, "InvalidParameter", "The request cannot be read: %d."},
    {ERR_TOO_LARGE, 413, "RequestEntityTooLarge", "The request is too large."},
    {ERR_TIMEOUT, 408, "RequestTimeout", "The request did not arrive in time."},
    {ERR_ACTION_MISSING, 400, "MissingAction", "Action is mandatory for this action."},
    {ERR_ACTION_UNKNOWN, 404, "InvalidAction.NotFound",
     "Specified api is not found, please check your url and method."},
    {ERR_VERSION_MISSING, 400, "MissingVersion", "Version is mandatory for this action."},
    {ERR_VERSION_UNKNOWN, 400, "InvalidVersion", "Specified parameter Version is not valid."},
    {ERR_FORMAT, 400, "InvalidParameter.Format", "Specified parameter format is not valid."},

    {ERR_AUTH_MALFORMED, 400, "IncompleteSignature",
     "The request signature does not conform to Aliyun standards."},
    {ERR_AUTH_METHOD, 400, "InvalidSignatureMethod", "Specified signature method is not valid."},
    {ERR_AUTH_SIG_VERSION, 400, "InvalidParameter.SignatureVersion",
     "The specified parameter \"SignatureVersion\" is not valid."},
    {ERR_AUTH_KEY_MISSING, 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action."},
    {ERR_AUTH_SIG_MISSING, 400, "MissingSignature", "Signature is mandatory for this action."},
    {ERR_AUTH_NONCE_MISSING, 400, "MissingSignatureNonce",
     "SignatureNonce is mandatory for this action."},
    {ERR_AUTH_TIME_MISSING, 400, "MissingTimestamp", "Timestamp is mandatory for this action."},
    {ERR_AUTH_TIME_FORMAT, 400, "InvalidTimeStamp.Format",
     "Specified time stamp or date value is not well formatted."},
    {ERR_AUTH_EXPIRED, 400, "InvalidTimeStamp.Expired",
     "Specified time stamp or date value is expired."},
    {ERR_AUTH_REPLAY, 400, "SignatureNonceUsed", "Specified signature nonce was used already."},
    {ERR_AUTH_KEY_UNKNOWN, 404, "InvalidAccessKeyId.NotFound",
     "Specified access key is not found."},
    {ERR_AUTH_KEY_INACTIVE, 400, "InvalidAccessKeyId.Inactive",
     "Specified access key is disabled."},
    /* The rest of the message is the string to sign: see errors_say. */
    {ERR_AUTH_SIGNATURE, 400, "SignatureDoesNotMatch",
     "Specified signature is not matched with our calculation. server string to sign is:%d"},
    {ERR_AUTH_CONTENT, 400, "SignatureDoesNotMatch",
     "Specified signature does not match our calculation: %d."},
    {ERR_AUTH_TOKEN, 400, "InvalidSecurityToken.Malformed",
     "Specified SecurityToken is malformed."},
    {ERR_FORBIDDEN, 403, "Forbidden.RAM",
     "User not authorized to operate on the specified resource, or this API doesn't support RAM."},

    {ERR_PARAM_MISSING, 400, "Missing%p", MANDATORY},
    {ERR_PARAM_TYPE, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_VALUE, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_PATTERN, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_TOO_BIG, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_TOO_SMALL, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_TOO_LONG, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_TOO_SHORT, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_PARAM_CONFLICT, 400, "InvalidParameter.Conflict", "%d"},
    {ERR_PARAM_TIME, 400, "InvalidParameter", NOT_VALID("%p")},
    {ERR_UNSUPPORTED, 400, "UnsupportedParameter", "The parameters is unsupported. %d"},
    {ERR_NEEDED, 400, "MissingParameter",
     "The input parameter \"%p\" that is mandatory for processing this request is not supplied."},
    {ERR_TOO_MANY_IDS, TOO_MANY_IDS},
    {ERR_TOKEN_FORMAT, 400, "InvalidClientToken.ValueNotSupported",
     "The ClientToken provided is invalid."},
    {ERR_TOKEN_MISMATCH, 400, "IdempotentParameterMismatch",
     "Request uses a client token in a previous request but is not identical to that request."},

    {ERR_NAME, 400, "InvalidInstanceName.Malformed", NOT_VALID("InstanceName")},
    {ERR_DESCRIPTION, 400, "InvalidDescription.Malformed", NOT_VALID("Description")},
    {ERR_HOSTNAME, 400, "InvalidHostName.Malformed", NOT_VALID("HostName")},
    {ERR_PASSWORD, 400, "InvalidPassword.Malformed", NOT_VALID("Password")},
    {ERR_LOGIN_CONFLICT, 400, "InvalidPasswordParam.Mismatch",
     "The input password should be null when passwdInherit is true."},
    {ERR_TAG_KEY, 400, "InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid."},
    {ERR_TAG_VALUE, 400, "InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid."},
    {ERR_TAG_DUPLICATE, 400, "Duplicate.TagKey", "The Tag.N.Key contain duplicate key."},
    {ERR_TAG_COUNT, 400, "NumberExceed.Tags",
     "The Tags parameter's number is exceed , Valid : 20."},
    {ERR_USER_DATA, 403, "InvalidUserData.Base64FormatInvalid",
     "The specified parameter \"UserData\" must be base64 encoded."},
    {ERR_USER_DATA_SIZE, 400, "InvalidUserData.SizeExceeded",
     "The specified parameter \"UserData\" exceeds the size."},
    {ERR_AMOUNT, 403, "InvalidParam.Amount", "%d"},
    {ERR_PERIOD, 400, "InvalidPeriod", "The specified period is not valid."},
    {ERR_CHARGE_TYPE, 404, "InvalidInstanceChargeType.NotFound",
     "The InstanceChargeType does not exist in our records"},

    {ERR_REGION_NOT_FOUND, 404, "InvalidRegionId.NotFound",
     "The specified RegionId does not exist."},
    {ERR_ZONE_NOT_FOUND, 404, "InvalidZoneId.NotFound", "The specified zoneId does not exist."},
    {ERR_TYPE_NOT_FOUND, 400, "InvalidInstanceType.ValueNotSupported",
     "The specified InstanceType does not exist or beyond the permitted range."},
    {ERR_TYPE_NOT_SOLD, 403, "OperationDenied.NoStock",
     "The requested resource is sold out in the specified zone; try other types of resources or "
     "other regions and zones."},
    {ERR_IMAGE_NOT_FOUND, 404, "InvalidImageId.NotFound", "The specified ImageId does not exist."},
    {ERR_IMAGE_NOT_READY, 403, "OperationDenied.ImageNotValid",
     "The specified Image is disabled or is deleted."},
    {ERR_INST_NOT_FOUND, 404, "InvalidInstanceId.NotFound", NO_INST},
    {ERR_DISK_NOT_FOUND, 404, "InvalidDiskId.NotFound", "The specified disk does not exist."},
    {ERR_SUBNET_NOT_FOUND, 404, "InvalidVSwitchId.NotFound",
     "Specified virtual switch does not exist."},
    {ERR_SUBNET_ZONE, 400, "InvalidParameter.Mismatch",
     "Specified virtual switch is not in the specified zone."},
    {ERR_SECGROUP_NOT_FOUND, 404, "InvalidSecurityGroupId.NotFound",
     "The specified SecurityGroupId does not exist."},
    {ERR_SECGROUP_VPC, 400, "InvalidParameter.Mismatch",
     "Specified security group and virtual switch are not in the same VPC."},
    {ERR_KEYPAIR_NOT_FOUND, 400, "InvalidKeyPairName.NotFound",
     "The specified KeyPairName does not exist in our records."},
    {ERR_KEYPAIR_EXISTS, 400, "KeyPair.AlreadyExist", "The key pair already exist."},
    {ERR_KEYPAIR_FORMAT, 400, "InvalidPublicKeyBody.Malformed",
     "The PublicKeyBody format is not supported."},
    {ERR_ACCOUNT_NOT_FOUND, 403, "InvalidAccount.NotFound",
     "The specified Account does not exist."},
    {ERR_NOT_THERE, 404, "InvalidParameter", "%d"}, /* of controls, as the next */
    {ERR_TRANSCRIPT_ON, 403, "OperationConflict", "%d"},
    {ERR_ACCESS_KEY_NOT_FOUND, 404, "InvalidAccessKeyId.NotFound",
     "Specified access key is not found."},
    {ERR_STATUS_UNKNOWN, 404, "InvalidStatus.NotFound", "The specified Status is not found"},
    {ERR_LOCK_REASON, 404, "InvalidLockReason.NotFound", "The specified LockReason is not found"},
    {ERR_SNAPSHOT_UNUSABLE, 400, "InvalidSnapshotId.NotUsable",
     "The specified snapshot cannot be used."},
    {ERR_ACCOUNT_IN_USE, 400, "InvalidAccount.InUse", "The account is in use."},
    {ERR_NETWORK_TYPE, 404, "InvalidNetworkType.NotFound",
     "The specified InstanceNetworkType is not found"},

    {ERR_IP_FORMAT, 400, "InvalidPrivateIpAddress.Malformed",
     "Specified private IP address is malformed."},
    {ERR_IP_RANGE, 400, "InvalidPrivateIpAddress",
     "Specified private IP address is not in the CIDR block of virtual switch."},
    {ERR_IP_TAKEN, 400, "InvalidPrivateIpAddress.Duplicated",
     "Specified private IP address is duplicated."},
    {ERR_IP_EXHAUSTED, 400, "QuotaExceeded.PrivateIpAddress",
     "Don't have enough private IPs in this switch"},
    {ERR_SYSTEM_DISK_CATEGORY, 400, "InvalidSystemDiskCategory.ValueNotSupported",
     NOT_VALID("SystemDisk.Category")},
    {ERR_SYSTEM_DISK_SIZE, 400, "InvalidSystemDiskSize.ValueNotSupported", "%d"},
    {ERR_SYSTEM_DISK_SMALL, 404, "InvalidSystemDiskSize.LessThanImageSize",
     "The specified parameter SystemDisk.Size is less than the image size."},
    {ERR_DATA_DISK_CATEGORY, 400, "InvalidDataDiskCategory.ValueNotSupported",
     NOT_VALID("DataDisk.n.Category")},
    {ERR_DATA_DISK_SIZE, 400, "InvalidDataDiskSize.ValueNotSupported",
     "The specified DataDisk.n.Size beyond the permitted range, or the capacity of snapshot "
     "exceeds "
     "the size limit of the specified disk category."},
    {ERR_DISK_COUNT, 400, "InstanceDiskNumber.LimitExceed",
     "The total number of specified disk in an instance exceeds."},

    {ERR_INST_STATE, 403, "IncorrectInstanceStatus",
     "The current status of the resource does not support this operation."},
    {ERR_INST_ALREADY, 403, "IncorrectInstanceStatus",
     "The current status of the resource does not support this operation."},
    {ERR_INST_BUSY, 403, "IncorrectInstanceStatus", "%d"},
    {ERR_INST_NOT_READY, 403, "InstanceNotReady", "The specified instance is not ready for use"},
    {ERR_INST_INITIALIZING, 403, "IncorrectInstanceStatus.Initializing",
     "The specified instance status does not support this operation."},
    {ERR_INST_RECYCLED, 403, "IncorrectInstanceStatus", "%d"},
    {ERR_INST_LOCKED, 403, "InstanceLockedForSecurity",
     "The specified operation is denied as your instance is locked for security reasons."},
    {ERR_INST_EXPIRED, 403, "InstanceExpired", "The prePaid instance has been expired."},
    {ERR_INST_OVERDUE, 403, "InstanceExpired",
     "The postPaid instance has been expired. Please ensure your account have enough balance."},
    {ERR_INST_PROTECTED, 403, "InvalidOperation.DeletionProtection",
     "The operation is not allowed due to deletion protection."},
    {ERR_INST_SUBSCRIBED, 403, "ChargeTypeViolation",
     "The operation is not permitted due to charge type of the instance."},
    {ERR_DISK_UNUSABLE, 403, "DiskError", "IncorrectDiskStatus."},
    {ERR_DISK_OVERDUE, 403, "DiskInArrears",
     "The specified operation is denied as your disk has expired."},
    {ERR_NO_SYSTEM_DISK, 400, "InvalidInstance.NotFoundSystemDisk",
     "The specified instance does not have system disk."},
    {ERR_KMS_UNAUTHORIZED, 403, "InvalidParameter.KMSKeyId.KMSUnauthorized",
     "ECS service have no right to access your KMS."},
    {ERR_KMS_NOT_FOUND, 403, "InvalidParameter.KMSKeyId.NotFound",
     "The specified KMSKeyId does not exist."},
    {ERR_KMS_DISABLED, 403, "InvalidParameter.KMSKeyId.CMKNotEnabled",
     "The CMK needs to be enabled."},
    {ERR_KMS_UNTAGGED, 403, "InvalidParameter.KMSKeyId.CMKUnauthorized",
     "The CMK needs to be added ECS tag."},
    {ERR_HOST_REPAIRING, 403, "OperationDenied.HostRepairing",
     "The specified operation is denied as the host of ECS instance is being repaired."},
    {ERR_NO_BALANCE, 403, "InsufficientBalance", "Your account does not have enough balance."},
    {ERR_NO_STOCK, 403, "OperationDenied.NoStock",
     "The requested resource is sold out in the specified zone; try other types of resources or "
     "other regions and zones."},
    {ERR_QUOTA, 403, "QuotaExceed.ElasticQuota",
     "No additional quota is available for the specified ECS instance type."},
    {ERR_QUOTA_TYPE, 403, "QuotaExceed.ElasticQuota",
     "The number of the specified ECS instances has exceeded the quota of the specified instance "
     "type."},
    {ERR_QUOTA_CPU, 403, "QuotaExceed.ElasticQuota",
     "The number of vCPUs assigned to the ECS instances has exceeded the quota in the zone."},
    {ERR_CLOCK, 500, "InternalError", "%d"}, /* of controls; no action of this cloud raises it */
    {.err = ERR_NONE},
};

_Static_assert(ARRAY_LEN(alibaba_errors) == ERR_COUNT, "an error of the core has no row");
