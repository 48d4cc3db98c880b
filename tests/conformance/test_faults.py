"""Errors on demand over the wire, with the two sides that a fault has: what is answered, and what becomes of it."""
import json
import ssl
import threading
import time
import xml.etree.ElementTree as ET

import pytest

import ostler
import sign
import wire

CONTROLS = ["--controls", "--seed", "7", "--threads", "2"]


@pytest.fixture(scope="module")
def cloud(program):
    with ostler.Server(args=CONTROLS) as s:
        yield s


@pytest.fixture(autouse=True)
def no_faults_left(request):
    yield
    if "cloud" in request.fixturenames:
        request.getfixturevalue("cloud").operator("RemoveFaults")


def add(s, action, /, code=None, **more):
    return s.operator("AddFault", action=action, **dict({"code": code} if code else {}, **more))


def refused_by_operator(s, action, /, **body):
    """(status, code, message) of a refusal on the operator's socket."""
    data = json.dumps(body).encode()
    r = sign.Request("POST", "/_ostler/v1/" + action, [("Host", "ostler"), ("Content-Length", str(len(data)))], data)
    reply = wire.send(s.data + "/ostler.sock", None, r)
    assert reply.status != 200, reply.body
    return reply.status, reply.json()["code"], reply.json()["message"]


def faults(s):
    return {f["faultId"]: f for f in s.operator("ListFaults")["faults"]}


def events(s, **more):
    return [e for e in s.operator("ListEvents", limit=1000, **more)["events"] if e["kind"] == "fault"]


def hear_all(s, request, *, tls=False):
    """Every byte up to the connection's end."""
    with s.connect(tls=tls) as c:
        c.send(wire.request_bytes(request))
        got = b""
        while data := c.sock.recv(65536):
            got += data
    return got


# ---- codes ----

def test_an_ecs_refusal_is_the_clouds_own(cloud):
    """Status, code and message of the row, in the envelope of every refusal; then it is over."""
    iid = cloud.ecs.create_stopped()
    fault = add(cloud, "StartInstance", "InstanceExpired", message="postPaid", times=1)
    status, obj, reply = cloud.ecs("StartInstance", InstanceId=iid)
    assert status == 403
    assert obj == {"RequestId": obj["RequestId"], "HostId": cloud.address, "Code": "InstanceExpired",
                   "Message": "The postPaid instance has been expired. Please ensure your account have enough "
                              "balance.",
                   "Recommend": "https://api.aliyun.com/troubleshoot?q=InstanceExpired&product=Ecs&requestId="
                                + obj["RequestId"]}
    assert reply.header("x-acs-request-id") == obj["RequestId"] and not reply.header("x-acs-retry-after")
    assert cloud.ecs.state(iid) == "Stopped"  # nothing was done
    cloud.ecs.ok("StartInstance", InstanceId=iid)
    assert faults(cloud)[fault["faultId"]]["over"]
    # the event log tells which answer it was, and about which instance
    mark = events(cloud, subject=iid)
    assert [(e["requestId"], e["detail"]) for e in mark] == [
        (obj["RequestId"], fault["faultId"] + ": alibaba StartInstance InstanceExpired arrives")]


def test_an_ecs_refusal_in_xml_signed_by_v3(cloud):
    add(cloud, "DescribeRegions", "ServiceUnavailable", times=2, retryAfterMs=2500)
    reply = cloud.send(sign.v1(*cloud.account, cloud.address, "DescribeRegions", fmt="XML"))
    tree = ET.fromstring(reply.body)
    assert (reply.status, tree.tag, tree.findtext("Code"), tree.findtext("Message")) == (
        503, "Error", "ServiceUnavailable", "The request has failed due to a temporary failure of the server.")
    assert reply.header("x-acs-retry-after") == "2500"
    status, obj, _ = cloud.ecs("DescribeRegions", _signer="v3")
    assert (status, obj["Code"]) == (503, "ServiceUnavailable")
    assert cloud.ecs("DescribeRegions")[0] == 200


def test_a_zec_refusal_is_the_clouds_own(cloud):
    add(cloud, "StartInstances", "SERVICE_TEMPORARY_UNAVAILABLE", retryAfterMs=1200, times=1)
    status, obj, reply = cloud.zec("StartInstances", {"instanceIds": ["1"]})
    assert (status, obj) == (503, {"requestId": obj["requestId"], "code": "SERVICE_TEMPORARY_UNAVAILABLE",
                                   "message": "The service is temporarily unavailable. Try again later."})
    assert reply.header("retry-after") == "2"  # whole seconds, and not sooner
    assert cloud.ecs("StartInstance", InstanceId="i-0")[1]["Code"] != "SERVICE_TEMPORARY_UNAVAILABLE"


