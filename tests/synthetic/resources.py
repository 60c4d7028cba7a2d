# SPDX-License-Identifier: MIT
"""What the tests know of each resource, written by hand: the descriptors are what is tested."""
import uuid
from dataclasses import dataclass, field

ONE, TWO = str(uuid.UUID(int=1)), str(uuid.UUID(int=2**127))
EARLY, LATE = "1969-07-20T20:17:40.000Z", "2026-12-01T09:30:00.125Z"


@dataclass
class Member:
    """A member that a client sets. `values` are valid, in the order that sorts them."""
    name: str
    values: list
    wrong: list  # (value, code of the error), and which part is meant, if not all of it
    required: bool = False
    nullable: bool = False
    default: object = None
    sortable: bool = True
    filterable: bool = True
    multiple: bool = False  # a filter takes several values

    def key(self, value):
        """Sorts as a list does, of what is not null."""
        if self.values[0] in ("pending", "none", "small", "good", WHENS[0], DUES[0]):
            return self.choices().index(value)
        return value.encode() if isinstance(value, str) else value

    def choices(self):
        """All values of a choice, in their order."""
        return self.values

    def errors(self):
        """(value, pointer, code) of each value that is wrong."""
        for value, code, *part in self.wrong:
            yield value, "/".join(["", self.name, *part]), code

    def patched(self, before, value):
        """What a merge patch of the value makes of what was there (RFC 7396)."""
        if value is None:
            return self.default
        if not isinstance(value, dict):
            return value
        return dict(sorted((name, one) for name, one in {**before, **value}.items() if one is not None))


