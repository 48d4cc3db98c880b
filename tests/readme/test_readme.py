"""Every command of the README, as it stands there, by its mark `<!-- test: NAME -->`."""
import os
import re
import subprocess
import time

import pytest

import ostler
import page
import sign
import wire
from test_clients import python  # noqa: F401  (the fixture: a venv with the clouds' SDKs)

README = os.path.join(ostler.ROOT, "README.md")
# Blocks without a mark, and where they are run instead.
ELSEWHERE = {"./run\n": "CI and every newcomer; tests/readme/test_run below", "./test\n": "this run",
             "bench/run\n": "tests/bench, one group of it"}


def blocks():
    return page.blocks(README)


def test_no_command_goes_untested():
    named, rest = blocks()
    assert set(rest) == set(ELSEWHERE)
    for name in named:
        assert "test_" + name in globals(), "the README's block %r has no test" % name


@pytest.fixture
def home(tmp_path, program):
    """A folder where the README's paths lead to the program under test."""
    at = tmp_path / "build" / "src" / "server"
    at.mkdir(parents=True)
    (at / "ostler").symlink_to(program)
    return tmp_path


@pytest.fixture
def cloud(home):
    """The server that ./run would have started, on the sim engine, in ./var."""
    os.mkdir(home / "var")
    with ostler.Server(str(home / "var")) as s:
        yield s


def run(home, text, **env):
    r = subprocess.run(["sh", "-eu", "-c", text], cwd=home, env=dict(os.environ, **env), capture_output=True, text=True,
                       timeout=120)
    assert r.returncode == 0, "%s\n%s\n%s" % (text, r.stdout, r.stderr)
    return r.stdout


def test_env(home, cloud):
    out = run(home, blocks()[0]["env"][1] + "env")
    for name in ("ALIBABA_CLOUD_ENDPOINT", "SSL_CERT_FILE", "ZENLAYER_ENDPOINT", "ZENLAYERCLOUD_DOMAIN"):
        assert re.search("^%s=." % name, out, re.M), name


def run_python(home, cloud, python, name):
    iid = cloud.ecs.create_stopped()
    text = blocks()[0][name][1]
    script = home / "script.py"
    script.write_text(text)
    out = run(home, blocks()[0]["env"][1] + "unset SSL_CERT_FILE\n%s %s" % (python, script))
    assert iid in out, out
    return out


def test_alibaba(home, cloud, python):
    assert "Stopped" in run_python(home, cloud, python, "alibaba")


def test_zenlayer(home, cloud, python):
    assert "STOPPED" in run_python(home, cloud, python, "zenlayer")


def test_verbs(home, cloud):
    text = blocks()[0]["verbs"][1]
    assert text.rstrip().splitlines()[-1].startswith("$ostler doctor")
    out = run(home, text.rsplit("$ostler doctor", 1)[0])
    assert "victim" not in out
    doctor = subprocess.run([str(home / "build/src/server/ostler"), "doctor"], cwd=home, capture_output=True, text=True,
                            timeout=120)
    assert doctor.returncode in (0, 1), doctor  # 1: it found something wrong with this computer, and says what
    assert "QEMU" in doctor.stdout


def test_refusals(home, cloud):
    text = blocks()[0]["refusals"][1].replace("--data $DATA", "--data var")
    promised(home, text, {"InstanceLockedForSecurity", "InstanceExpired", "DiskError", "DiskInArrears"})


def promised(home, text, codes):
    """Runs the text. After each line that promises a code, that code must really come."""
    script = []
    for line in text.splitlines():
        script.append(line)
        for code in codes:
            if "# " + code in line:
                script.append("! $ostler start $id 2>err || exit 9; grep -q %s err; echo got %s" % (code, code))
    out = run(home, "\n".join(script))
    assert set(re.findall(r"got ([\w.]+)", out)) == codes
    return out


def test_controls(home):
    os.mkdir(home / "var")
    with ostler.Server(str(home / "var"), args=["--controls"]) as s:
        promised(home, blocks()[0]["controls"][1], {"OperationDenied.NoStock", "QuotaExceed.ElasticQuota",
                                                    "OperationDenied.HostRepairing", "InsufficientBalance"})
        (iid,) = [i["InstanceId"] for i in s.ecs.ok("DescribeInstances")["Instances"]["Instance"]]
        s.wait_state(iid, "Running")
        events = s.cli("events", "--subject", iid).stdout
        for what in ("failed: no such luck", "the guest's kernel panicked", "ef-2: hang of start"):
            assert what in events


def test_faults(home, cloud):
    cloud.restart(args=["--controls"])
    text = blocks()[0]["faults"][1]
    asking, rest = text.split("$ostler fault codes", 1)
    run(home, asking)
    ecs = cloud.ecs
    shape = ecs.shape(Amount=1)
    for _ in range(3):
        status, obj, reply = ecs("RunInstances", shape)
        assert (status, obj["Code"], reply.header("x-acs-retry-after")) == (400, "Throttling", "2000")
    with pytest.raises(wire.WireError):
        ecs("RunInstances", shape)
    assert ecs.ok("DescribeInstances")["TotalCount"] == 1
    seen = run(home, text.splitlines()[0] + "\n$ostler fault codes" + rest)
    assert "InstanceLockedForSecurity" in seen and "2 removed" in seen
    ecs.ok("RunInstances", shape)


def test_clock(home):
    os.mkdir(home / "var")
    with ostler.Server(str(home / "var"), args=["--controls"]):
        text = blocks()[0]["clock"][1]
        out = run(home, text.replace("|| true", "2>err || grep InstanceExpired err"))
    assert "InstanceExpired" in out
    for kind in ("expired", "renewed", "done: RUNNING"):
        assert kind in out, out


def test_snapshots(home):
    text = blocks()[0]["snapshots"][1].replace("/tmp/cloud", str(home / "cloud"))
    first, rest = text.split("\n", 1)
    p = subprocess.Popen(["sh", "-c", "exec " + first.removesuffix(" &")], cwd=home, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
    try:
        out = run(home, rest)
        assert "before saved\n" in out and "before loaded\n" in out and out.endswith("everything is reset\n"), out
        assert re.search("running", out[out.index("before loaded"):]), out
        port = re.search(r"listening on http://127\.0\.0\.1:(\d+)\n", p.stdout.readline()).group(1)
        body = b'{"name": "before"}'
        r = sign.Request("POST", "/_ostler/v1/LoadSnapshot", [("Host", "127.0.0.1:" + port),
                                                              ("Content-Length", str(len(body)))], body)
        assert wire.send("127.0.0.1", int(port), r).status == 200
    finally:
        p.terminate()
        p.wait(timeout=15)
        p.stdout.close()
    assert p.returncode == 0


def test_sim(home):
    command = blocks()[0]["sim"][1].strip().replace("/tmp/cloud", str(home / "cloud"))
    assert "--listen 127.0.0.1:0" in command
    p = subprocess.Popen(["sh", "-c", "exec " + command], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True)
    try:
        until = time.monotonic() + 30
        line = p.stdout.readline()
        assert time.monotonic() < until
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+\n", line), line
    finally:
        p.terminate()
        p.wait(timeout=15)
        p.stdout.close()
    assert p.returncode == 0
