"""`ostler fault`: what it asks for, shows and refuses."""
import json
import re

import pytest

import ostler

OK, REFUSED, USAGE = 0, 1, 2


@pytest.fixture(scope="module")
def cloud(program):
    with ostler.Server(args=["--controls"]) as s:
        yield s


@pytest.fixture(autouse=True)
def no_faults_left(request):
    yield
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").cli("fault", "rm", "--all")


def fault(s, *args, check=True):
    return s.cli("fault", *args, check=check)


def test_life_of_a_fault(cloud):
    first = fault(cloud, "add", "DescribeRegions", "ServiceUnavailable", "--times", 2, "--retry-after", "2500ms").stdout
    second = fault(cloud, "add", "DescribeRegions", "-", "--every", 5, "--then", "drop", "--delay", "3s").stdout
    assert re.fullmatch(r"fault-\d+\n", first) and first != second
    assert cloud.ecs("DescribeRegions")[0] == 503
    assert cloud.ecs("DescribeRegions")[2].header("x-acs-retry-after") == "2500"
    assert cloud.ecs("DescribeRegions")[0] == 200
    rows = fault(cloud, "ls").stdout.splitlines()
    assert [re.split(r"  +", r) for r in rows] == [
        ["FAULT", "DIALECT", "ACTION", "CODE", "WHEN", "THEN", "ONLY", "SEEN", "GIVEN"],
        [first.strip(), "alibaba", "DescribeRegions", "ServiceUnavailable", "2x", "-", "-", "2", "2"],
        [second.strip(), "alibaba", "DescribeRegions", "-", "every 5", "drop after 3000 ms", "-", "1", "0"]]
    shown = json.loads(fault(cloud, "ls", "--json").stdout)
    assert [(f["over"], f["delayMs"], f["then"]) for f in shown] == [(True, 0, None), (False, 3000, "drop")]
    assert fault(cloud, "rm", first.strip(), second.strip()).stdout.splitlines()[0] == first.strip() + " removed"
    assert len(fault(cloud, "ls").stdout.splitlines()) == 1


def test_events_show_what_was_struck(cloud):
    name = fault(cloud, "add", "DescribeZones", "SERVICE_TEMPORARY_UNAVAILABLE", "--probability", "1").stdout.strip()
    cloud.zec.refused("DescribeZones")
    assert "fault: %s: zenlayer DescribeZones SERVICE_TEMPORARY_UNAVAILABLE arrives" % name in cloud.cli("events").stdout
    assert fault(cloud, "ls").stdout.splitlines()[1].split()[4] == "p=1"


def test_of_one_account(cloud):
    other = cloud.cli("account", "create", "other").stdout.split()[1]
    fault(cloud, "add", "*", "-", "--dialect", "alibaba", "--delay", "1ms", "--account", other)
    fault(cloud, "add", "*", "-", "--dialect", "alibaba", "--delay", "1ms")
    assert other in fault(cloud, "ls", "--account", other).stdout and len(fault(cloud, "ls").stdout.splitlines()) == 3
    assert fault(cloud, "rm", "--all", "--account", other).stdout == "1 removed\n"
    assert len(fault(cloud, "ls").stdout.splitlines()) == 2


def test_codes(cloud):
    rows = fault(cloud, "codes", "StartInstance").stdout.splitlines()
    expired = [r for r in rows if re.search(r"^alibaba  403 +InstanceExpired ", r)]
    assert len(expired) == 2 and "prePaid" in "".join(expired) and "postPaid" in "".join(expired)
    both = fault(cloud, "codes", "StartInstances", "--json").stdout
    assert {c["dialect"] for c in json.loads(both)} == {"alibaba", "zenlayer"}
    one = fault(cloud, "codes", "StartInstances", "--dialect", "zenlayer", "--json").stdout
    assert {c["dialect"] for c in json.loads(one)} == {"zenlayer"}


@pytest.mark.parametrize("args,exit,part", [
    (["add", "StartInstance", "InstanceExpird"], REFUSED, "did you mean InstanceExpired?"),
    (["add", "StartInstans", "InstanceExpired"], REFUSED, "did you mean StartInstance"),
    (["add", "StartInstances", "-", "--then", "drop"], REFUSED, "say which: zenlayer or alibaba"),
    (["add", "StartInstance"], REFUSED, "it would change nothing"),
    (["add", "StartInstance", "-", "--then", "explode"], REFUSED, "then"),
    (["add", "StartInstance", "-", "--delay", "11m"], REFUSED, "delayMs"),
    (["add", "StartInstance", "-", "--delay", "soon"], USAGE, "--delay wants a time"),
    (["add", "StartInstance", "-", "--times", "0"], USAGE, "--times wants a number"),
    (["add", "StartInstance", "-", "--probability", "2"], USAGE, "--probability wants a number"),
    (["add"], USAGE, "usage: ostler fault add ACTION [CODE]"),
    (["rm"], USAGE, "--all"),
    (["rm", "fault-1", "--all"], USAGE, "--all"),
    (["rm", "fault-77777"], REFUSED, "`ostler fault ls` lists"),
    (["codes", "Nothing"], REFUSED, "there is no action 'Nothing'"),
], ids=lambda a: a[1] if isinstance(a, list) and len(a) > 1 else None)
def test_what_is_wrong_is_said(cloud, args, exit, part):
    r = fault(cloud, *args, check=False)
    assert r.returncode == exit and part in r.stderr, r
    assert len(fault(cloud, "ls").stdout.splitlines()) == 1


def test_without_controls(server):
    for args in (["add", "StartInstance", "InternalError"], ["ls"], ["rm", "--all"], ["codes", "StartInstance"]):
        r = fault(server, *args, check=False)
        assert r.returncode == REFUSED and "`ostler serve --controls` has them" in r.stderr, r


@pytest.mark.parametrize("verb", ["add", "ls", "rm", "codes"])
def test_the_examples_of_the_help_work(cloud, verb):
    text = cloud.cli("help", "fault", verb, data=False).stdout
    lines = re.findall(r"^  ostler (.*)$", text.split("Example:\n")[1], re.M)
    assert lines
    for line in lines:
        cloud.cli(*[w.strip("'") for w in line.split()])
