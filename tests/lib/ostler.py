"""A server under test, and short ways to talk to it through both dialects.

    with Server(sim={"start": "50ms"}) as s:
        iid = s.ecs.create_stopped()
        s.ecs("StartInstance", InstanceId=iid)
        s.wait_state(iid, "Running")

Every wait has a deadline. A server is ended by its process id, also when a test fails; its log is kept then.
"""
import json
import os
import re
import selectors
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

import sign
import wire

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("OSTLER_BIN", os.path.join(ROOT, "build", "src", "server", "ostler"))
ENGINE = os.environ.get("OSTLER_ENGINE", "sim")
SLOW_FACTOR = float(os.environ.get("OSTLER_TEST_PATIENCE", "1"))
FAST = {"create": "20ms", "start": "20ms", "stop": "20ms", "reboot": "20ms"}
HELD = {"create": "600s", "start": "600s", "stop": "600s", "reboot": "600s"}


class Failed(AssertionError):
    """The server did not do what every server must."""


def patience(seconds):
    return seconds * SLOW_FACTOR * (8 if ENGINE == "qemu" else 1)


def wait_for(what, probe, deadline=20.0, every=0.02):
    """Calls `probe` until it returns something true, and returns that. Fails, saying `what`, at the deadline."""
    until = time.monotonic() + deadline * SLOW_FACTOR
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > until:
            raise Failed("%s: not within %g s" % (what, deadline))
        time.sleep(every)


def missing_binary():
    """Why no server can be started here, or None."""
    if os.access(BINARY, os.X_OK):
        return None
    return "no program at %s (build it, or set OSTLER_BIN)" % BINARY


def guest_image():
    """The folder of a built guest image (guest/build.sh OUT), or None."""
    for folder in (os.environ.get("OSTLER_GUEST"), os.path.join(ROOT, ".cache", "guest")):
        if folder and os.path.exists(os.path.join(folder, "image.json")):
            return folder
    return None


