"""Each of these failed once: what the documents say and no other file here tries."""
import json
import xml.etree.ElementTree as ElementTree

import pytest

import ostler
import sign


def test_a_replay_is_refused_also_after_a_restart(server):
    request = server.ecs.request("RunInstances", dict({"RegionId": server.ecs.region}, **server.ecs.shape()))
    assert server.send(request).status == 200
    server.restart()
    assert server.send(request).status == 400
    assert server.ecs.ok("DescribeInstances")["TotalCount"] == 1


@pytest.mark.parametrize("ip,code", [("", "InvalidPrivateIpAddress.Duplicated"),
                                     ("192.0.2.1", "InvalidPrivateIpAddress")])
def test_a_dry_run_checks_the_address(shared, ip, code):
    taken = shared.ecs.describe(shared.ecs.create())["VpcAttributes"]["PrivateIpAddress"]["IpAddress"][0]
    got = shared.ecs.refused("RunInstances", shared.ecs.shape(DryRun=True, PrivateIpAddress=ip or taken))
    assert got[1] == code


def test_min_amount_takes_what_there_is_room_for(new_server):
    s = new_server(args=["--capacity-memory", "1600"])  # three of the smallest type
    assert len(s.ecs.run(5, MinAmount=1)) == 3


def test_a_refusal_has_the_format_that_was_asked_for_also_when_the_request_cannot_be_read(shared):
    host = [("Host", shared.address)]
    for target, headers in (("/?Format=JSON&Action=DescribeRegions&A=1&A=2", host),
                            ("/?Format=JSON&Action=%zz", host),
                            ("/?Format=JSON&Action=DescribeRegions", host + [("Content-Length", "999999999")])):
        method = "POST" if len(headers) > 1 else "GET"
        reply = shared.send(sign.Request(method, target, headers))
        assert reply.header("content-type") == "application/json;charset=utf-8", target
        assert reply.json()["Code"]


@pytest.mark.parametrize("path", ["/api/v2", "/api/v3/zec", "/"])
def test_a_wrong_path_of_a_zec_client_is_404_in_its_json(shared, path):
    reply = shared.send(shared.zec.request("DescribeZones", path=path))
    assert reply.status == 404
    assert sorted(reply.json()) == ["code", "message", "requestId"]


def test_describe_instance_status_refuses_malformed_ids_with_their_code(shared):
    for ids in ({"InstanceId.x": "i-1"}, {"InstanceId.1": "i bad"}):
        assert shared.ecs.refused("DescribeInstanceStatus", ids)[:2] == (403, "Abs.InvalidInstanceIds.MalFormed")


def test_max_results_is_moved_into_its_range(shared):
    for n in ("2000", "1", "-1"):
        assert shared.ecs("DescribeInstances", MaxResults=n)[0] == 200


def test_no_instance_is_made_in_a_region_of_the_other_cloud(shared):
    for action in ("RunInstances", "CreateInstance"):
        for region in ("asia-east-1", "mars"):
            got = shared.ecs.refused(action, shared.ecs.shape(RegionId=region))
            assert got[:2] == (404, "InvalidRegionId.NotFound")


def test_unknown_parameters_are_ignored_whatever_they_are_called(shared):
    iid = shared.ecs.create_stopped()
    for name in ("Foo..Bar", "Foo.01", ".x", "A.B.C.D.E.F.G.H.I.J", "InstanceId..x", "InstanceId.1"):
        got = shared.ecs.refused("StartInstance", {"InstanceId": iid, "DryRun": "true", name: "1"})
        assert got[1] == "DryRunOperation", name


def test_an_ecs_delete_is_final_also_with_a_recycle_bin(server):
    server.cli("account", "set", "--recycle-bin", "on")
    iid = server.ecs.create_stopped()
    server.ecs.ok("DeleteInstance", InstanceId=iid)
    server.wait_state(iid, "")


def test_a_reboot_is_seen_stopping_then_starting(new_server):
    s = new_server(sim={"reboot": "1s"})
    iid = s.ecs.create_running()
    s.ecs.ok("RebootInstance", InstanceId=iid)
    seen = []

    def ended():
        state = s.ecs.state(iid)
        if not seen or seen[-1] != state:
            seen.append(state)
        return state == "Running"
    ostler.wait_for("the end of the reboot", ended)
    assert seen == ["Stopping", "Starting", "Running"]


