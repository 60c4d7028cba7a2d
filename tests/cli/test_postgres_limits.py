# SPDX-License-Identifier: MIT
"""PostgreSQL that does not answer in time: what waits is bounded, what is refused says so, and nobody else pays."""
import contextlib
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import cluster
from support.accounts import User
from support.client import Client
from support.server import Server
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(cluster.missing() is not None, reason=cluster.missing() or "")
TIMEOUT = 1.0  # seconds a call may take, in most tests
SLACK = 3.0  # more than that nobody waits, on a busy machine and under a sanitizer
AT_ONCE = 24
# What docs/deploy.md has the operator set where Taskhold may set nothing, for TIMEOUT.
OWN_TIMEOUTS = {"statement_timeout": "800ms", "lock_timeout": "400ms", "idle_in_transaction_session_timeout": "2s"}


@pytest.fixture
def start(postgres):
    """Starts a server on a fresh database: start(DATABASE_POOL="2"). Its `name` is that of the database. `timeouts`:
    what the database sets for each session."""
    started = []

    def begin(timeouts=None, **env):
        name = postgres.create_database()
        for setting, value in (timeouts or {}).items():
            postgres.psql(f"ALTER DATABASE {name} SET {setting} = '{value}'")
        settings = {"DATABASE_URL": postgres.url(name), "DATABASE_TIMEOUT_MS": str(int(TIMEOUT * 1000)), **env}
        started.append(Server(env=settings))
        started[-1].name = name
        return started[-1]

    yield begin
    for server in started:
        server.stop()
        postgres.drop_database(server.name)


