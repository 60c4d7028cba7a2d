# SPDX-License-Identifier: MIT
"""Writes at a fixed rate, however fast the answers are: each is timed from the moment it was due."""
import collections
import selectors
import socket
import statistics
import time
from dataclasses import dataclass

import client
import servers
from procs import Failed

CONNECTIONS = 64
ANSWER_BYTES = 65536
LONGEST_WAIT = 30.0


@dataclass(frozen=True)
class Result:
    """Answers a second, from the first request to the last answer; times in microseconds."""
    rate: float
    p50: float
    p99: float


class Writer:
    """Creates tasks of a user who gets no others and loses none: revision N is the user's task number N."""

    def __init__(self, server, token):
        self.acknowledged = 0  # the highest revision in an answer: all up to it are on the disk
        self._port = server.port
        self._request = client.request_bytes("POST", "/v1/tasks", token, {"title": servers.TITLE})

    def run(self, rate, seconds):
        """Creates rate tasks a second; gives the Result."""
        free = collections.deque(self._connect() for _ in range(CONNECTIONS))
        sockets = list(free)
        # Not epoll: Python rounds its timeouts up to milliseconds.
        with selectors.SelectSelector() as selector:
            for sock in sockets:
                selector.register(sock, selectors.EVENT_READ)
            try:
                return self._pace(selector, free, rate, int(rate * seconds))
            except OSError as error:
                raise Failed(f"tasks at a fixed rate: {error}") from error
            finally:
                for sock in sockets:
                    sock.close()

    def _connect(self):
        sock = socket.create_connection((client.HOST, self._port), timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _pace(self, selector, free, rate, count):
        """A request that is due and finds no connection waits here, and its time runs."""
        begin = time.perf_counter()
        due_of, times = {}, []
        sent = 0
        while len(times) < count:
            while free and sent < count and begin + sent / rate <= time.perf_counter():
                due_of[free[0]] = begin + sent / rate
                free.popleft().sendall(self._request)
                sent += 1
            may_send = free and sent < count
            wait = begin + sent / rate - time.perf_counter() if may_send else LONGEST_WAIT
            ready = selector.select(max(0, wait))
            if not ready and not may_send:
                raise Failed(f"no answer for {LONGEST_WAIT:.0f} s")
            for key, _ in ready:
                self._receive(key.fileobj)
                times.append((time.perf_counter() - due_of.pop(key.fileobj)) * 1e6)
                free.append(key.fileobj)
        cuts = statistics.quantiles(times, n=100)
        return Result(rate=count / (time.perf_counter() - begin), p50=cuts[49], p99=cuts[98])

    def _receive(self, sock):
        """A whole answer; the revision is the last member of a task."""
        data = sock.recv(ANSWER_BYTES)
        if not data.startswith(b"HTTP/1.1 201") or not data.endswith(b"}"):
            raise Failed(f"an answer to a create: {data[:200]!r}")
        self.acknowledged = max(self.acknowledged, int(data[data.rindex(b":") + 1:-1]))
