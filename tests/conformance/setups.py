"""States that a case can ask for by name. Each gets (server, made) and puts the ids it made into `made`.

What it changes for everybody it takes back through `made["undo"]`, a list of functions.
"""
import json
import re

import ostler

SETUPS = {}


def setup(f):
    SETUPS[f.__name__.replace("_", "-")] = f
    return f


@setup
def stopped(s, made):
    made["id"] = s.ecs.create_stopped(InstanceName="machine-a")


@setup
def running(s, made):
    made["id"] = s.ecs.create_running(InstanceName="machine-a")


@setup
def second_stopped(s, made):
    made["id2"] = s.ecs.create_stopped(InstanceName="machine-b")


@setup
def second_running(s, made):
    made["id2"] = s.ecs.create_running(InstanceName="machine-b")


@setup
def zec_stopped(s, made):
    """Made by the other dialect, with that one's form of id."""
    made["id"] = s.zec.create_running(instanceName="machine-a")
    s.zec.ok("StopInstances", {"instanceIds": [made["id"]]})
    s.zec.wait_state(made["id"], "STOPPED")


@setup
def zec_running(s, made):
    made["id"] = s.zec.create_running(instanceName="machine-a")


@setup
def released(s, made):
    made["id"] = s.ecs.create_stopped()
    s.ecs.ok("DeleteInstance", InstanceId=made["id"])
    s.wait_state(made["id"], "")


@setup
def locked(s, made):
    stopped(s, made)
    s.cli("instance", "lock", made["id"])


@setup
def running_locked(s, made):
    running(s, made)
    s.cli("instance", "lock", made["id"])


@setup
def overdue(s, made):
    stopped(s, made)
    s.cli("instance", "overdue", made["id"])


@setup
def expired(s, made):
    made["id"] = s.ecs.run(InstanceName="machine-a", InstanceChargeType="PrePaid", Period=1)[0]
    s.wait_state(made["id"], "Running")
    s.ecs.ok("StopInstance", InstanceId=made["id"])
    s.wait_state(made["id"], "Stopped")
    s.cli("instance", "expire", made["id"])


@setup
def broken_disk(s, made):
    """A machine with local disks, one of which fails."""
    made["id"] = s.ecs.create_stopped(InstanceName="machine-a", InstanceType=s.ecs.local_disk_type())
    s.cli("disk", "fail", made["id"])


@setup
def broken_system_disk(s, made):
    stopped(s, made)
    s.cli("disk", "fail", made["id"])


@setup
def encrypted(s, made):
    made["id"] = s.ecs.create_stopped(InstanceName="machine-a",
                                      **{"DataDisk": [{"Size": 20, "Encrypted": True}]})


@setup
def kms_revoked(s, made):
    encrypted(s, made)
    s.cli("kms", "revoke")
    made.setdefault("undo", []).append(lambda: s.cli("kms", "grant"))


@setup
def hundred(s, made):
    ids = s.ecs.create_many_stopped(100)
    made["ids"] = json.dumps(ids)
    made["list"] = "\n".join("InstanceId.%d=%s" % (i, x) for i, x in enumerate(ids, 1))


@setup
def hundred_and_one_unknown(s, made):
    ids = ["i-bp1%017d" % i for i in range(101)]
    made["ids"] = json.dumps(ids)
    made["list"] = "\n".join("InstanceId.%d=%s" % (i, x) for i, x in enumerate(ids, 1))


@setup
def somebody_elses(s, made):
    """An instance of another account."""
    key, secret = another_account(s)
    other = ostler.Ecs(s, key, secret)
    made["id"] = other.create()
    ostler.wait_for("the other account's instance", lambda: other.state(made["id"]) == "Stopped")


def another_account(s):
    """(key, secret) of a new account."""
    n = s.__dict__["_accounts"] = s.__dict__.get("_accounts", 0) + 1
    out = s.cli("account", "create", "other%d" % n).stdout
    pair = tuple(re.search(r"access key %s\s+(\S+)" % what, out).group(1) for what in ("id", "secret"))
    s.secrets.append(("another access key's secret", pair[1]))
    return pair


@setup
def recycled(s, made):
    """In the recycle bin of an account that has one."""
    s.cli("account", "set", "--recycle-bin", "on")
    try:
        stopped(s, made)
        s.zec.ok("ReleaseInstances", {"instanceIds": [made["id"]]})
        s.zec.wait_state(made["id"], "RECYCLE")
    finally:
        s.cli("account", "set", "--recycle-bin", "off")


@setup
def an_image(s, made):
    made["image"] = s.ecs.image()


@setup
def zec_shape(s, made):
    made["shape"] = json.dumps(s.zec.shape())


def made_by(server, names):
    made = {}
    try:
        for name in names.split():
            SETUPS[name](server, made)
    except BaseException:
        undo(made)
        raise
    return made


def undo(made):
    for f in made.pop("undo", []):
        f()
