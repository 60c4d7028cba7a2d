# SPDX-License-Identifier: MIT
"""A plugin for pytest (`-p round_robin`): the shared server of tests/api is the balancer that TASKHOLD_BALANCER names.

Tests that start a server of their own are left out: they are about one process. And what one node refuses at once
because its session ended, another may still answer for BOUND seconds."""
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "api"))

from support import client as clients  # noqa: E402
from support import server as servers  # noqa: E402

BOUND = 2.0


class Balanced:
    """Looks like support.server.Server to a client, and is all nodes."""

    def __init__(self):
        where = os.environ["TASKHOLD_BALANCER"]
        self.host, port = where.split(":")
        self.port = int(port)
        self.url = f"http://{where}"
        self.env = {}

    def stop(self):
        """They are not this test's to end."""


class Answer(clients.Answer):
    """One response, which may be asked for again."""

    again = None

    def expect(self, status, code=None):
        """As it is; a refusal that every node owes us soon may come a little later."""
        answer, deadline = self, time.monotonic() + BOUND
        while status == 401 and answer.status == 200 and self.again and time.monotonic() < deadline:
            answer = self.again()
        return clients.Answer.expect(answer, status, code)


class Client(clients.Client):
    """Remembers how a read was asked for."""

    def request(self, method, path, *args, **more):
        """Sends one request."""
        answer = super().request(method, path, *args, **more)
        answer = Answer(answer.status, answer.headers, answer.body, answer.request)
        if method == "GET":
            answer.again = lambda: super(Client, self).request(method, path, *args, **more)
        return answer


servers.Server = Balanced
clients.Client = Client


def pytest_collection_modifyitems(config, items):
    """Leaves out what needs more than the address."""
    kept = [item for item in items if "start_server" not in item.fixturenames]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
