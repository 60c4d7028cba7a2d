# SPDX-License-Identifier: MIT
"""One client that writes its own tasks, remembers every answer, and says after a crash what must be there.

A writer has one request under way at a time, and no other writer touches its tasks. So what each task must be is
known, save for the one request whose answer the crash swallowed: that one is done entirely or not at all, and which
of the two it is gets settled after the restart, by a repeat under the same key or by looking."""
import http.client
import json
import uuid
from dataclasses import dataclass, field

STATUSES = ["pending", "in-progress", "completed"]
SHOWN = ("title", "description", "status")


@dataclass
class Request:
    """One write: what is sent, and the task as it was before (None: there was none)."""

    verb: str
    method: str
    path: str
    body: dict | None
    headers: dict
    before: dict | None = None
    good: tuple = (200, 201, 204)

    @property
    def key(self):
        """Its Idempotency-Key, or None."""
        return self.headers.get("Idempotency-Key")


@dataclass
class Counts:
    """What happened, for the report."""

    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    repeated: int = 0
    replayed: int = 0
    found: int = 0
    verbs: dict = field(default_factory=dict)


class Writer:
    """Writes as `client` until the server is gone. `ledger` holds the revisions of its user."""

    def __init__(self, number, client, random, ledger, counts):
        self.name, self.client, self.random = f"w{number}", client.learn_space(), random
        self.ledger, self.counts = ledger, counts
        self.step = 0
        self.last_revision = 0
        self.tasks = {}  # id -> the task as it was last answered
        self.pending = None  # the request without an answer
        self.kept = None  # the last acknowledged request with a key, and its answer
        self.forbidden = set()  # titles of requests that were refused

    # ---- choosing ----

    def _text(self):
        self.step += 1
        return f"{self.name}-{self.step}"

    def _body(self):
        title = self._text()
        return {"title": title, "description": title * self.random.randint(1, 40),
                "status": self.random.choice(STATUSES)}

    def _headers(self, **more):
        if self.random.random() < 0.5:
            more["Idempotency-Key"] = f"{self.name}-{uuid.UUID(int=self.random.getrandbits(128))}"
        return more

    def choose(self):
        """The next write. The number of tasks stays around 20."""
        verbs = ["create", "put_new"] if len(self.tasks) < 5 else ["delete"] if len(self.tasks) > 30 else \
            ["create", "put_new", "patch", "patch", "put", "delete", "delete", "invalid", "stale", "exists"]
        verb = self.random.choice(verbs)
        if verb in ("create", "invalid"):
            body = self._body()
            return Request(verb, "POST", "/v1/tasks", body | ({"status": "done"} if verb == "invalid" else {}),
                           self._headers(), good=(201,) if verb == "create" else (422,))
        if verb == "put_new":
            path = f"/v1/tasks/{uuid.UUID(int=self.random.getrandbits(128))}"
            return Request(verb, "PUT", path, self._body(), self._headers(), good=(201,))
        return self._change(verb, self.random.choice(list(self.tasks.values())))

    def _change(self, verb, task):
        path = f"/v1/tasks/{task['id']}"
        current = {"If-Match": self.client.tag(task)} if self.random.random() < 0.3 else {}
        if verb == "patch":
            body = self._body()
            del body[self.random.choice(["description", "status"])]
            return Request(verb, "PATCH", path, body, self._headers(**current), task, (200,))
        if verb == "put":
            return Request(verb, "PUT", path, self._body(), self._headers(**current), task, (200,))
        if verb == "delete":
            return Request(verb, "DELETE", path, None, self._headers(**current), task, (204,))
        condition = {"If-Match": '"0"'} if verb == "stale" else {"If-None-Match": "*"}
        return Request(verb, "PUT", path, self._body(), self._headers(**condition), task, (412,))

    # ---- writing ----

    def send(self, request):
        """The answer, or None when there is none."""
        extra = {} if request.body is None else {"json": request.body}
        try:
            return self.client.request(request.method, request.path, headers=request.headers, **extra)
        except (OSError, http.client.HTTPException):
            self.client.close()
            return None

    def run(self):
        """Writes until an answer stays away; that request is then pending."""
        while self.pending is None:
            request = self.choose()
            answer = self.send(request)
            if answer is None:
                self.counts.unknown += 1
                self.pending = request
            else:
                self.take(request, answer, fresh=True)

    def take(self, request, answer, fresh):
        """Notes an answer. `fresh`: nobody can have had it before."""
        where = f"{request.method} {request.path} {request.headers}: {answer.status} {answer.body[:300]!r}"
        assert answer.status in request.good, where
        self.counts.verbs[request.verb] = self.counts.verbs.get(request.verb, 0) + 1
        if answer.status >= 400:
            self.counts.refused += 1
            self.forbidden.add(request.body["title"])
            return
        self.counts.acknowledged += 1
        if request.key and answer.status != 204:
            self.kept = (request, answer)
        if request.verb == "delete":
            del self.tasks[request.path.rsplit("/", 1)[1]]
            return
        task = json.loads(answer.body)
        check_effect(request, task)
        self.note_revision(task["revision"], fresh)
        self.tasks[task["id"]] = task

    def note_revision(self, revision, fresh):
        """Revisions of one user are distinct, and grow."""
        assert revision > self.last_revision, f"{self.name}: {revision} after {self.last_revision}"
        self.last_revision = revision
        self.ledger.add(revision, fresh)

    # ---- after a crash ----

    def settle(self):
        """Finds out what became of the pending request; returns a title that may or may not be in the list."""
        request, self.pending = self.pending, None
        if request is None:
            return None
        if request.verb in ("invalid", "stale", "exists"):
            self.forbidden.add(request.body["title"])
            return None
        if request.key:
            self._repeat(request)
            return None
        if request.verb == "create":
            return request
        self._look(request)
        return None

    def _repeat(self, request):
        """The same key again: now it is done, and once."""
        answer = self.send(request)
        assert answer is not None, "no answer right after the start"
        replayed = answer.headers.get("Idempotency-Replayed") == "true"
        self.counts.repeated += 1
        self.counts.found += replayed
        self.take(request, answer, fresh=not replayed)

    def _look(self, request):
        """A request without a key was done entirely or not at all."""
        answer = self.client.get(request.path)
        before = request.before
        if answer.status == 404:
            assert before is None or request.verb == "delete", f"{request.path} is gone: {before}"
            if request.verb == "delete":
                del self.tasks[before["id"]]
            return
        task = answer.expect(200).json
        if task == before:
            return
        assert request.verb != "delete", f"half deleted: {task} was {before}"
        self.adopt(request, task)

    def adopt(self, request, task):
        """A write whose answer was lost turns out to be done."""
        check_effect(request, task)
        self.counts.found += 1
        self.note_revision(task["revision"], fresh=False)
        self.tasks[task["id"]] = task

    def replay(self):
        """An acknowledged write, sent again: the same answer, and nothing is done."""
        if self.kept is None:
            return
        request, first = self.kept
        again = self.send(request)
        assert again is not None and again.headers.get("Idempotency-Replayed") == "true", request
        assert (again.status, again.body) == (first.status, first.body), request
        self.counts.replayed += 1


def check_effect(request, task):
    """The task is what the request made of what was there."""
    base = request.before if request.verb == "patch" else {"description": None, "status": "pending"}
    expected = {name: request.body.get(name, (base or {}).get(name)) for name in SHOWN}
    assert {name: task[name] for name in SHOWN} == expected, f"{request}: {task}"
    if request.before:
        assert task["revision"] > request.before["revision"] and task["created_at"] == request.before["created_at"]
    assert (task["completed_at"] is not None) == (task["status"] == "completed")
