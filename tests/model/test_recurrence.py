# SPDX-License-Identifier: MIT
"""Rules made by chance: their first days here, in python-dateutil, and as RFC 5545 has them.

RECURRENCE_SEED repeats a run, RECURRENCE_RULES sets their number, and TASKHOLD_BUILD says which
build is tested."""
import datetime
import multiprocessing
import os
import pathlib
import random
import subprocess
from collections import Counter

import pytest
import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("TASKHOLD_BUILD", "build/asan") / "tests/unit/print_occurrences"
SEED = int(os.environ.get("RECURRENCE_SEED", random.randrange(2**32)))
RULES = int(os.environ.get("RECURRENCE_RULES", 20000))
MOST = 50
AGAIN = 50  # one of so many rules is read by the RFC too, so that its reading here is tested as well

MIXED = "a BYDAY that mixes plain and numbered days is a union; dateutil takes the days that are both"
ABSENT = "a number in BYDAY that no month has never comes; dateutil fails with an IndexError"
WEEK = "the set of the first week for BYSETPOS is the whole week; dateutil's begins with the start"
COUNT = "COUNT counts the start; dateutil does so only where the rule has the start"


def differs(rule) -> str | None:
    """Why dateutil is no judge of the rule's days, if it is none."""
    numbered = [number for number, _ in rule.by_day if number]
    if numbered and len(numbered) < len(rule.by_day):
        return MIXED
    if any(abs(number) > 5 for number in numbered) and (rule.freq == "MONTHLY" or rule.by_month):
        return ABSENT
    if rule.freq == "WEEKLY" and rule.by_set_pos and rule.start.weekday() != (rule.week_start or 0):
        return WEEK
    return None


def days_here(made, chance) -> list:
    """What the program of the test says of all rules: the days, or what is wrong."""
    lines = "".join(f"{rule.due()} {rule.text(chance)}\n" for rule in made)
    done = subprocess.run([PROGRAM], input=lines, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(made)
    return answers


def as_dates(answer: str, rule) -> list:
    """Up to where the others look."""
    assert not answer.startswith("!"), answer
    days = [datetime.date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in answer.split()]
    return [day for day in days if day <= rules.horizon(rule)]


@pytest.fixture(scope="module", name="made")
def made_fixture():
    """Pairs of a rule and its days here."""
    chance = random.Random(SEED)
    print(f"\nseed {SEED}: RECURRENCE_SEED={SEED} repeats it")
    made = [rules.make_rule(chance) for _ in range(RULES)]
    return list(zip(made, days_here(made, chance)))


def judge(pair) -> tuple:
    """Why dateutil is no judge, how many days were compared, and what is wrong."""
    (rule, answer), again = pair
    here, reason = as_dates(answer, rule), differs(rule)
    judges = [rules.by_rfc] if reason else [rules.by_dateutil]
    if again and not reason:
        judges.append(rules.by_rfc)
    compared, wrong = 0, []
    for days in judges:
        expected = days(rule, MOST)
        compared += len(expected)
        if here != expected:
            wrong.append(f"{days.__name__}: {rule}: {here} is not {expected}")
    return reason, compared, wrong


def test_days_are_those_of_dateutil_and_of_the_rfc(made):
    """Each rule is judged by dateutil, or by the RFC's reading where the contract names a difference."""
    reasons, wrong, compared = Counter(), [], 0
    pairs = [(pair, i % AGAIN == 0) for i, pair in enumerate(made)]
    with multiprocessing.Pool(2) as pool:
        for reason, days, differences in pool.imap_unordered(judge, pairs, chunksize=100):
            reasons[reason] += 1
            compared += days
            wrong += differences
    print(f"{len(made)} rules, {compared} days compared, {sum(1 for _, answer in made if not answer)} rules without a next day")
    for reason, number in reasons.items():
        print(f"{number} judged by {'the RFC: ' + reason if reason else 'dateutil'}")
    assert not wrong, f"seed {SEED}: {len(wrong)} differ; the first: {wrong[0]}"


@pytest.mark.parametrize("reason", [MIXED, ABSENT, WEEK])
def test_each_difference_is_one(made, reason):
    """A difference that has gone, as dateutil changes, is to be taken off the list."""
    named = [rule for rule, _ in made if differs(rule) == reason]
    assert len(named) >= 20 or RULES < 20000
    assert any(not agrees(rule) for rule in named) or RULES < 20000


def agrees(rule) -> bool:
    """Does dateutil read the rule as the RFC does?"""
    try:
        return rules.by_dateutil(rule, MOST) == rules.by_rfc(rule, MOST)
    except IndexError:
        return False


def test_count_counts_the_start(made):
    """dateutil's own count gives one day more where the rule does not have the start, else the same."""
    counted = [(rule, as_dates(answer, rule)) for rule, answer in made if rule.count and not differs(rule)]
    counted = counted[:: max(1, len(counted) // 300)]
    more = 0
    for rule, here in counted:
        has_start = next(rules.days_by_rfc(rule, rule.start), None) == rule.start
        days = rules.by_dateutil_with_count(rule, MOST)
        ours = days if has_start or len(days) < rule.count else days[: rule.count - 1]
        assert here == ours[:MOST], f"seed {SEED}: {rule}"
        more += ours != days
    print(f"{more} of {len(counted)} rules: {COUNT}")
    assert more > 0 or RULES < 20000
