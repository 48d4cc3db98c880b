"""What ./run and ./test do about missing packages: say which, install them when they may, else say the exact command."""
import os
import subprocess

import pytest

import ostler

LIST = "# a comment\nalpha\nbeta  # why\n\n"


@pytest.fixture
def bench(tmp_path):
    """A folder with commands of our own before the system's: what is installed, who we are, what was run."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()

    def command(name, text):
        path = bin_dir / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(0o755)
    command("dpkg-query", 'for p; do :; done; grep -qx "$p" %s/installed && echo installed\n' % tmp_path)
    command("apt-get", 'echo "apt-get $*" >>%s/ran\n' % tmp_path)
    (tmp_path / "installed").write_text("")
    (tmp_path / "list").write_text(LIST)
    return tmp_path, command


def ensure(bench):
    folder, _ = bench
    script = ". %s/tools/setup.sh; packages_ensure %s/list; echo went on" % (ostler.ROOT, folder)
    return subprocess.run(["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, env=dict(os.environ, PATH="%s/bin:%s" % (folder, os.environ["PATH"])))


def ran(bench):
    path = bench[0] / "ran"
    return path.read_text().splitlines() if path.exists() else []


def test_nothing_is_missing(bench):
    (bench[0] / "installed").write_text("alpha\nbeta\n")
    r = ensure(bench)
    assert (r.returncode, r.stdout, ran(bench)) == (0, "went on\n", [])


def test_root_installs_what_is_missing(bench):
    (bench[0] / "installed").write_text("alpha\n")
    bench[1]("id", "echo 0\n")
    r = ensure(bench)
    assert r.returncode == 0 and "missing: beta" in r.stdout and "went on" in r.stdout
    assert ran(bench)[0] == "apt-get update -qq"
    assert ran(bench)[1].endswith("--no-install-recommends beta") and "alpha" not in ran(bench)[1]


def test_sudo_without_a_password(bench):
    bench[1]("id", "echo 1000\n")
    bench[1]("sudo", '[ "$1" = -n ] && shift; echo sudo >>%s/ran; exec "$@"\n' % bench[0])
    r = ensure(bench)
    assert r.returncode == 0 and "went on" in r.stdout
    assert "sudo" in ran(bench) and any("alpha beta" in line for line in ran(bench))


def test_nobody_is_asked_for_a_password(bench):
    bench[1]("id", "echo 1000\n")
    bench[1]("sudo", "exit 1\n")
    r = ensure(bench)
    assert r.returncode != 0 and "went on" not in r.stdout
    assert "sudo apt-get install --no-install-recommends alpha beta" in r.stderr
    assert ran(bench) == []


def test_packages_that_cannot_be_had(bench):
    bench[1]("id", "echo 0\n")
    bench[1]("apt-get", '[ "$1" = update ] && exit 0; exit 100\n')
    r = ensure(bench)
    assert r.returncode != 0 and "could not be installed" in r.stderr
