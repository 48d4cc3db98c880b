import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import fixtures  # noqa: E402
from fixtures import new_server, program, server, shared  # noqa: E402,F401


def pytest_configure(config):
    fixtures.configure(config)
