# SPDX-License-Identifier: MIT
"""The live stream: what comes, from where, and when it ends."""
import json
import signal
import threading
import time

import pytest

from support import engine, metrics, tokens
from support.accounts import PASSWORD, User
from support.events import Stream
from support.raw import RawConnection
from support.waiting import wait_until

STREAMS_MOST = 20


@pytest.fixture
def opened():
    """Opens streams that are closed at the end: opened(user, …)."""
    streams = []

    def open_stream(user, token=None, **more):
        streams.append(Stream(user.server, token or user.token["access_token"], **more))
        return streams[-1]

    yield open_stream
    for stream in streams:
        stream.close()


def ready(stream):
    """The same stream, after its first `ready`."""
    stream.expect("ready")
    return stream


# ---- what comes ----


def test_the_head_and_the_first_event(own, opened):
    stream = opened(own)
    headers = stream.response.headers
    assert headers["Cache-Control"] == "no-store, no-transform"
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Connection"] == "close" and headers["Content-Encoding"] is None
    assert headers["Transfer-Encoding"] == "chunked" and headers["Content-Length"] is None
    assert stream.block().data == "2000"
    first = stream.block()
    assert (first.name, first.data) == ("ready", "{}")
    assert 0 < len(first.id) <= 128


def test_a_change_is_as_get_answers_it(own, opened):
    stream = ready(opened(own))
    task = own.client.post("/v1/tasks", {"title": "Buy milk", "labels": ["a"], "metadata": {"k": "v"}}).expect(201)
    event = stream.expect("change")
    assert "\n" not in event.data
    change = event.json
    got = own.client.get(f"/v1/tasks/{task.json['id']}").expect(200)
    assert event.data.endswith(f'"task":{got.body.decode()}}}')
    assert (change["kind"], change["op"], change["id"]) == ("task", "put", task.json["id"])
    assert change["revision"] == task.json["revision"] and change["at"] == task.json["updated_at"]
    assert stream.expect("ready").id == event.id


def test_every_kind_of_change_comes(own, opened):
    stream = ready(opened(own))
    home = own.client.post("/v1/lists", {"name": "Home"}).expect(201).json
    assert [(c["kind"], c["list"]["name"]) for c in stream.changes()] == [("list", "Home")]
    task = own.task(list_id=home["id"])
    assert [c["task"] for c in stream.changes()] == [task]
    own.client.patch(f"/v1/tasks/{task['id']}", {"title": "Tea"}).expect(200)
    assert [c["task"]["title"] for c in stream.changes()] == ["Tea"]
    own.client.delete(f"/v1/tasks/{task['id']}").expect(204)
    assert [(c["op"], c["id"]) for c in stream.changes()] == [("delete", task["id"])]
    own.client.delete(f"/v1/lists/{home['id']}").expect(204)
    assert [(c["kind"], c["op"]) for c in stream.changes()] == [("list", "delete")]


def test_many_changes_of_one_call_come_too(own, opened):
    stream = ready(opened(own))
    operations = [{"op": "create", "task": {"title": f"Task {i}"}} for i in range(5)]
    made = own.client.post("/v1/tasks/batch", {"operations": operations}).expect(200).json["results"]
    assert [c["id"] for c in stream.changes()] == [one["task"]["id"] for one in made]
    own.client.patch("/v1/tasks?status=pending&max=5", {"status": "completed"}).expect(200)
    assert {c["task"]["status"] for c in stream.changes()} == {"completed"}
    own.client.delete("/v1/tasks?status=completed&max=5").expect(200)
    assert [c["op"] for c in stream.changes()] == ["delete"] * 5
    own.client.post(f"/v1/trash/{made[0]['task']['id']}/restore").expect(200)
    [restored] = stream.changes()
    assert (restored["op"], restored["id"]) == ("put", made[0]["task"]["id"])
    own.client.post(f"/v1/tasks/{restored['id']}/undo", {"revision": restored["revision"]}).expect(204)
    assert [(c["op"], c["id"]) for c in stream.changes()] == [("delete", restored["id"])]


def test_what_changes_nothing_is_silent(own, opened):
    task = own.task()
    stream = ready(opened(own))
    own.client.patch(f"/v1/tasks/{task['id']}", {"title": task["title"]}).expect(200)
    own.client.get("/v1/me").expect(200)
    own.login()
    last = own.task("Last")
    assert [c["id"] for c in stream.changes()] == [last["id"]]


def test_only_ones_own_changes_come(own, other, opened):
    stream = ready(opened(own))
    other.task("Not yours")
    mine = own.task("Mine")
    assert [c["id"] for c in stream.changes()] == [mine["id"]]


