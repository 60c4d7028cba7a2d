# SPDX-License-Identifier: MIT
"""Recurring tasks: the dates that would come, completing one, and skipping a date."""
import datetime
import hashlib
import uuid

import pytest

from support.accounts import User

BERLIN = {"time_zone": "Europe/Berlin"}


def make(own, **members):
    """A recurring task; every week from 2030-12-01 on if nothing else is said."""
    members = {"title": "Water the plants", "due": "2030-12-01", "recurrence": "FREQ=WEEKLY", **members}
    return own.post("/v1/tasks", members).expect(201).json


def get(own, task_id):
    return own.get(f"/v1/tasks/{task_id}").expect(200).json


def patch(own, task, **members):
    return own.patch(f"/v1/tasks/{task['id']}", members).expect(200).json


def complete(own, task, **members):
    """The completed task and, where it has one, the next."""
    done = patch(own, task, status="completed", **members)
    return done, get(own, done["next_id"]) if done["next_id"] else None


def skip(own, task, **more):
    return own.post(f"/v1/tasks/{task['id']}/skip", **more)


def next_id(old: str, due: str) -> str:
    """A UUIDv8 (RFC 9562, 5.8) of SHA-256 over the old id and the new due."""
    digest = bytearray(hashlib.sha256(uuid.UUID(old).bytes + due.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))


def today(days=0):
    """In UTC, which is the zone of whoever names none."""
    return str(datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=days))


def all_tasks(own):
    items, cursor = [], ""
    while cursor is not None:
        page = own.get(f"/v1/tasks?limit=100&sort=created_at{cursor and '&cursor=' + cursor}").expect(200).json
        items, cursor = items + page["items"], page["next_cursor"]
    return items


def dates(own, task, query=""):
    return own.get(f"/v1/tasks/{task['id']}/occurrences{query}").expect(200).json["items"]


# --- occurrences ---------------------------------------------------------------------------------


