# SPDX-License-Identifier: MIT
"""The list of tasks: pages, filters, orders, totals."""
import pathlib
import re
import sys
import threading
from urllib.parse import quote

import pytest

from support.accounts import User

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "model"))

import folding  # noqa: E402

TITLES = ["b", "a", "B", "é", "～ wide", "😀", "aa", "a b", "Z", "_", "1", "10", "2"]
STATUSES = ["pending", "in-progress", "completed"]
LINK = re.compile(r'<(/v1/tasks\?[^>]*)>; rel="next"')


@pytest.fixture(scope="module")
def owner(server):
    """An account with tasks of each title in each status, which no test changes."""
    owner = User(server)
    made = [owner.task(title, status=status) for title in TITLES for status in STATUSES]
    owner.tasks = sorted(made, key=lambda task: (task["created_at"], task["id"]))
    return owner


def walk(client, query=""):
    """All pages by the Link field; the tasks in the order they came."""
    path, tasks, pages = f"/v1/tasks?{query}" if query else "/v1/tasks", [], 0
    while path:
        answer = client.get(path).expect(200)
        tasks += answer.json["items"]
        pages += 1
        link = LINK.fullmatch(answer.headers.get("Link") or "")
        assert (link is None) == (answer.json["next_cursor"] is None)
        assert link is None or f"cursor={quote(answer.json['next_cursor'], safe='')}" in link.group(1)
        path = link and link.group(1)
        assert pages < 500, "the list never ends"
    return tasks


def names(tasks):
    """Their ids."""
    return [task["id"] for task in tasks]


def test_an_empty_list(make_user):
    answer = make_user().client.get("/v1/tasks?include=total").expect(200)
    assert answer.json == {"items": [], "next_cursor": None, "total": 0}
    assert answer.headers.get("Link") is None and answer.headers["Cache-Control"] == "private, no-cache"


def test_the_newest_come_first(owner):
    assert names(walk(owner.client)) == names(owner.tasks)[::-1]
    assert owner.client.get("/v1/tasks").json["items"] == owner.tasks[::-1]


def test_the_default_page_has_fifty(make_user):
    own = make_user()
    for number in range(51):
        own.task(str(number))
    answer = own.client.get("/v1/tasks").expect(200)
    assert len(answer.json["items"]) == 50 and answer.json["next_cursor"]
    rest = own.client.get("/v1/tasks?cursor=" + quote(answer.json["next_cursor"])).expect(200).json
    assert [t["title"] for t in rest["items"]] == ["0"] and rest["next_cursor"] is None
    exact = own.client.get("/v1/tasks?limit=51").expect(200).json
    assert len(exact["items"]) == 51 and exact["next_cursor"] is None


@pytest.mark.parametrize("limit", [1, 2, 7, 38, 39, 40, 100])
def test_walking_finds_each_once(owner, limit):
    assert names(walk(owner.client, f"limit={limit}")) == names(owner.tasks)[::-1]


def key_of(sort):
    """How Python orders by one of our orders: titles folded and then by code point, equal values by id."""
    name = sort.lstrip("-")
    values = {
        "status": lambda task: STATUSES.index(task["status"]),
        "title": lambda task: (folding.fold(task["title"]), task["title"]),
    }
    value = values.get(name, lambda task: task[name])
    return lambda task: (value(task), task["id"])


@pytest.mark.parametrize("sort", [sign + name for name in ("created_at", "updated_at", "title", "status")
                                  for sign in ("", "-")])
@pytest.mark.parametrize("limit", [4, 100])
def test_orders(owner, sort, limit):
    expected = sorted(owner.tasks, key=key_of(sort), reverse=sort.startswith("-"))
    assert names(walk(owner.client, f"sort={sort}&limit={limit}")) == names(expected)


@pytest.mark.parametrize("statuses", [["pending"], ["completed"], ["in-progress", "pending"], STATUSES])
def test_filter_and_total(owner, statuses):
    expected = [task["id"] for task in owner.tasks[::-1] if task["status"] in statuses]
    value = ",".join(statuses)
    assert names(walk(owner.client, f"status={value}&limit=5")) == expected
    answer = owner.client.get(f"/v1/tasks?status={quote(value, safe='')}&include=total&limit=3").expect(200).json
    assert answer["total"] == len(expected) and len(answer["items"]) == 3
    assert "total" not in owner.client.get("/v1/tasks?limit=1").json


