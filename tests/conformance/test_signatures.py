"""Signatures: the recorded ones of real clients, our own against the server, and every byte that may not change."""
import hashlib
import hmac
import json
import os
import re
import urllib.parse

import pytest

import ostler
import sign

HERE = os.path.dirname(os.path.abspath(__file__))


def load(name):
    with open(os.path.join(HERE, "vectors", name + ".json")) as f:
        return json.load(f)


ALIBABA, ZENLAYER = load("alibaba"), load("zenlayer")
by_id = {"ids": lambda v: v["id"]}
SYSTEM = ("Action", "Version", "Format", "AccessKeyId", "SignatureMethod", "SignatureVersion",
          "SignatureNonce", "Timestamp")


# ---- the recorded signatures, against the tests' own signer ----

@pytest.mark.parametrize("v", ALIBABA["v1"], **by_id)
def test_v1_vector(v):
    sts = sign.v1_string_to_sign(v["method"], v["parameters"])
    if v["string_to_sign"]:
        assert sts == v["string_to_sign"]
    assert sign.v1_signature(ALIBABA["secret"], sts, v["parameters"]["SignatureMethod"]) == v["signature"]


@pytest.mark.parametrize("v", ALIBABA["v3"], **by_id)
def test_v3_vector(v):
    assert hashlib.sha256(v["body"].encode()).hexdigest() == v["headers"]["x-acs-content-sha256"]
    canonical = sign.v3_canonical_request("POST", [tuple(q) for q in v["query"]], v["headers"].items(),
                                          sorted(v["headers"]), v["headers"]["x-acs-content-sha256"])
    assert hashlib.sha256(canonical.encode()).hexdigest() == v["canonical_sha256"]
    assert sign.v3_signature(ALIBABA["secret"], sign.v3_string_to_sign(canonical)) == v["signature"]


@pytest.mark.parametrize("v", ZENLAYER["zc2"], **by_id)
def test_zc2_vector(v):
    r = sign.zc2(v["access_key"], v["password"], v["host"], v["action"], v["body"].encode(),
                 timestamp=v["timestamp"], content_type=v["content_type"])
    assert hashlib.sha256(r.body).hexdigest() == v["body_sha256"]
    assert r.string_to_sign.endswith("\n" + v["canonical_sha256"])
    assert r.header("Authorization").endswith("Signature=" + v["signature"])


# ---- the same shapes, signed with the server's own secret, against the server ----

def v1_like(server, v, **more):
    """The vector's request as its client would send it to this server now."""
    p = v["parameters"]
    user = {k: x for k, x in p.items() if k not in SYSTEM and k != "SecurityToken"}
    key, secret = server.account
    return sign.v1(key, secret, server.address, p["Action"], user, method=v["method"], where=v["where"],
                   algorithm=p["SignatureMethod"], fmt=p["Format"], **more)


def v3_like(server, v):
    key, secret = server.account
    if v["body"]:
        params = dict(urllib.parse.parse_qsl(v["body"], keep_blank_values=True))
        return sign.v3(key, secret, server.address, v["action"], params, form=True)
    return sign.v3(key, secret, server.address, v["action"], dict(v["query"]))


AUTH_CODES = re.compile(r"Signature|AccessKey|TimeStamp|Nonce|SecurityToken")


@pytest.mark.parametrize("v", [v for v in ALIBABA["v1"] if "SecurityToken" not in v["parameters"]], **by_id)
def test_v1_shape_is_accepted(shared, v):
    """Past the signature: whatever the answer is, it is about the request itself."""
    reply = shared.send(v1_like(shared, v))
    assert reply.status == 200 or not AUTH_CODES.search(reply.json()["Code"]), reply.body


