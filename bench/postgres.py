# SPDX-License-Identifier: MIT
"""Taskhold on PostgreSQL beside pgbench, which asks the same server for the same rows with the same statements."""
import contextlib
import json
import os
import re
import statistics
from dataclasses import dataclass

import client
import load
import pairs
import pgbench
import pgcluster
import procs
import servers
from check import Check, Cost, Table, microseconds

CLIENTS = (1, 8, 64, 256)
MAIN = 64  # the number of clients that promises and costs are told for, as elsewhere in the report
POOL = 4  # the default of DATABASE_POOL
LEAST = 0.7
ROUND_SECONDS = 2  # at most
TAKEN = 3
BATCH = re.compile(r"^taskhold_store_batch_operations_(sum|count)\S* (\d+)", re.MULTILINE)

TEXT = """PostgreSQL runs on one core, with durable commits, {tasks:,} tasks and {users:,} users. What asks it has the other
core: `pgbench`, or `wrk` together with Taskhold (one loop, the usual pool of {pool} connections). So both reach it
across the same border, and Taskhold pays for HTTP and for `wrk` besides. pgbench prepares and runs the very
statements that Taskhold sends, taken from PostgreSQL's log; there, ids are made of numbers. Both take a user and a
task at random for each request, so that no answer can come from anywhere but PostgreSQL: of {asked:,} reads over
HTTP, its own counters saw {seen:,}. With pgbench, each connection creates for users of its own, so that none waits
for another's lock.

Each number is the median of {pairs} pairs of {seconds} s in turn, the ratio that of the pairs' ratios. pgbench has as
many connections as there are HTTP clients; with as many as the pool has, it does {read_pool:,.0f} reads/s and
{create_pool:,.0f} creates/s. With one client nothing can be sent together, and a request waits for two hops where
pgbench waits for one.

A flush is what leaves together on one connection: all that the requests of a turn of the loop want to read, or one
transaction with all that they create. How many operations are in one is counted by PostgreSQL for reads
(`xact_commit` and scans of the keys, checks of sessions included), and for creates by the node
(`taskhold_store_batch_operations`).
"""


@dataclass(frozen=True)
class Case:
    key: str
    title: str
    script: str
    parameters: tuple
    body: dict = None


READ = Case("read", "Read one task", pgbench.READ_SCRIPT, pgbench.READ)
CREATE = Case("create", "Create a task", pgbench.CREATE_SCRIPT, pgbench.CREATE, {"title": servers.TITLE})


@dataclass(frozen=True)
class Round:
    """CPU and times in microseconds."""
    rate: float
    p50: float = 0
    p99: float = 0
    node: float = 0
    database: float = 0


@dataclass(frozen=True)
class Flights:
    """What a node asked for while it lived: `flushed` operations a flush."""
    asked: int
    seen: int
    flushed: float
    synced: float  # creates for each flush of PostgreSQL's log to the disk


@dataclass(frozen=True)
class Row:
    """One number of clients."""
    clients: int
    taken: list  # (pgbench's round, Taskhold's)
    flights: Flights

    def median(self, field):
        return pairs.medians(self.taken, field)[1]

    @property
    def ratio(self):
        return pairs.ratio(self.taken, "rate")


