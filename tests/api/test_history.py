# SPDX-License-Identifier: MIT
"""GET /v1/tasks/{id}/history: what was done to a task, by whom, from what to what."""
import random
import uuid

from support import tokens
from support.accounts import PASSWORD
from support.history import content_of, history_of, states_of, without_null
from support.server import run
from support.tasks import path_of

PRIORITIES = ["none", "low", "medium", "high", "urgent"]


def newest(user, task):
    """Its last change."""
    return user.client.get(path_of(task, "/history?limit=1")).expect(200).json["items"][0]


def test_each_kind_of_change(own):
    client = own.client
    box = client.post("/v1/lists", {"name": "Household"}).expect(201).json["id"]
    task = own.task("Buy milk", labels=["a", "b"], list_id=box)
    other = own.task("Another", list_id=box)
    first = newest(own, task)
    assert first["op"] == "create" and first["revision"] == task["revision"] and first["at"][:13] <= task["created_at"][:13]
    assert all(value["from"] is None for value in first["changes"].values())
    assert {name: value["to"] for name, value in first["changes"].items()} == content_of(task)
    for number, (op, change) in enumerate((
            ("update", lambda: client.patch(path_of(task), {"title": "Buy oat milk", "priority": "high"})),
            ("update", lambda: client.patch("/v1/labels/a", {"name": "c"})),
            ("update", lambda: client.delete("/v1/labels/b")),
            ("move", lambda: client.post(path_of(task, "/move"), {"after": other["id"]})),
            ("replace", lambda: client.put(path_of(task), {"title": "Buy milk", "due": "2030-01-01", "recurrence": "FREQ=DAILY"})),
            ("update", lambda: client.post(path_of(task, "/skip"))),
            ("update", lambda: client.patch(path_of(task), {"list_id": box})),
            ("update", lambda: client.delete(f"/v1/lists/{box}?tasks=inbox")),
            ("update", lambda: client.patch(path_of(task), {"status": "completed"})))):
        before = client.get(path_of(task)).expect(200).json
        assert change().status in (200, 204)
        after = client.get(path_of(task)).expect(200).json
        change = newest(own, task)
        assert change["op"] == op and change["revision"] == after["revision"], number
        differ = {name for name in after if before[name] != after[name]} - {"updated_at", "revision"}
        assert change["changes"] == {name: {"from": before[name], "to": after[name]} for name in differ}
    items = history_of(client, task)
    assert [without_null(state) for state in states_of(items)][0] == content_of(after)
    assert len(items) == 10
    made = {"id": after["next_id"]}
    assert [item["op"] for item in history_of(client, made)] == ["create"]


def test_any_changes_in_pages_of_any_size(own):
    """Each state is what the call answered, whatever the page in which it stands."""
    dice = random.Random(12)
    task = own.task("0")
    answered = [task]
    for number in range(40):
        own.task("Between")
        members = {"title": str(number), "description": dice.choice([None, "", "x" * 300, "\U0001f434"]),
                   "priority": dice.choice(PRIORITIES), "labels": dice.sample(["a", "b", "c"], 2),
                   "due": dice.choice([None, "2030-01-01", "2030-01-01T10:00:00Z"]),
                   "metadata": {"a": str(dice.randrange(3))}, "status": dice.choice(["pending", "in-progress", "completed"])}
        some = {name: members[name] for name in dice.sample(sorted(members), dice.randrange(1, 4))}
        after = own.client.patch(path_of(task), some).expect(200).json
        if after["revision"] != answered[-1]["revision"]:
            answered.append(after)
    expected = [content_of(one) for one in reversed(answered)]
    for limit in (1, 2, 3, 7, 20, len(expected) - 1, len(expected), 100):
        items = history_of(own.client, task, limit)
        assert [item["revision"] for item in items] == [one["revision"] for one in reversed(answered)]
        assert [without_null(state) for state in states_of(items)] == expected


def test_a_page_meets_what_changed_meanwhile(own):
    task = own.task("0")
    for number in range(1, 4):
        own.client.patch(path_of(task), {"title": str(number)}).expect(200)
    page = own.client.get(path_of(task, "/history?limit=2")).expect(200).json
    own.client.patch(path_of(task), {"title": "4"}).expect(200)
    rest = own.client.get(path_of(task, f"/history?cursor={page['next_cursor']}")).expect(200).json
    assert rest["next_cursor"] is None
    assert [item["changes"]["title"] for item in page["items"] + rest["items"]] == [
        {"from": "2", "to": "3"}, {"from": "1", "to": "2"}, {"from": "0", "to": "1"}, {"from": None, "to": "0"}]


def test_large_texts_end_a_page(own):
    task = own.task("0", description="0" * 16384)
    for number in range(1, 30):
        own.client.patch(path_of(task), {"description": str(number % 10) * 16384}).expect(200)
    page = own.client.get(path_of(task, "/history?limit=100")).expect(200)
    assert page.json["next_cursor"] and len(page.body) < 512 * 1024
    assert len(history_of(own.client, task)) == 30


