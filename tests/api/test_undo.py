# SPDX-License-Identifier: MIT
"""POST /v1/tasks/{id}/undo: the last change of a task is taken back, and that again; else nothing changes."""
import random
import uuid

import pytest

from support.history import history_of
from support.tasks import get, path_of

STAMPS = ("updated_at", "revision")


def everything(user):
    """All tasks by their ids, and what is in the account besides, without revisions and times of changes."""
    tasks = user.client.get("/v1/tasks?limit=100").expect(200).json
    assert tasks["next_cursor"] is None
    held = {task["id"]: {name: value for name, value in task.items() if name not in STAMPS} for task in tasks["items"]}
    return held, [(label["name"], label["tasks"], label["open"]) for label in
                  user.client.get("/v1/labels").expect(200).json["items"]]


def last_of(user, task):
    """The revision of its last change."""
    return user.client.get(path_of(task, "/history?limit=1")).expect(200).json["items"][0]["revision"]


def undo(user, task, revision=None, **more):
    """What the call answers."""
    return user.client.post(path_of(task, "/undo"), {"revision": revision or last_of(user, task)}, **more)


def there_and_back(user, task, change, both=True):
    """The change, its undo, the undo of that, and so on: always one of two states."""
    before = everything(user)
    assert change().status in (200, 201, 204)
    after = everything(user)
    assert after != before
    for _ in range(2):
        answer = undo(user, task)
        assert answer.status in (200, 204), answer.body
        if answer.status == 200:
            assert answer.json == get(user, task)
        assert everything(user) == before
        assert history_of(user.client, task, 5)[0]["op"] == "undo"
        assert undo(user, task).status in (200, 204)
        assert everything(user) == after
    return before, after


def make_list(user, name="Household"):
    """Its id."""
    return user.client.post("/v1/lists", {"name": name}).expect(201).json["id"]


def tree_of(user, **members):
    """A task with two levels below it."""
    root = user.task("Root", **members)
    child = user.task("Child", parent_id=root["id"])
    return root, child, user.task("Grandchild", parent_id=child["id"])


def test_an_update(own):
    task = own.task("Buy milk", labels=["a"], metadata={"a": "1", "b": "2"}, description="x")
    own.task("Another")
    for change in ({"title": "Buy oat milk"}, {"labels": ["b", "c"], "due": "2030-01-01"}, {"metadata": {"a": None, "c": "3"}},
                   {"description": None, "priority": "high"}, {"status": "completed"}, {"status": "in-progress"},
                   {"due": "2030-01-02T10:00:00Z", "start": "2030-01-01"}, {"time_zone": "Europe/Berlin"}):
        there_and_back(own, task, lambda body=change: own.client.patch(path_of(task), body))
    there_and_back(own, task, lambda: own.client.put(path_of(task), {"title": "Replaced"}))


def test_random_updates_one_after_the_other(own):
    """Back and forth, each undo of the last change."""
    dice = random.Random(3)
    task = own.task("0")
    for number in range(25):
        body = {"title": str(number), "labels": dice.sample(["a", "b", "c"], dice.randrange(4)),
                "priority": dice.choice(["none", "low", "high"]), "status": dice.choice(["pending", "completed", "in-progress"])}
        before = everything(own)
        own.client.patch(path_of(task), body).expect(200)
        if dice.randrange(2):
            undo(own, task).expect(200)
            assert everything(own) == before


def test_a_move(own):
    box, other = make_list(own), make_list(own, "Garden")
    root, child, grandchild = tree_of(own, list_id=box)
    beside = own.task("Beside", list_id=box)
    for to in ({"after": beside["id"]}, {"list_id": other}, {"list_id": None}, {"parent_id": beside["id"]}):
        there_and_back(own, root, lambda body=to: own.client.post(path_of(root, "/move"), body))
    there_and_back(own, child, lambda: own.client.post(path_of(child, "/move"), {"parent_id": None}))
    there_and_back(own, root, lambda: own.client.patch(path_of(root), {"parent_id": None, "list_id": other, "title": "Moved"}))
    own.client.post(path_of(root, "/move"), {"list_id": box}).expect(200)
    own.client.post(path_of(child, "/move"), {"parent_id": root["id"]}).expect(200)
    own.client.post(path_of(root, "/move"), {"list_id": other}).expect(200)
    own.client.patch(path_of(grandchild), {"title": "Changed since"}).expect(200)
    late = own.task("Late", parent_id=child["id"])
    undo(own, root).expect(200)
    assert {get(own, one)["list_id"] for one in (root, child, grandchild, late)} == {box}
    assert get(own, grandchild)["title"] == "Changed since"


