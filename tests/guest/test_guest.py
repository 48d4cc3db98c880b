"""The small guest boots on every machine type, becomes the instance it is told to be, keeps what it
wrote, and goes down when asked."""
import json
import pathlib
import re
import shlex
import socket
import subprocess
import sys
import time

import pytest

RESPONDER = pathlib.Path(__file__).resolve().parent / "metadata_responder.py"

# The guest must not reach through to the metadata service of the cloud that runs this test.
CLOSED = "user,restrict=on"
IN_MEMORY = "console=ttyS0 quiet reboot=t panic=-1"


class Metadata:
    """A metadata service inside the machine's user-mode network."""

    def __init__(self, folder, **items):
        self.items = folder / "items.json"
        self.log = folder / "metadata.log"
        self.log.write_text("")
        self.set(**items)

    def set(self, **items):
        paths = {"id": "/latest/meta-data/instance-id", "hostname": "/latest/meta-data/hostname",
                 "key": "/latest/meta-data/public-keys/0/openssh-key",
                 "user_data": "/latest/user-data"}  # fmt: skip
        self.items.write_text(json.dumps({paths[k]: v for k, v in items.items()}))

    def netdev(self, address="100.100.100.200", forward=""):
        network = "100.64.0.0/10" if address.startswith("100.") else "169.254.0.0/16"
        command = shlex.join([sys.executable, str(RESPONDER), str(self.items), str(self.log)])
        return f"user,net={network},restrict=on{forward},guestfwd=tcp:{address}:80-cmd:{command}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.mark.parametrize("shape", ["microvm", "q35-qboot", "q35-seabios"])
def test_says_that_it_is_up_on(shape, start, disk):
    machine = start(shape=shape, disk=disk, netdev=CLOSED)
    instance, address, hostname, _ = machine.wait_up()
    print(f"{shape}: up {time.monotonic() - machine.started:.2f} s after the spawn")
    assert (instance, address, hostname) == ("unknown", "10.0.2.15", "ostler")
    assert machine.wait_event("VSERPORT_CHANGE") == {"id": "ready0", "open": True}
    machine.ready.wait(rb"^READY [0-9]+\.[0-9]{3}\n")
    machine.login()
    assert machine.run("id -u") == "0"
    assert machine.run("cat /proc/1/comm") == "init"
    assert re.search(r"^/dev/vda / ext4 rw,noatime", machine.run("cat /proc/mounts"), re.M)


@pytest.mark.parametrize("shape", ["microvm", "q35-qboot", "q35-seabios"])
def test_power_button_ends_it_cleanly_on(shape, start, disk):
    machine = start(shape=shape, disk=disk, netdev=CLOSED)
    machine.wait_up()
    assert machine.power_button() == {"guest": True, "reason": "guest-shutdown"}
    machine.serial.wait(rb"ostler: going down for power off\r?\n")


@pytest.mark.parametrize("shape", ["microvm", "q35-qboot"])
def test_reboot_in_the_guest_comes_up_again_on(shape, start, disk):
    machine = start(shape=shape, disk=disk, netdev=CLOSED)
    machine.wait_up()
    machine.login()
    before = len(machine.serial.data)
    machine.serial.peer.sendall(b"reboot\n")
    assert machine.wait_event("RESET") == {"guest": True, "reason": "guest-reset"}
    machine.wait_up(start=before)
    machine.ready.wait(rb"READY .*\n(.|\n)*READY .*\n")


def test_what_it_wrote_is_there_at_the_next_start_and_the_disk_is_used_whole(start, disk, image):
    base = pathlib.Path(image.path(image.info["disk"]))
    untouched = base.read_bytes()
    machine = start(disk=disk, netdev=CLOSED)
    machine.wait_up()
    machine.login()
    machine.run("echo first life >/root/diary")
    assert int(machine.run("df -k / | awk 'END { print $2 }'")) > 2.8 * 1024 * 1024
    machine.serial.peer.sendall(b"poweroff\n")
    assert machine.wait_event("SHUTDOWN")["reason"] == "guest-shutdown"
    machine.quit()

    machine = start(disk=disk, netdev=CLOSED, shape="q35-qboot")
    machine.wait_up()
    machine.login()
    assert machine.run("cat /root/diary") == "first life"
    machine.run("echo second life >>/root/diary; sync")
    machine.close()  # as if the power failed

    machine = start(disk=disk, netdev=CLOSED)
    machine.wait_up()
    machine.login()
    assert machine.run("cat /root/diary") == "first life\nsecond life"
    assert base.read_bytes() == untouched


