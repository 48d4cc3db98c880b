"""Recordings: what clients ask and are answered, written down without secrets, and asked again elsewhere."""
import hashlib
import json
import os
import re
import stat
import subprocess
import threading
import time

import pytest

import ostler
from ostler import Ecs, Zec

CONTROLS = ["--controls"]


@pytest.fixture
def cloud(new_server):
    return new_server(args=CONTROLS)


def lines(path):
    with open(path) as f:
        return [json.loads(line) for line in f.read().splitlines()]


def recording(s, name="transcript"):
    return os.path.join(s.data, "transcripts", name + ".jsonl")


def export(s, folder, *name):
    path = str(folder / "export.jsonl")
    s.cli("transcript", "export", *name, path)
    return path


def replay(s, path, *args):
    """(exit code, lines)"""
    r = s.cli("transcript", "replay", path, *args, check=False)
    assert not r.stderr, r.stderr
    return r.returncode, r.stdout.splitlines()


def story(s):
    """Both clouds: made, started, looked at, refused, stopped, gone; twice with a ClientToken. What it kept secret."""
    ecs, zec = s.ecs, s.zec
    shape = ecs.shape(InstanceName="one", Password="Geheim-1x~", UserData="IyEvYmluL3No", ClientToken="token-1")
    iid = ecs.ok("CreateInstance", shape)["InstanceId"]
    assert ecs.ok("CreateInstance", shape)["InstanceId"] == iid
    s.wait_state(iid, "Stopped")
    ecs.ok("StartInstance", InstanceId=iid)
    s.wait_state(iid, "Running")
    assert ecs.refused("StartInstance", InstanceId=iid)[1] == "IncorrectInstanceStatus"
    assert ecs.refused("StartInstance", InstanceId="i-bp100000000000000000")[1] == "InvalidInstanceId.NotFound"
    assert ecs.refused("DoNothing")[1] == "InvalidAction.NotFound"
    ecs.describe(iid)
    s.send(ecs.request("DescribeInstances", {"RegionId": ecs.region, "Format": "XML"}, signer="v3"))
    zid = zec.create_running(password="Geheim-2x~")
    zec.ok("DescribeInstances", {"instanceIds": [zid]})
    assert zec.refused("StopInstances", {"instanceIds": ["1234567890123456789"]})[0] == 404
    ecs.ok("StopInstance", InstanceId=iid)
    s.wait_state(iid, "Stopped")
    ecs.ok("DeleteInstance", InstanceId=iid)
    s.wait_state(iid, "")
    ecs.ok("RunInstances", ecs.shape(Amount=1, ClientToken="1"))  # a token that is also a number
    assert Ecs(s, s.account[0], "not-the-secret")("DescribeInstances")[0] == 400
    assert Zec(s, s.account[0], "not-the-secret")("DescribeInstances")[0] == 401
    return ["Geheim-1x~", "Geheim-2x~", "IyEvYmluL3No"]


def record(s, folder):
    s.cli("transcript", "start")
    secrets = story(s)
    s.cli("transcript", "stop")
    return export(s, folder), secrets


def test_nothing_secret_is_written_down(cloud, tmp_path):
    sent = []
    plain_send = cloud.send

    def send(request, **kw):
        sent.append(request)
        return plain_send(request, **kw)
    cloud.send = send
    path, secrets = record(cloud, tmp_path)
    with open(path) as f:
        text = f.read()
    hidden = set(secrets) | {secret for _, secret in cloud.secrets} | set(cloud.account)
    for account in json.loads(cloud.cli("account", "ls", "--json").stdout):
        hidden.add(account["account"])
    for r in sent:  # every signature and nonce that was really sent
        everything = r.target + "\n" + "\n".join(v for _, v in r.headers) + "\n" + r.body.decode()
        hidden |= set(re.findall(r"Signature=([^&,\s]{20,})", everything))
        hidden |= set(re.findall(r"SignatureNonce=([^&\s]+)", everything))
        hidden |= {v for n, v in r.headers if n.lower() == "x-acs-signature-nonce"}
    assert len(sent) > 20 and len(hidden) > len(sent)
    for word in hidden:
        assert word not in text, word
    assert os.path.samefile(os.path.dirname(recording(cloud)), os.path.join(cloud.data, "transcripts"))
    assert stat.S_IMODE(os.stat(recording(cloud)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(recording(cloud))).st_mode) == 0o700


