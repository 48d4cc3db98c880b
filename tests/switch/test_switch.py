"""A whole switch process, with guests made of bytes: addresses, metadata, peers, and what must never get out."""

import base64
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import pytest

from fake_guest import ACK, BROADCAST, SYN, Guest, Packet, mac_bytes, router_mac

PROGRAM = os.environ["SWITCH"]
DEADLINE = 10.0
CIDR, GATEWAY, NAMESERVER = "172.16.0.0/24", "172.16.0.253", "172.16.0.254"
METADATA = ("100.100.100.200", "169.254.169.254")
MAC = "00:16:3e:00:00:%02x"


def wait_for(what, message):
    end = time.monotonic() + DEADLINE
    while not (found := what()):
        assert time.monotonic() < end, message
        time.sleep(0.01)
    return found


class Switch:
    def __init__(self, directory, *options, prefix=()):
        self.dir, self.options, self.prefix = str(directory), options, prefix
        self.guests, self.process = [], None
        os.makedirs(self.dir, exist_ok=True)
        self.start()

    def start(self):
        read_end, write_end = os.pipe()
        os.set_inheritable(write_end, True)
        command = [*self.prefix, PROGRAM, "--dir", self.dir, "--cidr", CIDR, "--name", "vsw-test"]
        self.process = subprocess.Popen([*command, "--ready-fd", str(write_end), *self.options],
                                        pass_fds=(write_end,))
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            assert ready.read(1) == "\n", "the switch did not start"

    def stop(self):
        for guest in self.guests:
            guest.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE)

    def socket(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(DEADLINE)
        at = os.open(self.dir, os.O_PATH)
        try:
            client.connect(f"/proc/self/fd/{at}/control.sock")
        finally:
            os.close(at)
        return client

    def call(self, cmd, **fields):
        with self.socket() as client, client.makefile("rw") as stream:
            stream.write(json.dumps({"cmd": cmd, **fields}) + "\n")
            stream.flush()
            return json.loads(stream.readline())

    def port_request(self, n, **more):
        directory = os.path.join(self.dir, f"i-{n}")
        os.makedirs(directory, exist_ok=True)
        metadata = {"instance-id": f"i-{n}", "hostname": f"vm-{n}", "public-keys": {"0": {"openssh-key": f"key-{n}"}}}
        request = {"id": f"i-{n}", "dir": directory, "ip": f"172.16.0.{n}", "mac": MAC % n, "ssh_port": 0,
                   "metadata": metadata, "user_data_b64": base64.b64encode(f"data-{n}".encode()).decode()}
        return {**request, **more}

    def add(self, n, **more):
        request = self.port_request(n, **more)
        answer = self.call("add-port", **request)
        assert answer["ok"], answer
        guest = Guest(request["dir"], request["ip"], request["mac"])
        guest.ssh_port = answer["ssh_port"]
        self.guests.append(guest)
        return guest

    def port(self, n):
        return next(p for p in self.call("list")["ports"] if p["id"] == f"i-{n}")

    def settle(self, guest):
        """Frames are judged in order, so once this one is answered everything before it has been."""
        guest.who_has(GATEWAY)


@pytest.fixture
def make_switch(tmp_path):
    made = []

    def make(*options, directory=None, **how):
        made.append(Switch(directory or tmp_path / "sw", *options, **how))
        return made[-1]

    yield make
    for switch in made:
        switch.stop()


@pytest.fixture
def switch(make_switch):
    return make_switch()


# --- addresses ---


def test_dhcp_gives_exactly_the_ports_address(switch):
    guests = {n: switch.add(n) for n in (10, 200, 252)}
    for n, guest in guests.items():
        kind, address, options = guest.dhcp(1, requested="172.16.0.99")
        assert (kind, address) == (2, f"172.16.0.{n}")
        kind, address, options = guest.dhcp(3, requested=f"172.16.0.{n}")
        assert (kind, address) == (5, f"172.16.0.{n}")
        assert options[3] == socket.inet_aton(GATEWAY)
        assert options[6] == socket.inet_aton(NAMESERVER)
        assert options[1] == socket.inet_aton("255.255.255.0")
        assert options[12] == f"vm-{n}".encode()
        assert guest.dhcp(3, requested="172.16.0.99")[0] == 6


def test_dhcp_is_heard_by_nobody_else(switch):
    one, two = switch.add(10), switch.add(11)
    two.dhcp(1)
    one.dhcp(1)
    assert one.dhcp(3, requested="172.16.0.10")[0] == 5
    assert two.pending() == []


def test_the_switch_answers_for_its_own_addresses(switch):
    guest = switch.add(10)
    for ip in (GATEWAY, NAMESERVER, *METADATA):
        assert guest.who_has(ip) == router_mac(ip)


def test_the_gateway_answers_pings(switch):
    guest = switch.add(10)
    guest.send(guest.ping(GATEWAY))
    reply = guest.receive(lambda f: f[12:14] == b"\x08\0" and Packet(f))
    assert (reply.src, reply.proto, reply.body[0]) == (GATEWAY, 1, 0)


# --- metadata ---


@pytest.mark.parametrize("address", METADATA)
def test_metadata_at_both_addresses(switch, address):
    guest = switch.add(10)
    connection = guest.connect(address, 80)
    assert connection.get("/latest/meta-data/instance-id") == (200, "i-10")
    assert connection.get("/2016-01-01/meta-data/") == (200, "instance-id\nhostname\npublic-keys/")
    assert connection.get("/latest/meta-data/public-keys/0/openssh-key") == (200, "key-10")
    assert connection.get("/latest/user-data") == (200, "data-10")
    assert connection.get("/latest/meta-data/none")[0] == 404
    assert connection.get("/latest/api/token", method="PUT")[0] == 405
    connection.abort()


def test_each_port_sees_only_its_own_metadata(switch):
    guests = {n: switch.add(n) for n in (10, 11, 12)}
    for address in METADATA:
        for n, guest in guests.items():
            assert guest.http(address, "/latest/meta-data/instance-id") == (200, f"i-{n}")


def test_metadata_changes_without_a_pause(switch):
    guest = switch.add(10)
    connection = guest.connect(METADATA[0], 80)
    assert connection.get("/latest/meta-data/hostname") == (200, "vm-10")
    assert switch.call("set-metadata", id="i-10", metadata={"hostname": "new"})["ok"]
    assert connection.get("/latest/meta-data/hostname") == (200, "new")
    assert connection.get("/latest/user-data")[0] == 404
    big = "x" * 200000
    assert switch.call("add-port", **switch.port_request(10, metadata={"big": big}))["ok"]
    assert connection.get("/latest/meta-data/big") == (200, big)
    connection.abort()


def test_many_metadata_connections_are_bounded_and_end(switch):
    guest = switch.add(10)
    fds = f"/proc/{switch.process.pid}/fd"
    switch.settle(guest)
    before = len(os.listdir(fds))
    connections = [guest.connect(METADATA[0], 80) for _ in range(100)]
    assert connections[0].get("/latest/meta-data/hostname") == (200, "vm-10")
    one_more = guest.connect(METADATA[0], 80)
    with pytest.raises((EOFError, ConnectionResetError)):
        one_more.get("/latest/meta-data/hostname")
    assert len(os.listdir(fds)) <= before + 4 + 101 + 32  # the stack's end of each, our end of those served
    for connection in [*connections, one_more]:
        connection.abort()
    wait_for(lambda: len(os.listdir(fds)) <= before, "connections stay open")
    assert guest.http(METADATA[0], "/latest/meta-data/hostname") == (200, "vm-10")


def test_no_other_process_reads_metadata_by_its_socket(switch):
    switch.add(10)
    name = next(f for f in os.listdir(switch.dir) if f.startswith("meta."))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(DEADLINE)
        client.connect(os.path.join(switch.dir, name))
        try:
            client.sendall(b"GET /latest/user-data HTTP/1.1\r\n\r\n")
            assert client.recv(100) == b""
        except (BrokenPipeError, ConnectionResetError):
            pass


# --- guests among themselves ---


def test_guests_reach_each_other(switch):
    one, two, three = switch.add(10), switch.add(11), switch.add(12)
    question = one.arp(1, two.ip)
    one.send(question)
    assert two.receive(lambda f: f[12:14] == b"\x08\x06" and f) == question
    answer = two.arp(2, one.ip, dst=one.mac)
    two.send(answer)
    assert one.receive(lambda f: f[12:14] == b"\x08\x06" and f) == answer
    for frame in (one.ping(two.ip, dst_mac=two.mac), one.tcp(two.ip, 5000, 80, SYN, dst_mac=two.mac)):
        one.send(frame)
        assert two.receive(lambda f: f[12:14] == b"\x08\0" and f) == frame
    switch.settle(one)
    assert three.pending() == []


def test_broadcasts_reach_all_others_and_not_the_sender(switch):
    one, two, three = switch.add(10), switch.add(11), switch.add(12)
    frame = one.udp("172.16.0.255", 5000, 5001, b"all", dst_mac=BROADCAST)
    one.send(frame)
    for guest in (two, three):
        assert guest.receive(lambda f: f[12:14] == b"\x08\0" and f) == frame
    switch.settle(one)
    assert one.pending() == []


def test_a_flood_of_broadcasts_is_bounded(switch):
    one, two = switch.add(10), switch.add(11)
    frame = one.udp("172.16.0.255", 5000, 5001, b"all", dst_mac=BROADCAST)
    for _ in range(3000):
        one.send(frame)
    switch.settle(one)
    port = switch.port(10)
    assert port["refused"] > 0 and port["frames"]["peers"] == 3000
    # What was kept for the other is a bounded number; once it has read that, it is served as ever.
    assert switch.port(11)["lost"] > 0
    wait_for(lambda: two.pending() == [], "the kept frames do not end")
    assert two.who_has(GATEWAY) == router_mac(GATEWAY)


def test_a_slow_guest_gets_a_burst_that_the_kernel_would_not_hold(switch):
    one, two = switch.add(10), switch.add(11)
    sent = [one.udp(two.ip, 5000, 5001, bytes([i]), dst_mac=two.mac) for i in range(100)]
    for frame in sent:
        one.send(frame)
    switch.settle(one)
    got = [two.receive(lambda f: f[12:14] == b"\x08\0" and f) for _ in sent]
    assert got == sent


def test_spoofed_frames_are_dropped(switch):
    one, two = switch.add(10), switch.add(11)
    spoofed = [
        one.udp(two.ip, 1, 2, b"x", dst_mac=two.mac, src_ip="172.16.0.77"),
        one.udp(two.ip, 1, 2, b"x", dst_mac=two.mac, src_ip=GATEWAY),
        one.udp(two.ip, 1, 2, b"x", dst_mac=two.mac, src_mac=mac_bytes(MAC % 77)),
        one.udp(two.ip, 1, 2, b"x", dst_mac=two.mac, src_mac=router_mac(GATEWAY)),
        one.arp(2, two.ip, sip=GATEWAY, dst=two.mac),
        one.arp(2, two.ip, sha=mac_bytes(MAC % 77), dst=two.mac),
        one.arp(1, two.ip, sip="172.16.0.77"),
    ]
    for frame in spoofed:
        one.send(frame)
    rogue = one.udp("255.255.255.255", 67, 68, b"\x02" + bytes(299), dst_mac=BROADCAST)
    tagged = two.mac + one.mac + b"\x81\0\0\x01" + one.udp(two.ip, 1, 2, b"x")[12:]
    one.send(rogue)
    one.send(tagged)
    one.send(b"\0" * 13)
    one.send(bytes(1600))
    switch.settle(one)
    assert two.pending() == []
    frames = switch.port(10)["frames"]
    assert (frames["spoofed"], frames["policy"], frames["type"], frames["broken"]) == (len(spoofed), 1, 1, 2)


# --- the leak ---


def host_addresses():
    """An address of this host that is not a loopback one, as its own routing table sees it; None if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
        return None if address.startswith("127.") else address


@pytest.fixture
def listener():
    with socket.socket() as s:
        s.bind(("0.0.0.0", 0))
        s.listen(64)
        s.setblocking(False)
        yield s


def test_no_way_to_the_hosts_own_addresses(switch, listener):
    guest = switch.add(10)
    port = listener.getsockname()[1]
    targets = [GATEWAY, NAMESERVER, "127.0.0.1", "127.0.0.2", "0.0.0.0", "255.255.255.255", "172.16.0.255", "172.16.0.0",
               "169.254.0.1", "169.254.169.253", "169.254.170.2", "224.0.0.1", *METADATA]
    if host_addresses():
        targets.append(host_addresses())
    with socket.create_connection(("127.0.0.1", port), DEADLINE):
        listener.accept()[0].close()  # it does accept, when somebody comes
    before = switch.port(10)["frames"]["policy"]
    for i, target in enumerate(targets):
        guest.send(guest.tcp(target, 30000 + i, port, SYN))
        guest.send(guest.udp(target, 30000 + i, port, b"x"))
    switch.settle(guest)
    assert guest.http(METADATA[0], "/latest/meta-data/hostname") == (200, "vm-10")
    assert switch.port(10)["frames"]["policy"] - before == 2 * len(targets)
    assert switch.port(10)["frames"]["stack"] == 0
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_the_hosts_addresses_are_not_outside_even_behind_a_peers_mac(switch, listener):
    """A frame for another guest's MAC goes to that guest, whatever address it names, and never to the stack."""
    one, two = switch.add(10), switch.add(11)
    port = listener.getsockname()[1]
    for target in ("127.0.0.1", "169.254.169.254", GATEWAY):
        frame = one.tcp(target, 30000, port, SYN, dst_mac=two.mac)
        one.send(frame)
        assert two.receive(lambda f: f[12:14] == b"\x08\0" and f) == frame
    switch.settle(one)
    assert switch.port(10)["frames"]["stack"] == 0
    with pytest.raises(BlockingIOError):
        listener.accept()


WORLD = """
set -e
ip link set lo up
unshare -n sleep 1000 & far=$!
trap 'kill $far' EXIT
until nsenter -t $far -n true && [ "$(readlink /proc/$far/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
ip link add sw0 type veth peer name far0
ip link set far0 netns $far
ip addr add 10.99.0.1/24 dev sw0
ip link set sw0 up
nsenter -t $far -n sh -c 'ip link set lo up; ip addr add 10.99.0.2/24 dev far0; ip link set far0 up'
nsenter -t $far -n "$PYTHON" -c "$SERVER" 10.99.0.2 </dev/null &
there=$!
trap 'kill $far $there' EXIT
"$PYTHON" -c "$SERVER" 0.0.0.0 &
here=$!
trap 'kill $far $there $here' EXIT
"$@" & switch=$!
trap 'kill -9 $far $there $here $switch' EXIT
while read command; do eval "$command"; echo done; done
"""
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "5"); self.end_headers(); self.wfile.write(b"world")
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer((sys.argv[1], 8080), Handler).serve_forever()
"""


class World(Switch):
    """A switch in a network of its own: 10.99.0.1 is its host's address, 10.99.0.2 is somebody else's."""

    def start(self):
        read_end, write_end = os.pipe()
        command = [PROGRAM, "--dir", self.dir, "--cidr", CIDR, "--name", "vsw-world", "--ready-fd", str(write_end)]
        environment = {**os.environ, "PYTHON": sys.executable, "SERVER": SERVER}
        self.process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", WORLD, "world", *command, *self.options], pass_fds=(write_end,),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        os.close(write_end)
        with os.fdopen(read_end) as ready:
            if ready.read(1) != "\n":
                self.stop()
                pytest.skip("needs the right to make network namespaces (unshare -n, ip link add type veth)")

    def run(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def stop(self):
        for guest in self.guests:
            guest.close()
        self.process.stdin.close()  # the script ends and takes its children along
        try:
            self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.stdout.close()


@pytest.fixture
def make_world(tmp_path):
    if not (shutil.which("unshare") and shutil.which("ip") and shutil.which("nsenter")):
        pytest.skip("needs unshare, nsenter and ip")
    made = []

    def make(*options):
        made.append(World(tmp_path / "world", *options))
        return made[-1]

    yield make
    for world in made:
        world.stop()


def connect_when_served(guest, ip):
    """The far server needs a moment to listen; until then it refuses."""

    def attempt():
        try:
            return guest.connect(ip, 8080)
        except ConnectionRefusedError:
            return None

    return wait_for(attempt, f"nobody serves at {ip}")


def test_the_outside_is_reached_and_the_host_is_not(make_world):
    world = make_world()
    guest = world.add(10)
    connection = connect_when_served(guest, "10.99.0.2")
    assert connection.get("/") == (200, "world")
    guest.send(guest.tcp("10.99.0.1", 30000, 8080, SYN))
    world.run("ip addr add 10.99.0.7/24 dev sw0")  # the host gets one more address while the switch runs
    wait_for(lambda: not reaches(world, guest, "10.99.0.7"), "the new address stays reachable")
    assert not reaches(world, guest, "10.99.0.1")
    assert connection.get("/") == (200, "world")


def reaches(world, guest, ip):
    """Does a SYN to this address come to the stack?"""
    before = world.port(10)["frames"]["stack"]
    guest.next_port += 1
    guest.send(guest.tcp(ip, guest.next_port, 8080, SYN))
    world.settle(guest)
    return world.port(10)["frames"]["stack"] > before


def test_denied_blocks_are_not_reached(make_world):
    world = make_world("--deny", "10.99.0.0/24")
    guest = world.add(10)
    assert not reaches(world, guest, "10.99.0.2")
    assert reaches(world, guest, "10.98.0.2")


def test_isolated_guests_keep_metadata_dhcp_and_ssh(make_switch):
    switch = make_switch("--isolated")
    guest = switch.add(10)
    assert not reaches(switch, guest, "8.8.8.8")
    guest.send(guest.udp(NAMESERVER, 5000, 53, b"question"))
    kind, address, options = guest.dhcp(1)
    assert (kind, address) == (2, "172.16.0.10") and 6 not in options
    assert guest.http(METADATA[1], "/latest/meta-data/hostname") == (200, "vm-10")
    assert switch.port(10)["frames"]["stack"] == 0
    ssh_banner(guest)


# --- ssh ---


def ssh_banner(guest):
    """Plays the guest's side of one forwarded connection."""
    with socket.create_connection(("127.0.0.1", guest.ssh_port), DEADLINE) as client:
        client.settimeout(DEADLINE)
        syn = guest.receive(lambda f: f[12:14] == b"\x08\0" and Packet(f))
        assert (syn.src, syn.dst, syn.dport, syn.flags) == (GATEWAY, guest.ip, 22, SYN)
        assert syn.dst_mac == guest.mac
        guest.send(guest.tcp(GATEWAY, 22, syn.sport, SYN | ACK, 5000, syn.seq + 1))
        guest.receive(lambda f: f[12:14] == b"\x08\0" and Packet(f).flags == ACK)
        guest.send(guest.tcp(GATEWAY, 22, syn.sport, ACK, 5001, syn.seq + 1, b"SSH-2.0-fake\r\n"))
        assert client.recv(100) == b"SSH-2.0-fake\r\n"
        client.sendall(b"SSH-2.0-me\r\n")
        data = guest.receive(lambda f: f[12:14] == b"\x08\0" and Packet(f).data)
        assert data == b"SSH-2.0-me\r\n"


