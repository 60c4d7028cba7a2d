# SPDX-License-Identifier: MIT
"""Recurrence rules: made by chance, expanded by python-dateutil, and read as RFC 5545 has them."""
import calendar
import datetime
import itertools
import types
from dataclasses import dataclass, field

import dateutil.rrule

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ONE_DAY = datetime.timedelta(days=1)
FOUR_HUNDRED_YEARS = datetime.timedelta(days=146097)
LAST_YEAR = 2999

# dateutil goes on to this year; a test that lets it look for what never comes sets a nearer one.
LIMIT = types.SimpleNamespace(**vars(datetime))
dateutil.rrule.datetime = LIMIT


@dataclass
class Rule:
    """A rule in parts, and the due that it begins with. Lists are empty where a part is absent."""
    start: datetime.date
    hour: int | None  # of a due that is an instant
    freq: str
    interval: int = 1
    count: int | None = None
    until: str | None = None
    by_day: list = field(default_factory=list)  # pairs: number or 0, weekday from 0
    by_month_day: list = field(default_factory=list)
    by_month: list = field(default_factory=list)
    by_set_pos: list = field(default_factory=list)
    week_start: int | None = None

    def parts(self) -> dict:
        """Of the text, without COUNT and UNTIL."""
        days = [f"{number or ''}{WEEKDAYS[weekday]}" for number, weekday in self.by_day]
        parts = {"FREQ": self.freq}
        if self.interval != 1:
            parts["INTERVAL"] = str(self.interval)
        lists = {"BYDAY": days, "BYMONTHDAY": self.by_month_day, "BYMONTH": self.by_month, "BYSETPOS": self.by_set_pos}
        parts |= {name: ",".join(map(str, values)) for name, values in lists.items() if values}
        if self.week_start is not None:
            parts["WKST"] = WEEKDAYS[self.week_start]
        return parts

    def text(self, chance) -> str:
        """In any order, sometimes in small letters: our parser is tested along."""
        parts = self.parts()
        if self.count:
            parts["COUNT"] = str(self.count)
        if self.until:
            parts["UNTIL"] = self.until
        pairs = [f"{name}={value}" for name, value in parts.items()]
        chance.shuffle(pairs)
        text = ";".join(pairs)
        return text.lower() if chance.random() < 0.1 else text

    def due(self) -> str:
        """As the program of the test reads it."""
        return f"{self.start:%Y%m%d}" + ("" if self.hour is None else f"T{self.hour:02}")


# --- made by chance ------------------------------------------------------------------------------


def some(chance, values, most: int) -> list:
    """From 1 to `most` different ones, mostly few, in any order."""
    values = list(values)
    return chance.sample(values, min(len(values), 1 + int(most * chance.random() ** 3)))


def make_start(chance) -> datetime.date:
    """Mostly our time; often a day at which months, years and weeks differ."""
    year = chance.choice([chance.randint(1970, 2999), chance.randint(2000, 2100), chance.randint(2020, 2040)])
    edge = chance.random()
    if edge < 0.08:
        year = chance.choice([1972, 2000, 2024, 2028, 2096, 2396])
        return datetime.date(year, 2, 29)
    if edge < 0.16:
        return datetime.date(year, chance.choice([1, 3, 5, 7, 8, 10, 12]), 31)
    if edge < 0.24:
        return datetime.date(year, 12, 24) + ONE_DAY * chance.randint(0, 7)
    if edge < 0.28:
        return datetime.date(year, 1, chance.randint(1, 7))
    return datetime.date(year, 1, 1) + ONE_DAY * chance.randint(0, 364)


def make_interval(chance) -> int:
    """Mostly small."""
    return chance.choice([1] * 10 + [2, 2, 2, 3, 3, 4, 6, chance.randint(1, 20), chance.randint(1, 20), chance.randint(1, 1000)])


