# SPDX-License-Identifier: MIT
"""What the readers of other services' files make of them: of each file in from/ exactly what stands in
the report beside it (`python3 tests/model/test_from.py` writes the reports anew, to be read before they
are committed), and of files that are broken or too large a refusal that says where and what to do."""
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/asan/tests/unit/print_from"
FILES = pathlib.Path(__file__).resolve().parent / "from"
ZONE = "Europe/Berlin"
NOW = "2026-11-29T12:00:00Z"

# the report's name, the format, the file
CASES = [
    ("csv", "csv", "tasks.csv"),
    ("google", "google", "Tasks.json"),
    ("ics", "ics", "calendar.ics"),
    ("ics-folded", "ics", "folded.ics"),
    ("microsoft", "microsoft", "todo.json"),
    ("microsoft-graph", "microsoft", "graph.json"),
    ("outlook", "microsoft", "outlook.csv"),
    ("ticktick", "ticktick", "ticktick.csv"),
    ("todoist", "todoist", "Home [2203306141].csv"),
    ("todoist-dates", "todoist", "dates.csv"),
    ("vikunja", "vikunja", "data.json"),
]

VTODO = "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nSUMMARY:A\n"

# the format, the file, what the refusal says
REFUSALS = [
    ("csv", b"", "the file is empty"),
    ("csv", b"name,due\nA,\n", "line 1: no column is named `title`"),
    ("csv", b'title,due\nA,\n"B,\n', "line 3: the quote that begins a field there is never closed"),
    ("csv", b'title,due\n"A"B,\n', "line 2: text stands after the quote"),
    ("csv", b"title\nA\nB\xff\n", "line 3: a character there is not UTF-8; save the file as UTF-8"),
    ("csv", b"title\nA\nB\0\n", "line 3: a character there is not UTF-8"),
    ("csv", "title\nA\n".encode("utf-16"), "the file is in UTF-16; save it as UTF-8"),
    ("csv", b"title" + b"," * 64 + b"\n", "line 1: more than 64 columns"),
    ("csv", b"title\n" + b"x" * 1100000, "line 2: the record is longer than 1048576 bytes"),
    ("todoist", b"PK\3\4rest", "this is a zip archive; unpack it and give each CSV file, one of a project"),
    ("vikunja", b"PK\3\4rest", "this is a zip archive; unpack it and give data.json"),
    ("todoist", b"title\nA\n", "line 1: no columns are named TYPE and CONTENT"),
    ("ticktick", b"title\nA\n", "line 1: no columns are named `List Name` and `Title`"),
    ("microsoft", b"title\nA\n", "line 1: no columns are named `Subject` and `Due Date`"),
    ("microsoft", b"Subject,Due Date\nA,31/1/2026\nB,1/31/2026\n", "line 3: the day comes first in the dates of line 2"),
    ("microsoft", b'{"values": []}', "line 1: there are neither `lists` nor `value`"),
    ("google", b'{"kind": "x"}', "line 1: there are no `items`: this is not Tasks.json"),
    ("google", b'{"items": [\n{"id": 1,\n"items": [{"title": tru}]}]}', "line 3: the JSON there is broken"),
    ("google", b'{"items": [\n{"id": 1 "items": []}]}', "line 2: the JSON there is broken: a comma"),
    ("google", b'{"items": [\n', "line 1: the JSON there is broken: the value that begins there never ends"),
    ("google", b'{"items": []}\n\nmore', "line 1: the JSON there is broken: something stands after its end"),
    ("google", b"[" * 100 + b"]" * 100, "line 1: the JSON there is broken"),
    ("vikunja", b'{"id": 1}', "line 1: there is no array of projects"),
    ("vikunja", b'[{"child_projects":' * 17 + b"[]" + b"}]" * 17, "line 1: projects lie more than 16 levels deep"),
    ("ics", b"title\nA\n", "line 1: the file does not begin with BEGIN:VCALENDAR"),
    ("ics", VTODO.encode(), "line 2: the VTODO that begins there has no END:VTODO"),
    ("ics", (VTODO + "DESCRIPTION:\xff").encode("latin-1"), "line 5: a character there is not UTF-8"),
    ("ics", (VTODO + "X:" + "\n y" * 600000).encode(), "line 5: a folded line there is longer than 1048576 bytes"),
]


