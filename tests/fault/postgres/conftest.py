# SPDX-License-Identifier: MIT
"""Fixtures of the faults between the nodes and PostgreSQL. Run: python3 -m pytest tests/fault/postgres"""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "api")]

from ground import Ground  # noqa: E402
from proxy import Proxy  # noqa: E402
from support import cluster as clusters  # noqa: E402
from support.seed import fixture_seed, pytest_report_header, skip_all  # noqa: E402, F401


def pytest_collection_modifyitems(items):
    """Without a server of PostgreSQL nothing can be shown."""
    skip_all(items, clusters.missing())


@pytest.fixture(scope="session", name="cluster")
def fixture_cluster():
    """The server that the tests share. A test that ends it starts it again."""
    started = clusters.Cluster()
    yield started
    started.remove()


@pytest.fixture(name="pair")
def fixture_pair():
    """A primary and a standby that every commit waits for."""
    primary = clusters.Cluster()
    standby = primary.standby()
    primary.synchronize(standby)
    yield primary, standby
    standby.remove()
    primary.remove()


@pytest.fixture(name="ground")
def fixture_ground(cluster):
    """A database of the test's own."""
    made = Ground(cluster)
    yield made
    made.close()


@pytest.fixture(name="proxies")
def fixture_proxies(seed):
    """Makes proxies before a cluster."""
    made = []

    def make(cluster):
        made.append(Proxy(("127.0.0.1", cluster.port), seed))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(name="proxy")
def fixture_proxy(cluster, proxies):
    """A proxy before the shared server."""
    return proxies(cluster)
