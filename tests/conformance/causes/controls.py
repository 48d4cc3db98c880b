"""What the operator's controls bring about: limits, balance, repair, disks that are not paid for; and renewals.

Each is tried on the actions that declare the error, so that it says nothing about a program without it.
"""
import contextlib
import time

import sign

from causes import cause, declares
from causes.creating import BOTH, create
from causes.power import LOCKED, STATUS, act, up
from causes.world import GHOST, new_token


def raises(err, *names):
    """Those of the actions that declare the error."""
    return lambda a: a["name"] in names and declares(a, err)


@contextlib.contextmanager
def control(w, action, on, off, **more):
    w.main.operator(action, **on, **more)
    try:
        yield
    finally:
        w.main.operator(action, **off, **more)


# ---- limits, balance, repair ----

NO_BALANCE = "Your account does not have enough balance."
NO_QUOTA = "No additional quota is available for the specified ECS instance type."
TYPE_QUOTA = "The number of the specified ECS instances has exceeded the quota of the specified instance type."
CPU_QUOTA = "The number of vCPUs assigned to the ECS instances has exceeded the quota in the zone."
STARTS = ("StartInstance", "StartInstances")


def no_balance(w):
    return control(w, "SetBalance", {"balance": "none"}, {"balance": "ok"})


def no_quota(w, kind="quota", **of):
    return control(w, "SetCapacity", {"count": 0}, {}, kind=kind, **of)


def come_to_more(w, action):
    """The action, which makes or starts one more instance."""
    return create(w.ecs, action) if action in BOTH else act(w.ecs, action, w.made("stopped"))


@cause("alibaba", raises("ERR_NO_BALANCE", *BOTH), 403, "InvalidAccountStatus.NotEnoughBalance", NO_BALANCE)
def creating_without_a_balance(w, action):
    with no_balance(w):
        return create(w.ecs, action)


@cause("alibaba", raises("ERR_NO_BALANCE", *STARTS), 403, "InsufficientBalance", NO_BALANCE)
def starting_without_a_balance(w, action):
    iid = w.made("stopped")
    with no_balance(w):
        return act(w.ecs, action, iid)


@cause("alibaba", raises("ERR_QUOTA", "StartInstance"), 403, "QuotaExceed.ElasticQuota", NO_QUOTA)
def a_quota_of_none(w, action):
    w.made("stopped")  # while there is no such quota
    with no_quota(w):
        return come_to_more(w, action)


@cause("alibaba", raises("ERR_QUOTA_TYPE", "StartInstance", *BOTH), 403, "QuotaExceed.ElasticQuota", TYPE_QUOTA)
def a_quota_of_none_of_the_type(w, action):
    w.made("stopped")
    with no_quota(w, instanceType=w.main.ecs.small_type()):
        return come_to_more(w, action)


@cause("alibaba", raises("ERR_QUOTA_CPU", "StartInstance", *BOTH), 403, "QuotaExceed.ElasticQuota", CPU_QUOTA)
def a_quota_of_no_processors(w, action):
    w.made("stopped")
    with no_quota(w, kind="cpu"):
        return come_to_more(w, action)


@cause("zenlayer", raises("ERR_QUOTA", "CreateZecInstances"), 403, "OPERATION_DENIED_INSTANCE_QUOTA_EXCEED")
def a_quota_of_none_for_the_other_cloud(w, action):
    shape = w.zec_shape()
    with no_quota(w):
        return w.zec(action, shape)


@cause("alibaba", raises("ERR_HOST_REPAIRING", "StartInstance"), 403, "OperationDenied.HostRepairing",
       "The specified operation is denied as the host of ECS instance is being repaired.")
@cause("alibaba", raises("ERR_HOST_REPAIRING", "StartInstances"), 403, "OperationDenied.HostRepairing")
def a_host_that_is_being_repaired(w, action):
    iid = w.made("stopped")
    with control(w, "SetHostRepair", {"repair": True}, {"repair": False}):
        return act(w.ecs, action, iid)


# ---- disks and keys ----

@cause("alibaba", raises("ERR_DISK_OVERDUE", "StartInstance"), 403, "DiskInArrears",
       "The specified operation is denied as your disk has expired.")
def a_disk_that_is_not_paid_for(w, action):
    iid = w.made("stopped")
    with control(w, "SetDiskOverdue", {"overdue": True}, {"overdue": False}, instanceId=iid):
        return act(w.ecs, action, iid)


