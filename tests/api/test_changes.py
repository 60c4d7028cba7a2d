# SPDX-License-Identifier: MIT
"""GET /v1/changes: whoever applies what it answers holds what the lists answer."""
import random

import pytest

from support import engine
from support.accounts import User
from support.changes import Follower, content
from support.client import Client
from support.server import run
from support.waiting import wait_until

LIMITS = [1, 2, 3, 5, 8, 13, 100, 500]


def filled(user, tasks=11, lists=3):
    """Puts some things into the account; answers their keys in the order in which they were made."""
    keys = []
    for number in range(lists):
        body = {"name": f"List {number}", "archived": number == 1}
        keys.append(("list", user.client.post("/v1/lists", body).expect(201).json["id"]))
    for number in range(tasks):
        keys.append(("task", user.task(f"Task {number}", priority="high" if number % 2 else "none")["id"]))
    return keys


def summary(changes):
    """(op, kind, id) of each."""
    return [(change["op"], change["kind"], change["id"]) for change in changes]


@pytest.fixture(scope="module")
def full(server):
    """An account with things in it that no test changes."""
    user = User(server)
    filled(user)
    return user


def test_an_empty_account(make_user):
    user = make_user()
    page = user.client.get("/v1/changes").expect(200)
    assert page.json["changes"] == [] and page.json["more"] is False and page.json["revision"] == 0
    assert page.headers["Cache-Control"] == "private, no-cache"
    again = user.client.get(f"/v1/changes?cursor={page.json['next_cursor']}").expect(200)
    assert again.json == page.json


@pytest.mark.parametrize("limit", LIMITS)
def test_a_walk_holds_everything(full, limit):
    follower = Follower(full.client)
    changes = follower.follow(limit)
    assert follower.held == content(full.client)
    assert len(changes) == len(follower.held) and {change["op"] for change in changes} == {"put"}
    assert follower.revision == max(one["revision"] for one in follower.held.values())
    cursor, page = follower.cursor, follower.read(limit).json
    assert page["changes"] == [] and page["more"] is False and page["next_cursor"] == cursor


def test_the_limit_is_100_by_default(make_user):
    user = make_user()
    for number in range(101):
        user.task(f"Task {number}")
    first = user.client.get("/v1/changes").expect(200).json
    assert len(first["changes"]) == 100 and first["more"] is True
    assert len(user.client.get("/v1/changes?limit=500").expect(200).json["changes"]) == 101


def test_things_are_what_get_answers_byte_for_byte(make_user):
    user = make_user()
    for kind, path, body in [
        ("task", "/v1/tasks", {"title": "é \U0001f434 \"quoted\" \\ /", "metadata": {"b": "1", "a": "\u2028"},
                               "labels": ["z", "a"], "due": "2030-01-02T03:04:05.678Z"}),
        ("list", "/v1/lists", {"name": "L\u00e9", "color": "#ff8800"}),
    ]:
        one = user.client.post(path, body).expect(201).json
        raw = user.client.get(f"{path}/{one['id']}").expect(200).body
        page = user.client.get("/v1/changes").expect(200)
        assert b'"%s":%s}' % (kind.encode(), raw) in page.body
        change = next(change for change in page.json["changes"] if change["id"] == one["id"])
        assert change == {"kind": kind, "op": "put", "id": one["id"], "revision": one["revision"],
                          "at": one["updated_at"], kind: one}
        tag = f'"{page.json["tag"]}-{change["revision"]}"'
        user.client.patch(f"{path}/{one['id']}", {}, headers={"If-Match": tag}).expect(200)


