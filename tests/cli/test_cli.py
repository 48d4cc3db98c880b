"""The command line against a real server: what it prints, what it exits with, and what it does to a terminal."""
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import termios
import time

import pytest

import ostler
from ostler import HELD, wait_for

OK, REFUSED, USAGE, NO_SERVER, INTERRUPTED = 0, 1, 2, 3, 130
KEY = ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOdEWIwwbsOLpsMuqq6rJrTib6QK48l8SbxnLveIOZyQ me@x",
       "8e:0b:58:c1:df:e7:b6:df:a5:d0:26:3a:64:da:41:f0")


def clean_env(**more):
    """Ours, without what would lead the program to some other server."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OSTLER_") or k == "OSTLER_BIN"}
    return dict(kept, **more)


def run(program, *args, cwd=None, env=None, stdin=""):
    return subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=60, cwd=cwd,
                          input=stdin, env=env or clean_env())


def create(s, *args):
    """One stopped instance."""
    out = s.cli("create", "--wait", *args).stdout.split("\n")
    assert re.fullmatch(r"i-[a-z0-9]{20}", out[0])
    return out[0]


def state(s, iid):
    return json.loads(s.cli("show", iid, "--json").stdout)["state"]


def operator(s, action, body=None, *, raw=None, method="POST"):
    """(status, object) of a call over the operator's socket, made by hand."""
    data = raw if raw is not None else json.dumps(body or {}).encode()
    head = "%s /_ostler/v1/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (
        method, action, len(data))
    with socket.socket(socket.AF_UNIX) as c:
        c.settimeout(20)
        c.connect(os.path.join(s.data, "ostler.sock"))
        c.sendall(head.encode() + data)
        got = b""
        while piece := c.recv(65536):
            got += piece
    head, body = got.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), json.loads(body)


# ---- without a server ----

def test_no_server(program, tmp_path):
    """Says what to do, and exits with 3, whichever verb."""
    for args in (["ls"], ["start", "i-1"], ["key", "ls"], ["env", "alibaba"], ["create"]):
        r = run(program, *args, "--data", tmp_path)
        assert r.returncode == NO_SERVER, (args, r)
        assert "no server runs on %s" % tmp_path in r.stderr
        assert "ostler serve --data" in r.stderr
        assert not r.stdout


def test_options_from_a_file(program, new_server, tmp_path):
    path = tmp_path / "ostler.conf"
    path.write_text("# a cloud for tests\n\ncontrols\nsim-start = 10m\n  log-level=warn  \r\n")
    s = new_server(args=["--config", str(path)])
    assert json.loads(s.cli("clock", "show", "--json").stdout)  # there are controls
    iid = s.ecs.create_stopped()
    s.ecs.ok("StartInstance", InstanceId=iid)
    s.wait_state(iid, "Running")  # what the arguments say counts more
    assert "level=info" not in open(s.log).read()


@pytest.mark.parametrize("text, why", [
    ("contrlos\n", "unknown option in the file: contrlos"),
    ("\nsim-start = soon\n", "the option does not take this value: sim-start"),
    ("listen\n", "the option needs a value: listen"),
    ("controls = yes\n", "the option takes no value: controls"),
    ("config = x\n", "unknown option in the file: config"),
])
def test_a_file_with_something_wrong(program, tmp_path, text, why):
    path = tmp_path / "ostler.conf"
    path.write_text(text)
    r = subprocess.run([program, "serve", "--data", str(tmp_path / "d"), "--config", str(path)], capture_output=True,
                       text=True, timeout=20)
    assert r.returncode == 2 and why in r.stderr
    assert "line %d of %s" % (text.rstrip("\n").count("\n") + 1, path) in r.stderr


def test_a_file_that_cannot_be_read(program, tmp_path):
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory")):
        r = subprocess.run([program, "serve", "--data", str(tmp_path / "d"), "--config=%s" % path], capture_output=True,
                           text=True, timeout=20)
        assert r.returncode == 1 and why in r.stderr


def test_no_data_directory(program, tmp_path):
    if os.path.isdir("/var/lib/ostler"):
        pytest.skip("this computer has /var/lib/ostler")
    r = run(program, "ls", cwd=tmp_path)
    assert r.returncode == NO_SERVER and "--data DIR" in r.stderr


def test_a_server_that_was_killed(new_server, program):
    s = new_server()
    s.kill9()
    r = run(program, "ls", "--data", s.data)
    assert r.returncode == NO_SERVER and "has ended" in r.stderr
    s.start()
    assert run(program, "ls", "--data", s.data).returncode == OK


def test_endpoint_without_server(program):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0)) # bound and not listening: refuses
        env = clean_env(OSTLER_ENDPOINT="http://127.0.0.1:%d" % free.getsockname()[1], OSTLER_ACCESS_KEY_ID="a",
                        OSTLER_ACCESS_KEY_SECRET="b")
        r = run(program, "ls", env=env)
    assert r.returncode == NO_SERVER and "OSTLER_ENDPOINT" in r.stderr
    r = run(program, "ls", env=clean_env(OSTLER_ENDPOINT="http://127.0.0.1:1"))
    assert r.returncode == USAGE and "OSTLER_ACCESS_KEY_ID" in r.stderr