def test_who_did_it(own):
    """Also when the session has ended."""
    other = own.login_client()
    session = tokens.parts(other.token)[1]["sid"]
    agent = {"User-Agent": "Somebody's phone/1"}
    task = other.post("/v1/tasks", {"title": "Buy milk"}).expect(201).json
    by = newest(own, task)["by"]
    assert set(by) == {"session_id", "token_id", "name"} and by["session_id"] == session and by["token_id"] is None
    own.client.delete(f"/v1/me/sessions/{session}").expect(204)
    assert newest(own, task)["by"] == by
    access = own.login(headers=agent)["access_token"]
    own.client.patch(path_of(task), {"title": "Buy oat milk"}, token=access).expect(200)
    assert newest(own, task)["by"]["name"] == agent["User-Agent"]


def test_a_script_did_it(own):
    """Also when its token has ended."""
    body = {"name": "Backup", "scopes": ["tasks:write"], "password": PASSWORD}
    token = own.client.post("/v1/me/tokens", body).expect(201).json
    task = own.client.post("/v1/tasks", {"title": "Buy milk"}, token=token["token"]).expect(201).json
    by = {"session_id": None, "token_id": token["id"], "name": "Backup"}
    assert newest(own, task)["by"] == by
    own.client.delete(f"/v1/me/tokens/{token['id']}").expect(204)
    assert newest(own, task)["by"] == by


def test_an_import_is_the_operators(own, tmp_path):
    server = own.server
    (tmp_path / "tasks.csv").write_text("title\nBuy milk\n", encoding="utf-8")
    done = run("import", "--from", "csv", str(tmp_path / "tasks.csv"), "--user", own.email, cwd=server.directory,
               env={**server.env, **(server.database or {})})
    assert done.returncode == 0, done
    task, = own.client.get("/v1/tasks").expect(200).json["items"]
    assert newest(own, task)["by"] == {"session_id": None, "token_id": None, "name": "operator"}


def test_of_a_task_in_the_trash(own):
    parent = own.task("Parent")
    child = own.task("Child", parent_id=parent["id"])
    own.client.patch(path_of(child), {"title": "Changed"}).expect(200)
    own.client.delete(path_of(parent)).expect(204)
    for task, count in ((parent, 2), (child, 3)):
        items = history_of(own.client, task, 1)
        assert len(items) == count and items[0]["op"] == "delete" and items[0]["changes"] == {}
        assert states_of(items)[0] is None
    again = own.client.put(path_of(parent), {"title": "Another"}).expect(201).json
    assert [item["op"] for item in history_of(own.client, again)] == ["create"]


def test_what_is_not_there(own, make_user):
    task = own.task()
    for where in (path_of(task), f"/v1/tasks/{uuid.uuid4()}"):
        make_user().client.get(f"{where}/history").expect(404, "not_found")
    own.client.get(f"/v1/tasks/{uuid.uuid4()}/history").expect(404, "not_found")


def test_cursors(own, make_user):
    task, other = own.task(), own.task()
    own.client.patch(path_of(task), {"title": "Changed"}).expect(200)
    own.client.patch(path_of(other), {"title": "Changed"}).expect(200)
    cursor = own.client.get(path_of(task, "/history?limit=1")).expect(200).json["next_cursor"]
    lists = own.client.get("/v1/tasks?limit=1").expect(200).json["next_cursor"]
    wrong = "A" if cursor[-1] != "A" else "B"
    assert len(cursor) <= 128
    own.client.get(path_of(task, f"/history?limit=1&cursor={cursor}")).expect(200)
    for where, value in ((other, cursor), (task, lists), (task, cursor[:-1] + wrong), (task, cursor[1:]), (task, "x")):
        own.client.get(path_of(where, f"/history?cursor={value}")).expect(400, "invalid_parameter")
    own.client.get(f"/v1/tasks?cursor={cursor}").expect(400, "invalid_parameter")
    make_user().client.get(path_of(task, f"/history?cursor={cursor}")).expect(400, "invalid_parameter")
    for query in ("limit=0", "limit=101", "limit=x", "sort=at", "cursor="):
        own.client.get(path_of(task, f"/history?{query}")).expect(400, "invalid_parameter")


def test_nothing_new_is_304(own):
    task = own.task()
    own.client.patch(path_of(task), {"title": "Changed"}).expect(200)
    where = path_of(task, "/history?limit=1")
    answer = own.client.get(where).expect(200)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    own.client.get(where, headers={"If-None-Match": answer.etag}).expect(304)
    own.client.patch(path_of(task), {"title": "Again"}).expect(200)
    assert own.client.get(where, headers={"If-None-Match": answer.etag}).expect(200).etag != answer.etag
