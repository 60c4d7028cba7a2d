# SPDX-License-Identifier: MIT
"""Holds what clients were told (load.py) against what the database holds.

D: what was acknowledged is there, or was overwritten by a later write. A: what was refused is not to be seen, and what
is unknown is there entirely or not at all. 1: one Idempotency-Key has one effect. V: the revisions of a user are
distinct and without gaps, no change is lost, and they are in the order in which the changes were made. O: everything
belongs to the one who wrote it."""
from collections import Counter
from dataclasses import dataclass, field

from load import ACK, FAIL, UNKNOWN

STATUS_NUMBERS = {"pending": 0, "in-progress": 1, "completed": 2}
DELETE = 4  # the verb of the journal
OUTCOMES = {"create": 1, "patch": 2, "put": 2, "delete": 3}
TASKS = "SELECT space_id, id, revision, title, description, status FROM tasks"
SPACES = "SELECT space_id, revision FROM spaces"
JOURNAL = "SELECT space_id, revision, id, verb FROM journal"
KEYS = "SELECT space_id, key, outcome, id, revision FROM idempotency_keys"


@dataclass
class Verdict:
    """What was found. Each is a list of texts that say what."""

    lost: list = field(default_factory=list)
    doubled: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0
    found: int = 0  # unknown ones that had been made

    def expect_clean(self):
        """Fails unless all is as it must be."""
        for name in ("lost", "doubled", "wrong"):
            found = getattr(self, name)
            assert not found, f"{len(found)} {name}: {found[:3]}"
        return self


class Database:
    """What stands there now. `query` runs a SELECT and answers its rows as objects."""

    def __init__(self, query):
        self.tasks = {row["id"]: row for row in query(TASKS)}
        self.spaces = {row["space_id"]: row["revision"] for row in query(SPACES)}
        self.journal = query(JOURNAL)
        self.keys = {(row["space_id"], row["key"]): row for row in query(KEYS)}


