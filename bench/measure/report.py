"""The readable page from a run's results. Every sentence about an outcome is made from a figure; what eats the time
where a goal is missed comes from notes.md, which somebody wrote after looking at a profile."""
import json
import os
import re

from . import ground, picture
from .goals import ALSO, GOALS, number

NOTES = os.path.join(ground.ROOT, "bench", "notes.md")

HOW = """## How it is measured

`bench/run` builds what `./run` builds (optimised, with debug information) and takes turns: ours, the reference, ours,
the reference, at least five rounds within the same minutes, so that a mood of the computer meets both. A figure is the
median over its rounds of the ratio within a round; the spread is the lowest and the highest.

- **Requests.** Servers and generator share all processors, as they come: ours answers on a thread a processor, nginx
  with a worker a processor and a fixed answer as long as ours. `bench/load` signs every request afresh with a new
  nonce, also those for nginx, which answers from its configuration without looking. Where the generator is the
  busiest, the ratio of requests a second flatters the slower side; so the table has requests for a second of the
  server's own processor time too.
- **Durable writes.** Instances of the sim engine, which needs no time; each answer leaves after its commit is on the
  disk, and each job's end is a commit of its own. The bare disk is one thread that overwrites as many bytes as the
  commit of one write alone adds to the log and calls `fdatasync`. Many requests share one commit, so more than one
  request a sync is possible.
- **Machines.** `bench/launch` is the bare launcher: the least C that runs the same command line and hears "running"
  on the monitor. Its directories, sockets and disks are made before its clock starts. Ours begins when
  `StartInstance` leaves the client and ends when a poll, sent half a millisecond after the answer before, shows the
  state. A guest is ready when its init has written so on its console: address, metadata and key are there. The bare
  launcher's guest stands on a switch of its own that gives it the same. Before each turn the processors have come to
  rest, and memory is touched: the host of a virtual computer takes back what lay idle for seconds, and whoever starts
  first after that waits for it.
- **libvirt** has folders of its own, no confinement and no log daemon, which makes it faster; its domain has our
  kernel, size and devices. `virsh`'s own start is part of its time and told beside it.
- **moto** runs from PyPI, at the number of clients that suits it best.
"""


