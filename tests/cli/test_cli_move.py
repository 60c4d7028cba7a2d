# SPDX-License-Identifier: MIT
"""move: from SQLite to PostgreSQL and back, interrupted at any moment, and compared."""
import json
import os
import pathlib
import pty
import random
import re
import signal
import sqlite3
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import cluster
from support.commands import heed_signals, refused
from support.paths import binary
from support.server import SANITIZER, environment, run
from support.waiting import wait_until

if cluster.missing():
    pytest.skip(cluster.missing(), allow_module_level=True)

NOW = 1795000000000
TABLES = ("users", "emails", "spaces", "lists", "tasks", "journal", "trash", "idempotency_keys", "sessions",
          "script_tokens", "actors", "known_addresses", "invitations")
IN_SQLITE = tuple(name for name in TABLES if name != "emails")


@pytest.fixture
def target(postgres):
    """(name, URL) of an empty database in it."""
    name = postgres.create_database()
    yield name, postgres.url(name)
    postgres.drop_database(name)


def move(source, target, *args):
    """Runs it; nothing that a sanitizer complains of."""
    done = run("move", "--from", str(source), "--to", str(target), *args, timeout=120)
    assert not SANITIZER.search(done.stderr), done.stderr
    return done


def fill_space(db, dice, space, tasks):
    """Tasks, changes and kept answers, as a space has them, or one that was deleted and is not gone yet."""
    for task in range(tasks):
        status = task % 3
        row = {"space_id": space, "created_at": NOW + task, "id": dice.randbytes(16), "revision": task + 1,
               "updated_at": NOW + task, "completed_at": NOW if status == 2 else None, "status": status,
               "title": f"Title {task} \u2028 \\ \t é",
               "description": None if task % 2 else "\\N\n\\.\n" + "x" * (task % 300),
               "position": "s" + "-" * (task % 7), "priority": task % 5, "recurrence_anchor": task % 2}
        if task % 4 == 0:
            row |= {name: dice.randbytes(16) for name in ("list_id", "parent_id", "series_id", "next_id")}
            row |= {"start": 2 * 86400000 * task + 1, "due": 2 * (NOW + task), "labels": '["\\\\","é\u2028"]',
                    "time_zone": "Europe/Berlin", "recurrence": "FREQ=DAILY", "metadata": '{"a":"\\t"}',
                    "blocked_by": '["01a203ca-194b-77a5-8c00-000000000003"]'}
        db.execute(f"INSERT INTO tasks ({','.join(row)}) VALUES ({','.join('?' * len(row))})", tuple(row.values()))
        db.execute("INSERT INTO journal (space_id, revision, at, kind, verb, id, actor, before, previous, undoes, follows) "
                   "VALUES (?,?,?,?,?,?,?,?,?,?,?)", (
                       space, task + 1, NOW - dice.randrange(1000), 1, 1 + task % 5, dice.randbytes(16),
                       dice.randbytes(16) if task % 3 else None, None if task % 5 == 0 else json.dumps({"title": "é\t" * task}),
                       *(task if task % 5 == number else None for number in (1, 2, 3))))
    for number in range(tasks // 3):
        db.execute("INSERT INTO trash (space_id, revision, root, id, parent_id) VALUES (?,?,?,?,?)",
                   (space, number + 1, 1 + number // 2, dice.randbytes(16), dice.randbytes(16) if number % 2 else None))
    for number in range(3):
        db.execute("INSERT INTO lists (space_id, created_at, id, revision, updated_at, archived, position, name, color, metadata) "
                   "VALUES (?,?,?,?,?,?,?,?,?,?)",
                   (space, NOW + number, dice.randbytes(16), 1000 + number, NOW + number, number % 2, "s" + "-" * number,
                    f"Name {number} \t\u2028 \\", "#3584e4" if number else None, '{"a":"\\t"}' if number else None))
    for row in range(12):
        db.execute("INSERT INTO idempotency_keys (space_id, key, fingerprint, used_at, outcome, id, revision, body) "
                   "VALUES (?,?,?,?,?,?,?,?)",
                   (space, f"key {row}", dice.randbytes(32), NOW - dice.randrange(1000), 1 + row % 3,
                    dice.randbytes(16), row, '{"title":"é"}' * row if row % 2 else None))


def fill(path, users, tasks, seed=7):
    """Rows of every kind: every column NULL and not, texts of every length, times out of order."""
    assert run("migrate", "--database", f"sqlite:{path}").returncode == 0
    dice = random.Random(seed)
    db = sqlite3.connect(path)
    for number in range(users):
        user = dice.randbytes(16)
        db.execute("INSERT INTO users (user_id, disabled_at, created_at, updated_at, password_hash, email, name, "
                   "time_zone) VALUES (?,?,?,?,?,?,?,?)", (
            user, NOW if number % 3 == 0 else None, NOW + number, NOW + number, "$argon2id$v=19$made$up",
            f"Some.One.{number}@Example.com", "Ada é\u4e2d\U0001f600" if number % 2 else None,
            "Europe/Berlin" if number % 5 == 0 else None))
        db.execute("INSERT INTO spaces (space_id, owner_id, revision, forgotten) VALUES (?,?,?,?)",
                   (user, user, 2 * tasks, number))
        fill_space(db, dice, user, tasks)
        for row in range(2):
            db.execute("INSERT INTO sessions VALUES (?,?,?,?,?,?,?,?,?)",
                       (dice.randbytes(16), user, row + 1, NOW, NOW + 1, NOW + 10 ** 9, dice.randbytes(8 * row),
                        "2001:db8::1", None if row else "curl/8 é"))
            db.execute("INSERT INTO script_tokens (id, user_id, scopes, created_at, last_used_at, expires_at, hash, name, ip) "
                       "VALUES (?,?,?,?,?,?,?,?,?)",
                       (dice.randbytes(16), user, 1 + row, NOW, NOW + 1 if row else None, NOW + 10 ** 9 if row else None,
                        dice.randbytes(32), "back up \t é", "2001:db8::1" if row else None))
            db.execute("INSERT INTO actors (user_id, id, kind, ended_at, name) VALUES (?,?,?,?,?)",
                       (user, dice.randbytes(16), 1 + row, NOW, None if row else "curl/8 é"))
        db.execute("INSERT INTO known_addresses VALUES (?,?,?)", (user, f"192.0.2.{number % 250}", NOW))
        db.execute("INSERT INTO invitations (hash, created_at, expires_at, email) VALUES (?,?,?,?)",
                   (dice.randbytes(32), NOW, NOW + 10 ** 9, f"New.{number}@Example.com" if number % 2 else None))
    gone = dice.randbytes(16)
    db.execute("INSERT INTO users (user_id, deleted_at, created_at, updated_at, password_hash) VALUES (?,?,?,?,'')",
               (gone, NOW, NOW, NOW))
    fill_space(db, dice, gone, 5)
    # What the server counts with each write, and a move counts anew.
    octets = "coalesce(length(CAST({} AS BLOB)), 0)".format
    task = " + ".join(map(octets, ("title", "description", "labels", "time_zone", "recurrence", "blocked_by", "metadata")))
    of_list = " + ".join(map(octets, ("name", "color", "metadata")))
    db.execute(
        "UPDATE spaces SET (tasks_pending, tasks_in_progress, tasks_completed) = (SELECT count(*) FILTER (WHERE "
        "status = 0), count(*) FILTER (WHERE status = 1), count(*) FILTER (WHERE status = 2) FROM tasks WHERE "
        "space_id = spaces.space_id), lists = (SELECT count(*) FROM lists WHERE space_id = spaces.space_id), "
        f"bytes = (SELECT sum(160 + {task}) FROM tasks WHERE space_id = spaces.space_id) + (SELECT sum(160 + {of_list}) "
        f"FROM lists WHERE space_id = spaces.space_id) + (SELECT sum(96 + {octets('before')}) FROM journal "
        f"WHERE space_id = spaces.space_id) + (SELECT sum(192 + {octets('key')} + {octets('body')}) "
        "FROM idempotency_keys WHERE space_id = spaces.space_id)")
    db.commit()
    db.close()
    return f"sqlite:{path}"


def rows_of(url):
    """What a SQLite file holds, without the numbers that it gives its rows."""
    db = sqlite3.connect(url.removeprefix("sqlite:"))
    found = {}
    assert {row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")} == {*IN_SQLITE, "meta"}
    for table in IN_SQLITE:
        names = [row[1] for row in db.execute(f"PRAGMA table_info({table})") if row[1] != "sequence"]
        found[table] = sorted(db.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall(), key=repr)
    db.close()
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A SQLite database to move from."""
    return fill(tmp_path_factory.mktemp("filled") / "a.db", 8, 60)


def test_there_and_back(postgres, filled, target, tmp_path):
    name, url = target
    done = move(filled, url)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:len(TABLES)]] == list(TABLES)
    assert all(line.endswith("the same on both sides") for line in lines[:len(TABLES)])
    assert lines[len(TABLES)] == "moved, and compared row for row"
    # Looked at from outside: all tables, the directory of e-mails, bytes, numbers, NULL.
    rows = rows_of(filled)
    assert {table for (table,) in postgres.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name)} \
        == {*TABLES, "taskhold_schema", "meta"}
    emails = postgres.rows("SELECT email, user_id FROM emails", name)
    assert sorted(emails) == sorted(
        [row[6].lower(), str(uuid.UUID(bytes=row[0]))] for row in rows["users"] if row[6])
    for table in IN_SQLITE:
        assert postgres.rows(f"SELECT count(*) FROM {table}", name) == [[str(len(rows[table]))]]
    tasks = postgres.psql("SELECT json_agg(json_build_array(replace(space_id::text, '-', ''), created_at, "
                          "replace(id::text, '-', ''), revision, updated_at, completed_at, status, title, "
                          "description)) FROM tasks", name)
    found = [tuple(row) for row in json.loads(tasks)]
    assert sorted(found, key=repr) == sorted(
        ((row[0].hex(), row[1], row[2].hex(), *row[3:9]) for row in rows["tasks"]), key=repr)
    back = f"sqlite:{tmp_path / 'back.db'}"
    there = postgres.rows("SELECT epoch FROM meta", name)[0][0].replace("-", "")
    assert move(url, back).returncode == 0
    assert rows_of(back) == rows
    # It is the same database: tags and cursors stay good.
    with sqlite3.connect(tmp_path / "back.db") as db:
        here = db.execute("SELECT lower(hex(epoch)) FROM meta").fetchone()[0]
    with sqlite3.connect(filled.removeprefix("sqlite:")) as db:
        first = db.execute("SELECT lower(hex(epoch)) FROM meta").fetchone()[0]
    assert here == there == first
    db = sqlite3.connect(tmp_path / "back.db")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    times = [row[0] for row in db.execute("SELECT used_at FROM idempotency_keys ORDER BY sequence")]
    assert times == sorted(times) and len(times) == 108
    db.close()


def test_a_changed_byte_is_found(postgres, filled, target):
    name, url = target
    assert json.loads(move(filled, url, "--json").stdout)["moved"]
    again = move(filled, url)
    assert again.returncode == 0 and "it was moved before; compared row for row" in again.stdout
    report = json.loads(move(filled, url, "--compare", "--json").stdout)
    assert report["same"] and not report["moved"] and [table["name"] for table in report["tables"]] == list(TABLES)
    changes = {
        "users": "UPDATE users SET updated_at = updated_at + 1 WHERE ctid IN (SELECT ctid FROM users LIMIT 1)",
        "emails": "UPDATE emails SET email = 'x' || substr(email, 2) WHERE ctid IN (SELECT ctid FROM emails LIMIT 1)",
        "tasks": "UPDATE tasks SET title = 'title' || substr(title, 6) WHERE ctid IN (SELECT ctid FROM tasks LIMIT 1)",
        "lists": "UPDATE lists SET color = '#000000' WHERE ctid IN (SELECT ctid FROM lists LIMIT 1)",
        "spaces": "UPDATE spaces SET forgotten = forgotten + 1 WHERE ctid IN (SELECT ctid FROM spaces LIMIT 1)",
        "journal": "DELETE FROM journal WHERE ctid IN (SELECT ctid FROM journal LIMIT 1)",
        "trash": "UPDATE trash SET root = root + 1 WHERE ctid IN (SELECT ctid FROM trash LIMIT 1)",
        "idempotency_keys": "UPDATE idempotency_keys SET fingerprint = set_byte(fingerprint, 7, "
                            "get_byte(fingerprint, 7) # 1) WHERE key = 'key 3'",
        "sessions": "UPDATE sessions SET user_agent = '' WHERE user_agent IS NULL",
        "script_tokens": "UPDATE script_tokens SET ip = '' WHERE ip IS NULL",
        "actors": "UPDATE actors SET ended_at = ended_at + 1 WHERE ctid IN (SELECT ctid FROM actors LIMIT 1)",
        "known_addresses": "UPDATE known_addresses SET seen_at = seen_at - 1",
    }
    for table, change in changes.items():
        postgres.psql(f"CREATE TABLE kept AS TABLE {table}; {change}", name)
        done = move(filled, url, "--compare", "--json")
        assert done.returncode == 1 and f"differ in {table}" in done.stderr, (table, done)
        report = json.loads(done.stdout)
        assert not report["same"] and [row["name"] for row in report["tables"] if not row["same"]] == [table]
        postgres.psql("SET session_replication_role = replica;"  # or sessions would go with the accounts
                      f"DELETE FROM {table}; INSERT INTO {table} TABLE kept; DROP TABLE kept", name)
    assert move(filled, url, "--compare").returncode == 0


def test_a_copy_that_changes_a_byte_is_not_kept(postgres, filled, target):
    """The database itself changes one of the rows that it is given."""
    name, url = target
    assert run("migrate", "--database", url).returncode in (0, 78)
    refused(move(filled, url + "?options=-crole%3Dnobody-at-all"), "nobody-at-all")
    postgres.psql("CREATE TABLE done (nothing int)", name)
    assert move(filled, url).returncode == 0
    postgres.psql("""
        TRUNCATE users, emails, spaces, lists, tasks, journal, trash, idempotency_keys, actors, invitations CASCADE;
        CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.title = overlay(NEW.title placing 'i' from 6); RETURN NEW; END $$;
        CREATE TRIGGER spoil BEFORE INSERT ON tasks FOR EACH ROW WHEN (NEW.revision = 17) EXECUTE FUNCTION spoil();
        """, name)
    done = move(filled, url)
    assert done.returncode == 1 and "differ in tasks; the target is left empty" in done.stderr, done
    assert [line.split()[0] for line in done.stdout.splitlines() if "DIFFERS" in line] == ["tasks"]
    assert postgres.rows("SELECT count(*) FROM users", name) == [["0"]]
    postgres.psql("DROP TRIGGER spoil ON tasks", name)
    assert move(filled, url).returncode == 0


def test_what_is_refused(postgres, filled, target, start_server, make_user, tmp_path):
    name, url = target
    server = start_server(directory=tmp_path)
    make_user(server)
    live = f"sqlite:{tmp_path}/data/taskhold.db"
    refused(move(live, url), "another process is using the database")
    refused(move(filled, live), "another process is using the database")
    server.terminate()
    refused(move(filled, live), "holds accounts already")
    refused(move(filled, filled), "name two databases", 2)
    refused(run("move", "--to", url), "name two databases", 2)
    refused(run("move", "--from"), "--from needs a value", 2)
    refused(run("move", "--from", filled, "--to", url, "more"), "unexpected argument", 2)
    refused(move(f"sqlite:{tmp_path}/missing.db", url), "there is no database")
    refused(move("mysql://h/d", url), "a database is sqlite:PATH")
    refused(move(filled, "mysql://h/d"), "a database is sqlite:PATH")
    refused(move(url, f"sqlite:{tmp_path}/new.db"), "there is none of taskhold in it")
    assert move(filled, url).returncode == 0
    refused(move(live, url), "the database holds users already")
    secret = tmp_path / "data" / "taskhold.db.jwt-secret"
    secret.write_text("x" * 48)
    os.chmod(secret, 0o600)
    with_file = subprocess.run([binary(), "move", "--from", live, "--to", f"sqlite:{tmp_path}/other.db"], check=True,
                               env=environment({"JWT_SECRET": None}), capture_output=True, encoding="utf-8")
    assert "JWT_SECRET_FILE with a copy" in with_file.stdout and str(secret) in with_file.stdout
    assert "xxx" not in with_file.stdout
    # Somebody serves from the target, or from the source: known by the name of its connections.
    psql = subprocess.Popen([cluster.programs() / "psql", "-X", "-q", "-d", url + "?application_name=taskhold"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        psql.stdin.write("\\echo here\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == "here\n"
        refused(move(url, f"sqlite:{tmp_path}/new.db"), "stop every taskhold")
        refused(move(filled, url), "stop every taskhold")
    finally:
        psql.communicate("\\q\n")


@pytest.mark.parametrize("name", [{"PGAPPNAME": "mine"}, {"DATABASE_URL": "?application_name=mine"}])
def test_a_server_of_any_name_is_seen(start_server, filled, target, tmp_path, name):
    _, url = target
    server = start_server({"DATABASE_URL": url + name.get("DATABASE_URL", ""), "PGAPPNAME": name.get("PGAPPNAME")})
    refused(move(url, f"sqlite:{tmp_path}/new.db"), "stop every taskhold")
    refused(move(filled, url), "stop every taskhold")
    server.terminate()
    assert move(filled, url).returncode == 0


class Alone:
    """Has the database for itself, as a move that was killed has it until its statement ends."""

    def __init__(self, url):
        self.psql = subprocess.Popen([cluster.programs() / "psql", "-X", "-q", "-A", "-t", "-d", url],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        self.psql.stdin.write("SELECT pg_advisory_lock(x'7461736b686f6c66'::bigint) IS NOT NULL;\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline() == "t\n"
        return self

    def __exit__(self, *_):
        self.release()

    def release(self):
        """It has ended."""
        if self.psql.poll() is None:
            self.psql.communicate("\\q\n")


def test_two_at_once(filled, target):
    """Who has waited for its end in vain says so: another move, and a server that starts."""
    _, url = target
    with Alone(url):
        with ThreadPoolExecutor() as pool:
            ended = pool.submit(run, "serve", "--port", "0", env={"DATABASE_URL": url})
            refused(move(filled, url), "has the database for itself")
            assert ended.result().returncode == 1 and "has the database for itself" in ended.result().stderr


def test_what_was_killed_is_waited_for(postgres, start_server, filled, target):
    """The database still has its session: who comes next asks again, for some seconds."""
    name, url = target

    def waits():
        return postgres.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                             f"AND datname = '{name}'", name)
    with ThreadPoolExecutor() as pool:
        with Alone(url):
            moved = pool.submit(move, filled, url)
            wait_until(waits, 20, "a move that waits")
        assert moved.result().returncode == 0, moved.result()
        with Alone(url):
            started = pool.submit(start_server, {"DATABASE_URL": url})
            wait_until(waits, 20, "a server that waits")
        started.result().terminate()


def is_marked(postgres, destination):
    """Whether the target says that it is not finished; and then it holds nothing."""
    if destination.startswith("sqlite:"):
        path = destination.removeprefix("sqlite:")
        if not os.path.exists(path):
            return False
        db = sqlite3.connect(path)
        names = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}
        marked = "unfinished_move" in names
        assert not marked or db.execute("SELECT count(*) FROM users").fetchone() == (0,)
        db.close()
        return marked
    name = destination.rpartition("/")[2]
    marked = postgres.rows("SELECT to_regclass('unfinished_move') IS NOT NULL", name) == [["t"]]
    assert not marked or postgres.rows("SELECT count(*) FROM users", name) == [["0"]]
    return marked


def kill_and_repeat(postgres, source, destination, seconds):
    """Ends moves the hard way at moments within `seconds`, then lets one come to its end. Answers how many were ended
    with the target marked."""
    seed = random.randrange(10 ** 6)
    dice = random.Random(seed)
    print(f"seed {seed}, within {seconds:.3f} s")
    marked = 0
    for _ in range(6):
        process = subprocess.Popen([binary(), "move", "--from", source, "--to", destination], env=environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        try:
            _, complaint = process.communicate(timeout=dice.uniform(0, seconds))
            assert process.returncode == 0, complaint
            return marked
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        if is_marked(postgres, destination):
            marked += 1
            refused(move(source, destination, "--compare"), "was not finished")
            assert "was not finished" in run("serve", "--port", "0", "--database", destination).stderr
    done = move(source, destination)
    assert done.returncode == 0, done
    return marked


def test_kill_9_at_any_moment(postgres, tmp_path):
    """However far it came, the target stays empty and marked; run again, it holds each row once. Both ways."""
    source = fill(tmp_path / "source.db", 10, 1000)
    names = [postgres.create_database() for _ in range(2)]
    first, second = map(postgres.url, names)
    files = [f"sqlite:{tmp_path}/{name}.db" for name in ("measured", "copy")]
    marked = []
    for origin, measured, destination in [(source, first, second), (second, *files)]:
        begun = time.monotonic()
        assert move(origin, measured).returncode == 0
        marked.append(kill_and_repeat(postgres, origin, destination, 0.7 * (time.monotonic() - begun)))
        assert move(source, destination, "--compare").returncode == 0
    assert rows_of(files[1]) == rows_of(source)
    assert sum(marked) > 0, marked
    for name in names:
        postgres.drop_database(name)


def catches(process, number):
    """Whether the process has a handler for that signal."""
    text = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"SigCgt:\s*(\w+)", text).group(1), 16) >> number - 1 & 1


def test_a_lost_connection_and_a_second_ctrl_c(postgres, filled, target):
    """While the server takes long over a row."""
    name, url = target
    assert move(filled, url).returncode == 0
    postgres.psql("""
        TRUNCATE users, emails, spaces, lists, tasks, journal, trash, idempotency_keys, actors, invitations CASCADE;
        CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(300); RETURN NEW; END $$;
        CREATE TRIGGER stay BEFORE INSERT ON tasks FOR EACH ROW WHEN (NEW.revision = 17) EXECUTE FUNCTION stay();
        """, name)
    sleeping = ("FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND query LIKE 'COPY tasks %' "
                f"AND datname = '{name}'")
    for interrupted in (False, True):
        process = subprocess.Popen([binary(), "move", "--from", filled, "--to", url], env=environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                                   preexec_fn=heed_signals)
        wait_until(lambda: postgres.rows(f"SELECT 1 {sleeping}"), 20, "a server that stays at a row")
        if interrupted:
            process.send_signal(signal.SIGINT)
            wait_until(lambda one=process: not catches(one, signal.SIGINT), 10, "the first Ctrl-C")
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == -signal.SIGINT
        postgres.psql(f"SELECT pg_terminate_backend(pid) {sleeping}")
        output, complaint = process.communicate(timeout=60)
        assert output == ""
        if not interrupted:
            assert process.returncode == 1 and complaint.startswith("taskhold: tasks: "), complaint
            assert complaint.count("\n") == 1
        assert is_marked(postgres, url)
    postgres.psql("DROP TRIGGER stay ON tasks", name)
    assert move(filled, url).returncode == 0


def test_interrupted_on_a_terminal(target, tmp_path):
    """The bar, without colour when NO_COLOR says so; Ctrl-C ends it with a line."""
    _, url = target
    source = fill(tmp_path / "source.db", 4, 3000)
    for extra, colored in [({}, True), ({"NO_COLOR": "1"}, False)]:
        main, terminal = pty.openpty()
        process = subprocess.Popen([binary(), "move", "--from", source, "--to", url], env=environment(extra),
                                   stdout=subprocess.PIPE, stderr=terminal, preexec_fn=heed_signals)
        os.close(terminal)
        seen = b""
        while b"rows" not in seen:
            seen += os.read(main, 4096)
        if colored:
            process.send_signal(signal.SIGINT)
        try:
            while more := os.read(main, 4096):
                seen += more
        except OSError:
            pass  # the other end was closed
        os.close(main)
        output, _ = process.communicate(timeout=60)
        assert (b"\033[32m" in seen) == colored and b"\rcopying " in seen
        if colored:
            assert process.returncode == 1 and output == b"" and b"interrupted; the target is empty" in seen
        else:
            assert process.returncode == 0 and b"100 %" in seen and b"\rcomparing " in seen
