"""States on demand: each row of StartInstance's documented list that has a cause here, by its cause, and stock.

Statuses, codes and messages are written here from the clouds' documents; the server's tables are not looked at.
"""
import json

import pytest

import ostler

CONTROLS = ["--controls"]
UNSUPPORTED = (400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS")


@pytest.fixture(scope="module")
def cloud(program):
    with ostler.Server(args=CONTROLS) as s:
        yield s


def show(s, iid):
    return json.loads(s.cli("show", "--json", iid).stdout)


def prepaid(s):
    iid = s.ecs.run(InstanceChargeType="PrePaid", Period=1)[0]
    s.wait_state(iid, "Running")
    return iid


def stopped(s):
    return s.ecs.create_stopped()


def encrypted(s):
    return s.ecs.create_stopped(DataDisk=[{"Size": 20, "Encrypted": True}])


# ---- each by its cause ----

def kms(word, back):
    return (lambda s, iid: s.cli("kms", word)), (lambda s, iid: s.cli("kms", back))


def disk_overdue(s, iid):
    s.cli("disk", "overdue", iid)


def disk_paid(s, iid):
    s.cli("disk", "overdue", iid, "--clear")


# name: (made by, cause, its end, StartInstance's answer, the entry or answer of StartInstances, ZEC's)
CAUSES = {
    "kms-revoked": (encrypted, *kms("revoke", "grant"),
                    (403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS."),
                    (400, "InvalidParameter.KMSKeyId.KMSUnauthorized",
                     "ECS service account have no right to access your KMS."), UNSUPPORTED),
    "kms-removed": (encrypted, *kms("rm", "restore"),
                    (403, "InvalidParameter.KMSKeyId.NotFound", "The specified KMSKeyId does not exist."),
                    (403, "InvalidParameter.KMSKeyId.NotFound", "The specified KMSKeyId does not exist."), UNSUPPORTED),
    "kms-untagged": (encrypted, *kms("untag", "tag"),
                     (403, "InvalidParameter.KMSKeyId.CMKUnauthorized", "The CMK needs to be added ECS tag."),
                     (400, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be added ECS tag"), UNSUPPORTED),
    "kms-disabled": (encrypted, *kms("disable", "enable"),
                     (403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be enabled."),
                     (400, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be enabled."), UNSUPPORTED),
    "disk-overdue": (stopped, disk_overdue, disk_paid,
                     (403, "DiskInArrears", "The specified operation is denied as your disk has expired."),
                     (403, "DiskInArrears", "The specified operation is denied as your disk has expired."), UNSUPPORTED),
    "no-balance": (stopped, lambda s, iid: s.cli("account", "balance", "none"),
                   lambda s, iid: s.cli("account", "balance", "ok"),
                   (403, "InsufficientBalance", "Your account does not have enough balance."),
                   (403, "InsufficientBalance", "Your account does not have enough balance."), UNSUPPORTED),
    "host-repaired": (stopped, lambda s, iid: s.cli("host", "maintain", "on"),
                      lambda s, iid: s.cli("host", "maintain", "off"),
                      (403, "OperationDenied.HostRepairing",
                       "The specified operation is denied as the host of ECS instance is being repaired."),
                      (403, "OperationDenied.HostRepairing", None), UNSUPPORTED),
    "quota": (stopped, lambda s, iid: s.cli("quota", "set", "0"), lambda s, iid: s.cli("quota", "set", "none"),
              (403, "QuotaExceed.ElasticQuota", "No additional quota is available for the specified ECS instance type."),
              (403, "QuotaExceed.ElasticQuota", None), (403, "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED")),
    "quota-of-the-type": (stopped, lambda s, iid: s.cli("quota", "set", "0", "--type", s.ecs.small_type()),
                          lambda s, iid: s.cli("quota", "set", "none", "--type", s.ecs.small_type()),
                          (403, "QuotaExceed.ElasticQuota", "The number of the specified ECS instances has exceeded "
                                                            "the quota of the specified instance type."),
                          (403, "QuotaExceed.ElasticQuota", None), (403, "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED")),
    "quota-of-cpus": (stopped, lambda s, iid: s.cli("quota", "set", "0", "--cpus", "--zone", zone_of(s, iid)),
                      lambda s, iid: s.cli("quota", "set", "none", "--cpus", "--zone", zone_of(s, iid)),
                      (403, "QuotaExceed.ElasticQuota", "The number of vCPUs assigned to the ECS instances has "
                                                        "exceeded the quota in the zone."),
                      (403, "QuotaExceed.ElasticQuota", None), (403, "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED")),
    "no-stock": (stopped, lambda s, iid: s.cli("capacity", "set", "0"),
                 lambda s, iid: s.cli("capacity", "set", "none"),
                 (403, "OperationDenied.NoStock", "The requested resource is sold out in the specified zone; try other "
                                                  "types of resources or other regions and zones."),
                 (403, "OperationDenied.NoStock", "The requested resource is sold out in the specified zone; try other "
                                                  "types of resources or other regions and zones."),
                 (400, "STOCK_INSUFFICIENT")),
}


def said(got, want):
    return got[:2] == want[:2] and (len(want) < 3 or want[2] is None or got[2] == want[2])


@pytest.mark.parametrize("name", CAUSES)
def test_a_start_is_refused_by_its_cause(cloud, name):
    make, cause, end, single, batch, zec = CAUSES[name]
    iid = make(cloud)
    cause(cloud, iid)
    try:
        got = cloud.ecs.refused("StartInstance", InstanceId=iid)
        assert said(got, single), got
        got = cloud.ecs.refused("StartInstances", InstanceId=[iid])
        assert said(got, batch), got
        entry = cloud.ecs.ok("StartInstances", InstanceId=[iid], BatchOptimization="SuccessFirst")
        entry = entry["InstanceResponses"]["InstanceResponse"][0]
        assert (entry["Code"], entry["Message"]) == single[1:], entry
        got = cloud.zec.refused("StartInstances", {"instanceIds": [iid]})
        assert said(got, zec), got
        assert cloud.ecs.state(iid) == "Stopped"
    finally:
        end(cloud, iid)
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")


def test_the_order_of_the_last_checks(cloud):
    """state, disks, keys, host, balance, quota, stock: the first that fails is said."""
    iid = encrypted(cloud)
    steps = ["disk-overdue", "kms-disabled", "host-repaired", "no-balance", "quota", "no-stock"]
    for name in steps:
        CAUSES[name][1](cloud, iid)
    try:
        for name in steps:
            assert cloud.ecs.refused("StartInstance", InstanceId=iid)[1] == CAUSES[name][3][1]
            CAUSES[name][2](cloud, iid)
    finally:
        for name in steps:
            CAUSES[name][2](cloud, iid)
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")


# ---- locks ----

LOCKS = {"security": "security", "financial": "financial", "recycling": "Recycling",
         "dedicatedhostfinancial": "dedicatedhostfinancial", "refunded": "refunded"}


@pytest.mark.parametrize("reason", LOCKS)
def test_every_lock(cloud, reason):
    iid = stopped(cloud)
    cloud.cli("instance", "lock", iid, "--reason", reason)
    shown = cloud.ecs.describe(iid)["OperationLocks"]["LockReason"]
    assert [x["LockReason"] for x in shown] == [LOCKS[reason]]
    for spelling in {LOCKS[reason], LOCKS[reason].lower()}:
        found = cloud.ecs.ok("DescribeInstances", LockReason=spelling)["Instances"]["Instance"]
        assert iid in [x["InstanceId"] for x in found]
    for other in set(LOCKS.values()) - {LOCKS[reason]}:
        found = cloud.ecs.ok("DescribeInstances", LockReason=other)["Instances"]["Instance"]
        assert iid not in [x["InstanceId"] for x in found]
    want = "InstanceLockedForSecurity" if reason == "security" else "InstanceExpired"
    got = cloud.ecs.refused("StartInstance", InstanceId=iid)
    assert got[:2] == (403, want)
    if reason != "security":
        assert got[2] == "The postPaid instance has been expired. Please ensure your account have enough balance."
    assert cloud.zec.refused("StartInstances", {"instanceIds": [iid]})[:2] == UNSUPPORTED
    assert show(cloud, iid)["locks"] == [reason]
    cloud.cli("instance", "unlock", iid, "--reason", reason)
    assert cloud.ecs.describe(iid)["OperationLocks"]["LockReason"] == []
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")


@pytest.mark.parametrize("reason", [r for r in LOCKS if r != "security"])
def test_a_lock_of_payment_refuses_stop_and_reboot(cloud, reason):
    iid = cloud.ecs.create_running()
    cloud.cli("instance", "lock", iid, "--reason", reason)
    for action in ("StopInstance", "RebootInstance"):
        assert cloud.ecs.refused(action, InstanceId=iid)[:2] == (403, "InstanceExpiredOrInArrears")
    cloud.ecs.ok("DeleteInstance", InstanceId=iid, Force=True)


def test_a_refund_locks_and_stops(cloud):
    iid = prepaid(cloud)
    cloud.cli("instance", "refund", iid)
    cloud.wait_state(iid, "Stopped")
    assert [x["LockReason"] for x in cloud.ecs.describe(iid)["OperationLocks"]["LockReason"]] == ["refunded"]
    assert cloud.ecs.refused("StartInstance", InstanceId=iid)[1:] == (
        "InstanceExpired", "The prePaid instance has been expired.")
    r = cloud.cli("instance", "refund", stopped(cloud), check=False)
    assert r.returncode == 1 and "ChargeType" in r.stderr


@pytest.mark.parametrize("state", ("Running", "Stopped"))
def test_recycled_by_hand(cloud, state):
    iid = cloud.ecs.create_running() if state == "Running" else stopped(cloud)
    cloud.cli("instance", "recycle", iid)
    cloud.zec.wait_state(iid, "RECYCLE")
    assert [x["LockReason"] for x in cloud.ecs.describe(iid)["OperationLocks"]["LockReason"]] == ["Recycling"]
    assert cloud.ecs.refused("StartInstance", InstanceId=iid)[:2] == (403, "IncorrectInstanceStatus")
    assert cloud.zec.refused("StartInstances", {"instanceIds": [iid]})[:2] == (
        403, "OPERATION_DENIED_INSTANCE_RECYCLED")
    r = cloud.cli("instance", "recycle", iid, check=False)
    assert r.returncode == 1 and "InstanceRecycled" in r.stderr


# ---- how much there is ----

@pytest.fixture
def limits(cloud):
    """Sets limits; all are gone after the test."""
    made = []

    def set_(what, n, *where):
        made.append((what, where))
        cloud.cli(what, "set", n, *where)
    yield set_
    for what, where in made:
        cloud.cli(what, "set", "none", *where)
    assert json.loads(cloud.cli("capacity", "ls", "--json").stdout)["limits"] == []


def zone_of(cloud, iid):
    return cloud.ecs.describe(iid)["ZoneId"]


def test_stock_counts_what_is_not_off(cloud, limits):
    a, b = stopped(cloud), stopped(cloud)
    limits("capacity", len(running(cloud)) + 1, "--zone", zone_of(cloud, a))
    cloud.ecs.ok("StartInstance", InstanceId=a)
    assert cloud.ecs.refused("StartInstance", InstanceId=b)[1] == "OperationDenied.NoStock"
    assert cloud.ecs.refused("RunInstances", cloud.ecs.shape())[1] == "OperationDenied.NoStock"
    cloud.wait_state(a, "Running")
    cloud.ecs.ok("RebootInstance", InstanceId=a)  # it has its place
    cloud.wait_state(a, "Running")
    stopped(cloud)  # created and not started: it needs no room yet
    cloud.ecs.ok("StopInstance", InstanceId=a)
    cloud.wait_state(a, "Stopped")
    cloud.ecs.ok("StartInstance", InstanceId=b)
    cloud.wait_state(b, "Running")


def running(cloud):
    got = cloud.ecs.ok("DescribeInstances", Status="Running", PageSize=100)["Instances"]["Instance"]
    return [x["InstanceId"] for x in got]


def test_every_limit_that_fits_must_have_room(cloud, limits):
    iid = stopped(cloud)
    kind, zone = cloud.ecs.describe(iid)["InstanceType"], zone_of(cloud, iid)
    limits("capacity", 1000, "--zone", zone)
    limits("capacity", 0, "--type", kind)
    assert cloud.ecs.refused("StartInstance", InstanceId=iid)[1] == "OperationDenied.NoStock"
    limits("capacity", 1000, "--type", kind)
    limits("capacity", 0, "--zone", "asia-east-1a")  # of the other cloud
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")


def test_the_other_cloud_in_its_own_words(cloud, limits):
    shape = cloud.zec.shape()
    limits("capacity", 0, "--zone", shape["zoneId"], "--type", shape["instanceType"])
    got = cloud.zec.ok("DescribeZoneInstanceConfigInfos", {"zoneId": shape["zoneId"]})["instanceTypeQuotaSet"]
    assert [x["instanceType"] for x in got if not x["withStock"]] == [shape["instanceType"]]
    assert cloud.zec.refused("CreateZecInstances", shape)[:2] == (400, "STOCK_INSUFFICIENT")


def test_fewer_where_fewer_will_do(cloud, limits):
    limits("capacity", len(running(cloud)) + 2)
    made = cloud.ecs.run(5, MinAmount=1)
    assert len(made) == 2
    cloud.ecs.wait_all(made, "Running")
    assert cloud.ecs.refused("RunInstances", cloud.ecs.shape(Amount=5, MinAmount=1))[1] == "OperationDenied.NoStock"


def test_a_quota_counts_all_there_are(cloud, limits):
    iid = stopped(cloud)
    total = cloud.ecs.ok("DescribeInstances")["TotalCount"]
    limits("quota", total)
    assert cloud.ecs.refused("CreateInstance", cloud.ecs.shape())[:2] == (403, "QuotaExceed.ElasticQuota")
    assert cloud.zec.refused("CreateZecInstances", cloud.zec.shape())[1] == "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED"
    cloud.ecs.ok("StartInstance", InstanceId=iid)  # it is one of those that are allowed
    cloud.wait_state(iid, "Running")


def test_nothing_is_created_without_a_balance(cloud):
    cloud.cli("account", "balance", "none")
    try:
        for action in ("RunInstances", "CreateInstance"):
            assert cloud.ecs.refused(action, cloud.ecs.shape()) == (
                403, "InvalidAccountStatus.NotEnoughBalance", "Your account does not have enough balance.")
        assert cloud.cli("capacity", "ls").stdout.count("no balance:") == 1
    finally:
        cloud.cli("account", "balance", "ok")


def test_hosts_of_one_zone_only(cloud):
    iid = stopped(cloud)
    cloud.cli("host", "maintain", "on", "--zone", "asia-east-1a")
    try:
        cloud.ecs.ok("StartInstance", InstanceId=iid)
        cloud.wait_state(iid, "Running")
        cloud.ecs.ok("StopInstance", InstanceId=iid)
        cloud.wait_state(iid, "Stopped")
        cloud.cli("host", "maintain", "on", "--zone", zone_of(cloud, iid))
        assert cloud.ecs.refused("StartInstance", InstanceId=iid)[1] == "OperationDenied.HostRepairing"
    finally:
        for zone in ("asia-east-1a", zone_of(cloud, iid)):
            cloud.cli("host", "maintain", "off", "--zone", zone)


def test_limits_and_states_survive_a_crash(program):
    with ostler.Server(args=CONTROLS) as s:
        iid = encrypted(s)
        s.cli("capacity", "set", "0")
        s.cli("kms", "untag")
        s.cli("disk", "overdue", iid)
        s.restart(kill=True)
        assert s.ecs.refused("StartInstance", InstanceId=iid)[1] == "DiskInArrears"
        s.cli("disk", "overdue", iid, "--clear")
        assert s.ecs.refused("StartInstance", InstanceId=iid)[1] == "InvalidParameter.KMSKeyId.CMKUnauthorized"
        s.cli("kms", "tag")
        assert s.ecs.refused("StartInstance", InstanceId=iid)[1] == "OperationDenied.NoStock"
        s.restart(args=[])  # a server without controls knows of no limits
        s.ecs.ok("StartInstance", InstanceId=iid)
        s.wait_state(iid, "Running")


@pytest.mark.parametrize("words, why", (
    (("capacity", "set", "many"), "a number or `none`"),
    (("capacity", "set", "1", "--zone", "mars-1a"), "there is no zone 'mars-1a'"),
    (("quota", "set", "1", "--type", "ecs.none"), "there is no instance type 'ecs.none'"),
    (("host", "maintain", "maybe"), "wants on or off"),
    (("host", "maintain", "on", "--zone", "mars-1a"), "there is no zone 'mars-1a'"),
    (("account", "balance", "some"), "wants ok or none"),
    (("instance", "lock", "i-x", "--reason", "boredom"), "reason"),
))
def test_what_makes_no_sense_is_said(cloud, words, why):
    r = cloud.cli(*words, check=False)
    assert r.returncode in (1, 2) and why in r.stderr, r
