"""Disks: encrypted ones whose keys nobody finds, local ones that break, and one that boots by itself."""
import base64
import glob
import json
import os
import secrets
import shutil
import stat
import subprocess
import time

import pytest

import ostler
from guest import Guest

pytestmark = pytest.mark.qemu
GRACE_S = 3  # for a guest that does not hear its power button
MARK_BYTES = 512

# What `qemu-img` is for the daemon in these tests: the real one, but a disk's key, which comes through a pipe (4), is
# copied to where the test finds it.
SPY = """#!/bin/sh
case "$*" in
    *file=/dev/fd/4*)
        key=$(cat <&4)
        echo "$key" >>%(keys)s
        printf %%s "$key" | { %(tool)s "$@" 4<&0 </dev/null; }
        ;;
    *) exec %(tool)s "$@" ;;
esac
"""


@pytest.fixture(scope="module")
def spied_keys(tmp_path_factory):
    """(folder for PATH, file with the keys of encrypted disks, in hexadecimal, one a line)."""
    folder = tmp_path_factory.mktemp("spy")
    keys, tool = folder / "keys", folder / "bin" / "qemu-img"
    tool.parent.mkdir()
    keys.touch()
    tool.write_text(SPY % {"keys": keys, "tool": shutil.which("qemu-img")})
    tool.chmod(0o700)
    return str(tool.parent), keys


def local_type(catalogue):
    """The type with local disks that needs least memory."""
    return min((t for t in catalogue["types"] if t.get("local")), key=lambda t: t["memoryMiB"])


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """The built-in one, except where this host could not run its smallest machine with local disks."""
    with open(os.path.join(ostler.ROOT, "data", "catalogue.json")) as f:
        c = json.load(f)
    host_mib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    if local_type(c)["memoryMiB"] * 1.2 > host_mib:
        local_type(c)["memoryMiB"] = 1024
    path = tmp_path_factory.mktemp("catalogue") / "catalogue.json"
    path.write_text(json.dumps(c))
    return str(path)


@pytest.fixture(scope="module")
def cloud_options(spied_keys, catalogue):
    return {"env": {"PATH": spied_keys[0] + ":" + os.environ["PATH"]},
            "args": ["--capacity-memory", "0", "--catalogue", catalogue, "--stop-grace", "%ds" % GRACE_S]}


@pytest.fixture
def machines(cloud, key):
    """Makes machines; each is gone when its test ends."""
    made = []

    def make(**more):
        (iid,) = cloud.ecs.run(**dict({"ImageId": "guest", "KeyPairName": "ops"}, **more))
        made.append(Guest(cloud, iid, key))
        return made[-1]

    yield make
    for g in made:
        g.release()


def image_file(guest, disk):
    name = "system" if disk["kind"] == "system" else disk["diskId"]
    return os.path.join(guest.cloud.data, "instances", guest.id, name + ".qcow2")


def holds(path, *words):
    """Which of the words stand in the file. Read in pieces: a disk is long, and mostly holes."""
    with open(path, "rb") as f:
        tail, found = b"", set()
        while piece := f.read(1 << 20):
            found |= {w for w in words if w in tail + piece}
            tail = piece[-max(len(w) for w in words):]
    return found


def device_of(guest, disk):
    """What the guest calls the disk: found by its serial number, as an owner would."""
    return guest.run("cd /sys/block && grep -l '^%s$' */serial" % disk["diskId"][:20]).split("/")[0]


# ---- encrypted ----


def all_processes():
    """(pid, command line + environment) of every process that may be read, but not of this one."""
    for folder in glob.glob("/proc/[0-9]*"):
        pid = int(os.path.basename(folder))
        if pid == os.getpid():
            continue
        text = b""
        for name in ("cmdline", "environ"):
            try:
                with open(os.path.join(folder, name), "rb") as f:
                    text += f.read() + b"\0"
            except OSError:
                pass
        yield pid, text


def all_files(folder):
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def spellings(hexadecimal):
    raw = bytes.fromhex(hexadecimal)
    return {raw, hexadecimal.encode(), hexadecimal.upper().encode(), base64.b64encode(raw).rstrip(b"="),
            base64.b64encode(hexadecimal.encode()).rstrip(b"=")}


def decrypted_start(path, hexadecimal, folder):
    """The first sectors of an encrypted disk, or None if that is not its key."""
    secret, out = folder / "secret", folder / "out"
    secret.write_text(hexadecimal)
    r = subprocess.run(["qemu-img", "dd", "--object", "secret,id=k,file=%s" % secret, "--image-opts",
                        "if=driver=qcow2,encrypt.format=luks,encrypt.key-secret=k,file.filename=" + path,
                        "of=%s" % out, "bs=512", "count=4"], capture_output=True, timeout=60)
    return out.read_bytes() if r.returncode == 0 else None


