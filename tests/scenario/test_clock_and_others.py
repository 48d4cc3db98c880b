"""A clock that was moved, and what else tests ask for: snapshots, resets, failures of the engine."""
import concurrent.futures
import threading
import time

import ostler
import pytest

BEGIN = "2026-03-01T00:00:00Z"
WEEKLY = {"InstanceChargeType": "PrePaid", "Period": 1, "PeriodUnit": "Week", "AutoRenew": "true"}


@pytest.fixture
def cloud(new_server):
    return new_server(args=["--controls", "--clock", BEGIN], engine="sim")


def show(s, *args):
    return s.cli("clock", "show", *args).stdout.splitlines()[0]


def test_a_snapshot_brings_its_time_back(cloud):
    """The only way back; also for a clock that is on its way, which is then not any more."""
    iid = cloud.ecs.run(**WEEKLY)[0]
    cloud.cli("clock", "advance", "1m")
    cloud.cli("snapshot", "save", "early")
    cloud.cli("clock", "advance", "8d")
    assert cloud.ecs.describe(iid)["ExpiredTime"] == "2026-03-15T00:00Z"
    cloud.cli("snapshot", "load", "early")
    assert show(cloud) == "2026-03-01T00:01:00Z standing still"
    assert cloud.ecs.describe(iid)["ExpiredTime"] == "2026-03-08T00:00Z"
    cloud.operator("AdvanceClock", duration="365000d", wait=False)
    ostler.wait_for("the clock to go", lambda: show(cloud) > "2026-06")
    cloud.cli("snapshot", "load", "early")
    assert show(cloud) == "2026-03-01T00:01:00Z standing still"
    time.sleep(0.1)
    assert show(cloud) == "2026-03-01T00:01:00Z standing still"
    cloud.cli("clock", "advance", "8d")
    assert cloud.ecs.describe(iid)["ExpiredTime"] == "2026-03-15T00:00Z"


def test_a_reset_is_now(cloud):
    iid = cloud.ecs.run(**WEEKLY)[0]  # held by the clock
    words = cloud.cli("account", "create", "second").stdout.split()
    theirs = ostler.Ecs(cloud, words[5], words[9])
    other = theirs.run(**WEEKLY)[0]
    cloud.cli("clock", "advance", "3d", "--account", words[1])
    cloud.cli("reset", "--account", words[1])
    assert theirs.state(other) == "" and cloud.ecs.state(iid) == "Pending"
    assert show(cloud, "--account", words[1]) == BEGIN + " standing still"
    cloud.cli("reset")
    assert cloud.ecs.state(iid) == ""
    assert not show(cloud).endswith("standing still")


def test_who_sent_a_clock_is_told_that_it_was_overtaken(cloud):
    """An advance whose clock a load takes away has not arrived, and does not say so."""
    def by_verb(said):
        r = cloud.cli("clock", "advance", "365000d", check=False)
        said.append((r.returncode, r.stderr))

    def by_http(said):
        try:
            said.append((0, cloud.operator("AdvanceClock", duration="365000d")))
        except ostler.Failed as e:
            said.append((1, str(e)))

    cloud.ecs.run(**WEEKLY)
    cloud.cli("snapshot", "save", "early")
    for ask in (by_verb, by_http):
        said = []
        asking = threading.Thread(target=ask, args=(said,))
        asking.start()
        ostler.wait_for("the clock to go", lambda: "on its way" in show(cloud))
        cloud.cli("snapshot", "load", "early")
        asking.join(20)
        (code, text), = said
        assert code == 1 and "did not get to 3025-" in text, text


def test_accounts_are_reset_while_their_clocks_go(cloud):
    """Also while a step is being written: its thread must not look at what a reset changes."""
    def suite(n):
        account, key, secret = cloud.cli("account", "create", "suite%d" % n).stdout.split()[1:10:4]
        ecs = ostler.Ecs(cloud, key, secret)
        for _ in range(12):
            ids = [ecs.run(**WEEKLY)[0] for _ in range(2)]
            cloud.operator("AdvanceClock", account=account, duration="36500d", wait=False)
            cloud.operator("Reset", account=account)
            assert {ecs.state(i) for i in ids} == {""}
            assert show(cloud, "--account", account) == BEGIN + " standing still"

    assert cloud.ecs.ok("DescribeRegions")
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        list(pool.map(suite, range(6)))


def test_a_start_that_takes_longer_does_so_by_the_clock(cloud):
    iid = cloud.ecs.create()
    cloud.cli("clock", "advance", "31d")
    cloud.cli("engine-fault", "add", "start", "--delay", "2h")
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.cli("clock", "advance", "119m")
    assert cloud.ecs.state(iid) == "Starting"
    cloud.cli("clock", "advance", "2m")
    assert cloud.ecs.state(iid) == "Running"
