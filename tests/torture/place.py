# SPDX-License-Identifier: MIT
"""Where a history happens: one node on a file, or three nodes with clocks that differ on one PostgreSQL database."""
import json
import os
import pathlib
import shutil
import sqlite3
import tempfile

from support import cluster, engine, faketime
from support.paths import binary
from support.server import Server, run

COLUMNS = "revision, kind, verb, {id}, {actor}, previous, undoes, follows"
AHEAD = 25  # seconds that a node's clock is off at most: one that is 30 s off is not ready
SETTINGS = {"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn"}
KINDS = {1: "task", 2: "list"}


def in_text(value):
    """A UUID as clients write it."""
    text = value.hex() if isinstance(value, bytes) else (value or "").replace("-", "")
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}" if text else None


class Row:
    """One row of the journal. Where it stands is relative to the call's own row, which `follows` names."""

    def __init__(self, values):
        self.revision, kind, self.verb, self.id, self.actor, self.previous, self.undoes, self.follows = values
        self.kind, self.id, self.actor = KINDS[kind], in_text(self.id), in_text(self.actor)

    @property
    def content(self):
        """What must be the same in every order of the same calls."""
        return self.revision, self.kind, self.verb, self.id, self.previous, self.undoes, self.follows

    def __repr__(self):
        return f"<{self.content}>"


def rows_of_file(path, user, after):
    """The rows after a revision, out of a SQLite file beside its server."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        found = db.execute("SELECT " + COLUMNS.format(id="id", actor="actor") +
                           " FROM journal WHERE space_id = ? AND revision > ? ORDER BY revision",
                           (bytes.fromhex(user.replace("-", "")), after)).fetchall()
        return [Row(values) for values in found]
    finally:
        db.close()


class Place:
    """One node, with SQLite."""

    def __init__(self, chance, settings=None):
        self.chance, self.settings = chance, {**SETTINGS, **(settings or {})}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="taskhold-torture-"))
        self.nodes, self.postgres = [], None
        self.kills = self.moves = 0
        try:
            self.begin()
        except BaseException:
            self.close()
            raise

    def begin(self):
        """Starts all nodes."""
        self.add_node("node", {"DATABASE_URL": f"sqlite:{self.file}"})

    @property
    def file(self):
        """The SQLite file."""
        return self.folder / "data" / "taskhold.db"

    def add_node(self, name, more):
        """Starts one."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        self.nodes.append(Server({**self.settings, **more}, directory=folder))

    def rows(self, user, after=0):
        """The journal of one account."""
        if self.postgres is None:
            return rows_of_file(self.file, user, after)
        sql = (f"SELECT json_agg(json_build_array({COLUMNS.format(id='id', actor='actor')}) ORDER BY revision) FROM journal "
               f"WHERE space_id = '{user}' AND revision > {after}")
        return [Row(values) for values in json.loads(cluster.query(engine.SERVER, sql, self.postgres) or "[]")]

    def sql(self, statement):
        """Runs SQL that both engines know, beside the nodes."""
        if self.postgres is not None:
            cluster.query(engine.SERVER, statement, self.postgres)
            return
        db = sqlite3.connect(self.file, timeout=30)
        try:
            with db:
                db.execute(statement)
        finally:
            db.close()

    def kill(self):
        """One of the nodes ends at once, and is started again at the same port."""
        node = self.chance.choice(self.nodes)
        port = node.port
        node.kill()
        node.start(port)
        self.kills += 1

    def move(self):
        """The database goes to the other engine, as an operator moves it."""
        url, name = self.nodes[0].env["DATABASE_URL"], "torture_" + self.folder.name.rpartition("-")[2].lower()
        cluster.query(engine.SERVER, f"CREATE DATABASE {name}")
        self.postgres, target = name, f"{engine.SERVER}/{name}"
        node = self.nodes[0]
        port = node.port
        node.terminate()
        secret = pathlib.Path(self.file.parent)
        done = run("move", "--from", url, "--to", target, cwd=secret)
        assert done.returncode == 0, done.stdout + done.stderr
        node.env["DATABASE_URL"] = target
        node.start(port)
        self.moves += 1

    def stop(self):
        """All nodes end well."""
        for node in self.nodes:
            node.terminate()

    def close(self):
        """All is removed."""
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.postgres:
            cluster.query(engine.SERVER, f"DROP DATABASE IF EXISTS {self.postgres} WITH (FORCE)")

    def __str__(self):
        return "one node on SQLite"


class Nodes(Place):
    """Three nodes on PostgreSQL, whose clocks differ."""

    COUNT = 3

    def begin(self):
        self.postgres = "torture_" + self.folder.name.rpartition("-")[2].lower()
        cluster.query(engine.SERVER, f"CREATE DATABASE {self.postgres}")
        url = f"{engine.SERVER}/{self.postgres}"
        self.offsets = [0] + [self.chance.randint(-AHEAD, AHEAD) for _ in range(self.COUNT - 1)]
        if faketime.library() is None or "asan" in str(binary()) or os.environ.get("TASKHOLD_TEST_CLOCKS") == "same":
            self.offsets = [0] * self.COUNT
        for number, offset in enumerate(self.offsets):
            fake = faketime.environment(f"{offset:+d}") if offset else {}
            self.add_node(f"node{number}", {"DATABASE_URL": url, "DATABASE_POOL": "4", "THREADS": "2", **fake})

    def __str__(self):
        return f"three nodes on PostgreSQL, their clocks off by {self.offsets} s"