@pytest.mark.parametrize("v", ALIBABA["v1"], **by_id)
def test_v1_mismatch_shows_the_string_to_sign(shared, v):
    r = v1_like(shared, v, change={"Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    reply = shared.send(r)
    assert (reply.status, reply.json()["Code"]) == (400, "SignatureDoesNotMatch")
    assert reply.json()["Message"] == ("Specified signature is not matched with our calculation. "
                                       "server string to sign is:" + r.string_to_sign)


def test_v1_mismatch_shows_the_string_to_sign_of_a_long_request(shared):
    """Long enough for user data: the text must not be cut."""
    r = shared.ecs.request("RunInstances", {"RegionId": "cn-hangzhou", "UserData": "QUJD" * 8000},
                           method="POST", change={"Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="})
    reply = shared.send(r)
    assert (reply.status, reply.json()["Code"]) == (400, "SignatureDoesNotMatch")
    assert reply.json()["Message"].partition("server string to sign is:")[2] == r.string_to_sign


@pytest.mark.parametrize("v", [v for v in ALIBABA["v3"] if v["access_key"] == "testid"], **by_id)
def test_v3_shape_is_accepted(shared, v):
    reply = shared.send(v3_like(shared, v))
    assert reply.status == 200 or not AUTH_CODES.search(reply.json()["Code"]), reply.body


def test_v3_leaves_marks_raw_as_the_node_client_does(shared):
    """It signs `%21 %27 %28 %29 %2A` and sends the characters themselves."""
    r = shared.ecs.request("DescribeInstances", {"RegionId": "cn-hangzhou", "InstanceName": "a*(b)'!"}, signer="v3")
    raw = r.target
    for code in ("%21", "%27", "%28", "%29", "%2A"):
        raw = raw.replace(code, urllib.parse.unquote(code))
    assert raw != r.target
    r.target = raw
    assert shared.send(r).status == 200


def test_v1_takes_plus_for_a_space_as_go_clients_send_it(shared):
    r = shared.ecs.request("DescribeInstances", {"RegionId": "cn-hangzhou", "InstanceName": "a b+c"})
    plus = r.target.replace("%20", "+")
    assert plus != r.target
    r.target = plus
    assert shared.send(r).status == 200


def test_v3_mismatch_shows_what_the_server_signed(shared):
    r = shared.ecs.request("DescribeRegions", signer="v3")
    auth = r.header("Authorization")
    last = auth[-1]
    reply = shared.send(r.with_header("Authorization", auth[:-1] + ("0" if last != "0" else "1")))
    assert (reply.status, reply.json()["Code"]) == (400, "SignatureDoesNotMatch")
    message = reply.json()["Message"]
    assert message.startswith("Specified signature does not match our calculation. server StringToSign is ["
                              + r.string_to_sign + "] server CanonicalRequest is [POST\n/\n\nhost:")


@pytest.mark.parametrize("v", ZENLAYER["zc2"], **by_id)
def test_zc2_shape_is_accepted(shared, v):
    key, secret = shared.account
    r = sign.zc2(key, secret, shared.address, v["action"], v["body"].encode(),
                 content_type=v["content_type"])
    reply = shared.send(r)
    # an action that is not served here is refused as "not allowed", which comes after the signature
    assert reply.status == 200 or reply.json()["code"] not in (
        "AUTHFAILURE_SIGNATURE_FAILURE", "AUTHFAILURE_SIGNATURE_EXPIRED",
        "AUTHFAILURE_INVALID_AUTHORIZATION"), reply.body


def test_zc2_takes_further_signed_headers(shared):
    r = shared.zec.request("DescribeZones", signed_more=[("x-zc-extra", "a b")])
    assert shared.send(r).status == 200
    assert shared.send(r.with_header("x-zc-extra", "a c")).json()["code"] == "AUTHFAILURE_SIGNATURE_FAILURE"


def test_zc2_separators_may_come_without_spaces(shared):
    r = shared.zec.request("DescribeZones")
    assert shared.send(r.with_header("Authorization", r.header("Authorization").replace(", ", ","))).status == 200


# ---- every single byte ----

def other(b):
    """Two different bytes for this one, from the same class where it has one, so that syntax survives."""
    c = chr(b)
    if c.isdigit():
        return [ord(str((int(c) + 1) % 10)), ord("x")]
    if c.isalpha():
        turned = ord(c.swapcase())
        step = ord("b") if c in "aA" else b - 1
        return [turned, step]
    return [ord("x"), ord("0")]


def mutations(text):
    """(place, changed text) for every place and both other bytes."""
    data = text.encode("latin-1")
    for i in range(len(data)):
        for b in other(data[i]):
            if b != data[i]:
                yield i, (data[:i] + bytes([b]) + data[i + 1:]).decode("latin-1")


def tell(reply, key="Code"):
    return reply.status, reply.json()[key]


def decoded(query):
    return sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))


