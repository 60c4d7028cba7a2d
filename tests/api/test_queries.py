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


# ---- while others write ----

WALKS = ["sort=due,-priority", "sort=-start,title", "sort=list,-due", "sort=title&q=t", "label=a,b&sort=-priority,list,title",
         "due.before=2999-12-31&sort=due&time_zone=Europe/Berlin", "ready=true&sort=-due"]
DUES = [None, "2026-12-01", "2026-12-01T00:00:00Z", "2026-12-02", "2026-12-01T23:00:00Z"]


def some_task(number, lists):
    """Members with many that are equal."""
    return {"title": f"T{'é' * (number % 2)} {number % 7}", "due": DUES[number % 5], "priority": queries.PRIORITIES[number % 3],
            "list_id": lists[number % 3], "labels": [["a"], ["b"], ["a", "b"]][number % 3]}


def keep_changing(client, lists, moving, stop):
    """Until it is told to stop: changes, deletes and makes tasks, moves and deletes none of the others."""
    number = 0
    while not stop.is_set():
        number += 1
        task = moving.pop(0)
        if number % 4 == 0:
            client.delete(f"/v1/tasks/{task}").expect(204)
            task = client.post("/v1/tasks", some_task(number, lists)).expect(201).json["id"]
        else:
            client.patch(f"/v1/tasks/{task}", some_task(number * 5 + 1, lists)).expect(200)
        moving.append(task)


@pytest.fixture(scope="module", name="busy")
def busy_account(server):
    """An account with tasks of which half are changed all the time; the ids of the others."""
    own = User(server)
    own.client.checked = False
    lists = [None, *(own.client.post("/v1/lists", {"name": name}).expect(201).json["id"] for name in "ab")]
    ids = [own.client.post("/v1/tasks", some_task(number, lists)).expect(201).json["id"] for number in range(60)]
    writer, stop = own.client.copy(), threading.Event()
    writer.checked = False
    thread = threading.Thread(target=keep_changing, args=(writer, lists, ids[::2], stop))
    thread.start()
    yield own.client, set(ids[1::2])
    stop.set()
    thread.join()
    writer.close()


@pytest.mark.parametrize("query", WALKS)
def test_a_walk_finds_what_did_not_change_once(busy, query):
    client, steady = busy
    whole = client.get(f"/v1/tasks?{query}&limit=100").expect(200).json["items"]
    expected = [task["id"] for task in whole if task["id"] in steady]
    assert expected
    for limit in (2, 7):
        seen, cursor = [], ""
        while cursor is not None:
            page = client.get(f"/v1/tasks?{query}&limit={limit}{cursor and '&cursor=' + cursor}").expect(200).json
            seen += [task["id"] for task in page["items"] if task["id"] in steady]
            cursor = page["next_cursor"]
        assert seen == expected


# ---- entity tags ----


def test_the_tag_of_an_answer_that_the_clock_decides_is_of_its_content(make_user):
    own = make_user()
    own.client.checked = False
    task = own.client.post("/v1/tasks", {"title": "a", "due": "2000-01-01"}).expect(201).json
    first = own.client.get("/v1/tasks?overdue=true").expect(200)
    own.client.post("/v1/tasks", {"title": "b"}).expect(201)
    assert own.client.get("/v1/tasks?overdue=true", headers={"If-None-Match": first.etag}).expect(304).body == b""
    own.client.patch(f"/v1/tasks/{task['id']}", {"title": "c"}).expect(200)
    assert own.client.get("/v1/tasks?overdue=true", headers={"If-None-Match": first.etag}).expect(200).etag != first.etag
    own.client.get("/v1/tasks?overdue=true", headers={"If-Match": first.etag}).expect(412)


def test_a_cursor_belongs_to_its_zone(make_user):
    own = make_user()
    own.client.checked = False
    for number in range(3):
        own.client.post("/v1/tasks", {"title": "a", "due": f"2026-12-0{number + 1}"}).expect(201)
    for query in ("sort=due", "due.from=2026-12-01", "ready=true"):
        cursor = own.client.get(f"/v1/tasks?{query}&limit=1").expect(200).json["next_cursor"]
        own.client.get(f"/v1/tasks?{query}&limit=1&cursor={cursor}").expect(200)
    cursor = own.client.get("/v1/tasks?sort=due&limit=1&time_zone=Europe/Berlin").expect(200).json["next_cursor"]
    wrong = own.client.get(f"/v1/tasks?sort=due&limit=1&cursor={cursor}").expect(400, "invalid_parameter")
    assert wrong.errors == {("cursor", "invalid")}
