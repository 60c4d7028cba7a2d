# SPDX-License-Identifier: MIT
"""64 clients complete one recurring task at once: one successor, 1,000 times in a row.

    ROUNDS=1000 CLIENTS=64 python3 -m pytest -s tests/load/test_completions.py"""
import contextlib
import json
import os
import time
import uuid

from support.accounts import User
from support.raw import RawConnection
from support.server import Server

ROUNDS = int(os.environ.get("ROUNDS", "1000"))
CLIENTS = int(os.environ.get("CLIENTS", "64"))
KINDS = ["no key", "a key each", "one key", "PUT", "with a subtask", "a repeat of each"]


def request_of(method, path, token, body, key=None):
    """The bytes of a request."""
    content = json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: taskhold", f"Authorization: Bearer {token}", "Content-Type: application/json",
             f"Content-Length: {len(content)}"] + ([f"Idempotency-Key: {key}"] if key else [])
    return "\r\n".join(lines + ["", ""]).encode() + content


class Crowd:
    """Connections of one user that all send at once."""

    def __init__(self, server, stack):
        self.user = User(server)
        self.token = self.user.token["access_token"]
        self.connections = [stack.enter_context(RawConnection(server)) for _ in range(CLIENTS)]

    def requests(self, kind, task):
        path = f"/v1/tasks/{task['id']}"
        one = uuid.uuid4()
        for _ in self.connections:
            if kind == "PUT":
                body = {"title": "Water the plants", "due": task["due"], "recurrence": task["recurrence"], "status": "completed"}
                yield request_of("PUT", path, self.token, body)
            else:
                key = {"a key each": uuid.uuid4(), "one key": one, "a repeat of each": uuid.uuid4()}.get(kind)
                yield request_of("PATCH", path, self.token, {"status": "completed"}, key)

    def complete(self, kind, task):
        """What all were answered."""
        requests = list(self.requests(kind, task))
        times = 2 if kind == "a repeat of each" else 1
        for connection, data in zip(self.connections, requests):
            connection.send(data * times)
        return [connection.read("PATCH") for connection in self.connections for _ in range(times)]

    def round(self, kind):
        """The ids of the successor and of a subtask's copy."""
        task = self.user.client.post("/v1/tasks", {"title": "Water the plants", "due": "2030-12-01", "recurrence": "FREQ=DAILY;COUNT=9"}).expect(201).json
        if kind == "with a subtask":
            self.user.client.post("/v1/tasks", {"title": "Fill the can", "parent_id": task["id"]}).expect(201)
        answers = self.complete(kind, task)
        done = {answer.json["next_id"] for answer in answers if answer.status == 200}
        others = {(answer.status, answer.json["code"]) for answer in answers if answer.status != 200}
        assert others <= ({(409, "idempotency_key_in_use")} if kind == "one key" else set()), (kind, others)
        assert len(done) == 1 and None not in done, (kind, done)
        old = self.user.client.get(f"/v1/tasks/{task['id']}").expect(200).json
        after = self.user.client.get(f"/v1/tasks/{old['next_id']}").expect(200).json
        assert (old["status"], {old["next_id"]}, after["status"]) == ("completed", done, "pending")
        assert (after["due"], after["recurrence"], after["series_id"]) == ("2030-12-02", "FREQ=DAILY;COUNT=8", task["id"])
        return after


def total(user, query="") -> int:
    return user.client.get(f"/v1/tasks?limit=1&include=total{query}").expect(200).json["total"]


def test_64_clients_complete_one_task():
    server = Server({"ACCESS_TOKEN_TTL": "86400", "LOG_LEVEL": "warn"})
    started = time.monotonic()
    try:
        with contextlib.ExitStack() as stack:
            crowd = Crowd(server, stack)
            tasks = pending = 0
            for number in range(ROUNDS):
                kind = KINDS[number % len(KINDS)]
                crowd.round(kind)
                tasks += 4 if kind == "with a subtask" else 2
                pending += 2 if kind == "with a subtask" else 1
                if number % 100 == 99 or number == ROUNDS - 1:
                    assert total(crowd.user) == tasks and total(crowd.user, "&status=pending") == pending
        print(f"\n{ROUNDS} tasks completed by {CLIENTS} clients each: {tasks} tasks, {pending} of them pending, in {time.monotonic() - started:.1f} s")
        server.stop()
    finally:
        server.kill()
        server.remove()
