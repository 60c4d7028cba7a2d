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
    wrong: list  # (value, code of the error)
    required: bool = False
    nullable: bool = False
    default: object = None
    sortable: bool = True
    filterable: bool = True
    multiple: bool = False  # a filter takes several values

    def key(self, value):
        """Sorts as a list does: null stands where the lowest value does."""
        if value is None:
            return {"note": (1, b""), "weight": (1, -(2**63) + 1)}.get(self.name, (0, 0))
        if self.values[0] in ("pending", "small", "good"):
            return (1, self.choices().index(value))
        return (1, value.encode() if isinstance(value, str) else value)

    def choices(self):
        """All values of a choice, in their order."""
        return self.values


@dataclass
class Resource:
    """A resource under /v1/COLLECTION."""
    collection: str
    members: list
    read_only: list = field(default_factory=lambda: ["id", "created_at", "updated_at", "revision"])

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


TEXT_ERRORS = [(1, "type"), (True, "type"), ([], "type"), ({}, "type"), ("a\u0007b", "control_character")]

TASKS = Resource("tasks", [
    Member("title", ["Buy milk", "\u00e9", "\U0001d54f"], TEXT_ERRORS + [(None, "type"), ("", "too_short"), (" ", "blank"), ("x" * 1025, "too_long")],
           required=True, filterable=False),
    Member("description", ["", "Two litres", "a\tb\r\nc"], TEXT_ERRORS + [("x" * 16385, "too_long")], nullable=True, sortable=False, filterable=False),
    Member("status", ["pending", "in-progress", "completed"], [(None, "type"), (0, "type"), ("done", "not_allowed"), ("", "not_allowed")],
           default="pending", multiple=True),
], ["id", "created_at", "updated_at", "completed_at", "revision"])

UUID_ERRORS = [(1, "type"), ("x", "uuid"), (ONE[:-1], "uuid")]
TIME_ERRORS = [(1, "type"), ("2026-13-01T00:00:00Z", "time"), ("2026-12-01", "time"), ("", "time")]
NUMBER_ERRORS = [("1", "type"), (1.5, "type"), (True, "type"), (10**20, "type")]
BOOL_ERRORS = [(0, "type"), ("true", "type")]

SAMPLES = Resource("samples", [
    Member("name", ["Buy milk", "\u00e9", "\U0001d54f"], TEXT_ERRORS + [(None, "type"), ("", "too_short"), (" ", "blank"), ("x" * 101, "too_long"), ("a\nb", "control_character")],
           required=True),
    Member("note", ["", "a", "b & c=d%"], TEXT_ERRORS + [("x" * 1001, "too_long")], nullable=True),
    Member("size", ["small", "medium", "large"], [(None, "type"), (0, "type"), ("huge", "not_allowed")], default="small", multiple=True),
    Member("mood", ["good", "bad"], [(0, "type"), ("", "not_allowed")], nullable=True, multiple=True),
    Member("open", [False, True], BOOL_ERRORS + [(None, "type")], default=False, multiple=True),
    Member("checked", [False, True], BOOL_ERRORS, nullable=True, multiple=True),
    Member("owner", [ONE, TWO], UUID_ERRORS + [(None, "type")], required=True),
    Member("parent", [ONE, TWO], UUID_ERRORS, nullable=True),
    Member("begins_at", [EARLY, LATE], TIME_ERRORS + [(None, "type")], required=True),
    Member("ends_at", [EARLY, LATE], TIME_ERRORS, nullable=True),
    Member("amount", [-1000, -1, 0, 1000], NUMBER_ERRORS + [(None, "type"), (-1001, "out_of_range"), (1001, "out_of_range")], default=0),
    Member("weight", [-(2**63) + 1, 0, 2**63 - 1], NUMBER_ERRORS, nullable=True),
])

RESOURCES = [TASKS, SAMPLES]
