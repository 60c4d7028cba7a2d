# SPDX-License-Identifier: MIT
"""The kill points of what is done once: a migration, from nothing and from the oldest schema with data, and the secret
that a first start makes. However often a migration was killed, it ends at the same tables as one that was not.

    HITS=100 SEED=1 TASKHOLD_BIN=build/points/taskhold python3 -m pytest -s tests/fault/test_points_first.py

With tests/with-postgres before it the database is PostgreSQL's."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import uuid

import pytest

from points import Points
from support import cluster, engine
from support.accounts import User
from support.paths import ROOT, binary
from support.seed import SEED
from support.server import Server, environment, run as run_program

HITS = int(os.environ.get("HITS", "2"))
TASKS = 700  # more than one fetch of what is folded
SCRIPTS = ROOT / "src/store"
TITLES = ["Milk", "Ärger", "Straße", "か", "x" * 100]
COLUMNS = "(space_id, created_at, id, revision, updated_at, status, title, description)"


def rows_of_old():
    """Spaces with tasks, as the first schema has them: SQL that both engines read."""
    chance = random.Random(1)
    id_of = (lambda one: f"'{one}'") if engine.is_postgres() else (lambda one: f"x'{one.hex}'")
    for number in range(3):
        space = id_of(uuid.UUID(int=number + 1))
        yield f"INSERT INTO spaces (space_id, owner_id, revision, tasks_pending) VALUES ({space}, {space}, {TASKS}, {TASKS});"
        yield (f"INSERT INTO users (user_id, created_at, updated_at, password_hash, email) "
               f"VALUES ({space}, 1, 1, 'none', 'u{number}@example.com');")
        for task in range(TASKS):
            title = chance.choice(TITLES)
            yield (f"INSERT INTO tasks {COLUMNS} VALUES ({space}, {1000 + task}, {id_of(uuid.UUID(int=chance.getrandbits(128)))}, "
                   f"{task + 1}, 2000, {chance.randint(0, 2)}, '{title}', {chance.choice(['NULL', repr(title)])});")


class File:
    """A database of its own in a file."""

    def __init__(self, folder, source=None):
        self.path = folder / f"{uuid.uuid4()}.db"
        if source is not None and source.path.exists():
            shutil.copy(source.path, self.path)

    @property
    def url(self):
        """For the program."""
        return f"sqlite:{self.path}"

    def fill(self):
        """Makes it as the first schema was, with data."""
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            script = (SCRIPTS / "sqlite/migrations/0001_init.sql").read_text(encoding="utf-8")
            db.executescript("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;" + script + "PRAGMA user_version = 1; BEGIN;"
                             + "".join(rows_of_old()) + "COMMIT;")

    def dump(self):
        """All of it as text."""
        with contextlib.closing(sqlite3.connect(self.path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            version = db.execute("PRAGMA user_version").fetchone()[0]
            return [f"version {version}", *(line for line in db.iterdump() if 'INTO "meta"' not in line)]

    def remove(self):
        """Its files."""
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink()


class Database(File):
    """The same on PostgreSQL."""

    def __init__(self, folder, source=None):  # pylint: disable=super-init-not-called,unused-argument
        self.name = f"first_{uuid.uuid4().hex}"
        cluster.query(engine.SERVER, f"CREATE DATABASE {self.name}" + (f" TEMPLATE {source.name}" if source else ""))

    @property
    def url(self):
        return f"{engine.SERVER}/{self.name}"

    def fill(self):
        script = (SCRIPTS / "postgres/migrations/0001_init.sql").read_text(encoding="utf-8")
        version = "CREATE TABLE taskhold_schema (version integer NOT NULL); INSERT INTO taskhold_schema VALUES (1);"
        subprocess.run([cluster.programs() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", self.url, "-f", "-"], check=True,
                       input=script + version + "".join(rows_of_old()), encoding="utf-8", stdout=subprocess.DEVNULL)

    def dump(self):
        text = subprocess.run([cluster.programs() / "pg_dump", "--inserts", "--exclude-table-data=meta", self.url], check=True,
                              encoding="utf-8", stdout=subprocess.PIPE).stdout
        # Rows lie where they were written last, and some versions add a word of their own.
        return sorted(line for line in text.splitlines() if not re.match(r"\\|--", line))

    def remove(self):
        cluster.query(engine.SERVER, f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")


def make(folder, source=None):
    """A database of the engine that is tested."""
    return (Database if engine.is_postgres() else File)(folder, source)


@pytest.fixture(name="points")
def fixture_points(tmp_path):
    """The file of a process with points."""
    made = Points(tmp_path / "points")
    if not made.names:
        pytest.skip("this program has no kill points (build/asan/taskhold and build/points/taskhold do)")
    return made


def migrate(database, points):
    """`taskhold migrate`: its exit status."""
    return run_program("migrate", env={"DATABASE_URL": database.url, **points.environment}, timeout=60)


class Migrations:
    """What is migrated, and what comes of it undisturbed."""

    def __init__(self, folder, points, chance, filled):
        self.folder, self.points, self.random = folder, points, chance
        self.old = make(folder)
        if filled:
            self.old.fill()
        counted = {name: points.hits(name) for name in self.names()}
        twin = make(folder, self.old)
        assert migrate(twin, points).returncode == 0
        self.times = {name: points.hits(name) - before for name, before in counted.items()}
        assert all(self.times.values()), self.times
        self.wanted = twin.dump()
        twin.remove()

    def names(self):
        """The points of this engine's migrations."""
        return [name for name in self.points.names if "migration" in name and name.startswith("postgres") == engine.is_postgres()]

    def round(self, name):
        """Killed at least at this point, perhaps at others on the way; then undisturbed."""
        database = make(self.folder, self.old)
        wanted = self.points.kills(name) + 1
        self.points.arm(name, self.random.randint(1, self.times[name]))
        done = migrate(database, self.points)
        assert done.returncode == -signal.SIGKILL and self.points.kills(name) == wanted, done
        while self.random.random() < 0.5:
            self.points.arm(self.random.choice(self.names()), self.random.randint(1, 10))
            assert migrate(database, self.points).returncode in (0, -signal.SIGKILL)
        self.points.disarm()
        done = migrate(database, self.points)
        assert done.returncode == 0, done
        found = database.dump()
        assert found == self.wanted, [pair for pair in zip(found, self.wanted) if pair[0] != pair[1]][:3]
        database.remove()


