"""Verbs by states: every cell, tried through both dialects against a server that holds its states.

The expected answers are written here from the two clouds' documents; the server's own table is not looked at.
An instance is brought into its state by a fast server; a second life of the server on the same data, whose
operations take ten minutes, then begins the operation that holds it there.
"""
import pytest

import ostler

# ---- what the documents say ----

WRONG = (403, "IncorrectInstanceStatus")
NOT_READY = (403, "InstanceNotReady")
INITIALIZING = (403, "IncorrectInstanceStatus.Initializing")
BUSY = (400, "OPERATION_DENIED_INSTANCE_IN_OPERATION")
UNSUPPORTED = (400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS")
RECYCLED = (403, "OPERATION_DENIED_INSTANCE_RECYCLED")
LISTED = "answered, and named as one that was not operated"
NO_OP = "answered as accepted; it is on its way there"

STATES = ("pending", "stopped", "first-start", "starting", "running", "stopping", "rebooting", "releasing",
          "recycled")


def row(default, **cells):
    return {s: cells.get(s.replace("-", "_"), default) for s in STATES}


# A text is the state that the instance is in afterwards; "Stopping Stopped": a power cut may be over at once.
ECS = {
    ("StartInstance", ()): row(WRONG, pending=NOT_READY, stopped="Starting"),
    ("StopInstance", ()): row(WRONG, running="Stopping"),
    ("StopInstance", (("ForceStop", True),)): row(WRONG, running="Stopping Stopped"),
    ("RebootInstance", ()): row(WRONG, running="Stopping"),
    ("RebootInstance", (("ForceStop", True),)): row(WRONG, running="Stopping"),
    ("DeleteInstance", ()): row(WRONG, stopped="gone", pending=(WRONG, INITIALIZING),
                                first_start=(WRONG, INITIALIZING), recycled="gone"),
    ("DeleteInstance", (("Force", True),)): row(WRONG, stopped="gone", running="gone", pending=INITIALIZING,
                                                first_start=INITIALIZING, recycled="gone"),
}
ZEC = {
    ("StartInstances", ()): row(BUSY, stopped="STARTING", running=LISTED, recycled=RECYCLED),
    ("StopInstances", ()): row(BUSY, stopped=LISTED, running="STOPPING STOPPED", stopping=NO_OP,
                               recycled=RECYCLED),
    ("StopInstances", (("forceShutdown", False),)): row(BUSY, stopped=LISTED, running="STOPPING",
                                                        stopping=NO_OP, recycled=RECYCLED),
    ("RebootInstances", ()): row(BUSY, stopped=UNSUPPORTED, running="REBOOT", recycled=RECYCLED),
    ("RebootInstances", (("forceReboot", True),)): row(
        BUSY, stopped=UNSUPPORTED, running="REBOOT", first_start="REBOOT", starting="REBOOT",
        rebooting="REBOOT", recycled=RECYCLED),
    ("ReleaseInstances", ()): row(BUSY, stopped="gone", running="gone", recycled="gone"),
}
SHOWN = {
    "pending": ("Pending", "DEPLOYING"), "stopped": ("Stopped", "STOPPED"), "starting": ("Starting", "STARTING"),
    "first-start": ("Starting", "DEPLOYING"), "running": ("Running", "RUNNING"),
    "stopping": ("Stopping", "STOPPING"), "rebooting": ("Stopping", "REBOOT"),
    "releasing": ("Stopping", "RELEASING"), "recycled": ("Stopped", "RECYCLE"),
}
CELLS = [("ecs", verb, dict(args), state, want) for (verb, args), cells in ECS.items()
         for state, want in cells.items()]
CELLS += [("zec", verb, dict(args), state, want) for (verb, args), cells in ZEC.items()
          for state, want in cells.items()]


def named(cell):
    dialect, verb, args, state, _ = cell
    return "-".join([dialect, verb] + ["%s=%s" % kv for kv in args.items()] + ["in", state])


# ---- bringing instances there ----

@pytest.fixture(scope="module")
def stock(program, request):
    """For each cell an instance of its own in the state, on a server that holds it there.

    Those that are being created live on a server of their own: here creating must be quick.
    """
    s, creating = ostler.Server().__enter__(), ostler.Server(sim=ostler.HELD)
    try:
        count = {state: sum(1 for c in CELLS if c[3] == state) + 1 for state in STATES}
        have = {}
        for state in ("stopped", "starting", "recycled"):
            have[state] = s.ecs.create_many_stopped(count[state])
        for state in ("running", "stopping", "rebooting", "releasing"):
            have[state] = s.ecs.run(count[state])
            s.ecs.wait_all(have[state], "Running")
        s.cli("account", "set", "--recycle-bin", "on")
        assert s.zec.ok("ReleaseInstances", {"instanceIds": have["recycled"]})["instanceIds"] == []
        for iid in have["recycled"]:
            s.zec.wait_state(iid, "RECYCLE")
        s.cli("account", "set", "--recycle-bin", "off")
        s.restart(sim=dict(ostler.HELD, create="20ms"))
        have["first-start"] = s.ecs.run(count["first-start"])
        s.ecs.wait_all(have["first-start"], "Starting")
        creating.start()
        have["pending"] = creating.ecs.run(count["pending"])
        for action, state, how in (("StartInstances", "starting", {}), ("RebootInstances", "rebooting", {}),
                                   ("StopInstances", "stopping", {"forceShutdown": False})):
            assert s.zec.ok(action, dict(how, instanceIds=have[state]))["instanceIds"] == []
        for iid in have["releasing"]:
            s.ecs.ok("DeleteInstance", InstanceId=iid, Force=True)
        yield lambda state: (creating if state == "pending" else s, have[state])
    except BaseException:
        s.__exit__(AssertionError, None, None)
        creating.__exit__(AssertionError, None, None)
        raise
    # releasing, and what the cells released, was held on purpose: a stop must not wait ten minutes for it
    s.__exit__(None, None, None)
    creating.__exit__(None, None, None)


@pytest.mark.parametrize("state", STATES)
def test_both_dialects_show_the_state(stock, state):
    s, have = stock(state)
    iid = have[0]
    assert (s.ecs.state(iid), s.zec.state(iid)) == SHOWN[state]
    detail = s.zec.ok("DescribeInstances", {"instanceIds": [iid]})["dataSet"]
    assert [x["status"] for x in detail] == [SHOWN[state][1]]
    assert s.ecs.describe(iid)["Status"] == SHOWN[state][0]


GONE = {"ecs": ("", "Stopping"), "zec": ("", "RELEASING")}  # at once, or on its way


@pytest.mark.parametrize("cell", CELLS, ids=named)
def test_cell(stock, cell):
    dialect, verb, args, state, want = cell
    s, have = stock(state)
    iid = have.pop()
    api = s.ecs if dialect == "ecs" else s.zec
    before = api.state(iid)
    if dialect == "ecs":
        status, obj, _ = s.ecs(verb, InstanceId=iid, **args)
        code = obj.get("Code")
    else:
        status, obj, _ = s.zec(verb, dict(args, instanceIds=[iid]))
        code = obj.get("code")
    if want in (LISTED, NO_OP):
        assert (status, obj.get("response", {}).get("instanceIds")) == (200, [iid] if want == LISTED else []), obj
        assert api.state(iid) == before
    elif isinstance(want, str):
        assert status == 200, obj
        if dialect == "zec":
            assert obj["response"]["instanceIds"] == []
        assert api.state(iid) in (GONE[dialect] if want == "gone" else want.split())
    else:
        assert (status, code) in (want if isinstance(want[0], tuple) else (want,)), obj
        assert api.state(iid) == before, "a refusal changed the state"
