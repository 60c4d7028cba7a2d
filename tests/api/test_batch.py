# SPDX-License-Identifier: MIT
"""POST /v1/tasks/batch: several calls about tasks in one transaction."""
import re
import time
import uuid

import pytest

from support.contract import ROWS

PATH = "/v1/tasks/batch"
MEBIBYTE = 1024 * 1024


def new_id():
    """An id that a client makes."""
    return str(uuid.uuid4())


def create(title="Buy milk", id=None, **members):
    """An operation that creates."""
    return {"op": "create", **({"id": id} if id else {}), "task": {"title": title, **members}}


def send(user, *operations, headers=None, **more):
    """What the batch answers."""
    return user.client.post(PATH, {"operations": list(operations), **more}, headers=headers)


def results(user, *operations, **more):
    """What came of each."""
    return send(user, *operations, **more).expect(200).json["results"]


def failures(answer):
    """(pointer, code, status) of each of a batch that failed."""
    return [(e["pointer"], e["code"], e["status"]) for e in answer.expect(409, "batch_failed").json["errors"]]


def invalid(answer):
    """(pointer, code) of each of a 422."""
    return {(e["pointer"], e["code"]) for e in answer.expect(422, "validation_failed").json["errors"]}


def tasks(user):
    """All, by their ids."""
    return {t["id"]: t for t in user.client.get("/v1/tasks?limit=100").expect(200).json["items"]}


def test_each_operation_is_its_call(own):
    first, second = own.task("a"), own.task("b")
    id = new_id()
    made, replaced, placed, updated, deleted, moved = results(
        own, create("c", priority="high"), {"op": "replace", "id": first["id"], "task": {"title": "A"}},
        {"op": "replace", "id": id, "task": {"title": "d"}},
        {"op": "update", "id": id, "task": {"status": "completed"}},
        {"op": "delete", "id": second["id"]}, {"op": "move", "id": first["id"], "task": {"after": None}})
    assert [r["status"] for r in (made, replaced, placed, updated, deleted, moved)] == [201, 200, 201, 200, 204, 200]
    assert deleted == {"status": 204, "task": None}
    now = tasks(own)
    assert now[made["task"]["id"]] == made["task"] and made["task"]["priority"] == "high"
    assert now[id] == updated["task"] and updated["task"]["completed_at"]
    assert placed["task"]["status"] == "pending", "as it was right after that operation"
    assert now[first["id"]] == moved["task"] and moved["task"]["title"] == "A"
    assert second["id"] not in now and len(now) == 3
    revisions = [r["task"]["revision"] for r in (made, replaced, placed, updated)]
    assert revisions == list(range(second["revision"] + 1, second["revision"] + 5))


def test_a_later_one_names_an_earlier_one(own):
    root, child = new_id(), new_id()
    made = results(own, create("root", root), create("child", child, parent_id=root),
                   create("waits", blocked_by=[child]), {"op": "update", "id": root, "task": {"title": "Root"}})
    assert made[1]["task"]["parent_id"] == root and made[2]["task"]["blocked_by"] == [child]
    assert made[0]["task"]["title"] == "root" and made[3]["task"]["title"] == "Root"
    assert results(own, {"op": "delete", "id": root}, create("again", root))[1]["status"] == 201
    assert child not in tasks(own)


def test_all_or_nothing(own):
    task = own.task("a")
    before = own.client.get("/v1/tasks?limit=1").etag
    missing = new_id()
    answer = send(own, create("b"), {"op": "delete", "id": task["id"]}, {"op": "delete", "id": missing},
                  create("c", parent_id=missing))
    assert failures(answer) == [("/operations/2/id", "not_found", 404)]
    assert answer.json["errors"][0]["detail"].startswith("There is no task with this id")
    answer = send(own, create("b"), {"op": "update", "id": task["id"], "task": {"parent_id": task["id"]}})
    assert failures(answer) == [("/operations/1/task/parent_id", "cycle", 422)]
    answer = send(own, create("b", task["id"]))
    assert failures(answer) == [("/operations/0/id", "id_taken", 409)]
    answer = send(own, create("b"), {"op": "move", "id": task["id"], "task": {"after": missing}})
    assert failures(answer) == [("/operations/1", "not_sibling", 409)]
    answer = send(own, {"op": "delete", "id": task["id"], "if_match": '"aB3xY9-1"'})
    assert failures(answer) == [("/operations/0/if_match", "precondition_failed", 412)]
    assert own.client.get("/v1/tasks?limit=1").etag == before


def test_all_invalid_members_are_told_at_once(own):
    answer = send(own, create(""), create("b", status="done", due="tomorrow"),
                  {"op": "update", "id": new_id(), "task": {"colour": 1}, "if_match": "x"},
                  {"op": "move", "id": new_id(), "task": {"after": 1}}, create("good"))
    assert failures(answer) == [
        ("/operations/0/task/title", "too_short", 422), ("/operations/1/task/status", "not_allowed", 422),
        ("/operations/1/task/due", "time", 422), ("/operations/2/if_match", "invalid_header", 400),
        ("/operations/2/task/colour", "unknown", 422), ("/operations/3/task/after", "type", 422)]
    assert tasks(own) == {}


