import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import fixtures  # noqa: E402
from fixtures import program  # noqa: E402,F401


def pytest_configure(config):
    fixtures.configure(config)
