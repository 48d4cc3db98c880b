"""The page says what the results show and nothing else: made-up results, read back."""
import copy
import os
import re
import xml.etree.ElementTree as ElementTree

import pytest

from measure import ground, picture, report
from measure.goals import GOALS, Goal, number

WHERE = {"machine": {"cores": 2, "cpu": "a CPU", "memory_mib": 4096, "kernel": "6.1"}, "versions": {"ostler": "0"},
         "date": "2026-01-02", "seconds": 61, "quick": False}


def reading(values):
    return ground.figure(values, ours_rps=1.0, reference_rps=2.0, per_cpu_second=0.5, ours_busy=0.9,
                         reference_busy=0.8, generator_busy=0.7, generator_busy_reference=0.6)


def results(**figures):
    return dict(copy.deepcopy(WHERE), figures=figures)


def row(text, key):
    """The goals table's row of the figure: (goal, measured, met)."""
    (found,) = [line for line in text.splitlines() if line.endswith("`bench/run --only %s` |" % key)]
    cells = [c.strip() for c in found.strip("|").split(" | ")]
    return tuple(cells[1:4])


def write(folder, r, notes=None):
    report.write(r, str(folder), notes or {})
    return (folder / "performance.md").read_text()


def test_met_missed_and_absent(tmp_path):
    text = write(tmp_path, results(**{"read-alibaba": reading([0.6, 0.7, 0.5]), "read-zenlayer": reading([0.3, 0.2, 0.4]),
                                      "write-moto": ground.absent("PyPI cannot be reached")}))
    assert row(text, "read-alibaba") == ("≥ 0.55", "0.6 (0.5–0.7)", "yes")
    assert row(text, "read-zenlayer") == ("≥ 0.55", "0.3 (0.2–0.4)", "**no**")
    assert row(text, "write-moto") == ("≥ 100", "–", "not measured")
    assert "| write-moto | PyPI cannot be reached |" in text
    assert "Of %d goals 1 are met, 1 are missed and %d were not measured." % (len(GOALS), len(GOALS) - 2) in text


def test_every_goal_has_a_row_even_without_figures(tmp_path):
    text = write(tmp_path, results())
    for goal in GOALS:
        assert row(text, goal.key)[2] == "not measured"
    assert not os.listdir(tmp_path / "img" / "performance")
    assert "What eats the time" not in text


def test_notes_are_told_only_where_a_goal_is_missed(tmp_path):
    notes = {"read-alibaba": "It hashes.", "read-zenlayer": "It waits."}
    text = write(tmp_path, results(**{"read-alibaba": reading([0.3]), "read-zenlayer": reading([0.6])}), notes)
    assert "### read-alibaba" in text and "It hashes." in text
    assert "### read-zenlayer" not in text and "It waits." not in text


def test_a_missed_goal_without_a_note_says_so(tmp_path):
    assert "Nobody has written down a profile" in write(tmp_path, results(**{"read-alibaba": reading([0.3])}))


def test_fewer_machines_than_the_goal_names_are_no_measurement(tmp_path):
    few = ground.figure([1.0], count=20, concurrency=2, ours_ms=1.0, reference_ms=1.0)
    text = write(tmp_path, results(**{"mass-start": few}))
    assert row(text, "mass-start")[2] == "not measured"
    assert "| mass-start | measured with 20 instead of 100 |" in text


def test_pictures_are_xml_and_old_ones_go(tmp_path):
    tail = ground.figure([3.0], rounds=[{"histogram": [[100, 5], [250, 9], [9000, 1]]}], rate=500.0, p50_us=250.0,
                         p99_us=9000.0, log_began_anew=1,
                         curve=[{"rps": r, "p50_us": 200.0 + r, "p99_us": 2000.0 + r} for r in (100, 300, 200)])
    r = results(**{"write-tail": tail, "read-alibaba": reading([0.6]), "libvirt-stop": ground.figure(
        [5000.0, 0.001], unit="times", ours_ms=1.0, reference_ms=5000.0, virsh_alone_ms=20.0)})
    text = write(tmp_path, r)
    folder = tmp_path / "img" / "performance"
    assert sorted(os.listdir(folder)) == ["goals.svg", "write-latency.svg", "write-load.svg"]
    for name in os.listdir(folder):
        ElementTree.parse(folder / name)
        assert "](img/performance/%s)" % name in text
    write(tmp_path, results())
    assert not os.listdir(folder)


def test_every_link_of_the_page_leads_somewhere(tmp_path):
    text = write(tmp_path, results(**{"read-alibaba": reading([0.6])}))
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    for link in links:
        assert (tmp_path / link).exists(), link


@pytest.mark.parametrize("goal, value, met", [
    (Goal("a", "", least=0.5), 0.5, True), (Goal("a", "", least=0.5), 0.49, False),
    (Goal("a", "", most=4), 4.0, True), (Goal("a", "", most=4), 4.1, False), (Goal("a", "", most=0), 0, True)])
def test_goals(goal, value, met):
    assert goal.met(value) is met
    if goal.margin(value):
        assert (goal.margin(value) >= 1) is met


def test_numbers():
    assert [number(v) for v in (0.05523, 1.0, 64, 1234.5, 99.97)] == ["0.0552", "1", "64", "1234", "100"]


def test_the_notes_of_the_tree_name_figures():
    keys = {g.key for g in GOALS}
    assert set(report.read_notes()) <= keys


def test_merged_bins_keep_every_request():
    assert sum(picture._merge([[1, 3], [50, 4], [100000, 5]], 1.0, 1000.0, 10)) == 12