def read_notes(path=NOTES):
    """{key: text} of the sections `## key`."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        parts = re.split(r"^## +(\S+)[^\n]*\n", f.read(), flags=re.M)
    return {key: text.strip() for key, text in zip(parts[1::2], parts[2::2]) if text.strip()}


# ---- what came of a goal ----

def outcome(goal, figures):
    """(word, figure or None, why not)."""
    f = figures.get(goal.key)
    if f is None:
        return "not measured", None, "not part of this run"
    if "absent" in f:
        return "not measured", None, f["absent"]
    if goal.count and f["facts"].get("count", goal.count) != goal.count:
        return "not measured", f, "measured with %d instead of %d" % (f["facts"]["count"], goal.count)
    return ("met" if goal.met(f["value"]) else "missed"), f, ""


def measured(f):
    if f is None:
        return "–"
    unit = " " + f["unit"] if f["unit"] else ""
    if len(f["values"]) == 1:
        return number(f["value"]) + unit
    return "%s%s (%s–%s)" % (number(f["value"]), unit, number(f["low"]), number(f["high"]))


def _cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"] +
                     ["| " + " | ".join(_cell(c) for c in row) + " |" for row in rows]) + "\n"


def goals_table(figures):
    rows = []
    for goal in GOALS:
        word, f, _ = outcome(goal, figures)
        rows.append((goal.text, goal.says(), measured(f), {"met": "yes", "missed": "**no**"}.get(word, word),
                     "`bench/run --only %s`" % goal.key))
    return table(("Figure", "Goal", "Measured (lowest–highest)", "Met", "Again by"), rows)


def summary(figures):
    words = [outcome(g, figures)[0] for g in GOALS]
    return "Of %d goals %d are met, %d are missed and %d were not measured." % (
        len(words), words.count("met"), words.count("missed"), words.count("not measured"))


# ---- sections ----

def again_line(figures):
    """Which figures are not of the run itself."""
    later = {}
    for goal in GOALS:
        when = figures.get(goal.key, {}).get("again")
        if when:
            later.setdefault(when, []).append("`%s`" % goal.key)
    return "".join("Measured again at %s UTC: %s.\n" % (when, ", ".join(keys)) for when, keys in sorted(later.items()))


def missed_section(figures, notes):
    missed = [(g, outcome(g, figures)[1]) for g in GOALS if outcome(g, figures)[0] == "missed"]
    if not missed:
        return ""
    out = ["## What eats the time where a goal is missed\n"]
    for goal, f in missed:
        out += ["### %s\n" % goal.key, "%s: the goal is %s, the median is %s.\n" % (
            goal.text[0].upper() + goal.text[1:], goal.says(), measured(f)),
            (notes.get(goal.key) or "Nobody has written down a profile of it yet.") + "\n"]
    return "\n".join(out)


def absent_section(figures):
    rows = [(g.key, outcome(g, figures)[2]) for g in GOALS if outcome(g, figures)[0] == "not measured"]
    return "## Not measured\n\n" + table(("Figure", "Why"), rows) if rows else ""


def _percent(v):
    return "%.0f %%" % (100 * v)


def requests_section(figures):
    rows = []
    for key, text in (("read-alibaba", "read, ECS V3"), ("read-v1", "read, ECS V1"), ("read-zenlayer", "read, ZEC ZC2"),
                      ("read-tls", "read, ECS V3, TLS"), ("write-nginx", "start/stop, ECS V3")):
        f = figures.get(key)
        if not f or "absent" in f:
            continue
        x = f["facts"]
        rows.append((text, "%.0f" % x["ours_rps"], "%.0f" % x["reference_rps"], measured(f),
                     number(x["per_cpu_second"]), "%s / %s" % (_percent(x["ours_busy"]), _percent(x["generator_busy"])),
                     "%s / %s" % (_percent(x["reference_busy"]), _percent(x["generator_busy_reference"]))))
    if not rows:
        return ""
    return "## Requests a second\n\n" + table(
        ("64 connections", "ours", "nginx", "ratio", "ratio for a second of the server's processor time",
         "ours: server / generator busy", "nginx: server / generator busy"), rows)


def writes_section(figures, images):
    f, out = figures.get("write-disk"), []
    if f and "absent" not in f:
        x = f["facts"]
        out.append("A write alone adds %d bytes to the log, a shared commit %d at full speed. The bare disk did %.0f "
                   "overwriting syncs a second of the former size; over syncs that append, which also move the file's "
                   "end, the ratio is %s.\n" % (x["bytes_per_commit"], x["bytes_per_shared_commit"], x["disk_rps"],
                                                number(x["over_appending"])))
    f = figures.get("write-tail")
    if f and "absent" not in f:
        out.append("At half of the highest rate, %.0f requests a second, p50 was %s ms and p99 %s ms; the log began "
                   "anew %d times meanwhile, each time after a checkpoint.\n" % (
                       f["facts"]["rate"], number(f["facts"]["p50_us"] / 1000), number(f["facts"]["p99_us"] / 1000),
                       f["facts"]["log_began_anew"]))
    for name, text in (("write-latency.svg", "How long durable writes take"), ("write-load.svg", "p50 and p99 over load")):
        if name in images:
            out.append("![%s](img/performance/%s)\n" % (text, name))
    return "## Durable writes\n\n" + "\n".join(out) if out else ""


def machines_section(figures):
    rows = []
    for key, text, who in (("start", "start → running", "bare launcher"),
                           ("start-prepared", "start → running, prepared", "bare launcher"),
                           ("ready-cold", "start → guest ready", "bare launcher"),
                           ("ready-template", "start → guest ready, template", "bare launcher, cold"),
                           ("stop", "forced stop → stopped", "bare launcher"),
                           ("mass-start", "all at once → all running", "bare launcher"),
                           ("libvirt-start", "start → running", "`virsh start`"),
                           ("libvirt-stop", "forced stop → stopped", "`virsh destroy`")):
        f = figures.get(key)
        if not f or "absent" in f:
            continue
        x = f["facts"]
        if key == "mass-start":
            text, who = "%d at once → all running" % x["count"], "%s, %d at once" % (who, x["concurrency"])
        if "virsh_alone_ms" in x:
            who += " (a virsh that asks for nothing: %s ms)" % number(x["virsh_alone_ms"])
        rows.append((text, "%s ms" % number(x["ours_ms"]), who, "%s ms" % number(x["reference_ms"]),
                     len(f["values"])))
    return "## Machines\n\nMedians of the rounds.\n\n" + table(("", "ours", "beside", "its time", "rounds"), rows) \
        if rows else ""


def where_section(results):
    m, v = results["machine"], results["versions"]
    rows = [("processor", "%s, %d in use" % (m["cpu"], m["cores"])), ("memory", "%d MiB" % m["memory_mib"]),
            ("kernel", m["kernel"])]
    if "disk_rps" in m:
        rows.append(("disk", "%.0f durable writes of 4 KiB a second, p50 %s ms, p99 %s ms" % (
            m["disk_rps"], number(m["disk_p50_us"] / 1000), number(m["disk_p99_us"] / 1000))))
    rows += [(k, v[k]) for k in sorted(v)]
    rows.append(("taken", "%s, in %d s%s" % (results["date"], results["seconds"],
                                             ", a quick look with fewer rounds" if results["quick"] else "")))
    return "## Where\n\n" + table(("", ""), rows)


COUNTS = os.path.join(ground.ROOT, "tests", "counts", "recorded.json")


def counts_section(path=COUNTS):
    """What tests/counts has recorded: it depends on no computer's mood."""
    if not os.path.exists(path):
        return ""
    with open(path) as f:
        rows = [(name, "{:,}".format(count)) for name, count in json.load(f).items()]
    return ("## Instructions\n\nOf one request, on all threads of the server, counted by callgrind, which knows no SHA "
            "instructions. `./test` fails when one of them moves by a tenth (`tests/counts`).\n\n"
            + table(("Request", "Instructions"), rows))


