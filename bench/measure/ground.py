"""What every measurement stands on: a folder, processes that end with it, processors, and what a round is."""
import contextlib
import datetime
import json
import mmap
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.path.join(ROOT, ".cache", "bench")
BUILD = os.path.join(ROOT, ".cache", "bench-build")

# The tests' server and signers serve here too; they ask the environment which program is meant.
os.environ.setdefault("OSTLER_BIN", os.path.join(BUILD, "src", "server", "ostler"))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))

import ostler  # noqa: E402


class Absent(Exception):
    """A figure that cannot be had here; its text says why."""


class Failed(Exception):
    """A measurement that should have worked did not."""


def say(text):
    print("==> " + text, flush=True)


# ---- processors ----

def _busy_and_all():
    with open("/proc/stat") as f:
        ticks = [int(n) for n in f.readline().split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def touch_memory(mib):
    """Where the computer is a virtual one, its host may take back memory that lay idle for seconds, and a machine that
    gets it first waits for it, longer than a start takes: whose turn it is finds enough at hand."""
    with mmap.mmap(-1, mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as m:
        with contextlib.suppress(OSError):  # no huge pages: the small ones do, slower
            m.madvise(mmap.MADV_HUGEPAGE)
        for page in range(0, mib << 20, mmap.PAGESIZE):
            m[page] = 1


def quiet(mib=256, patience=1.0):
    """Before a turn: waits until the processors rest, but not for long, so that what one turn leaves behind is no part
    of the next."""
    rest(patience)
    touch_memory(mib)


def rest(patience):
    until, before = time.monotonic() + patience, _busy_and_all()
    while time.monotonic() < until:
        time.sleep(0.1)
        now = _busy_and_all()
        if now[0] - before[0] <= 0.15 * (now[1] - before[1]):
            return
        before = now


# ---- a folder and its processes ----

def holds(pid, folder):
    """Does the process work in the folder? Machines have their directory as descriptor 3."""
    try:
        with open("/proc/%s/cmdline" % pid, "rb") as f:
            if folder.encode() in f.read():
                return True
        return os.readlink("/proc/%s/fd/3" % pid).startswith(folder)
    except OSError:
        return False


def _program_of(pid):
    try:
        return os.path.basename(os.readlink("/proc/%s/exe" % pid))
    except OSError:
        return ""


def is_machine(pid):
    return _program_of(pid).startswith("qemu-system")


def program(name):
    """One of bench/'s own programs: as built beside the server that is measured, or with this tree."""
    beside = os.path.dirname(os.path.dirname(os.path.dirname(ostler.BINARY)))
    for build in (beside, BUILD, os.path.join(ROOT, "build")):
        path = os.path.join(build, "bench", name)
        if os.access(path, os.X_OK):
            return path
    raise Absent("bench/%s is not built" % name)


class Ground:
    """`with Ground() as g:` whatever was started through it has ended when the block has, however that ends."""

    def __init__(self, *, quick=False, rounds=None, say=say):
        self.quick, self.say = quick, say
        self.rounds = rounds or (3 if quick else 5)
        os.makedirs(CACHE, mode=0o700, exist_ok=True)
        self.dir = tempfile.mkdtemp(prefix="run-", dir=CACHE)
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever is impatient now would leave something behind
        try:
            self.stack.close()
        finally:
            self._end_machines()
            shutil.rmtree(self.dir, ignore_errors=True)
            signal.signal(signal.SIGINT, before)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def folder(self, *names):
        os.makedirs(self.path(*names), mode=0o700, exist_ok=True)
        return self.path(*names)

    def _end_machines(self):
        """Machines and switches outlive what started them: those of this folder are found and ended, by pid."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            if int(pid) != os.getpid() and _program_of(pid).startswith(("qemu-system", "ostler")) and holds(pid, self.dir):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)

    def spawn(self, argv, log, **kw):
        """A process that ends with the ground; its output goes to the named log."""
        with open(self.path(log), "ab") as out:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **kw)
        self.stack.callback(end, p)
        return p

    def run(self, argv, *, timeout=120, env=None, ok=(0,)):
        """The output of a command that must succeed."""
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, env=dict(os.environ, **env) if env else None)
        try:
            out, err = p.communicate(timeout=timeout)
        except BaseException:
            end(p)
            raise
        if p.returncode not in ok:
            raise Failed("`%s` ended with %d: %s" % (" ".join(argv)[:200], p.returncode, (err or out)[-800:].strip()))
        return out


def end(p, patience=10):
    if p.poll() is None:
        p.terminate()
        try:
            p.wait(patience)
        except subprocess.TimeoutExpired:
            p.kill()
    p.wait()
    for pipe in (p.stdin, p.stdout, p.stderr):
        if pipe:
            pipe.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, what, deadline=20):
    until = time.monotonic() + deadline
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Failed("%s ended with %d before it listened" % (what, process.returncode))
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Failed("%s does not listen" % what)


# ---- figures ----

def figure(values, *, unit="", how="", rounds=None, **facts):
    """What is kept of one figure: every round, the median, the spread."""
    if not values:
        raise Failed("no round")
    return {"value": statistics.median(values), "low": min(values), "high": max(values), "unit": unit, "how": how,
            "values": list(values), "rounds": rounds or [], "facts": facts}


def absent(why, *, failed=False):
    """A figure that there is none of: it cannot be had here, or its measurement failed."""
    text = " ".join(str(why).split())
    return {"absent": text if len(text) <= 200 else text[:200] + "…", "failed": failed}


def ratios(rounds, over="reference"):
    return [r["ours"] / r[over] for r in rounds]


# ---- where and when ----

def _first(path, key):
    with contextlib.suppress(OSError), open(path) as f:
        for line in f:
            if line.startswith(key):
                return line.partition(":")[2].strip()
    return ""


def _output(argv):
    try:
        r = subprocess.run(argv, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, cwd=ROOT)
        return (r.stdout + r.stderr).strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine():
    return {"cores": len(os.sched_getaffinity(0)), "cpu": _first("/proc/cpuinfo", "model name"),
            "memory_mib": int(_first("/proc/meminfo", "MemTotal").split()[0]) // 1024,
            "kernel": platform.release(), "load_before": os.getloadavg()[0]}


def versions():
    first = {name: (_output(argv).splitlines() or [""])[0] for name, argv in {
        "ostler": [ostler.BINARY, "version"], "qemu": ["qemu-system-x86_64", "--version"],
        "nginx": ["nginx", "-v"], "libvirt": ["libvirtd", "--version"]}.items()}
    first["commit"] = _output(["git", "describe", "--always", "--dirty", "--abbrev=12"])
    first["python"] = platform.python_version()
    return {k: v for k, v in first.items() if v}


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def write_json(path, what):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w") as f:
        json.dump(what, f, indent=1, sort_keys=True)
        f.write("\n")
    os.replace(path + ".new", path)
