# SPDX-License-Identifier: MIT
"""Tokens for scripts: their form, what they may, when they end. test_matrix.py has every route against every scope."""
import re
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest

from support import tokens
from support.accounts import PASSWORD, User
from support.client import Client
from support.events import Stream
from support.metrics import metrics_of
from support.server import run
from support.waiting import wait_until

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PATH = "/v1/me/tokens"
MEMBERS = {"id", "name", "scopes", "created_at", "last_used_at", "expires_at", "ip"}
READ = ["tasks:read"]


def body_of(**members):
    """A body that is right, but for `members`."""
    return {"name": "A script", "scopes": READ, "password": PASSWORD, **members}


def checksum(random):
    """Four digits of base 62 of CRC-32, as the contract has it."""
    rest, text = zlib.crc32(random.encode()) % 62**4, ""
    for _ in range(4):
        rest, digit = divmod(rest, 62)
        text = DIGITS[digit] + text
    return text


def ahead(**more):
    """A time from now, in RFC 3339."""
    return (datetime.now(timezone.utc) + timedelta(**more)).isoformat()


def rows(user):
    """The tokens of the user."""
    return user.client.get(PATH).expect(200).json["items"]


def script(user, *scopes, **members):
    """A client with a token for scripts."""
    return Client(user.server, user.script_token(*scopes, **members)["token"])


def test_what_is_made_has_the_form(user):
    for _ in range(8):
        made = user.script_token("tasks:read")["token"]
        assert re.fullmatch(r"thk_[0-9A-Za-z]{43}", made)
        assert made[43:] == checksum(made[4:43])


def test_the_token_is_shown_once(make_user):
    own = make_user()
    answer = own.client.post(PATH, body_of(scopes=["tasks:write", "account:read"], name="é 中 😀")).expect(201)
    made = answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(made) == MEMBERS | {"token"} and uuid.UUID(made["id"]).version == 7
    assert made["scopes"] == ["tasks:write", "account:read"] and made["name"] == "é 中 😀"
    assert made["last_used_at"] is made["expires_at"] is made["ip"] is None
    listed = own.client.get(PATH).expect(200)
    assert listed.headers["Cache-Control"] == "no-store"
    assert listed.json["items"] == [{name: made[name] for name in MEMBERS}]
    assert made["token"].encode() not in listed.body and made["token"][4:] not in own.server.log_text()


def test_the_newest_comes_first(make_user, other):
    own = make_user()
    ids = [own.script_token("tasks:read")["id"] for _ in range(3)]
    assert [row["id"] for row in rows(own)] == ids[::-1]
    assert not set(ids) & {row["id"] for row in rows(other)}


def test_it_reads_and_writes_as_its_scopes_say(user, other):
    task = user.task("Of the user")
    reader, writer, account = (script(user, scope) for scope in ("tasks:read", "tasks:write", "account:read"))
    assert reader.get(f"/v1/tasks/{task['id']}").expect(200).json == task
    assert reader.head("/v1/tasks").expect(200).body == b""
    changed = writer.patch(f"/v1/tasks/{task['id']}", {"title": "By a script"}).expect(200).json
    assert writer.get(f"/v1/tasks/{task['id']}").expect(200).json == changed
    assert account.get("/v1/me").expect(200).json["id"] == user.id
    script(other, "tasks:write").get(f"/v1/tasks/{task['id']}").expect(404, "not_found")
    for client, path, wished in ((reader, "/v1/me", "account:read"), (account, "/v1/tasks", "tasks:read")):
        refused = client.get(path).expect(403, "insufficient_scope")
        assert refused.headers["WWW-Authenticate"] == \
            f'Bearer realm="taskhold", error="insufficient_scope", scope="{wished}"'
        assert wished in refused.json["detail"]
    assert "WWW-Authenticate" in reader.head("/v1/me").expect(403).headers


def test_404_and_405_come_first(user):
    client = script(user, "account:read")
    client.get("/v1/nothing").expect(404, "not_found")
    client.put("/v1/tasks", {}).expect(405, "method_not_allowed")
    client.post("/v1/tasks", {}, headers={"Accept": "text/html", "Content-Type": "text/plain"}).expect(403)