@pytest.mark.parametrize("filled", [False, True], ids=["from nothing", "from the oldest"])
def test_migration(points, tmp_path, filled):
    migrations = Migrations(tmp_path, points, random.Random(SEED), filled)
    print(f"\nseed {SEED}: each point {HITS} times")
    for name in migrations.names():
        for _ in range(HITS):
            migrations.round(name)
        print(f"    {name:28} ended there {points.kills(name):4} times, came there {points.hits(name)} times")
    migrations.old.remove()


def test_a_migration_that_differs_is_found(points, tmp_path):
    """The comparison sees one row."""
    migrations = Migrations(tmp_path, points, random.Random(SEED), True)
    engine_name = "postgres" if engine.is_postgres() else "sqlite"
    statement = "UPDATE tasks SET title = 'other' WHERE created_at = 1000"
    if engine.is_postgres():
        cluster.query(engine.SERVER, statement, migrations.old.name)
    else:
        with contextlib.closing(sqlite3.connect(migrations.old.path)) as db, db:
            db.execute(statement)
    with pytest.raises(AssertionError):
        migrations.round(f"{engine_name}-migration-begin")


@pytest.mark.skipif(engine.is_postgres(), reason="the secret is a file beside a SQLite database")
@pytest.mark.parametrize("name", ["secret-written", "secret-named"])
def test_secret(points, tmp_path, name):
    """A first start that is killed while it makes the secret; the next ones make one, and the same serves all."""
    for number in range(HITS):
        folder = tmp_path / str(number)
        folder.mkdir()
        settings = {"JWT_SECRET": None, **points.environment}
        points.arm(name, 1)
        done = subprocess.run([str(binary()), "serve", "--port", "0"], cwd=folder, env=environment(settings), check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        assert done.returncode == -signal.SIGKILL and points.kills(name) == number + 1
        secrets = folder / "data" / "taskhold.db.jwt-secret"
        before = secrets.read_bytes() if secrets.exists() else None
        assert before is None or len(before) > 64
        if number == 0:
            check_secret(folder, settings, before)
    print(f"\n    {name:28} ended there {points.kills(name):4} times")


def check_secret(folder, settings, before):
    """What was issued under the secret is good after the next start."""
    server = Server(settings, directory=folder)
    try:
        user = User(server)
        server.hang_up()
        server.restart()
        user.client.get("/v1/me").expect(200)
        made = pathlib.Path(folder / "data" / "taskhold.db.jwt-secret").read_bytes()
        assert before in (None, made)
        server.terminate()
    finally:
        server.kill()
