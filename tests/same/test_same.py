# SPDX-License-Identifier: MIT
"""The same generated requests to a server on SQLite and to one on PostgreSQL: every answer is compared byte for byte.

    SEED=1 REQUESTS=2000 python3 -m pytest -s tests/same
    TASKHOLD_TEST_PREPARED=off …                            # without prepared statements

One seed drives every choice; it is printed. What is replaced before answers are compared stands in compare.py, and
nothing else is left out. The PostgreSQL cluster sorts and folds text as Turkish does, so an order or a comparison that
comes from the locale and not from us is a difference. That a difference is found is tested below; by hand: take a
`COLLATE "C"` out of src/store/postgres/sql.c or change a byte of any answer, and run this."""
import collections
import os
import re
import time

import pytest

import plan
from compare import Answer, Names, Side, difference, swapped
from support import cluster, engine
from support.seed import SEED
from support.server import Server
from support.waiting import wait_until

REQUESTS = int(os.environ.get("REQUESTS", "2000"))
GRACE_SECONDS = 5  # a used refresh token that comes again later is a stolen one
SETTINGS = {"RATE_LIMIT": "on", "TRUSTED_PROXIES": "127.0.0.1/32", "CORS_ORIGINS": "https://app.example",
            "DATABASE_PREPARED": engine.PREPARED, "REFRESH_GRACE_SECONDS": str(GRACE_SECONDS)}
EXPECTED = {200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 417, 422, 429, 501}

pytestmark = pytest.mark.skipif(cluster.missing() is not None, reason=str(cluster.missing()))


@pytest.fixture(scope="module")
def turkish():
    """A cluster whose own order of text is far from that of code points."""
    started = cluster.Cluster(icu="tr")
    yield started
    started.remove()


@pytest.fixture
def both(turkish):
    """Starts a server on each engine, as sides: both(database, ours). They end with the test, and each must end well."""
    started = []

    def start(database, ours=()):
        urls = {"SQLite": "sqlite:same.db", "PostgreSQL": turkish.url(database)}
        for label, url in urls.items():
            started.append(Side(label, Server(env={**SETTINGS, "DATABASE_URL": url}), ours))
        return started

    yield start
    for side in started:
        side.close()
    for side in started:
        side.server.stop()


def ask(sides, step, number):
    """Sends one step to both; answers how their answers differ, for people, and the first one."""
    answers = [side.send(step, number) for side in sides]
    lines = difference(sides, answers)
    if not lines:
        return "", answers[0]
    shown = [f"request {number} of SEED={SEED} REQUESTS={REQUESTS}: {step.method} {step.path[:300]}",
             f"fields {step.fields}", f"body {step.body!r:.2000}", "", "differ in:", *lines]
    for side, answer in zip(sides, answers):
        shown += ["", f"---- {side.label}", answer.text()[:3000]]
    return "\n".join(shown), answers[0]


def test_the_cluster_does_not_sort_by_code_points(turkish):
    """Else the comparison would prove nothing about the order of text and the case of letters."""
    found = turkish.psql("SELECT 'b' < 'A', 'a' < 'B', lower('I'), upper('i')").strip()
    assert found == "f|t|ı|İ", found


def test_the_same_answers(turkish, both):
    print(f"\nSEED={SEED} REQUESTS={REQUESTS}")
    whole = plan.Plan(SEED, REQUESTS)
    sides = both(turkish.create_database(), whole.ours)
    statuses, fields = collections.Counter(), collections.Counter()
    started = time.monotonic()
    for number, step in enumerate(whole.steps):
        if number == len(whole.steps) - plan.LAST:
            wait_until(lambda: time.monotonic() > started + GRACE_SECONDS + 0.5, 30, "the end of the grace")
        wrong, answer = ask(sides, step, number)
        if wrong:
            pytest.fail(wrong, pytrace=False)
        statuses[answer.status] += 1
        fields.update(name for name, _ in answer.fields)
    wrong = swapped(*(side.names.times() for side in sides))
    assert not wrong, f"{len(wrong)} pairs of times follow each other in another order: {shown(sides, wrong[:5])}"
    print(f"{REQUESTS} requests: " + ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items())))
    assert sum(statuses.values()) == REQUESTS and not {500, 503, 507} & set(statuses), "both failed in the same way"
    if REQUESTS >= 2000:
        assert EXPECTED <= set(statuses), f"the requests never led to {EXPECTED - set(statuses)}"
        assert all(fields[name] >= 20 for name in ("Idempotency-Replayed", "Link", "ETag", "RateLimit")), fields


