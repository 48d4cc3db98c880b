"""A load with real machines: what ran runs again, what came later is gone with its process and files."""
import os

import pytest

import ostler
from guest import Guest

pytestmark = pytest.mark.qemu


@pytest.fixture(scope="module")
def cloud_options():
    return {"args": ["--controls"]}


def address(cloud, iid):
    return cloud.ecs.describe(iid)["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]


def directories(cloud):
    return set(os.listdir(os.path.join(cloud.data, "instances")))


def up(guest):
    ostler.wait_for("the guest to be up", guest.boots, 60)
    return guest


def forget_host(guest):
    """Its disk was made anew: the guest has other host keys than it had."""
    os.unlink(os.path.join(guest.key.folder, "known-" + guest.id))


def test_what_ran_runs_again_and_what_came_later_is_gone(cloud, key):
    guest = up(Guest(cloud, cloud.ecs.create_running(ImageId="guest", KeyPairName="ops", HostName="first"), key))
    off = cloud.ecs.create_stopped(ImageId="guest")
    guest.run("echo kept >/root/diary && sync")
    where, shown = address(cloud, guest.id), guest.show()
    cloud.cli("snapshot", "save", "one")

    # It is stopped for the load, and started from the disk that it has.
    boots, pid = guest.boots(), guest.pid()
    cloud.cli("snapshot", "load", "one")
    assert cloud.ecs.state(guest.id) == "Running"
    guest.wait_boots(boots + 1)
    assert guest.pid() != pid and guest.run("cat /root/diary") == "kept\n"

    # Released since: its disk is made anew, and it is the same instance.
    guest.release()
    cloud.ecs.ok("DeleteInstance", InstanceId=off)
    cloud.wait_state(off, "")
    later = Guest(cloud, cloud.ecs.create_running(ImageId="guest", KeyPairName="ops"), key)
    assert address(cloud, later.id) != where
    assert directories(cloud) == {later.id}
    cloud.cli("snapshot", "load", "one")
    assert cloud.ecs.state(guest.id) == "Running" and cloud.ecs.state(later.id) == ""
    assert address(cloud, guest.id) == where
    ostler.wait_for("its process to be gone", lambda: not later.processes())
    ostler.wait_for("its files to be gone", lambda: directories(cloud) == {guest.id, off}, 60)
    forget_host(guest)
    up(guest)
    assert guest.run("hostname") == "first\n" and guest.ssh("cat /root/diary").returncode
    assert guest.run("ip -4 -o addr").find(where[0]) > 0
    again = guest.show()
    for known in ("account", "mac", "privateIp", "createdAt", "sshPort"):
        assert again.get(known) == shown.get(known), known
    assert Guest(cloud, off, key).processes() == []
    cloud.ecs.ok("StartInstance", InstanceId=off)
    cloud.wait_state(off, "Running", 60)

    # One that cannot be started again is told as stopped, with the reason.
    image = os.path.join(cloud.data, "images", "guest")
    os.rename(image, image + ".away")
    try:
        cloud.cli("snapshot", "load", "one")
        cloud.wait_state(guest.id, "Stopped")
        assert guest.show()["lastError"]
        assert cloud.ecs.state(off) == "Stopped"
    finally:
        os.rename(image + ".away", image)

    cloud.cli("reset")
    assert cloud.ecs.ok("DescribeInstances")["TotalCount"] == 0 and guest.processes() == []
    ostler.wait_for("no files", lambda: directories(cloud) == set(), 30)
    assert os.listdir(os.path.join(cloud.data, "disks")) == [] if os.path.exists(
        os.path.join(cloud.data, "disks")) else True