SPELLINGS = ["status={0},{1}", "status={0}&status={1}", "status[]={0}&status[]={1}", "status%5B%5D={1}&status={0}",
             "status[]={0}%2C{1}", "status={1},{0}"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_list_of_values_in_every_way_that_clients_write_one(owner, spelling):
    query = spelling.format("pending", "completed") + "&sort=title&limit=4&include=total"
    first = owner.client.get(f"/v1/tasks?{SPELLINGS[0].format('pending', 'completed')}&sort=title&limit=4&include=total")
    answer = owner.client.get(f"/v1/tasks?{query}").expect(200)
    assert answer.json["items"] == first.json["items"] and answer.json["total"] == first.json["total"]
    assert answer.etag == first.etag
    for cursor in (first.json["next_cursor"], answer.json["next_cursor"]):
        second = owner.client.get(f"/v1/tasks?{query}&cursor={quote(cursor)}").expect(200)
        assert names(second.json["items"]) != names(answer.json["items"])
    following = owner.client.get(LINK.fullmatch(answer.headers["Link"]).group(1)).expect(200).json
    assert following["items"] == second.json["items"]


def test_a_very_long_list_of_values(owner):
    query = "&".join(["status[]=x"] * 700)
    assert owner.client.get(f"/v1/tasks?{query}").expect(400).errors == {("status", "not_allowed")}


def test_the_next_link_keeps_the_query(owner):
    answer = owner.client.get("/v1/tasks?status=pending,completed&sort=title&limit=2&include=total").expect(200)
    following = owner.client.get(LINK.fullmatch(answer.headers["Link"]).group(1)).expect(200).json
    assert following["total"] == 2 * len(TITLES) and len(following["items"]) == 2
    assert all(task["status"] != "in-progress" for task in following["items"])


def cursor_of(user, query="limit=2"):
    """The cursor to the second page."""
    return user.client.get(f"/v1/tasks?{query}").expect(200).json["next_cursor"]


def refuse(client, query):
    """The list with this query names the cursor as invalid."""
    answer = client.get(f"/v1/tasks?{query}").expect(400, "invalid_parameter")
    assert answer.errors == {("cursor", "invalid")}


def test_a_tampered_cursor_is_refused(owner):
    good = cursor_of(owner)
    for place in {0, 1, len(good) // 3, len(good) // 2, len(good) - 2}:
        for letter in ("A", "z", "-"):
            if good[place] != letter:
                refuse(owner.client, f"limit=2&cursor={good[:place]}{letter}{good[place + 1:]}")
    for bad in (good[:-1], good + "A", good + "%3D", "x", good * 2, "%00", "A" * 4096):
        refuse(owner.client, f"limit=2&cursor={bad}")


def test_a_cursor_holds_only_where_it_was_made(owner, other):
    cursor = quote(cursor_of(owner))
    for number in range(3):
        other.task(str(number))
    refuse(other.client, f"limit=2&cursor={cursor}")
    for change in ("status=pending", "sort=title", "sort=created_at", "sort=-updated_at",
                   "status=pending,in-progress,completed&sort=title"):
        refuse(owner.client, f"limit=2&cursor={cursor}&{change}")
    filtered = quote(cursor_of(owner, "limit=2&status=pending"))
    refuse(owner.client, f"limit=2&cursor={filtered}")
    refuse(owner.client, f"limit=2&cursor={filtered}&status=completed")


def test_a_cursor_does_not_bind_the_limit(owner):
    rest = owner.client.get(f"/v1/tasks?limit=100&cursor={quote(cursor_of(owner))}").expect(200).json["items"]
    assert names(rest) == names(owner.tasks)[::-1][2:]


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "updated_at", "-updated_at", "title", "-title",
                                  "status"])
def test_walking_while_others_write(make_user, sort):
    """What did not change is neither skipped nor seen twice, whatever happens to the rest."""
    own = walking_user(make_user)
    steady = {task["id"] for task in own.steady}
    stop = threading.Event()
    thread = threading.Thread(target=disturb, args=(own, stop))
    thread.start()
    try:
        for _ in range(2):
            seen = [task for task in names(walk(own.client, f"limit=3&sort={sort}")) if task in steady]
            assert len(seen) == len(set(seen)), "seen twice"
            assert set(seen) == steady, "skipped"
    finally:
        stop.set()
        thread.join()
    assert own.disturbances > 0


KEPT = {}


