"""Templates: machines that start from a saved one are nobody but themselves, and whatever is wrong with a template,
the machine starts."""
import base64
import glob
import hashlib
import json
import os
import random
import shutil
import time

import pytest

import ostler
from guest import Guest

pytestmark = pytest.mark.qemu
MADE = "a template was made"
GIVEN_UP = "a template is given up; such machines boot"
RESTORED = "-incoming"

# Runs at the first boot, before anybody could have logged in: what it draws is what a restored kernel gives first.
FIRST_DRAW = b"""#!/bin/sh
head -c 32 /dev/urandom | hexdump -v -e '1/1 "%02x"' >/root/drawn
echo >>/root/drawn
cat /proc/sys/kernel/random/uuid >>/root/drawn
"""


@pytest.fixture(scope="module")
def cloud_options():
    return {"args": ["--templates", "--capacity-memory", "0", "--stop-grace", "20s"]}


@pytest.fixture
def machines(cloud, key):
    """Makes machines that are up; each is gone when its test ends."""
    made = []

    def make(amount=1, **more):
        ids = cloud.ecs.run(amount, KeyPairName="ops", **more)
        guests = [Guest(cloud, iid, key) for iid in ids]
        made.extend(guests)
        for g in guests:
            g.wait_boots(1)
        return guests

    yield make
    for g in made:
        g.release()


def templates(cloud):
    return sorted(glob.glob(os.path.join(cloud.data, "templates", "*")))


def unfinished(cloud):
    return [n for n in os.listdir(os.path.join(cloud.data, "templates")) if n.startswith(".")]


def said(cloud, message):
    return sum(1 for line in cloud.log_lines() if line["msg"] == message)


def is_restored(guest):
    with open(os.path.join(guest.cloud.data, "instances", guest.id, "machine.json")) as f:
        return RESTORED in json.load(f)["argv"]


@pytest.fixture
def template(cloud, machines):
    """The one of the smallest machine, made if it is not there. The file's other tests make others."""
    if not os.path.exists(getattr(cloud, "plain_template", "")):
        before = set(templates(cloud))
        machines()
        (cloud.plain_template,) = new_templates(cloud, before)
    return cloud.plain_template


def new_templates(cloud, before):
    ostler.wait_for("a template", lambda: set(templates(cloud)) - before, 40)
    return set(templates(cloud)) - before


def facts(guest):
    """What must be one machine's own."""
    lines = guest.run("cat /root/drawn /proc/sys/kernel/random/boot_id; cat /sys/class/net/eth0/address; hostname; "
                      "cat /proc/sys/kernel/random/uuid; dropbearkey -y -f /etc/dropbear/dropbear_ed25519_host_key "
                      "| grep ^ssh-ed25519; ip -4 -o addr show eth0; ip -6 -o addr show eth0; "
                      "wget -q -O - http://100.100.100.200/latest/meta-data/instance-id").splitlines()
    return dict(zip(["drawn", "boot", "mac", "hostname", "later", "hostkey", "ip4", "ip6", "id"],
                    [lines[0] + lines[1]] + lines[2:]))


def test_two_from_one_template_share_nothing_of_their_own(cloud, machines, template):
    pair = machines(2, UserData=base64.b64encode(FIRST_DRAW).decode())
    assert [is_restored(g) for g in pair] == [True, True]
    one, other = (facts(g) for g in pair)
    assert len(one) == 9 and {k for k in one if one[k] == other[k]} == set()
    for g, f in zip(pair, (one, other)):
        shown = g.show()
        assert f["id"] == g.id and f["mac"] == shown["mac"] and shown["ip"] + "/" in f["ip4"]
        assert f["hostname"] == shown.get("hostname", f["hostname"])
        before = time.time()
        assert abs(int(g.run("date +%s")) - before) <= 5
        assert b"cannot renew" not in g.console()
        assert float(g.run("cut -d' ' -f1 /proc/uptime")) < 120  # it did not live since the template was made


def test_its_disk_is_its_own(cloud, machines, template):
    (g,) = machines()
    for n, force in enumerate((False, True, False)):
        assert is_restored(g)
        g.run("echo %d >>/root/diary; sync; head -c 300000 /dev/urandom >/root/blob; sync" % n)
        blob = g.run("sha256sum /root/blob")
        g.stop(ForceStop=force)
        g.start()
        assert g.run("cat /root/diary").split() == [str(i) for i in range(n + 1)]
        assert g.run("sha256sum /root/blob") == blob
    assert g.run("dmesg | grep -i 'ext4.*error' || true") == ""


def test_disks_of_every_kind(cloud, machines, template):
    """Two data disks, one encrypted: a template of their own, made without any key, serves them."""
    disks = {"DataDisk.1.Size": 20, "DataDisk.1.Category": "cloud_essd", "DataDisk.2.Size": 30,
             "DataDisk.2.Category": "cloud_essd", "DataDisk.2.Encrypted": "true"}
    before = set(templates(cloud))
    (cold,) = machines(**disks)
    assert not is_restored(cold) and new_templates(cloud, before)
    (g,) = machines(**disks)
    assert is_restored(g)
    assert g.run("cat /sys/block/vdb/size /sys/block/vdc/size").split() == [str(s << 21) for s in (20, 30)]
    assert g.run("cat /sys/block/vdb/serial /sys/block/vdc/serial") != \
        cold.run("cat /sys/block/vdb/serial /sys/block/vdc/serial")
    g.run("echo kept | dd of=/dev/vdc bs=512 conv=notrunc,sync && sync")
    g.stop()
    g.start()
    assert is_restored(g) and g.run("head -c 5 /dev/vdc") == "kept\n"


