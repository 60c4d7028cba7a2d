# SPDX-License-Identifier: MIT
"""What a section finds: promises, tables, costs; and how numbers are written."""
from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Check:
    """One row of "What was promised": what it is about, what was promised, what was measured, and whether it holds."""
    what: str
    promised: str
    measured: str
    met: bool


@dataclass(frozen=True)
class Table:
    """A part of the report of its own: Markdown above a table."""
    title: str
    text: str
    headings: tuple
    lines: tuple


@dataclass(frozen=True)
class Cost:
    """A number that docs/scaling.md reckons with; `key` is its name there."""
    key: str
    value: float


def microseconds(value):
    if value >= 99_500:
        return f"{value / 1e6:.2f} s"
    if value >= 1_000:
        return f"{value / 1e3:.1f} ms"
    return f"{value:.0f} µs"
