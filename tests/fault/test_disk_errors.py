# SPDX-License-Identifier: MIT
"""The disk under a running server fails, lies or is slow (tests/fault/shim): what was acknowledged is there, nobody is
told of a success that is not on the disk, and reads are right or refused.

    SEED=1 /usr/bin/python3 -m pytest -s tests/fault/test_disk_errors.py"""
import http.client
import random
import sqlite3
import threading
import time

import pytest

from shim import Shim
from support.accounts import User
from support.client import Client
from support.seed import SEED
from support.server import Server
from support.waiting import wait_until

EXIT_FAILED = 70


@pytest.fixture(name="scene")
def fixture_scene(tmp_path):
    """A server with a user, on a disk that does as it is told."""
    print(f"\nseed {SEED}")
    made = Scene(tmp_path)
    yield made
    made.server.kill()
    assert not made.wrong, made.wrong[0]


class Writer:
    """Creates tasks until it is told to stop or nobody answers. Keeps what it was told of each title."""

    def __init__(self, scene, number):
        self.scene, self.number, self.step = scene, number, 0
        self.made, self.refused, self.unknown, self.statuses = {}, set(), set(), {}
        self.slowest = 0.0
        self.client = Client(scene.server, scene.user.token["access_token"], checked=False)
        self.client.retries = False

    def write(self):
        """One task; False: the server is gone."""
        self.step += 1
        title = f"w{self.number}-{self.step}"
        self.unknown.add(title)
        begun = time.monotonic()
        try:
            answer = self.client.post("/v1/tasks", {"title": title, "description": title * 50})
        except (OSError, http.client.HTTPException):
            self.client.close()
            return False
        self.slowest = max(self.slowest, time.monotonic() - begun)
        self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
        if answer.status == 201:
            self.unknown.discard(title)
            self.made[title] = answer.json
        elif answer.code != "outcome_unknown":
            self.unknown.discard(title)
            self.refused.add(title)
        return True

    def run(self):
        """Until the end."""
        try:
            while not self.scene.ending.is_set() and self.write():
                pass
        except AssertionError as wrong:
            self.scene.wrong.append(wrong)


class Scene:
    """A server, its disk, and clients that write."""

    def __init__(self, folder):
        self.shim = Shim(folder)
        self.server = Server(self.shim.environment | {"ACCESS_TOKEN_TTL": "86400"}, directory=folder)
        self.user = User(self.server)
        self.random = random.Random(SEED)
        self.ending, self.wrong, self.writers, self.threads = threading.Event(), [], [], []

    @property
    def database(self):
        """Its file."""
        return self.server.directory / "data" / "taskhold.db"

    def begin(self, count=8):
        """So many clients write from here on."""
        self.ending.clear()
        fresh = [Writer(self, len(self.writers) + number) for number in range(count)]
        self.writers += fresh
        self.threads = [threading.Thread(target=writer.run) for writer in fresh]
        for thread in self.threads:
            thread.start()
        return fresh

    def end(self):
        """They stop."""
        self.ending.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        assert not self.wrong, self.wrong[0]

    def acknowledged(self):
        """How many there are."""
        return sum(len(writer.made) for writer in self.writers)

    def restart(self):
        """The next start, on a disk that works."""
        self.shim.reset()
        self.server.start()
        self.user.client.close()
        self.user.anonymous.close()
        self.user.client.get("/readyz").expect(200)

    def check(self):
        """Every acknowledged task is there as it was answered, and nothing that was refused."""
        found, cursor = {}, ""
        while cursor is not None:
            page = self.user.client.get(f"/v1/tasks?limit=100{cursor}").expect(200).json
            for task in page["items"]:
                assert task["title"] not in found, "twice"
                found[task["title"]] = task
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        for writer in self.writers:
            for title, task in writer.made.items():
                assert found.pop(title, None) == task, f"acknowledged and lost: {title}"
            assert not writer.refused & set(found), "refused and visible"
            for title in writer.unknown:
                task = found.pop(title, None)
                assert task is None or task["description"] == title * 50
        assert not found, f"nobody wrote these: {list(found)[:3]}"
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("skip", [0, 7, 60])
def test_a_flush_fails(scene, skip):
    """F5: no success after it, the process ends, and the next start flushes before anybody can come."""
    before = scene.shim.calls("sync", "wal")
    rule = scene.shim.arm("sync", "fail", ["wal"], skip=skip, times=1)
    scene.begin()
    assert scene.server.wait() == EXIT_FAILED
    scene.end()
    assert rule.struck == 1 and "storage_failed" in scene.server.log_text()
    assert scene.shim.calls("sync", "wal") - before == skip + 1, "it tried again"
    scene.restart()
    assert scene.shim.before_listening("write", "wal") > 0, "what the kernel may call written is not written again"
    assert scene.shim.before_listening("sync", "wal") > 0
    assert scene.shim.before_listening("sync", "database") > 0, "no checkpoint before it listens"
    scene.check()
    print(f"flush {skip + 1} failed: {scene.acknowledged()} acknowledged before it, none after, none lost")


