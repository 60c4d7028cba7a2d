# SPDX-License-Identifier: MIT
"""A private, durable PostgreSQL server with users and tasks, and how it and its rows are looked at."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import time

import machine
import procs
import servers
from support import cluster

USERS, TASKS_EACH = 256, 400
TITLE = servers.TITLE
TASKS = USERS * TASKS_EACH
DATABASE = "bench"
SETTINGS = {"max_connections": "300", "shared_buffers": "256MB", "max_wal_size": "4GB"}

# Ids are decimal numbers written with 32 digits, so that wrk and pgbench can make up any existing one.
# The tasks of all users are made in turn, as they are in life. An id is a number in 32 digits, of which the first twelve
# are 0: so created_at is 0 too, as it is the time in the ids that Taskhold makes.
FILL = f"""
INSERT INTO users (user_id, created_at, updated_at, password_hash, email)
    SELECT lpad(n::text, 32, '0')::uuid, 1, 1, u.password_hash, 'user' || n || '@example.com'
    FROM generate_series(1, {USERS}) n, users u;
INSERT INTO spaces (space_id, owner_id, revision, tasks_pending)
    SELECT user_id, user_id, {TASKS_EACH}, {TASKS_EACH} FROM users WHERE created_at = 1;
INSERT INTO sessions (user_id, id, counter, created_at, last_used_at, expires_at, superseded, ip)
    SELECT u.user_id, u.user_id, 1, s.created_at, s.last_used_at, s.expires_at, '', s.ip
    FROM users u, sessions s WHERE u.created_at = 1;
INSERT INTO tasks (space_id, id, created_at, updated_at, revision, status, title)
    SELECT lpad((1 + n % {USERS})::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, 0, {{now}} + n,
        1 + n / {USERS}, 0, '{TITLE}'
    FROM generate_series(0, {TASKS} - 1) n;
INSERT INTO journal (space_id, revision, at, id, actor, kind, verb)
    SELECT space_id, revision, updated_at, id, space_id, 1, 1 FROM tasks ORDER BY updated_at;
VACUUM (ANALYZE);
CHECKPOINT;
"""


def numbered(number):
    """The id of the user or task of that number."""
    digits = f"{number:032}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _part(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _token_of(model, secret, number):
    """The access token of user `number`, made after the one of a user who logged in."""
    header, payload, _ = model.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims.update(sub=numbered(number), sid=numbered(number))
    signed = header + "." + _part(json.dumps(claims, separators=(",", ":")).encode())
    return signed + "." + _part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


class Cluster:
    """with Cluster(folder, binary) as cluster: …   `folder` takes the files of the benchmark itself. Not `filled`: without
    users and tasks."""

    def __init__(self, folder, binary, filled=True):
        self.folder = folder
        self.secret = secrets.token_urlsafe(32)
        self.tokens = os.path.join(folder, "tokens")
        self._binary = binary
        self._filled = filled
        self._nodes = 0
        self._server = None

    def __enter__(self):
        why = cluster.missing()
        if why:
            raise procs.Failed(why)
        os.makedirs(self.folder, exist_ok=True)
        with on_core(procs.SERVER_CORE):
            self._server = cluster.Cluster(durable=True, settings=SETTINGS, parent=disk())
        try:
            self._server.psql(f"CREATE DATABASE {DATABASE}")
            if self._filled:
                self._fill()
        except BaseException:
            self._server.remove()
            raise
        return self

    def __exit__(self, *_):
        self._server.remove()

    def _fill(self):
        with self.node() as node:
            model = servers.register(node, "model")
        self._server.psql(FILL.format(now=int(time.time() * 1000)), DATABASE)
        with open(self.tokens, "w", encoding="ascii") as file:
            file.writelines(_token_of(model, self.secret, number) + "\n" for number in range(1, USERS + 1))

    @contextlib.contextmanager
    def node(self, **settings):
        """A Taskhold on this cluster, on the core of those who ask."""
        self._nodes += 1
        server = servers.Server(f"node-{self._nodes}", self.folder, core=procs.CLIENT_CORE)
        server.database = self._server.url(DATABASE)
        servers.launch_taskhold(server, self._binary, JWT_SECRET=self.secret, **settings)
        try:
            servers.client.wait_ready(server.port, server.process, "/readyz")
            yield server
        finally:
            server.stop()

    @property
    def pid(self):
        return self._server.process.pid

    @property
    def port(self):
        return self._server.port

    @property
    def superuser(self):
        return cluster.SUPERUSER

    def programs(self):
        return cluster.programs()

    def rows(self, sql):
        return self._server.rows(sql, DATABASE)

    def number(self, sql):
        return int(self.rows(sql)[0][0])

    def table_bytes(self):
        """Of each table with its indexes, by name."""
        return {name: int(size) for name, size in self.rows(
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")}

    def connections(self):
        """How many Taskhold has."""
        return self.number("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'taskhold'")

    def wait_until_left(self):
        """Until Taskhold's connections have gone, and so have counted all that they did."""
        end = time.monotonic() + 10
        while self.connections() > 0:
            if time.monotonic() > end:
                raise procs.Failed("PostgreSQL keeps connections of a Taskhold that ended")
            time.sleep(0.005)

    def statement(self, node, method, path, token, body=None):
        """The statement on tasks that PostgreSQL gets of Taskhold for a call, as its log has it."""
        before = len(self._server.log_text())
        self._log_statements("ALTER SYSTEM SET log_statement = 'all'")
        try:
            for _ in range(100):  # the server's processes hear of the setting a little later
                servers.client.call(node.port, method, path, token, body)
                found = re.findall(r"execute \w+: (.*\btasks\b.*)", self._server.log_text()[before:])
                if found:
                    return found[-1]
        finally:
            self._log_statements("ALTER SYSTEM RESET log_statement")
        raise procs.Failed(f"PostgreSQL's log has no statement of {method} {path}")

    def _log_statements(self, change):
        self.rows(change)
        self.rows("SELECT pg_reload_conf()")


@contextlib.contextmanager
def on_core(core):
    """What is started in the body runs on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(core)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def disk():
    """A folder on a real disk that PostgreSQL's user can reach."""
    if machine.file_system("/var/tmp") in machine.MEMORY_FILE_SYSTEMS:
        raise procs.Failed("/var/tmp is in memory, where a durable write costs nothing")
    return "/var/tmp"
