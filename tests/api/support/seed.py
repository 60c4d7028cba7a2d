# SPDX-License-Identifier: MIT
"""What drives the random choices of a run: SEED=… repeats those of one that printed it."""
import os
import random

import pytest

SEED = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(1, 2 ** 32)


def pytest_report_header():
    """For a conftest.py."""
    return f"seed {SEED}"


@pytest.fixture(scope="session", name="seed")
def fixture_seed():
    """Drives every choice."""
    return SEED


def skip_all(items, why):
    """Marks all tests, unless `why` is None."""
    for item in items if why else ():
        item.add_marker(pytest.mark.skip(reason=why))
