"""What tests may do to real machines: starts that break, panics, death, disks that fail or find no room."""
import json
import os
import subprocess

import pytest

import ostler
from guest import Guest, Key

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def cloud_options():
    return {"args": ["--controls", "--capacity-memory", "0", "--stop-grace", "3s"]}


@pytest.fixture(scope="module")
def machine(cloud, key):
    """One machine with a data disk, up; each test leaves it so that the next can use it."""
    iid = cloud.ecs.run(ImageId="guest", KeyPairName="ops", DataDisk=[{"Size": 20}])[0]
    g = Guest(cloud, iid, key)
    cloud.wait_state(iid, "Running", 60)
    yield g
    g.release()


@pytest.fixture
def up(machine):
    if machine.cloud.ecs.state(machine.id) == "Stopped":
        machine.start()
    machine.cloud.wait_state(machine.id, "Running")
    return machine


def data_disk(guest):
    return next(d["diskId"] for d in guest.show()["disks"] if d["kind"] == "data")


def why(guest):
    return guest.show()["lastError"]


def events(guest):
    out = guest.cloud.cli("events", "--subject", guest.id, "--json").stdout
    return [json.loads(line)["kind"] for line in out.splitlines()]


def test_a_panic_stops_the_machine(up):
    up.cloud.cli("instance", "panic", up.id)
    assert up.cloud.ecs.state(up.id) == "Stopped", "it was answered before the instance had stopped"
    assert why(up) == "the guest's kernel panicked"
    ostler.wait_for("its process to be gone", lambda: not up.processes())


def test_death_stops_the_machine(up):
    pid = up.pid()
    up.cloud.cli("instance", "die", up.id)
    assert up.cloud.ecs.state(up.id) == "Stopped"
    assert "killed by signal 9" in why(up)
    assert pid not in [p for p, _ in up.processes()]
    refused = up.cloud.cli("instance", "die", up.id, check=False)
    assert refused.returncode == 1 and "InstanceState" in refused.stderr


def test_a_broken_start_says_what_qemu_says(machine):
    cloud, iid = machine.cloud, machine.id
    if cloud.ecs.state(iid) == "Running":
        machine.stop(ForceStop=True)
    cloud.cli("engine-fault", "add", "start", "--break", "--times", "1", "--instance", iid)
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.wait_state(iid, "Stopped")
    assert "exit code 1" in why(machine)
    assert "'ostler-asked-to-fail' is not a valid device model name" in why(machine)
    assert "engine-fault" in events(machine)
    machine.start()  # the fault was for one start
    assert why(machine) == ""


def test_failures_leave_what_is_true(up):
    """A failed stop leaves the process, a failed reboot leaves none; a creation that failed can be released."""
    cloud, pid = up.cloud, up.pid()
    cloud.cli("engine-fault", "add", "stop", "--fail", "--times", "1", "--instance", up.id)
    cloud.ecs.ok("StopInstance", InstanceId=up.id, ForceStop=True)
    cloud.wait_state(up.id, "Running")
    assert up.pid() == pid
    cloud.cli("engine-fault", "add", "reboot", "--fail", "--times", "1", "--instance", up.id)
    cloud.ecs.ok("RebootInstance", InstanceId=up.id)
    cloud.wait_state(up.id, "Stopped")
    assert not up.processes()
    cloud.cli("engine-fault", "add", "create", "--fail", "--times", "1")
    (iid,) = cloud.ecs.run(ImageId="guest")
    cloud.wait_state(iid, "Stopped")
    assert cloud.ecs.refused("StartInstance", InstanceId=iid)[1] == "DiskError"
    cloud.cli("rm", iid)
    cloud.wait_state(iid, "")


def test_a_hang_over_a_restart_then_a_real_start(machine):
    cloud, iid = machine.cloud, machine.id
    if cloud.ecs.state(iid) == "Running":
        machine.stop(ForceStop=True)
    boots = machine.boots()
    f = cloud.cli("engine-fault", "add", "start", "--hang", "--instance", iid).stdout.strip()
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    cloud.restart(kill=True)
    assert cloud.ecs.state(iid) == "Starting"
    assert not machine.processes()
    cloud.cli("engine-fault", "rm", f)
    cloud.wait_state(iid, "Running")
    machine.wait_boots(boots + 1)


