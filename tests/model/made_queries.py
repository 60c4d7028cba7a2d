# SPDX-License-Identifier: MIT
"""Spaces and queries made by chance, for the model in queries.py and for whatever is compared with it."""
import dataclasses
import datetime
import itertools
import random
import urllib.parse
import uuid

import moments
from queries import BOOLEANS, PRIORITIES, RANGED, SORTS, STATUSES, Space, Task, TaskList, User

LEVELS_MOST = 8
MINUTE = 60 * 1000
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Kiritimati"]
LABELS = ["home", "Home", "a,b", "50%", "a+b", "x/y", "über", "u\u0308ber", "two words", "日本", "[]", "&=#?", '"', "1"]
TITLES = ["Buy milk", "buy MILK", "Straße fegen", "STRASSE", "Ångström", "angstrom", "Σίσυφος", "σισυφοσ", "が", "か"]
TITLES += ["İstanbul", "istanbul", "e\u0301t\u00e9", "ete", "two  blanks", "two blanks", "50% of _all_", "Zebra", "1", "a"]
TEXTS = ["", "Über den\nZeilen", "milk,  bread\tand eggs", "ﬁn – Ende", '"quoted" words', "Дело ёлка", "한글", "\U0001f434 a horse"]
RULES = ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=YEARLY;INTERVAL=2"]
DAYS = [-500, -31, -7, -2, -1, 0, 0, 1, 2, 7, 31, 500]  # from now


@dataclasses.dataclass
class MadeSpace:
    space: Space
    gone: list  # tasks that others are blocked by, which have to be made and then deleted


class Maker:
    """One seed, one space. Parents, and what a task is blocked by, stand before it."""

    def __init__(self, chance: random.Random, now: int) -> None:
        self.chance = chance
        self.now = now
        self.zone = chance.choice(ZONES)
        self.tasks = []
        self.levels = {None: 0}

    def id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def moment(self):
        """About now, years away, or where a day begins in some zone. No instant is so near to now that the
        answer would change while the test runs."""
        date = moments.today(self.zone, self.now) + datetime.timedelta(days=self.chance.choice(DAYS))
        if self.chance.random() < 0.5:
            return date
        if self.chance.random() < 0.5:
            moment = moments.day_begin(self.chance.choice(ZONES), date) + self.chance.choice([-1, 0, 1])
        else:
            moment = self.now + self.chance.choice(DAYS) * moments.DAY_MS + self.chance.choice([-20, 20]) * MINUTE
        return moment if abs(moment - self.now) > 10 * MINUTE else moment + 60 * MINUTE

    def span(self, zone: str) -> dict:
        """A start that is not after the due."""
        due = self.moment() if self.chance.random() < 0.7 else None
        start = self.moment() if self.chance.random() < 0.4 else None
        if start is not None and due is not None and not in_order(start, due, zone):
            start = None
        return {"start": start, "due": due}

    def text(self) -> str | None:
        return self.chance.choice(TEXTS) or None

    def title(self) -> str:
        words = [self.chance.choice(TITLES) for _ in range(self.chance.choice([1, 1, 1, 2]))]
        return " ".join(words)

    def labels(self) -> tuple:
        count = self.chance.choice([0, 0, 0, 1, 1, 2, 4])
        return tuple(sorted(self.chance.sample(LABELS, count)))

    def finish(self, status: str) -> int | None:
        return self.now - self.chance.randrange(1000) * MINUTE if status == "completed" else None

    def task(self, lists: list, gone: list) -> Task:
        parent = None
        if self.tasks and self.chance.random() < 0.4:
            parent = self.chance.choice(self.tasks[-40:])
            parent = parent if self.levels[parent.id] < LEVELS_MOST else None
        others = [*self.tasks[-60:], *gone]
        blockers = self.chance.sample(others, min(len(others), self.chance.choice([0, 0, 0, 1, 2])))
        status = self.chance.choice([*STATUSES, "pending"])
        time_zone = self.chance.choice([None, None, *ZONES])
        span = self.span(time_zone or self.zone)
        recurs = span["due"] is not None and self.chance.random() < 0.2
        list_id = parent.list_id if parent else self.chance.choice([None, *(each.id for each in lists)])
        created = self.now - moments.DAY_MS + len(self.tasks) // 2 * 1000  # two at a time
        task = Task(
            id=self.id(),
            title=self.title(),
            description=self.text(),
            status=status,
            priority=self.chance.choice(PRIORITIES),
            list_id=list_id,
            parent_id=parent.id if parent else None,
            position=f"{len(self.tasks):06}",
            labels=self.labels(),
            time_zone=time_zone,
            recurrence=self.chance.choice(RULES) if recurs else None,
            blocked_by=tuple(other.id for other in blockers),
            created_at=created,
            updated_at=created + self.chance.choice([0, 0, 5 * MINUTE]),
            completed_at=self.finish(status),
            **span,
        )
        self.tasks.append(task)
        self.levels[task.id] = self.levels[task.parent_id] + 1
        return task


