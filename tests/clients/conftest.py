import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import pytest  # noqa: E402

import fixtures  # noqa: E402
import ostler  # noqa: E402
from fixtures import new_server, program, server, shared  # noqa: E402,F401


def pytest_configure(config):
    fixtures.configure(config)


def pytest_addoption(parser):
    parser.addoption("--engine", choices=("sim", "qemu"), help="as OSTLER_ENGINE")


@pytest.fixture(scope="session", autouse=True)
def engine(request):
    """The engine that the machines of these tests run on."""
    ostler.ENGINE = request.config.getoption("--engine", None) or ostler.ENGINE
    return ostler.ENGINE
