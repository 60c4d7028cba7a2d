# SPDX-License-Identifier: MIT
"""The stack that the tests share. Run: /usr/bin/python3 -m pytest -s tests/stack"""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import stack as stacks  # noqa: E402
from support.seed import fixture_seed, pytest_report_header, skip_all  # noqa: E402, F401


def pytest_collection_modifyitems(items):
    """Without one of its parts nothing can be shown."""
    skip_all(items, stacks.missing())


@pytest.fixture(scope="session", name="stack")
def fixture_stack():
    """All of it; what a test kills it starts again."""
    started = stacks.Stack()
    yield started
    started.close()