def in_order(start, due, zone: str) -> bool:
    """Whether a server takes them."""
    dates = [isinstance(moment, datetime.date) for moment in (start, due)]
    if all(dates) or not any(dates):
        return start <= due
    begin = moments.day_begin(zone, start) if dates[0] else start
    return begin <= due if dates[0] else begin < moments.day_end(zone, due)


def make_space(chance: random.Random, now: int, tasks: int = 300, lists: int = 5) -> MadeSpace:
    maker = Maker(chance, now)
    gone = [Task(id=maker.id(), title="Gone") for _ in range(3)]
    made = [TaskList(maker.id(), f"{place:06}", f"List {place}", place % 3 == 1) for place in range(lists)]
    for _ in range(tasks):
        maker.task(made, gone)
    return MadeSpace(Space(now, User(maker.zone), tuple(made), tuple(maker.tasks)), gone)


# ---- queries ----


def some(chance: random.Random, values: list, most: int = 3) -> list:
    values = sorted(set(values))
    return chance.sample(values, min(len(values), chance.randrange(most) + 1))


def moment_text(chance: random.Random, space: Space, member: str) -> str:
    """One that a task has, or one beside it; or a date. Instants are written with any offset."""
    known = [getattr(task, member) for task in space.tasks if getattr(task, member) is not None]
    moment = chance.choice(known or [space.now])
    if isinstance(moment, datetime.date) or chance.random() < 0.3:
        if not isinstance(moment, datetime.date):
            moment = moments.today(space.user.time_zone, moment)
        return moments.write(moment + datetime.timedelta(days=chance.choice([-1, 0, 0, 1])))
    moment += chance.choice([-1, 0, 0, 1])
    offset = chance.choice([0, 0, 60, -210, 345])
    text = moments.write(moment + offset * MINUTE)
    hours, minutes = divmod(abs(offset), 60)
    return text if not offset else f"{text[:-1]}{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def search_text(chance: random.Random, space: Space) -> str:
    """Parts of what a task holds, in other letters, or with quotes around them."""
    parts = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        task = chance.choice(space.tasks)
        text = chance.choice([task.title, task.title, task.description or "milk", *task.labels])
        begin = chance.randrange(len(text))
        part = text[begin : begin + chance.choice([1, 2, 3, 5, 9])]
        part = chance.choice([str, str.upper, str.lower, str.casefold])(part)
        part = part if chance.random() < 0.7 else f'"{part}"'
        parts.append(part)
    typed = chance.choice([" ", "  "]).join(parts)
    return typed if any(each.isalnum() for each in typed) else f"{typed} a"


def label_values(chance: random.Random, space: Space) -> list:
    carried = [label for task in space.tasks for label in task.labels]
    return some(chance, [*carried, "not there"], 2)


def values_for(chance: random.Random, space: Space, name: str) -> list:
    """What to ask for by that parameter."""
    if name in ("status", "priority"):
        return some(chance, STATUSES if name == "status" else PRIORITIES)
    if name in ("list", "parent"):
        known = space.lists if name == "list" else space.tasks
        ids = some(chance, [getattr(each, "parent_id", None) or each.id for each in known])
        ids = [chance.choice([str, str.upper])(each) for each in [*ids, str(uuid.UUID(int=1))]]
        return some(chance, [*ids, "inbox" if name == "list" else "none"])
    if name.startswith("label"):
        return label_values(chance, space)
    if name == "due":
        return [chance.choice(["none", "any"])]
    if name in BOOLEANS:
        return [chance.choice(["true", "false"])]
    if name == "q":
        return [search_text(chance, space)]
    member = name.split(".", maxsplit=1)[0]
    return [moment_text(chance, space, member if member in ("due", "start") else f"{member}_at")]


FILTERS = ["status", "priority", "list", "parent", "label", "label.all", "due", *BOOLEANS, "q"]
FILTERS += [f"{name}.{side}" for name in RANGED for side in ("from", "before")]
ONE_VALUE = {"due", *BOOLEANS, "q", *FILTERS[-2 * len(RANGED) :]}


