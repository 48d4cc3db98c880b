"""Pictures as SVG, drawn from the results alone. White ground and dark text: they read the same in any theme."""
import math
from xml.sax.saxutils import escape

INK, FAINT, GOOD, BAD, LINE = "#24292f", "#d0d7de", "#1a7f37", "#bc4c00", "#0550ae"
FONT = "font-family='system-ui,sans-serif'"


class Canvas:
    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.parts = ["<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d' role='img'>"
                      % (width, height, width, height), "<title>%s</title>" % escape(title),
                      "<rect width='100%' height='100%' fill='#ffffff'/>"]

    def text(self, x, y, text, *, size=12, anchor="start", color=INK, bold=False):
        self.parts.append("<text x='%.1f' y='%.1f' font-size='%d' %s fill='%s' text-anchor='%s'%s>%s</text>" % (
            x, y, size, FONT, color, anchor, " font-weight='600'" if bold else "", escape(text)))

    def rect(self, x, y, w, h, color):
        self.parts.append("<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='%s'/>" % (x, y, max(w, 0), h, color))

    def line(self, x1, y1, x2, y2, color=INK, width=1.0, dash=None):
        self.parts.append("<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s' stroke-width='%g'%s/>" % (
            x1, y1, x2, y2, color, width, " stroke-dasharray='%s'" % dash if dash else ""))

    def path(self, points, color, width=2.0):
        self.parts.append("<polyline points='%s' fill='none' stroke='%s' stroke-width='%g'/>" % (
            " ".join("%.1f,%.1f" % p for p in points), color, width))

    def dot(self, x, y, color, r=3.0):
        self.parts.append("<circle cx='%.1f' cy='%.1f' r='%g' fill='%s'/>" % (x, y, r, color))

    def svg(self):
        return "\n".join(self.parts + ["</svg>", ""])


def decades(low, high):
    """1, 2 and 5 of each decade between, those at the ends included."""
    return [m * 10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for m in (1, 2, 5) if low <= m * 10.0 ** e <= high]


def short(v):
    return "%d" % v if v >= 1 and v == int(v) else "%g" % v


def margins(rows):
    """rows: (text, margin, low, high, met). How many times better than its goal each figure is, on a log scale; the
    goal is the line at 1."""
    left, right, step, top = 250, 70, 24, 46
    values = [v for _, m, low, high, _ in rows for v in (m, low, high) if v and v > 0] + [0.5, 2.0]
    low, high = max(min(values) / 1.2, 1e-3), min(max(values) * 1.2, 1e5)
    width, height = 860, top + step * len(rows) + 40
    c = Canvas(width, height, "Each figure beside its goal")
    span = width - left - right

    def x(v):
        return left + span * (math.log(min(max(v, low), high)) - math.log(low)) / (math.log(high) - math.log(low))

    c.text(left, 18, "times better than the goal: right of the line the goal is met", size=13, bold=True)
    for tick in decades(low, high):
        c.line(x(tick), top - 6, x(tick), height - 30, FAINT)
    for tick in (t for t in decades(low, high) if str(t).strip("0.").startswith("1")):
        c.text(x(tick), top - 10, short(tick), size=11, anchor="middle")
    for i, (text, margin, worst, best, met) in enumerate(rows):
        y = top + step * i
        color = GOOD if met else BAD
        c.text(left - 8, y + 14, text, anchor="end")
        c.rect(min(x(1), x(margin)), y + 4, abs(x(margin) - x(1)), step - 10, color)
        c.line(x(worst), y + step / 2 - 1, x(best), y + step / 2 - 1, INK, 1.5)
        for end in (worst, best):
            c.line(x(end), y + 6, x(end), y + step - 8, INK, 1.5)
        c.text(width - right + 8, y + 14, "%.3g×" % margin, color=color)
    c.line(x(1), top - 6, x(1), height - 30, LINE, 2, "5,3")
    c.text(x(1), height - 12, "the goal", anchor="middle", color=LINE)
    return c.svg()


def _merge(histogram, low, high, n):
    """[[µs, count]] into n bins of equal width on a log scale."""
    bins = [0] * n
    for us, count in histogram:
        at = (math.log(max(us, low)) - math.log(low)) / (math.log(high) - math.log(low))
        bins[min(n - 1, max(0, int(at * n)))] += count
    return bins


def latencies(histogram, marks, title):
    """histogram: [[µs, count], …]; marks: {name: µs}. How many requests took how long, on a log scale."""
    left, right, top, width, height, n = 50, 20, 40, 760, 300, 90
    values = [us for us, count in histogram if us > 0 and count]
    low, high = min(values) / 1.1, max(max(values), max(marks.values())) * 1.1
    bins, bottom = _merge(histogram, low, high, n), height - 40
    c = Canvas(width, height, title)
    span = width - left - right

    def x(us):
        return left + span * (math.log(us) - math.log(low)) / (math.log(high) - math.log(low))

    c.text(left, 18, title, size=13, bold=True)
    for tick in decades(low, high):
        c.line(x(tick), top, x(tick), bottom, FAINT)
        c.text(x(tick), bottom + 16, "%s ms" % short(tick / 1000), size=11, anchor="middle")
    for i, count in enumerate(bins):
        h = (bottom - top) * count / max(bins)
        c.rect(left + span * i / n, bottom - h, span / n - 1, h, LINE)
    for i, (name, us) in enumerate(marks.items()):
        c.line(x(us), top - 4, x(us), bottom, BAD, 1.5, "4,3")
        c.text(x(us) + 4, top + 10 + 14 * i, "%s %.3g ms" % (name, us / 1000), color=BAD)
    c.line(left, bottom, width - right, bottom)
    return c.svg()


def over_load(points, title):
    """points: [{"rps":, "p50_us":, "p99_us":}], by load. Both percentiles on a log scale over requests a second."""
    left, right, top, width, height = 70, 90, 40, 760, 320
    bottom, high_x = height - 45, max(p["rps"] for p in points) * 1.08
    values = [p[k] for p in points for k in ("p50_us", "p99_us")]
    low, high = min(values) / 1.5, max(values) * 1.5
    c = Canvas(width, height, title)

    def at(p, key):
        y = bottom - (bottom - top) * (math.log(p[key]) - math.log(low)) / (math.log(high) - math.log(low))
        return left + (width - left - right) * p["rps"] / high_x, y

    c.text(left, 18, title, size=13, bold=True)
    for tick in decades(low, high):
        y = at({"rps": 0, "t": tick}, "t")[1]
        c.line(left, y, width - right, y, FAINT)
        c.text(left - 6, y + 4, "%s ms" % short(tick / 1000), size=11, anchor="end")
    for p in points:
        c.text(at(p, "p50_us")[0], bottom + 16, "%.0f" % p["rps"], size=11, anchor="middle")
    c.text((left + width - right) / 2, height - 8, "requests a second", anchor="middle")
    for key, color in (("p50_us", LINE), ("p99_us", BAD)):
        line = [at(p, key) for p in points]
        c.path(line, color)
        for px, py in line:
            c.dot(px, py, color)
        c.text(line[-1][0] + 8, line[-1][1] + 4, key[:3], color=color, bold=True)
    c.line(left, bottom, width - right, bottom)
    return c.svg()
