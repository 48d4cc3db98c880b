"""Every command of the guides, as it stands there, by its mark `<!-- test: NAME -->`."""
import os
import re
import shutil
import subprocess
import sys

import pytest

import ostler
from page import blocks, checked
from test_clients import python  # noqa: F401  (the fixture: a venv with the clouds' SDKs)

GUIDE = os.path.join(ostler.ROOT, "docs", "guides", "testing-automation.md")
TRANSCRIPT = os.path.join(ostler.ROOT, "docs", "transcript.md")
# Blocks that are not run here, and why.
ELSEWHERE = {"install": "CI and every newcomer", "terraform": "needs the provider", "ci": "no such service is here"}
STORIES = sorted(name for name, (language, _) in blocks(GUIDE)[0].items()
                 if language == "sh" and name not in ELSEWHERE and name != "serve")


@pytest.fixture
def home(tmp_path, program):
    """A folder where `ostler` is the program under test."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ostler").symlink_to(program)
    return tmp_path


def environment(home, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OSTLER_")}
    return dict(kept, PATH="%s:%s" % (home / "bin", os.environ["PATH"]), **more)


def run(home, text, **env):
    r = subprocess.run(["sh", "-eu", "-c", text], cwd=home, env=environment(home, **env), capture_output=True,
                       text=True, timeout=ostler.patience(60))
    assert r.returncode == 0, "%s\n%s\n%s" % (text, r.stdout, r.stderr)
    return r.stdout


# The guide's own server; its block puts it into the background, and what follows ends it.
ENDS = "trap 'kill $! && wait $! || true' EXIT\n"


def in_a_cloud(home, text):
    """As a reader would: after the guide's block that starts a server."""
    return run(home, blocks(GUIDE)[0]["serve"][1] + ENDS + text)


def test_no_block_goes_untested():
    for path in (GUIDE, TRANSCRIPT):
        named, rest = blocks(path)
        assert rest == [], path
        for name in named:
            assert name in STORIES or name in ELSEWHERE or name == "serve" or "test_" + name in globals(), name


@pytest.mark.parametrize("name", STORIES)
def test_story(home, name):
    in_a_cloud(home, checked(blocks(GUIDE)[0][name][1]))


def test_promises_are_kept(home):
    """What checks the guide's promises is not satisfied with anything."""
    for line in ("ostler ls  # refused: Throttling", "ostler ls  # prints: no such word"):
        with pytest.raises(AssertionError):
            in_a_cloud(home, checked(line))


@pytest.fixture
def suite(home, python):  # noqa: F811
    """The guide's conftest.py and test, in a folder, with the SDKs that they import."""
    named = blocks(GUIDE)[0]
    (home / "conftest.py").write_text(named["conftest"][1])
    (home / "test_retries.py").write_text(named["retries"][1])
    r = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True,
                       text=True, check=True)
    return environment(home, PYTHONPATH=r.stdout.strip())


def test_conftest(home, suite):
    r = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."], cwd=home, env=suite,
                       capture_output=True, text=True, timeout=ostler.patience(120))
    assert r.returncode == 0 and re.search(r"^1 passed", r.stdout, re.M), r.stdout + r.stderr


def test_retries(home, suite):
    """Without the token the same test fails: it proves something."""
    path = home / "test_retries.py"
    text = path.read_text()
    assert ', client_token="deployment-4711"' in text
    path.write_text(text.replace(', client_token="deployment-4711"', ""))
    r = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."], cwd=home, env=suite,
                       capture_output=True, text=True, timeout=ostler.patience(120))
    assert r.returncode == 1 and "Left contains one more item" in r.stdout, r.stdout + r.stderr


def test_javascript(home):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    (home / "control.js").write_text(blocks(GUIDE)[0]["javascript"][1])
    out = in_a_cloud(home, blocks(GUIDE)[0]["env"][1] + "node control.js\nostler fault ls\n")
    assert "StartInstance  Throttling" in out


def test_record(home):
    out = in_a_cloud(home, blocks(TRANSCRIPT)[0]["record"][1])
    assert re.search(r"^[1-9]\d* requests, \d+ equal, 0 differ$", out, re.M), out


def test_real(home, python):  # noqa: F811
    script = """import os
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config
client = Client(Config(endpoint=os.environ["ALIBABA_CLOUD_ENDPOINT"], protocol="http", region_id="cn-hangzhou",
                       access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
                       access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]))
""" + blocks(TRANSCRIPT)[0]["real"][1]
    (home / "real.py").write_text(script)
    out = in_a_cloud(home, """eval "$(ostler env alibaba)"
unset SSL_CERT_FILE
%s real.py
ostler transcript replay real.jsonl
""" % python)
    assert out.splitlines()[-1] == "1 requests, 1 equal, 0 differ"
