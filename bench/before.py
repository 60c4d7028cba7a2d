# SPDX-License-Identifier: MIT
"""What a request costs beside an earlier program, in turn: nobody pays for what others may no longer take."""
import os

import load
import pairs
import procs
import servers
from check import Check

MOST = 1.05
CASES = ("read", "list", "create")
ROUNDS_MOST = 4


def start(folder, name, binary):
    """One loop each, however many a program would choose: a second one on the same core makes creates cheaper."""
    server = servers.start_taskhold(os.path.join(folder, name), binary, THREADS="1")
    servers.prepare(server)
    return server


def measure(case, server, options):
    """One round; on a machine that is busy elsewhere some requests are refused, and the round is taken again."""
    for _ in range(ROUNDS_MOST - 1):
        try:
            return load.measure(case, server, options.pair_seconds)
        except procs.Failed as error:
            options.progress(str(error))
    return load.measure(case, server, options.pair_seconds)


def compare(case, before, now, options):
    options.progress(f"Before and now: {case.title.lower()}, {options.pairs} pairs")
    load.warm_up(case, (before, now))
    taken = pairs.alternate(options.pairs, lambda: measure(case, before, options),
                            lambda: measure(case, now, options))
    cost, rate = pairs.ratio(taken, "cpu"), pairs.ratio(taken, "rate")
    old, new = pairs.medians(taken, "cpu")
    return Check(f"{case.title}, beside an earlier program", f"CPU a request at most {MOST} times as much",
                 f"{cost:.3f} times ({new:.2f} µs instead of {old:.2f} µs; {rate:.3f} times as many a second)", cost <= MOST)


def section(folder, binary, options):
    """Nothing without --before."""
    if not options.before:
        return []
    started = []
    try:
        for name, program in (("before", options.before), ("now", binary)):
            started.append(start(folder, name, program))
        return [compare(case, *started, options) for case in load.CASES if case.key in CASES]
    finally:
        for server in started:
            server.stop()