@pytest.mark.parametrize("args, hint", [
    (["strat"], "did you mean `start`"),
    (["image", "lss"], "did you mean `image ls`"),
    (["start", "i-1", "--wiat"], "did you mean --wait"),
    (["start", "i-1", "--wait=5"], "takes no value"),
    (["start"], "usage: ostler start ID..."),
    (["show", "a", "b"], "one word too many"),
    (["create", "--zone"], "--zone wants a value"),
    (["create", "--count", "many"], "--count wants a number"),
    (["create", "--count", "101"], "from 1 to 100"),
    (["account", "set"], "nothing to set"),
    (["account", "set", "--recycle-bin", "maybe"], "on or off"),
    (["env", "alibab"], "did you mean alibaba"),
    (["kms", "revoke", "--account", ""], "--account wants a value"),
    (["ls", "--data="], "--data wants a value"),
    (["xyzzy"], "ostler help"),
    (["help", "xyzzy"], "no verb"),
    (["key"], "key"),
])
def test_usage(program, args, hint):
    r = run(program, *args)
    assert r.returncode == USAGE, r
    assert hint in r.stdout + r.stderr


def test_words_are_utf8(program):
    r = subprocess.run([program.encode(), b"kms", b"revoke", b"--account", b"\xff"], capture_output=True, timeout=30,
                       env=clean_env())
    assert r.returncode == USAGE and b"not UTF-8" in r.stderr


def verbs(program):
    """Every verb, as the program tells a shell's completion."""
    for first in run(program, "complete-words").stdout.split():
        if first == "serve":
            continue
        words = [w for w in run(program, "complete-words", first).stdout.split() if w[0] not in "-@"]
        is_group = not any(w.startswith("--") for w in run(program, "complete-words", first).stdout.split())
        yield from ([first, w] for w in words) if is_group else [[first]]


def test_help_everywhere(program):
    seen = list(verbs(program))
    assert ["start"] in seen and ["image", "import"] in seen and len(seen) > 30
    for verb in seen:
        by_option, by_verb = run(program, *verb, "--help"), run(program, "help", *verb)
        assert by_option.returncode == by_verb.returncode == OK, verb
        assert by_option.stdout == by_verb.stdout
        assert "usage: ostler " + " ".join(verb) in by_option.stdout
        if verb != ["version"]:
            assert "Example:\n  ostler " in by_option.stdout or "Example:\n  eval" in by_option.stdout, verb
        assert max(map(len, by_option.stdout.splitlines())) < 110


def test_help_lists_what_there_is(program):
    r = run(program)
    assert r.returncode == OK and r.stdout == run(program, "help").stdout == run(program, "--help").stdout
    for word in ("serve", "start ID", "image import", "doctor"):
        assert word in r.stdout
    assert "switch" not in r.stdout.split()  # for the program's own use


def test_version_and_dump(program):
    assert re.fullmatch(r"ostler \d+\.\d+\.\d+\n", run(program, "version").stdout)
    assert run(program, "--version").stdout == run(program, "version").stdout
    dump = run(program, "api", "dump")
    assert dump.returncode == OK
    for name in ("StartInstance", "StartInstances", "ShowInstance"):
        assert '"%s"' % name in json.dumps(json.loads(dump.stdout))


def test_doctor(program, tmp_path):
    found = json.loads(run(program, "doctor", "--json", "--data", tmp_path / "data").stdout)
    assert {f["check"] for f in found} >= {"KVM", "QEMU", "qemu-img", "libslirp", "disk space", "memory", "port",
                                           "clock", "data directory", "guest image"}
    assert all(f["level"] in ("ok", "warn", "fail") for f in found)
    assert all((f["todo"] is None) == (f["level"] == "ok") for f in found)
    r = run(program, "doctor", "--data", tmp_path / "data")
    assert r.returncode == (REFUSED if any(f["level"] == "fail" for f in found) else OK)


def test_doctor_sees_what_is_wrong(program, tmp_path):
    def found(check, path, env=None):
        r = run(program, "doctor", "--json", "--data", path, env=env)
        return next(f for f in json.loads(r.stdout) if f["check"] == check), r.returncode

    (tmp_path / "file").write_text("")
    assert found("data directory", tmp_path / "file") == ({
        "check": "data directory", "level": "fail", "found": "%s is not a directory" % (tmp_path / "file"),
        "todo": "name another with --data DIR"}, REFUSED)
    open_dir = tmp_path / "open"
    open_dir.mkdir()
    open_dir.chmod(0o755)
    assert found("data directory", open_dir)[0]["todo"] == "chmod 700 %s" % open_dir
    open_dir.chmod(0o700)
    (open_dir / "master.key").write_text("x")
    (open_dir / "master.key").chmod(0o644)
    f, exit = found("data directory", open_dir)
    assert f["level"] == "fail" and "chmod 600" in f["todo"] and exit == REFUSED
    (open_dir / "master.key").chmod(0o600)
    assert found("data directory", open_dir)[0]["level"] == "ok"
    f, exit = found("QEMU", open_dir, env=clean_env(PATH=str(tmp_path)))
    assert f["level"] == "fail" and "apt install" in f["todo"] and exit == REFUSED