def test_xml_leaves_out_the_characters_that_it_cannot_hold(shared):
    iid = shared.ecs.create(Description="a\uffffb")
    reply = shared.send(shared.ecs.request("DescribeInstances", {
        "RegionId": shared.ecs.region, "InstanceIds": json.dumps([iid])}, fmt="XML"))
    ElementTree.fromstring(reply.body)


def test_what_has_the_wrong_type_is_not_said_to_be_too_long(shared):
    got = shared.ecs.refused("RunInstances", shared.ecs.shape(Tag="x"))
    assert got[:2] == (400, "InvalidParameter")
    got = shared.zec.refused("CreateZecInstances", shared.zec.shape(userData=5))
    assert got[1] == "INVALID_PARAMETER_TYPE"


def test_a_system_disk_that_is_too_big_has_a_code_of_its_own_in_create_instance(shared):
    for size in (2049, 70000):
        shape = shared.ecs.shape(**{"SystemDisk.Size": size})
        assert shared.ecs.refused("CreateInstance", shape)[:2] == (404, "InvalidSystemDiskSize.MoreThanMaxSize")
        assert shared.ecs.refused("RunInstances", shape)[:2] == (400, "InvalidSystemDiskSize.ValueNotSupported")


def test_the_default_disk_category_has_no_performance_levels(shared):
    for param in ({"SystemDisk.PerformanceLevel": "PL1"},
                  {"DataDisk.1.Size": 20, "DataDisk.1.PerformanceLevel": "PL1"}):
        got = shared.ecs.refused("RunInstances", shared.ecs.shape(**param))
        assert got[:2] == (400, "InvalidPerformanceLevel.Malformed")


def test_describe_images_refuses_a_tag_value_without_a_key(shared):
    assert shared.ecs.refused("DescribeImages", {"Tag.1.Value": "x"})[:2] == (400, "InvalidTag.Mismatch")


def test_an_unknown_instance_is_said_before_hibernation_is_refused(shared):
    for iid, want in (("i-nobodys", (404, "InvalidInstanceId.NotFound")),
                      (shared.ecs.create_stopped(), (403, "HibernationConfigured.NotEnabled"))):
        assert shared.ecs.refused("StopInstance", InstanceId=iid, Hibernate=True)[:2] == want


def test_delete_instances_says_that_it_does_not_work_across_regions(shared):
    here, unknown = shared.ecs.create_stopped(), "i-nobodys"
    there = next(r["RegionId"] for r in shared.ecs.ok("DescribeRegions")["Regions"]["Region"]
                 if r["RegionId"] != shared.ecs.region)
    for iid, want in ((here, (400, "InvalidParameter.CrossRegionNotSupport")),
                      (unknown, (404, "InvalidInstanceId.NotFound"))):
        assert shared.ecs.refused("DeleteInstances", {"RegionId": there, "InstanceId.1": iid})[:2] == want
    assert shared.ecs.state(here) == "Stopped"


def test_the_name_filter_tells_upper_from_lower_case(shared):
    iid = shared.ecs.create_stopped(InstanceName="CaseOfNames")
    for pattern, found in (("CaseOf*", True), ("caseof*", False), ("CaseOfNames", True), ("caseofnames", False)):
        rows = shared.ecs.ok("DescribeInstances", InstanceName=pattern)
        assert [x["InstanceId"] for x in rows["Instances"]["Instance"]] == ([iid] if found else []), pattern
        assert rows["TotalCount"] == found


def test_only_start_and_the_batches_say_what_an_instance_is_busy_with(new_server):
    s = new_server()
    iid = s.ecs.create_stopped()
    s.restart(sim=ostler.HELD)
    s.ecs.ok("StartInstance", InstanceId=iid)
    for action in ("StopInstance", "RebootInstance", "DeleteInstance"):
        assert s.ecs.refused(action, InstanceId=iid)[:3] == (
            403, "IncorrectInstanceStatus",
            "The current status of the resource does not support this operation.")
    for action, ids in (("StartInstance", {"InstanceId": iid}), ("StopInstances", {"InstanceId.1": iid})):
        status, code, message = s.ecs.refused(action, ids)
        assert (status, code) == (403, "IncorrectInstanceStatus") and "start" in message
