"""Start, stop, reboot and release, one instance and many."""
import ostler

from causes import cause
from causes.world import GHOST, Calls, new_token

STATUS = "The current status of the resource does not support this operation."
LOCKED = "The specified operation is denied as your instance is locked for security reasons."
ARREARS = ("The specified operation is denied as your prepay instance is expired (prepay mode) or in arrears "
           "(afterpay mode).")
NO_INSTANCE = "The specified InstanceId does not exist."
NO_STOCK = ("The requested resource is sold out in the specified zone; try other types of resources or other regions "
            "and zones.")
START, STOP, REBOOT, DELETE = "StartInstance", "StopInstance", "RebootInstance", "DeleteInstance"
ONE = (START, STOP, REBOOT, DELETE)
MANY = tuple(a + "s" for a in ONE)
POWER_MANY = tuple(a + "s" for a in (START, STOP, REBOOT))


def act(ecs, action, iid, **more):
    """The action on one instance, whether it takes one or a list."""
    return ecs(action, InstanceId=[iid] if action in MANY else iid, **more)


def wrong_state(w, action):
    """An instance that the action cannot be for."""
    stopped = action.rstrip("s") in (STOP, REBOOT)
    return w.made("stopped" if stopped else "running")


# ---- known, and whose ----

@cause("alibaba", ONE + MANY + ("DescribeInstanceAttribute",), 404, "InvalidInstanceId.NotFound", NO_INSTANCE)
def an_unknown_instance(w, action):
    return act(w.ecs, action, GHOST)


@cause("alibaba", MANY + ("DescribeInstanceStatus",), 403, "InvalidParameter.TooManyInstanceIds",
       "Instance ids cannot be more than 100.")
def a_hundred_and_one(w, action):
    return w.ecs(action, InstanceId=["i-%d" % i for i in range(101)], _kw={"method": "POST"})


@cause("alibaba", POWER_MANY + ("DescribeInstanceStatus",), 403, "Abs.InvalidInstanceIds.MalFormed",
       "The specified instanceIds is not valid.")
@cause("alibaba", "DeleteInstances", 403, "InvalidInstanceIds.ValueNotSupported",
       "The specified instanceIds is not valid.")
def an_id_of_two_words(w, action):
    return w.ecs(action, InstanceId=["two words"])


@cause("alibaba", "DeleteInstances", 400, "InvalidParameter.CrossRegionNotSupport",
       "Instances of multiple regions not support.")
def an_instance_of_another_region(w, action):
    return act(w.ecs, action, w.elsewhere()[1])


# ---- dry runs ----