def test_each_change_comes_in_its_order(make_user):
    user = make_user()
    follower = Follower(user.client)
    follower.follow()
    keys = filled(user, tasks=4, lists=1)
    (_, home), tasks = keys[0], [key[1] for key in keys[1:]]
    assert summary(follower.follow()) == [("put", *key) for key in keys]
    user.client.patch(f"/v1/tasks/{tasks[1]}", {"title": "New"}).expect(200)
    user.client.delete(f"/v1/tasks/{tasks[0]}").expect(204)
    user.client.patch(f"/v1/tasks/{tasks[1]}", {"title": "Newer"}).expect(200)
    user.client.patch(f"/v1/lists/{home}", {"name": "Home"}).expect(200)
    user.client.patch(f"/v1/tasks/{tasks[2]}", {}).expect(200)  # changes nothing
    changes = follower.follow()
    assert summary(changes) == [("delete", "task", tasks[0]), ("put", "task", tasks[1]), ("put", "list", home)]
    assert [change["revision"] for change in changes] == sorted(change["revision"] for change in changes)
    user.client.put(f"/v1/tasks/{tasks[0]}", {"title": "Again"}).expect(201)
    user.client.delete(f"/v1/lists/{home}?tasks=inbox").expect(204)
    user.client.put(f"/v1/tasks/{tasks[3]}", {"title": "Short"}).expect(200)
    user.client.delete(f"/v1/tasks/{tasks[3]}").expect(204)
    assert summary(follower.follow(1)) == [("put", "task", tasks[0]), ("delete", "list", home),
                                           ("delete", "task", tasks[3])]
    assert follower.held == content(user.client)


def test_all_that_one_request_changes_comes(make_user):
    user = make_user()
    follower = Follower(user.client)
    home = user.client.post("/v1/lists", {"name": "Home"}).expect(201).json["id"]
    parent = user.task("Parent", list_id=home, labels=["old"])["id"]
    child = user.task("Child", parent_id=parent, labels=["old"])["id"]
    series = user.task("Weekly", due="2030-01-01", recurrence="FREQ=WEEKLY")["id"]
    follower.follow()
    user.client.patch("/v1/labels/old", {"name": "new"}).expect(200)
    assert sorted(summary(follower.follow())) == sorted([("put", "task", parent), ("put", "task", child)])
    user.client.post(f"/v1/tasks/{parent}/move", {"list_id": None}).expect(200)
    assert summary(follower.follow()) == [("put", "task", parent), ("put", "task", child)]
    done = user.client.patch(f"/v1/tasks/{series}", {"status": "completed"}).expect(200).json
    assert summary(follower.follow()) == [("put", "task", series), ("put", "task", done["next_id"])]
    user.client.post(f"/v1/tasks/{parent}/move", {"list_id": home}).expect(200)
    follower.follow()
    user.client.delete(f"/v1/lists/{home}?tasks=delete").expect(204)
    gone = summary(follower.follow(1))
    assert gone == [("delete", "task", parent), ("delete", "task", child), ("delete", "list", home)]
    assert follower.held == content(user.client)


def test_what_changes_during_the_walk(make_user):
    user = make_user()
    chance = random.Random(7)
    keys = [key for key in filled(user, tasks=20) if key[0] == "task"]
    for limit in (1, 3, 7):
        follower, steps = Follower(user.client), 0
        while True:
            page = follower.read(limit).json
            if steps < 12:
                steps += 1
                key = chance.choice(keys)
                user.client.delete(f"/v1/tasks/{key[1]}").expect(204)
                keys.remove(key)
                keys.append(("task", user.task(f"Made at {steps}")["id"]))
                user.client.patch(f"/v1/tasks/{chance.choice(keys)[1]}", {"title": f"Changed {limit} {steps}"})
                brief = user.task("Here and gone")["id"]
                user.client.delete(f"/v1/tasks/{brief}").expect(204)
            elif not page["more"]:
                break
        assert follower.held == content(user.client)


