# SPDX-License-Identifier: MIT
"""What filters and orders make of dates and instants in a zone, against the model of the queries: values of tasks
and moments where days begin and clocks change, in every zone of the system.

DAYS_SEED repeats a run, and TASKHOLD_BUILD says which build is tested."""
import datetime
import os
import pathlib
import random
import subprocess

import moments
import pytest
import queries

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("TASKHOLD_BUILD", "build/asan") / "tests/unit/print_days"
SEED = int(os.environ.get("DAYS_SEED", random.randrange(2**32)))
CASES = 20000
HOUR_MS = 3600 * 1000
LAST_DAY = moments.LAST_MS // moments.DAY_MS
# Midnights that are skipped or come twice, and a day that is not there.
ODD = ["America/Sao_Paulo", "America/St_Johns", "America/Havana", "Pacific/Apia", "Pacific/Kwajalein"]
BESIDE = [-HOUR_MS, -1, 0, 0, 1, HOUR_MS]

pytestmark = pytest.mark.skipif("Europe/Berlin" not in moments.zone_names(), reason="no tzdata on this machine")


def as_date(day: int) -> datetime.date:
    return datetime.date.fromordinal(moments.EPOCH + day)


def day_near_change(chance, zone: str) -> int:
    """Where the zone's offset changes next, if it does within half a year."""
    since = chance.randrange(70 * 365) * moments.DAY
    changed = next(moments.changes(zone, since, since + 200 * moments.DAY), since)
    return changed // moments.DAY


def make_case(chance, zones: list) -> tuple:
    zone = chance.choice(chance.choice([zones, zones, ODD]))
    day = day_near_change(chance, zone) if chance.random() < 0.3 else chance.randrange(chance.choice([25000, LAST_DAY]))
    day = min(max(day + chance.choice([-1, 0, 0, 1]), 3), LAST_DAY - 3)
    begin = moments.day_begin(zone, as_date(day))
    moment = begin + chance.choice([*BESIDE, chance.randrange(moments.DAY_MS)])
    if chance.random() < 0.5:
        return zone, as_date(day + chance.choice([-1, 0, 0, 1])), moment
    return zone, moment + chance.choice([*BESIDE, -moments.DAY_MS, moments.DAY_MS]), moment


def line_of(zone: str, value, moment: int) -> str:
    if isinstance(value, datetime.date):
        return f"{zone} date {value.toordinal() - moments.EPOCH} {moment}\n"
    return f"{zone} instant {value} {moment}\n"


def expected(zone: str, value, moment: int) -> str:
    before = [int(queries.is_before(name, value, moment, zone)) for name in ("due", "start")]
    places = [queries.place_of(name, value, zone) for name in ("due", "start")]
    today = moments.today(zone, moment).toordinal() - moments.EPOCH
    return " ".join(map(str, [*before, *places, today]))


def test_dates_and_instants_in_every_zone():
    print(f"\nseed {SEED}: DAYS_SEED={SEED} repeats it")
    chance = random.Random(SEED)
    zones = sorted(moments.zone_names())
    cases = [make_case(chance, zones) for _ in range(CASES)]
    lines = "".join(line_of(*case) for case in cases)
    done = subprocess.run([PROGRAM], input=lines, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    pairs = zip(cases, done.stdout.splitlines(), strict=True)
    wrong = [(case, line, expected(*case)) for case, line in pairs if line != expected(*case)]
    print(f"{len(cases)} dates and instants in {len({zone for zone, _, _ in cases})} zones, {len(wrong)} differ")
    assert not wrong, wrong[:5]
