# SPDX-License-Identifier: MIT
"""A server that does all wrong in one way, so that the judge of the catalogue can be judged."""
import contextlib
import re
import socket
import threading

REASONS = {200: "OK"}
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.I)


class LaxServer:
    """`answers(data)` says what to send for the bytes of a connection, and whether to go on."""

    def __init__(self, answers):
        self.answers = answers
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self.socket.getsockname()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        """One connection after the other, until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    connection.settimeout(5)
                    with contextlib.suppress(OSError):
                        self.serve(connection)

    def serve(self, connection):
        """Reads until the probe is there or the client ends, and answers."""
        data = b""
        while b"the-probe\r\n\r\n" not in data and (piece := connection.recv(1 << 20)):
            data += piece
        connection.sendall(self.answers(data))

    def close(self):
        """Ends it."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)


def answer(status, code=None, probe=False, ends=False, body=b""):
    """One answer as bytes."""
    if code and not body:
        body = b'{"code":"%s"}' % code.encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
    head += "X-Request-Id: the-probe\r\n" if probe else ""
    head += "Connection: close\r\n" if ends else ""
    return head.encode() + b"\r\n" + (b"" if status == 204 else body)