def also_section(figures):
    rows = [(text, measured(figures[k])) for k, text in ALSO.items() if k in figures and "absent" not in figures[k]]
    f = figures.get("page-point")
    if f and "absent" not in f:
        rows += [("the page of 100 over `DescribeInstances` of one", number(f["facts"]["over_one_full"])),
                 ("the page of 100 over a point read, one connection alone", number(f["facts"]["alone"]))]
    return "## Without a goal\n\n" + table(("Figure", "Measured"), rows) if rows else ""


# ---- pictures ----

def pictures(figures):
    """{file name: SVG} of what there is to draw."""
    out, rows = {}, []
    for goal in GOALS:
        word, f, _ = outcome(goal, figures)
        if word == "not measured" or goal.margin(f["value"]) is None:
            continue
        ends = sorted(m for m in (goal.margin(f["low"]), goal.margin(f["high"])) if m is not None)
        rows.append((goal.key, goal.margin(f["value"]), ends[0], ends[-1], word == "met"))
    if rows:
        out["goals.svg"] = picture.margins(rows)
    f = figures.get("write-tail")
    if f and "absent" not in f:
        merged = {}
        for r in f["rounds"]:
            for us, count in r["histogram"] or []:
                merged[us] = merged.get(us, 0) + count
        if merged:
            out["write-latency.svg"] = picture.latencies(
                sorted(merged.items()), {"p50": f["facts"]["p50_us"], "p99": f["facts"]["p99_us"]},
                "durable writes at half of the highest rate, %.0f a second" % f["facts"]["rate"])
        if len(f["facts"]["curve"]) > 1:
            out["write-load.svg"] = picture.over_load(sorted(f["facts"]["curve"], key=lambda p: p["rps"]),
                                                      "durable writes: latency over load")
    return out


def page(results, notes, images):
    figures = results["figures"]
    sections = [
        "# Performance\n",
        "Made by `bench/run` from `bench/results/%s.json`, which has every round; what is written here by hand is in "
        "`bench/notes.md`. `bench/run --page` makes the page again.\n" % results["date"],
        summary(figures) + "\n", again_line(figures), goals_table(figures),
        "![Each figure beside its goal](img/performance/goals.svg)\n" if "goals.svg" in images else "",
        missed_section(figures, notes), absent_section(figures), requests_section(figures),
        writes_section(figures, images), machines_section(figures), counts_section(), also_section(figures), where_section(results), HOW]
    return "\n".join(s.rstrip("\n") + "\n" for s in sections if s)


def write(results, folder, notes=None):
    """performance.md and img/performance/ below the folder. Pictures of an earlier run do not stay."""
    images = pictures(results["figures"])
    where = os.path.join(folder, "img", "performance")
    os.makedirs(where, exist_ok=True)
    for name in os.listdir(where):
        if name.endswith(".svg"):
            os.unlink(os.path.join(where, name))
    for name, svg in images.items():
        with open(os.path.join(where, name), "w", encoding="utf-8") as f:
            f.write(svg)
    with open(os.path.join(folder, "performance.md"), "w", encoding="utf-8") as f:
        f.write(page(results, read_notes() if notes is None else notes, images))
