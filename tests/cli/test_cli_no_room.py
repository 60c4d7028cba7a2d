# SPDX-License-Identifier: MIT
"""backup, restore, export and import where the disk is full or a file may not grow: one line that says so, exit status
1, nothing half done under the final name, what was there before still there."""
import contextlib
import pathlib
import re
import shutil
import sqlite3
import tempfile

import pytest

from support.accounts import User
from support.commands import taskhold
from support.paths import SCHEMA
from support.room import make_room
from support.server import Server

TASKS = 24
NEW = {f"New {number}" for number in range(TASKS)}
OLD = {f"Old {number}" for number in range(TASKS)}
PAGE = 4096
NO_ROOM = re.compile(r"taskhold: [^\n]*(No space left on device|database or disk is full)[^\n]*\n")
# Of a limit SQLite keeps the system's words for some calls only.
TOO_LARGE = re.compile(r"taskhold: [^\n]*(File too large|disk I/O error)[^\n]*\n")


def fill(server, word):
    """An account whose tasks make the database larger than what SQLite allocates at once."""
    user = User(server)
    for number in range(TASKS):
        user.task(f"{word} {number}", description="x" * 16000)
    user.client.close()


@pytest.fixture(scope="module", name="made")
def make_files(tmp_path_factory):
    """A folder with backup.db and export.jsonl of the new tasks, and data/taskhold.db with the old ones, which are in
    the WAL of a server that was killed."""
    folder = tmp_path_factory.mktemp("made")
    server = Server()
    try:
        fill(server, "New")
        assert taskhold(server.directory, "backup", str(folder / "backup.db")).returncode == 0
        assert taskhold(server.directory, "export", str(folder / "export.jsonl")).returncode == 0
    finally:
        server.stop()
    server = Server(directory=folder)
    try:
        fill(server, "Old")
    finally:
        server.kill()
    return folder


@pytest.fixture(params=["disk", "limit"], name="room")
def make_full(request, tmp_path):
    """An empty folder without room, both ways."""
    path = tmp_path / "room"
    path.mkdir()
    with make_room(request.param, path) as room:
        yield room


def steps(most):
    """Rooms from none to enough, the first pages one by one."""
    return [*range(0, 8 * PAGE, PAGE), *range(8 * PAGE, most, 13 * PAGE), 4 * most]


@contextlib.contextmanager
def copied(folder):
    """Its files where SQLite finds them and may write beside them."""
    with tempfile.TemporaryDirectory() as copy:
        yield pathlib.Path(shutil.copytree(folder, copy, dirs_exist_ok=True))


def titles(path):
    """What is in a database with the WAL that lies beside it."""
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = {title for (title,) in db.execute("SELECT title FROM tasks")}
    db.close()
    return found


def database_files(folder, name="taskhold.db"):
    """name -> bytes of the database and its WAL; an empty WAL counts as none."""
    paths = [folder / name, folder / f"{name}-wal"]
    return {path.name: path.read_bytes() for path in paths if path.exists() and path.stat().st_size > 0}


def failed(room, done):
    """Whether it failed, which it must have done in order."""
    if done.returncode == 0:
        return False
    says = NO_ROOM if room.kind == "disk" else TOO_LARGE
    assert done.returncode == 1 and done.stdout == "" and says.fullmatch(done.stderr), done
    return True


@pytest.mark.parametrize("command, file", [("backup", "backup.db"), ("export", "export.jsonl")])
def test_a_copy_is_whole_or_not_there(made, room, command, file):
    """And the one that was there before stays until it is replaced."""
    url = f"sqlite:{made}/data/taskhold.db"
    source = database_files(made / "data")
    outcomes = set()
    for free in steps(2 * (made / file).stat().st_size):
        (room.seen / "copy").write_text("the one of yesterday")
        no_room = failed(room, room.run(free, command, str(room.path / "copy"), "--force", "--database", url))
        outcomes.add(no_room)
        assert room.names() == ["copy"]
        assert ((room.seen / "copy").read_text(errors="replace") == "the one of yesterday") == no_room
        (room.seen / "copy").unlink()
        assert failed(room, room.run(free, command, str(room.path / "copy"), "--database", url)) == no_room
        assert room.names() == ([] if no_room else ["copy"])
        assert database_files(made / "data") == source
        for left in room.names():
            (room.seen / left).unlink()
    assert outcomes == {True, False}


