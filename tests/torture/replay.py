# SPDX-License-Identifier: MIT
"""Is there an order of the calls that explains all answers?

The order is that of the revisions, which the journal tells: every call that changed something stands where its changes
stand. The model is one client that makes these calls one after another, in that order, on a server of its own (SQLite,
one thread, no other load). It must be answered the same, byte for byte but for times and cursors, and write the same
journal. Every read, every refusal and everything that a follower held must be what the model answers at a revision
between those that were certain before the call and those that were possible when it was over."""
import datetime
import itertools
import json
import sqlite3
import uuid
from collections import Counter, defaultdict

from effects import Effects, is_list, is_purge, number_of
from place import rows_of_file

NOWHERE = "ffffffff-ffff-4fff-bfff-ffffffffffff"
POISON = {"op": "update", "id": NOWHERE, "task": {"title": "Never"}}
TIMES = {"created_at", "updated_at", "completed_at", "deleted_at", "expires_at", "at"}
LEFT_OUT = {"request_id", "instance", "detail", "tag", "next_cursor", "by"}
KEEP_SECONDS = 60  # where what is old is forgotten; the least that there is
CREATE = 1  # the verb of the journal
UNORDERED = {"/v1/tasks", "/v1/trash"}


def plain(value):
    """Without what differs from one run to the next."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for name, one in value.items():
        if name in TIMES:
            found[name] = ({end: at and "then" for end, at in one.items()} if isinstance(one, dict) else one and "then")
        elif name not in LEFT_OUT:
            found[name] = plain(one)
    return found


def content(call_path, text):
    """An answer as it is compared. What is ordered by times is a set."""
    if not text:
        return None
    found = plain(json.loads(text))
    base, _, query = call_path.partition("?")
    if base in UNORDERED and "items" in found and "sort=" not in query:
        found["items"] = sorted(found["items"], key=lambda one: one.get("id") or one["task"]["id"])
    if base.startswith("/v1/labels") and "items" not in found:
        found.pop("order", None)
    return found


def thing_of(path):
    """The path of the one thing that a call is about; None: it is about others too."""
    words = path.partition("?")[0].removesuffix("/move").removesuffix("/skip").split("/")
    return "/".join(words) if len(words) == 4 and words[2] in ("tasks", "lists") and words[3] != "batch" else None


def codes_of(call):
    """What a refusal says, from the whole to its parts."""
    return {call.json["code"], *(error["code"] for error in call.json.get("errors", []))}


def things_in(value):
    """All tasks and lists of an answer."""
    if isinstance(value, list):
        for one in value:
            yield from things_in(one)
    elif isinstance(value, dict) and {"id", "revision", "created_at"} <= value.keys():
        yield value
    elif isinstance(value, dict):
        for name in ("items", "results", "task"):
            yield from things_in(value.get(name))


class Model:
    """The account again, on a server that nobody else uses."""

    def __init__(self, server, user):
        self.user, self.client = user.id, user.client
        self.client.checked = False
        self.file = server.directory / "data" / "taskhold.db"
        self.tag = user.client.learn_space().space
        self.revision, self.cache = 0, {}

    def get(self, path):
        """A read, once for each revision."""
        if path not in self.cache:
            self.cache[path] = self.client.get(path)
        return self.cache[path]

    def same_fields(self, call):
        """The fields of a call, with our tag."""
        fields = {name: value for name, value in call.headers.items() if name != "Idempotency-Key"}
        if "If-Match" in fields:
            fields["If-Match"] = f'"{self.tag}-{number_of(fields["If-Match"])}"'
        return fields

    def play(self, call):
        """Makes the call; answers what came, and the rows of the journal that it wrote."""
        method, path, body, fields = call.method, call.path, call.body, self.same_fields(call)
        if method == "POST" and path in ("/v1/tasks", "/v1/lists") and call.status == 201:
            method, path = "PUT", f"{path}/{call.json['id']}"
        if path == "/v1/tasks/batch" and call.status == 200:
            body = {**body, "operations": [self.named(*both) for both in zip(body["operations"], call.json["results"])]}
        answer = self.client.request(method, path, headers=fields, **({} if body is None else {"json": body}))
        self.cache = {}
        rows = rows_of_file(self.file, self.user, self.revision)
        self.revision += len(rows)
        return answer, rows

    def date(self, kind, one, created_at):
        """Makes a thing as old as it was: things are changed together in the order in which they were made."""
        db = sqlite3.connect(self.file, timeout=30)
        try:
            with db:
                db.execute("PRAGMA wal_autocheckpoint=0")
                db.execute(f"UPDATE {kind}s SET created_at = ? WHERE space_id = ? AND id = ?",
                           (created_at, *(uuid.UUID(value).bytes for value in (self.user, one))))
        finally:
            db.close()

    @staticmethod
    def named(operation, result):
        """A create under the id that the server gave it."""
        if operation["op"] == "create" and "id" not in operation and result.get("task"):
            return {**operation, "id": result["task"]["id"]}
        return operation

    def try_out(self, call):
        """What the call would be refused with, as (status, code); None: it would not be. Changes nothing."""
        base, _, tail = call.path.removeprefix("/v1/tasks").partition("/move")
        operations = call.body["operations"] if base == "/batch" else None
        if operations is None:
            verb = {"POST": "move" if call.path.endswith("/move") else "create", "PUT": "replace", "PATCH": "update",
                    "DELETE": "delete"}[call.method]
            one = {"op": verb, **({"id": base[1:]} if base else {}), **({} if call.body is None else {"task": call.body})}
            fields = self.same_fields(call)
            operations = [{**one, **({"if_match": fields["If-Match"]} if "If-Match" in fields else {})}]
        assert not tail
        answer = self.client.post("/v1/tasks/batch", {"operations": [*operations, POISON]}).expect(409, "batch_failed")
        first = answer.json["errors"][0]
        refused = int(first["pointer"].split("/")[2])
        return None if refused == len(operations) else (first["status"], first["code"], refused)

    def judge(self, call, certain):
        """Would the call be refused, or change nothing, as it was told? None: that cannot be said without making it.
        `certain`: it is here or nowhere."""
        base, _, query = call.path.partition("?")
        if query and base == "/v1/tasks":
            answer = self.client.request(call.method, call.path + "&dry_run=true", headers=self.same_fields(call),
                                         **({} if call.body is None else {"json": call.body}))
            return answer.status == call.status and content(base, answer.body) == content(base, call.text)
        if call.status >= 400 and (base in ("/v1/tasks", "/v1/tasks/batch") or (thing_of(base) or "").startswith("/v1/tasks/")
                                   and not base.endswith("/skip")):
            tried = self.try_out(call)
            return tried is not None and self.is_told(call, tried)
        if certain:
            answer, rows = self.play(call)
            return not rows and answer.status == call.status and content(base, answer.body) == content(base, call.text)
        return True if call.status < 400 else self.judge_by_reading(call, base.split("/"))

    @staticmethod
    def is_told(call, tried):
        """Is that how the call was refused?"""
        status, code, place = tried
        if call.path == "/v1/tasks/batch":
            first = call.json["errors"][0]
            return (first["status"], first["code"], int(first["pointer"].split("/")[2])) == (status, code, place)
        return call.status == status and code in codes_of(call)

    def judge_by_reading(self, call, words):
        """What a refusal says can be seen."""
        kind, one, verb = words[2], words[3], words[-1]
        if kind == "labels":
            return call.status == 404 and one not in {label["name"] for label in self.get("/v1/labels").json["items"]} or None
        found = self.get(f"/v1/{'lists' if kind == 'lists' else 'tasks'}/{one}")
        there, code = found.status == 200, call.json["code"]
        if verb == "restore":
            trashed = {item["task"]["id"] for item in self.get("/v1/trash?limit=100").json["items"]}
            return call.status == 404 and (there or one not in trashed)
        if verb == "undo" and code in ("not_found", "changed_since"):
            last = self.get(f"/v1/tasks/{one}/history?limit=1")
            return last.status == 404 if call.status == 404 else last.json["items"][0]["revision"] != call.body["revision"]
        if call.status == 404:
            return not there
        if code in ("not_recurring", "completed"):
            return there and (found.json["recurrence"] is None if code == "not_recurring" else found.json["status"] == code)
        if code == "not_empty":
            return bool(self.get(f"/v1/tasks?list={one}&limit=1").json["items"])
        return None


class Replay:
    """One history against the model. `wrong` says what no order explains."""

    def __init__(self, history, model):
        self.history, self.model = history, model
        self.wrong, self.counts = list(history.wrong), Counter()
        self.exact, self.windows, self.silent = defaultdict(list), [], []
        self.effects = Effects(history, self.complain)
        self.done, self.in_order = set(), True
        self.created = self.find_times()

    def complain(self, what, call=None):
        """One thing that is wrong."""
        self.wrong.append(f"{what}: {call}" if call is not None else what)

    def run(self):
        """All of it; answers what is wrong."""
        changing = {id(call) for calls in self.effects.changes.values() for call in calls}
        self.changing = [call for call in self.effects.calls if id(call) in changing]
        self.counts.update(calls=len(self.effects.calls), changes=len(self.changing), replays=self.effects.replayed,
                           snapshots=len(self.history.snapshots))
        for call in self.effects.calls:
            self.plan(call, id(call) in changing)
        for snapshot in self.history.snapshots:
            self.at(snapshot.revision, snapshot)
        if self.check_journal():
            self.play_all()
            if self.in_order:
                self.check_forgotten()
        return self.wrong

    def check_forgotten(self):
        """Nobody is told to begin again before what they missed is old enough."""
        for revision, moment in self.history.forgotten:
            self.counts["begun again"] += 1
            missed = next((call for call in self.changing if call.first <= revision + 1 <= call.end_revision), None)
            if missed is not None and missed.start + KEEP_SECONDS - 1 > moment:
                self.complain(f"revision {revision + 1} was forgotten after {moment - missed.start:.1f} s", missed)

    def find_times(self):
        """When each thing was made, by its id and the revision of that. A thing is the same wherever it was shown under
        one revision, and no time of it goes back. What is in the trash has no revision: a label may be renamed there."""
        shown = {}
        held = (thing for snapshot in self.history.snapshots for thing in snapshot.held.values())
        for thing in itertools.chain(held, *(things_in(call.json) for call in self.effects.calls
                                            if call.status < 300 and not call.path.startswith("/v1/trash?")
                                            and call.path != "/v1/trash")):
            if shown.setdefault((thing["id"], thing["revision"]), thing) != thing:
                self.complain(f"shown as {thing} and as {shown[thing['id'], thing['revision']]}")
        made = defaultdict(list)
        for row in self.history.journal:
            if row.verb == CREATE:
                made[row.id].append(row.revision)
        found, last = {}, {}
        for (one, revision), thing in sorted(shown.items(), key=lambda item: item[0][1]):
            since = [number for number in made[one] if number <= revision]
            key = (one, since[-1] if since else 0)
            before = last.get(key, thing)
            if not before["created_at"] == thing["created_at"] <= before["updated_at"] <= thing["updated_at"]:
                self.complain(f"its times go back: {before}, {thing}")
            last[key] = thing
            at = datetime.datetime.fromisoformat(thing["created_at"].replace("Z", "+00:00"))
            found[key] = round(at.timestamp() * 1000)
        return found

    def check_journal(self):
        """Revisions grow by one, and somebody made each."""
        for place, row in enumerate(self.history.journal, 1):
            if row.revision != place:
                self.complain(f"revision {row.revision} stands where {place} should")
                return False
        return True

    def at(self, revision, one):
        """Looks at it at that revision, which must be one of those that are possible."""
        if not one.lo <= revision <= one.hi:
            self.complain(f"shows revision {revision}", one)
        else:
            self.exact[revision].append(one)

    def plan(self, call, changes):
        """When a call is looked at."""
        if call.replayed:
            return
        revision = number_of(call.etag)
        if changes:
            if call.last and not call.lo < call.last <= call.hi:
                self.complain(f"took revision {call.last}", call)
        elif is_purge(call):
            self.silent.append(call)
        elif call.status < 300 and revision is not None and is_list(call.path) and not call.writes:
            self.at(revision, call)
        elif call.status < 300 and revision is not None and thing_of(call.path):
            self.at(max(call.lo, revision), call)
        else:
            self.windows.append(call)

    # ---- the calls in their order ----

    def play_all(self):
        """Plays what changed something; between, looks at what is to be looked at."""
        queues = {client: list(calls) for client, calls in self.effects.changes.items()}
        journal = self.history.journal
        self.look()
        while self.model.revision < len(journal):
            row = journal[self.model.revision]
            queue = queues.get(self.history.sessions.get(row.actor))
            if not queue:
                self.complain(f"nobody was told of {row} by {self.history.sessions.get(row.actor)}")
                return
            call = queue.pop(0)
            if not self.play(call):
                return
            self.done.add(id(call))
            self.look()
        for call in (call for queue in queues.values() for call in queue):
            self.complain("acknowledged, and the journal knows nothing of it", call)
        for call in self.windows:
            self.give_up(call)

    def play(self, call):
        """One call; False: from here on nothing can be compared."""
        call.first = self.model.revision + 1
        answer, rows = self.model.play(call)
        call.end_revision = self.model.revision
        theirs = self.history.journal[call.first - 1:self.model.revision]
        if not rows or [row.content for row in rows] != [row.content for row in theirs]:
            if rows and self.are_siblings_in_another_order(rows, theirs):
                self.counts["cut short"] += 1
                self.windows, self.in_order = [], False
                return False
            self.complain(f"the journal has {theirs} for what in this order makes {rows} ({answer.status} {answer.body[:300]!r})", call)
            return False
        if {self.history.sessions.get(row.actor) for row in theirs} != {call.client}:
            self.complain(f"others changed something in between: {theirs}", call)
        self.compare(call, answer)
        for row in rows:
            if row.verb == CREATE and (created := self.created.get((row.id, row.revision))):
                self.model.date(row.kind, row.id, created)
        return True

    @staticmethod
    def are_siblings_in_another_order(rows, theirs):
        """What is below one task goes along level by level; in which order within a level is the database's choice, and
        from there on the revisions differ."""
        same = sorted(str(row.content[1:]) for row in rows) == sorted(str(row.content[1:]) for row in theirs)
        return same and all(row.follows is not None or row.content == other.content for row, other in zip(rows, theirs))

    def compare(self, call, answer):
        """Is it answered the same?"""
        self.counts["compared"] += 1
        same = answer.status == call.status and content(call.path, answer.body) == content(call.path, call.text)
        if not same or number_of(answer.headers.get("ETag")) != number_of(call.etag):
            self.complain(f"in this order it is {answer.status} {answer.body[:600]!r}", call)

    # ---- what changes nothing ----

    def look(self):
        """At this revision."""
        for one in self.exact.pop(self.model.revision, []):
            self.look_exactly(one)
        self.look_around()
        while self.silent and all(id(call) in self.done for call in self.changing if call.end < self.silent[0].start):
            call = self.silent.pop(0)
            answer, rows = self.model.play(call)
            self.compare(call, answer)
            if rows:
                self.complain(f"made {rows}", call)
            self.look_around()

    def look_exactly(self, one):
        """A list, a task, or what a follower held."""
        if hasattr(one, "held"):
            self.look_at_snapshot(one)
            return
        self.compare_read(one, self.model.get(thing_of(one.path) if one.writes else one.path))

    def compare_read(self, call, answer):
        """A read; a write that changed nothing is one of the thing."""
        self.counts["compared"] += 1
        if (200, content(call.path, answer.body)) != (200 if call.writes else call.status, content(call.path, call.text)):
            self.complain(f"at revision {self.model.revision} it is {answer.status} {answer.body[:600]!r}", call)

    def look_at_snapshot(self, one):
        """Everything that there was."""
        wanted = {}
        for kind, path in (("task", "/v1/tasks?limit=100"), ("list", "/v1/lists?limit=100")):
            page = self.model.get(path).json
            if page["next_cursor"]:
                self.counts["too large to compare"] += 1
                return
            wanted.update({(kind, thing["id"]): plain(thing) for thing in page["items"]})
        held = {key: plain(thing) for key, thing in one.held.items()}
        self.counts["compared"] += 1
        if held != wanted:
            differ = [key for key in held.keys() | wanted.keys() if held.get(key) != wanted.get(key)]
            self.complain(f"{one.who} held at revision {one.revision} {[held.get(key) for key in differ[:2]]}, and there was "
                          f"{[wanted.get(key) for key in differ[:2]]}")

    def look_around(self):
        """What may stand at any of several revisions is done with at the first that explains it."""
        now = self.model.revision
        left = []
        for call in self.windows:
            if call.lo > now:
                left.append(call)
            elif now > call.hi:
                self.give_up(call)
            elif self.explains(call):
                self.counts["compared"] += 1
            else:
                left.append(call)
        self.windows = left

    def explains(self, call):
        """Would it be answered so here?"""
        if not call.writes:
            answer = self.model.get(call.path)
            return answer.status == call.status and content(call.path, answer.body) == content(call.path, call.text)
        tried = self.model.judge(call, call.lo == call.hi)
        call.undecided |= tried is None
        return bool(tried)

    def give_up(self, call):
        """All revisions at which it may stand have been looked at."""
        if call.undecided:
            self.counts["undecided"] += 1
        else:
            self.complain("no revision explains it", call)
