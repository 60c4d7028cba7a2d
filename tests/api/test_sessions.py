# SPDX-License-Identifier: MIT
"""Sessions and refresh tokens."""
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from support import tokens
from support.client import Client
from support.waiting import wait_until

MOST = 100


def sid(token):
    """The session of a pair of tokens."""
    return tokens.parts(token["access_token"])[1]["sid"]


def refresh(client, token, status=200, code=None):
    """Trades the refresh token of a pair in."""
    body = {"refresh_token": token["refresh_token"]}
    return client.post("/v1/auth/refresh", body).expect(status, code).json


def when(text):
    """Seconds since 1970."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_the_list_tells_them_apart(make_user):
    own = make_user(headers={"User-Agent": "one/1.0"})
    second = own.login(headers={"User-Agent": "two/2.0 (Linux; ünïcode)".encode().decode("latin-1")})
    rows = own.client.get("/v1/me/sessions").expect(200).json["items"]
    assert [row["id"] for row in rows] == [sid(second), sid(own.token)], "the newest first"
    assert [row["current"] for row in rows] == [False, True]
    assert rows[1]["user_agent"] == "one/1.0" and rows[1]["ip"] == "127.0.0.1"
    assert rows[0]["user_agent"].startswith("two/2.0")
    assert all(uuid.UUID(row["id"]).version == 7 for row in rows)
    assert abs(when(rows[0]["expires_at"]) - when(rows[0]["created_at"]) - 2592000) < 5
    assert when(rows[0]["created_at"]) <= when(rows[0]["last_used_at"]) <= time.time() + 1


def test_a_session_can_be_ended_from_another(user):
    token = user.login()
    one = user.client.copy(token["access_token"])
    one.get("/v1/me").expect(200)
    user.client.delete(f"/v1/me/sessions/{sid(token)}").expect(204)
    one.get("/v1/me").expect(401, "invalid_token")
    refresh(user.anonymous, token, 401, "invalid_refresh_token")
    user.client.delete(f"/v1/me/sessions/{sid(token)}").expect(404, "not_found")
    assert sid(token) not in {row["id"] for row in user.client.get("/v1/me/sessions").json["items"]}


def test_a_session_can_end_itself(user):
    token = user.login()
    one = user.client.copy(token["access_token"])
    one.delete(f"/v1/me/sessions/{sid(token)}").expect(204)
    one.get("/v1/me").expect(401, "invalid_token")


def test_all_other_sessions_end(make_user, other):
    own = make_user()
    tokens = [own.login() for _ in range(3)]
    own.client.delete("/v1/me/sessions").expect(204)
    for token in tokens:
        own.client.get("/v1/me", token=token["access_token"]).expect(401, "invalid_token")
        refresh(own.anonymous, token, 401, "invalid_refresh_token")
    own.client.delete("/v1/me/sessions").expect(204)
    assert [row["id"] for row in own.client.get("/v1/me/sessions").json["items"]] == [sid(own.token)]
    refresh(own.anonymous, own.token)
    other.client.get("/v1/me").expect(200)


def test_logout_with_a_refresh_token(user):
    """For a client whose access token has expired, or is lost."""
    token = user.login()
    body = {"refresh_token": token["refresh_token"]}
    user.anonymous.post("/v1/auth/logout", body).expect(204)
    user.client.get("/v1/me", token=token["access_token"]).expect(401, "invalid_token")
    refresh(user.anonymous, token, 401, "invalid_refresh_token")
    user.anonymous.post("/v1/auth/logout", body).expect(204)  # it has ended, as was asked for
    user.client.get("/v1/me").expect(200)


@pytest.mark.parametrize("old", [tokens.expired, lambda token: "not.a.token"], ids=["expired", "garbage"])
def test_logout_with_a_refresh_token_beside_a_dead_access_token(user, old):
    token = user.login()
    dead = user.client.copy(old(token["access_token"]))
    dead.post("/v1/auth/logout").expect(401, "invalid_token")
    dead.post("/v1/auth/logout", {"refresh_token": token["refresh_token"]}).expect(204)
    user.client.get("/v1/me", token=token["access_token"]).expect(401, "invalid_token")


def test_logout_with_a_refresh_token_that_was_used(user):
    first = user.login()
    second = refresh(user.anonymous, first)
    user.anonymous.post("/v1/auth/logout", {"refresh_token": first["refresh_token"]}).expect(204)
    user.client.get("/v1/me", token=second["access_token"]).expect(401, "invalid_token")


def test_logout_refuses_a_body_beside_a_good_access_token(user, other):
    """The two might name two sessions: none of them ends."""
    token = user.login()
    client = user.client.copy(token["access_token"])
    answer = client.post("/v1/auth/logout", {"refresh_token": other.token["refresh_token"]})
    assert answer.expect(422, "validation_failed").errors == {("", "not_allowed")}
    client.post("/v1/auth/logout", {}).expect(422)
    client.get("/v1/me").expect(200)
    other.client.get("/v1/me").expect(200)
    client.post("/v1/auth/logout").expect(204)


def test_logout_without_anything_good(user):
    user.anonymous.post("/v1/auth/logout").expect(401, "unauthorized")
    user.anonymous.post("/v1/auth/logout", {}).expect(422, "validation_failed")
    user.anonymous.post("/v1/auth/logout", {"refresh_token": "x"}).expect(401, "invalid_refresh_token")
    user.anonymous.post("/v1/auth/logout", {"refresh_token": user.token["access_token"]}).expect(401)
    user.anonymous.post("/v1/auth/logout", body=b"x", headers={"Content-Type": "text/plain"}).expect(415)


def test_the_session_of_somebody_else_is_not_there(user, other):
    theirs = sid(other.token)
    foreign = user.client.delete(f"/v1/me/sessions/{theirs}").expect(404, "not_found").json
    absent = user.client.delete(f"/v1/me/sessions/{uuid.uuid4()}").expect(404, "not_found").json
    assert foreign["detail"] == absent["detail"] and foreign["title"] == absent["title"]
    other.client.get("/v1/me").expect(200)


def test_the_oldest_session_ends_above_a_hundred(make_user):
    own = make_user()
    for _ in range(MOST - 1):
        newest = own.login()
    own.client.get("/v1/me").expect(200)
    newest = own.login()
    own.client.get("/v1/me").expect(401, "invalid_token")
    refresh(own.anonymous, own.token, 401, "invalid_refresh_token")
    rows = own.client.get("/v1/me/sessions", token=newest["access_token"]).expect(200).json["items"]
    assert len(rows) == MOST and rows[0]["id"] == sid(newest)


def test_refresh_rotates(user):
    first = user.login()
    second = refresh(user.anonymous, first)
    assert second["refresh_token"] != first["refresh_token"] and second["access_token"] != first["access_token"]
    assert sid(second) == sid(first)
    user.client.get("/v1/me", token=second["access_token"]).expect(200)
    user.client.get("/v1/me", token=first["access_token"]).expect(200)
    third = refresh(user.anonymous, second)
    assert third["refresh_token"] not in (first["refresh_token"], second["refresh_token"])


def test_a_replay_within_the_grace_gets_the_current_token(user):
    first = user.login()
    second = refresh(user.anonymous, first)
    for _ in range(3):
        assert refresh(user.anonymous, first)["refresh_token"] == second["refresh_token"]
    third = refresh(user.anonymous, second)
    assert refresh(user.anonymous, second)["refresh_token"] == third["refresh_token"]
    user.client.get("/v1/me", token=third["access_token"]).expect(200)


def test_a_replay_two_steps_late_is_within_the_grace_too(user):
    first = user.login()
    third = refresh(user.anonymous, refresh(user.anonymous, first))
    assert refresh(user.anonymous, first)["refresh_token"] == third["refresh_token"]


def test_two_tabs_at_once_share_one_chain(server, user):
    first = user.login()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(Client(server), first), range(8)))
    assert len({answer["refresh_token"] for answer in answers}) == 1
    assert refresh(user.anonymous, answers[0])["refresh_token"] != answers[0]["refresh_token"]


def test_a_late_replay_ends_the_session_for_good(start_server, make_user):
    """The end is committed although the answer is 401: a crash right after it brings nothing back."""
    own_server = start_server(env={"REFRESH_GRACE_SECONDS": "2"})
    own = make_user(own_server)
    old = {"refresh_token": own.token["refresh_token"]}
    started = time.monotonic()
    second = refresh(own.anonymous, own.token)
    answer = own.anonymous.post("/v1/auth/refresh", old)
    while answer.status == 200:
        assert time.monotonic() < started + 20, "a superseded token works for ever"
        answer = own.anonymous.post("/v1/auth/refresh", old)
    own_server.kill()
    assert time.monotonic() - started >= 2, "the grace is shorter than it was set to"
    detail = answer.expect(401, "invalid_refresh_token").json["detail"]
    assert "used before" in detail and "session has been ended" in detail and "Log in again" in detail
    own_server.start()
    refresh(own.anonymous, second, 401, "invalid_refresh_token")
    own.client.get("/v1/me", token=second["access_token"]).expect(401, "invalid_token")
    own.login()


def test_the_grace_may_be_none_and_is_a_minute_by_default(start_server, make_user):
    for setting, status in ((None, 200), ("0", 401), ("600", 200)):
        own = make_user(start_server(env={} if setting is None else {"REFRESH_GRACE_SECONDS": setting}))
        second = refresh(own.anonymous, own.token)
        answer = own.anonymous.post("/v1/auth/refresh", {"refresh_token": own.token["refresh_token"]})
        if answer.expect(status).status == 200:
            assert answer.json["refresh_token"] == second["refresh_token"], "a second chain"
        else:
            refresh(own.anonymous, second, 401, "invalid_refresh_token")


def test_a_refusal_says_why(user):
    """Not one of ours; of a session that has ended."""
    tokens = user.login()
    body = {"refresh_token": tokens["refresh_token"]}
    user.client.post("/v1/auth/logout", token=tokens["access_token"]).expect(204)
    ended = user.anonymous.post("/v1/auth/refresh", body).expect(401, "invalid_refresh_token")
    assert "ended or expired" in ended.json["detail"]
    body["refresh_token"] = body["refresh_token"][:-1]
    other = user.anonymous.post("/v1/auth/refresh", body).expect(401, "invalid_refresh_token")
    assert "not a refresh token of this server" in other.json["detail"]


def test_what_is_not_a_refresh_token(user):
    good = user.token["refresh_token"]
    middle = len(good) // 2
    for bad in ("x", good[:-1], good + "A", good + "=", good[:middle] + ("A" if good[middle] != "A" else "B")
                + good[middle + 1:], user.token["access_token"], good[:5] + " " + good[5:], "A" * 75):
        answer = user.anonymous.post("/v1/auth/refresh", {"refresh_token": bad})
        answer.expect(401, "invalid_refresh_token")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    user.client.get("/v1/me").expect(200)


def test_tokens_are_never_to_be_stored(user):
    body = {"email": user.email, "password": user.password}
    login = user.anonymous.post("/v1/auth/login", body).expect(200)
    again = user.anonymous.post("/v1/auth/refresh", {"refresh_token": login.json["refresh_token"]}).expect(200)
    assert login.headers["Cache-Control"] == again.headers["Cache-Control"] == "no-store"


def test_an_ended_session_is_over_on_every_connection_at_once(user):
    """Connections are spread over the event loops, and each loop remembers tokens that it has seen."""
    token = user.login()["access_token"]
    connections = [user.client.copy(token) for _ in range(16)]
    for connection in connections * 2:
        connection.get("/v1/me").expect(200)
    connections[0].post("/v1/auth/logout").expect(204)
    for connection in connections:
        connection.get("/v1/me").expect(401, "invalid_token")
    user.client.get("/v1/me").expect(200)


def test_a_session_tells_where_it_came_from(start_server, make_user):
    own_server = start_server(env={"TRUSTED_PROXIES": "127.0.0.1/32"})
    for forwarded, ip in (("2001:DB8::1", "2001:db8::1"), ("10.0.0.1, 203.0.113.7", "203.0.113.7"),
                          ("nonsense", "127.0.0.1"), ("203.0.113.7, nonsense", "127.0.0.1")):
        own = make_user(own_server, headers={"X-Forwarded-For": forwarded, "User-Agent": "ü".encode() * 200})
        row = own.client.get("/v1/me/sessions").expect(200).json["items"][0]
        assert row["ip"] == ip
        assert row["user_agent"] == "ü" * 128, "256 bytes at most, and never half a character"
    wait_until(lambda: "client_address_unreadable" in own_server.log_text(), what="the line in the log")
    assert own_server.log_text().count("client_address_unreadable") == 1, "once a minute"


@pytest.mark.parametrize("name, value", [("Fly-Client-IP", "203.0.113.7"),
                                         ("Forwarded", "for=unknown, for=\"203.0.113.7:80\"")])
def test_the_field_that_names_the_client_is_a_setting(start_server, make_user, name, value):
    own_server = start_server(env={"TRUSTED_PROXIES": "127.0.0.1/32", "CLIENT_ADDRESS_HEADER": name})
    own = make_user(own_server, headers={"X-Forwarded-For": "203.0.113.9", name: value})
    assert own.client.get("/v1/me/sessions").expect(200).json["items"][0]["ip"] == "203.0.113.7"
