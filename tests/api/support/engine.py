# SPDX-License-Identifier: MIT
"""Which engine the tests run on: SQLite, or the PostgreSQL server that tests/with-postgres started."""
import hashlib
import os
import sqlite3

from . import cluster

SERVER = os.environ.get("TASKHOLD_TEST_POSTGRES")
PREPARED = os.environ.get("TASKHOLD_TEST_PREPARED", "on")  # off: SERVER is a pooler


def is_postgres():
    """Do the tests run on PostgreSQL?"""
    return bool(SERVER)


def _name(directory):
    return "api_" + hashlib.sha256(str(directory).encode()).hexdigest()[:20]


def database_for(directory):
    """The settings that lead a server in `directory` to the database that goes with it; made when it is not there.

    None: the server's own default, a file in that folder.
    """
    if not is_postgres():
        return None
    name = _name(directory)
    there = cluster.query(SERVER, f"SELECT 1 FROM pg_database WHERE datname = '{name}'")
    if not there:
        cluster.query(SERVER, f"CREATE DATABASE {name}")
    return {"DATABASE_URL": f"{SERVER}/{name}", "DATABASE_PREPARED": PREPARED}


def drop_database_for(directory):
    """Removes it."""
    if is_postgres():
        cluster.query(SERVER, f"DROP DATABASE IF EXISTS {_name(directory)} WITH (FORCE)")


def run_sql(directory, sql):
    """Runs SQL, which both engines know, on the database of a server in `directory`, beside the server."""
    if is_postgres():
        cluster.query(SERVER, sql, _name(directory))
        return
    db = sqlite3.connect(directory / "data" / "taskhold.db", timeout=30)
    try:
        with db:
            db.execute(sql)
    finally:
        db.close()