def test_many_streams_of_one_account(own, opened):
    streams = [ready(opened(own)) for _ in range(3)]
    task = own.task()
    for stream in streams:
        assert [c["id"] for c in stream.changes()] == [task["id"]]


def test_what_comes_fast_comes_together(own, opened):
    """A stream rests after it was read for: who writes all the time is not read for all the time."""
    streams = [ready(opened(own)) for _ in range(2)]
    task, count = own.task(), 200
    for stream in streams:
        stream.changes()
    with RawConnection(own.server) as connection:
        for number in range(count):
            body = json.dumps({"title": str(number)}).encode()
            connection.send(f"PATCH /v1/tasks/{task['id']} HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {own.client.token}\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        for _ in range(count):
            connection.read().expect(200)
    for stream in streams:
        titles = []
        while not titles or titles[-1] != str(count - 1):
            titles += [change["task"]["title"] for change in stream.changes()]
        assert titles == sorted(titles, key=int) and len(titles) <= count // 2


# ---- where it goes on ----


def test_it_goes_on_after_the_last_event(own, opened):
    stream = ready(opened(own))
    own.task("Seen")
    stream.changes()
    last = stream.last_id
    stream.close()
    missed = [own.task(f"Missed {i}") for i in range(3)]
    for how in ({"last_event_id": last}, {"cursor": last}):
        again = opened(own, **how)
        assert [c["id"] for c in again.changes()] == [task["id"] for task in missed]
        again.close()
    assert opened(own, last_event_id=missed and again.last_id).changes() == []


def test_what_changed_many_times_comes_once(own, opened):
    stream = ready(opened(own))
    last = stream.last_id
    stream.close()
    task = own.task()
    for i in range(5):
        own.client.patch(f"/v1/tasks/{task['id']}", {"title": f"Title {i}"}).expect(200)
    other = own.task("Other")
    changes = opened(own, last_event_id=last).changes()
    assert [c["task"]["title"] for c in changes] == ["Title 4", "Other"]
    assert changes[1]["id"] == other["id"]


def test_last_event_id_wins_and_empty_is_none(own, opened):
    first = ready(opened(own))
    old = first.last_id
    own.task()
    first.changes()
    new = first.last_id
    own.task("After")
    assert len(opened(own, cursor=old, last_event_id=new).changes()) == 1
    assert len(opened(own, cursor="no-cursor-at-all", last_event_id=new).changes()) == 1
    assert len(opened(own, cursor=old, last_event_id="").changes()) == 2
    assert opened(own, cursor="", last_event_id="").changes() == []
    assert opened(own, cursor="").changes() == []


def test_a_cursor_of_changes_is_good_here_and_back(own, opened):
    own.task()
    page = own.client.get("/v1/changes").expect(200).json
    while page["more"]:
        page = own.client.get(f"/v1/changes?cursor={page['next_cursor']}").expect(200).json
    after = own.task("After the walk")
    stream = opened(own, cursor=page["next_cursor"])
    assert [c["id"] for c in stream.changes()] == [after["id"]]
    back = own.client.get(f"/v1/changes?cursor={stream.last_id}").expect(200).json
    assert back["changes"] == [] and not back["more"]


def test_a_walk_goes_on_in_the_stream(own, opened):
    tasks = {own.task(f"Task {i}")["id"] for i in range(5)}
    page = own.client.get("/v1/changes?limit=2").expect(200).json
    rest = opened(own, cursor=page["next_cursor"]).changes()
    assert {c["id"] for c in page["changes"]} | {c["id"] for c in rest} == tasks


@pytest.mark.parametrize("bad", ["x", "AQ", "no-cursor-at-all", "A" * 78, "A" * 200])
def test_a_bad_cursor(own, bad):
    for how in ({"path": f"/v1/events?cursor={bad}"}, {"path": "/v1/events", "headers": {"Last-Event-ID": bad}}):
        own.client.get(how["path"], headers=how.get("headers")).expect(400, "invalid_parameter")


def test_a_cursor_of_somebody_else(own, other, opened):
    cursor = ready(opened(other)).last_id
    own.client.get(f"/v1/events?cursor={cursor}").expect(400, "invalid_parameter")
    page = own.task() and own.task() and own.client.get("/v1/tasks?limit=1").expect(200).json
    own.client.get(f"/v1/events?cursor={page['next_cursor']}").expect(400, "invalid_parameter")


def test_what_it_does_not_take(own):
    own.client.get("/v1/events?limit=5").expect(400, "invalid_parameter")
    own.client.get("/v1/events?cursor=a&cursor=b").expect(400, "invalid_parameter")
    own.client.post("/v1/events", {}).expect(405)


@pytest.mark.parametrize("accept, status", [
    (None, 200), ("*/*", 200), ("text/*", 200), ("text/event-stream", 200), ("application/json, text/event-stream;q=0.1", 200),
    ("application/json", 406), ("text/html", 406), ("text/event-stream;q=0", 406),
])
def test_accept(own, accept, status):
    own.client.get("/v1/events", headers={"Accept": accept}).expect(status)


def test_head_is_the_head_only(own):
    answer = own.client.head("/v1/events").expect(200)
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    own.client.head("/v1/events?cursor=bad").expect(400)


# ---- bounds ----


def test_twenty_streams_of_a_user(own, opened, other):
    streams = [ready(opened(own)) for _ in range(STREAMS_MOST)]
    own.client.get("/v1/events").expect(429, "too_many_streams")
    ready(opened(other))
    streams[0].close()

    def is_free():
        return own.client.get("/v1/events").status == 200

    wait_until(is_free, what="a place")


def test_a_slow_reader_slows_nobody(own, opened):
    """It is given what it takes, and all of it in the end; others hear meanwhile."""
    slow = opened(own, receive_buffer=4096)
    ready(slow)
    fast = ready(opened(own))
    ids = [own.task("Milk", description="x" * 16000)["id"] for _ in range(60)]
    seen = []
    while len(seen) < len(ids):
        seen += [c["id"] for c in fast.changes()]
    assert seen == ids
    late = []
    while len(late) < len(ids):
        late += [c["id"] for c in slow.changes()]
    assert late == ids


def test_a_large_change(own, opened):
    stream = ready(opened(own))
    metadata = {f"key-{i}": "y" * 490 for i in range(10)}
    task = own.client.post("/v1/tasks", {"title": "😀" * 1024, "description": "é" * 16384, "metadata": metadata}).expect(201).json
    assert [c["task"] for c in stream.changes()] == [task]


# ---- how it ends ----


def ends_without_more(stream, make_change, end):
    """`end()` ends it at once: what is changed afterwards does not come."""
    end()
    make_change()
    stream.expect_end(5)


def test_it_ends_at_a_logout(own, opened):
    session = own.login()
    stream = ready(opened(own, session["access_token"]))
    stays = ready(opened(own))
    ends_without_more(stream, own.task, lambda: own.client.copy(session["access_token"]).post("/v1/auth/logout").expect(204))
    assert len(stays.changes()) == 1
    answer = own.client.copy(session["access_token"]).get("/v1/events").expect(401, "invalid_token")
    assert "ended" in answer.json["detail"]


def test_it_ends_when_another_device_ends_the_session(own, opened):
    session = own.login()
    sid = tokens.parts(session["access_token"])[1]["sid"]
    stream = ready(opened(own, session["access_token"]))
    ends_without_more(stream, own.task, lambda: own.client.delete(f"/v1/me/sessions/{sid}").expect(204))


def test_it_ends_with_a_new_password(own, opened):
    session = own.login()
    stream = ready(opened(own, session["access_token"]))
    body = {"current_password": PASSWORD, "new_password": "Another-horse 8 battery"}
    ends_without_more(stream, own.task, lambda: own.client.put("/v1/me/password", body).expect(204))


def test_it_ends_with_the_account(own, opened):
    stream = ready(opened(own))
    own.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)
    stream.expect_end(5)


