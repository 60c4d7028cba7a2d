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
    """Tasks of every kind, and a change of each."""
    for status in ("pending", "in-progress", "completed"):
        for text in TEXTS:
            task = user.task(text, status=status, description=None if status == "pending" else text + "\n\ttab")
    user.client.patch(f"/v1/tasks/{task['id']}", {"description": TEXTS[3]}).expect(200)
    gone = user.task("Deleted", description=TEXTS[2])
    user.client.delete(f"/v1/tasks/{gone['id']}").expect(204)


@pytest.fixture
def exported(start_server, make_user, tmp_path):
    """(file, its records, the first user, the server): of two accounts, written beside the running server."""
    server = start_server()
    users = [make_user(server) for _ in range(2)]
    for user in users:
        fill(user)
    users[0].client.patch("/v1/me", {"name": "Ada \U0001f600", "time_zone": "Europe/Berlin"}).expect(200)
    file = tmp_path / "all.jsonl"
    done = taskhold(server.directory, "export", str(file))
    assert done.returncode == 0 and done.stdout == "" and "2 users, 2 spaces, 0 lists, 36 tasks, 42 changes, 2 trash" in done.stderr
    return file, [json.loads(line) for line in lines_of(file.read_text())], users[0], server


def test_what_is_in_it(exported):
    file, (header, *rows), user, server = exported
    assert header == {"format": "taskhold", "version": 3, "users": 2, "spaces": 2, "lists": 0, "tasks": 36, "changes": 42, "trash": 2}
    assert [row["type"] for row in rows] == ["user"] * 2 + ["space"] * 2 + ["task"] * 36 + ["change"] * 42 + ["trashed"] * 2
    mine = next(row for row in rows if row["type"] == "user" and row["user_id"] == user.id)
    assert mine["email"] == user.email and mine["name"] == "Ada \U0001f600" and mine["disabled_at"] is None
    assert mine["password_hash"].startswith("$argon2id$")
    assert {row["user_id"] == user.id: row["time_zone"] for row in rows if row["type"] == "user"} == {
        True: "Europe/Berlin", False: None}
    space = next(row for row in rows if row["type"] == "space" and row["owner_id"] == user.id)
    assert space == {"type": "space", "space_id": user.id, "owner_id": user.id, "revision": 21, "forgotten": 0}
    listed = {item["id"]: item for item in user.client.get("/v1/tasks?limit=100").expect(200).json["items"]}
    for row in rows:
        if row["type"] == "task" and row["space_id"] == user.id:
            assert list(row) == ["type", "space_id", *listed[row["id"]]]
            assert {name: row[name] for name in listed[row["id"]]} == listed.pop(row["id"])
    assert not listed and stat.S_IMODE(file.stat().st_mode) == 0o600
    changes = [row for row in rows if row["type"] == "change" and row["space_id"] == user.id]
    assert [change["revision"] for change in changes] == [*range(1, 22)]
    assert [change["verb"] for change in changes] == ["create"] * 18 + ["update", "create", "delete"]
    assert {change["kind"] for change in changes} == {"task"} and all(change["actor"] for change in changes)
    assert [change["before"] for change in changes[:18]] == [None] * 18
    assert changes[18]["before"] == {"description": TEXTS[-1] + "\n\ttab"}
    before = changes[20]["before"]
    assert before["title"] == "Deleted" and before["description"] == TEXTS[2] and before["status"] == "pending"
    assert taskhold(server.directory, "export").stdout == file.read_text()


def test_one_account(exported):
    _, rows, user, server = exported
    done = taskhold(server.directory, "export", "--user", user.email.upper())
    lines = [json.loads(line) for line in lines_of(done.stdout)]
    assert lines[0] == {"format": "taskhold", "version": 3, "users": 1, "spaces": 1, "lists": 0, "tasks": 18, "changes": 21, "trash": 1}
    assert lines[1:] == [row for row in rows[1:] if user.id in (row.get("user_id"), row.get("space_id"))]


