# SPDX-License-Identifier: MIT
"""What happens to the file of the database under a running server: no room for it, and it is moved or removed.

    /usr/bin/python3 -m pytest tests/fault/test_disk.py"""
import os
import resource
import sqlite3
import subprocess

import pytest

from support.accounts import User
from support.paths import binary
from support.server import Server, environment
from support.waiting import wait_until


@pytest.fixture(name="server")
def fixture_server():
    """One that ends in the test or here."""
    made = Server()
    yield made
    made.kill()
    made.remove()


def database(server):
    """Its file."""
    return server.directory / "data" / "taskhold.db"


def test_no_file_may_grow(server):
    """RLIMIT_FSIZE: as a full disk. Writes are 507 and recover, reads go on, and it runs on."""
    user = User(server)
    task = user.task("Before")
    size = os.stat(f"{database(server)}-wal").st_size + os.stat(server.log_path).st_size
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size + 4096, resource.RLIM_INFINITY))
    user.client.checked = False

    def full():
        answer = user.client.post("/v1/tasks", {"title": "More", "description": "x" * 16384})
        assert answer.status in (201, 507), answer
        return answer.status == 507
    wait_until(full, 30, "507")
    for _ in range(10):
        user.client.post("/v1/tasks", {"title": "x" * 1000, "description": "x" * 16384}).expect(507, "storage_full")
        assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json["title"] == "Before"
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    user.task("After")
    server.stop()


@pytest.mark.parametrize("how", ["rename", "unlink", "replace"])
def test_the_file_is_moved(server, how):
    """Also while nobody writes: readiness says so, a write is 503, and what was acknowledged is in the file."""
    user = User(server)
    task = user.task("Before")
    path, away = database(server), server.directory / "away.db"
    if how == "unlink":
        path.unlink()
    else:
        path.rename(away)
    if how == "replace":
        path.write_bytes(b"")
    user.client.checked = False
    wait_until(lambda: user.anonymous.get("/readyz").status == 503, 10, "readiness")
    assert "moved or removed" in user.anonymous.get("/readyz").json["checks"]["database"]
    answer = user.client.post("/v1/tasks", {"title": "After"}).expect(503, "unavailable")
    assert "retry-after" in answer.headers
    assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json["title"] == "Before"
    wait_until(lambda: "database_moved" in server.log_text(), 10, "the event")
    server.terminate()
    if how != "unlink":
        with sqlite3.connect(f"file:{away}?immutable=1", uri=True) as db:
            assert db.execute("SELECT title FROM tasks").fetchall() == [("Before",)]


def test_a_start_beside_an_export(server):
    """An export whose reader is slow still reads while the server starts again."""
    user = User(server)
    for number in range(20):
        user.task(f"Task {number}", description="x" * 16384)
    export = subprocess.Popen([binary(), "export"], cwd=server.directory, env=environment(server.database),
                              stdout=subprocess.PIPE)
    try:
        first = export.stdout.readline()
        user.task("Later")
        server.kill()
        server.start()
        user.anonymous.close()
        user.client.close()
        user.client.get("/readyz").expect(200)
        user.task("Beside it")
        wait_until(lambda: "wal_held" in server.log_text(this_run=True), 10, "the event")
        lines = [first, *export.stdout]
        assert export.wait(30) == 0 and sum(b'"type":"task"' in line for line in lines) == 20
    finally:
        export.kill()
        export.wait()
        export.stdout.close()
    server.stop()
