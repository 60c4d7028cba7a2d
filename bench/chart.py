# SPDX-License-Identifier: MIT
"""Draws the requests a second of every server and case: horizontal bars on a logarithmic scale, as SVG."""
import math
from html import escape

from load import CASES
from report import NAMES, ORDER, rate

WIDTH, LEFT, RIGHT, TOP = 860, 150, 90, 96
BAR, GAP, GROUP_GAP = 16, 3, 20
COLOURS = {"bare": "#9aa5b1", "taskhold": "#0b6e4f", "fastify": "#d08c1f", "flask": "#3f6fb5"}
FONT = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\""


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


def text(x, y, content, size=13, anchor="start", colour="#1d2733", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}">{escape(content)}</text>')


def legend():
    parts, x = [], LEFT
    for name in ORDER:
        parts.append(f'<rect x="{x}" y="50" width="14" height="14" rx="2" fill="{COLOURS[name]}"/>')
        parts.append(text(x + 20, 62, NAMES[name]))
        x += 40 + 8 * len(NAMES[name])
    return parts


def grid(scale, bottom):
    parts = []
    for power in scale.powers():
        x = scale.x(power)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="#e3e8ee"/>')
        parts.append(text(x, TOP - 12, f"{power:,}", 11, "middle", "#5b6875"))
    return parts


def group(scale, case, results, y):
    names = [name for name in ORDER if name in results]
    height = len(names) * (BAR + GAP) - GAP
    parts = [text(LEFT - 14, y + height / 2 + 5, case.title, 14, "end", weight="600")]
    for name in names:
        value = results[name].rate
        width = max(1.0, scale.x(value) - LEFT)
        weight = "700" if name == "taskhold" else "normal"
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" rx="2" fill="{COLOURS[name]}"/>')
        parts.append(text(LEFT + width + 6, y + BAR - 4, rate(value), 12, weight=weight))
        y += BAR + GAP
    return parts, y - GAP + GROUP_GAP


def draw(results):
    """results: {case: {server: Result}}. Gives the text of the drawing."""
    scale = Scale([one.rate for case in results.values() for one in case.values()])
    parts, y = [], TOP
    for case in CASES:
        if case.key in results:
            bars, y = group(scale, case, results[case.key], y)
            parts += bars
    title = text(24, 30, "Requests a second on one core, more is better (logarithmic scale)", 17, weight="600")
    body = "\n".join([title, *legend(), *grid(scale, y - GROUP_GAP + 6), *parts])
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" '
            f'role="img" {FONT}>\n<title>Requests a second of four servers</title>\n'
            f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n{body}\n</svg>\n')