def test_doctor_believes_what_the_server_tried(program, tmp_path):
    """A /dev/kvm that opens may run no machine."""
    def kvm():
        found = json.loads(run(program, "doctor", "--json", "--data", tmp_path).stdout)
        return next(f for f in found if f["check"] == "KVM")
    if kvm()["level"] != "ok" or "serve" not in kvm()["found"]:
        pytest.skip("what this test needs is a /dev/kvm that opens, and a program that does not try it itself")
    (tmp_path / "accel.json").write_text(json.dumps({"kvm": False, "why": "it hangs"}))
    assert kvm()["level"] == "warn" and kvm()["found"].startswith("it hangs; ")
    (tmp_path / "accel.json").write_text(json.dumps({"kvm": True}))
    assert kvm()["level"] == "ok"


def test_doctor_names_who_has_the_port(program, tmp_path):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8470))
        except OSError:
            pytest.skip("port 8470 is not free here")
        taken.listen()
        r = run(program, "doctor", "--json", "--data", tmp_path)
    f = next(f for f in json.loads(r.stdout) if f["check"] == "port")
    assert f["level"] == "warn" and "pid %d" % os.getpid() in f["found"]


# ---- instances ----

def test_life_of_an_instance(server):
    iid = create(server, "--name", "web", "--hostname", "web1")
    assert state(server, iid) == "stopped"
    assert server.cli("start", iid, "--dry-run").stdout == "%s would be started\n" % iid
    assert state(server, iid) == "stopped"
    out = server.cli("start", iid, "--wait").stderr
    assert re.search(r"^%s Running \d+\.\ds$" % iid, out, re.M)
    assert state(server, iid) == "running"
    assert server.cli("reboot", iid, "--wait").returncode == OK
    refused = server.cli("rm", iid, check=False)
    assert refused.returncode == REFUSED and "IncorrectInstanceStatus" in refused.stderr
    assert "ostler show" in refused.stderr and "request " in refused.stderr
    assert server.cli("stop", iid, "--force", "--wait").returncode == OK
    assert state(server, iid) == "stopped"
    assert "released" in server.cli("rm", iid, "--wait").stderr
    assert server.cli("ls", "--ids").stdout == ""


def test_ls(server):
    made = [create(server, "--name", n) for n in ("aa", "bb")]
    assert server.cli("ls", "--ids").stdout.split() == made[::-1]
    rows = json.loads(server.cli("ls", "--json").stdout)
    assert [(r["instanceId"], r["name"], r["state"]) for r in rows] == [(made[1], "bb", "stopped"), (made[0], "aa", "stopped")]
    lines = server.cli("ls").stdout.splitlines()
    assert lines[0].split()[:3] == ["INSTANCE", "NAME", "STATE"] and len(lines) == 3
    assert len({line.index(word) for line, word in zip(lines, ("STATE", "stopped", "stopped"))}) == 1
    assert server.cli("list", "--ids").stdout.split() == made[::-1]


def test_create_several_and_run(server):
    out = server.cli("create", "--run", "--count", "3", "--wait", "--data-disk", "20,30").stdout
    ids = out.splitlines() # and nothing else: a shell reads them
    assert len(ids) == len(set(ids)) == 3 and all(state(server, i) == "running" for i in ids)
    disks = json.loads(server.cli("show", ids[0], "--json").stdout)["disks"]
    assert [d["sizeGib"] for d in disks][1:] == [20, 30]
    assert server.cli("create", "--count", "2", "--dry-run").stdout == "2 instances would be made\n"
    assert len(server.cli("ls", "--ids").stdout.split()) == 3


def test_one_refused_among_several(server):
    iid = create(server)
    r = server.cli("start", "i-nosuch", iid, "--wait", check=False)
    assert r.returncode == REFUSED
    assert "i-nosuch: InvalidInstanceId.NotFound" in r.stderr and "ostler ls" in r.stderr
    assert state(server, iid) == "running"


def test_create_refused(server):
    r = server.cli("create", "--image", "nosuch", check=False)
    assert r.returncode == REFUSED and "InvalidImageId.NotFound" in r.stderr and "ostler image ls" in r.stderr
    r = server.cli("create", "--data-disk", "20,big", check=False)
    assert r.returncode == USAGE and "--data-disk" in r.stderr
    r = server.cli("create", "--user-data", "/nonexistent", check=False)
    assert r.returncode == USAGE


def test_wait_times_out(new_server):
    s = new_server(sim={"start": HELD["start"]})
    iid = create(s)
    r = s.cli("start", iid, "--wait", "--timeout", "1", check=False)
    assert r.returncode == REFUSED and "still on the way after 1 s" in r.stderr
    assert state(s, iid) == "starting"


