# SPDX-License-Identifier: MIT
"""What GET /v1/tasks, /v1/labels and /v1/summary answer, written down from the contract: it filters and
sorts all tasks of a space, one by one, and knows no server.

Where the contract leaves a choice, this is what is chosen here:
* a parameter that can only mean one thing (a moment, true or false, `q`) is refused when it is repeated, and a comma
  in `q` is looked for;
* in `-list` the inbox comes last too, as everything that is null; lists in the summary are in their order;
* by `due` a date stands directly before the first instant of the next day, so that what is before a moment is always
  the beginning of the order; by `start` it stands with the first instant of its day;
* a day lasts up to the next one's first instant, even where a clock set back over midnight shows its date again."""
import datetime
import functools
import re
import urllib.parse
import uuid
from dataclasses import dataclass, field, fields

import folding
import moments

STATUSES = ["pending", "in-progress", "completed"]
PRIORITIES = ["none", "low", "medium", "high", "urgent"]
TIMES = ["created_at", "updated_at", "completed_at"]
SORTS = ["created_at", "updated_at", "completed_at", "due", "start", "title", "status", "priority", "position", "list"]
RANGED = ["due", "start", "created", "updated", "completed"]
BOOLEANS = ["overdue", "ready", "recurring", "archived", "blocked"]
SEVERAL = ["status", "priority", "list", "parent", "label", "label.all", "sort"]  # these take more than one value
SINGLE = [f"{name}.{side}" for name in RANGED for side in ("from", "before")]
SINGLE += ["due", *BOOLEANS, "q", "time_zone", "include", "limit", "cursor"]
DEFAULT_SORT = "-created_at"
VALUES_MOST = 100
SORTS_MOST = 3


class Refused(Exception):
    """400: the names of the parameters that are wrong."""

    def __init__(self, *names: str) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = set(names)


@dataclass(frozen=True)
class TaskList:
    id: str
    position: str
    name: str = "A list"
    archived: bool = False


@dataclass(frozen=True)
class Task:
    id: str
    title: str = "A task"
    description: str | None = None
    status: str = "pending"
    priority: str = "none"
    list_id: str | None = None
    parent_id: str | None = None
    position: str = "a"
    labels: tuple = ()
    start: datetime.date | int | None = None
    due: datetime.date | int | None = None
    time_zone: str | None = None
    recurrence: str | None = None
    blocked_by: tuple = ()
    created_at: int = 0
    updated_at: int = 0
    completed_at: int | None = None

    @classmethod
    def from_json(cls, members: dict) -> "Task":
        """Of a task as the server answers it; members that no query asks for are left out."""
        known = {each.name: members[each.name] for each in fields(cls)}
        for name in ["start", "due", *TIMES]:
            known[name] = known[name] and moments.read(known[name])
        return cls(**known | {"labels": tuple(known["labels"]), "blocked_by": tuple(known["blocked_by"])})

    def to_json(self) -> dict:
        """The body of a create: what a client may set."""
        members = {each.name: getattr(self, each.name) for each in fields(self)}
        for name in ["id", "position", "created_at", "updated_at"]:
            del members[name]
        for name in ["start", "due", "completed_at"]:
            members[name] = members[name] if members[name] is None else moments.write(members[name])
        if self.status != "completed":
            del members["completed_at"]
        return members | {"labels": list(self.labels), "blocked_by": list(self.blocked_by)}

    @property
    def is_open(self) -> bool:
        return self.status != "completed"


@dataclass(frozen=True)
class User:
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Space:
    """All that there is, at one moment. What was deleted is not here."""

    now: int
    user: User = User()
    lists: tuple = ()
    tasks: tuple = ()

    @functools.cached_property
    def by_id(self) -> dict:
        return {task.id: task for task in self.tasks}

    @functools.cached_property
    def lists_by_id(self) -> dict:
        return {each.id: each for each in self.lists}

    @functools.cached_property
    def with_open_subtasks(self) -> set:
        """The ids of all tasks that have an open one below them, at any level."""
        found = set()
        for task in self.tasks:
            above = task.parent_id
            while task.is_open and above:
                found.add(above)
                above = self.by_id[above].parent_id
        return found

    def is_blocked(self, task: Task) -> bool:
        return any(other in self.by_id and self.by_id[other].is_open for other in task.blocked_by)

    def is_archived(self, task: Task) -> bool:
        return task.list_id is not None and self.lists_by_id[task.list_id].archived

    def is_overdue(self, task: Task, zone: str) -> bool:
        return task.is_open and task.due is not None and is_before("due", task.due, self.now, zone)

    def is_due_today(self, task: Task, zone: str) -> bool:
        """On today's date, overdue already or not."""
        date = moments.today(zone, self.now)
        if isinstance(task.due, datetime.date):
            return task.due == date
        return task.due is not None and moments.day_begin(zone, date) <= task.due < moments.day_end(zone, date)

    def is_ready(self, task: Task, zone: str) -> bool:
        ahead = task.start is not None and begin_of(task.start, zone) > self.now
        return task.is_open and not self.is_blocked(task) and not ahead and task.id not in self.with_open_subtasks


