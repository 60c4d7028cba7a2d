# SPDX-License-Identifier: MIT
"""The program with one more resource. TASKHOLD_BIN names it; these tests share the server and the
accounts of the tests over HTTP. For SQLite: `TASKHOLD_BIN=build/asan/tests/synthetic/taskhold
python3 -m pytest tests/synthetic`; after tests/with-postgres, for PostgreSQL."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "api"))
from support.fixtures import make_user, other, server, start_server, user  # noqa: E402, F401
from resources import RESOURCES  # noqa: E402


@pytest.fixture(params=RESOURCES, ids=lambda resource: resource.collection, scope="module")
def resource(request):
    """Each resource in turn."""
    return request.param


@pytest.fixture
def client(user):  # noqa: F811
    """Its answers are those of no path that the description of the API has."""
    one = user.client.copy()
    one.checked = False
    yield one
    one.close()
