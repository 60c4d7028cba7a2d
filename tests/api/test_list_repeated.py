# SPDX-License-Identifier: MIT
"""Lists that are asked again: the loops answer from what they made before, and never what is old or another's."""
import threading

import pytest

PATHS = ["/v1/tasks", "/v1/tasks?limit=3&include=total", "/v1/tasks?sort=title&status=pending"]
READERS = 5  # connections, so that each loop is asked


def shown(answer):
    """What an answer says, but for what is new in each."""
    fields = {name: value for name, value in answer.headers.items() if name not in ("Date", "X-Request-Id")}
    return answer.status, fields, answer.body


@pytest.mark.parametrize("path", PATHS)
def test_the_same_list_again_is_the_same(make_user, path):
    own = make_user()
    for number in range(5):
        own.task(f"task {number}")
    first = own.client.get(path).expect(200)
    for client in [own.client, own.client] + [own.reader() for _ in range(READERS)]:
        assert shown(client.get(path)) == shown(first)
    head = own.client.head(path).expect(200)
    assert head.body == b"" and head.headers["Content-Length"] == str(len(first.body))
    own.client.get(path, headers={"If-None-Match": first.etag}).expect(304)
    assert shown(own.client.get(path, headers={"If-None-Match": '"other"'})) == shown(first)


def test_each_change_shows_at_once_on_every_connection(make_user):
    own = make_user()
    readers, tasks, tags = [own.reader() for _ in range(READERS)], [], set()
    for step in range(40):
        if step % 4 == 3:
            own.client.delete(f"/v1/tasks/{tasks.pop(0)['id']}").expect(204)
        elif step % 4 == 2:
            change = {"title": f"changed {step}", "status": "completed"}
            tasks[-1] = own.client.patch(f"/v1/tasks/{tasks[-1]['id']}", change).expect(200).json
        else:
            tasks.append(own.task(f"new {step}"))
        for client in readers:
            answer = client.get("/v1/tasks?limit=100&include=total").expect(200)
            assert answer.json["items"] == tasks[::-1] and answer.json["total"] == len(tasks)
            assert [t["id"] for t in client.get("/v1/tasks?limit=2").json["items"]] == \
                [t["id"] for t in tasks[::-1][:2]]
        tags.add(answer.etag)
    assert len(tags) == 40


def test_two_users_on_one_connection(make_user):
    """The same query, and as many changes of each: each sees only what is their own."""
    users = [make_user(), make_user()]
    client = users[0].reader()
    for number in range(3):
        for own in users:
            own.task(f"{own.email} {number}")
        for path in PATHS * 2:
            for own in users:
                answer = client.get(path, token=own.token["access_token"]).expect(200)
                assert len(answer.json["items"]) == number + 1
                assert all(task["title"].startswith(own.email) for task in answer.json["items"])


def test_a_page_after_a_cursor_is_as_new(make_user):
    own = make_user()
    tasks = [own.task(str(number)) for number in range(4)]
    following = own.client.get("/v1/tasks?limit=2").headers["Link"].split(">")[0][1:]
    for title in ("first", "second"):
        own.client.patch(f"/v1/tasks/{tasks[0]['id']}", {"title": title}).expect(200)
        for _ in range(2):
            assert [task["title"] for task in own.client.get(following).json["items"]] == ["1", title]


def test_a_list_is_never_older_than_what_was_answered(make_user):
    """While one client writes without a pause, others read the same list over and over."""
    own = make_user()
    written, stop, failures = [0], threading.Event(), []

    def write():
        while not stop.is_set():
            written[0] = own.task("again")["revision"]

    def read(client):
        try:
            for _ in range(150):
                acknowledged = written[0]
                answer = client.get("/v1/tasks?limit=3&include=total").expect(200)
                revision = int(answer.etag.strip('"').split("-l")[1])
                newest = answer.json["items"][0]["revision"] if answer.json["items"] else 0
                assert revision >= acknowledged, "older than what was answered"
                assert revision == newest == answer.json["total"], "not one snapshot"
        except AssertionError as failure:
            failures.append(failure)

    readers = [threading.Thread(target=read, args=(own.reader(),)) for _ in range(3)]
    writer = threading.Thread(target=write)
    for thread in [writer] + readers:
        thread.start()
    for thread in readers:
        thread.join()
    stop.set()
    writer.join()
    assert not failures, failures[0]
    assert written[0] > 0


def test_a_page_links_on_in_the_words_it_was_asked_in(make_user):
    """Also when it is kept from an answer to the same list in other words."""
    own = make_user()
    for number in range(3):
        own.task(f"task {number}")
    for query in ("limit=1", "limit=1&sort=-created_at", "sort=-created_at&limit=1", "limit=1&status=pending", "status[]=pending&limit=1"):
        for _ in range(2):
            link = own.client.get(f"/v1/tasks?{query}").expect(200).headers["Link"]
            assert ("sort=" in link, "status" in link) == ("sort=" in query, "status" in query), (query, link)
