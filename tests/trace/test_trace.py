# SPDX-License-Identifier: MIT
"""The way of a request is short, and docs/architecture.md shows it as it is."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GET = "GET /v1/tasks/{id}"
# Files of src/ that a request enters, by the count of script/trace-request. When it is fewer, lower the bound.
MOST = {GET: 29, "POST /v1/tasks": 35}


@pytest.fixture(scope="module", name="traced")
def traced_fixture():
    """What each kind of request enters: pairs of a file and a function."""
    said = subprocess.run([ROOT / "script" / "trace-request"], stdout=subprocess.PIPE, text=True, timeout=300, check=True).stdout
    parts = re.split(r"^(.+): (\d+) files, \d+ functions$", said, flags=re.M)
    entered = {}
    for shown, title, files in zip(parts[::3], parts[1::3], parts[2::3]):
        entered[title] = set(re.findall(r"^    (\S+) +(\w+)$", shown, re.M))
        print(f"{title}: {files} files")
        assert len({file for file, _ in entered[title]}) == int(files)
    return entered


@pytest.mark.parametrize("title", MOST)
def test_a_request_goes_through_few_files(traced, title):
    """Who follows one need not open half of the sources."""
    assert len({file for file, _ in traced[title]}) <= MOST[title]


def test_the_documented_way_is_the_one_that_is_gone(traced):
    """Each hop of the table names a file and functions that the request enters."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    hops = re.findall(r"^\| \d+ \| `(\S+)` (`\w+`(?:, `\w+`)*) \|", text, re.M)
    named = [(file, function) for file, functions in hops for function in re.findall(r"\w+", functions)]
    assert len(hops) > 10
    assert [hop for hop in named if hop not in traced[GET]] == []
