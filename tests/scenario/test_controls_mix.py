"""All controls at once, from several threads, and `kill -9` in between: what must be true whatever was asked for.

Two accounts, each with a clock of its own, have instances that are started, stopped, renewed and released. Meanwhile
faults come and go, clocks are moved and held, everything is saved, loaded and reset, transcripts begin and end. Now
and then the server is killed and started again on the same data, and then:

  - an instance is on its way if and only if it has a job, and that one leads there;
  - left alone, all settles; the machines that run are those that the store says run, and none was started twice;
  - no clock went back, but by a load or a reset;
  - what is due by time happened once;
  - a reset leaves nothing behind.

OSTLER_MIX_ROUNDS changes the number of kills, OSTLER_MIX_SEED repeats a schedule as far as threads let it.

And alone: whatever is sent to a control, it is done or refused with a reason, and the server goes on.
"""
import json
import os
import random
import sqlite3
import subprocess
import threading
import time

import ostler
import sign
import wire

ROUNDS = int(os.environ.get("OSTLER_MIX_ROUNDS", "4"))
SEED = int(os.environ.get("OSTLER_MIX_SEED", "1"))
DURATIONS = {"create": "10ms", "start": "20ms", "stop": "20ms", "reboot": "20ms"}
MANY = 8  # instances of one account
VERB_OF = {0: (1,), 2: (2,), 4: (3,), 5: (4, 5), 8: (6, 7, 8), 9: (4, 5)}  # state -> verbs of its job (core/model.h)
STOPPED, RUNNING, RECYCLED = 1, 3, 7


class Ended(Exception):
    """The server was killed while somebody spoke to it."""


class Cloud:
    """The server, and what is known about it over its lives."""

    def __init__(self, server):
        self.server = server
        self.accounts = []  # (id, Ecs)
        self.did = set()    # controls that were done
        self.whole = 0      # even: nobody loads or resets; odd: somebody may have
        self.lock = threading.Lock()

    def call(self, action, /, **body):
        """(status, object) of a control."""
        data = json.dumps(body).encode()
        r = sign.Request("POST", "/_ostler/v1/" + action,
                         [("Host", self.server.address), ("Content-Length", str(len(data)))], data)
        try:
            reply = self.server.send(r, deadline=60)
        except (OSError, wire.WireError) as e:
            raise Ended from e
        assert reply.status != 500, "%s %r: %r" % (action, body, reply.body)
        if reply.status == 200:
            self.did.add(action)
        return reply.status, reply.json()

    def ok(self, action, /, **body):
        status, obj = self.call(action, **body)
        assert status == 200, "%s %r: %r" % (action, body, obj)
        return obj

    def replace(self, action, /, **body):
        """A control after which clocks may show less than before."""
        with self.lock:
            self.whole += 1
            try:
                self.call(action, **body)
            finally:
                self.whole += 1


class Doing(threading.Thread):
    """Repeats one of its steps until it is told to end, or the server is."""

    def __init__(self, cloud, rng):
        super().__init__(daemon=True)
        self.cloud, self.rng = cloud, rng
        self.ending = threading.Event()
        self.error, self.done = None, 0

    def run(self):
        try:
            while not self.ending.is_set():
                self.step()
                self.done += 1
        except (Ended, OSError, wire.WireError):
            pass
        except BaseException as e:
            self.error = e


