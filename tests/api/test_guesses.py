# SPDX-License-Identifier: MIT
"""How many passwords a stranger may try, counted by what the server really hashed."""
import threading
import time

import pytest

from support import metrics
from support.accounts import PASSWORD, User
from support.client import Client
from support.server import Server

HASHES = "taskhold_password_hash_duration_seconds_count"
WRONG = "not the password"
MOST = 10  # in 15 minutes, as the quota `failures` says


@pytest.fixture(scope="module")
def limited():
    """A server with quotas that believes X-Forwarded-For from this machine, and counts its hashes."""
    server = Server({"RATE_LIMIT": "on", "TRUSTED_PROXIES": "127.0.0.0/8", "METRICS_ADDR": "127.0.0.1:0"})
    yield server
    server.stop()


def at(server, address, token=None):
    """A client that comes from another address, as the proxy says."""
    client = Client(server, token)
    client.headers["X-Forwarded-For"] = address
    return client


def hashes(server):
    """How many passwords were hashed or compared up to now."""
    return metrics.metrics_of(server).get(HASHES)


def together(calls):
    """Runs all at once, each on a thread and connection of its own; answers the statuses."""
    start, statuses = threading.Barrier(len(calls)), []

    def one(call):
        start.wait()
        statuses.append(call().status)

    threads = [threading.Thread(target=one, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def logins(server, email, addresses, password=WRONG):
    """One login from each address, to be run."""
    body = {"email": email, "password": password}
    return [lambda client=at(server, address): client.post("/v1/auth/login", body) for address in addresses]


def test_guesses_from_many_addresses_at_once(limited):
    """Prints (pytest -s) how many of the guesses of 200 addresses were compared."""
    owner = User(limited, headers={"X-Forwarded-For": "203.0.113.1"})
    addresses = [f"198.51.100.{n}" for n in range(200)]
    before, begun = hashes(limited), time.monotonic()
    statuses = together(logins(limited, owner.email, addresses))
    later = [call().status for call in logins(limited, owner.email, addresses[:50])]
    compared = hashes(limited) - before
    print(f"\n{len(statuses) + len(later)} wrong guesses for one account from 200 addresses in "
          f"{time.monotonic() - begun:.1f} s: {compared:.0f} compared, "
          f"{statuses.count(429) + later.count(429)} refused; no more for 15 minutes")
    assert compared == MOST
    assert statuses.count(401) == MOST and statuses.count(429) == 190 and set(later) == {429}
    refused = logins(limited, owner.email, addresses[:1])[0]()
    assert 890 - (time.monotonic() - begun) <= int(refused.headers["Retry-After"]) <= 900
    owner.login()  # from an address that it logged in from before


def test_guesses_of_one_client_at_once(limited):
    count = 50
    before = hashes(limited)
    statuses = together(logins(limited, "nobody.here@example.com", ["203.0.113.2"] * count))
    assert statuses.count(401) == MOST and statuses.count(429) == count - MOST
    assert hashes(limited) - before == MOST


@pytest.mark.parametrize("method, path, body, address", [
    ("PUT", "/v1/me/password", {"current_password": WRONG, "new_password": "Zebra 41 on the moon"}, "203.0.113.10"),
    ("PUT", "/v1/me/email", {"email": "else@example.com", "password": WRONG}, "203.0.113.11"),
    ("POST", "/v1/me/deletion", {"password": WRONG}, "203.0.113.12"),
])
def test_guesses_with_a_stolen_token_at_once(limited, method, path, body, address):
    user = User(limited, headers={"X-Forwarded-For": address})
    before = hashes(limited)
    thieves = [at(limited, "203.0.113.19", user.token["access_token"]) for _ in range(16)]
    calls = [lambda thief=thief: thief.request(method, path, json=body,
                                               headers={"X-Forwarded-For": f"{address}{n}"})
             for n, thief in enumerate(thieves)]
    statuses = together(calls)
    assert statuses.count(403) == MOST and statuses.count(429) == 6
    assert hashes(limited) - before == MOST


def test_a_right_password_gives_its_guess_back(limited):
    """And not what strangers used up: they would have ten more with each login from somewhere new."""
    owner = User(limited, headers={"X-Forwarded-For": "203.0.113.30"})
    stranger = logins(limited, owner.email, ["203.0.113.31"])[0]
    for _ in range(MOST - 1):
        stranger().expect(401)
    for n in range(5):
        logins(limited, owner.email, [f"203.0.113.{40 + n}"], PASSWORD)[0]().expect(200)
    stranger().expect(401)
    stranger().expect(429)


def test_a_known_client_starts_anew_after_a_right_password(limited):
    owner = User(limited, headers={"X-Forwarded-For": "203.0.113.50"})
    for _ in range(2):
        for call in logins(limited, owner.email, ["203.0.113.50"] * (MOST - 1)):
            call().expect(401)
        owner.login()


def test_what_is_not_compared_is_no_guess(limited):
    """The queue of the hashers is full: 503, and every guess is there again."""
    others = [f"stranger.{n}@example.com" for n in range(160)]
    owner = User(limited, headers={"X-Forwarded-For": "203.0.113.60"})
    calls = [logins(limited, email, [f"198.18.{n}.1"])[0] for n, email in enumerate(others)]
    mine = logins(limited, owner.email, ["203.0.113.61"] * 8, PASSWORD)
    statuses = together(calls[:100] + mine + calls[100:])
    assert 503 in statuses, "the queue was never full"
    left = [call() for call in logins(limited, owner.email, ["203.0.113.62"] * (MOST + 1))]
    assert [answer.status for answer in left] == [401] * MOST + [429]


V6 = "2001:db8:{}:{:x}::{:x}"


def test_of_ipv6_the_64_is_one_client(limited):
    """A quota for each address would be none: a /64 has 2^64 of them."""
    ask = lambda subnet, n: at(limited, V6.format(1, subnet, n)).post(  # noqa: E731
        "/v1/auth/refresh", {"refresh_token": "x"}).status
    statuses = [ask(1, n) for n in range(1, 80)]
    assert statuses.count(401) <= 70 and statuses[-1] == 429
    assert ask(2, 1) == 401


def test_of_ipv6_the_64_is_known(limited):
    """Whoever logged in before from the same /64 is known; a session shows the whole address."""
    owner = User(limited, headers={"X-Forwarded-For": V6.format(2, 1, 1)})
    for call in logins(limited, owner.email, [V6.format(2, 2, 1)] * MOST):
        call().expect(401)
    logins(limited, owner.email, [V6.format(2, 3, 1)], PASSWORD)[0]().expect(429)
    logins(limited, owner.email, [V6.format(2, 1, 0xffff)], PASSWORD)[0]().expect(200)
    shown = {session["ip"] for session in owner.client.get("/v1/me/sessions").expect(200).json["items"]}
    assert shown == {"2001:db8:2:1::1", "2001:db8:2:1::ffff"}
