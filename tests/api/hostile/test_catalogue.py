# SPDX-License-Identifier: MIT
"""The hostile cases written by hand: each gets the answer that it must, changes nothing, and leaves nothing behind."""
import os

import pytest
import world as world_module
from catalogue import cases, groups
from world import Held, World

from support.client import Client

LEAST = 400
SANITIZED = "ASAN_OPTIONS" in os.environ


@pytest.fixture(scope="module")
def world(server):
    """The two accounts."""
    return World(server)


def test_there_are_enough():
    known = [(case.group, case.name) for group in groups() for case in cases(group)]
    assert len(set(known)) == len(known), "two cases of one name"
    print(f"{len(known)} cases: " + ", ".join(f"{group} {len(cases(group))}" for group in groups()))
    assert len(known) >= LEAST


@pytest.mark.parametrize("group", groups())
def test_group(world, group):
    """All of a group, so that one look at what the process holds is enough."""
    held, wrong = Held(world.server), []
    for case in cases(group):
        try:
            case.play(world)
            wished = case.line.get("changes", 0)
            assert world.changed(world.ann) == wished, "another number of changes"
            assert world.changed(world.bob) == 0, "something of bob's changed"
        except Exception as error:  # whatever it is, the others are played too
            wrong.append(f"{case.name}: {type(error).__name__}: {str(error)[:900]}")
            world.look()
    world.accounts_are_as_before()
    Client(world.server).get("/readyz").expect(200)
    held.same(more=2, sanitized=SANITIZED)
    world_module.log_is_clean(world)
    assert not wrong, f"{len(wrong)} of {len(cases(group))}:\n" + "\n".join(wrong)


def test_what_changed_is_seen(server, world):
    """The looks at the world, of which the groups make use, find what they must."""
    world.bob.task_made = world.bob.made("/v1/tasks", {"title": "x"})
    assert world.changed(world.bob) == 1 and world.changed(world.bob) == 0
    world.bob.login()
    with pytest.raises(AssertionError, match="the account of bob"):
        world.accounts_are_as_before()
    world.look()
    held = Held(server)
    left = [Client(server) for _ in range(5)]
    for one in left:
        one.get("/livez").expect(200)
    assert held.now()[0] >= held.before[0] + 5
    for one in left:
        one.close()
    held.same(more=2, sanitized=SANITIZED)
    with pytest.raises(AssertionError, match="tells"):
        world.tells_nothing(b"... " + world.bob.access.encode(), "a test")
    with pytest.raises(AssertionError):
        Client(server, world.bob.access).get("/v1/nothing").expect(200)