class Client(Doing):
    """What an account's programs do. Refusals are part of the mix, a broken server is not."""

    def __init__(self, cloud, rng, ecs):
        super().__init__(cloud, rng)
        self.ecs = ecs

    def ask(self, action, **params):
        try:
            status, obj, reply = self.ecs(action, **params)
        except (OSError, wire.WireError):
            if self.cloud.server.process is None or self.cloud.server.process.poll() is not None:
                raise Ended from None
            return {}  # a fault cut the answer
        except ValueError:
            return {}  # a gateway's page
        assert status != 500, "%s: %r" % (action, reply.body)
        return obj if status == 200 else {}

    def step(self):
        listed = self.ask("DescribeInstances", PageSize=100).get("Instances", {}).get("Instance", [])
        if len(listed) < 2 or (len(listed) < MANY and self.rng.random() < 0.4):
            self.create()
            return
        iid = self.rng.choice(listed)["InstanceId"]
        action, more = self.rng.choice((("StartInstance", {}), ("StartInstance", {}), ("StopInstance", {}),
                                        ("StopInstance", {"ForceStop": "true"}), ("RebootInstance", {}),
                                        ("DeleteInstance", {"Force": "true"})))
        self.ask(action, InstanceId=iid, **more)

    def create(self):
        charge = self.rng.choice(({}, {"InstanceChargeType": "PrePaid", "Period": 1, "PeriodUnit": "Week",
                                       "AutoRenew": "true"},
                                  {"InstanceChargeType": "PrePaid", "Period": 1, "PeriodUnit": "Month"}))
        self.ask("RunInstances", InstanceType="ecs.t5-lc2m1.nano", ImageId=self.ecs.image(), **charge)


class Controls(Doing):
    """What a test asks for."""

    def step(self):
        self.rng.choice((self.fault, self.fault, self.engine_fault, self.engine_fault, self.clock, self.clock,
                         self.clock, self.transcript, self.recycle, self.whole))()

    def account(self):
        return self.rng.choice(self.cloud.accounts)[0]

    def fault(self):
        if self.rng.random() < 0.4:
            self.cloud.call("RemoveFaults")
        else:
            self.cloud.call("AddFault", **self.rng.choice((
                {"action": "StartInstance", "code": "Throttling", "times": 2},
                {"action": "DescribeInstances", "dialect": "alibaba", "then": "truncate", "every": 3},
                {"action": "RunInstances", "then": "drop", "probability": 0.5},
                {"action": "*", "dialect": "alibaba", "delayMs": 30, "every": 2, "account": self.account()})))

    def engine_fault(self):
        if self.rng.random() < 0.5:
            free_the_engine(self.cloud)
        else:
            self.cloud.call("AddEngineFault", **self.rng.choice((
                {"verb": "start", "kind": "fail", "text": "no such luck", "times": 2},
                {"verb": "stop", "kind": "hang", "times": 1}, {"verb": "start", "kind": "hang", "times": 1},
                {"verb": "*", "kind": "delay", "delayMs": 40, "times": 3, "account": self.account()})))

    def clock(self):
        action, more = self.rng.choice((("AdvanceClock", {"duration": "10d"}), ("AdvanceClock", {"duration": "40d"}),
                                        ("FreezeClock", {}), ("ResumeClock", {})))
        body = dict(more, wait=self.rng.random() < 0.3)
        self.cloud.call(action, account=self.account(), **body)

    def transcript(self):
        self.cloud.call(self.rng.choice(("StartTranscript", "StopTranscript")))

    def recycle(self):
        account, ecs = self.rng.choice(self.cloud.accounts)
        self.cloud.call("SetAccount", account=account, recycleBin=self.rng.random() < 0.5, recycleHours=24)

    def whole(self):
        action, body = self.rng.choice((("SaveSnapshot", {"name": "one"}), ("SaveSnapshot", {"name": "two"}),
                                        ("LoadSnapshot", {"name": "one"}), ("LoadSnapshot", {"name": "two"}),
                                        ("Reset", {"account": self.cloud.accounts[1][0]})))
        if action == "SaveSnapshot":
            self.cloud.call(action, **body)
        else:
            self.cloud.replace(action, **body)


class Watcher(Doing):
    """Looks at each clock again and again: it never shows less than before."""

    seen = {}  # of all its lives: account -> (how often everything was replaced by then, time)

    def step(self):
        for account, _ in self.cloud.accounts:
            before = self.cloud.whole
            at = self.cloud.ok("ShowClock", account=account)["time"]
            if before % 2 == 0 and self.cloud.whole == before:
                whole, last = self.seen.get(account, (None, ""))
                assert whole != before or at >= last, "the clock of %s went from %s to %s" % (account, last, at)
                self.seen[account] = (before, at)
        time.sleep(0.01)