class Bench:
    def __init__(self, cluster, options):
        self.cluster = cluster
        self.seconds = min(options.seconds, ROUND_SECONDS)
        self._progress = options.progress
        self._scripts = {}

    def take_statements(self, node):
        """Has pgbench run what Taskhold runs."""
        with open(self.cluster.tokens, encoding="ascii") as file:
            token = file.readline().strip()
        path = "/v1/tasks/" + pgcluster.numbered(0)
        for case, call in ((READ, ("GET", path, token)), (CREATE, ("POST", "/v1/tasks", token, CREATE.body))):
            statement = self.cluster.statement(node, *call)
            self._scripts[case.key] = pgbench.write_script(
                os.path.join(self.cluster.folder, case.key + ".sql"), case.script, statement, case.parameters)

    def pgbench(self, case, clients):
        self._progress(f"PostgreSQL: {case.title.lower()}, {clients} connections, pgbench")
        return Round(pgbench.run(self.cluster, self._scripts[case.key], clients, self.seconds))

    def http(self, case, node, clients, seconds=None):
        self._progress(f"PostgreSQL: {case.title.lower()}, {clients} connections, Taskhold")
        environment = {"TOKENS": self.cluster.tokens, "TASKS_EACH": str(pgcluster.TASKS_EACH)}
        if case.body:
            environment["BODY"] = json.dumps(case.body)
        before = [procs.cpu_by_process(pid) for pid in (node.pid, self.cluster.pid)]
        counts = load.run_wrk(node, "spread.lua", "/", clients, seconds or self.seconds, environment)
        spent = [procs.cpu_since(pid, then) * 1e6 for pid, then in zip((node.pid, self.cluster.pid), before)]
        if counts["refused"] or counts["broken"] or not counts["requests"]:
            raise procs.Failed(f"PostgreSQL, {case.key}: {counts}")
        return Round(counts["requests"] * 1e6 / counts["duration"], counts["p50"], counts["p99"],
                     spent[0] / counts["requests"], spent[1] / counts["requests"]), counts["requests"]

    def flights(self, case, clients):
        """A node of its own: when it has ended, PostgreSQL has counted all that it did."""
        before = self._counted()
        with contextlib.ExitStack() as stack:
            metrics = client.free_port()
            node = stack.enter_context(self.cluster.node(METRICS_ADDR=f"{client.HOST}:{metrics}"))
            _, asked = self.http(case, node, clients, seconds=1)
            text = client.call(metrics, "GET", "/metrics", expect=200).body.decode()
        after = self._counted()
        seen, scans, commits, syncs = (now - then for now, then in zip(after, before))
        batches = {name: int(value) for name, value in BATCH.findall(text)}
        flushed = scans / commits if case is READ else batches["sum"] / batches["count"]
        return Flights(asked, seen, flushed, asked / max(1, syncs))

    def _counted(self):
        """Reads of tasks by their key, those and checks of sessions, transactions, flushes of the log."""
        self.cluster.wait_until_left()
        return [int(value) for value in self.cluster.rows(f"""
            SELECT sum(idx_scan) FILTER (WHERE indexrelname = 'tasks_pkey'), sum(idx_scan),
                (SELECT xact_commit FROM pg_stat_database WHERE datname = '{pgcluster.DATABASE}'),
                (SELECT wal_sync FROM pg_stat_wal)
            FROM pg_stat_user_indexes WHERE indexrelname IN ('tasks_pkey', 'sessions_pkey', 'sessions_by_id')""")[0]]

    def compare(self, case, node):
        """All numbers of clients; gives ({clients: pairs}, the rate of pgbench with as many as the pool)."""
        taken, pool = {}, []
        for clients in CLIENTS:
            taken[clients] = pairs.alternate(TAKEN, lambda: self.pgbench(case, clients),
                                             lambda: self.http(case, node, clients)[0])
            pool.append(self.pgbench(case, POOL).rate)
        return taken, statistics.median(pool)

    def rows(self, case, taken):
        """No other node may live."""
        return [Row(clients, each, self.flights(case, clients)) for clients, each in taken.items()]


def row_of(rows, clients=MAIN):
    return next(row for row in rows if row.clients == clients)


def check(case, rows, pool):
    main = row_of(rows)
    theirs, ours = pairs.medians(main.taken, "rate")
    others = ", ".join(f"{row.ratio:.2f} with {row.clients}" for row in rows if row is not main)
    return Check(f"{case.title} on PostgreSQL, {MAIN} clients, against pgbench with {MAIN} connections",
                 f"at least {LEAST} of its transactions/s",
                 f"{main.ratio:.2f} ({ours:,.0f}/s of {theirs:,.0f}/s; {others}; "
                 f"{ours / pool:.2f} of pgbench with {POOL} connections)", main.ratio >= LEAST)


