# SPDX-License-Identifier: MIT
"""The server ends at each of its kill points (src/base/point.h) under load, as it starts and as it stops; after each,
what was acknowledged is there, what was refused is not, and what had no answer is there entirely or not at all.

    HITS=100 SEED=1 TASKHOLD_BIN=build/points/taskhold python3 -m pytest -s tests/fault/test_points.py

POINTS=NAME,NAME plays some. With tests/with-postgres before it the points of that engine are played. One seed drives
every choice; it is printed. The points of a migration and of a first start are those of test_points_first.py."""
import os
import signal
import subprocess
import time

import pytest

from crash import Run
from points import Points
from support import engine
from support.seed import SEED
from support.server import Server
from support.waiting import wait_until

HITS = int(os.environ.get("HITS", "2"))
FOR_SECONDS = float(os.environ.get("FOR_SECONDS", "inf"))
CONNECTIONS, USERS = 12, 2
FIRST = ("migration", "secret")  # of what is done once, before there is anybody
# When a point is reached, if not under load only; a round takes the next of these.
WHEN = {
    "sqlite-start-checkpoint": ["start"], "sqlite-started-checkpoint": ["start"],
    "sqlite-checkpoint-page": ["start", "stop", "busy"],
    "sqlite-before-truncate": ["start", "stop"], "sqlite-after-truncate": ["start", "stop"],
    "sqlite-before-checkpoint": ["stop", "busy"], "sqlite-after-checkpoint": ["stop", "busy"],
    "sqlite-purge": ["start"],
}
# The highest of the times that it is waited for; more than come in time would only wait.
MOST = {"start": 1, "stop": 1, "busy": 1, "load": 40}
PAGES = {"start": 8, "stop": 8, "busy": 200}  # that are there in any case
FAT = 20


def needs_points(server_points):
    """Skips for a program without them."""
    if not server_points.names:
        pytest.skip("this program has no kill points (build/asan/taskhold and build/points/taskhold do)")


def chosen(names):
    """The points of this engine that can be reached by a running server, or those that were asked for."""
    asked = os.environ.get("POINTS")
    other = "sqlite-" if engine.is_postgres() else "postgres-"
    found = [name for name in names if not name.startswith(other) and not any(word in name for word in FIRST)]
    return [name for name in found if name in asked.split(",")] if asked else found


class Ending:
    """One run of clients, whose server ends at points."""

    def __init__(self, server, points, seed):
        self.run, self.server, self.points = Run(server, seed, USERS, CONNECTIONS), server, points
        self.random = self.run.random
        self.reached = {}

    def number(self, name, when):
        """The so many-th time that ends it."""
        pages = name == "sqlite-checkpoint-page"
        return self.random.randint(1, PAGES[when] if pages else MOST[when])

    def await_end(self, name):
        """The process ends by its own SIGKILL."""
        try:
            status = self.server.wait(60)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{name} was not reached in 60 s: {self.points.hits(name)} times in all")
        assert status == -signal.SIGKILL, f"{name}: status {status}, {self.server.log_text()[-3000:]}"

    def load(self, name, fat=1):
        """Ends it while everybody writes."""
        for writer in self.run.writers:
            writer.fat = fat
        self.run.begin()
        self.run.over.wait(self.random.uniform(0, 0.1))
        self.points.arm(name, self.number(name, "busy" if fat > 1 else "load"))
        self.await_end(name)
        self.run.join()

    def busy(self, name):
        """The same with much to write, so that the WAL is moved meanwhile."""
        self.load(name, FAT)

    def quiet_load(self):
        """Everybody writes, and comes to an end; what was written has the pages that PAGES counts on."""
        before = self.run.counts.acknowledged
        self.run.begin()
        self.run.over.wait(self.random.uniform(0.1, 0.3))
        wait_until(lambda: self.run.counts.acknowledged >= before + 2 * PAGES["stop"], 30, "some writes")
        self.run.over.set()
        self.run.join()

    def stop(self, name):
        """Ends it as it ends."""
        self.quiet_load()
        self.points.arm(name, self.number(name, "stop"))
        self.server.hang_up()
        self.server.signal(signal.SIGTERM)
        self.await_end(name)

    def start(self, name):
        """Ends it as it starts, after it was killed."""
        self.quiet_load()
        self.server.kill()
        self.run.store.quiet()
        self.points.arm(name, self.number(name, "start"))
        self.server.spawn()
        self.await_end(name)

    def round(self, name, number):
        """One end at a point, and everything that must hold after it."""
        whens = WHEN.get(name, ["load"])
        before = self.points.kills(name)
        getattr(self, whens[number % len(whens)])(name)
        assert self.points.kills(name) == before + 1
        self.run.restart(broken_starts=0)
        self.run.settle()
        self.reached[name] = self.reached.get(name, 0) + 1


