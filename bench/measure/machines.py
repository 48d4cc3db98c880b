"""Real machines: Ostler's starts and stops beside the bare launcher's and libvirt's, in turns.

All of Ostler's times begin when the first byte of the request leaves and end when a poll's answer shows the state;
polls are sent at most half a millisecond after the answer before. A poll is one ZC2 request, signed once a wait: its
signature covers no nonce, so the same bytes may be sent again, and the poller leaves the processors to the machines.
"""
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import time

from . import ground, servers
from .ground import Absent, Failed, absent, figure

import ostler
import sign
import wire

PAUSE_S = 0.0005
DEADLINE_S = 120
IS_UP = b" is up: "
MASS = 100
MASS_S, SETTLE_S = 60, 60
MIB_A_START = 32
LEAST_MIB = 1024  # of the computer's memory: who has less left goes no further


def need_guest():
    why = ostler.missing_guest()
    if why:
        raise Absent(why)


# ---- Ostler's machines ----

class Machines:
    """A server with real machines, and one connection to it."""

    def __init__(self, g, name, args=()):
        self.ground, self.name = g, name
        self.cloud = servers.Cloud(g, name, engine="qemu", args=["--capacity-memory", "0", *args])

    def __enter__(self):
        self.cloud.__enter__()
        self.public_key()
        self.conn = self.cloud.connect(deadline=DEADLINE_S)
        return self

    def __exit__(self, *exc):
        self.conn.close()
        self.cloud.__exit__(*exc)

    def public_key(self):
        key = self.ground.path("key")
        if not os.path.exists(key):
            self.ground.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", key])
        self.cloud.cli("keypair", "import", "bench", key + ".pub")

    def reconnect(self):
        self.conn.close()
        self.conn = self.cloud.connect(deadline=DEADLINE_S)

    def folder(self, iid):
        return os.path.join(self.cloud.data, "instances", iid)

    def create(self):
        self.reconnect()  # it may have been idle for so long that the server closed it
        iid = self.cloud.ecs.create(KeyPairName="bench")
        self.cloud.wait_state(iid, "Stopped", DEADLINE_S)
        return iid

    def send(self, action, params):
        """A call of ECS, V3; the moment at which it left."""
        data = wire.request_bytes(self.cloud.ecs.request(action, params, signer="v3"))
        began = time.monotonic()
        self.conn.send(data)
        reply = self.conn.read_reply()
        if reply.status != 200:
            raise Failed("%s: HTTP %d %s" % (action, reply.status, reply.body[:400]))
        return began

    def poll(self, ids, word, pause=PAUSE_S, deadline=DEADLINE_S, meanwhile=None):
        """Waits until all of the instances show the state; the moment at which they did."""
        want, n = b'"%s"' % word.encode(), len(ids)
        data = wire.request_bytes(sign.zc2(*self.cloud.account, self.cloud.address, "DescribeInstancesStatus",
                                           {"instanceIds": list(ids), "pageSize": len(ids)}))
        until = time.monotonic() + deadline
        while True:
            self.conn.send(data)
            body = self.conn.read_reply().body
            now = time.monotonic()
            if body.count(want) >= n:
                return now
            if now > until:
                raise Failed("%d of %d %s after %d s: %s" % (body.count(want), n, word, deadline, body[:300]))
            if meanwhile:
                meanwhile()
            time.sleep(pause)

    def wait_up(self, iid):
        """Waits until its guest's init says that it has its address, metadata and key; that moment."""
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            with contextlib.suppress(FileNotFoundError), open(os.path.join(self.folder(iid), "serial.log"), "rb") as f:
                if IS_UP in f.read():
                    return time.monotonic()
            time.sleep(PAUSE_S)
        raise Failed("the guest of %s is not up after %d s" % (iid, DEADLINE_S))

    def release(self, iid):
        self.cloud.ecs.ok("DeleteInstance", InstanceId=iid, Force=True)

    def settle(self):
        """What must be there before a round; its clock has not started."""

    def look(self, iid):
        """Whether the round is what it claims to be; the machine runs."""

    def life(self, first=False):
        """A new instance, once: start, running, guest up, forced stop, gone. Milliseconds. The first start of a shape
        is an ordinary one whatever the options: nothing is prepared for it yet."""
        iid = self.create()
        if not first:
            self.settle()
        ground.quiet()
        began = self.send("StartInstance", {"InstanceId": iid})
        running = self.poll([iid], "RUNNING")
        up = self.wait_up(iid)
        if not first:
            self.look(iid)
        stopping = self.send("StopInstance", {"InstanceId": iid, "ForceStop": True})
        stopped = self.poll([iid], "STOPPED")
        self.release(iid)
        return {"running": (running - began) * 1000, "ready": (up - began) * 1000, "stop": (stopped - stopping) * 1000}


