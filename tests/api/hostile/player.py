# SPDX-License-Identifier: MIT
"""Plays generated cases against a server, many connections at a time, and reads what comes back."""
import json
import select
import socket
import time

from support import contract

OPEN_MOST = 48
SECONDS_MOST = 20  # for one connection, on a machine that has other work too


def statuses(data):
    """The statuses of all answers in `data`, those of 100 left out; refusals must be whole problems. Asks only calls whose
    answers have a length; one to HEAD has no body, and the next answer begins where it would stand."""
    found, at = [], 0
    while at < len(data):
        end = data.find(b"\r\n\r\n", at)
        assert end >= 0 and data.startswith(b"HTTP/1.1 ", at), f"no answer: {data[at:at + 200]!r}"
        head = data[at:end].decode("latin-1").lower()
        status, at = int(head[9:12]), end + 4
        if status == 100:
            continue
        length = int(head.partition("\r\ncontent-length: ")[2].partition("\r")[0] or 0)
        if at == len(data) or data.startswith(b"HTTP/1.1 ", at):
            length = 0
        assert at + length <= len(data), f"an answer cut short: {data[-200:]!r}"
        if status >= 400 and length:
            whole(status, data[at:at + length])
        at += length
        found.append(status)
    return found


def whole(status, body):
    """Is it one of our problems?"""
    problem = json.loads(body)
    assert problem["status"] == status and contract.ROWS[problem["code"]][0] == status, body


class Connection:
    """One case under way."""

    def __init__(self, address, case):
        self.case = case
        data, cuts = case
        self.pieces = [data[a:b] for a, b in zip((0, *cuts), (*cuts, len(data)))]
        self.got, self.began = b"", time.monotonic()
        self.socket = socket.create_connection(address, SECONDS_MOST)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.send()

    def send(self):
        """All of it: a case is far smaller than what the kernel takes."""
        try:
            for piece in self.pieces:
                self.socket.sendall(piece)
            self.socket.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, OSError):
            pass  # the answer is what counts

    def read(self):
        """False when it is over."""
        piece = self.socket.recv(1 << 16)
        self.got += piece
        return piece != b""


def exchange(address, cases):
    """Plays all cases; yields (case, bytes that came back), in any order."""
    poll, under_way, cases = select.poll(), {}, iter(cases)
    more = True
    while more or under_way:
        while more and len(under_way) < OPEN_MOST:
            case = next(cases, None)
            if case is None:
                more = False
                break
            one = Connection(address, case)
            under_way[one.socket.fileno()] = one
            poll.register(one.socket, select.POLLIN)
        ready = poll.poll(1000)
        for number, _ in ready:
            one = under_way[number]
            if not one.read():
                poll.unregister(number)
                one.socket.close()
                del under_way[number]
                yield one.case, one.got
        late = [one for one in under_way.values() if time.monotonic() - one.began > SECONDS_MOST] if not ready else []
        assert not late, f"no end of the connection: {late[0].case} after {late[0].got[:300]!r}"


class Pipeline:
    """One connection on which many requests go at once, each with its answer in order."""

    def __init__(self, address):
        self.socket = socket.create_connection(address, SECONDS_MOST)
        self.file = self.socket.makefile("rb")

    def close(self):
        """Ends it."""
        self.file.close()
        self.socket.close()

    def ask(self, requests):
        """[(status, body)] of as many answers."""
        self.socket.sendall(b"".join(requests))
        return [self.answer() for _ in requests]

    def answer(self):
        """The next one."""
        line = self.file.readline(200)
        assert line.startswith(b"HTTP/1.1 "), line
        length = 0
        while (field := self.file.readline(20000)) != b"\r\n":
            name, _, value = field.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return int(line[9:12]), self.file.read(length)
