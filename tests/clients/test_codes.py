"""Every documented code of every action is raised by the cloud's own SDK, when it is asked for by `fault add`.

The rows are those of `ostler api dump`, so that a new one is tested without being listed here.
"""
import json
import os
import subprocess

import pytest

import codes
import ostler
from test_clients import HERE, python  # noqa: F401

pytestmark = [pytest.mark.registry]
DUMP = codes.dump() if not ostler.missing_binary() else []


def parameters(cloud, action, iid):
    """What the action cannot do without, as its SDK takes it."""
    if action["dialect"] == "zenlayer":
        have = dict(cloud.zec.shape(), instanceIds=[iid])
    else:
        have = dict(cloud.ecs.shape(), RegionId=cloud.ecs.region, InstanceId=iid)
    need = {f["name"]: f for f in action["fields"] if f.get("required")}
    return {name: [have[name]] if f["type"] == "strings" and isinstance(have[name], str) else have[name]
            for name, f in need.items()}


@pytest.fixture(scope="module")
def raised(program, engine, python, tmp_path_factory):  # noqa: F811
    """{(dialect, action): what the program said}, of one run of it against one server."""
    if engine == "qemu":
        pytest.skip("nothing is started here: it is the same with either engine")
    with ostler.Server(engine="sim", args=["--controls"]) as s:
        iid = s.ecs.create_stopped()
        plan = tmp_path_factory.mktemp("codes") / "plan.json"
        plan.write_text(json.dumps([{"dialect": a["dialect"], "action": a["name"], "rows": a["documented"],
                                     "parameters": parameters(s, a, iid)} for a in DUMP]))
        settings = {"ENDPOINT": s.address, "KEY": s.account[0], "SECRET": s.account[1], "REGION": s.ecs.region,
                    "PLAN": str(plan)}
        env = dict(os.environ, **{"OSTLER_CLIENT_" + k: v for k, v in settings.items()})
        for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            env.pop(proxy, None)
        r = subprocess.run([python, os.path.join(HERE, "python", "every_code.py")], env=env, capture_output=True,
                           text=True, timeout=ostler.patience(300))
        assert r.returncode == 0, r.stdout[-2000:] + r.stderr[-3000:]
        assert s.ecs.state(iid) == "Stopped", "an action was done that was to be refused"
        yield {(o["dialect"], o["action"]): o for o in map(json.loads, r.stdout.splitlines())}


def is_raised(dialect, row, refusal):
    """The SDK of ZEC does not tell the status."""
    return refusal and codes.fits(row, refusal["status"] if dialect == "alibaba" else row["status"], refusal["code"],
                                  refusal["message"])


@pytest.mark.parametrize("action", DUMP, ids=lambda a: a["dialect"] + "-" + a["name"])
def test_every_code(raised, action):
    got = raised[action["dialect"], action["name"]]
    assert len(got["refusals"]) == len(action["documented"]) > 20
    wrong = ["%d %s '%s': %r" % (row["status"], row["code"], row["message"], refusal)
             for row, refusal in zip(action["documented"], got["refusals"])
             if not is_raised(action["dialect"], row, refusal)]
    assert not wrong, "\n".join(wrong)
    assert got["left"] == 0, "some faults did not strike as often as asked for"
