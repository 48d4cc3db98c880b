"""The whole server, from the first start to recovery, as its user and its operator see it."""
import json
import os
import re
import sqlite3
import stat
import subprocess
import time
import urllib.request
import xml.etree.ElementTree as ET

import pytest

import ostler
import sign
import wire

GHOST = "i-bp1" + "0" * 17


def test_the_story_of_the_readme(server):
    """Made through one cloud's API, seen and operated through both, and gone."""
    s = server
    (iid,) = s.ecs.run(InstanceName="web-1", Tag=[{"Key": "role", "Value": "web"}])
    s.wait_state(iid, "Running")
    (seen,) = s.zec.ok("DescribeInstances", {"instanceIds": [iid]})["dataSet"]
    assert (seen["instanceId"], seen["instanceName"], seen["status"]) == (iid, "web-1", "RUNNING")
    mine = s.ecs.describe(iid)
    assert mine["VpcAttributes"]["PrivateIpAddress"]["IpAddress"] == seen["privateIpAddresses"]
    assert mine["Tags"]["Tag"] == [{"TagKey": "role", "TagValue": "web"}]

    assert s.ecs.refused("StartInstance", InstanceId=iid)[:2] == (403, "IncorrectInstanceStatus")
    assert s.zec.ok("StartInstances", {"instanceIds": [iid]})["instanceIds"] == [iid]

    s.zec.ok("StopInstances", {"instanceIds": [iid], "forceShutdown": False})
    s.wait_state(iid, "Stopped")
    s.ecs.ok("StartInstance", InstanceId=iid)
    s.zec.wait_state(iid, "RUNNING")
    s.ecs.ok("RebootInstance", InstanceId=iid)
    s.zec.wait_state(iid, "RUNNING")
    s.ecs.ok("StopInstance", InstanceId=iid)
    s.zec.wait_state(iid, "STOPPED")
    s.zec.ok("ReleaseInstances", {"instanceIds": [iid]})
    s.wait_state(iid, "")
    assert s.ecs.describe(iid) is None
    assert s.ecs.refused("StartInstance", InstanceId=iid)[1] == "InvalidInstanceId.NotFound"


def test_the_other_way_round(server):
    s = server
    (iid,) = s.zec.create(instanceName="box-1")
    s.zec.wait_state(iid, "RUNNING")
    ecs = s.zec.ecs()
    mine = ecs.describe(iid)
    assert (mine["InstanceId"], mine["InstanceName"], mine["Status"]) == (iid, "box-1", "Running")
    got = ecs.ok("StopInstances", InstanceId=[iid])["InstanceResponses"]["InstanceResponse"]
    assert got[0]["CurrentStatus"] == "Stopping"
    s.zec.wait_state(iid, "STOPPED")
    assert s.zec.ok("StartInstances", {"instanceIds": [iid]})["instanceIds"] == []
    s.wait_state(iid, "Running", ecs=ecs)


def test_https_on_the_same_port_with_the_servers_own_authority(server):
    r = server.ecs.request("DescribeRegions", signer="v3")
    assert server.send(r, tls=True).status == 200
    assert server.send(server.ecs.request("DescribeRegions")).status == 200
    with urllib.request.urlopen(urllib.request.Request(
            "https://%s%s" % (server.address, server.ecs.request("DescribeRegions").target)),
            context=server.tls, timeout=20) as reply:
        assert json.load(reply)["Regions"]["Region"]
    assert b"BEGIN CERTIFICATE" in open(server.ca, "rb").read()
    assert b"PRIVATE KEY" not in open(server.ca, "rb").read()


