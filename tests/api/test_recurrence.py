# SPDX-License-Identifier: MIT
"""Recurring tasks: the dates that would come."""
import uuid

import pytest

BERLIN = {"time_zone": "Europe/Berlin"}


def make(own, **members):
    """A recurring task; every week from 2030-12-01 on if nothing else is said."""
    members = {"title": "Water the plants", "due": "2030-12-01", "recurrence": "FREQ=WEEKLY", **members}
    return own.post("/v1/tasks", members).expect(201).json


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
