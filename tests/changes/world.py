# SPDX-License-Identifier: MIT
"""Random calls on what one account holds. What is wrong with a call by chance is refused, and counts as nothing."""
import json
import uuid

from support.server import run

TITLES = ["Milk", "Bread", "Call", "Pay", "Write", "\U0001f434", "é"]
LABELS = ["home", "work", "a/b", "é", "x"]
RULES = ["FREQ=DAILY", "FREQ=WEEKLY;COUNT=3", "FREQ=MONTHLY"]
REFUSED = {400, 404, 409, 412, 422}


def known_calls():
    """METHOD and path of each call that this program has."""
    return {f"{row['method']} {row['path']}" for row in json.loads(run("routes", "--json").stdout)}


class World:
    """Makes one call at a time, each of which has been answered when the next is made."""

    def __init__(self, client, chance):
        self.client, self.chance = client, chance
        self.tasks, self.lists, self.gone = [], [], []
        self.log = []
        calls = known_calls()
        self.steps = [(self.create, 10), (self.update, 10), (self.complete, 5), (self.replace, 3), (self.delete, 4),
                      (self.move, 4), (self.skip, 1), (self.make_list, 2), (self.change_list, 2), (self.move_list, 1),
                      (self.delete_list, 1), (self.rename_label, 1), (self.delete_label, 1)]
        for call, step, weight in (
            ("POST /v1/tasks/batch", self.batch, 4), ("PATCH /v1/tasks", self.update_many, 1),
            ("DELETE /v1/tasks", self.delete_many, 1), ("POST /v1/trash/{id}/restore", self.restore, 3),
            ("DELETE /v1/trash/{id}", self.purge, 1), ("POST /v1/tasks/{id}/undo", self.undo, 4),
        ):
            self.steps += [(step, weight)] if call in calls else []

    def call(self, method, path, body=None):
        """Answers the answer; None when it was refused."""
        more = {} if body is None else {"json": body}
        answer = self.client.request(method, path, **more)
        self.log.append((method, path, body, answer.status))
        assert answer.status < 300 or answer.status in REFUSED, (method, path, body, answer.status, answer.body)
        return answer if answer.status < 300 else None

    def step(self):
        """One call."""
        steps, weights = zip(*self.steps)
        self.chance.choices(steps, weights)[0]()

    def one(self, ids):
        """One of them, at times another one, or one that never was."""
        known = self.gone if self.gone and self.chance.random() < 0.05 else ids
        return self.chance.choice(known) if known else str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def members(self):
        """Some members of a task."""
        chance, found = self.chance, {}
        for name, make in {
            "title": lambda: chance.choice(TITLES) * chance.randint(1, 3),
            "description": lambda: chance.choice([None, "Text\n" * chance.randint(1, 300)]),
            "priority": lambda: chance.choice(["none", "low", "urgent"]),
            "labels": lambda: chance.sample(LABELS, chance.randint(0, 3)),
            "list_id": lambda: chance.choice([None, self.one(self.lists)]),
            "parent_id": lambda: chance.choice([None, None, self.one(self.tasks)]),
            "blocked_by": lambda: chance.choice([[], [self.one(self.tasks)]]),
            "due": lambda: chance.choice([None, "2030-02-03", "2030-02-03T04:05:06.000Z"]),
            "recurrence": lambda: chance.choice([None, None, *RULES]),
            "metadata": lambda: chance.choice([{}, {"a": "b"}]),
            "status": lambda: chance.choice(["pending", "in-progress"]),
        }.items():
            if chance.random() < 0.25:
                found[name] = make()
        return found

    def know(self, answer):
        """Remembers the task that was answered, and its next one."""
        task = answer.json if answer is not None and answer.body else {}
        for one in (task.get("id"), task.get("next_id")):
            if one and one not in self.tasks:
                self.tasks.append(one)

    def forget(self, known, one):
        """It is gone."""
        if one in known:
            known.remove(one)
        self.gone.append(one)

    def create(self):
        """Under an id of ours, or of the server's."""
        body = {"title": "Task", **self.members()}
        if self.chance.random() < 0.5:
            self.know(self.call("POST", "/v1/tasks", body))
        else:
            self.know(self.call("PUT", f"/v1/tasks/{uuid.UUID(int=self.chance.getrandbits(128), version=4)}", body))

    def update(self):
        """A merge patch."""
        self.know(self.call("PATCH", f"/v1/tasks/{self.one(self.tasks)}", self.members()))

    def complete(self):
        """Or open it again."""
        status = self.chance.choice(["completed", "completed", "pending"])
        self.know(self.call("PATCH", f"/v1/tasks/{self.one(self.tasks)}", {"status": status}))

    def replace(self):
        """All members; what is not there is made."""
        self.know(self.call("PUT", f"/v1/tasks/{self.one(self.tasks)}", {"title": "Replaced", **self.members()}))

    def delete(self):
        """With its subtree."""
        one = self.one(self.tasks)
        if self.call("DELETE", f"/v1/tasks/{one}") is not None:
            self.forget(self.tasks, one)

    def move(self):
        """To a place, in another list or under another task."""
        body = {}
        for name, ids in (("list_id", self.lists), ("parent_id", self.tasks)):
            if self.chance.random() < 0.3:
                body[name] = self.chance.choice([None, self.one(ids)])
        if self.chance.random() < 0.3:
            body[self.chance.choice(["after", "before"])] = self.one(self.tasks)
        self.call("POST", f"/v1/tasks/{self.one(self.tasks)}/move", body)

    def skip(self):
        """The next date."""
        self.call("POST", f"/v1/tasks/{self.one(self.tasks)}/skip")

    def make_list(self):
        """A new list."""
        answer = self.call("POST", "/v1/lists", {"name": self.chance.choice(TITLES)})
        self.lists += [answer.json["id"]] if answer else []

    def change_list(self):
        """Its name, or whether it is archived."""
        body = self.chance.choice([{"name": "Other"}, {"archived": True}, {"archived": False}, {"color": "#aabbcc"}])
        self.call("PATCH", f"/v1/lists/{self.one(self.lists)}", body)

    def move_list(self):
        """To the end, or after another."""
        body = self.chance.choice([{}, {"after": self.one(self.lists)}])
        self.call("POST", f"/v1/lists/{self.one(self.lists)}/move", body)

    def delete_list(self):
        """With its tasks, without them, or only if it has none."""
        one, how = self.one(self.lists), self.chance.choice(["", "?tasks=delete", "?tasks=inbox"])
        if self.call("DELETE", f"/v1/lists/{one}{how}") is not None:
            self.forget(self.lists, one)

    def rename_label(self):
        """Of all tasks."""
        self.call("PATCH", "/v1/labels/" + self.chance.choice(["home", "work", "x"]), {"name": self.chance.choice(LABELS)})

    def delete_label(self):
        """Of all tasks."""
        self.call("DELETE", "/v1/labels/" + self.chance.choice(["home", "work", "x"]))

    def batch(self):
        """Several in one transaction, or each for itself."""
        operations = []
        for _ in range(self.chance.randint(1, 6)):
            op, one = self.chance.choice(["create", "replace", "update", "delete", "move"]), self.one(self.tasks)
            made = {"op": op, "id": one}
            if op == "create":
                made = {"op": op, "task": {"title": "Of a batch", **self.members()}}
            elif op == "move":
                made["task"] = self.chance.choice([{}, {"list_id": None}, {"parent_id": self.one(self.tasks)}])
            elif op != "delete":
                made["task"] = {**({"title": "Of a batch"} if op == "replace" else {}), **self.members()}
            operations.append(made)
        answer = self.call("POST", "/v1/tasks/batch", {"operations": operations, "atomic": self.chance.random() < 0.5})
        for result in answer.json["results"] if answer else []:
            one = (result.get("task") or {}).get("id")
            if one and one not in self.tasks:
                self.tasks.append(one)

    def update_many(self):
        """What a filter finds."""
        query = self.chance.choice(["label=x", "status=completed", "priority=urgent", "overdue=true"])
        self.call("PATCH", f"/v1/tasks?{query}&max=1000", {"priority": self.chance.choice(["none", "low"])})

    def delete_many(self):
        """What a filter finds."""
        query = self.chance.choice(["label=x", "status=completed&label=home", "priority=urgent"])
        self.call("DELETE", f"/v1/tasks?{query}&max=1000")

    def trashed(self):
        """The id of one in the trash."""
        items = self.client.get("/v1/trash").expect(200).json["items"]
        return self.chance.choice(items)["task"]["id"] if items else None

    def restore(self):
        """Out of the trash."""
        one = self.trashed()
        if one:
            self.know(self.call("POST", f"/v1/trash/{one}/restore"))

    def purge(self):
        """For good."""
        one = self.trashed()
        if one:
            self.call("DELETE", f"/v1/trash/{one}")

    def undo(self):
        """The last change of a task."""
        one = self.one(self.tasks)
        answer = self.client.get(f"/v1/tasks/{one}/history?limit=1")
        if answer.status == 200 and answer.json["items"]:
            revision = answer.json["items"][0]["revision"]
            self.know(self.call("POST", f"/v1/tasks/{one}/undo", {"revision": revision}))
