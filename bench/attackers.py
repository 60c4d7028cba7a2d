# SPDX-License-Identifier: MIT
"""One client that takes all it can get, of each kind and all kinds at once, and what another client feels of it."""
import itertools
import multiprocessing
import os
import selectors
import socket
import time

import batch
import client
import procs
import servers
from check import MIB, Check, microseconds

TIMES_MOST, PEAK_MOST = 5, 128 * MIB
PAGE_TASKS = 100


class Target:
    """What an attacker has: a port, the token of an account of its own, and addresses that nobody else has."""

    def __init__(self, port, token):
        self.port, self.token = port, token
        self._addresses = itertools.cycle(f"127.0.2.{number}" for number in range(1, 9))

    def connect(self, small=False):
        sock = socket.socket()
        if small:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind((next(self._addresses), 0))
        sock.settimeout(10)
        sock.connect((client.HOST, self.port))
        return sock

    def request(self, method, path, body=None):
        return client.request_bytes(method, path, self.token, body)


def _ask(target, requests, connections, until):
    """A closed loop on some connections: the next request as soon as there is an answer."""
    with selectors.DefaultSelector() as selector:
        def begin():
            sock = target.connect()
            sock.sendall(next(requests))
            selector.register(sock, selectors.EVENT_READ, sock.makefile("rb"))

        for _ in range(connections):
            begin()
        while time.monotonic() < until:
            for key, _ in selector.select(0.1):
                try:
                    client.read_answer(key.data)
                    key.fileobj.sendall(next(requests))
                except OSError:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
                    begin()


def pipelining(target, until):
    """Sends as fast as it can and drops the answers."""
    batch = target.request("GET", "/v1/tasks?limit=20") * 256
    sockets = {target.connect(): 0 for _ in range(16)}
    with selectors.DefaultSelector() as selector:
        for sock in sockets:
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while time.monotonic() < until:
            for key, events in selector.select(0.1):
                sock = key.fileobj
                if events & selectors.EVENT_READ:
                    sock.recv(1 << 20)
                if events & selectors.EVENT_WRITE:
                    sockets[sock] = (sockets[sock] + sock.send(batch[sockets[sock]:])) % len(batch)


def slow_reading(target, until):
    """Large pages that are taken a byte at a time."""
    page, held = target.request("GET", "/v1/tasks?limit=100"), []
    while time.monotonic() < until:
        try:
            if len(held) < 2_000:
                held.append(target.connect(small=True))
                held[-1].sendall(page)
                continue
            held[0].recv(1)
            held.append(held.pop(0))
        except OSError:
            held.pop().close()


def storms(target, until):
    """Connections that ask once, or nothing, and are closed."""
    for number in itertools.count():
        if time.monotonic() >= until:
            return
        try:
            with target.connect() as sock:
                if number % 2:
                    sock.sendall(client.request_bytes("GET", "/v1/me"))
                    sock.recv(4096)
        except OSError:
            pass


def large_pages(target, until):
    paths = (f"/v1/tasks?limit={limit}" for limit in itertools.cycle(range(60, 101)))
    _ask(target, (target.request("GET", path) for path in paths), 32, until)


def wrong_passwords(target, until):
    bodies = ({"email": f"user{number}@example.com", "password": f"not the right one {number}"} for number in itertools.count())
    _ask(target, (client.request_bytes("POST", "/v1/auth/login", body=body) for body in bodies), 64, until)


def streams(target, until):
    """Streams of changes, opened and left by the hundred, beside changes that go to all of them."""
    held = []
    while time.monotonic() < until:
        try:
            held.append(target.connect())
            held[-1].sendall(target.request("GET", "/v1/events"))
            if len(held) > 500:
                held.pop(0).close()
            if len(held) % 10 == 0:
                client.call(target.port, "POST", "/v1/tasks", target.token, {"title": "again"})
        except OSError:
            held.pop().close()


def batches(target, until):
    body = batch.batch_of()
    _ask(target, itertools.repeat(target.request("POST", "/v1/tasks/batch", body)), 32, until)


KINDS = (pipelining, slow_reading, storms, large_pages, wrong_passwords, streams, batches)


def _attack(kind, port, token, until):
    # The one who is timed has the client's core at once: it is the server that is measured.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        kind(Target(port, token), until)
    except ConnectionError:
        pass  # the server has had enough of it


def _timed(server, until):
    """One client that reads, lists and writes; gives the sorted times of each, and how many answers were not 2xx."""
    requests = {
        "read": client.request_bytes("GET", "/v1/tasks/" + server.read_ids[0], server.reader),
        "list": client.request_bytes("GET", servers.LIST_PATH, server.reader),
        "create": client.request_bytes("POST", "/v1/tasks", server.writer, {"title": servers.TITLE}),
    }
    times, other = {name: [] for name in requests}, 0
    with socket.create_connection((client.HOST, server.port), timeout=30) as sock, sock.makefile("rb") as stream:
        while time.monotonic() < until:
            for name, request in requests.items():
                begin = time.perf_counter()
                sock.sendall(request)
                other += client.read_answer(stream).status // 100 != 2
                times[name].append((time.perf_counter() - begin) * 1e6)
    return {name: sorted(taken) for name, taken in times.items()}, other


def _p99(taken):
    return taken[len(taken) * 99 // 100]


def _beside(server, kinds, seconds, options):
    """A Check: what the client felt of these attackers, beside what it felt alone just before."""
    name = "all of them at once" if len(kinds) > 1 else kinds[0].__name__.replace("_", " ")
    options.progress(f"Attackers: {name}")
    alone, _ = _timed(server, time.monotonic() + seconds)
    until = time.monotonic() + seconds + 1
    running = [multiprocessing.Process(target=_attack, args=(kind, server.port, server.greedy, until + 1)) for kind in kinds]
    for one in running:
        one.start()
    time.sleep(1)
    taken, other = _timed(server, until)
    for one in running:
        one.join(30)
    failed = [one.exitcode for one in running if one.exitcode]
    peak = procs.peak_bytes(server.pid)
    times = {each: _p99(taken[each]) / _p99(alone[each]) for each in taken}
    told = ", ".join(f"{each} {microseconds(_p99(taken[each]))} ({times[each]:.1f} times {microseconds(_p99(alone[each]))})"
                     for each in taken)
    return Check(f"Another client beside: {name}",
                 f"p99 at most {TIMES_MOST} times its own alone, no 503, at most {PEAK_MOST // MIB} MiB",
                 f"{told}; {other} of {sum(map(len, taken.values())):,} not 2xx; {peak / MIB:.0f} MiB"
                 + (f"; {len(failed)} attackers failed" if failed else ""),
                 max(times.values()) <= TIMES_MOST and other == 0 and peak <= PEAK_MOST and not failed)


def section(folder, binary, options):
    checks = []
    for kinds in [(kind,) for kind in KINDS] + [KINDS]:
        name = kinds[0].__name__ if len(kinds) == 1 else "all"
        server = servers.start_taskhold(os.path.join(folder, "attackers-" + name), binary)
        try:
            servers.prepare(server)
            server.greedy = servers.register(server, "greedy")
            large = {"title": "x" * 200, "description": "y" * 2_000}
            for _ in range(PAGE_TASKS):
                server.call("POST", "/v1/tasks", server.greedy, large, expect=201)
            checks.append(_beside(server, kinds, options.seconds, options))
        finally:
            server.stop()
    return checks
