"""One machine's life: what ends it, who learns of it and why, and what it remembers."""
import os
import signal
import subprocess
import time

import pytest

import ostler
from guest import GOING_DOWN, Guest

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def made(cloud, key):
    (iid,) = cloud.ecs.run(ImageId="guest", KeyPairName="ops", HostName="life")
    return Guest(cloud, iid, key)


@pytest.fixture
def guest(made):
    """It runs and is up, whatever the test before has done."""
    if made.cloud.ecs.state(made.id) == "Stopped":
        made.start()
    made.cloud.wait_state(made.id, "Running")
    ostler.wait_for("the guest to be up", lambda: made.boots(), 60)
    made.run("true")
    return made


def said_since(guest, mark):
    return guest.console()[mark:]


def assert_stopped_everywhere(guest, why):
    cloud = guest.cloud
    assert cloud.ecs.state(guest.id) == "Stopped"
    assert cloud.zec.state(guest.id) == "STOPPED"
    assert guest.processes() == []
    shown = guest.show()
    assert shown["state"] == "stopped" and why in shown["lastError"], shown["lastError"]
    assert why in cloud.cli("show", guest.id).stdout
    assert shown["events"][0]["kind"] == "stopped" and why in shown["events"][0]["detail"]


def test_a_graceful_stop_lets_the_guest_finish(guest):
    guest.run("echo not synced by hand >/root/diary")
    mark, boots = len(guest.console()), guest.boots()
    guest.stop()
    assert GOING_DOWN + b"power off" in said_since(guest, mark)
    assert guest.show()["lastError"] == "" and guest.processes() == []
    guest.start()
    assert guest.boots() == boots + 1
    assert guest.run("cat /root/diary") == "not synced by hand\n"


def test_a_forced_stop_is_at_once_and_keeps_what_was_synced(guest):
    guest.run("echo synced >/root/diary && sync")
    mark, began = len(guest.console()), time.monotonic()
    guest.stop(ForceStop=True)
    assert time.monotonic() - began < 5 * ostler.SLOW_FACTOR
    assert GOING_DOWN not in said_since(guest, mark)
    assert guest.show()["lastError"] == "" and guest.processes() == []
    guest.start()
    assert guest.run("cat /root/diary") == "synced\n"


def test_a_daemon_that_is_killed_takes_nothing_with_it(guest):
    cloud, pid, boots, port = guest.cloud, guest.pid(), guest.boots(), guest.show()["sshPort"]
    guest.run("echo before >/root/diary")
    command = guest.ssh_command("echo meanwhile >>/root/diary && cat /root/diary; "
                                "wget -q -O - http://100.100.100.200/latest/meta-data/instance-id")
    cloud.kill9()
    try:
        # Nobody serves, and still the guest answers and finds its metadata.
        r = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert r.stdout == "before\nmeanwhile\n" + guest.id, r
    finally:
        cloud.start()
    cloud.wait_state(guest.id, "Running")
    assert (guest.pid(), guest.boots(), guest.show()["sshPort"]) == (pid, boots, port)
    assert guest.run("cat /root/diary") == "before\nmeanwhile\n"
    guest.stop()  # the new one is its master
    assert guest.processes() == []


def test_power_off_from_inside(guest):
    guest.run("echo evening >/root/diary")
    guest.send_off("poweroff")
    guest.cloud.wait_state(guest.id, "Stopped")
    assert_stopped_everywhere(guest, "the guest powered off")
    guest.start()
    assert guest.run("cat /root/diary") == "evening\n"
    assert guest.show()["lastError"] == ""  # of the last operation, which went well


def test_power_off_from_inside_while_no_daemon_runs(guest):
    cloud, command = guest.cloud, guest.ssh_command("poweroff")
    mark = len(guest.console())
    cloud.kill9()
    try:
        subprocess.run(command, capture_output=True, timeout=60)
        ostler.wait_for("the kernel's last line", lambda: b"Power down" in said_since(guest, mark), 30)
    finally:
        cloud.start()
    cloud.wait_state(guest.id, "Stopped")
    assert_stopped_everywhere(guest, "the guest powered off")


def test_reboot_from_inside_stays_running(guest):
    cloud, pid, boots = guest.cloud, guest.pid(), guest.boots()
    seen = set()

    def again():
        seen.add((cloud.ecs.state(guest.id), cloud.zec.state(guest.id)))
        return guest.boots() > boots

    guest.send_off("reboot")
    ostler.wait_for("the second boot", again, 60)
    assert guest.boots() == boots + 1
    assert seen == {("Running", "RUNNING")}
    assert guest.pid() == pid
    assert float(guest.run("cut -d' ' -f1 /proc/uptime")) < 60


def test_a_process_that_is_killed_is_noticed(guest):
    os.kill(guest.pid(), signal.SIGKILL)
    ostler.wait_for("Stopped", lambda: guest.cloud.ecs.state(guest.id) == "Stopped", 2)
    assert_stopped_everywhere(guest, "killed by signal 9")
    guest.start()
    assert guest.show()["lastError"] == ""


@pytest.mark.parametrize("force", [False, True])
def test_reboot_boots_again(guest, force):
    cloud, boots, mark = guest.cloud, guest.boots(), len(guest.console())
    cloud.ecs.ok("RebootInstance", InstanceId=guest.id, ForceStop=force)
    seen = []

    def again():
        state = cloud.ecs.state(guest.id)
        if state != (seen or [None])[-1]:
            seen.append(state)
        return guest.boots() > boots and state == "Running"

    ostler.wait_for("the second boot", again, 60)
    assert guest.boots() == boots + 1
    assert (GOING_DOWN in said_since(guest, mark)) == (not force)
    order = ["Running", "Stopping", "Starting", "Running"]
    assert [s for s in order[1:] if s in seen] == [s for s in seen if s != "Running"] + ["Running"], seen
    assert len(guest.processes()) == 1
    assert guest.run("hostname") == "life\n"
