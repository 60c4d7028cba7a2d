# SPDX-License-Identifier: MIT
"""The tests of the command line share the server and the fixtures of those over HTTP. Run: python3 -m pytest tests/cli"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))

from support import cluster  # noqa: E402
from support.fixtures import client, make_user, other, server, start_server, user  # noqa: E402, F401


@pytest.fixture(scope="module")
def postgres():
    """One PostgreSQL for a file."""
    started = cluster.Cluster()
    yield started
    started.remove()


@pytest.fixture
def url(postgres):
    """Of a fresh database in it."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)
