"""What a real client sees of bills and subscriptions, while the clock is moved and its own is not."""
import os

import ostler
import pytest
from test_clients import HERE, python, tell  # noqa: F401

pytestmark = [pytest.mark.registry]
PROGRAM = os.path.join(HERE, "python", "bill_ecs.py")


@pytest.fixture
def cloud(new_server, engine):
    if engine == "qemu":
        why = ostler.missing_guest()
        if why:
            pytest.skip(why)
    return new_server(args=["--controls", "--stop-grace", "3s"], engine=engine)  # a guest that boots is deaf


def said(step):
    return step["type"], step["status"], step["code"], step["message"].split("\n")[0]


def test_a_subscription_that_ended(cloud, python):  # noqa: F811
    """Shown-item 3: 31 days, a start that is refused in the documented words, a renewal, a start."""
    iid = cloud.ecs.create_running(InstanceChargeType="PrePaid", Period=1)
    cloud.cli("clock", "advance", "31d")
    assert cloud.ecs.state(iid) == "Stopped"  # a real machine's stop is waited for
    steps = tell(cloud, [python, PROGRAM], iid)
    kind, status, code, message = said(steps["refused"])
    assert (kind, status, code) == ("ClientException", 403, "InstanceExpired")
    assert "The prePaid instance has been expired." in message
    assert not steps["renewed"]["refused"] and not steps["started"]["refused"]
    cloud.wait_state(iid, "Running")


def test_a_bill_that_is_overdue(cloud, python):  # noqa: F811
    iid = cloud.ecs.create_stopped()
    cloud.cli("instance", "overdue", iid)
    steps = tell(cloud, [python, PROGRAM], iid)
    kind, status, code, message = said(steps["refused"])
    assert (kind, status, code) == ("ClientException", 403, "InstanceExpired")
    assert "The postPaid instance has been expired. Please ensure your account have enough balance." in message
    assert said(steps["renewed"])[1:3] == (403, "ChargeTypeViolation")
    assert steps["started"]["refused"]