def test_ctrl_c_ends_the_waiting_only(new_server, program):
    s = new_server(sim={"start": HELD["start"]})
    iid = create(s)
    p = subprocess.Popen([program, "start", iid, "--wait", "--data", s.data], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=clean_env())
    assert p.stderr.readline().startswith("%s Starting" % iid)  # it waits
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=20)
    assert p.returncode == INTERRUPTED
    assert "the operation goes on" in err and "ostler show %s" % iid in err
    assert state(s, iid) == "starting"


def test_by_the_environment(server, program):
    """From another place there is only an endpoint and a key."""
    iid = create(server, "--name", "far")
    env = clean_env(**{k: v for k, v in server.exports("ostler").items()})
    assert run(program, "ls", "--ids", env=env).stdout.split() == [iid]
    assert run(program, "start", iid, "--wait", env=env).returncode == OK
    shown = json.loads(run(program, "show", iid, "--json", env=env).stdout)
    assert (shown["name"], shown["state"]) == ("far", "running")
    assert run(program, "show", "i-nosuch", env=env).returncode == REFUSED
    wrong = run(program, "ls", env=dict(env, OSTLER_ACCESS_KEY_SECRET="wrong"))
    assert wrong.returncode == REFUSED and "SignatureDoesNotMatch" in wrong.stderr and "OSTLER_ACCESS_KEY_SECRET" in wrong.stderr


def test_over_tls(server, program):
    iid = create(server)
    env = clean_env(**server.exports("ostler"))
    env["OSTLER_ENDPOINT"] = env["OSTLER_ENDPOINT"].replace("http:", "https:")
    assert run(program, "ls", "--ids", env=env).stdout.split() == [iid]
    del env["OSTLER_CA_FILE"]
    env.pop("SSL_CERT_FILE", None)
    r = run(program, "ls", env=env)
    assert r.returncode == NO_SERVER and "OSTLER_CA_FILE" in r.stderr


def test_options_before_the_verb(server, program):
    iid = create(server)
    for args in (["--data", server.data, "ls", "--ids"], ["--data=%s" % server.data, "ls", "--ids"],
                 ["ls", "--ids", "--data", server.data]):
        assert run(program, *args).stdout.split() == [iid]
    assert run(program, "ls", "--ids", env=clean_env(OSTLER_DATA=server.data)).stdout.split() == [iid]
    link = server.data + ".home"
    os.mkdir(link)
    os.symlink(server.data, os.path.join(link, "var"))
    try:
        assert run(program, "ls", "--ids", cwd=link).stdout.split() == [iid]  # ./var
    finally:
        shutil.rmtree(link)


# ---- what an operator may ----

def refusal(s, iid):
    r = s.cli("start", iid, check=False)
    assert r.returncode == REFUSED
    return re.search(r"^ostler: %s: ([\w.]+):" % iid, r.stderr).group(1)


def test_states_that_a_user_cannot_reach(server):
    iid = create(server, "--data-disk", "20", "--encrypted")
    for verb, undo, code in (
            (["instance", "lock", iid], ["instance", "unlock", iid], "InstanceLockedForSecurity"),
            (["instance", "lock", iid, "--reason", "financial"], ["instance", "unlock", iid, "--reason", "financial"],
             "InstanceExpired"),
            (["instance", "overdue", iid], ["instance", "overdue", iid, "--clear"], "InstanceExpired"),
            (["disk", "fail", iid], ["disk", "heal", iid], "DiskError"),
            (["kms", "revoke"], ["kms", "grant"], "InvalidParameter.KMSKeyId.KMSUnauthorized")):
        server.cli(*verb)
        assert refusal(server, iid) == code
        server.cli(*undo)
    server.cli("start", iid, "--wait")


def test_expire(server):
    iid = create(server, "--prepaid", "1")
    other = create(server)
    assert server.cli("rm", iid, "--force", check=False).returncode == REFUSED
    server.cli("instance", "expire", iid)
    assert refusal(server, iid) == "InstanceExpired"
    server.cli("rm", iid, "--force", "--wait")
    r = server.cli("instance", "expire", other, check=False)
    assert r.returncode == REFUSED and "--prepaid" in r.stderr


def test_disk_by_id(server):
    iid = create(server, "--data-disk", "20")
    system, data = (d["diskId"] for d in json.loads(server.cli("show", iid, "--json").stdout)["disks"])
    assert server.cli("disk", "fail", iid).stdout == "%s (data disk) failed\n" % data
    server.cli("disk", "heal", data)
    assert server.cli("disk", "fail", system).stdout == "%s (system disk) failed\n" % system
    r = server.cli("disk", "fail", "d-nosuch", check=False)
    assert r.returncode == REFUSED and "no disk or instance 'd-nosuch'" in r.stderr


def test_access_keys(server):
    out = server.cli("key", "create").stdout
    key, secret = re.search(r"id\s+(\S+)\n.*secret\s+(\S+)", out).groups()
    server.secrets.append(("a new key's secret", secret))
    mine = ostler.Ecs(server, key, secret)
    assert mine("DescribeRegions")[0] == 200
    server.cli("key", "disable", key)
    assert mine.refused("DescribeRegions")[1] == "InvalidAccessKeyId.Inactive"
    assert {k["accessKeyId"]: k["active"] for k in json.loads(server.cli("key", "ls", "--json").stdout)}[key] is False
    server.cli("key", "enable", key)
    assert mine("DescribeRegions")[0] == 200
    server.cli("key", "rm", key)
    assert mine.refused("DescribeRegions")[1] == "InvalidAccessKeyId.NotFound"
    assert server.cli("key", "rm", key, check=False).returncode == REFUSED
    assert secret not in server.cli("key", "ls").stdout