def test_it_ends_with_the_token_of_a_script(own, opened):
    def made(scope):
        body = {"name": "a script", "scopes": [scope], "password": PASSWORD}
        return own.client.post("/v1/me/tokens", body).expect(201).json

    own.client.copy(made("account:read")["token"]).get("/v1/events").expect(403, "insufficient_scope")
    token = made("tasks:read")
    stream = ready(opened(own, token["token"]))
    stays = ready(opened(own))
    ends_without_more(stream, own.task, lambda: own.client.delete(f"/v1/me/tokens/{token['id']}").expect(204))
    assert len(stays.changes()) == 1


def test_nothing_comes_after_the_end_of_the_session(own, opened):
    """While another device changes things all the time."""
    writer = own.login_client()
    stop = threading.Event()

    def write():
        while not stop.is_set():
            writer.post("/v1/tasks", {"title": "More"}).expect(201)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            session = own.login()
            stream = ready(opened(own, session["access_token"]))
            stream.expect("change")
            own.client.copy(session["access_token"]).post("/v1/auth/logout").expect(204)
            now = int(own.client.get("/v1/tasks?limit=1").expect(200).etag.strip('"').split("-l")[1])
            while (event := stream.event(5)) is not None:
                assert event.name == "ready" or event.json["revision"] <= now
    finally:
        stop.set()
        thread.join()


