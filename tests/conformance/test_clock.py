"""The clock that moves: what the product does by time follows it, in order, once."""
import calendar
import json
import time

import ostler
import pytest
from ostler import wait_for

PREPAID = {"InstanceChargeType": "PrePaid", "Period": 1}
EXPIRED = (403, "InstanceExpired", "The prePaid instance has been expired.")
OVERDUE = (403, "InstanceExpired",
           "The postPaid instance has been expired. Please ensure your account have enough balance.")
BEGIN = "2026-03-01T00:00:00Z"


@pytest.fixture
def cloud(new_server):
    """Its clock stands at BEGIN; nothing moves but what a test moves."""
    def make(*args, **kw):
        return new_server(args=["--controls", "--clock", BEGIN, *args], **kw)
    return make


def clock(server, *args):
    return server.cli("clock", *args).stdout.strip()


def advance(server, duration, **kw):
    return server.operator("AdvanceClock", duration=duration, **kw)["time"]


def made(server, amount=1, ecs=None, **shape):
    """Instances that were started, or made stopped (`stopped`), once the clock has let them."""
    stopped = shape.pop("stopped", False)
    ecs = ecs or server.ecs
    ids = [ecs.create(**shape)] if stopped else ecs.run(amount, **shape)
    advance(server, "1m")
    assert set(ecs.states(ids).values()) == {"Stopped" if stopped else "Running"}
    return ids if amount > 1 else ids[0]


def events(server, subject=None, **kw):
    """All of them, oldest first."""
    out, after = [], 0
    while True:
        more = server.operator("ListEvents", after=after, limit=1000, **dict(kw, **({"subject": subject} if subject else {})))
        if not more["events"]:
            return out
        out += more["events"]
        after = out[-1]["seq"]


def kinds(server, subject):
    return [e["kind"] for e in events(server, subject)]


def when(server, subject, kind):
    return [e["at"] for e in events(server, subject) if e["kind"] == kind]


# ---- what must be shown: 3 ----

def test_a_subscription_ends_and_is_renewed(cloud):
    s = cloud()
    iid = made(s, **PREPAID)
    assert clock(s, "advance", "31d") == "2026-04-01T00:01:00Z standing still"
    assert s.ecs.state(iid) == "Stopped"
    assert s.ecs.refused("StartInstance", InstanceId=iid) == EXPIRED
    assert s.ecs.ok("RenewInstance", InstanceId=iid, Period=1)["OrderId"]
    s.ecs.ok("StartInstance", InstanceId=iid)
    advance(s, "1m")
    assert s.ecs.state(iid) == "Running"
    # paid for from the renewal on, for it was over
    assert s.ecs.describe(iid)["ExpiredTime"] == "2026-05-01T00:01Z"


def test_a_bill_that_was_not_paid(cloud):
    s = cloud()
    iid = made(s)
    s.cli("instance", "overdue", iid)
    advance(s, "1m")
    assert s.ecs.state(iid) == "Stopped"
    assert s.ecs.refused("StartInstance", InstanceId=iid) == OVERDUE
    s.cli("instance", "overdue", iid, "--clear")
    s.ecs.ok("StartInstance", InstanceId=iid)
    advance(s, "16d")
    assert s.ecs.state(iid) == "Running"
    s.cli("instance", "overdue", iid)
    advance(s, "14d")
    assert s.ecs.state(iid) == "Stopped"
    advance(s, "1d1m")
    assert s.ecs.state(iid) == ""
    assert kinds(s, iid)[-3:] == ["arrears-ended", "force-release", "released"]


# ---- the clock itself ----

