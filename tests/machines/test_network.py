"""Two machines in one subnet: how one gets in, what they know about themselves, whom they reach, and whom never."""
import base64
import contextlib
import json
import re
import select
import socket
import subprocess
import threading
import time

import pytest

import ostler
from guest import UP, Guest, Key

pytestmark = pytest.mark.qemu
METADATA = ("100.100.100.200", "169.254.169.254")
WEB_SCRIPT = "#!/bin/sh\necho once >>/root/ran\necho user data of web says hello\n"
DB_SCRIPT = "#!/bin/sh\nhostname >>/root/ran\necho user data of db says h\u00e9llo\n"


@pytest.fixture(scope="module")
def pair(cloud, key, tmp_path_factory):
    """`web`, made on the command line and started from there; `db`, made and started by RunInstances."""
    script = tmp_path_factory.mktemp("data") / "user-data"
    script.write_text(WEB_SCRIPT)
    web = cloud.cli("create", "--image", "guest", "--name", "web", "--hostname", "web-1", "--keypair", "ops",
                    "--user-data", script, "--wait").stdout.strip()
    (db,) = cloud.ecs.run(ImageId="guest", HostName="db-1", KeyPairName="ops",
                          UserData=base64.b64encode(DB_SCRIPT.encode()).decode())
    cloud.cli("start", "--wait", web)
    cloud.wait_state(db, "Running")
    both = Guest(cloud, web, key), Guest(cloud, db, key)
    for g in both:
        g.wait_boots(1)
    return both


def expected_metadata(guest):
    """What the APIs say of an instance, by the paths of the metadata service."""
    said = guest.cloud.ecs.describe(guest.id)
    vpc = said["VpcAttributes"]
    (address,) = vpc["PrivateIpAddress"]["IpAddress"]
    (nic,) = said["NetworkInterfaces"]["NetworkInterface"]
    return {
        "instance-id": said["InstanceId"], "region-id": said["RegionId"], "zone-id": said["ZoneId"],
        "hostname": said["HostName"], "image-id": said["ImageId"], "serial-number": said["SerialNumber"],
        "instance/instance-type": said["InstanceType"], "private-ipv4": address, "mac": nic["MacAddress"],
        "vpc-id": vpc["VpcId"], "vswitch-id": vpc["VSwitchId"], "network-type": said["InstanceNetworkType"],
        "owner-account-id": guest.show()["account"], "public-keys/0/openssh-key": guest.key.public,
    }


def address_of(guest):
    return expected_metadata(guest)["private-ipv4"]


def gateway_of(guest):
    return guest.run("ip route show default").split()[2]


# ---- getting in ----


def test_the_imported_key_opens_the_guest_and_another_does_not(pair, tmp_path):
    for guest in pair:
        assert guest.run("id -u") == "0\n"
        assert guest.run("cat /root/.ssh/authorized_keys") == guest.key.public + "\n"
        stranger = guest.ssh("id -u", key=Key(tmp_path, "stranger-" + guest.id))
        assert stranger.returncode == 255 and "Permission denied" in stranger.stderr, stranger


def test_ssh_listens_on_loopback_only(pair):
    port = pair[0].show()["sshPort"]
    for host in ["127.0.0.1"] + host_addresses():
        with socket.socket() as s:
            s.settimeout(10)
            assert (s.connect_ex((host, port)) == 0) == (host == "127.0.0.1"), host


# ---- what it knows of itself ----


def test_name_address_and_card_are_those_of_the_api(pair):
    for guest in pair:
        want = expected_metadata(guest)
        seen = guest.run("hostname; cat /sys/class/net/eth0/address; ip -4 -o addr show dev eth0").splitlines()
        assert seen[0] == want["hostname"]
        assert seen[1] == want["mac"]
        assert len(seen) == 3 and re.findall(r"inet ([0-9.]+)/", seen[2]) == [want["private-ipv4"]]
        assert UP.findall(guest.console()) == [
            (guest.id.encode(), want["private-ipv4"].encode(), want["hostname"].encode())]
        assert guest.cloud.zec.ok("DescribeInstances", {"instanceIds": [guest.id]})["dataSet"][0][
            "privateIpAddresses"] == [want["private-ipv4"]]


