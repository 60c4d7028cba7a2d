# SPDX-License-Identifier: MIT
"""A few runs of campaign.py; RUNS=100 for more."""
import os

import campaign

RUNS = int(os.environ.get("RUNS", "4"))


def test_nothing_is_lost_and_nothing_doubled(seed):
    sums = campaign.run(RUNS, seed)
    everything = campaign.total(sums)
    print("\n" + campaign.table(sums))
    assert not everything.lost and not everything.doubled and not everything.wrong
    assert max(everything.recoveries) <= campaign.RECOVERY_SECONDS
    assert everything.runs == RUNS and everything.cuts > 0 and everything.acknowledged >= RUNS * campaign.AFTER
