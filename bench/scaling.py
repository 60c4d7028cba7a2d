# SPDX-License-Identifier: MIT
"""Reckons what so many users need, from what was measured, for docs/scaling.md."""
import re

from check import Cost, microseconds
from report import markdown_table, only

BLOCK = re.compile(r"(?<=<!-- costs:begin -->\n).*?(?=<!-- costs:end -->)", re.DOTALL)
USERS = (10_000, 1_000_000, 100_000_000)
DAY = 86_400
GIB = 1024 ** 3

# What is assumed, and not measured.
TASKS_A_USER = 200
REQUESTS_A_DAY = 100
WRITES = 0.2
LOGINS_A_DAY = 0.1
PEAK = 10
BUSY = 0.5
CORES_A_NODE = 4
CORES_A_PRIMARY = 16

ASSUMED = (
    ("tasks a user", f"{TASKS_A_USER}"),
    ("requests of a user a day", f"{REQUESTS_A_DAY}, of which {WRITES:.0%} write"),
    ("logins of a user a day", f"{LOGINS_A_DAY}"),
    ("the busiest second", f"{PEAK} times the mean"),
    ("cores at the busiest second", f"at most {BUSY:.0%} busy"),
    ("a node; a primary", f"{CORES_A_NODE} cores; {CORES_A_PRIMARY} cores"),
)


class Load:
    """What so many users ask, a second."""

    def __init__(self, users):
        self.users = users
        self.mean = users * REQUESTS_A_DAY / DAY
        self.peak = self.mean * PEAK
        self.writes = self.peak * WRITES
        self.reads = self.peak - self.writes
        self.logins = users * LOGINS_A_DAY / DAY * PEAK

    def cores(self, read, create, login=0.0):
        """For costs in microseconds."""
        return (self.reads * read + self.writes * create + self.logins * login) / 1e6 / BUSY


def up(value):
    return int(-(-value // 1))


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def size(value):
    return f"{number(value / GIB)} GiB" if value < 1024 * GIB else f"{number(value / GIB / 1024)} TiB"


class Needs:
    """What a load needs on either engine."""

    def __init__(self, cost, load):
        a_loop = cost["connections"] - 1
        self.sqlite_cores = load.cores(cost["sqlite_read"], cost["sqlite_create"], cost["login"])
        self.sqlite_writes = load.writes / cost["sqlite_creates"]
        self.sqlite_disk = load.users * TASKS_A_USER * cost["sqlite_task_bytes"]
        self.node_cores = load.cores(cost["read_node"], cost["create_node"], cost["login"])
        self.nodes = max(2, up(self.node_cores / CORES_A_NODE))
        self.connections = self.nodes * (CORES_A_NODE * a_loop + 1)
        self.database_cores = load.cores(cost["read_database"], cost["create_database"])
        self.primaries = up(self.database_cores / CORES_A_PRIMARY)
        self.flushes = load.writes / cost["creates_a_sync"]
        self.disk_time = self.flushes / self.primaries * cost["fsync"] / 1e6
        self.disk = load.users * (TASKS_A_USER * cost["task_bytes"] + cost["user_bytes"])

    def step(self):
        """The first that bears the load, on the machines that are assumed."""
        if self.sqlite_cores <= CORES_A_NODE and self.sqlite_writes <= BUSY:
            return "1"
        return "3, or 4" if self.primaries == 1 else "5"


def rows(loads, needs):
    def row(name, text, of=None):
        return (name, *(text(each) for each in of or needs))
    return [
        row("requests/s, mean", lambda load: number(load.mean), loads),
        row("requests/s, busiest", lambda load: number(load.peak), loads),
        row("writes/s, busiest", lambda load: number(load.writes), loads),
        row("logins/s, busiest", lambda load: number(load.logins), loads),
        row("**SQLite**: cores, hashing of passwords included", lambda need: number(need.sqlite_cores)),
        row("busiest writes/s, as a share of what one writer did on one core", lambda need: f"{need.sqlite_writes:,.1%}"),
        row("disk for tasks", lambda need: size(need.sqlite_disk)),
        row("**PostgreSQL**: cores of nodes, hashing included", lambda need: number(need.node_cores)),
        row(f"nodes of {CORES_A_NODE} cores, at least two", lambda need: f"{need.nodes:,}"),
        row("connections, with the pool as it is by default", lambda need: f"{need.connections:,.0f}"),
        row("cores of the database", lambda need: number(need.database_cores)),
        row(f"primaries of {CORES_A_PRIMARY} cores", lambda need: f"{need.primaries:,}"),
        row("flushes to disks a second, shared as they were when measured", lambda need: number(need.flushes)),
        row("time that each primary's disk is busy with them", lambda need: f"{need.disk_time:.1%}"),
        row("disk for tasks and users", lambda need: size(need.disk)),
        row("**the first step that bears it**", lambda need: need.step()),
    ]


def measured_rows(cost):
    return [
        ("a read on SQLite", f"{cost['sqlite_read']:.1f} µs of a core"),
        ("a create on SQLite", f"{cost['sqlite_create']:.1f} µs of a core; {cost['sqlite_creates']:,.0f}/s on one core"),
        ("a read on PostgreSQL",
         f"{cost['read_node']:.1f} µs in the node, {cost['read_database']:.1f} µs in PostgreSQL"),
        ("a create on PostgreSQL",
         f"{cost['create_node']:.1f} µs in the node, {cost['create_database']:.1f} µs in PostgreSQL; "
         f"{cost['creates_a_sync']:.0f} share a flush to the disk"),
        ("a login (Argon2id)", f"{microseconds(cost['login'])} of a core"),
        ("a task, with its keys",
         f"{cost['sqlite_task_bytes']:.0f} bytes in SQLite, {cost['task_bytes']:.0f} in PostgreSQL"),
        ("a user with one session", f"{cost['user_bytes']:.0f} bytes in PostgreSQL"),
        ("a flush to the disk", microseconds(cost["fsync"])),
        ("a node on PostgreSQL", f"{cost['connections'] - 1:.0f} connections a loop and 1 more"),
    ]


def compared(results):
    """The costs that the comparison of servers has measured."""
    found = []
    for case, key in (("read", "sqlite_read"), ("create", "sqlite_create"), ("login", "login")):
        if case in results:
            found.append(Cost(key, results[case]["taskhold"].cpu))
    if "create" in results:
        found.append(Cost("sqlite_creates", results["create"]["taskhold"].rate))
    return found


def block(cost):
    loads = [Load(users) for users in USERS]
    lines = rows(loads, [Needs(cost, load) for load in loads])
    return "\n\n".join((
        "Assumed:", markdown_table(("what", "how much"), ASSUMED),
        "Measured, on the machine of [benchmarks.md](benchmarks.md):",
        markdown_table(("what", "how much"), measured_rows(cost)),
        "Reckoned from these:",
        markdown_table(("users", *(f"{users:,}" for users in USERS)), lines, numbers=True))) + "\n"


def renewed(text, results, found):
    """The page with a new block. None when the run has not measured all that it needs."""
    cost = {each.key: each.value for each in compared(results) + only(Cost, found)}
    try:
        new = block(cost)
    except KeyError:
        return None
    return BLOCK.sub(lambda _: new, text)
