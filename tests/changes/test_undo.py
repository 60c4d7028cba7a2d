# SPDX-License-Identifier: MIT
"""Each kind of change of a task, taken back, leaves what was there before; taken back once more, what was there after.
Revisions and the times of changes aside."""
import os
import random

import pytest

from support.accounts import User
from support.changes import Follower, content
from support.client import Client
from world import World, known_calls

UNDO = "POST /v1/tasks/{id}/undo"
SEEDS = range(int(os.environ.get("SEEDS", "12")))
ASIDE = ("revision", "updated_at")

pytestmark = pytest.mark.skipif(UNDO not in known_calls(), reason="this program has no undo")


def state(client):
    """What there is, without what each change changes. A blocker that is gone blocks nothing, and no restore brings back
    its name."""
    held = content(client)
    found = {key: {name: value for name, value in one.items() if name not in ASIDE} for key, one in held.items()}
    for one in found.values():
        if "blocked_by" in one:
            one["blocked_by"] = [blocker for blocker in one["blocked_by"] if ("task", blocker) in held]
    return found


def last_change(client, follower, task):
    """The revision of the last change of the task, if it was of these."""
    found = [change["revision"] for change in follower.follow() if change["id"] == task]
    return found[-1] if found else None


def undo(client, follower, task, revision):
    """Takes it back; answers the revision of that, or None when it cannot be."""
    answer = client.post(f"/v1/tasks/{task}/undo", {"revision": revision})
    if answer.status == 409:
        assert answer.code == "cannot_undo", answer.body
        return None
    assert answer.status in (200, 204), answer.body
    return last_change(client, follower, task)


class Changes(World):
    """The calls that are about one task."""

    def make(self):
        """Makes one of them; answers the task that it was about, or None."""
        before = len(self.log)
        self.chance.choice([self.create, self.update, self.complete, self.replace, self.delete, self.move, self.skip])()
        method, path, _, status = self.log[before]
        if status >= 300:
            return None
        return self.tasks[-1] if path == "/v1/tasks" and method == "POST" else path.split("/")[3]


@pytest.mark.parametrize("seed", SEEDS)
def test_undo_and_undo_of_the_undo(server, seed):
    user = User(server)
    client = Client(server, user.token["access_token"], checked=False)
    follower = Follower(client)
    world = Changes(client, random.Random(seed))
    done = 0
    for _ in range(5):
        world.create()
    for _ in range(15):
        world.step()
    for _ in range(40):
        follower.follow()
        before = state(client)
        task = world.make()
        change = last_change(client, follower, task) if task else None
        if change is None:
            continue
        after = state(client)
        taken_back = undo(client, follower, task, change)
        if taken_back is None:
            continue
        assert state(client) == before, world.log[-1]
        again = undo(client, follower, task, taken_back)
        assert again is not None and state(client) == after, world.log[-1]
        done += 1
    assert done >= 2  # most of 40; where a change cannot be put back, it is left out
