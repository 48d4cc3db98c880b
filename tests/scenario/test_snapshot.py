"""Snapshots and resets: the same ids and the same answers, whatever happened meanwhile, and whoever died in the
middle."""
import concurrent.futures
import json
import os
import re
import shutil
import sqlite3
import threading

import pytest

import ostler
import sign
import wire

CONTROLS = ["--controls"]


@pytest.fixture
def s(new_server):
    return new_server(engine="sim", args=CONTROLS)


def save(s, name="one"):
    s.operator("SaveSnapshot", name=name)


def load(s, name="one"):
    s.operator("LoadSnapshot", name=name)


def call(s, action, **body):
    """(status, object), by a program on this computer, without the socket."""
    data = json.dumps(body).encode()
    r = sign.Request("POST", "/_ostler/v1/" + action, [("Host", s.address), ("Content-Length", str(len(data)))], data)
    reply = s.send(r)
    return reply.status, reply.json()


def same(body):
    """An answer without what is each answer's own."""
    return re.sub(rb'"(RequestId|requestId)":"[^"]*"', b'"RequestId":""', body)


def answers(s, ids, zec_ids, ecs=None, zec=None):
    """What both clouds and the operator say, as bytes."""
    ecs, zec = ecs or s.ecs, zec or s.zec
    out = [ecs("DescribeInstances", PageSize=100), ecs("DescribeInstanceStatus", PageSize=50),
           ecs("DescribeImages", PageSize=50), zec("DescribeInstances", {"pageSize": 100}),
           zec("DescribeInstancesStatus", {"pageSize": 100})]
    out += [ecs("DescribeInstanceAttribute", InstanceId=i) for i in ids]
    out += [zec("DescribeInstances", {"instanceIds": [i]}) for i in zec_ids]
    assert {status for status, _, _ in out} == {200}
    rest = [s.operator(a) for a in ("ListEvents", "ListKeyPairs", "ListAccounts", "ListAccessKeys")]
    for r in rest:
        r.pop("requestId")
    return [same(reply.body) for _, _, reply in out] + rest


def rows(s, sql):
    """Straight from the database's file."""
    db = sqlite3.connect(os.path.join(s.data, "ostler.db"), timeout=10, isolation_level=None)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def machines(s):
    """What runs on the sim engine."""
    return set(os.listdir(os.path.join(s.data, "sim"))) - {"log"}


def world(s):
    """Instances in several states, of both clouds, with all that may hang on them."""
    ids = {"running": s.ecs.create_running(InstanceName="web"), "stopped": s.ecs.create_stopped(),
           "locked": s.ecs.create_stopped()}
    s.operator("LockInstance", instanceId=ids["locked"], reason="security")
    ids["zec"] = s.zec.create_running()
    s.operator("ImportKeyPair", name="ops", publicKey="ssh-ed25519 "
               "AAAAC3NzaC1lZDI1NTE5AAAAIJK4DnUuTcXI8QwVAKn4sVpPBYTHVKcfnmvCNNjzqyTg ops")
    return ids


def change_everything(s, ids):
    s.ecs.ok("DeleteInstance", InstanceId=ids["running"], Force="true")
    s.ecs.ok("StartInstance", InstanceId=ids["stopped"])
    s.operator("UnlockInstance", instanceId=ids["locked"], reason="security")
    s.operator("DeleteKeyPair", keyPair="ops")
    s.operator("RevokeKms")
    s.operator("SetAccount", recycleBin=True)
    s.wait_state(ids["running"], "")
    s.wait_state(ids["stopped"], "Running")
    return s.ecs.create_running()


def test_same_ids_and_same_answers_after_a_load(s):
    ids = world(s)
    running = {ids["running"], ids["zec"]}
    ecs_ids = [ids["running"], ids["stopped"], ids["locked"]]
    before = answers(s, ecs_ids, [ids["zec"]])
    save(s)
    assert answers(s, ecs_ids, [ids["zec"]]) == before  # to save leaves no trace
    later = change_everything(s, ids)
    load(s)
    assert answers(s, ecs_ids, [ids["zec"]]) == before
    ostler.wait_for("the machines that ran to run, and no other", lambda: machines(s) == running)
    assert s.ecs.state(later) == ""
    s.ecs.ok("StopInstance", InstanceId=ids["running"])  # and they go on
    s.wait_state(ids["running"], "Stopped")
    load(s)
    assert answers(s, ecs_ids, [ids["zec"]]) == before
    s.restart()
    assert answers(s, ecs_ids, [ids["zec"]])[:5] == before[:5]
    assert machines(s) == running


