# SPDX-License-Identifier: MIT
"""Our time zones against Python's: every zone of the system, every change of an offset from 1970 to
2999, what the offset is a second before it and at it, what the wall clocks around it mean, and when
the days there begin."""
import datetime
import pathlib
import subprocess
import zoneinfo

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/asan/tests/unit/print_zones"
FOLDERS = [pathlib.Path(folder) for folder in zoneinfo.TZPATH if (pathlib.Path(folder) / "Etc/UTC").exists()]
UTC = datetime.timezone.utc
DAY = 86400
END = 32503680000  # 3000-01-01
RULES_BEGIN = 2147483648  # 2038: from here on the rules at the end of the files count
TABLES_END = 4102444800  # 2100: and no table goes on (that of Morocco, which follows the moon, does until 2087)
NO_ZONES = {"localtime", "posixrules", "Factory"}

pytestmark = pytest.mark.skipif(not FOLDERS, reason="no tzdata on this machine")


def names():
    """All that Python finds: files of the right format, without posix/ and right/."""
    return sorted(zoneinfo.available_timezones() - NO_ZONES)


def ask(asked):
    """What the program says of these zones: for each its lines, as lists of words."""
    lines = "".join(f"{name}\n" for name in asked)
    run = subprocess.run([PROGRAM, FOLDERS[0]], input=lines, capture_output=True, text=True, check=True)
    said = {}
    for line in run.stdout.splitlines():
        words = line.split()
        if words[0] in ("zone", "unknown"):
            said[words[1]] = lines = [] if words[0] == "zone" else None
        else:
            lines.append(words)
    return said


class Clock:
    """One zone as Python knows it, in seconds since 1970."""

    def __init__(self, name):
        self.zone = zoneinfo.ZoneInfo.no_cache(name)

    def offset(self, at):
        offset = datetime.datetime.fromtimestamp(at, self.zone).utcoffset()
        return offset.days * DAY + offset.seconds

    def meant(self, local):
        """The instant of a wall clock; with fold 0 Python does what RFC 5545 says."""
        shown = datetime.datetime.fromtimestamp(local, UTC).replace(tzinfo=self.zone, fold=0)
        return int(shown.timestamp())

    def begin(self, day, change):
        """The first instant of a day or a later one. Within an offset that is its midnight or the
        offset's own first instant, so it is one of these."""
        local = day * DAY
        offsets = {self.offset(change + DAY * days) for days in (-2, 0, 2)} | {self.offset(change - 1)}
        moments = [local - offset for offset in offsets] + [change]
        return min(at for at in moments if at + self.offset(at) >= local)

    def changes(self, has_rule):
        """Each time at which the offset becomes another, found by steps and then by halves. A zone
        without summer time at its end has no change after its table."""
        at, before = 0, self.offset(0)
        while at < END:
            step = DAY // 2 if at < RULES_BEGIN else 5 * DAY if has_rule or at < TABLES_END else END
            later = min(at + step, END)
            after = self.offset(later)
            if after != before:
                low, high = at, later
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if self.offset(middle) == before else (low, middle)
                if high < END:
                    yield high, before, self.offset(high)
                later, after = high, self.offset(high)
            at, before = later, after

    def expected(self, has_rule):
        """The lines that the program should print."""
        yield ["first", self.offset(0)]
        for change, before, after in self.changes(has_rule):
            day = (change - 1 + before) // DAY
            middle = change + before + int((after - before) / 2)
            locals_ = [change + before - 1, change + before, middle, change + after - 1, change + after]
            begins = [self.begin(day, change), self.begin(day + 1, change)]
            yield [change, before, after, *begins, *map(self.meant, locals_)]


def content(name):
    return (FOLDERS[0] / name).read_bytes()


def test_every_zone_is_as_python_has_it():
    said = ask(names())
    assert sorted(said) == names()
    checked = {}  # links have the same bytes, and then must have the same lines
    differences, lines = [], 0
    for name in names():
        data = content(name)
        if data not in checked:
            has_rule = b"," in data.rsplit(b"\n", 2)[-2]
            checked[data] = [[str(word) for word in line] for line in Clock(name).expected(has_rule)]
        if said[name] != checked[data]:
            wrong = [pair for pair in zip(said[name] or [], checked[data]) if pair[0] != pair[1]]
            differences.append((name, len(said[name] or []), len(checked[data]), wrong[:3]))
        lines += len(checked[data]) - 1
    print(f"{len(said)} zones, {lines} changes, {len(differences)} zones that differ")
    assert not differences, differences[:5]
    assert len(said) > 300


def test_other_names_are_unknown():
    """What else lies in the folder, and the names that are no zone's."""
    files = [str(path.relative_to(FOLDERS[0])) for path in FOLDERS[0].rglob("*") if " " not in str(path)]
    others = sorted((set(files) | NO_ZONES) - set(names()))
    said = ask(others)
    assert {name for name in others if said[name] is not None} == set()
