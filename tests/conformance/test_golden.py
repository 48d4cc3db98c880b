"""Every case of the request and reply files, byte by byte. `--update` writes the replies anew."""
import os

import pytest

import golden
import setups

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = [(c, f) for dialect in ("alibaba", "zenlayer") for c in golden.cases(HERE, dialect) for f in c.formats()]


@pytest.fixture(scope="module")
def updating(request):
    return bool(request.config.getoption("--update", False) or os.environ.get("OSTLER_UPDATE"))


@pytest.mark.parametrize("case,fmt", CASES, ids=["%s/%s.%s" % (c.dialect, c.name, f) for c, f in CASES])
def test_case(shared, updating, case, fmt):
    made = setups.made_by(shared, case.parts["setup"])
    try:
        reply = shared.send(case.request(shared, fmt, made))
        got = golden.shown(reply, shared, made)
    finally:
        setups.undo(made)
    assert golden.status_and_code(reply) == case.parts["expect"], got
    path = case.reply_path(fmt)
    if updating:
        with open(path, "w", encoding="utf-8") as f:
            f.write(got)
        return
    assert os.path.exists(path), "no expected reply; --update writes it: " + path
    with open(path, encoding="utf-8") as f:
        assert got == f.read(), case.text


def test_no_reply_file_without_its_case():
    known = {c.reply_path(f) for c, f in CASES}
    have = {os.path.join(folder, f) for d in ("alibaba", "zenlayer")
            for folder, _, files in os.walk(os.path.join(HERE, d)) for f in files if f.endswith(".reply")}
    assert have <= known, sorted(have - known)
