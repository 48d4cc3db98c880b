"""What the actions that only read refuse."""
from causes import cause

INST, IMAGES = "DescribeInstances", "DescribeImages"
NO_CHARGE = "The InstanceChargeType does not exist in our records"

REFUSED = [
    ((INST, IMAGES), 400, "DryRunOperation", "Request validation has been passed with DryRun flag set.",
     {"DryRun": True}),
    ((INST, "DescribeZones"), 404, "InvalidInstanceChargeType.NotFound", NO_CHARGE, {"InstanceChargeType": "Free"}),
    (INST, 404, "InvalidInternetChargeType.ValueNotSupported", "The specified InternetChargeType is not valid.",
     {"InternetChargeType": "PayByMoon"}),
    (INST, 404, "InvalidLockReason.NotFound", "The specified LockReason is not found", {"LockReason": "none"}),
    ((INST, IMAGES), 404, "InvalidFilterKey.NotFound", "%s", {"Filter": [{"Key": "Colour", "Value": "red"}]}),
    (INST, 404, "InvalidNetworkType.NotFound", "The specified InstanceNetworkType is not found",
     {"InstanceNetworkType": "token ring"}),
    (INST, 404, "InvalidStatus.NotFound", "The specified Status is not found", {"Status": "Sleeping"}),
    ((INST, IMAGES), 400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value are not match.",
     {"Tag": [{"Value": "x"}]}),
    ((INST, IMAGES), 400, "InvalidTagCount", "The specified tags are beyond the permitted range.",
     {"Tag": [{"Key": "k%d" % i, "Value": ""} for i in range(21)]}),
    ("DescribeInstanceStatus", 404, "InvalidZoneId.NotFound", "The ZoneId provided does not exist in our records.",
     {"ZoneId": "cn-hangzhou-none"}),
    (IMAGES, 400, "InvalidImageOwnerAlias.ValueNotSupported", "The specified ImageOwnerAlias value is not supported.",
     {"ImageOwnerAlias": "nobody"}),
    (IMAGES, 400, "InvalidInstanceType.ValueNotSupported",
     "The specified InstanceType does not exist or beyond the permitted range.", {"InstanceType": "ecs.none"}),
    (IMAGES, 404, "InvalidUsage", "%s", {"Usage": "decoration"}),
    (IMAGES, 404, "InvalidOSType", "%s", {"OSType": "multics"}),
    (IMAGES, 404, "InvalidArchitecture", "%s", {"Architecture": "pdp11"}),
    ("DescribeRegions", 404, "InvalidAcceptLanguage.NotFound", "%s", {"AcceptLanguage": "la"}),
    ("DescribeRegions", 404, "InvalidResourceType.NotFound", "%s", {"ResourceType": "balloon"}),
    ("DescribeZones", 400, "InvalidSpotStrategy", "The specified SpotStrategy is not valid.",
     {"SpotStrategy": "Cheap"}),
]


def refused(actions, status, code, message, params):
    @cause("alibaba", actions, status, code, message)
    def with_this(w, action):
        return w.ecs(action, params)
    with_this.__name__ = "+".join(params)


for line in REFUSED:
    refused(*line)


@cause("zenlayer", ("DescribeImages", "DescribeZoneInstanceConfigInfos"), 404, "INVALID_ZONE_NOT_FOUND")
def an_unknown_zone(w, action):
    return w.zec(action, {"zoneId": "none"})
