# SPDX-License-Identifier: MIT
"""Clients that write and read while the database is ill, and the log of all that they were told.

A writer changes only its own tasks and has one request under way at a time; so it knows what each of its tasks must
be, save for those whose last answer was "unknown". It repeats a request with an Idempotency-Key until it is decided,
on whichever node comes next, and never one without."""
import http.client
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, field

ACK, FAIL, UNKNOWN = "ack", "fail", "unknown"
STATUSES = ["pending", "in-progress", "completed"]
REFUSED = {"unavailable", "overloaded"}  # 503 that says: nothing was changed
PATIENCE = 30.0  # seconds for one answer; a server that takes longer has hung


@dataclass
class Attempt:
    """One request and what came back. Times are those of the monotonic clock."""

    start: float
    end: float
    status: int  # 0: the connection broke
    code: str | None
    body: bytes
    replayed: bool = False


@dataclass
class Operation:
    """One write, under however many attempts."""

    verb: str
    user: str
    method: str
    path: str
    body: dict | None
    headers: dict
    value: str | None  # the title that it writes; nobody else writes it
    key: str | None = None
    before: dict | None = None  # the task as it was
    condition: int | None = None  # If-Match
    attempts: list = field(default_factory=list)
    result: str | None = None
    task: dict | None = None  # the answer

    @property
    def task_id(self):
        """The id of the task, or None when nobody knows it."""
        return self.task["id"] if self.task else self.before["id"] if self.before else None

    @property
    def revision(self):
        """The revision that the change took, if it was told."""
        return self.task["revision"] if self.task else None

    @property
    def start(self):
        """When it was sent first."""
        return self.attempts[0].start

    @property
    def end(self):
        """When its last answer came."""
        return self.attempts[-1].end

    def decide(self, attempt):
        """Notes an attempt; what it says of the write."""
        self.attempts.append(attempt)
        if 200 <= attempt.status < 300:
            if attempt.body:
                self.task = json.loads(attempt.body)
            return ACK
        if attempt.status == 503 and attempt.code in REFUSED:
            return FAIL
        if attempt.status in (404, 412):
            return FAIL
        return UNKNOWN


class Log:
    """What all writers did."""

    def __init__(self):
        self.lock = threading.Lock()
        self.operations, self.attempts, self.wrong = [], [], []

    def add(self, operation):
        """One write that is over."""
        with self.lock:
            self.operations.append(operation)

    def note(self, attempt):
        """One answer, of a read or a write."""
        with self.lock:
            self.attempts.append(attempt)

    def complain(self, what):
        """What no fault excuses."""
        with self.lock:
            self.wrong.append(what)

    def count(self, result):
        """How many writes ended like that."""
        with self.lock:
            return sum(1 for one in self.operations if one.result == result)

    def acks_after(self, moment):
        """When writes were acknowledged after `moment`, in order."""
        with self.lock:
            return sorted(one.end for one in self.operations if one.result == ACK and one.end > moment)

    def statuses(self):
        """How often each status and code came."""
        counts = {}
        with self.lock:
            for attempt in self.attempts:
                name = f"{attempt.status} {attempt.code}" if attempt.code else str(attempt.status)
                counts[name] = counts.get(name, 0) + 1
        return counts

    def slowest(self):
        """The longest that anyone waited for an answer, in seconds."""
        with self.lock:
            return max((attempt.end - attempt.start for attempt in self.attempts), default=0.0)

    def refusals(self):
        """How many answers were 503."""
        with self.lock:
            return sum(1 for attempt in self.attempts if attempt.status == 503)


class Line:
    """Kept connections of one writer, one to each node that it was sent to."""

    def __init__(self, pick, token):
        self.pick, self.token, self.open = pick, token, {}

    def ask(self, method, path, body=None, headers=None):
        """One request to the next node, sent once."""
        where = self.pick()
        start = time.monotonic()
        fields = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        if body is not None:
            fields["Content-Type"] = "application/json"
        try:
            connection = self.open.get(where)
            if connection is None:
                connection = self.open[where] = http.client.HTTPConnection(*where, timeout=PATIENCE)
            connection.request(method, path, None if body is None else json.dumps(body), fields)
            answer = connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException):
            self._hang_up(where)
            return Attempt(start, time.monotonic(), 0, None, b"")
        if answer.will_close:
            self._hang_up(where)
        code = json.loads(data).get("code") if answer.status >= 400 else None
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        return Attempt(start, time.monotonic(), answer.status, code, data, replayed)

    def _hang_up(self, where):
        connection = self.open.pop(where, None)
        if connection is not None:
            connection.close()

    def close(self):
        """Closes all connections."""
        for where in list(self.open):
            self._hang_up(where)


