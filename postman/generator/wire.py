# SPDX-License-Identifier: MIT
"""One request, one answer, as they went over the wire."""

import dataclasses
import http.client
import json

USER_AGENT = "PostmanRuntime/7.39.1"
TIMEOUT_SECONDS = 30


@dataclasses.dataclass
class Answer:
    status: int
    reason: str
    headers: list  # (name, value) in the order of the wire
    body: bytes

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def media_type(self):
        return (self.header("Content-Type") or "").split(";")[0].strip()

    def json(self):
        """The body as a value, or None when it is not JSON."""
        if not self.body or not self.media_type().endswith("json"):
            return None
        return json.loads(self.body)


def exchange(server, method, target, headers, body=None):
    """Sends one request on a connection of its own. `headers` is a list of pairs."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        names = {name.lower() for name, _ in headers}
        for name, value in (("User-Agent", USER_AGENT), ("Accept", "*/*")):
            if name.lower() not in names:
                connection.putheader(name, value)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        try:
            connection.endheaders(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # a refused body: the answer may be there already
        response = connection.getresponse()
        return Answer(response.status, response.reason, response.getheaders(), response.read())
    finally:
        connection.close()
