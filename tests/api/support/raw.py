# SPDX-License-Identifier: MIT
"""Requests byte for byte, for what an HTTP library would not send."""
import http.client
import io
import socket

from .client import Answer


class RawConnection:
    """One TCP connection. Use it in a `with`."""

    def __init__(self, server, timeout=20):
        self.socket = socket.create_connection((server.host, server.port), timeout)
        self.file = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes both directions."""
        self.file.close()
        self.socket.close()

    def send(self, data):
        """Sends bytes as they are. A peer that has closed is no failure: the answer is what counts."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read(self, method="GET"):
        """The next answer, 100 (Continue) too; None when the peer closed without one."""
        line = self.file.readline(65537)
        if not line:
            return None
        status = int(line.split(b" ", 2)[1])
        headers = http.client.parse_headers(self.file)
        length = int(headers.get("Content-Length") or 0)
        silent = status < 200 or status in (204, 304) or method == "HEAD"
        coded = headers.get("Transfer-Encoding") == "chunked"
        body = b"" if silent else self._chunks() if coded else self.file.read(length)
        return Answer(status, headers, body, line.decode("latin-1"))

    def _chunks(self):
        """The chunks of a body, up to the last one."""
        body = b""
        while size := int(self.file.readline(100), 16):
            body += self.file.read(size)
            assert self.file.readline(3) == b"\r\n"
        assert self.file.readline(3) == b"\r\n"
        return body

    def closed(self):
        """Whether the peer closes now and sends nothing more."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


def exchange(server, data, method="GET"):
    """Sends `data` on a fresh connection and answers the first answer."""
    with RawConnection(server) as connection:
        connection.send(data)
        return connection.read(method)


def parse(data):
    """An answer that stands in bytes already read."""
    file = io.BytesIO(data)
    status = int(file.readline().split(b" ", 2)[1])
    headers = http.client.parse_headers(file)
    return Answer(status, headers, file.read())