def test_a_place_that_needs_new_positions(own):
    """All siblings are numbered anew by one move; its undo puts all back."""
    order = [own.task(title) for title in "abcd"]
    quick = own.client.copy()
    quick.checked = False

    def positions():
        return {task["id"]: task["position"] for task in quick.get("/v1/tasks").json["items"]}

    before, after, left = None, positions(), True
    while before is None or sum(before[task] != after[task] for task in before) == 1:
        before = after
        moved = order.pop(0 if left else 3)  # into the gap in the middle, from both sides
        at = 0 if left else 1
        assert quick.post(path_of(moved, "/move"), {"after": order[at]["id"]}).status == 200
        order.insert(at + 1, moved)
        after, left = positions(), not left
    undo(own, moved).expect(200)
    assert positions() == before
    undo(own, moved).expect(200)
    assert positions() == after


def test_a_label_call(own):
    """Takes back this task's part of it."""
    tasks = [own.task(title, labels=["a", "b"]) for title in "xyz"]
    own.client.patch("/v1/labels/a", {"name": "b"}).expect(200)
    undo(own, tasks[1]).expect(200)
    assert [get(own, task)["labels"] for task in tasks] == [["b"], ["a", "b"], ["b"]]
    own.client.delete("/v1/labels/b").expect(204)
    undo(own, tasks[0]).expect(200)
    assert [get(own, task)["labels"] for task in tasks] == [["b"], ["a"], []]


def test_a_completion_with_what_is_below(own):
    root, child, grandchild = tree_of(own)
    own.client.patch(path_of(grandchild), {"status": "in-progress"}).expect(200)
    there_and_back(own, root, lambda: own.client.patch(path_of(root), {"status": "completed"}))
    last = own.task("Last", due="2030-01-01", recurrence="FREQ=DAILY;COUNT=1")
    own.client.post(path_of(child, "/move"), {"parent_id": last["id"]}).expect(200)
    own.client.patch(path_of(last), {"status": "completed"}).expect(200)
    assert get(own, child)["status"] == get(own, grandchild)["status"] == "completed"
    own.client.patch(path_of(child), {"title": "Changed since"}).expect(200)
    undo(own, last).expect(200)
    assert [get(own, task)["status"] for task in (last, child, grandchild)] == ["pending", "completed", "in-progress"]


def test_a_skip(own):
    task = own.task(due="2030-01-01", start="2029-12-31", recurrence="FREQ=WEEKLY;COUNT=5")
    there_and_back(own, task, lambda: own.client.post(path_of(task, "/skip")))


def recurring(user):
    """A recurring task with something below it."""
    task = user.task("Water the plants", due="2030-01-01", recurrence="FREQ=DAILY", labels=["home"])
    child = user.task("Fill the can", parent_id=task["id"])
    return task, child, user.task("Open the tap", parent_id=child["id"])


def test_the_next_one_goes(own):
    task, _child, _grandchild = recurring(own)
    before = everything(own)
    done = own.client.patch(path_of(task), {"status": "completed"}).expect(200).json
    assert len(everything(own)[0]) == 6
    undo(own, task).expect(200)
    assert everything(own) == before
    own.client.get(f"/v1/tasks/{done['next_id']}").expect(404)
    assert get(own, task)["next_id"] is None
    again = own.client.patch(path_of(task), {"status": "completed"}).expect(200).json
    assert again["next_id"] == done["next_id"] and len(everything(own)[0]) == 6


