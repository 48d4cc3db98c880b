"""docs/errors.md is what tools/compatibility makes of this program."""
import difflib
import os
import subprocess
import sys

import ostler


def test_the_page_is_that_of_this_program(program):
    tool = os.path.join(ostler.ROOT, "tools", "compatibility")
    r = subprocess.run([sys.executable, tool, "--print"], env=dict(os.environ, OSTLER_BIN=program), capture_output=True,
                       text=True, timeout=60)
    assert r.returncode == 0, r.stderr
    with open(os.path.join(ostler.ROOT, "docs", "errors.md"), encoding="utf-8") as f:
        page = f.read()
    diff = "\n".join(difflib.unified_diff(page.splitlines(), r.stdout.splitlines(), "docs/errors.md", "made anew",
                                          lineterm="", n=0))
    assert not diff, "run tools/compatibility, and read what it changes:\n" + diff
    assert "| 403 | `InstanceExpired` | The prePaid instance has been expired. | by its cause |" in page
