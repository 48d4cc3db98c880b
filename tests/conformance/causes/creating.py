"""RunInstances, CreateInstance and CreateZecInstances."""
import base64

from causes import cause
from causes.world import Calls, new_token

RUN, CREATE = "RunInstances", "CreateInstance"
BOTH = (RUN, CREATE)
NO_STOCK = ("The requested resource is sold out in the specified zone; try other types of resources or other regions "
            "and zones.")


def bad(name):
    return 'The specified parameter "%s" is not valid.' % name


def create(ecs, action, **more):
    return ecs(action, ecs.shape(**more), _kw={"method": "POST"})


# What is asked for, and what is said: each is a request that only this is wrong with.
REFUSED = [
    (BOTH, 400, "DryRunOperation", "Request validation has been passed with DryRun flag set.", {"DryRun": True}),
    (BOTH, 400, "InvalidClientToken.ValueNotSupported", "The ClientToken provided is invalid.",
     {"ClientToken": "x" * 65}),
    (BOTH, 400, "MissingParameter",
     "The input parameter ImageId that is mandatory for processing this request is not supplied.", {"ImageId": None}),
    (RUN, 400, "MissingParameter",
     "The input parameter InstanceType that is mandatory for processing this request is not supplied.",
     {"InstanceType": None}),
    (BOTH, 400, "InvalidInstanceType.ValueNotSupported",
     "The specified InstanceType does not exist or beyond the permitted range.", {"InstanceType": "ecs.none"}),
    (BOTH, 400, "InvalidInstanceName.Malformed", bad("InstanceName"), {"InstanceName": "1st"}),
    (BOTH, 400, "InvalidDescription.Malformed", bad("Description"), {"Description": "http://example.com"}),
    (BOTH, 400, "InvalidHostName.Malformed", bad("HostName"), {"HostName": "a..b"}),
    (BOTH, 400, "InvalidPassword.Malformed", bad("Password"), {"Password": "short"}),
    (BOTH, 400, "InvalidPasswordParam.Mismatch", "The input password should be null when passwdInherit is true.",
     {"Password": "Passw0rd~x", "PasswordInherit": True}),
    (BOTH, 400, "InvalidInternetChargeType.ValueNotSupported", "The specified InternetChargeType is not valid.",
     {"InternetChargeType": "PayByMoon"}),
    (BOTH, 400, "InvalidParameter", bad("InternetMaxBandwidthOut"), {"InternetMaxBandwidthOut": 101}),
    (BOTH, 400, "InvalidSystemDiskCategory.ValueNotSupported", bad("SystemDisk.Category"),
     {"SystemDisk": {"Category": "floppy"}}),
    (BOTH, 400, "InvalidSystemDiskSize.ValueNotSupported", "%s",
     {"SystemDisk": {"Category": "cloud_essd", "PerformanceLevel": "PL2", "Size": 40}}),
    (BOTH, 404, "InvalidSystemDiskSize.LessThanImageSize",
     "The specified parameter SystemDisk.Size is less than the image size.",
     {"SystemDisk": {"Category": "cloud_essd_entry", "Size": 10}}),
    (CREATE, 404, "InvalidSystemDiskSize.MoreThanMaxSize",
     "The specified SystemDisk.Size parameter exceeds the maximum size.", {"SystemDisk": {"Size": 2049}}),
    (BOTH, 400, "InvalidDataDiskCategory.ValueNotSupported", bad("DataDisk.n.Category"),
     {"DataDisk": [{"Category": "floppy", "Size": 20}]}),
    (BOTH, 400, "InvalidDataDiskSize.ValueNotSupported",
     "The specified DataDisk.n.Size beyond the permitted range, or the capacity of snapshot exceeds the size limit "
     "of the specified disk category.", {"DataDisk": [{"Size": 1}]}),
    (BOTH, 404, "InvalidDataDiskSnapshotId.NotFound", bad("DataDisk.n.SnapshotId"),
     {"DataDisk": [{"Size": 20, "SnapshotId": "s-none"}]}),
    (BOTH, 400, "InvalidDataDevice.Malformed", bad("DataDisk.n.Device"),
     {"DataDisk": [{"Size": 20, "Device": "/dev/null"}]}),
    (BOTH, 400, "InstanceDiskNumber.LimitExceed", "The total number of specified disk in an instance exceeds.",
     {"DataDisk": [{"Size": 20}] * 17}),
    (BOTH, 400, "InvalidUserData.SizeExceeded", 'The specified parameter "UserData" exceeds the size.',
     {"UserData": base64.b64encode(b"#" * (32 * 1024 + 1)).decode()}),
    (BOTH, 400, "InvalidPeriod", "The specified period is not valid.",
     {"InstanceChargeType": "PrePaid", "Period": 11}),
    (RUN, 400, "InvalidMinAmount.Malformed", "The specified parameter MinAmount is not valid.", {"MinAmount": 101}),
    (RUN, 403, "InvalidParam.Amount", "%s", {"Amount": 101}),
    (RUN, 400, "InvalidAutoReleaseTime.Malformed", "The specified parameter AutoReleaseTime is not valid.",
     {"AutoReleaseTime": "soon"}),
    (BOTH, 400, "InvalidSpotStrategy", "The specified SpotStrategy is not valid.", {"SpotStrategy": "Cheap"}),
    (BOTH, 400, "InvalidSpotPriceLimit", "The specified SpotPriceLimitis not valid.",
     {"SpotStrategy": "SpotWithPriceLimit"}),
    (BOTH, 400, "InvalidSpotDuration", "The specified SpotDuration is not valid.", {"SpotDuration": 7}),
    (BOTH, 400, "InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid.",
     {"Tag": [{"Key": "acs:x", "Value": "y"}]}),
    (BOTH, 400, "InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid.",
     {"Tag": [{"Key": "x", "Value": "http://y"}]}),
    (BOTH, 400, "Duplicate.TagKey", "The Tag.N.Key contain duplicate key.",
     {"Tag": [{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}]}),
    (BOTH, 400, "NumberExceed.Tags", "The Tags parameter's number is exceed , Valid : 20.",
     {"Tag": [{"Key": "k%d" % i, "Value": ""} for i in range(21)]}),
    (BOTH, 400, "InvalidHttpEndpoint.NotSupported",
     "The specified HttpEndpoint not supported, you can use enabled(default) or disabled.", {"HttpEndpoint": "on"}),
    (BOTH, 400, "InvalidHttpTokens.NotSupported",
     "The specified HttpTokens not supported, you can use optional(default) or required.", {"HttpTokens": "some"}),
    (RUN, 403, "InvalidParams.InstanceNameExceed",
     "The uniqueSuffix takes three naming places, please shorten your InstanceName.",
     {"Amount": 2, "UniqueSuffix": True, "InstanceName": "n" * 126}),
    (RUN, 403, "InvalidParams.HostnameExceed",
     "The uniqueSuffix takes three naming places, please shorten your Hostname.",
     {"Amount": 2, "UniqueSuffix": True, "HostName": "n" * 62}),
    (BOTH, 403, "OperationDenied.NoStock", NO_STOCK, {"InstanceType": "z2a.cpu.1"}),
    (BOTH, 404, "InvalidImageId.NotFound", "The specified ImageId does not exist.", {"ImageId": "m-none"}),
    (BOTH, 404, "InvalidInstanceChargeType.NotFound", "The InstanceChargeType does not exist in our records",
     {"InstanceChargeType": "Free"}),
    (BOTH, 404, "InvalidZoneId.NotFound", "The specified zoneId does not exist.", {"ZoneId": "cn-hangzhou-none"}),
    (BOTH, 404, "InvalidRamRole.NotFound", 'The specified parameter "RAMRoleName" does not exist.',
     {"RamRoleName": "somebody"}),
    (RUN, 404, "InvalidLaunchTemplate.NotFound", "%s", {"LaunchTemplateId": "lt-none"}),
    (BOTH, 400, "InvalidKeyPairName.NotFound", "The specified KeyPairName does not exist in our records.",
     {"KeyPairName": "none"}),
    (BOTH, 404, "InvalidVSwitchId.NotFound", "Specified virtual switch does not exist.", {"VSwitchId": "vsw-none"}),
    (BOTH, 404, "InvalidSecurityGroupId.NotFound", "The specified SecurityGroupId does not exist.",
     {"SecurityGroupId": "sg-none"}),
    (BOTH, 400, "InvalidPrivateIpAddress.Malformed", "Specified private IP address is malformed.",
     {"PrivateIpAddress": "10.0.0"}),
    (BOTH, 400, "InvalidPrivateIpAddress",
     "Specified private IP address is not in the CIDR block of virtual switch.", {"PrivateIpAddress": "192.0.2.1"}),
    (BOTH, 400, "UnsupportedParameter", "The parameters is unsupported.", {"Tenancy": "host"}),
]