def walking_user(make_user):
    """One account for all orders: tasks that stay, and some that are pushed about."""
    if "user" not in KEPT:
        own = KEPT["user"] = make_user()
        own.steady, own.moving, own.disturbances = [], [], 0
        for number in range(24):
            status = STATUSES[number % 3]
            (own.steady if number % 2 else own.moving).append(own.task(f"t{number:02}", status=status))
    return KEPT["user"]


def disturb(own, stop):
    """Changes, deletes and creates tasks until told to stop."""
    client, step = own.reader(), 0
    while not stop.is_set():
        task = own.moving.pop(0)
        if step % 3 == 2:
            client.delete(f"/v1/tasks/{task['id']}").expect(204)
            task = client.post("/v1/tasks", {"title": f"t{step % 30:02}"}).expect(201).json
        else:
            change = {"title": f"t{(step * 7) % 30:02}", "status": STATUSES[step % 3]}
            client.patch(f"/v1/tasks/{task['id']}", change).expect(200)
        own.moving.append(task)
        own.disturbances += 1
        step += 1


@pytest.mark.parametrize("query, errors", [
    ("limit=0", {("limit", "out_of_range")}),
    ("limit=101", {("limit", "out_of_range")}),
    ("limit=-1", {("limit", "invalid")}),
    ("limit=99999999999999999999", {("limit", "invalid")}),
    ("limit=ten", {("limit", "invalid")}),
    ("limit=1.5", {("limit", "invalid")}),
    ("limit=%2B5", {("limit", "invalid")}),
    ("limit=0x10", {("limit", "invalid")}),
    ("limit=", {("limit", "empty")}),
    ("limit", {("limit", "empty")}),
    ("limit=1&limit=1", {("limit", "repeated")}),
    ("status=done", {("status", "not_allowed")}),
    ("status=Pending", {("status", "not_allowed")}),
    ("status=pending,", {("status", "not_allowed")}),
    ("status=", {("status", "empty")}),
    ("status=pending&status=completed&status=pending", {("status", "repeated")}),
    ("status[]=pending&status=done", {("status", "not_allowed")}),
    ("status=pending&status=", {("status", "empty")}),
    ("status[0]=pending", {("status[0]", "unknown")}),
    ("limit[]=1", {("limit[]", "unknown")}),
    ("sort=color", {("sort", "not_allowed")}),
    ("sort=title,color", {("sort", "not_allowed")}),
    ("sort=title,-title", {("sort", "repeated")}),
    ("sort=title&sort=status&sort[]=created_at&sort=-updated_at", {("sort", "too_many")}),
    ("sort=--title", {("sort", "not_allowed")}),
    ("sort=", {("sort", "empty")}),
    ("include=everything", {("include", "not_allowed")}),
    ("cursor=", {("cursor", "empty")}),
    ("color=red", {("color", "unknown")}),
    ("Limit=5", {("Limit", "unknown")}),
    ("limit=0&status=done&sort=x&include=y&color=red", {
        ("limit", "out_of_range"), ("status", "not_allowed"), ("sort", "not_allowed"), ("include", "not_allowed"),
        ("color", "unknown")}),
])
def test_query_errors_are_named_all_together(user, query, errors):
    answer = user.client.get(f"/v1/tasks?{query}").expect(400, "invalid_parameter")
    assert answer.errors == errors


@pytest.mark.parametrize("query", ["limit=%zz", "limit=%", "status=%ff", "limit=%00", "%ff=1", "limit=5%"])
def test_badly_encoded_queries_are_refused(user, query):
    user.client.get(f"/v1/tasks?{query}").expect(400)


def test_an_empty_query_is_none(user):
    user.client.get("/v1/tasks?").expect(200)


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/sessions"])
def test_calls_without_parameters_refuse_any(user, path):
    answer = user.client.get(f"{path}?limit=5").expect(400, "invalid_parameter")
    assert answer.errors == {("limit", "unknown")}
    created = user.client.post("/v1/tasks?limit=5", {"title": "x"}).expect(400, "invalid_parameter")
    assert created.errors == {("limit", "unknown")}


@pytest.mark.parametrize("path", ["/v1/tasks", "/v1/tasks?limit=1&sort=title", "/v1/tasks?status=completed"])
def test_lists_of_two_users_have_different_etags(make_user, path):
    """Even where both have changed equally often: the same path shows each something else."""
    first, second = make_user(), make_user()
    tag = first.client.get(path).expect(200).etag
    assert second.client.get(path, headers={"If-None-Match": tag}).expect(200).etag != tag
