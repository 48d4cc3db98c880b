"""Alibaba's own command line, unmodified: `aliyun` of the path, or what OSTLER_ALIYUN names.

No registry has it in a form that can be built from there (its Go module lacks the description of the APIs, which is
another repository), so it is not installed here: where it is missing these tests say so and skip.
"""
import json
import os
import shutil
import subprocess

import pytest

import ostler

ALIYUN = os.environ.get("OSTLER_ALIYUN") or shutil.which("aliyun")


@pytest.fixture(scope="module")
def aliyun(program, tmp_path_factory):
    """Runs it against a server: aliyun(server, "StartInstance", "--InstanceId", id)."""
    if not ALIYUN or not os.access(ALIYUN, os.X_OK):
        pytest.skip("the aliyun command line is not installed (OSTLER_ALIYUN names it)")
    home = tmp_path_factory.mktemp("home")  # its configuration is not the user's

    def run(s, action, *words, https=False, env=None):
        key, secret = s.account
        settings = {"HOME": str(home), "PATH": os.environ["PATH"], "ALIBABA_CLOUD_ACCESS_KEY_ID": key,
                    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret, "ALIBABA_CLOUD_REGION_ID": s.ecs.region}
        if https:
            settings["SSL_CERT_FILE"] = s.ca
        return subprocess.run([ALIYUN, "ecs", action, *words, "--endpoint", s.address] + ([] if https else ["--insecure"]),
                              env=dict(settings, **(env or {})), capture_output=True, text=True,
                              timeout=ostler.patience(60), stdin=subprocess.DEVNULL)
    return run


@pytest.fixture
def cloud(new_server, engine):
    return new_server(engine="sim", args=["--controls"])


def given(s):
    """How often each fault has struck, by its id."""
    return {f["faultId"]: f["given"] for f in json.loads(s.cli("fault", "ls", "--json").stdout)}


@pytest.mark.parametrize("https", [False, True])
def test_starts_and_is_refused(aliyun, cloud, https):
    iid = cloud.ecs.create_stopped(InstanceName="mine")
    found = aliyun(cloud, "DescribeInstances", "--InstanceIds", json.dumps([iid]), https=https)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["Instances"]["Instance"][0]["InstanceName"] == "mine"
    started = aliyun(cloud, "StartInstance", "--InstanceId", iid, https=https)
    assert started.returncode == 0 and set(json.loads(started.stdout)) == {"RequestId"}, started
    cloud.wait_state(iid, "Running")
    again = aliyun(cloud, "StartInstance", "--InstanceId", iid, https=https)
    assert again.returncode == 1 and "ErrorCode: IncorrectInstanceStatus" in again.stderr, again


def test_waits_as_long_as_it_is_told(aliyun, cloud):
    """x-acs-retry-after: it tries again three times, so three refusals are survived and four are not."""
    iid = cloud.ecs.create_stopped()
    cloud.cli("fault", "add", "StartInstance", "DiskError", "--times", "3", "--retry-after", "100ms")
    r = aliyun(cloud, "StartInstance", "--InstanceId", iid)
    assert r.returncode == 0, r.stderr
    cloud.wait_state(iid, "Running")
    cloud.cli("fault", "add", "StopInstance", "IncorrectInstanceStatus", "--times", "4", "--retry-after", "100ms")
    r = aliyun(cloud, "StopInstance", "--InstanceId", iid)
    assert r.returncode == 1 and "IncorrectInstanceStatus" in r.stderr
    assert sorted(given(cloud).values()) == [3, 4]
    assert cloud.ecs.state(iid) == "Running"


def test_an_answer_that_is_lost(aliyun, cloud):
    """With --retry-count and a ClientToken a lost answer makes no second instance."""
    cloud.cli("fault", "add", "RunInstances", "-", "--then", "drop", "--times", "1")
    shape = cloud.ecs.shape()
    words = [w for name, value in shape.items() for w in ("--" + name, str(value))]
    r = aliyun(cloud, "RunInstances", *words, "--Amount", "1", "--ClientToken", "token-1", "--retry-count", "2")
    assert r.returncode == 0, r.stderr
    made = json.loads(r.stdout)["InstanceIdSets"]["InstanceIdSet"]
    everything = cloud.ecs.ok("DescribeInstances")["Instances"]["Instance"]
    assert [i["InstanceId"] for i in everything] == made
    assert list(given(cloud).values()) == [1]


def test_without_a_count_it_asks_once(aliyun, cloud):
    cloud.cli("fault", "add", "DescribeRegions", "-", "--then", "503", "--times", "1")
    assert aliyun(cloud, "DescribeRegions").returncode != 0
    cloud.cli("fault", "add", "DescribeRegions", "-", "--then", "503", "--times", "1")
    r = aliyun(cloud, "DescribeRegions", "--retry-count", "2")
    assert r.returncode == 0, r.stderr
    assert sorted(given(cloud).values()) == [1, 1]
