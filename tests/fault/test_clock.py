# SPDX-License-Identifier: MIT
"""The machine's clock is stepped under a server, on one node and on one of two: nothing is deleted early, no token
outlives its time by more than 5 s, and no time of a task stands before an earlier one.

    /usr/bin/python3 -m pytest -s tests/fault/test_clock.py

All steps are played side by side, because the purge comes once a minute."""
import email.utils
import pathlib
import shutil
import sqlite3
import tempfile
import time

import pytest

from support import cluster as clusters
from support.accounts import User
from support.client import Client
from support.faketime import Clock, library
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(library() is None, reason="libfaketime is not installed (Debian: faketime)")

TTL = 60
LATE = 5  # seconds
YEAR = 365 * 86400  # as libfaketime has it
STEPS = {"+40d": 40 * 86400, "+10y": 10 * YEAR, "-1h": -3600, "-10y": -10 * YEAR, "blip": 0}
KEY = {"Idempotency-Key": "once"}
EXPIRED = ("SELECT {id}, user_id, 1, 1, 1, 1, {bytes}, '::1', NULL FROM (SELECT {user} AS user_id FROM users LIMIT 1) u")
COLUMNS = "id, user_id, counter, created_at, last_used_at, expires_at, superseded, ip, user_agent"


class File:
    """One node on a SQLite file."""

    def __init__(self, folder):
        self.folder, self.clock = folder, Clock(folder)
        self.nodes = [Server({"ACCESS_TOKEN_TTL": str(TTL), **self.clock.environment}, directory=folder)]

    def run(self, sql):
        """Rows of a statement, beside the server."""
        db = sqlite3.connect(self.folder / "data" / "taskhold.db", timeout=30)
        try:
            with db:
                return db.execute(sql).fetchall()
        finally:
            db.close()

    def plant(self):
        """A session that has expired: when it is gone, the purge has been there."""
        self.run(f"INSERT INTO sessions ({COLUMNS}) " + EXPIRED.format(id="randomblob(16)", bytes="x''", user="user_id"))

    def close(self):
        """Ends it."""
        for node in self.nodes:
            node.terminate()


class Database(File):
    """Two nodes on one PostgreSQL database; the clock of the first is stepped."""

    def __init__(self, folder, cluster):  # pylint: disable=super-init-not-called
        self.cluster, self.name, self.clock = cluster, cluster.create_database(), Clock(folder)
        settings = {"ACCESS_TOKEN_TTL": str(TTL), "DATABASE_URL": cluster.url(self.name)}
        self.nodes = []
        for number, more in enumerate([self.clock.environment, {}]):
            place = folder / str(number)
            place.mkdir()
            self.nodes.append(Server({**settings, **more}, directory=place))

    def run(self, sql):
        return self.cluster.rows(sql, self.name)

    def plant(self):
        self.run(f"INSERT INTO sessions ({COLUMNS}) "
                 + EXPIRED.format(id="gen_random_uuid()", bytes="''::bytea", user="user_id"))


class Token:
    """An access token, and when it must be refused."""

    def __init__(self, answer):
        self.access, self.refresh = answer["access_token"], answer["refresh_token"]
        self.due = time.monotonic() + answer["expires_in"] + LATE
        self.ended = None

    def look(self, nodes):
        """Asks every node; in time no node takes it any more."""
        statuses = [Client(node, self.access, checked=False).get("/v1/me").status for node in nodes]
        assert set(statuses) <= {200, 401}
        if 200 not in statuses and self.ended is None:
            self.ended = time.monotonic()
        assert 200 not in statuses or time.monotonic() < self.due, "it outlives its time"
        return statuses


