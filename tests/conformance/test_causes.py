"""Every refusal that has a cause here is provoked by it, and said as its document says it.

The causes are in causes/, and what must have one is what `ostler api dump` calls natural.
"""
import pytest

import causes
import codes
import ostler
from causes import world

DUMP = codes.dump() if not ostler.missing_binary() else []
ROWS = {(a["dialect"], a["name"]): a["documented"] for a in DUMP}
TRIED = sorted(((c, action) for c in causes.load() for action in c.tried_on(DUMP)), key=lambda t: t[0].late)


def row(dialect, action, r):
    return dialect, action, r["status"], r["code"], r["message"]


def named(tried):
    cause, action = tried
    return "-".join([cause.dialect, action, str(cause.status), cause.code, cause.run.__name__])


@pytest.fixture(scope="module")
def w(program, request):
    failed = request.session.testsfailed
    made = world.World(DUMP)
    yield made
    made.close(request.session.testsfailed > failed)


@pytest.mark.parametrize("tried", TRIED, ids=named)
def test_cause(w, tried):
    cause, action = tried
    refusal = codes.said(cause.run(w, action))
    best = codes.best_row(ROWS[cause.dialect, action], refusal)
    assert best and row(cause.dialect, action, best) == cause.row(action), "said: %d %s '%s'" % refusal


def test_every_natural_refusal_has_a_cause(program):
    wanted = {row(*key, r) for key, rows in ROWS.items() for r in rows if r["natural"]}
    have = {c.row(action) for c, action in TRIED}
    text = "".join("""
    # tests/conformance/causes/: `ostler api dump` says that this is raised here, and no cause provokes it
    @cause("%s", "%s", %d, "%s", %r)
    def say_what_is_the_cause(w, action):
        return w.%s(action, ...)
""" % (r + ("ecs" if r[0] == "alibaba" else "zec",)) for r in sorted(wanted - have))
    text += "".join("""
    %s %s: the cause of %d %s '%s' is not natural, says `ostler api dump`:
    the action does not declare it, no document lists it so, or the text is another one
""" % r for r in sorted(have - wanted))
    assert not text, text