def test_a_page_has_at_most_256_kib(make_user):
    user = make_user()
    for number in range(9):
        user.task(f"Large {number}", description="\U0001f434" * 16384)
    for cursor in (None, user.client.get("/v1/changes?limit=1").expect(200).json["next_cursor"]):
        follower = Follower(user.client)
        follower.cursor = cursor
        more, count = True, 0
        while more:
            answer = follower.read(500)
            assert len(answer.body) <= 262144
            assert len(answer.json["changes"]) == 3 or not answer.json["more"]
            more, count = answer.json["more"], count + len(answer.json["changes"])
        assert count == (9 if cursor is None else 8)
    user.client.patch("/v1/me", {"name": "Ada"})


def test_a_head_has_no_body(full):
    got = full.client.get("/v1/changes?limit=3").expect(200)
    head = full.client.head("/v1/changes?limit=3").expect(200)
    assert head.body == b"" and head.etag == got.etag and head.headers["Content-Length"] == str(len(got.body))


def test_nothing_new_is_304(make_user):
    user = make_user()
    filled(user)
    follower = Follower(user.client)
    first = user.client.get("/v1/changes?limit=2").expect(200)
    user.client.get("/v1/changes?limit=2", headers={"If-None-Match": first.etag}).expect(304)
    follower.follow()
    last = user.client.get(follower.path()).expect(200)
    none = user.client.get(follower.path(), headers={"If-None-Match": f'"other", {last.etag}'}).expect(304)
    assert none.body == b"" and none.etag == last.etag
    # Under another cursor or limit it never matches.
    for path in (follower.path(7), "/v1/changes", "/v1/changes?limit=2"):
        answer = user.client.get(path, headers={"If-None-Match": last.etag}).expect(200)
        assert answer.etag != last.etag
    user.client.get(follower.path(), headers={"If-Match": first.etag}).expect(412, "precondition_failed")
    user.client.get(follower.path(), headers={"If-Match": last.etag}).expect(200)
    user.task("New")
    newer = user.client.get(follower.path(), headers={"If-None-Match": last.etag}).expect(200)
    assert newer.etag != last.etag and len(newer.json["changes"]) == 1


def test_a_cursor_is_good_again_and_again_on_any_connection(make_user):
    user = make_user()
    filled(user)
    page = user.client.get("/v1/changes?limit=3").expect(200).json
    path = f"/v1/changes?limit=3&cursor={page['next_cursor']}"
    first = user.client.get(path).expect(200)
    assert user.login_client().get(path).expect(200).body == first.body
    assert user.client.get(path).expect(200).body == first.body


@pytest.mark.parametrize(
    "query, name",
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("cursor=", "cursor"),
        ("cursor=abc", "cursor"),
        ("cursor=" + "A" * 200, "cursor"),
        ("limit=1&limit=2", "limit"),
        ("sort=title", "sort"),
    ],
)
def test_wrong_parameters(full, query, name):
    answer = full.client.get(f"/v1/changes?{query}").expect(400, "invalid_parameter")
    assert {parameter for parameter, _ in answer.errors} == {name}


def test_cursors_that_are_not_of_these_changes(make_user, full):
    other = make_user()
    filled(other)
    cursors = [other.client.get(f"/v1/changes?limit={limit}").expect(200).json["next_cursor"] for limit in (1, 500)]
    for cursor in cursors:
        full.client.get(f"/v1/changes?cursor={cursor}").expect(400, "invalid_parameter")
        other.client.get(f"/v1/changes?cursor={cursor}").expect(200)
        for place in (0, 5, 30, len(cursor) - 1):
            tampered = cursor[:place] + ("B" if cursor[place] == "A" else "A") + cursor[place + 1:]
            other.client.get(f"/v1/changes?cursor={tampered}").expect(400, "invalid_parameter")
        for path in ("/v1/tasks", "/v1/lists", "/v1/labels"):
            other.client.get(f"{path}?cursor={cursor}").expect(400, "invalid_parameter")
    listed = other.client.get("/v1/tasks?limit=1").expect(200).json["next_cursor"]
    other.client.get(f"/v1/changes?cursor={listed}").expect(400, "invalid_parameter")