def test_encrypted_disks_keep_their_secret(machines, cloud, spied_keys, tmp_path):
    _, keys_file = spied_keys
    before = keys_file.read_text().split()
    guest = machines(SystemDisk={"Encrypted": True}, DataDisk=[{"Size": 20, "Encrypted": True}, {"Size": 20}])
    guest.wait_boots(1)
    disks = guest.show()["disks"]
    system, data, plain = disks
    assert [(d["kind"], d["encrypted"]) for d in disks] == [("system", True), ("data", True), ("data", False)]
    keys = keys_file.read_text().split()[len(before):]
    assert len(set(keys)) == 2 and all(len(k) >= 64 for k in keys)  # a disk that was not made at once has its key twice

    # The keys, while everything runs that needs them. First that a search finds what is there to be found.
    canary = "%064x" % secrets.randbits(256)
    with subprocess.Popen(["sleep", "60"], env={"CANARY": canary}) as p:
        try:
            assert any(canary.encode() in text for _, text in all_processes())
        finally:
            p.kill()
    qemu, daemon = guest.pid(), cloud.process.pid
    seen = dict(all_processes())
    assert guest.id.encode() in seen[qemu] and cloud.data.encode() in seen[daemon]
    for k in keys:
        for pid, text in seen.items():
            assert not [s for s in spellings(k) if s in text], "the key is to be seen in process %d" % pid
        for path in all_files(cloud.data):
            assert not holds(path, *spellings(k)), "the key is in " + path
        assert not holds(cloud.log, *spellings(k))

    # What the guest writes.
    mark = "mark-" + secrets.token_hex(16)
    guest.run("""
for i in $(seq 2000); do echo %s; done >/root/marks || exit 1
for d in %s %s; do yes %s | head -c 65536 >/dev/$d || exit 1; done
sync""" % (mark, device_of(guest, data), device_of(guest, plain), mark))
    guest.stop()
    for disk in disks:
        path = image_file(guest, disk)
        info = json.loads(subprocess.run(["qemu-img", "info", "--output=json", path], check=True, capture_output=True,
                                         timeout=60).stdout)
        assert bool(info.get("encrypted")) == disk["encrypted"]
        form = info["format-specific"]["data"].get("encrypt", {}).get("format")
        assert form == ("luks" if disk["encrypted"] else None)
        assert bool(holds(path, mark.encode())) == (not disk["encrypted"])
    # It was the key that was looked for: it opens the disk, and the other one does not.
    opened = [decrypted_start(image_file(guest, data), k, tmp_path) for k in keys]
    assert sum(o is not None and o.startswith(mark.encode()) for o in opened) == 1 and None in opened

    # The key store forbids it.
    cloud.cli("kms", "revoke")
    try:
        status, code, _ = cloud.ecs.refused("StartInstance", InstanceId=guest.id)
        assert (status, code) == (403, "InvalidParameter.KMSKeyId.KMSUnauthorized")
        assert cloud.ecs.state(guest.id) == "Stopped" and guest.processes() == []
    finally:
        cloud.cli("kms", "grant")
    guest.start()
    assert guest.run("uniq /root/marks") == mark + "\n"
    assert guest.run("head -n 1 /dev/%s" % device_of(guest, data)) == mark + "\n"


def test_an_encrypted_machine_outlives_the_daemon(machines, cloud):
    """The next daemon has no key in its memory: it must open it anew when it starts the machine again."""
    guest = machines(SystemDisk={"Encrypted": True})
    guest.wait_boots(1)
    pid = guest.pid()
    guest.run("echo kept >/root/diary")
    cloud.restart(kill=True)
    cloud.wait_state(guest.id, "Running")
    assert guest.pid() == pid
    guest.stop()
    guest.start()
    assert guest.run("cat /root/diary") == "kept\n"


# ---- local ----