READ = "echo 3 >/proc/sys/vm/drop_caches; dd if=/dev/vdb of=/dev/null bs=4096 count=1 2>&1"
WRITE = "dd if=/dev/zero of=/dev/vdb bs=4096 count=1 conv=fsync 2>&1"


def test_a_disk_returns_errors_until_it_is_healed(up):
    assert up.ssh(READ).returncode == 0
    up.cloud.cli("disk", "errors", data_disk(up))
    r = up.ssh(READ)
    assert r.returncode != 0 and "Input/output error" in r.stdout, r
    assert up.cloud.ecs.state(up.id) == "Running", "errors are the guest's to deal with"
    r = up.ssh(WRITE)
    assert r.returncode != 0, "a write's error is told to the guest, too"
    assert [d["trouble"] for d in up.show()["disks"]] == [None, "errors"]
    up.cloud.cli("disk", "heal", data_disk(up))
    assert up.ssh(WRITE).returncode == 0
    assert up.ssh(READ).returncode == 0


def test_a_full_disk_makes_the_machine_wait_until_there_is_room(up):
    cloud = up.cloud
    cloud.cli("disk", "errors", "--full", data_disk(up))
    assert up.ssh(READ).returncode == 0
    with up.open(WRITE + " && echo written") as writing:
        ostler.wait_for("the machine to wait", lambda: "full" in why(up))
        assert "waits" in events(up)
        # a daemon that was away finds out, and nobody but the healing makes it go on
        cloud.restart(kill=True)
        assert cloud.ecs.state(up.id) == "Running"
        assert "full" in why(up)
        cloud.cli("disk", "heal", data_disk(up))
        out, _ = writing.communicate(timeout=60)
    assert "written" in out, out
    ostler.wait_for("nothing to wait for", lambda: why(up) == "")
    assert "goes-on" in events(up)


def test_a_machine_starts_with_a_disk_in_trouble(up):
    up.stop(ForceStop=True)
    up.cloud.cli("disk", "errors", data_disk(up))
    up.start()
    assert up.ssh(READ).returncode != 0
    up.cloud.cli("disk", "heal", data_disk(up))
    assert up.ssh(READ).returncode == 0


@pytest.fixture
def small_host(program, tmp_path):
    """(server, folder) of a cloud whose machines' files are on a file system of 32 MiB."""
    why = ostler.missing_guest()
    if why:
        pytest.skip(why)
    folder = tmp_path / "cloud" / "instances"
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "none", str(folder)], capture_output=True,
                             text=True)
    if mounted.returncode:
        pytest.skip("this user cannot mount a small file system: " + mounted.stderr.strip())
    try:
        with ostler.Server(str(tmp_path / "cloud"), engine="qemu", args=["--capacity-memory", "0"]) as s:
            yield s, folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_host_that_was_really_full_lets_its_machine_go_on(small_host, tmp_path):
    """Without any control: nobody told QEMU to go on when there was room again."""
    cloud, folder = small_host
    key = Key(tmp_path)
    cloud.cli("keypair", "import", "ops", key.public_file)
    guest = Guest(cloud, cloud.ecs.run(ImageId="guest", KeyPairName="ops", DataDisk=[{"Size": 20}])[0], key)
    guest.wait_boots(1)
    free = os.statvfs(folder)
    with open(folder / "ballast", "wb") as ballast:
        ballast.write(b"x" * (free.f_bavail * free.f_bsize - (2 << 20)))
    with guest.open("dd if=/dev/zero of=/dev/vdb bs=1M count=8 conv=fsync 2>&1 && echo written") as writing:
        ostler.wait_for("the machine to wait", lambda: "full" in why(guest), 60)
        assert cloud.ecs.state(guest.id) == "Running"
        os.unlink(folder / "ballast")
        out, _ = writing.communicate(timeout=60)
    assert "written" in out, out
    ostler.wait_for("nothing to wait for", lambda: why(guest) == "")
    guest.release()
