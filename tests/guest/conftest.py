"""What the guest tests share: one built image, the host's clock rate, machines that always end."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest
from machine import Machine

HERE = pathlib.Path(__file__).resolve().parent
GUEST = HERE.parent.parent / "guest"


class Image:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.info = json.loads(self.folder.joinpath("image.json").read_text())

    def path(self, name):
        return str(self.folder.joinpath(name).resolve())


def build(out, *options, guest=GUEST):
    done = subprocess.run([str(guest / "build.sh"), *options, str(out)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """The image in $OSTLER_GUEST, or one built now."""
    if folder := os.environ.get("OSTLER_GUEST"):
        return Image(folder)
    folder = tmp_path_factory.mktemp("image")
    build(folder)
    return Image(folder)


@pytest.fixture(scope="session")
def cache(image, tmp_path_factory):
    """A copy of the image's cache that a test may change."""
    source = image.folder / ".cache"
    if not source.is_dir():
        pytest.skip("$OSTLER_GUEST was built with a cache elsewhere")
    copy = tmp_path_factory.mktemp("cache") / "cache"
    shutil.copytree(source, copy)
    return copy


@pytest.fixture(scope="session")
def tsc_khz(tmp_path_factory):
    program = tmp_path_factory.mktemp("tsc") / "tsc_khz"
    subprocess.run(["cc", "-O2", "-o", program, HERE / "tsc_khz.c"], check=True)
    return int(subprocess.run([program], check=True, capture_output=True).stdout)


@pytest.fixture
def disk(image, tmp_path):
    """A new 3 GiB system disk over the image's."""
    path = str(tmp_path / "disk.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2",
                    "-b", image.path(image.info["disk"]), path, "3G"], check=True)
    return path


@pytest.fixture
def start(image, tsc_khz, tmp_path):
    """start(**what Machine takes): a machine that ends with the test. One at a time runs."""
    machines = []

    def start_one(**options):
        for machine in machines:
            assert machine.process.poll() is not None, "end the former machine first"
        folder = tmp_path / str(len(machines))
        machines.append(Machine(str(folder), image, tsc_khz=tsc_khz, **options))
        return machines[-1]

    yield start_one
    for machine in machines:
        machine.close()