V1_OTHER_CODES = {
    # by the parameter that was hit (its name or its value): what may be found wrong before the signature is
    "AccessKeyId": {(404, "InvalidAccessKeyId.NotFound"), (400, "MissingAccessKeyId")},
    "Action": {(400, "MissingAction"), (404, "InvalidAction.NotFound")},
    "Version": {(400, "MissingVersion"), (400, "InvalidVersion")},
    "Format": {(400, "InvalidParameter.Format")},
    "Signature": {(400, "MissingSignature")},
    "SignatureMethod": {(400, "InvalidSignatureMethod"), (400, "MissingSignatureMethod")},
    "SignatureVersion": {(400, "InvalidParameter.SignatureVersion"), (400, "InvalidSignatureVersion"),
                         (400, "MissingSignatureVersion")},
    "SignatureNonce": {(400, "MissingSignatureNonce")},
    "Timestamp": {(400, "InvalidTimeStamp.Format"), (400, "InvalidTimeStamp.Expired"),
                  (400, "MissingTimestamp")},
}


def format_of(query):
    return dict(urllib.parse.parse_qsl(query, keep_blank_values=True)).get("Format", "").upper()


def reply_code(reply):
    """Status and code; a request whose Format was destroyed is answered in XML."""
    if reply.body.startswith(b"<"):
        return reply.status, re.search(rb"<Code>([^<]*)</Code>", reply.body).group(1).decode()
    return tell(reply)


@pytest.mark.parametrize("where", ["query", "body"])
def test_no_byte_of_a_v1_request_may_change(shared, where):
    """The parameters in the query or in a form: each changed byte is refused, and by the right code."""
    ecs = shared.ecs
    iid = ecs.create_stopped()
    method = "GET" if where == "query" else "POST"
    r = ecs.request("StartInstance", {"InstanceId": iid, "InitLocalDisk": False, "RegionId": ecs.region}, method=method, where=where)
    text = r.target[2:] if where == "query" else r.body.decode()
    wrong, tried = [], 0
    with shared.connect() as c:
        for i, changed in mutations(text):
            if decoded(changed) == decoded(text):
                continue  # %3a for %3A: another spelling of the same request
            if where == "query":
                m = sign.Request(method, "/?" + changed, r.headers)
            else:
                m = sign.Request(method, "/", r.headers, changed.encode("latin-1"))
            reply = c.exchange(m)
            tried += 1
            start = text.rfind("&", 0, i + 1) + 1
            # a lost '&' joins two parameters: either may be the one that is missed
            hit = {text[start:].split("=")[0], text[i + 1:].split("=")[0]} if text[i] == "&" else \
                {text[start:].split("=")[0]}
            if text[i] == "&":
                hit.add(text[text.rfind("&", 0, i) + 1:].split("=")[0])
            good = {(400, "SignatureDoesNotMatch")}.union(*(V1_OTHER_CODES.get(h, set()) for h in hit))
            if re.search(r"%(?![0-9A-Fa-f]{2})", changed):
                good.add((400, "InvalidParameter"))  # a broken escape: syntax comes before the signature
            if reply_code(reply) not in good:
                wrong.append((i, changed[max(0, i - 12):i + 12], reply_code(reply), sorted(hit)))
        assert not wrong, "%d of %d: %r" % (len(wrong), tried, wrong[:10])
        assert tried > 300
        assert ecs.state(iid) == "Stopped"
        # none of these attempts used up the nonce; the one that succeeds does
        assert c.exchange(r).status == 200
        assert tell(c.exchange(r)) == (400, "SignatureNonceUsed")


