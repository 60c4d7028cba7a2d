# SPDX-License-Identifier: MIT
"""Draws docs/benchmarks.svg from the tables of docs/benchmarks.md: horizontal bars on a logarithmic scale."""
import math
import re
from html import escape

from load import CASES
from report import NAMES, rate

WIDTH, LEFT, RIGHT, TOP = 880, 170, 40, 142
BAR, GAP, GROUP_GAP = 18, 3, 18
INSIDE = 78  # a bar at least so long has its number inside
LIMIT, BARS = "bare", ("taskhold", "fastify", "flask")
STYLE = """\
text { fill: #1d2733; font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif }
.back { fill: #ffffff; stroke: #d5dbe1 } .grid { stroke: #dfe5eb } .quiet { fill: #55616d }
.limit { stroke: #55616d; stroke-width: 2; stroke-dasharray: 3 3 }
.taskhold { fill: #0b6e4f } .fastify { fill: #a05f08 } .flask { fill: #3f6fb5 } .inside { fill: #ffffff }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .back { fill: #0d1117; stroke: #30363d } .grid { stroke: #2b323a } .quiet { fill: #9aa7b4 }
.limit { stroke: #9aa7b4 } .taskhold { fill: #14835f } .inside { fill: #ffffff } }"""


class Page:
    """What the picture needs of benchmarks.md: {case: {server: requests/s}} and the facts of the machine."""

    def __init__(self, text):
        self.facts = dict(re.findall(r"^\| (\w[^|]*?) \| ([^|]+?) \|$", text.partition("## The machine")[2], re.MULTILINE))
        names = {name: key for key, name in NAMES.items()}
        self.rates = {}
        for case in CASES:
            found = re.search(rf"^### {re.escape(case.title)}, \d+ connections\n\n((?:\|.*\n)+)", text, re.MULTILINE)
            if found:
                rows = [line.split("|") for line in found[1].splitlines()[2:]]
                self.rates[case.key] = {names[row[1].strip()]: float(row[2].replace(",", "")) for row in rows}

    def versions(self):
        """Of the servers, as the bars name them."""
        flask = re.search(r"Flask [\d.]+", self.facts["Flask"])[0]
        fastify = re.search(r"fastify ([\d.]+)", self.facts["Fastify"])[1]
        node, python = self.facts["Fastify"].partition(",")[0], self.facts["Flask"].partition(",")[0]
        taskhold = re.search(r"[\d.]+", self.facts["Taskhold"])[0]  # without the commit
        return f"Taskhold {taskhold}, Fastify {fastify} ({node}), {flask} ({python})"


class Scale:
    """A value to its place on the line: whole powers of ten from the least to the most."""

    def __init__(self, values):
        self.first = math.floor(math.log10(min(values)))
        self.last = math.ceil(math.log10(max(values)))

    def x(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def powers(self):
        return [10 ** power for power in range(self.first, self.last + 1)]


def text(x, y, content, size=13, anchor="start", kind="", weight="normal"):
    kind = f' class="{kind}"' if kind else ""
    return (f'<text{kind} x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(content)}</text>')


def line(kind, x, top, bottom):
    return f'<line class="{kind}" x1="{x:.1f}" y1="{top:.1f}" x2="{x:.1f}" y2="{bottom:.1f}"/>'


def heading(page):
    return [
        text(20, 32, "Requests a second on one core: more is better", 19, weight="700"),
        text(20, 55, "The same to-do API three times, on one machine. A write is on the disk before it is answered."),
        text(20, 75, f"{page.versions()}; {page.facts['Date']}, {page.facts['Processor']}", 12, kind="quiet"),
    ]


def legend():
    parts, x = [], LEFT
    for name in BARS:
        parts.append(f'<rect class="{name}" x="{x}" y="91" width="14" height="14" rx="2"/>')
        parts.append(text(x + 20, 103, NAMES[name], weight="700" if name == "taskhold" else "normal"))
        x += 44 + 8 * len(NAMES[name])
    return parts + [line("limit", x + 6, 90, 107),
                    text(x + 16, 103, "a server that does no work: the limit of the machine")]


def grid(scale, bottom):
    parts = []
    for power in scale.powers():
        parts.append(line("grid", scale.x(power), TOP - 8, bottom))
        parts.append(text(scale.x(power), TOP - 14, f"{power:,}", 11, "middle", "quiet"))
    return parts


def bar(scale, name, value, y):
    end = max(LEFT + 1.0, scale.x(value))
    weight = "700" if name == "taskhold" else "normal"
    inside = end - LEFT >= INSIDE
    place = (end - 6, "end", "inside") if inside else (end + 6, "start", "")
    return [f'<rect class="{name}" x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" rx="2"/>',
            text(place[0], y + BAR - 5, rate(value), 12, place[1], place[2], weight)]


def group(scale, case, rates, y):
    """The bars of one case, its name in as many lines as it has commas, and the limit over all of them."""
    names = [name for name in BARS if name in rates]
    height = len(names) * (BAR + GAP) - GAP
    title = case.title.split(", ")
    parts = [text(LEFT - 14, y + height / 2 + 5 + 17 * (number - (len(title) - 1) / 2), part, 14, "end", weight="600")
             for number, part in enumerate(title)]
    for number, name in enumerate(names):
        parts += bar(scale, name, rates[name], y + number * (BAR + GAP))
    if LIMIT in rates:
        parts.append(line("limit", scale.x(rates[LIMIT]), y - 4, y + height + 4))
    return parts, y + height + GROUP_GAP


def alternative(page):
    """The picture in words, for whoever does not see it."""
    cases = (f"{case.title}: " + ", ".join(f"{NAMES[name]} {rate(page.rates[case.key][name])}" for name in BARS
                                           if name in page.rates[case.key]) for case in CASES if case.key in page.rates)
    return "; ".join(cases) + "."


def draw(benchmarks):
    """benchmarks: the text of benchmarks.md. Gives the text of the drawing, None if no servers are compared in it."""
    page = Page(benchmarks)
    if not page.rates:
        return None
    scale = Scale([value for rates in page.rates.values() for value in rates.values()])
    parts, y = [], TOP
    for case in CASES:
        if case.key in page.rates:
            bars, y = group(scale, case, page.rates[case.key], y)
            parts += bars
    parts.append(text(20, y + 12, "Logarithmic: each line is ten times the one before. Logins compare the hashes of passwords, "
                                  "which differ.", 12, kind="quiet"))
    body = "\n".join([*heading(page), *legend(), *grid(scale, y - GROUP_GAP + 6), *parts])
    height = y + 30
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-labelledby="title desc">\n<title id="title">Requests a second of Taskhold, Fastify and Flask'
            f'</title>\n<desc id="desc">{escape(alternative(page))}</desc>\n<style>\n{STYLE}\n</style>\n'
            f'<rect class="back" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>\n{body}\n</svg>\n')
