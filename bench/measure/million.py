"""A large store beside a small one: the same requests, in turns, to two servers."""
import hashlib
import os
import shutil
import time

from . import ground, servers
from .ground import Failed, figure
from .servers import Cloud, load
from .traffic import _seconds

import sign

SMALL, LARGE = 1000, 1000000
RUNNING = {SMALL: 800, LARGE: 10}  # of a thousand: a full page of running ones in both, also within one region
DEADLINE_S = 60


def seeded(g, n):
    """A data directory with so many instances; made once, kept below .cache for the next run."""
    tool = ground.program(os.path.join("seed", "bench-seed"))
    with open(tool, "rb") as f:
        made_by = hashlib.sha256(f.read()).hexdigest()[:12]
    running = RUNNING.get(n, RUNNING[LARGE])
    folder = os.path.join(ground.CACHE, "seed-%d-%d-%s" % (n, running, made_by))
    if not os.path.exists(os.path.join(folder, "ostler.db")):
        g.say("a store with %d instances" % n)
        for name in os.listdir(ground.CACHE):  # of an earlier build
            if name.startswith("seed-%d-" % n):
                shutil.rmtree(os.path.join(ground.CACHE, name), ignore_errors=True)
        g.run([tool, "--instances", str(n), "--running", str(running), folder + ".new"], timeout=900)
        os.rename(folder + ".new", folder)
    return folder


def large_of(g):
    return 100000 if g.quick else LARGE


def prepare(g):
    for n in (SMALL, large_of(g)):
        seeded(g, n)


def some_ids(cloud):
    """Of the first pages and of some far behind, so that no page of the store is hot by chance."""
    ecs, ids = cloud.ecs, []
    total = ecs.ok("DescribeInstances", PageSize=10)["TotalCount"]
    last = max(1, total // 100)
    for page in sorted({1 + i * (last - 1) // 9 for i in range(10)}):
        got = ecs.ok("DescribeInstances", PageSize=100, PageNumber=page)["Instances"]["Instance"]
        ids += [i["InstanceId"] for i in got]
    return ids, total


def wait_ready(cloud, began):
    request = sign.Request("GET", "/readyz", [("Host", cloud.address)])
    with cloud.connect() as c:
        while c.exchange(request).status != 200:
            if time.monotonic() > began + DEADLINE_S:
                raise Failed("the server is not ready after %d s" % DEADLINE_S)
            time.sleep(0.001)
    return time.monotonic() - began


def restart(cloud):
    cloud.stop()
    began = time.monotonic()
    cloud.start()
    return {"listening_s": time.monotonic() - began, "ready_s": wait_ready(cloud, began)}


def _turns(g, op, sides):
    """{side: requests a second}; answers of another length would be another question."""
    rates, lengths = {}, []
    for name, cloud, path, _ in sides:
        r = load(g, cloud.url, op, cloud.account, ids=path, seconds=_seconds(g, 1.2), pid=cloud.process.pid)
        rates[name] = r["rps"]
        lengths.append(r["bytes"] / r["answers"])
    if max(lengths) > 1.15 * min(lengths):
        raise Failed("%s: the two stores' answers are not alike: %s bytes" % (op, " and ".join(map("%.0f".__mod__, lengths))))
    return rates


def measure_million(g):
    """A million instances beside a thousand: reads, pages, filters; and how soon the server is ready."""
    large = large_of(g)
    kinds = (("million-point", "read"), ("million-page", "page"), ("million-filter", "filter"))
    rounds, ready = {key: [] for key, _ in kinds}, []
    with Cloud(g, "small", data=seeded(g, SMALL)) as small, Cloud(g, "large", data=seeded(g, large)) as big:
        sides = []
        for name, cloud in (("small", small), ("large", big)):
            ids, total = some_ids(cloud)
            sides.append((name, cloud, servers.write_ids(g, name + "-ids", ids), total))
        for i in range(g.rounds):
            g.say("%d instances, round %d of %d" % (large, i + 1, g.rounds))
            for key, op in kinds:
                rounds[key].append(_turns(g, op, sides))
        for _ in range(g.rounds):
            ready.append(restart(big))
        resident = big.resident_kib() / 1024
    out = {key: figure([r["small"] / r["large"] for r in rows], rounds=rows, count=large,
                       small_rps=figure([r["small"] for r in rows])["value"],
                       large_rps=figure([r["large"] for r in rows])["value"],
                       how="time with %d instances over time with %d, 64 connections" % (large, SMALL))
           for key, rows in rounds.items()}
    out["million-ready"] = figure([r["ready_s"] for r in ready], unit="s", rounds=ready, count=large,
                                  resident_mib=resident, in_region={name: total for name, _, _, total in sides},
                                  how="from the process's start until /readyz says so, %d instances" % large)
    return out