@pytest.mark.parametrize("which,names", [
    ("alibaba", ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_REGION_ID")),
    ("zenlayer", ("ZENLAYER_ACCESS_KEY_ID", "ZENLAYER_ACCESS_KEY_SECRET", "SSL_CERT_FILE")),
    ("ostler", ("OSTLER_ENDPOINT",)),
])
def test_env_prints_what_a_shell_can_evaluate(server, which, names):
    e = server.exports(which)
    assert set(names) <= set(e), e
    text = subprocess.run([ostler.BINARY, "env", which, "--data", server.data], capture_output=True, text=True,
                          timeout=20).stdout
    shell = subprocess.run(["sh", "-c", text + "\nprintf %s \"$" + names[0] + "\""], capture_output=True, text=True,
                           timeout=20)
    assert shell.returncode == 0 and shell.stdout == e[names[0]]


# ---- recovery ----

def test_everything_is_still_there_after_a_restart(server):
    s = server
    running, stopped = s.ecs.create_running(), s.ecs.create_stopped(InstanceName="still-here")
    account = s.account
    s.restart()
    s._account = None
    assert s.account == account
    assert s.ecs.states([running, stopped]) == {running: "Running", stopped: "Stopped"}
    assert s.ecs.describe(stopped)["InstanceName"] == "still-here"


@pytest.mark.parametrize("kill", [False, True], ids=["sigterm", "kill-9"])
def test_what_was_half_done_is_finished_by_the_next_life(new_server, kill):
    s = new_server()
    a, b, c = s.ecs.create_many_stopped(2) + [s.ecs.create_running()]
    s.restart(sim=ostler.HELD)
    pending = s.ecs.create()
    s.ecs.ok("StartInstance", InstanceId=a)
    s.ecs.ok("DeleteInstance", InstanceId=b)
    s.ecs.ok("StopInstance", InstanceId=c)
    s.restart(kill=kill, sim={})
    s.wait_state(pending, "Stopped")
    s.wait_state(a, "Running")
    s.wait_state(b, "")
    s.wait_state(c, "Stopped")


def test_an_answer_is_on_disk_before_it_is_sent(server):
    """Killed the moment the answer is here."""
    s = server
    for _ in range(5):
        iid = s.ecs.create()
        s.restart(kill=True)
        s.wait_state(iid, "Stopped")


def test_client_token_makes_one_instance(server):
    s = server
    params = s.ecs.shape(ClientToken="token-1", InstanceName="once")
    first = s.ecs.ok("RunInstances", params)
    again = s.ecs.ok("RunInstances", params)
    assert again["InstanceIdSets"] == first["InstanceIdSets"] and again["RequestId"] != first["RequestId"]
    iid, = first["InstanceIdSets"]["InstanceIdSet"]
    # another signer, another format: still the same request
    assert s.ecs.ok("RunInstances", params, _signer="v3")["InstanceIdSets"]["InstanceIdSet"] == [iid]
    status, code, _ = s.ecs.refused("RunInstances", dict(params, InstanceName="another"))
    assert (status, code) == (400, "IdempotentParameterMismatch")
    assert s.ecs.refused("RunInstances", dict(params, ClientToken="x" * 65))[:2] == (
        400, "InvalidClientToken.ValueNotSupported")
    s.restart(kill=True)
    assert s.ecs.ok("RunInstances", params)["InstanceIdSets"]["InstanceIdSet"] == [iid]
    assert s.ecs.ok("DescribeInstances")["TotalCount"] == 1


def test_a_hundred_instances_in_one_request(server):
    s = server
    ids = s.ecs.create_many_stopped(100)
    got = s.ecs.ok("StartInstances", InstanceId=ids, _kw={"method": "POST"})["InstanceResponses"]["InstanceResponse"]
    assert [(x["InstanceId"], x["Code"]) for x in got] == [(i, "200") for i in ids]
    s.ecs.wait_all(ids, "Running")
    assert s.zec.ok("StopInstances", {"instanceIds": ids})["instanceIds"] == []
    s.ecs.wait_all(ids, "Stopped")
    assert set(s.zec.states(ids).values()) == {"STOPPED"}


# ---- one data directory, one daemon ----

def test_a_second_daemon_on_the_same_data_is_refused(server):
    second = ostler.Server(data=server.data)
    r = subprocess.run(second.command(), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert r.returncode not in (0, None) and r.returncode > 0
    assert re.search(r"\b%d\b" % server.process.pid, r.stderr), "it does not name the process: " + r.stderr
    assert "listening" not in r.stdout
    assert server.ecs("DescribeRegions")[0] == 200


def test_a_killed_daemon_leaves_no_lock_behind(server):
    server.restart(kill=True)
    assert server.ecs("DescribeRegions")[0] == 200


def test_a_port_in_use_is_an_error_said_plainly(server):
    with ostler.Server() as other:
        command = other.command()
    command[command.index("--listen") + 1] = server.address
    command[command.index("--data") + 1] = server.data + ".second"
    try:
        r = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
        assert r.returncode > 0 and str(server.port) in r.stderr, r.stderr
    finally:
        subprocess.run(["rm", "-rf", server.data + ".second"], check=True)


# ---- logs and secrets ----

def request_ids(server):
    return [line.get("request_id") or line.get("requestId") or line.get("request") for line in server.log_lines()]


def test_the_log_is_json_and_names_each_request(server):
    ok = server.ecs("DescribeRegions")[1]["RequestId"]
    refused = server.ecs("StartInstance", InstanceId=GHOST)[1]["RequestId"]
    zec = server.zec("DescribeZones")[1]["requestId"]
    bad = ostler.Ecs(server, server.account[0], "wrong")("DescribeRegions")[1]["RequestId"]
    ostler.wait_for("a line for each request", lambda: {ok, refused, zec, bad} <= set(request_ids(server)))
    for line in server.log_lines():
        assert {"time", "level", "msg"} <= set(line), line
        assert line["level"] != "error", line


def test_no_secret_in_the_log(server):
    key, secret = server.account
    server.ecs("RunInstances", server.ecs.shape(Password="Very-Secret-1", UserData="c2VjcmV0LXVzZXItZGF0YQ=="))
    server.ecs("DescribeRegions", _signer="v3")
    server.zec("CreateZecInstances", server.zec.shape(password="Also-Secret1"))
    text = server.log_text()
    for hidden in (secret, "Very-Secret-1", "Also-Secret1", "secret-user-data", "c2VjcmV0LXVzZXItZGF0YQ"):
        assert hidden not in text, hidden


def files_with(folder, needle):
    out = []
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    if needle in f.read():
                        out.append(path)
    return out


def test_secrets_at_rest(server):
    """The secret of the first key may lie in one file, the owner's only; nothing else holds one in the clear."""
    key, secret = server.account
    iid = server.ecs.create_stopped(Password="At-Rest-Secret1", **{"DataDisk": [{"Size": 20, "Encrypted": True}]})
    out = server.cli("key", "create").stdout
    second = re.search(r"secret\s+(\S+)", out).group(1)
    server.stop()
    plain = files_with(server.data, secret.encode())
    assert len(plain) <= 1, plain
    assert all(stat.S_IMODE(os.stat(p).st_mode) & 0o077 == 0 for p in plain)
    assert files_with(server.data, second.encode()) == []
    assert files_with(server.data, b"At-Rest-Secret1") == []
    with sqlite3.connect(os.path.join(server.data, "ostler.db")) as db:
        tables = [t for t, in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        disk = [t for t in tables if t.startswith("disk")][0]
        sealed, = db.execute("SELECT data_key FROM %s WHERE inst = ? AND encrypted" % disk, (iid,)).fetchone()
        assert len(sealed) > 32, "a disk key that is not sealed"
    db.close()
    assert stat.S_IMODE(os.stat(os.path.join(server.data, "master.key")).st_mode) & 0o077 == 0
    server.start()
    assert server.ecs.state(iid) == "Stopped"


def test_the_data_directory_is_its_owners(server):
    assert stat.S_IMODE(os.stat(server.data).st_mode) & 0o077 == 0
    assert stat.S_IMODE(os.stat(os.path.join(server.data, "ostler.sock")).st_mode) & 0o077 == 0


def test_a_master_key_that_others_may_read_is_refused(server):
    server.stop()
    path = os.path.join(server.data, "master.key")
    os.chmod(path, 0o644)
    r = subprocess.run(server.command(), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    assert r.returncode > 0 and "chmod" in r.stderr and "master.key" in r.stderr, r.stderr
    os.chmod(path, 0o600)
    server.start()


def test_the_operators_api_is_not_on_the_network(server):
    for target in ("/_ostler/v1/ListAccessKeys", "/_ostler/v1/CreateAccessKey"):
        r = sign.Request("POST", target, [("Host", server.address), ("Content-Type", "application/json"),
                                          ("Content-Length", "2")], b"{}")
        reply = server.send(r)
        assert 400 <= reply.status < 500, reply.body
        assert b"accessKey" not in reply.body


# ---- the wire ----

def test_keep_alive_and_pipelining(server):
    with server.connect() as c:
        for _ in range(3):
            assert c.exchange(server.ecs.request("DescribeRegions")).status == 200
        mixed = [server.ecs.request("DescribeRegions", signer="v3"), server.zec.request("DescribeZones"),
                 server.ecs.request("StartInstance", {"InstanceId": GHOST}),
                 server.zec.request("StartInstances", {"instanceIds": [GHOST]}), server.ecs.request("DescribeRegions")]
        c.send(b"".join(wire.request_bytes(r) for r in mixed))
        assert [c.read_reply().status for _ in mixed] == [200, 200, 404, 404, 200]


def test_pipelined_writes_are_done_in_order(server):
    iid = server.ecs.create_stopped()
    with server.connect() as c:
        c.send(b"".join(wire.request_bytes(server.ecs.request(a, {"InstanceId": iid}))
                        for a in ("StartInstance", "StartInstance")))
        assert [c.read_reply().status for _ in range(2)] == [200, 403]


def test_a_request_that_trickles_in(server):
    """Byte by byte, as from a bad line."""
    data = wire.request_bytes(server.zec.request("DescribeZones"))
    with server.connect() as c:
        for i in range(len(data)):
            c.send(data[i:i + 1])
        assert c.read_reply().status == 200


def test_a_chunked_body_is_read(server):
    """As the Node client sends forms."""
    r = server.ecs.request("DescribeRegions", {"RegionId": "cn-hangzhou"}, signer="v3", form=True)
    r = r.with_header("content-length", None).with_header("Transfer-Encoding", "chunked")
    middle = len(r.body) // 2
    body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (r.body[:middle], r.body[middle:])) + b"0\r\n\r\n"
    with server.connect() as c:
        c.send(wire.request_bytes(sign.Request(r.method, r.target, r.headers, body)))
        assert c.read_reply().status == 200


@pytest.mark.parametrize("breaking", [
    "two lengths", "length and chunked", "no host", "two hosts", "space before the colon", "bare line feeds"])
def test_what_two_readers_could_understand_differently_is_refused(server, breaking):
    data = wire.request_bytes(server.zec.request("DescribeZones"))
    head, _, body = data.partition(b"\r\n\r\n")
    host = b"host: " + server.address.encode()
    assert host in head
    head = {
        "two lengths": head + b"\r\nContent-Length: 3",
        "length and chunked": head + b"\r\nTransfer-Encoding: chunked",
        "no host": head.replace(host + b"\r\n", b""),
        "two hosts": head + b"\r\nHost: other",
        "space before the colon": head.replace(b"x-zc-action:", b"x-zc-action :"),
        "bare line feeds": head.replace(b"\r\n", b"\n"),
    }[breaking]
    end = b"\n\n" if breaking == "bare line feeds" else b"\r\n\r\n"
    with server.connect() as c:
        c.send(head + end + body)
        assert c.read_reply().status == 400


def test_a_long_request_line(server):
    """User data of 32 KiB travels in the URL."""
    data = "QUJD" * 10922
    r = server.ecs.request("DescribeInstances", {"RegionId": "cn-hangzhou", "UserData": data}, signer="v3")
    assert len(r.target) > 43000
    assert server.send(r).status == 200


def test_too_much_is_refused_in_the_right_words(server):
    r = server.zec.request("DescribeZones", b'{"x":"' + b"a" * (9 << 20) + b'"}')
    with server.connect() as c:
        try:
            c.send(wire.request_bytes(r))
        except OSError:
            pass  # it may close before it has read all
        reply = c.read_reply()
    assert reply.status == 413 and set(reply.json()) == {"requestId", "code", "message"}


def test_xml_answers_parse(server):
    iid = server.ecs.create_running(InstanceName="a-b", Tag=[{"Key": "k", "Value": "<&>\"'é中"}])
    for action, params in (("DescribeInstances", {}), ("DescribeInstanceStatus", {}), ("DescribeRegions", {}),
                           ("DescribeZones", {}), ("DescribeImages", {}), ("DescribeInstanceTypes", {}),
                           ("DescribeInstanceAttribute", {"InstanceId": iid})):
        r = server.ecs.request(action, dict(params, RegionId=server.ecs.region), fmt="XML")
        reply = server.send(r)
        assert reply.status == 200, reply.body
        root = ET.fromstring(reply.body)
        assert root.tag == action + "Response" and root.findtext("RequestId")
    reply = server.send(server.ecs.request("DescribeInstances", {"RegionId": server.ecs.region}, fmt="XML"))
    root = ET.fromstring(reply.body)
    assert root.findtext("Instances/Instance/Tags/Tag/TagValue") == "<&>\"'é中"
    assert root.findtext("Instances/Instance/Status") == "Running"


def test_json_and_xml_say_the_same(server):
    server.ecs.create_running()
    obj = server.ecs.ok("DescribeInstances")
    reply = server.send(server.ecs.request("DescribeInstances", {"RegionId": server.ecs.region}, fmt="XML"))

    def same(e, v, path):
        if isinstance(v, dict):
            if len(v) == 1 and isinstance(next(iter(v.values())), list):
                (name, items), = v.items()
                assert [c.tag for c in e] == [name] * len(items), path
                for c, i in zip(e, items):
                    same(c, i, path + "/" + name)
            else:
                assert sorted(c.tag for c in e) == sorted(v), path
                for c in e:
                    same(c, v[c.tag], path + "/" + c.tag)
        elif isinstance(v, bool):
            assert e.text == ("true" if v else "false"), path
        elif path != "/RequestId":
            assert (e.text or "") == str(v), path
    same(ET.fromstring(reply.body), obj, "")


# ---- the operator ----

def test_the_operators_list_and_events(server):
    iid = server.ecs.create_running(InstanceName="listed")
    ids = server.cli("ls", "--ids").stdout.split()
    assert ids == [iid]
    shown = server.cli("show", iid).stdout
    assert iid in shown and "listed" in shown
    assert iid in server.cli("events").stdout


def test_ending_is_quick_with_clients_connected(server):
    with server.connect() as idle, server.connect() as half:
        assert idle.exchange(server.ecs.request("DescribeRegions")).status == 200
        half.send(b"POST / HTTP/1.1\r\nHost: x\r\n")
        t = time.monotonic()
        server.stop()
        assert time.monotonic() - t < 10 * ostler.SLOW_FACTOR
    server.start()


def test_health_and_readiness(server):
    """What a supervisor or a load balancer asks, without a signature."""
    for path, text in (("/healthz", b"ok\n"), ("/readyz", b"ready\n")):
        for tls in (False, True):
            reply = server.send(sign.Request("GET", path, [("Host", "x")]), tls=tls)
            assert (reply.status, reply.body) == (200, text)
    assert server.send(sign.Request("POST", "/healthz", [("Host", "x"), ("Content-Length", "0")])).status == 404


def test_a_forced_reboot_does_not_wait_for_what_is_under_way(new_server):
    """The start under way would take ten minutes."""
    s = new_server(sim={"start": "600s"})
    iid = s.ecs.create_stopped()
    s.zec.ok("StartInstances", {"instanceIds": [iid]})
    s.wait_state(iid, "Starting")
    s.zec.ok("RebootInstances", {"instanceIds": [iid], "forceReboot": True})
    s.zec.wait_state(iid, "RUNNING", 10)
    kinds = [(e["kind"], e["detail"]) for e in json.loads(s.cli("show", "--json", iid).stdout)["events"]]
    assert not [k for k in kinds if k[0] == "failed"], kinds
