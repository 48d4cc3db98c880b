"""The clouds' own command lines, unmodified: `aliyun` and `zeno` of the path, or what OSTLER_ALIYUN and OSTLER_ZENO name.

No registry has them in a form that can be built from there (the Go module of the first lacks the description of the
APIs, which is another repository), so they are not installed here: where one is missing its tests say so and skip.
"""
import json
import os
import shutil
import subprocess

import pytest

import ostler



def program_of(name, variable):
    path = os.environ.get(variable) or shutil.which(name)
    if not path or not os.access(path, os.X_OK):
        pytest.skip("the %s command line is not installed (%s names it)" % (name, variable))
    return path


@pytest.fixture(scope="module")
def aliyun(program, tmp_path_factory):
    """Runs it against a server: aliyun(server, "StartInstance", "--InstanceId", id)."""
    path = program_of("aliyun", "OSTLER_ALIYUN")
    home = tmp_path_factory.mktemp("home")  # its configuration is not the user's

    def run(s, action, *words, https=False, env=None):
        key, secret = s.account
        settings = {"HOME": str(home), "PATH": os.environ["PATH"], "ALIBABA_CLOUD_ACCESS_KEY_ID": key,
                    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": secret, "ALIBABA_CLOUD_REGION_ID": s.ecs.region}
        if https:
            settings["SSL_CERT_FILE"] = s.ca
        return subprocess.run([path, "ecs", action, *words, "--endpoint", s.address] + ([] if https else ["--insecure"]),
                              env=dict(settings, **(env or {})), capture_output=True, text=True,
                              timeout=ostler.patience(60), stdin=subprocess.DEVNULL)
    return run


@pytest.fixture(scope="module")
def zeno(program, tmp_path_factory):
    """zeno(server, "start-instances", "--instance-ids", id); it speaks HTTPS only."""
    path = program_of("zeno", "OSTLER_ZENO")
    home = tmp_path_factory.mktemp("home")

    def run(s, *words):
        key, secret = s.account
        return subprocess.run([path, "zec", *words], capture_output=True, text=True, timeout=ostler.patience(60),
                              stdin=subprocess.DEVNULL,
                              env={"HOME": str(home), "PATH": os.environ["PATH"], "ZENLAYER_ACCESS_KEY_ID": key,
                                   "ZENLAYER_ACCESS_KEY_SECRET": secret, "ZENLAYER_ENDPOINT": s.address,
                                   "SSL_CERT_FILE": s.ca})
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
    cloud.cli("fault", "add", "StartInstance", "Throttling", "--times", "3", "--retry-after", "100ms")
    r = aliyun(cloud, "StartInstance", "--InstanceId", iid)
    assert r.returncode == 0, r.stderr
    cloud.wait_state(iid, "Running")
    cloud.cli("fault", "add", "StopInstance", "Throttling", "--times", "4", "--retry-after", "100ms")
    r = aliyun(cloud, "StopInstance", "--InstanceId", iid)
    assert r.returncode == 1 and "ErrorCode: Throttling" in r.stderr
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


# ---- Zenlayer's ----

def test_zeno_starts_and_is_refused(zeno, cloud):
    iid = cloud.zec.create_running()
    assert zeno(cloud, "stop-instances", "--instance-ids", iid).returncode == 0
    cloud.zec.wait_state(iid, "STOPPED")
    cloud.restart(sim={"start": "600s"})
    started = zeno(cloud, "start-instances", "--instance-ids", iid)
    assert started.returncode == 0 and json.loads(started.stdout)["instanceIds"] == [], started
    shown = zeno(cloud, "describe-instances-status", "--instance-ids", iid)
    assert json.loads(shown.stdout)["dataSet"] == [{"instanceId": iid, "instanceStatus": "BOOTING"}]
    unknown = zeno(cloud, "start-instances", "--instance-ids", "1234567890123456789")
    assert unknown.returncode == 1 and "Code=INVALID_INSTANCE_NOT_FOUND" in unknown.stderr


def test_zeno_asks_again_when_there_were_too_many(zeno, cloud):
    """After a second, then two, then four; once is enough here."""
    iid = cloud.zec.create_running()
    cloud.cli("fault", "add", "StopInstances", "REQUEST_LIMIT_EXCEEDED", "--dialect", "zenlayer", "--times", "1")
    r = zeno(cloud, "stop-instances", "--instance-ids", iid)
    assert r.returncode == 0, r.stderr
    cloud.zec.wait_state(iid, "STOPPED")
    assert list(given(cloud).values()) == [1]
