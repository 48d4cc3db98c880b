"""What the clouds' own clients do by themselves when they are told to wait, or when an answer is cut on its way."""
import os

import pytest

import ostler
from test_clients import HERE, node, python, tell  # noqa: F401  (node and python are fixtures)

pytestmark = [pytest.mark.registry]


@pytest.fixture(scope="module")
def cloud(program, engine):
    if engine == "qemu" and ostler.missing_guest():
        pytest.skip(ostler.missing_guest())
    with ostler.Server(engine=engine, args=["--controls"]) as s:
        yield s


@pytest.fixture(autouse=True)
def no_faults_left(cloud):
    yield
    cloud.operator("RemoveFaults")


def play(cloud, command, scene, **more):
    env = dict({"SCENE": scene}, **more)
    protocol = env.pop("PROTOCOL", "http")
    node_path = env.pop("NODE_PATH", None)
    full = {"OSTLER_CLIENT_" + k: v for k, v in env.items()}
    if node_path:
        full["NODE_PATH"] = node_path
    return tell(cloud, command, "none", protocol=protocol, env=full)


def counts(cloud):
    return [(f["code"], f["seen"], f["given"]) for f in cloud.operator("ListFaults")["faults"]]


def check_throttled(cloud, steps, kind):
    """Without retries the code is raised. With them three refusals, each waited for as long as the header says, then
    success."""
    assert counts(cloud) == [("Throttling", 1, 1), ("Throttling", 3, 3)]
    assert steps["retried"]["regions"] > 0 and steps["retried"]["seconds"] >= 3 * 0.3
    raised = steps["raised"]
    assert (raised["type"], raised["code"], raised["status"], raised["after"]) == (kind, "Throttling", 400, 7000)
    assert "Request was denied due to request throttling." in raised["message"]


def ask_for_throttling(cloud):
    for times, after in ((1, 7000), (3, 300)):
        cloud.operator("AddFault", action="DescribeRegions", code="Throttling", times=times, retryAfterMs=after,
                       message="Request was denied due to request throttling.")


def test_python_ecs_waits_as_it_is_told(cloud, python):
    ask_for_throttling(cloud)
    steps = play(cloud, [python, os.path.join(HERE, "python", "retry_ecs.py")], "throttled")
    check_throttled(cloud, steps, "ThrottlingException")


def test_node_ecs_waits_as_it_is_told(cloud, node):
    ask_for_throttling(cloud)
    steps = play(cloud, ["node", os.path.join(HERE, "node", "retry.js")], "throttled", NODE_PATH=node)
    check_throttled(cloud, steps, "ThrottlingError")


def test_python_zec_tries_again(cloud, python):
    cloud.operator("AddFault", action="DescribeZones", code="REQUEST_LIMIT_EXCEEDED", times=1)
    cloud.operator("AddFault", action="DescribeZones", code="REQUEST_LIMIT_EXCEEDED", times=2)
    steps = play(cloud, [python, os.path.join(HERE, "python", "retry_zec.py")], "")
    assert counts(cloud) == [("REQUEST_LIMIT_EXCEEDED", 1, 1), ("REQUEST_LIMIT_EXCEEDED", 2, 2)]
    assert steps["retried"]["zones"] > 0 and steps["retried"]["seconds"] >= 3  # 1 s and 2 s
    assert steps["raised"]["code"] == "REQUEST_LIMIT_EXCEEDED"


def check_one_was_made(cloud, command, fate, **more):
    """Its answer was cut, the client sent it again by itself and was told what the first one had made."""
    before = cloud.ecs.ok("DescribeInstances")["TotalCount"]
    cloud.operator("AddFault", action="RunInstances", then=fate, times=1)
    token = "-".join([os.path.basename(command[-1]), fate, more.get("PROTOCOL", "http")])
    steps = play(cloud, command, "cut", IMAGE=cloud.ecs.image(), TYPE=cloud.ecs.small_type(), TOKEN=token, **more)
    assert counts(cloud) == [(None, 1, 1)]
    assert cloud.ecs.ok("DescribeInstances")["TotalCount"] == before + 1
    assert len(steps["made"]["ids"]) == 1
    assert cloud.ecs.describe(steps["made"]["ids"][0])


@pytest.mark.parametrize("fate,protocol", [("drop", "http"), ("truncate", "http"), ("garbage", "http"),
                                           ("drop", "https")])
def test_python_ecs_makes_one_instance(cloud, python, fate, protocol):
    check_one_was_made(cloud, [python, os.path.join(HERE, "python", "retry_ecs.py")], fate, PROTOCOL=protocol)


def test_node_ecs_makes_one_instance(cloud, node):
    check_one_was_made(cloud, ["node", os.path.join(HERE, "node", "retry.js")], "drop", NODE_PATH=node)
