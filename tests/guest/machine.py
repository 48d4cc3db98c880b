"""A real QEMU with the small guest: its monitor, its console, its ready port."""
import json
import os
import re
import select
import socket
import subprocess
import time

BOOT = 120  # seconds; a boot takes about two, and ten times that on a busy machine

SHAPES = {
    "microvm": (["-M", "microvm,acpi=on"], "device"),
    "q35-qboot": (["-M", "pc-q35-7.2", "-bios", "qboot.rom"], "pci"),
    "q35-seabios": (["-M", "pc-q35-7.2"], "pci"),
}


class Stream:
    """One socket that QEMU connects to; what it sends is kept and searched."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.peer = None
        self.data = b""

    def accept(self):
        self.listener.settimeout(BOOT)
        self.peer, _ = self.listener.accept()

    def wait(self, pattern, timeout=BOOT, start=0):
        """The first match of `pattern` at or after `start`."""
        deadline = time.monotonic() + timeout
        while True:
            if found := re.compile(pattern).search(self.data, start):
                return found
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.peer], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} within {timeout} s in:\n{self.text()}")
            got = self.peer.recv(65536)
            if not got:
                raise AssertionError(f"closed before {pattern!r} came:\n{self.text()}")
            self.data += got

    def text(self):
        return self.data.decode(errors="replace")

    def close(self):
        for s in (self.peer, self.listener):
            if s:
                s.close()


class Machine:
    def __init__(self, folder, image, shape="microvm", disk=None, netdev=None, cmdline=None,
                 tsc_khz=0):
        os.makedirs(folder, exist_ok=True)
        args, bus = SHAPES[shape]
        self.streams = {name: Stream(f"{folder}/{name}") for name in ("qmp", "serial", "ready")}
        info = image.info
        line = info["cmdline"] if cmdline is None else cmdline
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
            "-no-shutdown", "-accel", "tcg", *args, "-m", "256", "-smp", "1",
            "-kernel", image.path(info["kernel"]), "-initrd", image.path(info["initrd"]),
            "-append", f"{line} no_timer_check tsc_early_khz={tsc_khz} tsc=reliable",
            "-qmp", f"unix:{folder}/qmp",
            "-chardev", f"socket,id=serial,path={folder}/serial", "-serial", "chardev:serial",
            "-device", f"virtio-rng-{bus}",
            "-device", f"virtio-serial-{bus}",
            "-chardev", f"socket,id=ready,path={folder}/ready",
            "-device", "virtserialport,id=ready0,chardev=ready,name=ostler.ready",
        ]  # fmt: skip
        if disk:
            command += ["-blockdev", "driver=qcow2,node-name=d0,file.driver=file,"
                        f"file.filename={disk}",
                        "-device", f"virtio-blk-{bus},drive=d0,serial=d-0001"]  # fmt: skip
        if netdev:
            command += ["-netdev", f"{netdev},id=n0",
                        "-device", f"virtio-net-{bus},netdev=n0,mac=00:16:3e:00:00:01"]  # fmt: skip
        self.errors = open(f"{folder}/stderr", "wb+")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        try:
            for stream in self.streams.values():
                stream.accept()
            self.events = []
            self.taken = 0
            self.monitor_message()
            self.monitor("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    @property
    def serial(self):
        return self.streams["serial"]

    @property
    def ready(self):
        return self.streams["ready"]

    def monitor_message(self, timeout=BOOT):
        qmp = self.streams["qmp"]
        end = qmp.wait(rb"\r?\n", timeout, self.taken).end()
        message = json.loads(qmp.data[self.taken:end])
        self.taken = end
        if "event" in message:
            self.events.append(message)
        return message

    def monitor(self, verb, **arguments):
        request = {"execute": verb, "arguments": arguments}
        self.streams["qmp"].peer.sendall(json.dumps(request).encode() + b"\n")
        while "event" in (message := self.monitor_message()):
            pass
        assert "return" in message, message
        return message["return"]

    def wait_event(self, name, timeout=BOOT):
        """Takes the oldest event of that name."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event.get("data", {})
            self.monitor_message(max(0.01, deadline - time.monotonic()))

    def wait_up(self, start=0):
        """The up line: instance id, address, host name, uptime in seconds."""
        found = self.serial.wait(
            rb"ostler: (\S+) is up: (\S+|no network) (\S+) uptime=([0-9.]+)\r?\n", start=start)
        return [part.decode() for part in found.groups()]

    def login(self, start=0):
        self.serial.wait(rb" login: ", start=start)
        self.serial.peer.sendall(b"root\n")
        self.serial.wait(rb"root@[^\n]*# ", start=start)

    def run(self, command):
        """Runs one line in the console's shell; its output, and it must succeed."""
        start = len(self.serial.data)
        # The sums tell what the shell prints from the echo of what was typed.
        line = f"echo output=$((40 + 2)); {command}; echo status=$((1000 + $?))\n"
        self.serial.peer.sendall(line.encode())
        found = self.serial.wait(rb"output=42\r?\n((?:.|\n)*?)status=(1[0-9]{3})\r?\n", start=start)
        assert found.group(2) == b"1000", self.serial.text()
        return found.group(1).decode().replace("\r", "").strip()

    def power_button(self):
        """Presses until the guest goes: a press before its driver is loaded is lost."""
        deadline = time.monotonic() + BOOT
        while time.monotonic() < deadline:
            self.monitor("system_powerdown")
            try:
                return self.wait_event("SHUTDOWN", 3)
            except AssertionError:
                continue
        raise AssertionError("the power button has no effect:\n" + self.serial.text())

    def quit(self):
        self.monitor("quit")
        self.process.wait(BOOT)

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in self.streams.values():
            stream.close()
        self.errors.close()
