# SPDX-License-Identifier: MIT
"""export and import: the way out and back in, byte for byte."""
import json
import os
import pathlib
import sqlite3
import stat

import pytest

from support.client import Client
from support.commands import refused, taskhold

TEXTS = ["plain", "é\u4e2d\U0001f600", "quotes \" and \\ and /", "a\u2028b", "\u202eright to left", "x" * 1024]


def lines_of(text):
    """Not splitlines: U+2028 ends no line of an export."""
    assert text.endswith("\n")
    return text[:-1].split("\n")


def fill(user):
    """Tasks of every kind, and a tombstone."""
    for status in ("pending", "in-progress", "completed"):
        for text in TEXTS:
            user.task(text, status=status, description=None if status == "pending" else text + "\n\ttab")
    gone = user.task("Deleted")
    user.client.delete(f"/v1/tasks/{gone['id']}").expect(204)


@pytest.fixture
def exported(start_server, make_user, tmp_path):
    """(file, its records, the first user, the server): of two accounts, written beside the running server."""
    server = start_server()
    users = [make_user(server) for _ in range(2)]
    for user in users:
        fill(user)
    users[0].client.patch("/v1/me", {"name": "Ada \U0001f600"}).expect(200)
    file = tmp_path / "all.jsonl"
    done = taskhold(server.directory, "export", str(file))
    assert done.returncode == 0 and done.stdout == "" and "2 users, 36 tasks, 2 tombstones" in done.stderr
    return file, [json.loads(line) for line in lines_of(file.read_text())], users[0], server


def test_what_is_in_it(exported):
    file, (header, *rows), user, server = exported
    assert header == {"format": "taskhold", "version": 1, "users": 2, "tasks": 36, "tombstones": 2}
    assert [row["type"] for row in rows] == ["user"] * 2 + ["task"] * 36 + ["tombstone"] * 2
    mine = next(row for row in rows if row["type"] == "user" and row["id"] == user.id)
    assert mine["email"] == user.email and mine["name"] == "Ada \U0001f600" and mine["disabled_at"] is None
    assert mine["password_hash"].startswith("$argon2id$")
    listed = {item["id"]: item for item in user.client.get("/v1/tasks?limit=100").expect(200).json["items"]}
    for row in rows:
        if row["type"] == "task" and row["user_id"] == user.id:
            assert {name: row[name] for name in listed[row["id"]]} == listed.pop(row["id"])
    assert not listed and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert taskhold(server.directory, "export").stdout == file.read_text()


def test_one_account(exported):
    _, rows, user, server = exported
    done = taskhold(server.directory, "export", "--user", user.email.upper())
    lines = [json.loads(line) for line in lines_of(done.stdout)]
    assert lines[0] == {"format": "taskhold", "version": 1, "users": 1, "tasks": 18, "tombstones": 1}
    assert lines[1:] == [row for row in rows[1:] if user.id in (row.get("id"), row.get("user_id"))]


def test_there_and_back_is_byte_for_byte(exported, start_server, tmp_path):
    """And the accounts work: password, tasks, revisions."""
    file, _, user, _ = exported
    place = tmp_path / "new"
    place.mkdir()
    done = taskhold(place, "import", str(file))
    assert done.returncode == 0 and done.stdout == "imported 2 users, 36 tasks, 2 tombstones\n", done.stderr
    assert taskhold(place, "export").stdout == file.read_text()
    before = user.client.get("/v1/tasks?limit=100&include=total").expect(200).json
    server = start_server(directory=place)
    user.anonymous = Client(server)
    client = Client(server, user.login()["access_token"])
    assert client.get("/v1/tasks?limit=100&include=total").expect(200).json == before
    client.post("/v1/tasks", {"title": "Next"}).expect(201)


def test_many_rows(exported, tmp_path):
    """Made by hand, so that they come in an order of their own."""
    _, (header, *rows), user, _ = exported
    place = tmp_path / "many"
    place.mkdir()
    one = next(row for row in rows if row["type"] == "user" and row["id"] == user.id)
    task = next(row for row in rows if row["type"] == "task")
    lines = [{**header, "users": 1, "tasks": 20000, "tombstones": 0}, {**one, "revision": 20000}]
    lines += [{**task, "user_id": one["id"], "revision": number + 1, "title": f"Task {number}",
               "id": f"{number:08x}-0000-4000-8000-{os.urandom(6).hex()}"} for number in range(20000)]
    (place / "in").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert taskhold(place, "import", "in").returncode == 0
    first = taskhold(place, "export").stdout
    assert {json.dumps(json.loads(line), sort_keys=True) for line in lines_of(first)} == \
        {json.dumps(line, sort_keys=True) for line in lines}
    (place / "out").write_text(first)
    assert taskhold(place, "import", "out", "--database", "sqlite:second.db").returncode == 0
    assert taskhold(place, "export", "--database", "sqlite:second.db").stdout == first


