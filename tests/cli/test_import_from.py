# SPDX-License-Identifier: MIT
"""`taskhold import --from`: the files of other services, against what print_from says of them; with and without a server,
on both engines, and twice."""
import hashlib
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import uuid
from datetime import datetime, timezone

import pytest

from support import cluster
from support.accounts import PASSWORD, User
from support.client import Client
from support.commands import heed_signals, refused, taskhold
from support.paths import binary
from support.server import environment
from support.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ROOT / "tests/model/from"
READER = ROOT / "build/asan/tests/unit/print_from"
ZONE = "Europe/Berlin"
TODOIST = "Home [2203306141].csv"

CASES = [
    ("csv", "tasks.csv"),
    ("google", "Tasks.json"),
    ("ics", "calendar.ics"),
    ("ics", "folded.ics"),
    ("microsoft", "todo.json"),
    ("microsoft", "graph.json"),
    ("microsoft", "outlook.csv"),
    ("ticktick", "ticktick.csv"),
    ("todoist", TODOIST),
    ("todoist", "dates.csv"),
    ("vikunja", "data.json"),
]

WORD = re.compile(r' (?:(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))|([\w-]+))')
FLAGS = {"in-progress": ("status", "in-progress"), "completed": ("status", "completed"),
         "from-completion": ("recurrence_anchor", "completion"), "archived": ("archived", True),
         **{name: ("priority", name) for name in ("low", "medium", "high", "urgent")}}


@pytest.fixture(name="place", params=["sqlite", "postgres"])
def make_place(request, start_server, make_user):
    """A server on either engine, with an account in it."""
    env = None
    if request.param == "postgres":
        if cluster.missing():
            pytest.skip(cluster.missing())
        env = {"DATABASE_URL": request.getfixturevalue("url")}
    server = start_server(env=env)
    return server, make_user(server)


@pytest.fixture(name="home")
def make_home(start_server, make_user):
    """The same on SQLite alone."""
    server = start_server()
    return server, make_user(server)


def bring(place, form, file, *args, status=0, **more):
    """Runs the command for the account; answers what it printed."""
    server, user = place
    done = taskhold(server.directory, "import", "--from", form, str(file), "--user", user.email, *args, env=server.env,
                    **more)
    assert done.returncode == status, (done.stdout, done.stderr)
    assert status != 0 or done.stderr == ""
    return done.stdout


def write(path, text):
    """A file with that content."""
    path.write_text(text, encoding="utf-8")
    return path


def all_of(client, collection, sort="created_at"):
    """Every item of a collection."""
    items, cursor = [], ""
    while True:
        page = client.get(f"/v1/{collection}?limit=100&sort={sort}{cursor}").expect(200).json
        items += page["items"]
        if not page.get("next_cursor"):
            return items
        cursor = "&cursor=" + page["next_cursor"]


def counts(text):
    """The numbers of the summary: made, there already, refused; of lists and of tasks."""
    found = re.findall(r"^(?:lists|tasks): (\d+) (?:would be )?made, (\d+) there already, (\d+) refused", text, re.M)
    assert len(found) == 2, text
    return [tuple(int(number) for number in numbers) for numbers in found]


# ---- what the reader makes of a file ----


def unquoted(text):
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)


def parsed(line):
    """One line of print_from as members."""
    members = {"labels": []}
    for name, quoted, bare, flag in WORD.findall(line[line.index(" ", 5):]):  # after `task 12`
        if flag:
            key, value = FLAGS[flag]
            members[key] = value
        elif name == "label":
            members["labels"].append(unquoted(quoted))
        else:
            members[name] = bare or unquoted(quoted)
    return members


def expected(form, file, now):
    """What print_from says: lists, tasks and the notes."""
    run = subprocess.run([READER, form, file, ZONE, now], capture_output=True, encoding="utf-8", check=True)
    lines = run.stdout.splitlines()
    assert lines[-1] == "read"
    notes = [line.removeprefix("note ") for line in lines if line.startswith("note ")]
    return ([parsed(line) for line in lines if line.startswith("list ")],
            [parsed(line) for line in lines if line.startswith("task ")],
            ["line " + note for note in notes])