@pytest.mark.parametrize("touch", ["title", "below", "copy", "delete", "complete"])
def test_the_next_one_was_touched(own, touch):
    task, _child, _grandchild = recurring(own)
    done = own.client.patch(path_of(task), {"status": "completed"}).expect(200).json
    made = {"id": done["next_id"]}
    copy, = own.client.get(f"/v1/tasks?parent={made['id']}").expect(200).json["items"]
    if touch == "title":
        own.client.patch(path_of(made), {"title": "Changed"}).expect(200)
    elif touch == "below":
        own.task("New", parent_id=copy["id"])
    elif touch == "copy":
        own.client.patch(path_of(copy), {"title": "Changed"}).expect(200)
    elif touch == "delete":
        own.client.delete(path_of(made)).expect(204)
    else:
        own.client.patch(path_of(made), {"status": "completed"}).expect(200)
    before = everything(own)
    undo(own, task).expect(409, "cannot_undo")
    assert everything(own) == before and get(own, task)["revision"] == done["revision"]


def test_a_new_task(own):
    root, child, _grandchild = tree_of(own)
    before = everything(own)
    task = own.task("New", parent_id=child["id"])
    answer = undo(own, task, task["revision"]).expect(204)
    assert answer.body == b"" and everything(own) == before
    own.client.get(path_of(task)).expect(404)
    first = history_of(own.client, task)[0]
    assert first["op"] == "undo" and first["changes"] == {}
    undo(own, root, root["revision"]).expect(204)
    assert everything(own)[0] == {}


def test_a_deletion(own):
    """It comes back with all that went with it."""
    box = make_list(own)
    root, child, grandchild = tree_of(own, list_id=box, labels=["a"])
    own.client.patch(path_of(grandchild), {"blocked_by": [root["id"]]}).expect(200)
    there_and_back(own, root, lambda: own.client.delete(path_of(root)))
    undo(own, root).expect(200)
    there_and_back(own, child, lambda: own.client.delete(path_of(child)))
    undo(own, child).expect(200)
    assert [item["op"] for item in history_of(own.client, grandchild)].count("undo") > 4


def test_a_restore(own):
    root, child, _grandchild = tree_of(own)
    own.client.delete(path_of(root)).expect(204)
    there_and_back(own, root, lambda: own.client.post(f"/v1/trash/{root['id']}/restore"))
    own.client.delete(path_of(root)).expect(204)
    own.client.post(f"/v1/trash/{child['id']}/restore").expect(200)
    assert history_of(own.client, child)[0]["changes"] == {"parent_id": {"from": root["id"], "to": None}}
    undo(own, child).expect(204)


def test_a_new_task_with_what_came_below(own):
    task = own.task("New")
    own.task("Below", parent_id=task["id"])
    before = everything(own)
    undo(own, task, task["revision"]).expect(204)
    assert everything(own)[0] == {}
    undo(own, task).expect(200)
    assert everything(own) == before


def test_a_deletion_that_cannot_be_taken_back(own):
    box = make_list(own)
    root, child, _grandchild = tree_of(own, list_id=box)
    own.client.delete(path_of(root)).expect(204)
    undo(own, child).expect(409, "cannot_undo")  # its parent is not there
    own.client.delete(f"/v1/lists/{box}").expect(204)
    undo(own, root).expect(409, "cannot_undo")
    refused = undo(own, root, root["revision"]).expect(409, "changed_since").json
    assert refused["task"] is None and refused["revision"] == last_of(own, root)
    assert everything(own)[0] == {}
    own.client.delete(f"/v1/trash/{root['id']}").expect(204)
    own.client.post(path_of(root, "/undo"), {"revision": refused["revision"]}).expect(404, "not_found")
    own.client.get(path_of(root, "/history")).expect(404, "not_found")


def test_the_undo_of_a_completion_is_undone(own):
    """The next one comes back, with what is below it."""
    task, _child, _grandchild = recurring(own)
    before, after = there_and_back(own, task, lambda: own.client.patch(path_of(task), {"status": "completed"}))
    assert len(before[0]) == 3 and len(after[0]) == 6
    undo(own, task).expect(200)
    own.client.post(f"/v1/trash/{after[0][task['id']]['next_id']}/restore").expect(200)
    undo(own, task).expect(409, "cannot_undo")


