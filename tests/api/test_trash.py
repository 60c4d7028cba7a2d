# SPDX-License-Identifier: MIT
"""The trash: what was deleted comes back as it was, or goes for good."""
import uuid
from datetime import datetime, timedelta

from support.tasks import path_of
from support.waiting import wait_until


def delete(user, *tasks):
    for task in tasks:
        user.client.delete(path_of(task)).expect(204)


def trash(user, limit=50):
    """All that is in it, page by page, by the links."""
    items, path = [], f"/v1/trash?limit={limit}"
    while path:
        answer = user.client.get(path).expect(200)
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next_cursor"] is None)
        assert len(answer.json["items"]) == limit or link is None
        items += answer.json["items"]
        path = link and link[1 : link.index(">")]
    return items


def restore(user, task, **headers):
    return user.client.post(f"/v1/trash/{task['id']}/restore", headers=headers)


def there(user, task):
    """The task as GET answers it, or None."""
    answer = user.client.get(path_of(task))
    return answer.json if answer.status == 200 else None


def times_aside(task):
    return {name: value for name, value in task.items() if name not in ("revision", "updated_at")}


def test_an_empty_trash(own):
    answer = own.client.get("/v1/trash").expect(200)
    assert answer.json == {"items": [], "next_cursor": None} and answer.headers["Cache-Control"] == "private, no-cache"
    own.client.delete("/v1/trash").expect(204)
    restore(own, own.task()).expect(404, "not_found")
    own.client.delete(f"/v1/trash/{uuid.uuid4()}").expect(404, "not_found")


def test_a_task_comes_back_as_it_was(own):
    task = own.task("Water", due="2030-12-01", recurrence="FREQ=DAILY", labels=["a"], metadata={"b": "c"}, priority="high",
                    description="Two litres")
    other = own.task("Other")
    delete(own, task)
    assert there(own, task) is None
    (found,) = trash(own)
    assert found["task"] == task and list(found) == ["task", "deleted_at", "expires_at"]
    kept = datetime.fromisoformat(found["expires_at"]) - datetime.fromisoformat(found["deleted_at"])
    assert kept == timedelta(days=30)
    for call in (("patch", {"title": "x"}), ("delete", None), ("get", None)):
        getattr(own.client, call[0])(path_of(task), *([call[1]] if call[1] else [])).expect(404)
    back = restore(own, task).expect(200)
    assert times_aside(back.json) == times_aside(task) and back.json == there(own, task)
    assert back.json["revision"] == other["revision"] + 2 and back.headers["ETag"] == own.client.get(path_of(task)).headers["ETag"]
    assert trash(own) == [] and [one["id"] for one in own.client.get("/v1/tasks").json["items"]] == [other["id"], task["id"]]
    restore(own, task).expect(404)


def test_pages_are_the_newest_first(own):
    tasks = [own.task(f"Task {number}") for number in range(7)]
    delete(own, *tasks)
    expected = [task["id"] for task in reversed(tasks)]
    for limit in (1, 3, 7, 100):
        assert [item["task"]["id"] for item in trash(own, limit)] == expected
    cursor = own.client.get("/v1/trash?limit=2").json["next_cursor"]
    for query in ("limit=0", "limit=101", "cursor=", "cursor=abc", f"cursor={cursor}x", "sort=title", "limit=1&limit=2"):
        own.client.get(f"/v1/trash?{query}").expect(400, "invalid_parameter")
    own.client.get(f"/v1/tasks?cursor={cursor}").expect(400, "invalid_parameter")


def test_a_cursor_is_of_one_account(make_user):
    first, second = make_user(), make_user()
    for user in (first, second):
        delete(user, user.task(), user.task())
    cursor = first.client.get("/v1/trash?limit=1").json["next_cursor"]
    second.client.get(f"/v1/trash?cursor={cursor}").expect(400, "invalid_parameter")
    task = trash(first)[0]["task"]
    restore(second, task).expect(404)
    second.client.delete(f"/v1/trash/{task['id']}").expect(404)


def test_the_tag_is_of_what_is_answered(own):
    delete(own, own.task())
    answer = own.client.get("/v1/trash").expect(200)
    tag = {"If-None-Match": answer.headers["ETag"]}
    own.client.get("/v1/trash", headers=tag).expect(304)
    own.task()
    own.client.get("/v1/trash", headers=tag).expect(304)
    own.client.delete("/v1/trash").expect(204)
    own.client.get("/v1/trash", headers=tag).expect(200)


def test_a_subtree(own):
    root = own.task("Root")
    child = own.task("Child", parent_id=root["id"])
    leaf = own.task("Leaf", parent_id=child["id"], blocked_by=[child["id"]])
    delete(own, leaf)  # it went before, so it stays when the root comes back
    other = own.task("Other", parent_id=child["id"])
    delete(own, root)
    assert [item["task"]["title"] for item in trash(own)] == ["Other", "Child", "Root", "Leaf"]
    back = restore(own, root).expect(200).json
    for task in (root, child, other):
        assert times_aside(there(own, task)) == times_aside(task)
    assert [there(own, task)["revision"] for task in (root, child, other)] == [back["revision"] + n for n in range(3)]
    assert times_aside(restore(own, leaf).expect(200).json) == times_aside(leaf), "its parent is there again"
    delete(own, root)
    alone = restore(own, child).expect(200).json
    assert alone["parent_id"] is None and there(own, leaf)["parent_id"] == child["id"] and there(own, root) is None
    assert [item["task"]["title"] for item in trash(own)] == ["Root"]


