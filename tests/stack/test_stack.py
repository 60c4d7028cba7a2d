# SPDX-License-Identifier: MIT
"""HAProxy, two nodes, PgBouncer, Patroni, etcd: each fails once, or RUNS=… times."""
import json
import os

import pytest

import campaign
import walk
from checker import check
from ground import accounts, more_acks
from load import Load
from sums import table, total
from support.waiting import wait_until

RUNS = int(os.environ.get("RUNS", str(len(campaign.KINDS))))


def walk_failures(stack, folder, meanwhile):
    """The collection, walked through HAProxy while something is done."""
    if walk.missing():
        pytest.skip(walk.missing())
    before = len(stack.ground.rows("SELECT user_id FROM users"))
    one = walk.Walk(folder, f"http://127.0.0.1:{stack.front.by_token}")
    wait_until(lambda: len(stack.ground.rows("SELECT user_id FROM users")) > before, 60, "the walk's first account", 0.1)
    meanwhile()
    failures = one.failures(180)
    return failures, json.loads(one.report.read_text(encoding="utf-8"))["run"]["executions"]


def test_the_collection_sees_nothing_of_a_quorum_without_its_leader(stack, tmp_path):
    """Whoever works needs it for nothing. And all that the collection asks for passes through the whole stack."""
    failures, _ = walk_failures(stack, tmp_path, campaign.Faults(stack).lose_etcd)
    stack.heal()
    assert not failures, "\n".join(failures)


def test_the_collection_is_refused_and_never_misled_while_patroni_fails_over(stack, tmp_path):
    """What is refused is told so; what fails after it is what builds on it."""
    failures, executions = walk_failures(stack, tmp_path, campaign.Faults(stack).switch)
    stack.heal()
    answers = [(one["item"]["name"], one.get("response", {}).get("code"), any(
        checked.get("error") for checked in one.get("assertions", []))) for one in executions]
    assert not [one for one in answers if one[1] in (500, 502, 504)], answers
    failed = [one for one in answers if one[2]]
    assert not failed or failed[0][1] == 503, failed[0]
    print(f"\n{len(answers)} requests, {sum(code == 503 for _, code, _ in answers)} answered with 503, "
          f"{len(failures)} assertions failed of those and what builds on them")


def test_nothing_is_lost_and_nothing_doubled(stack, seed):
    sums = campaign.run(stack, RUNS, seed)
    everything = total(sums)
    print("\n" + table(sums, campaign.COLUMNS))
    assert not everything.faults()
    assert everything.is_good()
    assert everything.runs == RUNS and everything.acknowledged >= RUNS * campaign.AFTER
    assert RUNS < len(campaign.KINDS) or everything.promotions >= 3


def test_the_checker_sees_what_is_lost_where_no_commit_waits(stack, seed):
    """The control: where writes are lost, the runs that find none would have found them."""
    load = Load(accounts(stack.front, 2), stack.where, 4, seed)
    with load:
        more_acks(load, 20, 30)
        campaign.Faults(stack).lose_unreplicated(load)
        more_acks(load, 20, 30)
    stack.heal()
    assert check(load.finish(), stack.ground.rows).lost