def test_keypairs(server, tmp_path):
    (tmp_path / "me.pub").write_text(KEY[0] + "\n")
    (tmp_path / "me").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n")
    out = server.cli("keypair", "import", "me", tmp_path / "me.pub").stdout.split()
    assert out[0].startswith("ssh-") and out[1] == KEY[1]
    again = server.cli("keypair", "import", "me", tmp_path / "me.pub", check=False)
    assert again.returncode == REFUSED and "KeyPairExists" in again.stderr
    private = server.cli("keypair", "import", "x", tmp_path / "me", check=False)
    assert private.returncode == REFUSED and "private key" in private.stderr
    (tmp_path / "junk").write_text("ssh-rsa AAAA\n")
    junk = server.cli("keypair", "import", "x", tmp_path / "junk", check=False)
    assert junk.returncode == REFUSED and "KeyPairFormat" in junk.stderr
    iid = create(server, "--keypair", "me")
    assert json.loads(server.cli("show", iid, "--json").stdout)["keyPair"] == "me"
    assert "me" in server.cli("keypair", "ls").stdout
    server.cli("keypair", "rm", "me")
    assert json.loads(server.cli("keypair", "ls", "--json").stdout) == []


def test_accounts_are_apart(server):
    mine = create(server)
    out = server.cli("account", "create", "other").stdout
    other = re.search(r"account\s+(\d{16})", out).group(1)
    server.secrets.append(("the other's secret", re.search(r"secret\s+(\S+)", out).group(1)))
    assert server.cli("ls", "--ids", "--account", other).stdout == ""
    assert server.cli("start", mine, "--account", other, check=False).returncode == REFUSED
    assert server.cli("instance", "lock", mine, "--account", other, check=False).returncode == REFUSED
    theirs = create(server, "--account", other)
    assert set(server.cli("ls", "--ids").stdout.split()) == {mine, theirs}
    assert server.cli("ls", "--ids", "--account", other).stdout.split() == [theirs]
    r = server.cli("ls", "--account", "1" * 16, check=False)
    assert r.returncode == REFUSED and "AccountNotFound" in r.stderr
    server.cli("account", "set", other, "--recycle-bin", "on", "--recycle-hours", "48", "--name", "renamed")
    rows = {a["account"]: a for a in json.loads(server.cli("account", "ls", "--json").stdout)}
    assert (rows[other]["name"], rows[other]["recycleBin"], rows[other]["recycleHours"]) == ("renamed", True, 48)
    assert [a["recycleBin"] for i, a in rows.items() if i != other] == [False]


def test_events(server, program):
    iid = create(server)
    server.cli("instance", "lock", iid)
    lines = server.cli("events", "--subject", iid).stdout.splitlines()
    assert lines[-1].endswith("locked: security") and all(iid in line for line in lines)
    p = subprocess.Popen([program, "events", "-f", "--lines", "1", "--data", server.data], stdout=subprocess.PIPE,
                         text=True, env=clean_env())
    try:
        assert "locked: security" in p.stdout.readline()
        server.cli("instance", "unlock", iid)
        assert "unlocked: security" in p.stdout.readline()
    finally:
        p.terminate()
        p.communicate(timeout=20)


def test_env_survives_a_shell(server):
    for client, wanted in (("alibaba", "ALIBABA_CLOUD_ENDPOINT"), ("zenlayer", "ZENLAYER_ENDPOINT"),
                           ("ostler", "OSTLER_ENDPOINT")):
        script = 'eval "$("$0" env %s --data "$1")"; printf %%s "$%s"' % (client, wanted)
        r = subprocess.run(["sh", "-c", script, ostler.BINARY, server.data], capture_output=True, text=True,
                           timeout=30, env=clean_env())
        assert r.stdout.removeprefix("http://") == server.address, r


# ---- images ----

needs_qemu_img = pytest.mark.skipif(not shutil.which("qemu-img"), reason="qemu-img is not installed")


def images(s):
    return {i["imageId"]: i for i in json.loads(s.cli("image", "ls", "--json").stdout)}


def left_behind(s):
    d = os.path.join(s.data, "images")
    return [f for f in (os.listdir(d) if os.path.isdir(d) else []) if f.startswith(".")]


@needs_qemu_img
@pytest.mark.parametrize("kind", ["raw", "qcow2"])
def test_import_a_disk(server, tmp_path, kind):
    disk = tmp_path / ("linux." + kind)
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, disk, "1537M"], check=True)
    iid = server.cli("image", "import", disk, "--os-name", "Test Linux").stdout.strip()
    got = images(server)[iid]
    assert (got["name"], got["osName"], got["minDiskGib"], got["ownKernel"]) == ("linux", "Test Linux", 2, False)
    assert got["path"] == os.path.join(server.data, "images", iid)
    info = subprocess.run(["qemu-img", "info", "--output=json", os.path.join(got["path"], "root.qcow2")],
                          capture_output=True, check=True)
    assert json.loads(info.stdout)["format"] == "qcow2"
    assert not left_behind(server)
    create(server, "--image", iid)