def free_the_engine(cloud):
    for f in cloud.ok("ListEngineFaults")["faults"]:
        cloud.call("RemoveEngineFault", faultId=f["faultId"])


def rows(server, sql):
    db = sqlite3.connect(os.path.join(server.data, "ostler.db"), timeout=10, isolation_level=None)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def check_jobs(server):
    """In one look at the store: of each instance the state, its verb, and its job's."""
    for iid, state, verb, job in rows(server, "SELECT inst.id, inst.state, inst.verb, job.verb FROM inst "
                                              "LEFT JOIN job ON job.inst = inst.id"):
        if state in VERB_OF:
            assert job in VERB_OF[state] and verb == job, "%s is in state %d with a job %r" % (iid, state, job)
        else:
            assert job is None and verb == 0, "%s is in state %d and has a job %r" % (iid, state, job)
    assert rows(server, "SELECT inst FROM job WHERE inst NOT IN (SELECT id FROM inst)") == []


def check_once(server):
    """What time brings is told once for each time that it is due."""
    twice = rows(server, "SELECT subject, kind, detail, count(*) FROM event WHERE kind IN ('renewed', 'expired', "
                         "'bin-emptied') GROUP BY subject, kind, detail HAVING count(*) > 1")
    assert twice == [], twice


def check_starts(server):
    """The engine was never told to start what ran and was not looked for."""
    with open(os.path.join(server.data, "sim", "log")) as f:
        assert [x for x in f if x.startswith("again")] == []


def settle(cloud):
    """Nothing is asked for any more: all that is under way comes to its end."""
    s = cloud.server
    ostler.wait_for("a load to end", lambda: rows(s, "SELECT key FROM chore WHERE key = '' AND state < 2") == [])
    cloud.ok("RemoveFaults")
    free_the_engine(cloud)

    def arrived():
        return all(cloud.ok("ShowClock", account=a)["target"] is None for a, _ in cloud.accounts)
    ostler.wait_for("the chores to be done", lambda: rows(s, "SELECT key FROM chore WHERE state < 2") == [])
    ostler.wait_for("the clocks to arrive", arrived)
    for account, _ in cloud.accounts:
        cloud.ok("ResumeClock", account=account)
    ostler.wait_for("every job to end", lambda: rows(s, "SELECT inst FROM job") == [])
    assert {x for x, in rows(s, "SELECT DISTINCT state FROM inst")} <= {STOPPED, RUNNING, RECYCLED}
    ostler.wait_for("the machines to be those that the store says run", lambda: set(os.listdir(s.data + "/sim"))
                    - {"log"} == {x for x, in rows(s, "SELECT id FROM inst WHERE state=%d" % RUNNING)})
    assert rows(s, "SELECT * FROM leftover") == []


def live(cloud, rng, seconds):
    """One life's mix. Returns how much was done in it."""
    doing = [Controls(cloud, random.Random(rng.random())) for _ in range(2)] + [Watcher(cloud, rng)]
    doing += [Client(cloud, random.Random(rng.random()), ecs) for _, ecs in cloud.accounts for _ in range(2)]
    for d in doing:
        d.start()
    time.sleep(seconds)
    cloud.server.kill9()
    for d in doing:
        d.ending.set()
    for d in doing:
        d.join(90)
        assert not d.is_alive(), d
        if d.error:
            raise d.error
    return [d.done for d in doing]


