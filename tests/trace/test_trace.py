# SPDX-License-Identifier: MIT
"""The way of a request is short, and docs/architecture.md shows it as it is."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GET = "GET /v1/tasks/{id}"
# Files of src/ that a request enters, by the count of script/trace-request. When it is fewer, lower the bound.
# Of those of a create, four are there for the task model: its rules, references, order and search; one tells streams, one says
# what a write was refused for, and one looks whether the file was moved. Two are there for an overload: http/ready.c orders the
# connections, store/admission.c says how many may wait for the writer.
MOST = {GET: 30, "POST /v1/tasks": 44}


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


def hops_of(heading):
    """The files and functions of the table in that section of docs/architecture.md."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| \d+ \| (.*?) \|", section, re.M)
    assert len(rows) > 10
    hops, file = [], None
    for row in rows:
        for name in re.findall(r"`(\S+)`", row):
            file = name if "." in name else file
            hops += [] if "." in name else [(file, name)]
    return hops


def test_the_documented_way_is_the_one_that_is_gone(traced):
    """Each hop of the table names a file and functions that the request enters."""
    assert [hop for hop in hops_of("The way of a request") if hop not in traced[GET]] == []


def test_the_documented_way_of_a_completion_is_there():
    """It is not traced; but each function is defined in the file that is named."""
    missing = [(file, function) for file, function in hops_of("The task model")
               if not re.search(rf"^\w.*\b{function}\(", (ROOT / "src" / file).read_text(encoding="utf-8"), re.M)]
    assert missing == []