def missing_guest():
    """Why no real machine can be started here, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed"
    if not guest_image():
        return "no guest image: guest/build.sh .cache/guest makes one, or OSTLER_GUEST names its folder"
    return None


def parse_exports(text):
    """`export X='y'` lines as a dict."""
    out = {}
    for line in text.splitlines():
        m = re.fullmatch(r"export ([A-Za-z_][A-Za-z0-9_]*)='((?:[^']|'\\'')*)'", line.strip())
        if m:
            out[m.group(1)] = m.group(2).replace("'\\''", "'")
    return out


def process(pid):
    """(argv, when it began, in ticks); ([""], None) of one that is gone, or only waits to be waited for."""
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as f:
            argv = f.read().decode("utf-8", "replace").split("\0")
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return [""], None
    return ([""], None) if fields[0] == "Z" else (argv, fields[19])


def folder_of(pid):
    """The folder that a QEMU was given, as its third descriptor; "" when it has none."""
    try:
        return os.readlink("/proc/%d/fd/3" % pid)
    except OSError:
        return ""


class Server:
    def __init__(self, data=None, *, engine=None, sim=None, args=(), env=None, check_log=True,
                 deadline=20.0):
        self.own_data = data is None
        self.data = data or tempfile.mkdtemp(prefix="ostler-test-")
        self.engine = engine or ENGINE
        self.sim = dict(FAST, **(sim or {}))
        self.args = list(args)
        self.extra_env = dict(env or {})
        self.check_log = check_log
        self.deadline = deadline * SLOW_FACTOR
        self.log = self.data.rstrip("/") + ".log"  # of all its lives
        self.process = None
        self.host = self.port = None
        self.secrets = []
        self._tls = None
        self._account = None

    # ---- life ----

    def command(self):
        c = [BINARY, "serve", "--data", self.data, "--listen", "127.0.0.1:0", "--engine", self.engine]
        if self.engine == "sim":
            for verb, duration in self.sim.items():
                c += ["--sim-" + verb, duration]
        return c + self.args

    def start(self):
        self.spawn()
        try:
            line = self._first_line()
            m = re.fullmatch(r"listening on (https?)://([^/:\s]+|\[[^\]]+\]):(\d+)/?", line)
            if not m:
                raise Failed("the first line is not the address but %r\n%s" % (line, self.log_tail()))
            self.host, self.port = m.group(2), int(m.group(3))
            if self.engine == "qemu" and not os.path.exists(os.path.join(self.data, "images", "guest")):
                self.cli("image", "import", guest_image(), "--id", "guest")
        except BaseException:
            self._end(signal.SIGKILL)
            raise
        return self

    def spawn(self):
        """Only the process; start() also waits until it listens."""
        assert self.process is None
        why = missing_binary()
        if why:
            raise Failed(why)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log,
                                            env=dict(os.environ, **self.extra_env))

    def _first_line(self):
        fd = self.process.stdout.fileno()
        os.set_blocking(fd, False)
        got, until = b"", time.monotonic() + self.deadline
        with selectors.DefaultSelector() as sel:
            sel.register(fd, selectors.EVENT_READ)
            while b"\n" not in got:
                if not sel.select(max(0, until - time.monotonic())):
                    raise Failed("no address within %g s\n%s" % (self.deadline, self.log_tail()))
                data = os.read(fd, 4096)
                if not data:
                    self.process.wait()
                    raise Failed("the server ended with %d before it listened\n%s"
                                 % (self.process.returncode, self.log_tail()))
                got += data
        return got.split(b"\n")[0].decode().strip()

    def _end(self, sig):
        p, self.process = self.process, None
        if p is None:
            return None
        p.send_signal(sig)
        try:
            p.wait(timeout=15 * SLOW_FACTOR)
            late = False
        except subprocess.TimeoutExpired:
            late = True
            p.kill()
            p.wait(timeout=15)
        p.stdout.close()
        if late:
            raise Failed("did not end within %g s of SIGTERM\n%s" % (15 * SLOW_FACTOR, self.log_tail()))
        return p.returncode

    def kill9(self):
        """As power loss does it to the program: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self):
        """Asks it to end; it must, well, and without having logged an error or a secret."""
        if self.process is None:
            return
        early = self.process.poll()
        code = self._end(signal.SIGTERM) if early is None else self._reap(early)
        if code != 0:
            raise Failed("exit code %s\n%s" % (code, self.log_tail()))
        if self.check_log:
            self.assert_clean_log()

    def _reap(self, code):
        self.process.stdout.close()
        self.process = None
        return code

    def restart(self, *, kill=False, sim=None, args=None):
        if kill:
            self.kill9()
        else:
            self.stop()
        if sim is not None:
            self.sim = dict(FAST, **sim)
        if args is not None:
            self.args = list(args)
        return self.start()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, kind, value, tb):
        if kind is not None:
            self._end(signal.SIGKILL)
            sys.stderr.write("server log kept: %s (data: %s)\n" % (self.log, self.data))
            self._stop_guests()
            return
        try:
            self.stop()
        except BaseException:
            sys.stderr.write("server log kept: %s (data: %s)\n" % (self.log, self.data))
            self._stop_guests()
            raise
        self._stop_guests()
        self.remove()

    def _stop_guests(self):
        """Real machines outlive the daemon by design; a test's must not. Only those of this data directory."""
        for pid, _ in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def processes(self):
        """(pid, argv) of every process that works in this data directory: QEMUs, switches. A machine that boots from
        its disk does not name it, but has its own folder open."""
        out = []
        for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
            argv, _ = process(pid)
            if os.path.basename(argv[0]).startswith(("qemu", "ostler")) and "serve" not in argv[1:2] and any(
                    self.data in a for a in argv[1:] + [folder_of(pid)]):
                out.append((pid, argv))
        return out

    def remove(self):
        if self.own_data:
            shutil.rmtree(self.data, ignore_errors=True)
        try:
            os.unlink(self.log)
        except FileNotFoundError:
            pass

    # ---- the log ----

    def log_text(self):
        with open(self.log, errors="replace") as f:
            return f.read()

    def log_tail(self, n=30):
        try:
            return "--- last lines of its log:\n" + "\n".join(self.log_text().splitlines()[-n:])
        except OSError:
            return ""

    def log_lines(self):
        """The log, parsed: each line a dict."""
        out = []
        for line in self.log_text().splitlines():
            try:
                out.append(json.loads(line))
            except ValueError:
                raise Failed("a log line that is not JSON: %r" % line) from None
        return out

    def assert_clean_log(self):
        text = self.log_text()
        for line in text.splitlines():
            if "level=error" in line or '"level":"error"' in line:
                raise Failed("an error in the log: %s" % line)
            if "ERROR: AddressSanitizer" in line or "runtime error:" in line or "LeakSanitizer" in line \
                    or "WARNING: ThreadSanitizer" in line:
                raise Failed("a sanitizer spoke: %s\n%s" % (line, self.log_tail(60)))
        for name, secret in self.secrets:
            if secret and secret in text:
                raise Failed("the log shows a secret (%s)" % name)

    # ---- the operator's side ----

    def cli(self, *args, check=True, data=True):
        c = [BINARY] + (["--data", self.data] if data else []) + [str(a) for a in args]
        r = subprocess.run(c, capture_output=True, text=True, timeout=30 * SLOW_FACTOR,
                           stdin=subprocess.DEVNULL)
        if check and r.returncode:
            raise Failed("`%s` ended with %d: %s%s" % (" ".join(c), r.returncode, r.stdout, r.stderr))
        return r

    def operator(self, action, /, **body):
        """The operator's own API, on the data directory's socket."""
        data = json.dumps(body).encode()
        r = sign.Request("POST", "/_ostler/v1/" + action, [("Host", "ostler"), ("Content-Type", "application/json"),
                                                           ("Content-Length", str(len(data)))], data)
        reply = wire.send(os.path.join(self.data, "ostler.sock"), None, r)
        if reply.status != 200:
            raise Failed("%s: HTTP %d %s" % (action, reply.status, reply.body.decode("utf-8", "replace")))
        return reply.json()

    def exports(self, which):
        r = subprocess.run([BINARY, "env", which, "--data", self.data], capture_output=True, text=True,
                           timeout=30 * SLOW_FACTOR)
        if r.returncode:
            raise Failed("`ostler env %s` ended with %d: %s" % (which, r.returncode, r.stderr))
        out = parse_exports(r.stdout)
        if not out:
            raise Failed("`ostler env %s` printed no variables: %r" % (which, r.stdout))
        return out

    @property
    def account(self):
        """(access key id, secret) of the account that the first start made."""
        if self._account is None:
            e = self.exports("alibaba")
            self._account = (e["ALIBABA_CLOUD_ACCESS_KEY_ID"], e["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
            self.secrets.append(("access key secret", self._account[1]))
        return self._account

    # ---- the clients' side ----

    @property
    def address(self):
        return "%s:%d" % (self.host, self.port)

    @property
    def ca(self):
        return os.path.join(self.data, "ca.pem")

    @property
    def tls(self):
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self.ca)
        return self._tls

    def send(self, request, *, tls=False, deadline=30):
        return wire.send(self.host, self.port, request, tls=self.tls if tls else None,
                         deadline=deadline * SLOW_FACTOR)

    def connect(self, *, tls=False, deadline=30):
        return wire.Connection(self.host, self.port, tls=self.tls if tls else None,
                               deadline=deadline * SLOW_FACTOR)

    @property
    def ecs(self):
        return Ecs(self)

    @property
    def zec(self):
        return Zec(self)

    def wait_state(self, iid, state, deadline=20.0, ecs=None):
        """Waits until ECS says that the instance has this status ("" = is not listed)."""
        seen = [None]
        ecs = ecs or self.ecs

        def there():
            seen[0] = ecs.state(iid)
            return seen[0] == state
        try:
            wait_for("", there, patience(deadline))
        except Failed:
            raise Failed("%s is %r, not %r, after %g s\n%s" % (
                iid, seen[0], state, patience(deadline), self.log_tail())) from None


class Ecs:
    """Alibaba's dialect. Calling it returns (status, object, reply)."""
    REGION = os.environ.get("OSTLER_TEST_REGION", "cn-hangzhou")

    def __init__(self, server, key=None, secret=None, *, region=None):
        self.server = server
        self.key, self.secret = (key, secret) if key else server.account
        self.region = region or self.REGION

    def request(self, action, params=None, *, signer="v1", **kw):
        make = {"v1": sign.v1, "v3": sign.v3}[signer]
        return make(self.key, self.secret, self.server.address, action, params, **kw)

    def __call__(self, action, _params=None, *, _signer="v1", _connection=None, _kw=None, **params):
        params = dict({"RegionId": self.region}, **(_params or {}), **params)
        r = self.request(action, params, signer=_signer, **(_kw or {}))
        reply = _connection.exchange(r) if _connection else self.server.send(r)
        return reply.status, reply.json(), reply

    def ok(self, action, _params=None, **kw):
        status, obj, reply = self(action, _params, **kw)
        if status != 200:
            raise Failed("%s: HTTP %d %s" % (action, status, reply.body.decode("utf-8", "replace")))
        return obj

    def refused(self, action, _params=None, **kw):
        """(HTTP status, code, message) of a refusal; fails if it is none."""
        status, obj, _ = self(action, _params, **kw)
        if status == 200:
            raise Failed("%s was not refused: %r" % (action, obj))
        return status, obj["Code"], obj["Message"]

    # what a test needs before it can begin

    def _first(self, kind, key, default):
        cache = self.server.__dict__.setdefault("_" + kind, {})
        if key not in cache:
            cache[key] = default()
        return cache[key]

    def image(self):
        def ask():
            images = self.ok("DescribeImages", PageSize=50)["Images"]["Image"]
            if not images:
                raise Failed("the server offers no image")
            return images[0]["ImageId"]
        return self._first("image", self.region, ask)

    def types(self):
        return self._first("types", self.region,
                           lambda: self.ok("DescribeInstanceTypes")["InstanceTypes"]["InstanceType"])

    def small_type(self):
        plain = [t for t in self.types() if not t.get("LocalStorageAmount")]
        return min(plain, key=lambda t: (t["MemorySize"], t["CpuCoreCount"]))["InstanceTypeId"]

    def local_disk_type(self):
        have = [t for t in self.types() if t.get("LocalStorageAmount")]
        if not have:
            raise Failed("no instance type has local disks")
        return min(have, key=lambda t: (t["MemorySize"], t["CpuCoreCount"]))["InstanceTypeId"]

    def shape(self, **more):
        return dict({"ImageId": self.image(), "InstanceType": self.small_type()}, **more)

    def create(self, **more):
        """CreateInstance; the id, at once."""
        return self.ok("CreateInstance", self.shape(**more))["InstanceId"]

    def run(self, amount=1, **more):
        """RunInstances; the ids, at once."""
        return self.ok("RunInstances", self.shape(Amount=amount, **more))["InstanceIdSets"]["InstanceIdSet"]

    def create_stopped(self, **more):
        iid = self.create(**more)
        self.server.wait_state(iid, "Stopped")
        return iid

    def create_running(self, **more):
        iid = self.run(**more)[0]
        self.server.wait_state(iid, "Running", 60)
        return iid

    def create_many_stopped(self, n):
        """Stopped ones, many: run and force-stopped in batches, since CreateInstance makes one at a time."""
        ids = []
        with self.server.connect() as c:
            for _ in range(n):
                ids.append(self.ok("CreateInstance", self.shape(), _connection=c)["InstanceId"])
        self.wait_all(ids, "Stopped")
        return ids

    def states(self, ids):
        """{id: status} of those that are listed."""
        out = {}
        for i in range(0, len(ids), 50):
            r = self.ok("DescribeInstanceStatus", InstanceId=list(ids[i:i + 50]), PageSize=50)
            for x in r["InstanceStatuses"]["InstanceStatus"]:
                out[x["InstanceId"]] = x["Status"]
        return out

    def state(self, iid):
        return self.states([iid]).get(iid, "")

    def wait_all(self, ids, state, deadline=60.0):
        last = [None]

        def all_there():
            last[0] = self.states(ids)
            return all(last[0].get(i) == state for i in ids)
        try:
            wait_for("", all_there, patience(deadline))
        except Failed:
            odd = {i: last[0].get(i, "") for i in ids if last[0].get(i) != state}
            raise Failed("not %s after %g s: %r" % (state, patience(deadline), odd)) from None

    def describe(self, iid):
        got = self.ok("DescribeInstances", InstanceIds=json.dumps([iid]))["Instances"]["Instance"]
        return got[0] if got else None


class Zec:
    """Zenlayer's dialect. Calling it returns (status, object, reply)."""

    def __init__(self, server, key=None, secret=None, *, client=None):
        self.server = server
        self.key, self.secret = (key, secret) if key else server.account
        self.client = client

    def request(self, action, body=None, **kw):
        kw.setdefault("client", self.client)
        return sign.zc2(self.key, self.secret, self.server.address, action, body, **kw)

    def __call__(self, action, body=None, *, _connection=None, **kw):
        r = self.request(action, body, **kw)
        reply = _connection.exchange(r) if _connection else self.server.send(r)
        return reply.status, reply.json(), reply

    def ok(self, action, body=None, **kw):
        status, obj, reply = self(action, body, **kw)
        if status != 200:
            raise Failed("%s: HTTP %d %s" % (action, status, reply.body.decode("utf-8", "replace")))
        return obj["response"]

    def refused(self, action, body=None, **kw):
        status, obj, _ = self(action, body, **kw)
        if status == 200:
            raise Failed("%s was not refused: %r" % (action, obj))
        return status, obj["code"], obj["message"]

    def states(self, ids):
        got = self.ok("DescribeInstancesStatus", {"instanceIds": list(ids), "pageSize": 1000})
        return {x["instanceId"]: x["instanceStatus"] for x in got["dataSet"]}

    def state(self, iid):
        return self.states([iid]).get(iid, "")

    def wait_state(self, iid, state, deadline=20.0):
        last = [None]

        def there():
            last[0] = self.state(iid)
            return last[0] == state
        try:
            wait_for("", there, patience(deadline))
        except Failed:
            raise Failed("%s is %r, not %r\n%s" % (iid, last[0], state, self.server.log_tail())) from None

    def zone(self):
        return self.ok("DescribeZones")["zoneSet"][0]["zoneId"]

    def ecs(self):
        """The other dialect, asking about this one's region."""
        return Ecs(self.server, self.key, self.secret, region=self.ok("DescribeZones")["zoneSet"][0]["regionId"])

    def shape(self, **more):
        """The smallest machine that this dialect offers, with a network of its own to stand in."""
        zone = self.zone()
        types = self.ok("DescribeZoneInstanceConfigInfos", {"zoneId": zone})["instanceTypeQuotaSet"]
        image = self.ok("DescribeImages", {"zoneId": zone})["dataSet"][0]["imageId"]
        small = min((t for t in types if t.get("withStock", True)),
                    key=lambda t: (t["memory"], t["cpuCount"]))
        body = {"zoneId": zone, "imageId": image, "instanceType": small["instanceType"],
                "instanceCount": 1, "password": "Passw0rd~x",
                "subnetId": self.server.operator("MakeNetwork", zone=zone)["subnet"]}
        return dict(body, **more)

    def create(self, count=1, **more):
        return self.ok("CreateZecInstances", self.shape(instanceCount=count, **more))["instanceIdSet"]

    def create_running(self, **more):
        iid = self.create(**more)[0]
        self.wait_state(iid, "RUNNING", 60)
        return iid