@pytest.mark.parametrize("kind", ["wal", "database"])
def test_the_first_flush_fails_again(scene, kind):
    """A start that cannot flush what the last run left does not listen, however often; then one that can loses nothing."""
    scene.shim.arm("sync", "fail", ["wal"], skip=20, times=1)
    scene.begin()
    assert scene.server.wait() == EXIT_FAILED
    scene.end()
    for _ in range(3):
        scene.shim.reset()
        scene.shim.arm("sync", "fail", [kind], times=1)
        scene.server.spawn()
        assert scene.server.wait() not in (0, -9, -11)
        assert scene.shim.listens == 0
        assert "cannot flush" in scene.server.log_text(this_run=True)
    scene.restart()
    scene.check()


@pytest.mark.parametrize("skip", [0, 9])
def test_a_write_fails_half_way(scene, skip):
    """F6: of a commit half is written. As a flush that failed."""
    rule = scene.shim.arm("write", "half", ["wal"], skip=skip, times=1)
    scene.begin()
    assert scene.server.wait() == EXIT_FAILED
    scene.end()
    assert rule.struck == 1
    scene.restart()
    scene.check()


def test_short_reads_and_writes(scene):
    """F6: each read and write does half of what it was asked for, which is no error: nobody notices."""
    rules = [scene.shim.arm(call, "short", ["wal", "database"]) for call in ("read", "write")]
    scene.begin()
    wait_until(lambda: scene.acknowledged() > 50, 60, "50 tasks")
    scene.end()
    assert all(set(writer.statuses) == {201} for writer in scene.writers) and rules[1].struck > 10
    scene.server.kill()
    scene.restart()
    scene.check()


def test_reads_fail(scene):
    """F6: each of the first reads after a start fails in turn: the answer is right or 503, and the next is right."""
    scene.begin()
    wait_until(lambda: scene.acknowledged() > 50, 60, "50 tasks")
    scene.end()
    struck = 0
    expected = scene.user.client.get("/v1/tasks?limit=50").expect(200).json
    for skip in range(6):
        scene.server.terminate()
        scene.restart()
        scene.shim.reset()
        rule = scene.shim.arm("read", "fail", ["database", "wal"], skip=skip, times=1)
        for _ in range(3):
            answer = scene.user.client.get("/v1/tasks?limit=50", headers={"Accept-Encoding": None})
            assert answer.status in (200, 503), answer.body
            assert answer.status == 503 or answer.json == expected
        struck += rule.struck
        rule.disarm()
        assert scene.user.client.get("/v1/tasks?limit=50").expect(200).json == expected
    assert struck > 2
    scene.check()


def test_slow_flushes(scene):
    """F27: a flush takes half a second: many share one, none is acknowledged before its own, none is lost."""
    before = scene.shim.calls("sync", "wal")
    scene.shim.arm("sync", "slow", ["wal"], micros=500000)
    scene.begin(16)
    wait_until(lambda: scene.acknowledged() > 64, 60, "64 tasks")
    flushes = scene.shim.calls("sync", "wal") - before
    scene.server.kill()
    scene.end()
    assert all(set(writer.statuses) <= {201, 503} for writer in scene.writers)
    assert scene.acknowledged() / flushes > 3, f"{scene.acknowledged()} tasks in {flushes} flushes"
    scene.restart()
    scene.check()
    print(f"{scene.acknowledged()} tasks in {flushes} flushes of 0.5 s")
