# SPDX-License-Identifier: MIT
"""The random calls of tests/changes/world.py, made by many clients at once on what they share."""
from world import World


class Shared:
    """What the clients of one account know of it."""

    def __init__(self):
        self.tasks, self.lists, self.gone = [], [], []


class ManyWorld(World):
    """One of them. What another one removed a moment ago is a call that is refused."""

    TASKS_MOST = 60

    def __init__(self, recorder, chance, shared):
        super().__init__(recorder, chance)
        self.tasks, self.lists, self.gone = shared.tasks, shared.lists, shared.gone
        self.steps += [(self.read_task, 12), (self.read_tasks, 8), (self.read_others, 4), (self.empty, 0.1)]

    def step(self):
        """Makes room where there is too much, so that a page holds all."""
        if len(self.tasks) > self.TASKS_MOST and self.chance.random() < 0.5:
            self.delete()
        else:
            super().step()
        del self.gone[:-40], self.log[:-40]

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
        self.call("GET", f"/v1/tasks/{one}" + ("/history" if self.chance.random() < 0.15 else ""))

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
        self.call("GET", self.chance.choice(["/v1/lists?limit=100", "/v1/labels", "/v1/summary?time_zone=UTC", "/v1/trash?limit=100"]))

    def empty(self):
        """All of the trash."""
        self.call("DELETE", "/v1/trash")
