# SPDX-License-Identifier: MIT
"""No command writes over a file of the database, or reads one as what it is not; and only a file is ever replaced.

    /usr/bin/python3 -m pytest -s tests/cli/test_cli_own_files.py -k every"""
import hashlib
import os
import sqlite3
import stat
import threading

import pytest

from support.commands import refused, taskhold

ENDS = ("", "-wal", "-shm", "-journal", ".lock", ".jwt-secret", ".control", ".last-backup")
COMMANDS = {
    "backup": lambda file: ("backup", file),
    "backup --force": lambda file: ("backup", file, "--force"),
    "export": lambda file: ("export", file),
    "export --force": lambda file: ("export", "--force", file),
    "import": lambda file: ("import", file),
    "restore": lambda file: ("restore", file),
    "restore --force": lambda file: ("restore", file, "--force"),
    "move to": lambda file: ("move", "--from", "sqlite:data/taskhold.db", "--to", f"sqlite:{file}"),
    "move from": lambda file: ("move", "--from", f"sqlite:{file}", "--to", "sqlite:data/taskhold.db"),
}


# Those that would use FILE as the database.
AS_DATABASE = [("serve", "--port", "0"), ("migrate",), ("doctor",), ("user", "list"), ("user", "add", "ann@example.com"),
               ("backup", "copy"), ("export", "copy"), ("import", "lines"), ("restore", "copy", "--force")]


def snapshot(folder):
    """Every name, what it leads to, and its bytes."""
    found = {}
    for path in sorted(folder.iterdir()):
        status = path.lstat()
        data = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(status.st_mode) else None
        found[path.name] = (status.st_ino, stat.S_IFMT(status.st_mode), status.st_size, data)
    return found


def by_name(path, _place):
    """As it is."""
    return str(path)


def by_way_round(path, _place):
    """Another spelling, which is relative."""
    return f"data/../data/./{path.name}"


def by_link(path, place):
    """A symbolic link."""
    link = place / ("soft" + path.name)
    link.symlink_to(path)
    return str(link)


def by_hard_link(path, place):
    """The same file under another name."""
    link = place / ("hard" + path.name)
    os.link(path, link, follow_symlinks=False)
    return str(link)


@pytest.fixture(params=["running", "stopped"])
def kept(request, monkeypatch, start_server, make_user):
    """A server with a secret of its own beside the database, that runs or has ended; both as users have them."""
    monkeypatch.setenv("LC_ALL", "C")
    server = start_server({"JWT_SECRET": None})
    make_user(server).task("Kept")
    assert taskhold(server.directory, "backup", "first").returncode == 0
    if request.param == "stopped":
        server.terminate()
    return server


@pytest.mark.parametrize("alias", [by_name, by_way_round, by_link, by_hard_link])
def test_every_command_with_every_file(kept, alias, tmp_path):
    folder = kept.directory / "data"
    before = snapshot(folder)
    for end in ENDS:
        path = folder / ("taskhold.db" + end)
        if alias in (by_link, by_hard_link) and not path.exists():
            continue  # there is nothing to link to
        name = alias(path, tmp_path)
        for command, words in COMMANDS.items():
            done = taskhold(kept.directory, *words(name))
            refused(done, "is a file of the database")
            assert "--force" not in done.stderr, (command, done.stderr)
            assert snapshot(folder) == before, (command, name)
        if end and alias is not by_hard_link:
            for words in AS_DATABASE:
                done = taskhold(kept.directory, *words, "--database", f"sqlite:{name}", stdin="long enough 77\n")
                assert done.returncode in (1, 78) and "is a file of the database" in done.stdout + done.stderr, (words, done)
                assert snapshot(folder) == before, (words, name)
    commands = len(COMMANDS) + (len(AS_DATABASE) if alias is not by_hard_link else 0)
    print(f"\n{commands} commands with each of {len(ENDS)} files, {alias.__name__}: refused, nothing changed")


