# SPDX-License-Identifier: MIT
"""The stack that the tests share. Run: /usr/bin/python3 -m pytest -s tests/stack"""
import os
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import stack as stacks  # noqa: E402

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 2 ** 32)


def pytest_report_header():
    """SEED=… repeats the choices of a run."""
    return f"seed {SEED}"


def pytest_collection_modifyitems(items):
    """Without one of its parts nothing can be shown."""
    why = stacks.missing()
    for item in items if why else ():
        item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session", name="seed")
def fixture_seed():
    """Drives every choice."""
    return SEED


@pytest.fixture(scope="session", name="stack")
def fixture_stack():
    """All of it; what a test kills it starts again."""
    started = stacks.Stack()
    yield started
    started.close()