@cause("alibaba", raises("ERR_KMS_UNTAGGED", "StartInstance", "RebootInstance"), 403,
       "InvalidParameter.KMSKeyId.CMKUnauthorized", "The CMK needs to be added ECS tag.")
@cause("alibaba", raises("ERR_KMS_UNTAGGED", "StartInstances", "RebootInstances"), 400,
       "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be added ECS tag")
def a_key_without_its_tag(w, action):
    iid = w.encrypted(up(action))
    with w.keys("UntagKms", "TagKms"):
        return act(w.ecs, action, iid)


# ---- renewals and automatic releases ----

RENEW, RELEASE_TIME, AUTO_RENEW = ("RenewInstance", "ModifyInstanceAutoReleaseTime",
                                   "ModifyInstanceAutoRenewAttribute")
CHARGE = "The operation is not permitted due to charge type of the instance."


def renew(w, action, iid, **more):
    return w.ecs(action, dict({"InstanceId": iid, "Period": 1}, **more))


@cause("alibaba", raises("ERR_INST_NOT_FOUND", RENEW, AUTO_RENEW), 404, "InvalidInstanceId.NotFound",
       "The specified InstanceId does not exist.")
@cause("alibaba", raises("ERR_INST_NOT_FOUND", RELEASE_TIME), 404, "NoSuchResource",
       "The specified resource is not found.")
def an_unknown_instance(w, action):
    return renew(w, action, GHOST)


@cause("alibaba", raises("ERR_CHARGE_TYPE", RENEW, AUTO_RENEW), 403, "ChargeTypeViolation", CHARGE)
def one_without_a_subscription(w, action):
    return renew(w, action, w.made("stopped"))


@cause("alibaba", raises("ERR_CHARGE_TYPE", RELEASE_TIME), 403, "ChargeTypeViolation", CHARGE)
def one_with_a_subscription(w, action):
    return w.ecs(action, InstanceId=w.subscribed(), AutoReleaseTime=sign.iso(time.time() + 3600))


@cause("alibaba", raises("ERR_NEEDED", RELEASE_TIME), 400, "MissingParameter", "InstanceId should not be null.")
def no_instance_named(w, action):
    return w.ecs(action)


@cause("alibaba", raises("ERR_PARAM_TIME", RELEASE_TIME), 400, "InvalidAutoReleaseTime.Malformed",
       "The specified paramter autoReleaseTime is not valid.")
def no_time(w, action):
    return w.ecs(action, InstanceId=w.made("stopped"), AutoReleaseTime="soon")


@cause("alibaba", raises("ERR_PERIOD", RENEW), 400, "InvalidPeriod", "The specified period is not valid.")
def no_such_period(w, action):
    return renew(w, action, w.subscribed(), Period=11)


@cause("alibaba", raises("ERR_PERIOD", RENEW), 400, "InvalidPeriodUnit.ValueNotSupported")
def no_such_unit(w, action):
    return renew(w, action, w.subscribed(), PeriodUnit="Fortnight")


@cause("alibaba", raises("ERR_PERIOD", RENEW), 400, "InvalidParameter",
       'The specified parameter "%s" is not valid.')
def no_such_day(w, action):
    return renew(w, action, w.subscribed(), ExpectedRenewDay="tomorrow")


@cause("alibaba", raises("ERR_INST_LOCKED", RENEW), 403, "InstanceLockedForSecurity", LOCKED)
def a_locked_one(w, action):
    iid = w.subscribed("and locked")
    w.main.operator("LockInstance", instanceId=iid)
    return renew(w, action, iid)


@cause("alibaba", raises("ERR_INST_STATE", RENEW), 403, "IncorrectInstanceStatus", STATUS)
def one_in_the_recycle_bin(w, action):
    iid = w.subscribed("and recycled")
    w.main.operator("RecycleInstance", instanceId=iid)
    w.main.zec.wait_state(iid, "RECYCLE")
    return renew(w, action, iid)


@cause("alibaba", raises("ERR_TOKEN_FORMAT", RENEW), 400, "InvalidClientToken.ValueNotSupported",
       "The ClientToken provided is invalid.")
def a_token_that_is_too_long(w, action):
    return renew(w, action, w.subscribed(), ClientToken="x" * 65)


@cause("alibaba", raises("ERR_TOKEN_MISMATCH", RENEW), 400, "IdempotenceParamNotMatch",
       "Request uses a client token in a previous request but is not identical to that request.")
def a_token_that_was_used(w, action):
    token = new_token()
    assert renew(w, action, w.subscribed(), ClientToken=token).status == 200
    return renew(w, action, w.subscribed(), ClientToken=token, Period=2)
