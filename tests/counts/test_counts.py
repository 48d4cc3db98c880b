"""How many instructions a request costs, on every thread of the server, by callgrind.

They hardly depend on the machine and not at all on its mood, so a change that makes a hot path slower shows at once.
What was recorded stands in recorded.json. A change that costs more than a tenth fails; so does one that saves more,
until it is recorded: then the next one cannot spend unnoticed what this one has saved.

    OSTLER_RECORD=1 python3 -m pytest tests/counts      records anew
"""
import json
import os
import re
import shutil
import subprocess

import ostler
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDED = os.path.join(HERE, "recorded.json")
LOAD = os.path.join(os.path.dirname(ostler.BINARY), "..", "..", "bench", "load")
TOLERANCE = 0.10
HALF = 64

# Name: how requests are signed, the operation of bench/load, how many requests are counted, and to which half of the
# instances they go. Pairs have a half each: they end, as they must begin, with all of it stopped.
PATHS = {
    "DescribeInstanceStatus (ECS, V3)": ("v3", "read", 1000, 0),
    "DescribeInstanceStatus (ECS, V1)": ("v1", "read", 1000, 0),
    "DescribeInstancesStatus (ZEC)": ("zc2", "read", 1000, 0),
    "DescribeInstances, page of 100 (ECS)": ("v3", "page", 50, 0),
    "DescribeInstances, page of 100 (ZEC)": ("zc2", "page", 50, 0),
    "StartInstance and StopInstance (ECS)": ("v3", "pair", 8 * HALF, 0),
    "StartInstances and StopInstances (ZEC)": ("zc2", "pair", 8 * HALF, 1),
}


class Counted(ostler.Server):
    """Under callgrind, which counts nothing until it is told to."""

    def command(self):
        return ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no", "--log-file=%s.valgrind" % self.data,
                "--callgrind-out-file=%s.counts" % self.data] + super().command() + \
            ["--threads", "1", "--log-level", "warn"]

    def control(self, *args):
        subprocess.run(["callgrind_control", *args, str(self.process.pid)], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def counts(self):
        """Of what was counted since the last time."""
        before = set(self._dumps())
        self.control("-d")
        fresh = ostler.wait_for("callgrind's dump", lambda: [p for p in set(self._dumps()) - before
                                                             if re.search(r"^totals: \d+", open(p).read(), re.M)])
        return sum(int(re.search(r"^totals: (\d+)", open(p).read(), re.M).group(1)) for p in fresh)

    def _dumps(self):
        folder, name = os.path.split(self.data)
        return [os.path.join(folder, f) for f in os.listdir(folder) if f.startswith(name + ".counts")]

    def remove(self):
        super().remove()
        for path in self._dumps() + [self.data + ".valgrind"]:
            if os.path.exists(path):
                os.unlink(path)


def load(server, ids, scheme, op, requests, *args):
    key, secret = server.account
    r = subprocess.run([LOAD, "--url", "http://" + server.address, "--ids", ids, "--connections", "8", "--scheme", scheme,
                        "--op", op, "--requests", str(requests), *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=300, env=dict(os.environ, ACCESS_KEY_ID=key, ACCESS_KEY_SECRET=secret))
    assert r.returncode == 0, r.stdout + r.stderr
    return json.loads(r.stdout)


@pytest.fixture(scope="module")
def counted(program, request):
    """A server with running instances, and the file of their ids. They are made before it is slowed down."""
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    if not os.access(LOAD, os.X_OK):
        pytest.skip("no load generator at %s: meson configure -Dbench=true builds it" % LOAD)
    sim = {verb: "0s" for verb in ("create", "start", "stop", "reboot")}
    plain = ostler.Server(sim=sim, args=["--capacity-memory", "0"])
    plain.own_data = False
    with plain as s:
        halves = [s.cli("create", "--count", str(HALF), "--run", "--wait").stdout for _ in range(2)]
    ids = [plain.data + ".ids%d" % i for i in range(2)]
    for path, made in zip(ids, halves):
        with open(path, "w") as f:
            f.write(made)
    server = Counted(data=plain.data, sim=sim, args=["--capacity-memory", "0"], deadline=120)
    failed = request.session.testsfailed
    try:
        server.start()
        yield server, ids
        if request.session.testsfailed == failed:
            server.stop()
    finally:
        server.kill9()
        server.own_data = True
        server.remove()
        for path in ids:
            os.unlink(path)


def recorded():
    with open(RECORDED) as f:
        return json.load(f)


def record(name, count):
    known = recorded() if os.path.exists(RECORDED) else {}
    known[name] = count
    with open(RECORDED, "w") as f:
        json.dump({k: known[k] for k in PATHS if k in known}, f, indent=2)
        f.write("\n")


@pytest.mark.parametrize("name", PATHS)
def test_instructions_of_a_request(counted, name):
    server, ids = counted
    scheme, op, requests, half = PATHS[name]
    load(server, ids[half], scheme, op, HALF)  # statements are prepared, memory is warm, pairs are stopped
    server.counts()
    server.control("-i", "on")
    answers = load(server, ids[half], scheme, op, requests, "--state", "stopped")
    server.control("-i", "off")
    count = round(server.counts() / requests)

    assert answers["answers"] >= 0.9 * requests, answers
    if os.environ.get("OSTLER_RECORD") == "1":
        record(name, count)
    known = recorded()[name]
    assert abs(count - known) <= TOLERANCE * known, (
        "%s costs %d instructions, %+.1f %% against the recorded %d. If that is meant, record it: "
        "OSTLER_RECORD=1 python3 -m pytest tests/counts" % (name, count, 100 * (count / known - 1), known))