def encode(chance: random.Random, value: str) -> str:
    """Percent-encoded as much as it has to be, or more; the `+` of an offset is left as it is by some clients."""
    if chance.random() < 0.5:
        return urllib.parse.quote(value, safe="")
    kept = ":+" if value.startswith(("1", "2")) and "T" in value else ":"
    text = urllib.parse.quote(value, safe=f"/?@!$'()*;{kept}")
    return text.replace("%20", "+")


def write_parameter(chance: random.Random, name: str, values: list) -> str:
    """With commas, repeated, or as `name[]`."""
    encoded = [encode(chance, value) for value in values]
    if name in ONE_VALUE or chance.random() < 0.5:
        comma = "," if name.startswith("label") or chance.random() < 0.7 else "%2C"
        return f"{name}={comma.join(encoded)}"
    shown = chance.choice([name, f"{name}[]", f"{name}%5B%5D"])
    return "&".join(f"{shown}={value}" for value in encoded)


def write_query(chance: random.Random, space: Space, filters: list, sorts: list) -> str:
    parts = [write_parameter(chance, name, values_for(chance, space, name)) for name in filters]
    if sorts:
        parts.append(write_parameter(chance, "sort", sorts))
    if chance.random() < 0.3:
        parts.append(f"time_zone={encode(chance, chance.choice(ZONES))}")
    if chance.random() < 0.1:
        parts.append("include=total")
    chance.shuffle(parts)
    return "&".join(parts)


def plans():
    """Names of filters, and keys to sort by: each filter alone, in pairs, and with every sort."""
    sorts = SORTS + [f"-{name}" for name in SORTS]
    yield [], []
    yield from (([name], []) for name in FILTERS)
    yield from (([], [key]) for key in sorts)
    yield from (([name], [key]) for name, key in itertools.product(FILTERS, sorts))
    yield from (([*pair], []) for pair in itertools.combinations(FILTERS, 2))


def make_queries(chance: random.Random, space: Space, count: int):
    """So many queries as they stand in an address: first what plans() names, then up to four filters and three
    keys."""
    made = 0
    for made, (filters, sorts) in enumerate(itertools.islice(plans(), count), 1):
        yield write_query(chance, space, filters, sorts)
    for _ in range(count - made):
        filters = chance.sample(FILTERS, chance.choice([0, 1, 2, 2, 3, 4]))
        keys = chance.sample(SORTS, chance.choice([0, 1, 2, 2, 3, 3]))
        yield write_query(chance, space, filters, [chance.choice(["", "-"]) + key for key in keys])


# What is refused with 400, and the parameters that are named.
WRONG = [
    ("colour=red", {"colour"}),
    ("status=done", {"status"}),
    ("status=pending,", {"status"}),
    ("status=", {"status"}),
    ("priority=5", {"priority"}),
    ("list=none", {"list"}),
    ("list=1", {"list"}),
    ("parent=inbox", {"parent"}),
    ("parent=00000000-0000-0000-0000-00000000000g", {"parent"}),
    ("label=", {"label"}),
    ("label.any=a", {"label.any"}),
    ("label=a%zz", {"label"}),
    ("label=%ff", {"label"}),
    ("due=2026-12-01", {"due"}),
    ("due.from=tomorrow", {"due.from"}),
    ("due.before=2026-02-30", {"due.before"}),
    ("due.after=2026-02-01", {"due.after"}),
    ("due.before=2026-12-01T24:00:00Z", {"due.before"}),
    ("due.before=2026-12-01T10:00:00", {"due.before"}),
    ("start.from=2026-12-01Z", {"start.from"}),
    ("created.from=1969-12-31", {"created.from"}),
    ("completed.before=3000-01-01", {"completed.before"}),
    ("completed.before=3000-01-01T00:00:00Z", {"completed.before"}),
    ("due.from=2026-12-01&due.from=2026-12-02", {"due.from"}),
    ("overdue=yes", {"overdue"}),
    ("overdue=true&overdue=true", {"overdue"}),
    ("ready=1", {"ready"}),
    ("q=", {"q"}),
    ("q=%20%22%22%20", {"q"}),
    ("q=%CC%81", {"q"}),
    ("q=" + "a" * 201, {"q"}),
    ("sort=id", {"sort"}),
    ("sort=%2Btitle", {"sort"}),
    ("sort=title,-title", {"sort"}),
    ("sort=due,start,title,status", {"sort"}),
    ("sort=due&sort=due", {"sort"}),
    ("time_zone=Berlin", {"time_zone"}),
    ("time_zone=europe/berlin", {"time_zone"}),
    ("include=all", {"include"}),
    ("limit=0", {"limit"}),
    ("limit=101", {"limit"}),
    ("label=" + ",".join(str(number) for number in range(101)), {"label"}),
    ("one=1&two=2", {"one", "two"}),
]
