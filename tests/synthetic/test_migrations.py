# SPDX-License-Identifier: MIT
"""The migration that makes one more resource proves the runner; and its lines are checked as those of tasks."""
import contextlib
import os
import pathlib
import sqlite3
import subprocess

import pytest
from support import cluster, engine
from support.accounts import PASSWORD, User
from support.client import Client
from support.commands import refused, taskhold
from support.paths import binary
from support.server import Server, environment

from resources import RESOURCES, SAMPLES, TASKS

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ROOT / "build/asan/taskhold"  # knows all but the last schema
LATEST = len(list((ROOT / "src/store/sqlite/migrations").glob("*.sql")))


def product(directory, *args, env=None):
    """Runs the program as it is sold."""
    return subprocess.run([PRODUCT, *args], env=environment({**(engine.database_for(directory) or {}), **(env or {})}), cwd=directory,
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=60, check=False)


@contextlib.contextmanager
def serving(directory, env=None, program=None):
    """A server on the database of a folder."""
    kept = os.environ.get("TASKHOLD_BIN")
    if program:
        os.environ["TASKHOLD_BIN"] = str(program)
    try:
        server = Server(env, directory=directory)
        yield server
        server.stop()
    finally:
        if program:
            os.environ.pop("TASKHOLD_BIN", None)
            if kept:
                os.environ["TASKHOLD_BIN"] = kept


@pytest.fixture
def place(tmp_path):
    """A folder with a database of its own."""
    yield tmp_path
    engine.drop_database_for(tmp_path)


def fill(server):
    """An account with items of every resource; some changed, some deleted."""
    user = User(server)
    client = user.client
    client.checked = False
    for resource in RESOURCES:
        items = [client.post(resource.path, resource.whole(number)).expect(201).json for number in range(12)]
        for number, item in enumerate(items[:4]):
            client.patch(f"{resource.path}/{item['id']}", resource.whole(number + 1)).expect(200)
        client.delete(f"{resource.path}/{items[5]['id']}").expect(204)


def test_a_line_of_any_resource_is_checked(place):
    """What no client could have written is refused by line."""
    with serving(place) as server:
        fill(server)
    taskhold(place, "export", "one.jsonl", env=engine.database_for(place))
    lines = (place / "one.jsonl").read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith('{"type":"sample"'))
    for old, new in (('"amount":', '"amount":100000,"x":'), ('"size":"', '"size":"huge","x":"'), ('"owner":"', '"owner":"0","x":"')):
        assert old in lines[at]
        (place / "wrong.jsonl").write_text("\n".join([*lines[:at], lines[at].replace(old, new), *lines[at + 1:]]) + "\n", encoding="utf-8")
        empty = place / "empty"
        empty.mkdir(exist_ok=True)
        refused(taskhold(empty, "import", str(place / "wrong.jsonl"), env={"DATABASE_URL": f"sqlite:{empty}/x.db"}), f"line {at + 1}")


def test_one_more_migration(place):
    """A database of the product, with data, gets the table of one more; the product then refuses it."""
    with serving(place, program=PRODUCT) as server:
        user = User(server)
        task = user.task()
        with pytest.raises(AssertionError):
            user.client.copy().get(SAMPLES.path).expect(200)
    with serving(place) as server:
        client = Client(server, checked=False)
        client.token = client.post("/v1/auth/login", {"email": user.email, "password": PASSWORD}).expect(200).json["access_token"]
        assert client.get(f"{TASKS.path}/{task['id']}").expect(200).json == task
        assert client.get(SAMPLES.path).expect(200).json["items"] == []
        client.post(SAMPLES.path, SAMPLES.minimal()).expect(201)
    done = product(place, "migrate")
    assert done.returncode == 1 and f"schema {LATEST + 1}" in done.stderr and f"up to {LATEST}" in done.stderr, done
    assert product(place, "export", "x.jsonl").returncode == 1


def test_a_migration_that_fails_leaves_the_schema_before(place):
    """The table that the last script makes is there already: nothing of that script stays."""
    with serving(place, program=PRODUCT) as server:
        user = User(server)
        task = user.task()
    if engine.is_postgres():
        server, database = engine.database_for(place)["DATABASE_URL"].rsplit("/", 1)
        cluster.query(server, "CREATE TABLE samples (x int)", database)
        version = lambda: cluster.query(server, "SELECT version FROM taskhold_schema", database)  # noqa: E731
    else:
        path = place / "data/taskhold.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE samples (x)")
            database.commit()
        version = lambda: sqlite3.connect(path).execute("PRAGMA user_version").fetchone()[0]  # noqa: E731
    assert str(version()).strip() == str(LATEST)
    done = taskhold(place, "migrate", env=engine.database_for(place))
    assert done.returncode == 1 and f"schema change {LATEST + 1} failed" in done.stderr, done
    assert str(version()).strip() == str(LATEST)
    with serving(place, program=PRODUCT) as server:
        client = Client(server, checked=False)
        client.token = client.post("/v1/auth/login", {"email": user.email, "password": PASSWORD}).expect(200).json["access_token"]
        assert client.get(f"/v1/tasks/{task['id']}").expect(200).json == task


def test_the_binary_has_both_resources():
    """Its routes name them."""
    done = subprocess.run([str(binary()), "routes"], capture_output=True, encoding="utf-8", check=True)
    for resource in RESOURCES:
        assert done.stdout.count(f"{resource.path}") >= 6