def test_v1_business_parameters_are_answered_as_a_mismatch_only(shared):
    """A changed value of the request proper never shows anything but the mismatch."""
    r = shared.ecs.request("DescribeInstances", {"RegionId": "cn-hangzhou", "InstanceName": "abc"})
    assert "InstanceName=abc" in r.target
    reply = shared.send(sign.Request("GET", r.target.replace("InstanceName=abc", "InstanceName=abd"), r.headers))
    assert tell(reply) == (400, "SignatureDoesNotMatch")


def test_v1_method_is_signed(shared):
    r = shared.ecs.request("DescribeRegions", method="POST", where="query", sign_as="GET")
    assert tell(shared.send(r)) == (400, "SignatureDoesNotMatch")


V3_HEADER_CODES = {
    "host": set(),
    "x-acs-action": {(404, "InvalidAction.NotFound")},
    "x-acs-version": {(400, "InvalidVersion")},
    "x-acs-date": {(400, "InvalidTimeStamp.Format"), (400, "InvalidTimeStamp.Expired")},
    "x-acs-signature-nonce": set(),
    "x-acs-content-sha256": set(),
    "x-acs-credentials-provider": set(),
    "content-type": {(400, "InvalidParameter")},  # not a form: a matter of syntax, which comes first
}


@pytest.mark.parametrize("form", [False, True], ids=["query", "form"])
def test_no_byte_of_a_v3_request_may_change(shared, form):
    ecs = shared.ecs
    iid = ecs.create_stopped()
    r = ecs.request("StartInstance", {"InstanceId": iid, "InitLocalDisk": False, "RegionId": ecs.region}, signer="v3", form=form)
    mismatch = {(400, "SignatureDoesNotMatch")}
    wrong, tried = [], 0

    def attempt(c, m, what, good):
        nonlocal tried
        tried += 1
        got = reply_code(c.exchange(m))
        if got not in good:
            wrong.append((what, got))

    signed = re.search("SignedHeaders=([^,]*)", r.header("Authorization")).group(1).split(";")
    assert set(sign.V3_REQUIRED) <= set(signed)
    with shared.connect() as c:
        for name in signed:
            value = r.header(name)
            for i, changed in mutations(value):
                attempt(c, r.with_header(name, changed), "%s: %s" % (name, changed),
                        mismatch | V3_HEADER_CODES[name])
            if name not in ("host", "content-type"):
                attempt(c, r.with_header(name, None), name + " left out",
                        mismatch | {(400, "Missing" + {"x-acs-action": "Action", "x-acs-version": "Version",
                                                       "x-acs-date": "Timestamp",
                                                       "x-acs-signature-nonce": "SignatureNonce"}.get(name, ""))})
        if form:
            for i, changed in mutations(r.body.decode()):
                attempt(c, sign.Request(r.method, r.target, r.headers, changed.encode("latin-1")),
                        "body: " + changed, mismatch)
        else:
            for i, changed in mutations(r.target[2:]):
                if decoded(changed) != decoded(r.target[2:]):
                    attempt(c, sign.Request(r.method, "/?" + changed, r.headers), "query: " + changed, mismatch)
        auth = r.header("Authorization")
        for i, changed in mutations(auth):
            part = auth[:i].count(",") if i > len(sign.V3_ALGORITHM) else -1
            status, code = reply_code(c.exchange(r.with_header("Authorization", changed)))
            tried += 1
            # algorithm, Credential, SignedHeaders, Signature: each has its own ways to be wrong
            good = {-1: "Signature|AccessKey|Action", 0: "AccessKey|Signature", 1: "Signature|AccessKey",
                    2: "Signature"}[part]
            if not (400 <= status < 500 and re.search(good, code)):
                wrong.append(("authorization: " + changed, (status, code)))
        assert not wrong, "%d of %d: %r" % (len(wrong), tried, wrong[:10])
        assert tried > 500
        assert ecs.state(iid) == "Stopped"
        assert c.exchange(r).status == 200
        assert tell(c.exchange(r)) == (400, "SignatureNonceUsed")