# ---- moments ----


def begin_of(moment, zone: str) -> int:
    return moments.day_begin(zone, moment) if isinstance(moment, datetime.date) else moment


def is_before(name: str, moment, limit: int, zone: str) -> bool:
    """An all-day due is before when its day has ended by then, an all-day start when its day has begun before."""
    if not isinstance(moment, datetime.date):
        return moment < limit
    if name == "due":
        return moments.day_end(zone, moment) <= limit
    return moments.day_begin(zone, moment) < limit


def place_of(name: str, moment, zone: str) -> int:
    """In an order, as twice an instant: a date stands at the end of its day by `due`, where the first instant of
    the next day is not yet, and at the beginning of it by `start`."""
    if name == "due" and isinstance(moment, datetime.date):
        return 2 * moments.day_end(zone, moment) - 1
    return 2 * begin_of(moment, zone)


# ---- a query as it is sent ----


def decode(name: str, raw: str) -> str:
    """A `+` is a blank."""
    if re.search("%(?![0-9a-fA-F]{2})", raw):
        raise Refused(name)
    try:
        text = urllib.parse.unquote_plus(raw, errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(name) from error
    if "\0" in text:
        raise Refused(name)
    return text


def split_query(query: str) -> dict:
    """Names, each with its values as they were sent."""
    sent, wrong = {}, set()
    for part in query.split("&") if query else []:
        encoded, _, raw = part.partition("=")
        name = urllib.parse.unquote_plus(encoded)
        if name.endswith("[]") and name[:-2] in SEVERAL:
            name = name[:-2]
        if name not in SEVERAL + SINGLE or (name in sent and name in SINGLE):
            wrong.add(name)
        sent.setdefault(name, []).append(raw)
    if wrong:
        raise Refused(*wrong)
    return sent


def values_of(name: str, raws: list) -> list:
    """Written with commas or by repeating. In labels only a raw comma separates, elsewhere an encoded one too."""
    if name in SINGLE:
        values = [decode(name, raw) for raw in raws]
    elif name.startswith("label"):
        values = [decode(name, part) for raw in raws for part in raw.split(",")]
    else:
        values = [part for raw in raws for part in decode(name, raw).split(",")]
    if "" in values or len(values) > VALUES_MOST:
        raise Refused(name)
    return values


def one_of(name: str, value: str, choices: list) -> str:
    if value not in choices:
        raise Refused(name)
    return value


def id_of(name: str, value: str) -> str:
    if not re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value.lower(), re.ASCII):
        raise Refused(name)
    return str(uuid.UUID(value))


def moment_of(name: str, value: str):
    """A blank before an offset was a `+`."""
    try:
        return moments.read(re.sub(r"(?<=\d) (?=\d\d:\d\d$)", "+", value))
    except ValueError as error:
        raise Refused(name) from error


# ---- answers ----


@dataclass
class Answer:
    ids: list
    total: int | None = None  # with include=total