def test_a_hard_link_to_a_lock_is_no_new_database(kept, tmp_path):
    """Nothing but its other name tells it from a new file; a file that is empty and alone is one."""
    folder, link = kept.directory / "data", tmp_path / "new.db"
    os.link(folder / "taskhold.db.lock", link)
    before = snapshot(folder)
    for words in AS_DATABASE:
        done = taskhold(kept.directory, *words, "--database", f"sqlite:{link}", stdin="long enough 77\n")
        assert done.returncode != 0, words
        if words[0] in ("serve", "migrate", "user"):
            assert "has another name too (a hard link)" in done.stdout + done.stderr, (words, done)
        assert snapshot(folder) == before and link.stat().st_size == 0, words
    link.unlink()
    link.touch()
    assert taskhold(kept.directory, "migrate", "--database", f"sqlite:{link}").returncode == 0


def test_what_stands_in_the_pipe(kept):
    path = kept.directory / "data" / "taskhold.db"
    before = snapshot(path.parent)
    for command in ("backup", "export"):
        with open(path, "ab") as out:
            done = taskhold(kept.directory, command, "-", stdout=out)
        assert done.returncode == 1 and "is a file of the database" in done.stderr
    assert snapshot(path.parent) == before


@pytest.fixture
def ended(start_server, make_user):
    """A server that has ended, with one task."""
    server = start_server()
    make_user(server).task("Kept")
    server.terminate()
    return server


def test_standard_output_and_input(ended, tmp_path):
    copy = tmp_path / "copy.db"
    with open(copy, "wb") as out:
        done = taskhold(ended.directory, "backup", "-", stdout=out)
    assert done.returncode == 0 and "wrote standard output" in done.stderr
    with sqlite3.connect(f"file:{copy}?immutable=1", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT title FROM tasks").fetchall() == [("Kept",)]
    lines = taskhold(ended.directory, "export", "-")
    assert lines.returncode == 0 and lines.stdout == taskhold(ended.directory, "export").stdout
    done = taskhold(tmp_path, "import", "-", stdin=lines.stdout)
    assert done.returncode == 0 and "imported 1 users, 1 spaces, 0 lists, 1 tasks, 1 changes, 0 trash" in done.stdout
    refused(taskhold(ended.directory, "restore", "-", "--force"), "put it into a file")


@pytest.mark.parametrize("command", ["backup", "export"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_fifo_is_written_into(ended, tmp_path, command, force):
    fifo, got = tmp_path / "fifo", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    done = taskhold(ended.directory, command, str(fifo), *force)
    reader.join(30)
    assert done.returncode == 0, done.stderr
    assert stat.S_ISFIFO(fifo.stat().st_mode) and b"Kept" in got[0]
    assert list(tmp_path.iterdir()) == [fifo]


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_device_is_written_into(ended, tmp_path, command):
    device = tmp_path / "null"
    try:
        os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        device.write_bytes(b"")
    except PermissionError:
        pytest.skip("this user may not make or use a device")
    link = tmp_path / "link"
    link.symlink_to(device)
    for name in (device, link):
        done = taskhold(ended.directory, command, str(name), "--force")
        assert done.returncode == 0, done.stderr
        assert stat.S_ISCHR(device.lstat().st_mode) and link.is_symlink()


@pytest.mark.parametrize("command", ["backup", "export"])
def test_what_is_no_file_is_refused_without_an_offer(ended, tmp_path, command):
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing")
    for name, says in ((tmp_path, "folder"), (tmp_path / "nowhere", "leads nowhere")):
        for force in ((), ("--force",)):
            done = taskhold(ended.directory, command, str(name), *force)
            refused(done, says)
            assert "--force" not in done.stderr
    assert not (tmp_path / "missing").exists() and (tmp_path / "nowhere").is_symlink()


def test_a_name_that_leads_to_no_backup(ended, tmp_path):
    refused(taskhold(ended.directory, "restore", str(tmp_path), "--force"), "it is a folder")
    refused(taskhold(ended.directory, "restore", str(tmp_path / "missing"), "--force"), "No such file")
    for command in ("backup", "export"):
        refused(taskhold(ended.directory, command, ""), "name one")


@pytest.mark.parametrize("command", ["backup", "export"])
def test_a_link_to_a_file_stays_one(ended, tmp_path, command):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("old", encoding="ascii")
    link.symlink_to(file)
    refused(taskhold(ended.directory, command, str(link)), "--force")
    assert file.read_text(encoding="ascii") == "old"
    assert taskhold(ended.directory, command, str(link), "--force").returncode == 0
    assert link.is_symlink() and b"Kept" in file.read_bytes()