def test_a_backup_that_is_sent_needs_room_for_its_copy(made, room):
    """In TMPDIR where that is set; else beside the database or, where there is less room than it takes, in /var/tmp."""
    for name, data in database_files(made / "data").items():
        (room.seen / name).write_bytes(data)
    before = database_files(room.seen)
    url = ("--database", f"sqlite:{room.path}/taskhold.db")
    done = room.run(8 * PAGE, "backup", "-", *url, env={"TMPDIR": str(room.path)})
    says = r"taskhold: no room for the copy [^\n]* set TMPDIR to [^\n]*\n" if room.kind == "disk" else TOO_LARGE
    assert done.returncode == 1 and done.stdout == "" and re.fullmatch(says, done.stderr), done
    if room.kind == "disk":
        assert room.run(8 * PAGE, "backup", "/dev/null", *url).returncode == 0
    assert set(room.names()) <= {"taskhold.db", "taskhold.db-wal", "taskhold.db-shm", "taskhold.db.last-backup"}
    assert database_files(room.seen) == before


def test_an_export_that_nobody_takes(made):
    """Standard output on a full disk."""
    with open("/dev/full", "wb") as full:
        done = taskhold(made, "export", stdout=full)
    assert done.returncode == 1 and NO_ROOM.fullmatch(done.stderr), done


def test_a_restore_leaves_the_old_database_or_the_new_one(made, room):
    """Whole, and after it worked the old one, with what only its WAL held, is there under another name."""
    outcomes = set()
    size = sum(path.stat().st_size for path in (made / "data").iterdir())
    for free in steps(2 * size):
        for name, data in database_files(made / "data").items():
            (room.seen / name).write_bytes(data)
        before = database_files(room.seen)
        done = room.run(free, "restore", str(made / "backup.db"), "--force", "--database",
                        f"sqlite:{room.path}/taskhold.db")
        outcomes.add(failed(room, done))
        if done.returncode != 0:
            assert database_files(room.seen) == before
            assert set(room.names()) <= {"taskhold.db", "taskhold.db-wal", "taskhold.db-shm", "taskhold.db.lock"}
        with copied(room.seen) as copy:
            assert titles(copy / "taskhold.db") == (OLD if done.returncode else NEW)
            kept = next(copy.glob("*.before-restore-*Z"), None)
            assert (kept is None) == (done.returncode != 0) and (kept is None or titles(kept) == OLD)
        for left in room.names():
            (room.seen / left).unlink()
    assert outcomes == {True, False}


@pytest.mark.parametrize("command, file", [("restore", "backup.db"), ("import", "export.jsonl")])
def test_no_new_database_or_a_whole_one(made, room, command, file):
    """Where there was none, a failure leaves none."""
    outcomes, said = set(), set()
    for free in steps(3 * (made / file).stat().st_size):
        done = room.run(free, command, str(made / file), "--database", f"sqlite:{room.path}/taskhold.db")
        outcomes.add(failed(room, done))
        said.update(re.findall(r"schema change \d+", done.stderr))
        if done.returncode != 0:
            assert set(room.names()) <= {"taskhold.db.lock"}
        else:
            with copied(room.seen) as copy:
                assert titles(copy / "taskhold.db") == NEW
        for left in room.names():
            (room.seen / left).unlink()
    assert outcomes == {True, False} and said <= {f"schema change {n}" for n in range(1, SCHEMA + 1)} and bool(said) == (command == "import")