def test_of_several_texts_todays_is_given(cloud):
    add(cloud, "DescribeRegions", "Throttling", times=1)
    add(cloud, "DescribeRegions", "Throttling", message="within a short time", times=1)
    assert [cloud.ecs.refused("DescribeRegions") for _ in range(2)] == [
        (400, "Throttling", "Request was denied due to request throttling."),
        (400, "Throttling", "You have made too many requests within a short time; your request is denied due to request "
                            "throttling.")]


def test_the_places_of_a_message_are_filled(cloud):
    add(cloud, "CreateZecInstances", "INVALID_IMAGE_NOT_FOUND", message="img-1 <&> 100%d", times=1)
    add(cloud, "CreateZecInstances", "INVALID_IMAGE_NOT_FOUND", times=1)
    asked = [cloud.zec.refused("CreateZecInstances", {})[2] for _ in range(2)]
    assert asked == ["The image does not exist: img-1 <&> 100%d.", "The image does not exist: a test asked for this."]


@pytest.mark.parametrize("dialect", ["alibaba", "zenlayer"])
def test_every_code_can_be_given(cloud, dialect):
    """Whatever is listed for an action is answered with that status, code and message."""
    ask = cloud.ecs.refused if dialect == "alibaba" else cloud.zec.refused
    action = "RunInstances" if dialect == "alibaba" else "CreateZecInstances"
    codes = cloud.operator("ListFaultCodes", action=action, dialect=dialect)["codes"]
    assert len(codes) > 50
    seen = set()
    for c in codes:
        if (c["status"], c["code"]) in seen:
            continue  # of rows with one status the first is given; a part of the message gives the others
        seen.add((c["status"], c["code"]))
        f = add(cloud, action, c["code"], dialect=dialect, status=c["status"], times=1)
        assert ask(action) == (c["status"], c["code"], f["message"])
        for part in c["message"].split("..."):
            assert part in f["message"]
    assert {(f["seen"], f["given"]) for f in faults(cloud).values()} == {(1, 1)}


def test_after_the_signature_before_the_parameters(cloud):
    """A wrong signature is none of a fault's; a missing parameter is not yet looked at."""
    f = add(cloud, "StartInstance", "InternalError")["faultId"]
    assert ostler.Ecs(cloud, cloud.account[0], "wrong").refused("StartInstance")[1] == "SignatureDoesNotMatch"
    assert faults(cloud)[f]["seen"] == 0
    assert cloud.ecs.refused("StartInstance")[1] == "InternalError"


# ---- which requests ----

def test_of_an_account_and_an_instance(cloud):
    s = cloud
    other = s.operator("CreateAccount", name="other")["account"]
    key = s.operator("CreateAccessKey", account=other)
    theirs = ostler.Ecs(s, key["accessKeyId"], key["accessKeySecret"])
    add(s, "DescribeInstances", "ServiceUnavailable", account=other)
    assert s.ecs("DescribeInstances")[0] == 200
    assert theirs("DescribeInstances")[0] == 503
    assert s.operator("ListFaults", account=other)["faults"]
    assert s.operator("RemoveFaults", account=other)["removed"] == 1
    assert theirs("DescribeInstances")[0] == 200

    iid, spared = s.ecs.create_stopped(), s.ecs.create_stopped()
    add(s, "*", "InternalError", dialect="alibaba", instanceId=iid)
    add(s, "*", "INTERNAL_SERVER_ERROR", dialect="zenlayer", instanceId=iid)
    for action, params in (("StartInstance", {"InstanceId": iid}), ("StopInstances", {"InstanceId": [spared, iid]}),
                           ("DescribeInstances", {"InstanceIds": json.dumps([spared, iid])})):
        assert s.ecs.refused(action, params)[1] == "InternalError", action
    assert s.zec.refused("StartInstances", {"instanceIds": [iid]})[1] == "INTERNAL_SERVER_ERROR"
    assert s.ecs("DescribeInstances", InstanceIds=json.dumps([spared]))[0] == 200
    assert s.ecs("DescribeInstances", InstanceIds="not a list")[1]["Code"] != "InternalError"
    assert s.ecs("StartInstance", InstanceId=spared)[0] == 200
    assert s.zec("DescribeInstancesStatus", {"instanceIds": [spared]})[0] == 200


def strokes(s, n, **rule):
    """Which of n requests a new fault strikes."""
    add(s, "DescribeRegions", "ServiceUnavailable", **rule)
    with s.connect() as c:
        out = [s.ecs("DescribeRegions", _connection=c)[0] == 503 for _ in range(n)]
    return out