def now_text():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def derived(user, form, kind, key):
    """The id of a list (l) or task (t)."""
    digest = hashlib.sha256(uuid.UUID(user.id).bytes + form.encode() + b"\0" + kind + key.encode()).digest()[:16]
    number = int.from_bytes(digest, "big")
    number = number & ~(0xF << 76) | 8 << 76
    return str(uuid.UUID(int=number & ~(3 << 62) | 2 << 62))


def check_lists(user, form, wanted):
    """The account has these lists, in this order."""
    got = all_of(user.client, "lists", "position")
    assert [one["id"] for one in got] == [derived(user, form, b"l", one["key"]) for one in wanted]
    for one, want in zip(got, wanted):
        assert (one["name"], one["color"], one["archived"]) \
            == (want["name"], want.get("color"), want.get("archived", False))


def check_tasks(user, form, wanted):
    """The account has these tasks; siblings in the order that the file has."""
    got = {one["id"]: one for one in all_of(user.client, "tasks")}
    assert len(got) == len(wanted)
    for number, want in enumerate(wanted):
        task = got[derived(user, form, b"t", want["key"])]
        want["task"], want["number"] = task, number
        same = {name: want.get(name) for name in ("title", "description", "start", "due", "recurrence")}
        same["time_zone"] = want.get("zone")
        same["status"], same["priority"] = want.get("status", "pending"), want.get("priority", "none")
        same["recurrence_anchor"] = want.get("recurrence_anchor", "due")
        same["labels"] = sorted(want["labels"])
        same["list_id"] = derived(user, form, b"l", want["list"]) if "list" in want else None
        same["parent_id"] = derived(user, form, b"t", want["parent"]) if "parent" in want else None
        assert {name: task[name] for name in same} == same
        assert (task["completed_at"] is not None) == (task["status"] == "completed")
        assert task["completed_at"] == want.get("completed", task["completed_at"])
    families = {}
    for want in wanted:
        families.setdefault((want["task"]["list_id"], want["task"]["parent_id"]), []).append(want)
    for siblings in families.values():
        siblings.sort(key=lambda want: (int(want["order"]), want["number"]))
        positions = [want["task"]["position"] for want in siblings]
        assert positions == sorted(set(positions))


@pytest.mark.parametrize("form,file", CASES, ids=[file for _, file in CASES])
def test_each_format(place, form, file):
    """Dry run, import, and once more: what is made, what is said, and that nothing comes twice."""
    _, user = place
    user.client.patch("/v1/me", {"time_zone": ZONE}).expect(200)
    empty = user.client.get("/v1/tasks").expect(200).etag
    before = now_text()
    dry = bring(place, form, FILES / file, "--dry-run")
    assert user.client.get("/v1/tasks").expect(200).etag == empty and not all_of(user.client, "lists")
    said = bring(place, form, FILES / file)
    after = now_text()
    # Some dates hang on the clock.
    lists, tasks, notes = expected(form, FILES / file, before)
    if [task.get("due") for task in tasks] != [task.get("due") for task in expected(form, FILES / file, after)[1]]:
        pytest.skip("the hour struck while the file was read")
    assert said.splitlines()[:-3] == notes and said.endswith(f"\nnotes: {len(notes)}\n")
    assert counts(said) == counts(dry) == [(len(lists), 0, 0), (len(tasks), 0, 0)]
    assert dry.endswith("a dry run: nothing was made\n")
    check_lists(user, form, lists)
    check_tasks(user, form, tasks)
    first = user.client.get("/v1/tasks").expect(200).etag
    again = bring(place, form, FILES / file)
    assert counts(again) == [(0, len(lists), 0), (0, len(tasks), 0)]
    assert user.client.get("/v1/tasks").expect(200).etag == first