CHANGES = {
    "header": (1, lambda row: {**row, "format": "other"}, "format"),
    "version": (1, lambda row: {**row, "version": 2}, "version"),
    "count": (1, lambda row: {**row, "tasks": 37}, "another number of tasks"),
    "no count": (1, lambda row: {k: v for k, v in row.items() if k != "tasks"}, "no header"),
    "type": (4, lambda row: {**row, "type": "session"}, "known type"),
    "unknown": (4, lambda row: {**row, "colour": "red"}, "no such member here: colour"),
    "missing": (4, lambda row: {k: v for k, v in row.items() if k != "title"}, "there is no title"),
    "title": (4, lambda row: {**row, "title": " "}, "title"),
    "long": (4, lambda row: {**row, "title": "x" * 1025}, "title"),
    "null": (4, lambda row: {**row, "title": None}, "title"),
    "status": (4, lambda row: {**row, "status": "done"}, "status"),
    "time": (4, lambda row: {**row, "created_at": "2026-01-01T00:00:00Z"}, "created_at"),
    "id": (4, lambda row: {**row, "id": row["id"].upper() + "x"}, "not a good value for id"),
    "number": (4, lambda row: {**row, "revision": "7"}, "revision"),
    "negative": (4, lambda row: {**row, "revision": -7}, "revision"),
    "together": (4, lambda row: {**row, "status": "pending", "completed_at": row["created_at"]}, "fit together"),
    "account": (4, lambda row: {**row, "user_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}, "no line before"),
    "revision": (4, lambda row: {**row, "revision": 10 ** 6}, "no line before"),
    "revision 0": (4, lambda row: {**row, "revision": 0}, "revision"),
    "negative revision": (4, lambda row: {**row, "revision": -1}, "revision"),
    "twice the same revision": (5, lambda row: {**row, "revision": 1 + (row["revision"] == 1)}, "earlier line"),
    "revision that cannot be counted up": (2, lambda row: {**row, "revision": 2 ** 63 - 1}, "revision"),
    "revision out of range": (2, lambda row: {**row, "revision": 2 ** 63}, ""),
    "revision above what JSON carries": (2, lambda row: {**row, "revision": 2 ** 53}, "revision"),
    "e-mail": (2, lambda row: {**row, "email": "nobody"}, "email"),
    "hash": (2, lambda row: {**row, "password_hash": "secret"}, "password_hash"),
}


@pytest.fixture
def line_files(exported, tmp_path):
    """Writes the export with one line changed; answers its name."""
    _, rows, _, _ = exported

    def write(number, change):
        changed = [change(row) if index == number - 1 else row for index, row in enumerate(rows)]
        path = tmp_path / "changed.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in changed))
        return path

    return write


def test_lines_that_are_wrong(line_files, tmp_path):
    """The line is named, and nothing at all is imported."""
    place = tmp_path / "empty"
    place.mkdir()
    for name, (number, change, says) in CHANGES.items():
        path = line_files(number, change)
        done = taskhold(place, "import", str(path))
        refused(done, says)
        assert name == "count" or f"changed.jsonl line {number}:" in done.stderr
    for content, says in [("", "nothing to read"), ("{\n", "line 1"), ("\0\n", "line 1"), ("[]\n", "line 1")]:
        path.write_text(content)
        refused(taskhold(place, "import", str(path)), says)
    double = line_files(4, lambda row: row)
    lines = double.read_text().splitlines(keepends=True)
    double.write_text("".join(lines[:4] + lines[3:]))
    refused(taskhold(place, "import", str(double)), "line 5: the same id")
    assert [path.name for path in (place / "data").iterdir()] == ["taskhold.db.lock"]
    assert taskhold(place, "migrate").returncode == 0
    refused(taskhold(place, "import", str(double)), "line 5: the same id")
    with sqlite3.connect(place / "data" / "taskhold.db") as db:
        assert db.execute("SELECT count(*) FROM users").fetchone() == (0,)
    db.close()


def test_what_is_refused(exported, tmp_path):
    file, _, user, server = exported
    refused(taskhold(server.directory, "import", str(file)), "another process is using")
    refused(taskhold(server.directory, "export", str(file)), "--force")
    assert taskhold(server.directory, "export", str(file), "--force").returncode == 0
    refused(taskhold(server.directory, "export", "--user", "nobody@example.com"), "no account")
    refused(taskhold(server.directory, "export", "--user"), "--user needs a value", 2)
    refused(taskhold(server.directory, "export", "a", "b"), "give one FILE", 2)
    refused(taskhold(tmp_path, "export"), "there is no database")
    refused(taskhold(tmp_path, "import"), "give one FILE", 2)
    refused(taskhold(tmp_path, "import", "missing"), "No such file")
    refused(taskhold(server.directory, "export", "nowhere/file"), "nowhere/file")
    refused(taskhold(tmp_path, "import", str(file), "--database", "postgres://127.0.0.1:1/d"), "refused")
    server.terminate()
    refused(taskhold(server.directory, "import", str(file)), "holds accounts already")


def test_the_way_from_0_1_0(start_server, tmp_path):
    """A database of that version is refused with what to do, and that works: export, import, log in."""
    (tmp_path / "data").mkdir()
    old = tmp_path / "data" / "taskhold.db"
    with sqlite3.connect(old) as db:
        db.executescript((pathlib.Path(__file__).parent / "database-0.1.0.sql").read_text())
    db.close()
    refused(taskhold(tmp_path, "migrate"), "it was made by version 0.1.0")
    findings = json.loads(taskhold(tmp_path, "doctor", "--json").stdout)["checks"]
    (schema,) = [one for one in findings if one["check"] == "schema"]
    assert schema["level"] == "error" and "taskhold import FILE" in schema["finding"]

    file, place = tmp_path / "all.jsonl", tmp_path / "new"
    place.mkdir()
    assert "1 users, 3 tasks, 0 tombstones" in taskhold(tmp_path, "export", str(file)).stderr
    assert taskhold(place, "import", str(file)).returncode == 0
    client = Client(start_server(directory=place))
    tokens = client.post("/v1/auth/login", {"email": "ada@example.com", "password": "a fine long phrase"}).expect(200).json
    tasks = Client(client.server, tokens["access_token"]).get("/v1/tasks").expect(200).json["items"]
    assert [task["title"] for task in tasks] == ["three", "two", "one"]