def test_tokens_and_counters_continue_as_they_were(s):
    early = s.ecs.run(ClientToken="early")
    s.wait_state(early[0], "Running")
    save(s)
    addresses = [s.ecs.describe(s.ecs.create_stopped())["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]]
    late = s.ecs.run(ClientToken="late")
    s.wait_state(late[0], "Running")
    load(s)
    assert s.ecs.run(ClientToken="early") == early
    addresses.append(s.ecs.describe(s.ecs.create_stopped())["VpcAttributes"]["PrivateIpAddress"]["IpAddress"])
    assert addresses[0] == addresses[1]
    again = s.ecs.run(ClientToken="late")
    assert again != late and s.ecs.state(late[0]) == ""
    status, code, _ = s.ecs.refused("RunInstances", s.ecs.shape(Amount=2, ClientToken="early"))
    assert (status, code) == (400, "IdempotentParameterMismatch")


def test_keys_are_as_they_were_and_no_request_is_taken_twice(s):
    made = s.operator("CreateAccount", name="tester", accessKey=True)
    ecs = ostler.Ecs(s, made["accessKeyId"], made["accessKeySecret"])
    iid = ecs.create()
    s.wait_state(iid, "Stopped", ecs=ecs)
    save(s)
    used = [ecs.request("DescribeRegions", {}), ecs.request("StartInstance", {"InstanceId": iid})]
    assert [s.send(r).status for r in used] == [200, 200]
    s.operator("DeleteAccessKey", accessKeyId=made["accessKeyId"])
    assert ecs.refused("DescribeRegions")[1] == "InvalidAccessKeyId.NotFound"
    load(s)
    assert [s.send(r).json()["Code"] for r in used] == ["SignatureNonceUsed"] * 2
    assert ecs.state(iid) == "Stopped"
    s.operator("SetAccessKeyStatus", accessKeyId=made["accessKeyId"], active=False)
    save(s, "off")
    s.operator("SetAccessKeyStatus", accessKeyId=made["accessKeyId"], active=True)
    load(s, "off")
    assert ecs.refused("DescribeRegions")[1] == "InvalidAccessKeyId.Inactive"
    load(s)
    assert ecs("DescribeRegions")[0] == 200


def test_jobs_of_a_snapshot_are_taken_up(new_server):
    s = new_server(engine="sim", args=CONTROLS, sim=dict(ostler.HELD, create="10ms"))
    iid = s.ecs.create_stopped()
    s.ecs.ok("StartInstance", InstanceId=iid)
    making = rows(s, "SELECT id, verb FROM job")
    save(s)
    load(s)  # what is under way is hurried, and begins again
    assert s.ecs.state(iid) == "Starting" and rows(s, "SELECT id, verb FROM job") == making
    s.restart(sim=ostler.FAST)
    s.wait_state(iid, "Running")
    assert machines(s) == {iid}
    load(s)  # without a restart
    s.wait_state(iid, "Running")


def test_a_stop_that_is_under_way_does_not_hold_a_load_up(new_server):
    s = new_server(engine="sim", args=CONTROLS, sim=dict(ostler.HELD, create="10ms", start="10ms"))
    iid = s.ecs.create_running()
    save(s)
    s.ecs.ok("StopInstance", InstanceId=iid)
    load(s)
    assert s.ecs.state(iid) == "Running"
    ostler.wait_for("its machine to run", lambda: machines(s) == {iid})
    s.ecs.ok("RebootInstance", InstanceId=iid)
    load(s)
    assert s.ecs.state(iid) == "Running"


# ---- with the other controls ----



def test_clocks_are_as_they_were(s):
    mine, ecs = tenant(s, "mine")
    s.cli("clock", "advance", "31d")
    s.cli("clock", "freeze", "--account", mine)
    theirs = s.cli("clock", "show", "--account", mine).stdout
    save(s)
    s.cli("clock", "advance", "400d")
    s.cli("clock", "advance", "5d", "--account", mine)
    assert s.cli("clock", "show", "--account", mine).stdout != theirs
    load(s)
    assert s.cli("clock", "show", "--account", mine).stdout == theirs
    months = [int(c["createdAt"][5:7]) for c in [s.operator("CreateAccount", name="now")]]
    s.operator("Reset", account=mine)
    assert s.cli("clock", "show", "--account", mine).stdout != theirs
    s.operator("Reset")
    assert months != [int(c["createdAt"][5:7]) for c in [s.operator("CreateAccount", name="now")]]


def test_a_load_while_a_clock_is_on_its_way(s):
    s.ecs.create_many_stopped(3)
    save(s)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            way = pool.submit(s.cli, "clock", "advance", "3000d", check=False)
            load(s)
            way.result()
            load(s)
            assert abs(int(s.operator("CreateAccount", name="x")["createdAt"][:4]) -
                       int(s.operator("ListAccounts")["accounts"][0]["createdAt"][:4])) <= 1


@pytest.mark.parametrize("what", ["load", "reset", "account"])
def test_what_hangs_or_stands_still_holds_nobody_up(s, what):
    mine, ecs = tenant(s, "mine")
    calm, going = ecs.create(), ecs.create()
    ecs.wait_all([calm, going], "Stopped")
    save(s)
    s.cli("engine-fault", "add", "*", "--hang")
    ecs.ok("StartInstance", InstanceId=calm)
    ecs.ok("DeleteInstance", InstanceId=going)
    ecs.run(2)
    s.cli("clock", "freeze")
    ecs.create()
    if what == "load":
        load(s)
        assert ecs.state(calm) == "Stopped"
    elif what == "reset":
        s.operator("Reset")
        s.ecs.create_running()
    else:
        s.cli("clock", "resume")
        s.cli("engine-fault", "add", "*", "--hang", "--account", mine)
        s.operator("Reset", account=mine)
        assert ecs.ok("DescribeInstances")["TotalCount"] == 0


def test_with_a_seed_the_same_follows_a_save_and_a_load(new_server):
    s = new_server(engine="sim", args=CONTROLS + ["--seed", "7", "--clock", "2026-01-02T03:04:05Z"])
    s.ecs.run()
    save(s)
    after = [s.ecs.run(2), s.zec.create(2), tenant(s, "x")[0]]
    for _ in range(2):
        load(s)
        assert [s.ecs.run(2), s.zec.create(2), tenant(s, "x")[0]] == after
    s.restart()
    load(s)
    assert [s.ecs.run(2), s.zec.create(2), tenant(s, "x")[0]] == after


# ---- who reads or writes meanwhile ----

def test_readers_see_one_world_or_the_other(new_server):
    s = new_server(engine="sim", args=CONTROLS + ["--threads", "4"])
    s.ecs.create_many_stopped(2)
    save(s, "two")
    s.ecs.create_many_stopped(3)
    save(s, "five")
    ecs, end, odd, seen = s.ecs, threading.Event(), [], set()

    def read():
        with s.connect() as c:
            while not end.is_set():
                got = ecs.ok("DescribeInstances", PageSize=100, _connection=c)
                n = len(got["Instances"]["Instance"])
                seen.add(n)
                if n != got["TotalCount"] or n not in (2, 5):
                    odd.append(got)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        try:
            for i in range(20):
                load(s, "two" if i % 2 else "five")
        finally:
            end.set()
        for r in readers:
            r.result()
    assert not odd and seen == {2, 5}


def test_who_writes_meanwhile_is_told_to_try_again(new_server):
    s = new_server(engine="sim", args=CONTROLS + ["--threads", "4"])
    save(s)
    ecs, end, got = s.ecs, threading.Event(), []
    shape = ecs.shape()

    def write():
        with s.connect() as c:
            while not end.is_set():
                status, obj, _ = ecs("CreateInstance", shape, _connection=c)
                got.append((status, obj.get("Code")))

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        writers = [pool.submit(write) for _ in range(3)]
        try:
            for _ in range(15):
                load(s)
        finally:
            end.set()
        for w in writers:
            w.result()
    assert {status for status, _ in got} <= {200, 503} and (200, None) in got
    load(s)
    assert s.ecs.ok("DescribeInstances")["TotalCount"] == 0
    assert s.ecs.create_running() and len(machines(s)) == 1


def test_one_at_a_time(s):
    save(s)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda i: call(s, "LoadSnapshot", name="one"), range(12)))
    assert {status for status, _ in got} <= {200, 503} and 200 in {status for status, _ in got}
    for status, obj in got:
        if status == 503:
            assert obj["code"] == "Unavailable" and "loading" in obj["message"]
    # As one that is under way looks in the store.
    db = sqlite3.connect(os.path.join(s.data, "ostler.db"), timeout=10)
    with db:
        db.execute("UPDATE chore SET state=0, name='slow' WHERE key=''")
    for action, body in (("SaveSnapshot", {"name": "two"}), ("Reset", {}), ("RemoveSnapshot", {"name": "one"}),
                         ("Reset", {"account": s.operator("ListAccounts")["accounts"][0]["account"]})):
        status, obj = call(s, action, **body)
        assert status == 503 and "loading the snapshot 'slow'" in obj["message"], (action, obj)
    with db:
        db.execute("UPDATE chore SET state=2 WHERE key=''")
    db.close()
    save(s, "two")