def test_it_ends_with_the_token(start_server):
    server = start_server({"ACCESS_TOKEN_TTL": "2"})
    user = User(server)
    stream = ready(Stream(server, user.login()["access_token"]))
    until = tokens.parts(stream.token)[1]["exp"]
    stream.expect_end(5)
    assert until - 0.1 <= time.time() <= until + 1
    user.client.copy(stream.token).get("/v1/events").expect(401, "invalid_token")


def test_a_drain_sends_them_away(start_server):
    server = start_server()
    user = User(server)
    streams = [ready(Stream(server, user.token["access_token"])) for _ in range(10)]
    waits = []
    began = time.monotonic()
    server.signal(signal.SIGTERM)
    for stream in streams:
        last = stream.block(2)
        assert last.name == "retry"
        waits.append(int(last.data))
        assert stream.block(2) is None
        stream.close()
    assert time.monotonic() - began < 2
    assert all(500 <= wait <= 8000 for wait in waits) and len(set(waits)) > 5
    assert server.wait() == 0


def test_none_begins_while_it_drains(start_server):
    server = start_server({"DRAIN_DELAY_SECONDS": "5"})
    user = User(server)
    server.signal(signal.SIGTERM)
    wait_until(lambda: '"event":"stopping"' in server.log_text(), what="the word of the end")
    wait_until(lambda: user.client.get("/v1/events").status == 503, what="503")
    server.signal(signal.SIGINT)


def test_it_goes_on_after_a_restart(start_server):
    server = start_server()
    user = User(server)
    stream = ready(Stream(server, user.token["access_token"]))
    user.task("Before")
    stream.changes()
    stream.close()
    server.restart()
    user.client.close()
    user.client.server = server
    after = user.task("After")
    again = Stream(server, user.token["access_token"], last_event_id=stream.last_id)
    assert [c["id"] for c in again.changes()] == [after["id"]]
    again.close()


def test_a_place_that_is_gone(start_server):
    server = start_server()
    user = User(server)
    user.task()
    stream = ready(Stream(server, user.token["access_token"]))
    stream.close()
    engine.run_sql(server.directory, "UPDATE spaces SET revision = revision - 1")
    again = Stream(server, user.token["access_token"], last_event_id=stream.last_id)
    assert again.block().data == "2000"
    gone = again.block()
    assert (gone.name, gone.id) == ("gone", None)
    assert gone.json["code"] == "cursor_gone" and gone.json["status"] == 410
    assert gone.json["instance"] == "/v1/events"
    assert gone.json["request_id"] == again.response.headers["X-Request-Id"]
    again.expect_end()


# ---- who may listen, and what is counted ----


def test_a_page_of_another_origin(start_server):
    server = start_server({"CORS_ORIGINS": "https://app.example"})
    user = User(server)
    asked = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET",
             "Access-Control-Request-Headers": "authorization,last-event-id"}
    answer = user.client.request("OPTIONS", "/v1/events", headers=asked).expect(204)
    assert "last-event-id" in answer.headers["Access-Control-Allow-Headers"].lower()
    stream = Stream(server, user.token["access_token"], headers={"Origin": "https://app.example"})
    assert stream.response.headers["Access-Control-Allow-Origin"] == "https://app.example"
    stream.close()


def test_http_1_0(own):
    with RawConnection(own.server) as connection:
        connection.send(f"GET /v1/events HTTP/1.0\r\nAuthorization: Bearer {own.token['access_token']}\r\n\r\n".encode())
        lines = []
        while not lines or not lines[-1].startswith(b"data: "):
            lines.append(connection.file.readline())
    assert lines[0].startswith(b"HTTP/1.1 200 ")
    assert not any(line.lower().startswith(b"transfer-encoding") for line in lines)
    assert lines[-3] == b"event: ready\n"


def test_it_is_counted(start_server):
    server = start_server({"METRICS_ADDR": "127.0.0.1:0", "LOG_LEVEL": "info"})
    user = User(server)
    stream = ready(Stream(server, user.token["access_token"]))
    user.task()
    stream.changes()
    stream.close()
    wait_until(lambda: '"event":"stream_ended"' in server.log_text(), what="the line of its end")
    page = metrics.metrics_of(server)
    assert page.get("taskhold_stream_delay_seconds_count") == 1
    assert page.get("taskhold_streams") == 0
    line = next(json.loads(one) for one in server.log_text().splitlines() if '"stream_ended"' in one)
    assert line["reason"] == "left" and line["user_id"] == user.id