def test_a_clock_stands_goes_and_is_never_set_back(cloud):
    s = cloud()
    assert clock(s, "show") == BEGIN + " standing still"
    assert clock(s, "advance", "1d12h") == "2026-03-02T12:00:00Z standing still"
    assert clock(s, "set", "2027-01-01T00:00:00Z") == "2027-01-01T00:00:00Z standing still"
    back = s.cli("clock", "set", BEGIN, check=False)
    assert back.returncode == 1 and "no clock goes back" in back.stderr and "snapshot" in back.stderr
    assert clock(s, "resume").startswith("2027-01-01T00:00:0")
    wait_for("the clock to go", lambda: clock(s, "show") >= "2027-01-01T00:00:01Z")
    stopped = clock(s, "freeze")
    assert stopped.endswith(" standing still")
    assert clock(s, "show") == stopped
    shown = json.loads(clock(s, "show", "--json"))
    assert shown["frozen"] is True and shown["target"] is None and shown["account"] is None
    assert shown["realTime"] != shown["time"]


@pytest.mark.parametrize("words,said", [
    (("advance", "soon"), "90s, 5m, 3h, 31d, 2w or 1y"),
    (("advance", "9000y"), "9899-12-31T23:59:59Z"),
    (("set", "tomorrow"), "time"),
    (("freeze", "--account", "1234"), "there is no account"),
])
def test_a_clock_refuses_with_advice(cloud, words, said):
    s = cloud()
    r = s.cli("clock", *words, check=False)
    assert r.returncode == 1 and said in r.stderr
    assert clock(s, "show") == BEGIN + " standing still"


def test_at_the_end_of_time_there_is_still_some(cloud):
    """The last moment that a clock is moved to is not the last that can be written."""
    s = cloud()
    last = s.cli("clock", "advance", "9000y", check=False).stderr.split(" to ")[1][:20]
    s.cli("clock", "set", last)
    iid = s.ecs.run(InstanceChargeType="PrePaid", Period=60)[0]
    assert s.ecs.describe(iid)["ExpiredTime"] > last
    s.cli("clock", "resume")
    ostler.wait_for("the clock to go on", lambda: clock(s, "show") > last)
    s.restart()
    assert clock(s, "show") > last


def test_without_controls_there_is_no_clock_to_move(new_server):
    s = new_server()
    r = s.cli("clock", "advance", "1d", check=False)
    assert r.returncode == 1 and "--controls" in r.stderr


def test_a_moved_clock_outlives_the_server(cloud):
    s = cloud()
    advance(s, "1y")
    s.restart(kill=True)  # with --clock among its options, which is for the first start
    assert clock(s, "show") == "2027-03-01T00:00:00Z standing still"
    clock(s, "resume")
    s.restart()
    assert clock(s, "show").startswith("2027-03-01T00:0")


def test_an_ordinary_clock_goes_on_from_where_it_was_moved_to(new_server):
    s = new_server(args=["--controls"])
    before = time.time()
    there = advance(s, "31d")
    assert there[-1] == "Z" and abs(calendar.timegm(time.strptime(there, "%Y-%m-%dT%H:%M:%SZ"))
                                    - before - 31 * 86400) < 60
    iid = s.ecs.create_running()  # in the time that it takes
    assert s.ecs.describe(iid)["CreationTime"] >= there[:16] + "Z"


def test_a_standing_clock_holds_what_the_engine_does(cloud):
    s = cloud(sim={"create": "1s", "start": "30s"})
    iid = s.ecs.run()[0]
    advance(s, "2s")
    assert s.ecs.state(iid) == "Starting"
    time.sleep(0.1)
    assert s.ecs.state(iid) == "Starting"
    advance(s, "28s")
    assert s.ecs.state(iid) == "Starting"
    advance(s, "1s")
    assert s.ecs.state(iid) == "Running"
    assert when(s, iid, "done") == ["2026-03-01T00:00:01Z", "2026-03-01T00:00:31Z"]


# ---- what comes due ----

