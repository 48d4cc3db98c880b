"""The servers that are measured and compared with, each in a folder of the ground, on all processors."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

from . import ground
from .ground import Absent, Failed

import ostler
import wire

MOTO = "5.1.22"


# ---- ours ----

class Cloud(ostler.Server):
    """A server of the benchmark, as it comes but for its log."""

    def __init__(self, g, name, *, engine="sim", data=None, args=(), image=None, sim=None):
        super().__init__(data or g.folder(name), engine=engine, args=["--log-level", "warn", *args],
                         sim=dict({"create": "0ms", "start": "0ms", "stop": "0ms", "reboot": "0ms"}, **(sim or {})),
                         check_log=False, deadline=120)
        self.ground, self.log = g, g.path(name + ".log")

    def __exit__(self, *_):
        """Whatever happened, it ends, and its machines do."""
        with contextlib.suppress(ostler.Failed):
            super().stop()
        self._stop_guests()

    def resident_kib(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    @property
    def url(self):
        return "http://" + self.address

    @property
    def tls_url(self):
        return "https://" + self.address


def knows_option(name):
    """Does this `ostler serve` have the option?"""
    r = subprocess.run([ostler.BINARY, "serve", "--help"], capture_output=True, text=True, timeout=20)
    return re.search(r"^\s+%s\b" % re.escape(name), r.stdout, re.M) is not None


def load(g, url, op, account, *, ids=None, scheme="v3", seconds=2.0, connections=64, rate=0, pid=None, cacert=None,
         histogram=False, page_size=None, page=None, warmup=0.3):
    """One run of the load generator; what it printed. `pid`: the server's, or several."""
    argv = [ground.program("load"), "--url", url, "--op", op, "--scheme", scheme, "--seconds", str(seconds),
            "--warmup", str(warmup), "--connections", str(connections), "--rate", "%d" % rate]
    for one in pid if isinstance(pid, (list, tuple)) else [pid] if pid else []:
        argv += ["--pid", str(one)]
    for option, value in (("--ids", ids), ("--cacert", cacert), ("--page-size", page_size),
                          ("--page", page)):
        if value is not None:
            argv += [option, str(value)]
    if histogram:
        argv.append("--histogram")
    out = g.run(argv, timeout=seconds + 60, ok=(0, 1),
                env={"ACCESS_KEY_ID": account[0], "ACCESS_KEY_SECRET": account[1]})
    r = json.loads(out)
    if not r["answers"]:
        raise Failed("%s %s: not one good answer (%d refused, %d errors)" % (url, op, r["refused"], r["errors"]))
    return r


def write_ids(g, name, ids):
    with open(g.path(name), "w") as f:
        f.write("".join(i + "\n" for i in ids))
    return g.path(name)


# ---- nginx ----

NGINX_HTTP = """worker_processes auto;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    server_tokens off;
    default_type application/json;
    keepalive_requests 2000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
{servers}
}}
"""
NGINX_SERVER = """    server {{
        listen 127.0.0.1:{port}{ssl};
        {tls}
        location / {{ return 200 '{body}'; }}
    }}"""


