"""A guest made of bytes: speaks Ethernet over the two datagram sockets that QEMU would use."""

import os
import socket
import struct
import time

BROADCAST = b"\xff" * 6
SYN, ACK, FIN, RST, PSH = 0x02, 0x10, 0x01, 0x04, 0x08
DEADLINE = 10.0


def mac_bytes(text):
    return bytes(int(part, 16) for part in text.split(":"))


def router_mac(ip):
    return b"\x52\x55" + socket.inet_aton(ip)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Packet:
    """An IPv4 frame taken apart; raises ValueError for what is none or has wrong checksums."""

    def __init__(self, frame):
        if len(frame) < 34 or frame[12:14] != b"\x08\x00":
            raise ValueError("not IPv4")
        self.frame, self.dst_mac, self.src_mac = frame, frame[:6], frame[6:12]
        ip = frame[14 : 14 + struct.unpack("!H", frame[16:18])[0]]
        if checksum(ip[:20]):
            raise ValueError("IPv4 checksum")
        self.proto = ip[9]
        self.src, self.dst = socket.inet_ntoa(ip[12:16]), socket.inet_ntoa(ip[16:20])
        self.body = ip[20:]
        pseudo = ip[12:20] + struct.pack("!BBH", 0, self.proto, len(self.body))
        if self.proto in (6, 17) and checksum(pseudo + self.body):
            raise ValueError("transport checksum")
        if self.proto in (6, 17):
            self.sport, self.dport = struct.unpack("!HH", self.body[:4])
        if self.proto == 6:
            self.seq, self.ack, offset, self.flags = struct.unpack("!IIBB", self.body[4:14])
            self.data = self.body[(offset >> 4) * 4 :]
        if self.proto == 17:
            self.data = self.body[8:]


class Guest:
    def __init__(self, directory, ip, mac, gateway="172.16.0.253"):
        self.dir, self.ip, self.mac, self.gateway = directory, ip, mac_bytes(mac), gateway
        self.fd = None
        self.plug()

    def plug(self):
        """As a QEMU that starts: replaces what an earlier one left."""
        path = os.path.join(self.dir, "vm.sock")
        if os.path.lexists(path):
            os.unlink(path)
        self.fd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        at = os.open(self.dir, os.O_PATH)
        try:
            self.fd.bind(f"/proc/self/fd/{at}/vm.sock")
        finally:
            os.close(at)
        self.next_port = 20000

    def close(self):
        self.fd.close()

    def send(self, frame):
        at = os.open(self.dir, os.O_PATH)
        try:
            self.fd.sendto(frame, f"/proc/self/fd/{at}/sw.sock")
        finally:
            os.close(at)

    def receive(self, fits, timeout=DEADLINE):
        """The first frame that `fits` turns into something true; other frames are thrown away."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no such frame came")
            self.fd.settimeout(left)
            try:
                frame = self.fd.recv(4096)
            except socket.timeout:
                raise TimeoutError("no such frame came") from None
            found = fits(frame)
            if found:
                return found

    def pending(self):
        """What has arrived already."""
        self.fd.setblocking(False)
        frames = []
        while True:
            try:
                frames.append(self.fd.recv(4096))
            except BlockingIOError:
                return frames

    def ether(self, dst, kind, body, src=None):
        return dst + (src or self.mac) + struct.pack("!H", kind) + body

    def arp(self, op, tip, sip=None, sha=None, dst=BROADCAST, src=None):
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, op) + (sha or self.mac)
        body += socket.inet_aton(sip or self.ip) + bytes(6) + socket.inet_aton(tip)
        return self.ether(dst, 0x0806, body, src)

    def who_has(self, ip):
        self.send(self.arp(1, ip))
        answer = lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\x02" and f[28:32] == socket.inet_aton(ip)
        return self.receive(lambda f: f[22:28] if answer(f) else None)

    def ipv4(self, dst_ip, proto, body, src_ip=None, dst_mac=None, src_mac=None):
        src_ip = src_ip or self.ip
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0)
        head += socket.inet_aton(src_ip) + socket.inet_aton(dst_ip)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        at = {6: 16, 17: 6}.get(proto)
        if at:
            pseudo = head[12:20] + struct.pack("!BBH", 0, proto, len(body))
            body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2 :]
        return self.ether(dst_mac or router_mac(self.gateway), 0x0800, head + body, src_mac)

    def udp(self, dst_ip, sport, dport, data, **how):
        return self.ipv4(dst_ip, 17, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data, **how)

    def tcp(self, dst_ip, sport, dport, flags, seq=0, ack=0, data=b"", **how):
        head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 65535, 0, 0)
        return self.ipv4(dst_ip, 6, head + data, **how)

    def ping(self, dst_ip, **how):
        body = struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"ostler"
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        return self.ipv4(dst_ip, 1, body, **how)

    def dhcp(self, kind, requested=None, chaddr=None):
        """Sends one DHCP message; the answer's (type, address, options)."""
        options = bytes([53, 1, kind])
        if requested:
            options += b"\x32\x04" + socket.inet_aton(requested)
        message = b"\x01\x01\x06\0\x12\x34\x56\x78" + bytes(20) + (chaddr or self.mac) + bytes(202)
        message += b"\x63\x82\x53\x63" + options + b"\xff"
        self.send(self.udp("255.255.255.255", 68, 67, message, src_ip="0.0.0.0", dst_mac=BROADCAST))
        return self.receive(self.read_dhcp)

    @staticmethod
    def read_dhcp(frame):
        try:
            packet = Packet(frame)
        except ValueError:
            return None
        if packet.proto != 17 or packet.dport != 68:
            return None
        options, rest = {}, packet.data[240:]
        while rest and rest[0] != 255:
            options[rest[0]] = rest[2 : 2 + rest[1]]
            rest = rest[2 + rest[1] :]
        return options[53][0], socket.inet_ntoa(packet.data[16:20]), options

    def connect(self, ip, port, timeout=DEADLINE):
        self.next_port += 1
        return Connection(self, ip, port, self.next_port, timeout)

    def http(self, ip, path, port=80):
        """(status, body) of a GET."""
        connection = self.connect(ip, port)
        try:
            return connection.get(path)
        finally:
            connection.abort()


