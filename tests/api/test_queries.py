# SPDX-License-Identifier: MIT
"""GET /v1/tasks against the model of its queries (tests/model/queries.py): spaces made by chance are written through the
API, thousands of queries are asked, and each has to find the same tasks in the same order as the model."""
import pathlib
import random
import sys
import threading
import time
from urllib.parse import quote

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))

import made_queries  # noqa: E402
import moments  # noqa: E402
import queries  # noqa: E402

from support.accounts import User  # noqa: E402

SEEDS = [1, 2, 3, 4]
QUERIES_EACH = 1250



def read_all(client):
    """Every task of the account."""
    tasks, path = [], "/v1/tasks?limit=100"
    while path:
        page = client.get(path).expect(200).json
        tasks += page["items"]
        path = page["next_cursor"] and f"/v1/tasks?limit=100&cursor={quote(page['next_cursor'])}"
    return tasks


class Filled:
    """An account that holds what a made space has; `space` is that as the server has it."""

    def __init__(self, server, seed):
        self.chance = random.Random(seed)
        self.user = User(server)
        self.client = self.user.client
        self.client.checked = False
        made = made_queries.make_space(self.chance, int(time.time() * 1000))
        self.client.patch("/v1/me", {"time_zone": made.space.user.time_zone}).expect(200)
        for each in made.space.lists:
            body = {"name": each.name, "archived": each.archived}
            self.client.request("PUT", f"/v1/lists/{each.id}", json=body).expect(201)
        for task in [*made.gone, *made.space.tasks]:
            self.client.request("PUT", f"/v1/tasks/{task.id}", json=task.to_json()).expect(201)
        for task in made.gone:
            self.client.delete(f"/v1/tasks/{task.id}").expect(204)
        tasks = tuple(queries.Task.from_json(task) for task in read_all(self.client))
        lists = tuple(
            queries.TaskList(each["id"], each["position"], each["name"], each["archived"])
            for each in self.client.get("/v1/lists").expect(200).json["items"]
        )
        assert {each.id for each in lists} == {each.id for each in made.space.lists}
        self.space = queries.Space(made.space.now, made.space.user, lists, tasks)
        assert {task.id for task in tasks} == {task.id for task in made.space.tasks}

    def ask(self, query, limit):
        """All pages; the ids in the order they came, and the total of each page."""
        ids, totals, cursor = [], [], None
        while cursor or not totals:
            parts = [query, f"limit={limit}", cursor and f"cursor={quote(cursor)}"]
            page = self.client.get("/v1/tasks?" + "&".join(part for part in parts if part)).expect(200).json
            ids += [task["id"] for task in page["items"]]
            totals.append(page.get("total"))
            cursor = page["next_cursor"]
            assert not cursor or page["items"], "a page has a task"
        return ids, totals


@pytest.fixture(scope="module", params=SEEDS)
def filled(request, server):
    """An account for each seed."""
    return Filled(server, request.param)


def test_queries_find_what_the_model_finds(filled):
    found = 0
    for query in made_queries.make_queries(filled.chance, filled.space, QUERIES_EACH):
        expected = queries.list_tasks(filled.space, query)
        limit = filled.chance.choice([100, 100, 100, max(1, len(expected.ids) // 3)])
        ids, totals = filled.ask(query, limit)
        assert ids == expected.ids, query
        assert set(totals) == {expected.total}, query
        found += len(ids)
    assert found > QUERIES_EACH


@pytest.mark.parametrize("query, names", made_queries.WRONG)
def test_what_is_wrong_is_named(user, query, names):
    answer = user.client.get(f"/v1/tasks?{query}").expect(400, "invalid_parameter")
    assert {name for name, _ in answer.errors} == names