def read(form, path, name=None):
    arguments = [PROGRAM, form, path, ZONE, NOW, name or path.name]
    run = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert run.returncode == 0 and not run.stderr, run.stderr
    return run.stdout


def last(text):
    return text.splitlines()[-1]


@pytest.mark.parametrize("report,form,file", CASES)
def test_report(report, form, file):
    assert read(form, FILES / file) == (FILES / f"{report}.report").read_text()


@pytest.mark.parametrize("form,content,says", REFUSALS, ids=[says for _, _, says in REFUSALS])
def test_refusal(tmp_path, form, content, says):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert last(read(form, path)).startswith(f"refused: {says}")


def test_no_file(tmp_path):
    assert last(read("csv", tmp_path / "nothing")).endswith("nothing: No such file or directory")
    assert last(read("csv", tmp_path)).endswith("is no file; give the path of one")


def test_too_large(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(256 * 1024 * 1024 + 1)
    assert last(read("csv", path)).endswith("has more than 256 MiB; split it and import the parts one by one")


def test_too_many_tasks(tmp_path):
    path = tmp_path / "many.csv"
    path.write_text("title\n" + "A\n" * 200001)
    lines = read("csv", path).splitlines()
    assert lines[-1].startswith("refused: line 200002: more than 200000 tasks; split the file")
    keys = {line.split('"')[1] for line in lines[:-1]}
    assert len(keys) == 200000


def test_too_many_lists(tmp_path):
    path = tmp_path / "lists.csv"
    path.write_text("title,list\n" + "".join(f"A,list {n}\n" for n in range(1001)))
    assert last(read("csv", path)).startswith("refused: line 1002: more than 1000 lists")


def tasks_of(text):
    """Of each task that came: its key, its parent's, and whether a parent came before it."""
    seen = {}
    for line in text.splitlines():
        if line.startswith("task "):
            words = dict(word.split("=", 1) for word in line.split() if "=" in word)
            parent = words.get("parent")
            assert parent is None or parent in seen
            seen[words["key"]] = parent
    return seen


def test_children_before_parents(tmp_path):
    """A chain of 20,000, the last one first: eight levels of it stay, and a thousand of a tree."""
    path = tmp_path / "chain.csv"
    chain = "".join(f"t,{n},{n - 1 if n else ''}\n" for n in reversed(range(20000)))
    path.write_text("title,id,parent_id\n" + chain)
    text = read("csv", path)
    seen = tasks_of(text)
    assert len(seen) == 20000 and last(text) == "read"
    levels = {}
    for key, parent in seen.items():
        levels[key] = levels[parent] + 1 if parent else 1
    assert max(levels.values()) == 8
    assert sum(1 for level in levels.values() if level == 1) == 20


def test_renamed_is_another(tmp_path):
    """The key of a task without an id is of its list, its parents, its title and its number."""
    path = tmp_path / "keys.csv"
    keys = []
    for content in ("A,x,2026-12-01\nA,x,\n", "A,x,\nB,x,\nA,x,\n", "A,y,\n", "B,x,\n"):
        path.write_text("title,list,due\n" + content)
        keys.append(list(tasks_of(read("csv", path))))
    assert keys[1][0] == keys[0][0] and keys[1][2] == keys[0][1]
    assert keys[1][1] == keys[3][0]
    assert len({key for some in keys for key in some}) == 4


def write_reports():
    for report, form, file in CASES:
        (FILES / f"{report}.report").write_text(read(form, FILES / file))


if __name__ == "__main__":
    sys.exit(write_reports())
