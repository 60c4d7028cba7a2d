# SPDX-License-Identifier: MIT
"""Creating, reading, changing, replacing and deleting one task."""
import threading
import time
import uuid
from datetime import datetime

import pytest

NULL_TASK = {"description": None, "status": "pending", "completed_at": None}
TEXTS = ["Milk", " spaces stay ", "日本語 🐄 é é", "\u202eright to left", "\"quotes\" \\ / </script>",
         "%00 %s ' ; --", "\u2028 line separator", "\ufeffnot a BOM here", "\U0010ffff\ufffd"]


def when(text):
    """Seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_create_answers_the_task(user):
    answer = user.client.post("/v1/tasks", {"title": "Buy milk"}).expect(201)
    task = answer.json
    assert task == {**task, "title": "Buy milk", **NULL_TASK}
    assert answer.headers["Location"] == f"/v1/tasks/{task['id']}"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.etag == user.client.tag(task)
    assert task["created_at"] == task["updated_at"] and abs(when(task["created_at"]) - time.time()) < 30
    made = uuid.UUID(task["id"])
    assert made.version == 7 and made.variant == uuid.RFC_4122
    assert abs((made.int >> 80) / 1000 - when(task["created_at"])) < 5
    read = user.client.get(answer.headers["Location"]).expect(200)
    assert read.json == task and read.etag == answer.etag
    assert read.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_stored_as_sent(user, text):
    task = user.task(text, description=text + "\r\n\tnext line\n")
    read = user.client.get(f"/v1/tasks/{task['id']}").json
    assert (read["title"], read["description"]) == (text, text + "\r\n\tnext line\n")


def test_an_empty_description_is_not_null(user):
    assert user.task(description="")["description"] == ""
    assert user.task(description=None)["description"] is None


def test_creating_a_completed_task_sets_completed_at(user):
    task = user.task(status="completed")
    assert task["completed_at"] == task["created_at"]


def test_completed_at_follows_the_status(user):
    path = f"/v1/tasks/{user.task()['id']}"
    seen = []
    for status in ("in-progress", "completed", "completed", "pending", "completed"):
        task = user.client.patch(path, {"status": status}).expect(200).json
        assert (task["completed_at"] is not None) == (status == "completed")
        seen.append(task["completed_at"])
    assert seen[1] == seen[2] and when(seen[4]) >= when(seen[1])
    renamed = user.client.patch(path, {"title": "Other"}).expect(200).json
    assert renamed["completed_at"] == seen[4], "another change leaves it alone"
    replaced = user.client.put(path, {"title": "Other", "status": "completed"}).expect(200).json
    assert replaced["completed_at"] == seen[4]
    assert user.client.put(path, {"title": "Other"}).expect(200).json["completed_at"] is None


def test_patch_keeps_what_is_absent_and_null_clears(user):
    task = user.task(description="Two litres", status="in-progress")
    path = f"/v1/tasks/{task['id']}"
    patched = user.client.patch(path, {"title": "Oat milk"}).expect(200).json
    same = ("id", "description", "status", "created_at")
    assert {n: patched[n] for n in same} == {n: task[n] for n in same}
    assert patched["title"] == "Oat milk" and patched["revision"] > task["revision"]
    assert when(patched["updated_at"]) >= when(task["updated_at"])
    merge = {"Content-Type": "application/merge-patch+json"}
    assert user.client.patch(path, {"description": None}, headers=merge).expect(200).json["description"] is None


@pytest.mark.parametrize("change", [{}, {"title": "Buy milk"}, {"description": None}, {"status": "pending"},
                                    {"title": "Buy milk", "description": None, "status": "pending"}])
def test_what_changes_nothing_keeps_the_revision(user, change):
    task = user.task()
    answer = user.client.patch(f"/v1/tasks/{task['id']}", change).expect(200)
    assert answer.json == task and answer.etag == user.client.tag(task)


def test_put_replaces_and_defaults(user):
    task = user.task(description="Two litres", status="completed")
    path = f"/v1/tasks/{task['id']}"
    answer = user.client.put(path, {"title": "Bread"}).expect(200)
    assert answer.json == {**task, **NULL_TASK, "title": "Bread", "revision": answer.json["revision"],
                           "updated_at": answer.json["updated_at"]}
    assert answer.json["revision"] > task["revision"] and answer.etag == user.client.tag(answer.json)
    assert answer.headers.get("Location") is None
    again = user.client.put(path, {"title": "Bread"}).expect(200)
    assert again.json == answer.json, "a replacement that changes nothing keeps the revision"


@pytest.mark.parametrize("client_id", [lambda: uuid.uuid4(), lambda: uuid.uuid1(), lambda: uuid.UUID(int=0),
                                       lambda: uuid.UUID(int=2 ** 128 - 1)])
def test_put_creates_under_an_id_of_the_client(user, client_id):
    path = f"/v1/tasks/{client_id()}"
    answer = user.client.put(path, {"title": "Made by the client"}).expect(201)
    assert answer.headers["Location"] == path and path.endswith(answer.json["id"])
    assert user.client.get(path).expect(200).json == answer.json
    user.client.put(path, {"title": "Made by the client"}).expect(200)


def test_put_creates_again_what_was_deleted(user):
    task = user.task()
    path = f"/v1/tasks/{task['id']}"
    user.client.delete(path).expect(204)
    again = user.client.put(path, {"title": "Back"}).expect(201).json
    assert again["revision"] > task["revision"] and again["id"] == task["id"]
    assert when(again["created_at"]) >= when(task["created_at"])
    assert user.client.get(path).expect(200).json == again


def test_two_users_may_have_the_same_id(user, other):
    path = f"/v1/tasks/{uuid.uuid4()}"
    user.client.put(path, {"title": "Mine"}).expect(201)
    other.client.put(path, {"title": "Theirs"}).expect(201)
    other.client.delete(path).expect(204)
    assert user.client.get(path).expect(200).json["title"] == "Mine"


def test_delete(user):
    path = f"/v1/tasks/{user.task()['id']}"
    user.client.delete(path).expect(204)
    for method in ("GET", "DELETE", "HEAD"):
        user.client.request(method, path).expect(404)
    user.client.patch(path, {"title": "x"}).expect(404, "not_found")


def test_absent_foreign_and_deleted_look_the_same(user, other):
    deleted = user.task()["id"]
    user.client.delete(f"/v1/tasks/{deleted}").expect(204)
    answers = [user.client.get(f"/v1/tasks/{task}").expect(404, "not_found").json
               for task in (deleted, other.task()["id"], str(uuid.uuid4()))]
    assert len({(a["detail"], a["title"], a["type"]) for a in answers}) == 1


def test_an_id_in_upper_case_is_the_same_id(user):
    task = user.task()
    path = f"/v1/tasks/{task['id'].upper()}"
    assert user.client.get(path).expect(200).json == task
    assert user.client.patch(path, {"title": "Oat milk"}).expect(200).json["id"] == task["id"]
    user.client.delete(path).expect(204)
    user.client.get(f"/v1/tasks/{task['id']}").expect(404)
    made = uuid.uuid4()
    answer = user.client.put(f"/v1/tasks/{str(made).upper()}", {"title": "x"}).expect(201)
    assert answer.json["id"] == str(made) and answer.headers["Location"] == f"/v1/tasks/{made}"


@pytest.mark.parametrize("bad", ["1", "x", "01a203ca194b77a58c00000000000003",
                                 "{01a203ca-194b-77a5-8c00-000000000003}", "01a203ca-194b-77a5-8c00-00000000000g",
                                 "01a203ca-194b-77a5-8c00-0000000000030", "%00", "01a203ca-194b-77a5-8c00-00000000000"])
def test_what_is_no_uuid_is_not_found(user, bad):
    for method, body in (("GET", {}), ("PUT", {"json": {"title": "x"}}), ("PATCH", {"json": {}}), ("DELETE", {})):
        answer = user.client.request(method, f"/v1/tasks/{bad}", **body).expect(400 if bad[0] in "%{" else 404)
        assert bad[0] in "%{" or "UUID" in answer.json["detail"]


def test_creates_over_several_connections_list_in_their_order(start_server, make_user):
    own = make_user(start_server(env={"THREADS": "4"}))
    connections = [own.reader() for _ in range(8)]
    made = [connections[number % 8].post("/v1/tasks", {"title": "x"}).expect(201).json["id"] for number in range(96)]
    listed = own.client.get("/v1/tasks?limit=100").expect(200).json["items"]
    assert [task["id"] for task in listed] == made[::-1] and made == sorted(made)


def test_every_change_takes_the_next_revision(make_user):
    own = make_user()
    first, second = own.task("one"), own.task("two")
    path = f"/v1/tasks/{first['id']}"
    revisions = [first["revision"], second["revision"]]
    revisions.append(own.client.patch(path, {"status": "completed"}).json["revision"])
    revisions.append(own.client.put(path, {"title": "three"}).json["revision"])
    own.client.delete(path).expect(204)
    revisions.append(own.task("four")["revision"])
    assert revisions[0] >= 1
    assert all(a < b for a, b in zip(revisions, revisions[1:]))
    assert revisions[4] - revisions[3] >= 2, "deleting is a change too"


def test_concurrent_changes_have_distinct_revisions(make_user):
    own = make_user()
    task, seen, wrong = own.task(), [], []

    def change(number):
        client = own.reader()
        for step in range(15):
            answer = client.patch(f"/v1/tasks/{task['id']}", {"title": f"{number}.{step}"})
            (seen if answer.status == 200 else wrong).append(answer.json)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    revisions = sorted(answer["revision"] for answer in seen)
    assert len(set(revisions)) == 90 and revisions == list(range(revisions[0], revisions[0] + 90))
    last = max(seen, key=lambda answer: answer["revision"])
    assert own.client.get(f"/v1/tasks/{task['id']}").json == last