def test_the_same_without_a_server(home, tmp_path):
    """Then the command opens the database itself; its socket goes with it."""
    server, user = home
    file = FILES / "Tasks.json"
    beside = bring(home, "google", file)
    there = bring(home, "google", file)
    server.terminate()
    assert bring(home, "google", file) == there
    assert not (server.directory / "data" / "taskhold.db.control").exists()
    taskhold(tmp_path, "user", "add", user.email, stdin=PASSWORD + "\n")
    done = taskhold(tmp_path, "import", "--from", "google", str(file), "--user", user.email)
    assert done.returncode == 0 and done.stdout == beside
    server.start()


def test_what_was_changed_since_stays(place, tmp_path):
    """A task that the user moved, renamed or completed is left alone; what is new in the file is made."""
    _, user = place
    file = write(tmp_path / "tasks.csv", "title,id,list\nA,1,Home\nB,2,Home\nC,3,Home\n")
    bring(place, "csv", file)
    first, second, third = all_of(user.client, "tasks", "position")
    home = first["list_id"]
    user.client.patch(f"/v1/lists/{home}", {"name": "At home"}).expect(200)
    user.client.patch(f"/v1/tasks/{first['id']}", {"title": "Mine", "status": "completed"}).expect(200)
    user.client.patch(f"/v1/tasks/{second['id']}", {"list_id": None}).expect(200)
    user.client.delete(f"/v1/tasks/{third['id']}").expect(204)
    write(file, "title,id,list,parent_id\nA new,1,Home,\nB,2,Home,\nC,3,Home,\nD,4,Home,\nE,5,Home,2\n")
    assert counts(bring(place, "csv", file)) == [(0, 1, 0), (3, 2, 0)]
    tasks = {one["title"]: one for one in all_of(user.client, "tasks")}
    assert set(tasks) == {"Mine", "B", "C", "D", "E"}
    assert tasks["B"]["list_id"] is tasks["E"]["list_id"] is None and tasks["E"]["parent_id"] == second["id"]
    assert tasks["Mine"]["status"] == "completed" and tasks["D"]["list_id"] == home
    assert user.client.get(f"/v1/lists/{home}").expect(200).json["name"] == "At home"


def test_siblings_are_put_after_those_that_are_there(place, tmp_path):
    """What an account has keeps its place before what is imported."""
    _, user = place
    own = user.task("own")
    bring(place, "csv", write(tmp_path / "tasks.csv", "title,parent_id,id\nB,,b\nB2,b,\nA,,a\nB1,b,\n"))
    tasks = all_of(user.client, "tasks", "position")
    assert [one["title"] for one in tasks if not one["parent_id"]] == ["own", "B", "A"]
    assert [one["title"] for one in tasks if one["parent_id"]] == ["B2", "B1"] and tasks[0]["id"] == own["id"]


def test_what_is_imported_works(place, tmp_path):
    """A recurring task rolls over, with its subtasks."""
    _, user = place
    file = write(tmp_path / "tasks.csv", "title,id,parent_id,due,recurrence\n"
                 "Weekly,w,,2026-12-01,FREQ=WEEKLY\nPart,p,w,,\n")
    bring(place, "csv", file)
    weekly = next(one for one in all_of(user.client, "tasks") if one["title"] == "Weekly")
    done = user.client.patch(f"/v1/tasks/{weekly['id']}", {"status": "completed"}).expect(200).json
    following = user.client.get(f"/v1/tasks/{done['next_id']}").expect(200).json
    assert following["status"] == "pending" and following["due"] > weekly["due"]
    assert counts(bring(place, "csv", file)) == [(0, 0, 0), (0, 2, 0)]
    assert sorted(one["title"] for one in all_of(user.client, "tasks")) == ["Part", "Part", "Weekly", "Weekly"]


