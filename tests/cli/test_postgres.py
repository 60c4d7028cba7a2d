# SPDX-License-Identifier: MIT
"""PostgreSQL under one server: how it starts, what it refuses, what it says, what it deletes."""
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from support import cluster
from support.accounts import User
from support.client import Client
from support.commands import start_refusal
from support.paths import binary
from support.server import Server, environment, run
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(cluster.missing() is not None, reason=cluster.missing() or "")
PASSWORD = "geheim-7Zq%40x"
EXPIRED = """
INSERT INTO idempotency_keys SELECT space_id, 'key' || i, 'x', {now} - {day} - i * 100000, 1, space_id, 1, NULL
    FROM spaces, generate_series(-300, 300) i WHERE i <> 0;
INSERT INTO sessions SELECT user_id, gen_random_uuid(), 1, 1, 1, {now} - i * 100000, '', '::1'
    FROM users, generate_series(-300, 300) i WHERE i <> 0;
INSERT INTO journal SELECT space_id, 301 - i, {now} - 30 * {day}::bigint - i * 100000, space_id, NULL, 1, 3, '{{}}'
    FROM spaces, generate_series(-300, 300) i WHERE i <> 0;
UPDATE spaces SET revision = 601;
"""


@pytest.fixture
def own(tmp_path):
    """A PostgreSQL of a test's own, which it may end."""
    one = cluster.Cluster()
    yield one
    one.remove()


def name_of(url):
    return url.rpartition("/")[2]


def events(server, event):
    return [line for line in server.log_text().splitlines() if f'"event":"{event}"' in line]


def ready(server):
    return Client(server).get("/readyz").status == 200


# ---- starting ----


def change(url, **parts):
    """The URL with another user, password, database or host."""
    found = re.fullmatch(r"postgresql://(?P<user>\w+)@(?P<host>[^/]+)/(?P<name>\w+)", url).groupdict()
    found.update(parts)
    return "postgresql://{user}:{password}@{host}/{name}".format(**{"password": PASSWORD, **found})


@pytest.mark.parametrize("parts, status, why", [
    ({"name": "nowhere"}, 1, 'database "nowhere" does not exist'),
    ({"user": "nobody"}, 1, 'role "nobody" does not exist'),
    ({"name": "latin"}, 1, "ENCODING 'UTF8'"),
    ({"name": "x?sslmode=verify-full&colour=red"}, 78, "colour"),
    ({"name": "x?sslmode=sometimes"}, 78, "sslmode"),
    ({"password": "geheim@7Zq"}, 78, "DATABASE_URL"),
    ({"password": "geheim/7Zq"}, 78, "DATABASE_URL"),
], ids=str)
def test_what_cannot_come_right_is_refused_at_once(postgres, url, tmp_path, parts, status, why):
    """One line, long before a database that is starting would be given up; and never the password."""
    if parts.get("name") == "latin" and not postgres.rows("SELECT 1 FROM pg_database WHERE datname = 'latin'"):
        postgres.psql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    begun = time.monotonic()
    ended = run("serve", "--port", "0", env={"DATABASE_URL": change(url, **parts)}, cwd=tmp_path)
    assert time.monotonic() - begun < 15
    assert ended.returncode == status and why in start_refusal(ended), ended.stderr
    assert "7Zq" not in ended.stderr and "geheim" not in ended.stderr


def test_a_wrong_password_is_refused_at_once(own, tmp_path):
    own.psql("CREATE ROLE scram LOGIN PASSWORD 'another'")
    (own.data / "pg_hba.conf").write_text("host all scram 127.0.0.1/32 scram-sha-256\nlocal all all trust\n")
    own.psql("SELECT pg_reload_conf()")
    url = change(own.url("postgres"), user="scram")
    wait_until(lambda: "password" in run("migrate", env={"DATABASE_URL": url}, cwd=tmp_path).stderr)
    ended = run("serve", "--port", "0", env={"DATABASE_URL": url}, cwd=tmp_path)
    assert ended.returncode == 1 and "password authentication failed" in start_refusal(ended)
    assert "geheim" not in ended.stderr


class Patient(Server):
    """A server whose database comes when it has said that it waits."""

    def __init__(self, comes, **more):
        self.comes = comes
        super().__init__(**more)

    def start(self, port=0):
        self.spawn(port)
        wait_until(lambda: events(self, "database_awaited"), 20, "a line that says so")
        self.comes()
        self.await_listening(30)


def test_a_database_that_is_starting_is_waited_for(own):
    own.end()
    server = Patient(own.start, env={"DATABASE_URL": own.url("postgres")})
    try:
        assert len(events(server, "database_awaited")) == 1
        assert ready(server)
    finally:
        server.stop()


