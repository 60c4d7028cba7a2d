# SPDX-License-Identifier: MIT
"""Where a fault test stands: a database of its own on a private cluster, and the nodes that use it."""
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import time

from support.accounts import User
from support.server import SANITIZER, Server
from support.waiting import wait_until

POOL, THREADS = 3, 2
# A node may have its pools, the keeper's connection and one that is just being made.
CONNECTIONS_MOST = POOL * THREADS + 2
ENDED = (None, 0, -signal.SIGKILL)  # runs, or was ended by the test
SETTINGS = {"LOG_LEVEL": "warn", "ACCESS_TOKEN_TTL": "86400", "THREADS": str(THREADS), "DATABASE_POOL": str(POOL)}


class Ground:
    """One database. `cluster` is where it is now; after a failover a test sets another."""

    def __init__(self, cluster):
        self.cluster, self.first = cluster, cluster
        self.name = cluster.create_database()
        self.nodes = []

    def url(self, *places):
        """The database at one or more places: clusters and proxies."""
        hosts = ",".join(f"127.0.0.1:{place.port}" for place in places or (self.cluster,))
        return self.cluster.url(self.name, hosts)

    def node(self, *places, **settings):
        """One more server on the database, reached through `places`."""
        node = Server({**SETTINGS, "DATABASE_URL": self.url(*places), **settings})
        self.nodes.append(node)
        return node

    def rows(self, select):
        """The rows of a SELECT as objects."""
        return json.loads(self.cluster.psql(f"SELECT coalesce(json_agg(t), '[]') FROM ({select}) t", self.name))

    def connections(self, more="true"):
        """What the server says of our connections to it."""
        return self.rows("SELECT pid, state, wait_event, query, extract(epoch FROM now() - state_change) AS seconds, "
                         f"application_name FROM pg_stat_activity WHERE datname = '{self.name}' "
                         f"AND pid <> pg_backend_pid() AND {more}")

    def expect_no_leak(self, nodes=1):
        """No more connections than there may be, and none of them stands in a transaction."""
        wait_until(lambda: len(self.connections()) <= CONNECTIONS_MOST * nodes, 10, "no more connections than pools")
        wait_until(lambda: not self.connections("state LIKE 'idle in transaction%'"), 10, "no open transaction")

    def close(self):
        """Ends the nodes and drops the database. No node may have ended by itself, or have been reported on."""
        wrong = [node.log_text()[-4000:] for node in self.nodes
                 if node.process.poll() not in ENDED or SANITIZER.search(node.log_text())]
        for node in self.nodes:
            node.kill()
            node.remove()
        if self.first.process.poll() is None:
            self.first.drop_database(self.name)
        assert not wrong, wrong[0]


class Hand:
    """Someone with psql who types statements one after another and waits for nothing."""

    def __init__(self, ground):
        self.process = subprocess.Popen(
            ["psql", "-Xq", "-d", ground.url()], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, encoding="utf-8")

    def type(self, sql):
        """Sends statements."""
        self.process.stdin.write(sql + "\n")
        self.process.stdin.flush()

    def close(self):
        """Leaves; what is not committed is rolled back."""
        self.process.stdin.close()
        self.process.wait(10)


@contextlib.contextmanager
def paused_replication(standby):
    """Meanwhile the standby confirms nothing."""
    receiver = int(standby.psql("SELECT pid FROM pg_stat_wal_receiver"))
    os.kill(receiver, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(receiver, signal.SIGCONT)


def has_task(cluster, name, *ids):
    """Whether these tasks are there; a standby may still have to follow."""
    rows = cluster.psql("SELECT id FROM tasks", name, check=False)
    return rows.returncode == 0 and set(ids) <= set(rows.stdout.split())


def accounts(node, count=3):
    """Users to write as."""
    return [User(node) for _ in range(count)]


def places(*nodes):
    """Where they listen."""
    return [(node.host, node.port) for node in nodes]


def threads_of(node):
    """How many threads the process has."""
    text = pathlib.Path(f"/proc/{node.pid}/status").read_text()
    return int(text.split("Threads:")[1].split()[0])


def is_ready(client):
    """What /readyz says."""
    return client.get("/readyz").status == 200


def seconds_to_first(log, moment, most, what):
    """How long after `moment` the first write was acknowledged; it must be `most` seconds at most."""
    first = wait_until(lambda: log.acks_after(moment), most, what)
    return first[0] - moment


def more_acks(load, count, seconds=20):
    """Waits for so many more writes."""
    wanted = load.log.count("ack") + count
    wait_until(lambda: load.log.count("ack") >= wanted, seconds, f"{count} more writes")
    return time.monotonic()
