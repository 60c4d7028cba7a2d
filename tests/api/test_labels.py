# SPDX-License-Identifier: MIT
"""GET /v1/labels against the model of it (tests/model/queries.py), and what it answers besides."""
import concurrent.futures
import dataclasses
from urllib.parse import quote

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


# ---- one label ----


def path_of(name):
    """The path of a label."""
    return f"/v1/labels/{quote(name, safe='')}"


def labels_of(client):
    """name -> (tasks, open), of all labels."""
    return {one["name"]: (one["tasks"], one["open"]) for one in read_pages(client, 100)}


def make_tasks(user, *sets, **members):
    """A task for each set of labels; their ids."""
    rows = [user.task("A task", labels=[*labels], **members) for labels in sets]
    return [row["id"] for row in rows]


def task_labels(user, ids):
    return [user.client.get(f"/v1/tasks/{each}").expect(200).json["labels"] for each in ids]


def test_a_rename_changes_every_task_that_carries_it(make_user):
    user = make_user()
    ids = make_tasks(user, ["a", "home", "z"], ["home"], ["other"], [])
    make_tasks(user, ["home"], status="completed")
    before = [user.client.get(f"/v1/tasks/{each}").json for each in ids]
    answer = user.client.patch(path_of("home"), {"name": "näher"}).expect(200)
    assert answer.json == {"name": "näher", "tasks": 3, "open": 2}
    assert answer.etag == user.client.get("/v1/labels").etag
    after = [user.client.get(f"/v1/tasks/{each}").json for each in ids]
    assert [one["labels"] for one in after] == [["a", "näher", "z"], ["näher"], ["other"], []]
    assert after[2:] == before[2:]
    assert len({one["revision"] for one in after}) == 4
    assert all(new["revision"] > old["revision"] for old, new in zip(before[:2], after))
    assert all(new["updated_at"] >= old["updated_at"] for old, new in zip(before, after))
    assert labels_of(user.client) == {"a": (1, 1), "näher": (3, 2), "z": (1, 1), "other": (1, 1)}


def test_a_rename_merges_with_what_is_there(make_user):
    user = make_user()
    ids = make_tasks(user, ["a", "b"], ["a"], ["b"], ["a", "b", "c"])
    answer = user.client.patch(path_of("a"), {"name": "b"}).expect(200)
    assert answer.json == {"name": "b", "tasks": 4, "open": 4}
    assert task_labels(user, ids) == [["b"], ["b"], ["b"], ["b", "c"]]


AWKWARD = ["a/b", "/", "a\\b", "50%", "%2F", "a+b", "a b", "a,b", "?&=#", '"', "\\", '"a"', "日本", "\U0001f434" * 64, "..."]


@pytest.mark.parametrize("name", AWKWARD)
def test_any_label_has_a_path(make_user, name):
    user = make_user()
    ids = make_tasks(user, [name], ["x", name])
    answer = user.client.patch(path_of(name), {"name": "plain"}).expect(200)
    assert answer.json == {"name": "plain", "tasks": 2, "open": 2}
    assert user.client.patch(path_of("plain"), {"name": name}).expect(200).json["name"] == name
    assert task_labels(user, ids) == [[name], sorted(["x", name])]
    user.client.delete(path_of(name)).expect(204)
    assert task_labels(user, ids) == [[], ["x"]]


def test_a_set_stays_in_order(make_user):
    user = make_user()
    labels = sorted(['"', "\\", "a", "b", "~", "\u00e9", "\uffee", "\U0001f434"])
    ids = make_tasks(user, labels)
    for old, new in [("a", "\uffef"), ("\uffef", "!"), ("!", "]"), ("]", "\U0001f435")]:
        user.client.patch(path_of(old), {"name": new}).expect(200)
        labels = sorted([new, *labels[: labels.index(old)], *labels[labels.index(old) + 1 :]])
        assert task_labels(user, ids) == [labels]