class Connection:
    """Just enough TCP: in-order segments on a network that loses nothing."""

    def __init__(self, guest, ip, port, own_port, timeout):
        self.guest, self.ip, self.port, self.own_port = guest, ip, port, own_port
        self.seq, self.ack, self.buffer, self.ended = 1000, 0, b"", False
        self._send(SYN)
        self.seq += 1
        answer = guest.receive(self._mine, timeout)
        if answer.flags & RST:
            raise ConnectionRefusedError(ip)
        if answer.flags & (SYN | ACK) != SYN | ACK:
            raise ConnectionError("no SYN and ACK")
        self.ack = answer.seq + 1
        self._send(ACK)

    def _mine(self, frame):
        try:
            packet = Packet(frame)
        except ValueError:
            return None
        fits = packet.proto == 6 and packet.src == self.ip and packet.sport == self.port
        return packet if fits and packet.dport == self.own_port else None

    def _send(self, flags, data=b""):
        self.guest.send(self.guest.tcp(self.ip, self.own_port, self.port, flags, self.seq, self.ack, data))

    def send(self, data):
        self._send(ACK | PSH, data)
        self.seq += len(data)

    def _step(self):
        packet = self.guest.receive(self._mine)
        if packet.flags & RST:
            raise ConnectionResetError(self.ip)
        if packet.seq != self.ack & 0xFFFFFFFF:
            self._send(ACK)
            return
        self.buffer += packet.data
        self.ack += len(packet.data)
        if packet.flags & FIN:
            self.ended = True
            self.ack += 1
        if packet.data or packet.flags & FIN:
            self._send(ACK)

    def read_until(self, enough):
        while not enough(self.buffer):
            if self.ended:
                raise EOFError("the connection ended early")
            self._step()

    def get(self, path, method="GET"):
        self.send(f"{method} {path} HTTP/1.1\r\nHost: {self.ip}\r\n\r\n".encode())
        self.read_until(lambda b: b"\r\n\r\n" in b)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        length = int(next(l.split(":")[1] for l in lines if l.lower().startswith("content-length:")))
        self.read_until(lambda b: len(b) >= length)
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(lines[0].split()[1]), body.decode()

    def abort(self):
        self._send(RST | ACK)
