"""A real machine under test: what its console says, what it answers over SSH, and the process that it is."""
import json
import os
import re
import subprocess

import ostler

UP = re.compile(rb"^ostler: (\S+) is up: (\S+) (\S+) uptime=", re.M)  # the guest's init says it once a boot
GOING_DOWN = b"ostler: going down for "
BOOT_S = 60
COMMAND_S = 60


class Key:
    """An SSH key pair in a folder of its own."""

    def __init__(self, folder, name="key"):
        self.folder = str(folder)
        self.private_file = os.path.join(self.folder, name)
        self.public_file = self.private_file + ".pub"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.private_file],
                       check=True, stdin=subprocess.DEVNULL, timeout=30)
        with open(self.public_file) as f:
            self.public = f.read().strip()


class Guest:
    def __init__(self, cloud, iid, key=None):
        self.cloud, self.id, self.key = cloud, iid, key

    # ---- what the operator sees ----

    def show(self):
        return json.loads(self.cloud.cli("show", "--json", self.id).stdout)

    def console(self):
        """All that its serial console ever said."""
        try:
            with open(os.path.join(self.cloud.data, "instances", self.id, "serial.log"), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return b""

    def boots(self):
        return len(UP.findall(self.console()))

    def wait_boots(self, n):
        ostler.wait_for("boot %d of %s" % (n, self.id), lambda: self.boots() >= n, BOOT_S)
        assert self.boots() == n

    def processes(self):
        """[(pid, argv)] of its QEMUs."""
        return [(pid, argv) for pid, argv in self.cloud.processes()
                if os.path.basename(argv[0]).startswith("qemu-system") and self.id in " ".join(argv)]

    def pid(self):
        ((pid, _),) = self.processes()
        return pid

    # ---- what its owner does ----

    def start(self):
        """StartInstance, until the guest says that it is up."""
        before = self.boots()
        self.cloud.ecs.ok("StartInstance", InstanceId=self.id)
        self.cloud.wait_state(self.id, "Running")
        self.wait_boots(before + 1)

    def stop(self, **more):
        self.cloud.ecs.ok("StopInstance", InstanceId=self.id, **more)
        self.cloud.wait_state(self.id, "Stopped")

    def release(self):
        self.cloud.cli("rm", "--force", self.id)
        self.cloud.wait_state(self.id, "")
        ostler.wait_for("its process to be gone", lambda: not self.processes())

    # ---- inside ----

    def ssh_command(self, command, key=None):
        """The host's key must be the same for the whole life of the instance: known_hosts is strict after once."""
        k = key or self.key
        return ["ssh", "-F", "/dev/null", "-i", k.private_file, "-p", str(self.show()["sshPort"]),
                "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
                "-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR",
                "-o", "UserKnownHostsFile=" + os.path.join(k.folder, "known-" + self.id),
                "-o", "ConnectTimeout=30", "root@127.0.0.1", command]

    def ssh(self, command, key=None, deadline=COMMAND_S):
        return subprocess.run(self.ssh_command(command, key), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=deadline * ostler.SLOW_FACTOR)

    def run(self, command, deadline=COMMAND_S):
        """What the command said; it must succeed."""
        r = self.ssh(command, deadline=deadline)
        if r.returncode:
            raise ostler.Failed("%s: `%s` ended with %d: %s%s" % (self.id, command, r.returncode, r.stdout, r.stderr))
        return r.stdout

    def send_off(self, command):
        """A command that ends the connection, and so cannot tell how it went."""
        self.ssh(command)

    def open(self, command):
        """A command that goes on; its output is a pipe. The caller ends it."""
        return subprocess.Popen(self.ssh_command(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
