# SPDX-License-Identifier: MIT
"""The picture of docs/benchmarks.md is drawn from the numbers that stand there."""
import pathlib
import re
import sys
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

import chart  # noqa: E402

PAGE = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")


def test_the_picture_is_drawn_from_the_page():
    assert (ROOT / "docs" / "benchmarks.svg").read_text(encoding="utf-8") == chart.draw(PAGE), \
        "docs/benchmarks.svg is not what docs/benchmarks.md says: script/bench --draw"


def test_each_number_of_the_page_is_in_the_picture():
    drawn = "".join(xml.etree.ElementTree.fromstring(chart.draw(PAGE)).itertext())
    sides = PAGE.partition("## The servers side by side")[2].partition("\n## ")[0]
    rates = re.findall(r"^\| (?:Taskhold|Fastify|Flask) \| ([\d,.]+) ", sides, re.MULTILINE)
    assert len(rates) >= 18 and all(rate in drawn for rate in rates), rates


def test_another_number_is_another_picture():
    number = re.search(r"^\| Taskhold \| ([\d,]+) ", PAGE, re.MULTILINE)[1]
    assert chart.draw(PAGE.replace(number, "12,345")) != chart.draw(PAGE)
    assert chart.draw("# Benchmarks\n\nnothing measured\n") is None