def test_partitions_are_the_disks_own(cloud, machines, template):
    """The template saw blank disks; a partition table made since is found at a restored start."""
    before = set(templates(cloud))
    (g,) = machines(**{"DataDisk.1.Size": 20, "DataDisk.1.Category": "cloud_essd"})
    assert new_templates(cloud, before)
    g.run("printf 'n\\np\\n1\\n\\n+8M\\nw\\n' | fdisk /dev/vdb; sync")
    g.stop()
    g.start()
    assert is_restored(g)
    assert g.run("cat /sys/block/vdb/vdb1/size").strip() != ""


def test_a_restored_machine_reboots_as_any_other(cloud, machines, template):
    (g,) = machines()
    assert is_restored(g) and "ostler.template" in g.run("cat /proc/cmdline")
    pid, boot = g.pid(), facts_boot(g)
    g.send_off("reboot")
    g.wait_boots(2)
    assert g.pid() == pid and facts_boot(g) != boot
    assert "ostler.template" not in g.run("cat /proc/cmdline")
    cloud.ecs.ok("RebootInstance", InstanceId=g.id, ForceStop=True)
    g.wait_boots(3)
    assert g.run("hostname").strip() == g.run("cat /etc/hostname").strip()


def facts_boot(guest):
    return guest.run("cat /proc/sys/kernel/random/boot_id")


def damage_truncated_state(path):
    """The manifest agrees, so only QEMU can find it out."""
    with open(os.path.join(path, "state"), "r+b") as f:
        f.truncate(20000)
        digest = hashlib.sha256(f.read()).hexdigest()
    change_manifest(path, stateSha256=digest)


def damage_wrong_state(path):
    with open(os.path.join(path, "state"), "r+b") as f:
        f.seek(30000)
        f.write(b"something else")


def damage_touched_memory(path):
    with open(os.path.join(path, "ram"), "r+b") as f:
        f.seek(4096)
        f.write(b"something else")


def damage_wrong_version(path):
    change_manifest(path, key="0" * 32)


def damage_no_manifest(path):
    os.unlink(os.path.join(path, "manifest.json"))


def damage_empty_memory(path):
    """A guest that never answers: nothing is in its memory."""
    ram = os.path.join(path, "ram")
    size = os.path.getsize(ram)
    os.truncate(ram, 0)
    os.truncate(ram, size)
    st = os.stat(ram)
    change_manifest(path, ramSeconds=st.st_mtime_ns // 10**9, ramNanoseconds=st.st_mtime_ns % 10**9)


def change_manifest(path, **values):
    name = os.path.join(path, "manifest.json")
    with open(name) as f:
        j = json.load(f)
    with open(name, "w") as f:
        json.dump(dict(j, **values), f)


@pytest.mark.parametrize("damage", [damage_truncated_state, damage_wrong_state, damage_touched_memory,
                                    damage_wrong_version, damage_no_manifest, damage_empty_memory])
def test_a_damaged_template_costs_nothing_but_time(cloud, machines, template, damage):
    (g,) = machines()
    g.stop()
    damage(template)
    given_up, boots = said(cloud, GIVEN_UP), g.boots()
    g.start()
    assert g.boots() == boots + 1 and not is_restored(g)
    assert g.show()["lastError"] == "" and len(g.processes()) == 1
    assert said(cloud, GIVEN_UP) == given_up + 1
    ostler.wait_for("it to be removed", lambda: template not in templates(cloud))
    g.stop()
    g.start()  # and it is not tried again
    assert not is_restored(g) and said(cloud, GIVEN_UP) == given_up + 1
    assert template not in templates(cloud)
    cloud.restart()  # until the daemon starts again


def makers(cloud):
    """QEMUs that make a template: they have its directory open, and no other name."""
    at = os.path.join(cloud.data, "templates")
    return [pid for pid, _ in cloud.processes() if ostler.folder_of(pid).startswith(at)]


def test_killed_while_it_makes_one(cloud, machines, template):
    (g,) = machines()
    g.stop()
    shutil.rmtree(template)
    boots = g.boots()
    cloud.ecs.ok("StartInstance", InstanceId=g.id)  # it may be made before the guest is up
    ostler.wait_for("the making", lambda: makers(cloud), 30)
    cloud.kill9()
    assert makers(cloud)
    cloud.start()
    cloud.wait_state(g.id, "Running")
    g.wait_boots(boots + 1)
    assert unfinished(cloud) == [] and template not in templates(cloud)
    ostler.wait_for("its QEMU to be gone", lambda: not makers(cloud))
    g.stop()
    g.start()
    ostler.wait_for("a template", lambda: template in templates(cloud), 40)


def test_killed_while_it_restores(cloud, machines, template):
    """At whatever moment: the machine is up in the end, once, and knows who it is."""
    dice = random.Random(int(os.environ.get("OSTLER_CRASH_SEED", "1")))
    (g,) = machines()
    for _ in range(8):
        g.stop(ForceStop=True)
        boots = g.boots()
        cloud.ecs.ok("StartInstance", InstanceId=g.id)
        time.sleep(dice.uniform(0.02, 0.16))
        cloud.kill9()
        cloud.start()
        cloud.wait_state(g.id, "Running")
        ostler.wait_for("the machine to be up", lambda: g.boots() > boots, 60)
        assert len(g.processes()) == 1
        assert not os.path.exists(os.path.join(cloud.data, "instances", g.id, "restoring"))
        assert g.run("hostname; cat /sys/class/net/eth0/address").split() == [g.show()["hostname"], g.show()["mac"]]


def test_off_unless_asked(cloud, machines, template):
    args = cloud.args
    try:
        cloud.restart(args=[a for a in args if a != "--templates"])
        (g,) = machines()
        assert not is_restored(g)
    finally:
        cloud.restart(args=args)