def test_a_line(cloud, tmp_path):
    """What docs/transcript.md says of each field."""
    cloud.cli("transcript", "start", "one")
    iid = cloud.ecs.create_stopped(UserData="IyEvYmluL3No")
    cloud.ecs("StartInstances", InstanceId=[iid])
    cloud.zec("StartInstances", {"instanceIds": ["1"]})
    cloud.operator("ListAccounts")
    Ecs(cloud, cloud.account[0], "wrong")("DescribeRegions")
    cloud.cli("transcript", "stop")
    cloud.ecs("DescribeRegions")
    got = lines(export(cloud, tmp_path, "one"))
    assert [r["n"] for r in got] == list(range(1, len(got) + 1))
    assert {r["dialect"] for r in got} == {"alibaba", "zenlayer"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r["at"]) and r["ms"] >= 0 for r in got)
    create = next(r for r in got if r["action"] == "CreateInstance")
    assert create["params"]["UserData"] == "(left out)"
    assert create["leftOut"] == [{"path": "UserData", "length": 12,
                                  "sha256": hashlib.sha256(b"IyEvYmluL3No").hexdigest()}]
    assert (create["service"], create["version"], create["path"]) == ("ecs", "2014-05-26", "/")
    assert create["answer"]["status"] == 200 and create["answer"]["body"]["InstanceId"] == iid
    assert create["answer"]["headers"]["x-acs-request-id"] == create["answer"]["body"]["RequestId"]
    start = next(r for r in got if r["action"] == "StartInstances" and r["dialect"] == "alibaba")
    assert start["params"]["InstanceId"] == {"1": iid}
    assert (create["account"], create["key"]) == (start["account"], start["key"])
    assert re.fullmatch("account-[0-9a-f]{8}", create["account"]) and re.fullmatch("key-[0-9a-f]{8}", create["key"])
    zec = next(r for r in got if r["dialect"] == "zenlayer")
    assert (zec["service"], zec["path"], zec["params"]) == ("zec", "/api/v2/zec", {"instanceIds": ["1"]})
    assert zec["account"] == create["account"]
    wrong = got[-1]
    assert (wrong["verified"], wrong["account"], wrong["answer"]["status"]) == (False, None, 400)
    assert wrong["answer"]["body"]["Code"] == "SignatureDoesNotMatch"
    assert wrong["answer"]["body"]["Message"] == "(left out)"
    assert all(r["verified"] for r in got[:-1])


def test_replay_on_a_fresh_server(new_server, tmp_path):
    path, _ = record(new_server(args=CONTROLS), tmp_path)
    fresh = new_server(sim={"start": "200ms"})  # no controls, and slower
    assert replay(fresh, path)[0] == 0
    code, out = replay(fresh, path, "--new-account")  # what the first one left behind is not seen
    n = len(lines(path)) - 2
    assert (code, out[-1]) == (0, "%d requests, %d equal, 0 differ" % (n, n))
    assert out[-2].startswith("2 not sent:")


def test_replay_tells_what_is_otherwise(new_server, tmp_path):
    """Two machines fit where it was recorded; of where it is replayed, one."""
    first = new_server(args=CONTROLS)
    ids = [first.ecs.create_stopped(), first.ecs.create_stopped()]
    first.cli("transcript", "start")
    shape = first.ecs.shape()
    ids = [first.ecs.ok("CreateInstance", shape)["InstanceId"] for _ in range(2)]
    for iid in ids:
        first.wait_state(iid, "Stopped")
    for iid in ids:
        first.ecs.ok("StartInstance", InstanceId=iid)
    first.cli("transcript", "stop")
    path = export(first, tmp_path)
    last = len(lines(path))
    second = new_server(args=["--capacity-memory", "600"])
    code, out = replay(second, path)
    assert code == 1
    assert out[:3] == ["#%d StartInstance status: recorded 200, replayed 403" % last,
                       "#%d StartInstance body.Code: recorded nothing, replayed \"OperationDenied.NoStock\"" % last,
                       out[2]]
    assert len(out) == 4 and out[2].startswith("#%d StartInstance body.Message: recorded nothing" % last)
    assert out[3] == "%d requests, %d equal, 1 differ" % (last, last - 1)
    told = json.loads(second.cli("transcript", "replay", path, "--new-account", "--json", check=False).stdout)
    # the other account's machine runs already: now neither fits
    assert (told["requests"], told["equal"], told["differ"], told["notSent"]) == (last, last - 2, 2, 0)
    assert [d["path"] for d in told["differences"]] == ["status", "body.Code", "body.Message"] * 2
    assert {d["action"] for d in told["differences"]} == {"StartInstance"}