class Nginx:
    """A worker a processor, answering everything with fixed bodies, one port each: {name: body}; TLS as well when
    given (certificate, key): the very files of our server."""

    def __init__(self, g, bodies, tls=None):
        if not shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"):
            raise Absent("nginx is not installed (Debian: nginx-light)")
        self.ground, self.dir, self.ports, servers = g, g.folder("nginx"), {}, []
        for name, body in bodies.items():
            for secure in (False, True) if tls else (False,):
                port = self.ports[name, secure] = ground.free_port()
                text = body.replace("\\", "\\\\").replace("'", "\\'").replace("$", "S")
                files = ("ssl_certificate %s; ssl_certificate_key %s; ssl_protocols TLSv1.3;" % tls) if secure else ""
                servers.append(NGINX_SERVER.format(port=port, ssl=" ssl" if secure else "", tls=files, body=text))
        with open(os.path.join(self.dir, "nginx.conf"), "w") as f:
            f.write(NGINX_HTTP.format(dir=self.dir, servers="\n".join(servers)))

    def __enter__(self):
        path = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        self.process = self.ground.spawn([path, "-p", self.dir, "-c", os.path.join(self.dir, "nginx.conf"),
                                          "-e", os.path.join(self.dir, "error.log")], "nginx.log")
        for port in self.ports.values():
            ground.wait_port(port, self.process, "nginx (see nginx/error.log)")
        return self

    def __exit__(self, *_):
        ground.end(self.process)

    @property
    def workers(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as f:
            return [int(pid) for pid in f.read().split()]

    def url(self, name, secure=False):
        return "http%s://127.0.0.1:%d" % ("s" if secure else "", self.ports[name, secure])


# ---- moto ----

class Moto:
    """moto's EC2 server from PyPI, pinned in a virtual environment below .cache."""

    def __init__(self, g):
        self.ground = g
        self.venv = os.path.join(ground.CACHE, "moto-" + MOTO)

    def install(self):
        if os.path.exists(os.path.join(self.venv, "complete")):
            return
        self.ground.say("moto %s from PyPI" % MOTO)
        shutil.rmtree(self.venv, ignore_errors=True)
        try:
            self.ground.run([sys.executable, "-m", "venv", self.venv], timeout=120)
            self.ground.run([os.path.join(self.venv, "bin", "pip"), "install", "-q", "--timeout", "20", "--retries",
                             "1", "moto[ec2,server]==" + MOTO], timeout=300)
        except (Failed, OSError, subprocess.TimeoutExpired) as e:
            raise Absent("moto %s could not be installed from PyPI: %s" % (MOTO, e)) from None
        open(os.path.join(self.venv, "complete"), "w").close()

    def __enter__(self):
        self.install()
        self.port = ground.free_port()
        self.process = self.ground.spawn([os.path.join(self.venv, "bin", "moto_server"), "-H", "127.0.0.1",
                                          "-p", str(self.port)], "moto.log")
        ground.wait_port(self.port, self.process, "moto_server", 60)
        return self

    def __exit__(self, *_):
        ground.end(self.process)

    def request(self, action, **params):
        """The bytes of a call; moto looks at the credential's scope and at no signature."""
        body = "&".join("%s=%s" % kv for kv in {"Action": action, "Version": "2016-11-15", **params}.items())
        return ("POST / HTTP/1.1\r\nHost: ec2.us-east-1.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded"
                "; charset=utf-8\r\nAuthorization: AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/ec2/aws4_request"
                ", SignedHeaders=host, Signature=0\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)).encode()

    def connect(self):
        return wire.Connection("127.0.0.1", self.port, deadline=30)

    def call(self, data, conn=None):
        """(answer, the connection if it was kept): fails when the answer is no success."""
        conn = conn or self.connect()
        conn.send(data)
        r = conn.read_reply()
        if r.status != 200:
            raise Failed("moto: HTTP %d %s" % (r.status, r.body[:300]))
        if (r.header("connection") or "").lower() == "close":
            conn.close()
            conn = None
        return r.body.decode(), conn

    def new_instance(self):
        got, _ = self.call(self.request("RunInstances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1,
                                        InstanceType="t2.micro"))
        return re.search(r"<instanceId>(i-[0-9a-f]+)<", got).group(1)


# ---- libvirt ----

LIBVIRT_FOLDERS = ("etc/libvirt", "var/lib/libvirt", "run/libvirt", "var/log/libvirt", "var/cache/libvirt")

DOMAIN = """<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>bench</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>{cpus}</vcpu>
  <os><type arch='x86_64' machine='microvm'>hvm</type>
    <kernel>{kernel}</kernel><initrd>{initrd}</initrd><cmdline>{cmdline}</cmdline></os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>
  <devices>
    <emulator>{qemu}</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
  <qemu:commandline>
{args}
  </qemu:commandline>
</domain>
"""


def _xml(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")


def domain_xml(argv, folder):
    """The domain that is our machine: its size, kernel and line as libvirt says them, its devices as we do, since
    libvirt knows no virtio-mmio transport on this architecture. Paths lead to `folder`, which has the disks."""
    value = {argv[i]: argv[i + 1] for i in range(len(argv) - 1)}
    first = next(i for i, a in enumerate(argv) if a.startswith("socket,id=ser0"))
    devices = [a.replace("/proc/self/fd/3", folder) for a in argv[first - 1:]]
    if "-sandbox" in devices:  # libvirt adds its own
        at = devices.index("-sandbox")
        del devices[at:at + 2]
    return DOMAIN.format(memory=value["-m"], cpus=value["-smp"], kernel=_xml(value["-kernel"]),
                         initrd=_xml(value["-initrd"]), cmdline=_xml(value["-append"]),
                         qemu=shutil.which("qemu-system-x86_64"),
                         args="\n".join("    <qemu:arg value='%s'/>" % _xml(a) for a in devices))


class Libvirt:
    """libvirtd with folders of its own: it runs where these are mounted over the system's, so that nothing of the
    computer's libvirt is seen or changed."""

    def __init__(self, g):
        self.ground, self.dir = g, g.folder("libvirt")
        self.socket = os.path.join(self.dir, "sock", "libvirt-sock")
        self.uri = "qemu:///system?socket=" + self.socket
        if not (shutil.which("virsh") and shutil.which("libvirtd", path=os.environ["PATH"] + ":/usr/sbin")):
            raise Absent("libvirt is not installed (Debian: libvirt-daemon-system, libvirt-clients)")
        if os.getuid() != 0:
            raise Absent("a libvirt of the benchmark's own needs root, for private mounts")

    def __enter__(self):
        for name in LIBVIRT_FOLDERS + ("sock",):
            os.makedirs(os.path.join(self.dir, name), exist_ok=True)
        shutil.copytree("/etc/libvirt", os.path.join(self.dir, "etc/libvirt"), dirs_exist_ok=True, symlinks=True,
                        ignore=shutil.ignore_patterns("*.xml", "autostart"))
        # Logs by itself and not through a second daemon, no confinement: less work for each start and stop.
        with open(os.path.join(self.dir, "etc/libvirt/qemu.conf"), "w") as f:
            f.write('stdio_handler = "file"\nsecurity_driver = "none"\nuser = "root"\ngroup = "root"\n')
        with open(os.path.join(self.dir, "libvirtd.conf"), "w") as f:
            f.write('unix_sock_dir = "%s/sock"\nauth_unix_ro = "none"\nauth_unix_rw = "none"\n'
                    'log_outputs = "3:file:%s/libvirtd.log"\n' % (self.dir, self.dir))
        mounts = "".join("mkdir -p /%s && mount --bind '%s/%s' /%s && " % (n, self.dir, n, n) for n in LIBVIRT_FOLDERS)
        self.process = self.ground.spawn(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c",
             mounts + "exec libvirtd -f '%s/libvirtd.conf' -p '%s/libvirtd.pid'" % (self.dir, self.dir)],
            "libvirt.out", env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
        try:
            ostler.wait_for("libvirtd", lambda: self._virsh("uri", check=False) or self.process.poll() is not None, 30)
            if self.process.poll() is not None:
                raise Absent("libvirtd does not run here; it ended with %d" % self.process.returncode)
        except ostler.Failed:
            ground.end(self.process)
            raise Absent("libvirtd does not answer here") from None
        return self

    def __exit__(self, *_):
        self._virsh("destroy", "bench", check=False)
        ground.end(self.process)

    def _virsh(self, *args, check=True):
        r = subprocess.run(["virsh", "-q", "-c", self.uri, *args], capture_output=True, text=True, timeout=60,
                           stdin=subprocess.DEVNULL)
        if check and r.returncode:
            raise Failed("virsh %s: %s" % (args[0], r.stderr.strip()))
        return r.returncode == 0

    def define(self, argv, folder):
        path = os.path.join(self.dir, "bench.xml")
        with open(path, "w") as f:
            f.write(domain_xml(argv, folder))
        self._virsh("define", path)

    def start(self):
        self._virsh("start", "bench")

    def destroy(self):
        self._virsh("destroy", "bench")

    def nothing(self):
        """What a virsh costs that asks for next to nothing."""
        self._virsh("uri")