@dataclass
class Query:
    """One query over a space: what it asks for, and in which order."""

    space: Space
    zone: str = "UTC"
    tests: list = field(default_factory=list)  # a task is found when all are true of it
    sorts: list = field(default_factory=list)  # pairs: name, whether it descends
    with_total: bool = False

    def read(self, query: str) -> None:
        sent = {name: values_of(name, raws) for name, raws in split_query(query).items()}
        self.zone = self.space.user.time_zone or "UTC"
        if "time_zone" in sent:
            self.zone = sent["time_zone"][0]
            if self.zone not in moments.zone_names():
                raise Refused("time_zone")
        for name, values in sent.items():
            self.read_parameter(name, values)
        self.sorts = self.sorts or [("created_at", True)]

    def read_parameter(self, name: str, values: list) -> None:
        if name in ("status", "priority"):
            allowed = STATUSES if name == "status" else PRIORITIES
            chosen = {one_of(name, value, allowed) for value in values}
            self.tests.append(lambda task: getattr(task, name) in chosen)
        elif name in ("list", "parent"):
            self.read_place(name, values)
        elif name == "label":
            self.tests.append(lambda task: any(value in task.labels for value in values))
        elif name == "label.all":
            self.tests.append(lambda task: all(value in task.labels for value in values))
        elif name == "due":
            self.read_boolean(one_of(name, values[0], ["none", "any"]) == "any", lambda task: task.due is not None)
        elif name in BOOLEANS:
            self.read_boolean(one_of(name, values[0], ["true", "false"]) == "true", self.boolean(name))
        elif name == "q":
            self.read_search(values[0])
        elif name == "sort":
            self.read_sort(values)
        elif name == "include":
            self.with_total = one_of(name, values[0], ["total"]) == "total"
        elif name == "limit":
            if not re.fullmatch("[0-9]+", values[0], re.ASCII) or not 1 <= int(values[0]) <= 100:
                raise Refused(name)
        elif "." in name:
            self.read_range(*name.split("."), values[0])

    def read_place(self, name: str, values: list) -> None:
        """A list or a parent; the word stands for none."""
        word = "inbox" if name == "list" else "none"
        places = {None if value == word else id_of(name, value) for value in values}
        self.tests.append(lambda task: getattr(task, f"{name}_id") in places)

    def read_range(self, name: str, side: str, value: str) -> None:
        moment = moment_of(f"{name}.{side}", value)
        limit = begin_of(moment, self.zone)
        member = name if name in ("due", "start") else f"{name}_at"

        def test(task: Task) -> bool:
            own = getattr(task, member)
            return own is not None and is_before(name, own, limit, self.zone) == (side == "before")

        self.tests.append(test)

    def read_boolean(self, wanted: bool, test) -> None:
        self.tests.append(lambda task: test(task) == wanted)

    def boolean(self, name: str):
        return {
            "overdue": lambda task: self.space.is_overdue(task, self.zone),
            "ready": lambda task: self.space.is_ready(task, self.zone),
            "recurring": lambda task: task.recurrence is not None,
            "archived": self.space.is_archived,
            "blocked": self.space.is_blocked,
        }[name]

    def read_search(self, typed: str) -> None:
        terms = folding.search_terms(typed)
        if not terms:
            raise Refused("q")

        def test(task: Task) -> bool:
            return folding.is_found(terms, [task.title, task.description or "", *task.labels])

        self.tests.append(test)

    def read_sort(self, values: list) -> None:
        self.sorts = [(one_of("sort", value.removeprefix("-"), SORTS), value.startswith("-")) for value in values]
        if len(values) > SORTS_MOST or len({name for name, _ in self.sorts}) < len(values):
            raise Refused("sort")

    def key(self, name: str, task: Task):
        """What is compared; None comes last both ways."""
        if name in ("due", "start"):
            moment = getattr(task, name)
            return None if moment is None else place_of(name, moment, self.zone)
        if name == "title":
            return folding.fold(task.title), task.title
        if name == "list":
            own = self.space.lists_by_id.get(task.list_id)
            return own and (own.position, own.id)
        if name in ("status", "priority"):
            return (STATUSES if name == "status" else PRIORITIES).index(getattr(task, name))
        return getattr(task, name)

    def in_order(self, tasks: list) -> list:
        """Python's sort keeps what is equal as it was, so the last key is sorted by first."""
        tasks = sorted(tasks, key=lambda task: task.id, reverse=self.sorts[-1][1])
        for name, descends in reversed(self.sorts):
            keyed = [(self.key(name, task), task) for task in tasks]
            there = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descends)
            tasks = [task for _, task in there] + [task for key, task in keyed if key is None]
        return tasks

    def answer(self) -> Answer:
        found = [task for task in self.space.tasks if all(test(task) for test in self.tests)]
        return Answer([task.id for task in self.in_order(found)], len(found) if self.with_total else None)


def list_tasks(space: Space, query: str = "") -> Answer:
    """All pages of GET /v1/tasks, one after the other. `query` as it stands in the address."""
    made = Query(space)
    made.read(query)
    return made.answer()


def list_labels(space: Space) -> list:
    """The items of GET /v1/labels."""
    carried = [(label, task) for task in space.tasks for label in task.labels]
    return [
        {
            "name": name,
            "tasks": sum(label == name for label, _ in carried),
            "open": sum(label == name and task.is_open for label, task in carried),
        }
        for name in sorted({label for label, _ in carried})
    ]


def summary(space: Space, time_zone: str | None = None) -> dict:
    """GET /v1/summary."""
    zone = time_zone or space.user.time_zone or "UTC"
    if zone not in moments.zone_names():
        raise Refused("time_zone")
    still_open = [task for task in space.tasks if task.is_open]
    overdue = [task for task in still_open if space.is_overdue(task, zone)]
    lists = [None] + [each.id for each in sorted(space.lists, key=lambda each: (each.position, each.id))]
    return {
        "tasks": {status: sum(task.status == status for task in space.tasks) for status in STATUSES},
        "overdue": len(overdue),
        "due_today": sum(space.is_due_today(task, zone) for task in still_open),
        "blocked": sum(space.is_blocked(task) for task in still_open),
        "lists": [
            {
                "id": place,
                "open": sum(task.list_id == place for task in still_open),
                "overdue": sum(task.list_id == place for task in overdue),
            }
            for place in lists
        ],
    }
