"""`kill -9` with real machines: guests never notice, and no instance gets a second QEMU.

Seeded as test_crash.py; OSTLER_CRASH_SEED and OSTLER_CRASH_QEMU_POINTS change the schedule.
"""
import json
import os
import random
import re
import time

import pytest

import ostler

pytestmark = [pytest.mark.slow, pytest.mark.qemu]
BOOT = re.compile(rb"^ostler: \S+ is up:", re.M)  # the guest's init says it once a boot


@pytest.fixture
def cloud(program):
    why = ostler.missing_guest()
    if why:
        pytest.skip(why)
    s = ostler.Server(engine="qemu", args=["--log", "debug"] if os.environ.get("OSTLER_DEBUG") else [])
    with s:
        yield s


def qemus(s):
    """{instance: [(pid, start time)]} of the QEMUs of this data directory."""
    out = {}
    for pid, argv in s.processes():
        if "qemu" not in os.path.basename(argv[0]):
            continue
        m = re.search(r"instances/([A-Za-z0-9-]+)", " ".join(argv)) or re.search(r"\b(i-[a-z0-9]{20}|\d{19})\b",
                                                                               " ".join(argv))
        _, began = ostler.process(pid)
        if began is None:
            continue
        assert m, "a QEMU that names no instance: %r" % argv
        out.setdefault(m.group(1), []).append((pid, began))
    return out


def boots(s, iid):
    try:
        with open(os.path.join(s.data, "instances", iid, "serial.log"), "rb") as f:
            return len(BOOT.findall(f.read()))
    except FileNotFoundError:
        return 0


def wait_settled(s, ids):
    ostler.wait_for("stable states", lambda: set(s.ecs.states(ids).values()) <= {"Running", "Stopped"}, 120)


def test_kills_with_real_machines(cloud):
    s = cloud
    points = int(os.environ.get("OSTLER_CRASH_QEMU_POINTS", "10"))
    rng = random.Random(int(os.environ.get("OSTLER_CRASH_SEED", "20260102")))
    steady = s.ecs.run(2)  # these are left alone: they must never notice
    busy = s.ecs.run(2)
    s.ecs.wait_all(steady + busy, "Running", 120)
    ostler.wait_for("both steady guests to be up", lambda: all(boots(s, i) == 1 for i in steady), 120)
    first = {i: qemus(s)[i] for i in steady}
    assert all(len(p) == 1 for p in first.values())
    known = {i: {"Running"} for i in busy}
    for point in range(points):
        for iid in busy:
            if rng.random() < 0.8:
                verb, end = (("StopInstance", "Stopped") if s.ecs.state(iid) == "Running"
                             else ("StartInstance", "Running"))
                params = {"ForceStop": True} if verb == "StopInstance" and rng.random() < 0.5 else {}
                before = known[iid]
                status, obj, _ = s.ecs(verb, InstanceId=iid, **params)
                assert status == 200 or obj["Code"] == "IncorrectInstanceStatus", obj
                known[iid] = {end} if status == 200 else before
        time.sleep(rng.uniform(0, 1.5))  # not waiting for anything: the moment of the schedule
        s.kill9()
        s.start()
        here = "kill %d of %d" % (point + 1, points)
        wait_settled(s, steady + busy)
        states = s.ecs.states(steady + busy)
        now = qemus(s)
        for iid in steady:
            assert states[iid] == "Running", here
            assert now.get(iid) == first[iid], "%s: %s is another process than before" % (here, iid)
            assert boots(s, iid) == 1, "%s: %s has booted again" % (here, iid)
        for iid in busy:
            assert states[iid] in known[iid], "%s: %s is %s, promised %s" % (here, iid, states[iid], known[iid])
            known[iid] = {states[iid]}
            assert len(now.get(iid, [])) == (1 if states[iid] == "Running" else 0), "%s: %r" % (here, now.get(iid))
    # adopted for real: the daemon that found them can also end them
    for iid in steady:
        s.ecs.ok("StopInstance", InstanceId=iid, ForceStop=True)
    s.ecs.wait_all(steady, "Stopped", 60)
    assert not set(steady) & set(qemus(s))


def test_a_kill_between_the_spawn_and_its_report(cloud):
    """The narrowest moment: QEMU is there, and the store has not heard that it runs."""
    s = cloud
    iid = s.ecs.create_stopped()
    for _ in range(4):
        s.ecs.ok("StartInstance", InstanceId=iid)
        (process,) = ostler.wait_for("its QEMU", lambda: qemus(s).get(iid), 60, every=0.001)
        s.kill9()
        s.start()
        s.wait_state(iid, "Running", 60)
        assert qemus(s)[iid] == [process]
        assert not json.loads(s.cli("show", iid, "--json").stdout)["lastError"]
        s.ecs.ok("StopInstance", InstanceId=iid, ForceStop=True)
        s.wait_state(iid, "Stopped", 60)
        assert not qemus(s).get(iid)


def test_a_machine_that_dies_while_nobody_looks(cloud):
    """Its QEMU is killed while the daemon is down: the next one finds it stopped, and can start it."""
    s = cloud
    iid = s.ecs.create_running()
    (pid, _), = qemus(s)[iid]
    s.kill9()
    os.kill(pid, 9)
    s.start()
    s.wait_state(iid, "Stopped")
    s.ecs.ok("StartInstance", InstanceId=iid)
    s.wait_state(iid, "Running", 60)
    assert len(qemus(s)[iid]) == 1
