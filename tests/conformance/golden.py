"""Request and reply files.

A case is a small file, `NAME.case`:

    # What it shows, in a sentence.
    setup: stopped                  a function of setups.py; several are done in order
    action: StartInstance
    format: json xml                for Alibaba; one reply file each. Zenlayer knows JSON only
    sign: v1                        v1 (default), v1-sha256, v3; for Zenlayer always zc2
    method: GET                     GET (default) or POST
    where: query                    query, body or split; default by method
    expect: 403 DiskError           status and code, from the documents; checked also when replies are rewritten
    <empty line>
    InstanceId=${id}                Alibaba: a parameter a line
    {"instanceIds": ["${id}"]}      Zenlayer: the body, byte by byte

`${x}` is replaced by what the set-up made. Beside it lies `NAME.json.reply` (and `NAME.xml.reply`): the status, the
content type, an empty line and the body, byte by byte, in which only what cannot be the same twice is replaced by
a name in guillemets: «request-id», «id», «time» and so on. A final newline of the file is not part of the body.
"""
import os
import re
import string

import sign

PARTS = ("expect", "setup", "action", "format", "sign", "method", "where", "version", "service", "client")


class Case:
    def __init__(self, dialect, path):
        self.dialect, self.path = dialect, path
        self.name = os.path.splitext(os.path.basename(path))[0]
        head, _, self.payload = open(path, encoding="utf-8").read().partition("\n\n")
        self.payload = self.payload.rstrip("\n")
        self.text, self.parts = "", {"format": "json", "sign": "v1", "method": "GET", "setup": ""}
        for line in head.splitlines():
            if line.startswith("#"):
                self.text += line[1:].strip() + " "
                continue
            name, colon, value = line.partition(":")
            if not colon or name not in PARTS:
                raise ValueError("%s: cannot read %r" % (path, line))
            self.parts[name] = value.strip()
        if not self.text or not {"action", "expect"} <= set(self.parts):
            raise ValueError("%s: a case needs a sentence, an action and what to expect" % path)

    def formats(self):
        return self.parts["format"].split()

    def reply_path(self, fmt):
        return os.path.splitext(self.path)[0] + "." + fmt + ".reply"

    def request(self, server, fmt, made):
        payload = string.Template(self.payload).substitute(made)
        key, secret = made.get("account") or server.account
        p = self.parts
        if self.dialect == "zenlayer":
            return sign.zc2(key, secret, server.address, p["action"], payload.encode(),
                            service=p.get("service", "zec"), version=p.get("version", sign.ZEC_VERSION),
                            client=p.get("client"))
        params = dict(line.split("=", 1) for line in payload.splitlines())
        version = p.get("version", sign.ECS_VERSION)
        if p["sign"] == "v3":
            return sign.v3(key, secret, server.address, p["action"], params, version=version,
                           fmt=None if fmt == "json" else fmt.upper())
        algorithm = "HMAC-SHA256" if p["sign"] == "v1-sha256" else "HMAC-SHA1"
        return sign.v1(key, secret, server.address, p["action"], params, method=p["method"],
                       where=p.get("where"), algorithm=algorithm, fmt=fmt.upper(), version=version)


def cases(here, dialect):
    out = []
    for folder, _, files in sorted(os.walk(os.path.join(here, dialect))):
        for f in sorted(files):
            if f.endswith(".case"):
                c = Case(dialect, os.path.join(folder, f))
                c.name = os.path.basename(folder) + "/" + c.name
                out.append(c)
    return out


# Ids and times that a set-up did not name: numbered in the order of their first appearance, so that two places that
# show the same one are still seen to.
PATTERNS = (
    ("uuid", r"\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b"),
    ("instance", r"\bi-[a-z0-9]{20}\b"), ("disk", r"\bd-[a-z0-9]{20}\b"),
    ("network", r"\bvpc-[a-z0-9]{20,21}\b"), ("subnet", r"\bvsw-[a-z0-9]{20,21}\b"),
    ("group", r"\bsg-[a-z0-9]{20}\b"), ("nic", r"\beni-[a-z0-9]{20}\b"),
    ("number", r"\b[1-9][0-9]{17,18}\b"),
    ("key", r"\bkey-[A-Za-z0-9]{8}\b"),
    ("mac", r"\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b"),
    ("time", r"\b20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9](?::[0-5][0-9])?Z"),
)
FIXED_TIMES = ("2099-12-31T15:59Z",)  # part of the protocol, not of the moment


def normalise(text, server, made, request_id):
    """The reply with named placeholders for what differs from run to run."""
    if request_id:
        text = text.replace(request_id, "«request-id»")
    for name, value in sorted(made.items(), key=lambda nv: -len(str(nv[1]))):
        if isinstance(value, str) and len(value) >= 8:
            text = re.sub(r"(?<![A-Za-z0-9-])%s(?![A-Za-z0-9])" % re.escape(value), "«%s»" % name, text)
    made.setdefault("image", server.ecs.image())
    text = text.replace(made["image"], "«image»")
    text = text.replace(server.address, "«host»").replace(server.address.replace(":", "%3A"), "«host»")
    text = text.replace(server.account[0], "«access-key»")
    for kind, pattern in PATTERNS:
        seen = {}

        def name_it(m, kind=kind, seen=seen):
            if m.group(0) in FIXED_TIMES:
                return m.group(0)
            if kind == "time":
                return "«minute»" if m.group(0).count(":") == 1 else "«second»"
            n = seen.setdefault(m.group(0), len(seen) + 1)
            return "«%s-%d»" % (kind, n)
        text = re.sub(pattern, name_it, text)
    # the machine's place in the network depends on how many there were before it
    text = re.sub(r"\b(172\.(?:1[6-9]|2[0-9]|3[01])|10\.\d{1,3}|192\.168)\.\d{1,3}\.\d{1,3}(?!\d|/|\.)", "«ip»", text)
    return text


def request_id_of(body):
    m = re.search(r'"[Rr]equestId":"([^"]+)"|<RequestId>([^<]+)</RequestId>', body)
    return (m.group(1) or m.group(2)) if m else None


def status_and_code(reply):
    m = re.search(rb'"[Cc]ode":"([^"]*)"|<Code>([^<]*)</Code>', reply.body) if reply.status != 200 else None
    return "%d %s" % (reply.status, (m.group(1) or m.group(2)).decode()) if m else str(reply.status)


def shown(reply, server, made):
    body = reply.body.decode("utf-8")
    lines = ["HTTP %d" % reply.status, "content-type: %s" % reply.header("content-type"), "",
             normalise(body, server, made, request_id_of(body))]
    return "\n".join(lines) + "\n"
