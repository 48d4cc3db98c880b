"""Every way to be refused before a request is looked at: status, code and text, in both formats."""
import re
import time
import xml.etree.ElementTree as ET

import pytest

import ostler
import sign

UUID = r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"


def mandatory(name):
    return (400, "Missing" + name, name + " is mandatory for this action.")


def minutes(n):
    return sign.iso(time.time() + 60 * n)


def told(how):
    """What the signer is told; `minutes` are from now, not from when the tests were collected."""
    how = dict(how)
    if "minutes" in how:
        how["timestamp"] = minutes(how.pop("minutes"))
    return how


# name -> (what the signer is told, the expected refusal; a pattern where the text is free)
V1 = {
    "no key": (dict(drop=("AccessKeyId",)), mandatory("AccessKeyId")),
    "no signature": (dict(drop=("Signature",)), mandatory("Signature")),
    "no time": (dict(drop=("Timestamp",)), mandatory("Timestamp")),
    "no nonce": (dict(drop=("SignatureNonce",)), mandatory("SignatureNonce")),
    "no version": (dict(drop=("Version",)), mandatory("Version")),
    "no action": (dict(drop=("Action",)), mandatory("Action")),
    "unknown version": (dict(version="2013-01-01"),
                        (400, "InvalidVersion", "Specified parameter Version is not valid.")),
    "unknown key": (dict(change={"AccessKeyId": "LTAI000000000000"}),
                    (404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")),
    "time not a time": (dict(timestamp="yesterday"),
                        (400, "InvalidTimeStamp.Format",
                         "Specified time stamp or date value is not well formatted.")),
    "time of an impossible day": (dict(timestamp="2026-02-30T00:00:00Z"),
                                  (400, "InvalidTimeStamp.Format",
                                   "Specified time stamp or date value is not well formatted.")),
    "too old": (dict(minutes=-32),
                (400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")),
    "too new": (dict(minutes=16),
                (400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")),
    "method": (dict(algorithm="HMAC-MD5"),
               (400, "InvalidSignatureMethod", "Specified signature method is not valid.")),
    "signature version": (dict(sig_version="2.0"), (400, re.compile("SignatureVersion"), re.compile("."))),
    "a token": (dict(token="tok/en+="), (400, re.compile(r"InvalidSecurityToken\."), re.compile("SecurityToken"))),
    "wrong signature": (dict(change={"Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}),
                        (400, "SignatureDoesNotMatch",
                         re.compile(r"Specified signature is not matched with our calculation\. "
                                    r"server string to sign is:GET&%2F&AccessKeyId"))),
}


def fits(got, wanted):
    return all(w.search(g) if hasattr(w, "search") else g == w for g, w in zip(got, wanted))


def told_json(reply):
    o = reply.json()
    assert set(o) <= {"RequestId", "Message", "Recommend", "HostId", "Code", "AccessDeniedDetail"}, o
    assert all(isinstance(v, str) for v in o.values()), o
    assert re.fullmatch(UUID, o["RequestId"]) and reply.header("content-type") == "application/json;charset=utf-8"
    return reply.status, o["Code"], o["Message"], o["HostId"]


def told_xml(reply):
    assert reply.body.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert reply.header("content-type") == "text/xml;charset=utf-8"
    root = ET.fromstring(reply.body)
    assert root.tag == "Error"
    o = {e.tag: e.text for e in root}
    assert re.fullmatch(UUID, o["RequestId"])
    return reply.status, o["Code"], o["Message"], o["HostId"]


@pytest.mark.parametrize("fmt", ["JSON", "xml"])
@pytest.mark.parametrize("name", V1)
def test_v1_refusal(shared, name, fmt):
    how, wanted = V1[name]
    reply = shared.send(shared.ecs.request("DescribeRegions", fmt=fmt, **told(how)))
    got = (told_json if fmt == "JSON" else told_xml)(reply)
    assert fits(got[:3], wanted), got
    assert got[3] in (shared.address, shared.host)


def test_v1_unknown_action(shared):
    for method in ("GET", "POST"):
        assert shared.ecs.refused("StartEverything", _kw={"method": method}) == (
            404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.")


def test_v1_action_names_are_case_sensitive(shared):
    assert shared.ecs.refused("startInstance", InstanceId="i-x")[1] == "InvalidAction.NotFound"


def test_unknown_format(shared):
    reply = shared.send(shared.ecs.request("DescribeRegions", fmt="YAML"))
    assert reply.status == 400 and b"InvalidParameter.Format" in reply.body


@pytest.mark.parametrize("back", [-30, -14, 14])
def test_v1_time_window_accepts(shared, back):
    assert shared.ecs("DescribeRegions", _kw={"timestamp": minutes(back)})[0] == 200


@pytest.mark.parametrize("back", [-14, 14])
def test_v3_time_window_accepts(shared, back):
    assert shared.ecs("DescribeRegions", _signer="v3", _kw={"timestamp": minutes(back)})[0] == 200


V3 = {
    "unknown key": (dict(key="LTAI000000000000"), (404, "InvalidAccessKeyId.NotFound",
                                                   "Specified access key is not found.")),
    "too old": (dict(minutes=-32),
                (400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")),
    "too new": (dict(minutes=16),
                (400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")),
    "time not a time": (dict(timestamp="1700000000"),
                        (400, "InvalidTimeStamp.Format",
                         "Specified time stamp or date value is not well formatted.")),
    "unknown version": (dict(version="2013-01-01"),
                        (400, "InvalidVersion", "Specified parameter Version is not valid.")),
    "no time": (dict(drop=("x-acs-date",)), mandatory("Timestamp")),
    "no nonce": (dict(drop=("x-acs-signature-nonce",)), mandatory("SignatureNonce")),
    "no action": (dict(drop=("x-acs-action",)), mandatory("Action")),
    "no version": (dict(drop=("x-acs-version",)), mandatory("Version")),
    "method": (dict(algorithm="ACS3-RSA-SHA256"), (400, "InvalidSignatureMethod",
                                                   "Specified signature method is not valid.")),
    "token": (dict(token="tok/en+="), (400, re.compile(r"InvalidSecurityToken\."), re.compile("SecurityToken"))),
}


@pytest.mark.parametrize("name", V3)
def test_v3_refusal(shared, name):
    how, wanted = V3[name]
    key, secret = shared.account
    how = told(how)
    r = sign.v3(how.pop("key", key), secret, shared.address, "DescribeRegions", **how)
    got = told_json(shared.send(r))
    assert fits(got[:3], wanted), got


def test_v3_without_authorization(shared):
    r = shared.ecs.request("DescribeRegions", signer="v3", drop=("authorization",))
    assert told_json(shared.send(r))[:3] == mandatory("AccessKeyId")


def test_v3_unknown_action(shared):
    assert shared.ecs.refused("StartEverything", _signer="v3")[:2] == (404, "InvalidAction.NotFound")


def test_v3_format_parameter_asks_for_xml(shared):
    reply = shared.send(shared.ecs.request("DescribeRegions", signer="v3", fmt="XML"))
    assert reply.status == 200 and ET.fromstring(reply.body).tag == "DescribeRegionsResponse"


def test_v3_body_must_have_its_digest(shared):
    r = shared.ecs.request("DescribeRegions", {"RegionId": "cn-hangzhou"}, signer="v3", form=True)
    reply = shared.send(sign.Request(r.method, r.target, r.headers, r.body.replace(b"hangzhou", b"shanghai")))
    assert (reply.status, reply.json()["Code"]) == (400, "SignatureDoesNotMatch")


def test_methods_that_no_client_uses(shared):
    for method in ("PUT", "DELETE", "PATCH"):
        r = shared.ecs.request("DescribeRegions", method=method, where="query")
        assert told_json(shared.send(r))[:3] == (403, "UnsupportedHTTPMethod", "This http method is not supported.")


def test_a_disabled_key(server):
    key, _ = server.account
    assert server.ecs("DescribeRegions")[0] == 200
    server.cli("key", "disable", key)
    assert server.ecs.refused("DescribeRegions") == (
        400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.")
    status, code, _ = server.zec.refused("DescribeZones")
    assert (status, code) == (401, "AUTHFAILURE_SIGNATURE_FAILURE")
    server.cli("key", "enable", key)
    assert server.ecs("DescribeRegions")[0] == 200


def test_a_used_nonce_stays_used_after_a_restart(server):
    """Or a captured request could be played again after a crash."""
    iid = server.ecs.create_stopped()
    params = {"InstanceId": iid, "RegionId": server.ecs.region}
    r = server.ecs.request("StopInstance", params)
    assert server.send(r).json()["Code"] == "IncorrectInstanceStatus"
    assert server.send(r).json()["Code"] == "SignatureNonceUsed"


def test_nonces_belong_to_a_key(server):
    """Two accounts may use the same nonce by chance."""
    import setups
    other = ostler.Ecs(server, *setups.another_account(server))
    for e in (server.ecs, other):
        assert e("DescribeRegions", _kw={"nonce": "the-same"})[0] == 200


# ---- Zenlayer ----

def zec_told(reply):
    o = reply.json()
    assert set(o) == {"requestId", "code", "message"}, o
    assert re.fullmatch("T" + UUID, o["requestId"]), o
    assert o["message"] and reply.header("content-type") == "application/json"
    return reply.status, o["code"]


ZEC = {
    "no authorization": (dict(Authorization=None), "AUTHFAILURE_INVALID_AUTHORIZATION"),
    "empty authorization": (dict(Authorization=""), "AUTHFAILURE_INVALID_AUTHORIZATION"),
    "another scheme": (dict(Authorization="Basic dXNlcjpwdw=="), "AUTHFAILURE_INVALID_AUTHORIZATION"),
    "a bearer token": (dict(Authorization="Bearer abc"), "AUTHFAILURE_INVALID_AUTHORIZATION"),
    "only the scheme": (dict(Authorization="ZC2-HMAC-SHA256"), "AUTHFAILURE_INVALID_AUTHORIZATION"),
    "no signature in it": (dict(Authorization="ZC2-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host"),
                           "AUTHFAILURE_INVALID_AUTHORIZATION"),
}


@pytest.mark.parametrize("name", ZEC)
def test_zec_authorization(shared, name):
    headers, code = ZEC[name]
    r = shared.zec.request("DescribeZones")
    for n, v in headers.items():
        r = r.with_header(n, v)
    assert zec_told(shared.send(r)) == (401, code)


@pytest.mark.parametrize("off,good", [(-290, True), (290, True), (-310, False), (310, False)])
def test_zec_time_window(shared, off, good):
    r = shared.zec.request("DescribeZones", timestamp=str(int(time.time()) + off))
    reply = shared.send(r)
    if good:
        assert reply.status == 200
    else:
        assert zec_told(reply) == (401, "AUTHFAILURE_SIGNATURE_EXPIRED")


def test_zec_without_a_time(shared):
    r = shared.zec.request("DescribeZones").with_header("x-zc-timestamp", None)
    status, code = zec_told(shared.send(r))
    assert status == 401 and code.startswith("AUTHFAILURE_")


def test_zec_unknown_key(shared):
    other = ostler.Zec(shared, "AKIDNOBODY", "x")
    assert zec_told(shared.send(other.request("DescribeZones"))) == (401, "AUTHFAILURE_SIGNATURE_FAILURE")


def test_zec_unknown_action(shared):
    assert zec_told(shared.send(shared.zec.request("StartEverything"))) == (
        403, "AUTHFAILURE_UNAUTHORIZED_OPERATION")


def test_zec_without_an_action(shared):
    r = shared.zec.request("DescribeZones").with_header("x-zc-action", None)
    status, code = zec_told(shared.send(r))
    assert status in (400, 403), code


def test_zec_unknown_service_and_path(shared):
    assert zec_told(shared.send(shared.zec.request("DescribeZones", path="/api/v2/nothing")))[0] in (403, 404)
    r = shared.zec.request("DescribeZones", path="/api/v3/zec")
    assert shared.send(r).status == 404


def test_zec_wrong_method(shared):
    r = shared.zec.request("DescribeZones")
    reply = shared.send(sign.Request("GET", r.target, [h for h in r.headers if h[0] != "Content-Length"], b""))
    assert zec_told(reply)[0] == 405


def test_zec_body_that_is_not_json(shared):
    for body in (b"", b"{", b"[]", b'"x"', b'{"instanceIds":[}', b"\xff\xfe"):
        status, code = zec_told(shared.send(shared.zec.request("DescribeInstances", body)))
        assert status == 400 and not code.startswith("AUTHFAILURE"), (body, code)


def test_refusals_do_not_tell_other_accounts_instances_from_unknown_ones(server):
    import setups
    iid = server.ecs.create_stopped()
    key, secret = setups.another_account(server)
    ecs, zec = ostler.Ecs(server, key, secret), ostler.Zec(server, key, secret)
    ghost = "i-" + "0" * 20
    assert ecs.refused("StartInstance", InstanceId=iid) == ecs.refused("StartInstance", InstanceId=ghost)
    mine, none = (zec.refused("StartInstances", {"instanceIds": [x]})[:2] for x in (iid, ghost))
    assert mine == none == (404, "INVALID_INSTANCE_NOT_FOUND")
    assert ecs.state(iid) == "" and zec.state(iid) == ""
    assert server.ecs.state(iid) == "Stopped"
