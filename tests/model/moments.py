# SPDX-License-Identifier: MIT
"""Dates, instants and the days of a zone. An instant is a number of milliseconds since 1970, a date is a
datetime.date."""
import datetime
import functools
import re
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.date(1970, 1, 1).toordinal()
DAY = 86400
DAY_MS = DAY * 1000
LAST_MS = 32503680000 * 1000 - 1  # of 2999
NO_ZONES = {"localtime", "posixrules", "Factory"}
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
ONE_DAY = datetime.timedelta(days=1)


def read(text: str):
    """A date, or an instant with any offset, of the years 1970 to 2999; else ValueError."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        date = datetime.date.fromisoformat(text)
        if not 1970 <= date.year <= 2999:
            raise ValueError(text)
        return date
    parts = INSTANT.fullmatch(text)
    if not parts or parts[2].startswith("24"):
        raise ValueError(text)
    day, clock, fraction, offset = parts.groups()
    if offset in "Zz":
        offset = "+00:00"
    time = datetime.datetime.fromisoformat(f"{day}T{clock}{offset}")
    ms = int(time.timestamp()) * 1000 + int(((fraction or ".") + "000")[1:4])
    if not 0 <= ms <= LAST_MS:
        raise ValueError(text)
    return ms


def write(moment) -> str:
    if isinstance(moment, datetime.date):
        return moment.isoformat()
    seconds, ms = divmod(moment, 1000)
    return f"{datetime.datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03}Z"


@functools.cache
def zone_names() -> set:
    return (zoneinfo.available_timezones() | {"UTC"}) - NO_ZONES


@functools.cache
def zone(name: str):
    return UTC if name == "UTC" else zoneinfo.ZoneInfo(name)


def offset(name: str, seconds: int) -> int:
    """How far the zone is ahead of UTC at that time."""
    return int(datetime.datetime.fromtimestamp(seconds, zone(name)).utcoffset().total_seconds())


def changes(name: str, since: int, until: int, step: int = DAY // 4):
    """The times at which the offset becomes another one, found by steps and then by halves."""
    for low in range(since, until, step):
        high = low + step
        before = offset(name, low)
        if offset(name, high) == before:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(name, middle) == before else (low, middle)
        yield high


@functools.cache
def day_begin(name: str, date: datetime.date) -> int:
    """The first instant at which the zone's clock shows that date or a later one."""
    local = (date.toordinal() - EPOCH) * DAY
    since = local - 2 * DAY
    for until in [*changes(name, since, local + 2 * DAY), local + 3 * DAY]:
        begin = max(since, local - offset(name, since))
        if begin < until:
            return begin * 1000
        since = until
    raise AssertionError((name, date))


def day_end(name: str, date: datetime.date) -> int:
    """The first instant of the next day."""
    return day_begin(name, date + ONE_DAY)


def today(name: str, ms: int) -> datetime.date:
    """The latest day that has begun; a clock that is set back over midnight begins no day again."""
    date = datetime.datetime.fromtimestamp(ms // 1000, zone(name)).date() - ONE_DAY
    while day_end(name, date) <= ms:
        date += ONE_DAY
    return date