def test_a_deletion_leaves_the_tasks(make_user):
    user = make_user()
    ids = make_tasks(user, ["home", "work"], ["home"], ["work"])
    user.client.delete(path_of("home")).expect(204)
    assert task_labels(user, ids) == [["work"], [], ["work"]]
    user.client.delete(path_of("home")).expect(404, "not_found")


def test_what_no_task_carries_is_404(user, other):
    user.task("A task", labels=["only mine"])
    for client, name in [(user.client, "nothing"), (user.client, "Only mine"), (other.client, "only mine")]:
        client.patch(path_of(name), {"name": "new"}).expect(404, "not_found")
        client.delete(path_of(name)).expect(404, "not_found")
    user.client.delete(path_of("x" * 65)).expect(404, "not_found")
    user.client.delete(path_of("nothing"), headers={"If-Match": '"x"'}).expect(404, "not_found")


def test_the_same_name_changes_nothing(make_user):
    user = make_user()
    make_tasks(user, ["home"])
    before = user.client.get("/v1/tasks").expect(200)
    for body in [{"name": "home"}, {}]:
        answer = user.client.patch(path_of("home"), body).expect(200)
        assert answer.json == {"name": "home", "tasks": 1, "open": 1}
    user.client.get("/v1/tasks", headers={"If-None-Match": before.etag}).expect(304)


@pytest.mark.parametrize(
    "body, code",
    [
        ({"name": ""}, "too_short"),
        ({"name": "x" * 65}, "too_long"),
        ({"name": " \u00a0"}, "blank"),
        ({"name": "a\nb"}, "control_character"),
        ({"name": "."}, "not_allowed"),
        ({"name": ".."}, "not_allowed"),
        ({"name": 1}, "type"),
        ({"name": None}, "required"),
        ({"colour": "red"}, "unknown"),
    ],
)
def test_a_name_is_checked(user, body, code):
    user.task("A task", labels=["checked"])
    answer = user.client.patch(path_of("checked"), body).expect(422, "validation_failed")
    assert [where for where, _ in answer.errors] == [f"/{[*body][0]}"], answer.errors
    assert {found for _, found in answer.errors} == {code}


def test_preconditions_are_about_the_labels(make_user):
    user = make_user()
    make_tasks(user, ["home"])
    tag = user.client.get("/v1/labels").etag
    make_tasks(user, ["other"])
    for send in [lambda **more: user.client.patch(path_of("home"), {"name": "x"}, **more),
                 lambda **more: user.client.delete(path_of("home"), **more)]:
        refused = send(headers={"If-Match": tag}).expect(412, "precondition_failed")
        assert refused.etag == user.client.get("/v1/labels").etag
        send(headers={"If-None-Match": "*"}).expect(412, "precondition_failed")
    assert "home" in labels_of(user.client)
    new = user.client.patch(path_of("home"), {"name": "x"}, headers={"If-Match": refused.etag}).expect(200)
    user.client.delete(path_of("x"), headers={"If-Match": new.etag}).expect(204)


def test_a_repeat_with_a_key_is_answered_again(make_user):
    user = make_user()
    make_tasks(user, ["home"], ["home"])
    key = {"Idempotency-Key": '"rename"'}
    first = user.client.patch(path_of("home"), {"name": "house"}, headers=key).expect(200)
    again = user.client.patch(path_of("home"), {"name": "house"}, headers=key).expect(200)
    assert again.body == first.body and again.etag == first.etag
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    user.client.patch(path_of("house"), {"name": "house"}, headers=key).expect(422, "idempotency_key_reused")
    user.client.patch(path_of("home"), {"name": "hut"}, headers=key).expect(422, "idempotency_key_reused")
    user.client.delete(path_of("home"), headers=key).expect(422, "idempotency_key_reused")
    key = {"Idempotency-Key": '"delete"'}
    user.client.delete(path_of("house"), headers=key).expect(204)
    assert user.client.delete(path_of("house"), headers=key).expect(204).headers["Idempotency-Replayed"] == "true"
    user.client.delete(path_of("house")).expect(404)