def test_what_is_gone_is_left_out(own):
    two = own.client.post("/v1/lists", {"name": "Two"}).expect(201).json
    parent, blocker, kept = own.task("Parent", list_id=two["id"]), own.task("Blocker"), own.task("Kept")
    task = own.task("Task", parent_id=parent["id"], blocked_by=[blocker["id"], kept["id"]])
    delete(own, task, blocker, parent)
    own.client.delete(f"/v1/lists/{two['id']}").expect(204)
    back = restore(own, task).expect(200).json
    assert (back["parent_id"], back["list_id"], back["blocked_by"]) == (None, None, [kept["id"]])


def test_no_circle_and_no_tree_that_is_too_deep(own):
    first = own.task("First")
    task = own.task("Task", blocked_by=[first["id"]])
    last = own.task("Last", blocked_by=[task["id"]])
    delete(own, task)
    own.client.patch(path_of(first), {"blocked_by": [last["id"]]}).expect(200)
    assert restore(own, task).expect(200).json["blocked_by"] == []
    chain = [own.task("Level 1")]
    for level in range(2, 9):
        chain.append(own.task(f"Level {level}", parent_id=chain[-1]["id"]))
    delete(own, chain[7])
    own.client.post(f"/v1/tasks/{chain[0]['id']}/move", {"parent_id": last["id"]}).expect(200)
    assert restore(own, chain[7]).expect(200).json["parent_id"] is None


def test_the_tasks_of_a_list(own):
    two = own.client.post("/v1/lists", {"name": "Two"}).expect(201).json
    tasks = [own.task(f"Task {number}", list_id=two["id"]) for number in range(3)]
    own.client.delete(f"/v1/lists/{two['id']}?tasks=delete").expect(204)
    assert {item["task"]["id"] for item in trash(own)} == {task["id"] for task in tasks}
    assert restore(own, tasks[1]).expect(200).json["list_id"] is None
    assert there(own, tasks[0]) is None and len(trash(own)) == 2


def test_a_new_task_under_its_id(own):
    task = own.task("Old")
    delete(own, task)
    own.client.put(path_of(task), {"title": "New"}).expect(201)
    assert trash(own) == []
    restore(own, task).expect(404)
    delete(own, task)
    assert [item["task"]["title"] for item in trash(own)] == ["New"]


def test_keys(own):
    task = own.task()
    delete(own, task)
    first = restore(own, task, **{"Idempotency-Key": "a"}).expect(200)
    again = restore(own, task, **{"Idempotency-Key": "a"}).expect(200)
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    delete(own, task)
    for replayed in (None, "true"):
        answer = own.client.delete(f"/v1/trash/{task['id']}", headers={"Idempotency-Key": "b"}).expect(204)
        assert answer.headers.get("Idempotency-Replayed") == replayed
    own.client.delete("/v1/trash", headers={"Idempotency-Key": "b"}).expect(422, "idempotency_key_reused")
    again = restore(own, task, **{"Idempotency-Key": "a"})
    assert again.status == 404, "what was kept went with the task"


def test_preconditions(own):
    task = own.task()
    tag = own.client.get(path_of(task)).headers["ETag"]
    delete(own, task)
    restore(own, task, **{"If-Match": '"x-1"'}).expect(412)
    own.client.delete(f"/v1/trash/{task['id']}", headers={"If-Match": '"x-1"'}).expect(412)
    own.client.delete("/v1/trash", headers={"If-Match": '"x-1"'}).expect(412)
    restore(own, task, **{"If-Match": tag}).expect(200)


def test_for_good(own):
    kept, root = own.task("Kept"), own.task("Root")
    child = own.task("Child", parent_id=root["id"])
    delete(own, kept, root)
    own.client.delete(f"/v1/trash/{root['id']}").expect(204)
    assert [item["task"]["id"] for item in trash(own)] == [kept["id"]]
    for task in (root, child):
        restore(own, task).expect(404)
        own.client.get(path_of(task) + "/history").expect(404)
    own.client.delete("/v1/trash").expect(204)
    assert trash(own) == []
    restore(own, kept).expect(404)
    again = own.task("After")
    delete(own, again)
    restore(own, again).expect(200)