def test_everything_at_once_and_kills(new_server):
    rng = random.Random(SEED)
    s = new_server(engine="sim", sim=DURATIONS, args=["--controls", "--threads", "3"])
    cloud = Cloud(s)
    Watcher.seen = {}
    for name in ("one", "two"):
        made = cloud.ok("CreateAccount", name=name, accessKey=True)
        cloud.accounts.append((made["account"], ostler.Ecs(s, made["accessKeyId"], made["accessKeySecret"])))
        s.secrets.append(("access key secret", made["accessKeySecret"]))
    for name in ("one", "two"):  # the accounts are in all snapshots
        cloud.ok("SaveSnapshot", name=name)
    done = []
    for _ in range(ROUNDS):
        done.append(live(cloud, rng, rng.uniform(0.3, 1.5)))
        check_jobs(s)
        check_once(s)
        s.start()
        settle(cloud)
        check_starts(s)
    assert all(sum(d) for d in zip(*done)), done  # everybody did something
    if ROUNDS >= 20:  # in a few rounds on a busy computer not everything has its turn
        assert cloud.did >= {"SaveSnapshot", "LoadSnapshot", "Reset", "AdvanceClock", "AddFault", "AddEngineFault",
                             "StartTranscript"}, cloud.did
    cloud.ok("Reset")
    for table in ("inst", "job", "fault", "engine_fault", "capacity", "harm", "clock", "due", "leftover", "renewal"):
        assert rows(s, "SELECT * FROM %s" % table) == [], table


# ---- what nobody should send ----

BODIES = (b"", b"{", b"[]", b"null", b"{}x", b"\x00", b"\xff\xfe", b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
          b'{"nonsense\\u0001":1}', b'{"account":"a","account":"b"}')
VALUES = ("null", "true", "-1", "0", "1e308", "0.5", "9223372036854775807", "9223372036854775808", "99999999999999999999",
          '""', '"\\u0000"', '"\\u0001\\u007f"', '"\\ud800"', '"\\r\\n"', '"' + "x" * 20000 + '"', '"../../x"', '"*"',
          '"999999999999999999d"', '"99999-12-31T23:59:59Z"', '"2026-02-30T00:00:00Z"', '"%s%n"', "[]", '{"a":[{}]}')
SENSIBLE = {"action": "StartInstance", "code": "Throttling", "dialect": "alibaba", "verb": "start", "kind": "fail",
            "duration": "1d", "time": "2040-01-01T00:00:00Z", "name": "some", "wait": False, "count": 5, "reason": "financial",
            "balance": "ok"}


def test_whatever_a_control_is_sent(new_server, program):
    s = new_server(engine="sim", args=["--controls"])
    dump = json.loads(subprocess.run([program, "api", "dump"], capture_output=True, check=True, timeout=60).stdout)
    iid, account = s.ecs.create_stopped(), s.operator("CreateAccount", name="other")["account"]
    known = dict(SENSIBLE, instanceId=iid, account=account)
    seen = set()

    def send(action, body):
        head = [("Host", s.address), ("Content-Length", str(len(body)))]
        reply = s.send(sign.Request("POST", "/_ostler/v1/" + action, head, body))
        assert reply.status < 500, "%s %r: %d %r" % (action, body[:300], reply.status, reply.body)
        assert reply.status == 200 or reply.json()["message"], (action, body[:300])
        seen.add((action, reply.status))

    s.operator("SaveSnapshot", name="kept")
    for action in (a for a in dump if a["dialect"] == "operator"):
        s.operator("LoadSnapshot", name="kept")  # whatever the one before has done
        names = [f["name"] for f in action["fields"]]
        others = {n: json.dumps(known[n]) for n in names if n in known}
        for body in BODIES:
            send(action["name"], body)
        for name in names:
            for value in VALUES:
                send(action["name"], ("{%s}" % ",".join(
                    '"%s":%s' % field for field in dict(others, **{name: value}).items())).encode())
        send(action["name"], ("{%s}" % ",".join('"%s":%s' % field for field in others.items())).encode())
    assert len({a for a, status in seen if status == 400}) == len({a for a, _ in seen}) > 60
    assert s.process.poll() is None
