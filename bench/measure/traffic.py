"""Requests: reads and durable writes beside nginx, the bare disk and moto, in turns.

Servers and generator have all processors, ours and theirs alike. The generator signs each request afresh, also those
that nginx answers without looking. Where it is the busiest, the ratio of requests a second flatters whoever is
slower, so every round also has the requests for a second of the server's own processor time.
"""
import contextlib
import json
import os
import struct
import threading
import time

from . import ground, servers
from .ground import Failed, figure
from .servers import Cloud, Nginx, load

import ostler
import sign

INSTANCES = 1024  # by turns: an instance's last change is through before its next one
TAIL_SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


def make_instances(cloud, n):
    """So many running instances."""
    ids = []
    while len(ids) < n:
        ids += cloud.ecs.run(min(100, n - len(ids)))
    cloud.ecs.wait_all(ids, "Running", 60)
    return ids


def all_running(cloud, ids):
    """A round of pairs leaves some stopped, some on their way, and requests whose answers nobody waited for."""
    def start_stopped():
        states = cloud.ecs.states(ids)
        stopped = [i for i, s in states.items() if s == "Stopped"]
        for at in range(0, len(stopped), 100):
            cloud.ecs("StartInstances", InstanceId=stopped[at:at + 100])  # refused: looked at again
        return all(s == "Running" for s in states.values())
    ostler.wait_for("all instances to run", start_stopped, 60, every=0.05)


# ---- reads ----

def read_body(cloud, scheme, iid):
    """What the server answers the generator's read: nginx gets the same text to say."""
    account, address = cloud.account, cloud.address
    if scheme == "zc2":
        r = sign.zc2(*account, address, "DescribeInstancesStatus", {"instanceIds": [iid]})
    else:
        r = cloud.ecs.request("DescribeInstanceStatus", {"InstanceId": [iid], "RegionId": "cn-hangzhou"},
                              signer=scheme)
    reply = cloud.send(r)
    if reply.status != 200:
        raise Failed("the read that nginx is to repeat: HTTP %d" % reply.status)
    return reply.body.decode()


def side(r):
    """What of one run of the generator is kept in a round."""
    cpu = max(r["server_cpu_seconds"], 0.01)
    return {"rps": r["rps"], "per_cpu_second": r["answers"] / cpu, "server_busy": cpu / r["seconds"],
            "generator_busy": r["own_cpu_seconds"] / r["seconds"], "p50_us": r["latency_us"]["p50"],
            "p99_us": r["latency_us"]["p99"], "refused": r["refused"], "errors": r["errors"]}


def beside(rounds, how, **facts):
    """The figure of rounds that have a side each of `ours` and `reference`."""
    values = [r["ours"]["rps"] / r["reference"]["rps"] for r in rounds]
    return figure(values, how=how, rounds=rounds,
                  ours_rps=_median(rounds, "ours", "rps"), reference_rps=_median(rounds, "reference", "rps"),
                  per_cpu_second=figure([r["ours"]["per_cpu_second"] / r["reference"]["per_cpu_second"]
                                         for r in rounds])["value"],
                  ours_busy=_median(rounds, "ours", "server_busy"),
                  reference_busy=_median(rounds, "reference", "server_busy"),
                  generator_busy=_median(rounds, "ours", "generator_busy"),
                  generator_busy_reference=_median(rounds, "reference", "generator_busy"), **facts)


def _median(rounds, who, what):
    return figure([r[who][what] for r in rounds])["value"]


def _seconds(g, full):
    return min(full, 0.7) if g.quick else full


def measure_reads(g):
    """One instance's status: V3, ZC2, V1; and V3 under TLS."""
    kinds = (("read-alibaba", "v3", False), ("read-zenlayer", "zc2", False), ("read-v1", "v1", False),
             ("read-tls", "v3", True))
    rounds = {key: [] for key, _, _ in kinds}
    with Cloud(g, "reads") as cloud:
        ids = make_instances(cloud, 100)
        path = servers.write_ids(g, "read-ids", ids)
        tls = tuple(os.path.join(cloud.data, "server." + end) for end in ("pem", "key"))
        bodies = {scheme: read_body(cloud, scheme, ids[0]) for scheme in ("v3", "zc2", "v1")}
        with Nginx(g, bodies, tls) as nginx:
            for i in range(g.rounds):
                g.say("reads, round %d of %d" % (i + 1, g.rounds))
                for key, scheme, secure in kinds:
                    more = {"ids": path, "scheme": scheme, "seconds": _seconds(g, 1.5),
                            "cacert": cloud.ca if secure else None}
                    theirs = load(g, nginx.url(scheme, secure), "read", cloud.account, pid=nginx.workers, **more)
                    ours = load(g, cloud.tls_url if secure else cloud.url, "read", cloud.account,
                                pid=cloud.process.pid, **more)
                    rounds[key].append({"ours": side(ours), "reference": side(theirs)})
    return {key: beside(r, "over nginx, a worker a processor, a fixed answer of the same length") for key, r in rounds.items()}


