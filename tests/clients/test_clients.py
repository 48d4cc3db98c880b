"""The clouds' own clients, unmodified but for the address, from a machine that is stopped to one that runs.

They are installed from their registries on the first run, into a cache outside the tree (OSTLER_TEST_CACHE, by
default ~/.cache/ostler-tests). Where a registry cannot be reached the tests say so and skip.
The machines run on the engine of OSTLER_ENGINE, or --engine.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

import ostler

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.environ.get("OSTLER_TEST_CACHE") or os.path.join(os.path.expanduser("~"), ".cache", "ostler-tests")
UUID = r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"
pytestmark = [pytest.mark.registry]


def place(kind, *files):
    """A folder of the cache that changes with what is to be installed."""
    h = hashlib.sha256()
    for f in files:
        with open(os.path.join(HERE, kind, f), "rb") as fd:
            h.update(fd.read())
    return os.path.join(CACHE, kind + "-" + h.hexdigest()[:16])


def install(folder, *commands):
    """Runs the commands in a new folder and puts it in place when all went well."""
    if os.path.exists(os.path.join(folder, "complete")):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    for c in commands:
        try:
            r = subprocess.run(c, cwd=folder, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            pytest.skip("no answer from the registry in 300 s: " + " ".join(c))
        except FileNotFoundError:
            pytest.skip("%s is not installed" % c[0])
        if r.returncode:
            text = r.stdout + r.stderr
            if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|NewConnectionError|ConnectTimeout|"
                         r"Could not find a version|Temporary failure", text):
                pytest.skip("the registry cannot be reached: `%s` said %s" % (" ".join(c), text[-300:]))
            raise AssertionError("`%s` failed:\n%s" % (" ".join(c), text[-3000:]))
    open(os.path.join(folder, "complete"), "w").close()
    return folder


@pytest.fixture(scope="session")
def node():
    folder = place("node", "package.json", "package-lock.json")
    if not os.path.exists(os.path.join(folder, "complete")):
        if not shutil.which("npm"):
            pytest.skip("npm is not installed")
    source = os.path.join(HERE, "node")
    install(folder, ["cp", os.path.join(source, "package.json"), os.path.join(source, "package-lock.json"), "."],
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
    return os.path.join(folder, "node_modules")


@pytest.fixture(scope="session")
def python():
    folder = place("python", "requirements.txt")
    bin_python = os.path.join(folder, "venv", "bin", "python")
    install(folder, [sys.executable, "-m", "venv", "venv"],
            [bin_python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r",
             os.path.join(HERE, "python", "requirements.txt")])
    return bin_python


@pytest.fixture(scope="module")
def cloud(program, engine, request):
    if engine == "qemu":
        why = ostler.missing_guest()
        if why:
            pytest.skip(why)
    failed = request.session.testsfailed
    s = ostler.Server(engine=engine, sim={"start": "300ms"}).__enter__()
    yield s
    s.__exit__(AssertionError if request.session.testsfailed > failed else None, None, None)


def tell(cloud, command, iid, *, protocol="http", env=None):
    """Runs a client program; its steps by name."""
    key, secret = cloud.account
    patience = ostler.patience(15)
    settings = {"ENDPOINT": cloud.address, "PROTOCOL": protocol, "KEY": key, "SECRET": secret,
                "REGION": cloud.ecs.region, "INSTANCE": iid, "CA": cloud.ca, "PATIENCE": str(patience)}
    full = dict(os.environ, **{"OSTLER_CLIENT_" + k: v for k, v in settings.items()}, **(env or {}))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        full.pop(proxy, None)  # the server is on the loopback
    r = subprocess.run(command, env=full, capture_output=True, text=True, timeout=patience + 60)
    assert r.returncode == 0, "%s\n%s\n%s" % (r.stdout, r.stderr, cloud.log_tail())
    steps = {}
    for line in r.stdout.splitlines():
        if line.startswith("{"):
            o = json.loads(line)
            steps[o["step"]] = o
    return steps


def told_well(steps, running, starting):
    assert steps["found"]["status"] in ("Stopped", "STOPPED")
    assert steps["waited"]["status"] == running, steps
    assert set(steps["waited"]["seen"]) <= {starting, running}, steps
    for refused in ("again", "unknown", "wrong-secret"):
        assert steps[refused]["refused"], steps
        assert re.fullmatch("T?" + UUID, steps[refused]["requestId"]), steps[refused]


NODE = [
    ("ecs20140526", "http", {}), ("ecs20140526", "https", {}), ("ecs20140526", "http", {"SIGNATURE": "v2"}),
    ("pop-core", "http", {"METHOD": "GET"}), ("pop-core", "http", {"METHOD": "POST"}),
    ("pop-core", "https", {"METHOD": "POST"}),
]


@pytest.mark.parametrize("name,protocol,more", NODE, ids=["-".join([n, p, *m.values()]) for n, p, m in NODE])
def test_node(cloud, node, name, protocol, more):
    iid = cloud.ecs.create_stopped()
    env = {"OSTLER_CLIENT_" + k: v for k, v in more.items()}
    env["NODE_PATH"] = node
    if protocol == "https":
        env["NODE_EXTRA_CA_CERTS"] = cloud.ca
    steps = tell(cloud, ["node", os.path.join(HERE, "node", name + ".js")], iid, protocol=protocol, env=env)
    told_well(steps, "Running", "Starting")
    again, unknown, wrong = steps["again"], steps["unknown"], steps["wrong-secret"]
    codes = (again["code"], unknown["code"], wrong["code"])
    assert codes == ("IncorrectInstanceStatus", "InvalidInstanceId.NotFound", "SignatureDoesNotMatch")
    if name == "pop-core":
        # this client makes the error's name from its code
        assert [s["name"] for s in (again, unknown, wrong)] == [c + "Error" for c in codes]
    else:
        assert [(s["type"], s["status"]) for s in (again, unknown, wrong)] == [
            ("ClientError", 403), ("ClientError", 404), ("ClientError", 400)]


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_python_ecs(cloud, python, protocol):
    iid = cloud.ecs.create_stopped()
    env = {"SSL_CERT_FILE": cloud.ca} if protocol == "https" else {}
    steps = tell(cloud, [python, os.path.join(HERE, "python", "run_ecs.py")], iid, protocol=protocol, env=env)
    told_well(steps, "Running", "Starting")
    assert [(steps[s]["type"], steps[s]["status"], steps[s]["code"]) for s in ("again", "unknown", "wrong-secret")] == [
        ("ClientException", 403, "IncorrectInstanceStatus"),
        ("ClientException", 404, "InvalidInstanceId.NotFound"),
        ("ClientException", 400, "SignatureDoesNotMatch")]


@pytest.mark.parametrize("protocol", ["http", "https"])
def test_python_zec(cloud, python, protocol):
    iid = cloud.ecs.create_stopped()
    steps = tell(cloud, [python, os.path.join(HERE, "python", "run_zec.py")], iid, protocol=protocol)
    told_well(steps, "RUNNING", "STARTING")
    assert steps["started"]["failed"] == []
    assert [(steps[s]["type"], steps[s]["code"]) for s in ("again", "unknown", "wrong-secret")] == [
        ("ZenlayerCloudSdkException", "INVALID_INSTANCE_NOT_FOUND"),
        ("ZenlayerCloudSdkException", "INVALID_INSTANCE_NOT_FOUND"),
        ("ZenlayerCloudSdkException", "AUTHFAILURE_SIGNATURE_FAILURE")]


@pytest.mark.parametrize("name", ["ecs20140526", "pop-core"])
def test_node_refuses_an_unknown_authority(cloud, node, name):
    """Without the CA the same client must not connect: what the https runs above prove, they prove by the CA."""
    iid = cloud.ecs.create_stopped()
    key, secret = cloud.account
    empty = os.path.join(cloud.data, "no-ca.pem")
    open(empty, "w").close()
    env = dict(os.environ, NODE_PATH=node, **{"OSTLER_CLIENT_" + k: v for k, v in {
        "ENDPOINT": cloud.address, "PROTOCOL": "https", "KEY": key, "SECRET": secret, "REGION": cloud.ecs.region,
        "INSTANCE": iid, "CA": empty, "PATIENCE": "5"}.items()})
    env.pop("NODE_EXTRA_CA_CERTS", None)
    r = subprocess.run(["node", os.path.join(HERE, "node", name + ".js")], env=env, capture_output=True, text=True,
                       timeout=60)
    assert r.returncode != 0 and re.search("certificate", r.stderr), r.stdout + r.stderr
    assert cloud.ecs.state(iid) == "Stopped"
