# SPDX-License-Identifier: MIT
"""What a task waits for, and the members that go together: completed_at, start and due, recurrence."""
import threading
import uuid
from datetime import datetime, timedelta, timezone

import pytest

from support.tasks import path_of

WAIT_MOST = 32


def patch(user, task, **members):
    """What the change answers."""
    return user.client.patch(path_of(task), members)


def post(user, **members):
    """What the create answers."""
    return user.client.post("/v1/tasks", {"title": "a", **members})


def errors_of(answer):
    """(pointer, code) of each error of a 422."""
    return [(error["pointer"], error["code"]) for error in answer.expect(422).json["errors"]]


def at(**ahead):
    """An instant that is so far ahead of now."""
    return (datetime.now(timezone.utc) + timedelta(**ahead)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


# ---- blocked_by ----


def test_blockers_stay_in_their_order(user):
    ids = [user.task()["id"] for _ in range(4)]
    task = user.task(blocked_by=[ids[2], ids[0], ids[2], ids[3]])
    assert task["blocked_by"] == [ids[2], ids[0], ids[3]]
    assert patch(user, task, blocked_by=ids).expect(200).json["blocked_by"] == ids
    assert patch(user, task, blocked_by=None).expect(200).json["blocked_by"] == []


def test_an_unknown_blocker_is_named_by_its_place(user, other):
    known = user.task()["id"]
    wrong = [str(uuid.uuid4()), other.task()["id"]]
    answer = post(user, blocked_by=[wrong[0], known, wrong[1]])
    assert errors_of(answer) == [("/blocked_by/0", "unknown_reference"), ("/blocked_by/2", "unknown_reference")]


def test_a_blocker_that_is_deleted_later_stays(user):
    gone, known = user.task(), user.task()
    task = user.task(blocked_by=[gone["id"]])
    user.client.delete(path_of(gone)).expect(204)
    assert user.client.get(path_of(task)).json["blocked_by"] == [gone["id"]]
    both = [known["id"], gone["id"]]
    assert patch(user, task, blocked_by=both).expect(200).json["blocked_by"] == both
    assert errors_of(post(user, blocked_by=[gone["id"]])) == [("/blocked_by/0", "unknown_reference")]
    patch(user, task, blocked_by=[]).expect(200)
    assert errors_of(patch(user, task, blocked_by=[gone["id"]])) == [("/blocked_by/0", "unknown_reference")]


def test_waiting_has_no_cycle(user):
    tasks = [user.task()]
    assert errors_of(patch(user, tasks[0], blocked_by=[tasks[0]["id"]])) == [("/blocked_by/0", "cycle")]
    for _ in range(5):
        tasks.append(user.task(blocked_by=[tasks[-1]["id"]]))
    for task in tasks[1:]:
        assert errors_of(patch(user, tasks[0], blocked_by=[task["id"]])) == [("/blocked_by", "cycle")]
    assert errors_of(patch(user, tasks[2], blocked_by=[tasks[1]["id"], tasks[4]["id"]])) == [("/blocked_by", "cycle")]
    chosen = str(uuid.uuid4())
    user.client.put(f"/v1/tasks/{chosen}", {"title": "a", "blocked_by": [tasks[5]["id"]]}).expect(201)
    assert errors_of(patch(user, tasks[0], blocked_by=[chosen])) == [("/blocked_by", "cycle")]


def test_a_diamond_is_no_cycle(user):
    top = user.task()["id"]
    sides = [user.task(blocked_by=[top])["id"] for _ in range(2)]
    bottom = user.task(blocked_by=sides)
    assert patch(user, bottom, blocked_by=sides + [top]).expect(200).json["blocked_by"] == sides + [top]


def test_an_id_that_comes_again_may_close_no_circle(user):
    first = user.task()
    second = user.task(blocked_by=[first["id"]])
    user.client.delete(path_of(first)).expect(204)
    answer = user.client.put(path_of(first), {"title": "again", "blocked_by": [second["id"]]})
    assert errors_of(answer) == [("/blocked_by", "cycle")]


def test_two_that_would_wait_for_each_other(make_user):
    own = make_user()
    clients = [own.reader() for _ in range(2)]
    for _ in range(25):
        pair = [own.task("a"), own.task("b")]
        barrier = threading.Barrier(2)
        answers = [None, None]

        def wait(place, pair=pair, barrier=barrier, answers=answers):
            barrier.wait()
            answers[place] = clients[place].patch(path_of(pair[place]), {"blocked_by": [pair[1 - place]["id"]]})

        threads = [threading.Thread(target=wait, args=(place,)) for place in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status for answer in answers) == [200, 422]


# ---- completed_at ----


def test_completed_at_may_be_told(user):
    then = "2026-01-02T03:04:05.678Z"
    task = user.task(status="completed", completed_at=then)
    assert task["completed_at"] == then
    assert patch(user, task, title="b").expect(200).json["completed_at"] == then
    put = {"title": "c", "status": "completed"}
    assert user.client.put(path_of(task), put).expect(200).json["completed_at"] == then
    earlier = "1999-01-01T00:00:00.000Z"
    assert patch(user, task, completed_at=earlier).expect(200).json["completed_at"] == earlier
    assert patch(user, task, status="pending").expect(200).json["completed_at"] is None


def test_completed_at_only_while_completed(user):
    now = at(seconds=0)
    assert errors_of(post(user, completed_at=now)) == [("/completed_at", "not_completed")]
    task = user.task(completed_at=None)
    assert errors_of(patch(user, task, completed_at=now)) == [("/completed_at", "not_completed")]
    done = patch(user, task, status="completed", completed_at=now).expect(200).json
    assert done["completed_at"] == now
    assert errors_of(patch(user, done, completed_at=None)) == [("/completed_at", "required")]
    assert errors_of(patch(user, done, status="pending", completed_at=now)) == [("/completed_at", "not_completed")]
    assert errors_of(post(user, status="completed", completed_at=None)) == [("/completed_at", "required")]


def test_completed_at_is_hardly_ahead(user):
    assert errors_of(post(user, status="completed", completed_at=at(minutes=6))) == [("/completed_at", "in_future")]
    soon = at(minutes=4)
    assert post(user, status="completed", completed_at=soon).expect(201).json["completed_at"] == soon


# ---- start and due ----


@pytest.mark.parametrize("start, due", [("2026-12-02", "2026-12-01"), ("2026-12-01T12:00:00.001Z", "2026-12-01T12:00:00Z"),
                                        ("2026-12-02T00:00:00Z", "2026-12-01"), ("2026-12-02", "2026-12-01T23:00:00Z")])
def test_start_is_not_after_due(user, start, due):
    assert errors_of(post(user, start=start, due=due)) == [("/start", "order")]
    task = user.task(start=start)
    assert errors_of(patch(user, task, due=due)) == [("/due", "order")]
    task = user.task(due=due)
    assert errors_of(patch(user, task, start=start)) == [("/start", "order")]


@pytest.mark.parametrize("start, due", [("2026-12-01", "2026-12-01"), ("2026-12-01T12:00:00Z", "2026-12-01T12:00:00Z"),
                                        ("2026-12-01T23:59:59Z", "2026-12-01"), ("2026-12-01", "2026-12-01T00:00:00Z")])
def test_start_may_be_when_due_is(user, start, due):
    task = post(user, start=start, due=due).expect(201).json
    assert patch(user, task, title="b").expect(200).json["title"] == "b"


def test_the_order_hangs_on_the_zone(user):
    late = {"start": "2026-12-02T04:00:00Z", "due": "2026-12-01"}
    assert errors_of(post(user, **late)) == [("/start", "order")]
    task = post(user, **late, time_zone="America/New_York").expect(201).json  # it is eleven in the evening there
    assert errors_of(patch(user, task, time_zone="UTC")) == [("/due", "order")]
    user.client.patch("/v1/me", {"time_zone": "America/New_York"}).expect(200)
    assert patch(user, task, time_zone=None).expect(200).json["time_zone"] is None
    user.client.patch("/v1/me", {"time_zone": "UTC"}).expect(200)
    assert patch(user, task, title="not judged").expect(200).json["title"] == "not judged"


# ---- recurrence ----


def test_a_recurring_task_needs_due(user):
    rule = "FREQ=DAILY"
    assert errors_of(post(user, recurrence=rule)) == [("/recurrence", "needs_due")]
    task = post(user, recurrence=rule, due="2026-12-01").expect(201).json
    assert task["series_id"] == task["id"] and task["recurrence"] == rule
    assert errors_of(patch(user, task, due=None)) == [("/recurrence", "needs_due")]
    free = patch(user, task, due=None, recurrence=None).expect(200).json
    assert (free["due"], free["recurrence"], free["series_id"]) == (None, None, task["id"])


@pytest.mark.parametrize("rule", ["DAILY", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=1;UNTIL=20270101"])
def test_a_wrong_rule_is_named(user, rule):
    answer = post(user, recurrence=rule, due="2026-12-01")
    assert errors_of(answer) == [("/recurrence", "rule")]
    assert answer.json["errors"][0]["detail"].endswith(".")


def test_until_goes_with_due(user):
    timed = "FREQ=DAILY;UNTIL=20270101T000000Z"
    task = post(user, recurrence=timed, due="2026-12-01T10:00:00Z").expect(201).json
    assert errors_of(patch(user, task, due="2026-12-01")) == [("/recurrence", "rule")]


def test_null_in_a_patch_is_the_default(user):
    task = user.task(priority="high", labels=["a"], metadata={"a": "b"}, recurrence_anchor="completion")
    free = patch(user, task, priority=None, labels=None, metadata=None, recurrence_anchor=None, status=None).expect(200).json
    assert (free["priority"], free["labels"], free["metadata"]) == ("none", [], {})
    assert (free["recurrence_anchor"], free["status"]) == ("due", "pending")
    assert errors_of(patch(user, task, title=None)) == [("/title", "required")]


def test_all_that_is_wrong_is_told_at_once(user):
    answer = post(user, start="2026-12-02", due="2026-12-01", completed_at=at(seconds=0), recurrence="x",
                  parent_id=str(uuid.uuid4()), blocked_by=[str(uuid.uuid4())])
    assert sorted(errors_of(answer)) == [("/blocked_by/0", "unknown_reference"), ("/completed_at", "not_completed"),
                                         ("/parent_id", "unknown_reference"), ("/recurrence", "rule"), ("/start", "order")]
