# SPDX-License-Identifier: MIT
"""F16, F17, F21: the primary is lost and a standby takes its place; the order of hosts does not matter."""
import time

from checker import check
from ground import Ground, accounts, has_task, more_acks, places, seconds_to_first
from load import Load
from support.accounts import User
from support.client import Client
from support.cluster import SUPERUSER, Cluster, free_port
from support.waiting import wait_until


def test_nothing_acknowledged_is_lost_with_a_synchronous_standby(pair, seed):
    primary, standby = pair
    ground = Ground(primary)
    try:
        node = ground.node(primary, standby)
        load = Load(accounts(node), places(node), 8, seed)
        with load:
            more_acks(load, 100)
            primary.end("kill")
            standby.promote()
            recovery = seconds_to_first(load.log, time.monotonic(), 5, "a write after the promotion")
            more_acks(load, 100)
        ground.cluster = standby
        verdict = check(load.finish(), ground.rows).expect_clean()
        ground.expect_no_leak()
        assert "0" not in load.log.statuses(), "a node hung up on its clients"
        print(f"\n{verdict.acknowledged} acknowledged, {verdict.unknown} unknown, first write after {recovery:.2f} s")
    finally:
        ground.close()


def test_a_primary_that_was_replaced_and_lives_on_acknowledges_nothing(pair, seed):
    """Two servers that take writes: the old one waits for a standby that it has no more, until someone ends it."""
    primary, standby = pair
    ground = Ground(primary)
    try:
        node = ground.node(primary, standby, DATABASE_TIMEOUT_MS="600")
        load = Load(accounts(node), places(node), 4, seed)
        with load:
            more_acks(load, 50)
            standby.promote()
            replaced, refused = time.monotonic(), load.log.refusals()
            wait_until(lambda: load.log.refusals() > refused + 8, 10, "refusals")
            late = [one for one in load.log.operations if one.result == "ack" and one.start > replaced]
            assert not late, late[0]
            primary.end("kill")
            more_acks(load, 50)
        ground.cluster = standby
        check(load.finish(), ground.rows).expect_clean()
        assert "503 outcome_unknown" in load.log.statuses()
    finally:
        ground.close()


def follow_through(proxy, standby):
    """Has the standby follow its primary through the proxy."""
    standby.psql(f"ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port={proxy.port} user={SUPERUSER}'")
    standby.psql("SELECT pg_reload_conf()")
    wait_until(lambda: standby.psql("SELECT sender_port FROM pg_stat_wal_receiver WHERE status = 'streaming'").strip()
               == str(proxy.port), 10, "the standby behind the proxy")


def test_without_one_only_what_was_not_replicated_is_lost(proxies):
    primary = Cluster()
    standby = primary.standby()
    ground, proxy = Ground(primary), proxies(primary)
    try:
        follow_through(proxy, standby)
        user = User(ground.node(primary, standby))
        kept = [user.task(f"kept {i}")["id"] for i in range(20)]
        wait_until(lambda: has_task(standby, ground.name, *kept), 10, "the standby to follow")
        proxy.blackhole()
        tail = [user.task(f"tail {i}")["id"] for i in range(20)]
        primary.end("kill")
        proxy.heal()
        standby.promote()
        ground.cluster = standby
        there = [row["id"] for row in ground.rows("SELECT id FROM tasks ORDER BY revision")]
        assert there[:20] == kept, "lost what the standby had"
        assert there[20:] == tail[:len(there) - 20], "lost something in the middle"
        assert len(there) < 40, "nothing was lost: this shows nothing"
        wait_until(lambda: user.client.post("/v1/tasks", {"title": "after"}).status == 201, 5, "a write")
        revisions = [row["revision"] for row in ground.rows("SELECT revision FROM tasks ORDER BY revision")]
        assert revisions == list(range(1, len(there) + 2))
    finally:
        ground.close()
        standby.remove()
        primary.remove()


def test_the_checker_sees_such_a_loss(proxies, seed):
    """The control: where writes are lost, the tests that find none would have found them."""
    primary = Cluster()
    standby = primary.standby()
    ground, proxy = Ground(primary), proxies(primary)
    try:
        follow_through(proxy, standby)
        node = ground.node(primary, standby)
        load = Load(accounts(node), places(node), 4, seed)
        wait_until(lambda: standby.psql("SELECT count(*) FROM users", ground.name, check=False).stdout == "3\n", 10,
                   "the users at the standby")
        with load:
            more_acks(load, 20)
            proxy.blackhole()
            more_acks(load, 100)
        primary.end("kill")
        proxy.heal()
        standby.promote()
        ground.cluster = standby
        assert check(load.finish(), ground.rows).lost
    finally:
        ground.close()
        standby.remove()
        primary.remove()


def test_a_standby_that_stands_first_is_never_written_to(pair, seed):
    primary, standby = pair
    ground = Ground(primary)
    mine = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{ground.name}'"
    try:
        wait_until(lambda: standby.psql("SELECT 1", ground.name, check=False).returncode == 0, 10, "the database")
        wait_until(lambda: standby.psql(mine).strip() == "0", 5, "the end of that")
        node = ground.node(standby, primary)
        load = Load(accounts(node), places(node), 4, seed)
        with load:
            more_acks(load, 100)
            assert standby.psql(mine).strip() == "0", "a connection stays at the standby"
        check(load.finish(), ground.rows).expect_clean()
        assert set(load.log.statuses()) <= {"200", "201", "204"}, load.log.statuses()
    finally:
        ground.close()


def test_a_host_that_answers_and_hangs_up_does_not_hide_the_others(cluster, ground, proxies):
    """A proxy whose server is gone: libpq itself goes no further than that."""
    dead = proxies(cluster)
    dead.target = "127.0.0.1", free_port()
    node = ground.node(cluster, dead)
    user = User(node)
    user.task()
    dead_first = ground.node(dead, cluster)
    Client(dead_first, user.token["access_token"]).post("/v1/tasks", {"title": "x"}).expect(201)
