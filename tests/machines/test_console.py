"""`ostler console` on a terminal of its own."""
import os
import pty
import re
import select
import subprocess
import termios
import time

import pytest

import ostler
from guest import Guest

pytestmark = pytest.mark.qemu
DETACH = b"\x1d"
REPLAY = 4096  # as much as is repeated at least to who attaches


@pytest.fixture(scope="module")
def guest(cloud):
    (iid,) = cloud.ecs.run(ImageId="guest", HostName="desk")
    g = Guest(cloud, iid)
    g.wait_boots(1)
    return g


class Terminal:
    """`ostler console` with a terminal that we hold the other end of."""

    def __init__(self, guest, welcome=True):
        said = guest.console()
        self.guest = guest
        self.fd, inner = pty.openpty()
        self.before = termios.tcgetattr(inner)
        self.inner = inner
        self.process = subprocess.Popen([ostler.BINARY, "--data", guest.cloud.data, "console", guest.id],
                                        stdin=inner, stdout=inner, stderr=inner, start_new_session=True)
        self.seen = b""
        if welcome:
            self.expect(rb"Console of %s\. Ctrl-\] leaves it\.\r?\n" % guest.id.encode())
            self.expect(re.escape(said[-REPLAY:]))  # what it said before we came, every byte

    def type(self, data):
        os.write(self.fd, data)

    def expect(self, pattern, deadline=30):
        """Waits for it in what came since the last match."""
        until = time.monotonic() + deadline * ostler.SLOW_FACTOR
        while not (m := re.search(pattern, self.seen, re.S)):
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise ostler.Failed("no %r on the terminal: %r\nThe machine said: %r" % (
                    pattern, self.seen, self.guest.console()[-500:]))
            self.seen += os.read(self.fd, 4096)
        self.seen = self.seen[m.end():]
        return m

    def end(self):
        code = self.process.wait(timeout=30)
        assert termios.tcgetattr(self.inner) == self.before, "the terminal is not as it was"
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
        os.close(self.inner)


@pytest.fixture
def terminal(guest):
    t = Terminal(guest)
    yield t
    t.close()


PROMPT = rb":/root# "  # the shell is ready for a line; what comes between two prompts may be lost, as on any terminal


def log_in(t):
    t.type(b"\n")  # whatever was typed before us
    t.expect(rb"desk login: ")
    t.type(b"root\n")
    t.expect(PROMPT)


def log_out(t):
    t.type(b"exit\n")
    t.expect(rb"desk login: ")
    t.type(DETACH)
    assert t.end() == 0


def test_log_in_work_and_leave(guest, terminal):
    log_in(terminal)
    terminal.type(b"echo answer-$((6 * 7))\n")
    terminal.expect(rb"answer-42\r\n.*" + PROMPT)
    terminal.type(b"sh -c 'echo ready-$((1 + 1)); exec cat'\n")
    terminal.expect(rb"ready-2\r")
    terminal.type(b"\x03")  # Ctrl-C is the guest's, not ours
    terminal.expect(PROMPT)
    assert terminal.process.poll() is None
    log_out(terminal)
    terminal.expect(rb"Detached; %s runs on\." % guest.id.encode())
    assert guest.cloud.ecs.state(guest.id) == "Running"
    assert "answer-42" in guest.cloud.cli("log", guest.id).stdout


def test_one_at_a_time_and_the_next_one_goes_on(guest, terminal):
    """What is typed last before leaving arrives. Fixed: QEMU forgets what the guest has not read yet when its peer
    closes."""
    log_in(terminal)
    second = Terminal(guest, welcome=False)
    try:
        second.expect(rb"somebody else is at its console: pid %d" % terminal.process.pid)
        assert second.end() == 1
    finally:
        second.close()
    terminal.type(b"word=kept; echo %s\n" % (b"and-more-" * 20) + DETACH)
    assert terminal.end() == 0
    ostler.wait_for("the command's end", lambda: re.search(b"\nand-more-.*" + PROMPT, guest.console(), re.S), 30)
    third = Terminal(guest)
    try:
        third.type(b"echo $word-$word\n")  # the same session, as on a real cable
        third.expect(rb"kept-kept\r\n.*" + PROMPT)
        log_out(third)
    finally:
        third.close()


def test_what_is_piped_in_arrives(guest, terminal):
    log_in(terminal)
    terminal.type(DETACH)
    assert terminal.end() == 0
    lines = b"echo piped-$((6 * 7)) %s\n" % (b"and more " * 20)
    r = subprocess.run([ostler.BINARY, "--data", guest.cloud.data, "console", guest.id], input=lines,
                       capture_output=True, timeout=60)
    assert r.returncode == 0, r
    ostler.wait_for("the command's end",
                    lambda: re.search(b"\npiped-42 and more.*" + PROMPT, guest.console(), re.S), 30)
    last = Terminal(guest)
    try:
        log_out(last)
    finally:
        last.close()


def test_power_off_at_the_console_ends_it(guest, terminal):
    log_in(terminal)
    terminal.type(b"poweroff\n")
    terminal.expect(rb"%s has stopped\." % guest.id.encode())
    assert terminal.end() == 0
    guest.cloud.wait_state(guest.id, "Stopped")
    r = guest.cloud.cli("console", guest.id, check=False)
    assert r.returncode == 1 and "has no console now" in r.stderr, r
