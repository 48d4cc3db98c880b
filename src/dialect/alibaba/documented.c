/*
 * What the cloud's pages list: every code of every action that is answered here, also those that
 * nothing here raises by itself. Texts are as the pages have them, misspellings too; "%s" stands
 * for a sentence about the situation, and for a text that no page gives.
 *
 * Pages: the ECS developer reference, in its current edition and, where a comment says so, that of
 * 2021; the pages of single actions have the action's name as their title.
 */
#include "dialect/alibaba/documented.h"

#define WRONG_STATUS "The current status of the resource does not support this operation."
#define LOCKED       "The specified operation is denied as your instance is locked for security reasons."
#define IN_ARREARS                                                                                 \
    "The specified operation is denied as your prepay instance is expired (prepay mode) or in "    \
    "arrears (afterpay mode)."
#define NO_STOCK                                                                                   \
    "The requested resource is sold out in the specified zone; try other types of resources or "   \
    "other regions and zones."
#define NO_BALANCE "Your account does not have enough balance."
#define NO_INST    "The specified InstanceId does not exist."
#define NO_SERVICE "The service is currently unavailable. Please try again later."
#define SPOT_PRICE "The spot instance price is lower than public price."
#define FAILED     "The request processing has failed due to some unknown error."
#define EXCEPTION                                                                                  \
    "The request processing has failed due to some unknown error, exception or failure."
#define QUOTA_COUNT                                                                                \
    "The number of the specified ECS instances has exceeded the quota of the specified instance "  \
    "type"
#define QUOTA_VCPUS                                                                                \
    "number of vCPUs assigned to the ECS instances has exceeded the quota in the zone."
#define QUOTA_NONE      "No additional quota is available for the specified ECS instance type."
#define NOT_VALID(name) "The specified parameter \"" name "\" is not valid."
#define SYSTEM_INST     "The system instance does not support the %s operation because %s."

/* Of a parameter that the action's page marks as required: "Missing" and its name. */
#define MISSING(action, param)                                                                     \
    {                                                                                              \
        action, 400, "Missing" param, param " is mandatory for this action."                       \
    }
#define DRY_RUN(action)                                                                            \
    {                                                                                              \
        action, 400, "DryRunOperation", "Request validation has been passed with DryRun flag set." \
    }
/* "ClientToken"; the last text is described there, not quoted. */
#define TOKEN(action)                                                                              \
    {action, 400, "InvalidClientToken.ValueNotSupported", "The ClientToken provided is invalid."}, \
        {action, 400, "IdempotentParameterMismatch",                                               \
         "Request uses a client token in a previous request but is not identical to that "         \
         "request."},                                                                              \
    {                                                                                              \
        action, 403, "IdempotentProcessing",                                                       \
            "The previous idempotent request(s) is still processing."                              \
    }

/* ---- the pages of StartInstances and its likes ---- */

#define BATCH(action)                                                                              \
    MISSING(action, "RegionId"), MISSING(action, "InstanceId"),                                    \
        {action, 400, "DRYRUN.SUCCESS",                                                            \
         "This request is a dryrun request with successful result."},                              \
        {action, 403, "InvalidInstanceId.NotFound", "InstanceId should not be null."},             \
        {action, 403, "InvalidParameter.TooManyInstanceIds",                                       \
         "Instance ids cannot be more than 100."},                                                 \
        {action, 403, "Abs.InvalidInstanceIds.MalFormed",                                          \
         "The specified instanceIds is not valid."},                                               \
        {action, 403, "InstanceLockedForSecurity", "%s"},                                          \
        {action, 403, "InstanceExpiredOrInArrears", "%s"},                                         \
        {action, 403, "IncorrectInstanceStatus", "%s"},                                            \
        {action, 404, "InvalidInstanceId.NotFound", "%s"},                                         \
        {action, 404, "InvalidInstanceId.NotFound", NO_INST},                                      \
        {action, 404, "InvalidInstanceIds.NotFound", "The specified InstanceIds does not exist."}, \
        {action, 409, "InvalidOperation.Conflict",                                                 \
         "Request was denied due to conflict with a previous request, please try again later."},   \
    {                                                                                              \
        action, 500, "InternalError", FAILED                                                       \
    }

/* What start and reboot have besides. */
#define BATCH_COMES_UP(action)                                                                     \
    {action, 400, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be added ECS tag"}, \
        {action, 400, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be enabled."},  \
        {action, 400, "InvalidParameter.KMSKeyId.KMSUnauthorized",                                 \
         "ECS service account have no right to access your KMS."},                                 \
        {action, 403, "InvalidInstance.NotFoundSystemDisk", "%s"},                                 \
        {action, 403, "InsufficientBalance", NO_BALANCE},                                          \
    {                                                                                              \
        action, 403, "InstanceNotReady", "The specified instance is not ready for use."            \
    }

/* ---- RunInstances; CreateInstance's page has the same rows ---- */