def make_by_day(chance, rule) -> list:
    """Numbers where FREQ allows them; a few that no month or year has."""
    weekdays = some(chance, range(7), 7) if chance.random() < 0.7 else chance.sample(range(7), chance.randint(2, 6))
    weekdays = [(0, weekday) for weekday in weekdays]
    if rule.freq in ("DAILY", "WEEKLY") or rule.by_month_day or chance.random() < 0.4:
        return weekdays
    most = 5 if rule.freq == "MONTHLY" or rule.by_month else 53
    most = 53 if chance.random() < 0.02 else most
    numbered = [(chance.choice([-1, 1]) * chance.randint(1, most), chance.randrange(7)) for _ in some(chance, range(6), 5)]
    return numbered + (weekdays if chance.random() < 0.2 else [])


def make_end(chance, rule) -> None:
    """COUNT, UNTIL, or neither."""
    kind = chance.random()
    if kind < 0.1:
        rule.count = chance.randint(1, 60)
    elif kind < 0.2:
        span = {"DAILY": 25, "WEEKLY": 300, "MONTHLY": 1500, "YEARLY": 10000}[rule.freq] * rule.interval
        last = datetime.date(LAST_YEAR, 12, 31)
        day = min(last, rule.start + ONE_DAY * min(chance.randint(0, span), (last - rule.start).days))
        rule.until = f"{day:%Y%m%d}"
        if rule.hour is not None and chance.random() < 0.7:
            rule.until += f"T{chance.choice([rule.hour, chance.randrange(24)]):02}0000Z"


def make_rule(chance) -> Rule:
    """Any that the parser has to accept."""
    freq = chance.choice(["DAILY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY", "YEARLY"])
    rule = Rule(make_start(chance), chance.choice([None, chance.randrange(24)]), freq, make_interval(chance))
    if freq != "WEEKLY" and chance.random() < 0.4:
        rule.by_month_day = some(chance, [*range(1, 32), *range(-31, 0)], 12)
    if chance.random() < 0.5:
        rule.by_day = make_by_day(chance, rule)
    if chance.random() < 0.3:
        rule.by_month = some(chance, range(1, 13), 12)
    if chance.random() < 0.3 and (rule.by_day or rule.by_month_day or rule.by_month):
        most = {"DAILY": 1, "WEEKLY": 4, "MONTHLY": 4, "YEARLY": 12}[freq]
        most = 366 if chance.random() < 0.03 else most
        rule.by_set_pos = some(chance, [*range(1, most + 1), *range(-most, 0)], 5)
    if chance.random() < 0.3:
        rule.week_start = chance.randrange(7)
    make_end(chance, rule)
    return rule


# --- the two readings ----------------------------------------------------------------------------


def horizon(rule) -> datetime.date:
    """Both are compared up to here: of what never comes the others look at each single interval."""
    years = {"DAILY": 20, "WEEKLY": 40, "MONTHLY": 80, "YEARLY": 250}[rule.freq] * rule.interval
    return datetime.date(min(LAST_YEAR, rule.start.year + years), 12, 31)


def after_start(days, start, most: int, until: datetime.date) -> list:
    """The first `most` after the start; they end where 400 years are empty."""
    kept = [start]
    for day in days:
        if day > until or len(kept) > most or day - kept[-1] > FOUR_HUNDRED_YEARS:
            break
        if day > start:
            kept.append(day)
    return kept[1 : most + 1]


def by_dateutil(rule, most: int) -> list:
    """Its dates after the start. COUNT counts the start, which it does only where the rule has it."""
    zone = datetime.timezone.utc if rule.hour is not None else None
    start = datetime.datetime.combine(rule.start, datetime.time(rule.hour or 0), zone)
    text = ";".join(f"{name}={value}" for name, value in rule.parts().items())
    if rule.until:
        # it knows no date beside an instant: the day's end is meant
        text += f";UNTIL={rule.until}" + ("T235959Z" if zone and "T" not in rule.until else "")
    LIMIT.MAXYEAR = horizon(rule).year
    days = (moment.date() for moment in dateutil.rrule.rrulestr(text, dtstart=start))
    return after_start(days, rule.start, min(most, (rule.count or most + 1) - 1), horizon(rule))


