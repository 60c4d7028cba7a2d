# SPDX-License-Identifier: MIT
"""Creates very many tasks through the API: some connections, each with a few requests on the way."""
import itertools
import selectors
import socket
import time

import client
import servers
from procs import Failed

CONNECTIONS = 64
DEPTH = 2
STATUS_LINE = b"HTTP/1.1 "


class _Feeder:
    """One connection: sends the next DEPTH requests, counts the answers, sends again."""

    def __init__(self, port, requests):
        self.requests = requests
        self.open = 0
        self.rest = b""
        self.sock = socket.create_connection((client.HOST, port), timeout=30)

    def send(self):
        self.sock.sendall(b"".join(itertools.islice(self.requests, DEPTH)))
        self.open = DEPTH

    def receive(self):
        """Reads what is there; gives how many were created and how many were told to come later."""
        data = self.sock.recv(65536)
        if not data:
            raise Failed("the server closed a connection while tasks were created")
        data = self.rest + data
        keep = len(STATUS_LINE) + 2  # a status line may be cut anywhere
        whole, self.rest = data[:-keep], data[-keep:]
        created = answered = 0
        at = data.find(STATUS_LINE)
        while 0 <= at < len(whole):
            answered += 1
            status = data[at + 9:at + 12]
            created += status == b"201"
            if status not in (b"201", b"503"):
                raise Failed("a create was answered with " + status.decode())
            at = data.find(STATUS_LINE, at + 1)
        self.open -= answered
        return created, answered - created


def create(port, token, count, seconds, bodies=({"title": servers.TITLE},)):
    """Creates at least count tasks in at most so many seconds, with a list of tokens and of bodies in turn; gives how many
    there are."""
    tokens = [token] if isinstance(token, str) else token
    requests = itertools.cycle([client.request_bytes("POST", "/v1/tasks", each, body) for each in tokens for body in bodies])
    feeders = [_Feeder(port, requests) for _ in range(CONNECTIONS)]
    end = time.monotonic() + seconds
    made = 0
    with selectors.DefaultSelector() as selector:
        for feeder in feeders:
            selector.register(feeder.sock, selectors.EVENT_READ, feeder)
            feeder.send()
        while made < count and time.monotonic() < end:
            for key, _ in selector.select(1):
                created, refused = key.data.receive()
                made += created
                if refused:
                    time.sleep(0.001)
                if key.data.open == 0:
                    key.data.send()
    for feeder in feeders:
        feeder.sock.close()
    return made