def test_everything_happens_at_its_own_time_once_in_order(cloud):
    """A year is skipped; what happened in it bears its times."""
    s = cloud("--arrears-retention", "0")
    ends = made(s, **PREPAID)
    goes_on = made(s, **dict(PREPAID, AutoRenew="true", AutoRenewPeriod=3))
    released = made(s, AutoReleaseTime="2026-06-01T12:00:30Z", DeletionProtection="true")
    assert s.ecs.describe(released)["AutoReleaseTime"] == "2026-06-01T12:00Z"
    advance(s, "1y")
    assert s.ecs.states([ends, goes_on, released]) == {ends: "Stopped", goes_on: "Running"}
    assert when(s, ends, "expired") == ["2026-04-01T00:00:00Z"]
    assert when(s, goes_on, "renewed") == ["2026-%02d-01T00:01:00Z" % m for m in (4, 7, 10)] + ["2027-01-01T00:01:00Z"]
    assert when(s, released, "auto-released") == ["2026-06-01T12:00:00Z"]
    assert s.ecs.describe(goes_on)["ExpiredTime"] == "2027-04-01T00:01Z"
    all_of_them = [e for e in events(s) if e["subject"] in (ends, goes_on, released)]
    assert [e["at"] for e in all_of_them] == sorted(e["at"] for e in all_of_them)
    stop = [e for e in events(s, ends) if e["kind"] in ("stop", "done")][-2:]
    assert [e["at"] for e in stop] == ["2026-04-01T00:00:00Z"] * 2  # the stop takes 20 ms


def test_a_subscription_that_was_not_renewed_is_released_in_the_end(cloud):
    s = cloud("--arrears-retention", "10d")
    iid = made(s, **PREPAID)
    advance(s, "40d")
    assert s.ecs.state(iid) == "Stopped"
    advance(s, "1d")
    assert s.ecs.state(iid) == ""
    assert when(s, iid, "arrears-ended") == ["2026-04-11T00:00:00Z"]


def test_what_is_due_during_a_start_waits_for_its_end(cloud):
    s = cloud(sim={"start": "10m"})
    iid = s.ecs.run(**PREPAID)[0]
    advance(s, "11m")
    s.ecs.ok("StopInstance", InstanceId=iid)
    clock(s, "set", "2026-03-31T23:55:00Z")
    s.ecs.ok("StartInstance", InstanceId=iid)
    advance(s, "1h")
    assert s.ecs.state(iid) == "Stopped"
    assert when(s, iid, "expired") == ["2026-04-01T00:00:00Z"]
    assert [e["at"] for e in events(s, iid) if e["kind"] == "stop"][-1] == "2026-04-01T00:05:00Z"


def test_the_recycle_bin_is_emptied(cloud):
    s = cloud()
    s.cli("account", "set", "--recycle-bin", "on", "--recycle-hours", "48")
    first, second = s.zec.create(2)
    advance(s, "1m")
    s.zec.ok("ReleaseInstances", {"instanceIds": [first, second]})
    advance(s, "47h")
    assert s.zec.states([first, second]) == {first: "RECYCLE", second: "RECYCLE"}
    advance(s, "61m")
    assert s.zec.states([first, second]) == {}
    third = s.zec.create()[0]
    advance(s, "1m")
    s.zec.ok("ReleaseInstances", {"instanceIds": [third]})
    advance(s, "1m")
    s.cli("account", "set", "--recycle-hours", "2")
    advance(s, "121m")
    assert s.zec.state(third) == ""


@pytest.mark.parametrize("behaviour,after", [("Terminate", ""), ("Stop", "Stopped")])
def test_a_spot_instance_is_taken_back(cloud, behaviour, after):
    s = cloud()
    iid = made(s, SpotStrategy="SpotAsPriceGo", SpotInterruptionBehavior=behaviour)
    s.cli("instance", "reclaim", iid)
    locks = s.ecs.describe(iid)["OperationLocks"]["LockReason"]
    assert [x["LockReason"] for x in locks] == ["Recycling"]
    advance(s, "4m")
    assert s.ecs.state(iid) == "Running"
    advance(s, "1m1s")  # and the second that it takes
    assert s.ecs.state(iid) == after
    assert when(s, iid, "taken-back") == ["2026-03-01T00:06:00Z"]
    if after:
        assert s.ecs.describe(iid)["StoppedMode"] == "StopCharging"
        s.ecs.ok("StartInstance", InstanceId=iid)
    plain = made(s)
    r = s.cli("instance", "reclaim", plain, check=False)
    assert r.returncode == 1 and "no spot instance" in r.stderr


