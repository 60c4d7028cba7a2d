# SPDX-License-Identifier: MIT
"""The tests over HTTP, on either engine. Run: python3 -m pytest tests/api, for SQLite; and
tests/with-postgres python3 -m pytest tests/api, for PostgreSQL."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from support.fixtures import client, make_user, other, own, server, start_server, user  # noqa: E402, F401