@pytest.mark.parametrize("number, as_init", [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGTERM, True)])
def test_a_stop_while_it_waits_for_the_database(tmp_path, number, as_init):
    """Also as PID 1 of a container, which has no signal that it does not ask for."""
    inside = ["unshare", "--fork", "--pid", "--mount-proc"] if as_init else []
    if as_init and subprocess.run([*inside, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespace of processes here: this test needs root")
    log = tmp_path / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen([*inside, binary(), "serve", "--port", "0"], cwd=tmp_path, stderr=out,
                                   env=environment({"DATABASE_URL": f"postgres://u@127.0.0.1:{cluster.free_port()}/d"}))
    wait_until(lambda: "database_awaited" in log.read_text(), 10, "the wait")
    pid = process.pid
    if as_init:
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
        pid = int(children.read_text().split()[0])
    begun = time.monotonic()
    os.kill(pid, signal.SIGHUP)
    os.kill(pid, number)
    assert process.wait(10) == 0 and time.monotonic() - begun < 5
    told = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert told[-2:] == ["stopping", "stopped"], told


def test_a_command_as_init_can_be_stopped(postgres, url, tmp_path):
    """A migration that waits for a lock, as the one process of a container."""
    inside = ["unshare", "--fork", "--pid", "--mount-proc"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no namespace of processes here: this test needs root")
    blocker = subprocess.Popen([cluster.programs() / "psql", "-q", url], stdin=subprocess.PIPE, text=True)
    blocker.stdin.write("BEGIN; CREATE TABLE taskhold_schema (x int);\n")
    blocker.stdin.flush()
    left = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name_of(url)}'"
    wait_until(lambda: postgres.rows(left + " AND state = 'idle in transaction'"), 10, "the table of another")
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'taskhold'"
    process = subprocess.Popen([*inside, binary(), "migrate"], cwd=tmp_path, stderr=subprocess.DEVNULL,
                               env=environment({"DATABASE_URL": url}))
    wait_until(lambda: postgres.rows(waits), 10, "a migration that waits")
    pid = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])
    os.kill(pid, signal.SIGTERM)
    assert process.wait(10) == 128 + signal.SIGTERM
    blocker.communicate("ROLLBACK;\n", timeout=10)
    wait_until(lambda: not postgres.rows(left), 10, "the end of what the command left")


def test_what_the_server_remarks_is_an_event(postgres, tmp_path):
    """A collation that is not what it was is told when a session begins, by libpq's own writer otherwise."""
    name = postgres.create_database()
    postgres.psql(f"ALTER DATABASE {name} SET client_min_messages = notice; "
                  f"UPDATE pg_database SET datcollversion = '0.1' WHERE datname = '{name}'")
    if not postgres.rows(f"SELECT 1 FROM pg_database WHERE datname = '{name}' AND "
                         "datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)"):
        pytest.skip("this PostgreSQL keeps no version of its collations")
    url = postgres.url(name)
    warned = [line for line in subprocess.run([cluster.programs() / "psql", "-qc", "SELECT 1", url], text=True,
                                              capture_output=True, check=True).stderr.splitlines() if "WARNING" in line]
    server = Server(env={"DATABASE_URL": url, "LOG_LEVEL": "debug"}, directory=tmp_path)
    try:
        assert ready(server)
        for line in server.log_text().splitlines():
            json.loads(line)
        assert bool(warned) == bool(events(server, "postgres_notice"))
        assert warned, "this locale has no versions; the cluster must be made with one that has"
        for form, level, least in (("json", "info", 1), ("json", "error", 0), ("text", "info", 1), ("auto", "info", 1)):
            done = run("user", "list", cwd=tmp_path, env={"DATABASE_URL": url, "LOG_FORMAT": form, "LOG_LEVEL": level})
            lines = done.stderr.splitlines()
            assert done.returncode == 0 and len(lines) >= least and (least or not lines), done
            assert all(line.startswith("{") == (form == "json") for line in lines), lines
            assert form != "json" or {json.loads(line)["event"] for line in lines} <= {"postgres_notice"}
    finally:
        server.stop()


def tables(postgres, url):
    return postgres.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name_of(url))


