"""What every test folder's conftest.py takes over: marks, and servers by name."""
import pytest

import ostler

MARKS = ("slow: takes more than some ten seconds",
         "qemu: runs real machines",
         "registry: needs packages of a public registry")


def configure(config):
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.fixture(scope="session")
def program():
    """Skips, saying what is missing, when there is no server to test."""
    why = ostler.missing_binary()
    if why:
        pytest.skip(why)
    return ostler.BINARY


def _ended(server, failed_before, request):
    """Leaves as `with` would: with its logs when a test that used it failed."""
    if request.session.testsfailed > failed_before:
        server.__exit__(AssertionError, None, None)
    else:
        server.__exit__(None, None, None)


@pytest.fixture
def server(program, request):
    """A fast server of the test's own."""
    before = request.session.testsfailed
    s = ostler.Server().__enter__()
    yield s
    _ended(s, before, request)


@pytest.fixture(scope="module")
def shared(program, request):
    """A fast server that the tests of one file share; they must not disturb each other."""
    before = request.session.testsfailed
    s = ostler.Server().__enter__()
    yield s
    _ended(s, before, request)


@pytest.fixture
def new_server(program, request):
    """Makes servers with options; all are ended after the test."""
    before = request.session.testsfailed
    made = []

    def make(**kw):
        made.append(ostler.Server(**kw))
        return made[-1].__enter__()
    yield make
    for s in made:
        _ended(s, before, request)