def measure_page(g):
    """A page of a hundred instances beside one instance's point read, both DescribeInstances."""
    rounds = []
    with Cloud(g, "pages") as cloud:
        path = servers.write_ids(g, "page-ids", make_instances(cloud, 200))
        for i in range(g.rounds):
            g.say("pages, round %d of %d" % (i + 1, g.rounds))
            row = {}
            for name, connections in (("saturated", 64), ("alone", 1)):
                for what, op in (("read", "read"), ("get", "get"), ("page", "page")):
                    row[name + "-" + what] = load(g, cloud.url, op, cloud.account, ids=path, connections=connections,
                                                  seconds=_seconds(g, 1.0), pid=cloud.process.pid)["rps"]
            rounds.append(row)
    facts = {n: figure([r["saturated-" + n] for r in rounds])["value"] for n in ("read", "get", "page")}
    return {"page-point": figure([r["saturated-read"] / r["saturated-page"] for r in rounds], rounds=rounds,
                                 how="time of a page over time of DescribeInstanceStatus of one, 64 connections",
                                 read_rps=facts["read"], get_rps=facts["get"], page_rps=facts["page"],
                                 over_one_full=figure([r["saturated-get"] / r["saturated-page"]
                                                       for r in rounds])["value"],
                                 alone=figure([r["alone-read"] / r["alone-page"] for r in rounds])["value"])}


# ---- the write-ahead log ----

WAL_HEADER, FRAME_HEADER = 32, 24


def wal_commits(path):
    """(commits, bytes) of the frames that the log holds now; those of its earlier turns have other salts."""
    with open(path, "rb") as f:
        head = f.read(WAL_HEADER)
        if len(head) < WAL_HEADER:
            return 0, 0
        page, salts = struct.unpack(">I", head[8:12])[0], head[16:24]
        commits = frames = 0
        while True:
            frame = f.read(FRAME_HEADER)
            if len(frame) < FRAME_HEADER or frame[8:16] != salts:
                return commits, frames * (page + FRAME_HEADER)
            frames += 1
            commits += struct.unpack(">I", frame[4:8])[0] != 0
            f.seek(page, os.SEEK_CUR)


def wal_salts(path):
    with contextlib.suppress(OSError), open(path, "rb") as f:
        return f.read(WAL_HEADER)[16:24]
    return b""


class WalWatch:
    """Looks at the log ten times a second: its largest size, and how often it began anew after a checkpoint."""

    def __init__(self, cloud):
        self.path = os.path.join(cloud.data, "ostler.db-wal")
        self.largest, self.turns, self.salts = 0, 0, wal_salts(self.path)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self):
        while not self.done.wait(0.1):
            with contextlib.suppress(OSError):
                self.largest = max(self.largest, os.path.getsize(self.path))
            salts = wal_salts(self.path)
            self.turns += salts != self.salts
            self.salts = salts

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


# ---- writes ----

def disk(g, data, size, *, append=False):
    """The bare disk's turn, in the same folder and on the same processor as our server."""
    argv = [ground.program("fdatasync"), "--file", os.path.join(data, "bare"), "--bytes", str(size), "--seconds", "1"]
    return json.loads(g.run(argv + (["--append"] if append else [])))


def _pairs(g, cloud, ids, path, **more):
    all_running(cloud, ids)
    return load(g, cloud.url, "pair", cloud.account, ids=path, pid=cloud.process.pid, **more)


def _bytes_alone(g, cloud, path):
    """What the commit of one write alone adds to the log: one client, so that none is shared."""
    log = os.path.join(cloud.data, "ostler.db-wal")
    salts, (commits, size) = wal_salts(log), wal_commits(log)
    load(g, cloud.url, "pair", cloud.account, ids=path, connections=1, seconds=0.4, warmup=0)
    if wal_salts(log) != salts:  # it began anew meanwhile: all that it holds now is of this client
        commits = size = 0
    more, larger = wal_commits(log)
    if more <= commits:
        raise Failed("one client's writes left no commit in the log")
    return (larger - size) // (more - commits)


def _bytes_shared(cloud):
    commits, size = wal_commits(os.path.join(cloud.data, "ostler.db-wal"))
    return size // commits if commits else None


