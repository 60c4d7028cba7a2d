# SPDX-License-Identifier: MIT
"""Accounts that hold what the model of the queries (tests/model) made by chance."""
import random
import sys
import time

from .accounts import User
from .paths import ROOT

sys.path.insert(0, str(ROOT / "tests" / "model"))

import made_queries  # noqa: E402

# Ends or derives by itself, in ways that are not what is counted here.
LEFT_OUT = ["recurrence", "completed_at"]


def now():
    """The present instant, as the model has it."""
    return int(time.time() * 1000)


class FilledAccount:
    """`space` is what the account holds, under the same ids. What was deleted is not there."""

    def __init__(self, server, seed, tasks=60, lists=5):
        self.chance = random.Random(seed)
        self.user = User(server)
        self.client = self.user.client
        made = made_queries.make_space(self.chance, now(), tasks, lists)
        self.space = made.space
        writer = self.client.copy()
        writer.checked = False
        writer.patch("/v1/me", {"time_zone": self.space.user.time_zone}).expect(200)
        for one in self.space.lists:
            writer.put(f"/v1/lists/{one.id}", {"name": one.name, "archived": one.archived}).expect(201)
        for task in [*made.gone, *self.space.tasks]:
            body = {name: value for name, value in task.to_json().items() if name not in LEFT_OUT}
            writer.put(f"/v1/tasks/{task.id}", body).expect(201)
        for task in made.gone:
            writer.delete(f"/v1/tasks/{task.id}").expect(204)
        writer.close()
