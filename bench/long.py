# SPDX-License-Identifier: MIT
"""Lists of a user who has very many tasks: pages in the order of an index, and orders that have none."""
import itertools
import os

import fill
import load
import procs
import servers
from check import Table, microseconds

TASKS = 100_000
CONNECTIONS = (1, 64)
TEXT = f"""\
One user has {TASKS:,} tasks and asks for {servers.PAGES:,} different lists in turn, so that nearly every one is read anew.
Taskhold has one core, `wrk` another. "Told to wait" are answers 503 with `Retry-After`, and count in no rate: a list in an
order that has no index is read from all of a user's tasks, aside from what others ask, and only 32 of one user may wait.
"""


def orders():
    """Lists of 1 to 100 tasks that no index serves, each another one."""
    sorts = ("title", "-title", "updated_at", "-updated_at", "status", "-status")
    paths = [f"/v1/tasks?limit={limit}&sort={sort}{total}" for limit, total, sort in itertools.product(
        range(100, 0, -1), ("", "&include=total"), sorts)]
    return paths[:servers.PAGES]


def ask(server, paths, connections, seconds):
    counts = load.run_wrk(server, "paths.lua", "/", connections, seconds,
                          {"TOKEN": server.pager, "PATHS": servers.write_paths(server, paths)})
    if counts["broken"] or not counts["requests"]:
        raise procs.Failed(f"long lists: {counts['broken']} of {counts['requests']} requests broke")
    served = counts["requests"] - counts["refused"]
    return (f"{served * 1e6 / counts['duration']:,.0f}", f"{counts['refused'] / counts['requests']:.0%}",
            microseconds(counts["p50"]), microseconds(counts["p99"]))


def section(folder, binary, options):
    options.progress(f"Long lists: creating {TASKS:,} tasks")
    server = servers.start_taskhold(os.path.join(folder, "long"), binary)
    lines = []
    try:
        server.pager = servers.register(server, "dora")
        made = fill.create(server.port, server.pager, TASKS, options.fill_seconds)
        if made < TASKS:
            raise procs.Failed(f"only {made:,} tasks were created in {options.fill_seconds} s")
        pages = servers.pages(server, server.pager, 50)
        for title, paths in (("20 tasks, newest first", pages),
                             ("20 tasks, newest first, with the total", [path + "&include=total" for path in pages]),
                             ("1 to 100 tasks by title, status or last change", orders())):
            for connections in CONNECTIONS:
                options.progress(f"Long lists: {title}, {connections} connections")
                lines.append((title, str(connections), *ask(server, paths, connections, options.seconds)))
    finally:
        server.stop()
    return [Table(f"Lists of {TASKS:,} tasks", TEXT,
                  ("list", "connections", "answered/s", "told to wait", "p50", "p99"), tuple(lines))]