# ---- who dies in the middle ----

def killed_at(s, state):
    """Kills the server when the load that another thread asks for has got there; True if it was not further."""
    db = sqlite3.connect(os.path.join(s.data, "ostler.db"), timeout=10, isolation_level=None)
    db.execute("SELECT * FROM chore").fetchall()

    def ask():
        try:
            load(s)
        except (ostler.Failed, wire.WireError, OSError):
            pass  # nobody answers a dead server's requests

    t = threading.Thread(target=ask)
    t.start()
    seen = []
    while not seen or seen[0][0] < state:
        seen = db.execute("SELECT state FROM chore WHERE key='' AND kind=1").fetchall()
    s.kill9()
    t.join()
    got = db.execute("SELECT state FROM chore WHERE key=''").fetchall()
    db.close()
    return got[0][0] == state or got[0][0] == 2 and state


@pytest.mark.parametrize("state", [0, 1], ids=["before-the-commit", "after-the-commit"])
def test_a_load_in_whose_middle_the_server_is_killed(new_server, state):
    s = new_server(engine="sim", args=CONTROLS)
    ids = world(s)
    ecs_ids = [ids["running"], ids["stopped"], ids["locked"]]
    before = answers(s, ecs_ids, [ids["zec"]])
    save(s)
    for attempt in range(20):
        change_everything(s, ids)
        db = sqlite3.connect(os.path.join(s.data, "ostler.db"))
        with db:
            db.execute("DELETE FROM chore")
        db.close()
        hit = killed_at(s, state)
        s.start()
        # Whatever was done of it: it was asked for, so it is done.
        ostler.wait_for("the load", lambda: not rows(s, "SELECT 1 FROM chore WHERE state<>2"))
        assert answers(s, ecs_ids, [ids["zec"]]) == before
        ostler.wait_for("the machines", lambda: machines(s) == {ids["running"], ids["zec"]})
        if hit:
            return
    pytest.fail("the server was never caught in that state")