def test_becomes_what_the_metadata_says(start, disk, tmp_path):
    key = tmp_path / "key"
    made = subprocess.run(["dropbearkey", "-t", "ed25519", "-f", key], check=True, text=True,
                          capture_output=True).stdout
    public = re.search(r"^ssh-ed25519 .*$", made, re.M).group()
    script = "#!/bin/sh\necho ran as $(hostname) >>/root/user-data\necho user data says hello\n"
    metadata = Metadata(tmp_path, id="i-0123456789abcdefghij", hostname="web-1\n",
                        key=public + "\n", user_data=script)
    port = free_port()
    network = metadata.netdev(forward=f",hostfwd=tcp:127.0.0.1:{port}-:22")

    def ssh(command):
        done = subprocess.run(["dbclient", "-y", "-y", "-i", key, "-p", str(port),
                               "root@127.0.0.1", command], text=True, capture_output=True,
                              timeout=120, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
        assert done.returncode == 0, done.stderr
        return done.stdout

    machine = start(disk=disk, netdev=network)
    instance, address, hostname, _ = machine.wait_up()
    assert (instance, address, hostname) == ("i-0123456789abcdefghij", "100.64.2.15", "web-1")
    machine.serial.wait(rb"user data says hello\r?\n")
    assert metadata.log.read_text().split() == [
        "connect", "/latest/meta-data/instance-id", "/latest/meta-data/hostname",
        "/latest/meta-data/public-keys/0/openssh-key", "/latest/user-data"]  # fmt: skip
    assert ssh("hostname; stat -c %a .ssh/authorized_keys") == "web-1\n600\n"
    ssh("echo ssh-ed25519 AAAA mine >>/root/.ssh/authorized_keys; sync")
    machine.power_button()
    machine.quit()

    # The same instance again: its script ran already; its key was replaced by the cloud.
    metadata.set(id="i-0123456789abcdefghij", hostname="web-2", user_data=script)
    machine = start(disk=disk, netdev=network)
    assert machine.wait_up()[2] == "web-2"
    machine.login()
    assert machine.run("cat /root/user-data") == "ran as web-1"
    assert machine.run("cat /root/.ssh/authorized_keys") == "ssh-ed25519 AAAA mine"
    machine.power_button()
    machine.quit()

    # Another instance made from this disk: its own first boot.
    metadata.set(id="i-other", hostname="web-3", user_data=script)
    machine = start(disk=disk, netdev=network)
    machine.wait_up()
    machine.serial.wait(rb"user data says hello\r?\n")
    machine.login()
    assert machine.run("cat /root/user-data") == "ran as web-1\nran as web-3"


def test_asks_the_second_metadata_address_when_the_first_is_silent(start, tmp_path):
    metadata = Metadata(tmp_path, id="i-link-local", hostname="second")
    machine = start(netdev=metadata.netdev("169.254.169.254"), cmdline=IN_MEMORY)
    assert machine.wait_up()[:3] == ["i-link-local", "169.254.2.15", "second"]


def test_hostile_metadata_cannot_write_to_the_console_or_hold_the_boot(start, tmp_path):
    metadata = Metadata(tmp_path, id="i-1\x1b[2J\nostler: x is up", hostname="../../etc",
                        key="ssh-rsa A\nssh-rsa B\x00", user_data=None)
    machine = start(netdev=metadata.netdev(), cmdline=IN_MEMORY)
    instance, _, hostname, _ = machine.wait_up()
    assert (instance, hostname) == ("i-1", "..")
    machine.login()
    machine.run("test ! -e /root/.ssh/authorized_keys")


def test_without_a_network_card_it_is_up_at_once_and_says_so(start, disk):
    machine = start(disk=disk)
    assert machine.wait_up()[:3] == ["unknown", "no network", "ostler"]
    machine.login()


def test_a_dead_network_delays_it_for_ten_seconds_and_no_longer(start, disk):
    machine = start(disk=disk, netdev="hubport,hubid=1")
    _, address, _, uptime = machine.wait_up()
    assert address == "no network"
    assert 10 <= float(uptime) < 30
    machine.login()


def test_hears_the_power_button_while_it_waits_for_the_network(start, disk):
    machine = start(disk=disk, netdev="hubport,hubid=1")
    assert machine.power_button()["reason"] == "guest-shutdown"
    assert "is up" not in machine.serial.text()


def test_runs_from_memory_when_no_root_is_named(start):
    machine = start(netdev=CLOSED, cmdline=IN_MEMORY)
    assert machine.wait_up()[1] == "10.0.2.15"
    machine.login()
    assert machine.run("awk '$2 == \"/\" { print $1 }' /proc/mounts") == "rootfs"
    machine.serial.peer.sendall(b"halt\n")
    assert machine.wait_event("SHUTDOWN")["reason"] == "guest-shutdown"


def test_a_missing_root_disk_ends_in_a_rescue_login_and_never_says_up(start):
    machine = start(netdev=CLOSED)
    machine.serial.wait(rb"cannot start from the disk /dev/vda: No such device\r?\n")
    machine.login()
    assert "is up" not in machine.serial.text()
    assert machine.ready.data == b""
    assert machine.power_button()["reason"] == "guest-shutdown"


def test_children_that_ignore_sigterm_do_not_hold_the_power_off(start, disk):
    machine = start(disk=disk, netdev=CLOSED)
    machine.wait_up()
    machine.login()
    machine.run("(trap '' TERM HUP; while :; do sleep 1000; done) </dev/null >/dev/null 2>&1 & true")
    machine.monitor("system_powerdown")
    assert machine.wait_event("SHUTDOWN", 60)["reason"] == "guest-shutdown"
    machine.serial.wait(rb"going down for power off\r?\n")
    assert "cannot make the root read-only" not in machine.serial.text()
