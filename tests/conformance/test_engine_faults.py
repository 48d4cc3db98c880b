"""Failures of the engine on demand: what clients of both clouds see of a start that fails, hangs or takes its time.

On the sim engine. Each test has a server's controls to itself by the instance that its faults name.
"""
import json
import sqlite3
import time

import pytest

import ostler

CONTROLS = ["--controls"]


@pytest.fixture(scope="module")
def cloud(program):
    with ostler.Server(args=CONTROLS) as s:
        yield s


@pytest.fixture
def fault(cloud):
    """Adds faults; what a test leaves behind is removed."""
    yield lambda *words: cloud.cli("engine-fault", "add", *words).stdout.strip()
    for f in faults(cloud):
        cloud.cli("engine-fault", "rm", f["faultId"])


def faults(s):
    return json.loads(s.cli("engine-fault", "ls", "--json").stdout)


def show(s, iid):
    return json.loads(s.cli("show", "--json", iid).stdout)


def struck(s, iid):
    """How often faults struck the instance, by the event log."""
    lines = s.cli("events", "--subject", iid, "--json").stdout.splitlines()
    return [e["detail"] for e in map(json.loads, lines) if e["kind"] == "engine-fault"]


def start(s, iid, dialect):
    if dialect == "ecs":
        s.ecs.ok("StartInstance", InstanceId=iid)
    else:
        assert s.zec.ok("StartInstances", {"instanceIds": [iid]})["instanceIds"] == []


BOTH = pytest.mark.parametrize("dialect", ("ecs", "zec"))


# ---- fail ----

@BOTH
def test_a_start_that_fails(cloud, fault, dialect):
    iid = cloud.ecs.create_stopped()
    fault("start", "--fail", "--text", "the host caught fire", "--instance", iid, "--times", "1")
    start(cloud, iid, dialect)
    cloud.wait_state(iid, "Stopped")
    assert show(cloud, iid)["lastError"] == "the host caught fire"
    assert struck(cloud, iid) == ["%s: fail of start" % faults(cloud)[0]["faultId"]]
    start(cloud, iid, dialect)  # it was for one
    cloud.wait_state(iid, "Running")
    assert [(f["times"], f["given"]) for f in faults(cloud)] == [(1, 1)]


def test_a_failed_stop_leaves_it_running(cloud, fault):
    iid = cloud.ecs.create_running()
    fault("stop", "--fail", "--instance", iid)
    cloud.ecs.ok("StopInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")
    assert "as was asked for" in show(cloud, iid)["lastError"]
    cloud.ecs.ok("RebootInstance", InstanceId=iid)  # it really runs
    cloud.wait_state(iid, "Running")


@pytest.mark.parametrize("act", ("reboot", "release", "recycle"))
def test_any_other_failure_leaves_it_off(cloud, fault, act):
    """And the state is true: the machine is off, and can be started."""
    iid = cloud.ecs.create_running()
    fault("release" if act == "recycle" else act, "--fail", "--instance", iid, "--times", "1")
    if act == "reboot":
        cloud.ecs.ok("RebootInstance", InstanceId=iid)
    elif act == "release":
        cloud.ecs.ok("DeleteInstance", InstanceId=iid, Force=True)
    else:
        cloud.cli("instance", "recycle", iid)
    cloud.wait_state(iid, "Stopped")
    ostler.wait_for("the job to end", lambda: show(cloud, iid)["job"] is None)
    assert last_line(cloud, iid) == "stop " + iid, "the machine still runs"
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")


def last_line(s, iid):
    """What the sim engine did last with it."""
    with open(s.data + "/sim/log") as f:
        return [line for line in f.read().splitlines() if line.endswith(iid)][-1]


def test_a_creation_that_fails(cloud, fault):
    fault("create", "--fail", "--text", "no disks today", "--times", "1")
    iid = cloud.ecs.run()[0]
    cloud.wait_state(iid, "Stopped")
    assert show(cloud, iid)["lastError"] == "no disks today"
    assert cloud.ecs.refused("StartInstance", InstanceId=iid)[:2] == (403, "DiskError")


def test_a_broken_start_on_sim(cloud, fault):
    iid = cloud.ecs.create_stopped()
    fault("start", "--break", "--instance", iid)
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Stopped")
    assert "cannot run" in show(cloud, iid)["lastError"]


def test_the_start_of_a_new_instance_is_a_start(cloud, fault):
    fault("start", "--fail", "--times", "1")
    a, b = cloud.ecs.run(2)
    ostler.wait_for("both to be done", lambda: sorted(cloud.ecs.states([a, b]).values()) == ["Running", "Stopped"])
    assert len(struck(cloud, a)) + len(struck(cloud, b)) == 1


# ---- hang ----

