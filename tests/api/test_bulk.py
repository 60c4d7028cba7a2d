# SPDX-License-Identifier: MIT
"""PATCH and DELETE /v1/tasks?FILTER&max=N: of all tasks that a filter finds, in one transaction."""
import uuid

import pytest

PATH = "/v1/tasks"


def tasks(user):
    """All, by their ids."""
    found, cursor = {}, ""
    while cursor is not None:
        page = user.client.get(f"{PATH}?limit=100{cursor and '&cursor=' + cursor}").expect(200).json
        found.update({t["id"]: t for t in page["items"]})
        cursor = page["next_cursor"]
    return found


def revision(user):
    """Of the account."""
    return int(user.client.get(f"{PATH}?limit=1").expect(200).etag.strip('"').split("-l")[1])


def patch(user, query, body, **more):
    """What it answers."""
    return user.client.patch(f"{PATH}?{query}", body, **more)


def delete(user, query, **more):
    """What it answers."""
    return user.client.delete(f"{PATH}?{query}", **more)


def counts(answer):
    """(matched, changed) of an answer."""
    body = answer.expect(200).json
    assert set(body) == {"matched", "changed", "revision"}
    return body["matched"], body["changed"]


def parameters(answer):
    """(parameter, code) of each of a 400."""
    return {(e["parameter"], e["code"]) for e in answer.expect(400, "invalid_parameter").json["errors"]}


def test_all_that_is_found_changes(own):
    urgent = [own.task(f"{i}", priority="urgent") for i in range(5)]
    other = own.task("other")
    answer = patch(own, "priority=urgent&max=5", {"status": "completed"})
    assert counts(answer) == (5, 5) and answer.json["revision"] == revision(own) == other["revision"] + 5
    assert answer.headers["Cache-Control"] == "private, no-cache"
    now = tasks(own)
    assert now[other["id"]] == other
    assert all(now[t["id"]]["status"] == "completed" and now[t["id"]]["completed_at"] for t in urgent)
    assert [now[t["id"]]["revision"] for t in urgent] == list(range(other["revision"] + 1, other["revision"] + 6))
    again = patch(own, "priority=urgent&max=5", {"status": "completed"})
    assert counts(again) == (5, 0) and again.json["revision"] == answer.json["revision"]
    assert counts(patch(own, "label=none-has-it&max=1", {"title": "x"})) == (0, 0)


def test_all_that_is_found_goes_with_what_is_below(own):
    done = own.task("done", status="completed")
    below = own.task("below", parent_id=done["id"])
    own.task("done too", parent_id=below["id"], status="completed")
    own.task("done, at the end", status="completed")
    kept = own.task("kept")
    for most in (1, 3):
        answer = delete(own, f"status=completed&max={most}").expect(409, "too_many")
        assert answer.json["matched"] == 4 and str(most) in answer.json["detail"]
    assert len(tasks(own)) == 5
    assert counts(delete(own, "status=completed&max=4")) == (4, 4)
    assert list(tasks(own)) == [kept["id"]]
    assert counts(delete(own, "status=completed&max=4")) == (0, 0)


def test_too_many(own):
    for i in range(4):
        own.task(f"{i}", labels=["x"])
    before = revision(own)
    answer = patch(own, "label=x&max=3", {"title": "New"}).expect(409, "too_many")
    assert answer.json["matched"] == 4
    assert revision(own) == before
    assert counts(patch(own, "label=x&max=4", {"title": "New"})) == (4, 4)


def test_what_changes_along_counts(own):
    box = own.client.post("/v1/lists", {"name": "Household"}).expect(201).json["id"]
    root = own.task("root", labels=["x"])
    child = own.task("child", parent_id=root["id"])
    assert patch(own, "label=x&max=1", {"list_id": box}).expect(409, "too_many").json["matched"] == 2
    assert counts(patch(own, "label=x&max=2", {"list_id": box})) == (2, 2)
    assert tasks(own)[child["id"]]["list_id"] == box
    water = own.task("Water", due="2030-12-01", recurrence="FREQ=DAILY", labels=["y"])
    assert patch(own, "label=y&max=1", {"status": "completed"}).expect(409, "too_many").json["matched"] == 2
    assert counts(patch(own, "label=y&max=2", {"status": "completed"})) == (2, 2)
    assert tasks(own)[tasks(own)[water["id"]]["next_id"]]["status"] == "pending"


@pytest.mark.parametrize("query, change", [("label=x&max=9", {"title": "New"}), ("label=x&max=9", None)])
def test_a_dry_run(own, query, change):
    root = own.task("root", labels=["x"])
    own.task("child", parent_id=root["id"])
    before = tasks(own), revision(own)

    def ask(more=""):
        return delete(own, query + more) if change is None else patch(own, query + more, change)

    dry = ask("&dry_run=true").expect(200)
    assert (tasks(own), revision(own)) == before
    real = ask("&dry_run=false").expect(200)
    assert real.json == dry.json and (tasks(own), revision(own)) != before