def test_an_account_that_is_being_deleted_is_left_out(exported, tmp_path):
    """Its rows go in steps, after it was deleted: those that are still there are nobody's."""
    file, rows, user, server = exported
    server.terminate()
    with sqlite3.connect(server.directory / "data" / "taskhold.db") as db:
        gone = bytes.fromhex(user.id.replace("-", ""))
        db.execute("DELETE FROM sessions WHERE user_id = ?", (gone,))
        db.execute("DELETE FROM spaces WHERE space_id = ?", (gone,))
        db.execute("UPDATE users SET deleted_at = updated_at, email = NULL, name = NULL, password_hash = '' "
                   "WHERE user_id = ?", (gone,))
    db.close()
    lines = [json.loads(line) for line in lines_of(taskhold(server.directory, "export").stdout)]
    assert lines[0]["users"] == lines[0]["spaces"] == 1 and lines[0]["tasks"] == 18 and lines[0]["changes"] == 21
    assert lines[1:] == [row for row in rows[1:] if user.id not in (row.get("user_id"), row.get("space_id"))]


def test_there_and_back_is_byte_for_byte(exported, start_server, tmp_path):
    """And the accounts work: password, tasks, revisions."""
    file, _, user, _ = exported
    place = tmp_path / "new"
    place.mkdir()
    done = taskhold(place, "import", str(file))
    assert done.returncode == 0 and done.stdout == "imported 2 users, 2 spaces, 0 lists, 36 tasks, 42 changes, 2 trash\n", done.stderr
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
    one = next(row for row in rows if row["type"] == "user" and row["user_id"] == user.id)
    space = next(row for row in rows if row["type"] == "space" and row["space_id"] == user.id)
    task = next(row for row in rows if row["type"] == "task")
    lines = [{**header, "users": 1, "spaces": 1, "tasks": 20000, "changes": 0, "trash": 0}, one,
             {**space, "revision": 20000, "forgotten": 20000}]
    lines += [{**task, "space_id": user.id, "revision": number + 1, "title": f"Task {number}",
               "id": f"{number:08x}-0000-4000-8000-{os.urandom(6).hex()}"} for number in range(20000)]
    (place / "in").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert taskhold(place, "import", "in").returncode == 0
    first = taskhold(place, "export").stdout
    assert {json.dumps(json.loads(line), sort_keys=True) for line in lines_of(first)} == \
        {json.dumps(line, sort_keys=True) for line in lines}
    (place / "out").write_text(first)
    assert taskhold(place, "import", "out", "--database", "sqlite:second.db").returncode == 0
    assert taskhold(place, "export", "--database", "sqlite:second.db").stdout == first


