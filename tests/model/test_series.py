# SPDX-License-Identifier: MIT
"""Series of recurring tasks, completed early, in time or late, and skipped: their dates here, and by
python-dateutil and zoneinfo. The model here keeps the wall clock that the client wrote, and reads it in
the zone anew for each date; the program has nothing but the task.

SERIES_SEED repeats a run, SERIES_COUNT sets the number of series, and TASKHOLD_BUILD says which build is
tested."""
import datetime
import functools
import hashlib
import itertools
import os
import pathlib
import random
import subprocess
import uuid
import zoneinfo

import dateutil.rrule
import pytest
import rules
import test_recurrence

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / os.environ.get("TASKHOLD_BUILD", "build/asan") / "tests/unit/print_series"
SEED = int(os.environ.get("SERIES_SEED", random.randrange(2**32)))
COUNT = int(os.environ.get("SERIES_COUNT", 3000))
LISTED = 20
EVENTS = 12
YEARS = 45  # both look so far: dateutil looks at each interval of what never comes
UTC = datetime.timezone.utc
ONE_DAY = datetime.timedelta(days=1)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
MS = datetime.timedelta(milliseconds=1)

# With gaps of an hour, of half of one, of two, of a day, at midnight, in winter; and by the moon.
ZONES = """UTC Europe/Berlin America/New_York Australia/Lord_Howe Pacific/Apia America/Sao_Paulo Asia/Beirut
Africa/Cairo Europe/Dublin Pacific/Chatham America/St_Johns Africa/Casablanca Antarctica/Troll America/Havana
Asia/Tehran America/Santiago Atlantic/Azores Asia/Kathmandu""".split()
# Days around which clocks are changed.
CHANGES = [(2011, 12, 29), (2027, 3, 28), (2027, 3, 14), (2026, 10, 4), (2018, 11, 4), (2026, 10, 25), (2026, 11, 1),
           (2027, 4, 30), (2028, 3, 26), (2030, 3, 31), (2021, 3, 22), (2026, 9, 6), (2027, 2, 7), (2027, 4, 4)]


def ms_of(instant) -> int:
    return (instant - EPOCH) // MS


