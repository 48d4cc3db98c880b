"""The rows of the two pages that this program began with, word for word.

Literal here, so that no regenerated reply file can hide a difference. The pages: StartInstance (ECS, eight rows) and
StartInstances (ZEC, two rows).
"""
import os
import sqlite3

import pytest

import ostler
import setups

STATUS = (403, "IncorrectInstanceStatus",
          "The current status of the resource does not support this operation.")
DISK = (403, "DiskError", "IncorrectDiskStatus.")
POSTPAID = (403, "InstanceExpired",
            "The postPaid instance has been expired. Please ensure your account have enough balance.")
PREPAID = (403, "InstanceExpired", "The prePaid instance has been expired.")
NOT_READY = (403, "InstanceNotReady", "The specified instance is not ready for use")
KMS = (403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS.")
INTERNAL = (500, "InternalError",
            "The request processing has failed due to some unknown error, exception or failure.")

ZEC_BUSY = (400, "OPERATION_DENIED_INSTANCE_IN_OPERATION", "Instance is performing another operation.")
ZEC_STATUS = (400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS",
              "Operations on instances in current state are not supported.")


def zec_refused(s, iid):
    """Status, code, and as much of the message as the page gives; a sentence on the situation may follow."""
    status, code, message = s.zec.refused("StartInstances", {"instanceIds": [iid]})
    known = {row[1]: row[2] for row in (ZEC_BUSY, ZEC_STATUS)}[code]
    assert message.startswith(known), message
    return status, code, known


def start(s, iid):
    return s.ecs.refused("StartInstance", InstanceId=iid)


@pytest.mark.parametrize("how,row", [("running", STATUS), ("broken-disk", DISK), ("broken-system-disk", DISK),
                                     ("overdue", POSTPAID), ("expired", PREPAID), ("kms-revoked", KMS)])
def test_start_instance_refusal(shared, how, row):
    made = setups.made_by(shared, how)
    try:
        before = shared.ecs.state(made["id"])
        assert start(shared, made["id"]) == row
        assert shared.ecs.state(made["id"]) == before
    finally:
        setups.undo(made)


@pytest.fixture
def held(new_server):
    """A server on which every operation takes ten minutes, and one instance that it made quickly before."""
    s = new_server()
    iid = s.ecs.create_stopped()
    s.restart(sim=ostler.HELD)
    return s, iid


def test_start_instance_while_it_is_being_created(held):
    s, _ = held
    assert start(s, s.ecs.create()) == NOT_READY


def test_start_instance_with_a_sentence_about_the_situation(held):
    """The second IncorrectInstanceStatus row, whose text is "%s"."""
    s, iid = held
    assert s.ecs.ok("StartInstance", InstanceId=iid).keys() == {"RequestId"}
    assert s.ecs.state(iid) == "Starting"
    status, code, message = start(s, iid)
    assert (status, code) == (403, "IncorrectInstanceStatus")
    assert message and "%" not in message and message != STATUS[2]


def test_start_instance_internal_error(new_server):
    """A damaged key record is a failure of ours, and is said as one."""
    s = new_server(check_log=False)
    iid = s.ecs.create_stopped(**{"DataDisk": [{"Size": 20, "Encrypted": True}]})
    s.stop()
    with sqlite3.connect(os.path.join(s.data, "ostler.db")) as db:
        table, = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'") if t.startswith("disk")]
        n = db.execute("UPDATE %s SET data_key = x'00112233' WHERE inst = ? AND length(data_key) > 0" % table,
                       (iid,)).rowcount
        assert n >= 1
    db.close()
    s.start()
    assert start(s, iid) == INTERNAL
    assert s.ecs.state(iid) == "Stopped"


def test_start_instance_unhealthy_local_disk_and_the_cure(shared):
    made = setups.made_by(shared, "broken-disk")
    assert start(shared, made["id"]) == DISK
    assert shared.ecs.ok("StartInstance", InstanceId=made["id"], InitLocalDisk=True).keys() == {"RequestId"}
    shared.wait_state(made["id"], "Running")


def test_start_instance_locked(shared):
    """Not a row of the page but its third sentence; the row is in today's list."""
    made = setups.made_by(shared, "locked")
    assert start(shared, made["id"]) == (
        403, "InstanceLockedForSecurity",
        "The specified operation is denied as your instance is locked for security reasons.")
    locks = shared.ecs.describe(made["id"])["OperationLocks"]["LockReason"]
    assert [x["LockReason"] for x in locks] == ["security"]
    shared.cli("instance", "unlock", made["id"])
    assert shared.ecs.ok("StartInstance", InstanceId=made["id"])
    shared.wait_state(made["id"], "Running")


def test_start_instance_is_starting_then_running(held):
    s, iid = held
    s.ecs.ok("StartInstance", InstanceId=iid)
    assert s.ecs.state(iid) == "Starting"
    assert s.zec.state(iid) == "STARTING"
    s.restart(sim={})
    s.wait_state(iid, "Running")


def test_start_instances_while_busy(held):
    s, iid = held
    got = s.zec.ok("StartInstances", {"instanceIds": [iid]})
    assert got == {"requestId": got["requestId"], "instanceIds": []}
    assert s.zec.state(iid) == "STARTING"
    assert zec_refused(s, iid) == ZEC_BUSY


def test_start_instances_in_a_wrong_state(shared):
    made = setups.made_by(shared, "locked")
    assert zec_refused(shared, made["id"]) == ZEC_STATUS


def test_start_instances_in_the_recycle_bin(shared):
    made = setups.made_by(shared, "recycled")
    assert shared.zec.refused("StartInstances", {"instanceIds": [made["id"]]})[:2] == (
        403, "OPERATION_DENIED_INSTANCE_RECYCLED")


def test_start_instances_takes_a_hundred_ids_and_no_more(shared):
    made = setups.made_by(shared, "hundred")
    import json
    ids = json.loads(made["ids"])
    status, code, _ = shared.zec.refused("StartInstances", {"instanceIds": ids + ["1234567890123456789"]})
    assert (status, code) == (400, "INVALID_PARAMETER_EXCEED_LENGTH")
    assert shared.zec.ok("StartInstances", {"instanceIds": ids})["instanceIds"] == []
    shared.ecs.wait_all(ids, "Running")
