"""HTTP as bytes: what was sent is what the caller gave, what came is kept as it came."""
import dataclasses
import json
import socket
import time


class WireError(Exception):
    pass


@dataclasses.dataclass
class Reply:
    status: int
    reason: str
    headers: list            # (name, value) as sent
    body: bytes
    raw: bytes               # head and body as read

    def header(self, name):
        for n, v in self.headers:
            if n.lower() == name.lower():
                return v
        return None

    def json(self):
        return json.loads(self.body)


def request_bytes(r):
    head = "%s %s HTTP/1.1\r\n" % (r.method, r.target)
    head += "".join("%s: %s\r\n" % nv for nv in r.headers) + "\r\n"
    return head.encode("utf-8", "surrogateescape") + r.body


class Connection:
    """One TCP (or TLS) connection; `deadline` seconds for each read of a whole reply."""

    def __init__(self, host, port, *, tls=None, server_name=None, deadline=30):
        """`port` None: `host` is the path of a unix socket."""
        self.deadline = deadline
        if port is None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(deadline)
            self.sock.connect(host)
        else:
            self.sock = socket.create_connection((host, port), timeout=deadline)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.sock = tls.wrap_socket(self.sock, server_hostname=server_name or host)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.settimeout(self.deadline)
        self.sock.sendall(data)

    def _more(self, until):
        left = until - time.monotonic()
        if left <= 0:
            raise WireError("no complete reply in %g s; so far %r" % (self.deadline, self.pending[:400]))
        self.sock.settimeout(left)
        try:
            data = self.sock.recv(65536)
        except (TimeoutError, socket.timeout) as e:
            raise WireError("no complete reply in %g s; so far %r"
                            % (self.deadline, self.pending[:400])) from e
        if not data:
            raise WireError("connection closed in a reply; so far %r" % self.pending[:400])
        self.pending += data

    def read_reply(self, head_only=False):
        until = time.monotonic() + self.deadline
        while b"\r\n\r\n" not in self.pending:
            self._more(until)
        head, _, rest = self.pending.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        version, status, reason = (lines[0].split(" ", 2) + [""])[:3]
        if not version.startswith("HTTP/1."):
            raise WireError("not HTTP: %r" % lines[0])
        headers = [tuple(x.strip() for x in line.split(":", 1)) for line in lines[1:]]
        names = {n.lower(): v for n, v in headers}
        if names.get("transfer-encoding"):
            raise WireError("a reply with a transfer coding: %r" % head)
        n = 0 if head_only or int(status) in (204, 304) else int(names["content-length"])
        start = len(head) + 4
        while len(self.pending) < start + n:
            self._more(until)
        raw, self.pending = self.pending[:start + n], self.pending[start + n:]
        return Reply(int(status), reason, headers, raw[start:], raw)

    def exchange(self, request):
        self.send(request_bytes(request))
        return self.read_reply()


def send(host, port, request, *, tls=None, server_name=None, deadline=30):
    """One request on a connection of its own."""
    with Connection(host, port, tls=tls, server_name=server_name, deadline=deadline) as c:
        return c.exchange(request)
