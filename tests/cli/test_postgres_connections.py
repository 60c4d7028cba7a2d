# SPDX-License-Identifier: MIT
"""PostgreSQL that allows fewer connections than the loops want: they share, and the server says so."""
import contextlib
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import cluster
from support.accounts import User
from support.client import Client
from support.server import Server, run
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(cluster.missing() is not None, reason=cluster.missing() or "")
LOOPS = 8
CLIENTS = 32  # enough that each loop has some


@pytest.fixture
def limited(postgres):
    """A database and a role that may have `most` connections: limited(most) answers the settings of a server."""
    made = []

    def make(most, **env):
        name = postgres.create_database()
        postgres.psql(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT {most}; ALTER DATABASE {name} OWNER TO {name}")
        made.append(name)
        url = postgres.url(name).replace(f"//{cluster.SUPERUSER}@", f"//{name}@")
        return {"DATABASE_URL": url, "THREADS": str(LOOPS), "DATABASE_TIMEOUT_MS": "4000", **env}

    yield make
    for name in made:
        postgres.drop_database(name)
        postgres.psql(f"DROP ROLE {name}")


@contextlib.contextmanager
def running(env):
    """A server that is ended also when the test fails."""
    server = Server(env=env)
    try:
        yield server
    finally:
        server.stop()


def everybody(server, user, rounds=6):
    """Reads and writes over many connections at once, so that every loop is asked. Answers all statuses."""
    def one(number):
        client = Client(server, token=user.token['access_token'])
        statuses = []
        for _ in range(rounds):
            for answer in (client.post("/v1/tasks", {"title": f"of {number}"}), client.get("/v1/tasks?limit=2")):
                statuses.append(answer.code or answer.status)
        client.close()
        return statuses
    with ThreadPoolExecutor(CLIENTS) as threads:
        return [status for statuses in threads.map(one, range(CLIENTS)) for status in statuses]


def connections_of(postgres, name):
    """How many the server counts."""
    return int(postgres.psql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{name}'"))


@pytest.mark.parametrize("most", [20, 6, 2])
def test_no_loop_is_left_without_a_connection(postgres, limited, most):
    """Heroku's smallest plan allows 20, a role may be given fewer than there are loops; all answers are good."""
    env = limited(most)
    with running(env) as server:
        statuses = everybody(server, User(server))
        assert set(statuses) == {200, 201}, {s: statuses.count(s) for s in set(statuses)}
        # Half of them are left for a node that starts beside this one.
        assert connections_of(postgres, env["DATABASE_URL"].rsplit("/", 1)[1]) <= max(most // 2, 2)
        # The keeper's own connection may have come late, after that of the start had gone.
        wait_until(lambda: Client(server).get("/readyz").status == 200, 20, "a keeper with a connection")
        wait_until(lambda: "DATABASE_POOL" in Client(server).get("/readyz").expect(200).json["checks"]["connections"], 20,
                   "what the operator can do")
        assert server.log_text().count("database_full") == 1


@pytest.mark.parametrize("most, shared", [(40, None), (20, 9), (2, 1)])
def test_doctor_says_what_a_node_takes(limited, most, shared):
    """The limit of the role counts, and fewer than wanted is a warning: a node works with those."""
    env = limited(most, THREADS="4", DATABASE_POOL="4")
    done = run("doctor", "--json", "--port", "0", env=env)
    (found,) = [one for one in json.loads(done.stdout)["checks"] if one["check"] == "connections"]
    assert done.returncode == 0 and f"the server allows {most}," in found["finding"], found
    if shared:
        assert found["level"] == "warning" and f"share {shared}," in found["finding"], found
        assert "DATABASE_POOL" in found["finding"] and "max_connections" in found["finding"]
    else:
        assert found["level"] == "ok" and "takes up to 17 (4 loops, 4 each" in found["finding"], found


def test_a_server_that_others_fill_is_shared(postgres, limited):
    """Others hold all but three connections: what is left goes round, and more are taken when there is room."""
    env = limited(20, DATABASE_POOL="2")
    role = env["DATABASE_URL"].rsplit("/", 1)[1]
    holders = []
    try:
        for _ in range(17):
            holders.append(hold(postgres, env["DATABASE_URL"]))
        wait_until(lambda: connections_of(postgres, role) == 17, 20, "the others' connections")
        with running(env) as server:
            statuses = everybody(server, User(server))
            assert set(statuses) == {200, 201}, {s: statuses.count(s) for s in set(statuses)}
            wait_until(lambda: "database_full" in server.log_text(), 20, "a word of it")
            while holders:
                release(holders.pop())
            # The bound of this process is 9, and the keeper has one.
            wait_until(lambda: connections_of(postgres, role) == 10, 30, "the connections that can be had")
            assert set(everybody(server, User(server), 2)) == {200, 201}
    finally:
        for holder in holders:
            release(holder)


def test_connections_that_suffice_are_no_news(postgres, limited):
    """All are had: readyz says ok and the log nothing."""
    env = limited(50, DATABASE_POOL="2", THREADS="2")
    role = env["DATABASE_URL"].rsplit("/", 1)[1]
    with running(env) as server:
        wait_until(lambda: connections_of(postgres, role) == 5, 20, "two loops with two each, and the keeper")
        assert Client(server).get("/readyz").expect(200).json["checks"]["connections"] == "ok"
        assert "database_full" not in server.log_text()


def hold(postgres, url):
    """A connection of somebody else."""
    return subprocess.Popen([*postgres.prefix, str(cluster.programs() / "psql"), "-X", "-q", url],
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=postgres.folder)


def release(holder):
    """Ends it."""
    holder.stdin.close()
    holder.wait(30)
