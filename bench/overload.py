# SPDX-License-Identifier: MIT
"""More than the server can do: requests at fixed rates, below what it can do and at twice that."""
import os
import random
import re
import subprocess
from dataclasses import dataclass

import client
import procs
import servers
from check import MIB, Check, microseconds

USERS, TASKS = 32, 30
CLOSED, OPEN = 512, 4_000  # connections: with few, a commit holds few writes and the disk decides
LEVELS = (0.25, 1, 2)  # of the rate that CLOSED connections get when each asks as soon as it has its answer
GOODPUT_LEAST, TIMES_MOST, GROWTH_MOST = 0.9, 5, 32 * MIB
# What is asked for, in parts: an application reads more than it writes.
MIXES = {"reads": {"read": 1}, "creates": {"create": 1}, "a mix": {"list": 2, "read": 1, "create": 1, "patch": 1}}
SEED = 1


@dataclass(frozen=True)
class Level:
    """What was asked and answered a second at one rate; times in microseconds."""
    offered: float
    good: float
    refused: float
    p99: float
    counts: dict


def requests_of(server):
    """Requests of each kind, of many users."""
    made = {"read": [], "list": [], "create": [], "patch": []}
    for number in range(USERS):
        token = servers.register(server, f"user{number}")
        for task in servers.create_tasks(server, token, TASKS):
            path = "/v1/tasks/" + task
            made["read"].append(client.request_bytes("GET", path, token))
            made["patch"].append(client.request_bytes("PATCH", path, token, {"title": servers.TITLE + "."}))
        made["list"].append(client.request_bytes("GET", servers.LIST_PATH, token))
        made["create"].append(client.request_bytes("POST", "/v1/tasks", token, {"title": servers.TITLE}))
    return made


def write_requests(server, name, made, parts):
    """A file for the generator: of each kind as many as its part says."""
    draw = random.Random(SEED)
    chosen = [draw.choice(made[kind]) for kind, part in parts.items() for _ in range(part * 1_000)]
    path = server.file("requests-" + name.replace(" ", "-"))
    with open(path, "wb") as out:
        for request in chosen:
            out.write(b"%d\n%s" % (len(request), request))
    return path


def generate(server, path, rate, connections, seconds):
    """One run of the generator."""
    program = os.path.join(os.path.dirname(servers.BENCH), ".cache", "bench", "openloop")
    command = [program, str(server.port), f"{rate:.0f}", str(seconds), str(connections), str(SEED), path]
    done = subprocess.run(["taskset", "-c", procs.CLIENT_CORE, *command], capture_output=True, text=True,
                          timeout=seconds + 60, check=False)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if not found:
        raise procs.Failed(f"openloop: {done.stdout[-300:]}{done.stderr[-300:]}")
    counts = {name: int(value) for name, value in (part.split("=") for part in found[1].split())}
    if counts["wrong"] or counts["broken"]:
        raise procs.Failed(f"openloop: {counts}")
    each = 1e6 / counts["duration"]
    return Level(counts["due"] * each, counts["good"] * each, counts["refused"] * each, counts["p99"], counts)


def check(name, levels, grown):
    """The promise of one mix."""
    quiet, peak, twice = levels
    most = max(peak.good, twice.good)
    good, times = twice.good / most, twice.p99 / max(quiet.p99, 1)
    return Check(f"Overload, {name}: {LEVELS[-1]} times what can be done, on {OPEN:,} connections",
                 f"answers/s at least {GOODPUT_LEAST} of the peak; p99 of what is answered at most {TIMES_MOST} times that at "
                 f"{LEVELS[0]} of the peak; at most {GROWTH_MOST // MIB} MiB more",
                 f"{twice.good:,.0f}/s of {twice.offered:,.0f}/s, {good:.2f} of the peak ({peak.good:,.0f}/s at once that rate); "
                 f"p99 {microseconds(twice.p99)}, {times:.1f} times {microseconds(quiet.p99)}; {twice.refused:,.0f}/s refused; "
                 f"{grown / MIB:.1f} MiB more",
                 good >= GOODPUT_LEAST and times <= TIMES_MOST and grown <= GROWTH_MOST)


def section(folder, binary, options):
    checks = []
    for name, parts in MIXES.items():
        server = servers.start_taskhold(os.path.join(folder, "overload-" + name.replace(" ", "-")), binary)
        try:
            path = write_requests(server, name, requests_of(server), parts)
            closed = generate(server, path, 0, CLOSED, options.seconds)
            levels = []
            for level in LEVELS:
                options.progress(f"Overload, {name}: {level} of {closed.good:,.0f}/s")
                before = procs.resident_bytes(server.pid)
                levels.append(generate(server, path, closed.good * level, OPEN, options.seconds))
                grown = procs.resident_bytes(server.pid) - before
            checks.append(check(name, levels, grown))
        finally:
            server.stop()
    return checks