@needs_qemu_img
def test_import_refuses_a_disk_over_another(server, tmp_path):
    """Its backing file could be any file of this computer, and every guest would read it."""
    subprocess.run(["qemu-img", "create", "-q", "-f", "raw", tmp_path / "base", "1M"], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", tmp_path / "base", "-F", "raw", tmp_path / "top"],
                   check=True)
    r = server.cli("image", "import", tmp_path / "top", check=False)
    assert r.returncode == REFUSED and "made over another file" in r.stderr and not left_behind(server)
    # and put there by hand
    d = os.path.join(server.data, "images", "hand")
    os.makedirs(d)
    shutil.copy(tmp_path / "top", os.path.join(d, "root.qcow2"))
    with open(os.path.join(d, "image.json"), "w") as f:
        json.dump({"disk": "root.qcow2", "minDiskGiB": 1}, f)
    status, body = operator(server, "RegisterImage", {"imageId": "hand"})
    assert (status, body["code"]) == (409, "ImageNotReady") and "backing file" in body["message"]


@needs_qemu_img
def test_import_a_directory(server, tmp_path):
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", tmp_path / "d.qcow2", "1G"], check=True)
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "kernel").write_bytes(b"k" * 1000)
    (tmp_path / "secret").write_bytes(b"not named")
    (tmp_path / "image.json").write_text(json.dumps(
        {"name": "dir", "disk": "d.qcow2", "kernel": "boot/kernel", "minDiskGiB": 1, "osName": "Dir"}))
    assert server.cli("image", "import", tmp_path, "--id", "mine").stdout == "mine\n"
    got = images(server)["mine"]
    assert got["ownKernel"] and sorted(os.listdir(got["path"])) == ["d.qcow2", "image.json", "kernel"]
    again = server.cli("image", "import", tmp_path, "--id", "mine", check=False)
    assert again.returncode == REFUSED and os.path.exists(os.path.join(got["path"], "d.qcow2"))
    for outside in ("../secret", "boot/../../secret", "/etc/passwd", "..", "boot/", ""):
        (tmp_path / "image.json").write_text(json.dumps({"disk": outside, "minDiskGiB": 1}))
        assert server.cli("image", "import", tmp_path, check=False).returncode == REFUSED
    assert not left_behind(server)
    for bad in ("../x", ".hidden", "a/b", ""):
        assert server.cli("image", "import", tmp_path, "--id", bad, check=False).returncode == USAGE
        assert operator(server, "RegisterImage", {"imageId": bad or "."})[0] == 400


# ---- the operator's socket ----

def test_only_the_socket_is_the_operator(server):
    mode = os.stat(os.path.join(server.data, "ostler.sock")).st_mode & 0o777
    assert mode == 0o600
    body = b"{}"
    head = "POST /_ostler/v1/ListAccounts HTTP/1.1\r\nHost: %s\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=20) as c:
        c.sendall((head % server.address).encode() + body)
        got = b""
        while piece := c.recv(65536):
            got += piece
    assert got.startswith(b"HTTP/1.1 403 ") and json.loads(got.split(b"\r\n\r\n")[1])["code"] == "Forbidden"
    assert operator(server, "ListAccounts")[0] == 200


def test_operator_refuses_in_json(server):
    for status, code, got in (
            (404, "ActionNotFound", operator(server, "Nonsense")),
            (400, "ActionMissing", operator(server, "")),
            (405, "MethodNotAllowed", operator(server, "ListAccounts", method="PUT")),
            (400, "BodyMalformed", operator(server, "ListAccounts", raw=b"[]")),
            (400, "BodyMalformed", operator(server, "ListAccounts", raw=b"{")),
            (400, "BodyMalformed", operator(server, "ListAccounts", raw=b'{"a":1,"a":2}')),
            (400, "ParameterMissing", operator(server, "ShowInstance")),
            (400, "ParameterType", operator(server, "ShowInstance", {"instanceId": 7})),
            (404, "InstanceNotFound", operator(server, "ShowInstance", {"instanceId": "i-x"})),
            (404, "AccountNotFound", operator(server, "ListInstances", {"account": "nobody"})),
            (400, "Needed", operator(server, "FailDisk")),
            (400, "ParameterConflict", operator(server, "FailDisk", {"diskId": "a", "instanceId": "b"})),
            (404, "KmsNotFound", operator(server, "GrantKms", {"keyId": "none"})),
            (404, "ZoneNotFound", operator(server, "MakeNetwork", {"zone": "none"}))):
        assert (got[0], got[1]["code"]) == (status, code), got
        assert re.fullmatch(r"[0-9A-F-]{36}", got[1]["requestId"]) and got[1]["message"]