def refused(actions, status, code, message, params):
    @cause("alibaba", actions, status, code, message)
    def with_this(w, action):
        return create(w.ecs, action, **params)
    with_this.__name__ = "+".join(params)


for line in REFUSED:
    refused(*line)


@cause("alibaba", BOTH, 400, "IdempotentParameterMismatch",
       "Request uses a client token in a previous request but is not identical to that request.")
def a_token_that_was_used(w, action):
    token = new_token()
    assert create(w.ecs, action, ClientToken=token).status == 200
    return create(w.ecs, action, ClientToken=token, InstanceName="another")


@cause("alibaba", BOTH, 400, "InvalidPrivateIpAddress.Duplicated", "Specified private IP address is duplicated.")
def an_address_that_is_taken(w, action):
    vpc = w.main.ecs.describe(w.made("running"))["VpcAttributes"]
    return create(w.ecs, action, VSwitchId=vpc["VSwitchId"], PrivateIpAddress=vpc["PrivateIpAddress"]["IpAddress"][0])


@cause("alibaba", BOTH, 400, "QuotaExceeded.PrivateIpAddress", "Don't have enough private IPs in this switch")
def no_free_address(w, action):
    return create(Calls(w.exhausted.ecs), action)


@cause("alibaba", BOTH, 400, "InvalidParameter.Mismatch", "Specified virtual switch is not in the specified zone.")
def a_subnet_of_another_zone(w, action):
    here = w.main.ecs.describe(w.made("running"))
    zones = [z["ZoneId"] for z in w.main.ecs.ok("DescribeZones")["Zones"]["Zone"]]
    other = next(z for z in zones if z != here["ZoneId"])
    return create(w.ecs, action, VSwitchId=here["VpcAttributes"]["VSwitchId"], ZoneId=other)