def test_a_kill_in_the_middle_of_a_migration_is_repaired_by_the_next_start(postgres, url, tmp_path):
    """Held up half way by a table of the same name that another transaction is making."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'taskhold'"
    left = f"SELECT 1 FROM pg_stat_activity WHERE datname = '{name_of(url)}'"
    with open(tmp_path / "log", "wb") as log:
        blocker = subprocess.Popen([cluster.programs() / "psql", "-q", url], stdin=subprocess.PIPE, text=True)
        blocker.stdin.write("BEGIN; CREATE TABLE sessions (x int);\n")
        blocker.stdin.flush()
        wait_until(lambda: postgres.rows(left + " AND state = 'idle in transaction'"))
        node = subprocess.Popen([binary(), "serve", "--port", "0"], cwd=tmp_path, stderr=log,
                                env=environment({"DATABASE_URL": url}))
        wait_until(lambda: postgres.rows(waiting))
        node.kill()
        node.wait()
    blocker.communicate("ROLLBACK;\n", timeout=10)
    wait_until(lambda: not postgres.rows(left), 10, "the end of what the node left")
    assert tables(postgres, url) == []
    server = Server(env={"DATABASE_URL": url})
    try:
        User(server).task()
        assert {"sessions", "users", "tasks", "meta", "invitations"} <= {row[0] for row in tables(postgres, url)}
    finally:
        server.stop()


# ---- running ----


def test_a_node_that_was_stopped_has_lost_nothing(own):
    """The answer to the last question came meanwhile; only the time to read it was lacking."""
    server = Server(env={"DATABASE_URL": own.url("postgres")})
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT version%'"
    try:
        assert ready(server)
        blocker = subprocess.Popen([cluster.programs() / "psql", "-q", own.url("postgres")], stdin=subprocess.PIPE,
                                   text=True)
        blocker.stdin.write("BEGIN; LOCK TABLE taskhold_schema;\n")
        blocker.stdin.flush()
        wait_until(lambda: own.rows(waits), 10, "a question that waits")
        server.signal(signal.SIGSTOP)
        blocker.communicate("COMMIT;\n", timeout=10)
        wait_until(lambda: not own.rows(waits), 10, "its answer")
        until = time.monotonic() + 2.5  # longer than it would have waited
        wait_until(lambda: time.monotonic() > until, 10)
        server.signal(signal.SIGCONT)
        wait_until(lambda: ready(server), 10, "readiness")
        assert not events(server, "database_lost")
    finally:
        server.signal(signal.SIGCONT)
        server.stop()


def test_a_loss_and_the_return_are_one_line_each(own):
    server = Server(env={"DATABASE_URL": own.url("postgres")})
    try:
        user = User(server)
        own.end("immediate")
        wait_until(lambda: not ready(server), 10, "the end of readiness")
        wait_until(lambda: events(server, "database_lost"))
        assert user.client.get("/v1/tasks").status == 503
        own.start()
        wait_until(lambda: ready(server), 10, "readiness")
        wait_until(lambda: events(server, "database_back"))
        user.client.get("/v1/tasks").expect(200)
        assert len(events(server, "database_lost")) == len(events(server, "database_back")) == 1
    finally:
        server.stop()


def test_what_has_expired_is_deleted(postgres, url):
    server = Server(env={"DATABASE_URL": url})
    try:
        user = User(server)
        now = int(time.time() * 1000)
        postgres.psql(EXPIRED.format(now=now, day=86_400_000), name_of(url))
        server.restart()
        for table, kept in (("idempotency_keys", 300), ("sessions", 301), ("journal", 300)):
            wait_until(lambda: postgres.rows(f"SELECT count(*) FROM {table}", name_of(url)) == [[str(kept)]], 10,
                       f"{kept} rows of {table}")
        user.client.get("/v1/me").expect(200)
    finally:
        server.stop()


@pytest.fixture(scope="module")
def talkative():
    """A PostgreSQL that logs every statement."""
    one = cluster.Cluster(settings={"log_statement": "all"})
    yield one
    one.remove()


@pytest.mark.parametrize("prepared", ["on", "off"])
def test_a_pooler_gets_nothing_that_belongs_to_a_session(talkative, prepared):
    url = talkative.url(talkative.create_database())
    begun = len(talkative.log_text())
    server = Server(env={"DATABASE_URL": url, "DATABASE_PREPARED": prepared})
    try:
        User(server).task()
    finally:
        server.stop()
    said = talkative.log_text()[begun:]
    of_a_session = [re.search(pattern, said) is not None
                    for pattern in (r"execute th\d+:", r"set_config", r"LISTEN taskhold_sessions_ended")]
    assert of_a_session == [prepared == "on"] * 3
    assert "INSERT INTO tasks" in said


def test_a_role_that_does_not_wait_for_the_disk(postgres, url, tmp_path):
    """Its sessions are told to wait; where nothing may be told them, the start is refused."""
    postgres.psql("CREATE ROLE hasty SUPERUSER LOGIN; ALTER ROLE hasty SET synchronous_commit = off")
    hasty = url.replace("taskhold@", "hasty@")
    ended = run("serve", "--port", "0", env={"DATABASE_URL": hasty, "DATABASE_PREPARED": "off"}, cwd=tmp_path)
    assert ended.returncode == 1 and "synchronous_commit is off" in ended.stderr
    server = Server(env={"DATABASE_URL": hasty})
    try:
        assert ready(server)
    finally:
        server.stop()