@cause("alibaba", ONE, 400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")
@cause("alibaba", MANY, 400, "DRYRUN.SUCCESS", "This request is a dryrun request with successful result.")
def a_dry_run(w, action):
    running = action.rstrip("s") in (STOP, REBOOT)
    return act(w.ecs, action, w.made("running" if running else "stopped"), DryRun=True)


# ---- states ----

@cause("alibaba", ONE + ("DeleteInstances",), 403, "IncorrectInstanceStatus", STATUS)
@cause("alibaba", POWER_MANY, 403, "IncorrectInstanceStatus")
def a_wrong_state(w, action):
    return act(w.ecs, action, wrong_state(w, action))


@cause("alibaba", START, 403, "IncorrectInstanceStatus")
def it_is_starting(w, action):
    return act(Calls(w.held.ecs), action, w.starting())


@cause("alibaba", START, 403, "InstanceNotReady", "The specified instance is not ready for use")
@cause("alibaba", ("StartInstances", "RebootInstances"), 403, "InstanceNotReady",
       "The specified instance is not ready for use.")
@cause("alibaba", (DELETE, "DeleteInstances"), 403, "IncorrectInstanceStatus.Initializing",
       "The specified instance status does not support this operation.")
def it_is_being_created(w, action):
    return act(Calls(w.held.ecs), action, w.pending())


# ---- locks and payment ----

@cause("alibaba", (START, STOP, REBOOT), 403, "InstanceLockedForSecurity", LOCKED)
@cause("alibaba", POWER_MANY, 403, "InstanceLockedForSecurity")
def a_lock(w, action):
    return act(w.ecs, action, w.made("locked"))


@cause("alibaba", START, 403, "InstanceExpired",
       "The postPaid instance has been expired. Please ensure your account have enough balance.")
@cause("alibaba", (STOP, REBOOT), 403, "InstanceExpiredOrInArrears", ARREARS)
@cause("alibaba", "StartInstances", 403, "InstanceExpired")
@cause("alibaba", ("StopInstances", "RebootInstances"), 403, "InstanceExpiredOrInArrears")
def a_payment_that_is_overdue(w, action):
    return act(w.ecs, action, w.made("overdue"))


@cause("alibaba", START, 403, "InstanceExpired", "The prePaid instance has been expired.")
@cause("alibaba", (STOP, REBOOT), 403, "InstanceExpiredOrInArrears", ARREARS)
@cause("alibaba", "StartInstances", 403, "InstanceExpired")
@cause("alibaba", ("StopInstances", "RebootInstances"), 403, "InstanceExpiredOrInArrears")
def a_subscription_that_ended(w, action):
    return act(w.ecs, action, w.made("expired"))


@cause("alibaba", (DELETE, "DeleteInstances"), 403, "ChargeTypeViolation",
       "The operation is not permitted due to charge type of the instance.")
def a_subscription_that_goes_on(w, action):
    return act(w.ecs, action, w.subscribed())


@cause("alibaba", (DELETE, "DeleteInstances"), 403, "InvalidOperation.DeletionProtection",
       "The operation is not allowed due to deletion protection.")
def a_protected_instance(w, action):
    return act(w.ecs, action, w.protected())


# ---- disks and their keys ----

@cause("alibaba", START, 403, "DiskError", "IncorrectDiskStatus.")
def a_broken_disk(w, action):
    return act(w.ecs, action, w.made("broken-system-disk"))


@cause("alibaba", START, 403, "DiskError", "IncorrectDiskStatus.")
def a_broken_local_disk(w, action):
    return act(w.ecs, action, w.made("broken-disk"))


@cause("alibaba", REBOOT, 403, "DiskError", "IncorrectDiskStatus.")
def a_disk_that_broke_meanwhile(w, action):
    return act(w.ecs, action, w.running_with_a_broken_disk())


def up(action):
    """The state from which the action brings a machine up."""
    return "stopped" if action.startswith("Start") else "running"


@cause("alibaba", (START, REBOOT), 403, "InvalidParameter.KMSKeyId.KMSUnauthorized",
       "ECS service have no right to access your KMS.")
@cause("alibaba", ("StartInstances", "RebootInstances"), 400, "InvalidParameter.KMSKeyId.KMSUnauthorized",
       "ECS service account have no right to access your KMS.")
def a_key_whose_use_was_revoked(w, action):
    iid = w.encrypted(up(action))
    with w.keys("RevokeKms", "GrantKms"):
        return act(w.ecs, action, iid)


@cause("alibaba", (START, REBOOT), 403, "InvalidParameter.KMSKeyId.CMKNotEnabled", "The CMK needs to be enabled.")
@cause("alibaba", ("StartInstances", "RebootInstances"), 400, "InvalidParameter.KMSKeyId.CMKNotEnabled",
       "The CMK needs to be enabled.")
def a_key_that_is_disabled(w, action):
    iid = w.encrypted(up(action))
    with w.keys("DisableKms", "EnableKms"):
        return act(w.ecs, action, iid)


@cause("alibaba", START, 403, "InvalidParameter.KMSKeyId.NotFound", "The specified KMSKeyId does not exist.")
@cause("alibaba", REBOOT, 404, "InvalidParameter.KMSKeyId.NotFound", "The specified KMSKeyId does not exist.")
def a_key_that_is_gone(w, action):
    iid = w.encrypted(up(action))
    with w.keys("RemoveKms", "RestoreKms"):
        return act(w.ecs, action, iid)


@cause("alibaba", START, 400, "InvalidInstance.NotFoundSystemDisk",
       "The specified instance does not have system disk.")
@cause("alibaba", ("StartInstances", "RebootInstances"), 403, "InvalidInstance.NotFoundSystemDisk")
def a_lost_system_disk(w, action):
    ecs, iid = w.without_system_disk(up(action))
    return act(ecs, action, iid)


# ---- room ----

@cause("alibaba", (START, "StartInstances"), 403, "OperationDenied.NoStock", NO_STOCK)
def no_room_on_the_host(w, action):
    iid = w.waits_for_room()
    return act(Calls(w.full.ecs), action, iid)


# ---- others ----

@cause("alibaba", STOP, 403, "HibernationConfigured.NotEnabled")
def hibernation(w, action):
    return act(w.ecs, action, w.made("running"), Hibernate=True)


@cause("alibaba", "DeleteInstances", 400, "InvalidClientToken.ValueNotSupported",
       "The ClientToken provided is invalid.")
def a_token_that_is_too_long(w, action):
    return act(w.ecs, action, GHOST, ClientToken="x" * 65)


@cause("alibaba", "DeleteInstances", 400, "IdempotentParameterMismatch",
       "Request uses a client token in a previous request but is not identical to that request.")
def a_token_that_was_used(w, action):
    token = new_token()
    assert act(w.ecs, action, w.main.ecs.create_stopped(), ClientToken=token).status == 200
    return act(w.ecs, action, GHOST, ClientToken=token)


# ---- zenlayer ----

POWER = ("StartInstances", "StopInstances", "RebootInstances")
BUSY, UNSUPPORTED = "OPERATION_DENIED_INSTANCE_IN_OPERATION", "UNSUPPORTED_OPERATION_INSTANCE_STATUS"
BUSY_TEXT = "Instance is performing another operation."
STATE_TEXT = "Operations on instances in current state are not supported."


def zact(zec, action, iid):
    return zec(action, {"instanceIds": [iid]})


@cause("zenlayer", POWER + ("ReleaseInstances",), 404, "INVALID_INSTANCE_NOT_FOUND")
def an_unknown_id(w, action):
    return zact(w.zec, action, "1234567890123456789")


@cause("zenlayer", POWER + ("ReleaseInstances",), 400, BUSY, BUSY_TEXT)
def another_operation(w, action):
    return zact(Calls(ostler.Zec(w.held)), action, w.starting())


@cause("zenlayer", POWER, 400, UNSUPPORTED, STATE_TEXT)
def a_locked_one(w, action):
    return zact(w.zec, action, w.made("locked"))


@cause("zenlayer", "ReleaseInstances", 400, UNSUPPORTED, STATE_TEXT)
def a_protected_one(w, action):
    return zact(w.zec, action, w.protected())


@cause("zenlayer", POWER, 403, "OPERATION_DENIED_INSTANCE_RECYCLED")
def one_in_the_recycle_bin(w, action):
    return zact(w.zec, action, w.made("recycled"))