def test_two_accounts_and_two_formats_have_copies_of_their_own(home, tmp_path):
    """The ids hang on both."""
    server, _ = home
    other = User(server)
    file = write(tmp_path / "tasks.csv", "title,id,due,subject,due date\nA,1,,,\n")
    assert counts(bring(home, "csv", file))[1] == (1, 0, 0)
    assert counts(bring((server, other), "csv", file))[1] == (1, 0, 0)
    calendar = write(tmp_path / "c.ics", "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\nSUMMARY:A\nEND:VTODO\nEND:VCALENDAR\n")
    assert counts(bring((server, other), "ics", calendar))[1] == (1, 0, 0)


# ---- what is refused ----


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_full_account(request, engine, start_server, make_user, tmp_path):
    """What has no room is told line by line, and with it what lies below; a repeat brings it when there is room."""
    if engine == "postgres" and cluster.missing():
        pytest.skip(cluster.missing())
    env = {"DATABASE_URL": request.getfixturevalue("url")} if engine == "postgres" else {}
    server = start_server(env={**env, "USER_TASKS_MOST": "2"})
    place = server, make_user(server)
    file = write(tmp_path / "tasks.csv", "title,id,parent_id\nA,a,\nB,b,\nC,c,\nD,d,c\nE,e,a\n")
    said = bring(place, "csv", file, status=1)
    assert counts(said) == [(0, 0, 0), (2, 0, 3)]
    lines = said.splitlines()
    assert re.fullmatch("line 4: `C` is refused: .*USER_TASKS_MOST.*", lines[0])
    assert "line 5: `D` is refused: its parent was refused" in lines
    assert any(re.fullmatch("line 6: `E` is refused: .*USER_TASKS_MOST.*", line) for line in lines)
    server.restart(env={"USER_TASKS_MOST": "100"})
    assert counts(bring(place, "csv", file)) == [(0, 0, 0), (3, 2, 0)]


def test_what_only_the_account_tells(place, tmp_path):
    """A parent that was moved to the eighth level takes no subtask; the rest is made."""
    _, user = place
    file = write(tmp_path / "tasks.csv", "title,id\nA,a\n")
    bring(place, "csv", file)
    parent = all_of(user.client, "tasks")[0]
    above = None
    for number in range(7):
        above = user.task(f"Level {number}", parent_id=above)["id"]
    user.client.patch(f"/v1/tasks/{parent['id']}", {"parent_id": above}).expect(200)
    write(file, "title,id,parent_id\nA,a,\nB,b,a\nC,c,b\nD,d,\n")
    said = bring(place, "csv", file, status=1)
    assert counts(said) == [(0, 0, 0), (1, 1, 2)]
    assert re.search("^line 3: `B` is refused: parent_id: ", said, re.M)
    assert "line 4: `C` is refused: its parent was refused\n" in said


def test_lists_that_are_too_many(place, tmp_path):
    """A space holds 1,000; tasks of the others are not put elsewhere."""
    _, user = place
    for number in range(999):
        user.client.post("/v1/lists", {"name": f"List {number}"}).expect(201)
    file = write(tmp_path / "tasks.csv", "title,list\nA,one\nB,two\nC,\nD,one\n")
    said = bring(place, "csv", file, status=1)
    assert counts(said) == [(1, 0, 1), (3, 0, 1)]
    assert re.search("^line 3: `two` is refused: .*1000 lists", said, re.M)
    assert "line 3: `B` is refused: its list was refused\n" in said


BROKEN = [
    ("csv", "title\nA\n\"B", "line 3: the quote that begins a field there is never closed"),
    ("todoist", "title\nA\n", "line 1: no columns are named TYPE and CONTENT"),
    ("google", '{"items": [\n{"id": 1,\n"items": [{"title": tru}]}]}', "line 3: the JSON there is broken"),
    ("microsoft", '{"values": []}', "line 1: there are neither `lists` nor `value`"),
    ("vikunja", '{"id": 1}', "line 1: there is no array of projects"),
    ("ics", "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:1\n", "line 2: the VTODO that begins there has no END:VTODO"),
    ("ticktick", "title\nA\n", "line 1: no columns are named `List Name` and `Title`"),
]