def test_each_for_itself(own):
    task = own.task("a")
    missing = new_id()
    operations = [create(""), {"op": "delete", "id": missing}, create("b", task["id"]), create("c"),
                  {"op": "update", "id": task["id"], "task": {"title": "A"}, "if_match": '"aB3xY9-1"'},
                  {"op": "update", "id": task["id"], "task": {"title": "A"}, "if_match": own.client.tag(task)},
                  {"op": "replace", "id": missing, "task": {"title": "d"}, "if_match": "*"},
                  {"op": "move", "id": task["id"], "task": {"after": missing}}]
    made = results(own, *operations, atomic=False)
    assert [r["status"] for r in made] == [422, 404, 409, 201, 412, 200, 412, 409]
    for result, code in zip(made, ["validation_failed", "not_found", "id_taken", None, "precondition_failed", None,
                                   "precondition_failed", "not_sibling"]):
        assert ("problem" in result) == (code is not None) and ("task" in result) == (code is None)
        if code:
            problem = result["problem"]
            assert problem["code"] == code and (problem["status"], problem["title"]) == ROWS[code]
            assert problem["status"] == result["status"] and problem["type"] == f"/problems/{code}"
    assert made[1]["problem"]["instance"] == f"/v1/tasks/{missing}" and made[0]["problem"]["instance"] == "/v1/tasks"
    assert set(t["title"] for t in tasks(own).values()) == {"A", "c"}


def test_a_problem_is_that_of_the_single_call(own):
    """The same words, but for the id of the request."""
    task = own.task("a")
    missing = new_id()
    client = own.client
    for single, operation in [
        (client.patch(f"/v1/tasks/{task['id']}", {"title": " ", "due": 3}),
         {"op": "update", "id": task["id"], "task": {"title": " ", "due": 3}}),
        (client.delete(f"/v1/tasks/{missing}"), {"op": "delete", "id": missing}),
        (client.post("/v1/tasks", {"title": "x", "parent_id": missing}), create("x", parent_id=missing)),
        (client.put(f"/v1/tasks/{missing}", {"title": "x"}, headers={"If-Match": "*"}),
         {"op": "replace", "id": missing, "task": {"title": "x"}, "if_match": "*"}),
        (client.post("/v1/tasks", {"title": "x"}, headers={"If-Match": '"aB3xY9-l1"'}),
         {**create("x"), "if_match": '"aB3xY9-l1"'}),
        (client.patch(f"/v1/tasks/{task['id']}", {}, headers={"If-Match": "x"}),
         {"op": "update", "id": task["id"], "task": {}, "if_match": "x"}),
        (client.post(f"/v1/tasks/{task['id']}/move", {"after": missing}),
         {"op": "move", "id": task["id"], "task": {"after": missing}}),
        (client.post(f"/v1/tasks/{task['id']}/move", {"after": None, "before": None}),
         {"op": "move", "id": task["id"], "task": {"after": None, "before": None}}),
    ]:
        assert single.status >= 400
        problem = results(own, operation, atomic=False)[0]["problem"]
        assert {**problem, "request_id": ""} == {**single.json, "request_id": ""}


