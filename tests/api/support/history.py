# SPDX-License-Identifier: MIT
"""The history of a task, and what it says the task was."""

STAMPS = {"updated_at", "revision"}


def history_of(client, task, limit=100):
    """All of its changes, the newest first, page by page along the links."""
    items, path = [], f"/v1/tasks/{task['id']}/history?limit={limit}"
    while path:
        answer = client.get(path).expect(200)
        link = answer.headers.get("Link")
        assert (link is None) == (answer.json["next_cursor"] is None)
        assert 0 < len(answer.json["items"]) <= limit
        items += answer.json["items"]
        path = link and link[1 : link.index(">")]
    revisions = [item["revision"] for item in items]
    assert revisions == sorted(set(revisions), reverse=True)
    return items


def states_of(items):
    """What the task was after each change, without stamps, the newest first; None: it was deleted. From the changes alone."""
    state, states = None, []
    for change in reversed(items):
        if change["op"] == "create":
            state = {}
        if change["op"] == "delete":
            assert change["changes"] == {}
            states.append(None)
            continue
        for name, value in change["changes"].items():
            assert value["from"] != value["to"] or change["op"] == "create", (name, value)
            assert state.get(name) == value["from"], (name, value, state)
            assert name not in STAMPS
            state = {**state, name: value["to"]}
        states.append(state)
    return states[::-1]


def content_of(task):
    """A task without its stamps and what is null, as states_of has it."""
    return {name: value for name, value in task.items() if name not in STAMPS and value is not None}


def without_null(state):
    """A state, likewise."""
    return state and {name: value for name, value in state.items() if value is not None}