def test_a_broken_local_disk_is_refused_until_it_is_made_anew(machines, cloud, catalogue):
    with open(catalogue) as f:
        kind = local_type(json.load(f))
    guest = machines(InstanceType=kind["id"])
    guest.wait_boots(1)
    local = [d for d in guest.show()["disks"] if d["kind"] == "local"]
    assert len(local) == kind["local"]["amount"] and len(local) >= 1
    assert guest.run("nproc") == "%d\n" % kind["cpu"]
    sizes = guest.run("cat /sys/block/%s/size" % device_of(guest, local[0]))
    assert int(sizes) * 512 == kind["local"]["sizeGiB"] << 30
    mark = "mark-" + secrets.token_hex(16)
    for d in local:
        guest.run("yes %s | head -c %d >/dev/%s && sync" % (mark, MARK_BYTES, device_of(guest, d)))
    guest.run("echo %s >/root/diary" % mark)
    guest.stop()
    cloud.cli("disk", "fail", guest.id)
    broken = [d for d in guest.show()["disks"] if d["failed"]]
    assert broken == [dict(local[0], failed=True)]

    assert cloud.ecs.refused("StartInstance", InstanceId=guest.id) == (403, "DiskError", "IncorrectDiskStatus.")
    assert cloud.ecs.state(guest.id) == "Stopped" and guest.processes() == []
    assert holds(image_file(guest, local[0]), mark.encode())  # a refusal destroys nothing

    cloud.ecs.ok("StartInstance", InstanceId=guest.id, InitLocalDisk=True)
    cloud.wait_state(guest.id, "Running")
    guest.wait_boots(2)
    assert not [d for d in guest.show()["disks"] if d["failed"]]
    start = guest.run("head -c %d /dev/%s | tr -d '\\0' | wc -c" % (MARK_BYTES, device_of(guest, local[0])))
    assert start == "0\n"
    assert not holds(image_file(guest, local[0]), mark.encode())
    for d in local[1:]:  # what was healthy stays
        assert guest.run("head -n 1 /dev/" + device_of(guest, d)) == mark + "\n"
    assert guest.run("cat /root/diary") == mark + "\n"


# ---- booted from the disk itself ----

TEXT = b"OSTLER BOOT\r\n"
# Says the text that follows it on COM1 and halts for ever; it knows nothing of a power button.
PROGRAM = bytes.fromhex(
    "31c0"    # 7c00  xor ax, ax
    "8ed8"    # 7c02  mov ds, ax
    "fc"      # 7c04  cld
    "be217c"  # 7c05  mov si, 7c21   the text
    "ac"      # 7c08  lodsb
    "84c0"    # 7c09  test al, al
    "7411"    # 7c0b  jz 7c1e
    "88c4"    # 7c0d  mov ah, al
    "bafd03"  # 7c0f  mov dx, 3fd    COM1's line status
    "ec"      # 7c12  in al, dx
    "a820"    # 7c13  test al, 20    may it take a byte?
    "74fb"    # 7c15  jz 7c12
    "88e0"    # 7c17  mov al, ah
    "b2f8"    # 7c19  mov dl, f8     3f8, its data
    "ee"      # 7c1b  out dx, al
    "ebea"    # 7c1c  jmp 7c08
    "f4"      # 7c1e  hlt
    "ebfd"    # 7c1f  jmp 7c1e
)


def boot_sector():
    assert len(PROGRAM) == 0x21
    return (PROGRAM + TEXT + b"\0").ljust(510, b"\0") + b"\x55\xaa"


def test_an_image_without_a_kernel_boots_from_its_disk(machines, cloud, tmp_path):
    raw = tmp_path / "bootable.raw"
    raw.write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    image = cloud.cli("image", "import", raw, "--name", "bootable").stdout.split()[-1]
    assert image in [i["ImageId"] for i in cloud.ecs.ok("DescribeImages")["Images"]["Image"]]
    guest = machines(ImageId=image)

    def boots():
        return guest.console().count(TEXT.strip())

    ostler.wait_for("the boot sector's text", lambda: boots() == 1, 60)
    assert "OSTLER BOOT" in cloud.cli("log", guest.id).stdout
    ((_, argv),) = guest.processes()
    assert argv[argv.index("-M") + 1].startswith("pc-q35") and "-kernel" not in argv

    cloud.ecs.ok("RebootInstance", InstanceId=guest.id, ForceStop=True)
    ostler.wait_for("its second boot", lambda: boots() == 2, 60)
    cloud.wait_state(guest.id, "Running")

    # It does not hear the button: its power is cut, but not before it had its time.
    began = time.monotonic()
    guest.stop()
    assert time.monotonic() - began >= GRACE_S
    assert guest.processes() == []
    cloud.ecs.ok("StartInstance", InstanceId=guest.id)
    ostler.wait_for("its third boot", lambda: boots() == 3, 60)
    cloud.wait_state(guest.id, "Running")
    began = time.monotonic()
    guest.stop(ForceStop=True)
    assert time.monotonic() - began < GRACE_S