@pytest.mark.parametrize("form,text,says", BROKEN, ids=[form for form, _, _ in BROKEN])
def test_a_broken_file_makes_nothing(home, tmp_path, form, text, says):
    """Not even what stands before the fault."""
    server, user = home
    file = write(tmp_path / "file", text)
    done = taskhold(server.directory, "import", "--from", form, str(file), "--user", user.email)
    assert done.returncode == 1 and done.stderr.startswith(f"taskhold: {file}: {says}") and done.stderr.count("\n") == 1
    assert "nothing was imported" in done.stderr and not all_of(user.client, "tasks")


def test_usage(home, tmp_path):
    """What is missing or mistyped, and what to do."""
    server, user = home
    file = str(write(tmp_path / "tasks.csv", "title\nA\n"))

    def run(*args):
        return taskhold(server.directory, "import", *args)

    refused(run("--from", "todist", file, "--user", user.email), "todoist", 2)
    refused(run("--from", "csv", file), "--user EMAIL", 2)
    refused(run("--from", "csv", "--user", user.email), "give one FILE", 2)
    refused(run("--from", "csv", file, file, "--user", user.email), "give one FILE", 2)
    refused(run(file, "--user", user.email), "--user goes with --from", 2)
    refused(run(file, "--dry-run"), "--dry-run goes with --from", 2)
    refused(run("--from", "csv", file, "--user"), "--user needs a value", 2)
    refused(run("--from", "csv", file, "--user", "nobody@example.org"), "no account")
    refused(run("--from", "csv", str(tmp_path / "nothing"), "--user", user.email), "No such file")
    refused(run("--from", "csv", file, "--user", user.email, "--database", "sqlite:none.db"), "there is no database")
    assert not all_of(user.client, "tasks")


def test_json(home, tmp_path):
    """The whole report is one object."""
    file = write(tmp_path / "tasks.csv", "title,due\nA,someday\nB,\n")
    note = {"line": 2, "refused": False, "text": "due `someday` is left out; write 2026-12-01 or 2026-12-01T09:30:00Z"}
    tasks = {"made": 2, "there": 0, "refused": 0, "not_tried": 0}
    report = {"notes": [note], "dry_run": False, "lists": dict.fromkeys(tasks, 0), "tasks": tasks}
    assert json.loads(bring(home, "csv", file, "--dry-run", "--json")) == {**report, "dry_run": True}
    assert json.loads(bring(home, "csv", file, "--json")) == report
    write(file, "title\nA\n")
    assert json.loads(bring(home, "csv", file, "--json"))["notes"] == []
    write(file, 'title,due\nA,someday\n"B')
    assert json.loads(bring(home, "csv", file, "--json", status=1))["notes"] == [note]


# ---- much, and not to the end ----


