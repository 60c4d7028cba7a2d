# SPDX-License-Identifier: MIT
"""The proxy does what it is told: a test that cuts nothing proves nothing."""
import asyncio
import contextlib
import subprocess
import threading

import pytest

from background import Background
from proxy import BEFORE, BOTH, PLACES, TO_CLIENT, TO_SERVER
from support.cluster import SUPERUSER
from support.waiting import wait_until


@pytest.fixture(name="table")
def fixture_table(ground):
    """A database with one table."""
    ground.cluster.psql("CREATE TABLE notes (note text)", ground.name)
    return ground


def through(proxy, ground, sql, seconds=10):
    """Runs SQL through the proxy."""
    return subprocess.run(["psql", "-XqtA", "-v", "ON_ERROR_STOP=1", "-h", proxy.host, "-p", str(proxy.port), "-U",
                           SUPERUSER, "-d", ground.name], input=sql, capture_output=True, encoding="utf-8",
                          timeout=seconds, check=False)


@pytest.mark.parametrize("place", PLACES)
def test_a_cut_falls_where_it_was_ordered(proxy, table, place):
    proxy.cut(place)
    answer = through(proxy, table, f"BEGIN;\nINSERT INTO notes VALUES ('{place}');\nCOMMIT;\nSELECT 'alive';\n")
    assert answer.returncode == 2 and "alive" not in answer.stdout
    assert proxy.cuts == 1 and proxy.strays == 0
    if place == BEFORE:
        wait_until(lambda: not table.connections(), 5, "the end of the backend")
        assert table.rows("SELECT * FROM notes") == []
    else:
        wait_until(lambda: table.rows("SELECT * FROM notes") == [{"note": place}], 5, "the late COMMIT")
    assert through(proxy, table, "SELECT 'alive';\n").stdout == "alive\n", "only one was ordered"


def test_a_commit_without_its_begin_is_seen(proxy, table):
    assert through(proxy, table, "COMMIT;\n").returncode == 0, "PostgreSQL has become stricter"
    assert proxy.strays == 1


@pytest.mark.parametrize("directions", [(TO_SERVER,), (TO_CLIENT,), BOTH], ids=lambda one: " and ".join(one))
@pytest.mark.parametrize("fault", ["stall", "blackhole"])
def test_bytes_wait_or_are_lost(proxy, table, fault, directions):
    getattr(proxy, fault)(directions)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(through(proxy, table, "SELECT 'alive';\n")))
    thread.start()
    wait_until(lambda: proxy.count() == 1, 5, "the connection")
    thread.join(0.2)
    assert thread.is_alive()
    proxy.heal()
    thread.join(10)
    assert [one.returncode for one in answers] == [0 if fault == "stall" else 2]


def test_notifications_are_swallowed(proxy, table):
    sql = "LISTEN here;\nNOTIFY here, 'heard';\nSELECT 1;\n"
    assert "heard" in through(proxy, table, sql).stdout
    proxy.swallow_notifications()
    assert "heard" not in through(proxy, table, sql).stdout


def test_the_end_of_the_loop_ends_a_task_that_loses_a_cancellation():
    background = Background()

    async def start():
        begun = asyncio.Event()

        async def lose_one():
            with contextlib.suppress(asyncio.CancelledError):
                begun.set()
                await asyncio.Event().wait()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(lose_one())
        await begun.wait()
        return task

    task = background.call(start())
    background.close()
    assert task.cancelled() and not background.thread.is_alive()
