# SPDX-License-Identifier: MIT
"""docs/comparison.md: what is said of another system has its source, what is said of this one its test or document."""
import pathlib
import re

import pytest

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "comparison.md").read_text(encoding="utf-8")
MARKS = {"yes", "no", "part", "own", "–", "?"}
NEEDS_A_SOURCE = {"yes", "no", "part"}


def rows(title):
    """The cells of each line of the tables under a heading."""
    section = re.split(r"^## ", PAGE.partition(f"\n## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    lines = re.findall(r"^\|(.*)\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.split("|")] for line in lines if not line.startswith(" ---")]


HEAD, *LINES = rows("Side by side")
MATRIX = [line for line in LINES if line[0].isdigit()]
SYSTEMS = HEAD[2:]


def numbers(cell):
    """The rows that a line of a system's own table speaks of: `5`, `9, 10` or `21 to 25`."""
    found = set()
    for first, last in re.findall(r"(\d+)(?: to (\d+))?", cell):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_the_rows_are_numbered_and_marked():
    assert [int(line[0]) for line in MATRIX] == list(range(1, len(MATRIX) + 1))
    for line in MATRIX[:-1]:
        assert set(line[2:]) <= MARKS, line


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_mark_has_its_source(system):
    told = [line for line in rows(system) if re.match(r"\d", line[0])]
    covered = set().union(*(numbers(line[0]) for line in told))
    column = HEAD.index(system)
    if system == "Taskhold":
        marked = {int(line[0]) for line in MATRIX[:-1] if line[column] == "yes"}
    else:
        marked = {int(line[0]) for line in MATRIX if line[column] in NEEDS_A_SOURCE}
    assert marked <= covered, f"{system}: no source for rows {sorted(marked - covered)}"
    for line in told:
        assert re.search(r"\]\((https://|\.\./|\w+\.md)|tried", " ".join(line[1:])), line


def test_the_date_of_checking_stands_there():
    assert re.search(r"Checked on \d{4}-\d{2}-\d{2}", PAGE)


def test_what_is_linked_here_is_there():
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", PAGE):
        assert (DOCS / link).exists(), link
