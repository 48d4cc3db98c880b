"""bench/run, really: one group, short, into a folder of the test; and what it does when it is interrupted."""
import json
import os
import re
import signal
import subprocess
import sys

import pytest

import ostler
from conftest import ROOT
from measure import ground

RUN = os.path.join(ROOT, "bench", "run")


def environment():
    return dict(os.environ, OSTLER_BIN=ostler.BINARY)


@pytest.fixture(scope="module")
def tools(program):  # noqa: F811
    try:
        ground.program("load")
    except ground.Absent as e:
        pytest.skip(str(e))


def folders():
    return {n for n in os.listdir(ground.CACHE) if n.startswith("run-")} if os.path.isdir(ground.CACHE) else set()


def test_one_group_end_to_end(tools, tmp_path):
    before = folders()
    r = subprocess.run([sys.executable, RUN, "--quick", "--only", "page-point", "--rounds", "1", "--out", str(tmp_path)],
                       env=environment(), capture_output=True, text=True, timeout=60)
    assert r.returncode == 0, r.stdout + r.stderr
    (name,) = os.listdir(tmp_path / "results")
    results = json.loads((tmp_path / "results" / name).read_text())
    figure = results["figures"]["page-point"]
    assert figure["value"] > 1 and figure["rounds"][0]["saturated-page"] > 0
    page = (tmp_path / "docs" / "performance.md").read_text()
    (line,) = [x for x in page.splitlines() if "`bench/run --only page-point`" in x]
    assert ("**no**" in line) == (figure["value"] > 30)
    assert (tmp_path / "docs" / "img" / "performance" / "goals.svg").exists()
    assert results["machine"]["disk_rps"] > 0
    assert not folders() - before


def test_interrupted_it_leaves_nothing(tools, tmp_path):
    before = folders()
    with subprocess.Popen([sys.executable, RUN, "--quick", "--only", "pages", "--out", str(tmp_path)], env=environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as p:
        try:
            for line in p.stdout:  # its first round has begun: server and generator run
                if "round 1" in line:
                    break
            (folder,) = folders() - before
            servers = [pid for pid in filter(str.isdigit, os.listdir("/proc")) if int(pid) != p.pid
                       and ground.holds(pid, os.path.join(ground.CACHE, folder))]
            assert servers
            p.send_signal(signal.SIGINT)
            rest = p.stdout.read()
            assert p.wait(30) == 130, rest
            assert "everything that was started has ended" in rest
        finally:
            if p.poll() is None:
                p.kill()
    assert not folders() - before
    for pid in servers:
        assert not ground.holds(pid, os.path.join(ground.CACHE, folder))
    assert not os.listdir(tmp_path)


def test_an_unknown_name_is_refused():
    r = subprocess.run([sys.executable, RUN, "--only", "speed"], capture_output=True, text=True, timeout=30)
    assert r.returncode == 1 and "nothing is called speed" in r.stderr


def test_every_goal_belongs_to_a_group():
    r = subprocess.run([sys.executable, RUN, "--list"], capture_output=True, text=True, timeout=30, check=True)
    listed = set(re.findall(r"[a-z0-9-]+(?=,|$)", "\n".join(x for x in r.stdout.splitlines() if x.startswith(" ")), re.M))
    from measure.goals import ALSO, GOALS
    assert {g.key for g in GOALS} | set(ALSO) == listed


def test_the_bare_launcher_and_a_machine(tools, tmp_path):
    """A process that is no machine fails, and is said to."""
    r = subprocess.run([ground.program("launch"), "--dir", str(tmp_path / "d"), "--count", "2", "--", "/bin/true"],
                       capture_output=True, text=True, timeout=30)
    assert r.returncode == 1
    out = json.loads(r.stdout)
    assert out["failed"] == 2 and [m["running_us"] for m in out["machines"]] == [None, None]


def test_the_bare_disk(tools, tmp_path):
    for mode in ([], ["--append"]):
        r = subprocess.run([ground.program("fdatasync"), "--file", str(tmp_path / "f"), "--bytes", "4096", "--seconds",
                            "1", *mode], capture_output=True, text=True, timeout=30, check=True)
        out = json.loads(r.stdout)
        assert out["syncs"] > 0 and out["p50_us"] <= out["p99_us"] <= out["max_us"] * 1.02
        assert not os.path.exists(tmp_path / "f")


def test_commits_of_the_log(tmp_path):
    """Frames of the log's present turn count, those that an earlier turn left behind do not."""
    from measure import traffic
    page, now, then = 512, b"saltsalt", b"othersal"
    head = b"\0" * 8 + page.to_bytes(4, "big") + b"\0" * 4 + now + b"\0" * 8

    def frame(commit, salt):
        return b"\0" * 4 + commit.to_bytes(4, "big") + salt + b"\0" * 8 + b"x" * page
    (tmp_path / "wal").write_bytes(head + frame(0, now) + frame(7, now) + frame(7, now) + frame(7, then))
    assert traffic.wal_commits(str(tmp_path / "wal")) == (2, 3 * (page + 24))
    (tmp_path / "empty").write_bytes(b"")
    assert traffic.wal_commits(str(tmp_path / "empty")) == (0, 0)