def measure_writes(g):
    """Durable starts and stops at full speed, then at shares of it."""
    rounds, tail, seconds = [], [], _seconds(g, 3.0)
    with Cloud(g, "writes") as cloud:
        ids = make_instances(cloud, INSTANCES)
        path = servers.write_ids(g, "write-ids", ids)
        body = json.dumps({"RequestId": "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"}, separators=(",", ":"))
        with Nginx(g, {"pair": body}) as nginx, WalWatch(cloud) as wal:
            size = _bytes_alone(g, cloud, path)
            for i in range(g.rounds):
                g.say("writes, round %d of %d" % (i + 1, g.rounds))
                theirs = load(g, nginx.url("pair"), "pair", cloud.account, ids=path, pid=nginx.workers,
                              seconds=_seconds(g, 2.0))
                ours = _pairs(g, cloud, ids, path, seconds=seconds)
                rounds.append({"ours": side(ours), "reference": side(theirs), "bytes_shared": _bytes_shared(cloud),
                               "disk": disk(g, cloud.data, size), "disk_append": disk(g, cloud.data, size, append=True)})
            most = _median(rounds, "ours", "rps")
            for i in range(g.rounds):
                g.say("writes at half of that, round %d of %d" % (i + 1, g.rounds))
                turns = wal.turns
                r = _pairs(g, cloud, ids, path, rate=most / 2, histogram=True, seconds=_seconds(g, 4.0))
                tail.append(dict(_latencies(r), log_began_anew=wal.turns - turns))
            curve = []
            for share in TAIL_SHARES if not g.quick else (0.5, 0.9):
                r = _pairs(g, cloud, ids, path, rate=most * share, seconds=_seconds(g, 3.0))
                curve.append(dict(_latencies(r), share=share, histogram=None))
    how = "over nginx, a worker a processor, a fixed answer of the same length"
    return {
        "write-nginx": beside(rounds, how),
        "write-disk": figure([r["ours"]["rps"] / r["disk"]["rps"] for r in rounds], rounds=rounds,
                             how="requests a second over fdatasyncs a second, each after overwriting %d bytes" % size,
                             bytes_per_commit=size,
                             bytes_per_shared_commit=_median_of(rounds, lambda r: r["bytes_shared"] or 0),
                             disk_rps=_median_of(rounds, lambda r: r["disk"]["rps"]),
                             over_appending=_median_of(rounds, lambda r: r["ours"]["rps"] / r["disk_append"]["rps"])),
        "write-tail": figure([t["p99_us"] / t["p50_us"] for t in tail], rounds=tail, how="p99 over p50",
                             rate=most / 2, curve=curve, log_began_anew=sum(t["log_began_anew"] for t in tail),
                             p50_us=_median_of(tail, lambda t: t["p50_us"]),
                             p99_us=_median_of(tail, lambda t: t["p99_us"])),
        "wal": figure([wal.largest / (1 << 20)], unit="MiB", how="the log's largest size, looked at ten times a second",
                      log_began_anew=wal.turns),
    }


def _median_of(rounds, get):
    return figure([get(r) for r in rounds])["value"]


def _latencies(r):
    return {"rps": r["rps"], "rate": r["rate"], "refused": r["refused"], "histogram": r.get("histogram"),
            **{p + "_us": r["latency_us"][p] for p in ("p50", "p90", "p99", "p999", "max")}}


# ---- moto ----

class Caller(threading.Thread):
    """Stops and starts one instance of moto's by turns, one answer after the other."""

    def __init__(self, moto, until):
        super().__init__(daemon=True)
        self.moto, self.until, self.calls, self.error = moto, until, 0, None
        iid = moto.new_instance()
        self.pair = [moto.request(a, **{"InstanceId.1": iid}) for a in ("StopInstances", "StartInstances")]

    def run(self):
        conn = None
        try:
            while time.monotonic() < self.until[0]:
                _, conn = self.moto.call(self.pair[self.calls % 2], conn)
                self.calls += 1
        except Exception as e:  # told by who waits for the thread
            self.error = e


def moto_rate(g, moto, clients, seconds):
    until = [0]
    callers = [Caller(moto, until) for _ in range(clients)]
    began = time.monotonic()
    until[0] = began + seconds
    for c in callers:
        c.start()
    for c in callers:
        c.join(seconds + 60)
    for c in callers:
        if c.error or c.is_alive():
            raise Failed("moto: %s" % (c.error or "no answer"))
    return sum(c.calls for c in callers) / (time.monotonic() - began)


def measure_moto(g):
    """The same starts and stops over moto's, at the number of clients that suits it best."""
    rounds = []
    with servers.Moto(g) as moto, Cloud(g, "beside-moto") as cloud:
        ids = make_instances(cloud, INSTANCES)
        path = servers.write_ids(g, "moto-ids", ids)
        tried = {n: moto_rate(g, moto, n, 1.0) for n in (1, 2, 4, 8)}
        best = max(tried, key=tried.get)
        for i in range(g.rounds):
            g.say("moto, round %d of %d" % (i + 1, g.rounds))
            theirs = moto_rate(g, moto, best, _seconds(g, 2.0))
            ours = _pairs(g, cloud, ids, path, seconds=_seconds(g, 2.0))
            rounds.append({"ours": side(ours), "reference": {"rps": theirs}})
    return {"write-moto": figure([r["ours"]["rps"] / r["reference"]["rps"] for r in rounds], rounds=rounds,
                                 how="over moto's, %d clients" % best, tried_rps=tried,
                                 ours_rps=_median(rounds, "ours", "rps"),
                                 reference_rps=_median(rounds, "reference", "rps"))}