NOBODY = "0" * 8 + "-0000-4000-8000-" + "0" * 12
CHANGES = {
    "header": (1, lambda row: {**row, "format": "other"}, "format"),
    "version": (1, lambda row: {**row, "version": 4}, "version"),
    "count": (1, lambda row: {**row, "tasks": 37}, "another number of tasks"),
    "count of changes": (1, lambda row: {**row, "changes": 1}, "another number of changes"),
    "no count": (1, lambda row: {k: v for k, v in row.items() if k != "tasks"}, "no header"),
    "count of the other format": (1, lambda row: {**row, "tombstones": 2}, "tombstones"),
    "type": (6, lambda row: {**row, "type": "session"}, "known type"),
    "type of the other format": (6, lambda row: {**row, "type": "tombstone"}, "known type"),
    "unknown": (6, lambda row: {**row, "color": "red"}, "no such member here: color"),
    "missing": (6, lambda row: {k: v for k, v in row.items() if k != "title"}, "there is no title"),
    "title": (6, lambda row: {**row, "title": " "}, "not a good value for title: Must hold more than white space."),
    "long": (6, lambda row: {**row, "title": "x" * 1025}, "title: Must have at most 1024 characters."),
    "null": (6, lambda row: {**row, "title": None}, "title"),
    "status": (6, lambda row: {**row, "status": "done"}, "status: Must be one of: pending, in-progress, completed."),
    "time": (6, lambda row: {**row, "created_at": "2026-01-01T00:00:00Z"},
             "created_at: Must be written as 2026-01-01T00:00:00.000Z."),
    "id": (6, lambda row: {**row, "id": row["id"].upper() + "x"}, "not a good value for id: Must be a UUID."),
    "another form of the id": (6, lambda row: {**row, "id": NOBODY[:-1] + "A"}, f"written as {NOBODY[:-1]}a"),
    "number": (6, lambda row: {**row, "revision": "7"}, "revision: Must be a whole number."),
    "negative": (6, lambda row: {**row, "revision": -7}, "revision: Must be from 1 to 9007199254740991."),
    "together": (6, lambda row: {**row, "status": "pending", "completed_at": row["created_at"]}, "fit together"),
    "space": (6, lambda row: {**row, "space_id": NOBODY}, "no line before has its space"),
    "revision": (6, lambda row: {**row, "revision": 10 ** 6}, "no line before has its space, or with a lower revision"),
    "revision 0": (6, lambda row: {**row, "revision": 0}, "revision"),
    "twice the same revision": (7, lambda row: {**row, "revision": 1 + (row["revision"] == 1)}, "earlier line"),
    "account": (4, lambda row: {**row, "owner_id": NOBODY}, "no line before has its account"),
    "more forgotten than there was": (4, lambda row: {**row, "forgotten": 22}, "fit together"),
    "revision that cannot be counted up": (4, lambda row: {**row, "revision": 2 ** 63 - 1}, "revision"),
    "revision out of range": (4, lambda row: {**row, "revision": 2 ** 63}, ""),
    "revision above what JSON carries": (4, lambda row: {**row, "revision": 2 ** 53}, "revision"),
    "e-mail": (2, lambda row: {**row, "email": "nobody"}, "not a good value for email: "),
    "no e-mail": (2, lambda row: {**row, "email": None}, "fit together"),
    "hash": (2, lambda row: {**row, "password_hash": "secret"}, "password_hash: Must be a hash of Argon2id."),
    "kind": (-3, lambda row: {**row, "kind": "board", "before": None}, "not a good value for kind: Must be one of: task, list."),
    "no kind": (-3, lambda row: {**row, "kind": ""}, "not a good value for kind"),
    "verb": (-3, lambda row: {**row, "verb": "undo"}, "verb: Must be one of: create, replace, update, delete, move, restore."),
    "no verb": (-3, lambda row: {**row, "verb": ""}, "not a good value for verb"),
    "what a new one was before": (-4, lambda row: {**row, "before": {}}, "fit together"),
    "a text of what was before": (-5, lambda row: {**row, "before": "{}"}, "before: Must be an object or null."),
    "a member that was never there": (-5, lambda row: {**row, "before": {"color": 1}}, "member here: before/color"),
    "what no title was": (-3, lambda row: {**row, "before": {**row["before"], "title": ""}}, "before/title: "),
    "space of a change": (-3, lambda row: {**row, "space_id": NOBODY}, "no line before has its space"),
    "revision of a change": (-3, lambda row: {**row, "revision": 22}, "with a lower revision"),
    "revision of another change": (-3, lambda row: {**row, "revision": 20}, "stood in an earlier line"),
    "revision of an item that is there": (-3, lambda row: {**row, "revision": 17}, "stood in an earlier line"),
    "time of a change": (-3, lambda row: {**row, "at": None}, "not a good value for at"),
    "what is in the trash and was not deleted": (-1, lambda row: {**row, "revision": 20}, "no line before has its deletion"),
    "another thing in the trash": (-1, lambda row: {**row, "id": NOBODY}, "no line before has its deletion"),
    "space of the trash": (-1, lambda row: {**row, "space_id": NOBODY}, "no line before has its deletion"),
}

