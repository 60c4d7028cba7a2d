# SPDX-License-Identifier: MIT
"""Very many clients that log in at the same moment, each until it is in, as clients do: told to wait, they wait."""
import heapq
import selectors
import socket
import threading
import time

import client
from procs import Failed

CLIENTS = 1_000
LONGEST_WAIT = 2.0


class Logins:
    """with Logins(port, email, password) as storm: …   The body runs while the storm does; then see done, refused."""

    def __init__(self, port, email, password):
        self.done = self.refused = 0
        self._port = port
        self._request = client.request_bytes(
            "POST", "/v1/auth/login", body={"email": email, "password": password})
        self._selector = selectors.DefaultSelector()
        self._later = []
        self._error = None
        self._all_sent, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        self._all_sent.wait(30)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(30)
        if self._error and _[0] is None:
            raise Failed(f"a login of the storm: {self._error}")

    def _run(self):
        try:
            for sock in [self._connect() for _ in range(CLIENTS)]:
                sock.sendall(self._request)
            self._all_sent.set()
            while not self._stop.is_set():
                for key, _ in self._selector.select(0.05):
                    self._answered(key.fileobj)
                self._retry()
        except (OSError, ValueError) as error:
            self._error = error
        finally:
            self._all_sent.set()
            for key in list(self._selector.get_map().values()):
                key.fileobj.close()
            self._selector.close()

    def _connect(self):
        sock = socket.create_connection((client.HOST, self._port), timeout=30)
        self._selector.register(sock, selectors.EVENT_READ)
        return sock

    def _answered(self, sock):
        """A client that has its answer leaves; one that was refused comes again on a new connection."""
        data = sock.recv(65536)
        self._selector.unregister(sock)
        sock.close()
        status = data[9:12]
        if status == b"200":
            self.done += 1
            return
        if status != b"503":
            raise ValueError("answered with " + repr(status.decode(errors="replace")))
        self.refused += 1
        heapq.heappush(self._later, time.monotonic() + retry_after(data))

    def _retry(self):
        while self._later and self._later[0] <= time.monotonic():
            heapq.heappop(self._later)
            self._connect().sendall(self._request)


def retry_after(data):
    """Seconds the answer asks to wait, within reason."""
    for line in data.lower().split(b"\r\n"):
        if line.startswith(b"retry-after:"):
            return min(float(line.split(b":")[1]), LONGEST_WAIT)
    return 1.0