@dataclass
class Resource:
    """A resource under /v1/COLLECTION."""
    collection: str
    members: list
    read_only: list = field(default_factory=lambda: ["id", "created_at", "updated_at", "revision"])
    others: dict = field(default_factory=dict)  # members that depend on what else there is, and what they are by default
    order: str = "-created_at"  # of a list that says none

    @property
    def path(self):
        """Of the list."""
        return f"/v1/{self.collection}"

    def member(self, name):
        """The member of that name."""
        return next(member for member in self.members if member.name == name)

    def minimal(self, number=0):
        """The smallest body that creates one."""
        return {m.name: m.values[number % len(m.values)] for m in self.members if m.required}

    def whole(self, number):
        """A body with every member; each number has other values, and null comes too."""
        body = {}
        for place, member in enumerate(self.members):
            values = member.values + ([None] if member.nullable else [])
            body[member.name] = values[(number // (1 + place % 3) + place) % len(values)]
        return body

    def answered(self, body):
        """The members of an answer to it."""
        return {m.name: body.get(m.name, m.default) for m in self.members}


WHENS = ["1970-01-01T00:00:00.000Z", "1970-01-01", "2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00.000Z", "2026-12-01", "2026-12-01T09:30:00.125Z", "2999-12-31"]
DUES = [*WHENS[2:4], WHENS[5], WHENS[4], WHENS[6]]  # a date is due at its end

TEXT_ERRORS = [(1, "type"), (True, "type"), ([], "type"), ({}, "type"), ("a\u0007b", "control_character")]

UUID_ERRORS = [(1, "type"), ("x", "uuid"), (ONE[:-1], "uuid")]
TIME_ERRORS = [(1, "type"), ("2026-13-01T00:00:00Z", "time"), ("2026-12-01", "time"), ("", "time")]
WHEN_ERRORS = [(1, "type"), ([], "type"), ("", "time"), ("2026-13-01", "time"), ("2026-12-01Z", "time"), ("2026-12-01T09:30:00", "time"), ("1969-12-31", "time"),
               ("3000-01-01", "time"), ("2026-12-01T09:30:60Z", "time"), ("2026-12-01T24:00:00Z", "time")]
STRINGS_ERRORS = [(None, "type"), ("a", "type"), ({}, "type"), ([1], "type", "0"), (["a", None], "type", "1"), ([""], "too_short", "0"), (["x" * 65], "too_long", "0"),
                  (["\u3000"], "blank", "0"), (["a\nb"], "control_character", "0"), (["a", "."], "not_allowed", "1"), ([".."], "not_allowed", "0"),
                  ([str(number) for number in range(33)], "too_many")]
UUIDS_ERRORS = [(None, "type"), (ONE, "type"), ([1], "type", "0"), ([ONE, "x"], "uuid", "1"), ([str(uuid.UUID(int=number)) for number in range(5)], "too_many")]
MAP_ERRORS = [(None, "type"), ([], "type"), ("{}", "type"), ({"a": 1}, "type", "a"), ({"a": {}}, "type", "a"), ({"": "x"}, "too_short", ""),
              ({"x" * 11: ""}, "too_long", "x" * 11), ({"a/b": "x" * 21}, "too_long", "a~1b"), ({str(number): "" for number in range(6)}, "too_many")]
NUMBER_ERRORS = [("1", "type"), (1.5, "type"), (True, "type"), (10**20, "type")]
BOOL_ERRORS = [(0, "type"), ("true", "type")]

TASK_MAP_ERRORS = [(None, "type"), ([], "type"), ({"a": 1}, "type", "a"), ({"": "x"}, "too_short", ""), ({"x" * 41: ""}, "too_long", "x" * 41),
                   ({"a": "x" * 501}, "too_long", "a"), ({str(number): "" for number in range(51)}, "too_many")]

TASKS = Resource("tasks", [
    Member("title", ["Buy milk", "\u00e9", "\U0001d54f"], TEXT_ERRORS + [(None, "type"), ("", "too_short"), (" ", "blank"), ("x" * 1025, "too_long")],
           required=True, filterable=False),
    Member("description", ["", "Two litres", "a\tb\r\nc"], TEXT_ERRORS + [("x" * 16385, "too_long")], nullable=True, sortable=False, filterable=False),
    Member("status", ["pending", "in-progress", "completed"], [(None, "type"), (0, "type"), ("done", "not_allowed"), ("", "not_allowed")],
           default="pending", multiple=True),
    Member("priority", ["none", "low", "medium", "high", "urgent"], [(None, "type"), (0, "type"), ("highest", "not_allowed")], default="none", multiple=True),
    Member("labels", [["a"], ["\"\\", "\u00e9", "\U0001d54f"], []], STRINGS_ERRORS, default=[], sortable=False, filterable=False),
    Member("due", DUES, WHEN_ERRORS, nullable=True, filterable=False),
    Member("metadata", [{"a": "1"}, {"a": "2", "b": "", "\u00e9\n": "\u0001\"\\"}, {}], TASK_MAP_ERRORS, default={}, sortable=False, filterable=False),
], ["id", "created_at", "updated_at", "position", "series_id", "next_id", "revision"],
    {"list_id": None, "parent_id": None, "start": None, "time_zone": None, "recurrence": None, "recurrence_anchor": "due", "blocked_by": [], "completed_at": ...})

LISTS = Resource("lists", [
    Member("name", ["Household", "\u00e9", "\U0001d54f"], TEXT_ERRORS + [(None, "type"), ("", "too_short"), (" ", "blank"), ("x" * 129, "too_long"), ("a\nb", "control_character")],
           required=True, filterable=False),
    Member("color", ["#000000", "#3584e4", "#ffffff"], [(1, "type"), ("", "too_short"), ("red", "color"), ("#3584eg", "color"), ("#3584e4f", "too_long")], nullable=True,
           sortable=False, filterable=False),
    Member("archived", [False, True], BOOL_ERRORS + [(None, "type")], default=False, sortable=False, multiple=True),
    Member("metadata", [{"a": "1"}, {"a": "2", "b": ""}, {}], TASK_MAP_ERRORS, default={}, sortable=False, filterable=False),
], ["id", "created_at", "updated_at", "position", "revision"], order="position")

SAMPLES = Resource("samples", [
    Member("name", ["Buy milk", "\u00e9", "\U0001d54f"], TEXT_ERRORS + [(None, "type"), ("", "too_short"), (" ", "blank"), ("x" * 101, "too_long"), ("a\nb", "control_character")],
           required=True),
    Member("note", ["", "a", "b & c=d%"], TEXT_ERRORS + [("x" * 1001, "too_long")], nullable=True),
    Member("size", ["small", "medium", "large"], [(None, "type"), (0, "type"), ("huge", "not_allowed")], default="medium", multiple=True),
    Member("mood", ["good", "bad"], [(0, "type"), ("", "not_allowed")], nullable=True, multiple=True),
    Member("open", [False, True], BOOL_ERRORS + [(None, "type")], default=False, multiple=True),
    Member("checked", [False, True], BOOL_ERRORS, nullable=True, multiple=True),
    Member("owner", [ONE, TWO], UUID_ERRORS + [(None, "type")], required=True),
    Member("parent", [ONE, TWO], UUID_ERRORS, nullable=True),
    Member("begins_at", [EARLY, LATE], TIME_ERRORS + [(None, "type")], required=True),
    Member("ends_at", [EARLY, LATE], TIME_ERRORS, nullable=True),
    Member("amount", [-1000, -1, 0, 1000], NUMBER_ERRORS + [(None, "type"), (-1001, "out_of_range"), (1001, "out_of_range")], default=0),
    Member("weight", [-(2**63) + 1, 0, 2**63 - 1], NUMBER_ERRORS, nullable=True),
    Member("begins", WHENS, WHEN_ERRORS + [(None, "type")], required=True),
    Member("ends", WHENS, WHEN_ERRORS, nullable=True),
    Member("marks", [["a"], ["\"\\", "\u00e9", "\U0001d54f"], []], STRINGS_ERRORS, default=[], sortable=False, filterable=False),
    Member("others", [[ONE], [TWO, ONE], []], UUIDS_ERRORS, default=[], sortable=False, filterable=False),
    Member("extra", [{"a": "1"}, {"a": "2", "b": "", "\u00e9\n": "\u0001\"\\"}, {}], MAP_ERRORS, default={}, sortable=False, filterable=False),
])

RESOURCES = [LISTS, TASKS, SAMPLES]
