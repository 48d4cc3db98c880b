"""`kill -9` at random moments: nothing that was acknowledged is lost, and nothing is done twice.

A workload creates, starts and stops instances and writes down what the server promised by answering 200. At a
moment of a seeded schedule the server is killed, started again on the same data, and then:

  - every acknowledged instance exists, exactly once;
  - each ends where its last acknowledged operation leads; where the last request got no answer, either there or
    where it was before;
  - the machines that run are those that the API says run, and none was ever started while it ran (DIR/sim/log).

OSTLER_CRASH_SEED repeats a schedule, OSTLER_CRASH_POINTS changes the number of kills.
"""
import os
import random
import threading
import time
import uuid

import pytest

import ostler
import wire

DURATIONS = {"create": "15ms", "start": "40ms", "stop": "40ms", "reboot": "40ms"}
PER_WORKER = 8  # instances; enough to be always busy with some, few enough to check quickly


class Worker(threading.Thread):
    """One client with instances of its own. `known`: id -> the set of states that it may end in."""

    def __init__(self, server, rng, known, tokens):
        super().__init__(daemon=True)
        self.server, self.rng, self.known, self.tokens = server, rng, known, tokens
        self.ending = threading.Event()
        self.error = None
        self.acknowledged = 0

    def run(self):
        try:
            with self.server.connect(deadline=10) as c:
                while not self.ending.is_set():
                    self.step(c)
        except (OSError, wire.WireError):
            pass  # killed while we spoke to it: what is in doubt was written down before
        except BaseException as e:  # told by the test
            self.error = e

    def step(self, c):
        if len(self.known) < 2 or (len(self.known) < PER_WORKER and self.rng.random() < 0.3):
            self.create(c)
        else:
            iid = self.rng.choice(sorted(self.known))
            if self.rng.random() < 0.5:
                self.power(c, "StartInstance", iid, "Running")
            else:
                self.power(c, "StopInstance", iid, "Stopped")

    def create(self, c):
        token = uuid.UUID(int=self.rng.getrandbits(128)).hex
        starts = self.rng.random() < 0.5
        end = "Running" if starts else "Stopped"
        params = self.server.ecs.shape(ClientToken=token, InstanceName="n" + token[:20])
        self.tokens[token] = ("RunInstances" if starts else "CreateInstance", params, end)
        if starts:
            got = self.server.ecs.ok("RunInstances", params, _connection=c)["InstanceIdSets"]["InstanceIdSet"]
            iid, = got
        else:
            iid = self.server.ecs.ok("CreateInstance", params, _connection=c)["InstanceId"]
        del self.tokens[token]
        self.acknowledged += 1
        self.known[iid] = {end}

    def power(self, c, action, iid, end):
        before = self.known[iid]
        self.known[iid] = before | {end}
        status, obj, _ = self.server.ecs(action, InstanceId=iid, _connection=c)
        if status == 200:
            self.acknowledged += 1
            self.known[iid] = {end}
        elif obj["Code"] in ("IncorrectInstanceStatus", "InstanceNotReady"):
            self.known[iid] = before
        else:
            raise AssertionError("%s: %r" % (action, obj))


class MachineLog:
    """What the sim engine really did, read as it grows: DIR/sim/log, and a file for each machine that runs."""

    def __init__(self, data):
        self.folder, self.offset, self.rest = os.path.join(data, "sim"), 0, ""
        self.running, self.starts = set(), 0

    def read(self):
        with open(os.path.join(self.folder, "log")) as f:
            f.seek(self.offset)
            text = self.rest + f.read()
            self.offset = f.tell()
        lines = text.split("\n")
        self.rest = lines.pop()
        for line in lines:
            word, iid = line.split()[:2]
            assert word != "again", "a start of %s, which ran and was not looked for" % iid
            if word == "start":
                assert iid not in self.running, "a second start of the running %s" % iid
                self.running.add(iid)
                self.starts += 1
            elif word == "stop":
                self.running.discard(iid)
        # A kill can fall between the file and its line; the file is what counts.
        self.running = {f for f in os.listdir(self.folder) if f != "log"}