# ---- what cannot be loaded ----

def refused(s, status, code, says, name="one"):
    got, obj = call(s, "LoadSnapshot", name=name)
    assert (got, obj["code"]) == (status, code) and says in obj["message"], obj


def test_what_cannot_be_loaded_changes_nothing(new_server):
    s, other = (new_server(engine="sim", args=CONTROLS) for _ in range(2))
    iid = s.ecs.create_running()
    at = os.path.join(s.data, "snapshots")
    before = answers(s, [iid], [])
    refused(s, 404, "SnapshotNotFound", "ostler snapshot ls")
    save(other)
    os.makedirs(at)
    shutil.copy(os.path.join(other.data, "snapshots", "one.db"), at)
    refused(s, 409, "SnapshotUnusable", "another data directory")
    with open(os.path.join(at, "one.db"), "wb") as f:
        f.write(b"no database, and yet a file of some length" * 100)
    refused(s, 409, "SnapshotUnusable", "not a database")
    for name in ("", ".", "..", "../one", "a/b", "x" * 65, "-x"):
        assert call(s, "LoadSnapshot", name=name)[0] == 400
        assert call(s, "SaveSnapshot", name=name)[0] == 400
        assert call(s, "RemoveSnapshot", name=name)[0] == 400
    assert os.listdir(at) == ["one.db"] and not os.path.exists(os.path.join(s.data, "one.db"))
    assert answers(s, [iid], []) == before
    with open(os.path.join(s.data, "sim", "log")) as f:
        assert f.read() == "start %s\n" % iid  # it was never stopped for that