def test_large_texts_and_many(place, tmp_path):
    """More than one request has room for."""
    _, user = place
    text = "ä" * 16384
    labels = ";".join(f"{number:02}" + "é" * 62 for number in range(32))
    file = write(tmp_path / "tasks.csv", "title,id,description,labels\n" + "".join(
        f'{number},{number},"{text}","{labels.replace(";", ",")}"\n' for number in range(70)))
    assert counts(bring(place, "csv", file)) == [(0, 0, 0), (70, 0, 0)]
    tasks = all_of(user.client, "tasks", "position")
    assert [one["title"] for one in tasks] == [str(number) for number in range(70)]
    assert all(one["description"] == text and len(one["labels"]) == 32 for one in tasks)
    assert counts(bring(place, "csv", file)) == [(0, 0, 0), (0, 70, 0)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_interrupted_and_repeated(home, tmp_path, number):
    """The rest comes with the next run, in its order."""
    server, user = home
    most = 6000
    file = write(tmp_path / "tasks.csv", "title,id,parent_id\n" + "".join(
        f"{i},{i},{i - 1 if i % 4 == 3 else ''}\n" for i in range(most)))
    with subprocess.Popen([binary(), "import", "--from", "csv", file, "--user", user.email], cwd=server.directory,
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          preexec_fn=heed_signals) as run:
        wait_until(lambda: user.client.get("/v1/tasks?limit=1").expect(200).json["items"], 20, "the first task")
        run.send_signal(number)
        said, complained = run.communicate(timeout=20)
    made = user.client.get("/v1/tasks?limit=1&include=total").expect(200).json["total"]
    assert 0 < made < most
    if number == signal.SIGINT:
        assert run.returncode == 1 and "the same command makes the rest" in complained
        assert f"tasks: {made} made, 0 there already, 0 refused, {most - made} not tried" in said
    new, there, refused = counts(bring(home, "csv", file))[1]
    # What was on its way when the process was killed is written all the same.
    assert new + there == most and refused == 0 and made <= there <= made + (0 if number == signal.SIGINT else 32)
    tasks = [one for one in all_of(user.client, "tasks", "position") if not one["parent_id"]]
    assert [int(one["title"]) for one in tasks] == [i for i in range(most) if i % 4 != 3]


def test_the_server_ends_meanwhile(home, tmp_path):
    """It says so, and a repeat brings the rest."""
    server, user = home
    file = write(tmp_path / "tasks.csv", "title,id\n" + "".join(f"{i},{i}\n" for i in range(6000)))
    with subprocess.Popen([binary(), "import", "--from", "csv", file, "--user", user.email], cwd=server.directory,
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as run:
        wait_until(lambda: user.client.get("/v1/tasks?limit=1").expect(200).json["items"], 20, "the first task")
        server.kill()
        said, complained = run.communicate(timeout=20)
    assert run.returncode == 1 and complained.count("\n") == 1 and "not tried" in said, complained
    server.start()
    there = user.client.get("/v1/tasks?limit=1&include=total").expect(200).json["total"]
    assert counts(bring(home, "csv", file))[1] == (6000 - there, there, 0)


def test_other_commands_meanwhile(home, tmp_path):
    """Without a server the command listens as one does, so another finds it."""
    server, user = home
    server.terminate()
    file = write(tmp_path / "tasks.csv", "title,id\n" + "".join(f"{i},{i}\n" for i in range(6000)))
    with subprocess.Popen([binary(), "import", "--from", "csv", file, "--user", user.email], cwd=server.directory,
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as run:
        wait_until((server.directory / "data" / "taskhold.db.control").exists, 20, "the socket")
        done = taskhold(server.directory, "user", "list")
        assert done.returncode == 0 and user.email in done.stdout
        said, complained = run.communicate(timeout=60)
    assert run.returncode == 0 and not complained and counts(said)[1] == (6000, 0, 0)
    server.start()
    assert Client(server, user.login()["access_token"]).get("/v1/tasks?limit=1").expect(200).json["items"]


def test_no_progress_but_on_a_terminal(home, tmp_path):
    """A bar on a terminal only."""
    server, user = home
    file = write(tmp_path / "tasks.csv", "title,id\n" + "".join(f"{i},{i}\n" for i in range(3000)))
    leader, follower = os.openpty()
    with subprocess.Popen([binary(), "import", "--from", "csv", file, "--user", user.email], cwd=server.directory,
                          env=environment(), stdout=subprocess.PIPE, stderr=follower) as run:
        os.close(follower)
        said = run.communicate(timeout=60)[0]
    shown = b""
    while not shown.endswith(b"\r\033[K") and select.select([leader], [], [], 5)[0]:
        shown += os.read(leader, 65536)  # a part of it, where it was written in many
    os.close(leader)
    shown = shown.decode()
    assert "of 3000" in shown and shown.endswith("\r\033[K") and b"of 3000" not in said