@cause("alibaba", BOTH, 400, "InvalidParameter.Mismatch",
       "Specified security group and virtual switch are not in the same VPC.")
def a_security_group_of_another_network(w, action):
    region, iid = w.elsewhere()
    there = w.main.ecs.ok("DescribeInstanceAttribute", InstanceId=iid)
    return create(w.ecs, action, SecurityGroupId=there["SecurityGroupIds"]["SecurityGroupId"][0])


@cause("alibaba", RUN, 403, "OperationDenied.NoStock", NO_STOCK)
def no_room_on_the_host(w, action):
    return create(Calls(w.full.ecs), action)


@cause("alibaba", BOTH, 403, "QuotaExceed.ElasticQuota",
       "No additional quota is available for the specified ECS instance type.")
def more_zones_than_the_network_takes(w, action):
    s, region, zone = w.zone_too_many()
    return create(Calls(s.ecs), action, RegionId=region, ZoneId=zone)


@cause("alibaba", BOTH, 403, "InvalidParameter.KMSKeyId.KMSUnauthorized",
       "ECS service have no right to access your KMS.")
def a_key_whose_use_was_revoked(w, action):
    with w.keys("RevokeKms", "GrantKms"):
        return create(w.ecs, action, SystemDisk={"Encrypted": True})


# ---- zenlayer ----

ZREFUSED = [
    (404, "INVALID_ZONE_NOT_FOUND", {"zoneId": "none"}),
    (404, "INVALID_IMAGE_NOT_FOUND", {"imageId": "none"}),
    (404, "INVALID_INSTANCE_TYPE_NOT_FOUND", {"instanceType": "none"}),
    (404, "INVALID_SUBNET_NOT_FOUND", {"subnetId": "1"}),
    (404, "INVALID_KEY_PAIR_NOT_FOUND", {"password": None, "keyId": "key-none"}),
    (404, "INVALID_SECURITY_GROUP_NOT_FOUND", {"securityGroupId": "1"}),
    (400, "INVALID_PASSWORD_MALFORMED", {"password": "short"}),
    (400, "INVALID_PARAMETER_INSTANCE_LOGIN_CONFLICT", {"keyId": "key-none"}),
    (400, "INVALID_INSTANCE_TYPE_ZONE_NO_SELL", {"instanceType": "ecs.g6.large"}),
    (400, "INVALID_SUBNET_ZONE_MISMATCH", {"zoneId": "another"}),
]


def zrefused(status, code, params):
    @cause("zenlayer", "CreateZecInstances", status, code)
    def with_this(w, action):
        shape = w.zec_shape()
        body = dict(shape, **params)
        if body["zoneId"] == "another":
            zones = w.main.zec.ok("DescribeZones")["zoneSet"]
            body["zoneId"] = next(z["zoneId"] for z in zones if z["zoneId"] != shape["zoneId"])
        return w.zec(action, body)
    with_this.__name__ = "+".join(params)


for line in ZREFUSED:
    zrefused(*line)


@cause("zenlayer", "CreateZecInstances", 400, "STOCK_INSUFFICIENT")
def no_room_for_it(w, action):
    shape = w.zec_shape()
    return w.full.zec(action, dict(shape, subnetId=w.full.operator("MakeNetwork", zone=shape["zoneId"])["subnet"]))[2]


@cause("zenlayer", "CreateZecInstances", 400, "INVALID_SUBNET_PRIVATE_IP_INSUFFICIENT")
def no_free_address_left(w, action):
    shape = w.no_addresses_for()
    return w.exhausted.zec(action, shape)[2]
