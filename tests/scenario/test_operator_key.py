"""Test controls from another computer: a key, HTTPS, and nothing without both."""
import json
import os
import ssl

import pytest

import sign
import wire

HERE, ELSEWHERE = "localhost", "ostler.example"


@pytest.fixture
def far(new_server):
    """A server that listens beyond loopback, with test controls."""
    return lambda *args, **kw: new_server(engine="sim", args=["--listen", "0.0.0.0:0", *args], **kw)


def ask(s, *, host=ELSEWHERE, key=None, tls=True, header=None, action="ListSnapshots"):
    """(status, object) as a program elsewhere gets it: its Host header tells that it is one."""
    headers = [("Host", host), ("Content-Length", "2")]
    if key is not None or header:
        headers.append(("Authorization", header or "Bearer " + key))
    context = ssl.create_default_context(cafile=s.ca) if tls else None
    reply = wire.send("127.0.0.1", s.port, sign.Request("POST", "/_ostler/v1/" + action, headers, b"{}"), tls=context,
                      server_name=HERE)
    return reply.status, reply.json()


def key_of(s):
    with open(os.path.join(s.data, "operator.key")) as f:
        return f.read().strip()


def test_the_key_opens_the_controls_over_https(far):
    s = far("--controls")
    key = key_of(s)
    assert len(key) == 64 and int(key, 16)
    assert os.stat(os.path.join(s.data, "operator.key")).st_mode & 0o777 == 0o600
    s.secrets.append(("operator key", key))
    assert ask(s, key=key)[0] == 200
    assert ask(s, header="bearer " + key)[0] == 200
    assert ask(s, key=key, action="ListAccounts")[0] == 200
    for wrong in ("", key[:-1], key + "0", key[:-1] + ("0" if key[-1] != "0" else "1"), "x" * 5000):
        status, obj = ask(s, key=wrong)
        assert (status, obj["code"]) == (403, "Forbidden") and "operator.key" in obj["message"]
        assert key not in json.dumps(obj)
    for header in (key, "Basic " + key, "Bearer"):
        assert ask(s, header=header)[0] == 403
    assert ask(s)[0] == 403
    assert ask(s, key=key, tls=False)[0] == 400  # plain HTTP is not served at all
    s.restart()
    assert key_of(s) == key and ask(s, key=key)[0] == 200


def test_the_key_does_not_travel_in_the_open(far):
    s = far("--controls", "--insecure-http")
    key = key_of(s)
    assert ask(s, key=key, tls=False)[0] == 403
    assert ask(s, key=key)[0] == 200
    assert ask(s, host=HERE, tls=False)[0] == 200  # a program on this computer needs none


@pytest.mark.parametrize("args", [["--insecure-http"], ["--controls", "--listen", "127.0.0.1:0"]],
                         ids=["no-controls", "loopback-only"])
def test_where_nobody_needs_it_there_is_none(far, args):
    s = far(*args)
    assert not os.path.exists(os.path.join(s.data, "operator.key"))
    with open(os.path.join(s.data, "operator.key"), "w") as f:
        f.write("0123456789abcdef" * 4)
    os.chmod(f.name, 0o600)
    s.restart()
    assert ask(s, key="0123456789abcdef" * 4)[0] == 403


def test_a_key_that_others_may_read_is_refused(far):
    s = far("--controls")
    path = os.path.join(s.data, "operator.key")
    for text, mode, says in ((key_of(s), 0o644, "chmod 600"), ("short\n", 0o600, "is no key")):
        s.stop()
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        with pytest.raises(Exception, match="ended with 1"):
            s.start()
        assert says in s.log_text()
    os.unlink(path)
    s.start()
    assert ask(s, key=key_of(s))[0] == 200
