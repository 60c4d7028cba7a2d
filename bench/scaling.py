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


def row(name, loads, value):
    return (name, *(value(load) for load in loads))


def sqlite_rows(cost, loads):
    """One binary on one machine."""
    return [
        row("**SQLite**: cores, hashing of passwords included", loads, lambda load: number(
            load.cores(cost["sqlite_read"], cost["sqlite_create"], cost["login"]))),
        row("busiest writes/s, as a share of what one writer did on one core", loads,
            lambda load: f"{load.writes / cost['sqlite_creates']:.1%}"),
        row("disk for tasks", loads, lambda load: size(load.users * TASKS_A_USER * cost["sqlite_task_bytes"])),
    ]


def postgres_rows(cost, loads):
    node_cores = {load.users: load.cores(cost["read_node"], cost["create_node"], cost["login"]) for load in loads}
    nodes = {users: max(2, up(cores / CORES_A_NODE)) for users, cores in node_cores.items()}
    database = {load.users: load.cores(cost["read_database"], cost["create_database"]) for load in loads}
    a_loop, a_node = cost["connections"] - 1, 1
    return [
        row("**PostgreSQL**: cores of nodes, hashing included", loads, lambda load: number(node_cores[load.users])),
        row(f"nodes of {CORES_A_NODE} cores, at least two", loads, lambda load: f"{nodes[load.users]:,}"),
        row("connections, pool as it is by default", loads,
            lambda load: f"{nodes[load.users] * (CORES_A_NODE * a_loop + a_node):,.0f}"),
        row("cores of the database", loads, lambda load: number(database[load.users])),
        row(f"primaries of {CORES_A_PRIMARY} cores", loads,
            lambda load: f"{up(database[load.users] / CORES_A_PRIMARY):,}"),
        row("flushes to the disk a second, when as many writes share one as were measured", loads,
            lambda load: number(load.writes / cost["creates_a_sync"])),
        row("disk for tasks and users", loads, lambda load: size(
            load.users * (TASKS_A_USER * cost["task_bytes"] + cost["user_bytes"]))),
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
    lines = [
        row("requests/s, mean", loads, lambda load: number(load.mean)),
        row("requests/s, busiest", loads, lambda load: number(load.peak)),
        row("writes/s, busiest", loads, lambda load: number(load.writes)),
        row("logins/s, busiest", loads, lambda load: number(load.logins)),
        *sqlite_rows(cost, loads), *postgres_rows(cost, loads),
    ]
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
