# SPDX-License-Identifier: MIT
"""A client of the live stream, which sees every line of it."""
import http.client
import json
import socket
import time


class Event:
    """One event, or a comment (`name` is `:`), or a wish to come back later (`name` is `retry`)."""

    def __init__(self, name, id, data):
        self.name, self.id, self.data = name, id, data

    @property
    def json(self):
        """What the data says."""
        return json.loads(self.data)

    def __repr__(self):
        return f"<{self.name} {self.id} {self.data}>"


class Stream:
    """Opens at once; checks that the answer is 200 and a stream."""

    def __init__(self, server, token, cursor=None, last_event_id=None, headers=None, receive_buffer=None, path="/v1/events"):
        self.token = token
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        if receive_buffer:
            self.connection.sock = socket.socket()
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            self.connection.sock.settimeout(20)
            self.connection.sock.connect((server.host, server.port))
        sent = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream", **(headers or {})}
        if last_event_id is not None:
            sent["Last-Event-ID"] = last_event_id
        self.connection.request("GET", path + (f"?cursor={cursor}" if cursor is not None else ""), headers=sent)
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.last_id = last_event_id or cursor
        assert self.response.status == 200, self.response.read()
        assert self.response.headers["Content-Type"] == "text/event-stream"

    def block(self, seconds=10):
        """The next lines up to an empty one, as an Event; None: the stream has ended well."""
        lines = []
        self.socket.settimeout(seconds)
        while True:
            line = self.response.readline()
            if not line:
                assert not lines, f"ended within an event: {lines}"
                return None
            assert line.endswith(b"\n"), line
            line = line[:-1].decode()
            if not line:
                break
            lines.append(line)
        if lines == [":"]:
            return Event(":", None, None)
        fields = dict(line.split(": ", 1) for line in lines)
        assert len(fields) == len(lines), f"a field twice: {lines}"
        if "retry" in fields:
            assert len(fields) == 1
            return Event("retry", None, fields["retry"])
        assert set(fields) <= {"event", "id", "data"} and "data" in fields, lines
        self.last_id = fields.get("id", self.last_id)
        return Event(fields["event"], fields.get("id"), fields["data"])

    def event(self, seconds=10):
        """The next one that is no comment and no `retry`; None: the stream has ended well."""
        until = time.monotonic() + seconds
        while True:
            block = self.block(max(until - time.monotonic(), 0.01))
            if block is None or block.name not in (":", "retry"):
                return block

    def expect(self, name, seconds=10):
        """The next event, which must be of that name."""
        event = self.event(seconds)
        assert event is not None, f"ended before {name}"
        assert event.name == name, event
        return event

    def changes(self, seconds=10):
        """The changes up to the next `ready`."""
        found = []
        while True:
            event = self.event(seconds)
            assert event is not None, f"ended after {found}"
            if event.name == "ready":
                assert event.data == "{}"
                return found
            assert event.name == "change", event
            found.append(event.json)

    def expect_end(self, seconds=10):
        """Nothing but comments and `retry` comes, and then its end."""
        event = self.event(seconds)
        assert event is None, event
        self.close()

    def close(self):
        """Leaves."""
        self.response.close()
        self.connection.close()