def listed(server):
    """{id: (name, status)} of every instance of the account."""
    out, token = {}, None
    while True:
        r = server.ecs.ok("DescribeInstances", MaxResults=100, NextToken=token)
        for x in r["Instances"]["Instance"]:
            assert x["InstanceId"] not in out, "listed twice"
            out[x["InstanceId"]] = (x["InstanceName"], x["Status"])
        token = r.get("NextToken")
        if not token:
            return out


def settled(server):
    got = listed(server)
    return got if all(status in ("Stopped", "Running") for _, status in got.values()) else None


def check(server, workers, log, seen):
    """After a restart. Returns the states that became true, for the next life."""
    got = ostler.wait_for("every instance in a stable state", lambda: settled(server) or {}, 20) \
        if any(w["known"] or w["tokens"] for w in workers) else {}
    mine = set()
    for w in workers:
        for iid, allowed in list(w["known"].items()):
            assert iid in got, "the acknowledged %s is gone" % iid
            assert got[iid][1] in allowed, "%s is %s, promised was %s" % (iid, got[iid][1], sorted(allowed))
            w["known"][iid] = {got[iid][1]}
            mine.add(iid)
        # creations without an answer: they happened or not, and asking again with the same token tells which
        for token, (action, params, end) in list(w["tokens"].items()):
            there = [i for i, (name, _) in got.items() if name == params["InstanceName"]]
            assert len(there) <= 1
            r = server.ecs.ok(action, params)
            iid = r["InstanceId"] if action == "CreateInstance" else r["InstanceIdSets"]["InstanceIdSet"][0]
            assert there in ([], [iid]), "the same client token made a second instance"
            del w["tokens"][token]
            w["known"][iid] = {end}
            server.wait_state(iid, end)
            mine.add(iid)
    assert mine == set(listed(server)), "instances that nobody asked for"
    log.read()
    running = {i for w in workers for i, s in w["known"].items() if s == {"Running"}}
    assert log.running == running, "the engine runs %s, the API says %s" % (sorted(log.running), sorted(running))
    seen["running"] = max(seen.get("running", 0), len(running))


def crash(points, seed):
    rng = random.Random(seed)
    s = ostler.Server(sim=DURATIONS, engine="sim")
    s.start()
    acknowledged = 0
    try:
        s.ecs.shape()
        workers = [{"known": {}, "tokens": {}} for _ in range(2)]
        log, seen = None, {}
        for point in range(points):
            threads = [Worker(s, random.Random(rng.getrandbits(64)), w["known"], w["tokens"]) for w in workers]
            for t in threads:
                t.start()
            time.sleep(rng.uniform(0, 0.3))  # not waiting for anything: this is the moment of the schedule
            s.kill9()
            for t in threads:
                t.ending.set()
            for t in threads:
                t.join(15)
                assert not t.is_alive(), "a client still waits for a dead server"
                if t.error:
                    raise t.error
                acknowledged += t.acknowledged
            if rng.random() < 0.15:  # once more, while it recovers
                s.spawn()
                time.sleep(rng.uniform(0, 0.05))
                s.kill9()
            s.start()
            log = log or MachineLog(s.data)
            try:
                check(s, workers, log, seen)
            except BaseException as e:
                raise AssertionError("kill %d of %d, seed %d: %s" % (point + 1, points, seed, e)) from e
            trim(s, workers)
        assert acknowledged > 5 * points, "the workload did hardly anything (%d)" % acknowledged
        assert log.starts > points and seen["running"] > 2
        s.__exit__(None, None, None)
    except BaseException:
        s.__exit__(AssertionError, None, None)
        raise


def trim(server, workers):
    """Full ones are released now and then, so that creating goes on."""
    for w in workers:
        if len(w["known"]) >= PER_WORKER:
            gone = sorted(w["known"])[:PER_WORKER // 2]
            for iid in gone:
                server.ecs.ok("DeleteInstance", InstanceId=iid, Force=True)
            for iid in gone:
                server.wait_state(iid, "")
                del w["known"][iid]


def seed():
    return int(os.environ.get("OSTLER_CRASH_SEED", "20260102"))


def test_a_few_kills(program):
    crash(12, seed() + 1)


@pytest.mark.slow
def test_two_hundred_kills(program):
    crash(int(os.environ.get("OSTLER_CRASH_POINTS", "200")), seed())
