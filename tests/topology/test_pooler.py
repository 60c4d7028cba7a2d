# SPDX-License-Identifier: MIT
"""Nodes behind Debian's PgBouncer in transaction mode, as docs/deploy.md says: DATABASE_PREPARED=off, timeouts on the role."""
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

import pooler
from support import cluster
from support.accounts import User
from support.client import Client
from support.paths import ROOT
from support.server import Server
from support.waiting import wait_until

MISSING = pooler.missing() or cluster.missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
# What the whole API rests on: transactions, locks, repeats, conditions, lists. Sessions have a test of their own below.
PART = ("test_tasks", "test_idempotency", "test_conditional", "test_list")


@pytest.fixture(scope="module", name="server")
def start_postgres():
    """A PostgreSQL of this file's own, which trusts everybody on loopback."""
    one = cluster.Cluster()
    yield one
    one.remove()


@pytest.fixture(scope="module", name="between")
def start_pooler(server):
    """The pooler in front of it."""
    one = pooler.Pooler(server)
    yield one
    one.stop()


@pytest.fixture(name="nodes")
def start_nodes(server, between):
    """Two nodes on one database."""
    url, started = between.url(server.create_database()), []
    for _ in range(2):
        started.append(Server(env={"DATABASE_URL": url, "DATABASE_PREPARED": "off"}))
    yield started
    for one in started:
        one.stop()


def complaints(node):
    """The lines of its log above info."""
    return re.findall(r'^.*"level":"(?:warn|error)".*$', node.log_text(), re.M)


def ready(node):
    """Does it say that it can work?"""
    return Client(node).get("/readyz").status == 200