@pytest.mark.parametrize("name", sign.V3_REQUIRED)
def test_v3_required_headers_must_be_signed(shared, name):
    """A signature that is right as such, over too few headers."""
    r = shared.ecs.request("DescribeRegions", signer="v3", unsigned=(name,))
    reply = shared.send(r)
    assert 400 <= reply.status < 500 and "Signature" in reply.json()["Code"], reply.body


def is_object(text):
    """Syntax comes before the signature: what is no JSON object may be refused as that."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def test_no_byte_of_a_zc2_request_may_change(shared):
    zec = shared.zec
    iid = shared.ecs.create_stopped()
    r = zec.request("StartInstances", {"instanceIds": [iid]})
    failure = {(401, "AUTHFAILURE_SIGNATURE_FAILURE")}
    wrong, tried = [], 0

    def attempt(c, m, what, good):
        nonlocal tried
        tried += 1
        reply = c.exchange(m)
        got = (reply.status, reply.json().get("code"))
        if got not in good:
            wrong.append((what, got))

    with shared.connect() as c:
        for i, changed in mutations(r.body.decode()):
            good = failure if is_object(changed) else failure | {(400, "INVALID_PARAMETER_TYPE")}
            attempt(c, sign.Request(r.method, r.target, r.headers, changed.encode("latin-1")), "body: " + changed,
                    good)
        for name in ("host", "Content-Type"):
            for i, changed in mutations(r.header(name)):
                attempt(c, r.with_header(name, changed), "%s: %s" % (name, changed), failure)
        for i, changed in mutations(r.header("x-zc-timestamp")):
            attempt(c, r.with_header("x-zc-timestamp", changed), "timestamp: " + changed,
                    failure | {(401, "AUTHFAILURE_SIGNATURE_EXPIRED"), (401, "AUTHFAILURE_INVALID_AUTHORIZATION")})
        for i, changed in mutations(r.header("Authorization")):
            attempt(c, r.with_header("Authorization", changed), "authorization: " + changed,
                    failure | {(401, "AUTHFAILURE_INVALID_AUTHORIZATION")})
        assert not wrong, "%d of %d: %r" % (len(wrong), tried, wrong[:10])
        assert tried > 300
        assert shared.ecs.state(iid) == "Stopped"
        assert c.exchange(r).status == 200


def test_zc2_base_headers_must_be_signed(shared):
    """Both of content-type and host, whatever else the list has."""
    key, secret = shared.account
    for kept in ("host", "content-type"):
        r = shared.zec.request("DescribeZones")
        sts = sign.zc2_string_to_sign(r.header("x-zc-timestamp"),
                                      sign.zc2_canonical_request(r.headers, [kept], r.body))
        signature = hmac.new(secret.encode(), sts.encode(), hashlib.sha256).hexdigest()
        auth = "ZC2-HMAC-SHA256 Credential=%s, SignedHeaders=%s, Signature=%s" % (key, kept, signature)
        reply = shared.send(r.with_header("Authorization", auth))
        assert reply.status == 401 and reply.json()["code"].startswith("AUTHFAILURE_"), reply.body


def test_a_valid_request_with_the_wrong_secret(shared):
    key, _ = shared.account
    ecs, zec = ostler.Ecs(shared, key, "not-the-secret"), ostler.Zec(shared, key, "not-the-secret")
    assert ecs.refused("DescribeRegions")[:2] == (400, "SignatureDoesNotMatch")
    assert ecs.refused("DescribeRegions", _signer="v3")[:2] == (400, "SignatureDoesNotMatch")
    assert zec.refused("DescribeZones")[:2] == (401, "AUTHFAILURE_SIGNATURE_FAILURE")