def test_a_recording_of_the_real_cloud(new_server, tmp_path):
    """Written by hand, from what the cloud's documents show, by docs/transcript.md alone."""
    s = new_server()
    image, kind = s.ecs.image(), s.ecs.small_type()
    rows = [
        {"dialect": "alibaba", "action": "RunInstances",
         "params": {"RegionId": "cn-hangzhou", "ImageId": "aliyun_2_1903_x64.vhd", "InstanceType": kind, "Amount": 1},
         "answer": {"status": 200, "body": {"RequestId": "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E",
                                            "InstanceIdSets": {"InstanceIdSet": ["i-bp67acfmxazb4pd2****"]}}}},
        {"dialect": "alibaba", "action": "DescribeInstanceStatus",
         "params": {"RegionId": "cn-hangzhou", "InstanceId": ["i-bp67acfmxazb4pd2****"]},
         "answer": {"status": 200, "body": {
             "RequestId": "573469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E", "TotalCount": 1, "PageNumber": 1, "PageSize": 10,
             "InstanceStatuses": {"InstanceStatus": [{"InstanceId": "i-bp67acfmxazb4pd2****", "Status": "Running"}]}}}},
        {"dialect": "alibaba", "action": "StartInstance", "params": {"InstanceId": "i-bp67acfmxazb4pd2****"},
         "answer": {"status": 403, "body": {
             "RequestId": "673469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E", "HostId": "ecs.example.com",
             "Code": "IncorrectInstanceStatus",
             "Message": "The current status of the resource does not support this operation.",
             "Recommend": "https://api.aliyun.com/troubleshoot?q=IncorrectInstanceStatus&product=Ecs&requestId="
                          "673469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"}}},
    ]
    path = tmp_path / "real.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows) + "\n")
    code, out = replay(s, str(path), "--map", "aliyun_2_1903_x64.vhd=" + image)
    assert (code, out) == (0, ["3 requests, 3 equal, 0 differ"])
    rows[2]["answer"]["body"]["Code"] = "Nonsense"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    code, out = replay(s, str(path), "--map", "aliyun_2_1903_x64.vhd=" + image)
    assert (code, out) == (1, [
        '#3 StartInstance body.Code: recorded "Nonsense", replayed "IncorrectInstanceStatus"',
        "3 requests, 2 equal, 1 differ"])


@pytest.mark.parametrize("text,why", [
    ("{", "line 1: "), ("[]", "it is not a JSON object"),
    ('{"dialect": "aws"}', "its `dialect` is 'aws', not alibaba or zenlayer"),
    ('{"dialect": "alibaba", "params": {}}', "it names no `action`"),
    ('{"dialect": "alibaba", "action": "X"}', "its `params` is not an object"),
    ('{"dialect": "alibaba", "action": "X", "params": {}}', "its `answer` has no `status` or no `body`"),
])
def test_what_cannot_be_replayed(shared, tmp_path, text, why):
    path = tmp_path / "bad.jsonl"
    path.write_text(text + "\n")
    r = shared.cli("transcript", "replay", path, check=False)
    assert r.returncode == 1 and "bad.jsonl, line 1: " in r.stderr and why in r.stderr, r.stderr


def test_it_goes_on_after_a_restart(cloud, tmp_path):
    cloud.cli("transcript", "start", "long")
    cloud.ecs.ok("DescribeRegions")
    cloud.restart(kill=True)
    cloud.ecs.ok("DescribeZones")
    cloud.restart()
    cloud.ecs.ok("DescribeImages")
    assert "long: 3 requests" in cloud.cli("transcript", "stop").stdout
    cloud.restart()
    cloud.ecs.ok("DescribeRegions")
    got = lines(export(cloud, tmp_path))
    assert [(r["n"], r["action"]) for r in got] == [(1, "DescribeRegions"), (2, "DescribeZones"), (3, "DescribeImages")]
    assert len({r["key"] for r in got}) == 1


def test_many_at_once(new_server, tmp_path):
    s = new_server(args=CONTROLS + ["--threads", "4"])
    s.account
    s.cli("transcript", "start")

    def ask():
        with s.connect() as c:
            for _ in range(25):
                s.ecs("DescribeRegions", _connection=c)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    s.cli("transcript", "stop")
    got = lines(export(s, tmp_path))
    assert [r["n"] for r in got] == list(range(1, 201))
    assert len({r["answer"]["body"]["RequestId"] for r in got}) == 200


def test_what_cannot_be_written_is_told(cloud, tmp_path):
    with open(os.path.join(cloud.data, "transcripts"), "w"):
        pass  # no folder can be made of that name
    r = cloud.cli("transcript", "start", check=False)
    assert r.returncode == 1 and "cannot be written" in r.stderr
    os.unlink(os.path.join(cloud.data, "transcripts"))
    cloud.cli("transcript", "start", "--max-bytes", "4096")
    for _ in range(5):
        cloud.ecs.ok("DescribeInstanceTypes")  # answers go on
    row = json.loads(cloud.cli("transcript", "ls", "--json").stdout)[0]
    assert (row["recording"], row["endedBecause"]) == (False, "its file is as large as it may be")
    assert os.path.getsize(recording(cloud)) <= 4096
    r = cloud.cli("transcript", "stop")
    assert "it had ended before: its file is as large as it may be" in r.stderr