@pytest.mark.parametrize("wrong", [
    "thk_", "thk_x", "thk_" + "0" * 43, "thk_" + "0" * 42, "thk_" + "0" * 44, "thk_" + "é" * 20, "thk_" + "-" * 43])
def test_a_wrong_form_asks_no_database(server, user, wrong):
    """Neither does a right form with a wrong checksum: the number of statements cannot be seen, so the store is asked
    for a token that is nobody's, which has another reason."""
    answer = Client(server, wrong.encode().decode("latin-1")).get("/v1/tasks").expect(401, "invalid_token")
    assert "none" in answer.json["detail"] and 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    nobodys = "thk_" + "0" * 39 + checksum("0" * 39)
    answer = Client(server, nobodys).get("/v1/tasks").expect(401, "invalid_token")
    assert "ended" in answer.json["detail"]


def test_refusals_are_counted(start_server):
    server = start_server({"METRICS_ADDR": "127.0.0.1:0"})
    user = User(server)

    def counts():
        page = metrics_of(server)
        return [page.get("taskhold_tokens_refused_total", {"reason": reason}) for reason in ("malformed", "token_ended")] + \
            [page.get("taskhold_security_events_total", {"event": event})
             for event in ("token_made", "token_deleted", "insufficient_scope")]

    before = counts()
    made = user.script_token("account:read")
    client = Client(server, made["token"])
    client.get("/v1/tasks").expect(403)
    user.client.delete(f"{PATH}/{made['id']}").expect(204)
    client.get("/v1/me").expect(401)
    Client(server, made["token"][:-1] + ("0" if made["token"][-1] != "0" else "1")).get("/v1/me").expect(401)
    assert [now - then for now, then in zip(counts(), before)] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("members, errors", [
    ({"name": ""}, {("/name", "too_short")}),
    ({"name": " "}, {("/name", "blank")}),
    ({"name": "é" * 101}, {("/name", "too_long")}),
    ({"name": None}, {("/name", "type")}),
    ({"name": "a\nb"}, {("/name", "control_character")}),
    ({"scopes": []}, {("/scopes", "too_short")}),
    ({"scopes": ["tasks:read", "tasks:read"]}, {("/scopes/1", "repeated")}),
    ({"scopes": ["account:read", "tasks:read", "account:read"]}, {("/scopes/2", "repeated")}),
    ({"scopes": ["tasks:delete"]}, {("/scopes/0", "not_allowed")}),
    ({"scopes": ["tasks:read", "TASKS:READ"]}, {("/scopes/1", "not_allowed")}),
    ({"scopes": [1]}, {("/scopes/0", "type")}),
    ({"scopes": "tasks:read"}, {("/scopes", "type")}),
    ({"scopes": None}, {("/scopes", "type")}),
    ({"expires_at": "2020-01-01T00:00:00Z"}, {("/expires_at", "out_of_range")}),
    ({"expires_at": "1970-01-01T00:00:00Z"}, {("/expires_at", "out_of_range")}),
    ({"expires_at": ahead(days=3654)}, {("/expires_at", "out_of_range")}),
    ({"expires_at": ahead(seconds=-1)}, {("/expires_at", "out_of_range")}),
    ({"expires_at": "tomorrow"}, {("/expires_at", "time")}),
    ({"expires_at": 5}, {("/expires_at", "type")}),
    ({"password": None}, {("/password", "type")}),
    ({"more": 1}, {("/more", "unknown")}),
])
def test_what_is_wrong_with_a_body(user, members, errors):
    assert user.client.post(PATH, body_of(**members)).expect(422, "validation_failed").errors == errors


def test_what_a_body_lacks(user):
    assert user.client.post(PATH, {}).expect(422).errors == {
        ("/name", "required"), ("/scopes", "required"), ("/password", "required")}