def test_what_cannot_be_put_back(own):
    """Never another value in silence."""
    box, parent, blocker = make_list(own), own.task("Parent"), own.task("Blocker")
    task = own.task("Task", list_id=box)
    own.client.post(path_of(task, "/move"), {"list_id": None}).expect(200)
    own.client.delete(f"/v1/lists/{box}").expect(204)
    below, waits = own.task("Below", parent_id=parent["id"]), own.task("Waits", blocked_by=[blocker["id"]])
    own.client.post(path_of(below, "/move"), {"parent_id": None}).expect(200)
    own.client.delete(path_of(parent)).expect(204)
    own.client.patch(path_of(waits), {"blocked_by": []}).expect(200)
    own.client.delete(path_of(blocker)).expect(204)
    for one in (task, below, waits):
        before = everything(own), get(own, one)
        undo(own, one).expect(409, "cannot_undo")
        assert before == (everything(own), get(own, one))


def test_no_circles(own):
    first, second = own.task("First"), own.task("Second")
    child, above = own.task("Child", parent_id=first["id"]), own.task("Above")
    own.client.patch(path_of(first), {"blocked_by": [second["id"]]}).expect(200)
    own.client.patch(path_of(first), {"blocked_by": []}).expect(200)
    own.client.patch(path_of(second), {"blocked_by": [first["id"]]}).expect(200)
    undo(own, first).expect(409, "cannot_undo")
    own.client.post(path_of(first, "/move"), {"parent_id": above["id"]}).expect(200)
    own.client.post(path_of(first, "/move"), {"parent_id": None}).expect(200)
    own.client.post(path_of(above, "/move"), {"parent_id": child["id"]}).expect(200)
    undo(own, first).expect(409, "cannot_undo")


def test_changed_since(own):
    """Any revision that is not the task's last."""
    task = own.task()
    other = own.task("Another")
    done = own.client.patch(path_of(task), {"title": "Changed"}).expect(200).json
    for revision in (task["revision"], other["revision"], done["revision"] + 1, 2 ** 53 - 1):
        refused = undo(own, task, revision).expect(409, "changed_since").json
        assert refused["revision"] == done["revision"] and refused["task"] == done
    assert get(own, task) == done


def test_the_body_and_the_header(own, make_user):
    task = own.task()
    for body in ({}, {"revision": 0}, {"revision": -1}, {"revision": "1"}, {"revision": 1.5}, {"revision": None},
                 {"revision": 2 ** 53}, {"revision": 1, "more": 1}):
        own.client.post(path_of(task, "/undo"), body).expect(422, "validation_failed")
    own.client.post(f"/v1/tasks/{uuid.uuid4()}/undo", {"revision": 1}).expect(404, "not_found")
    make_user().client.post(path_of(task, "/undo"), {"revision": task["revision"]}).expect(404, "not_found")
    changed = own.client.patch(path_of(task), {"title": "Changed"}).expect(200)
    undo(own, task, headers={"If-Match": '"aB3xY9-1"'}).expect(412, "precondition_failed")
    assert undo(own, task, headers={"If-Match": changed.etag}).expect(200).json["title"] == task["title"]


def test_repeated_with_a_key_it_is_done_once(own):
    task = own.task()
    changed = own.client.patch(path_of(task), {"title": "Changed"}).expect(200).json
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = undo(own, task, changed["revision"], headers=key).expect(200)
    again = undo(own, task, changed["revision"], headers=key).expect(200)
    assert again.body == first.body and again.headers["Idempotency-Replayed"] == "true"
    undo(own, task, changed["revision"] + 1, headers=key).expect(422, "idempotency_key_reused")
    undo(own, task, changed["revision"]).expect(409, "changed_since")
    made = own.task("New")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    undo(own, made, made["revision"], headers=key).expect(204)
    assert undo(own, made, made["revision"], headers=key).expect(204).headers["Idempotency-Replayed"] == "true"
