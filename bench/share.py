# SPDX-License-Identifier: MIT
"""What one client can take of a server, and what others feel of it. One function a row."""
import itertools
import multiprocessing
import os
import selectors
import socket
import threading
import time

import client
import fill
import procs
import servers
from check import MIB, Check, microseconds

PIPELINES, PIPELINE_SECONDS, PIPELINE_MOST = 8, 10, 0.020
READERS, BODIES, IDLE, LOGINS = 400, 1_500, 10_000, 1_000
PEAK_MOST, REST_MOST, REST_SECONDS = 128 * MIB, 32 * MIB, 10
PAGE_TASKS = 100
LISTERS, LIST_TASKS, LIST_SECONDS, LIST_MOST = 16, 100_000, 10, 0.005


def _ask_for_lists(port, token, until):
    """Asks on LISTERS connections for lists that no index serves, each a little other than the one before."""
    paths = (f"/v1/tasks?limit={limit}&{query}" for limit, query in itertools.cycle(itertools.product(
        range(1, 101), ("sort=title", "sort=-updated_at", "status=completed", "sort=-status&include=total"))))
    with selectors.DefaultSelector() as selector:
        for _ in range(LISTERS):
            sock = socket.create_connection((client.HOST, port), timeout=30)
            sock.sendall(client.request_bytes("GET", next(paths), token))
            selector.register(sock, selectors.EVENT_READ, sock.makefile("rb"))
        while time.monotonic() < until:
            for key, _ in selector.select(0.1):
                client.read_answer(key.data)
                key.fileobj.sendall(client.request_bytes("GET", next(paths), token))


def _timed(port, requests, until):
    """Asks one after the other; gives the sorted times and how many were not answered with 200."""
    times, other = [], 0
    with socket.create_connection((client.HOST, port), timeout=30) as sock, sock.makefile("rb") as stream:
        for request in itertools.cycle(requests):
            begin = time.monotonic()
            if begin >= until:
                return sorted(times), other
            sock.sendall(request)
            other += client.read_answer(stream).status != 200
            times.append(time.monotonic() - begin)


