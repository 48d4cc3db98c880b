"""build.sh: what it makes, when it makes it again, and what is left when it is interrupted."""
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest
from conftest import GUEST, Image, build


def test_describes_what_it_made(image):
    info = image.info
    disk = pathlib.Path(image.path(info["disk"])).read_bytes()
    assert info["digest"] == "sha256:" + hashlib.sha256(disk).hexdigest()
    assert pathlib.Path(image.path(info["kernel"])).read_bytes()[:4] == b"\x7fELF"
    assert pathlib.Path(image.path(info["initrd"])).read_bytes()[:6] == b"070701"
    assert re.match(r"[0-9]+\.[0-9]+\.", info["kernelVersion"])
    assert info["architecture"] == "x86_64" and info["minDiskGiB"] == 1
    assert "ostler.root=/dev/vda" in info["cmdline"]


def test_everything_inside_belongs_to_root(image, tmp_path):
    raw = tmp_path / "root.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", image.path(image.info["disk"]), raw],
                   check=True)
    inodes = [f"stat <{n}>" for n in range(11, 320)]
    script = tmp_path / "script"
    script.write_text("\n".join(inodes) + "\n")
    said = subprocess.run(["debugfs", "-f", script, raw], check=True, text=True,
                          capture_output=True).stdout
    owners = re.findall(r"User: +([0-9]+) +Group: +([0-9]+)", said)
    assert len(owners) == len(inodes) and set(owners) == {("0", "0")}
    with open(image.path(image.info["initrd"]), "rb") as archive:
        listing = subprocess.run(["cpio", "-itvn", "--quiet"], stdin=archive, check=True,
                                 text=True, capture_output=True).stdout
    assert {tuple(line.split()[2:4]) for line in listing.splitlines()} == {("0", "0")}


def test_does_nothing_when_nothing_changed(cache, tmp_path):
    build(tmp_path, "--cache", cache)
    before = [p.stat().st_ino for p in sorted(tmp_path.glob("*")) if p.is_file()]
    fastest = 9
    for _ in range(5):
        start = time.monotonic()
        assert "up to date" in build(tmp_path, "--cache", cache)
        fastest = min(fastest, time.monotonic() - start)
    assert [p.stat().st_ino for p in sorted(tmp_path.glob("*")) if p.is_file()] == before
    assert fastest < 0.3


def test_makes_it_again_when_a_source_changed_and_leaves_the_former_disk_alone(cache, tmp_path):
    guest = tmp_path / "guest"
    shutil.copytree(GUEST, guest)
    out = tmp_path / "out"
    build(out, "--cache", cache, guest=guest)
    first = Image(out)
    first_disk = first.path(first.info["disk"])
    (guest / "rootfs/etc/issue").write_text("Changed\n")
    said = build(out, "--cache", cache, guest=guest)
    assert "making root.qcow2" in said and "downloading" not in said
    second = Image(out)
    assert second.info["digest"] != first.info["digest"]
    assert second.path(second.info["disk"]) != first_disk
    assert second.path(second.info["disk"]) == second.path("root.qcow2")
    digest = hashlib.sha256(pathlib.Path(first_disk).read_bytes()).hexdigest()
    assert first.info["digest"] == "sha256:" + digest
    build(out, "--cache", cache, "--prune", guest=guest)
    assert not os.path.exists(first_disk) and os.path.exists(second.path(second.info["disk"]))


def test_an_interrupted_build_leaves_nothing_half_made(cache, tmp_path):
    """Interrupted at each of its steps in turn."""
    shutil.rmtree(cache / "kernels")
    interrupted = 0
    for step in ["decompressing", "collecting", "making the system", "making root.qcow2",
                 "making initramfs"]:
        process = subprocess.Popen([str(GUEST / "build.sh"), "--cache", str(cache), str(tmp_path)],
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True,
                                   # whoever runs us may have it ignored, and a shell cannot undo that
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        for line in process.stdout:
            if step in line:
                os.killpg(process.pid, signal.SIGINT)
                interrupted += 1
        assert process.wait() == 130
        assert not (tmp_path / "current").exists() and not (tmp_path / "image.json").exists()
        assert list(tmp_path.glob(".build.*")) == list(cache.glob(".build.*")) == []
        assert list(tmp_path.glob("versions/*")) == []
    assert interrupted == 5
    build(tmp_path, "--cache", cache)
    assert Image(tmp_path).info["digest"].startswith("sha256:")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_makes_the_same_bytes(image, cache, tmp_path):
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.stat().st_mode & 0o005 != 0o005 and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    guest, own_cache, out = tmp_path / "guest", tmp_path / "cache", tmp_path / "out"
    shutil.copytree(GUEST, guest)
    shutil.copytree(cache, own_cache)
    out.mkdir()
    for path in [out, own_cache, *own_cache.rglob("*")]:
        os.chown(path, 65534, 65534)
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                           guest / "build.sh", "--cache", own_cache, out],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    mine = Image(out)
    for name in ["root.qcow2", "initramfs.cpio", "vmlinux"]:
        assert (pathlib.Path(mine.path(name)).read_bytes()
                == pathlib.Path(image.path(name)).read_bytes()), name  # fmt: skip
