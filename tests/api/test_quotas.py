# SPDX-License-Identifier: MIT
"""Quotas: how many requests, for whom, and what the answers say about it."""
import re

import pytest

from support.accounts import PASSWORD, User
from support.client import Client
from support.server import Server

POLICY = re.compile(r'"(\w+)";q=(\d+);w=(\d+)')
STATE = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')
GARBAGE = {"refresh_token": "x"}


@pytest.fixture(scope="module")
def limited():
    """A server with quotas that believes X-Forwarded-For from this machine."""
    server = Server({"RATE_LIMIT": "on", "TRUSTED_PROXIES": "127.0.0.0/8"})
    yield server
    server.stop()


def at(server, address, token=None):
    """A client that comes from another address, as the proxy says."""
    client = Client(server, token)
    client.headers["X-Forwarded-For"] = address
    return client


def policies(answer):
    """name -> (quota, window)."""
    found = POLICY.findall(answer.headers.get("RateLimit-Policy") or "")
    return {name: (int(q), int(w)) for name, q, w in found}


def left(answer):
    """name -> (what is left, seconds)."""
    return {name: (int(r), int(t)) for name, r, t in STATE.findall(answer.headers.get("RateLimit") or "")}


def until_limited(ask, most):
    """Asks until 429; answers how often it went well, and the answer."""
    for count in range(most):
        answer = ask()
        if answer.status == 429:
            answer.expect(429, "rate_limited")
            assert "is used up. Try again in " in answer.json["detail"] and " one a" in answer.json["detail"]
            return count, answer
    raise AssertionError(f"{most} requests and no 429")


def test_auth_is_for_each_address(limited):
    client = at(limited, "203.0.113.1")
    first = client.post("/v1/auth/refresh", GARBAGE).expect(401)
    assert policies(first)["auth"] == (60, 60) and left(first)["auth"][0] == 59
    count, answer = until_limited(lambda: client.post("/v1/auth/refresh", GARBAGE), 90)
    assert 59 <= count <= 70, "60 in 60 s, and one more a second"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert policies(answer)["auth"] == (60, 60) and left(answer)["auth"][0] == 0
    body = {"email": "ada@example.com", "password": PASSWORD}
    for path in ("/v1/auth/login", "/v1/auth/register"):
        client.post(path, body).expect(429, "rate_limited")
    client.get("/livez").expect(200)
    at(limited, "203.0.113.2").post("/v1/auth/refresh", GARBAGE).expect(401)


def test_the_rightmost_untrusted_hop_counts(limited):
    """What a client puts in front of the list buys it nothing."""
    numbers = iter(range(1000))
    ask = lambda: at(limited, f"198.51.100.{next(numbers) % 250}, 203.0.113.9").post(  # noqa: E731
        "/v1/auth/refresh", GARBAGE)
    until_limited(ask, 90)
    at(limited, "203.0.113.10, 127.0.0.2").post("/v1/auth/refresh", GARBAGE).expect(401)


def test_nobody_is_believed_without_being_trusted(start_server):
    server = start_server(env={"RATE_LIMIT": "on"})
    numbers = iter(range(1000))
    client = Client(server)
    until_limited(lambda: client.post("/v1/auth/refresh", GARBAGE,
                                      headers={"X-Forwarded-For": f"198.51.100.{next(numbers) % 250}"}), 90)


def test_429_comes_before_415_and_after_405(limited):
    client = at(limited, "203.0.113.3")
    until_limited(lambda: client.post("/v1/auth/refresh", GARBAGE), 90)
    client.post("/v1/auth/refresh", body=b"x", headers={"Content-Type": "text/plain"}).expect(429)
    client.get("/v1/auth/refresh").expect(405)


def test_failures_are_for_each_account(limited):
    """A stranger is stopped after ten tries; the owner, from a known address, is not."""
    owner = User(limited, headers={"X-Forwarded-For": "203.0.113.20"})
    stranger = at(limited, "203.0.113.21")
    wrong = {"email": owner.email, "password": "not the password"}
    right = {**wrong, "password": PASSWORD}
    count, answer = until_limited(lambda: stranger.post("/v1/auth/login", wrong), 20)
    assert count == 10 and 1 <= int(answer.headers["Retry-After"]) <= 900
    stranger.post("/v1/auth/login", right).expect(429, "rate_limited")
    at(limited, "203.0.113.22").post("/v1/auth/login", {**right, "email": owner.email.upper()}).expect(429)
    at(limited, "203.0.113.20").post("/v1/auth/login", right).expect(200)
    stranger.post("/v1/auth/login", right).expect(429)


def test_unknown_accounts_are_throttled_alike(limited):
    client = at(limited, "203.0.113.30")
    body = {"email": "nobody.at.all@example.com", "password": "not the password"}
    count, _ = until_limited(lambda: client.post("/v1/auth/login", body), 20)
    assert count == 10


def test_guessing_with_a_stolen_token_is_throttled(limited):
    user = User(limited, headers={"X-Forwarded-For": "203.0.113.40"})
    thief = at(limited, "203.0.113.41", user.token["access_token"])
    change = {"current_password": "not the password", "new_password": "Zebra 41 on the moon"}
    count, _ = until_limited(lambda: thief.put("/v1/me/password", change), 20)
    assert count == 10
    thief.post("/v1/me/deletion", {"password": PASSWORD}).expect(429)
    user.client.get("/v1/me").expect(200)


def test_a_good_login_counts_no_failure(limited):
    user = User(limited, headers={"X-Forwarded-For": "203.0.113.50"})
    for _ in range(12):
        user.login()


def test_api_is_for_each_user(limited):
    user = User(limited, headers={"X-Forwarded-For": "203.0.113.60"})
    other = User(limited, headers={"X-Forwarded-For": "203.0.113.61"})
    first = user.client.get("/v1/tasks").expect(200)
    assert policies(first)["api"] == (1200, 60) and left(first)["api"][0] == 1199
    fast = user.reader()
    fast.checked = False
    count, _ = until_limited(lambda: fast.get("/v1/me"), 3000)
    assert 1199 <= count < 2400
    answer = user.client.post("/v1/tasks", {"title": "x"})
    if answer.status == 201:  # one token a twentieth of a second comes back
        _, answer = until_limited(lambda: user.client.get("/v1/me"), 200)
    assert int(answer.headers["Retry-After"]) == 1 and left(answer)["api"][0] == 0
    other.client.get("/v1/tasks").expect(200)


def test_errors_tell_what_is_left_too(limited):
    user = User(limited, headers={"X-Forwarded-For": "203.0.113.70"})
    for path, status in (("/v1/tasks?limit=0", 400), ("/v1/tasks/01a203ca-194b-77a5-8c00-000000000003", 404)):
        assert "api" in left(user.client.get(path).expect(status))
    assert "api" in left(user.client.post("/v1/tasks", {}).expect(422))
    assert "api" in left(user.client.head("/v1/tasks").expect(200))
    assert not left(Client(limited).get("/livez"))


def test_off_is_off(start_server):
    client = Client(start_server(env={"RATE_LIMIT": "off"}))
    for _ in range(100):
        client.post("/v1/auth/refresh", GARBAGE).expect(401)  # the client checks that no field tells of a quota
