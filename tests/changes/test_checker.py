# SPDX-License-Identifier: MIT
"""Whoever only follows holds what the lists answer, whatever is done meanwhile.

    /usr/bin/python3 -m pytest tests/changes             SEEDS=1000 for more; FIRST_SEED=17 SEEDS=1 for one of them

A seed is a world of random calls. At each quiet point these hold exactly what GET /v1/tasks and GET /v1/lists answer:
who asks for pages of random sizes, who listens to the stream with random disconnects, and who replays the journal from
nothing. In some worlds the server is killed, and the journal loses its beginning, in between."""
import os
import random

import pytest

from followers import Listener, Poller
from support import engine
from support.accounts import User
from support.changes import content
from support.client import Client
from support.server import Server
from world import World, known_calls

SEEDS = range(int(os.environ.get("FIRST_SEED", "1")), int(os.environ.get("FIRST_SEED", "1")) + int(os.environ.get("SEEDS", "12")))
ROUNDS = 6
CALLS = 25


@pytest.fixture(scope="module")
def place():
    """A server that a test may kill: it is started again on the same files and the same port."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def other_node(place):
    """On PostgreSQL a second node on the same database; on SQLite there is only one."""
    if not engine.is_postgres():
        yield place
        return
    server = Server(place.database)
    yield server
    server.stop()


def difference(held, wanted):
    """What is not the same, for people."""
    return {key: (held.get(key), wanted.get(key)) for key in held.keys() | wanted.keys() if held.get(key) != wanted.get(key)}


class Scene:
    """One world with all who follow it."""

    def __init__(self, server, other_node, seed):
        self.server, self.other_node, self.chance = server, other_node, random.Random(seed)
        self.user = User(server)
        self.client = self.connect()
        origin = self.client.get("/v1/changes").expect(200).json["next_cursor"]
        self.world = World(self.connect(), self.chance)
        self.poller = Poller(self.connect(other_node), self.chance)
        self.replay = Poller(self.connect(), self.chance, origin)
        self.origin = origin
        self.listener = Listener(other_node, self.connect(other_node), self.chance) if "GET /v1/events" in known_calls() else None

    def connect(self, server=None):
        """A connection of its own. Every answer is judged by other tests."""
        return Client(server or self.server, self.user.token["access_token"], checked=False)

    def kill(self):
        """The server ends at once and is started again."""
        self.server.hang_up()
        port = self.server.port
        self.server.kill()
        self.server.start(port)

    def lose_the_beginning(self):
        """The journal forgets what is old, as the purge does."""
        known = self.world.client.get("/v1/changes?limit=1").expect(200).json["revision"]
        upto = self.chance.randint(0, known)
        of = f"'{self.user.id}'" if engine.is_postgres() else "x'" + self.user.id.replace("-", "") + "'"
        engine.run_sql(self.server.directory, f"DELETE FROM journal WHERE space_id = {of} AND revision <= {upto}")
        engine.run_sql(self.server.directory, "UPDATE spaces SET forgotten = " +
                       f"CASE WHEN forgotten > {upto} THEN forgotten ELSE {upto} END WHERE space_id = {of}")

    def run(self):
        """Calls, and those who follow a little after each."""
        for _ in range(CALLS):
            self.world.step()
            self.poller.step()
            if self.listener:
                self.listener.step()

    def compare(self):
        """A quiet point."""
        wanted = content(self.client)
        self.poller.finish()
        assert difference(self.poller.held, wanted) == {}, "who asks for pages"
        self.replay.finish()
        assert difference(self.replay.held, wanted) == {}, "who replays the journal"
        fresh = Poller(self.connect(), self.chance)
        fresh.finish()
        assert difference(fresh.held, wanted) == {}, "who walks anew"
        if self.listener:
            assert difference(self.listener.finish(wanted), wanted) == {}, "who listens"

    def close(self):
        """Everybody leaves."""
        if self.listener:
            self.listener.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_world(place, other_node, seed):
    scene = Scene(place, other_node, seed)
    try:
        for _ in range(ROUNDS):
            scene.run()
            scene.compare()
            trouble = scene.chance.random()
            if trouble < 0.1:
                scene.kill()
            elif trouble < 0.25:
                scene.lose_the_beginning()
        assert scene.world.tasks and len(scene.world.log) >= ROUNDS * CALLS * 0.8
        assert not scene.listener or scene.listener.resumed > 1
    except AssertionError:
        print(*scene.world.log[-2 * CALLS:], sep="\n")
        raise
    finally:
        scene.close()