def test_the_api_passes_through_it(between):
    """A part of the tests over HTTP, with more connections of the nodes than of the pooler."""
    files = [str(ROOT / "tests" / "api" / f"{name}.py") for name in PART]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *files], cwd=ROOT, timeout=120, check=False,
        env={**os.environ, "TASKHOLD_TEST_POSTGRES": between.server, "TASKHOLD_TEST_PREPARED": "off"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert ended.returncode == 0, ended.stdout[-4000:]
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed and int(passed[1]) > 50, ended.stdout[-1000:]


def test_an_end_on_one_node_is_unheard_and_still_counts_within_a_second(nodes, server):
    """By the age of what the other remembers, because nobody listens behind a pooler."""
    here, there = nodes
    user = User(here)
    stranger = Client(there, user.client.token)
    stranger.get("/v1/me").expect(200)
    user.client.post("/v1/auth/logout").expect(204)
    wait_until(lambda: stranger.get("/v1/me").status == 401, 2, "the end on the other node")
    assert "LISTEN" not in str(server.rows("SELECT query FROM pg_stat_activity WHERE application_name = 'taskhold'"))


def test_the_keeper_is_content(nodes, server):
    """It has looked several times, and complains of nothing."""
    looks = set()

    def look():
        rows = server.rows("SELECT query_start FROM pg_stat_activity WHERE query LIKE '%FROM taskhold_schema'")
        looks.update(row[0] for row in rows)
        return len(looks) >= 6

    wait_until(look, 15, "three looks of each keeper")
    assert all(map(ready, nodes)) and [complaints(node) for node in nodes] == [[], []]


def test_the_limits_of_the_role_hold(server, between):
    """A wait for a lock ends by itself, though nothing could be set for the session."""
    server.psql(f"CREATE ROLE {pooler.TIRED} SUPERUSER LOGIN; ALTER ROLE {pooler.TIRED} SET lock_timeout = '300ms'")
    database = server.create_database()
    url = between.url(database).replace(f"{cluster.SUPERUSER}@", f"{pooler.TIRED}@")
    node = Server(env={"DATABASE_URL": url, "DATABASE_PREPARED": "off"})
    try:
        user = User(node)
        with subprocess.Popen([cluster.programs() / "psql", "-q", server.url(database)], stdin=subprocess.PIPE,
                              text=True) as holder:
            holder.stdin.write("BEGIN; LOCK TABLE tasks;\n")
            holder.stdin.flush()
            wait_until(lambda: server.rows("SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"))
            user.client.post("/v1/tasks", {"title": "held up"}).expect(503)
            assert "lock timeout" in server.log_text()
            holder.communicate("ROLLBACK;\n", timeout=10)
        user.task("free again")
    finally:
        node.stop()


def test_a_pooler_that_comes_back_is_one_line_each(nodes, between):
    users = [User(node) for node in nodes]
    between.end()
    for node in nodes:
        wait_until(lambda node=node: not ready(node), 10, "the end of readiness")
    between.start()
    for node, user in zip(nodes, users):
        wait_until(lambda node=node: ready(node), 10, "readiness")
        wait_until(lambda user=user: user.client.get("/v1/tasks").status == 200, 10, "tasks")
        assert len([line for line in complaints(node) if "database_lost" in line]) <= 1


def test_prepared_statements_are_understood_or_the_log_says_what_to_do(server, between):
    """PgBouncer before 1.21 knows nothing of them."""
    node = Server(env={"DATABASE_URL": between.url(server.create_database()), "DATABASE_PREPARED": "on"})
    try:
        if pooler.version() >= (1, 21):
            user = User(node)
            assert [user.task("kept")["title"] for _ in range(20)] == ["kept"] * 20
            assert "database_lost" not in node.log_text()
        else:
            wait_until(lambda: Client(node).get("/v1/me", token="x.y.z").status and "database_lost" in node.log_text(), 15)
            assert "DATABASE_PREPARED=off" in node.log_text()
    finally:
        node.stop()


@pytest.fixture(name="pair")
def start_pair():
    """A primary and a standby that each commit waits for, with a pooler in front of each."""
    primary = cluster.Cluster()
    standby = primary.standby()
    primary.synchronize(standby)
    poolers = [pooler.Pooler(one) for one in (primary, standby)]
    yield primary, standby, poolers
    for one in (*poolers, standby, primary):
        (one.stop if isinstance(one, pooler.Pooler) else one.remove)()


def url_of(database, *poolers):
    """All of them as hosts."""
    return f"postgresql://{cluster.SUPERUSER}@{','.join(f'127.0.0.1:{one.port}' for one in poolers)}/{database}"


def replace_primary(primary, standby, how):
    """The standby becomes the primary; the old one comes back at its place as a standby of nobody."""
    primary.end(how)
    standby.promote()
    standby.psql("ALTER SYSTEM SET synchronous_standby_names = ''; SELECT pg_reload_conf()")
    (primary.data / "standby.signal").touch()
    primary.start()
    assert primary.psql("SELECT pg_is_in_recovery()").strip() == "t"


@pytest.mark.parametrize("how", ["fast", "kill"])
def test_a_pooler_that_greets_as_it_did_before_the_failover_hides_nobody(pair, how):
    """It says of a new primary that it is a standby still, and of the old one that it takes writes."""
    primary, standby, (before_old, before_new) = pair
    node = Server(env={"DATABASE_URL": url_of(primary.create_database(), before_new, before_old), "DATABASE_PREPARED": "off"})
    try:
        user = User(node)
        replace_primary(primary, standby, how)
        wait_until(lambda: user.client.post("/v1/tasks", {"title": "after"}).status == 201, 5, "a write")
        wait_until(lambda: ready(node), 5, "readiness")
    finally:
        node.stop()


def test_what_is_read_is_never_that_of_a_primary_that_was_replaced(pair):
    """The connections to its pooler live on, and lead to a standby that hears of nothing."""
    primary, standby, (before_old, before_new) = pair
    database = primary.create_database()
    first = Server(env={"DATABASE_URL": url_of(database, before_old, before_new), "DATABASE_PREPARED": "off"})
    second = None
    try:
        user = User(first)
        task = user.task("old")
        replace_primary(primary, standby, "fast")
        second = Server(env={"DATABASE_URL": url_of(database, before_new), "DATABASE_PREPARED": "off"})
        path, writer = f"/v1/tasks/{task['id']}", Client(second, user.client.token)
        writer.patch(path, {"title": "new"}).expect(200)

        def read():
            answer = user.client.get(path)
            assert answer.status == 503 or answer.json["title"] == "new", answer.body
            return answer.status == 200

        wait_until(read, 5, "what was written")
    finally:
        for node in filter(None, (first, second)):
            node.stop()


def test_only_behind_a_pooler_each_read_asks_whether_the_server_takes_writes():
    """A pooler is known by the process that it names, where statements are prepared too."""
    server = cluster.Cluster(settings={"log_statement": "all"})
    between = pooler.Pooler(server, "pool_mode = session\n")
    try:
        asked = {}
        for place in (server, between):
            start, node = len(server.log_text()), Server(env={"DATABASE_URL": place.url(server.create_database())})
            User(node).client.get("/v1/tasks").expect(200)
            node.stop()
            asked[place] = "SELECT FROM taskhold_schema WHERE false FOR SHARE" in server.log_text()[start:]
        assert asked == {server: False, between: True}
    finally:
        between.stop()
        server.remove()


def test_a_commit_under_way_when_the_server_is_lost_is_not_called_undone(pair):
    """It was made, and waits for the standby. PgBouncer tells the end of its server as the answer to the first statement."""
    primary, standby, (between, _) = pair
    node, answers = Server(env={"DATABASE_URL": between.url(primary.create_database()), "DATABASE_PREPARED": "off"}), []
    receiver = int(standby.psql("SELECT pid FROM pg_stat_wal_receiver"))
    try:
        user = User(node)
        task = user.task("old")
        path, condition = f"/v1/tasks/{task['id']}", {"If-Match": user.client.learn_space().tag(task)}
        os.kill(receiver, signal.SIGSTOP)
        other = user.client.copy()
        writer = threading.Thread(target=lambda: answers.append(other.patch(path, {"title": "new"}, headers=condition)))
        writer.start()
        wait_until(lambda: primary.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), 10, "the wait")
        primary.end("kill")
        os.kill(receiver, signal.SIGCONT)
        primary.start()
        writer.join(30)
        wait_until(lambda: user.client.get(path).status == 200, 20, "an answer")
        assert user.client.get(path).json["title"] == "new"
        assert (answers[0].status, answers[0].code) in ((200, None), (503, "outcome_unknown")), answers[0].body
    finally:
        node.stop()
