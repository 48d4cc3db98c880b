"""What a user types wrongly is answered with what to type instead, and help says whose things are meant."""
import subprocess

import pytest


@pytest.fixture(scope="module")
def cloud(program):
    import ostler
    with ostler.Server(engine="sim", args=["--controls"]) as s:
        yield s


@pytest.mark.parametrize("words, said", (
    (("clock", "set", "yesterday"), "a time is like 2027-01-02T03:04:05Z"),
    (("clock", "set", "2027-01-01"), "a time is like 2027-01-02T03:04:05Z"),
    (("engine-fault", "add", "strat", "--hang"), "known are *, create, start, stop, reboot, release"),
    (("fault", "add", "StartInstance", "-", "--then", "boom"), "known are drop, truncate, half-close"),
    (("fault", "add", "DescribeInstances", "-", "--then", "drop"), "zenlayer or alibaba (dialect)"),
    (("engine-fault", "rm", "nonsense"), "`ostler engine-fault ls`"),
    (("reset", "--account", ""), "not empty"),
    (("fault", "rm", "--all", "--account", ""), "not empty"),
))
def test_a_refusal_says_what_to_type(cloud, words, said):
    r = cloud.cli(*words, check=False)
    assert r.returncode in (1, 2) and said in r.stderr, r.stderr


@pytest.mark.parametrize("verb", ("fault add", "fault rm", "clock advance", "engine-fault add", "capacity set", "reset",
                                  "instance lock", "events"))
def test_without_an_account_everybody_is_meant(program, verb):
    r = subprocess.run([program, "help", *verb.split()], capture_output=True, text=True, timeout=30)
    assert "--account ID               only this account's (everybody's)" in r.stdout


def test_the_first_account_is_meant_where_something_is_made(program):
    r = subprocess.run([program, "help", "create"], capture_output=True, text=True, timeout=30)
    assert "(the first account's)" in r.stdout


def test_advice_is_about_what_was_asked(cloud, shared):
    iid = cloud.cli("create", "--wait").stdout.strip()
    r = cloud.cli("instance", "reclaim", iid, check=False)
    assert "SpotStrategy" in r.stderr and "only an instance made with --prepaid" not in r.stderr
    r = shared.cli("clock", "show", check=False)  # which has no controls
    assert r.stderr.count("`ostler serve --controls`") == 1, r.stderr


def test_a_recording_that_goes_on_says_so(cloud):
    assert cloud.cli("transcript", "start", "long").stderr == ""
    assert cloud.ecs("DescribeRegions")[0] == 200
    cloud.cli("transcript", "stop")
    r = cloud.cli("transcript", "start", "long")
    assert "goes on after what is in there, 1 requests" in r.stderr
    cloud.cli("transcript", "stop")


@pytest.mark.parametrize("words, said", ((("--clock", "yesterday"), "as 2026-01-02T03:04:05Z"), (("--seed", "abc"), "--seed N")))
def test_an_option_of_serve_says_what_it_takes(program, tmp_path, words, said):
    r = subprocess.run([program, "serve", "--data", str(tmp_path), "--controls", *words], capture_output=True, text=True,
                       timeout=30)
    assert r.returncode == 2 and said in r.stderr and words[1] in r.stderr
