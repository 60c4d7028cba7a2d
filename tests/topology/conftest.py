# SPDX-License-Identifier: MIT
"""What the deployment files describe, started by hand on this machine. Run: python3 -m pytest tests/topology"""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE.parent / "api", HERE.parent / "deploy", HERE):
    sys.path.insert(0, str(folder))

from support import cluster  # noqa: E402


@pytest.fixture(scope="session")
def postgres():
    """One PostgreSQL for all of these tests; passwords are asked for over TCP, as everywhere but here."""
    if cluster.missing():
        pytest.skip(cluster.missing())
    one = cluster.Cluster()
    try:
        (one.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        one.psql("SELECT pg_reload_conf()")
        yield one
    finally:
        one.remove()