#define CREATE(action)                                                                             \
    MISSING(action, "RegionId"), DRY_RUN(action), TOKEN(action),                                   \
        {action, 400, "MissingParameter",                                                          \
         "The input parameter ImageId that is mandatory for processing this request is not "       \
         "supplied."},                                                                             \
        {action, 400, "MissingParameter",                                                          \
         "The input parameter InstanceType that is mandatory for processing this request is not "  \
         "supplied."},                                                                             \
        {action, 400, "MissingParameter",                                                          \
         "The input parameter \"VSwitchId\" that is mandatory for processing this request is not " \
         "supplied."},                                                                             \
        {action, 400, "InvalidInstanceType.ValueNotSupported",                                     \
         "The specified InstanceType does not exist or beyond the permitted range."},              \
        {action, 400, "InvalidInstanceName.Malformed", NOT_VALID("InstanceName")},                 \
        {action, 400, "InvalidDescription.Malformed", NOT_VALID("Description")},                   \
        {action, 400, "InvalidHostName.Malformed", NOT_VALID("HostName")},                         \
        {action, 400, "InvalidPassword.Malformed", NOT_VALID("Password")},                         \
        {action, 400, "InvalidPasswordParam.Mismatch",                                             \
         "The input password should be null when passwdInherit is true."},                         \
        {action, 400, "InvalidInternetChargeType.ValueNotSupported",                               \
         "The specified InternetChargeType is not valid."},                                        \
        {action, 400, "InvalidParameter", NOT_VALID("InternetMaxBandwidthOut")},                   \
        {action, 400, "InvalidSystemDiskCategory.ValueNotSupported",                               \
         NOT_VALID("SystemDisk.Category")},                                                        \
        {action, 400, "InvalidSystemDiskSize.ValueNotSupported", "%s"},                            \
        {action, 404, "InvalidSystemDiskSize.LessThanImageSize",                                   \
         "The specified parameter SystemDisk.Size is less than the image size."},                  \
        {action, 404, "InvalidSystemDiskSize.LessThanMinSize",                                     \
         "The specified parameter SystemDisk.Size is less than the min size."},                    \
        {action, 400, "InvalidDataDiskCategory.ValueNotSupported",                                 \
         NOT_VALID("DataDisk.n.Category")},                                                        \
        {action, 400, "InvalidDataDiskSize.ValueNotSupported",                                     \
         "The specified DataDisk.n.Size beyond the permitted range, or the capacity of snapshot "  \
         "exceeds the size limit of the specified disk category."},                                \
        {action, 404, "InvalidDataDiskSnapshotId.NotFound", NOT_VALID("DataDisk.n.SnapshotId")},   \
        {action, 400, "InvalidDataDevice.Malformed", NOT_VALID("DataDisk.n.Device")},              \
        {action, 400, "InstanceDiskNumber.LimitExceed",                                            \
         "The total number of specified disk in an instance exceeds."},                            \
        {action, 400, "InvalidUserData.SizeExceeded",                                              \
         "The specified parameter \"UserData\" exceeds the size."},                                \
        {action, 400, "ImageNotSupportCloudInit",                                                  \
         "The specified image does not support cloud-init."},                                      \
        {action, 400, "InvalidParameter.Conflict",                                                 \
         "The specified image does not support the specified instance type."},                     \
        {action, 400, "InvalidParameter.Mismatch",                                                 \
         "Specified security group and virtual switch are not in the same VPC."},                  \
        {action, 400, "InvalidParameter.Mismatch",                                                 \
         "Specified virtual switch is not in the specified zone."},                                \
        {action, 400, "InvalidSecurityGroupId.NotFound",                                           \
         "The SecurityGroupId provided does not exist in our records."},                           \
        {action, 404, "InvalidSecurityGroupId",                                                    \
         "The specified SecurityGroupId is invalid or does not exist."},                           \
        {action, 404, "InvalidSecurityGroupId.NotFound", "%s"},                                    \
        {action, 404, "InvalidVSwitchId.NotFound", "Specified virtual switch does not exist."},    \
        {action, 400, "IncorrectVSwitchStatus",                                                    \
         "The current status of virtual switch does not support this operation."},                 \
        {action, 400, "InvalidPrivateIpAddress",                                                   \
         "Specified private IP address is not in the CIDR block of virtual switch."},              \
        {action, 400, "InvalidPrivateIpAddress.Malformed",                                         \
         "Specified private IP address is malformed."},                                            \
        {action, 400, "InvalidPrivateIpAddress.Duplicated",                                        \
         "Specified private IP address is duplicated."},                                           \
        {action, 400, "QuotaExceeded.PrivateIpAddress",                                            \
         "Don't have enough private IPs in this switch"},                                          \
        {action, 400, "QuotaExceed.AfterpayInstance",                                              \
         "Living afterpay instances quota exceeded."},                                             \
        {action, 400, "InvalidPeriod", "The specified period is not valid."},                      \
        {action, 400, "InvalidMinAmount.Malformed",                                                \
         "The specified parameter MinAmount is not valid."},                                       \
        {action, 400, "InvalidMaxAmount.Malformed",                                                \
         "The specified parameter MaxAmount is not valid."},                                       \
        {action, 400, "InvalidAutoReleaseTime.Malformed",                                          \
         "The specified parameter AutoReleaseTime is not valid."},                                 \
        {action, 400, "InvalidSpotStrategy", "The specified SpotStrategy is not valid."},          \
        {action, 400, "InvalidSpotPriceLimit", "The specified SpotPriceLimitis not valid."},       \
        {action, 400, "InvalidSpotDuration", "The specified SpotDuration is not valid."},          \
        {action, 400, "InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid."},         \
        {action, 400, "InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid."},     \
        {action, 400, "Duplicate.TagKey", "The Tag.N.Key contain duplicate key."},                 \
        {action, 400, "NumberExceed.Tags", "The Tags parameter's number is exceed , Valid : 20."}, \
        {action, 400, "InvalidHttpEndpoint.NotSupported",                                          \
         "The specified HttpEndpoint not supported, you can use enabled(default) or disabled."},   \
        {action, 400, "InvalidHttpTokens.NotSupported",                                            \
         "The specified HttpTokens not supported, you can use optional(default) or required."},    \
        {action, 403, "InvalidParams.InstanceNameExceed",                                          \
         "The uniqueSuffix takes three naming places, please shorten your InstanceName."},         \
        {action, 403, "InvalidParams.HostnameExceed",                                              \
         "The uniqueSuffix takes three naming places, please shorten your Hostname."},             \
        {action, 403, "OperationDenied.ImageNotValid",                                             \
         "The specified Image is disabled or is deleted."},                                        \
        {action, 403, "OperationDenied.NoStock", NO_STOCK},                                        \
        {action, 403, "InvalidDiskCategory.NotSupported",                                          \
         "The specified disk category is not support the specified instance type."},               \
        {action, 403, "InvalidDiskSize.TooSmall",                                                  \
         "Specified disk size is less than the size of snapshot"},                                 \
        {action, 403, "InvalidSnapshotId.NotReady",                                                \
         "The specified snapshot has not completed yet."},                                         \
        {action, 403, "InstanceDiskNumLimitExceed",                                                \
         "The number of specified disk in an instance exceeds."},                                  \
        {action, 403, "SecurityGroupInstanceLimitExceed",                                          \
         "Exceeding the allowed amount of instances of a security group."},                        \
        {action, 403, "DependencyViolation.WindowsInstance",                                       \
         "The instance creating is window, cannot use ssh key pair to login."},                    \
        {action, 403, "ImageNotSupportInstanceType",                                               \
         "The specified image does not support the specified InstanceType."},                      \
        {action, 403, "InvalidParam.Amount", "%s"},                                                \
        {action, 403, "InvalidPayMethod", "The specified pay method is not valid."},               \
        {action, 403, "InvalidAccountStatus.NotEnoughBalance", NO_BALANCE}, QUOTA(action),         \
        {action, 403, "InvalidParameter.KMSKeyId.KMSUnauthorized",                                 \
         "ECS service have no right to access your KMS."},                                         \
        {action, 404, "InvalidImageId.NotFound", "The specified ImageId does not exist."},         \
        {action, 404, "InvalidInstanceChargeType.NotFound",                                        \
         "The InstanceChargeType does not exist in our records"},                                  \
        {action, 404, "InvalidZoneId.NotFound", "The specified zoneId does not exist."},           \
        {action, 404, "InvalidRamRole.NotFound",                                                   \
         "The specified parameter \"RAMRoleName\" does not exist."},                               \
        {action, 404, "InvalidLaunchTemplate.NotFound", "%s"},                                     \
        {action, 404, "HOSTNAME_ILLEGAL", "hostname is not valid."},                               \
    /* AttachKeyPair's page gives status and text. */                                              \
    {                                                                                              \
        action, 400, "InvalidKeyPairName.NotFound",                                                \
            "The specified KeyPairName does not exist in our records."                             \
    }

