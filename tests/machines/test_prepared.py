"""Processes started ahead: a start is only `cont`, and no kill of the daemon leaves one in the way."""
import ctypes
import fcntl
import os
import re
import signal

import pytest

import ostler
from guest import Guest

pytestmark = pytest.mark.qemu
SYS_PIDFD_GETFD = 438


@pytest.fixture(scope="module")
def cloud_options():
    return {"args": ["--prepared", "1"]}


@pytest.fixture(scope="module")
def made(cloud, key):
    return Guest(cloud, cloud.ecs.create_stopped(ImageId="guest", KeyPairName="ops"), key)


def prepared(cloud):
    return int(re.search(r"(\d+) of 1 prepared", cloud.operator("ServerInfo")["engine"]).group(1))


@pytest.fixture
def waiting(made):
    """(guest, the process that waits for it)"""
    if made.cloud.ecs.state(made.id) == "Running":
        made.stop(ForceStop=True)
    ostler.wait_for("a prepared process", lambda: prepared(made.cloud) == 1, 30)
    return made, made.pid()


def test_a_start_is_handed_over(waiting):
    guest, pid = waiting
    assert guest.cloud.ecs.state(guest.id) == "Stopped"
    guest.start()
    assert guest.pid() == pid and prepared(guest.cloud) == 0
    assert guest.run("hostname").strip()


def test_what_a_killed_daemon_left_is_ended(waiting):
    guest, pid = waiting
    guest.cloud.kill9()
    assert guest.pid() == pid
    guest.cloud.start()
    assert guest.processes() == []  # before it listens
    assert guest.cloud.ecs.state(guest.id) == "Stopped"
    guest.start()
    assert guest.pid() != pid


def test_killed_between_the_lock_and_the_go(waiting):
    """The daemon died when the process had become the machine, and was not told to run yet."""
    guest, pid = waiting
    guest.cloud.kill9()
    libc, pidfd = ctypes.CDLL(None, use_errno=True), os.pidfd_open(pid)
    try:
        theirs = libc.syscall(SYS_PIDFD_GETFD, pidfd, 3, 0)
        if theirs < 0:
            pytest.skip("pidfd_getfd: " + os.strerror(ctypes.get_errno()))
        fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(theirs)
    finally:
        os.close(pidfd)
        guest.cloud.start()
    assert guest.cloud.ecs.state(guest.id) == "Stopped"
    guest.start()
    assert guest.pid() != pid


def test_an_orderly_end_leaves_none(waiting):
    guest, _ = waiting
    guest.cloud.stop()
    try:
        assert guest.processes() == []
    finally:
        guest.cloud.start()


def test_one_that_died_is_not_missed(made):
    if made.cloud.ecs.state(made.id) == "Stopped":
        made.start()
    made.stop(ForceStop=True)
    ostler.wait_for("a prepared process", lambda: prepared(made.cloud) == 1, 30)
    os.kill(made.pid(), signal.SIGKILL)
    made.start()
    assert len(made.processes()) == 1
    made.stop(ForceStop=True)
    ostler.wait_for("a prepared process", lambda: prepared(made.cloud) == 1, 30)
    made.release()  # with one waiting
    assert made.processes() == []