class Prepared(Machines):
    """One whose processes are started ahead, for the machine that was stopped last: so it is always the same one, and
    only its start is looked at."""
    iid = None

    def create(self):
        self.reconnect()
        self.iid = self.iid or super().create()
        return self.iid

    def release(self, iid):
        pass

    def wait_up(self, iid):
        return time.monotonic()

    def _processes(self):
        """{pid: processor time} of the QEMUs that work for this server."""
        out = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if ground.is_machine(pid) and ground.holds(pid, self.cloud.data):
                with contextlib.suppress(OSError), open("/proc/%s/stat" % pid) as f:
                    out[pid] = sum(map(int, f.read().rpartition(")")[2].split()[11:13]))
        return out

    def settle(self):
        """Until there is a process that waits: it is there and has stopped to work."""
        until, before = time.monotonic() + SETTLE_S, {}
        while time.monotonic() < until:
            now = self._processes()
            if now and now == before:
                return
            before = now
            time.sleep(0.3)
        raise Failed("no process was started ahead within %d s" % SETTLE_S)


class Templated(Machines):
    """One whose machines start from templates."""

    def settle(self):
        ostler.wait_for("a template", lambda: glob.glob(os.path.join(self.cloud.data, "templates", "*", "manifest.json")),
                        SETTLE_S)

    def look(self, iid):
        (pid,) = machine_pids(self, [iid]).values()
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            if b"-incoming" not in f.read().split(b"\0"):
                raise Failed("a machine was booted that should have come from a template")


# ---- the bare launcher's ----

class Bare:
    """The same command line, started by bench/launch, on a switch of its own: what a machine is given beside its
    process is there beforehand."""

    def __init__(self, g, name, like, iid, pristine):
        """`like` has the instance `iid`, which was started once; `pristine` has its disks as they were before."""
        with open(os.path.join(like.folder(iid), "machine.json")) as f:
            self.argv = json.load(f)["argv"]
        self.show = json.loads(like.cloud.cli("show", "--json", iid).stdout)
        self.ground, self.name, self.pristine = g, name, pristine
        self.program = ground.program("launch")
        with open(g.path("key.pub")) as f:
            self.key = f.read().strip()

    def __enter__(self):
        folder = self.ground.folder(self.name + "-switch")
        self.control = os.path.join(folder, "control.sock")
        self.switch = self.ground.spawn([ostler.BINARY, "switch", "--dir", folder, "--cidr", "172.16.0.0/16", "--name",
                                         self.name], self.name + "-switch.log")
        ostler.wait_for("the switch", lambda: os.path.exists(self.control), 10)
        return self

    def __exit__(self, *_):
        ground.end(self.switch)

    def add_port(self, folder):
        tree = {"instance-id": self.show["instanceId"], "hostname": self.show["hostname"],
                "private-ipv4": self.show["ip"], "mac": self.show["mac"],
                "public-keys": {"0": {"openssh-key": self.key}}}
        line = {"cmd": "add-port", "id": os.path.basename(folder), "dir": folder, "ip": self.show["ip"],
                "mac": self.show["mac"], "ssh_port": 0, "ssh_port_fallback": True, "metadata": tree}
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.control)
            s.sendall(json.dumps(line).encode() + b"\n")
            answer = json.loads(s.makefile().readline())
        if not answer["ok"]:
            raise Failed("the bare launcher's switch: %s" % answer["error"])

    def remove_port(self, name):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(self.control)
            s.sendall(json.dumps({"cmd": "remove-port", "id": name}).encode() + b"\n")
            s.makefile().readline()

    def launch(self, *options, ok=(0,), folder="bare"):
        argv = [self.program, "--dir", self.ground.folder(self.name, folder), "--disks", self.pristine, *options, "--",
                *self.argv]
        return json.loads(self.ground.run(argv, timeout=DEADLINE_S + 60, ok=ok))

    def life(self):
        folder = self.ground.folder(self.name, "bare", "0")
        self.add_port(folder)
        ground.quiet()
        m = self.launch("--ready")["machines"][0]
        self.remove_port("0")
        if not m["running_us"] or not m["ready_us"] or not m["gone_us"]:
            raise Failed("the bare launcher's machine did not come up: %r" % m)
        return {"running": m["running_us"] / 1000, "ready": m["ready_us"] / 1000, "stop": m["gone_us"] / 1000}


