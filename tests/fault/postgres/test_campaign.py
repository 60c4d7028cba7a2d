# SPDX-License-Identifier: MIT
"""A few runs of campaign.py; RUNS=100 for more."""
import os

import campaign
from sums import table, total

RUNS = int(os.environ.get("RUNS", "4"))


def test_nothing_is_lost_and_nothing_doubled(seed):
    sums = campaign.run(RUNS, seed)
    everything = total(sums)
    print("\n" + table(sums, campaign.COLUMNS))
    assert not everything.faults()
    assert everything.is_good() and everything.recoveries
    assert everything.runs == RUNS and everything.cuts > 0 and everything.acknowledged >= RUNS * campaign.AFTER
