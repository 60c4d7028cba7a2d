# SPDX-License-Identifier: MIT
"""Calls at the same moment, by line: races/races.yaml. After each the account must be in one piece."""
import collections
import json
import os
import pathlib
import re
import threading
import uuid

import pytest
import yaml

from support.accounts import User
from support.changes import Follower, content, pages
from support.client import Client

LINES = yaml.safe_load((pathlib.Path(__file__).parent / "races" / "races.yaml").read_text(encoding="utf-8"))
ROUNDS = int(os.environ.get("ROUNDS", "1"))
AGAIN_MOST = 10
NAME = re.compile(r"<(\w+)(?:\.(\w+))?>")


class Race:
    """One line, on an account of its own."""

    def __init__(self, server, line):
        self.line, self.server, self.user = line, server, User(server)
        self.values = {"fresh": str(uuid.uuid4()), "refresh": self.user.token["refresh_token"], "password": self.user.password}
        self.made = {}
        for name, members in line.get("make", {}).items():
            self.made[name] = self.make(dict(members))

    def make(self, members):
        """What must be there before."""
        kinds = {kind: members.pop(kind) for kind in ("list", "trash", "tokens") if kind in members}
        if "tokens" in kinds:
            return [self.user.script_token("tasks:read") for _ in range(kinds["tokens"])]
        thing = self.user.client.post("/v1/lists" if "list" in kinds else "/v1/tasks", members).expect(201)
        thing = {**thing.json, "tag": thing.etag}
        if "trash" in kinds:
            self.user.client.delete(f"/v1/tasks/{thing['id']}").expect(204)
        return thing

    def fill(self, value, number):
        """Puts values in; one that is all of a text keeps its type."""
        if isinstance(value, dict):
            return {name: self.fill(one, number) for name, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one, number) for one in value]
        if not isinstance(value, str):
            return value
        whole = NAME.fullmatch(value)
        return self.value(whole, number) if whole else NAME.sub(lambda m: str(self.value(m, number)), value)

    def value(self, match, number):
        """One value."""
        name, member = match.groups()
        if name == "n":
            return str(number)
        return self.made[name][member or "id"] if name in self.made else self.values[name]

    def ask(self, call, number, answers=None, start=None):
        """One call, on a connection of its own."""
        method, path = self.fill(call["call"], number).split(" ", 1)
        client = self.user.client.copy() if call.get("as") != "nobody" else Client(self.server)
        fields = dict(self.fill(one, number).split(": ", 1) for one in call.get("fields", []))
        body = {"json": self.fill(call["json"], number)} if "json" in call else {}
        if start:
            start.wait()
        answer = client.request(method, path, headers=fields, **body)
        client.close()
        if answers is not None:
            answers.append(answer)
        return answer

    def run(self):
        """All at the same moment; answers the answers."""
        calls = [call for call in self.line["calls"] for _ in range(call["times"])]
        start, answers = threading.Barrier(len(calls)), []
        threads = [threading.Thread(target=self.ask, args=(call, number, answers, start)) for number, call in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == len(calls), "a call had no answer, or one that is not as described"
        return answers

    def judge(self, answers):
        """As many of each as there must be, and what is there afterwards."""
        got = collections.Counter(f"{one.status} {one.code}" if one.code else str(one.status) for one in answers)
        assert not [name for name in got if name.startswith("5")], got
        if "back" in self.line:
            wished = {str(name): str(count) for name, count in self.line["back"].items()}
            bounds = {name: (int(count.split("-")[0]), int(count.split("-")[-1])) for name, count in wished.items()}
            least, most = ({name: bound[at] for name, bound in bounds.items()} for at in (0, 1))
            wrong = [name for name in set(got) | set(bounds) if not least.get(name, 0) <= got[name] <= most.get(name, 0)]
            assert not wrong, f"{dict(got)} in place of {wished}"
        for call in self.line.get("then", []):
            answer = self.ask(call, 0)
            assert answer.status == call["back"], answer.body
            assert self.fill(call.get("says", ""), 0).encode() in answer.body, answer.body


def no_circle(edges):
    """Nothing leads to itself."""
    done = set()

    def walk(at, above):
        assert at not in above, f"a circle: {above}"
        if at not in done:
            for one in edges.get(at, ()):
                walk(one, above | {at})
            done.add(at)

    for one in edges:
        walk(one, frozenset())


def in_one_piece(client):
    """All that the calls answer about an account agrees."""
    held = content(client)
    tasks = {key[1]: one for key, one in held.items() if key[0] == "task"}
    lists = {key[1]: one for key, one in held.items() if key[0] == "list"}
    follower = Follower(client)
    follower.follow(limit=7)
    assert follower.held == held, "the changes come to another account"
    revisions = [one["revision"] for one in held.values()]
    assert len(set(revisions)) == len(revisions), "a revision twice"
    places = [(one["list_id"], one["parent_id"], one["position"]) for one in tasks.values()]
    assert len(set(places)) == len(places), "a place twice"
    for task in tasks.values():
        assert task["list_id"] is None or task["list_id"] in lists, f"no list: {task}"
        above = task["parent_id"] and tasks[task["parent_id"]]
        assert not above or above["list_id"] == task["list_id"], f"another list than its parent's: {task}"
        assert (task["status"] == "completed") == (task["completed_at"] is not None), task
        assert task["updated_at"] >= task["created_at"], task
    no_circle({one: [task["parent_id"]] for one, task in tasks.items() if task["parent_id"]})
    no_circle({one: [other for other in task["blocked_by"] if other in tasks] for one, task in tasks.items()})
    counted(client, tasks)
    trash = [one["task"]["id"] for one in pages(client, "/v1/trash")]
    assert len(set(trash)) == len(trash) and not set(trash) & set(tasks), "in the trash twice, or there as well"
    for one in [*tasks, *trash]:
        history = client.get(f"/v1/tasks/{one}/history").expect(200).json["items"]
        # Who takes a creation back puts the task into the trash too.
        fits = history[0]["op"] in ("delete", "undo") if one in trash else history[0]["op"] != "delete"
        assert fits, f"the history of {one}: {history[:2]}"
        assert one in trash or history[0]["revision"] == tasks[one]["revision"]


def counted(client, tasks):
    """What the server counts is what there is."""
    assert client.get("/v1/tasks?include=total&limit=1").json["total"] == len(tasks)
    states = collections.Counter(task["status"] for task in tasks.values())
    summary = client.get("/v1/summary").expect(200).json
    assert {name: count for name, count in summary["tasks"].items() if count} == dict(states)
    carried = collections.Counter(label for task in tasks.values() for label in task["labels"])
    assert {one["name"]: one["tasks"] for one in client.get("/v1/labels").json["items"]} == dict(carried)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["is"].replace(" ", "-"))