#define QUOTA(action)                                                                              \
    {action, 403, "QuotaExceed.ElasticQuota", QUOTA_NONE},                                         \
        {action, 403, "QuotaExceed.ElasticQuota", QUOTA_COUNT "."},                                \
        {action, 403, "QuotaExceed.ElasticQuota", "The " QUOTA_VCPUS},                             \
    {                                                                                              \
        action, 403, "QuotaExceed.ElasticQuota", QUOTA_COUNT ", or the " QUOTA_VCPUS               \
    }

/* ---- DeleteInstance; the page of DeleteInstances has the same rows and more ---- */

#define DELETE(action)                                                                             \
    {action, 400, "DependencyViolation.SLBConfiguring",                                            \
     "Specified operation is denied as your instance is using by another product."},               \
        {action, 400, "DependencyViolation.RouteEntry",                                            \
         "Specified instance is used by route entry."},                                            \
        {action, 400, "InvalidParameter", "The input parameter InstanceId is invalid."},           \
        {action, 403, "IncorrectInstanceStatus", WRONG_STATUS},                                    \
        {action, 403, "IncorrectInstanceStatus",                                                   \
         "The specified instance is still attached by volumes."},                                  \
        {action, 403, "IncorrectInstanceStatus.Initializing",                                      \
         "The specified instance status does not support this operation."},                        \
        {action, 403, "InstanceLockedForSecurity", LOCKED},                                        \
        {action, 403, "ChargeTypeViolation",                                                       \
         "The operation is not permitted due to charge type of the instance."},                    \
        {action, 403, "InvalidOperation.DeletionProtection",                                       \
         "The operation is not allowed due to deletion protection."},                              \
        {action, 403, "InvalidOperation.EniLinked", "%s"},                                         \
        {action, 403, "OperationDenied.SystemInstanceNotSupport", SYSTEM_INST},                    \
    {                                                                                              \
        action, 404, "InvalidInstanceId.NotFound", NO_INST                                         \
    }