@contextlib.contextmanager
def held(postgres, server, sql):
    """Somebody else holds in a transaction what the statement locks."""
    other = subprocess.Popen(
        [*postgres.prefix, str(cluster.programs() / "psql"), "-X", "-q", "-A", "-t", postgres.url(server.name)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd=postgres.folder)
    try:
        other.stdin.write(f"SET idle_in_transaction_session_timeout = 0;\nBEGIN;\n{sql};\n\\echo it is held\n")
        other.stdin.flush()
        while "it is held" not in other.stdout.readline():
            assert other.poll() is None
        yield
    finally:
        other.stdin.close()  # which ends its transaction
        other.stdout.close()
        other.wait(30)


def row_of(user):
    """The statement that locks a user's row."""
    return f"SELECT 1 FROM spaces WHERE space_id = '{user.id}' FOR UPDATE"


def timed(call):
    """What a call answers, and the seconds it took."""
    started = time.monotonic()
    return call(), time.monotonic() - started


def refused(answer):
    """It is a 503 that tells when to come back and that nothing was done."""
    answer.expect(503)
    assert answer.code in ("overloaded", "unavailable") and int(answer.headers["Retry-After"]) >= 1
    return True


@pytest.mark.parametrize("prepared", ["on", "off"])
def test_a_locked_user_waits_for_the_set_time_and_nobody_else_does(postgres, start, prepared):
    server = start(DATABASE_PREPARED=prepared, timeouts=OWN_TIMEOUTS if prepared == "off" else None)
    locked, other = User(server), User(server)
    task = locked.task("before")
    with held(postgres, server, row_of(locked)):
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(timed, lambda: locked.client.post("/v1/tasks", {"title": "held"}))
            while not waiting.done():
                _, seconds = timed(lambda: other.task("free"))
                assert seconds < TIMEOUT, "another user's write waited"
                answer, seconds = timed(lambda: other.client.get("/v1/tasks?limit=1"))
                assert answer.status == 200 and seconds < TIMEOUT
            answer, seconds = waiting.result()
        assert refused(answer) and seconds < TIMEOUT + SLACK
        reading = locked.reader()
        assert reading.get(f"/v1/tasks/{task['id']}").expect(200).json == task, "reads need no lock"
    rows = locked.client.get("/v1/tasks").expect(200).json["items"]
    assert [row["title"] for row in rows] == ["before"], "what was refused was not made"
    assert locked.task("after")["revision"] == task["revision"] + 1


@pytest.mark.parametrize("prepared", ["on", "off"])
def test_many_requests_of_a_locked_user_leave_connections_to_the_others(postgres, start, prepared):
    """Who leaves in one flight with the locked user waits for the lock once, not after all that user's requests."""
    server = start(DATABASE_PREPARED=prepared, THREADS="1", DATABASE_TIMEOUT_MS="3000",
                   timeouts=OWN_TIMEOUTS if prepared == "off" else None)
    locked, *others = [User(server) for _ in range(5)]
    with held(postgres, server, row_of(locked)), ThreadPoolExecutor(AT_ONCE + len(others)) as pool:
        waiting = [pool.submit(timed, lambda: locked.reader().post("/v1/tasks", {"title": "held"}))
                   for _ in range(AT_ONCE)]

        def slowest(user):
            client, most = user.reader(), 0
            while not all(one.done() for one in waiting):
                most = max(most, timed(lambda: client.post("/v1/tasks", {"title": "free"}).expect(201))[1])
            return most

        assert max(pool.map(slowest, others)) < 2.0, "a lock is waited for 1.2 s"
    assert all(refused(one.result()[0]) and one.result()[1] < 3 + SLACK for one in waiting)
    locked.task("after")


def test_where_no_session_has_timeouts_the_answer_is_still_in_time_and_true(postgres, start):
    """Without statements prepared and without timeouts of the role the flight is given up with its COMMIT on the way:
    the write may be made when the lock is gone, and the answer says so. The key makes the repeat safe."""
    server = start(DATABASE_PREPARED="off")
    user, key = User(server), {"Idempotency-Key": "once"}
    with held(postgres, server, row_of(user)):
        answer, seconds = timed(lambda: user.client.post("/v1/tasks", {"title": "held"}, headers=key))
        assert answer.status == 503 and seconds < TIMEOUT + SLACK
        assert answer.code in ("outcome_unknown", "overloaded", "unavailable")
    wait_until(lambda: user.client.post("/v1/tasks", {"title": "held"}, headers=key).status == 201, 10, "the repeat")
    assert [row["title"] for row in user.client.get("/v1/tasks").expect(200).json["items"]] == ["held"], "once"


@pytest.mark.parametrize("milliseconds", [500, 2000])
def test_the_time_is_a_setting(postgres, start, milliseconds):
    server = start(DATABASE_TIMEOUT_MS=str(milliseconds))
    user = User(server)
    with held(postgres, server, row_of(user)):
        answer, seconds = timed(lambda: user.client.post("/v1/tasks", {"title": "held"}))
    assert refused(answer) and milliseconds / 1000 * 0.3 < seconds < milliseconds / 1000 + SLACK


def test_a_database_that_stands_still_is_told_to_everybody_in_time(postgres, start):
    """Reads and writes alike: no request waits for ever, none is lost, and the server needs no help afterwards."""
    server = start()
    users = [User(server) for _ in range(4)]
    with held(postgres, server, "LOCK TABLE spaces, tasks IN ACCESS EXCLUSIVE MODE"):
        with ThreadPoolExecutor(AT_ONCE) as pool:
            clients = [users[number % 4].reader() for number in range(AT_ONCE)]
            calls = [pool.submit(timed, lambda c=client, n=number: c.get("/v1/tasks") if n % 3 else
                                 c.post("/v1/tasks", {"title": "held"})) for number, client in enumerate(clients)]
            while not all(call.done() for call in calls):
                _, seconds = timed(lambda: Client(server).get("/livez").expect(200))
                assert seconds < TIMEOUT, "the server itself stood still"
        assert all(refused(call.result()[0]) and call.result()[1] < TIMEOUT + SLACK for call in calls)
    wait_until(lambda: all(user.client.post("/v1/tasks", {"title": "after"}).status == 201 for user in users), 10,
               "writes after the lock")
    titles = {task["title"] for user in users for task in user.client.get("/v1/tasks").expect(200).json["items"]}
    assert titles == {"after"}, "what was refused was not made"


@pytest.mark.parametrize("pool", [2, 6])
def test_the_pool_bounds_the_connections(postgres, start, pool):
    server = start(DATABASE_POOL=str(pool), THREADS="1", DATABASE_TIMEOUT_MS="5000")
    users = [User(server) for _ in range(4)]
    stop = threading.Event()

    def load(user, number):
        client = user.reader()
        while not stop.is_set():
            (client.get("/v1/tasks") if number % 2 else client.post("/v1/tasks", {"title": "x"})).expect((200, 201)[
                number % 2 == 0])

    def count():
        return int(postgres.psql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' "
                                 "AND application_name <> 'psql'", server.name))

    with ThreadPoolExecutor(16) as threads:
        running = [threads.submit(load, users[number % 4], number) for number in range(16)]
        try:
            seen = [count() for _ in range(12)]
        finally:
            stop.set()
        for one in running:
            one.result()
    assert pool <= max(seen) <= pool + 2, f"{seen} connections; besides the pool there are one or two"
