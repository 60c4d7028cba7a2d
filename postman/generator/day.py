# SPDX-License-Identifier: MIT
"""A day with tasks: what a task has, and what can be asked for."""

from .items import ABSENT_ID, Folder, Item, check, keep

LIST = {"list": "{{day_list_id}}"}
IN_UTC = {"time_zone": "UTC"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
IDS = "const ids = body.items.map((one) => one.id);"

# What the requests below make: variable -> operation, body. before.js makes all of it in this order for one that
# is sent alone. Days are those of UTC, and count from the day on which the list was made, which `metadata` says.
MADE = {
    "day_list_id": (
        "createList",
        {"name": "Home", "color": "#3584E4", "metadata": {"day": "{{today}}"}},
    ),
    "bread_id": (
        "createTask",
        {
            "title": "Buy bread",
            "list_id": "{{day_list_id}}",
            "due": "{{today}}",
            "priority": "high",
            "labels": ["{{day_label}}"],
        },
    ),
    "rent_id": (
        "createTask",
        {"title": "Pay the rent", "list_id": "{{day_list_id}}", "due": "{{yesterday}}", "priority": "urgent"},
    ),
    "cake_id": (
        "createTask",
        {
            "title": "Bake a cake with crème brûlée",
            "list_id": "{{day_list_id}}",
            "start": "{{today}}",
            "due": "{{tomorrow}}T17:00:00+01:00",
        },
    ),
    "eggs_id": ("createTask", {"title": "Beat the eggs", "parent_id": "{{cake_id}}"}),
    "guests_id": (
        "createTask",
        {"title": "Call the neighbours", "list_id": "{{day_list_id}}", "blocked_by": ["{{cake_id}}"]},
    ),
    "plants_id": (
        "createTask",
        {
            "title": "Water the plants",
            "list_id": "{{day_list_id}}",
            "due": "{{today}}",
            "recurrence": "FREQ=WEEKLY",
        },
    ),
}


def kept(name):
    return f'pm.collectionVariables.get("{name}")'


def make(name, variable, tests, note):
    operation, body = MADE[variable]
    return Item(name, operation, 201, body=body, tests=[*tests, keep(variable, "body.id")], note=note)


def ask(name, query, tests, note):
    return Item(name, "listTasks", 200, query={**LIST, **query}, tests=tests, note=note)


def change(name, variable, body, tests, note):
    path = {"id": "{{" + variable + "}}"}
    return Item(name, "updateTask", 200, path=path, headers=MERGE_PATCH, body=body, tests=tests, note=note)


def finds(variable):
    return check(f"finds {variable.removesuffix('_id')}", "ids", f"to.include({kept(variable)})")


def leaves_out(variable):
    return check(f"leaves {variable.removesuffix('_id')} out", "ids", f"to.not.include({kept(variable)})")


DAY = Folder(
    "A day with tasks",
    "A list with what there is to do: dates, priorities, labels, a step, something that waits, something that comes"
    " every week; then what an app shows of it. Run the folder from top to bottom, at any time of any day, or any"
    " request of it alone. It leaves nothing on the server. The examples stand with the calls above.",
    [
        make(
            "Make a list",
            "day_list_id",
            [
                check("has its colour", "body.color", 'to.eql("#3584e4")'),
                check("keeps what is the client's own", "body.metadata.day", f"to.eql({kept('today')})"),
            ],
            "`metadata` is the client's own: this collection keeps the day there.",
        ),
        make(
            "Something for today",
            "bread_id",
            [
                check("is in the list", "body.list_id", f"to.eql({kept('day_list_id')})"),
                check("is due on a date", "body.due", f"to.eql({kept('today')})"),
            ],
            "A date without a time is the same date everywhere. A label is there as soon as a task carries it.",
        ),
        make(
            "Something that is late",
            "rent_id",
            [check("is urgent", "body.priority", 'to.eql("urgent")')],
            "It was due yesterday.",
        ),
        make(
            "Something at an hour",
            "cake_id",
            [check("is due at an instant", "body.due", f'to.eql({kept("tomorrow")} + "T16:00:00.000Z")')],
            "A time comes with its offset, and is answered in UTC.",
        ),
        make(
            "A step of it",
            "eggs_id",
            [check("is in the list of its parent", "body.list_id", f"to.eql({kept('day_list_id')})")],
            "A subtask lies in its parent's list.",
        ),
        make(
            "Something that waits for it",
            "guests_id",
            [check("waits", "body.blocked_by", f"to.eql([{kept('cake_id')}])")],
            "It is blocked until the cake is baked.",
        ),
        Item(
            "But not for itself",
            "updateTask",
            422,
            "validation_failed",
            path={"id": "{{cake_id}}"},
            headers=MERGE_PATCH,
            body={"blocked_by": ["{{cake_id}}"]},
            tests=[check("says why", "body.errors[0].code", 'to.eql("cycle")')],
            note="No task may wait for itself, by whatever way.",
        ),
        make(
            "Something for every week",
            "plants_id",
            [check("is the first of a series", "body.series_id", "to.eql(body.id)")],
            "A rule of iCalendar (RFC 5545) says when it comes again.",
        ),
        Item(
            "The rent comes first",
            "moveTask",
            200,
            path={"id": "{{rent_id}}"},
            body={"after": None},
            tests=[check("has a position", "body.position", "to.be.a('string').and.not.empty")],
            note="`after` and `before` name a neighbour; `after: null` is the first place. No other task changes.",
        ),
        ask(
            "The list in its order",
            {"parent": "none", "sort": "position"},
            [
                IDS,
                "const positions = body.items.map((one) => one.position);",
                check("is in order", "positions", "to.eql([...positions].sort())"),
                finds("rent_id"),
                leaves_out("eggs_id"),
            ],
            "`parent=none` leaves the steps out.",
        ),
        ask(
            "What is due today",
            {"due.from": "{{today}}", "due.before": "{{tomorrow}}", **IN_UTC},
            [IDS, finds("bread_id"), leaves_out("rent_id"), leaves_out("cake_id")],
            "A date in a filter is a day of `time_zone`, or of the account's where that is left out.",
        ),
        ask(
            "What is late",
            {"overdue": "true", **IN_UTC},
            [IDS, finds("rent_id"), leaves_out("cake_id")],
            "A day is over at its end: what is due today is not late yet.",
        ),
        ask(
            "What can be begun",
            {"ready": "true", "sort": "-priority,due", **IN_UTC},
            [
                IDS,
                "const ranks = body.items.map((one) => "
                '["urgent", "high", "medium", "low", "none"].indexOf(one.priority));',
                check("has the most urgent first", "ranks", "to.eql([...ranks].sort())"),
                finds("rent_id"),
            ],
            "Neither completed nor blocked, with no open step, and not to be started later. Up to three orders.",
        ),
        ask(
            "Search",
            {"q": "BRULEE"},
            [IDS, finds("cake_id"), leaves_out("bread_id")],
            "In titles, descriptions and labels; case and accents do not matter.",
        ),
        ask(
            "What has a label",
            {"label": "{{day_label}}"},
            [IDS, finds("bread_id"), leaves_out("rent_id")],
            "Several, separated by commas, are any of them; `label.all` asks for all.",
        ),
        change(
            "The eggs are beaten",
            "eggs_id",
            {"status": "completed"},
            [check("is completed", "body.status", 'to.eql("completed")')],
            "A step is a task like any other.",
        ),
        change(
            "The cake was baked this morning",
            "cake_id",
            {"status": "completed", "completed_at": "{{today}}T00:00:00Z"},
            [
                check("was completed then", "body.completed_at", f'to.eql({kept("today")} + "T00:00:00.000Z")'),
                keep("baked_id", "body.id"),
            ],
            "What was done offline is told afterwards, with its time.",
        ),
        ask(
            "What waited can be begun",
            {"ready": "true", **IN_UTC},
            [
                IDS,
                check(
                    "waits no longer than for the cake",
                    f"ids.includes({kept('guests_id')})",
                    f"to.eql({kept('baked_id')} === {kept('cake_id')})",
                ),
            ],
            "The task itself did not change: whether it is blocked is asked, not stored.",
        ),
        change(
            "The plants are watered",
            "plants_id",
            {"status": "completed"},
            [
                check("names the next one", "body.next_id", "to.be.a('string')"),
                keep("next_plants_id", "body.next_id"),
            ],
            "A task with a `recurrence` stays as it is, completed, and the next one comes with it.",
        ),
        Item(
            "The next one came by itself",
            "getTask",
            200,
            path={"id": "{{next_plants_id}}"},
            tests=[
                check("is to be done", "body.status", 'to.eql("pending")'),
                check("is of the same series", "body.series_id", f"to.eql({kept('plants_id')})"),
                f"const days = (Date.parse(body.due) - Date.parse({kept('today')})) / 864e5;",
                check("is due some weeks later", "[days > 0, days % 7]", "to.eql([true, 0])"),
            ],
            note="Once, however often or by how many clients the other one is completed.",
        ),
        Item(
            "When it comes after that",
            "listOccurrences",
            200,
            path={"id": "{{next_plants_id}}"},
            query={"limit": "3"},
            tests=[
                check("has three dates", "body.items.length", "to.eql(3)"),
                check("is in order", "body.items", "to.eql([...body.items].sort())"),
            ],
            note="Without making anything.",
        ),
        Item(
            "Not next week",
            "skipTask",
            200,
            path={"id": "{{next_plants_id}}"},
            tests=[
                check("is due later", f"body.due > {kept('next_week')}", "to.be.true"),
                check("is still to be done", "body.status", 'to.eql("pending")'),
            ],
            note="Its date moves on, and nothing is completed.",
        ),
        Item(
            "Which labels there are",
            "listLabels",
            200,
            tests=[check("counts", "body.items.every((one) => one.open <= one.tasks)", "to.be.true")],
            note="A label goes with the last task that carries it.",
        ),
        Item(
            "Give a label another name",
            "renameLabel",
            200,
            path={"name": "{{day_label}}"},
            body={"name": "{{new_label}}"},
            tests=[
                check("has the new name", "body.name", f"to.eql({kept('new_label')})"),
                keep("day_label", "body.name"),
            ],
            note="On every task that carries it, at once. If the new one is there already, both become one.",
        ),
        Item(
            "The day in numbers",
            "getSummary",
            200,
            query=IN_UTC,
            tests=[
                "const sum = (name) => body.lists.reduce((all, one) => all + one[name], 0);",
                check("has the inbox first", "body.lists[0].id", "to.be.null"),
                check("adds up", 'sum("open")', 'to.eql(body.tasks.pending + body.tasks["in-progress"])'),
                check("counts what is late", "body.overdue", 'to.eql(sum("overdue"))'),
            ],
            note="For a side bar and a badge: one call, all of one moment.",
        ),
        Item(
            "A list with tasks is not deleted",
            "deleteList",
            409,
            "not_empty",
            path={"id": "{{day_list_id}}"},
            tests=[check("says how many there are", "body.tasks", "to.be.at.least(1)")],
            note="Unless the request says what becomes of them.",
        ),
        Item(
            "Delete it with its tasks",
            "deleteList",
            204,
            path={"id": "{{day_list_id}}"},
            query={"tasks": "delete"},
            tests=[keep("gone_task_id", kept("bread_id")), keep("day_list_id", '""')],
            note="`tasks=inbox` would move them to the inbox instead.",
        ),
        Item(
            "They are gone",
            "getTask",
            404,
            "not_found",
            path={"id": "{{gone_task_id}}"},
            note="The labels went with them.",
        ),
        Item(
            "Delete the account of that day",
            "deleteAccount",
            204,
            body={"password": "{{password}}"},
            tests=[keep("gone_email", kept("email")), keep("email", '""')],
            note="Only one that this collection made; yours stays.",
        ),
    ],
)

VARIABLES = {
    **{name: ("", f"Of *{DAY.name}*.") for name in MADE},
    "day_label": ("", "A label of that day."),
    "next_plants_id": ("", "What comes after the plants of that day."),
    "baked_id": ("", "The cake, once it is baked."),
    "gone_task_id": (ABSENT_ID, "A task that was deleted."),
}
