"""The rows that `ostler api dump` calls documented: the pages that the program began with, and what all rows keep to."""
import pytest

import codes
import ostler

DUMP = {(a["dialect"], a["name"]): a["documented"] for a in (codes.dump() if not ostler.missing_binary() else [])}
START_INSTANCE = [
    (403, "IncorrectInstanceStatus", "The current status of the resource does not support this operation."),
    (403, "DiskError", "IncorrectDiskStatus."),
    (403, "InstanceExpired",
     "The postPaid instance has been expired. Please ensure your account have enough balance."),
    (403, "InstanceExpired", "The prePaid instance has been expired."),
    (403, "InstanceNotReady", "The specified instance is not ready for use"),
    (403, "IncorrectInstanceStatus", "%s"),
    (403, "InvalidParameter.KMSKeyId.KMSUnauthorized", "ECS service have no right to access your KMS."),
    (500, "InternalError", "The request processing has failed due to some unknown error, exception or failure."),
]
START_INSTANCES = [
    (400, "OPERATION_DENIED_INSTANCE_IN_OPERATION", "Instance is performing another operation."),
    (400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS", "Operations on instances in current state are not supported."),
]


def key(row):
    return row["status"], row["code"], row["message"]


@pytest.mark.parametrize("action,rows", [(("alibaba", "StartInstance"), START_INSTANCE),
                                         (("zenlayer", "StartInstances"), START_INSTANCES)])
def test_the_rows_of_the_first_pages_come_first_and_have_causes(program, action, rows):
    first = DUMP[action][:len(rows)]
    assert [key(r) for r in first] == rows
    assert all(r["natural"] for r in first)


def test_what_every_row_keeps_to(program):
    for action, rows in DUMP.items():
        assert len({key(r) for r in rows}) == len(rows), action
        for r in rows:
            # 200 is success to every client of ZEC, 451 a blocking proxy to some
            assert 400 <= r["status"] <= 599 and r["status"] != 451, (action, r)
            assert r["message"].replace("%s", "").count("%") == 0 and r["message"].strip() == r["message"], (action, r)
