"""A plugin for pytest (`-p round_robin`): the shared server of tests/api is the balancer that TASKHOLD_BALANCER names.

Tests that start a server of their own are left out: they are about one process."""
import os

import pytest


class Balanced:
    """Looks like support.server.Server to a client."""

    def __init__(self, where):
        self.host, port = where.split(":")
        self.port = int(port)
        self.url = f"http://{where}"
        self.env = {}


@pytest.fixture(scope="session")
def server():
    """Not one node but all."""
    return Balanced(os.environ["TASKHOLD_BALANCER"])


def pytest_collection_modifyitems(config, items):
    """Leaves out what needs more than the address."""
    kept = [item for item in items if "start_server" not in item.fixturenames]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
