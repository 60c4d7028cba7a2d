"""A plugin for pytest (`-p round_robin`): the shared server of tests/api is the balancer that TASKHOLD_BALANCER names.

Tests that start a server of their own are left out: they are about one process."""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "api"))

from support import server as servers  # noqa: E402


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


servers.Server = Balanced


def pytest_collection_modifyitems(config, items):
    """Leaves out what needs more than the address."""
    kept = [item for item in items if "start_server" not in item.fixturenames]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