@pytest.fixture
def line_files(exported, tmp_path):
    """Writes the export with one line changed; answers its name."""
    _, rows, _, _ = exported

    def write(number, change):
        place = number - 1 if number > 0 else len(rows) + number
        changed = [change(row) if index == place else row for index, row in enumerate(rows)]
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
        line = number if number > 0 else 85 + 1 + number
        assert name.startswith("count of c") or name == "count" or f"changed.jsonl line {line}:" in done.stderr, name
    hostile = line_files(6, lambda row: {**row, "\x1b[2J\x9b31m": 1})
    done = taskhold(place, "import", str(hostile))
    refused(done, "there is no such member here: ")
    assert not set(done.stderr) & {"\x1b", "\x9b"}, "an escape of the file's reaches the terminal"
    for content, says in [("", "nothing to read"), ("{\n", "line 1"), ("\0\n", "line 1"), ("[]\n", "line 1")]:
        path.write_text(content)
        refused(taskhold(place, "import", str(path)), says)
    double = line_files(6, lambda row: row)
    lines = double.read_text().splitlines(keepends=True)
    for number, says in [(2, "id or e-mail"), (4, "id or e-mail"), (6, "id or e-mail"), (50, "revision")]:
        double.write_text("".join(lines[:number] + lines[number - 1:]))
        done = taskhold(place, "import", str(double))
        refused(done, f"line {number + 1}: ")
        assert says in done.stderr and "stood in an earlier line" in done.stderr
    assert [path.name for path in (place / "data").iterdir()] == ["taskhold.db.lock"]
    assert taskhold(place, "migrate").returncode == 0
    refused(taskhold(place, "import", str(double)), "line 51: its revision")
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


OLD = pathlib.Path(__file__).parent / "export-0.2.0.jsonl"


# What a task has that came after 0.3.0.
NEWER = {"priority": "none", "list_id": None, "parent_id": None, "position": None, "labels": [], "start": None, "due": None,
         "time_zone": None, "recurrence": None, "recurrence_anchor": "due", "blocked_by": [], "metadata": {}, "series_id": None,
         "next_id": None}


def check_old(start_server, place, url):
    """Reads the export of 0.2.0 (format 1), and uses what it had: log in, tasks, tags, deletions."""
    done = taskhold(place, "import", str(OLD), "--database", url)
    assert done.stdout == "imported 3 users, 3 spaces, 0 lists, 14 tasks, 2 changes, 0 trash\n", done
    header, *rows = map(json.loads, lines_of(OLD.read_text()))
    lines = taskhold(place, "export", "--database", url).stdout
    found = [json.loads(line) for line in lines_of(lines)][1:]
    users = {row["user_id"]: row for row in found if row["type"] == "user"}
    spaces = {row["space_id"]: row for row in found if row["type"] == "space"}
    tasks = {row["id"]: row for row in found if row["type"] == "task"}
    changes = {row["id"]: row for row in found if row["type"] == "change"}
    assert header["users"] == len(users) and header["tasks"] == len(tasks) and header["tombstones"] == len(changes)
    for row in rows:
        kind, space = row.pop("type"), row.pop("user_id", None)
        if kind == "user":
            revision = row.pop("revision")
            assert spaces[row["id"]] == {"type": "space", "space_id": row["id"], "owner_id": row["id"],
                                         "revision": revision, "forgotten": revision}
            assert users[row["id"]] == {"type": "user", "user_id": row.pop("id"), "time_zone": None, **row}
        elif kind == "task":
            kept = {name: value for name, value in tasks[row["id"]].items() if name not in NEWER}
            assert kept == {"type": "task", "space_id": space, **row}
            assert {name: tasks[row["id"]][name] for name in NEWER} == NEWER | {"position": tasks[row["id"]]["position"]}
        else:
            assert changes[row["id"]] == {"type": "change", "space_id": space, "revision": row["revision"],
                                          "at": row["deleted_at"], "kind": "task", "verb": "delete", "id": row["id"],
                                          "actor": None, "before": None}
    by_revision = sorted(tasks.values(), key=lambda task: (task["space_id"], task["revision"]))
    assert by_revision == sorted(tasks.values(), key=lambda task: (task["space_id"], task["position"]))
    server = start_server({"DATABASE_URL": url}, directory=place)
    login = {"email": "ada@example.com", "password": "a fine long phrase"}
    client = Client(server, Client(server).post("/v1/auth/login", login).expect(200).json["access_token"])
    page = client.get("/v1/tasks?limit=100&include=total").expect(200).json
    assert page["total"] == 13 and {task["id"] for task in page["items"]} < set(tasks)
    made = client.post("/v1/tasks", {"title": "Next"}).expect(201).json
    assert made["revision"] == 17
    Client(server).post("/v1/auth/login", {**login, "email": "alan@example.com"}).expect(401)
    server.terminate()
    return lines