def test_ssh_is_forwarded_from_loopback(switch):
    guest = switch.add(10)
    ssh_banner(guest)
    if host_addresses():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host_addresses(), guest.ssh_port), DEADLINE)


def test_a_taken_ssh_port_is_refused_or_replaced(switch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = switch.call("add-port", **switch.port_request(10, ssh_port=port))
        assert (answer["ok"], answer["code"]) == (False, "port-taken")
        assert str(port) in answer["error"]
        assert switch.call("list")["ports"] == []
        answer = switch.call("add-port", **switch.port_request(10, ssh_port=port, ssh_port_fallback=True))
        assert answer["ok"] and answer["ssh_port"] not in (0, port)
        taken_answer = switch.call("add-port", **switch.port_request(10, ssh_port=port))
        assert taken_answer["code"] == "port-taken"
        assert switch.port(10)["ssh_port"] == answer["ssh_port"]
    answer = switch.call("add-port", **switch.port_request(10, ssh_port=port))
    assert answer == {"ok": True, "ssh_port": port}


# --- ports ---


def test_adding_again_keeps_connections_and_conflicts_are_named(switch):
    guest = switch.add(10)
    connection = guest.connect(METADATA[0], 80)
    assert switch.call("add-port", **switch.port_request(10))["ssh_port"] == guest.ssh_port
    assert connection.get("/latest/meta-data/hostname") == (200, "vm-10")
    answer = switch.call("add-port", **switch.port_request(11, ip=guest.ip))
    assert (answer["ok"], answer["code"]) == (False, "conflict")
    answer = switch.call("add-port", **switch.port_request(11, mac=MAC % 10))
    assert (answer["ok"], answer["code"]) == (False, "conflict")
    answer = switch.call("add-port", **switch.port_request(11, dir=guest.dir))
    assert (answer["ok"], answer["code"]) == (False, "conflict")
    assert switch.call("add-port", **switch.port_request(10, ip="172.16.0.20"))["ok"]
    guest.ip = "172.16.0.20"
    assert guest.dhcp(1)[1] == "172.16.0.20"


def test_removed_ports_leave_nothing(switch):
    fds = f"/proc/{switch.process.pid}/fd"
    switch.call("ping")
    before = wait_for(lambda: len(os.listdir(fds)), "no descriptors")
    for n in range(10, 30):
        guest = switch.add(n)
        connection = guest.connect(METADATA[0], 80)
        assert connection.get("/latest/meta-data/hostname") == (200, f"vm-{n}")
        guest.send(guest.udp("198.51.100.1", 5000, 5001, b"x"))
        guest.send(guest.tcp("198.51.100.1", 5000, 5001, SYN))
    for n in range(10, 30):
        assert switch.call("remove-port", id=f"i-{n}")["ok"]
        assert not os.path.exists(os.path.join(switch.dir, f"i-{n}", "sw.sock"))
    assert switch.call("list")["ports"] == []
    wait_for(lambda: len(os.listdir(fds)) <= before, "descriptors leak")
    assert not [f for f in os.listdir(switch.dir) if f.startswith("meta.")]


def test_one_guest_cannot_use_up_the_descriptors(switch):
    one, two = switch.add(10), switch.add(11)
    for i in range(3000):
        one.send(one.udp("198.51.100.1", 1024 + i, 9, b"x"))
    switch.settle(one)
    port = switch.port(10)
    assert port["flows"] <= 1024 and port["refused"] >= 1900
    assert len(os.listdir(f"/proc/{switch.process.pid}/fd")) < 1100
    assert two.http(METADATA[0], "/latest/meta-data/hostname") == (200, "vm-11")


def test_a_guest_that_restarts_is_found_again(switch):
    guest, other = switch.add(10), switch.add(11)
    assert guest.who_has(GATEWAY)
    guest.close()
    guest.plug()
    frame = other.udp(guest.ip, 1, 2, b"for the new one", dst_mac=guest.mac)
    other.send(frame)
    assert guest.receive(lambda f: f[12:14] == b"\x08\0" and f) == frame
    guest.close()
    os.unlink(os.path.join(guest.dir, "vm.sock"))
    other.send(frame)
    switch.settle(other)
    guest.plug()
    assert guest.who_has(GATEWAY) == router_mac(GATEWAY)


def test_frames_are_not_sent_through_a_symbolic_link(switch):
    guest, other = switch.add(10), switch.add(11)
    guest.close()
    os.unlink(os.path.join(guest.dir, "vm.sock"))
    os.symlink(os.path.join(other.dir, "vm.sock"), os.path.join(guest.dir, "vm.sock"))
    other.send(other.udp(guest.ip, 1, 2, b"x", dst_mac=guest.mac))
    switch.settle(other)
    assert other.pending() == []
    assert switch.port(10)["lost"] >= 1
    os.unlink(os.path.join(guest.dir, "vm.sock"))
    guest.plug()


def test_directories_may_be_deep(make_switch, tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    switch = make_switch(directory=deep)
    guest = switch.add(10)
    assert guest.http(METADATA[0], "/latest/meta-data/hostname") == (200, "vm-10")


# --- the process ---


def test_a_second_switch_refuses(switch):
    command = [PROGRAM, "--dir", switch.dir, "--cidr", CIDR, "--name", "again"]
    assert subprocess.run(command, timeout=DEADLINE, stderr=subprocess.DEVNULL).returncode == 3
    assert switch.call("ping")["pid"] == switch.process.pid
    with open(os.path.join(switch.dir, "lock")) as lock:
        assert int(lock.read()) == switch.process.pid
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


@pytest.mark.parametrize("arguments", [[], ["--dir", "/tmp"], ["--dir", "/tmp", "--cidr", "x", "--name", "n"],
                                       ["--dir", "/tmp", "--cidr", CIDR, "--name", "n", "extra"],
                                       ["--dir", "/tmp", "--cidr", CIDR, "--name", "n", "--deny", "1.2.3.4/8"]])
def test_a_wrong_command_line_is_refused(arguments):
    assert subprocess.run([PROGRAM, *arguments], timeout=DEADLINE, stderr=subprocess.DEVNULL).returncode == 2


def test_it_survives_its_parent(make_switch, tmp_path):
    directory = tmp_path / "orphan"
    directory.mkdir()
    parent = f"""
import os, signal, subprocess
r, w = os.pipe()
subprocess.Popen([{PROGRAM!r}, "--dir", {str(directory)!r}, "--cidr", {CIDR!r}, "--name", "n", "--ready-fd", str(w)],
                 pass_fds=(w,))
os.close(w)
assert os.read(r, 1) == b"\\n"
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", parent], timeout=DEADLINE)
    assert done.returncode == -signal.SIGKILL
    switch = Switch.__new__(Switch)
    switch.dir, switch.guests = str(directory), []
    pid = switch.call("ping")["pid"]
    try:
        guest = switch.add(10)
        assert guest.http(METADATA[0], "/latest/meta-data/hostname") == (200, "vm-10")
        guest.close()
        assert os.getsid(pid) == pid
        assert switch.call("quit")["ok"]
        wait_for(lambda: not os.path.exists(directory / "control.sock"), "it does not end")
    finally:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_a_killed_switch_is_started_again_under_the_same_paths(switch):
    one, two = switch.add(10), switch.add(11)
    ssh_port = one.ssh_port
    switch.process.kill()
    switch.process.wait(DEADLINE)
    assert os.path.exists(os.path.join(switch.dir, "control.sock"))  # it left everything behind
    switch.start()
    for n in (10, 11):
        assert switch.call("add-port", **switch.port_request(n, ssh_port=ssh_port if n == 10 else 0))["ok"]
    assert one.http(METADATA[0], "/latest/meta-data/instance-id") == (200, "i-10")
    frame = one.udp(two.ip, 1, 2, b"still here", dst_mac=two.mac)
    one.send(frame)
    assert two.receive(lambda f: f[12:14] == b"\x08\0" and f) == frame
    ssh_banner(one)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_by_signal(switch, how):
    guest = switch.add(10)
    switch.process.send_signal(how)
    assert switch.process.wait(DEADLINE) == 0
    assert sorted(os.listdir(switch.dir)) == ["i-10", "lock"]
    assert os.listdir(guest.dir) == ["vm.sock"]


def test_it_ends_when_idle(make_switch):
    switch = make_switch("--idle-exit", "1")
    assert switch.process.wait(DEADLINE) == 0


def test_clients_are_bounded(switch):
    clients = [switch.socket() for _ in range(16)]
    for client in clients:
        client.sendall(b'{"cmd":"ping"}\n')
        assert b'"ok":true' in client.recv(4096)
    with switch.socket() as one_more:
        try:
            one_more.sendall(b'{"cmd":"ping"}\n')
            assert one_more.recv(100) == b""
        except (BrokenPipeError, ConnectionResetError):
            pass
    clients[0].sendall(b'{"cmd":"ping"}\n{"cmd":"list"}\n')
    stream = clients[0].makefile("r")
    assert "pid" in json.loads(stream.readline()) and "ports" in json.loads(stream.readline())
    for client in clients:
        client.close()


def test_the_sockets_are_their_owners_only(switch):
    guest = switch.add(10)
    for path in (os.path.join(switch.dir, "control.sock"), os.path.join(guest.dir, "sw.sock")):
        assert os.stat(path).st_mode & 0o077 == 0
