# SPDX-License-Identifier: MIT
"""What a line for each request costs: reads with LOG_LEVEL=info, into a file, beside LOG_LEVEL=warn."""
import os

import load
import pairs
import procs
import servers
from check import Check, microseconds

LEAST = 0.9
READ = next(case for case in load.CASES if case.key == "read")
SEEN = 0.95  # of the lines of a round; those of its last moment come after the look


def start(folder, binary, level):
    server = servers.start_taskhold(os.path.join(folder, "logs-" + level), binary, LOG_LEVEL=level)
    servers.prepare(server)
    return server


def measure(server, options):
    options.progress(f"Log: reads, {os.path.basename(os.path.dirname(server.folder))}")
    return load.measure(READ, server, options.pair_seconds)


def measure_with_lines(server, options):
    """A round, and a look at its lines, since it would be cheap to drop them. Empties the file."""
    result = measure(server, options)
    path = server.file("log")
    with open(path, "rb") as file:
        written = file.read()
    os.truncate(path, 0)
    lines, asked = written.count(b'"event":"request"'), result.rate * options.pair_seconds
    if b'"event":"log_dropped"' in written or lines < SEEN * asked:
        raise procs.Failed(f"of {asked:,.0f} reads {lines:,} had a line in the log")
    return result


def check_reads(taken):
    share = pairs.ratio(taken, "rate")
    (quiet, told), (quiet_cpu, told_cpu), (quiet_p99, told_p99) = (
        pairs.medians(taken, name) for name in ("rate", "cpu", "p99"))
    return Check("Reads with LOG_LEVEL=info, a line for each in a file", f"at least {LEAST} of those with LOG_LEVEL=warn",
                 f"{share:.2f} ({told:,.0f}/s of {quiet:,.0f}/s, none of the lines dropped; "
                 f"CPU a read {told_cpu:.1f} µs instead of {quiet_cpu:.1f} µs; "
                 f"p99 {microseconds(told_p99)} instead of {microseconds(quiet_p99)})", share >= LEAST)


def section(folder, binary, options):
    started = []
    try:
        for level in ("warn", "info"):
            started.append(start(folder, binary, level))
        load.warm_up(READ, started)
        os.truncate(started[1].file("log"), 0)
        taken = pairs.alternate(options.pairs, lambda: measure(started[0], options),
                                lambda: measure_with_lines(started[1], options))
    finally:
        for server in started:
            server.stop()
    return [check_reads(taken)]