def test_server_info_and_networks(server):
    status, info = operator(server, "ServerInfo")
    assert status == 200 and info["dataDirectory"] == server.data and info["pid"] == server.process.pid
    assert info["endpoints"][0] == "http://" + server.address and info["engine"].startswith("sim")
    zone = operator(server, "Environment")[1]["zone"]
    made = operator(server, "MakeNetwork", {"zone": zone})[1]
    assert operator(server, "MakeNetwork", {"zone": zone})[1]["subnet"] == made["subnet"]
    assert [n["subnet"] for n in operator(server, "ServerInfo")[1]["defaultSubnets"]] == [made["subnet"]]


def test_environment_needs_an_enabled_key(server):
    key, _ = server.account
    server.cli("key", "disable", key)
    r = server.cli("ls", check=False)
    assert r.returncode == OK  # the operator's side needs none
    r = server.cli("start", "i-1", check=False)
    assert r.returncode == REFUSED and "ostler key create" in r.stderr


# ---- the console: a socket and a log stand for the machine ----

class Machine:
    """What QEMU makes in an instance's directory, made by the test."""

    def __init__(self, s, iid, log=b""):
        self.dir = os.path.join(s.data, "instances", iid)
        os.makedirs(self.dir, exist_ok=True)
        with open(os.path.join(self.dir, "serial.log"), "wb") as f:
            f.write(log)
        self.listener = socket.socket(socket.AF_UNIX)
        here = os.open(self.dir, os.O_PATH)
        self.listener.bind("/proc/self/fd/%d/serial.sock" % here)
        os.close(here)
        self.listener.listen(5)
        self.listener.settimeout(20)
        self.line = None

    def accept(self):
        self.line, _ = self.listener.accept()
        self.line.settimeout(20)

    def append(self, data):
        with open(os.path.join(self.dir, "serial.log"), "ab") as f:
            f.write(data)

    def close(self):
        for s in (self.line, self.listener):
            if s:
                s.close()


@pytest.fixture
def machine(server):
    iid = create(server)
    m = Machine(server, iid, b"booting\nready\n")
    m.iid = iid
    yield m
    m.close()


class Terminal:
    """The program on a pseudo-terminal."""

    def __init__(self, *argv):
        self.master, slave = pty.openpty()
        self.slave = slave
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=clean_env(),
                                        start_new_session=True)
        self.seen = b""

    def expect(self, text, deadline=20):
        until = time.monotonic() + deadline * ostler.SLOW_FACTOR
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
            assert ready, "not seen: %r in %r" % (text, self.seen)
            self.seen += os.read(self.master, 4096)

    def type(self, data):
        os.write(self.master, data)

    def mode(self):
        return termios.tcgetattr(self.slave)

    def is_raw(self):
        return not self.mode()[3] & (termios.ICANON | termios.ECHO | termios.ISIG)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=20)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal():
    made = []

    def open_terminal(*argv):
        made.append(Terminal(*map(str, argv)))
        return made[-1]
    yield open_terminal
    for t in made:
        t.close()


def test_console(server, machine, terminal):
    t = terminal(ostler.BINARY, "console", machine.iid, "--data", server.data)
    machine.accept()
    t.expect(b"ready")  # what was said before
    wait_for("a raw terminal", t.is_raw)
    machine.line.sendall(b"login: ")
    t.expect(b"login: ")
    t.type(b"root\r\x03")  # Ctrl-C is the guest's
    got = b""
    while len(got) < 6:
        got += machine.line.recv(100)
    assert got == b"root\r\x03"
    t.type(b"bye\x1dnot sent")
    t.expect(b"Detached")
    assert t.process.wait(timeout=20) == OK
    assert machine.line.recv(100) == b"bye" and machine.line.recv(100) == b""
    assert t.mode() == t.before


def test_the_second_at_the_console_is_told_who_is_there(server, machine, terminal):
    first = terminal(ostler.BINARY, "console", machine.iid, "--data", server.data)
    machine.accept()
    first.expect(b"ready")
    r = server.cli("console", machine.iid, check=False)
    assert r.returncode == REFUSED and "pid %d" % first.process.pid in r.stderr
    first.process.kill()  # leaves no lock behind
    first.process.wait(timeout=20)
    second = terminal(ostler.BINARY, "console", machine.iid, "--data", server.data)
    machine.accept()
    second.expect(b"ready")


@pytest.mark.parametrize("how", ["TERM", "HUP", "machine"])
def test_the_terminal_is_given_back(server, machine, terminal, how):
    t = terminal(ostler.BINARY, "console", machine.iid, "--data", server.data)
    machine.accept()
    t.expect(b"ready")
    wait_for("a raw terminal", t.is_raw)
    if how == "machine":
        machine.line.close()
    else:
        t.process.send_signal(getattr(signal, "SIG" + how))
    code = t.process.wait(timeout=20)
    assert code == (OK if how == "machine" else 128 + getattr(signal, "SIG" + how))
    assert t.mode() == t.before


