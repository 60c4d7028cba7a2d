# SPDX-License-Identifier: MIT
"""GET /v1/labels against the model of it (tests/model/queries.py), and what it answers besides."""
import pytest

from support.spaces import FilledAccount

import queries

SPACES = [(seed, 60) for seed in range(100, 120)] + [(120, 400)]  # the last one is not read on an event loop


def read_pages(client, limit):
    """All items, page by page, by the links."""
    items, path = [], f"/v1/labels?limit={limit}"
    while path:
        answer = client.get(path).expect(200)
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next_cursor"] is None)
        assert len(answer.json["items"]) == limit or link is None
        items += answer.json["items"]
        path = link and link[1 : link.index(">")]
    return items


@pytest.mark.parametrize("seed, tasks", SPACES)
def test_labels_are_those_of_the_model(server, seed, tasks):
    account = FilledAccount(server, seed, tasks)
    expected = queries.list_labels(account.space)
    for limit in [1, 2, 3, 5, len(expected) - 1, len(expected), len(expected) + 1, 100]:
        assert read_pages(account.client, limit) == expected


def test_an_account_without_labels(make_user):
    answer = make_user().client.get("/v1/labels").expect(200)
    assert answer.json == {"items": [], "next_cursor": None}
    assert answer.headers["Cache-Control"] == "private, no-cache" and "Link" not in answer.headers


def test_characters_are_those_that_were_sent(make_user):
    user = make_user()
    labels = ['"', "\\", "'", "a'b", "\U0001f434", "\uffee", "é", "e\u0301", "x" * 64, "\U0001f434" * 64, " a ", "%"]
    user.client.post("/v1/tasks", {"title": "A task", "labels": labels}).expect(201)
    assert [one["name"] for one in read_pages(user.client, 1)] == sorted(labels)


def test_a_walk_meets_what_did_not_change(make_user):
    user = make_user()
    for name in "bdf":
        user.client.post("/v1/tasks", {"title": "A task", "labels": [name]}).expect(201)
    page = user.client.get("/v1/labels?limit=1").expect(200).json
    for name in "ace":
        user.client.post("/v1/tasks", {"title": "A task", "labels": [name]}).expect(201)
    rest = user.client.get(f"/v1/labels?limit=100&cursor={page['next_cursor']}").expect(200).json
    assert [one["name"] for one in rest["items"]] == list("cdef")


def test_the_tag_follows_every_change(make_user):
    user = make_user()
    task = user.client.post("/v1/tasks", {"title": "A task", "labels": ["home"]}).expect(201).json
    first = user.client.get("/v1/labels").expect(200)
    again = user.client.get("/v1/labels", headers={"If-None-Match": first.etag}).expect(304)
    assert again.etag == first.etag and again.body == b""
    assert user.client.head("/v1/labels").expect(200).etag == first.etag
    user.client.patch(f"/v1/tasks/{task['id']}", {"status": "completed"}).expect(200)
    other = user.client.get("/v1/labels", headers={"If-None-Match": first.etag}).expect(200)
    assert other.json["items"] == [{"name": "home", "tasks": 1, "open": 0}]
    user.client.get("/v1/labels", headers={"If-Match": first.etag}).expect(412, "precondition_failed")
    user.client.patch(f"/v1/tasks/{task['id']}", {"labels": []}).expect(200)
    assert user.client.get("/v1/labels").expect(200).json["items"] == []


@pytest.mark.parametrize(
    "query, name",
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=a", "limit"),
        ("cursor=AAAA", "cursor"),
        ("cursor=*", "cursor"),
        ("sort=name", "sort"),
        ("limit=1&limit=2", "limit"),
    ],
)
def test_what_is_wrong_is_named(user, query, name):
    answer = user.client.get(f"/v1/labels?{query}").expect(400, "invalid_parameter")
    assert {where for where, _ in answer.errors} == {name}


def test_a_cursor_is_its_owners_and_of_labels(user, other):
    for name in "ab":
        user.client.post("/v1/tasks", {"title": "A task", "labels": [name]}).expect(201)
    cursor = user.client.get("/v1/labels?limit=1").expect(200).json["next_cursor"]
    user.client.get(f"/v1/labels?cursor={cursor}").expect(200)
    other.client.get(f"/v1/labels?cursor={cursor}").expect(400, "invalid_parameter")
    user.client.get(f"/v1/tasks?cursor={cursor}").expect(400, "invalid_parameter")
    of_tasks = user.client.get("/v1/tasks?limit=1").expect(200).json["next_cursor"]
    user.client.get(f"/v1/labels?cursor={of_tasks}").expect(400, "invalid_parameter")


def test_only_its_owner_sees_them(client, user, other):
    user.client.post("/v1/tasks", {"title": "A task", "labels": ["mine"]}).expect(201)
    client.get("/v1/labels").expect(401)
    assert "mine" not in [one["name"] for one in other.client.get("/v1/labels").expect(200).json["items"]]
