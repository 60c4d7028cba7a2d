# SPDX-License-Identifier: MIT
"""GET /v1/me/export: everything of an account as one document, streamed."""
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from support.accounts import User
from support.client import Client
from support.raw import RawConnection
from support.waiting import wait_until

PATH = "/v1/me/export"
MANY = 1030  # tasks: more than twenty pages of the server's, and no multiple of one
LONG = "Ünïcode \"quoted\"\n" * 600  # so that they do not fit between a server and a slow reader


@pytest.fixture(scope="module")
def rich(server):
    """An account with many long tasks."""
    user = User(server)
    readers = [user.reader() for _ in range(8)]

    def fill(start):
        for number in range(start, MANY, len(readers)):
            readers[start].post("/v1/tasks", {"title": f"Task {number}", "description": LONG}).expect(201)

    with ThreadPoolExecutor(len(readers)) as pool:
        list(pool.map(fill, range(len(readers))))
    return user


def request(user, method="GET", version="1.1"):
    """The request byte for byte."""
    return (f"{method} {PATH} HTTP/{version}\r\nHost: t\r\n"
            f"Authorization: Bearer {user.client.token}\r\n\r\n").encode()


def memory_kib(server):
    """What the server's process has in memory."""
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def test_everything_is_there_as_other_calls_show_it(make_user):
    own = make_user()
    own.client.patch("/v1/me", {"name": "Ada"}).expect(200)
    own.login()
    lists = [own.client.post("/v1/lists", {"name": name}).expect(201).json for name in ("Household", "Work")]
    tasks = [own.task("First"), own.task("Second", status="completed"), own.task("Third", description="\tx\n")]
    answer = own.client.get(PATH).expect(200)
    document = answer.json
    assert list(document) == ["user", "sessions", "lists", "tasks", "exported_at"]
    assert document["user"] == own.client.get("/v1/me").json
    assert document["sessions"] == own.client.get("/v1/me/sessions").json["items"]
    assert document["lists"] == lists and document["tasks"] == tasks, "the oldest first"
    age = datetime.now(timezone.utc) - datetime.fromisoformat(document["exported_at"].replace("Z", "+00:00"))
    assert abs(age.total_seconds()) < 20
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="taskhold-export.json"'
    assert b"argon2" not in answer.body and b"password" not in answer.body


def test_an_account_without_tasks(make_user):
    own = make_user()
    document = own.client.get(PATH).expect(200).json
    assert document["lists"] == document["tasks"] == [] and len(document["sessions"]) == 1


def test_nothing_of_another_account(user, other):
    other.task("Not for you")
    assert b"Not for you" not in user.client.get(PATH).expect(200).body


def test_many_tasks(rich):
    answer = rich.client.get(PATH).expect(200)
    assert answer.headers["Transfer-Encoding"] == "chunked"
    tasks = answer.json["tasks"]
    assert {task["title"] for task in tasks} == {f"Task {number}" for number in range(MANY)}
    assert len(tasks) == MANY and all(task["description"] == LONG for task in tasks)
    assert tasks == sorted(tasks, key=lambda task: (task["created_at"], task["id"]))
    rich.client.get("/v1/me").expect(200)


def test_head(rich):
    answer = rich.client.head(PATH).expect(200)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rich.client.get("/v1/me").expect(200)


def test_http_1_0_ends_with_the_connection(rich):
    with RawConnection(rich.server) as connection:
        connection.send(request(rich, version="1.0"))
        head, _, body = connection.file.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200") and b"chunked" not in head
    assert len(json.loads(body)["tasks"]) == MANY


def test_it_goes_on_a_connection_with_others(rich):
    with RawConnection(rich.server) as connection:
        connection.send(request(rich, "HEAD") + request(rich, "HEAD"))
        for _ in range(2):
            assert connection.read("HEAD").status == 200


class SlowReader:
    """Asks for the export and reads nothing of it until it is told to."""

    def __init__(self, user):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(30)
        self.socket.connect((user.server.host, user.server.port))
        self.socket.sendall(request(user))
        self.first = self.socket.recv(512)  # the answer has begun

    def rest(self):
        """Everything that is left, up to the last chunk."""
        data = bytearray(self.first)
        while not data.endswith(b"\r\n0\r\n\r\n"):
            piece = self.socket.recv(65536)
            assert piece, "broken off"
            data += piece
        return data

    def close(self):
        """Leaves; with unread bytes that is a reset."""
        self.socket.close()


def test_a_slow_reader_slows_only_its_own_export(rich):
    Client(rich.server).get("/livez").expect(200)
    before = memory_kib(rich.server)
    readers = [SlowReader(rich) for _ in range(12)]
    for _ in range(20):
        rich.reader().get("/v1/me").expect(200)
    size = len(rich.client.get(PATH).expect(200).body)
    grown = memory_kib(rich.server) - before
    assert grown < 12 * size / 1024 / 2, f"{grown} KiB for twelve that do not read {size} bytes each"
    data = readers[0].rest()
    assert data.count(b'"title":') == MANY
    for reader in readers:
        reader.close()
    rich.client.get("/v1/me").expect(200)


def test_clients_that_leave_in_the_middle(rich):
    for _ in range(20):
        SlowReader(rich).close()
    wait_until(lambda: rich.client.get("/v1/me").status == 200, 10, "answering")
    assert len(rich.client.get(PATH).expect(200).json["tasks"]) == MANY


def test_an_account_deleted_in_the_middle_gives_no_whole_document(make_user):
    own = make_user()
    for _ in range(700):
        own.task(description=LONG)
    reader = SlowReader(own)
    own.client.post("/v1/me/deletion", {"password": own.password}).expect(204)
    with pytest.raises((AssertionError, ConnectionResetError)):
        reader.rest()
    reader.close()


def test_while_others_write(make_user):
    """A task that nobody touches is in it once, whatever happens to the others."""
    own = make_user()
    kept = {own.task(f"Kept {number}")["id"] for number in range(160)}
    victims = [own.task("Victim")["id"] for _ in range(160)]
    exports, done = [], threading.Event()

    def export():
        client = own.reader()
        while not done.is_set():
            exports.append(client.get(PATH).expect(200).json["tasks"])

    thread = threading.Thread(target=export)
    thread.start()
    for victim in victims:
        own.client.delete(f"/v1/tasks/{victim}").expect(204)
        own.task("Another")
    done.set()
    thread.join()
    assert exports
    for tasks in exports:
        ids = [task["id"] for task in tasks]
        assert len(ids) == len(set(ids)) and kept <= set(ids)


def test_the_query_and_the_quota(user, start_server, make_user):
    user.client.get(PATH + "?limit=1").expect(400, "invalid_parameter")
    own = make_user(start_server(env={"RATE_LIMIT": "on"}))
    assert "api" in own.client.get(PATH).expect(200).headers["RateLimit"]