def test_a_dry_run_tells_what_would_fail(own):
    own.task("a", labels=["x"])
    body = {"parent_id": str(uuid.uuid4())}
    assert patch(own, "label=x&max=9&dry_run=true", body).expect(409, "batch_failed").errors == \
        {("/parent_id", "unknown_reference")}
    delete(own, "label=x&max=9&dry_run=true", headers={"Idempotency-Key": "k"}).expect(400, "invalid_header")


def test_one_that_cannot_be_changed(own):
    own.task("a", labels=["x"])
    root = own.task("root", labels=["x"])
    before = revision(own)
    answer = patch(own, "label=x&max=9", {"title": "New", "parent_id": root["id"]}).expect(409, "batch_failed")
    (error,) = answer.json["errors"]
    assert (error["pointer"], error["code"], error["status"], error["id"]) == ("/parent_id", "cycle", 422, root["id"])
    assert revision(own) == before and {t["title"] for t in tasks(own).values()} == {"a", "root"}


def test_the_query(own):
    own.task("a")
    for call in (lambda query: delete(own, query), lambda query: patch(own, query, {"title": "b"})):
        assert parameters(call("status=pending")) == {("max", "required")}
        assert parameters(call("max=1")) == {("filter", "required")}
        assert parameters(call("")) == {("max", "required"), ("filter", "required")}
        assert parameters(call("time_zone=Europe/London&max=1")) == {("filter", "required")}
        for most, code in (("0", "out_of_range"), ("1001", "out_of_range"), ("x", "invalid"), ("-1", "invalid")):
            assert parameters(call(f"status=pending&max={most}")) == {("max", code)}
        for name in ("sort=title", "limit=1", "cursor=x", "include=total"):
            assert parameters(call(f"status=pending&max=1&{name}")) == {(name.split("=")[0], "unknown")}
        assert parameters(call("status=done&max=1&dry_run=yes")) == {("status", "not_allowed"), ("dry_run", "not_allowed")}
    patch(own, "status=pending&max=1", {"title": " "}).expect(422, "validation_failed")
    assert [t["title"] for t in tasks(own).values()] == ["a"]
    assert counts(patch(own, "status=pending&max=1000", {"title": "b"})) == (1, 1)


def test_filters_with_days(own):
    own.task("a", due="2020-01-01")
    own.task("b", due="2999-01-01")
    assert counts(patch(own, "overdue=true&max=5", {"priority": "high"})) == (1, 1)
    assert counts(delete(own, "due.before=2021-01-01&time_zone=Europe/London&max=5")) == (1, 1)
    assert [t["title"] for t in tasks(own).values()] == ["b"]
    assert counts(delete(own, "q=B&list=inbox&max=5")) == (1, 1)


def test_a_key(own):
    own.task("a")
    key = {"Idempotency-Key": "bulk-1"}
    first = patch(own, "status=pending&max=5", {"title": "b"}, headers=key).expect(200)
    own.task("a")
    again = patch(own, "status=pending&max=5", {"title": "b"}, headers=key).expect(200)
    assert again.body == first.body and again.headers["Idempotency-Replayed"] == "true"
    for query, body in (("status=pending&max=6", {"title": "b"}), ("status=pending&max=5", {"title": "c"})):
        patch(own, query, body, headers=key).expect(422, "idempotency_key_reused")
    delete(own, "status=pending&max=5", headers=key).expect(422, "idempotency_key_reused")
    assert sorted(t["title"] for t in tasks(own).values()) == ["a", "b"]


def test_a_condition(own):
    own.task("a")
    tag = own.client.get(f"{PATH}?limit=1").expect(200).etag
    own.task("b")
    answer = delete(own, "status=pending&max=5", headers={"If-Match": tag}).expect(412, "precondition_failed")
    assert len(tasks(own)) == 2
    assert counts(delete(own, "status=pending&max=5", headers={"If-Match": answer.etag})) == (2, 2)


def test_another_account_is_another(own, make_user):
    other = make_user()
    other.task("a")
    own.task("a")
    assert counts(delete(own, "status=pending&max=5")) == (1, 1)
    assert len(tasks(other)) == 1


def test_hundreds(own):
    for part in range(3):
        own.client.post(f"{PATH}/batch", {"operations": [
            {"op": "create", "task": {"title": f"{part} {i}", "status": "completed" if i % 2 else "pending"}}
            for i in range(100)]}).expect(200)
    assert counts(patch(own, "status=completed&max=150", {"labels": ["done"]})) == (150, 150)
    assert counts(delete(own, "label=done&max=150")) == (150, 150)
    assert {t["status"] for t in tasks(own).values()} == {"pending"} and len(tasks(own)) == 150