def test_what_was_forgotten_is_410(start_server):
    server = start_server({"KEEP_SECONDS": "60"})
    user = User(server)
    early = user.client.get("/v1/changes?limit=1").expect(200).json["next_cursor"]
    filled(user, tasks=3, lists=1)
    walking = user.client.get("/v1/changes?limit=1").expect(200).json["next_cursor"]
    behind = Follower(user.client)
    behind.follow()
    gone = user.task("Gone")["id"]
    user.client.delete(f"/v1/tasks/{gone}").expect(204)
    follower = Follower(user.client)
    follower.follow()
    engine.run_sql(server.directory, "UPDATE journal SET at = at - 61000")
    newest = user.task("Newest")["id"]
    wait_until(lambda: user.client.get(f"/v1/changes?cursor={early}").status == 410, 30, "the purge")
    answer = user.client.get(f"/v1/changes?cursor={early}").expect(410, "cursor_gone")
    assert "(1 minute)" in answer.json["detail"] and "without a cursor" in answer.json["detail"]
    for cursor in (walking, behind.cursor):
        user.client.get(f"/v1/changes?cursor={cursor}").expect(410, "cursor_gone")
        user.client.head(f"/v1/changes?cursor={cursor}").expect(410)
        user.client.get(f"/v1/changes?cursor={cursor}", headers={"If-None-Match": "*"}).expect(410)
    # Nothing after this one was forgotten.
    assert summary(follower.follow()) == [("put", "task", newest)]
    again = Follower(user.client)
    again.follow(2)
    assert again.held == follower.held == content(user.client)


def test_a_cursor_ahead_of_the_account_is_410(start_server):
    server = start_server()
    user = User(server)
    filled(user)
    follower = Follower(user.client)
    follower.follow()
    engine.run_sql(server.directory, "UPDATE spaces SET revision = revision - 1")
    user.client.get(follower.path()).expect(410, "cursor_gone")


def test_cursors_outlive_a_restart(start_server):
    server = start_server()
    user = User(server)
    filled(user)
    follower = Follower(user.client)
    follower.read(3)
    server.restart()
    follower.client = Client(server, user.token["access_token"])
    follower.follow(3)
    assert follower.held == content(follower.client)


def test_a_new_epoch_makes_cursors_and_tags_old(start_server):
    server = start_server()
    user = User(server)
    filled(user)
    follower = Follower(user.client)
    page = follower.read(3)
    follower.follow()
    tasks = user.client.get("/v1/tasks").expect(200)
    server.terminate()
    settings = {**(server.database or {}), **server.env}
    assert run("migrate", "--new-epoch", env=settings, cwd=server.directory).stdout.count("\n") == 2
    server.start()
    client = Client(server, user.token["access_token"])
    for cursor in (page.json["next_cursor"], follower.cursor):
        client.get(f"/v1/changes?cursor={cursor}").expect(410, "cursor_gone")
    assert client.get("/v1/tasks", headers={"If-None-Match": tasks.etag}).expect(200).body == tasks.body
    again = Follower(client)
    again.follow()
    assert again.held == follower.held
    server.restart()
    again.client = Client(server, user.token["access_token"])
    assert again.follow() == []


@pytest.mark.parametrize("limit", [1, 500])
def test_a_journal_of_more_rows_than_a_page_looks_at(make_user, limit):
    user = make_user()
    follower = Follower(user.client)
    follower.follow()
    for number in range(30):
        user.task(f"Task {number}", labels=["old"])
    for number in range(40):
        user.client.patch("/v1/labels/" + ("old", "new")[number % 2], {"name": ("new", "old")[number % 2]}).expect(200)
    late = user.task("Late")["id"]
    changes = follower.follow(limit)
    assert len(changes) == 31 and changes[-1]["id"] == late and changes[-1]["revision"] == follower.revision > 1200
    assert follower.held == content(user.client)
