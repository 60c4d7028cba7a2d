# SPDX-License-Identifier: MIT
"""The picture of docs/benchmarks.md is drawn from the numbers that stand there; the benchmarks fit the program they measure."""
import pathlib
import re
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import chart  # noqa: E402
import pgbench  # noqa: E402
import servers  # noqa: E402

PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def test_the_picture_is_drawn_from_the_page():
    assert (ROOT / "docs" / "benchmarks.svg").read_text(encoding="utf-8") == chart.draw(PAGE), \
        "docs/benchmarks.svg is not what docs/benchmarks.md says: script/bench --draw"


def test_each_number_of_the_page_is_in_the_picture():
    drawn = "".join(xml.etree.ElementTree.fromstring(chart.draw(PAGE)).itertext())
    sides = PAGE.partition("## The servers side by side")[2].partition("\n## ")[0]
    rates = re.findall(r"^\| (?:Taskhold|Fastify|Flask) \| ([\d,.]+) ", sides, re.MULTILINE)
    assert len(rates) >= 18 and all(rate in drawn for rate in rates), rates


def test_the_line_of_versions_fits():
    longer = re.sub(r"^\| Taskhold \| taskhold .* \|$", "| Taskhold | taskhold 10.20.30 (commit 0123456789ab-dirty) |", PAGE, flags=re.MULTILINE)
    line = re.search(r">(Taskhold 10\.20\.30, .*)<", chart.draw(longer))[1]
    assert len(line) * 6.5 < chart.WIDTH and "commit" not in line, line


def test_another_number_is_another_picture():
    number = re.search(r"^\| Taskhold \| ([\d,]+) ", PAGE, re.MULTILINE)[1]
    assert chart.draw(PAGE.replace(number, "12,345")) != chart.draw(PAGE)
    assert chart.draw("# Benchmarks\n\nnothing measured\n") is None


def source(path):
    return (ROOT / path).read_text(encoding="utf-8")


def test_pgbench_has_a_value_for_each_parameter_of_a_create():
    types = re.search(r'\[SQL_ITEM_CREATE - SQL_ITEM_COUNT\] =.*?"(u\w+N)"\}', source("src/store/postgres/sql.c"), re.DOTALL)[1]
    members = re.findall(r'FIELD_NAME\("(\w+)"\),\s+\.type = FIELD_(\w+)', source("src/model/task.c"))
    kinds = {"UUID": "u"} | dict.fromkeys(("TEXT", "STRINGS", "UUIDS", "MAP"), "t")
    created = [kinds.get(kind, "i") for name, kind in members if name not in ("revision", "position")] + ["t"]  # and `folded`
    assert len(created) == 21
    assert [kind[0] for _, kind in pgbench.CREATE] == [{"i": "b"}.get(letter, letter) for letter in [*types[:-1], *created]]


def test_lists_that_were_not_asked_before_are_more_than_a_loop_keeps():
    kept = int(re.search(r"#define LIST_PAGES +(\d+)U", source("src/api/api.c"))[1])
    assert servers.PAGES >= 4 * kept
