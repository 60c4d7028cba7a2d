# SPDX-License-Identifier: MIT
"""What the sandbox costs: reads, lists and creates with SANDBOX=on beside SANDBOX=off, in turn."""
import os

import before
import load
import pairs
import servers
from check import Check

MOST = 1.02


def start(folder, binary, mode):
    server = servers.start_taskhold(os.path.join(folder, "sandbox-" + mode), binary, SANDBOX=mode, THREADS="1")
    servers.prepare(server)
    return server


def compare(case, off, on, options):
    options.progress(f"Sandbox: {case.title.lower()}, {options.pairs} pairs")
    load.warm_up(case, (off, on))
    taken = pairs.alternate(options.pairs, lambda: before.measure(case, off, options), lambda: before.measure(case, on, options))
    cost, rate = pairs.ratio(taken, "cpu"), pairs.ratio(taken, "rate")
    without, within = pairs.medians(taken, "cpu")
    return Check(f"{case.title} in the sandbox", f"CPU a request at most {MOST} times that without",
                 f"{cost:.3f} times ({within:.2f} µs instead of {without:.2f} µs; {rate:.3f} times as many a second)", cost <= MOST)


def section(folder, binary, options):
    started = []
    try:
        for mode in ("off", "require"):
            started.append(start(folder, binary, mode))
        return [compare(case, *started, options) for case in load.CASES if case.key in before.CASES]
    finally:
        for server in started:
            server.stop()