def shown(sides, pairs):
    """The pairs, for people."""
    times = [side.names.times() for side in sides]
    return [[str(of[number]) for of in times for number in pair] for pair in pairs]


# ---- it can fail ----

BODY = b'{"items":[{"id":"01a203ca-194b-77a5-8c00-000000000003","title":"B","at":"2026-11-22T15:05:06.123Z"},' \
       b'{"id":"01a203ca-194b-77a5-8c00-000000000004","title":"a","at":"2026-11-22T15:05:07.123Z"}]}'
FIELDS = [("Date", "Sun, 22 Nov 2026 21:50:04 GMT"), ("ETag", '"7"'), ("Vary", "Origin")]


def as_lines(body=BODY, fields=tuple(FIELDS), status=200, reason="OK"):
    """What a side that saw nothing before makes of an answer."""
    return Names().comparable(Answer(status, reason, list(fields), body))


def test_ids_and_times_are_no_difference():
    other = BODY.replace(b"01a203ca-194b", b"01b4ffff-0000").replace(b"T15:05", b"T16:59")
    assert other != BODY and as_lines(other) == as_lines()


@pytest.mark.parametrize("changed", [
    {"status": 201}, {"reason": "Ok"}, {"fields": FIELDS[:2]}, {"fields": FIELDS[::-1]},
    {"fields": FIELDS + FIELDS[2:]},
    {"fields": [("Date", "2026-11-22"), *FIELDS[1:]]}, {"fields": [FIELDS[0], ("ETag", '"8"'), FIELDS[2]]},
    {"fields": [FIELDS[0], ("etag", '"7"'), FIELDS[2]]}, {"body": BODY + b"\n"}, {"body": BODY.replace(b'"B"', b'"b"')},
    {"body": BODY.replace(b"000004", b"000003")}, {"body": BODY.replace(b"07.123Z", b"06.123Z")},
    {"body": BODY.replace(b"07.123Z", b"07.12Z")}, {"body": BODY.replace(b"01a203ca", b"01A203CA")}],
    ids=lambda changed: ascii(changed)[:30])
def test_what_differs_is_seen(changed):
    assert as_lines(**changed) != as_lines()


def test_an_order_that_comes_from_the_locale_is_seen(turkish, both):
    """The same comparison with a table whose titles follow the cluster's own collation."""
    database = turkish.create_database()
    Server(env={**SETTINGS, "DATABASE_URL": turkish.url(database)}).stop()
    turkish.psql('ALTER TABLE tasks ALTER COLUMN title TYPE text COLLATE "default"', database)
    whole = plan.Plan(1, 500)
    sides = both(database, whole.ours)
    found = (ask(sides, step, number)[0] for number, step in enumerate(whole.steps))
    wrong = next(filter(None, found), "")
    assert re.search("sort=-?title", wrong) and "---- PostgreSQL" in wrong, wrong


def times_of(*values):
    """What `Names.times` tells after these were shown."""
    names = Names()
    for value in values:
        names.replaced(f"2026-11-22T15:05:{value}Z")
    return names.times()


def test_times_in_another_order_are_seen():
    one = times_of("06.100", "06.103", "06.200")
    assert swapped(one, times_of("16.000", "16.001", "16.002")) == []
    assert swapped(one, times_of("16.002", "16.000", "16.009")) == [], "two clocks explain it"
    assert swapped(one, times_of("16.004", "16.000", "16.009")) == [(1, 2)]
    assert swapped(one, times_of("16.004", "16.005", "16.003")) == [(1, 3), (2, 3)]