def test_race(server, line):
    for _ in range(ROUNDS):
        for _ in range(AGAIN_MOST):  # the machine may have other work too
            race = Race(server, line)
            answers = race.run()
            if not any(one.code == "overloaded" for one in answers):
                break
        race.judge(answers)
        if line.get("gone"):
            race.user.client.get("/v1/me").expect(401, "invalid_token")
            body = {"email": race.user.email, "password": race.user.password}
            Client(server).post("/v1/auth/login", body).expect(401, "invalid_credentials")
            continue
        client = race.user.client
        if line.get("ended"):
            client.get("/v1/me").expect(401, "invalid_token")
            race.user.anonymous.post("/v1/auth/refresh", {"refresh_token": race.values["refresh"]}).expect(401, "invalid_refresh_token")
            client = Client(server, race.user.login()["access_token"])
        in_one_piece(client)


def test_what_is_not_in_one_piece_is_found(server, make_user, monkeypatch):
    """Planted: a total that is off, and a circle."""
    user = make_user()
    user.task(labels=["a"])
    in_one_piece(user.client)
    with pytest.raises(AssertionError):
        counted(user.client, {})
    with pytest.raises(AssertionError, match="circle"):
        no_circle({"a": ["b"], "b": ["c"], "c": ["a"]})
    real = user.client.get

    def lies(path, **more):
        answer = real(path, **more)
        if path.startswith("/v1/tasks?limit=100"):
            page = answer.json
            page["items"] = []
            answer.body = json.dumps(page).encode()
        return answer

    monkeypatch.setattr(user.client, "get", lies)
    with pytest.raises(AssertionError, match="another account"):
        in_one_piece(user.client)