def test_the_way_from_0_2_0(start_server, tmp_path):
    check_old(start_server, tmp_path, "sqlite:new.db")


def test_an_old_export_that_is_wrong(tmp_path):
    header, *rows = map(json.loads, lines_of(OLD.read_text()))
    place = tmp_path / "changed.jsonl"
    cases = {
        2: ({**rows[0], "revision": -1}, "not a good value for revision"),
        4: ({k: v for k, v in rows[2].items() if k != "revision"}, "there is no revision"),
        5: ({k: v for k, v in rows[3].items() if k != "title"}, "there is no title"),
        6: ({**rows[4], "space_id": rows[4]["user_id"]}, "no such member here: space_id"),
        7: ({**rows[5], "user_id": NOBODY}, "no line before has its space"),
        8: ({**rows[6], "revision": rows[5]["revision"]}, "stood in an earlier line"),
        19: ({**rows[17], "revision": rows[5]["revision"]}, "stood in an earlier line"),
        20: ({**rows[18], "deleted_at": "yesterday"}, "not a good value for deleted_at"),
    }
    for number, (row, says) in cases.items():
        lines = [header, *rows[:number - 2], row, *rows[number - 1:]]
        place.write_text("".join(json.dumps(line) + "\n" for line in lines))
        done = taskhold(tmp_path, "import", str(place))
        refused(done, says)
        assert f"changed.jsonl line {number}:" in done.stderr
    place.write_text("".join(json.dumps(line) + "\n" for line in [{**header, "tombstones": 3}, *rows]))
    refused(taskhold(tmp_path, "import", str(place)), "another number of tombstones")


def test_a_database_of_an_old_form(tmp_path):
    """Is refused with what to do."""
    (tmp_path / "data").mkdir()
    old = tmp_path / "data" / "taskhold.db"
    with sqlite3.connect(old) as db:
        db.executescript((pathlib.Path(__file__).parent / "database-0.1.0.sql").read_text())
        db.execute("PRAGMA journal_mode = WAL")
    db.close()
    before = old.read_bytes()
    (tmp_path / "all.jsonl").write_text('{"format":"taskhold","version":3,"users":0,"spaces":0,"lists":0,"tasks":0,"changes":0,"trash":0}\n')
    for command in ("migrate", "export", "serve --port 0", "import all.jsonl", "user list", "backup copy.db",
                    "restore data/taskhold.db --database sqlite:new.db",
                    "move --from sqlite:data/taskhold.db --to sqlite:new.db"):
        done = taskhold(tmp_path, *command.split())
        assert done.returncode == 1 and "taskhold import FILE" in done.stderr, (command, done)
    assert old.read_bytes() == before and sorted(os.listdir(tmp_path)) == ["all.jsonl", "data"]
    findings = json.loads(taskhold(tmp_path, "doctor", "--json").stdout)["checks"]
    (schema,) = [one for one in findings if one["check"] == "schema"]
    assert schema["level"] == "error" and "taskhold import" in schema["finding"]