def test_what_is_wrong_with_the_batch(own):
    good = create()
    id = new_id()
    for body, wrong in [
        ({}, {("/operations", "required")}), ({"operations": []}, {("/operations", "empty")}),
        ({"operations": [good] * 101}, {("/operations", "too_many")}), ({"operations": good}, {("/operations", "type")}),
        ({"operations": [good], "atomic": None}, {("/atomic", "type")}),
        ({"operations": [good], "sort": 1, "a/b": 2}, {("/sort", "unknown"), ("/a~1b", "unknown")}),
        ({"operations": [1, good, {}]}, {("/operations/0", "type"), ("/operations/2/op", "required")}),
        ({"operations": [{**good, "op": "upsert"}]}, {("/operations/0/op", "not_allowed")}),
        ({"operations": [{**good, "op": 1}]}, {("/operations/0/op", "type")}),
        ({"operations": [{**good, "title": "x"}]}, {("/operations/0/title", "unknown")}),
        ({"operations": [{"op": "create"}]}, {("/operations/0/task", "required")}),
        ({"operations": [{"op": "create", "task": []}]}, {("/operations/0/task", "type")}),
        ({"operations": [{"op": "delete"}]}, {("/operations/0/id", "required")}),
        ({"operations": [{"op": "delete", "id": id, "task": {}}]}, {("/operations/0/task", "not_allowed")}),
        ({"operations": [{"op": "delete", "id": "x"}]}, {("/operations/0/id", "uuid")}),
        ({"operations": [{"op": "delete", "id": 1}]}, {("/operations/0/id", "type")}),
        ({"operations": [{"op": "delete", "id": id, "if_match": 1}]}, {("/operations/0/if_match", "type")}),
        ({"operations": [{"op": "delete", "id": id, "if_match": "*" + " " * 1024}]}, {("/operations/0/if_match", "too_long")}),
    ]:
        for atomic in (True, False):
            assert invalid(own.client.post(PATH, {"atomic": atomic, **body})) == wrong
    own.client.post(PATH, body=b"[]", headers={"Content-Type": "application/json"}).expect(400, "invalid_json")
    assert tasks(own) == {}


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_a_condition_on_the_whole(own, name):
    send(own, create(), headers={name: "*"}).expect(400, "invalid_header")
    assert tasks(own) == {}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods(own, method):
    answer = own.client.request(method, PATH).expect(405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


@pytest.mark.parametrize("atomic", [True, False])
def test_one_key_for_all(own, atomic):
    operations = [create("a"), create("b")] + ([] if atomic else [{"op": "delete", "id": new_id()}, create("")])
    key = {"Idempotency-Key": "batch-1"}
    first = send(own, *operations, atomic=atomic, headers=key).expect(200)
    again = send(own, *operations, atomic=atomic, headers=key).expect(200)
    assert again.body == first.body and again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(tasks(own)) == 2
    send(own, create("c"), headers=key).expect(422, "idempotency_key_reused")
    own.client.post("/v1/tasks", {"title": "c"}, headers=key).expect(422, "idempotency_key_reused")


def test_a_failed_batch_is_judged_afresh(own):
    parent = new_id()
    key = {"Idempotency-Key": "batch-2"}
    failures(send(own, create("a", parent_id=parent), headers=key))
    results(own, create("parent", parent))
    answer = send(own, create("a", parent_id=parent), headers=key).expect(200)
    assert "Idempotency-Replayed" not in answer.headers


def test_a_hundred_of_one_task(own):
    task = own.task("a")
    made = results(own, *({"op": "update", "id": task["id"], "task": {"title": str(i)}} for i in range(100)))
    assert [r["task"]["title"] for r in made] == [str(i) for i in range(100)]
    assert [r["task"]["revision"] for r in made] == list(range(task["revision"] + 1, task["revision"] + 101))


def test_a_hundred_tasks_with_all_they_may_have(own):
    labels = [f"label {i:02}" for i in range(32)]
    metadata = {f"name {i}": "x" for i in range(50)}
    made = results(own, *(create(f"{i}", labels=labels, metadata=metadata) for i in range(100)))
    assert all(r["status"] == 201 and r["task"]["labels"] == labels for r in made)


def test_an_answer_has_a_mebibyte_of_tasks(own):
    text = "x" * 16000
    ids = [new_id() for _ in range(90)]
    for part in range(0, 90, 15):
        results(own, *(create("long", id, description=text) for id in ids[part : part + 15]))
    answer = send(own, *({"op": "update", "id": id, "task": {"title": "Long"}} for id in ids)).expect(200)
    made = answer.json["results"]
    there = [r for r in made if "task" in r]
    left = [r for r in made if "task" not in r]
    assert MEBIBYTE - 50000 < sum(len(r["task"]["description"]) for r in there) <= MEBIBYTE
    assert made == there + left and len(left) > 10
    assert all(set(r) == {"status", "revision"} and r["status"] == 200 for r in left)
    now = tasks(own)
    assert all(now[id]["title"] == "Long" and now[id]["revision"] == (r.get("task") or r)["revision"]
               for id, r in zip(ids, made) if id in now)


def left(answer):
    """What RateLimit says is left."""
    return int(re.search(r"r=(\d+)", answer.headers["RateLimit"]).group(1))


def rate(answer):
    """How many requests come back in a second, as RateLimit-Policy says."""
    quota, window = re.search(r"q=(\d+);w=(\d+)", answer.headers["RateLimit-Policy"]).groups()
    return int(quota) / int(window)


def test_ten_operations_are_one_request(start_server, make_user):
    user = make_user(start_server({"RATE_LIMIT": "on"}))
    began, before = time.monotonic(), left(send(user, create()).expect(200))
    for count, cost in ((10, 1), (11, 2), (100, 10)):
        answer = send(user, *[create()] * count).expect(200)
        after, ended = left(answer), time.monotonic()
        back = 1 + (ended - began) * rate(answer)
        assert before - cost <= after <= before - cost + back, "some may come back meanwhile"
        began, before = ended, after
    for _ in range(1000):
        refused = send(user, *[create()] * 100)
        if refused.status == 429:
            break
    refused.expect(429, "rate_limited")


def test_the_space_is_full(start_server, make_user):
    server = start_server({"USER_TASKS_MOST": "3"})
    user = make_user(server)
    answer = send(user, *(create(f"{i}") for i in range(4)))
    assert failures(answer) == [("/operations/3", "quota_exceeded", 507)]
    assert tasks(user) == {}
    made = results(user, *(create(f"{i}") for i in range(4)), atomic=False)
    assert [r["status"] for r in made] == [201, 201, 201, 507]
    first = made[0]["task"]["id"]
    assert [r["status"] for r in results(user, {"op": "delete", "id": first}, create("5"))] == [204, 201]