def table(case, rows, text=""):
    def line(row):
        theirs, ours = pairs.medians(row.taken, "rate")
        return (str(row.clients), f"{ours:,.0f}", f"{theirs:,.0f}", f"{row.ratio:.2f}",
                microseconds(row.median("p50")), microseconds(row.median("p99")),
                f"{row.median('node'):.1f} µs", f"{row.median('database'):.1f} µs", f"{row.flights.flushed:.1f}")
    return Table(f"{case.title} on PostgreSQL", text,
                 ("clients", "requests/s", "pgbench, transactions/s", "ratio", "p50", "p99", "CPU a request, node",
                  "PostgreSQL", "operations a flush"), tuple(line(row) for row in rows))


def sizes(cluster):
    """Bytes on the disk of a task with its row of the journal, and of a user with a session and a space, keys and all."""
    size = "pg_total_relation_size('{}')"
    tasks = cluster.number(f"SELECT ({size.format('tasks')} + {size.format('journal')}) / (SELECT count(*) FROM tasks)")
    users = cluster.number(f"SELECT ({size.format('users')} + {size.format('spaces')} + {size.format('sessions')})"
                           " / (SELECT count(*) FROM users)")
    return tasks, users


def costs(reads, creates, task_bytes, user_bytes, connections):
    read, create = row_of(reads), row_of(creates)
    return [
        Cost("read_node", read.median("node")), Cost("read_database", read.median("database")),
        Cost("create_node", create.median("node")), Cost("create_database", create.median("database")),
        Cost("task_bytes", task_bytes), Cost("user_bytes", user_bytes), Cost("connections", connections),
        Cost("creates_a_sync", create.flights.synced),
    ]


def cost_table(found):
    value = {cost.key: cost.value for cost in found}
    return Table("What a request costs on PostgreSQL", f"With {MAIN} clients.", ("what", "how much"), (
        ("CPU of a read, node and PostgreSQL", f"{value['read_node']:.1f} µs, {value['read_database']:.1f} µs"),
        ("CPU of a create, node and PostgreSQL", f"{value['create_node']:.1f} µs, {value['create_database']:.1f} µs"),
        ("creates for each flush of PostgreSQL's log to the disk", f"{value['creates_a_sync']:.1f}"),
        ("connections of a node with one loop", f"{value['connections']:.0f}"),
        ("disk of a task, with its keys", f"{value['task_bytes']:,.0f} bytes"),
        ("disk of a user with one session, with their keys", f"{value['user_bytes']:,.0f} bytes"),
    ))


def section(folder, binary, options):
    options.progress(f"PostgreSQL: a server with {pgcluster.TASKS:,} tasks")
    with pgcluster.Cluster(os.path.join(folder, "postgres"), binary) as cluster:
        bench = Bench(cluster, options)
        task_bytes, user_bytes = sizes(cluster)
        with cluster.node() as node:
            bench.take_statements(node)
            reads, read_pool = bench.compare(READ, node)
            creates, create_pool = bench.compare(CREATE, node)
            connections = cluster.connections()
        reads, creates = bench.rows(READ, reads), bench.rows(CREATE, creates)
    flights = [row.flights for row in reads]
    text = TEXT.format(tasks=pgcluster.TASKS, users=pgcluster.USERS, pool=POOL, pairs=TAKEN, seconds=bench.seconds,
                       asked=sum(each.asked for each in flights), seen=sum(each.seen for each in flights),
                       read_pool=read_pool, create_pool=create_pool)
    found = costs(reads, creates, task_bytes, user_bytes, connections)
    return [check(READ, reads, read_pool), check(CREATE, creates, create_pool), table(READ, reads, text), table(CREATE, creates),
            cost_table(found), *found]