def test_console_in_a_pipe(server, machine, program):
    p = subprocess.Popen([program, "console", machine.iid, "--data", server.data], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env())
    try:
        machine.accept()
        p.stdin.write(b"uptime\n")
        p.stdin.flush()
        assert machine.line.recv(100) == b"uptime\n"
        machine.line.sendall(b"up 1 day\n")
        assert p.stdout.readline() == b"booting\n" and p.stdout.readline() == b"ready\n"
        assert p.stdout.readline() == b"up 1 day\n"
    finally:
        p.stdin.close()
        code = p.wait(timeout=20)
        p.stdout.close()
        p.stderr.close()
    assert code == OK


def test_no_console(server):
    iid = create(server)
    r = server.cli("console", iid, check=False)
    assert r.returncode == REFUSED and "it is STOPPED" in r.stderr and "ostler start" in r.stderr
    server.cli("start", iid, "--wait")
    r = server.cli("console", iid, check=False)
    assert r.returncode == REFUSED and "sim engine" in r.stderr


def test_log(server, program):
    iid = create(server)
    assert server.cli("log", iid).stdout == ""  # it has not said anything
    m = Machine(server, iid, b"")
    data = bytes(range(256)) * 2000  # many pieces, and not a text
    m.append(data)
    r = subprocess.run([program, "log", iid, "--data", server.data], capture_output=True, timeout=60, env=clean_env())
    assert r.stdout == data
    assert server.cli("log", "i-nosuch", check=False).returncode == REFUSED
    m.close()


def test_log_follows(server, program):
    iid = create(server)
    m = Machine(server, iid, b"one\n")
    p = subprocess.Popen([program, "log", iid, "-f", "--data", server.data], stdout=subprocess.PIPE, env=clean_env())
    try:
        assert p.stdout.readline() == b"one\n"
        m.append(b"two\n")
        assert p.stdout.readline() == b"two\n"
        os.truncate(os.path.join(m.dir, "serial.log"), 0)  # as the engine does when it grows too long
        m.append(b"3\n")
        assert p.stdout.readline() == b"3\n"
    finally:
        p.terminate()
        p.wait(timeout=20)
        p.stdout.close()
        m.close()


def test_log_is_no_way_to_other_files(server):
    iid = create(server)
    d = os.path.join(server.data, "instances", iid)
    os.makedirs(d, exist_ok=True)
    os.symlink("/etc/passwd", os.path.join(d, "serial.log"))
    status, body = operator(server, "ReadConsoleLog", {"instanceId": iid})
    assert status == 500 and "root:" not in json.dumps(body)
    server.check_log = False  # the refusal is logged as an error, rightly
    os.unlink(os.path.join(d, "serial.log"))


def test_wait_on_a_terminal(server, terminal):
    """One line an instance, redrawn in place."""
    ids = [create(server), create(server)]
    t = terminal(ostler.BINARY, "start", *ids, "--wait", "--data", server.data)
    t.expect(b"\033[2A") # went back over both lines
    t.process.wait(timeout=30)
    for iid in ids:
        t.expect(iid.encode() + b"  Running")


# ---- completion ----

def completions(*words, env=None):
    script = os.path.join(ostler.ROOT, "packaging", "completion", "ostler.bash")
    line = "source %s; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _ostler; printf '%%s\\n' \"${COMPREPLY[@]}\"" % script
    r = subprocess.run(["bash", "-c", line, "bash", ostler.BINARY, *words], capture_output=True, text=True,
                       timeout=30, env=env or clean_env())
    assert not r.stderr, r
    return r.stdout.split()


def test_completion(server):
    assert completions("sta") == ["start"]
    assert {"ls", "import"} == set(completions("image", ""))
    assert completions("start", "--wa") == ["--wait"]
    assert set(completions("env", "")) == {"alibaba", "zenlayer", "ostler"}
    iid = create(server)
    assert completions("start", "--data", server.data, "i-") == [iid]
    assert completions("--data", server.data, "instance", "lock", "") == [iid]
    assert completions("instance", "lock", "x", "--reason", "fin") == ["financial"]
    assert completions("start", "--data", "/nonexistent", "i-") == []


def test_the_other_clouds_api(server):
    """The same verbs by ZEC's API: one machine, two views."""
    iid = create(server)
    assert server.cli("start", iid, "--api", "zenlayer", "--wait").returncode == OK
    assert state(server, iid) == "running"
    again = server.cli("start", iid, "--api", "zenlayer", check=False)
    assert again.returncode == REFUSED and "already" in again.stderr
    unknown = server.cli("reboot", "i-nobody", "--api", "zenlayer", check=False)
    assert unknown.returncode == REFUSED and "INVALID_INSTANCE_NOT_FOUND" in unknown.stderr
    assert server.cli("stop", iid, "--force", "--api", "zenlayer", "--wait").returncode == OK
    assert server.cli("start", iid, "--api", "nobody", check=False).returncode == USAGE
    assert server.cli("start", iid, "--api", "zenlayer", "--dry-run", check=False).returncode == USAGE


def test_subnet(server):
    one = server.cli("subnet", "asia-east-1a").stdout
    assert re.fullmatch(r"vsw-[a-z0-9]{20}\n", one)
    assert server.cli("subnet", "asia-east-1a").stdout == one
    assert server.cli("subnet", "asia-east-1b").stdout != one
    assert server.cli("subnet", "nowhere-1a", check=False).returncode == REFUSED
