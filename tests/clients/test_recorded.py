"""What the clouds' own SDKs ask is recorded, and asked again of a server that never saw them."""
import os

import pytest

import test_clients
from test_clients import python, tell  # noqa: F401

pytestmark = [pytest.mark.registry]


def test_both_sdks_are_replayed(new_server, python, engine, tmp_path):  # noqa: F811
    if engine != "sim":
        pytest.skip("proves nothing more with real machines")
    s = new_server(args=["--controls"])
    s.cli("transcript", "start")
    path = tmp_path / "sdks.jsonl"
    for program in ("run_ecs.py", "run_zec.py"):
        tell(s, [python, os.path.join(test_clients.HERE, "python", program)], s.ecs.create_stopped())
    s.cli("transcript", "export", path)
    text = path.read_text()
    for secret in s.account:
        assert secret not in text
    r = new_server().cli("transcript", "replay", path, check=False)
    n = len(text.splitlines())
    # each program was refused once for a wrong secret; nobody signs wrongly on purpose here
    assert r.stdout.splitlines()[-1] == "%d requests, %d equal, 0 differ" % (n - 2, n - 2), r.stdout
    assert r.returncode == 0 and "AlibabaCloud" in text