def test_the_limits_are_taken(make_user):
    own = make_user()
    most = body_of(name="é" * 100, scopes=["account:read", "tasks:write", "tasks:read"], expires_at=ahead(days=3652))
    made = own.client.post(PATH, most).expect(201).json
    assert made["scopes"] == ["tasks:read", "tasks:write", "account:read"] and made["expires_at"].endswith("Z")
    own.client.post(PATH, body_of(expires_at=None)).expect(201)


def test_a_wrong_password_makes_nothing(make_user):
    own = make_user()
    own.client.post(PATH, body_of(password="not the password")).expect(403, "wrong_password")
    assert rows(own) == []


def test_wrong_passwords_are_throttled(start_server):
    own = User(start_server(env={"RATE_LIMIT": "on"}))
    for _ in range(10):
        own.client.post(PATH, body_of(password="not the password")).expect(403, "wrong_password")
    own.client.post(PATH, body_of()).expect(429, "rate_limited")


def test_no_idempotency_key(user):
    before = len(rows(user))
    user.client.post(PATH, body_of(), headers={"Idempotency-Key": "one"}).expect(400, "invalid_header")
    assert len(rows(user)) == before


def test_fifty_and_no_more(make_user):
    own = make_user()

    def make(_):
        return own.client.copy().post(PATH, body_of()).status

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(make, range(52))) == [201] * 50 + [409] * 2
    assert len(rows(own)) == 50
    own.client.post(PATH, body_of()).expect(409, "too_many_tokens")
    own.client.delete(f"{PATH}/{rows(own)[7]['id']}").expect(204)
    own.client.post(PATH, body_of()).expect(201)


def test_an_end_is_felt_on_every_connection_at_once(user):
    """Connections are spread over the event loops, and each loop remembers tokens that it has seen."""
    made, kept = user.script_token("tasks:read"), script(user, "tasks:read")
    connections = [user.client.copy(made["token"]) for _ in range(16)]
    for connection in connections * 2:
        connection.get("/v1/tasks").expect(200)
    kept.get("/v1/tasks").expect(200)
    user.client.delete(f"{PATH}/{made['id']}").expect(204)
    for connection in connections:
        answer = connection.get("/v1/tasks").expect(401, "invalid_token")
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    kept.get("/v1/tasks").expect(200)
    user.client.get("/v1/me").expect(200)
    user.client.delete(f"{PATH}/{made['id']}").expect(404, "not_found")


def test_nobody_ends_a_stranger_s(user, other):
    made = user.script_token("tasks:read")
    foreign = other.client.delete(f"{PATH}/{made['id']}").expect(404, "not_found").json
    absent = other.client.delete(f"{PATH}/{uuid.uuid4()}").expect(404, "not_found").json
    assert foreign["detail"] == absent["detail"]
    Client(user.server, made["token"]).get("/v1/tasks").expect(200)


def test_a_new_password_ends_them_all(make_user):
    own = make_user()
    clients = [script(own, scope) for scope in ("tasks:read", "tasks:write")]
    own.client.delete("/v1/me/sessions").expect(204)
    own.login_client().post("/v1/auth/logout").expect(204)
    for client in clients:
        client.get("/v1/tasks").expect(200)
    own.client.put("/v1/me/password", {"current_password": PASSWORD, "new_password": "Another-horse 8 battery"}).expect(204)
    for client in clients:
        client.get("/v1/tasks").expect(401, "invalid_token")
    assert rows(own) == []


def test_they_go_with_the_account(make_user):
    own = make_user()
    client = script(own, "tasks:write")
    client.get("/v1/tasks").expect(200)
    own.client.post("/v1/me/deletion", {"password": PASSWORD}).expect(204)
    client.get("/v1/tasks").expect(401, "invalid_token")


def test_a_disabled_account_has_none_until_it_is_enabled(make_user):
    own = make_user()
    client = script(own, "tasks:read")
    client.get("/v1/tasks").expect(200)
    for verb, status in (("disable", 401), ("enable", 200)):
        done = run("user", verb, own.email, env={**own.server.env, **(own.server.database or {})}, cwd=own.server.directory)
        assert done.returncode == 0, done
        client.get("/v1/tasks").expect(status)


