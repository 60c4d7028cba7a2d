# SPDX-License-Identifier: MIT
"""kill -9 under write load, again and again: what was acknowledged is there, what was refused is not.

    KILLS=50 CONNECTIONS=32 SEED=1 python3 -m pytest -s tests/fault

One seed drives every choice of the writers and every delay; it is printed."""
import contextlib
import os
import random
import sqlite3
import subprocess
import threading
import time

from support.accounts import User
from support.client import Client
from support.server import Server
from writer import Counts, Writer

KILLS = int(os.environ.get("KILLS", "50"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "32"))
SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 2 ** 32)
USERS = 4
READY_SECONDS = 1.0


class Ledger:
    """The revisions of one user: each is given out once, and after a restart they go on growing."""

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = set()
        self.floor = 0

    def add(self, revision, fresh):
        """Notes one. `fresh`: given out since the last start."""
        with self.lock:
            assert revision not in self.seen, f"revision {revision} twice"
            assert not fresh or revision > self.floor, f"revision {revision} given out anew after {self.floor}"
            self.seen.add(revision)

    def crashed(self):
        """From here on new ones must be above all that were answered."""
        self.floor = max(self.seen, default=0)


class Account:
    """One user and the writers that share it."""

    def __init__(self, server):
        self.user = User(server)
        self.ledger = Ledger()
        self.writers = []

    def add_writer(self, number, counts):
        """One more connection that writes."""
        client = Client(self.user.server, self.user.token["access_token"], checked=False)
        client.retries = False
        self.writers.append(Writer(number, client, random.Random(SEED * 1000 + number), self.ledger, counts))

    def settle(self):
        """What must be in the list after a crash, and is."""
        maybe = {}
        for writer in self.writers:
            request = writer.settle()
            if request is not None:
                maybe[request.body["title"]] = (writer, request)
        self.verify(maybe)
        for writer in self.writers:
            writer.replay()
        self.verify({})

    def verify(self, maybe):
        """The list holds exactly what was acknowledged, and whole what may have been done."""
        expected = {task_id: task for writer in self.writers for task_id, task in writer.tasks.items()}
        found = {task["id"]: task for task in self.list()}
        for task_id in set(found) - set(expected):
            task = found[task_id]
            assert task["title"] in maybe, f"nobody wrote this: {task}"
            writer, request = maybe.pop(task["title"])
            writer.adopt(request, task)
            expected[task_id] = task
        missing = [expected[task_id] for task_id in set(expected) - set(found)]
        assert not missing, f"acknowledged and lost: {missing[:3]}"
        assert found == expected, [(found[i], expected[i]) for i in expected if found[i] != expected[i]][:3]
        titles = [task["title"] for task in found.values()]
        assert len(set(titles)) == len(titles), "one request, two effects"
        refused = set.union(*(writer.forbidden for writer in self.writers)) & set(titles)
        assert not refused, f"refused and visible: {refused}"

    def list(self):
        """Every task of the user."""
        client, tasks, cursor = self.writers[0].client, [], ""
        while cursor is not None:
            page = client.get(f"/v1/tasks?limit=100{cursor}").expect(200).json
            tasks += page["items"]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        return tasks


def check_file(path):
    """The file itself is whole."""
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        database.close()


class Run:
    """Writers, kills and restarts."""

    def __init__(self, server):
        self.server, self.random, self.counts = server, random.Random(SEED), Counts()
        self.accounts = [Account(server) for _ in range(USERS)]
        for number in range(CONNECTIONS):
            self.accounts[number % USERS].add_writer(number, self.counts)
        self.writers = [writer for account in self.accounts for writer in account.writers]
        self.failures, self.slowest = [], 0.0

    def _write(self, writer):
        try:
            writer.run()
        except AssertionError as wrong:
            self.failures.append(wrong)

    def write_and_kill(self):
        """All writers at once, until SIGKILL at a random moment."""
        threads = [threading.Thread(target=self._write, args=(writer,)) for writer in self.writers]
        for thread in threads:
            thread.start()
        threads[0].join(self.random.uniform(0.02, 0.5))
        self.server.kill()
        for thread in threads:
            thread.join()
        assert not self.failures, self.failures[0]

    def restart(self):
        """Starts the server, now and then after a start that was killed too."""
        if self.random.random() < 0.2:
            self.server.spawn()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.wait(self.random.uniform(0.001, 0.03))
            self.server.kill()
        started = time.monotonic()
        self.server.start()
        self.writers[0].client.close()
        self.writers[0].client.get("/readyz").expect(200)
        self.slowest = max(self.slowest, time.monotonic() - started)
        assert self.slowest < READY_SECONDS, f"ready after {self.slowest:.2f} s"

    def round(self):
        """One kill, and everything that must hold behind it."""
        self.write_and_kill()
        for account in self.accounts:
            account.ledger.crashed()
        self.restart()
        check_file(self.server.directory / "data" / "taskhold.db")
        for account in self.accounts:
            account.settle()


def test_kill_9_under_write_load():
    print(f"\nseed {SEED}: {KILLS} kills, {CONNECTIONS} connections, {USERS} users", flush=True)
    server = Server({"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn"})
    try:
        run, started = Run(server), time.monotonic()
        for number in range(1, KILLS + 1):
            run.round()
            if number % 10 == 0 or number == KILLS:
                counts = run.counts
                print(f"kill {number}/{KILLS}: {counts.acknowledged} acknowledged, {counts.refused} refused, "
                      f"{counts.unknown} without an answer ({counts.found} of them done), {counts.repeated} repeated, "
                      f"{counts.replayed} replayed, ready after {run.slowest:.2f} s at most, "
                      f"{time.monotonic() - started:.0f} s", flush=True)
        assert run.counts.acknowledged > 20 * KILLS and run.counts.unknown > KILLS, "too little load to prove anything"
        assert run.counts.found > 0 and run.counts.repeated > 0, "no kill fell between a commit and its answer"
        print(f"by verb: {run.counts.verbs}")
        server.stop()
    finally:
        server.kill()
        server.remove()
