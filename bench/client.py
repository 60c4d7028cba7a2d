# SPDX-License-Identifier: MIT
"""A small HTTP/1.1 client that keeps the bytes of an answer as they came."""
import json
import socket
import time

from procs import Failed

HOST = "127.0.0.1"


class Answer:
    def __init__(self, head, body):
        self.raw = head + body
        self.status = int(head[9:12])
        self.body = body

    def json(self):
        return json.loads(self.body)


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def request_bytes(method, path, token=None, body=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: " + HOST]
    content = b""
    if token:
        lines.append("Authorization: Bearer " + token)
    if body is not None:
        content = json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def read_answer(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        head += line
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return Answer(head, stream.read(length))


def call(port, method, path, token=None, body=None, expect=None):
    """One request on a connection of its own."""
    with socket.create_connection((HOST, port), timeout=30) as sock:
        sock.sendall(request_bytes(method, path, token, body))
        with sock.makefile("rb") as stream:
            answer = read_answer(stream)
    if expect and answer.status != expect:
        raise Failed(f"{method} {path}: {answer.status} where {expect} was expected: {answer.body[:300]!r}")
    return answer


def wait_ready(port, process, path="/", token=None, seconds=30):
    """Asks until any answer comes; gives that answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(f"the server ended at its start with status {process.returncode}")
        try:
            return call(port, "GET", path, token)
        except OSError:
            time.sleep(0.0005)
    raise Failed(f"no answer on port {port} after {seconds} s")