def older(path, version):
    """Makes a snapshot what it would be by an older schema: that one's tables and columns, with their rows."""
    os.rename(path, path + ".new")
    db = sqlite3.connect(path)
    for n in range(1, version + 1):
        with open(os.path.join(ostler.ROOT, "src", "store", "schema-%d.sql" % n)) as f:
            db.executescript(f.read())
    db.execute("ATTACH ? AS new", (path + ".new",))
    for (table,) in db.execute("SELECT name FROM main.sqlite_master WHERE type='table'").fetchall():
        columns = ",".join(r[1] for r in db.execute("PRAGMA main.table_info(%s)" % table))
        db.execute("INSERT OR REPLACE INTO main.%s (%s) SELECT %s FROM new.%s" % (table, columns, columns, table))
    db.commit()
    db.execute("PRAGMA user_version=%d" % version)
    db.close()
    os.unlink(path + ".new")


def test_a_newer_and_an_older_snapshot(s):
    iid = s.ecs.create_stopped()
    save(s)
    path = os.path.join(s.data, "snapshots", "one.db")
    assert os.stat(path).st_mode & 0o777 == 0o600
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    refused(s, 409, "SnapshotUnusable", "99")
    save(s)
    older(path, 3)
    s.ecs.ok("DeleteInstance", InstanceId=iid)
    s.wait_state(iid, "")
    load(s)
    assert s.ecs.state(iid) == "Stopped"


def test_verbs(s):
    iid = s.ecs.create_stopped()
    assert s.cli("snapshot", "ls").stdout.split() == ["SNAPSHOT", "BYTES", "SAVED"]
    assert s.cli("snapshot", "save", "a").stdout == "a saved\n"
    assert s.cli("snapshot", "save", "b").stdout == "b saved\n"
    assert s.cli("snapshot", "save", "a").stdout == "a saved\n"
    assert [r["name"] for r in json.loads(s.cli("snapshot", "ls", "--json").stdout)] == ["a", "b"]
    assert s.cli("snapshot", "load", "a").stdout == "a loaded\n"
    assert s.cli("snapshot", "rm", "a", "b").stdout == "a removed\nb removed\n"
    r = s.cli("snapshot", "load", "a", check=False)
    assert r.returncode == 1 and "ostler snapshot ls" in r.stderr
    assert s.cli("snapshot", "rm", "a", check=False).returncode == 1
    assert s.cli("reset").stdout == "everything is reset\n"
    assert s.ecs.state(iid) == ""


def test_without_controls_there_is_none_of_it(shared):
    for verb in (("snapshot", "save", "x"), ("snapshot", "load", "x"), ("snapshot", "ls"), ("reset",)):
        r = shared.cli(*verb, check=False)
        assert r.returncode == 1 and "--controls" in r.stderr, r
    status, obj = call(shared, "ListSnapshots")
    assert status == 403 and obj["code"] == "Forbidden"


# ---- back to the beginning ----

