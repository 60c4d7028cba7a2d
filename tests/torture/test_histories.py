# SPDX-License-Identifier: MIT
"""Some histories of many clients, on one node or, on PostgreSQL, on three whose clocks differ.

    SEEDS=20 FIRST_SEED=7 /usr/bin/python3 -m pytest -s tests/torture/test_histories.py      script/torture for hours"""
import os
import random
from collections import Counter

import pytest

from histories import judge_all, play
from scene import Judge
from support import engine

FIRST = int(os.environ.get("FIRST_SEED", "0")) or random.SystemRandom().randrange(1, 10 ** 9)
SEEDS = int(os.environ.get("SEEDS", "2"))
STEPS = int(os.environ.get("STEPS", "60"))


@pytest.fixture(name="judge", scope="module")
def fixture_judge():
    """The server of the model."""
    made = Judge()
    yield made
    made.close()


@pytest.mark.parametrize("trouble", ["none", "kill"] + (["move"] if engine.is_postgres() else []))
def test_an_order_explains_all_answers(judge, trouble):
    total, good = Counter(), True
    print(f"\nFIRST_SEED={FIRST} SEEDS={SEEDS} STEPS={STEPS}, trouble: {trouble}", flush=True)
    seeds = SEEDS if trouble == "none" else (SEEDS + 1) // 2
    for seed in range(FIRST, FIRST + seeds):
        histories, kills, moves = play(seed, STEPS, trouble)
        good &= judge_all(judge, seed, histories, total)
        total.update(kills=kills, moves=moves)
    print(", ".join(f"{number:,} {what}" for what, number in total.items()))
    assert good
    assert total["compared"] > seeds * STEPS and total["undecided"] < total["compared"] / 20, total
