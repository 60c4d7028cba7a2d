# SPDX-License-Identifier: MIT
"""A server in a small container: what it takes of memory fits, however many loops it is told to run."""
import os
import threading

import pytest

from support import groups
from support.client import Client
from support.server import Server, run

LIMIT = 160 * 1024 * 1024


@pytest.fixture
def small_group():
    """A control group with little memory; skipped where none can be made."""
    group = groups.make(LIMIT)
    if group is None:
        pytest.skip("no control group with a limit of memory can be made here")
    yield group
    group.remove()


@pytest.mark.skipif("asan" in os.environ.get("TASKHOLD_BIN", ""), reason="a sanitizer takes more memory than the limit")
def test_logins_fit_into_the_limit(small_group):
    """120 strangers log in at once; the kernel ends nobody."""
    with small_group.inside():
        server = Server({"THREADS": "16"})
        uses = run("config", env={"THREADS": "16"}).stdout
    assert "password hashers: 1," in uses, uses
    statuses = []
    body = {"email": "nobody@example.com", "password": "not the password"}
    threads = [threading.Thread(target=lambda: statuses.append(Client(server).post("/v1/auth/login", body).status))
               for _ in range(120)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"\n120 logins at once in {LIMIT >> 20} MiB, THREADS=16: peak {small_group.peak() >> 20} MiB")
    assert set(statuses) <= {401, 503} and 401 in statuses
    Client(server).get("/livez").expect(200)
    server.stop()
