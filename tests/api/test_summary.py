# SPDX-License-Identifier: MIT
"""GET /v1/summary against the model of it (tests/model/queries.py), and what it answers besides."""
import dataclasses

import pytest

from support.spaces import FilledAccount, made_queries, now

import queries

SPACES = [(seed, 60) for seed in range(20)] + [(20, 400)]  # the last one is not read on an event loop
ZONES = [*made_queries.ZONES, "Australia/Lord_Howe", "Pacific/Apia", "America/Havana"]


def expected_at(space, moment, zone):
    return queries.summary(dataclasses.replace(space, now=moment), zone)


@pytest.mark.parametrize("seed, tasks", SPACES)
def test_counts_are_those_of_the_model(server, seed, tasks):
    account = FilledAccount(server, seed, tasks)
    for zone in [None, *ZONES]:
        before = expected_at(account.space, now(), zone)
        answer = account.client.get("/v1/summary" + (f"?time_zone={zone}" if zone else "")).expect(200)
        assert answer.json in (before, expected_at(account.space, now(), zone)), zone
        assert list(answer.json) == list(before) and list(answer.json["tasks"]) == queries.STATUSES


def test_an_account_without_tasks(make_user):
    answer = make_user().client.get("/v1/summary").expect(200)
    assert answer.json == {
        "tasks": {"pending": 0, "in-progress": 0, "completed": 0},
        "overdue": 0,
        "due_today": 0,
        "blocked": 0,
        "lists": [{"id": None, "open": 0, "overdue": 0}],
    }
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_lists_are_in_their_order_and_archived_ones_among_them(make_user):
    client = make_user().client
    ids = [client.post("/v1/lists", {"name": name, "archived": name == "B"}).expect(201).json["id"] for name in "CBA"]
    client.post("/v1/tasks", {"title": "A task", "list_id": ids[1]}).expect(201)
    lists = client.get("/v1/summary").expect(200).json["lists"]
    assert [one["id"] for one in lists] == [None, *ids]
    assert [one["open"] for one in lists] == [0, 0, 1, 0]


def test_the_tag_is_of_the_content(make_user):
    user = make_user()
    client = user.client
    task = user.task()
    first = client.get("/v1/summary").expect(200)
    again = client.get("/v1/summary", headers={"If-None-Match": first.etag}).expect(304)
    assert again.etag == first.etag and again.body == b""
    client.get("/v1/summary", headers={"If-None-Match": f"W/{first.etag}"}).expect(304)
    assert client.head("/v1/summary").expect(200).etag == first.etag
    client.patch(f"/v1/tasks/{task['id']}", {"title": "Another title"}).expect(200)
    client.get("/v1/summary", headers={"If-None-Match": first.etag}).expect(304)
    client.patch(f"/v1/tasks/{task['id']}", {"status": "completed"}).expect(200)
    other = client.get("/v1/summary", headers={"If-None-Match": first.etag}).expect(200)
    assert other.etag != first.etag
    client.get("/v1/summary", headers={"If-Match": first.etag}).expect(412, "precondition_failed")
    client.get("/v1/summary", headers={"If-Match": other.etag}).expect(200)
    assert user.task()["id"] != task["id"]
    client.get("/v1/summary", headers={"If-None-Match": other.etag}).expect(200)


@pytest.mark.parametrize(
    "query, name",
    [
        ("time_zone=Berlin", "time_zone"),
        ("time_zone=europe/berlin", "time_zone"),
        ("time_zone=", "time_zone"),
        ("time_zone=UTC&time_zone=UTC", "time_zone"),
        ("limit=1", "limit"),
    ],
)
def test_what_is_wrong_is_named(user, query, name):
    answer = user.client.get(f"/v1/summary?{query}").expect(400, "invalid_parameter")
    assert {where for where, _ in answer.errors} == {name}


def test_only_its_owner_sees_it(client, user, other):
    user.client.copy().get("/v1/summary").expect(200)
    client.get("/v1/summary").expect(401)
    count = other.client.get("/v1/summary").expect(200).json["tasks"]["pending"]
    assert count == len([task for task in other.client.get("/v1/tasks").json["items"] if task["status"] == "pending"])
