# SPDX-License-Identifier: MIT
"""What clients did and were told, and the clients that write it down."""
import contextlib
import http.client
import json as json_module
import threading
import time
import uuid
from dataclasses import dataclass, field

from support.client import Client
from support.tokens import parts
from support.waiting import wait_at_most

PATIENCE = 30  # seconds for a call, with all its attempts
LATER = {"unavailable", "overloaded", "outcome_unknown", "idempotency_key_in_use"}
LOST = (OSError, http.client.HTTPException)


class Wrong(AssertionError):
    """Something that no order of the calls explains."""


@dataclass
class Call:
    """One call, from the first byte sent until the last one read, under however many attempts."""

    client: str
    session: str
    node: int
    method: str
    path: str
    body: object
    headers: dict
    start: float
    end: float = 0.0
    status: int = 0
    text: bytes = b""
    etag: str | None = None
    replayed: bool = False
    attempts: int = 0
    lo: int = 0  # the revisions between which it was answered, once the order is known
    hi: int = 0
    last: int = 0  # a revision that it took: its own, or one of them
    first: int = 0  # all that it took, once it has been made again
    end_revision: int = 0
    undecided: bool = False

    @property
    def json(self):
        """The answer."""
        return json_module.loads(self.text) if self.text else None

    @property
    def key(self):
        """Its Idempotency-Key."""
        return self.headers.get("Idempotency-Key")

    @property
    def writes(self):
        """Is it no read?"""
        return self.method != "GET"

    def __str__(self):
        return (f"{self.client} at node {self.node}: {self.method} {self.path} {self.body} {self.headers}: {self.status} "
                f"{self.text[:300]!r} {self.etag} (between {self.lo} and {self.hi}, took {self.first} to {self.last})")


@dataclass
class Snapshot:
    """What one who follows held when it was told that this is all, up to a revision."""

    who: str
    revision: int
    start: float
    end: float
    held: dict
    lo: int = 0
    hi: int = 0


@dataclass
class History:
    """All that happened to one account."""

    user: str
    calls: list = field(default_factory=list)
    snapshots: list = field(default_factory=list)
    sessions: dict = field(default_factory=dict)  # the id of each session, and whose it is
    journal: list = field(default_factory=list)  # rows, in the order of their revisions
    wrong: list = field(default_factory=list)
    forgotten: list = field(default_factory=list)  # revisions after which a follower was told to begin again, and when
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, call):
        """One call that is over."""
        with self.lock:
            self.calls.append(call)

    def complain(self, what):
        """What is wrong without a look at the order."""
        with self.lock:
            self.wrong.append(str(what))


class Gate:
    """What leaves no revision behind is done alone: else nobody could say where in the order it stands."""

    def __init__(self):
        self.condition, self.inside, self.alone = threading.Condition(), 0, False

    @contextlib.contextmanager
    def enter(self, alone):
        """Waits until it may."""
        with self.condition:
            self.condition.wait_for(lambda: not self.alone and not (alone and self.inside))
            self.inside += 1
            self.alone = alone
        try:
            yield
        finally:
            with self.condition:
                self.inside -= 1
                self.alone = False
                self.condition.notify_all()


class Recorder:
    """A client of one account with a session of its own, which asks any node and notes each call."""

    def __init__(self, account, name, chance):
        self.account, self.name, self.chance = account, name, chance
        self.lines, self.revisions = {}, {}
        self.token = self.session = None
        self.login()

    def login(self):
        """Begins a session."""
        self.enter(self.account.login(self.chance))

    def enter(self, answer):
        """Takes these tokens."""
        self.token, self.refresh = answer["access_token"], answer["refresh_token"]
        self.session = parts(self.token)[1]["sid"]
        self.account.history.sessions[self.session] = self.name

    def line(self, number):
        """The connection to a node."""
        node = self.account.place.nodes[number]
        client = self.lines.get(number)
        if client is None or client.server is not node:
            client = self.lines[number] = Client(node, checked=False)
            client.retries = False
        client.token = self.token
        return client

    # ---- one call ----

    def fields(self, method, path):
        """A key, and the version that it is about."""
        chance, found = self.chance, {}
        if method == "GET" or path.startswith("/v1/me"):
            return found
        if self.account.faults or chance.random() < 0.5:
            found["Idempotency-Key"] = str(uuid.UUID(int=chance.getrandbits(128)))
        known = self.account.versions.get(path)
        if method != "POST" and known and chance.random() < 0.3:
            found["If-Match"] = known
        return found

    def request(self, method, path, json=None, **_):
        """One call, until it is decided."""
        headers = self.fields(method, path)
        call = Call(self.name, self.session, 0, method, path, json, headers, 0.0)
        with self.account.gate.enter(method == "DELETE" and path.startswith("/v1/trash")):
            twin = self.twin(call)
            answer = self.run(call)
            if twin:
                twin.join()
        if method == "DELETE" and path.startswith("/v1/labels/"):
            self.request("GET", "/v1/tasks?limit=1&sort=title")  # no answer told which revisions it took
        return answer

    def run(self, call):
        """All attempts; the answer."""
        call.start = time.monotonic()
        answer = self.attempt(call)
        call.end = time.monotonic()
        call.status, call.text, call.etag = answer.status, answer.body, answer.headers.get("ETag")
        call.replayed = answer.headers.get("Idempotency-Replayed") == "true"
        if answer.status < 300 and call.etag and call.path.startswith("/v1/tasks/") and call.path.count("/") == 3:
            self.account.versions[call.path] = call.etag
        self.account.history.add(call)
        return answer

    def attempt(self, call):
        """Asks nodes until one decides."""
        answer = wait_at_most(PATIENCE, lambda: self.attempt_once(call))
        if answer is None:
            raise Wrong(f"not decided in {PATIENCE} s: {call}")
        return answer

    def attempt_once(self, call):
        """Asks one of them. None: it has not decided."""
        call.node = self.chance.randrange(len(self.account.place.nodes))
        call.attempts += 1
        line = self.line(call.node)
        try:
            answer = line.request(call.method, call.path, headers=call.headers,
                                  **({} if call.body is None else {"json": call.body}))
        except LOST:
            line.close()
            if not self.account.faults:
                raise
            return None
        if answer.status in (409, 503) and answer.code in LATER:
            if answer.code == "outcome_unknown" and not call.key and call.writes:
                raise Wrong(f"without a fault: {call} {answer.body!r}")
            return None
        return answer

    def twin(self, call):
        """At times the same call is made twice at once, under one key."""
        if not call.key or self.chance.random() > 0.15:
            return None
        other = Recorder.__new__(Recorder)
        other.account, other.name, other.lines = self.account, self.name, {}
        other.chance, other.token, other.session = type(self.chance)(self.chance.getrandbits(64)), self.token, self.session
        again = Call(call.client, call.session, 0, call.method, call.path, call.body, call.headers, 0.0)
        thread = threading.Thread(target=other.run_guarded, args=(again,), daemon=True)
        thread.start()
        return thread

    def run_guarded(self, call):
        """On a thread of its own: what goes wrong is noted."""
        try:
            self.run(call)
        except Exception as problem:  # pylint: disable=broad-except
            self.account.history.complain(f"{call}: {problem!r}")

    def get(self, path):
        """GET."""
        return self.request("GET", path)

    def post(self, path, json=None):
        """POST."""
        return self.request("POST", path, json)