class VirshLife:
    """libvirt's turn with the same machine."""

    def __init__(self, g, bare, libvirt):
        self.ground, self.bare, self.libvirt = g, bare, libvirt
        self.folder = g.folder("libvirt", "machine")
        self._new_disks()
        libvirt.define(bare.argv, self.folder)

    def _new_disks(self):
        for name in os.listdir(self.bare.pristine):
            shutil.copy(os.path.join(self.bare.pristine, name), self.folder)

    def _wait_up(self):
        log = os.path.join(self.folder, "serial.log")

        def up():
            with contextlib.suppress(FileNotFoundError), open(log, "rb") as f:
                return IS_UP in f.read()
        ostler.wait_for("libvirt's guest to be up", up, DEADLINE_S, every=0.005)

    def life(self):
        self._new_disks()
        for name in glob.glob(os.path.join(self.folder, "*.log")) + glob.glob(os.path.join(self.folder, "vm.sock")):
            os.unlink(name)
        self.bare.add_port(self.folder)
        ground.quiet()
        t0 = time.monotonic()
        self.libvirt.start()
        t1 = time.monotonic()
        self._wait_up()
        t2 = time.monotonic()
        self.libvirt.destroy()
        t3 = time.monotonic()
        self.bare.remove_port(os.path.basename(self.folder))
        t4 = time.monotonic()
        self.libvirt.nothing()
        return {"running": (t1 - t0) * 1000, "ready": (t2 - t0) * 1000, "stop": (t3 - t2) * 1000,
                "virsh": (time.monotonic() - t4) * 1000}


def bare_like(g, name, like):
    """A bare launcher with the command line that this server's machines have now."""
    iid, pristine = like.create(), g.folder(name + "-disks")
    for path in glob.glob(os.path.join(like.folder(iid), "*.qcow2")):
        shutil.copy(path, pristine)
    like.send("StartInstance", {"InstanceId": iid})
    like.poll([iid], "RUNNING")
    bare = Bare(g, name, like, iid, pristine)
    like.send("StopInstance", {"InstanceId": iid, "ForceStop": True})
    like.poll([iid], "STOPPED")
    like.cloud.ecs.ok("DeleteInstance", InstanceId=iid, Force=True)
    return bare


# ---- one machine ----

def _compare(rounds, ours, theirs, what, unit, how):
    rows = [{"ours": r[ours][what], "reference": r[theirs][what]} for r in rounds]
    return figure(ground.ratios(rows), unit=unit, how=how, rounds=rows,
                  ours_ms=_median(rows, "ours"), reference_ms=_median(rows, "reference"))


def _median(rows, key):
    return figure([r[key] for r in rows])["value"]


def _option_cloud(g, stack, kind, name, *option):
    """Another server with the option, warm; or the reason why there is none."""
    if not servers.knows_option(option[0]):
        return absent("this `ostler serve` has no %s" % option[0])
    m = stack.enter_context(kind(g, name, option))
    try:
        m.life(first=True)
        m.life()
    except (Failed, ostler.Failed) as e:
        return absent("%s: %s" % (option[0], e), failed=True)
    return m


