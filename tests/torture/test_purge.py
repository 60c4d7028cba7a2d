# SPDX-License-Identifier: MIT
"""Out of the trash, back or for good, at once and at all nodes: one of them wins, and what is left is what the winner said.
The histories make a purge only when nobody else asks, because no revision tells when it was."""
import os
import random
import threading

import pytest

from place import Nodes, Place
from support import engine
from support.accounts import User
from support.client import Client
from support.seed import SEED

ROUNDS = int(os.environ.get("ROUNDS", "20"))


@pytest.fixture(name="place", scope="module")
def fixture_place():
    """One node, or three on PostgreSQL."""
    print(f"\nSEED={SEED}")
    made = (Nodes if engine.is_postgres() else Place)(random.Random(SEED))
    yield made
    made.stop()
    made.close()


def at_once(calls):
    """Makes all the calls at the same time; their answers."""
    barrier, answers = threading.Barrier(len(calls)), [None] * len(calls)

    def make(number, client, method, path, body):
        barrier.wait()
        answers[number] = client.request(method, path, **({} if body is None else {"json": body}))

    threads = [threading.Thread(target=make, args=(number, *call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.parametrize("purge", ["/v1/trash/{id}", "/v1/trash"])
def test_back_or_for_good(place, purge):
    user, chance = User(place.nodes[0]), random.Random(SEED)
    lines = [Client(chance.choice(place.nodes), user.token["access_token"], checked=False) for _ in range(3)]
    came_back = 0
    for number in range(ROUNDS):
        parent = user.task(f"round {number}")
        child = user.task("goes along", parent_id=parent["id"])
        one = f"/v1/tasks/{parent['id']}"
        user.client.delete(one).expect(204)
        last = user.client.get(one + "/history").expect(200).json["items"][0]["revision"]
        gone, restored, undone = at_once([
            (lines[0], "DELETE", purge.format(id=parent["id"]), None),
            (lines[1], "POST", f"/v1/trash/{parent['id']}/restore", None),
            (lines[2], "POST", one + "/undo", {"revision": last})])
        back = [answer for answer in (restored, undone) if answer.status == 200]
        assert len(back) <= 1 and gone.status in (204, 404), (gone.status, restored.status, undone.status)
        assert (gone.status == 204) != bool(back) or purge == "/v1/trash", (gone.body, restored.body, undone.body)
        there = {path: user.client.get(path).status for path in (one, f"/v1/tasks/{child['id']}", one + "/history")}
        assert set(there.values()) == {200 if back else 404}, (there, gone.status, restored.status, undone.status)
        trash = {item["task"]["id"] for item in user.client.get("/v1/trash").expect(200).json["items"]}
        assert not trash & {parent["id"], child["id"]}
        came_back += bool(back)
    print(f"{purge}: {came_back} of {ROUNDS} came back")
