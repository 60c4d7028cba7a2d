# SPDX-License-Identifier: MIT
"""Root runs the commands that write, in a folder of the server's user: what they make belongs to that user."""
import os

import pytest

from support.server import run

OWNER = (65534, 65533)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    os.chown(made, *OWNER)
    return made


def taskhold(folder, *args, stdin=None):
    done = run(*args, "--database", f"sqlite:{folder}/taskhold.db", cwd=folder.parent, stdin=stdin, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def owners(folder):
    return {path.name: (path.stat().st_uid, path.stat().st_gid) for path in folder.iterdir()}


def belongs_to_the_server(folder):
    found = owners(folder)
    assert {"taskhold.db", "taskhold.db.lock"} <= set(found) and set(found.values()) == {OWNER}, found


def test_a_new_database(folder):
    taskhold(folder, "user", "add", "ada@example.com", stdin="correct horse battery\n")
    belongs_to_the_server(folder)


def test_import_makes_the_database(folder):
    taskhold(folder, "migrate")
    dump = folder.parent / "dump.jsonl"
    taskhold(folder, "export", str(dump))
    for path in folder.iterdir():
        path.unlink()
    taskhold(folder, "import", str(dump))
    belongs_to_the_server(folder)


@pytest.mark.parametrize("there", [True, False])
def test_restore(folder, there):
    taskhold(folder, "user", "add", "ada@example.com", stdin="correct horse battery\n")
    copy = folder.parent / "copy.db"
    taskhold(folder, "backup", str(copy))
    assert copy.stat().st_uid == 0, "a backup is its maker's"
    if not there:
        for path in folder.iterdir():
            path.unlink()
    taskhold(folder, "restore", "--force", str(copy))
    belongs_to_the_server(folder)


def test_a_lock_file_of_somebody_else_stays_as_it_is(folder):
    """It may be a link to any file: only what the command itself made is given away."""
    taskhold(folder, "migrate")
    lock = folder / "taskhold.db.lock"
    os.chown(lock, 0, 0)
    taskhold(folder, "migrate")
    assert lock.stat().st_uid == 0


def test_a_link_to_a_file_to_come_gives_nothing_away(folder):
    elsewhere = folder.parent / "elsewhere.db"
    (folder / "taskhold.db").symlink_to(elsewhere)
    taskhold(folder, "migrate")
    assert elsewhere.stat().st_uid == 0
