# SPDX-License-Identifier: MIT
"""A small HTTP client that checks every answer."""
import http.client
import json as json_module

from . import contract

ABSENT = object()


class Answer:
    """One response."""

    def __init__(self, status, headers, body, request=""):
        self.status, self.headers, self.body, self.request = status, headers, body, request

    @property
    def json(self):
        """The body, parsed."""
        return json_module.loads(self.body)

    @property
    def code(self):
        """The code of a problem, or None."""
        return self.json.get("code") if self.status >= 400 else None

    @property
    def errors(self):
        """The entries of a problem as a set of (pointer or parameter, code)."""
        return {(e.get("pointer", e.get("parameter")), e["code"]) for e in self.json.get("errors", [])}

    @property
    def etag(self):
        """The entity tag."""
        return self.headers["ETag"]

    def expect(self, status, code=None):
        """Fails unless the status (and the problem's code) are these; returns itself."""
        assert self.status == status, f"{self.request}: {self.status} {self.body[:600]!r}"
        if code is not None:
            assert self.code == code, f"{self.request}: {self.body[:600]!r}"
        return self


def first_event(response):
    """The beginning of a stream of events, which may have no end: up to its first one."""
    data = b""
    while not (b"\ndata: " in data and data.endswith(b"\n\n")):
        line = response.readline()
        if not line:
            break
        data += line
    return data


class Client:
    """One keep-alive connection. Not for several threads at once: use `copy`."""

    def __init__(self, server, token=None, quotas=None, checked=True):
        self.server, self.token, self.checked = server, token, checked
        on = {**server.env}.get("RATE_LIMIT", "off") != "off"
        self.quotas = on if quotas is None else quotas
        self.connection = None
        self.space = None  # what the caller's tags begin with, once it is known
        self.headers = {}
        getattr(server, "clients", set()).add(self)
        self.retries = True  # a kept connection that the server has closed is opened again

    def copy(self, token=ABSENT):
        """Another connection, with the same or another token."""
        return Client(self.server, self.token if token is ABSENT else token, self.quotas, self.checked)

    def close(self):
        """Closes the connection; the next request opens a new one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def request(self, method, path, json=ABSENT, headers=None, body=None, token=ABSENT):
        """Sends one request and checks what every answer must be. A field with None is left out."""
        sent = self._fields(headers, json, token)
        if json is not ABSENT:
            body = json_module.dumps(json).encode()
        answer = self._exchange(method, path, body, sent)
        if self.checked:
            try:
                contract.check(method, path, sent, answer, self.quotas)
            except AssertionError as wrong:
                raise AssertionError(f"{answer.request}: {answer.status} {answer.body[:600]!r}: {wrong}") from wrong
        return answer

    def _fields(self, headers, json, token):
        sent = dict(self.headers)
        token = self.token if token is ABSENT else token
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if json is not ABSENT:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        return {name: value for name, value in sent.items() if value is not None}

    def _exchange(self, method, path, body, sent):
        reused = self.connection is not None
        if not reused:
            self.connection = http.client.HTTPConnection(self.server.host, self.server.port, timeout=30)
        try:
            self.connection.request(method, path, body, sent)
            response = self.connection.getresponse()
            if response.headers.get_content_type() == "text/event-stream":
                data = first_event(response)
                self.close()
                return Answer(response.status, response.headers, data, f"{method} {path}")
            data = response.read()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            if not (reused and self.retries):
                raise
            return self._exchange(method, path, body, sent)
        if response.will_close:
            self.close()
        return Answer(response.status, response.headers, data, f"{method} {path}")

    def learn_space(self):
        """Finds out what the entity tags of the caller begin with; answers itself."""
        if self.space is None:
            self.space = self.get("/v1/tasks?limit=1").expect(200).etag[1:].split("-")[0]
        return self

    def tag(self, task):
        """The entity tag of a task as it was answered."""
        return f'"{self.learn_space().space}-{task["revision"]}"'

    def get(self, path, **more):
        """GET."""
        return self.request("GET", path, **more)

    def head(self, path, **more):
        """HEAD."""
        return self.request("HEAD", path, **more)

    def post(self, path, json=ABSENT, **more):
        """POST."""
        return self.request("POST", path, json=json, **more)

    def put(self, path, json=ABSENT, **more):
        """PUT."""
        return self.request("PUT", path, json=json, **more)

    def patch(self, path, json=ABSENT, **more):
        """PATCH."""
        return self.request("PATCH", path, json=json, **more)

    def delete(self, path, **more):
        """DELETE."""
        return self.request("DELETE", path, **more)
