# SPDX-License-Identifier: MIT
"""One client that writes its own tasks, remembers every answer, and says after a crash what must be there.

A writer has one request under way at a time, and no other writer touches its tasks. So what each task must be is
known, save for the one request whose answer the crash swallowed: that one is done entirely or not at all, and which
of the two it is gets settled after the restart, by a repeat under the same key or by looking at all that it changes."""
import http.client
import json
import uuid
from dataclasses import dataclass, field

STATUSES = ["pending", "in-progress", "completed"]
SHOWN = ("title", "description", "status")
CREATED = {"description": None, "status": "pending"}  # what a body leaves out
DAILY = {"due": "2030-01-01", "recurrence": "FREQ=DAILY"}


@dataclass
class Request:
    """One write: what is sent, and what it makes of each task."""

    verb: str
    method: str
    path: str
    body: dict | None
    headers: dict
    good: tuple
    effects: dict = field(default_factory=dict)  # id (None: the server's) -> what is shown then, or None: it is gone
    before: dict = field(default_factory=dict)  # id -> the task as it was; not there: there was none

    @property
    def key(self):
        """Its Idempotency-Key, or None."""
        return self.headers.get("Idempotency-Key")

    @property
    def titles(self):
        """What it would write, for one that is refused."""
        return {effect["title"] for effect in self.effects.values() if effect}


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
        self.fat = 1  # how much longer descriptions are than usual
        self.last_revision = 0
        self.tasks = {}  # id -> the task as it was last answered
        self.earlier = {}  # id -> what it was before its last change, where that can be taken back
        self.trash = {}  # id -> the task as it was before it was deleted
        self.awaited = {}  # id -> what is shown of the next one of a series, which no answer has shown yet
        self.followed = set()  # the ids of all that came after another in a series
        self.doubtful = set()  # what may be gone from the trash for good
        self.pending = None  # the request without an answer
        self.kept = None  # the last acknowledged request with a key, and its answer
        self.forbidden = set()  # titles of requests that were refused

    # ---- choosing ----

    def _text(self):
        self.step += 1
        return f"{self.name}-{self.step}"

    def _body(self):
        title = self._text()
        return {"title": title, "description": (title * self.random.randint(1, 40) * self.fat)[:10000],
                "status": self.random.choice(STATUSES)}

    def _uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128)))

    def _request(self, verb, method, path, body, good, effects, before=None, condition=None):
        headers = dict(condition or {})
        if self.random.random() < 0.5:
            headers["Idempotency-Key"] = f"{self.name}-{self._uuid()}"
        return Request(verb, method, path, body, headers, good, effects, before or {})

    def _verbs(self):
        """What may come next. The number of tasks stays around 20."""
        if len(self.tasks) < 5:
            return ["create", "create_as", "create_many"]
        if len(self.trash) > 40:
            return ["purge"]
        if len(self.tasks) > 30:
            return ["delete", "delete", "patch"]
        found = ["create", "create_as", "create_series", "patch", "patch", "put", "delete", "delete", "batch", "batch",
                 "invalid", "stale", "exists", "failing_batch"]
        found += ["restore"] if self.trash else []
        found += ["undo", "undo"] if self._undoable() else []
        found += ["complete"] * 2 if self._open_series() else []
        return found

    def choose(self):
        """The next write."""
        verb = self.random.choice(self._verbs())
        return getattr(self, "_" + verb)()

    def _create(self, verb="create", **more):
        body = self._body()
        shown = {name: body[name] for name in SHOWN}
        return self._request(verb, "POST", "/v1/tasks", body | more, (201,), {None: shown})

    def _create_series(self):
        request = self._create("create_series", **DAILY)
        request.body["status"] = request.effects[None]["status"] = "pending"
        return request

    def _invalid(self):
        request = self._create("invalid", status="done")
        request.good = (422,)
        return request

    def _create_as(self):
        body, new = self._body(), self._uuid()
        return self._request("create_as", "PUT", f"/v1/tasks/{new}", body, (201,), {new: shown_of(body)})

    def _one(self):
        task = self.random.choice(list(self.tasks.values()))
        current = {"If-Match": self.client.tag(task)} if self.random.random() < 0.3 else {}
        return task, f"/v1/tasks/{task['id']}", current

    def _change(self, verb, method, body, shown, good=(200,)):
        task, path, current = self._one()
        return self._request(verb, method, path, body, good, {task["id"]: shown_of(shown, task)}, {task["id"]: task}, current)

    def _patch(self):
        body = self._body()
        del body[self.random.choice(["description", "status"])]
        return self._change("patch", "PATCH", body, body)

    def _put(self):
        body = self._body()
        return self._change("put", "PUT", body, CREATED | body)

    def _delete(self):
        task, path, current = self._one()
        return self._request("delete", "DELETE", path, None, (204,), {task["id"]: None}, {task["id"]: task}, current)

    def _refused(self, verb, condition):
        request = self._put()
        request.verb, request.good = verb, (412,)
        request.headers = {name: value for name, value in request.headers.items() if name != "If-Match"} | condition
        return request

    def _stale(self):
        return self._refused("stale", {"If-Match": '"0"'})

    def _exists(self):
        return self._refused("exists", {"If-None-Match": "*"})

    # ---- choosing: many at once, trash, undo, series ----

    def _operations(self, ids):
        """One operation for each; those that are not ours yet are made."""
        made = []
        for one in ids:
            verb = self.random.choice(["update", "update", "replace", "delete"]) if one in self.tasks else "create"
            body = self._body()
            made.append({"op": verb, "id": one} | ({} if verb == "delete" else {"task": body}))
        return made

    def _batch(self, least=0):
        known = self.random.sample(list(self.tasks), min(len(self.tasks), self.random.randint(0, 3)))
        operations = self._operations(known + [self._uuid() for _ in range(self.random.randint(1, 3) + least)])
        self.random.shuffle(operations)
        effects = {one["id"]: shown_of(CREATED | one["task"]) if "task" in one else None for one in operations}
        return self._request("batch", "POST", "/v1/tasks/batch",
                             {"operations": operations, "atomic": self.random.random() < 0.7}, (200,), effects,
                             {one: self.tasks[one] for one in known})

    def _create_many(self):
        return self._batch(least=3)

    def _failing_batch(self):
        """Its last operation cannot be done, so none is."""
        request = self._batch()
        request.verb, request.good, request.body["atomic"] = "failing_batch", (409,), True
        request.body["operations"].append({"op": "update", "id": self._uuid(), "task": {"title": "nowhere"}})
        return request

    def _restore(self):
        task = self.random.choice(list(self.trash.values()))
        return self._request("restore", "POST", f"/v1/trash/{task['id']}/restore", None, (200,), {task["id"]: shown_of(task)})

    def _purge(self):
        one = self.random.choice(list(self.trash))
        return self._request("purge", "DELETE", f"/v1/trash/{one}", None, (204,), {one: None})

    def _undoable(self):
        return [one for one in self.earlier if one in self.tasks]

    def _undo(self):
        task = self.tasks[self.random.choice(self._undoable())]
        return self._request("undo", "POST", f"/v1/tasks/{task['id']}/undo", {"revision": task["revision"]}, (200,),
                             {task["id"]: shown_of(self.earlier[task["id"]])}, {task["id"]: task})

    def _open_series(self):
        return [task for task in self.tasks.values() if task["recurrence"] and task["status"] != "completed"]

    def _complete(self):
        task, body = self.random.choice(self._open_series()), {"status": "completed"}
        return self._request("complete", "PATCH", f"/v1/tasks/{task['id']}", body, (200,), {task["id"]: shown_of(body, task)},
                             {task["id"]: task})

    # ---- writing ----

    def send(self, request):
        """The answer, or None when there is none."""
        extra = {} if request.body is None else {"json": request.body}
        try:
            return self.client.request(request.method, request.path, headers=request.headers, **extra)
        except (OSError, http.client.HTTPException):
            self.client.close()
            return None

    def run(self, ended=lambda: False):
        """Writes until an answer stays away, and that request is then pending; or until it is to end."""
        while self.pending is None and not ended():
            request = self.choose()
            answer = self.send(request)
            if answer is None:
                self.counts.unknown += 1
                self.pending = request
            else:
                self.take(request, answer, fresh=True)

    def take(self, request, answer, fresh):
        """Notes an answer. `fresh`: nobody can have had it before."""
        where = f"{request.method} {request.path} {request.headers} {request.body}: {answer.status} {answer.body[:300]!r}"
        assert answer.status in request.good, where
        self.counts.verbs[request.verb] = self.counts.verbs.get(request.verb, 0) + 1
        if answer.status >= 400:
            self.counts.refused += 1
            self.forbidden |= request.titles
            return
        self.counts.acknowledged += 1
        if request.key and answer.status != 204:
            self.kept = (request, answer)
        for one, task in answered(request, answer):
            self.note(request, one, task, fresh)

    def note(self, request, one, task, fresh):
        """What a write made of one task; `one` is what it was named by, and None is what is gone."""
        before = request.before.get(one)
        if request.verb == "purge":
            self.lose(one)
            return
        if task is None:
            self.trash[one] = self.tasks.pop(one)
            self.earlier.pop(one, None)
            return
        check_effect(request.effects[one], before, task)
        self.note_revision(task["revision"], fresh)
        self.tasks[task["id"]] = task
        self.trash.pop(task["id"], None)
        self.earlier.pop(task["id"], None)
        if before and not before["recurrence"] and not task["recurrence"]:
            self.earlier[task["id"]] = before
        if task["next_id"] and task["next_id"] not in self.followed:
            self.followed.add(task["next_id"])
            self.awaited[task["next_id"]] = shown_of({"status": "pending"}, task)

    def lose(self, one):
        """It was purged, and with it the answers that hold it."""
        del self.trash[one]
        if self.kept and (one in self.kept[0].effects or one.encode() in self.kept[1].body):
            self.kept = None

    def note_revision(self, revision, fresh):
        """Revisions of one user are distinct, and grow."""
        assert revision > self.last_revision, f"{self.name}: {revision} after {self.last_revision}"
        self.last_revision = revision
        self.ledger.add(revision, fresh)

    def meet(self, task):
        """The next one of a series, seen for the first time."""
        check_effect(self.awaited.pop(task["id"]), None, task)
        assert task["recurrence"] and task["next_id"] is None, task
        self.ledger.add(task["revision"], fresh=False)
        self.last_revision = max(self.last_revision, task["revision"])
        self.tasks[task["id"]] = task

    # ---- after a crash ----

    def settle(self):
        """Finds out what became of the pending request; answers it when only the list can tell."""
        request, self.pending = self.pending, None
        if request is None:
            return None
        if request.good[0] >= 400:
            self.forbidden |= request.titles
            return None
        if request.key:
            self._repeat(request)
            return None
        if request.verb == "purge":
            self.doubtful |= set(request.effects)
            return None
        if None in request.effects:
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
        found = {}
        for one in request.effects:
            answer = self.client.get(f"/v1/tasks/{one}")
            found[one] = None if answer.status == 404 else answer.expect(200).json
        done = {one: found[one] != request.before.get(one) for one in found}
        assert len(set(done.values())) == 1, f"half of it: {request}, and there is {found}"
        if not any(done.values()):
            return
        self.counts.found += 1
        for one, task in sorted(found.items(), key=lambda pair: pair[1]["revision"] if pair[1] else 0):
            assert (task is None) == (request.effects[one] is None), f"{request}: {task}"
            self.note(request, one, task, fresh=False)

    def adopt(self, request, task):
        """A create whose answer was lost turns out to be done."""
        self.counts.found += 1
        self.note(request, None, task, fresh=False)

    def match_trash(self, found):
        """What is in the trash of this writer is there, save for what may have been purged."""
        gone = set(self.trash) - found
        assert gone <= self.doubtful, f"not in the trash: {list(gone - self.doubtful)[:3]}"
        for one in gone:
            self.lose(one)
        self.doubtful.clear()

    def replay(self):
        """An acknowledged write, sent again: the same answer, and nothing is done."""
        if self.kept is None:
            return
        request, first = self.kept
        again = self.send(request)
        assert again is not None and again.headers.get("Idempotency-Replayed") == "true", request
        assert (again.status, again.body) == (first.status, first.body), request
        self.counts.replayed += 1


def shown_of(body, before=None):
    """What is shown of a task after a change, of which `before` is the rest."""
    return {name: body[name] if name in body else (before or {}).get(name) for name in SHOWN}


def answered(request, answer):
    """What an answer shows: pairs of what a task was named by, and the task; None: it is gone."""
    if request.verb in ("delete", "purge"):
        return [(one, None) for one in request.effects]
    if "operations" not in (request.body or {}):
        return [(next(iter(request.effects)), json.loads(answer.body))]
    results = json.loads(answer.body)["results"]
    for operation, result in zip(request.body["operations"], results, strict=True):
        assert result["status"] == {"create": 201, "delete": 204}.get(operation["op"], 200), (operation, result)
    return [(operation["id"], result.get("task")) for operation, result in zip(request.body["operations"], results)]


def check_effect(expected, before, task):
    """The task is what a request made of what was there."""
    assert shown_of(task) == expected, f"{expected}: {task}"
    if before:
        assert task["revision"] > before["revision"] and task["created_at"] == before["created_at"]
    assert (task["completed_at"] is not None) == (task["status"] == "completed")