@BOTH
def test_a_start_hangs_until_its_fault_is_removed(cloud, fault, dialect):
    iid = cloud.ecs.create_stopped()
    f = fault("start", "--hang", "--instance", iid)
    start(cloud, iid, dialect)
    assert (cloud.ecs.state(iid), cloud.zec.state(iid)) == ("Starting", "STARTING")
    assert show(cloud, iid)["job"]["engineFault"] == f
    # what the table of verbs allows: of all, only a forced reboot cuts a start short
    for action in ("StartInstance", "StopInstance", "RebootInstance", "DeleteInstance"):
        assert cloud.ecs.refused(action, InstanceId=iid)[:2] == (403, "IncorrectInstanceStatus")
    assert cloud.zec.refused("StopInstances", {"instanceIds": [iid]})[1] == "OPERATION_DENIED_INSTANCE_IN_OPERATION"
    assert cloud.ecs.state(iid) == "Starting"
    cloud.cli("engine-fault", "rm", f)
    cloud.wait_state(iid, "Running")
    assert len(struck(cloud, iid)) == 1


@pytest.mark.parametrize("hung", ("start", "reboot"))
def test_a_forced_reboot_cuts_a_hang_short(cloud, fault, hung):
    iid = cloud.ecs.create_stopped() if hung == "start" else cloud.ecs.create_running()
    fault(hung, "--hang", "--instance", iid, "--times", "1")
    if hung == "start":
        start(cloud, iid, "zec")
    else:
        cloud.ecs.ok("RebootInstance", InstanceId=iid)
    time.sleep(0.05)
    assert cloud.ecs.state(iid) in ("Starting", "Stopping")
    assert cloud.zec.ok("RebootInstances", {"instanceIds": [iid], "forceReboot": True})["instanceIds"] == []
    cloud.wait_state(iid, "Running")
    assert show(cloud, iid)["lastError"] == ""


def test_a_hang_outlives_the_daemon(program):
    """Struck once, by the event log and the count, however often the daemon is killed."""
    with ostler.Server(args=CONTROLS) as s:
        a, b = s.ecs.create_stopped(), s.ecs.create_stopped()
        f = s.cli("engine-fault", "add", "start", "--hang", "--times", "1").stdout.strip()
        s.ecs.ok("StartInstance", InstanceId=a)
        s.ecs.ok("StartInstance", InstanceId=b)
        s.wait_state(b, "Running")
        for kill in (True, True, False):
            s.restart(kill=kill)
            assert s.ecs.state(a) == "Starting"
        assert [(x["faultId"], x["given"]) for x in faults(s)] == [(f, 1)]
        assert (len(struck(s, a)), struck(s, b)) == (1, [])
        s.cli("engine-fault", "rm", f)
        s.wait_state(a, "Running")
        with open(s.data + "/sim/log") as log:
            assert log.read().count("start " + a) == 1


def test_a_server_without_controls_holds_nothing_back(program):
    """There nobody could remove the fault."""
    with ostler.Server(args=CONTROLS) as s:
        iid = s.ecs.create_stopped()
        s.cli("disk", "errors", iid)
        s.cli("engine-fault", "add", "start", "--hang")
        s.ecs.ok("StartInstance", InstanceId=iid)
        s.restart(args=[])
        s.wait_state(iid, "Running")
        s.cli("disk", "heal", iid)  # is answered, with nobody to tell the machine


# ---- delay ----

def running_after(s, iid, since):
    s.wait_state(iid, "Running")
    return time.monotonic() - since


def test_a_start_takes_longer(cloud, fault):
    iid = cloud.ecs.create_stopped()
    fault("start", "--delay", "700ms", "--instance", iid)
    since = time.monotonic()
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    assert cloud.ecs.state(iid) == "Starting"
    assert running_after(cloud, iid, since) >= 0.7


def test_an_error_that_comes_late(cloud, fault):
    iid = cloud.ecs.create_stopped()
    fault("start", "--fail", "--text", "too late", "--delay", "400ms", "--instance", iid)
    since = time.monotonic()
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Stopped")
    assert time.monotonic() - since >= 0.4
    assert show(cloud, iid)["lastError"] == "too late"


def test_a_delay_goes_on_over_a_restart(program):
    """It is counted from the request; what had passed when the daemon died has passed."""
    with ostler.Server(args=CONTROLS) as s:
        iid = s.ecs.create_stopped()
        s.cli("engine-fault", "add", "start", "--delay", "2s")
        since = time.monotonic()
        s.ecs.ok("StartInstance", InstanceId=iid)
        s.restart(kill=True)
        assert s.ecs.state(iid) == "Starting"
        assert running_after(s, iid, since) >= 2
        assert [x["given"] for x in faults(s)] == [1]


# ---- which ----

def test_the_oldest_that_fits_strikes(cloud, fault):
    a, b = cloud.ecs.create_stopped(), cloud.ecs.create_stopped()
    fault("*", "--fail", "--text", "first", "--times", "1", "--instance", a)
    fault("start", "--fail", "--text", "second", "--instance", a)
    fault("start", "--fail", "--text", "elsewhere", "--zone", "asia-east-1a")
    for want in ("first", "second", "second"):
        cloud.ecs.ok("StartInstance", InstanceId=a)
        cloud.wait_state(a, "Stopped")
        assert show(cloud, a)["lastError"] == want
    cloud.ecs.ok("StartInstance", InstanceId=b)
    cloud.wait_state(b, "Running")