@pytest.mark.parametrize("members, expected", [
    ({}, ["2030-12-08", "2030-12-15", "2030-12-22"]),
    ({"recurrence": "FREQ=DAILY;COUNT=3"}, ["2030-12-02", "2030-12-03"]),
    ({"recurrence": "FREQ=DAILY;UNTIL=20301202"}, ["2030-12-02"]),
    ({"recurrence": "FREQ=MONTHLY;BYMONTHDAY=31"}, ["2030-12-31", "2031-01-31", "2031-03-31"]),
    ({"recurrence": "FREQ=MONTHLY;BYMONTHDAY=-1"}, ["2030-12-31", "2031-01-31", "2031-02-28"]),
    ({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, []),
    ({"due": "2999-12-30", "recurrence": "FREQ=DAILY"}, ["2999-12-31"]),
    ({"due": None, "recurrence": None}, []),
    ({"recurrence": None}, []),
    ({"status": "completed"}, []),
    # whatever the anchor, each is completed in time
    ({"recurrence_anchor": "completion", "recurrence": "FREQ=DAILY;INTERVAL=10"}, ["2030-12-11", "2030-12-21", "2030-12-31"]),
    # a due of the past: in time all the same
    ({"due": "2020-02-28", "recurrence": "FREQ=DAILY"}, ["2020-02-29", "2020-03-01", "2020-03-02"]),
    # the wall clock of the zone; 02:30 is skipped on 2031-03-30, and the second 02:30 of 2030-10-27 is not the one
    ({**BERLIN, "due": "2031-03-29T02:30:00+01:00", "recurrence": "FREQ=DAILY"},
     ["2031-03-30T01:30:00.000Z", "2031-03-31T00:30:00.000Z", "2031-04-01T00:30:00.000Z"]),
    ({**BERLIN, "due": "2030-10-26T02:30:00+02:00", "recurrence": "FREQ=DAILY"},
     ["2030-10-27T00:30:00.000Z", "2030-10-28T01:30:00.000Z", "2030-10-29T01:30:00.000Z"]),
    # a date as UNTIL of a time: the day's end there
    ({"time_zone": "America/New_York", "due": "2030-12-02T03:00:00Z", "recurrence": "FREQ=DAILY;UNTIL=20301203"},
     ["2030-12-03T03:00:00.000Z", "2030-12-04T03:00:00.000Z"]),
])
def test_the_dates_that_would_come(user, members, expected):
    assert dates(user.client, make(user.client, **members), "?limit=3") == expected


def test_ten_dates_unless_there_is_a_limit(user):
    task = make(user.client)
    assert len(dates(user.client, task)) == 10
    assert len(dates(user.client, task, "?limit=1")) == 1
    assert len(dates(user.client, task, "?limit=100")) == 100
    for wrong, code in [("0", "out_of_range"), ("101", "out_of_range"), ("x", "invalid"), ("-1", "invalid")]:
        refused = user.client.get(f"/v1/tasks/{task['id']}/occurrences?limit={wrong}").expect(400, "invalid_parameter")
        assert [(error["parameter"], error["code"]) for error in refused.json["errors"]] == [("limit", code)]
    user.client.get(f"/v1/tasks/{task['id']}/occurrences?sort=due").expect(400, "invalid_parameter")


def test_a_task_without_a_zone_is_in_that_of_the_account(make_user):
    own = make_user().client
    task = make(own, due="2031-03-29T08:00:00Z", recurrence="FREQ=DAILY")
    path = f"/v1/tasks/{task['id']}/occurrences?limit=1"
    before = own.get(path).expect(200)
    assert before.json["items"] == ["2031-03-30T08:00:00.000Z"]
    own.patch("/v1/me", BERLIN).expect(200)
    after = own.get(path, headers={"If-None-Match": before.etag}).expect(200)
    assert after.json["items"] == ["2031-03-30T07:00:00.000Z"]
    assert after.etag != before.etag


def test_dates_have_a_tag_of_their_own(user):
    task = make(user.client)
    path = f"/v1/tasks/{task['id']}/occurrences"
    first = user.client.get(path).expect(200)
    user.client.get(path, headers={"If-None-Match": first.etag}).expect(304)
    user.client.get(path, headers={"If-Match": '"other"'}).expect(412, "precondition_failed")
    user.client.get(path, headers={"If-Match": "other"}).expect(400, "invalid_header")
    head = user.client.request("HEAD", path).expect(200)
    assert head.etag == first.etag
    assert user.client.get(f"{path}?limit=9").etag != first.etag


def test_of_no_task_there_are_no_dates(user, other):
    task = make(other.client)
    for missing in (task["id"], uuid.uuid4()):
        user.client.get(f"/v1/tasks/{missing}/occurrences").expect(404, "not_found")
    user.client.get("/v1/tasks/x/occurrences").expect(404, "not_found")
    user.client.post(f"/v1/tasks/{task['id']}/occurrences", {}).expect(405, "method_not_allowed")


# --- completing ----------------------------------------------------------------------------------

SERVERS = {"id", "position", "status", "completed_at", "next_id", "created_at", "updated_at", "revision"}


def test_the_next_one_comes_with_the_completion(user):
    task = make(user.client, start="2030-11-28", description="All of them", priority="high", labels=["home"],
                metadata={"room": "7"}, recurrence="freq=weekly;count=3")
    assert (task["series_id"], task["next_id"]) == (task["id"], None)
    done, after = complete(user.client, task)
    assert after["id"] == done["next_id"] == next_id(task["id"], "2030-12-08")
    assert {name: value for name, value in done.items() if name not in SERVERS} == \
        {name: value for name, value in task.items() if name not in SERVERS}
    expected = {**task, "start": "2030-12-05", "due": "2030-12-08", "recurrence": "freq=weekly;count=2"}
    assert {name: value for name, value in after.items() if name not in SERVERS} == \
        {name: value for name, value in expected.items() if name not in SERVERS}
    assert (after["status"], after["completed_at"], after["next_id"]) == ("pending", None, None)
    assert after["created_at"] == after["updated_at"] == done["updated_at"] == done["completed_at"]
    assert task["revision"] < done["revision"] and after["revision"] == done["revision"] + 1, "the task before its next one"
    _, last = complete(user.client, after)
    assert (last["due"], last["recurrence"], last["series_id"]) == ("2030-12-15", "freq=weekly;count=1", task["id"])
    done, after = complete(user.client, last)
    assert (done["status"], done["next_id"], after) == ("completed", None, None)


def test_put_completes_too(user):
    task = make(user.client)
    body = {"title": "Water them", "due": "2030-12-01", "recurrence": "FREQ=DAILY", "status": "completed"}
    done = user.client.put(f"/v1/tasks/{task['id']}", body).expect(200).json
    after = get(user.client, done["next_id"])
    assert (after["title"], after["due"], after["status"]) == ("Water them", "2030-12-02", "pending")


@pytest.mark.parametrize("members, change, due", [
    # what the same write changes counts first
    ({}, {"due": "2030-12-03"}, "2030-12-10"),
    ({}, {"recurrence": "FREQ=DAILY"}, "2030-12-02"),
    ({}, {"recurrence": None}, None),
    ({"recurrence": None}, {"recurrence": "FREQ=DAILY"}, "2030-12-02"),
    ({"recurrence": None, "due": None}, {}, None),
    ({"recurrence": "FREQ=DAILY;UNTIL=20301201"}, {}, None),
    # the day of the completion takes the place of the start
    ({"recurrence_anchor": "completion"}, {"completed_at": "2026-01-05T09:00:00Z"}, "2026-01-12"),
    ({"recurrence_anchor": "completion", "time_zone": "Asia/Tokyo"}, {"completed_at": "2026-01-05T20:00:00Z"}, "2026-01-13"),
    ({"recurrence_anchor": "completion", "due": "2030-12-01T08:00:00Z", **BERLIN}, {"completed_at": "2026-06-05T20:00:00Z"},
     "2026-06-12T07:00:00.000Z"),
    # a due that has passed: not before today, or before now
    ({"due": "2020-01-01", "recurrence": "FREQ=DAILY"}, {}, "today"),
    ({"due": "2020-01-01", "recurrence": "FREQ=DAILY"}, {"completed_at": "2020-01-01T09:00:00Z"}, "today"),
])
def test_which_date_is_next(user, members, change, due):
    before = today()
    _, after = complete(user.client, make(user.client, **members), **change)
    assert (after and after["due"]) in ((before, today()) if due == "today" else (due,))


def test_a_series_keeps_its_wall_clock(user):
    """02:30 is skipped in Berlin on 2031-03-30."""
    task = make(user.client, **BERLIN, start="2031-03-29T02:10:00+01:00", due="2031-03-29T02:30:00+01:00", recurrence="FREQ=DAILY")
    _, moved = complete(user.client, task)
    assert (moved["start"], moved["due"]) == ("2031-03-30T01:10:00.000Z", "2031-03-30T01:30:00.000Z")
    before = user.client.get(f"/v1/tasks/{moved['id']}")
    same = user.client.put(f"/v1/tasks/{moved['id']}", {name: value for name, value in moved.items() if name not in SERVERS | {"series_id"}})
    assert same.expect(200).etag == before.etag
    assert dates(user.client, moved, "?limit=1") == ["2031-03-31T00:30:00.000Z"]
    _, again = complete(user.client, moved)
    assert (again["start"], again["due"]) == ("2031-03-31T00:10:00.000Z", "2031-03-31T00:30:00.000Z")
    # what the client writes into that hour is where it is meant to be
    written = make(user.client, **BERLIN, due="2031-03-30T03:30:00+02:00", recurrence="FREQ=DAILY")
    assert complete(user.client, written)[1]["due"] == "2031-03-31T01:30:00.000Z"


def test_once_is_enough(user):
    task = make(user.client)
    done, after = complete(user.client, task)
    assert patch(user.client, task, status="completed") == done
    again = patch(user.client, task, status="pending")
    assert again["next_id"] == after["id"]
    assert complete(user.client, task)[0]["next_id"] == after["id"]
    assert get(user.client, after["id"]) == after


def test_one_that_is_there_is_not_made(make_user):
    own = make_user().client
    task = make(own)
    taken = next_id(task["id"], "2030-12-08")
    own.put(f"/v1/tasks/{taken}", {"title": "Mine"}).expect(201)
    done, after = complete(own, task)
    assert (done["next_id"], after["title"]) == (taken, "Mine")
    assert len(all_tasks(own)) == 2


def test_what_is_created_completed_rolls_nothing_over(make_user):
    own = make_user().client
    assert make(own, status="completed")["next_id"] is None
    made = own.put(f"/v1/tasks/{uuid.uuid4()}", {"title": "Done", "due": "2030-12-01", "recurrence": "FREQ=DAILY", "status": "completed"})
    assert made.expect(201).json["next_id"] is None
    assert len(all_tasks(own)) == 2


def test_the_next_one_stands_directly_after_the_old_one(make_user):
    own = make_user().client
    first, task, last = make(own), make(own), make(own)
    order = [first["id"], task["id"]]
    for _ in range(5):
        done, task = complete(own, task)
        order.append(task["id"])
    assert [item["id"] for item in sorted(all_tasks(own), key=lambda item: item["position"])] == [*order, last["id"]]
    assert len(task["position"]) < 12
    done, after = complete(own, last)
    late = make(own)
    assert last["position"] == done["position"] < after["position"] < late["position"]


def test_the_next_one_stands_after_one_that_goes_elsewhere(make_user):
    own = make_user().client
    target = own.post("/v1/lists", {"name": "Elsewhere"}).expect(201).json["id"]
    there, task = make(own, list_id=target), make(own)
    child = make(own, parent_id=task["id"], recurrence=None, due=None)
    done, after = complete(own, task, list_id=target)
    assert there["position"] < done["position"] < after["position"] < make(own, list_id=target)["position"]
    assert done["list_id"] == after["list_id"] == target
    old, copy = get(own, child["id"]), get(own, next_id(child["id"], after["due"]))
    assert (old["list_id"], copy["list_id"], old["status"], copy["status"]) == (target, target, "completed", "pending")


def test_the_whole_tree_comes_along(make_user):
    own = make_user().client
    root = make(own, start="2030-11-30")
    two = make(own, title="Two", parent_id=root["id"], due="2030-11-29", recurrence=None)
    three = make(own, title="Three", parent_id=two["id"], due="2030-11-28T23:00:00Z", time_zone="Asia/Tokyo", recurrence=None)
    outside = make(own, title="Outside", recurrence=None)
    patch(own, three, status="completed")
    patch(own, two, blocked_by=[three["id"], outside["id"]], status="in-progress")
    done, after = complete(own, root, completed_at="2026-01-05T09:00:00Z")
    olds = {task["id"]: task for task in all_tasks(own)}
    assert len(olds) == 7
    new_two, new_three = (olds[next_id(task["id"], "2030-12-08")] for task in (two, three))
    assert (new_two["parent_id"], new_three["parent_id"]) == (after["id"], new_two["id"])
    assert (new_two["status"], new_three["status"], new_three["completed_at"]) == ("pending", "pending", None)
    assert (new_two["due"], new_three["due"]) == ("2030-12-06", "2030-12-05T23:00:00.000Z")
    assert new_two["blocked_by"] == [new_three["id"], outside["id"]]
    assert new_two["position"] == two["position"]
    assert olds[two["id"]]["status"] == "completed"
    assert olds[two["id"]]["completed_at"] == done["completed_at"] == "2026-01-05T09:00:00.000Z"
    assert olds[three["id"]]["completed_at"] != done["completed_at"]
    assert olds[two["id"]]["blocked_by"] == [three["id"], outside["id"]]


def test_a_series_below_goes_on_once(make_user):
    """Of a daily subtask that was completed three times the last one comes along, and no other."""
    own = make_user().client
    root = make(own)
    daily = make(own, title="Daily", parent_id=root["id"], recurrence="FREQ=DAILY")
    below = make(own, title="Below", parent_id=daily["id"], recurrence=None)
    for _ in range(3):
        daily = complete(own, daily)[1]
    assert daily["due"] == "2030-12-04"
    done, after = complete(own, root)
    children = [task for task in all_tasks(own) if task["parent_id"] == after["id"]]
    assert [(task["title"], task["due"], task["status"], task["series_id"]) for task in children] == \
        [("Daily", "2030-12-11", "pending", daily["series_id"])]
    old = get(own, daily["id"])
    assert (old["status"], old["next_id"]) == ("completed", None)
    grandchildren = [task["title"] for task in all_tasks(own) if task["parent_id"] == children[0]["id"]]
    assert grandchildren == ["Below"] and get(own, below["id"])["status"] == "completed"


def test_the_last_one_completes_what_is_below_it(user):
    root = make(user.client, recurrence="FREQ=DAILY;COUNT=1")
    child = make(user.client, parent_id=root["id"], recurrence=None)
    assert complete(user.client, root)[0]["next_id"] is None
    assert get(user.client, child["id"])["status"] == "completed"
    plain = make(user.client, recurrence=None)
    child = make(user.client, parent_id=plain["id"], recurrence=None)
    complete(user.client, plain)
    assert get(user.client, child["id"])["status"] == "pending"


def test_the_zone_of_the_account_counts_where_a_task_has_none(make_user):
    own = make_user().client
    own.patch("/v1/me", BERLIN).expect(200)
    task = make(own, due="2031-03-29T08:00:00Z", recurrence="FREQ=DAILY")
    child = make(own, parent_id=task["id"], due="2031-03-28T08:00:00Z", recurrence=None)
    _, after = complete(own, task)
    assert after["due"] == "2031-03-30T07:00:00.000Z"
    assert get(own, next_id(child["id"], after["due"]))["due"] == "2031-03-29T08:00:00.000Z"
    assert skip(own, after).expect(200).json["due"] == "2031-03-31T07:00:00.000Z"


def test_a_repeat_under_a_key_is_the_first_answer(user):
    task = make(user.client)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = user.client.patch(f"/v1/tasks/{task['id']}", {"status": "completed"}, headers=key).expect(200)
    after = get(user.client, first.json["next_id"])
    patch(user.client, task, status="pending")
    again = user.client.patch(f"/v1/tasks/{task['id']}", {"status": "completed"}, headers=key).expect(200)
    assert (again.json, again.headers["idempotency-replayed"]) == (first.json, "true")
    assert get(user.client, task["id"])["status"] == "pending"
    assert get(user.client, after["id"]) == after


def test_a_completion_that_is_refused_makes_nothing(make_user):
    own = make_user().client
    task = make(own)
    own.patch(f"/v1/tasks/{task['id']}", {"status": "completed"}, headers={"If-Match": '"x-1"'}).expect(412, "precondition_failed")
    own.patch(f"/v1/tasks/{task['id']}", {"status": "completed", "due": None}).expect(422, "validation_failed")
    own.patch(f"/v1/tasks/{task['id']}", {"status": "completed", "parent_id": str(uuid.uuid4())}).expect(422, "validation_failed")
    assert all_tasks(own) == [task]


def test_a_completion_is_refused_for_no_limit(start_server):
    server = start_server(env={"USER_TASKS_MOST": "3"})
    own = User(server).client
    root = make(own)
    child = make(own, parent_id=root["id"], recurrence=None)
    make(own, parent_id=child["id"], recurrence=None)
    own.post("/v1/tasks", {"title": "One too many"}).expect(507, "quota_exceeded")
    _, after = complete(own, root)
    assert len(all_tasks(own)) == 6
    complete(own, after)
    assert len(all_tasks(own)) == 9
    own.post("/v1/tasks", {"title": "One too many"}).expect(507, "quota_exceeded")


# --- skipping ------------------------------------------------------------------------------------


def test_a_skip_moves_the_dates(user):
    task = make(user.client, start="2030-11-28", recurrence="FREQ=WEEKLY;COUNT=3", recurrence_anchor="completion")
    skipped = skip(user.client, task).expect(200)
    expected = {**task, "start": "2030-12-05", "due": "2030-12-08", "recurrence": "FREQ=WEEKLY;COUNT=2"}
    assert skipped.json == {**expected, "updated_at": skipped.json["updated_at"], "revision": skipped.json["revision"]}
    assert skipped.json["revision"] > task["revision"]
    assert skipped.etag == user.client.get(f"/v1/tasks/{task['id']}").etag
    skip(user.client, task, json={}).expect(200)
    skip(user.client, task).expect(409, "series_ended")
    assert get(user.client, task["id"])["due"] == "2030-12-15"


@pytest.mark.parametrize("members, code", [
    ({"recurrence": None}, "not_recurring"),
    ({"recurrence": None, "status": "completed"}, "not_recurring"),
    ({"status": "completed"}, "completed"),
    ({"recurrence": "FREQ=DAILY;COUNT=1"}, "series_ended"),
    ({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "series_ended"),
    ({"recurrence": "FREQ=DAILY;UNTIL=20301201"}, "series_ended"),
])
def test_where_there_is_nothing_to_skip(user, members, code):
    task = make(user.client, **members)
    skip(user.client, task).expect(409, code)
    assert get(user.client, task["id"]) == task


def test_a_skip_of_a_past_due_goes_to_today(user):
    task = make(user.client, due="2020-01-01", recurrence="FREQ=DAILY;COUNT=5")
    before = today()
    skipped = skip(user.client, task).expect(200).json
    assert skipped["due"] in (before, today()) and skipped["recurrence"] == "FREQ=DAILY;COUNT=4"


def test_a_skip_is_a_write_like_others(user, other):
    task = make(user.client)
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first = skip(user.client, task, headers=key).expect(200)
    again = skip(user.client, task, headers=key, json={}).expect(200)
    assert (again.json, again.headers["idempotency-replayed"]) == (first.json, "true")
    skip(user.client, task, headers={"If-Match": '"x-1"'}).expect(412, "precondition_failed")
    second = skip(user.client, task, headers={"If-Match": first.etag}).expect(200).json
    assert second["due"] == "2030-12-15"
    skip(user.client, task, json={"due": "2030-12-24"}).expect(422, "validation_failed")
    skip(other.client, task).expect(404, "not_found")
    skip(user.client, {"id": uuid.uuid4()}).expect(404, "not_found")
    assert get(user.client, task["id"]) == second