class Scene:
    """One step of the clock, and what was there before."""

    def __init__(self, step, place):
        self.step, self.place = step, place
        self.node = place.nodes[0]
        self.user = User(self.node)
        self.tokens = [Token(self.user.token)]
        self.task = self.user.task("Stays")
        self.key = self.user.client.post("/v1/tasks", {"title": "Once"}, headers=KEY).expect(201).json
        gone = self.user.task("Gone")
        self.user.client.delete(f"/v1/tasks/{gone['id']}").expect(204)

    def date(self):
        """The server's time, in seconds, as its answers say."""
        return email.utils.parsedate_to_datetime(Client(self.node).get("/livez").headers["date"]).timestamp()

    def ahead(self):
        """How far that is from the real time."""
        return self.date() - time.time()

    def set(self, offset, seconds):
        """Steps the clock and waits until the server says so."""
        self.place.clock.set(offset)
        wait_until(lambda: abs(self.ahead() - seconds) < 5, 10, f"the clock at {offset}")

    def turn(self):
        """The clock is stepped."""
        if self.step != "blip":
            self.set(self.step, STEPS[self.step])
            self.login()
            return
        self.set("+1h", 3600)
        self.login()
        begun = self.date()
        wait_until(lambda: self.date() > begun, 10, "a second an hour ahead")
        self.set("+0", 0)
        assert self.tokens[-1].look([self.node]) == [401], "it is from an hour ahead"

    def login(self):
        """One more session."""
        self.tokens.append(Token(self.user.login()))

    def check_ready(self):
        """On PostgreSQL a node that is off says so; the others go on."""
        off = len(self.place.nodes) > 1 and self.step != "blip"

        def found():
            return [Client(node, checked=False).get("/readyz") for node in self.place.nodes]
        wait_until(lambda: found()[0].status == (503 if off else 200), 10, "the first node's readiness")
        answers = found()
        assert ("more than 30 s" in answers[0].json["checks"]["clock"]) == off
        assert all(answer.status == 200 for answer in answers[1:])
        if off:
            wait_until(lambda: "clock_off" in self.node.log_text(), 10, "the event")

    def purged(self):
        """Has the purge come by since the step?"""
        for token in self.tokens:
            token.look(self.place.nodes)
        return int(self.place.run("SELECT count(*) FROM sessions WHERE expires_at = 1")[0][0]) == 0

    def check(self):
        """Nothing was deleted, on any node, and all goes on."""
        for table, least in (("journal", 4), ("idempotency_keys", 1), ("sessions", 2)):
            assert int(self.place.run(f"SELECT count(*) FROM {table}")[0][0]) >= least, table
        for node in reversed(self.place.nodes):
            client = Client(node)
            answer = client.post("/v1/auth/refresh", {"refresh_token": self.tokens[0].refresh}).expect(200).json
            self.tokens[0].refresh = answer["refresh_token"]
            client = Client(node, answer["access_token"], checked=False)
            again = client.post("/v1/tasks", {"title": "Once"}, headers=KEY).expect(201)
            assert again.headers["idempotency-replayed"] == "true" and again.json["id"] == self.key["id"]
            for status in ("completed", "pending"):
                task = client.patch(f"/v1/tasks/{self.task['id']}", {"status": status}).expect(200).json
                assert self.task["created_at"] <= self.task["updated_at"] <= task["updated_at"], task
                assert status == "pending" or task["completed_at"] >= self.task["created_at"], task
                self.task = task
            me = client.patch("/v1/me", {"name": "Ann"}).expect(200).json
            assert me["updated_at"] >= me["created_at"]

    def ended(self):
        """Is every token of before refused everywhere?"""
        for token in self.tokens:
            token.look(self.place.nodes)
        return all(token.ended for token in self.tokens)


def play(places):
    """All steps at once."""
    scenes = [Scene(step, place) for step, place in places.items()]
    for scene in scenes:
        scene.turn()
        scene.check_ready()
        scene.place.plant()
    wait_until(lambda: all([scene.purged() for scene in scenes]), 90, "a purge")
    for scene in scenes:
        scene.check()
    wait_until(lambda: all([scene.ended() for scene in scenes]), TTL + LATE + 5, "the end of every token")
    for scene in scenes:
        late = max(token.ended - token.due + LATE for token in scene.tokens)
        print(f"\nclock {scene.step:5} on {len(scene.place.nodes)} node(s): nothing deleted early, no time "
              f"before an earlier one, no token later than {max(late, 0):.1f} s after its time")


@pytest.fixture(name="folder")
def fixture_folder():
    """For the files of the servers."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="taskhold-clock-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def make(folder, kind, *more):
    """A place for each step."""
    places = {}
    for number, step in enumerate(STEPS):
        place = folder / f"place{number}"
        place.mkdir()
        places[step] = kind(place, *more)
    return places


def test_one_node(folder):
    places = make(folder, File)
    try:
        play(places)
        for place in places.values():
            place.close()
    finally:
        for place in places.values():
            for node in place.nodes:
                node.kill()


@pytest.mark.skipif(clusters.missing() is not None, reason=str(clusters.missing()))
def test_one_of_two_nodes(folder):
    cluster = clusters.Cluster()
    places = {}
    try:
        places = make(folder, Database, cluster)
        play(places)
        for place in places.values():
            place.close()
    finally:
        for place in places.values():
            for node in place.nodes:
                node.kill()
        cluster.remove()