def by_dateutil_with_count(rule, most: int) -> list:
    """As dateutil counts."""
    start = datetime.datetime.combine(rule.start, datetime.time())
    text = ";".join(f"{name}={value}" for name, value in rule.parts().items())
    LIMIT.MAXYEAR = horizon(rule).year
    days = (moment.date() for moment in dateutil.rrule.rrulestr(f"{text};COUNT={rule.count}", dtstart=start))
    return after_start(days, rule.start, most, horizon(rule))


def is_numbered(number: int, place: int, length: int) -> bool:
    """A day that is the place-th of `length`: is it the number-th of its weekday, or from the end?"""
    return number in (0, (place - 1) // 7 + 1, -((length - place) // 7 + 1))


def has_day(rule, day) -> bool:
    """All BY parts but BYSETPOS, with what DTSTART gives where they leave the day open."""
    months = rule.by_month
    if rule.freq == "YEARLY" and not (months or rule.by_month_day or rule.by_day):
        months = [rule.start.month]
    if months and day.month not in months:
        return False
    if rule.by_month_day and not {day.day, day.day - month_length(day) - 1} & set(rule.by_month_day):
        return False
    if rule.by_day:
        numbers = [number for number, weekday in rule.by_day if weekday == day.weekday()]
        if not any(numbers):
            return bool(numbers)
        place, length = day.day, month_length(day)
        if rule.freq == "YEARLY" and not rule.by_month:
            place, length = day.timetuple().tm_yday, 365 + calendar.isleap(day.year)
        return any(is_numbered(number, place, length) for number in numbers)
    if rule.by_month_day or rule.freq == "DAILY":
        return True
    return day.weekday() == rule.start.weekday() if rule.freq == "WEEKLY" else day.day == rule.start.day


def month_length(day) -> int:
    """In days."""
    return calendar.monthrange(day.year, day.month)[1]


def intervals(rule):
    """First day and number of days of each interval, from that of the start on."""
    if rule.freq in ("DAILY", "WEEKLY"):
        length = 1 if rule.freq == "DAILY" else 7
        back = 0 if rule.freq == "DAILY" else (rule.start.weekday() - (rule.week_start or 0)) % 7
        first = rule.start.toordinal() - back
        for ordinal in itertools.count(first, length * rule.interval):
            yield ordinal, length
    elif rule.freq == "MONTHLY":
        for month in itertools.count(rule.start.year * 12 + rule.start.month - 1, rule.interval):
            first = datetime.date(month // 12, month % 12 + 1, 1)
            yield first.toordinal(), month_length(first)
    else:
        for year in itertools.count(rule.start.year, rule.interval):
            yield datetime.date(year, 1, 1).toordinal(), 366 if calendar.isleap(year) else 365


def days_by_rfc(rule, until: datetime.date):
    """Each interval's whole set, of it what BYSETPOS names, of that what is not before the start."""
    for first, length in intervals(rule):
        if first > until.toordinal():
            return
        days = (datetime.date.fromordinal(first + i) for i in range(length))
        chosen = [day for day in days if has_day(rule, day)]
        if rule.by_set_pos:
            wanted = {position - 1 if position > 0 else len(chosen) + position for position in rule.by_set_pos}
            chosen = [day for place, day in enumerate(chosen) if place in wanted]
        yield from (day for day in chosen if day >= rule.start)


def by_rfc(rule, most: int) -> list:
    """The reading of RFC 5545, 3.3.10, that the contract has, as slow as it is plain."""
    last = horizon(rule)
    if rule.until:
        until = datetime.datetime.strptime(rule.until[:8], "%Y%m%d").date()
        if "T" in rule.until and int(rule.until[9:11]) < rule.hour:
            until -= ONE_DAY
        last = min(last, until)
    return after_start(days_by_rfc(rule, last), rule.start, min(most, (rule.count or most + 1) - 1), last)