# ---- the actions ----

def test_auto_release_is_changed(cloud):
    s = cloud()
    iid = made(s)
    bad = (400, "InvalidAutoReleaseTime.Malformed", "The specified paramter autoReleaseTime is not valid.")
    for at in ("2026-03-01T00:10:00Z", "2030-03-01T00:00:00Z", "then"):
        assert s.ecs.refused("ModifyInstanceAutoReleaseTime", InstanceId=iid, AutoReleaseTime=at) == bad
    assert s.ecs.refused("ModifyInstanceAutoReleaseTime") == \
        (400, "MissingParameter", "InstanceId should not be null.")
    assert s.ecs.refused("ModifyInstanceAutoReleaseTime", InstanceId="i-none") == \
        (404, "NoSuchResource", "The specified resource is not found.")
    s.ecs.ok("ModifyInstanceAutoReleaseTime", InstanceId=iid, AutoReleaseTime="2026-03-02T00:00:00Z")
    s.ecs.ok("ModifyInstanceAutoReleaseTime", InstanceId=iid)
    assert s.ecs.describe(iid)["AutoReleaseTime"] == ""
    s.ecs.ok("ModifyInstanceAutoReleaseTime", InstanceId=iid, AutoReleaseTime="2026-03-05T00:00:00Z")
    advance(s, "3d")
    assert s.ecs.state(iid) == "Running"
    advance(s, "1d")
    assert s.ecs.state(iid) == ""
    prepaid = made(s, stopped=True, **PREPAID)
    assert s.ecs.refused("ModifyInstanceAutoReleaseTime", InstanceId=prepaid,
                         AutoReleaseTime="2026-03-09T00:00:00Z")[:2] == (403, "ChargeTypeViolation")
    assert s.ecs.refused("RunInstances", s.ecs.shape(AutoReleaseTime="2026-03-09T00:00:00Z", **PREPAID))[1] == \
        "InvalidAutoReleaseTime.Malformed"


def test_renewal(cloud):
    s = cloud()
    iid = made(s, stopped=True, **PREPAID)
    ok = dict(InstanceId=iid, Period=2, ClientToken="t1")
    first = s.ecs.ok("RenewInstance", ok)["OrderId"]
    assert s.ecs.ok("RenewInstance", ok)["OrderId"] == first
    assert s.ecs.refused("RenewInstance", dict(ok, Period=3)) == \
        (400, "IdempotenceParamNotMatch",
         "Request uses a client token in a previous request but is not identical to that request.")
    assert s.ecs.describe(iid)["ExpiredTime"] == "2026-06-01T00:00Z"
    s.ecs.ok("RenewInstance", InstanceId=iid, Period=1, PeriodUnit="Week")
    assert s.ecs.describe(iid)["ExpiredTime"] == "2026-06-08T00:00Z"
    assert s.cli("instance", "renew", iid, "2w").stdout == "%s until 2026-06-22T00:00:00Z\n" % iid
    assert s.ecs.refused("RenewInstance", InstanceId=iid, Period=10) == \
        (400, "InvalidPeriod", "The specified period is not valid.")
    assert s.ecs.refused("RenewInstance", InstanceId=iid, Period=1, PeriodUnit="Day")[:2] == \
        (400, "InvalidPeriodUnit.ValueNotSupported")
    assert s.ecs.refused("RenewInstance", InstanceId=iid)[:2] == (400, "MissingParameter")
    assert s.ecs.refused("RenewInstance", InstanceId="i-none", Period=1)[:2] == (404, "InvalidInstanceId.NotFound")
    s.cli("instance", "lock", iid)
    assert s.ecs.refused("RenewInstance", InstanceId=iid, Period=1)[:2] == (403, "InstanceLockedForSecurity")
    paid_by_use = made(s, stopped=True)
    assert s.ecs.refused("RenewInstance", InstanceId=paid_by_use, Period=1) == \
        (403, "ChargeTypeViolation", "The operation is not permitted due to charge type of the instance.")