def measure_one(g):
    """start, ready, stop: cold, prepared, from templates, bare, by libvirt; each once a round."""
    need_guest()
    out, rounds = {}, []
    with contextlib.ExitStack() as stack:
        cold = stack.enter_context(Machines(g, "cold"))
        turns = {"cold": cold}
        for kind, name, *option in ((Prepared, "prepared", "--prepared", "2"), (Templated, "template", "--templates")):
            turns[name] = _option_cloud(g, stack, kind, name, *option)
        bare = turns["bare"] = stack.enter_context(bare_like(g, "bare", cold))
        try:
            turns["libvirt"] = VirshLife(g, bare, stack.enter_context(servers.Libvirt(g)))
        except Absent as e:
            turns["libvirt"] = absent(e)
        there = {k: v for k, v in turns.items() if not isinstance(v, dict)}
        for turn in there.values():  # everything is read from disk once
            turn.life()
        count = g.rounds if g.quick else g.rounds + 2  # short ones, whose spread is large
        for i in range(count):
            g.say("machines, round %d of %d" % (i + 1, count))
            rounds.append({name: turn.life() for name, turn in there.items()})
    over = "over the bare launcher of the same round, %d rounds" % len(rounds)
    rows = (("start", "cold", "bare", "running"), ("start-prepared", "prepared", "bare", "running"),
            ("ready-cold", "cold", "bare", "ready"), ("ready-template", "template", "bare", "ready"),
            ("stop", "cold", "bare", "stop"))
    for key, ours, theirs, what in rows:
        out[key] = turns[ours] if ours not in there else _compare(rounds, ours, theirs, what, "", over)
    times = [r["template"]["ready"] for r in rounds] if "template" in there else None
    out["ready-template-ms"] = figure(times, unit="ms") if times else turns["template"]
    for key, what in (("libvirt-start", "running"), ("libvirt-stop", "stop")):
        if "libvirt" not in there:
            out[key] = turns["libvirt"]
            continue
        mine = [{"ours": r["cold"][what], "reference": r["libvirt"][what], "virsh": r["libvirt"]["virsh"]}
                for r in rounds]
        out[key] = figure([r["reference"] / r["ours"] for r in mine], unit="times", rounds=mine,
                          how="virsh's time over ours, same round", ours_ms=_median(mine, "ours"),
                          reference_ms=_median(mine, "reference"), virsh_alone_ms=_median(mine, "virsh"))
    return out


# ---- a hundred ----