def test_it_expires(make_user):
    own = make_user()
    client = script(own, "tasks:read", expires_at=ahead(seconds=2))
    client.get("/v1/tasks").expect(200)
    assert len(rows(own)) == 1
    wait_until(lambda: client.get("/v1/tasks").status == 401, 10, "the expiry")
    client.get("/v1/tasks").expect(401, "invalid_token")
    assert rows(own) == []


def test_when_and_whence_it_was_used(start_server, make_user):
    own = make_user(start_server(env={"TRUSTED_PROXIES": "127.0.0.1/32"}))
    client = script(own, "tasks:read")
    assert rows(own)[0]["last_used_at"] is None
    client.get("/v1/tasks", headers={"X-Forwarded-For": "2001:DB8::7"}).expect(200)
    wait_until(lambda: rows(own)[0]["last_used_at"], 10, "the note of the use")
    row = rows(own)[0]
    assert row["ip"] == "2001:db8::7"
    assert abs(datetime.fromisoformat(row["last_used_at"].replace("Z", "+00:00")).timestamp() - time.time()) < 60
    client.get("/v1/tasks", headers={"X-Forwarded-For": "203.0.113.7"}).expect(200)
    assert rows(own)[0] == row, "soon after, it is not written again"


def test_requests_count_with_the_user_s(start_server):
    own = User(start_server(env={"RATE_LIMIT": "on"}))
    client = script(own, "tasks:read")

    def left(answer):
        return int(re.search(r'"api";r=(\d+)', answer.expect(200).headers["RateLimit"])[1])

    first = left(own.client.get("/v1/tasks"))
    assert left(client.get("/v1/tasks")) == first - 1
    assert left(own.client.get("/v1/tasks")) == first - 2


def test_it_is_no_other_kind_of_token(user):
    made = user.script_token("tasks:write")["token"]
    user.anonymous.post("/v1/auth/refresh", {"refresh_token": made}).expect(401, "invalid_refresh_token")
    user.anonymous.post("/v1/auth/logout", token=made).expect(403, "insufficient_scope")
    user.client.get("/v1/tasks", headers={"Authorization": f"Basic {made}"}).expect(401, "unauthorized")
    Client(user.server, made.upper()).get("/v1/tasks").expect(401, "invalid_token")
    session = tokens.parts(user.token["access_token"])[1]["sid"]
    user.client.delete(f"{PATH}/{session}").expect(404, "not_found")


def test_it_outlives_a_restart(start_server):
    own = User(start_server())
    made = own.script_token("tasks:read")
    Client(own.server, made["token"]).get("/v1/tasks").expect(200)
    own.server.restart()
    Client(own.server, made["token"]).get("/v1/tasks").expect(200)


def test_a_stream_goes_on_until_its_token_ends(make_user):
    """The end of a session of the same user is none of it."""
    own = make_user()
    made = own.script_token("tasks:read")
    stream = Stream(own.server, made["token"])
    try:
        stream.expect("ready")
        own.login_client().post("/v1/auth/logout").expect(204)
        task = own.task("After the logout")
        assert stream.expect("change").json["id"] == task["id"]
        own.client.delete(f"{PATH}/{made['id']}").expect(204)
        own.task("After the end")
        while (event := stream.event(5)) is not None:
            assert event.name == "ready"
    finally:
        stream.close()


def test_the_history_names_it(make_user):
    own = make_user()
    made = own.script_token("tasks:write", name="The doorbell")
    task = Client(own.server, made["token"]).post("/v1/tasks", {"title": "Somebody rang"}).expect(201).json
    wished = {"session_id": None, "token_id": made["id"], "name": "The doorbell"}
    history = f"/v1/tasks/{task['id']}/history"
    assert own.client.get(history).expect(200).json["items"][0]["by"] == wished
    own.client.delete(f"{PATH}/{made['id']}").expect(204)
    assert own.client.get(history).expect(200).json["items"][0]["by"] == wished, "its name outlives it"
