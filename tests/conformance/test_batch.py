"""Many ids in one request: what both clouds say about lists, dry runs and part failures."""
import xml.etree.ElementTree as ET

import pytest

import ostler

GHOST = "i-bp1" + "0" * 17
ZGHOST = "1234567890123456789"
DRY_ONE = (400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")
DRY_MANY = (400, "DRYRUN.SUCCESS", "This request is a dryrun request with successful result.")


@pytest.fixture
def pair(shared):
    """A stopped and a running one."""
    return shared.ecs.create_stopped(), shared.ecs.create_running()


def entries(obj):
    out = obj["InstanceResponses"]["InstanceResponse"]
    for e in out:
        assert set(e) == {"InstanceId", "Code", "Message", "PreviousStatus", "CurrentStatus"}, e
        assert all(isinstance(v, str) for v in e.values()), e
    return [(e["InstanceId"], e["Code"], e["PreviousStatus"], e["CurrentStatus"]) for e in out]


# ---- ECS ----

def test_ecs_one_entry_an_id_in_the_order_asked(shared):
    ids = shared.ecs.create_many_stopped(3)[::-1]
    got = shared.ecs.ok("StartInstances", InstanceId=ids)
    assert entries(got) == [(i, "200", "Stopped", "Starting") for i in ids]
    assert {e["Message"] for e in got["InstanceResponses"]["InstanceResponse"]} == {"success"}
    shared.ecs.wait_all(ids, "Running")
    got = shared.ecs.ok("RebootInstances", InstanceId=ids)
    assert entries(got) == [(i, "200", "Running", "Stopping") for i in ids]
    shared.ecs.wait_all(ids, "Running")
    got = shared.ecs.ok("StopInstances", InstanceId=ids)
    assert entries(got) == [(i, "200", "Running", "Stopping") for i in ids]
    shared.ecs.wait_all(ids, "Stopped")


def test_ecs_all_together_is_all_or_nothing(shared, pair):
    stopped, running = pair
    assert shared.ecs.refused("StartInstances", InstanceId=[stopped, running])[:2] == (
        403, "IncorrectInstanceStatus")
    assert shared.ecs.state(stopped) == "Stopped"
    status, code, _ = shared.ecs.refused("StartInstances", InstanceId=[stopped, GHOST],
                                         BatchOptimization="AllTogether")
    assert (status, code) in ((404, "InvalidInstanceId.NotFound"), (404, "InvalidInstanceIds.NotFound"))
    assert shared.ecs.state(stopped) == "Stopped"


def test_ecs_success_first_judges_each_alone(shared, pair):
    stopped, running = pair
    got = shared.ecs.ok("StartInstances", InstanceId=[running, GHOST, stopped], BatchOptimization="SuccessFirst")
    assert entries(got) == [(running, "IncorrectInstanceStatus", "Running", "Running"),
                            (GHOST, "InvalidInstanceId.NotFound", "", ""),
                            (stopped, "200", "Stopped", "Starting")]
    shared.wait_state(stopped, "Running")


def test_ecs_batch_xml(shared, pair):
    stopped, running = pair
    r = shared.ecs.request("StartInstances", {"RegionId": shared.ecs.region, "InstanceId": [running, stopped],
                                              "BatchOptimization": "SuccessFirst"}, fmt="XML")
    root = ET.fromstring(shared.send(r).body)
    assert root.tag == "StartInstancesResponse"
    got = [{c.tag: c.text or "" for c in e} for e in root.find("InstanceResponses")]
    assert [(e["InstanceId"], e["Code"]) for e in got] == [(running, "IncorrectInstanceStatus"), (stopped, "200")]


def test_ecs_unknown_batch_optimization(shared, pair):
    assert shared.ecs.refused("StartInstances", InstanceId=[pair[0]], BatchOptimization="Whatever")[0] == 400


@pytest.mark.parametrize("action", ["StartInstances", "StopInstances", "RebootInstances", "DeleteInstances"])
def test_ecs_too_many_and_too_few(shared, action):
    ids = ["i-bp1%017d" % i for i in range(101)]
    assert shared.ecs.refused(action, InstanceId=ids, _kw={"method": "POST"}) == (
        403, "InvalidParameter.TooManyInstanceIds", "Instance ids cannot be more than 100.")
    status, code, _ = shared.ecs.refused(action)
    assert (status, code) in ((403, "InvalidInstanceId.NotFound"), (400, "MissingInstanceId"))


def test_ecs_ids_with_gaps_and_without_an_index(shared):
    a, b = shared.ecs.create_many_stopped(2)
    got = shared.ecs.ok("StartInstances", {"InstanceId.3": a, "InstanceId.17": b})
    assert [e[0] for e in entries(got)] == [a, b]
    shared.ecs.wait_all([a, b], "Running")
    assert [e[0] for e in entries(shared.ecs.ok("StopInstances", {"InstanceId": a}))] == [a]


def test_ecs_dry_runs(shared, pair):
    stopped, running = pair
    assert shared.ecs.refused("StartInstance", InstanceId=stopped, DryRun=True) == DRY_ONE
    assert shared.ecs.refused("StopInstance", InstanceId=running, DryRun=True) == DRY_ONE
    assert shared.ecs.refused("RebootInstance", InstanceId=running, DryRun=True) == DRY_ONE
    assert shared.ecs.refused("DeleteInstance", InstanceId=stopped, DryRun=True) == DRY_ONE
    assert shared.ecs.refused("StartInstance", InstanceId=running, DryRun=True)[1] == "IncorrectInstanceStatus"
    assert shared.ecs.refused("StartInstance", InstanceId=GHOST, DryRun=True)[1] == "InvalidInstanceId.NotFound"
    assert shared.ecs.refused("StartInstances", InstanceId=[stopped], DryRun=True) == DRY_MANY
    assert shared.ecs.refused("StopInstances", InstanceId=[running], DryRun=True) == DRY_MANY
    assert shared.ecs.refused("StartInstances", InstanceId=[stopped, running], DryRun=True)[1] == \
        "IncorrectInstanceStatus"
    assert shared.ecs.refused("StartInstances", InstanceId=[stopped, running], DryRun=True,
                              BatchOptimization="SuccessFirst") == DRY_MANY
    assert shared.ecs.refused("RunInstances", shared.ecs.shape(), DryRun=True) == DRY_ONE
    assert (shared.ecs.state(stopped), shared.ecs.state(running)) == ("Stopped", "Running")


def test_ecs_booleans_as_python_prints_them(shared, pair):
    assert shared.ecs.refused("StartInstance", InstanceId=pair[0], DryRun="True") == DRY_ONE
    assert shared.ecs.refused("StartInstance", InstanceId=pair[0], DryRun="perhaps")[:2] == (400, "InvalidParameter")


def test_ecs_delete_instances_is_all_or_nothing(shared, pair):
    stopped, running = pair
    assert shared.ecs.refused("DeleteInstances", InstanceId=[stopped, running])[1] == "IncorrectInstanceStatus"
    assert shared.ecs.state(stopped) == "Stopped"
    assert shared.ecs.ok("DeleteInstances", InstanceId=[stopped, running], Force=True).keys() == {"RequestId"}
    shared.ecs.wait_all([stopped, running], None)


def test_ecs_missing_instance_id(shared):
    assert shared.ecs.refused("StartInstance") == (
        400, "MissingInstanceId", "InstanceId is mandatory for this action.")


def test_ecs_run_instances_all_or_none(shared):
    assert shared.ecs.refused("RunInstances", shared.ecs.shape(Amount=101))[0] in (400, 403)
    before = shared.ecs.ok("DescribeInstances", PageSize=100)["TotalCount"]
    status, code, message = shared.ecs.refused("RunInstances", shared.ecs.shape(Amount=2, InstanceType="ecs.none"))
    assert (status, code) == (400, "InvalidInstanceType.ValueNotSupported"), message
    assert shared.ecs.ok("DescribeInstances", PageSize=100)["TotalCount"] == before


# ---- ZEC ----

def test_zec_some_accepted_the_others_listed(shared, pair):
    stopped, running = pair
    got = shared.zec.ok("StartInstances", {"instanceIds": [running, stopped]})
    assert got["instanceIds"] == [running]
    shared.wait_state(stopped, "Running")


def test_zec_an_unknown_id_among_known_ones_is_listed(shared, pair):
    stopped, _ = pair
    assert shared.zec.ok("StartInstances", {"instanceIds": [ZGHOST, stopped]})["instanceIds"] == [ZGHOST]
    shared.wait_state(stopped, "Running")


def test_zec_none_accepted_all_there_already(shared, pair):
    other = shared.ecs.create_running()
    ids = [pair[1], other]
    assert shared.zec.ok("StartInstances", {"instanceIds": ids})["instanceIds"] == ids


def test_zec_none_accepted_the_first_refusal_counts(shared, pair):
    locked, running = pair
    shared.cli("instance", "lock", locked)
    assert shared.zec.refused("StartInstances", {"instanceIds": [ZGHOST, locked]})[:2] == (
        404, "INVALID_INSTANCE_NOT_FOUND")
    assert shared.zec.refused("StartInstances", {"instanceIds": [locked, ZGHOST]})[:2] == (
        400, "UNSUPPORTED_OPERATION_INSTANCE_STATUS")
    assert shared.zec.refused("StartInstances", {"instanceIds": [ZGHOST, running]})[:2] == (
        404, "INVALID_INSTANCE_NOT_FOUND")


def test_zec_a_duplicate_counts_once(shared, pair):
    stopped, _ = pair
    assert shared.zec.ok("StartInstances", {"instanceIds": [stopped, stopped]})["instanceIds"] == []
    shared.wait_state(stopped, "Running")


def test_zec_release_with_an_unknown_id_releases_nothing(shared, pair):
    stopped, _ = pair
    assert shared.zec.refused("ReleaseInstances", {"instanceIds": [stopped, ZGHOST]})[:2] == (
        404, "INVALID_INSTANCE_NOT_FOUND")
    assert shared.ecs.state(stopped) == "Stopped"


@pytest.mark.parametrize("action", ["StartInstances", "StopInstances", "RebootInstances", "ReleaseInstances"])
@pytest.mark.parametrize("body,code", [
    ({"instanceIds": []}, "INVALID_PARAMETER_LESS_LENGTH"),
    ({"instanceIds": [str(10 ** 18 + i) for i in range(101)]}, "INVALID_PARAMETER_EXCEED_LENGTH"),
    ({}, "MISSING_PARAMETER"),
    ({"instanceIds": None}, "MISSING_PARAMETER"),
    ({"instanceIds": "1"}, "INVALID_PARAMETER_TYPE"),
    ({"instanceIds": [1]}, "INVALID_PARAMETER_TYPE"),
], ids=["empty", "101", "absent", "null", "text", "numbers"])
def test_zec_lists_that_are_none(shared, action, body, code):
    assert shared.zec.refused(action, body)[:2] == (400, code)


def test_zec_describe_leaves_unknown_ids_out(shared, pair):
    got = shared.zec.ok("DescribeInstances", {"instanceIds": [pair[0], ZGHOST]})
    assert [x["instanceId"] for x in got["dataSet"]] == [pair[0]] and got["totalCount"] == 1


@pytest.mark.parametrize("page,code", [({"pageSize": 1001}, "INVALID_PARAMETER_EXCEED_MAXIMUM"),
                                       ({"pageSize": 0}, "INVALID_PARAMETER_LESS_MINIMUM"),
                                       ({"pageNum": 0}, "INVALID_PARAMETER_LESS_MINIMUM")])
def test_zec_pages_that_are_none(shared, page, code):
    assert shared.zec.refused("DescribeInstances", page)[:2] == (400, code)


def test_zec_a_page_beyond_the_end_is_empty(shared, pair):
    got = shared.zec.ok("DescribeInstances", {"pageNum": 100000, "pageSize": 1000})
    assert got["dataSet"] == [] and got["totalCount"] >= 2


@pytest.mark.parametrize("client,word", [(None, "STARTING"), ("zeno", "BOOTING"), ("Terraform-latest", "BOOTING")])
def test_zec_the_word_for_starting(new_server, client, word):
    s = new_server()
    iid = s.ecs.create_stopped()
    s.restart(sim=ostler.HELD)
    s.zec.ok("StartInstances", {"instanceIds": [iid]})
    asking = ostler.Zec(s, *s.account, client=client)
    assert asking.state(iid) == word
    for filtered in ("STARTING", "BOOTING"):
        got = asking.ok("DescribeInstances", {"status": filtered})["dataSet"]
        assert [(x["instanceId"], x["status"]) for x in got] == [(iid, word)]


def test_zec_recycle_bin(server):
    """A released instance waits there; a second release ends it; without the setting it goes at once."""
    s = server
    a, b = s.ecs.create_many_stopped(2)
    s.zec.ok("ReleaseInstances", {"instanceIds": [a]})
    s.zec.wait_state(a, "")
    s.cli("account", "set", "--recycle-bin", "on")
    s.zec.ok("ReleaseInstances", {"instanceIds": [b]})
    s.zec.wait_state(b, "RECYCLE")
    for name in ("RECYCLE", "RECYCLED"):
        got = s.zec.ok("DescribeInstances", {"status": name})["dataSet"]
        assert [x["instanceId"] for x in got] == [b]
    for action in ("StartInstances", "StopInstances", "RebootInstances"):
        assert s.zec.refused(action, {"instanceIds": [b]})[:2] == (403, "OPERATION_DENIED_INSTANCE_RECYCLED")
    assert s.zec.ok("ReleaseInstances", {"instanceIds": [b]})["instanceIds"] == []
    s.zec.wait_state(b, "")
    assert s.zec.ok("DescribeInstances", {"instanceIds": [b]}) | {"requestId": ""} == {
        "requestId": "", "totalCount": 0, "dataSet": []}


def test_ecs_paging(server):
    ids = server.ecs.create_many_stopped(23)
    seen = []
    for page in (1, 2, 3, 4):
        r = server.ecs.ok("DescribeInstances", PageNumber=page, PageSize=10)
        assert (r["TotalCount"], r["PageNumber"], r["PageSize"]) == (23, page, 10)
        seen += [x["InstanceId"] for x in r["Instances"]["Instance"]]
    assert sorted(seen) == sorted(ids) and len(seen) == 23
    token, by_token = None, []
    for _ in range(4):
        r = server.ecs.ok("DescribeInstances", MaxResults=10, NextToken=token)
        by_token += [x["InstanceId"] for x in r["Instances"]["Instance"]]
        token = r.get("NextToken")
        if not token:
            break
    assert by_token == seen
    assert server.ecs.ok("DescribeInstances", InstanceIds="[]")["Instances"] == {"Instance": []}
    assert server.ecs.refused("DescribeInstances", InstanceIds="[oops")[:2] == (400, "InvalidParameter")


def test_ecs_unknown_parameters_are_ignored(shared):
    assert shared.ecs.ok("DescribeInstances", Whatever="1", OwnerAccount="x@y", SourceIp="1.2.3.4")


def test_ids_of_both_forms_work_in_both_dialects(shared):
    (zid,) = shared.zec.create()
    shared.zec.wait_state(zid, "RUNNING")
    assert zid.isdigit() and len(zid) == 19
    ecs = shared.zec.ecs()
    assert ecs.state(zid) == "Running" and ecs.describe(zid)["InstanceId"] == zid
    ecs.ok("StopInstance", InstanceId=zid)
    shared.wait_state(zid, "Stopped", ecs=ecs)
    ecs.ok("StartInstances", InstanceId=[zid])
    shared.zec.wait_state(zid, "RUNNING")