def test_every_and_times(cloud):
    assert strokes(cloud, 10, every=4) == [i % 4 == 3 for i in range(10)]
    cloud.operator("RemoveFaults")
    assert strokes(cloud, 6, every=2, times=2) == [False, True, False, True, False, False]


def test_chance_is_the_seeds_alone(new_server):
    """The same seed and order give the same faults on another server, another seed others."""
    drawn = []
    for seed in (11, 11, 12):
        s = new_server(args=["--controls", "--seed", str(seed)])
        drawn.append(strokes(s, 60, probability=0.5))
    assert drawn[0] == drawn[1] != drawn[2]
    assert 10 < sum(drawn[0]) < 50


def test_counts_survive_a_restart(new_server):
    s = new_server(args=CONTROLS)
    f = add(s, "DescribeRegions", "ServiceUnavailable", times=3)["faultId"]
    assert s.ecs("DescribeRegions")[0] == 503
    s.restart(kill=True)
    assert faults(s)[f]["given"] == 1
    assert s.ecs("DescribeRegions")[0] == 503
    s.restart()
    assert [s.ecs("DescribeRegions")[0] for _ in range(3)] == [503, 200, 200]
    # A server without controls has them in its store, and heeds none.
    add(s, "DescribeRegions", "ServiceUnavailable")
    s.restart(args=[])
    assert s.ecs("DescribeRegions")[0] == 200
    assert refused_by_operator(s, "ListFaults")[:2] == (404, "ActionNotFound")
    s.restart(args=CONTROLS)
    assert s.ecs("DescribeRegions")[0] == 503