def lists(folder, binary, options):
    """Others beside a user with very many tasks who asks for lists that no index serves."""
    options.progress(f"Share: others beside lists of {LIST_TASKS:,} tasks on {LISTERS} connections")
    server = servers.start_taskhold(os.path.join(folder, "share-lists"), binary)
    try:
        servers.prepare(server)
        token = servers.register(server, "greedy")
        made = fill.create(server.port, token, LIST_TASKS, options.fill_seconds)
        requests = [client.request_bytes("GET", "/livez")] + [
            client.request_bytes("GET", path, server.reader)
            for path in ("/v1/tasks/" + server.read_ids[0], servers.LIST_PATH, "/v1/me")]
        quiet, _ = _timed(server.port, requests, time.monotonic() + LIST_SECONDS / 3)
        until = time.monotonic() + LIST_SECONDS
        greedy = multiprocessing.Process(target=_ask_for_lists, args=(server.port, token, until + 1))
        greedy.start()
        time.sleep(0.5)
        times, other = _timed(server.port, requests, until)
        greedy.join(60)
    finally:
        server.stop()
    high, alone = (taken[len(taken) * 99 // 100] for taken in (times, quiet))
    return Check(f"`/livez` and reads of others while a user with {made:,} tasks asks for lists that no index serves, "
                 f"on {LISTERS} connections",
                 f"p99 at most {microseconds(LIST_MOST * 1e6)}",
                 f"{microseconds(high * 1e6)} of {len(times):,}, {other} not 200; without those lists "
                 f"{microseconds(alone * 1e6)}",
                 high <= LIST_MOST and other == 0 and made >= LIST_TASKS and greedy.exitcode == 0)


def _flood(port, request, until):
    """Pipelines on PIPELINES connections as fast as it can, and drops the answers."""
    batch = request * 512
    at = {}
    with selectors.DefaultSelector() as selector:
        for _ in range(PIPELINES):
            sock = socket.create_connection((client.HOST, port))
            sock.setblocking(False)
            at[sock] = 0
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while time.monotonic() < until:
            for key, events in selector.select(0.1):
                sock = key.fileobj
                if events & selectors.EVENT_READ and not sock.recv(1 << 20):
                    raise OSError("the server has closed a pipeline")
                if events & selectors.EVENT_WRITE:
                    at[sock] = (at[sock] + sock.send(batch[at[sock]:])) % len(batch)


def pipelines(folder, binary, options):
    """Another client beside those who pipeline, one loop."""
    options.progress(f"Share: another client beside {PIPELINES} connections that pipeline, {PIPELINE_SECONDS} s")
    server = servers.start_taskhold(os.path.join(folder, "share-pipelines"), binary, RATE_LIMIT="off", THREADS="1")
    try:
        servers.prepare(server)
        request = client.request_bytes("GET", "/v1/tasks/" + server.read_ids[0], server.reader)
        until = time.monotonic() + PIPELINE_SECONDS
        flood = multiprocessing.Process(target=_flood, args=(server.port, request, until + 1))
        flood.start()
        time.sleep(0.5)
        times, other = _timed(server.port, [request], until)
        flood.join(60)
    finally:
        server.stop()
    high = times[len(times) * 99 // 100]
    return Check(f"Another client beside {PIPELINES} connections that pipeline as fast as they can, one loop",
                 f"p99 at most {microseconds(PIPELINE_MOST * 1e6)}, no 503",
                 f"{microseconds(high * 1e6)} of {len(times):,} reads, {other} not 200",
                 high <= PIPELINE_MOST and other == 0 and flood.exitcode == 0)


class _Peak:
    """The most that a process had resident, looked at every few milliseconds."""

    def __init__(self, pid):
        self.pid, self.most, self.going = pid, 0, True
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while self.going:
            self.most = max(self.most, procs.resident_bytes(self.pid))
            time.sleep(0.005)

    def take(self):
        most, self.most = self.most, 0
        return most

    def end(self):
        self.going = False
        self.thread.join()


def _open(port, request, small=False):
    """A connection that has sent `request` and reads nothing; None when the server has closed it meanwhile."""
    sock = socket.socket()
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((client.HOST, port))
    try:
        sock.sendall(request)
    except OSError:
        sock.close()
        return None
    return sock


def _hold(port, request, count, seconds, small=False):
    """Many such connections, held for a while."""
    held = [_open(port, request, small) for _ in range(count)]
    time.sleep(seconds)
    for sock in held:
        if sock:
            sock.close()


def _log_in(port, count):
    """Logins, eight at a time; 503 and 429 are answers too."""
    body = {"email": "ann@example.com", "password": servers.PASSWORD}
    left = iter(range(count))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            client.call(port, "POST", "/v1/auth/login", None, body)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def memory(folder, binary, options):
    """What is resident under floods, one after the other, and soon after the last."""
    server = servers.start_taskhold(os.path.join(folder, "share-memory"), binary, THREADS="2")
    peak = None
    peaks = []
    try:
        servers.prepare(server)
        token = servers.register(server, "floods")
        large = {"title": "x" * 200, "description": "y" * 8000}
        for _ in range(PAGE_TASKS):
            server.call("POST", "/v1/tasks", token, large, expect=201)
        page = client.request_bytes("GET", "/v1/tasks?limit=100", token)
        body = (f"POST /v1/tasks HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: 250000\r\n\r\n".encode()
                + b" " * 200_000)
        steps = {
            f"{READERS} slow readers": lambda: _hold(server.port, page, READERS, 3, small=True),
            f"{BODIES:,} unfinished bodies": lambda: _hold(server.port, body, BODIES, 3),
            f"{IDLE:,} idle connections": lambda: _hold(server.port, b"", IDLE, 3),
            f"{LOGINS:,} logins": lambda: _log_in(server.port, LOGINS),
        }
        peak = _Peak(server.pid)
        for name, step in steps.items():
            options.progress("Share: memory, " + name)
            step()
            peaks.append((name, peak.take()))
        until = time.monotonic() + REST_SECONDS
        rest = procs.resident_bytes(server.pid)
        while rest > REST_MOST and time.monotonic() < until:
            time.sleep(0.1)
            rest = procs.resident_bytes(server.pid)
    finally:
        if peak:
            peak.end()
        server.stop()
    most = max(bytes_ for _, bytes_ in peaks)
    text = ", ".join(f"{name} {bytes_ / MIB:.1f} MiB" for name, bytes_ in peaks)
    return Check(f"Resident memory under {', '.join(name for name, _ in peaks)}, one after the other",
                 f"at most {PEAK_MOST // MIB} MiB; {REST_MOST // MIB} MiB within {REST_SECONDS} s of the last",
                 f"{text}; then {rest / MIB:.1f} MiB", most <= PEAK_MOST and rest <= REST_MOST)


def section(folder, binary, options):
    return [lists(folder, binary, options), pipelines(folder, binary, options), memory(folder, binary, options)]