class Writer(threading.Thread):
    """One client. `pick` answers the host and port for the next request; `account` has an id and a token."""

    def __init__(self, name, account, pick, log, seed, keyed=0.6):
        super().__init__(name=name, daemon=True)
        self.account, self.log, self.keyed = account, log, keyed
        account.client.learn_space()  # now, while nothing goes wrong
        self.random = random.Random(seed)
        self.line = Line(pick, account.token["access_token"])
        self.ended = threading.Event()
        self.steps = 0
        self.tasks = {}  # id -> the task as it was last answered, for those that are certain
        self.pending = None

    # ---- choosing ----

    def _request(self, verb, method, path, task, body):
        headers, key, condition = {}, None, None
        if self.random.random() < self.keyed:
            key = headers["Idempotency-Key"] = f"{self.name}-{uuid.UUID(int=self.random.getrandbits(128))}"
        if task is not None and self.random.random() < 0.5:
            condition = task["revision"]
            headers["If-Match"] = self.account.client.tag(task)
        value = body["title"] if body else None
        return Operation(verb, self.account.id, method, path, body, headers, value, key, task, condition)

    def _body(self):
        self.steps += 1
        title = f"{self.name}-{self.steps}"
        return {"title": title, "description": title * 3, "status": self.random.choice(STATUSES)}

    def choose(self):
        """The next write; the number of tasks stays between 3 and 30."""
        least, most = len(self.tasks) < 3, len(self.tasks) > 30
        verb = "create" if least else "delete" if most else self.random.choice(
            ["create", "create", "create", "patch", "patch", "patch", "put", "delete"])
        if verb == "create":
            return self._request(verb, "POST", "/v1/tasks", None, self._body())
        task = self.random.choice(list(self.tasks.values()))
        method = {"patch": "PATCH", "put": "PUT", "delete": "DELETE"}[verb]
        return self._request(verb, method, f"/v1/tasks/{task['id']}", task, None if verb == "delete" else self._body())

    # ---- running ----

    def run(self):
        """Until `stop`: writes, and reads now and then."""
        try:
            while not self.ended.is_set():
                if self.tasks and self.random.random() < 0.2:
                    self._read(self.random.choice(list(self.tasks.values())))
                else:
                    self.pending = self.choose()
                    self._write(self.ended.is_set)
        except Exception as problem:  # whatever it is, the test must hear of it
            self.log.complain(f"{self.name}: {problem!r}")
            raise

    def _write(self, enough):
        """Attempts until the write is decided, or it is enough."""
        operation, verdicts = self.pending, set()
        while True:
            attempt = self.line.ask(operation.method, operation.path, operation.body, operation.headers)
            self.log.note(attempt)
            verdict = operation.decide(attempt)
            verdicts.add(verdict)
            self._judge_attempt(operation, attempt)
            if verdict == ACK or attempt.status in (404, 412) or operation.key is None:
                break
            if enough():
                return  # stays pending
            self._breathe()
        operation.result = verdict
        self.pending = None
        self._conclude(operation)

    def _breathe(self):
        """A client that was refused waits a little, as Retry-After asks, though not as long."""
        self.ended.wait(self.random.uniform(0.01, 0.05))

    def _judge_attempt(self, operation, attempt):
        allowed = {0: None, 503: REFUSED | {"outcome_unknown"}, 409: {"idempotency_key_in_use"}}
        if 200 <= attempt.status < 300 or attempt.status == 0:
            return
        if attempt.code not in (allowed.get(attempt.status) or ()):
            self.log.complain(f"{operation.method} {operation.path} {operation.headers}: {attempt.status} "
                              f"{attempt.body[:300]!r}, after {[(a.status, a.code) for a in operation.attempts]}")

    def _conclude(self, operation):
        """What the task is now. One whose change is unknown is left alone from here on."""
        if operation.before and operation.result != FAIL:
            self.tasks.pop(operation.before["id"], None)
        if operation.result == ACK and operation.task:
            self.tasks[operation.task["id"]] = operation.task
        self.log.add(operation)
        if operation.result != ACK:
            self._breathe()

    def _read(self, task):
        attempt = self.line.ask("GET", f"/v1/tasks/{task['id']}")
        self.log.note(attempt)
        if attempt.status == 200:
            if json.loads(attempt.body) != task:
                self.log.complain(f"read {attempt.body!r}, and it is {task}")
        elif attempt.status not in (0, 503):
            self.log.complain(f"read of {task}: {attempt.status} {attempt.body[:300]!r}")

    def stop(self):
        """No new request after the one under way."""
        self.ended.set()

    def settle(self, seconds=20.0):
        """Repeats what is pending until it is decided. Call when the writer has ended and the database is well."""
        if self.pending is not None:
            deadline = time.monotonic() + seconds
            self._write(lambda: time.monotonic() > deadline)
        if self.pending is not None:
            self.log.complain(f"not decided after {seconds} s: {self.pending}")
        self.line.close()


class Load:
    """Many writers. `nodes`: pairs of host and port, taken in turn by each writer."""

    def __init__(self, accounts, nodes, count, seed, keyed=0.6):
        self.log, self.nodes = Log(), list(nodes)
        self.writers = [Writer(f"w{seed}-{i}", accounts[i % len(accounts)], self._picker(i), self.log,
                               seed * 1000 + i, keyed) for i in range(count)]

    def _picker(self, number):
        """Round-robin, each writer from another node on."""
        turn = [number]

        def pick():
            turn[0] += 1
            return self.nodes[turn[0] % len(self.nodes)]

        return pick

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends all writers and waits for them."""
        for writer in self.writers:
            writer.stop()
        for writer in self.writers:
            writer.join(PATIENCE + 10)

    def finish(self):
        """Stops, and has everything decided that can be; answers the log."""
        self.stop()
        for writer in self.writers:
            writer.settle()
        return self.log
