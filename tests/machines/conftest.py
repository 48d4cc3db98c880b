import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pytest  # noqa: E402

import fixtures  # noqa: E402
import ostler  # noqa: E402
from fixtures import program  # noqa: E402,F401
from guest import Key  # noqa: E402

TOOLS = ("ssh", "ssh-keygen", "qemu-img")


def pytest_configure(config):
    fixtures.configure(config)


@pytest.fixture(scope="module")
def cloud_options():
    """What a file's server is started with; a file may say otherwise."""
    return {}


@pytest.fixture(scope="module")
def cloud(program, cloud_options, request):  # noqa: F811
    """A server with real machines, shared by the tests of one file. Never more than two run at once."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    why = ostler.missing_guest() or (missing and "not installed: " + ", ".join(missing))
    if why:
        pytest.skip(why)
    failed_before = request.session.testsfailed
    s = ostler.Server(engine="qemu", **cloud_options).__enter__()
    yield s
    failed = request.session.testsfailed > failed_before
    s.__exit__(AssertionError if failed else None, None, None)


@pytest.fixture(scope="module")
def key(cloud, tmp_path_factory):
    """An SSH key pair; its public half is known to the cloud as `ops`."""
    k = Key(tmp_path_factory.mktemp("ssh"))
    cloud.cli("keypair", "import", "ops", k.public_file)
    return k