def test_each_change_takes_a_revision(make_user):
    """The revisions of a space are without a gap: what was counted in the row of the space holds."""
    user = make_user()
    ids = make_tasks(user, *[["home"]] * 5)
    first = user.client.get(f"/v1/tasks/{ids[-1]}").json["revision"]
    user.client.patch(path_of("home"), {"name": "house"}).expect(200)
    revisions = sorted(user.client.get(f"/v1/tasks/{each}").json["revision"] for each in ids)
    assert revisions == list(range(first + 1, first + 6))
    assert user.task()["revision"] == first + 6
    assert user.client.get("/v1/tasks?include=total").json["total"] == 6


def test_renames_are_those_of_the_model(server):
    account = FilledAccount(server, 200, 120)
    tasks = account.space.tasks
    names = {label for task in tasks for label in task.labels}
    for _ in range(25):
        old = account.chance.choice(sorted(names))
        new = account.chance.choice([*sorted(names), "new", "~", "!", None])
        if new is None:
            account.client.delete(path_of(old)).expect(204)
        else:
            account.client.patch(path_of(old), {"name": new}).expect(200)
        changed = {task.id: {new if label == old else label for label in task.labels} - {None} for task in tasks}
        tasks = tuple(dataclasses.replace(task, labels=tuple(sorted(changed[task.id]))) for task in tasks)
        names = {label for task in tasks for label in task.labels}
        if not names:
            break
        expected = queries.list_labels(dataclasses.replace(account.space, tasks=tasks))
        assert read_pages(account.client, 100) == expected


def make_many(user, count, labels):
    """Tasks, by ten clients."""

    def make():
        client = user.reader()
        client.checked = False
        for _ in range(count // 10):
            client.post("/v1/tasks", {"title": "A task", "labels": labels}).expect(201)

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for made in [pool.submit(make) for _ in range(10)]:
            made.result()


def test_at_most_ten_thousand_tasks_change(make_user):
    user = make_user()
    make_many(user, 10_000, ["many", "z"])
    answer = user.client.patch(path_of("many"), {"name": "all"}).expect(200)
    assert answer.json == {"name": "all", "tasks": 10_000, "open": 10_000}
    assert labels_of(user.client) == {"all": (10_000, 10_000), "z": (10_000, 10_000)}
    user.task(labels=["all"])
    before = user.client.get("/v1/labels").etag
    user.client.patch(path_of("all"), {"name": "new"}).expect(409, "too_many")
    user.client.delete(path_of("all")).expect(409, "too_many")
    user.client.get("/v1/labels", headers={"If-None-Match": before}).expect(304)


def test_calls_are_as_everywhere(user, client):
    user.task("A task", labels=["here"])
    client.patch(path_of("here"), {"name": "x"}).expect(401)
    user.client.get(path_of("here")).expect(405, "method_not_allowed")
    user.client.patch(path_of("here") + "?x=1", {"name": "x"}).expect(400, "invalid_parameter")
    user.client.request("DELETE", path_of("here"), json={}).expect(422)
    user.client.delete("/v1/labels/").expect(404)
    user.client.delete("/v1/labels/..").expect(404)
    user.client.delete("/v1/labels/a/b").expect(404)
    problem = user.client.delete(path_of("a/b\\c")).expect(404, "not_found").json
    assert problem["instance"] == "/v1/labels/a%2Fb%5Cc"
    user.client.delete("/v1/tasks/a%2Fb").expect(400, "malformed_request")
    user.client.delete("/v1%2Flabels/here").expect(400, "malformed_request")
    user.client.delete("/v1/labels/%00").expect(400, "malformed_request")
    user.client.delete("/v1/labels/%01").expect(400, "malformed_request")
