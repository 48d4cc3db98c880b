"""Servers and instances in the states that refusals come from, each made when it is first asked for.

What is here is shared by all causes: a cause that changes it changes it back.
"""
import contextlib
import functools
import json
import os
import resource
import sqlite3
import tempfile
import uuid

import pytest

import ostler
import setups
import sign

GHOST = "i-bp1" + "0" * 17
ZGHOST = "1234567890123456789"
CONNECTIONS = 4096  # that a server takes


def made_once(f):
    """A method whose result is kept, for each of its arguments."""
    @functools.wraps(f)
    def method(self, *args):
        key = (f.__name__,) + args
        if key not in self.kept:
            self.kept[key] = f(self, *args)
        return self.kept[key]
    return method


class World:
    def __init__(self, dump):
        self.dump = dump
        self.kept = {}
        self.end = contextlib.ExitStack()
        self.slow_connections = {}
        try:
            self._begin_slowly([a["name"] for a in dump if a["dialect"] == "zenlayer"])
        except BaseException:
            self.close(failed=True)
            raise

    def close(self, failed):
        try:
            for connections in (self.slow_connections.values(), self.kept.get(("crowd",), ())):
                for c in connections:
                    c.close()
        finally:
            self.end.__exit__(AssertionError if failed else None, None, None)

    def dumped(self, dialect, action):
        """The action's part of `ostler api dump`."""
        return next(a for a in self.dump if (a["dialect"], a["name"]) == (dialect, action))

    def serve(self, **kw):
        return self.end.enter_context(ostler.Server(**kw))

    # ---- servers ----

    @property
    @made_once
    def main(self):
        return self.serve(args=["--controls"])

    @property
    @made_once
    def held(self):
        """Its operations take ten minutes."""
        s = self.serve()
        self.kept["held starting",] = iid = s.ecs.create_stopped()
        s.restart(sim=ostler.HELD)
        s.ecs.ok("StartInstance", InstanceId=iid)
        return s

    def starting(self):
        return self.held and self.kept["held starting",]

    @made_once
    def pending(self):
        return self.held.ecs.create()

    @property
    @made_once
    def full(self):
        """It has room for one machine of the smallest type, and one runs."""
        s = self.serve(args=["--capacity-memory", "512"])
        self.kept["no room for",] = s.ecs.create_stopped()
        s.ecs.create_running()
        return s

    def waits_for_room(self):
        return self.full and self.kept["no room for",]

    @property
    @made_once
    def https_only(self):
        return self.serve(args=["--listen", "0.0.0.0:0"])

    @property
    @made_once
    def damaged(self):
        """Its database lost its access keys while it serves, as a failing disk loses them."""
        s = self.serve(check_log=False)
        assert s.account
        with self._database(s) as db:
            db.execute("ALTER TABLE access_key RENAME TO access_key_lost")
        return s

    @made_once
    def zone_too_many(self):
        """(server, region, zone): the region's default network has no room for a subnet in the zone."""
        with open(os.path.join(ostler.ROOT, "data", "catalogue.json"), encoding="utf-8") as f:
            catalogue = json.load(f)
        region = next(r for r in catalogue["regions"] if r["family"] == "alibaba")
        region["zones"] = [{"id": "%s-%d" % (region["id"], i), "name": "Zone %d" % i, "localName": ""}
                           for i in range(257)]
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as f:
            json.dump(catalogue, f)
        self.end.callback(os.unlink, f.name)
        s = self.serve(args=["--catalogue", f.name])
        for zone in region["zones"][:-1]:
            s.operator("MakeNetwork", zone=zone["id"])
        return s, region["id"], region["zones"][-1]["id"]

    @property
    @made_once
    def exhausted(self):
        """Its default subnets are full of machines that are being created: ECS's to the last address, for ZEC there
        is no room for a hundred more."""
        s = self.serve(sim=ostler.HELD)
        shape = self.kept["a hundred more",] = s.zec.shape(instanceCount=100)
        while s.ecs("RunInstances", s.ecs.shape(Amount=100, MinAmount=1))[0] == 200:
            pass
        while s.zec("CreateZecInstances", shape)[0] == 200:
            pass
        return s

    def no_addresses_for(self):
        return self.exhausted and self.kept["a hundred more",]

    @property
    @made_once
    def crowded(self):
        """As many connections are open as it takes, and each has asked something: such a one may be idle for more
        than a minute, a silent one is closed after ten seconds."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + 200:
            pytest.skip("needs %d open files, and the hard limit (ulimit -Hn) is %d" % (CONNECTIONS + 200, hard))
        if soft < CONNECTIONS + 200:
            resource.setrlimit(resource.RLIMIT_NOFILE, (CONNECTIONS + 200, hard))
        s = self.serve()
        assert s.account
        ask = sign.Request("GET", "/healthz", [("Host", s.address)])
        crowd = self.kept["crowd",] = []
        for _ in range(CONNECTIONS):
            crowd.append(s.connect())
            assert crowd[-1].exchange(ask).status == 200
        return s

    def _begin_slowly(self, actions):
        """Requests whose heads never end; the server gives up after ten seconds."""
        for action in actions:
            self.slow_connections[action] = c = self.main.connect()
            r = self.main.zec.request(action)
            c.send(("POST %s HTTP/1.1\r\n" % r.target + "".join("%s: %s\r\n" % h for h in r.headers)).encode())

    # ---- the usual server ----

    @property
    def ecs(self):
        return Calls(self.main.ecs)

    @property
    def zec(self):
        return Calls(self.main.zec)

    @made_once
    def made(self, setup):
        """The id of an instance that setups.py brings into this state."""
        return setups.made_by(self.main, setup)["id"]

    @made_once
    def protected(self):
        return self.main.ecs.create_stopped(DeletionProtection=True)

    @made_once
    def subscribed(self, another=""):
        """`another`: one of its own, for what will be done to it."""
        iid = self.main.ecs.create(InstanceChargeType="PrePaid", Period=1)
        self.main.wait_state(iid, "Stopped")
        return iid

    @made_once
    def running_with_a_broken_disk(self):
        iid = self.main.ecs.create_running()
        self.main.operator("FailDisk", instanceId=iid)
        return iid

    @made_once
    def encrypted(self, state):
        make = {"stopped": self.main.ecs.create_stopped, "running": self.main.ecs.create_running}[state]
        return make(DataDisk=[{"Size": 20, "Encrypted": True}])

    @contextlib.contextmanager
    def keys(self, spoil, mend):
        """The keys of encrypted disks after one control, until another mends them: "RevokeKms", "GrantKms"."""
        self.main.operator(spoil)
        try:
            yield
        finally:
            self.main.operator(mend)

    @made_once
    def elsewhere(self):
        """(region, instance) of another region than the usual one."""
        region = next(r["RegionId"] for r in self.main.ecs.ok("DescribeRegions")["Regions"]["Region"]
                      if r["RegionId"] != self.main.ecs.region)
        iid = self.main.ecs.create(RegionId=region)
        self.main.wait_state(iid, "Stopped", ecs=ostler.Ecs(self.main, region=region))
        return region, iid

    @made_once
    def zec_shape(self):
        return self.main.zec.shape()

    @made_once
    def disabled_key(self):
        """(id, secret) of an access key that was switched off."""
        made = self.main.operator("CreateAccessKey")
        self.main.secrets.append(("a disabled access key's secret", made["accessKeySecret"]))
        self.main.operator("SetAccessKeyStatus", accessKeyId=made["accessKeyId"], active=False)
        return made["accessKeyId"], made["accessKeySecret"]

    # ---- what no verb brings about: records that are lost ----

    @contextlib.contextmanager
    def _database(self, server):
        db = sqlite3.connect(os.path.join(server.data, "ostler.db"), timeout=20)
        try:
            with db:
                yield db
        finally:
            db.close()

    @property
    @made_once
    def lossy(self):
        """Its database lost the system disks while it was down."""
        s = self.serve()
        self.kept["lost", "stopped"], self.kept["lost", "running"] = s.ecs.create_stopped(), s.ecs.create_running()
        s.stop()
        with self._database(s) as db:
            assert db.execute("DELETE FROM disk WHERE kind = 0").rowcount == 2
        s.start()
        return s

    def without_system_disk(self, state):
        """(its server's calls, instance)"""
        return Calls(self.lossy.ecs), self.kept["lost", state]


class Calls:
    """As ostler.Ecs and ostler.Zec, whose calls return the reply alone."""

    def __init__(self, api):
        self.api = api

    def __call__(self, *args, **kw):
        return self.api(*args, **kw)[2]

    def send(self, request):
        return self.api.server.send(request)

    def __getattr__(self, name):
        return getattr(self.api, name)


def new_token():
    return uuid.uuid4().hex
