# SPDX-License-Identifier: MIT
"""F24: nodes of two versions side by side, as far as one program can show it.

What is shown: nodes that start together migrate once; a program refuses a schema newer than its own, and one that runs
goes on under it; a change of the schema that adds something disturbs nobody. What is not: an older program that reads
rows which a newer one wrote, because there is one program here."""
import pathlib
import threading
import time

from checker import check
from ground import Hand, accounts, is_ready, more_acks, places
from load import Load
from support.client import Client
from support.server import run
from support.waiting import wait_until

LOCK = "x'7461736b686f6c64'::bigint"  # of the migrations; see migrate.c
MIGRATIONS = pathlib.Path(__file__).resolve().parents[3] / "src/store/postgres/migrations"
LATEST = len(list(MIGRATIONS.glob("*.sql")))
NEXT = "ALTER TABLE tasks ADD COLUMN extra text; UPDATE taskhold_schema SET version = version + 1;"


def version(ground):
    """Of the schema."""
    return ground.rows("SELECT version FROM taskhold_schema")[0]["version"]


def test_nodes_that_start_together_migrate_once(ground):
    started = []
    threads = [threading.Thread(target=lambda: started.append(ground.node())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(started) == 4
    assert len(ground.rows("SELECT version FROM taskhold_schema")) == 1
    user = accounts(started[0], 1)[0]
    for node in started:
        Client(node, user.token["access_token"]).post("/v1/tasks", {"title": "x"}).expect(201)


def test_a_node_waits_for_another_that_migrates(ground):
    hand, started = Hand(ground), []
    try:
        hand.type(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK});")
        wait_until(lambda: ground.rows("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"), 5, "the lock")
        thread = threading.Thread(target=lambda: started.append(ground.node()))
        thread.start()
        wait_until(lambda: ground.connections("wait_event = 'advisory'"), 5, "a node that waits")
        assert not started
        hand.type("COMMIT;")
        thread.join(10)
    finally:
        hand.close()
    assert len(started) == 1 and version(ground) == LATEST


def test_a_newer_schema_is_refused_and_who_runs_goes_on(ground, seed):
    node = ground.node()
    load = Load(accounts(node), places(node), 4, seed)
    probe = Client(node)
    with load:
        more_acks(load, 50)
        ground.cluster.psql(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); {NEXT} COMMIT;", ground.name)
        changed = time.monotonic()
        result = run("serve", "--port", "0", env={"DATABASE_URL": ground.url()}, cwd=node.directory)
        assert result.returncode not in (0, 78)
        for part in (f"schema {LATEST + 1}", f"up to {LATEST}", "newer program"):
            assert part in result.stderr
        more_acks(load, 100)
        # The keeper looks once a second.
        wait_until(lambda: time.monotonic() > changed + 1.5 and is_ready(probe), 5, "/readyz after the change")
    check(load.finish(), ground.rows).expect_clean()
    assert set(load.log.statuses()) <= {"200", "201", "204"}, load.log.statuses()


def test_a_change_of_the_schema_only_costs_time(ground, seed):
    """It waits for running transactions and holds others up until it is committed."""
    node = ground.node()
    load = Load(accounts(node), places(node), 8, seed)
    hand = Hand(ground)
    try:
        with load:
            more_acks(load, 50)
            hand.type(f"BEGIN; SELECT pg_advisory_xact_lock({LOCK}); {NEXT}")
            wait_until(lambda: ground.connections("wait_event_type = 'Lock'"), 5, "a request that waits")
            hand.type("COMMIT;")
            more_acks(load, 100)
    finally:
        hand.close()
    check(load.finish(), ground.rows).expect_clean()
    assert set(load.log.statuses()) <= {"200", "201", "204"}, load.log.statuses()