def test_reset(s):
    fresh = answers(s, [], [])
    world(s)
    other = s.operator("CreateAccount", name="other", accessKey=True)
    theirs = ostler.Ecs(s, other["accessKeyId"], other["accessKeySecret"])
    theirs.run(ClientToken="t")
    s.operator("SetAccount", recycleBin=True, recycleHours=3)
    s.operator("RevokeKms")
    last = s.ecs.run(ClientToken="mine")[0]
    save(s)
    s.operator("Reset")
    assert machines(s) == set()
    got = answers(s, [], [])
    assert [e["kind"] for e in got[5]["events"]] == ["reset"]
    del got[5], fresh[5]
    assert got == fresh
    assert theirs.refused("DescribeRegions")[1] == "InvalidAccessKeyId.NotFound"
    for table in ("inst", "inst_bits", "disk", "job", "vpc", "subnet", "secgroup", "keypair", "idem", "address",
                  "fault", "engine_fault", "capacity", "clock", "due"):
        assert rows(s, "SELECT count(*) FROM " + table) == [(0,)], table
    assert rows(s, "SELECT granted, count(*) FROM kms_key") == [(1, 1)]
    again = s.ecs.run(ClientToken="mine")[0]
    assert again != last
    s.wait_state(again, "Running")
    assert machines(s) == {again}
    load(s)  # a snapshot outlives a reset
    assert s.ecs.state(last) in ("Starting", "Running", "Pending") and s.ecs.state(again) == ""


def tenant(s, name):
    """An account of a suite's own, by one call."""
    status, obj = call(s, "CreateAccount", name=name, accessKey=True)
    assert status == 200
    s.secrets.append(("an account's secret", obj["accessKeySecret"]))
    return obj["account"], ostler.Ecs(s, obj["accessKeyId"], obj["accessKeySecret"])


def test_reset_of_an_account(new_server):
    s = new_server(engine="sim", args=CONTROLS, sim=dict(ostler.FAST, stop="600s"))
    mine, ecs = tenant(s, "mine")
    before = answers(s, [s.ecs.create_running()], [])
    disks = [{"Size": 20}]
    ids = ecs.run(3, DataDisk=disks)
    ecs.wait_all(ids, "Running")
    s.operator("ImportKeyPair", account=mine, name="k", publicKey="ssh-ed25519 "
               "AAAAC3NzaC1lZDI1NTE5AAAAIJK4DnUuTcXI8QwVAKn4sVpPBYTHVKcfnmvCNNjzqyTg k")
    s.operator("LockInstance", instanceId=ids[0], reason="security")
    ecs.ok("StopInstance", InstanceId=ids[1])  # takes ten minutes
    s.operator("SetAccount", account=mine, recycleBin=True)
    s.operator("Reset", account=mine)
    assert ecs.ok("DescribeInstances")["TotalCount"] == 0
    assert s.operator("ListEvents", account=mine)["events"] == []
    assert answers(s, [], [])[:5] == before[:5]
    for table in ("inst", "disk", "vpc", "subnet", "secgroup", "keypair", "fault", "event", "job"):
        assert rows(s, "SELECT count(*) FROM %s WHERE account='%s'" % (table, mine)) == [(0,)], table
    assert rows(s, "SELECT count(*) FROM idem WHERE key LIKE '%s/%%'" % mine) == [(0,)]
    (account,) = [a for a in s.operator("ListAccounts")["accounts"] if a["account"] == mine]
    assert account["recycleBin"] is False
    again = ecs.run()[0]
    s.wait_state(again, "Running", ecs=ecs)
    for _ in range(50):  # each is answered when it is done, and the next is asked for at once
        s.operator("Reset", account=mine)
    for _ in range(10):
        s.operator("Reset")
        mine, ecs = tenant(s, "mine")
        ecs.run()
    status, obj = call(s, "Reset", account="4711")
    assert (status, obj["code"]) == (404, "AccountNotFound")


def test_an_account_goes_with_all_that_it_has(s):
    mine, ecs = tenant(s, "mine")
    first = s.operator("ListAccounts")["accounts"][0]["account"]
    kept = s.ecs.create_running()
    iid = ecs.run()[0]
    r = s.cli("account", "rm", mine, check=False)
    assert r.returncode == 1 and "AccountInUse" in r.stderr and "--force" in r.stderr
    assert s.cli("account", "rm", mine, "--force").stdout == mine + " removed\n"
    assert ecs.refused("DescribeRegions")[1] == "InvalidAccessKeyId.NotFound"
    assert machines(s) == {kept} and iid not in machines(s)
    for table in ("inst", "disk", "vpc", "subnet", "secgroup", "access_key", "kms_key", "event"):
        assert rows(s, "SELECT count(*) FROM %s WHERE account='%s'" % (table, mine)) == [(0,)], table
    r = s.cli("account", "rm", first, check=False)
    assert r.returncode == 1 and "only account" in r.stderr
    out = s.cli("account", "create", "x", "--key").stdout
    assert re.fullmatch(r"account            \d{16}\naccess key id      LTAI\w+\naccess key secret  \w{30}\n", out)
    s.cli("account", "rm", out.split()[1])