def test_automatic_renewal_is_changed(cloud):
    s = cloud()
    a, b = made(s, 2, **PREPAID)
    by_use = made(s, stopped=True)

    def shown(**kw):
        r = s.ecs.ok("DescribeInstanceAutoRenewAttribute", kw)
        return {x["InstanceId"]: (x["RenewalStatus"], x["AutoRenewEnabled"], x["Duration"], x["PeriodUnit"])
                for x in r["InstanceRenewAttributes"]["InstanceRenewAttribute"]}
    normal = ("Normal", False, 0, "Month")
    assert shown(InstanceId="%s,%s" % (a, by_use)) == {a: normal}
    s.ecs.ok("ModifyInstanceAutoRenewAttribute", InstanceId=a, AutoRenew="true", Duration=2)
    s.ecs.ok("ModifyInstanceAutoRenewAttribute", InstanceId=b, RenewalStatus="NotRenewal")
    assert shown() == {a: ("AutoRenewal", True, 2, "Month"), b: ("NotRenewal", False, 0, "Month")}
    assert shown(RenewalStatus="NotRenewal") == {b: ("NotRenewal", False, 0, "Month")}
    advance(s, "31d")
    assert s.ecs.states([a, b]) == {a: "Running", b: "Stopped"}
    assert s.ecs.describe(a)["ExpiredTime"] == "2026-06-01T00:00Z"
    s.ecs.ok("ModifyInstanceAutoRenewAttribute", InstanceId=a, RenewalStatus="Normal")
    assert shown(InstanceId=a) == {a: normal}
    assert s.ecs.refused("ModifyInstanceAutoRenewAttribute", InstanceId=by_use, AutoRenew="true")[:2] == \
        (403, "ChargeTypeViolation")
    assert s.ecs.refused("ModifyInstanceAutoRenewAttribute", InstanceId=a, AutoRenew="true", Duration=4)[:2] == \
        (400, "InvalidParameter")


# ---- whose clock ----

def test_accounts_may_have_clocks_of_their_own(cloud):
    """Two suites at once: neither sees the other's time."""
    s = cloud()
    words = s.cli("account", "create", "second").stdout.split()
    account, key, secret = words[1], words[5], words[9]
    theirs = ostler.Ecs(s, key, secret)
    mine, other = s.ecs.run(**PREPAID)[0], theirs.run(**PREPAID)[0]
    advance(s, "1m")
    assert s.cli("clock", "show", "--account", account).stdout.splitlines() == \
        ["2026-03-01T00:01:00Z standing still", "everybody's; the account has no clock of its own"]
    assert clock(s, "advance", "40d", "--account", account) == "2026-04-10T00:01:00Z standing still"
    assert clock(s, "show") == "2026-03-01T00:01:00Z standing still"
    assert theirs.state(other) == "Stopped" and s.ecs.state(mine) == "Running"
    assert theirs.refused("StartInstance", InstanceId=other) == EXPIRED
    advance(s, "31d")
    assert s.ecs.state(mine) == "Stopped"
    assert clock(s, "show", "--account", account) == "2026-04-10T00:01:00Z standing still"
    # what is made now bears its account's time, and lists by time find it
    late, early = theirs.create(), s.ecs.create()
    assert theirs.describe(late)["CreationTime"] == "2026-04-10T00:01Z"
    assert s.ecs.describe(early)["CreationTime"] == "2026-04-01T00:01Z"
    found = s.ecs.ok("DescribeInstances", {"Filter.3.Key": "CreationStartTime", "Filter.3.Value": "2026-04-01T00:00Z"})
    assert [x["InstanceId"] for x in found["Instances"]["Instance"]] == [early]
    s.cli("instance", "renew", other)
    assert theirs.describe(other)["ExpiredTime"] == "2026-05-10T00:01Z"