@pytest.mark.parametrize("service", METADATA)
def test_metadata_says_what_the_api_says(pair, service):
    """To each guest its own."""
    for guest, script in zip(pair, (WEB_SCRIPT, DB_SCRIPT)):
        want = expected_metadata(guest)
        out = guest.run("for p in %s; do echo \"$p $(wget -q -O - http://%s/latest/meta-data/$p)\"; done"
                        % (" ".join(want), service))
        assert dict(line.split(" ", 1) for line in out.splitlines()) == want
        assert guest.run("wget -q -O - http://%s/latest/user-data" % service) == script
    assert expected_metadata(pair[0])["instance-id"] != expected_metadata(pair[1])["instance-id"]


def test_user_data_ran_once(pair):
    web, db = pair
    assert web.run("cat /root/ran") == "once\n"
    assert db.run("cat /root/ran") == "db-1\n"
    assert web.console().count(b"user data of web says hello") == 1
    assert db.console().count("user data of db says h\u00e9llo".encode()) == 1
    assert b"user data of db" not in web.console()


# ---- its neighbour ----


def tcp_word(listener, caller, port):
    """What `listener` hears when `caller` says a word to it."""
    word = "word-for-" + listener.id
    ear = listener.open("nc -l -p %d" % port)
    try:
        # It may not listen yet.
        caller.run("for i in $(seq 100); do echo %s | nc -w 5 %s %d && exit 0; sleep 0.1; done; exit 1"
                   % (word, address_of(listener), port))
        heard, _ = ear.communicate(timeout=60)
    finally:
        ear.kill()
        ear.wait()
    return word + "\n", heard


def test_neighbours_reach_each_other(pair):
    for here, there in (pair, pair[::-1]):
        said = here.run("ping -c 2 -w 20 " + address_of(there))
        assert ", 0% packet loss" in said
        word, heard = tcp_word(here, there, 7000)
        assert heard == word


def test_nobody_reads_the_neighbours_metadata_by_taking_its_address(pair):
    web, db = pair

    def ask_from(address):
        """What metadata says to `db` when its packets come from that address."""
        return db.run("""
ip route add 100.100.100.200/32 via %s src %s || exit 1
ip route get 100.100.100.200 | grep -q 'src %s' || exit 1
printf 'GET /latest/meta-data/instance-id HTTP/1.0\\r\\n\\r\\n' | nc -w 3 100.100.100.200 80 2>&1
ip route del 100.100.100.200/32""" % (gateway_of(db), address, address))

    stolen = address_of(web)
    assert db.id in ask_from(address_of(db))  # it can ask in this way
    db.run("ip addr add %s/32 dev eth0" % stolen)
    try:
        assert not re.search(web.id + "|HTTP/", ask_from(stolen))
    finally:
        db.run("ip addr del %s/32 dev eth0" % stolen)
    assert web.run("hostname") == "web-1\n"  # what is sent to that address still arrives where it belongs


# ---- the host ----


def host_addresses():
    """The host's own IPv4 addresses beyond loopback."""
    said = json.loads(subprocess.run(["ip", "-j", "-4", "addr"], check=True, capture_output=True, text=True,
                                     timeout=30).stdout)
    return [a["local"] for link in said for a in link["addr_info"] if not a["local"].startswith("127.")]