def test_a_dry_run_uses_nothing_up(cloud, fault):
    iid = cloud.ecs.create_stopped()
    fault("start", "--fail", "--times", "1", "--instance", iid)
    assert cloud.ecs.refused("StartInstance", InstanceId=iid, DryRun=True)[1] == "DryRunOperation"
    assert cloud.ecs.refused("StartInstances", InstanceId=[iid], DryRun=True)[1] == "DRYRUN.SUCCESS"
    assert [f["given"] for f in faults(cloud)] == [0]


@pytest.mark.parametrize("words, why", (
    (("start",), "give one of"),
    (("start", "--fail", "--hang"), "give one of"),
    (("start", "--delay", "soon"), "wants a time"),
    (("fly", "--fail"), "verb"),
    (("stop", "--break"), "only a start can be broken"),
    (("start", "--hang", "--text", "x"), "`text` is the error of `fail`"),
    (("start", "--hang", "--delay", "3s"), "`delayMs` goes with"),
    (("start", "--fail", "--zone", "mars-1a"), "there is no zone 'mars-1a'"),
    (("start", "--fail", "--instance", "i-none"), "there is no instance 'i-none'"),
))
def test_what_makes_no_sense_is_said(cloud, words, why):
    r = cloud.cli("engine-fault", "add", *words, check=False)
    assert r.returncode in (1, 2) and why in r.stderr, r
    assert faults(cloud) == []


def test_without_controls_there_are_none(server):
    r = server.cli("engine-fault", "add", "start", "--fail", check=False)
    assert r.returncode == 1 and "ActionNotFound" in r.stderr and "--controls" in r.stderr


# ---- what happens to a running machine ----

@pytest.mark.parametrize("how, why", (("panic", "the guest's kernel panicked"), ("die", "killed by signal 9")))
def test_a_running_machine_ends(cloud, how, why):
    iid = cloud.ecs.create_running()
    cloud.cli("instance", how, iid)
    assert (cloud.ecs.state(iid), cloud.zec.state(iid)) == ("Stopped", "STOPPED"), "it was answered too early"
    assert why in show(cloud, iid)["lastError"]
    r = cloud.cli("instance", how, iid, check=False)
    assert r.returncode == 1 and "only a running machine" in r.stderr
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Running")


def test_harm_that_was_asked_for_outlives_the_daemon(program):
    """A daemon that died between the commit and the deed leaves the deed to the next one."""
    with ostler.Server(args=CONTROLS) as s:
        iid = s.ecs.create_running()
        s.stop()
        with sqlite3.connect(s.data + "/ostler.db") as db:
            db.execute("INSERT INTO harm VALUES (?, 0, 0, 0, '', 0)", (iid,))
        db.close()
        s.start()
        s.wait_state(iid, "Stopped")
        assert "panicked" in show(s, iid)["lastError"]
        ostler.wait_for("it to be over", lambda: harms(s) == [])


def test_harm_that_could_not_be_done_is_told_by_the_clock(program):
    with ostler.Server(args=CONTROLS) as s:
        iid = s.ecs.create_running()
        s.ecs.ok("StopInstance", InstanceId=iid)
        s.wait_state(iid, "Stopped")
        s.cli("clock", "freeze")
        s.cli("clock", "set", "2031-01-01T00:00:00Z")
        s.stop()
        with sqlite3.connect(s.data + "/ostler.db") as db:
            db.execute("INSERT INTO harm VALUES (?, 0, 0, 0, '', 0)", (iid,))
        db.close()
        s.start()
        at = ostler.wait_for("the event", lambda: [
            e["at"] for e in s.operator("ListEvents", subject=iid, limit=1000)["events"] if e["kind"] == "harm-failed"])
        assert at == ["2031-01-01T00:00:00Z"]


def harms(s):
    db = sqlite3.connect("file:%s/ostler.db?mode=ro" % s.data, uri=True)
    try:
        return db.execute("SELECT * FROM harm").fetchall()
    finally:
        db.close()


def test_disks_in_trouble_on_sim(cloud):
    iid = cloud.ecs.create_running()
    cloud.cli("disk", "errors", "--full", iid)
    ostler.wait_for("the machine to wait", lambda: "full" in show(cloud, iid)["lastError"])
    assert cloud.ecs.state(iid) == "Running"
    assert [d["trouble"] for d in show(cloud, iid)["disks"]] == ["full"]
    cloud.cli("disk", "heal", iid)
    ostler.wait_for("it to go on", lambda: show(cloud, iid)["lastError"] == "")
    cloud.cli("disk", "errors", iid)
    cloud.wait_state(iid, "Stopped")
    assert "returns errors" in show(cloud, iid)["lastError"]
    cloud.cli("disk", "heal", iid)
    assert [d["trouble"] for d in show(cloud, iid)["disks"]] == [None]