/* ---- StopInstance ---- */

/* With StopCharging, where that cannot be. */
#define NOT_SUPPORT(action)                                                                        \
    {action, 403, "InvalidInstanceId.NotSupport",                                                  \
     "Classic network Instance does not support this operation."},                                 \
        {action, 403, "InvalidInstanceId.NotSupport",                                              \
         "Pre pay instance does not support this operation."},                                     \
        {action, 403, "InvalidInstanceId.NotSupport",                                              \
         "Local disk instance does not support this operation."},                                  \
    {                                                                                              \
        action, 403, "InvalidInstanceId.NotSupport",                                               \
            "Spot instance does not support this operation."                                       \
    }

/* What StopInstance and StopInstances both have. */
#define STOP(action)                                                                               \
    {action, 400, "InvalidParameter.Encrypted.KmsNotEnable",                                       \
     "Failed to perform this operation because KMS is not activated."},                            \
        NOT_SUPPORT(action),                                                                       \
        {action, 403, "InvalidOperation.KMSKeyIdNotFound",                                         \
         "The specified KMSKeyId not found, %s."},                                                 \
        {action, 403, "InvalidOperation.KMSServiceNotOpen", "KMS service is currently not open."}, \
        {action, 403, "OperationDenied.SystemInstanceNotSupport", SYSTEM_INST},                    \
    {                                                                                              \
        action, 503, "LimitedOperation.ServiceUnavailable", NO_SERVICE                             \
    }