class Checker:
    """One log against one database. `verdict` is complete once it is made."""

    def __init__(self, log, database):
        self.database = database
        self.operations = log.operations
        self.verdict = Verdict(wrong=list(log.wrong))
        self.acked = [one for one in self.operations if one.result == ACK]
        self.unknown = [one for one in self.operations if one.result == UNKNOWN]
        self.refused = [one for one in self.operations if one.result == FAIL]
        self.verdict.acknowledged, self.verdict.unknown = len(self.acked), len(self.unknown)
        self.verdict.refused = len(self.refused)
        self._check_tasks()
        self._check_visible()
        self._check_keys()
        for user in {one.user for one in self.operations}:
            self._check_revisions(user)
            self._check_order(user)
        self._check_conditions()

    # ---- D ----

    def _check_tasks(self):
        """The last acknowledged change of each task is in the database, unless an unknown one came after it."""
        last = {}
        for one in self.acked:
            held = last.get(one.task_id)
            if held is None or one.start > held.start:
                last[one.task_id] = one
        doubtful = {one.task_id: one for one in self.unknown if one.task_id}
        for task_id, one in last.items():
            row = self.database.tasks.get(task_id)
            after = doubtful.get(task_id)
            if after is not None and self._is_made(after, row):
                self.verdict.found += 1
            elif one.verb == "delete":
                if row is not None:
                    self.verdict.lost.append(f"deleted and there: {row}, after {self._history(task_id)}")
            elif row is None or not same(row, one.task, one.user):
                self.verdict.lost.append(f"{one.verb} of {one.task} acknowledged, and there is {row}, after "
                                         f"{self._history(task_id)}")

    def _history(self, task_id):
        """What was told of a task, in the order of time."""
        mine = sorted((one for one in self.operations if one.task_id == task_id), key=lambda one: one.start)
        return " | ".join(f"{one.start:.3f}-{one.end:.3f} {describe(one)}" for one in mine)

    def _is_made(self, operation, row):
        if operation.verb == "delete":
            return row is None
        return row is not None and row["title"] == operation.value

    # ---- A, 1, O ----

    def _check_visible(self):
        writers = {one.value: one for one in self.operations if one.value}
        seen = Counter()
        for row in self.database.tasks.values():
            one = writers.get(row["title"])
            if one is None:
                continue  # another test's
            seen[row["title"]] += 1
            if one.result == FAIL:
                self.verdict.wrong.append(f"refused and visible: {row}, {describe(one)}")
            if row["space_id"] != one.user:
                self.verdict.wrong.append(f"another user's: {row}")
            expected = one.body["description"], STATUS_NUMBERS[one.body["status"]]
            if (row["description"], row["status"]) != expected:
                self.verdict.wrong.append(f"half of a change: {row}, {one.body}")
            if one.result == UNKNOWN and one.verb == "create":
                self.verdict.found += 1
        for title, times in seen.items():
            if times > 1:
                self.verdict.doubled.append(f"{times} tasks {title}")

    def _check_keys(self):
        """The key's row names the answer that was given, and every answer was the same."""
        for one in self.acked:
            answers = {attempt.body for attempt in one.attempts if 200 <= attempt.status < 300}
            if len(answers) > 1:
                self.verdict.doubled.append(f"two answers under one key: {describe(one)}")
            if one.key is None:
                continue
            row = self.database.keys.get((one.user, one.key))
            if row is None:
                self.verdict.lost.append(f"the key of {describe(one)}")
            elif row["outcome"] != OUTCOMES[one.verb] or one.task and row["revision"] != one.revision:
                self.verdict.wrong.append(f"the key says {row}, the answer was {describe(one)}")

    # ---- V ----

    def _check_revisions(self, user):
        told = Counter(one.revision for one in self.acked if one.user == user and one.revision)
        self.verdict.doubled += [f"revision {revision} of {user} given out {times} times"
                                 for revision, times in told.items() if times > 1]
        journal = Counter(row["revision"] for row in self.database.journal if row["space_id"] == user)
        rows = [row["revision"] for row in self.database.tasks.values() if row["space_id"] == user]
        known = set(told) | set(rows)
        head = self.database.spaces.get(user)
        if head is None:
            self.verdict.lost.append(f"the user {user}")
            return
        if known and max(known) > head:
            self.verdict.lost.append(f"revision {max(known)} of {user}, which is at {head}")
        if journal != Counter(range(1, head + 1)):
            self.verdict.wrong.append(f"the journal of {user}, who is at {head}, has not each change once")
        deletions = {row["revision"] for row in self.database.journal if row["space_id"] == user and row["verb"] == DELETE}
        gaps = [revision for revision in range(1, head + 1) if revision not in known | deletions]
        most = sum(1 for one in self.unknown if one.user == user)
        if len(gaps) > most:
            self.verdict.doubled.append(f"changes of {user} that nobody asked for: revisions {gaps[:10]}, and at most "
                                        f"{most} can be of unknown writes")

    def _check_order(self, user):
        """A write that began when another had been acknowledged has the higher revision."""
        mine = [one for one in self.acked if one.user == user and one.revision]
        by_end = sorted(mine, key=lambda one: one.end)
        highest, done = 0, 0
        for one in sorted(mine, key=lambda one: one.start):
            while done < len(by_end) and by_end[done].end < one.start:
                highest = max(highest, by_end[done].revision)
                done += 1
            if one.revision < highest:
                self.verdict.wrong.append(f"{describe(one)} took a revision below {highest}, which was told before")

    def _check_conditions(self):
        """A change with If-Match stands right after the one that it names."""
        chains = {}
        for one in self.acked:
            if one.revision:
                chains.setdefault(one.task_id, []).append(one)
        doubtful = {one.task_id for one in self.unknown}
        for task_id, chain in chains.items():
            chain.sort(key=lambda one: one.revision)
            for before, one in zip(chain, chain[1:]):
                if one.condition and one.condition != before.revision and task_id not in doubtful:
                    self.verdict.lost.append(f"an update: {describe(before)} was overwritten by {describe(one)}")


def same(row, task, user):
    """Whether a row of the database is the task that was answered."""
    return (row["space_id"], row["revision"], row["title"], row["description"], row["status"]) == (
        user, task["revision"], task["title"], task["description"], STATUS_NUMBERS[task["status"]])


def describe(operation):
    """One line of a log."""
    tries = [(f"{attempt.start:.3f}", f"{attempt.end:.3f}", attempt.status, attempt.code, attempt.replayed)
             for attempt in operation.attempts]
    return f"{operation.method} {operation.path} {operation.headers} {operation.value} -> {tries} {operation.revision}"


def check(log, query):
    """What the log and the database say of each other."""
    return Checker(log, Database(query)).verdict