class Recorder:
    """Listens on every address of the host and keeps who came."""
    BANNER = b"this is the host\n"

    def __init__(self):
        self.socket = socket.create_server(("0.0.0.0", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.came = []
        self.wake, self.woken = socket.socketpair()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while self.wake not in (ready := select.select([self.socket, self.wake], [], [])[0]):
            assert ready
            with self.socket.accept()[0] as c:
                self.came.append((c.getsockname()[0], c.getpeername()[0]))
                with contextlib.suppress(OSError):
                    c.sendall(self.BANNER)

    def close(self):
        self.woken.close()
        self.thread.join(10)
        self.socket.close()
        self.wake.close()

    def heard_from_host(self, address):
        with socket.create_connection((address, self.port), timeout=10) as c:
            return c.makefile("rb").readline() == self.BANNER


@pytest.fixture
def recorder():
    r = Recorder()
    yield r
    r.close()


def test_nothing_leads_from_a_guest_to_the_host(pair, recorder):
    """Not the gateway, not loopback, not an address of the host's, not its link-local neighbours."""
    guest = pair[0]
    gateway, here = gateway_of(guest), host_addresses()
    nameserver = guest.run("sed -n 's/^nameserver //p' /etc/resolv.conf").split()
    for address in ["127.0.0.1"] + here:
        assert recorder.heard_from_host(address)
    assert sorted(a for a, _ in recorder.came) == sorted(["127.0.0.1"] + here)
    recorder.came.clear()

    # Root in the guest may send what it likes, also to 127/8 through its card.
    loopback = ["127.0.0.1", "127.1.2.3"]
    targets = [gateway, "10.0.2.2", "192.168.5.2", *nameserver, *here, *loopback]
    pairs = [(t, p) for t in targets for p in (recorder.port, guest.cloud.port)]
    pairs += [(t, p) for t in ("169.254.169.253", "169.254.170.2", "169.254.0.1", "169.254.169.254",
                               "100.100.100.200") for p in (recorder.port, guest.cloud.port)]
    pairs += [(t, 80) for t in ("169.254.169.253", "169.254.170.2", "169.254.0.1")]
    control = [(m, 80) for m in METADATA]  # the very same command does get through where it may
    script = """
ip addr del 127.0.0.1/8 dev lo
for f in all eth0; do echo 1 >/proc/sys/net/ipv4/conf/$f/route_localnet; done
ip route add 127.0.0.0/8 via %s
ip route get 127.0.0.1 | head -n 1 >/tmp/way
try() {
    said=$(printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 4 $1 $2 2>&1 | tr -d '\\r' | head -n 1)
    echo "$1 $2 $said"
}
%s
wait
ip route del 127.0.0.0/8
ip addr add 127.0.0.1/8 dev lo
cat /tmp/way
""" % (gateway, "\n".join("try %s %d &" % p for p in pairs + control))
    lines = guest.run(script, deadline=90).splitlines()
    assert "dev eth0" in lines.pop(), "the guest could not send to 127/8 through its card"
    said = {tuple(line.split(" ", 2)[:2]): line.split(" ", 2)[2] for line in lines}
    assert len(said) == len(set(pairs)) + len(control)
    for address, port in control:
        assert said[address, str(port)].startswith("HTTP/1."), said
    for address, port in pairs:
        assert not re.search("this is the host|HTTP/", said[address, str(port)]), (address, port, said)
    assert recorder.came == []
    assert recorder.heard_from_host("127.0.0.1")  # it was listening all the while


# ---- both at once ----


def test_one_call_starts_both(pair):
    """ZEC's StartInstances with machines that ECS made."""
    cloud, ids = pair[0].cloud, [g.id for g in pair]
    cloud.zec.ok("StopInstances", {"instanceIds": ids})
    cloud.ecs.wait_all(ids, "Stopped")
    began = time.monotonic()
    assert cloud.zec.ok("StartInstances", {"instanceIds": ids})["instanceIds"] == []  # none was refused
    for g in pair:
        cloud.zec.wait_state(g.id, "RUNNING")
        g.wait_boots(2)
    print("both up after %.1f s" % (time.monotonic() - began))
    assert cloud.zec.states(ids) == dict.fromkeys(ids, "RUNNING")
    assert cloud.ecs.states(ids) == dict.fromkeys(ids, "Running")
    for g in pair:
        assert {m[0] for m in UP.findall(g.console())} == {g.id.encode()}
        assert len(g.processes()) == 1
    assert pair[0].run("cat /root/ran") == "once\n"  # user data is for the first boot
