# SPDX-License-Identifier: MIT
"""The checker finds what is planted. A run that nothing can fail would prove nothing."""
import copy
import json

import pytest

from checker import JOURNAL, KEYS, SPACES, TASKS, check
from load import ACK, FAIL, UNKNOWN, Attempt, Log, Operation

USER, STRANGER = "user", "stranger"


def task(number, revision, title):
    """As the API answers it."""
    return {"id": f"task-{number}", "revision": revision, "title": title, "description": title * 3, "status": "pending"}


def change(revision, number, verb):
    """A row of the journal."""
    return {"space_id": USER, "revision": revision, "id": f"task-{number}", "verb": verb}


def row(number, revision, title, **more):
    """As the database has it."""
    return {"space_id": USER, "id": f"task-{number}", "revision": revision, "title": title, "description": title * 3,
            "status": 0, **more}


def operation(verb, result, title, answer=None, before=None, **more):
    """One write; each begins when the one before has ended."""
    operation.clock += 1
    body = title and {"title": title, "description": title * 3, "status": "pending"}
    status = {ACK: 200, FAIL: 503, UNKNOWN: 503}[result]
    one = Operation(verb, USER, "POST", "/v1/tasks", body, {}, title, before=before, **more)
    one.attempts = [Attempt(operation.clock, operation.clock + 0.5, status, None, json.dumps(answer).encode())]
    one.result, one.task = result, answer
    return one


operation.clock = 0


class World:
    """A log and a database that agree: two creates, a change under a condition and a key, a deletion."""

    def __init__(self):
        self.log = Log()
        first, second = task(1, 1, "a"), task(2, 2, "b")
        self.log.operations = [
            operation("create", ACK, "a", first), operation("create", ACK, "b", second),
            operation("patch", ACK, "c", task(1, 3, "c"), first, key="k", condition=1),
            operation("delete", ACK, None, before=second),
            operation("create", FAIL, "refused"), operation("create", UNKNOWN, "maybe")]
        self.tables = {
            TASKS: [row(1, 3, "c")], SPACES: [{"space_id": USER, "revision": 4}],
            JOURNAL: [change(1, 1, 1), change(2, 2, 1), change(3, 1, 3), change(4, 2, 4)],
            KEYS: [{"space_id": USER, "key": "k", "outcome": 2, "id": "task-1", "revision": 3}]}

    def verdict(self):
        """What the checker says."""
        return check(self.log, lambda select: copy.deepcopy(self.tables[select]))

    def head(self, revision):
        """Another last revision, with the journal that leads to it."""
        self.tables[SPACES][0]["revision"] = revision
        journal = self.tables[JOURNAL]
        self.tables[JOURNAL] = journal[:revision] + [change(more, 3, 1) for more in range(len(journal) + 1, revision + 1)]

    def operation(self, number):
        """Of the log."""
        return self.log.operations[number]


def test_a_log_and_a_database_that_agree():
    verdict = World().verdict().expect_clean()
    assert (verdict.acknowledged, verdict.refused, verdict.unknown) == (4, 1, 1)


def test_an_unknown_write_may_have_been_made():
    world = World()
    world.tables[TASKS].append(row(3, 5, "maybe"))
    world.head(5)
    assert world.verdict().expect_clean().found == 1


def rolled_back(world):
    """The change is not there, the task is."""
    world.tables[TASKS] = [row(1, 1, "a")]


def gone(world):
    """The task is not there."""
    world.tables[TASKS] = []


def undeleted(world):
    """What was deleted is there."""
    world.tables[TASKS].append(row(2, 2, "b"))


def user_too_old(world):
    """The user is at an older revision than was told."""
    world.head(2)


def key_gone(world):
    """The key of an acknowledged change is not there."""
    world.tables[KEYS] = []


def overwritten(world):
    """A change under a condition does not stand after the one that it names."""
    world.operation(2).condition = 7


def twice(world):
    """Two tasks from one request."""
    world.tables[TASKS].append(row(3, 5, "c"))
    world.head(5)


def revision_twice(world):
    """Two changes were told the same revision."""
    world.operation(2).task["revision"] = 2


def unasked_change(world):
    """More changes than anyone asked for."""
    world.head(6)


def two_answers(world):
    """Two effects under one key."""
    other = copy.copy(world.operation(2).attempts[0])
    other.body = json.dumps(task(1, 4, "c")).encode()
    world.operation(2).attempts.append(other)


def refused_and_there(world):
    """What was refused is there."""
    world.tables[TASKS].append(row(3, 5, "refused"))
    world.head(5)


def half(world):
    """One member of an unknown change, and not the other."""
    world.tables[TASKS].append(row(3, 5, "maybe", description="other"))
    world.head(5)


def change_missing(world):
    """The journal lacks a change."""
    del world.tables[JOURNAL][1]


def change_twice(world):
    """The journal has a change twice."""
    world.tables[JOURNAL].append(change(2, 2, 1))


def strangers(world):
    """A task with another owner."""
    world.tables[TASKS].append(row(3, 5, "maybe", space_id=STRANGER))


def out_of_order(world):
    """The lower revision was told after the higher one."""
    world.operation(0).attempts[0].start, world.operation(0).attempts[0].end = 1000, 1001


def key_of_another(world):
    """The key names another change."""
    world.tables[KEYS][0]["revision"] = 9


PLANTED = {
    "lost": [rolled_back, gone, undeleted, user_too_old, key_gone, overwritten],
    "doubled": [twice, revision_twice, unasked_change, two_answers],
    "wrong": [refused_and_there, half, strangers, out_of_order, key_of_another, change_missing, change_twice],
}


@pytest.mark.parametrize("kind, plant", [(kind, plant) for kind, plants in PLANTED.items() for plant in plants],
                         ids=lambda one: getattr(one, "__name__", one))
def test_what_is_planted_is_found(kind, plant):
    world = World()
    plant(world)
    assert getattr(world.verdict(), kind), "not found"
