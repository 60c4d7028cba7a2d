# SPDX-License-Identifier: MIT
"""One client who waits for each write, beside a program that only inserts; and many clients who write at once."""
import json
import os
import re
import shutil
import subprocess

import client
import load
import pairs
import procs
import servers
from check import Check, microseconds

LEAST = 0.85
CREATES_LEAST = 35_000
USERS = 64


class Round:
    """What one round measured: a second's rate and the microseconds of one."""

    def __init__(self, counts):
        self.rate = counts["requests"] * 1e6 / counts["duration"]
        self.time = counts["duration"] / counts["requests"]


def bare(name):
    """A program that script/bench has built of bench/bare."""
    return os.path.join(os.path.dirname(servers.BENCH), ".cache", "bench", name)


def run(core, command):
    """Runs a program that ends with a line of counts."""
    done = subprocess.run(["taskset", "-c", core, *command], capture_output=True, text=True, timeout=60, check=False)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        raise procs.Failed(f"{os.path.basename(command[0])}: {done.stderr[-500:]}")
    return Round({name: int(value) for name, value in (part.split("=") for part in found[1].split())})


def start(folder, binary, core):
    """A server with one user and some tasks, the request that creates another one, and a copy of the database."""
    server = servers.Server("alone-" + core.replace(",", "-"), folder, core)
    servers.launch_taskhold(server, binary)
    client.wait_ready(server.port, server.process)
    server.writer = servers.register(server, "ann")
    servers.create_tasks(server, server.writer, servers.READER_TASKS)
    server.stop()
    shutil.copy(server.file("taskhold.db"), server.file("bare.db"))
    servers.launch_taskhold(server, binary)
    client.wait_ready(server.port, server.process)
    with open(server.file("request"), "wb") as out:
        out.write(client.request_bytes("POST", "/v1/tasks", server.writer, {"title": servers.TITLE}))
    return server


def compare(folder, binary, core, options):
    """Pairs of rounds: the program that inserts, and the server with its client, all on the same cores."""
    options.progress(f"Alone: a program that only inserts and one client, {options.pairs} pairs, on core {core}")
    server = start(folder, binary, core)
    try:
        seconds = str(options.pair_seconds)
        return pairs.alternate(
            options.pairs, lambda: run(core, [bare("insert"), server.file("bare.db"), seconds]),
            lambda: run(core, [bare("client"), str(server.port), seconds, server.file("request")]))
    finally:
        server.stop()


def told(taken):
    inserted, created = pairs.medians(taken, "time")
    return f"{pairs.ratio(taken, 'rate'):.2f} ({microseconds(created)} a create, {microseconds(inserted)} an insert)"


def section(folder, binary, options):
    """Everything on one core: to wake another one, which on a virtual machine takes 30 to 60 µs, is not the server's work."""
    one, both = (compare(folder, binary, core, options) for core in (procs.SERVER_CORE, procs.ANY_CORE))
    return [Check("Create a task with 1 connection, beside a program that does BEGIN, INSERT, COMMIT on the same core",
                  f"at least {LEAST} of its inserts/s", f"{told(one)}; both free to use two cores {told(both)}",
                  pairs.ratio(one, "rate") >= LEAST)]


# ---- many clients ----

def crowd(folder, binary, options):
    """Creates on 64 connections: of one user, and of as many users."""
    server = servers.start_taskhold(os.path.join(folder, "creates"), binary, THREADS="1")
    try:
        tokens = [servers.register(server, f"user{number}") for number in range(USERS)]
        files = [server.file(name) for name in ("one", "many")]
        for path, some in zip(files, (tokens[:1], tokens)):
            with open(path, "w", encoding="ascii") as out:
                out.write("\n".join(some) + "\n")

        def create(path):
            environment = {"TOKENS": path, "BODY": json.dumps({"title": servers.TITLE})}
            counts = load.run_wrk(server, "spread.lua", "/", USERS, options.pair_seconds, environment)
            if counts["refused"] or counts["broken"]:
                raise procs.Failed(f"creates: {counts}")
            return Round(counts)

        for path in files:
            create(path)
        options.progress(f"Creates of 1 user and of {USERS} users, {options.pairs} pairs")
        taken = pairs.alternate(options.pairs, *(lambda path=path: create(path) for path in files))
    finally:
        server.stop()
    rates = pairs.medians(taken, "rate")
    return [Check(f"Create a task, {USERS} connections, from 1 user and from {USERS}",
                  f"at least {CREATES_LEAST:,}/s where an fsync costs about 140 µs",
                  " and ".join(f"{rate:,.0f}/s" for rate in rates), min(rates) >= CREATES_LEAST)]
