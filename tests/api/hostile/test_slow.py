# SPDX-License-Identifier: MIT
"""Clients that are slow, all at once, by line: races/slow.yaml. Each ends in time, and nobody else notices."""
import pathlib
import re
import socket
import threading
import time

import player
import pytest
import yaml
from world import Held

from support.accounts import User
from support.client import Client
from support.events import Stream
from support.waiting import wait_at_most, wait_until

LINES = yaml.safe_load((pathlib.Path(__file__).parent / "races" / "slow.yaml").read_text(encoding="utf-8"))
REPEATED = re.compile(r"<([^<>*]+)\*(\d+)>")
LATE = 15  # seconds more on a machine that has other work
SECONDS_MOST = 60
ESTABLISHED = 1
PULSE = 15  # seconds after which a stream that says nothing says that it is there
SILENT = 30  # seconds after which the kernel gives up what nobody takes


def queued(port):
    """The bytes that the kernel has for clients of this port, whether the server still knows the sockets or not."""
    lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(int(line[4].split(":")[0], 16) for line in lines if line[1].endswith(f":{port:04X}"))


class Slow(threading.Thread):
    """One client."""

    def __init__(self, server, line, token):
        super().__init__(daemon=True)
        self.server, self.line, self.token = server, line, token
        self.got, self.seconds, self.wrong = b"", None, None

    def bytes_of(self, name):
        """What a line says to send."""
        return REPEATED.sub(lambda m: m[1] * int(m[2]), self.line.get(name, "").replace("<ann>", self.token)).encode()

    def run(self):
        """Sends, byte for byte, until the server ends the connection."""
        began = time.monotonic()
        try:
            with socket.create_connection((self.server.host, self.server.port), 10) as connection:
                self.talk(connection, began)
        except (ConnectionResetError, BrokenPipeError):
            if self.line["back"] != "any":
                self.wrong = "reset"
        except TimeoutError:
            self.wrong = "not ended"
        self.seconds = time.monotonic() - began

    def talk(self, connection, began):
        """The bytes of both directions."""
        connection.sendall(self.bytes_of("sends"))
        rest, every = self.bytes_of("then"), self.line.get("every", SECONDS_MOST)
        if not self.line.get("reads", True):
            if not wait_at_most(SECONDS_MOST, lambda: not self.still_there(connection), 0.2):
                raise TimeoutError
            return
        while time.monotonic() - began < SECONDS_MOST:
            connection.settimeout(every if rest else SECONDS_MOST)
            try:
                piece = connection.recv(65536)
                if not piece:
                    return
                self.got += piece
            except TimeoutError:
                connection.sendall(rest[:1])
                rest = rest[1:]
        raise TimeoutError

    @staticmethod
    def still_there(connection):
        """Does the kernel still hold the connection open? Read by its state, so that no byte is taken."""
        return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0] == ESTABLISHED

    def judge(self):
        """What is wrong, or None."""
        least, most = self.line["within"]
        back = self.line["back"]
        wished = [] if back == "none" else back if isinstance(back, list) else [back]
        if self.wrong:
            return self.wrong
        if not least - 0.5 <= self.seconds <= most + LATE:
            return f"ended after {self.seconds:.1f} s in place of {least} to {most}"
        if back == "any":
            return None
        found = player.statuses(self.got)
        wished = [one for one in wished if one != 100]
        return None if found == wished else f"{found} in place of {wished}"


def takers_of_nothing(server, user):
    """Clients that ask and never read: of some the server waits for room, of others the kernel has all of the answer."""
    for _ in range(6):
        user.task("Long", description="x" * 16384)
    large = b"GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n" * 10
    fits = "GET /v1/tasks HTTP/1.1\r\nHost: t\r\nConnection: close\r\nAuthorization: Bearer " + user.token["access_token"] + "\r\n\r\n"
    clients = []
    for data in large, fits.encode():
        for _ in range(10):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((server.host, server.port))
            client.sendall(data)
            clients.append(client)
    wait_until(lambda: queued(server.port) > 1 << 20, 20, "the answers are on their way")
    print(f"{len(clients)} clients take nothing of {queued(server.port):,} bytes")
    return clients


def test_slow_clients(start_server):
    """Nor does the kernel keep what nobody takes when the server has closed its end: nobody would count it there."""
    server = start_server()
    user = User(server)
    task = user.task("There all along")
    held = Held(server)
    takers = takers_of_nothing(server, user)
    slow = [Slow(server, line, user.token["access_token"]) for line in LINES for _ in range(3)]
    for one in slow:
        one.start()
    client, times = Client(server, user.token["access_token"]), []
    while any(one.is_alive() for one in slow):
        began = time.monotonic()
        client.get(f"/v1/tasks/{task['id']}").expect(200)
        times.append(time.monotonic() - began)
        slow[0].join(0.05)
    wrong = [f"{one.line['is']}: {one.judge()}" for one in slow if one.judge()]
    assert not wrong, "\n".join(wrong)
    times.sort()
    print(f"{len(slow)} slow clients; another one's median {times[len(times) // 2] * 1000:.1f} ms, longest {times[-1] * 1000:.0f} ms")
    assert times[len(times) // 2] < 0.1, times[len(times) // 2]
    wait_until(lambda: queued(server.port) == 0, SILENT + 2 * LATE, "the kernel forgets the answers")
    held.same(more=2, sanitized=True)
    for one in takers:
        one.close()
    assert held.last <= held.before[2] + (16 << 20), "memory is held for who is gone"


def test_a_stream_without_news_has_a_pulse(server):
    """So that no proxy in between takes it for dead. Two of them: the first one does not end it."""
    user = User(server)
    stream = Stream(server, user.token["access_token"])
    stream.expect("ready")
    for _ in range(2):
        began = time.monotonic()
        assert stream.block(PULSE + LATE).name == ":"
        assert PULSE - 0.5 < time.monotonic() - began
    task = user.task("News")
    assert [change["id"] for change in stream.changes()] == [task["id"]]
    stream.close()


@pytest.mark.parametrize("line", [{"is": "x", "sends": "GET /livez HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", "back": 408, "within": [4, 9]},
                                  {"is": "x", "sends": "G", "back": 200, "within": [0, 50]}])
def test_the_judge_finds_it(server, line):
    one = Slow(server, line, "")
    one.run()
    assert one.judge()