def test_threads_count_together(cloud):
    """Many connections on several threads: exactly so many are struck, each marked once."""
    f = add(cloud, "DescribeZones", "ServiceUnavailable", dialect="alibaba", times=40)["faultId"]
    add(cloud, "DescribeZones", dialect="alibaba", then="half-close", every=3)
    got, lock = [], threading.Lock()

    def many():
        for _ in range(12):
            status = cloud.ecs("DescribeZones")[0]
            with lock:
                got.append(status)
    threads = [threading.Thread(target=many) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert (got.count(503), got.count(200)) == (40, 56)
    assert (faults(cloud)[f]["seen"], faults(cloud)[f]["given"]) == (40, 40)
    marked = [e["requestId"] for e in events(cloud) if e["detail"].startswith(f + ":")]
    assert len(marked) == len(set(marked)) == 40


# ---- what becomes of an answer ----

@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_each_fate(cloud, tls):
    def answer(fate):
        add(cloud, "DescribeRegions", then=fate, times=1)
        return hear_all(cloud, cloud.ecs.request("DescribeRegions"), tls=tls)

    whole = json.loads(cloud.send(cloud.ecs.request("DescribeRegions")).body)
    assert answer("drop") == b""

    raw = answer("truncate")
    head, _, body = raw.partition(b"\r\n\r\n")
    promised = int([x for x in head.split(b"\r\n") if x.startswith(b"Content-Length")][0].split(b":")[1])
    assert b"\r\nConnection: keep-alive\r\n" in head and 0 < len(body) == promised // 2

    raw = answer("half-close")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert b"\r\nConnection: keep-alive\r\n" in head
    assert json.loads(body)["Regions"] == whole["Regions"]

    raw = answer("garbage")
    assert raw and b"HTTP" not in raw

    for status, words in ((502, "Bad Gateway"), (503, "Service Unavailable"), (504, "Gateway Timeout")):
        add(cloud, "DescribeRegions", then=str(status), times=1)
        with cloud.connect(tls=tls) as c:
            reply = c.exchange(cloud.ecs.request("DescribeRegions"))
            assert (reply.status, reply.reason, reply.header("content-type")) == (status, words, "text/html")
            assert ("<h1>%d %s</h1>" % (status, words)).encode() in reply.body
            assert not reply.header("x-acs-request-id")
            assert c.exchange(cloud.ecs.request("DescribeRegions")).status == 200  # the gateway's connection stays


@pytest.mark.parametrize("fate", ["drop", "truncate", "half-close", "garbage", "502"])
def test_a_write_whose_answer_was_cut_happened_once(cloud, fate):
    """The retry with its token makes nothing, and is told what the first one made."""
    s = cloud
    before = s.ecs.ok("DescribeInstances")["TotalCount"]
    add(s, "RunInstances", then=fate, times=1)
    shape = s.ecs.shape(Amount=2, ClientToken="token-" + fate)
    request = s.ecs.request("RunInstances", dict(shape, RegionId=s.ecs.region))
    if fate == "502":
        assert s.send(request).status == 502
    else:
        hear_all(s, request)
    first = s.ecs.ok("RunInstances", shape)["InstanceIdSets"]["InstanceIdSet"]
    again = s.ecs.ok("RunInstances", shape)["InstanceIdSets"]["InstanceIdSet"]
    assert first == again and len(first) == 2
    assert s.ecs.ok("DescribeInstances")["TotalCount"] == before + 2


def test_a_zec_write_whose_answer_was_cut_happened(cloud):
    iid = cloud.ecs.create_stopped()
    add(cloud, "StartInstances", dialect="zenlayer", then="drop", times=1)
    assert hear_all(cloud, cloud.zec.request("StartInstances", {"instanceIds": [iid]})) == b""
    cloud.zec.wait_state(iid, "RUNNING")


def test_a_refusal_that_nobody_hears(cloud):
    """With a code nothing is done, whatever becomes of its answer."""
    before = cloud.ecs.ok("DescribeInstances")["TotalCount"]
    add(cloud, "RunInstances", "ServiceUnavailable", then="drop", times=1)
    params = dict(cloud.ecs.shape(), RegionId=cloud.ecs.region)
    assert hear_all(cloud, cloud.ecs.request("RunInstances", params)) == b""
    assert cloud.ecs.ok("DescribeInstances")["TotalCount"] == before
    assert "RunInstances ServiceUnavailable drop" in events(cloud)[0]["detail"]


def test_a_late_answer_delays_nobody_else(cloud):
    """What was asked for is done at once; other connections, and other requests, are answered meanwhile."""
    iid = cloud.ecs.create_stopped()
    add(cloud, "StartInstance", delayMs=700, times=1)
    began = time.monotonic()
    with cloud.connect() as late:
        late.send(wire.request_bytes(cloud.ecs.request("StartInstance", {"InstanceId": iid})))
        cloud.wait_state(iid, "Running")
        for _ in range(4):  # on each thread
            assert cloud.ecs("DescribeRegions")[0] == 200
        reply = late.read_reply()
    assert reply.status == 200 and time.monotonic() - began >= 0.699
    assert reply.header("x-acs-request-id") == json.loads(reply.body)["RequestId"]
    assert events(cloud, subject=iid)[0]["detail"].endswith("alibaba StartInstance - arrives after 700 ms")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_the_end_of_a_server_waits_for_no_late_answer(new_server, tls):
    """Also when they wait on every thread, and their clients are there, or gone."""
    s = new_server(args=CONTROLS)
    add(s, "DescribeRegions", delayMs=600000)
    waiting = [s.connect(tls=tls) for _ in range(8)]
    for c in waiting:
        c.send(wire.request_bytes(s.ecs.request("DescribeRegions")))
    ostler.wait_for("8 answers are late", lambda: len(events(s)) == 8)
    for c in waiting[::2]:
        c.close()
    began = time.monotonic()
    s.stop()
    assert time.monotonic() - began < 2.5 * ostler.SLOW_FACTOR  # not its patience of 3 s
    for c in waiting[1::2]:
        try:
            assert c.sock.recv(100) == b""
        except (ssl.SSLEOFError, ConnectionResetError):
            pass
        c.close()
    s.start()
    assert s.operator("ListFaults")["faults"][0]["given"] == 8


def test_the_end_of_a_server_while_requests_are_judged(new_server):
    """It ends well, with requests between the judge and the writer; what was answered well was done."""
    s = new_server(args=CONTROLS)
    iid = s.ecs.create_stopped()
    add(s, "*", dialect="alibaba", then="half-close", every=3)
    add(s, "*", "ServiceUnavailable", dialect="alibaba", probability=0.2)
    stopping, done, lock = threading.Event(), [], threading.Lock()

    def many(ecs, shape):
        while not stopping.is_set():
            try:
                if ecs("RunInstances", shape)[0] == 200:
                    with lock:
                        done.append(1)
                ecs("StartInstance", InstanceId=iid)
            except (OSError, wire.WireError):
                return
    shape = None
    while shape is None:  # its questions are judged, too
        try:
            shape = s.ecs.shape()
        except ostler.Failed:
            pass
    threads = [threading.Thread(target=many, args=(s.ecs, shape)) for _ in range(8)]
    for t in threads:
        t.start()
    ostler.wait_for("some were made", lambda: len(done) > 20)
    s.stop()
    stopping.set()
    for t in threads:
        t.join()
    s.start()
    s.operator("RemoveFaults")
    assert s.ecs.ok("DescribeInstances")["TotalCount"] >= len(done) + 1


# ---- asking ----

REFUSED = [
    (dict(action="StartInstanc", code="X"), "ParameterValue", "did you mean StartInstance?"),
    (dict(action="StartInstance", code="X", dialect="zenlayer"), "ParameterValue", "did you mean StartInstances?"),
    (dict(action="StartInstance", code="X", dialect="aws"), "ParameterValue", "zenlayer or alibaba"),
    (dict(action="StartInstance", code="InstanceExpird"), "ParameterValue", "did you mean InstanceExpired?"),
    (dict(action="StartInstance", code="Nonsense"), "ParameterValue", "ostler fault codes StartInstance"),
    (dict(action="StartInstance", code="InstanceExpired", status=404), "ParameterValue", "no such status"),
    (dict(action="StartInstance", code="InstanceExpired", message="spot"), "ParameterValue", "message"),
    (dict(action="StartInstances", then="drop"), "Needed", "say which"),
    (dict(action="StartInstance"), "Needed", "it would change nothing"),
    (dict(action="StartInstance", code="-", then="drop", retryAfterMs=5), "ParameterConflict", "needs a code"),
    (dict(action="StartInstance", then="burn"), "ParameterValue", "then"),
    (dict(action="StartInstance", then="drop", every=2, probability=0.5), "ParameterConflict", "give one"),
    (dict(action="StartInstance", then="drop", probability=1.5), "ParameterValue", "0.000001 to 1"),
    (dict(action="StartInstance", then="drop", times=0), "ParameterTooSmall", "times"),
    (dict(action="StartInstance", delayMs=600001), "ParameterTooBig", "delayMs"),
    (dict(action="StartInstance", then="drop", account="nobody"), "AccountNotFound", "nobody"),
    (dict(action="StartInstance", then="drop", instanceId="i-none"), "InstanceNotFound", "i-none"),
    (dict(code="InternalError"), "ParameterMissing", "action"),
]


@pytest.mark.parametrize("body,code,part", REFUSED, ids=[str(i) for i in range(len(REFUSED))])
def test_what_cannot_be_asked_for(cloud, body, code, part):
    status, got, message = refused_by_operator(cloud, "AddFault", **body)
    assert (got, status) == (code, 404 if code.endswith("NotFound") else 400) and part in message, message
    assert not faults(cloud)


def test_the_code_tells_the_dialect(cloud):
    assert add(cloud, "StartInstances", "STOCK_INSUFFICIENT")["dialect"] == "zenlayer"
    assert add(cloud, "StartInstances", "IncorrectInstanceStatus")["dialect"] == "alibaba"
    assert add(cloud, "*", "STOCK_INSUFFICIENT")["dialect"] == "zenlayer"
    assert cloud.zec.refused("DescribeZones")[1] == "STOCK_INSUFFICIENT"


@pytest.mark.parametrize("action,param,thing,code", [
    ("RemoveFault", "faultId", "fault", "FaultNotFound"),
    ("RemoveEngineFault", "faultId", "engine-fault", "EngineFaultNotFound"),
    ("RemoveSnapshot", "name", "snapshot", "SnapshotNotFound"),
    ("LoadSnapshot", "name", "snapshot", "SnapshotNotFound"),
    ("ReadTranscript", "name", "transcript", "TranscriptNotFound"),
    ("DeleteTranscript", "name", "transcript", "TranscriptNotFound"),
])
def test_what_is_not_there_is_said_alike(cloud, action, param, thing, code):
    assert refused_by_operator(cloud, action, **{param: "none-0"}) == (
        404, code, f"there is no {thing} 'none-0'; `ostler {thing} ls` lists them")


def test_a_program_on_this_computer_is_an_operator_a_page_is_not(cloud, shared):
    body = json.dumps({"action": "DescribeRegions", "code": "ServiceUnavailable", "times": 1}).encode()

    def ask(s, *more):
        return s.send(sign.Request("POST", "/_ostler/v1/AddFault", [("Host", s.address), ("Content-Type", "application/json"),
                                                                    ("Content-Length", str(len(body))), *more], body))
    assert ask(cloud).status == 200
    assert cloud.ecs("DescribeRegions")[0] == 503
    assert ask(cloud, ("Origin", "http://" + cloud.address)).status == 403
    assert ask(shared).status == 403  # the socket's alone where there are no controls
    assert refused_by_operator(shared, "AddFault", **json.loads(body))[:2] == (404, "ActionNotFound")
    assert not [f for f in faults(cloud).values() if not f["over"]]
