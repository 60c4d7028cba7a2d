# SPDX-License-Identifier: MIT
"""What very many tasks cost: a list of them, and their bytes on the disk."""
import os
import sqlite3

import fill
import load
import pgcluster
import procs
import servers
from check import Check

LIST_TASKS, LISTS_LEAST = 100_000, 30_000
LIST_PATH = "/v1/tasks?limit=20&include=total"
USERS, TASKS_EACH = 1_000, 100
TITLE = "Water the plants on the balcony, those by the door first, and the herbs. 1234567"
SQLITE_MOST, POSTGRES_MOST = 240, 430
TABLES = ("tasks", "spaces", "journal")


def lists(folder, binary, options):
    """The first page with the total, and pages that were not asked before."""
    options.progress(f"Lists: 20 of {LIST_TASKS:,} with the total")
    server = servers.start_taskhold(os.path.join(folder, "total"), binary, THREADS="1")
    try:
        token = servers.register(server, "ann")
        made = fill.create(server.port, token, LIST_TASKS, options.fill_seconds)
        paths = servers.write_paths(server, servers.pages(server, token, 20, "limit=20&include=total"))
        taken = []
        for script, path in (("static.lua", LIST_PATH), ("paths.lua", "/")):
            environment = {"METHOD": "GET", "TOKEN": token, "PATHS": paths}
            load.run_wrk(server, script, path, 64, 1, environment)
            taken.append(load.run_wrk(server, script, path, 64, options.pair_seconds, environment))
    finally:
        server.stop()
    rates = [counts["requests"] * 1e6 / counts["duration"] for counts in taken]
    refused = sum(counts["refused"] + counts["broken"] for counts in taken)
    return [Check(f"List 20 of {made:,} with the total, 64 connections", f"at least {LISTS_LEAST:,}/s, none refused",
                  f"{rates[0]:,.0f}/s, {rates[1]:,.0f}/s of {servers.PAGES:,} pages in turn, {refused} refused",
                  min(rates) >= LISTS_LEAST and not refused and made >= LIST_TASKS)]


def make(server, options):
    """The users and their tasks, made in turn, as they are in life."""
    tokens = [servers.register(server, f"user{number}") for number in range(USERS)]
    made = fill.create(server.port, tokens, USERS * TASKS_EACH, options.fill_seconds, [{"title": TITLE}])
    if made < USERS * TASKS_EACH:
        raise procs.Failed(f"only {made:,} tasks were made")
    return made


def sqlite_bytes(path):
    """Of the pages of the tables and of their indexes, by name."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        return dict(db.execute("SELECT s.tbl_name, sum(d.pgsize) FROM dbstat d JOIN sqlite_schema s ON s.name = d.name "
                               "GROUP BY s.tbl_name"))


def told(sizes, made):
    sizes = {table: sizes[table] / made for table in TABLES if table in sizes}
    return sum(sizes.values()), ", ".join(f"{table} {size:.0f}" for table, size in sizes.items())


def bytes_check(engine, sizes, made, most):
    each, parts = told(sizes, made)
    return Check(f"A task of {len(TITLE)} characters on {engine}, {USERS:,} users with {TASKS_EACH} each, journal and space "
                 "included", f"at most {most} bytes", f"{each:.0f} bytes ({parts})", each <= most)


def on_sqlite(folder, binary, options):
    options.progress(f"Bytes a task: {USERS:,} users on SQLite")
    server = servers.start_taskhold(os.path.join(folder, "size"), binary)
    try:
        made = make(server, options)
    finally:
        server.stop(seconds=60)
    return bytes_check("SQLite", sqlite_bytes(server.file("taskhold.db")), made, SQLITE_MOST)


def on_postgres(folder, binary, options):
    options.progress(f"Bytes a task: {USERS:,} users on PostgreSQL")
    with pgcluster.Cluster(os.path.join(folder, "size-postgres"), binary, filled=False) as cluster:
        with cluster.node() as node:
            made = make(node, options)
        return bytes_check("PostgreSQL", cluster.table_bytes(), made, POSTGRES_MOST)


def size(folder, binary, options):
    return [on_sqlite(folder, binary, options), on_postgres(folder, binary, options)]
