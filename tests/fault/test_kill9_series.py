# SPDX-License-Identifier: MIT
"""kill -9 while recurring tasks are completed: a completion, its successor and what comes along are all there, or none.

    KILLS=30 CONNECTIONS=16 SEED=1 python3 -m pytest -s tests/fault/test_kill9_series.py"""
import http.client
import os
import random
import threading
import uuid

from support.accounts import User
from support.client import Client
from support.seed import SEED
from support.server import Server

KILLS = int(os.environ.get("KILLS", "30"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "16"))
BELOW = 3  # subtasks of each


class Chain:
    """One connection that completes its own series, over and over, and repeats what had no answer."""

    def __init__(self, number, user):
        self.random = random.Random(SEED * 1000 + number)
        self.client = Client(user.server, user.token["access_token"], checked=False)
        self.client.retries = False
        task = user.client.post("/v1/tasks", {"title": f"chain {number}", "due": "2030-01-01", "recurrence": "FREQ=DAILY"}).expect(201).json
        for place in range(BELOW):
            user.client.post("/v1/tasks", {"title": f"below {number} {place}", "parent_id": task["id"]}).expect(201)
        self.series, self.current, self.done, self.found = task["id"], task["id"], 0, 0
        self.pending = None
        self.wrong = None

    def send(self):
        """Completes the current one; the same request again while it has no answer."""
        repeats = self.pending is not None
        self.pending = self.pending or ({"Idempotency-Key": str(uuid.UUID(int=self.random.getrandbits(128)))} if self.random.random() < 0.5 else {})
        answer = self.client.patch(f"/v1/tasks/{self.current}", {"status": "completed"}, headers=self.pending)
        assert answer.status == 200, (answer.status, answer.body)
        self.found += repeats
        self.done, self.current, self.pending = self.done + 1, answer.json["next_id"], None

    def run(self):
        """Until the server is gone."""
        try:
            while True:
                self.send()
        except (OSError, http.client.HTTPException):
            self.client.close()
        except AssertionError as wrong:
            self.wrong = wrong


def all_tasks(client):
    tasks, cursor = {}, ""
    while cursor is not None:
        page = client.get(f"/v1/tasks?limit=100{cursor}").expect(200).json
        tasks |= {task["id"]: task for task in page["items"]}
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    return tasks


def check(tasks, chain):
    """From the first on each completed one has its next, and all have what is below them."""
    current, length = chain.series, 0
    while tasks[current]["status"] == "completed":
        following = tasks[current]["next_id"]
        assert following in tasks, f"{current} is completed, and {following} is not there"
        current, length = following, length + 1
    assert tasks[current]["next_id"] is None
    assert chain.done <= length <= chain.done + (chain.pending is not None), "acknowledged and lost, or done twice"
    own = [task for task in tasks.values() if task["series_id"] == chain.series]
    assert len(own) == length + 1, "one completion, two successors"
    for task in own:
        below = [child for child in tasks.values() if child["parent_id"] == task["id"]]
        assert len(below) == BELOW and {child["status"] for child in below} == {task["status"]}, task


def test_kill_9_while_series_go_on():
    print(f"\nseed {SEED}: {KILLS} kills, {CONNECTIONS} connections", flush=True)
    server, chance = Server({"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn"}), random.Random(SEED)
    try:
        user = User(server)
        chains = [Chain(number, user) for number in range(CONNECTIONS)]
        for _ in range(KILLS):
            threads = [threading.Thread(target=chain.run) for chain in chains]
            for thread in threads:
                thread.start()
            threads[0].join(chance.uniform(0.02, 0.2))
            server.kill()
            for thread in threads:
                thread.join()
            assert not any(chain.wrong for chain in chains), [chain.wrong for chain in chains if chain.wrong]
            server.start()
            user.client.close()
            tasks = all_tasks(user.client)
            for chain in chains:
                check(tasks, chain)
        done, found = sum(chain.done for chain in chains), sum(chain.found for chain in chains)
        print(f"{done} completions, {found} of them repeated after a kill, {len(tasks)} tasks")
        assert done > KILLS and found > 0
        server.stop()
    finally:
        server.kill()
        server.remove()