/* Of StartInstance, StopInstance, RebootInstance: keys of encrypted disks. */
#define KMS(action)                                                                                \
    {action, 403, "InvalidParameter.KMSKeyId.KMSUnauthorized",                                     \
     "ECS service have no right to access your KMS."},                                             \
        {action, 403, "InvalidParameter.KMSKeyId.CMKUnauthorized",                                 \
         "The CMK needs to be added ECS tag."},                                                    \
    {                                                                                              \
        action, 403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be enabled."     \
    }

const struct doc_row alibaba_documented[] = {
    /* ---- "Common error codes", and what the gateway answers before any action ---- */
    {NULL, 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action."},
    {NULL, 400, "MissingSignature", "Signature is mandatory for this action."},
    {NULL, 400, "MissingTimestamp", "Timestamp is mandatory for this action."},
    {NULL, 400, "MissingSignatureNonce", "SignatureNonce is mandatory for this action."},
    {NULL, 400, "MissingVersion", "Version is mandatory for this action."},
    {NULL, 400, "InvalidVersion", "Specified parameter Version is not valid."},
    {NULL, 400, "MissingAction", "Action is mandatory for this action."},
    {NULL, 404, "InvalidAction.NotFound",
     "Specified api is not found, please check your url and method."},
    {NULL, 404, "InvalidApi.NotFound", "%s"},
    {NULL, 404, "InvalidProduct.NotFound",
     "Cannot find product according to your specified domain."},
    {NULL, 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."},
    /* Of newer gateways, without a status: that of the code before. */
    {NULL, 404, "InvalidAccessKeyId", "Specified access key is not found or invalid."},
    {NULL, 400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled."},
    {NULL, 400, "InvalidTimeStamp.Format",
     "Specified time stamp or date value is not well formatted."},
    {NULL, 400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."},
    {NULL, 400, "SignatureNonceUsed", "Specified signature nonce was used already."},
    {NULL, 400, "InvalidSignatureMethod", "Specified signature method is not valid."},
    {NULL, 400, "InvalidParameter.SignatureVersion", NOT_VALID("SignatureVersion")},
    {NULL, 400, "InvalidParameter.Format", "Specified parameter format is not valid."},
    {NULL, 403, "UnsupportedHTTPMethod", "This http method is not supported."},
    {NULL, 404, "InvalidProtocol.NeedSsl", "Your request is denied as lack of ssl protect."},
    /* A signature of version 1; one of version 3. */
    {NULL, 400, "SignatureDoesNotMatch",
     "Specified signature is not matched with our calculation. server string to sign is:%s"},
    {NULL, 400, "SignatureDoesNotMatch",
     "Specified signature does not match our calculation. server StringToSign is [%s] server "
     "CanonicalRequest is [%s]"},
    {NULL, 400, "IncompleteSignature",
     "The request signature does not conform to Aliyun standards."},
    {NULL, 400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."},
    {NULL, 400, "InvalidSecurityToken.MismatchWithAccessKey",
     "Specified SecurityToken mismatch with the AccessKey."},
    {NULL, 400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed."},
    {NULL, 403, "Forbidden.RAM",
     "User not authorized to operate on the specified resource, or this API doesn't support RAM."},

    /* "Throttling". Of a code's several texts the first is given: today's, not that of 2021. */
    {NULL, 400, "Throttling", "Request was denied due to request throttling."},
    {NULL, 400, "Throttling.User", "Request was denied due to user flow control."},
    {NULL, 400, "Throttling.Api", "Request was denied due to api flow control."},

    /* The common codes in the edition of 2021. */
    {NULL, 400, "IllegalTimestamp",
     "The input parameter \"Timestamp\" that is mandatory for processing this request is not "
     "supplied."},
    {NULL, 403, "InvalidAction", "Specified action is not valid."},
    {NULL, 400, "InvalidAccessKeyId.NotFound", "The specified Access Key ID does not exist."},
    {NULL, 403, "Forbidden.AccessKeyDisabled", "%s"},
    {NULL, 400, "SignatureNonceUsed", "The request signature nonce has been used."},
    {NULL, 400, "InvalidParamater", NOT_VALID("SignatureVersion")}, /* as the page spells it */
    {NULL, 400, "Throttling",
     "You have made too many requests within a short time; your request is denied due to request "
     "throttling."},

    {NULL, 400, "MissingParameter",
     "The input parameter \"%s\" that is mandatory for processing this request is not supplied."},
    {NULL, 400, "InvalidParameter", "The specified parameter \"%s\" is not valid."},
    {NULL, 400, "InvalidParameter.IsNull", "The required parameter must be not null."},
    {NULL, 400, "UnsupportedParameter", "The parameters is unsupported."},
    {NULL, 400, "InsufficientBalance", NO_BALANCE},
    {NULL, 400, "InvalidOwner", "OwnerId and OwnerAccount can't be used at one API access."},
    {NULL, 400, "InvalidOwnerId", "The specified OwnerId is not valid."},
    {NULL, 400, "InvalidOwnerAccount", "The specified OwnerAccount is not valid."},
    {NULL, 400, "UnknownError", FAILED},
    {NULL, 403, "Forbidden.SubUser", "The specified action is not available for you."},
    {NULL, 403, "Forbidden.Unauthorized",
     "User not authorized to operate on the specified resource."},
    {NULL, 403, "Forbidden.NotSupportRAM", "This action does not support accessed by RAM mode."},
    {NULL, 403, "Forbidden.RiskControl",
     "This operation is forbidden by Aliyun RiskControl system."},
    {NULL, 403, "InvalidAccount.NotFound", "The specified Account does not exist."},
    {NULL, 403, "InvalidIdempotenceParameter.Mismatch",
     "The specified parameters are different from before."},
    {NULL, 403, "LastTokenProcessing", "The last token request is processing."},
    {NULL, 403, "MissingParameter",
     "The input parameter OwnerId,OwnerAccount that is mandatory for processing this request is "
     "not supplied."},
    {NULL, 403, "ChargeTypeViolation",
     "The operation is not permitted due to charge type of the instance."},
    {NULL, 403, "RealNameAuthenticationError",
     "Your account has not passed the real-name authentication yet."},
    {NULL, 403, "OperationDenied", "%s"},
    {NULL, 404, "InvalidRegionId.NotFound", "The specified RegionId does not exist."},
    {NULL, 404, "InvalidZoneId.NotFound", "The specified zoneId does not exist."},
    {NULL, 404, "InvalidInstanceId.NotFound", NO_INST},
    {NULL, 404, "InvalidImageId.NotFound", "The specified ImageId does not exist."},
    {NULL, 404, "InvalidDiskId.NotFound", "The specified disk does not exist."},
    {NULL, 404, "InvalidDiskId.NotFound", "The specified DiskId does not exist."},
    {NULL, 404, "InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist."},
    {NULL, 404, "InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist."},
    {NULL, 404, "InvalidVSwitchId.NotFound", "Specified virtual switch does not exist."},
    {NULL, 404, "InvalidVpcId.NotFound", "Specified VPC does not exist."},
    {NULL, 404, "InvalidResourceGroup.NotFound",
     "The ResourceGroup provided does not exist in our records."},
    {NULL, 409, "OperationConflict", "Request was denied due to conflict with a previous request."},
    {NULL, 500, "InternalError", EXCEPTION},
    {NULL, 503, "ServiceUnavailable",
     "The request has failed due to a temporary failure of the server."},
    {NULL, 503, "ServiceUnavailable.RegionMaintaining",
     "System maintenance is in progress on the selected region, please wait a few minutes before "
     "trying again."},

    /* ---- "CreateInstance" ---- */
    CREATE("CreateInstance"),
    MISSING("CreateInstance", "InstanceType"),
    {"CreateInstance", 404, "InvalidSecurityGroupId.NotFound",
     "The specified SecurityGroupId does not exist."},
    {"CreateInstance", 403, "InvalidVSwitchId.NotFound",
     "The VSwitchId provided does not exist in our records."},
    {"CreateInstance", 404, "InvalidSystemDiskSize.MoreThanMaxSize",
     "The specified SystemDisk.Size parameter exceeds the maximum size."},

    /* ---- "DeleteInstance" ---- */
    MISSING("DeleteInstance", "InstanceId"),
    DRY_RUN("DeleteInstance"),
    DELETE("DeleteInstance"),

    /* ---- "DeleteInstances" ---- */
    MISSING("DeleteInstances", "RegionId"),
    MISSING("DeleteInstances", "InstanceId"),
    TOKEN("DeleteInstances"),
    {"DeleteInstances", 400, "DRYRUN.SUCCESS",
     "This request is a dryrun request with successful result."},
    DELETE("DeleteInstances"),
    {"DeleteInstances", 400, "InvalidParameter.CrossRegionNotSupport",
     "Instances of multiple regions not support."},
    {"DeleteInstances", 403, "InvalidParameter.TooManyInstanceIds",
     "Instance ids cannot be more than 100."},
    {"DeleteInstances", 403, "InvalidInstanceIds.ValueNotSupported",
     "The specified instanceIds is not valid."},
    {"DeleteInstances", 404, "InvalidInstanceIds.NotFound",
     "The specified InstanceIds does not exist."},
    {"DeleteInstances", 409, "InvalidOperation.Conflict",
     "Request was denied due to conflict with a previous request, please try again later."},
    {"DeleteInstances", 500, "InvalidParameter", "Invalid parameters."},

    /* ---- "DescribeImages"; the last four stand there without texts ---- */
    MISSING("DescribeImages", "RegionId"),
    DRY_RUN("DescribeImages"),
    {"DescribeImages", 400, "InvalidImageOwnerAlias.ValueNotSupported",
     "The specified ImageOwnerAlias value is not supported."},
    {"DescribeImages", 400, "InvalidTag.Mismatch",
     "The specified Tag.n.Key and Tag.n.Value are not match."},
    {"DescribeImages", 400, "InvalidTagCount",
     "The specified tags are beyond the permitted range."},
    {"DescribeImages", 400, "InvalidInstanceType.ValueNotSupported",
     "The specified InstanceType does not exist or beyond the permitted range."},
    {"DescribeImages", 404, "InvalidUsage", "%s"},
    {"DescribeImages", 404, "InvalidOSType", "%s"},
    {"DescribeImages", 404, "InvalidArchitecture", "%s"},
    {"DescribeImages", 404, "InvalidFilterKey.NotFound", "%s"},

    /* ---- "DescribeInstanceAttribute" ---- */
    MISSING("DescribeInstanceAttribute", "InstanceId"),
    {"DescribeInstanceAttribute", 404, "InvalidInstanceId.NotFound", NO_INST},

    /* ---- "DescribeInstanceAutoRenewAttribute" ---- */
    MISSING("DescribeInstanceAutoRenewAttribute", "RegionId"),

    /* ---- "DescribeInstanceStatus" ---- */
    MISSING("DescribeInstanceStatus", "RegionId"),
    {"DescribeInstanceStatus", 403, "InvalidParameter.TooManyInstanceIds",
     "Instance ids cannot be more than 100."},
    {"DescribeInstanceStatus", 403, "Abs.InvalidInstanceIds.MalFormed",
     "The specified instanceIds is not valid."},
    {"DescribeInstanceStatus", 404, "InvalidZoneId.NotFound",
     "The ZoneId provided does not exist in our records."},

    /* ---- "DescribeInstances" ---- */
    MISSING("DescribeInstances", "RegionId"),
    DRY_RUN("DescribeInstances"),
    {"DescribeInstances", 404, "InvalidInstanceChargeType.NotFound",
     "The InstanceChargeType does not exist in our records"},
    {"DescribeInstances", 404, "InvalidInternetChargeType.ValueNotSupported",
     "The specified InternetChargeType is not valid."},
    {"DescribeInstances", 404, "InvalidLockReason.NotFound",
     "The specified LockReason is not found"},
    {"DescribeInstances", 404, "InvalidFilterKey.NotFound", "%s"},
    {"DescribeInstances", 404, "InvalidNetworkType.NotFound",
     "The specified InstanceNetworkType is not found"},
    {"DescribeInstances", 404, "InvalidStatus.NotFound", "The specified Status is not found"},
    {"DescribeInstances", 400, "InvalidTag.Mismatch",
     "The specified Tag.n.Key and Tag.n.Value are not match."},
    {"DescribeInstances", 400, "InvalidTagCount",
     "The specified tags are beyond the permitted range."},

    /* ---- "DescribeRegions"; without texts ---- */
    {"DescribeRegions", 404, "InvalidAcceptLanguage.NotFound", "%s"},
    {"DescribeRegions", 404, "InvalidResourceType.NotFound", "%s"},

    /* ---- "DescribeZones" ---- */
    MISSING("DescribeZones", "RegionId"),
    {"DescribeZones", 404, "InvalidRegionId.NotFound", "The specified RegionId does not exist."},
    {"DescribeZones", 404, "InvalidInstanceChargeType.NotFound",
     "The InstanceChargeType does not exist in our records"},
    {"DescribeZones", 400, "InvalidSpotStrategy", "The specified SpotStrategy is not valid."},

    /* ---- "ModifyInstanceAutoReleaseTime"; "paramter" is its own ---- */
    {"ModifyInstanceAutoReleaseTime", 400, "MissingParameter", "InstanceId should not be null."},
    {"ModifyInstanceAutoReleaseTime", 400, "InvalidAutoReleaseTime.Malformed",
     "The specified paramter autoReleaseTime is not valid."},
    {"ModifyInstanceAutoReleaseTime", 403, "ChargeTypeViolation",
     "The operation is not permitted due to charge type of the instance."},
    {"ModifyInstanceAutoReleaseTime", 404, "NoSuchResource",
     "The specified resource is not found."},

    /* ---- "ModifyInstanceAutoRenewAttribute" ---- */
    MISSING("ModifyInstanceAutoRenewAttribute", "RegionId"),
    MISSING("ModifyInstanceAutoRenewAttribute", "InstanceId"),

    /* ---- "RebootInstance" ---- */
    MISSING("RebootInstance", "InstanceId"),
    DRY_RUN("RebootInstance"),
    {"RebootInstance", 403, "IncorrectInstanceStatus", WRONG_STATUS},
    {"RebootInstance", 403, "InstanceLockedForSecurity", LOCKED},
    {"RebootInstance", 403, "DiskError", "IncorrectDiskStatus."},
    {"RebootInstance", 403, "InstanceExpiredOrInArrears", IN_ARREARS},
    KMS("RebootInstance"),
    {"RebootInstance", 404, "InvalidParameter.KMSKeyId.NotFound",
     "The specified KMSKeyId does not exist."},
    {"RebootInstance", 404, "InvalidInstanceId.NotFound", NO_INST},
    {"RebootInstance", 500, "InternalError", EXCEPTION},
    {"RebootInstance", 503, "LimitedOperation.ServiceUnavailable", NO_SERVICE},

    /* ---- "RebootInstances" ---- */
    BATCH("RebootInstances"),
    BATCH_COMES_UP("RebootInstances"),
    {"RebootInstances", 503, "LimitedOperation.ServiceUnavailable", NO_SERVICE},

    /* ---- "RenewInstance"; the texts of five are other pages' ---- */
    MISSING("RenewInstance", "InstanceId"),
    {"RenewInstance", 400, "InvalidPeriod", "The specified period is not valid."},
    {"RenewInstance", 400, "InvalidPeriodUnit.ValueNotSupported", "%s"},
    {"RenewInstance", 400, "IdempotenceParamNotMatch",
     "Request uses a client token in a previous request but is not identical to that request."},
    {"RenewInstance", 400, "Idempotence.Processing",
     "The previous request is still processing, please try again later."},
    {"RenewInstance", 403, "LastTokenProcessing", "The last token request is processing."},
    {"RenewInstance", 400, "InvalidClientToken.ValueNotSupported",
     "The ClientToken provided is invalid."},
    {"RenewInstance", 403, "ChargeTypeViolation",
     "The operation is not permitted due to charge type of the instance."},
    {"RenewInstance", 403, "IncorrectInstanceStatus", WRONG_STATUS},
    {"RenewInstance", 403, "InstanceLockedForSecurity", LOCKED},
    {"RenewInstance", 403, "InvalidChargeType.NotSupported", "%s"},
    {"RenewInstance", 404, "InvalidInstanceId.NotFound", NO_INST},

    /* ---- "RunInstances" ---- */
    CREATE("RunInstances"),

    /* ---- "StartInstance", the rows that the program began with, then those of today's page ----
     */
    {"StartInstance", 403, "IncorrectInstanceStatus", WRONG_STATUS},
    {"StartInstance", 403, "DiskError", "IncorrectDiskStatus."},
    {"StartInstance", 403, "InstanceExpired",
     "The postPaid instance has been expired. Please ensure your account have enough balance."},
    {"StartInstance", 403, "InstanceExpired", "The prePaid instance has been expired."},
    {"StartInstance", 403, "InstanceNotReady", "The specified instance is not ready for use"},
    {"StartInstance", 403, "IncorrectInstanceStatus", "%s"},
    {"StartInstance", 403, "InvalidParameter.KMSKeyId.KMSUnauthorized",
     "ECS service have no right to access your KMS."},
    {"StartInstance", 500, "InternalError", EXCEPTION},
    MISSING("StartInstance", "InstanceId"),
    DRY_RUN("StartInstance"),
    {"StartInstance", 400, "LackResource",
     "There's no enough resource on the specified capacity reservation."},
    {"StartInstance", 400, "InvalidDedicatedHost.NotEnoughResource",
     "The specified dedicated host has not enough resource due to host affinity."},
    {"StartInstance", 400, "InvalidDedicatedHost.NotEnoughResource",
     "There's no available dedicated host to perform the operation."},
    {"StartInstance", 400, "InvalidInstance.NotFoundSystemDisk",
     "The specified instance does not have system disk."},
    {"StartInstance", 400, "Invalid.PrivatePoolOptions.NoStock",
     "The PrivatePool has been used up."},
    {"StartInstance", 403, "InvalidParameter.KMSKeyId.NotFound",
     "The specified KMSKeyId does not exist."},
    {"StartInstance", 403, "InvalidParameter.KMSKeyId.CMKUnauthorized",
     "The CMK needs to be added ECS tag."},
    {"StartInstance", 403, "InvalidParameter.KMSKeyId.CMKNotEnabled",
     "The CMK needs to be enabled."},
    {"StartInstance", 403, "InstanceLockedForSecurity", LOCKED},
    {"StartInstance", 403, "InsufficientBalance", NO_BALANCE},
    {"StartInstance", 403, "DiskInArrears",
     "The specified operation is denied as your disk has expired."},
    {"StartInstance", 403, "OperationDenied.NoStock", NO_STOCK},
    {"StartInstance", 403, "OperationDenied.SpotPriceLowerThanPublicPrice", SPOT_PRICE},
    {"StartInstance", 403, "OperationDenied.HostRepairing",
     "The specified operation is denied as the host of ECS instance is being repaired."},
    QUOTA("StartInstance"),
    {"StartInstance", 404, "InvalidInstanceId.NotFound", NO_INST},
    {"StartInstance", 404, "InvalidCapacityReservationId.NotFound",
     "The specified capacity reservation does not exist."},
    {"StartInstance", 500, "InternalError", FAILED},
    {"StartInstance", 503, "ServiceUnavailable",
     "The request has failed due to a temporary failure of the server."},

    /* ---- "StartInstances" ---- */
    BATCH("StartInstances"),
    BATCH_COMES_UP("StartInstances"),
    {"StartInstances", 400, "Invalid.PrivatePoolOptions.NoStock",
     "The PrivatePool has been used up."},
    {"StartInstances", 403, "InstanceExpired", "%s"},
    {"StartInstances", 403, "OperationDenied.NoStock", NO_STOCK},
    {"StartInstances", 403, "OperationDenied.SpotPriceLowerThanPublicPrice", SPOT_PRICE},
    {"StartInstances", 403, "OperationDenied.SpotPriceLowerThanPublicPrice", "%s"},
    {"StartInstances", 403, "OperationDenied.HostRepairing", "%s"},

    /* ---- "StopInstance" ---- */
    MISSING("StopInstance", "InstanceId"),
    DRY_RUN("StopInstance"),
    STOP("StopInstance"),
    KMS("StopInstance"),
    {"StopInstance", 400, "DiskError", "IncorrectDiskStatus."},
    {"StopInstance", 403, "IncorrectInstanceStatus", WRONG_STATUS},
    {"StopInstance", 403, "InstanceLockedForSecurity", LOCKED},
    {"StopInstance", 403, "InstanceExpiredOrInArrears", IN_ARREARS},
    {"StopInstance", 403, "InstanceType.ParameterMismatch",
     "The input parameter ConfirmStop must be true when an instance have localstorage."},
    {"StopInstance", 403, "HibernationConfigured.InstanceOperationForbidden", "%s"},
    {"StopInstance", 403, "HibernationConfigured.NotEnabled", "%s"},
    {"StopInstance", 404, "InvalidInstanceId.NotFound", NO_INST},
    {"StopInstance", 500, "InternalError", EXCEPTION},

    /* ---- "StopInstances" ---- */
    BATCH("StopInstances"),
    STOP("StopInstances"),

    {.code = NULL},
};
