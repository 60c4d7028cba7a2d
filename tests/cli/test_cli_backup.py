# SPDX-License-Identifier: MIT
"""backup and restore: beside a server that writes, without a server, after a crash, and what they refuse."""
import hashlib
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

from support.accounts import User
from support.commands import ENDINGS, heed_signals, refused, taskhold
from support.metrics import metrics_of
from support.paths import binary
from support.server import Server, environment
from support.waiting import wait_until

BESIDE = ("-wal", "-shm", ".lock", ".last-backup")


def database(server):
    """The file that a server of these tests keeps."""
    return server.directory / "data" / "taskhold.db"


def titles(path):
    """What is in a database that nobody has open."""
    with sqlite3.connect(f"file:{path}?immutable=1", uri=True) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {title for (title,) in db.execute("SELECT title FROM tasks")}


def epoch(path):
    """What tells the tags of one database from those of another."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return db.execute("SELECT hex(epoch) FROM meta").fetchone()[0]


def fingerprint(server):
    """The bytes of the database and its WAL; no WAL is like an empty one."""
    path = database(server)
    wal = path.with_name(path.name + "-wal")
    return [hashlib.sha256(one.read_bytes() if one.exists() else b"").hexdigest() for one in (path, wal)]


@pytest.fixture
def stopped(start_server, make_user):
    """A server that was stopped, with one task, "Before"."""
    server = start_server()
    make_user(server).task("Before")
    server.terminate()
    return server


def test_backup_beside_a_running_server(start_server, make_user, tmp_path):
    server = start_server()
    user = make_user(server)
    for number in range(20):
        user.task(f"Task {number}", description="é\u4e2d\U0001f600")
    target = tmp_path / "copy.db"
    done = taskhold(server.directory, "backup", str(target), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    rows = {table["name"]: table["rows"] for table in report["tables"]}
    assert report["file"] == str(target) and report["bytes"] == target.stat().st_size and report["schema"] >= 1
    assert rows["users"] == 1 and rows["tasks"] == 20 and rows["sessions"] == 1
    assert all(len(table["digest"]) == 32 for table in report["tables"])
    assert titles(target) == {f"Task {number}" for number in range(20)}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]
    text = taskhold(server.directory, "backup", "second.db").stdout
    assert "wrote second.db" in text and "not in it: the secret" in text


def test_backup_under_load_holds_what_was_acknowledged(start_server, make_user, tmp_path):
    """Everything answered before it began is in it, and of each writer a beginning without gaps."""
    server = start_server()
    users = [make_user(server) for _ in range(3)]
    acknowledged = [0] * len(users)
    stop = threading.Event()

    def write(index):
        while not stop.is_set():
            users[index].task(f"{index} {acknowledged[index]}")
            acknowledged[index] += 1

    threads = [threading.Thread(target=write, args=[index]) for index in range(len(users))]
    for thread in threads:
        thread.start()
    try:
        for step in range(5):
            before = list(acknowledged)
            target = tmp_path / f"copy-{step}.db"
            done = taskhold(server.directory, "backup", str(target))
            after = list(acknowledged)
            assert done.returncode == 0, done.stderr
            found = titles(target)
            for index, least in enumerate(before):
                count = sum(title.startswith(f"{index} ") for title in found)
                assert least <= count <= after[index] + 1
                assert {f"{index} {number}" for number in range(count)} <= found
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert min(acknowledged) > 0


def test_backup_leaves_the_source_alone_also_after_a_crash(start_server, make_user, tmp_path):
    """What only the WAL holds is in the copy, and neither file changes by a bit."""
    server = start_server()
    make_user(server).task("Only in the WAL")
    server.kill()
    before = fingerprint(server)
    assert database(server).with_name("taskhold.db-wal").stat().st_size > 0
    done = taskhold(server.directory, "backup", str(tmp_path / "copy.db"))
    assert done.returncode == 0, done.stderr
    assert titles(tmp_path / "copy.db") == {"Only in the WAL"}
    assert fingerprint(server) == before
    server.start()


def test_backup_without_a_server(stopped, tmp_path):
    before = fingerprint(stopped)
    assert taskhold(stopped.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    assert titles(tmp_path / "copy.db") == {"Before"} and fingerprint(stopped) == before


def test_backup_of_the_same_rows_has_the_same_digests(stopped, tmp_path):
    one, two = (json.loads(taskhold(stopped.directory, "backup", str(tmp_path / name), "--json").stdout)
                for name in "ab")
    assert one["tables"] == two["tables"]


def test_backup_overwrites_only_with_force(stopped, tmp_path):
    target = tmp_path / "copy.db"
    target.write_text("precious")
    refused(taskhold(stopped.directory, "backup", str(target)), "--force")
    assert target.read_text() == "precious"
    assert taskhold(stopped.directory, "backup", str(target), "--force").returncode == 0
    assert titles(target) == {"Before"} and [path.name for path in tmp_path.iterdir()] == ["copy.db"]


@pytest.fixture(scope="module", name="large")
def make_large(tmp_path_factory):
    """A folder with a database of 24 MB, which takes a while to copy and to check."""
    server = Server()
    try:
        user = User(server)
        user.task("One")
        user.client.close()
        server.terminate()
        with sqlite3.connect(database(server)) as db:
            db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) "
                       "INSERT INTO tasks (space_id, created_at, id, revision, updated_at, status, title, description) "
                       "SELECT space_id, created_at, randomblob(16), revision + i, updated_at, status, title, "
                       "hex(zeroblob(8000)) FROM tasks, n")
        db.close()
        yield server
    finally:
        server.stop()


def stopped_in(phase, server, target):
    """A backup that stands still (SIGSTOP) in a phase: "copy", or "check" when all is copied. None: it was faster."""
    process = subprocess.Popen([str(binary()), "backup", str(target)], cwd=server.directory, env=environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               encoding="utf-8", preexec_fn=heed_signals)
    least = 1 if phase == "copy" else database(server).stat().st_size

    def there():
        if process.poll() is not None or target.exists():
            return True
        try:
            return any(path.stat().st_size >= least for path in target.parent.glob("*.partial-*"))
        except FileNotFoundError:  # renamed since
            return False

    wait_until(there, 20, phase)
    process.send_signal(signal.SIGSTOP)
    if process.poll() is None and not target.exists():
        return process
    process.send_signal(signal.SIGCONT)
    assert process.wait(20) == 0
    return None


@pytest.mark.parametrize("number", ENDINGS)
@pytest.mark.parametrize("phase", ["copy", "check"])
def test_backup_that_is_interrupted_leaves_nothing(large, tmp_path, number, phase):
    before = fingerprint(large)
    process = next(filter(None, (stopped_in(phase, large, tmp_path / f"{go}.db") for go in range(20))))
    names = sorted(path.name for path in tmp_path.glob("*.db"))
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    said, complaint = process.communicate(timeout=20)
    assert (process.returncode, said) == (1, "") and re.fullmatch(r"taskhold: gave up \S+: interrupted\n", complaint)
    assert sorted(path.name for path in tmp_path.iterdir()) == names and fingerprint(large) == before


def test_backup_that_is_told_to_ignore_a_signal_goes_on(large, tmp_path):
    """As under nohup."""
    target = tmp_path / "copy.db"
    process = subprocess.Popen([str(binary()), "backup", str(target)], cwd=large.directory, env=environment(),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_until(lambda: process.poll() is not None or list(tmp_path.iterdir()), 20, "the file")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=20)
    assert process.returncode == 0 and target.exists()


def test_backup_that_cannot_be_made(stopped, tmp_path):
    refused(taskhold(stopped.directory, "backup"), "give one FILE", 2)
    refused(taskhold(stopped.directory, "backup", "a", "b"), "give one FILE", 2)
    refused(taskhold(stopped.directory, "backup", str(tmp_path / "nowhere" / "copy.db")), "No such file")
    refused(taskhold(stopped.directory, "backup", "copy.db", "--database", "sqlite:missing.db"), "there is no database")
    refused(taskhold(stopped.directory, "backup", "copy.db", "--database", "postgres://h/db"), "pg_dump", 78)
    assert not (stopped.directory / "missing.db").exists() and not (stopped.directory / "copy.db").exists()


def test_the_server_tells_of_the_last_backup(tmp_path):
    """`backup` only reads the database; the server knows of it at the next look, and after a restart."""
    name, where = "taskhold_last_backup_timestamp_seconds", tmp_path / "server"
    where.mkdir()
    server = Server({"METRICS_ADDR": "127.0.0.1:0"}, directory=where)
    try:
        assert metrics_of(server).get(name) == 0
        before = int(time.time())
        for target in (str(tmp_path / "copy"), "-"):
            with open(tmp_path / "out", "wb") as out:
                assert taskhold(where, "backup", target, stdout=out).returncode == 0
            seen = metrics_of(server).get(name)
            assert before <= seen <= time.time()
        line = database(server).with_name("taskhold.db.last-backup")
        assert re.fullmatch(r"\d{10} \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", line.read_text(encoding="ascii"))
        assert line.stat().st_mode & 0o777 == 0o600
        server.terminate()
        assert taskhold(where, "backup", str(tmp_path / "copy")).returncode == 1  # it is there: no backup was made
        server.start()
        assert metrics_of(server).get(name) == seen
        for text in ("", "never\n", "99999999999999999999 \n"):
            line.write_text(text, encoding="ascii")
            assert metrics_of(server).get(name) == 0, text
    finally:
        server.stop()


def test_a_backup_that_cannot_be_noted_is_one(tmp_path, make_user, start_server):
    """A warning says what the server will not know; a link is not followed."""
    server = start_server()
    make_user(server).task("Kept")
    line = database(server).with_name("taskhold.db.last-backup")
    line.symlink_to(tmp_path / "elsewhere")
    done = taskhold(server.directory, "backup", str(tmp_path / "copy"), "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["bytes"] > 0
    assert "warning: cannot note the time" in done.stderr and not (tmp_path / "elsewhere").exists()


def piped(server, **more):
    """A process that writes a backup into a pipe."""
    return subprocess.Popen([str(binary()), "backup", "-"], cwd=server.directory, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_signals, **more)


def left_of(folder):
    """Copies that were not removed."""
    return list(folder.glob("*partial*"))


def test_a_backup_through_a_pipe_restores(start_server, make_user, tmp_path):
    """Nothing but the database is on standard output; the report is on standard error."""
    server = start_server()
    make_user(server).task("Piped")
    for json_too in ((), ("--json",)):
        done = subprocess.run([str(binary()), "backup", "-", *json_too], cwd=server.directory, env=environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=True)
        assert done.stdout.startswith(b"SQLite format 3\0")
        if json_too:
            report = json.loads(done.stderr)
            assert report["file"] == "standard output" and report["bytes"] == len(done.stdout)
        else:
            assert done.stderr.startswith(b"wrote standard output: ") and b"not in it: the secret" in done.stderr
    (tmp_path / "received.db").write_bytes(done.stdout)
    place = f"sqlite:{tmp_path}/new.db"
    back = taskhold(server.directory, "restore", str(tmp_path / "received.db"), "--database", place)
    assert back.returncode == 0 and titles(tmp_path / "new.db") == {"Piped"}
    assert not left_of(database(server).parent)


def test_a_backup_into_a_terminal_is_refused(stopped):
    ours, theirs = pty.openpty()
    try:
        done = taskhold(stopped.directory, "backup", "-", stdout=theirs)
        assert done.returncode == 1 and done.stderr.count("\n") == 1 and "is a terminal" in done.stderr
        assert "taskhold backup - | ssh HOST" in done.stderr and "name a FILE" in done.stderr
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_backup_that_nobody_takes_is_none(large, tmp_path):
    """A full device and a reader that went: one line, exit status 1, nothing left, and no moment of a backup."""
    line = database(large).with_name("taskhold.db.last-backup")
    line.unlink(missing_ok=True)
    with open("/dev/full", "wb") as full:
        done = taskhold(large.directory, "backup", "-", stdout=full)
    assert done.returncode == 1 and done.stderr == "taskhold: cannot write to standard output: No space left on device\n"
    process = piped(large, env=environment())
    assert process.stdout.read(1000)
    process.stdout.close()
    assert process.stderr.read() == b"taskhold: cannot write to standard output: Broken pipe\n"
    process.stderr.close()
    assert process.wait(20) == 1
    assert not line.exists() and not left_of(database(large).parent)


@pytest.mark.parametrize("number", [*ENDINGS, signal.SIGKILL])
def test_a_backup_whose_reader_waits_can_be_ended(large, number):
    """It stands in a full pipe; what is sent then has no name any more."""
    process = piped(large, env=environment())
    assert process.stdout.read(1000)  # all of it was checked, and is on its way
    assert process.poll() is None and not left_of(database(large).parent)
    process.send_signal(number)
    complaint = process.communicate(timeout=20)[1]
    if number != signal.SIGKILL:
        assert process.returncode == 1 and complaint == b"taskhold: gave up standard output: interrupted\n"
    assert not left_of(database(large).parent)


def test_where_the_copy_is_made_that_is_sent(stopped, tmp_path):
    """TMPDIR alone where it is set; else beside the database; a folder that cannot be used is named."""
    with open(tmp_path / "out", "wb") as out:
        for folder in (tmp_path / "missing", pathlib.Path("/proc")):
            done = taskhold(stopped.directory, "backup", "-", stdout=out, env={"TMPDIR": str(folder)})
            assert done.returncode == 1 and f"set TMPDIR to a folder that you may write, with 1 MB free; {folder} has 0" \
                in done.stderr, done.stderr
        assert taskhold(stopped.directory, "backup", "-", stdout=out, env={"TMPDIR": str(tmp_path)}).returncode == 0
    refused(taskhold(stopped.directory, "backup", "-", "--database", "sqlite:missing.db"), "there is no database")
    done = taskhold(stopped.directory, "backup", "-", "--database", "postgres://h/db")
    assert done.returncode == 78 and "pg_dump --format=custom --dbname=" in done.stderr


def test_backup_of_a_damaged_database_is_refused(stopped, tmp_path):
    """A copy that is not whole is not kept."""
    path = database(stopped)
    data = bytearray(path.read_bytes())
    size = 4096
    for page in range(2, len(data) // size):
        data[page * size + 1:page * size + 600] = b"\xa5" * 599
    path.write_bytes(data)
    done = taskhold(stopped.directory, "backup", str(tmp_path / "copy.db"))
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_restore_brings_everything_back(start_server, make_user, tmp_path):
    server = start_server()
    user = make_user(server)
    first = user.task("Kept", status="completed")
    assert taskhold(server.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    user.task("Made later")
    server.terminate()
    refused(taskhold(server.directory, "restore", str(tmp_path / "copy.db")), "--force")
    done = taskhold(server.directory, "restore", str(tmp_path / "copy.db"), "--force")
    assert done.returncode == 0, done.stderr
    assert "the secret is not part of a backup" in done.stdout
    server.start()
    items = user.client.copy().get("/v1/tasks").expect(200).json["items"]
    assert items == [first]
    kept = [path for path in (server.directory / "data").iterdir() if ".before-restore-" in path.name]
    assert len(kept) == 1 and titles(kept[0]) == {"Kept", "Made later"} and str(kept[0]) in done.stdout
    assert stat.S_IMODE(database(server).stat().st_mode) == 0o600
    assert not [path for path in (server.directory / "data").iterdir() if "partial" in path.name]


def test_after_a_restore_no_tag_comes_again_and_sessions_go_on(start_server, make_user, tmp_path):
    """Revisions and counters are given out once more: an old tag fits nothing, an old session is no stolen one."""
    server = start_server()
    user = make_user(server)
    path = f"/v1/tasks/{user.task('Kept')['id']}"
    assert taskhold(server.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    before = user.client.patch(path, {"title": "Edited, then lost"}).expect(200)
    user.task("Another")
    page = user.client.get("/v1/tasks?limit=1&sort=title").expect(200)
    token = user.token
    for _ in range(3):
        body = {"refresh_token": token["refresh_token"]}
        token = user.anonymous.post("/v1/auth/refresh", body).expect(200).json
    server.terminate()
    done = taskhold(server.directory, "restore", str(tmp_path / "copy.db"), "--force")
    assert done.returncode == 0, done.stderr
    server.start()
    client = user.client.copy()
    again = client.patch(path, {"title": "Edited by somebody else"}).expect(200)
    assert again.json["revision"] == before.json["revision"] and again.etag != before.etag
    client.get(path, headers={"If-None-Match": before.etag}).expect(200)
    client.patch(path, {"title": "x"}, headers={"If-Match": before.etag}).expect(412, "precondition_failed")
    client.get(f"/v1/tasks?limit=1&sort=title&cursor={page.json['next_cursor']}").expect(400, "invalid_parameter")
    for _ in range(2):
        body = {"refresh_token": token["refresh_token"]}
        token = user.anonymous.copy().post("/v1/auth/refresh", body).expect(200).json
    client.get("/v1/me", token=token["access_token"]).expect(200)


def test_every_restore_makes_an_epoch_of_its_own(stopped, tmp_path):
    """A backup has the epoch of its source, a start keeps it, and no two restores of it have the same."""
    copy = tmp_path / "copy.db"
    assert taskhold(stopped.directory, "backup", str(copy)).returncode == 0
    seen = [epoch(database(stopped))]
    assert epoch(copy) == seen[0]
    for place in (database(stopped), tmp_path / "other.db"):
        done = taskhold(stopped.directory, "restore", str(copy), "--force", "--database", f"sqlite:{place}")
        assert done.returncode == 0, done.stderr
        assert titles(place) == {"Before"}
        seen.append(epoch(place))
    assert len(set(seen)) == 3, seen
    stopped.start()
    stopped.terminate()
    assert epoch(database(stopped)) == seen[1]


def test_restore_after_a_crash_never_mixes_the_old_wal_in(start_server, make_user, tmp_path):
    server = start_server()
    user = make_user(server)
    user.task("Kept")
    assert taskhold(server.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    user.task("Only in the WAL")
    server.kill()
    done = taskhold(server.directory, "restore", str(tmp_path / "copy.db"), "--force")
    assert done.returncode == 0, done.stderr
    assert titles(database(server)) == {"Kept"}
    kept = next((server.directory / "data").glob("*.before-restore-*Z"))
    assert titles(kept) == {"Kept", "Only in the WAL"}
    server.start()


def test_restore_over_a_damaged_database_keeps_its_wal(start_server, make_user, tmp_path):
    server = start_server()
    make_user(server).task("Kept")
    assert taskhold(server.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    server.kill()
    database(server).write_bytes(b"no database " * 1000)
    wal = database(server).with_name("taskhold.db-wal").read_bytes()
    done = taskhold(server.directory, "restore", str(tmp_path / "copy.db"), "--force")
    assert done.returncode == 0, done.stderr
    assert titles(database(server)) == {"Kept"}
    kept_wal = list((server.directory / "data").glob("*.before-restore-*-wal"))
    assert [one.read_bytes() for one in kept_wal] in ([wal], [])
    server.start()


def test_restore_where_there_is_no_database(stopped, tmp_path):
    assert taskhold(stopped.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    url = f"sqlite:{tmp_path}/new/place.db"
    done = taskhold(stopped.directory, "restore", str(tmp_path / "copy.db"), "--database", url)
    assert done.returncode == 0 and "is now" not in done.stdout
    assert titles(tmp_path / "new" / "place.db") == {"Before"}


def test_restore_beside_a_running_server_is_refused(start_server, make_user, tmp_path):
    server = start_server()
    user = make_user(server)
    assert taskhold(server.directory, "backup", str(tmp_path / "copy.db")).returncode == 0
    refused(taskhold(server.directory, "restore", str(tmp_path / "copy.db"), "--force"), "another process is using")
    user.task("Still works")


def test_restore_of_what_is_no_good_backup(stopped, tmp_path):
    """The database stays as it is, whatever is given."""
    before = fingerprint(stopped)
    copy = tmp_path / "copy.db"
    assert taskhold(stopped.directory, "backup", str(copy)).returncode == 0

    def variant(name, change):
        path = tmp_path / name
        shutil.copy(copy, path)
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA journal_mode = DELETE")
            db.execute(change)
        db.close()
        return path

    (tmp_path / "text").write_text("no database at all " * 500)
    (tmp_path / "short").write_bytes(copy.read_bytes()[:-4096])
    (tmp_path / "live").write_bytes(copy.read_bytes())
    (tmp_path / "live-wal").write_bytes(b"x")
    newer = variant("newer", "PRAGMA user_version = 4711")
    foreign = variant("foreign", "PRAGMA application_id = 7")
    orphans = variant("orphans", "UPDATE sessions SET user_id = randomblob(16)")
    for path, says in [(tmp_path / "missing", "cannot open"), (tmp_path / "text", "file is not a database"),
                       (tmp_path / "short", "malformed"), (tmp_path / "live", "it has a -wal file"),
                       (newer, "schema 4711"), (foreign, "not a database of taskhold"),
                       (orphans, "account is missing")]:
        refused(taskhold(stopped.directory, "restore", str(path), "--force"), says)
        assert fingerprint(stopped) == before
    refused(taskhold(stopped.directory, "restore"), "give one FILE", 2)
    refused(taskhold(stopped.directory, "restore", str(copy), "--database", "postgres://h/db"), "pg_restore", 78)
    names = {path.name for path in (stopped.directory / "data").iterdir()}
    assert names <= {"taskhold.db", *(f"taskhold.db{end}" for end in BESIDE)}
