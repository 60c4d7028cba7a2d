# SPDX-License-Identifier: MIT
"""What is measured of Taskhold alone, by name. A section gives what it finds (check.py); the longer ones have a file each."""
import os
import resource
import select
import statistics
import time
from dataclasses import dataclass

import alone
import attackers
import backup
import batch
import before
import client
import fill
import large
import load
import logs
import long
import other_node
import overload
import postgres
import procs
import queries
import sandbox
import servers
import share
import storm
import streams
from check import KIB, MIB, Check, Cost

IDLE_CONNECTIONS = 10_000
STARTS = 5
HASH_BYTES = 19 * MIB


def raise_file_limit():
    """As many open files as may be, for this process and the servers it starts. Gives the number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def open_idle(port, count):
    """Connections that have had one answer each and are kept open."""
    request = client.request_bytes("GET", "/livez")
    sockets = []
    for _ in range(count):
        sock = client.socket.create_connection((client.HOST, port), timeout=10)
        sockets.append(sock)
        sock.sendall(request)
        if not sock.recv(4096).startswith(b"HTTP/1.1 200"):
            raise procs.Failed(f"connection {len(sockets)} of {count} was not answered with 200")
    return sockets


def count_closed(sockets):
    """How many of the idle connections the server has closed: those that have something to read."""
    poll = select.poll()
    for sock in sockets:
        poll.register(sock, select.POLLIN)
    return len(poll.poll(0))


def memory(folder, binary, options):
    options.progress("Memory: after start, and with idle connections")
    count = min(IDLE_CONNECTIONS, raise_file_limit() - 200)
    # As a proxy on this machine holds them: one client alone has at most half of the connections.
    server = servers.start_taskhold(os.path.join(folder, "memory"), binary, TRUSTED_PROXIES=client.HOST + "/32")
    sockets = []
    try:
        empty = procs.resident_bytes(server.pid)
        sockets = open_idle(server.port, count)
        closed = count_closed(sockets)
        each = (procs.resident_bytes(server.pid) - empty) / count
    finally:
        for sock in sockets:
            sock.close()
        server.stop()
    return [
        Check("Memory after start", "at most 16 MiB", f"{empty / MIB:.1f} MiB", empty <= 16 * MIB),
        Check(f"Memory of an idle connection, {count:,} held open", "at most 8 KiB, none closed",
              f"{each / KIB:.2f} KiB, {closed} closed", each <= 8 * KIB and closed == 0),
    ]


def time_of_start(server, binary, path, token):
    """Milliseconds from the start of the process to its first answer, the median of some starts."""
    times = []
    for _ in range(STARTS):
        begin = time.perf_counter()
        servers.launch_taskhold(server, binary)
        answer = client.wait_ready(server.port, server.process, path, token)
        times.append((time.perf_counter() - begin) * 1000)
        server.stop()
        if answer.status != 200:
            raise procs.Failed(f"the first answer after a start was {answer.status}")
    return statistics.median(times)


def start(folder, binary, options):
    options.progress("Start: to the first answer, empty")
    server = servers.Server("start", folder)
    empty = time_of_start(server, binary, "/readyz", None)
    options.progress(f"Start: to the first answer, with {options.many_tasks:,} tasks")
    servers.launch_taskhold(server, binary)
    client.wait_ready(server.port, server.process)
    token = servers.register(server, "ann")
    made = fill.create(server.port, token, options.many_tasks, options.fill_seconds)
    server.stop(seconds=60)
    task_bytes = os.path.getsize(server.file("taskhold.db")) / made
    full = time_of_start(server, binary, servers.LIST_PATH, token)
    enough = made >= options.many_tasks
    return [
        Check("Start to first answer, empty", "at most 50 ms", f"{empty:.1f} ms", empty <= 50),
        Check(f"Start to first answer, {made:,} tasks", "at most 50 ms", f"{full:.1f} ms", full <= 50 and enough),
        Cost("sqlite_task_bytes", task_bytes),
    ]


def hashers(pid):
    """The size of the pool that hashes passwords."""
    named = sum("hash" in name for name in procs.thread_names(pid))
    return named or max(1, (os.cpu_count() or 1) // 2)


@dataclass(frozen=True)
class Storm:
    before: float
    during: float
    peak: float
    limit: float
    done: int
    refused: int


def storm_round(folder, binary, seconds):
    """The rate of reads before and during the storm, on a fresh server."""
    case = load.CASES[0]
    server = servers.start_taskhold(folder, binary)
    try:
        limit = procs.resident_bytes(server.pid) + hashers(server.pid) * HASH_BYTES + 16 * MIB
        servers.prepare(server)
        quiet = load.wrk(case, server, seconds)
        with storm.Logins(server.port, "cleo@example.com", servers.PASSWORD) as logins:
            busy = load.wrk(case, server, seconds, strict=False)
        return Storm(before=quiet["requests"] / quiet["duration"] * 1e6,
                     during=(busy["requests"] - busy["refused"]) / busy["duration"] * 1e6,
                     peak=procs.peak_bytes(server.pid), limit=limit,
                     done=logins.done, refused=logins.refused)
    finally:
        server.stop()


def logins(folder, binary, options):
    rounds = []
    for number in range(1, options.rounds + 1):
        options.progress(f"1,000 logins at once: round {number} of {options.rounds}")
        rounds.append(storm_round(os.path.join(folder, f"storm-{number}"), binary, options.seconds))
    share = statistics.median(each.during / each.before for each in rounds)
    before = statistics.median(each.before for each in rounds)
    during = statistics.median(each.during for each in rounds)
    worst = max(rounds, key=lambda each: each.peak - each.limit)
    served = ", ".join(f"{each.done} + {each.refused}" for each in rounds)
    return [
        Check("Reads by others during 1,000 logins at once", "at least 0.5 of their rate before",
              f"{share:.2f} ({during:,.0f}/s of {before:,.0f}/s; logged in + told to wait: {served})", share >= 0.5),
        Check("Peak memory during 1,000 logins at once",
              f"at most {worst.limit / MIB:.0f} MiB (start + pool x 19 + 16)",
              f"{worst.peak / MIB:.1f} MiB", worst.peak <= worst.limit),
    ]


ALL = {"memory": memory, "start": start, "logins": logins, "backup": backup.section, "logs": logs.section,
       "long": long.section, "postgres": postgres.section, "share": share.section, "alone": alone.section,
       "queries": queries.section, "streams": streams.streams, "other-node": other_node.section, "batch": batch.section,
       "creates": alone.crowd, "total": large.lists, "size": large.size, "overload": overload.section,
       "attackers": attackers.section, "before": before.section,
       "sandbox": sandbox.section}