def test_a_batch_that_is_kept(own):
    """Its answer goes with a task that was in it, and stays where a task only names that."""
    task = own.task("Task")
    patch = {"operations": [{"op": "update", "id": task["id"], "task": {"title": "Changed"}}]}
    naming = {"operations": [{"op": "create", "task": {"title": "Waits", "blocked_by": [task["id"]]}}]}
    calls = [(patch, {"Idempotency-Key": "one"}), (naming, {"Idempotency-Key": "two"})]
    for body, headers in calls:
        own.client.post("/v1/tasks/batch", body, headers=headers).expect(200)
    delete(own, task)
    for body, headers in calls:
        own.client.post("/v1/tasks/batch", body, headers=headers).expect(200)
    own.client.delete(f"/v1/trash/{task['id']}").expect(204)
    own.client.post("/v1/tasks/batch", patch, headers=calls[0][1]).expect(404, "not_found")
    assert own.client.post("/v1/tasks/batch", naming, headers=calls[1][1]).expect(200).headers["Idempotency-Replayed"] == "true"


def test_followers_are_told(own):
    task = own.task()
    start = own.client.get("/v1/changes").expect(200).json["next_cursor"]

    def changes():
        return [(change["op"], change["id"]) for change in own.client.get(f"/v1/changes?cursor={start}").expect(200).json["changes"]]

    delete(own, task)
    assert changes() == [("delete", task["id"])]
    restore(own, task).expect(200)
    assert changes() == [("put", task["id"])]
    delete(own, task)
    own.client.delete("/v1/trash").expect(204)
    assert changes() == [("delete", task["id"])]


def test_a_full_account(start_server, make_user):
    own = make_user(start_server({"USER_TASKS_MOST": "2"}))
    task = own.task()
    delete(own, task)
    own.task()
    own.task()
    restore(own, task).expect(507, "quota_exceeded")
    assert len(trash(own)) == 1, "in tasks the trash counts for nothing"
    delete(own, own.client.get("/v1/tasks").json["items"][0])
    restore(own, task).expect(200)


def test_what_is_too_old_goes(start_server, make_user):
    own = make_user(start_server({"KEEP_SECONDS": "60"}))
    delete(own, own.task())
    (found,) = trash(own)
    assert datetime.fromisoformat(found["expires_at"]) - datetime.fromisoformat(found["deleted_at"]) == timedelta(seconds=60)


def test_emptied_bytes_come_back(start_server, make_user):
    own = make_user(start_server({"USER_BYTES_MOST": "1048576"}))
    large = {"title": "Large", "description": "x" * 10000}
    while (made := own.client.post("/v1/tasks", large)).status == 201:
        delete(own, made.json)
    made.expect(507, "quota_exceeded")
    own.client.delete("/v1/trash").expect(204)
    wait_until(lambda: own.client.post("/v1/tasks", large).status == 201, 20, "room again")


def test_a_create_that_is_kept(own):
    """Sent again after its task has gone for good, it makes no other one."""
    for call in (lambda: own.client.post("/v1/tasks", {"title": "Once"}, headers={"Idempotency-Key": "post"}),
                 lambda: own.client.put("/v1/tasks/0197e3a0-0000-7000-8000-000000000001", {"title": "Once"},
                                        headers={"Idempotency-Key": "put"})):
        task = call().expect(201).json
        delete(own, task)
        assert call().expect(201).json == task
        own.client.delete(f"/v1/trash/{task['id']}").expect(204)
        call().expect(404, "not_found")
    assert own.client.get("/v1/tasks").json["items"] == []


def test_labels_are_renamed_in_it(own):
    """A label that is replaced or taken away is so in the trash, too."""
    task, below = own.task(labels=["home", "näher"]), own.task(labels=["home"])
    own.task(labels=["home"])
    delete(own, task, below)
    own.client.patch("/v1/labels/home", {"name": "\u00fcber \"x\""}).expect(200)
    assert sorted(each["task"]["labels"] for each in trash(own)) == [["n\u00e4her", "\u00fcber \"x\""], ["\u00fcber \"x\""]]
    own.client.delete("/v1/labels/n%C3%A4her").expect(404)  # nothing but the trash carries it
    restored = restore(own, task).expect(200).json
    assert restored["labels"] == ["n\u00e4her", "\u00fcber \"x\""]
    own.client.delete("/v1/labels/%C3%BCber%20%22x%22").expect(204)
    assert [each["task"]["labels"] for each in trash(own)] == [[]]
    assert restore(own, below).expect(200).json["labels"] == []


def test_a_label_is_renamed_in_many(own):
    """More than one part of those that are read at a time, a part of them in the trash."""
    operations = [{"op": "create", "task": {"title": f"Task {n}", "labels": ["a", "c"]}} for n in range(100)]
    for _ in range(3):
        own.client.post("/v1/tasks/batch", {"operations": operations}).expect(200)
    own.client.request("DELETE", "/v1/tasks?label=a&max=250").expect(409, "too_many")
    own.client.request("DELETE", "/v1/tasks?label=a&max=300").expect(200)
    own.task(labels=["a"])
    assert own.client.patch("/v1/labels/a", {"name": "b"}).expect(200).json == {"name": "b", "tasks": 1, "open": 1}
    gone = trash(own, 100)
    assert len(gone) == 300 and all(each["task"]["labels"] == ["b", "c"] for each in gone)
    assert restore(own, gone[7]["task"]).expect(200).json["labels"] == ["b", "c"]