def memory_left_mib():
    with open("/proc/meminfo") as f:
        return next(int(line.split()[1]) // 1024 for line in f if line.startswith("MemAvailable"))


def need_memory():
    """Emulated guests take more memory the longer they run; the computer's other programs must not suffer."""
    left = memory_left_mib()
    if left < LEAST_MIB:
        raise Absent("the machines do not fit into this computer's memory (%d MiB were left)" % left)


def _start_all(m, ids):
    """One StartInstances; (milliseconds until a poll shows all running, how many were not when patience ended)."""
    began = m.send("StartInstances", {"RegionId": m.cloud.ecs.region, "InstanceId": ids})
    try:
        running = m.poll(ids, "RUNNING", pause=0.004, deadline=MASS_S, meanwhile=need_memory)
        return (running - began) * 1000, 0
    except Failed:
        return MASS_S * 1000, sum(s != "Running" for s in m.cloud.ecs.states(ids).values())


def _stop_all(m, ids):
    """Those that are on their way refuse it, so until all of them are."""
    def stopped():
        running = [i for i, s in m.cloud.ecs.states(ids).items() if s == "Running"]
        if running:
            m.cloud.ecs("StopInstances", InstanceId=running, ForceStop=True)
        return all(s == "Stopped" for s in m.cloud.ecs.states(ids).values())
    ostler.wait_for("all machines to be stopped", stopped, DEADLINE_S, every=0.1)


def _best_concurrency(bare, n):
    """(how many at once, {each tried: ms}): the fastest of one try each. Who takes longer than the best so far is cut
    off: few at once are slow, since each start then competes with the guests that boot already."""
    tried, best = {}, DEADLINE_S * 1000
    for c in [n] + [c for c in (32, 8, 4, 2, 1) if c < n]:
        got = bare.launch("--count", str(n), "--concurrency", str(c), "--deadline", str(int(best)), "--kill",
                          folder="mass", ok=(0, 1))
        if got["failed"]:
            continue
        tried[c] = got["all_running_us"] / 1000
        best = min(best, tried[c])
    if not tried:
        raise Absent("the bare launcher did not get %d machines running within %d s" % (n, DEADLINE_S))
    return min(tried, key=tried.get), tried


def _count_up(m, ids):
    up = 0
    for iid in ids:
        with contextlib.suppress(FileNotFoundError), open(os.path.join(m.folder(iid), "serial.log"), "rb") as f:
            up += IS_UP in f.read()
    return up


def _adopt(m, ids):
    """Kills the server, starts it again; (ms from its start until every running machine is looked after,
    ms until it listened)."""
    before = machine_pids(m, ids)
    m.cloud.kill9()
    began = time.monotonic()
    m.cloud.start()
    listening = time.monotonic()
    request = sign.Request("GET", "/readyz", [("Host", m.cloud.address)])
    m.reconnect()
    until = began + DEADLINE_S
    while m.conn.exchange(request).status != 200:
        if time.monotonic() > until:
            raise Failed("the server has not found its machines after %d s" % DEADLINE_S)
        time.sleep(PAUSE_S)
    ready = time.monotonic()
    m.poll(ids, "RUNNING")
    if machine_pids(m, ids) != before:
        raise Failed("not every machine is the process that it was before the kill")
    return (ready - began) * 1000, (listening - began) * 1000


def machine_pids(m, ids):
    """{folder: pid} of the processes that have a machine's directory as descriptor 3."""
    wanted, out = {m.folder(i) for i in ids}, {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            folder = os.readlink("/proc/%s/fd/3" % pid)
            if folder in wanted:
                out[folder] = int(pid)
    return out


def _mass_round(m, bare, ids, at_once):
    n = len(ids)
    ground.quiet(MIB_A_START * n)
    theirs = bare.launch("--count", str(n), "--concurrency", str(at_once), "--kill", folder="mass")
    m.cloud.restart()  # memory that an earlier round left behind would hide this one's
    m.reconnect()
    m.poll(ids, "STOPPED")
    idle = m.cloud.resident_kib()
    ground.quiet(MIB_A_START * n)
    ours, failed = _start_all(m, ids)
    return {"ours": ours, "reference": theirs["all_running_us"] / 1000, "failed": failed, "idle_kib": idle,
            "running_kib": m.cloud.resident_kib()}


def _mass_rounds(g, m, bare, ids, at_once):
    rounds = []
    for i in range(g.rounds):
        g.say("%d machines, round %d of %d" % (len(ids), i + 1, g.rounds))
        rounds.append(_mass_round(m, bare, ids, at_once))
        if rounds[-1]["failed"]:  # more of it would take very long and say the same
            break
        if i + 1 < g.rounds:
            _stop_all(m, ids)
    return rounds


def _while_running(g, m, ids, rounds):
    """The figures that need all of them to run, after the last round's start."""
    n, failed = len(ids), rounds[-1]["failed"]
    if failed:
        why = absent("%d of %d machines did not run %d s after their start" % (failed, n, MASS_S))
        return {"memory-machine": why, "adopt": why}
    up = _count_up(m, ids)  # most boot still, and leave the server little: a hundred boots take minutes
    adopted = [_adopt(m, ids) for _ in range(g.rounds)]
    return {
        "memory-machine": figure([(r["running_kib"] - r["idle_kib"]) / n for r in rounds], unit="KiB", count=n,
                                 how="resident memory with %d running less that before, each" % n),
        "adopt": figure([ready / 1000 for ready, _ in adopted], unit="s", count=n, guests_up=up,
                        rounds=[{"ready_ms": a, "listening_ms": b} for a, b in adopted],
                        how="from the new process's start until /readyz says that all %d machines are found" % n)}


def measure_mass(g):
    """All at once, beside as many bare launches; what they add to the server's memory; and a kill with all running."""
    need_guest()
    n = 10 if g.quick else MASS
    with Machines(g, "mass") as m, bare_like(g, "many", m) as bare:
        g.say("%d machines: creating them" % n)
        ids = [m.cloud.ecs.create() for _ in range(n)]
        m.cloud.ecs.wait_all(ids, "Stopped", DEADLINE_S)
        at_once, tried = _best_concurrency(bare, n)
        rounds = _mass_rounds(g, m, bare, ids, at_once)
        out = _while_running(g, m, ids, rounds)
        _stop_all(m, ids)
    out["mass-start"] = figure(ground.ratios(rounds), rounds=rounds, count=n, concurrency=at_once, tried_ms=tried,
                               how="over as many bare launches, %d at once" % at_once, ours_ms=_median(rounds, "ours"),
                               reference_ms=_median(rounds, "reference"))
    out["mass-failed"] = figure([max(r["failed"] for r in rounds)], unit="machines", count=n,
                                how="not running %d s after the start, the worst round" % MASS_S)
    out["memory-idle"] = figure([r["idle_kib"] / 1024 for r in rounds], unit="MiB",
                                how="resident, after a start, one connection and a few requests; %d instances" % n)
    return out