@functools.cache
def gaps(name: str) -> list:
    """The first wall clock of each gap of a zone from 2000 to 2036, and how long it is."""
    zone, found = zoneinfo.ZoneInfo(name), []
    day = datetime.datetime(2000, 1, 1, tzinfo=UTC)
    while day.year < 2037:
        low, high = day, day + ONE_DAY
        before, after = low.astimezone(zone).utcoffset(), high.astimezone(zone).utcoffset()
        while after > before and high - low > datetime.timedelta(seconds=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
        if after > before:
            found.append(((high + before).replace(tzinfo=None, microsecond=0), after - before))
        day += ONE_DAY
    return found


class Series:
    """A recurring task: the wall clock is a naive moment, or a date."""

    def __init__(self, chance):
        self.zone_name = chance.choice(ZONES)
        self.zone = zoneinfo.ZoneInfo(self.zone_name)
        self.anchor = chance.choice(["due", "due", "completion"])
        self.rule = rules.make_rule(chance)
        year, month, day = chance.choice(CHANGES)
        first = datetime.date(year, month, day) + ONE_DAY * chance.choice([*range(-4, 3), -31, -7, -14])
        timed = self.rule.hour is not None
        self.rule.start = first
        if timed:
            clock = datetime.time(chance.choice([0, 0, 1, 2, 2, 3, 9, 23]), chance.choice([0, 15, 30, 45, 59]))
            self.due = datetime.datetime.combine(first, clock)
        else:
            self.due = first
        if timed and gaps(self.zone_name) and chance.random() < 0.5:
            self.aim(chance)
            first = self.due.date()
        if self.rule.until:
            until = first + ONE_DAY * chance.randint(0, 30 * self.rule.interval)
            hour = f"T{chance.randrange(24):02}{chance.choice(['0000', '3000', '5959'])}Z"
            self.rule.until = f"{until:%Y%m%d}" + (hour if timed and chance.random() < 0.7 else "")
        self.start = self.shown(self.make_start(chance))
        self.due = self.shown(self.due)
        self.rule.start = self.day()
        self.moved = 0
        self.text = self.rule.text(chance)
        self.id = uuid.UUID(int=0)
        self.last = self.instant(self.due) if timed else None
        self.horizon = first.replace(day=1, year=first.year + YEARS)

    def aim(self, chance):
        """A rule that comes to a gap, and often to the day after it."""
        begin, length = chance.choice(gaps(self.zone_name))
        self.due = begin.replace(second=0) + length * chance.choice([0, 0.25, 0.5, 0.9])
        self.due -= ONE_DAY * chance.choice([1, 1, 2, 7, 14])
        self.rule = rules.Rule(self.due.date(), 0, "DAILY", count=chance.choice([None, None, 5]), until=chance.choice([None, None, None, "x"]))
        if self.rule.count:
            self.rule.until = None
        if chance.random() < 0.2:
            self.rule.freq, self.rule.by_day = "WEEKLY", [(0, weekday) for weekday in range(7) if chance.random() < 0.6]

    @property
    def timed(self) -> bool:
        return isinstance(self.due, datetime.datetime)

    def make_start(self, chance):
        """Before the due, at its own wall clock, or none."""
        if chance.random() < 0.4:
            return None
        day = self.rule.start - ONE_DAY * chance.choice([0, 1, 2, 7])
        if chance.random() < 0.5 or day == self.rule.start:
            return day
        return datetime.datetime.combine(day, datetime.time(chance.choice([0, 1, 2, 3]), chance.choice([0, 30])))

    def instant(self, wall):
        """A time that is skipped moves by the gap, of two the first is meant: fold is 0."""
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def shown(self, wall):
        """What a clock shows then: another time only where the zone skips this one."""
        return self.instant(wall).astimezone(self.zone).replace(tzinfo=None, fold=0) if isinstance(wall, datetime.datetime) else wall

    def days(self, start):
        """Of the rule, with that DTSTART, without COUNT and UNTIL."""
        rule = rules.Rule(**{**vars(self.rule), "start": start, "hour": None, "count": None, "until": None})
        if test_recurrence.differs(rule):
            return rules.days_by_rfc(rule, self.horizon)
        text = ";".join(f"{name}={value}" for name, value in rule.parts().items())
        rules.LIMIT.MAXYEAR = self.horizon.year
        begin = datetime.datetime.combine(start, datetime.time())
        return itertools.takewhile(lambda day: day <= self.horizon, (moment.date() for moment in dateutil.rrule.rrulestr(text, dtstart=begin)))

    def day(self):
        return self.due.date() if self.timed else self.due

    def moment(self, day):
        return datetime.datetime.combine(day, self.due.time()) if self.timed else day

    def has_ended(self, wall, count) -> bool:
        if count is not None and count <= 1:
            return True
        if not self.rule.until:
            return False
        if "T" in self.rule.until:
            until = datetime.datetime.strptime(self.rule.until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return self.instant(wall) > until
        until = datetime.datetime.strptime(self.rule.until, "%Y%m%d").date()
        return (self.instant(wall).astimezone(self.zone).date() if self.timed else wall) > until

    def find(self, start, allowed):
        """The first date of the rule after that day that is allowed; None: none before the horizon."""
        for day in self.days(start):
            if day > start and allowed(self.moment(day)):
                return self.moment(day)
        return None

    def after_due(self, now):
        """Not before now, or before today; `now` None: whenever."""
        def allowed(wall):
            if not self.timed:
                return now is None or wall >= now.astimezone(self.zone).date()
            return self.instant(wall) > self.last and (now is None or self.instant(wall) >= now)
        return self.find(self.day(), allowed)

    def listed(self) -> list:
        """The first dates, and whether the horizon ended them."""
        dates, count, kept = [], self.rule.count, (self.due, self.last)
        while len(dates) < LISTED:
            wall = self.after_due(None)
            if wall is None:
                break
            if self.has_ended(wall, count):
                self.due, self.last = kept
                return dates, False
            dates.append(self.show(wall))
            self.due, self.last = wall, self.instant(wall) if self.timed else None
            count = count and count - 1
        self.due, self.last = kept
        return dates, len(dates) < LISTED

    def show(self, wall) -> str:
        if wall is None:
            return "-"
        if not isinstance(wall, datetime.datetime):
            return f"{wall:%Y-%m-%d}"
        return f"{self.instant(wall):%Y-%m-%dT%H:%M:%S.000Z}"

    def take(self, skips, now, completed):
        """The event's outcome as the program prints it; None: the horizon is reached."""
        if skips or self.anchor == "due":
            wall = self.after_due(now)
        else:
            wall = self.find(completed.astimezone(self.zone).date(), lambda wall: True)
        if wall is None:
            return None
        if self.has_ended(wall, self.rule.count):
            return "end"
        days = self.moment(wall.date() if self.timed else wall) - self.moment(self.day())
        self.start = self.start and self.start + days
        self.due = wall
        self.last = self.instant(wall) if self.timed else None
        self.moved += self.shown(self.due) != self.due or self.shown(self.start) != self.start
        if self.rule.count:
            self.text = self.count_down()
            self.rule.count -= 1
        if not skips:
            self.id = next_id(self.id, self.show(wall))
        return f"{self.show(self.due)},{self.show(self.start)},{self.text},{self.id}"

    def count_down(self) -> str:
        parts = [part.split("=") for part in self.text.split(";")]
        return ";".join(f"{name}={self.rule.count - 1 if name.upper() == 'COUNT' else value}" for name, value in parts)


def next_id(old, due: str) -> uuid.UUID:
    digest = bytearray(hashlib.sha256(old.bytes + due.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(digest))


def make_events(series, chance):
    """Completions and skips around each due, and what comes of them."""
    events, outcomes = [], []
    for _ in range(EVENTS):
        due = series.last or datetime.datetime.combine(series.due, datetime.time(12), UTC)
        late = chance.choice([0, 0, 0, chance.uniform(-2, 2), chance.uniform(-30, 3), chance.uniform(0, 90)])
        now = EPOCH + MS * ms_of(due + ONE_DAY * late)
        completed = now - ONE_DAY * chance.choice([0, 0, 0, 1, 5])
        skips = chance.random() < 0.3
        outcome = series.take(skips, now, completed)
        if outcome is None:
            break
        events.append(f"s,{ms_of(now)}" if skips else f"c,{ms_of(now)},{ms_of(completed)}")
        outcomes.append(outcome)
        if outcome == "end":
            break
    return events, outcomes


@pytest.mark.skipif(not zoneinfo.TZPATH, reason="no tzdata on this machine")
def test_series_are_those_of_dateutil_and_zoneinfo():
    chance = random.Random(SEED)
    print(f"\nseed {SEED}: SERIES_SEED={SEED} repeats it")
    lines, expected, moved = [], [], 0
    for _ in range(COUNT):
        series = Series(chance)
        head = f"{series.zone_name} {series.anchor} {series.show(series.start)} {series.show(series.due)} {series.text}"
        dates, cut = series.listed()
        events, outcomes = make_events(series, chance)
        moved += series.moved
        lines.append(" ".join([head, *events]))
        expected.append((dates, cut, outcomes))
    done = subprocess.run([PROGRAM], input="".join(f"{line}\n" for line in lines), stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    compared = 0
    for line, answer, (dates, cut, outcomes) in zip(lines, answers, expected):
        listed, *rest = answer.split(" ")
        listed = [] if listed == "-" else listed.split(",")
        assert (listed[: len(dates)] if cut else listed) == dates, f"seed {SEED}: {line}"
        assert rest == outcomes, f"seed {SEED}: {line}"
        compared += len(dates) + len(outcomes)
    ends = sum(outcomes[-1:] == ["end"] for _, _, outcomes in expected)
    print(f"{COUNT} series, {compared} dates compared, {ends} series to their ends, {moved} times moved by a gap")
    assert ends > 0 and moved > 20 or COUNT < 1000