def test_a_clock_on_its_way_is_not_told_something_else(cloud):
    """Nor does it keep the server from ending: the next one goes on with it."""
    s = cloud()
    s.ecs.run(5, **dict(PREPAID, PeriodUnit="Week", AutoRenew="true"))
    for _ in range(7):
        advance(s, "1h")
        s.ecs.run(5, **dict(PREPAID, PeriodUnit="Week", AutoRenew="true"))
    account = s.cli("account", "create", "second").stdout.split()[1]
    first = s.operator("AdvanceClock", duration="365000d", wait=False)
    assert first["target"] == "3025-07-02T07:00:00Z"
    r = s.cli("clock", "advance", "1d", check=False)
    assert r.returncode == 1 and "on its way to 3025-07-02T07:00:00Z" in r.stderr
    r = s.cli("clock", "freeze", "--account", account, check=False)
    assert r.returncode == 1 and "everybody's clock is on its way" in r.stderr
    assert clock(s, "show", "--account", account).endswith("on its way to 3025-07-02T07:00:00Z\n"
                                                            "everybody's; the account has no clock of its own")
    there = s.operator("ShowClock")["time"]
    s.restart()
    shown = s.operator("ShowClock")
    assert shown["target"] == "3025-07-02T07:00:00Z" and shown["time"] >= there


# ---- signatures, tokens ----

def test_signatures_go_by_the_clients_clock(cloud):
    s = cloud()
    advance(s, "1y")
    assert s.ecs.ok("DescribeRegions")
    s.restart(args=s.args + ["--signature-clock", "moved"])
    assert s.ecs.refused("DescribeRegions")[:2] == (400, "InvalidTimeStamp.Expired")
    assert s.ecs.refused("DescribeRegions", _signer="v3")[:2] == (400, "InvalidTimeStamp.Expired")
    assert s.zec.refused("DescribeZones")[1] == "AUTHFAILURE_SIGNATURE_EXPIRED"


def test_tokens_are_forgotten_by_the_clock(cloud):
    s = cloud("--token-lifetime", "2h")
    first = s.ecs.run(ClientToken="once")
    advance(s, "119m")
    assert s.ecs.run(ClientToken="once") == first
    advance(s, "1m")
    second = s.ecs.run(ClientToken="once")
    assert second != first
    assert s.ecs.run(ClientToken="once") == second


# ---- kills ----

def test_a_way_that_a_kill_cut_short_is_gone_on_with(cloud):
    """Two years of weekly renewals, with kills among them: every one is there once, at its time."""
    s = cloud()
    shape = dict(PREPAID, PeriodUnit="Week", AutoRenew="true")
    ids = []
    for _ in range(8):
        ids += s.ecs.run(4, **shape)
        advance(s, "1h")
    s.operator("AdvanceClock", duration="2y", wait=False)
    for there in ("2026-04", "2026-10", "2027-05"):
        wait_for("the clock to be in " + there, lambda: s.operator("ShowClock")["time"] >= there, 60)
        s.restart(kill=True)
        shown = s.operator("ShowClock")
        assert shown["time"] >= there and shown["target"] == "2028-02-29T08:00:00Z", "it was too fast for the test"
    wait_for("it to arrive", lambda: s.operator("ShowClock")["target"] is None, 60)
    assert clock(s, "show") == "2028-02-29T08:00:00Z standing still"
    assert set(s.ecs.states(ids).values()) == {"Running"}
    for n, iid in enumerate(ids):
        at = when(s, iid, "renewed")
        first = calendar.timegm((2026, 3, 8, n // 4, 0, 0))
        assert [calendar.timegm(time.strptime(t, "%Y-%m-%dT%H:%M:%SZ")) for t in at] == \
            [first + week * 7 * 86400 for week in range(104)]
    once = [(e["at"], e["subject"], e["kind"]) for e in events(s) if e["kind"] == "renewed"]
    assert once == sorted(once, key=lambda e: e[0])


def test_the_seed_makes_the_same_world_again(cloud):
    def life():
        s = cloud("--seed", "42")
        iid = s.ecs.run(2, **PREPAID)
        advance(s, "1d")
        return s.account, iid, [dict(e) for e in events(s)]
    assert life() == life()