@pytest.fixture(name="points")
def fixture_points(tmp_path):
    """The file of a process with points."""
    made = Points(tmp_path / "points")
    needs_points(made)
    return made


def test_each_point(points):
    names, begun = chosen(points.names), time.monotonic()
    print(f"\nseed {SEED}: {len(names)} points, each {HITS} times, {CONNECTIONS} connections, {USERS} users", flush=True)
    server = Server({"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn", **points.environment})
    try:
        ending = Ending(server, points, SEED)
        for number, name in ((number, name) for number in range(HITS) for name in names):
            if time.monotonic() - begun > FOR_SECONDS:
                break
            ending.round(name, number)
            if name == names[-1] and (number % 10 == 9 or number + 1 == HITS):
                print(f"{number + 1} of {HITS}: {ending.run.said()}, {time.monotonic() - begun:.0f} s", flush=True)
        for name in names:
            print(f"    {name:28} ended there {ending.reached.get(name, 0):4} times, came there {points.hits(name)} times")
        print(f"torture: {sum(ending.reached.values())} ends at {len(ending.reached)} points, "
              f"{ending.run.counts.acknowledged} acknowledged, 0 lost")
        assert FOR_SECONDS < float("inf") or all(ending.reached.get(name) == HITS for name in names)
        server.stop()
    finally:
        server.kill()
        server.remove()


# ---- what must be caught ----


@pytest.fixture(name="run")
def fixture_run():
    """A run whose server has been killed, with what it acknowledged."""
    server = Server({"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn"})
    try:
        run = Run(server, SEED, 1, 4)
        run.begin()
        wait_until(lambda: run.counts.acknowledged > 40 and any(writer.tasks for writer in run.writers), 30, "some writes")
        server.kill()
        run.join()
        run.store.quiet()
        yield run
    finally:
        server.kill()
        server.remove()


def change(run, sql):
    """Changes the tables without the server."""
    engine.run_sql(run.server.directory, sql)


def one_task(run):
    """The id, as both engines write it in SQL, of a task whose state is certain."""
    sure = [one for writer in run.writers for one in writer.tasks if not writer.pending or one not in writer.pending.effects]
    return f"'{sure[0]}'" if engine.is_postgres() else "x'" + sure[0].replace("-", "") + "'"


PLANTED = {
    "a lost write": "DELETE FROM tasks WHERE id = {one}",
    "half of a change": "UPDATE tasks SET title = 'other' WHERE id = {one}",
    "a lost row of the journal": "DELETE FROM journal WHERE revision = (SELECT min(revision) FROM journal)",
    "an update that was undone": "UPDATE tasks SET revision = revision - 1 WHERE id = {one}",
    "a session that was lost": "DELETE FROM sessions",
}


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_is_found(run, what):
    change(run, PLANTED[what].format(one=one_task(run)))
    run.restart(broken_starts=0)
    with pytest.raises(AssertionError):
        run.settle()


@pytest.mark.skipif(engine.is_postgres(), reason="PostgreSQL has its own WAL")
def test_a_lost_wal_is_found(run):
    """As if a commit had not been flushed: all since the last checkpoint is gone."""
    os.unlink(f"{run.store.path}-wal")
    with pytest.raises((AssertionError, OSError)):
        run.restart(broken_starts=0)
        run.settle()


def test_nothing_planted_is_nothing_found(run):
    run.restart(broken_starts=0)
    run.settle()
