# SPDX-License-Identifier: MIT
"""F15: the database restarts under load."""
import time

import pytest

from checker import check
from ground import accounts, more_acks, places, seconds_to_first
from load import Load
from support.waiting import wait_until

LAWFUL = {"200", "201", "204", "503 unavailable", "503 outcome_unknown", "503 overloaded"}


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_restart_costs_503s_and_no_write(ground, seed, how):
    node = ground.node(DATABASE_TIMEOUT_MS="1500")
    load = Load(accounts(node), places(node), 8, seed)
    with load:
        more_acks(load, 100)
        ground.cluster.end(how)
        wait_until(load.log.refusals, 10, "a refusal")
        ground.cluster.start()
        recovery = seconds_to_first(load.log, time.monotonic(), 5, "a write after the restart")
        more_acks(load, 100)
    verdict = check(load.finish(), ground.rows).expect_clean()
    ground.expect_no_leak()
    assert verdict.acknowledged >= 200
    assert set(load.log.statuses()) <= LAWFUL, load.log.statuses()
    node.terminate()
    print(f"\n{how}: {verdict.acknowledged} acknowledged, {verdict.unknown} unknown, first write after {recovery:.2f} s")


def test_reads_and_readiness_come_back_unaided(ground):
    node = ground.node(DATABASE_TIMEOUT_MS="1500")
    user = accounts(node, 1)[0]
    task = user.task()
    ground.cluster.end("immediate")
    wait_until(lambda: node_answers(user, "/readyz") == 503, 5, "/readyz saying no")
    assert node_answers(user, f"/v1/tasks/{task['id']}") == 503
    assert node_answers(user, "/livez") == 200
    ground.cluster.start()
    wait_until(lambda: node_answers(user, "/readyz") == 200, 5, "/readyz saying yes")
    assert user.client.get(f"/v1/tasks/{task['id']}").expect(200).json == task


def node_answers(user, path):
    """The status of one GET."""
    return user.client.get(path).status
