# SPDX-License-Identifier: MIT
"""The kernel's random source fails under a server, or while it starts: nothing is issued that could be guessed. And a
second process on a database that is in use does nothing to it.

    /usr/bin/python3 -m pytest -s tests/fault/test_random.py"""
import base64
import contextlib
import errno
import http.client
import json
import os
import sqlite3
import subprocess
import time

import pytest

from crash import Store
from shim import Shim
from support import engine
from support.accounts import PASSWORD, User
from support.client import Client
from support.paths import binary
from support.server import Server, environment, run
from support.waiting import wait_until

GONE = (OSError, http.client.HTTPException)
TRIES_MOST = 3000  # one draw of random bytes serves some hundred ids


@pytest.fixture(name="shim")
def fixture_shim(tmp_path):
    """What a server's calls go through."""
    return Shim(tmp_path)


@pytest.fixture(name="start")
def fixture_start(shim):
    """Starts servers whose random source the test can break."""
    started = []

    def begin(**more):
        started.append(Server({"LOG_LEVEL": "warn", **shim.environment}, **more))
        return started[-1]

    yield begin
    for server in started:
        server.kill()
        server.remove()


CALLS = {
    "registration": lambda user: user.anonymous.post("/v1/auth/register", {"email": "new@example.com", "password": PASSWORD}),
    "task": lambda user: user.client.post("/v1/tasks", {"title": "x"}),
    "token": lambda user: user.client.post("/v1/me/tokens", {"name": "x", "scopes": ["tasks:read"], "password": PASSWORD}),
}


@pytest.mark.parametrize("what,number", [("registration", errno.EIO), ("registration", errno.ENOSYS), ("task", errno.EIO),
                                         ("token", errno.EIO)])
def test_without_randomness_nothing_is_issued(start, shim, what, number):
    """What random bytes that were drawn before can still serve is right; then the process ends, and no answer comes."""
    server = start()
    user = User(server)
    user.client.retries = user.anonymous.retries = False
    rule = shim.arm("random", "fail", number=number)
    before = Store(server).rows("SELECT count(*) FROM users")
    made = set()
    with pytest.raises(GONE):
        for _ in range(TRIES_MOST):
            answer = CALLS[what](user)
            assert answer.status in (200, 201), answer.body
            assert rule.struck == 0, f"answered after the source had failed: {answer.status} {answer.body}"
            made.add(answer.body)
    assert server.wait() != 0 and rule.struck > 0
    assert '"crashed"' in server.log_text(), server.log_text()[-2000:]
    rule.disarm()
    server.start()
    found = Client(server, user.token["access_token"]).get("/v1/tasks?limit=1&include=total").expect(200).json
    if what == "task":
        assert len(made) <= found["total"] <= len(made) + 1, "of one that got no answer nobody knows"
    if what == "registration":
        assert Store(server).rows("SELECT count(*) FROM users") == before or made


@pytest.mark.skipif(engine.is_postgres(), reason="the secret is a file beside a SQLite database")
def test_a_start_without_getrandom_is_no_weaker(tmp_path, shim):
    """It takes the kernel's device, or does not start: two such starts never share a secret or an epoch."""
    shim.arm("random", "fail", number=errno.ENOSYS)
    seen = set()
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = subprocess.Popen([str(binary()), "serve", "--port", "0"], cwd=folder, stdin=subprocess.DEVNULL,
                                   env=environment({"JWT_SECRET": None, **shim.environment}), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        secret = folder / "data" / "taskhold.db.jwt-secret"
        try:
            wait_until(lambda: process.poll() is not None or secret.exists(), 30, "an end, or a secret")  # pylint: disable=W0640
            if secret.exists():
                text = secret.read_text(encoding="ascii").strip()
                assert len(set(base64.urlsafe_b64decode(text + "=="))) > 30 and text not in seen
                seen.add(text)
            else:
                assert process.returncode not in (None, 0)
        finally:
            process.kill()
            process.wait()


@pytest.mark.skipif(engine.is_postgres(), reason="PostgreSQL makes its epoch itself")
def test_an_epoch_is_the_kernels(tmp_path, shim):
    """SQLite's own random bytes are the time where it finds no /dev/urandom; those of an epoch are drawn from the kernel."""
    epochs = set()
    for number in range(2):
        before = shim.calls("random")
        path = tmp_path / f"{number}.db"
        done = run("migrate", env={"DATABASE_URL": f"sqlite:{path}", **shim.environment}, cwd=tmp_path)
        assert done.returncode == 0 and shim.calls("random") > before, done
        with contextlib.closing(sqlite3.connect(path)) as db:
            epochs.add(db.execute("SELECT epoch FROM meta").fetchone()[0])
    assert len(epochs) == 2


# ---- two processes, one database ----

STARTS = 20


@pytest.mark.skipif(engine.is_postgres(), reason="many nodes may share a PostgreSQL database")
def test_a_second_process_changes_nothing(tmp_path):
    """While clients write, others start on the same file under all of its names: each says why it does not, and nothing
    of the first is touched."""
    server = Server({"LOG_LEVEL": "warn"})
    try:
        user = User(server)
        path = server.directory / "data" / "taskhold.db"
        link = tmp_path / "other.db"
        os.symlink(path, link)
        names = [f"sqlite:{path}", f"sqlite:{path.parent}/../data/taskhold.db", f"sqlite:{link}"]
        made = []
        for number in range(STARTS):
            made.append(user.task(f"task {number}")["id"])
            begun = time.monotonic()
            command = [["serve", "--port", "0"], ["migrate"]][number % 2]
            done = run(*command, env={"DATABASE_URL": names[number % len(names)]}, cwd=tmp_path, timeout=30)
            assert done.returncode != 0 and "another process is using the database" in done.stderr, done
            assert f"held by pid {server.pid}" in done.stderr and time.monotonic() - begun < 10
        assert server.process.poll() is None
        found = [task["id"] for task in user.client.get("/v1/tasks?limit=100&sort=created_at").expect(200).json["items"]]
        assert found == made
        user.client.patch(f"/v1/tasks/{made[0]}", {"title": "still"}).expect(200)
        server.hang_up()
        server.kill()
        Store(server).check()
        server.start()
        titles = json.loads(Client(server, user.token["access_token"]).get("/v1/tasks?limit=100").expect(200).body)["items"]
        assert {task["id"] for task in titles} == set(made)
        server.stop()
    finally:
        server.kill()
        server.remove()