def test_a_reset_of_an_account_goes_on_after_a_kill(s):
    mine, ecs = tenant(s, "mine")
    ids = ecs.run(2)
    ecs.wait_all(ids, "Running")
    s.kill9()
    db = sqlite3.connect(os.path.join(s.data, "ostler.db"))
    with db:  # as its write leaves it
        db.execute("INSERT INTO chore VALUES (?, 7, 2, 0, '', 0, '')", (mine,))
    db.close()
    s.start()
    ostler.wait_for("the reset", lambda: rows(s, "SELECT state FROM chore WHERE key='%s'" % mine) == [(2,)])
    assert ecs.ok("DescribeInstances")["TotalCount"] == 0 and machines(s) == set()


# ---- suites side by side ----

SUITES = 8


def suite(s, n):
    """What a test suite does in its own account, twice, with a reset between; it must see nothing but its own."""
    account, ecs = tenant(s, "suite %d" % n)
    zec = ostler.Zec(s, ecs.key, ecs.secret)
    known = set()
    for turn in range(2):
        assert ecs.ok("DescribeInstances")["TotalCount"] == 0
        ids = ecs.run(2, ClientToken="same for all", InstanceName="web")
        assert ecs.run(2, ClientToken="same for all", InstanceName="web") == ids and not known & set(ids)
        known |= set(ids)
        ecs.wait_all(ids, "Running")
        key = s.operator("ImportKeyPair", account=account, name="ops", publicKey="ssh-ed25519 "
                         "AAAAC3NzaC1lZDI1NTE5AAAAIJK4DnUuTcXI8QwVAKn4sVpPBYTHVKcfnmvCNNjzqyTg ops")
        s.operator("LockInstance", instanceId=ids[0], account=account, reason="security")
        ecs.ok("StopInstance", InstanceId=ids[1], ForceStop="true")
        s.wait_state(ids[1], "Stopped", ecs=ecs)
        assert ecs.refused("StopInstance", InstanceId=ids[0])[1] == "InstanceLockedForSecurity"
        got = ecs.ok("DescribeInstances", PageSize=100)["Instances"]["Instance"]
        assert {i["InstanceId"] for i in got} == set(ids)
        assert {i["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0] for i in got} == {"172.16.0.4", "172.16.0.5"}
        assert {x["instanceId"] for x in zec.ok("DescribeInstances", {"pageSize": 100})["dataSet"]} <= set(ids)
        assert [k["keyPairId"] for k in s.operator("ListKeyPairs", account=account)["keyPairs"]] == [key["keyPairId"]]
        events = s.operator("ListEvents", account=account, limit=1000)["events"]
        assert {e["account"] for e in events} == {account}
        assert {e["subject"] for e in events if e["kind"] == "done"} == set(ids)
        status, obj = call(s, "Reset", account=account)
        assert status == 200, obj
    return account, known


def test_suites_side_by_side_see_nothing_of_each_other(new_server):
    s = new_server(engine="sim", args=CONTROLS)
    kept = s.ecs.create_running()
    with concurrent.futures.ThreadPoolExecutor(SUITES) as pool:
        got = list(pool.map(lambda n: suite(s, n), range(SUITES)))
    assert len({account for account, _ in got}) == SUITES
    assert len(set().union(*(ids for _, ids in got))) == 4 * SUITES
    assert s.ecs.state(kept) == "Running" and machines(s) == {kept}
    with concurrent.futures.ThreadPoolExecutor(SUITES) as pool:
        assert set(pool.map(lambda a: call(s, "DeleteAccount", account=a[0])[0], got)) == {200}
    assert len(s.operator("ListAccounts")["accounts"]) == 1
