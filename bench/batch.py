# SPDX-License-Identifier: MIT
"""Many at once: batches of creates, and the deletion of what a filter finds, with what other writers feel of it."""
import json
import multiprocessing
import os
import socket
import time

import client
import fill
import load
import procs
import servers
from check import Check, microseconds

OPERATIONS, CONNECTIONS, RATE_LEAST = 100, 8, 100_000
TASKS, DELETED, TIMES = 11_000, 1_000, 40
DELETE_MOST, OTHERS_MOST = 0.050, 0.060
PAUSE = 0.001  # of another writer, between two of its creates


def batch_of(**members):
    return {"operations": [{"op": "create", "task": {"title": servers.TITLE, **members}}] * OPERATIONS}


def creates(folder, binary, options):
    options.progress(f"Many at once: batches of {OPERATIONS} creates")
    server = servers.start_taskhold(os.path.join(folder, "batches"), binary, THREADS="1")
    try:
        token = servers.register(server, "ann")
        environment = {"METHOD": "POST", "TOKEN": token, "BODY": json.dumps(batch_of())}
        load.run_wrk(server, "static.lua", "/v1/tasks/batch", CONNECTIONS, 1, environment)
        counts = load.run_wrk(server, "static.lua", "/v1/tasks/batch", CONNECTIONS, options.seconds, environment)
    finally:
        server.stop()
    rate = counts["requests"] * OPERATIONS * 1e6 / counts["duration"]
    bad = counts["refused"] + counts["broken"]
    return Check(f"Create tasks by batches of {OPERATIONS}, {CONNECTIONS} connections", f"at least {RATE_LEAST:,} tasks/s, durable",
                 f"{rate:,.0f} tasks/s, {bad} refused", rate >= RATE_LEAST and not bad)


def write_until(port, token, stop, felt):
    """Another user creates one task after the other; gives the times."""
    request = client.request_bytes("POST", "/v1/tasks", token, {"title": servers.TITLE})
    times = []
    with socket.create_connection((client.HOST, port), timeout=30) as sock, sock.makefile("rb") as stream:
        while not stop.is_set():
            begin = time.monotonic()
            sock.sendall(request)
            if client.read_answer(stream).status != 201:
                raise procs.Failed("a create of another user was refused")
            times.append((begin, time.monotonic() - begin))
            time.sleep(PAUSE)
    felt.put(times)


def by_filter(folder, binary, options):
    options.progress(f"Many at once: DELETE of {DELETED:,} of {TASKS:,} tasks by a filter")
    server = servers.start_taskhold(os.path.join(folder, "filter"), binary, THREADS="1")
    stop, felt = multiprocessing.Event(), multiprocessing.Queue()
    try:
        token = servers.register(server, "dora")
        fill.create(server.port, token, TASKS - DELETED, options.fill_seconds)
        other = multiprocessing.Process(target=write_until, args=(server.port, servers.register(server, "ann"), stop, felt))
        other.start()
        calls = []
        for _ in range(TIMES):
            for _ in range(DELETED // OPERATIONS):
                server.call("POST", "/v1/tasks/batch", token, batch_of(status="completed"), expect=200)
            begin = time.monotonic()
            answer = server.call("DELETE", f"/v1/tasks?status=completed&max={DELETED}", token, expect=200).json()
            calls.append((begin, time.monotonic() - begin))
            if answer["changed"] != DELETED:
                raise procs.Failed(f"{answer['changed']} tasks were deleted")
        stop.set()
        times = felt.get(timeout=30)
        other.join(30)
    finally:
        stop.set()
        server.stop()
    median = sorted(took for _, took in calls)[TIMES // 2]
    # What another writer felt of the calls: each create that one of them overlapped.
    beside = sorted(took for begin, took in times if any(begin < at + long and begin + took > at for at, long in calls))
    p99 = beside[len(beside) * 99 // 100]
    return Check(f"`DELETE /v1/tasks?status=completed&max={DELETED}` of {TASKS:,} tasks",
                 f"at most {microseconds(DELETE_MOST * 1e6)}; writes of others p99 at most {microseconds(OTHERS_MOST * 1e6)}",
                 f"{microseconds(median * 1e6)}, median of {TIMES}; {len(beside)} writes of others meanwhile, p99 {microseconds(p99 * 1e6)}",
                 median <= DELETE_MOST and p99 <= OTHERS_MOST)


def section(folder, binary, options):
    return [creates(folder, binary, options), by_filter(folder, binary, options)]