def test_verbs(cloud, tmp_path):
    assert "there is no transcript" in cloud.cli("transcript", "export", tmp_path / "x", check=False).stderr
    assert "nothing is being recorded" in cloud.cli("transcript", "stop", check=False).stderr
    cloud.cli("transcript", "start", "one")
    cloud.cli("transcript", "start", "one")  # it is
    refused = cloud.cli("transcript", "start", "two", check=False)
    assert refused.returncode == 1 and "`ostler transcript stop` ends it" in refused.stderr
    assert "ends it" in cloud.cli("transcript", "rm", "one", check=False).stderr
    cloud.ecs.ok("DescribeRegions")
    cloud.cli("transcript", "stop")
    assert json.loads(cloud.cli("transcript", "export", "one", "-").stdout)["action"] == "DescribeRegions"
    assert cloud.cli("transcript", "rm", "one").stdout == "one deleted\n"
    assert "there is no transcript 'one'" in cloud.cli("transcript", "rm", "one", check=False).stderr
    assert "letter or digit first" in cloud.cli("transcript", "start", "../x", check=False).stderr
    kinds = [e["kind"] for e in cloud.operator("ListEvents", limit=3)["events"]]
    assert kinds == ["transcript-deleted", "transcript-stopped", "transcript-started"]


@pytest.mark.parametrize("verb", ["start", "stop", "ls", "export", "rm", "replay"])
def test_the_examples_of_the_help_work(cloud, tmp_path, verb):
    text = cloud.cli("help", "transcript", verb, data=False).stdout
    example = text.split("Example:\n")[1].strip()
    if verb != "start":
        cloud.cli("transcript", "start")
        cloud.ecs.ok("DescribeRegions")
    if verb not in ("start", "stop"):
        cloud.cli("transcript", "stop")
    if verb == "replay":
        cloud.cli("transcript", "export", tmp_path / "bug.jsonl")
    r = subprocess.run(["sh", "-eu", "-c", 'ostler() { "%s" "$@" --data "%s"; }\n%s' % (ostler.BINARY, cloud.data, example)],
                       cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert r.returncode == 0, (example, r)


def test_not_without_controls(shared):
    r = shared.cli("transcript", "start", check=False)
    assert r.returncode == 1 and "ostler serve --controls" in r.stderr


def test_a_fault_is_told_and_not_replayed(new_server, tmp_path):
    s = new_server(args=CONTROLS)
    iid = s.ecs.create_stopped()
    s.cli("transcript", "start")
    s.cli("fault", "add", "StartInstance", "DiskError", "--times", "1")
    s.ecs("StartInstance", InstanceId=iid)
    s.ecs.ok("DescribeRegions")
    s.cli("transcript", "stop")
    path = export(s, tmp_path)
    struck, plain = lines(path)
    assert struck["fault"]["refused"] and struck["answer"]["body"]["Code"] == "DiskError" and plain["fault"] is None
    code, out = replay(new_server(), path)
    assert code == 0 and out[0].startswith("1 not sent:") and out[1] == "1 requests, 1 equal, 0 differ"


def test_two_accounts(new_server, tmp_path):
    s = new_server(args=CONTROLS)
    other = s.operator("CreateAccount", name="other")["account"]
    key = s.operator("CreateAccessKey", account=other)
    s.cli("transcript", "start")
    s.ecs.create_stopped(InstanceName="mine")
    theirs = Ecs(s, key["accessKeyId"], key["accessKeySecret"])
    theirs.ok("DescribeInstances")
    s.ecs.ok("DescribeInstances")
    path = export(s, tmp_path)
    assert [r["answer"]["body"]["TotalCount"] for r in lines(path)[-2:]] == [0, 1]
    fresh = new_server()
    assert replay(fresh, path)[0] == 0
    assert len(json.loads(fresh.cli("account", "ls", "--json").stdout)) == 2


def test_timing_keeps_the_pauses(new_server, tmp_path):
    rows = [{"dialect": "alibaba", "action": "DescribeRegions", "at": "2026-01-01T00:00:0%d.000Z" % at,
             "params": {}, "answer": {"status": 200, "body": {}}} for at in (0, 1)]
    path = tmp_path / "two.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    s = new_server()
    began = time.monotonic()
    s.cli("transcript", "replay", path, "--timing", "--patience", "0", check=False)
    assert time.monotonic() - began >= 1
