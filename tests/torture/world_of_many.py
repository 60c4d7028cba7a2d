# SPDX-License-Identifier: MIT
"""The random calls of tests/changes/world.py, made by many clients at once on what they share."""
import random

from world import World


class Shared:
    """What the clients of one account know of it, and what they like to do: each seed likes other calls, and has other
    numbers of tasks, so that some are about the same few things all the time."""

    def __init__(self, chance, forgets=False, plain=False):
        self.tasks, self.lists, self.gone, self.forgets, self.plain = [], [], [], forgets, plain
        self.most = 20 if plain else chance.choice([6, 20, 60])
        self.seed = chance.getrandbits(64)

    def liking(self, name):
        """How much they like a call, by its name. What is about the past has no one answer where that is forgotten."""
        if self.forgets and name in ("restore", "purge", "empty", "undo"):
            return 0
        return 1 if self.plain else random.Random(f"{self.seed} {name}").choice([0, 1, 1, 4])


class ManyWorld(World):
    """One of them. What another one removed a moment ago is a call that is refused."""

    def __init__(self, recorder, chance, shared):
        super().__init__(recorder, chance)
        self.tasks, self.lists, self.gone = shared.tasks, shared.lists, shared.gone
        self.most, self.forgets = shared.most, shared.forgets
        self.steps = [(step, weight * (shared.liking(step.__name__) or (step.__name__ == "create"))) for step, weight in
                      [*self.steps, (self.read_task, 12), (self.read_tasks, 8), (self.read_others, 4), (self.empty, 0.1)]]

    def step(self):
        """Makes room where there is too much, so that a page holds all."""
        if len(self.tasks) > self.most and self.chance.random() < 0.5:
            self.delete()
        else:
            super().step()
        del self.gone[:-40], self.log[:-40]

    def members(self):
        """More that is about dates."""
        chance, found = self.chance, super().members()
        if chance.random() < 0.1:
            found["due"] = "2026-01-02"
        if chance.random() < 0.1:
            found["start"] = chance.choice([None, "2025-12-31", "2030-02-01"])
        if chance.random() < 0.1:
            found["time_zone"] = chance.choice([None, "Europe/Berlin", "America/New_York"])
        if chance.random() < 0.1:
            found["recurrence_anchor"] = chance.choice(["due", "completion"])
        return found

    def forget(self, known, one):
        """Somebody else may have forgotten it meanwhile."""
        try:
            known.remove(one)
        except ValueError:
            pass
        self.gone.append(one)

    def one(self, ids):
        """Of a list that others change."""
        return super().one(list(ids))

    def read_task(self):
        """One task: as it is, or as it came to be."""
        one = self.one(self.tasks)
        self.call("GET", f"/v1/tasks/{one}" + ("/history" if self.chance.random() < 0.15 and not self.forgets else ""))

    def read_tasks(self):
        """Many of them."""
        chance = self.chance
        query = chance.choice(["", "", "", "&sort=title", "&sort=position", "&label=home", "&label.all=x", "&status=pending",
                               "&status=completed", "&priority=urgent", "&parent=none", "&list=inbox", "&blocked=true",
                               "&ready=true", "&recurring=true", "&archived=false", "&include=total", "&q=milk",
                               f"&list={self.one(self.lists)}", f"&parent={self.one(self.tasks)}"])
        self.call("GET", f"/v1/tasks?limit=100{query}")

    def read_others(self):
        """What else there is."""
        self.call("GET", self.chance.choice(["/v1/lists?limit=100", "/v1/labels", "/v1/summary?time_zone=UTC"] +
                                            ([] if self.forgets else ["/v1/trash?limit=100"])))

    def empty(self):
        """All of the trash."""
        self.call("DELETE", "/v1/trash")
